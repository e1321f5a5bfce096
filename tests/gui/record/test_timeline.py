# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The Timeline panel, driven: each control, the keys' diamonds, what they do to the pictures, and undo."""

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from imgui_bundle import imgui
from PIL import Image
from support.gui import drive, save_model, settle

from viz.core import state as states
from viz.core.request import PictureRequest, build_request
from viz.core.state import AppState
from viz.core.timeline import at
from viz.core.timeline_state import Key, Timeline
from viz.panels import timeline as panel
from viz.record import timeline_edits as edits
from viz.record.timeline_templates import TEMPLATES, put_template
from viz.render.renderer import Renderer
from viz.window.window import Window

pytestmark = pytest.mark.slow

CTRL, SHIFT = imgui.Key.mod_ctrl, imgui.Key.mod_shift
MOVES = ("latent", "truncation", "translation", "rotation", "scale")


class Photographed(Window):
    """A window whose frames can be looked at while it is open."""

    screen: np.ndarray | None = None

    def _after_frame(self) -> None:
        super()._after_frame()
        if self.screen is None:
            from OpenGL import GL

            width, height = (int(edge) for edge in imgui.get_io().display_size)
            pixels = GL.glReadPixels(0, 0, width, height, GL.GL_RGB, GL.GL_UNSIGNED_BYTE)
            self.screen = np.frombuffer(pixels, np.uint8).reshape(height, width, 3)[::-1]


def picture(shown: Window) -> np.ndarray:
    result = shown.context.results["left"]
    assert result is not None and result.image is not None, result and result.error
    return np.array(result.image)


def press(context: Any, chord: int) -> None:
    context.key_press(chord)
    context.yield_(3)


def click(context: Any, name: str) -> None:
    context.item_click(f"//Timeline/**/{name}")
    context.yield_(3)


def drag(context: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
    context.mouse_move_to_pos(start)
    context.mouse_down(0)
    for part in (0.3, 0.7, 1.0):
        context.mouse_move_to_pos(tuple(a + part * (b - a) for a, b in zip(start, end, strict=True)))
        context.yield_(2)
    context.mouse_up(0)
    context.yield_(3)


def spot(shown: Window, name: str, seconds: float) -> tuple[float, float]:
    """The place of a key on screen; "" is the row of all keys."""
    lanes = shown.context.timeline.lanes
    return lanes.x(seconds), lanes.rows[name]


def scrub(context: Any, shown: Window, seconds: float) -> None:
    lanes = shown.context.timeline.lanes
    drag(context, (lanes.x(shown.state.playback.seconds) + 1, lanes.ruler), (lanes.x(seconds), lanes.ruler))
    assert shown.state.playback.seconds == pytest.approx(seconds, abs=1.5 / lanes.scale)


def times(shown: Window, name: str) -> list[float]:
    track = shown.state.timeline.track(name)
    return [key.seconds for key in track.keys] if track else []


def clear(context: Any) -> None:
    click(context, "+ Row")
    context.item_click("//$FOCUSED/Delete all keys")
    context.yield_(3)


def undo(context: Any) -> None:
    press(context, CTRL | imgui.Key.z)


def looks_lit(context: Any, shown: Window, name: str, seconds: float) -> bool:
    """Return whether a diamond is drawn at a place, brighter than any row."""
    assert isinstance(shown, Photographed)
    shown.screen = None
    while shown.screen is None:
        context.yield_()
    x, y = map(round, spot(shown, name, seconds))
    return float(shown.screen[y - 1 : y + 2, x - 1 : x + 2].mean()) > 120


def keyed(context: Any, shown: Window) -> None:
    """Key at two times, by button and key; between them the picture is on the way, undo goes back."""
    state = shown.state
    assert not state.timeline.tracks and not context.item_exists("//Timeline/**/key translation")
    click(context, "Key")
    assert [track.name for track in state.timeline.tracks] == list(MOVES)
    scrub(context, shown, 3.0)
    state.transform.tx, state.latent.x = 0.25, 9.0
    context.yield_(2)
    press(context, imgui.Key.k)
    assert times(shown, "translation") == [0.0, state.playback.seconds] and len(state.timeline.tracks) == 5
    settle(context, shown)
    far, there = picture(shown), state.playback.seconds
    for name in ("translation", ""):
        assert looks_lit(context, shown, name, 0.0) and not looks_lit(context, shown, name, 1.0)
    scrub(context, shown, 1.5)
    settle(context, shown)
    expected = at(state.timeline, state, state.playback.seconds)
    assert 0.1 < state.transform.tx < 0.15 and expected.latent.latent().type == "sum"
    result = shown.context.results["left"]
    assert result is not None and isinstance(result.request, PictureRequest)
    drawn = Renderer(enlarge=False).render(result.request)
    assert drawn.image is not None and np.array_equal(picture(shown), drawn.image)
    assert np.abs(picture(shown).astype(int) - far).max() > 5
    undo(context)
    settle(context, shown)
    assert state.playback.seconds == there and np.array_equal(picture(shown), far), "scrubbing is one step"


def edited(context: Any, shown: Window) -> None:
    """Diamonds are dragged, copied, eased and deleted, each one step of undo."""
    state, chosen = shown.state, shown.context.timeline
    before, there = state.timeline, times(shown, "translation")[1]
    drag(context, spot(shown, "translation", there), spot(shown, "translation", 4.0))
    assert times(shown, "translation") == [0.0, 4.0] and times(shown, "scale") == [0.0, there]
    assert chosen.chosen == {("translation", 4.0)}
    undo(context)
    assert state.timeline == before
    drag(context, spot(shown, "", there), spot(shown, "", 2.0))
    assert all(times(shown, name) == [0.0, 2.0] for name in MOVES), "all keys of a time go together"
    undo(context)
    context.key_down(imgui.Key.mod_alt)
    drag(context, spot(shown, "rotation", 0.0), spot(shown, "rotation", 5.0))
    context.key_up(imgui.Key.mod_alt)
    assert times(shown, "rotation") == [0.0, there, 5.0]

    context.mouse_move_to_pos(spot(shown, "rotation", 5.0))
    context.mouse_click(1)
    context.yield_(3)
    context.item_click("//$FOCUSED/Linear")
    context.yield_(3)
    key = edits.find_key(state.timeline, "rotation", 5.0)
    assert key is not None and key.easing == "linear"
    context.mouse_move_to_pos(spot(shown, "rotation", 5.0))
    shown.context.message = ""
    press(context, CTRL | imgui.Key.c)
    assert chosen.copied and shown.context.message == "", "the keys are copied, not the picture"
    scrub(context, shown, 3.5)
    chosen.chosen = frozenset()
    press(context, CTRL | imgui.Key.v)
    assert times(shown, "rotation") == [0.0, there, state.playback.seconds, 5.0]
    context.mouse_move_to_pos(spot(shown, "rotation", 5.0))
    context.mouse_click(0)
    context.key_down(imgui.Key.mod_shift)
    context.mouse_move_to_pos(spot(shown, "rotation", there))
    context.mouse_click(0)
    context.key_up(imgui.Key.mod_shift)
    assert len(chosen.chosen) == 2
    press(context, imgui.Key.delete)
    assert times(shown, "rotation") == [0.0, state.playback.seconds] and "Deleted 2 keys" in shown.context.message
    for _ in range(5):  # deleting, pasting, scrubbing, easing, copying
        undo(context)
    assert edits.find_key(state.timeline, "rotation", 5.0) is None
    io = imgui.get_io()
    usual = io.mouse_double_click_time, io.mouse_single_click_delay
    io.mouse_double_click_time, io.mouse_single_click_delay = 9.0, 10.0  # two clicks take long on a busy machine
    context.mouse_move_to_pos(spot(shown, "rotation", 0.0))
    context.mouse_double_click(0)
    context.yield_(3)
    io.mouse_double_click_time, io.mouse_single_click_delay = usual
    assert state.playback.seconds == 0.0


def rows_used(context: Any, shown: Window) -> None:
    """A row's diamond keys and takes away, its menu chooses the way of latents; further properties get rows."""
    state = shown.state
    scrub(context, shown, 1.0)
    here = state.playback.seconds
    click(context, "key scale")
    assert here in times(shown, "scale")
    click(context, "key scale")
    assert here not in times(shown, "scale")
    context.item_click("//Timeline/**/name latent", 1)
    context.yield_(3)
    context.item_click("//$FOCUSED/Over the seed plane")
    context.yield_(3)
    track = state.timeline.track("latent")
    assert track is not None and track.through == "plane" and state.latent.latent().type == "seeds"
    click(context, "+ Row")
    context.item_click("//$FOCUSED/Gain")
    context.yield_(3)
    assert times(shown, "gain") == [here]
    click(context, "Key all")
    assert {"noise", "comparison", "left model", "gain"} <= {track.name for track in state.timeline.tracks}
    assert not state.timeline.track("right model") and not state.timeline.track("right latent")
    undo(context)
    undo(context)
    assert not times(shown, "gain")


def played(context: Any, shown: Window) -> None:
    """It keeps to the clock, however long frames take; Space stops it."""
    state, lanes = shown.state, shown.context.timeline.lanes
    context.item_input_value("//Timeline/**/##time", 0.0)
    context.mouse_move_to_pos((lanes.left, 100))
    rendered = len(shown.context.timings.model["left"])
    click(context, "###play")
    assert state.playback.playing
    start, first = time.perf_counter(), state.playback.seconds
    for _ in range(10):
        time.sleep(0.15)  # a slow window
        context.yield_()
    wall, gone = time.perf_counter() - start, state.playback.seconds - first
    assert wall > 1.4 and abs(gone - wall) < 0.25, (gone, wall)
    assert len(shown.context.timings.model["left"]) - rendered < 60 * wall
    context.mouse_move_to_pos((lanes.left, 100))
    press(context, imgui.Key.space)
    assert not state.playback.playing and not state.latent.animate
    undo(context)
    undo(context)
    assert state.playback.seconds == 0.0, "undoing the start goes back to where it began"


def timed(context: Any, shown: Window) -> None:
    """Length, loop and clearing; a loop gets longer where its last keys are at the end."""
    state = shown.state
    click(context, "Loop")
    assert not state.timeline.loop
    context.item_input_value("//Timeline/**/##length", 2.0)
    context.yield_(3)
    assert state.timeline.seconds == 2.0
    context.item_input_value("//Timeline/**/##length", "nan")
    assert state.timeline.seconds == 2.0
    context.item_input_value("//Timeline/**/##time", 5.0)
    context.yield_(3)
    assert state.playback.seconds == 2.0
    press(context, imgui.Key.k)
    click(context, "Loop")
    assert state.timeline.loop and state.timeline.seconds > 2.0 and "loop is" in shown.context.message
    clear(context)
    assert state.timeline.tracks == ()
    undo(context)
    assert state.timeline.tracks
    clear(context)


def begun(context: Any, shown: Window) -> None:
    """A template plays, from the empty panel or the list, and leaves what others keyed."""
    state = shown.state
    for template in (TEMPLATES[0], TEMPLATES[-1]):
        click(context, f"{template.title}##empty")
        assert state.playback.playing and len(state.timeline.tracks) == 1, template.title
        press(context, imgui.Key.space)
        clear(context)
    click(context, "Templates")
    context.item_input_value("//$FOCUSED/##seeds", 3)
    context.item_click("//$FOCUSED/Walk through seeds")
    context.yield_(3)
    assert len(times(shown, "latent")) == 3
    press(context, imgui.Key.space)
    click(context, "Templates")
    context.item_click("//$FOCUSED/Full turn")
    context.yield_(3)
    assert [track.name for track in state.timeline.tracks] == ["latent", "rotation"]
    press(context, imgui.Key.space)


def exported(context: Any, shown: Window, folder: Path) -> None:
    """The timeline becomes pictures, each as the state has it at its time, while the window goes on."""
    state = shown.state
    state.capture.folder, state.export.format, state.export.fps = str(folder), "png", 8.0
    state.export.slots, state.export.size = "left", 0
    state.timeline = edits.set_length(put_template(state, TEMPLATES[2]), 1.0)
    scrub(context, shown, 0.0)
    click(context, "Export …")
    context.item_click("//Export video/Export")
    before, frames = imgui.get_frame_count(), []
    for _ in range(3000):
        context.yield_()
        frames = sorted(folder.glob("timeline/*.png"))
        if frames:
            break
    context.item_click("//Export video/Close")
    assert len(frames) == 8 and imgui.get_frame_count() > before + 3, shown.context.message
    for index, path in enumerate(frames):
        request = build_request(at(state.timeline, state, index / 8)).left
        assert request is not None
        drawn = Renderer(enlarge=False).render(request).image
        with Image.open(path) as picture:
            assert drawn is not None and np.array_equal(np.asarray(picture), drawn[:, :, :3]), path.name


def test_the_panel(tmp_path: Path) -> None:
    state = AppState()
    state.left.path = save_model(tmp_path / "t.safetensors", "T", 16)
    state.display.width, state.display.height = 1280, 1100
    shown = Photographed(state, strict=True)

    def script(context: Any) -> None:
        shown.show("Timeline")
        settle(context, shown)
        for step in (keyed, edited, rows_used, played, timed, begun):
            step(context, shown)
        exported(context, shown, tmp_path)

    drive(shown, script)
    again = states.from_json(json.loads(json.dumps(states.to_json(state))))
    assert again.timeline == state.timeline != Timeline()
    assert panel.TITLE == "Timeline"


def test_a_fader_moves_the_playhead_and_what_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = AppState()
    state.timeline = edits.put_keys(Timeline(), [("translation", Key(2.0 * i, (0.5 * i, 0.0))) for i in range(2)])
    shown = Window(state, strict=True)

    def receive() -> bool:
        state.playback.seconds = 2.0
        return True

    monkeypatch.setattr(shown._remote.link, "receive", receive)
    shown._remote.take()
    assert (state.playback.seconds, state.transform.tx) == (2.0, 0.5)
    assert shown.close()
