# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Transforms as the viewer renders them: scale, moving the picture back, and what stands in for what was learned."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from support.gui import save_model
from torch import Tensor

from gan.checkpoints.checkpoint import load_generator, save_generator
from gan.data.image_io import to_uint8
from gan.networks.generator import init_generator, z_from_seed
from gan.networks.input_transform import InputOverrides, forward_matrix, learned_vector, user_matrix
from gan.networks.ladder import rung_config
from gan.networks.synthesis import SynthesisOptions
from viz.core.latent import seed_point
from viz.core.request import PictureRequest
from viz.core.result import RenderResult
from viz.render.inverse_warp import coverage, inverse_warp
from viz.render.renderer import Renderer

SIZE = 32
SMALL = {"z_dim": 32, "w_dim": 32, "channel_base": 512, "channel_max": 16}


def taught_model(path: Path, letter: str) -> str:
    """An untrained generator, but for the affine layer through which w turns and moves its input, and for contrast."""
    generator = init_generator(rung_config(letter, SIZE, **SMALL))
    torch.manual_seed(1)
    generator.synthesis.input.affine.weight.copy_(torch.randn(4, 32))
    generator.synthesis.get_submodule(generator.layer_names[-1]).weight.mul_(8)
    save_generator(path, generator, {})
    return str(path)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("models")
    plain = {letter: save_model(folder / f"{letter}.safetensors", letter, SIZE) for letter in ("A", "B")}
    return plain | {letter: taught_model(folder / f"{letter}.safetensors", letter) for letter in ("T", "R")}


def result(request: PictureRequest, renderer: Renderer | None = None) -> RenderResult:
    found = (renderer or Renderer()).render(request)
    assert found.error is None and found.image is not None, found.error
    return found


def picture(request: PictureRequest) -> np.ndarray:
    """[S, S, 3] in 0..255."""
    image = result(request).image
    assert image is not None
    return image[:, :, :3].astype(np.float64)


def waves(forward: Tensor, highest: float) -> Tensor:
    """[1, 1, 64, 64]: a signal of 20 sinusoids of at most `highest` cycles a picture an axis, moved by `forward`."""
    random = torch.Generator().manual_seed(0)
    freqs = (2 * torch.rand(20, 2, generator=random, dtype=torch.float64) - 1) * highest
    phases = torch.rand(20, generator=random, dtype=torch.float64)
    axis = (torch.arange(64, dtype=torch.float64) + 0.5) / 64 - 0.5
    inverse = torch.linalg.inv(forward)
    points = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), dim=2) @ inverse[:2, :2].T + inverse[:2, 2]
    return torch.sin(2 * math.pi * (points @ freqs.T + phases)).sum(dim=2)[None, None].float()


def test_whole_pixels_are_moved_back_exactly() -> None:
    before, moved = torch.randn(2, 3, SIZE, SIZE), torch.zeros(2, 3, SIZE, SIZE)
    moved[:, :, :-5, 3:] = before[:, :, 5:, :-3]  # 3 to the right, 5 up
    forward = forward_matrix(3 / SIZE, -5 / SIZE, 0)
    found, inside = inverse_warp(moved, forward), coverage(forward, SIZE)
    assert torch.equal(found[:, :, 5:, :-3], before[:, :, 5:, :-3])
    expected = torch.zeros(SIZE, SIZE)
    expected[5:, :-3] = 1
    assert torch.equal(inside, expected)


@pytest.mark.parametrize(
    "motion",
    [
        (0.05, 0.02, 0, 1),
        (0.05, 0.02, 30, 1),
        (0, 0, 90, 1),
        (0.01, 0, 0, 1.5),
        (0, 0.03, 20, 1.5),
        (0, 0, 20, 0.7),
        (0.1, 0, -75, 2.5),
        (0.05, 0, 0, 1, 1, 0, True),
        (0, 0.02, 0, 1, 1.5),
        (0.02, 0, 0, 1, 1, 0.3),
        (0, 0.03, 20, 1, 1.3, -0.2, True),
    ],
)
def test_a_band_limited_signal_is_moved_back_as_a_signal(motion: tuple[float, ...]) -> None:
    """At half the band that the moved pixels can hold, to 1 % of its deviation (-40 dB), away from the edges."""
    forward = forward_matrix(*motion)
    highest = 32 * min(1.0, motion[3]) / math.sqrt(2) / (2 if len(motion) == 4 else 4)
    expected = waves(forward_matrix(0, 0, 0), highest)
    found, inside = inverse_warp(waves(forward, highest), forward), coverage(forward, 64)
    clear = -torch.nn.functional.max_pool2d(-inside[None], 9, 1, 4)[0] == 1
    assert clear.sum() > 200
    error = (found - expected)[0, 0][clear].square().mean()
    assert 10 * torch.log10(expected.var() / error) > 38


def test_what_the_smaller_pixels_cannot_hold_is_held_back() -> None:
    """Moved back from twice its size, a wave of 24 cycles on 64 pixels would be one of 48, which would alias."""
    forward = forward_matrix(0, 0, 0, 2)
    axis = (torch.arange(64) + 0.5) / 64
    for turn in (forward, forward_matrix(0, 0, 1e-6, 2)):
        fine = torch.sin(2 * math.pi * 24 * axis)[None, None, None, :].expand(1, 1, 64, 64)
        assert inverse_warp(fine, turn)[0, 0, 20:44, 20:44].std() < 0.05 * fine.std()


def test_the_renderer_scales_as_the_generator_does(models: dict[str, str]) -> None:
    generator, _ = load_generator(models["T"])
    with torch.no_grad():
        ws = generator.mapping(torch.from_numpy(z_from_seed(7, 32)).float())
        moved = user_matrix(0.1, -0.2, 30, 0.5)
        expected = generator.synthesis(ws, SynthesisOptions(transform=moved, weights=generator.synthesis.modulate(ws)))
        kept = generator.synthesis.input.retained_power(ws[:, 0], moved)
        learned = generator.synthesis.input.learned_transform(ws[:, 0])
    request = PictureRequest(models["T"], latent=seed_point(7), tx=0.1, ty=-0.2, degrees=30, scale=0.5)
    found = result(request)
    assert found.image is not None and np.array_equal(found.image[:, :, :3], to_uint8(expected)[0].numpy())
    assert found.kept == pytest.approx(float(kept)) and 0.1 < found.kept < 0.99
    assert found.learned == tuple(learned[0].tolist())
    assert result(replace(request, scale=1.5)).kept == 1
    assert (result(PictureRequest(models["B"])).learned, result(PictureRequest(models["A"])).kept) == (None, None)


def test_untransform_keeps_content_in_place_and_moves_what_sticks(models: dict[str, str]) -> None:
    """Whole pixels: T's picture comes back as it was wherever it was in sight, B's does not; the rest is black."""
    still, (dx, dy) = PictureRequest(models["T"]), (5, -3)
    moved = replace(still, tx=dx / SIZE, ty=dy / SIZE)
    inside = (slice(3, None), slice(None, -5))
    errors = {}
    for letter in ("T", "B"):
        before = picture(replace(still, model=models[letter]))
        back = picture(replace(moved, model=models[letter], untransform=True))
        plain = picture(replace(moved, model=models[letter]))
        assert np.array_equal(back[inside], plain[:-3, 5:]), "exactly the moved picture's pixels"
        outside = np.ones((SIZE, SIZE), bool)
        outside[inside] = False
        assert not back[outside].any()
        errors[letter] = np.mean((back - before)[inside] ** 2) / before.var(axis=(0, 1)).mean()
    assert errors["T"] < 0.01, f"T's content stays: {errors}"
    assert errors["B"] > 10 * errors["T"], errors


def test_untransform_undoes_a_rotation_of_r(models: dict[str, str]) -> None:
    still = PictureRequest(models["R"])
    before = picture(still)
    back = picture(replace(still, degrees=30, tx=0.05, untransform=True))
    away = picture(replace(still, degrees=30, tx=0.05))
    middle = (slice(10, 22), slice(10, 22))
    error, moved = (np.mean((other - before)[middle] ** 2) / before.var(axis=(0, 1)).mean() for other in (back, away))
    assert error < 0.01 and moved > 10 * error


def test_the_enlarged_picture_is_moved_back_too(models: dict[str, str]) -> None:
    found = result(PictureRequest(models["T"], tx=0.25, untransform=True))
    assert found.smooth is not None and found.image is not None
    size = found.smooth.shape[0]
    assert not found.smooth[:, -size // 4 :, :3].any() and (found.smooth[:, :, 3] == 255).all()
    assert found.smooth[:, : -size // 4, :3].any(axis=2).mean() > 0.9
    coarse = found.smooth.reshape(SIZE, size // SIZE, SIZE, size // SIZE, 4).mean(axis=(1, 3))
    assert np.abs(coarse - found.image)[:, : 3 * SIZE // 4].mean() < 4


def test_a_frozen_transform_stays_while_w_changes(models: dict[str, str]) -> None:
    generator, _ = load_generator(models["T"])
    request = PictureRequest(models["T"], learned=(0.1, -0.2, 40.0))
    own = []
    for seed in (1, 2):
        found = result(replace(request, latent=seed_point(seed)))
        with torch.no_grad():
            ws = generator.mapping(torch.from_numpy(z_from_seed(seed, 32)).float())
            overrides, weights = InputOverrides(learned_vector(0.1, -0.2, 40.0)), generator.synthesis.modulate(ws)
            expected = generator.synthesis(ws, SynthesisOptions(overrides=overrides, weights=weights))
        assert found.image is not None and np.array_equal(found.image[:, :, :3], to_uint8(expected)[0].numpy())
        assert found.notice is None
        own.append(found.learned)
    assert own[0] != own[1], "what the model itself gives is told all the same"


def test_the_models_own_numbers_frozen_change_nothing(models: dict[str, str]) -> None:
    still = PictureRequest(models["T"])
    found = result(still)
    assert found.learned is not None and found.image is not None
    rc, rs, tx, ty = found.learned
    frozen = picture(replace(still, learned=(tx, ty, math.degrees(math.atan2(rs, rc)))))
    assert np.abs(frozen - found.image[:, :, :3]).max() <= 1
    zero = picture(replace(still, learned=(0.0, 0.0, 0.0)))
    assert np.abs(zero - frozen).mean() > 5


@pytest.mark.parametrize(
    ("letter", "asked", "words"),
    [
        ("A", {"learned": (0.0, 0.0, 0.0)}, "Rung A has no learned transform"),
        ("B", {"learned": (0.1, 0.0, 0.0)}, "Rung B has no learned transform"),
        ("B", {"mean_constant": True}, "Rung B has no learned constant"),
        ("T", {"mean_constant": True}, "Rung T has no learned constant"),
        ("A", {"scale": 2.0}, "cannot be moved, turned or scaled"),
    ],
)
def test_what_a_rung_cannot_follow_is_said_and_changes_nothing(
    models: dict[str, str], letter: str, asked: dict[str, object], words: str
) -> None:
    renderer, still = Renderer(), PictureRequest(models[letter])
    before = result(still, renderer)
    found = result(replace(still, **asked), renderer)  # type: ignore[arg-type]
    assert found.notice and words in found.notice and "\n" not in found.notice
    assert found.image is before.image and found.computed == frozenset()


def test_the_mean_constant_changes_rung_a(models: dict[str, str]) -> None:
    still = PictureRequest(models["A"])
    found = result(replace(still, mean_constant=True))
    assert found.notice is None and found.image is not None
    assert np.abs(picture(still) - found.image[:, :, :3]).mean() > 5


def test_pictures_are_kept_by_everything_that_they_depend_on(models: dict[str, str]) -> None:
    renderer, moved = Renderer(), PictureRequest(models["T"], tx=0.1)
    variants = [{}, {"scale": 1.5}, {"untransform": True}, {"learned": (0.0, 0.0, 0.0)}]
    for _ in range(2):  # drawn once, then all still there
        images = [result(replace(moved, **asked), renderer) for asked in variants]  # type: ignore[arg-type]
    assert all(found.computed == frozenset() for found in images)
    fresh = [picture(replace(moved, **asked)) for asked in variants]  # type: ignore[arg-type]
    for index, (kept, drawn) in enumerate(zip(images, fresh, strict=True)):
        assert kept.image is not None and np.array_equal(kept.image[:, :, :3], drawn)
        assert not any(np.array_equal(drawn, other) for other in fresh[:index])
    at_rest = PictureRequest(models["T"])
    result(at_rest, renderer)
    assert result(replace(at_rest, untransform=True), renderer).computed == frozenset(), "nothing to move back"


def test_scale_zero_is_refused_in_one_sentence(models: dict[str, str]) -> None:
    found = Renderer().render(PictureRequest(models["T"], scale=0.0))
    assert found.error and "positive number" in found.error and "\n" not in found.error


def test_a_mirrored_picture_is_moved_back_exactly() -> None:
    before = torch.randn(2, 3, SIZE, SIZE)
    forward = forward_matrix(0, 0, 0, 1, 1, 0, True)
    torch.testing.assert_close(inverse_warp(before.flip(3), forward), before, atol=1e-6, rtol=0)
    assert torch.equal(coverage(forward, SIZE), torch.ones(SIZE, SIZE))


@pytest.mark.parametrize("letter", ["B", "T"])
def test_the_input_is_deformed_as_asked(models: dict[str, str], letter: str) -> None:
    renderer, still = Renderer(), PictureRequest(models[letter], learned=None)
    if letter == "T":
        still = replace(still, learned=(0.0, 0.0, 0.0))
    at_rest = renderer.maps(still, "input")
    mirrored = renderer.maps(replace(still, mirror=True), "input")
    torch.testing.assert_close(mirrored, at_rest.flip(3), atol=2e-5, rtol=0)
    generator, _ = load_generator(models[letter])
    with torch.no_grad():
        ws = generator.mapping(torch.from_numpy(z_from_seed(0, 32)).float())
        moved = torch.linalg.inv(forward_matrix(0.1, 0, 20, 1.2, 1.5, 0.3, True)).float()
        overrides = InputOverrides(learned_vector(0.0, 0.0, 0.0)) if letter == "T" else InputOverrides()
        weights = generator.synthesis.modulate(ws)
        expected = generator.synthesis(ws, SynthesisOptions(transform=moved, weights=weights, overrides=overrides))
    found = picture(replace(still, tx=0.1, degrees=20, scale=1.2, stretch=1.5, shear=0.3, mirror=True))
    assert np.array_equal(found, to_uint8(expected)[0].numpy())
