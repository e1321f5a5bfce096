# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""What the renderer renders, what it keeps, what it recomputes, and what it says when it cannot."""

import itertools
import os
import types
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.gui import save_model

from gan.checkpoints import checkpoint
from gan.checkpoints.checkpoint import load_generator
from gan.data.image_io import to_uint8
from gan.files.format import format_bytes
from gan.networks.generator import z_from_seed
from gan.networks.input_transform import user_matrix
from gan.networks.synthesis import SynthesisNetwork
from viz.core.latent import SeedPoint, seed_point
from viz.core.request import PictureRequest, RenderRequest
from viz.loading import model_info as inside
from viz.loading.model_info import read_facts
from viz.render.renderer import MODULATED_RATIO, Renderer
from viz.render.upscale import upscale


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("models")
    labelled = save_model(folder / "labels.safetensors", "B", 16, c_dim=3)
    return {"labels": labelled} | {
        letter: save_model(folder / f"{letter}.safetensors", letter, 16) for letter in ("A", "B", "T")
    }


def picture(renderer: Renderer, request: PictureRequest) -> np.ndarray:
    result = renderer.render(request)
    assert result.error is None and result.image is not None, result.error
    assert result.request is request
    return result.image


def test_the_picture_is_the_generators(models: dict[str, str]) -> None:
    request = PictureRequest(models["T"], latent=seed_point(7), psi=0.7, cutoff=3, tx=0.1, ty=-0.2, degrees=30)
    generator, _ = load_generator(models["T"])
    z = torch.from_numpy(z_from_seed(7, 32)).float()
    with torch.no_grad():
        expected = generator(z, psi=0.7, cutoff=3, noise="const", transform=user_matrix(0.1, -0.2, 30))
    image = picture(Renderer(), request)
    assert image.shape == (16, 16, 4) and (image[:, :, 3] == 255).all()
    assert np.array_equal(image[:, :, :3], to_uint8(expected)[0].numpy())


def test_only_what_changed_is_recomputed(models: dict[str, str]) -> None:
    renderer, request = Renderer(), PictureRequest(models["T"])
    steps = [
        (request, {"load", "mapping", "synthesis"}),
        (replace(request, tx=0.1), {"synthesis"}),
        (request, set()),
        (replace(request, psi=0.5), {"mapping", "synthesis"}),
        (replace(request, model=models["B"]), {"load", "mapping", "synthesis"}),
        (replace(request, tx=0.2), {"synthesis"}),
    ]
    assert [set(renderer.render(step).computed) for step, _ in steps] == [computed for _, computed in steps]


def test_a_file_written_anew_is_loaded_anew(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    renderer, request = Renderer(), PictureRequest(save_model(path, "B", 16, seed=1))
    before = picture(renderer, request)
    save_model(path, "B", 16, seed=2)
    os.utime(path, ns=(1, 1))  # the sizes are equal, and a coarse clock may give both files the same time
    assert not np.array_equal(before, picture(renderer, request))


def cost_of(*paths: str) -> int:
    """Bytes that these models take in the renderer's cache."""
    return sum(read_facts(path).bytes * (1 + MODULATED_RATIO) for path in paths)


def test_the_model_cache_is_bounded_and_what_is_on_screen_stays(models: dict[str, str]) -> None:
    paths = [models[name] for name in ("A", "B", "T")]
    first, second, third = (PictureRequest(path) for path in paths)
    renderer = Renderer(model_bytes=max(cost_of(a, b) for a, b in itertools.combinations(paths, 2)))
    for request in (first, second, third):
        picture(renderer, request)
    assert len(renderer.models) == 2 and renderer.models.used("cpu") <= renderer.models.limit("cpu")
    assert "load" not in renderer.render(replace(second, psi=0.1)).computed
    renderer.pin_models(RenderRequest(second, third))
    assert "the other slot leaves" in (renderer.render(first).error or "")
    renderer.pin_models(RenderRequest(first, third))  # the second, used last, is the one that goes
    assert "load" in renderer.render(first).computed
    assert "load" not in renderer.render(replace(third, psi=0.1)).computed


def test_a_model_that_does_not_fit_is_refused_before_anything_is_allocated(
    models: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "load_generator", lambda *_, **__: pytest.fail("it was loaded"))
    renderer = Renderer(model_bytes=50_000)
    found = renderer.render(PictureRequest(models["T"]))
    assert found.error == (
        f"T.safetensors takes up to {format_bytes(cost_of(models['T']))} with what is computed from its weights, and "
        "models may take 48.8 KiB here: open a smaller one, or start with a larger --model-memory."
    )


def test_models_that_nobody_looks_at_make_room_when_memory_is_short(
    models: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    renderer, free = Renderer(), 2**40
    monkeypatch.setattr(checkpoint.psutil, "virtual_memory", lambda: types.SimpleNamespace(available=free, total=2**40))
    first, second, third = (PictureRequest(models[name]) for name in ("A", "B", "T"))
    for request in (first, second):
        picture(renderer, request)
    renderer.pin_models(RenderRequest(second, third))
    free = 0
    assert "are free: close other programs" in (renderer.render(third).error or "")
    assert "load" not in renderer.render(replace(second, psi=0.1)).computed, "what is on screen stays"
    assert len(renderer.models) == 1
    free = 2**40
    assert renderer.render(third).error is None, "what did not fit then may fit now"


def test_a_file_that_cannot_be_opened_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"hello " * 100)
    reads, read = [], checkpoint.read_header
    monkeypatch.setattr(inside, "read_header", lambda path: (reads.append(path), read(path))[1])
    renderer, request = Renderer(), PictureRequest(str(path))
    errors = {renderer.render(replace(request, psi=psi)).error for psi in (0.1, 0.2, 0.3)}
    assert len(reads) == 1 and len(errors) == 1
    save_model(path, "B", 16, seed=1)
    assert renderer.render(request).error is None


def test_rendering_changes_nothing_in_the_model(models: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = []

    def load(path: str, device: str) -> tuple[torch.nn.Module, dict[str, object]]:
        loaded.append(load_generator(path, device))
        return loaded[-1]

    monkeypatch.setattr(checkpoint, "load_generator", load)
    renderer = Renderer()
    picture(renderer, PictureRequest(models["T"], tx=0.3, degrees=10, psi=0.4))
    before, after = load_generator(models["T"])[0].state_dict(), loaded[0][0].state_dict()
    assert before.keys() == after.keys() and all(torch.equal(before[name], after[name]) for name in before)


def test_rung_a_says_that_it_cannot_move(models: dict[str, str]) -> None:
    renderer, still = Renderer(), PictureRequest(models["A"])
    before = picture(renderer, still)
    result = renderer.render(replace(still, tx=0.2, degrees=5))
    assert result.notice and "Fourier input" in result.notice and result.computed == frozenset()
    assert result.image is not None and np.array_equal(before, result.image)
    assert renderer.render(still).notice is None


def test_snap_renders_at_whole_pixels(models: dict[str, str]) -> None:
    renderer, request = Renderer(), PictureRequest(models["T"])
    snapped = picture(renderer, replace(request, tx=0.13, ty=-0.07, snap=True))
    assert np.array_equal(snapped, picture(renderer, replace(request, tx=2 / 16, ty=-1 / 16)))
    assert not np.array_equal(snapped, picture(renderer, replace(request, tx=0.13, ty=-0.07)))


def test_labels_reach_the_mapping_and_stay_in_range(models: dict[str, str]) -> None:
    renderer, request = Renderer(), PictureRequest(models["labels"])
    images = [picture(renderer, replace(request, label=label)) for label in range(3)]
    assert not np.array_equal(images[0], images[1])
    beyond = renderer.render(replace(request, label=7))
    assert beyond.notice and "classes 0 to 2" in beyond.notice
    assert beyond.image is not None and np.array_equal(beyond.image, images[2])


def test_what_a_user_can_cause_is_one_sentence(
    models: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Path(models["T"]).read_bytes()
    (tmp_path / "half").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty").write_bytes(b"")
    paths = [str(tmp_path / name) for name in ("missing", "half", "empty")] + [str(tmp_path)]
    renderer = Renderer()
    results = [renderer.render(PictureRequest(path)) for path in paths]
    monkeypatch.setattr(checkpoint, "MEMORY_SHARE", 0.0)
    results.append(renderer.render(PictureRequest(models["T"])))
    for result in results:
        assert result.image is None and result.error and "\n" not in result.error, result.error
    assert results[-1].error and "GiB" in results[-1].error
    monkeypatch.undo()
    assert picture(renderer, PictureRequest(models["T"])).shape == (16, 16, 4), "an error leaves nothing behind"


def test_magnification_keeps_samples_of_a_band_limited_signal() -> None:
    where = (torch.arange(32) + 0.5) / 32
    fine = (torch.arange(256) + 0.5) / 256
    wave = torch.sin(2 * torch.pi * 3 * where)[None, None, :].expand(1, 32, 32)
    large = upscale(wave, 8)
    assert large.shape == (1, 256, 256)
    inside = slice(32, -32)  # away from the repeated edge
    expected = torch.sin(2 * torch.pi * 3 * fine)
    assert (large[0, 100, inside] - expected[inside]).abs().max() < 0.02
    assert torch.allclose(upscale(torch.ones(3, 8, 8), 4), torch.ones(3, 32, 32), atol=1e-5)


def test_a_window_begins_on_the_fastest_device_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    from viz.core.state import AppState, default_state
    from viz.window import window as app

    for there, saved, expected in (
        (("cpu",), None, "cpu"),
        (("cpu", "cuda:0", "cuda:1"), None, "cuda:0"),
        (("cpu", "mps"), None, "mps"),
        (("cpu",), "cuda:0", "cpu"),
        (("cpu", "cuda:0"), "cuda:1", "cuda:0"),
        (("cpu", "cuda:0"), "cpu", "cpu"),
    ):
        monkeypatch.setattr(app, "list_devices", lambda there=there: there)
        state = default_state() if saved is None else AppState()
        if saved is not None:
            state.display.device = saved
        window = app.Window(state)
        window.close()
        assert state.display.device == expected


def test_a_walk_prepares_the_weights_once_a_model(models: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    prepared, prepare = [], SynthesisNetwork.prepare

    def count(self: SynthesisNetwork, *asked: Any) -> Any:
        prepared.append(self)
        return prepare(self, *asked)

    monkeypatch.setattr(SynthesisNetwork, "prepare", count)
    renderer, pictures = Renderer(), []
    for x in (0.0, 0.25, 0.5, 1.0):
        for letter in ("A", "T"):
            pictures.append(renderer.render(PictureRequest(models[letter], latent=SeedPoint(x))).image)
    assert len(prepared) == 2 and len({picture.tobytes() for picture in pictures if picture is not None}) == 8
