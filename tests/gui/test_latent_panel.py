# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The Latent panel, driven: a seed by its number, both blends between seeds, files of z and w, and w saved again."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.gui import drive, save_model, settle

from viz.canvas.overlays import explain_absence
from viz.core.latent import FileLatent, SeedPoint
from viz.core.request import PictureRequest
from viz.core.state import AppState
from viz.loading.latent_files import may_be_z, open_latent
from viz.panels import latent as panel
from viz.record.timeline_templates import TEMPLATES, put_template
from viz.render.renderer import Renderer
from viz.ui import timelining, widgets
from viz.window.window import Window

pytestmark = pytest.mark.slow


def window(tmp_path: Path) -> Window:
    state = AppState()
    state.left.path = save_model(tmp_path / "x.safetensors", "T", 16)
    state.display.width, state.display.height = 1600, 1000
    return Window(state, strict=True)


def picture(shown: Window) -> np.ndarray:
    result = shown.context.results["left"]
    assert result is not None and result.image is not None, result and result.error
    return np.array(result.image)


def enter(context: Any, shown: Window, field: str, text: str) -> None:
    context.item_input_value(field, text)
    settle(context, shown)


def test_seeds_by_number_and_both_blends(tmp_path: Path) -> None:
    shown = window(tmp_path)
    latent, drawn = shown.state.latent, Renderer(enlarge=False)

    def expected(latent: SeedPoint) -> np.ndarray:
        image = drawn.render(PictureRequest(shown.state.left.path, latent)).image
        assert image is not None
        return image

    def script(context: Any) -> None:
        settle(context, shown)
        enter(context, shown, "//Latent/##seed", "4294967295")
        assert (latent.x, latent.y) == (95.0, 42949672.0)
        assert np.array_equal(picture(shown), expected(SeedPoint(-1.0, 0.0))), "seeds count back below 0"
        enter(context, shown, "//Latent/##seed", "4294967296")
        assert "whole number from 0 to 4294967295" in shown.context.message and latent.x == 95.0
        enter(context, shown, "//Latent/##seed", "7")
        context.item_input_value("//Latent/##x", 7.5)
        settle(context, shown)
        in_w = picture(shown)
        context.item_click("//Latent/in z##source")
        settle(context, shown)
        assert latent.space == "z" and np.array_equal(picture(shown), expected(SeedPoint(7.5, 0.0, "z")))
        assert not np.array_equal(picture(shown), in_w)
        context.item_click("//Latent/seeds##source")
        settle(context, shown)
        assert np.array_equal(picture(shown), in_w) and np.array_equal(in_w, expected(SeedPoint(7.5, 0.0)))

    drive(shown, script)


def test_a_w_is_saved_and_opened_again(tmp_path: Path) -> None:
    shown, file, none = window(tmp_path), tmp_path / "w.npz", tmp_path / "none.npz"
    latent = shown.state.latent

    def script(context: Any) -> None:
        settle(context, shown)
        latent.x, latent.psi = 3.5, 0.6
        settle(context, shown)
        before = picture(shown)
        enter(context, shown, "//Latent/##save w", str(file))
        while shown.context.jobs.is_running("save w"):
            context.yield_()
        context.yield_(2)
        assert shown.context.message.startswith(f"Wrote {file}: ")
        with np.load(file) as archive:
            assert archive["w"].shape[0] == 1 and archive["w"].ndim == 3
        enter(context, shown, "//Latent/##save w", str(file))
        while shown.context.jobs.is_running("save w"):
            context.yield_()
        context.yield_(2)
        assert "w.npz is there already" in shown.context.message
        assert ("", str(file)) in shown.context.typed.values(), "it stays, to be corrected"
        latent.x, latent.psi = 0.0, 1.0
        settle(context, shown)
        assert not np.array_equal(picture(shown), before)
        context.item_click("//Latent/file##source")
        enter(context, shown, "//Latent/##latent file", str(none))
        assert "none.npz: check its path" in shown.context.message and latent.kept is None
        assert ("", str(none)) in shown.context.typed.values(), "it stays, to be corrected"
        enter(context, shown, "//Latent/##latent file", str(file))
        assert shown.context.message == "" and isinstance(latent.kept, FileLatent)
        assert ("", str(none)) not in shown.context.typed.values(), "of no use any more"
        latent.kept, kept = None, latent.kept  # as Ctrl-Z would
        settle(context, shown)
        assert [*shown.context.typed.values()] == [("", str(file))], "that of save w"
        latent.kept = kept
        settle(context, shown)
        assert np.array_equal(picture(shown), before), "the very picture that it was saved from"
        context.item_click("//Latent/z##space")
        context.yield_(2)
        assert "no array called z: it holds w" in shown.context.message and latent.kept.space == "w"
        context.item_click("//Latent/seeds##source")
        context.item_click("//Latent/file##source")
        settle(context, shown)
        assert np.array_equal(picture(shown), before), "it stayed"

    drive(shown, script)


def test_a_dropped_file_is_a_latent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown, file = window(tmp_path), tmp_path / "z.npz"
    np.savez(file, z=np.random.RandomState(5).randn(1, 32))
    (tmp_path / "bad.npy").write_bytes(b"no array")
    monkeypatch.setattr("glfw.get_cursor_pos", lambda window: (0.0, 0.0))

    def script(context: Any) -> None:
        settle(context, shown)
        context.item_input_value("//Latent/##x", 5.0)
        settle(context, shown)
        before = picture(shown)
        shown.state.latent.x = 6.0
        shown._on_drop(None, [str(file)])
        settle(context, shown)
        assert np.array_equal(picture(shown), before) and shown.state.latent.source == "kept"
        shown._on_drop(None, [str(tmp_path / "bad.npy")])
        assert "bad.npy is none of the files" in shown.context.message
        assert isinstance(shown.state.latent.kept, FileLatent) and shown.state.latent.kept.path == str(file)

    drive(shown, script)


def test_a_dropped_safetensors_is_what_its_header_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown, saved, model = window(tmp_path), tmp_path / "w.SafeTensors", tmp_path / "other.safetensors"
    save_model(model, "T", 16)
    monkeypatch.setattr("glfw.get_cursor_pos", lambda window: (0.0, 0.0))

    def script(context: Any) -> None:
        settle(context, shown)
        enter(context, shown, "//Latent/##save w", str(saved))
        while shown.context.jobs.is_running("save w"):
            context.yield_()
        before, path = picture(shown), shown.state.left.path
        shown.state.latent.x = 6.0
        shown._on_drop(None, [str(saved)])
        settle(context, shown)
        assert np.array_equal(picture(shown), before) and shown.state.left.path == path
        assert isinstance(shown.state.latent.kept, FileLatent) and shown.state.latent.kept.path == str(saved)
        shown._on_drop(None, [str(model)])
        settle(context, shown)
        assert shown.state.left.path == str(model) and shown.state.latent.kept.path == str(saved)

    drive(shown, script)


def test_a_file_that_does_not_fit_is_to_blame_and_not_the_model(tmp_path: Path) -> None:
    shown, file = window(tmp_path), tmp_path / "wide.npy"
    np.save(file, np.zeros((1, 512), np.float32))

    def script(context: Any) -> None:
        settle(context, shown)
        context.item_click("//Latent/file##source")
        enter(context, shown, "//Latent/##latent file", str(file))
        absent = explain_absence(shown.state, shown.context, "left", None)
        assert absent is not None and absent.heading == "wide.npy cannot be used" and "x.safetensors" not in absent.text
        assert (
            "takes 32" in absent.text
            and "The model is fine: choose seeds, or another file, under Latent" in absent.text
        )
        said = shown.context.explain_nothing(shown.state, "left")
        assert said == "wide.npy cannot be used with the left model: choose seeds, or another file, under Latent."
        assert "open a model there" in shown.context.explain_nothing(shown.state, "right")
        file.unlink()
        context.item_click("//Latent/seeds##source")
        settle(context, shown)
        assert explain_absence(shown.state, shown.context, "left", None) != absent and picture(shown).size

    drive(shown, script)


def test_a_second_file_that_does_not_fit_is_sought_under_mixing(tmp_path: Path) -> None:
    shown, file = window(tmp_path), tmp_path / "wide.npy"
    np.save(file, np.zeros((1, 512), np.float32))
    shown.state.latent.mixed = [0]
    shown.state.latent.second.keep(open_latent(str(file)))

    def script(context: Any) -> None:
        settle(context, shown)
        absent = explain_absence(shown.state, shown.context, "left", None)
        assert absent is not None and absent.text.endswith("under Mixing.")
        assert shown.context.explain_nothing(shown.state, "left").endswith("under Mixing.")

    drive(shown, script)


def test_a_w_that_may_be_a_z_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown, file = window(tmp_path), tmp_path / "some.npy"
    np.save(file, np.zeros((1, 32), np.float32))
    sentence, said = widgets.sentence, []
    monkeypatch.setattr(widgets, "sentence", lambda text, colour: (said.append(text), sentence(text, colour)))

    def is_remarked(context: Any) -> bool:
        said.clear()
        context.yield_(3)
        return any("press z if it is one" in text for text in said)

    def script(context: Any) -> None:
        settle(context, shown)
        context.item_click("//Latent/file##source")
        enter(context, shown, "//Latent/##latent file", str(file))
        assert is_remarked(context)
        context.item_click("//Latent/z##space")
        settle(context, shown)
        kept = shown.state.latent.kept
        assert isinstance(kept, FileLatent) and kept.space == "z" and not is_remarked(context)

    drive(shown, script)


def test_a_w_that_is_named_or_one_a_layer_is_no_z(tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", w=np.zeros((1, 32), np.float32))
    np.savez(tmp_path / "x.npz", x=np.zeros((1, 32), np.float32))
    np.save(tmp_path / "layers.npy", np.zeros((1, 9, 32), np.float32))
    asked = {name: may_be_z(open_latent(str(tmp_path / name))) for name in ("w.npz", "x.npz", "layers.npy")}
    assert asked == {"w.npz": False, "x.npz": True, "layers.npy": False}


def test_the_panel_says_what_a_timeline_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = window(tmp_path)
    state, said = shown.state, list[str]()
    sentence = widgets.sentence
    monkeypatch.setattr(widgets, "sentence", lambda text, colour: (said.append(text), sentence(text, colour)))

    def sentences(context: Any) -> list[str]:
        said.clear()
        context.yield_(2)
        return list(said)

    def script(context: Any) -> None:
        settle(context, shown)
        state.timeline = put_template(state, TEMPLATES[0])
        state.playback.playing = True
        context.yield_(4)
        assert panel.MOVED in sentences(context) and not context.item_exists("//Latent/file##source")
        assert not context.item_exists("//Latent/##seed"), "a seed that is typed would not stay"
        state.playback.playing, state.playback.seconds = False, 0.4
        timelining.scrub(state, 0.4)
        context.yield_(4)
        assert "A point between the timeline's keys is shown." in sentences(context)
        assert not context.item_exists("//Latent/file##source"), "it is none"
        assert context.item_exists("//Latent/keys##source")
        context.item_click("//Latent/seeds##source")
        context.yield_(4)
        assert state.latent.source == "seeds"
        context.item_click("//Latent/file##source")
        context.yield_(4)
        assert "No file is open yet: the point of the seed plane is shown." in sentences(context)
        steps = shown.undo.history.undo_name
        context.yield_(4)
        assert shown.undo.history.undo_name == steps, "nothing changes by itself"

    drive(shown, script)
