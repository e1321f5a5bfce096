# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Latents to w's, against the formulas written out: seeds, blends, files, mixtures, truncation."""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from support.gui import save_model
from support.paths import DATA

from gan.checkpoints.checkpoint import load_generator, save_generator
from gan.checkpoints.official_arguments import generator_config
from gan.conformance import _load_state, _under
from gan.networks.generator import Generator, z_from_seed
from viz.core.latent import (
    Blend,
    Direction,
    FileLatent,
    Latent,
    Mixture,
    OtherModel,
    SeedPoint,
    WeightedSum,
    seed_point,
)
from viz.core.request import PictureRequest, build_request
from viz.core.state import AppState
from viz.instruments.save_w import SaveRequest
from viz.loading.latent_files import open_latent
from viz.render import latents
from viz.render.renderer import Renderer

Model = tuple[str, Generator]
CASES = (
    "stylegan2_64",
    "stylegan2_32_conditional_resnet",
    "stylegan3_t_32_conditional",
    "stylegan3_t_64",
    "stylegan3_r_64",
)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Model]:
    folder = tmp_path_factory.mktemp("models")
    found = {}
    for letter, c_dim in (("B", 0), ("T", 0), ("T", 3)):
        path = save_model(folder / f"{letter}{c_dim}.safetensors", letter, 16, c_dim=c_dim)
        found[f"{letter}{c_dim}"] = path, load_generator(path)[0]
    return found


@pytest.fixture(scope="module", params=[*CASES, "B0", "T0", "T3"])
def model(request: pytest.FixtureRequest, models: dict[str, Model], tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A network of the conformance suite, or one of ours."""
    if request.param in models:
        return models[request.param]
    with safe_open(DATA / "conformance" / f"{request.param}.safetensors", framework="pt") as file:
        config = json.loads(file.metadata()["config"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    generator = Generator(generator_config(config.pop("kind"), config)).eval().requires_grad_(False)
    list(_load_state(generator, _under(tensors, "state/")))
    path = tmp_path_factory.mktemp("conformance") / f"{request.param}.safetensors"
    save_generator(path, generator, {})
    return str(path), generator


def map_seed(generator: Generator, seed: int, psi: float, cutoff: int | None, label: int) -> np.ndarray:
    """w's [num_ws, w_dim] of a seed: w_avg + psi (w - w_avg) in the first `cutoff`."""
    z = torch.from_numpy(np.random.RandomState(seed).randn(1, generator.config.z_dim)).float()
    c = torch.eye(generator.config.c_dim)[label : label + 1] if generator.config.c_dim else None
    with torch.no_grad():
        ws = generator.mapping(z, c)[0].double().numpy().copy()
    w_avg = generator.mapping.w_avg.double().numpy()
    ws[:cutoff] = w_avg + psi * (ws[:cutoff] - w_avg)
    return ws


def blend(generator: Generator, x: float, y: float, psi: float, cutoff: int | None, label: int) -> np.ndarray:
    """The official viewer's w's at a point: each corner mapped and truncated by itself, then blended about w_avg."""
    w_avg = generator.mapping.w_avg.double().numpy()
    total = np.zeros([generator.config.num_ws, generator.config.w_dim]) + w_avg
    for cx, cy in product((np.floor(x), np.floor(x) + 1), (np.floor(y), np.floor(y) + 1)):
        weight = (1 - abs(x - cx)) * (1 - abs(y - cy))
        seed = int(cx + 100 * cy) % 2**32
        total += weight * (map_seed(generator, seed, psi, cutoff, label) - w_avg)
    return total


def found(path: str, latent: Latent, **asked: object) -> np.ndarray:
    return Renderer().find_ws(PictureRequest(path, latent, **asked))[0].numpy()  # type: ignore[arg-type]


@pytest.mark.parametrize(("psi", "cutoff"), [(1.0, None), (0.7, None), (-0.5, 3), (1.8, 1)])
@pytest.mark.parametrize("point", [(7.0, 0.0), (3.25, -0.5), (-1.5, 2.0), (94.6, 42949672.3)])
def test_points_are_blended_as_the_official_viewer_does(
    model: Model, psi: float, cutoff: int | None, point: tuple[float, float]
) -> None:
    path, generator = model
    label = 2 if generator.config.c_dim else 0
    ours = found(path, SeedPoint(*point), psi=psi, cutoff=cutoff, label=label)
    assert np.abs(ours - blend(generator, *point, psi, cutoff, label)).max() < 1e-5


def test_a_seed_is_the_mapping_networks_own_w_bit_for_bit(models: dict[str, Model]) -> None:
    path, generator = models["T0"]
    for seed in (0, 123, 2**32 - 1):
        z = torch.from_numpy(np.random.RandomState(seed).randn(1, generator.config.z_dim)).float()
        with torch.inference_mode():
            expected = generator.mapping(z, psi=0.7, cutoff=4)[0].numpy()
        assert np.array_equal(found(path, seed_point(seed), psi=0.7, cutoff=4), expected)


def test_in_z_the_blend_is_of_z_and_stays_a_sample(models: dict[str, Model]) -> None:
    path, generator = models["B0"]
    size = generator.config.z_dim
    corners = [(0, 0.75 * 0.5), (1, 0.25 * 0.5), (100, 0.75 * 0.5), (101, 0.25 * 0.5)]
    z = sum(weight * np.random.RandomState(seed).randn(1, size) for seed, weight in corners)
    z = z / np.sqrt(sum(weight**2 for _, weight in corners))
    with torch.no_grad():
        expected = generator.mapping(torch.from_numpy(z).float())[0].numpy()
    assert np.abs(found(path, SeedPoint(0.25, 0.5, "z")) - expected).max() < 1e-5
    assert np.abs(found(path, SeedPoint(0.25, 0.5, "w")) - expected).max() > 1e-2


def test_the_way_to_a_point_does_not_show_in_its_w(models: dict[str, Model]) -> None:
    path, _ = models["T0"]
    walked = Renderer()
    for x in (0.0, 0.5, 1.5, 1.25):
        last = walked.find_ws(PictureRequest(path, SeedPoint(x)))
    assert torch.equal(last, Renderer().find_ws(PictureRequest(path, SeedPoint(1.25))))


def test_latents_of_files(models: dict[str, Model], tmp_path: Path) -> None:
    path, generator = models["T0"]
    config, w_avg = generator.config, generator.mapping.w_avg.numpy()
    values = np.random.RandomState(1).randn(1, config.num_ws, config.w_dim).astype(np.float32)
    for shape in ((config.w_dim,), (1, config.w_dim), values.shape):
        w = values.ravel()[: np.prod(shape)].reshape(shape)
        np.savez(tmp_path / f"w{len(shape)}.npz", w=w)
        latent = open_latent(str(tmp_path / f"w{len(shape)}.npz"), "w")
        expected = np.broadcast_to(w.reshape(-1, config.w_dim), values.shape[1:])
        assert np.array_equal(found(path, latent), expected)
        assert np.abs(found(path, latent, psi=0.5) - (w_avg + 0.5 * (expected - w_avg))).max() < 1e-5
    z = np.random.RandomState(5).randn(1, config.z_dim)
    np.save(tmp_path / "z.npy", z)
    assert np.array_equal(found(path, open_latent(str(tmp_path / "z.npy"), "z")), found(path, seed_point(5)))


def test_mixtures_take_the_chosen_layers_of_the_other(model: Model) -> None:
    path, generator = model
    first, second, third = SeedPoint(0.5), SeedPoint(3.0, 4.5), seed_point(9)
    parts = [blend(generator, *point, 0.7, 5, 0) for point in ((0.5, 0.0), (3.0, 4.5), (9.0, 0.0))]
    expected = parts[0].copy()
    expected[[1, 4]] = parts[1][[1, 4]]
    one = Mixture(first, second, (1, 4))
    assert np.abs(found(path, one, psi=0.7, cutoff=5) - expected).max() < 1e-5
    expected[[4]] = parts[2][[4]]
    two = Mixture(one, third, (4, generator.config.num_ws, 60))  # the last of layers that it does not have
    assert np.abs(found(path, two, psi=0.7, cutoff=5) - expected).max() < 1e-5


def error(path: str, latent: Latent) -> str:
    result = Renderer().render(PictureRequest(path, latent))
    assert result.error is not None and result.image is None and "\n" not in result.error
    return result.error


def test_files_that_do_not_fit_the_model_are_one_sentence(models: dict[str, Model], tmp_path: Path) -> None:
    path, generator = models["T0"]
    config = generator.config
    np.save(tmp_path / "wide.npy", np.zeros(config.w_dim + 1))
    np.save(tmp_path / "deep.npy", np.zeros([1, config.num_ws + 1, config.w_dim]))
    wide, deep = (open_latent(str(tmp_path / f"{name}.npy"), "w") for name in ("wide", "deep"))
    assert f"wide.npy holds a w of {config.w_dim + 1} numbers, and this model takes {config.w_dim}" in error(path, wide)
    assert f"deep.npy holds {config.num_ws + 1} w's, and this model takes {config.num_ws}:" in error(path, deep)


def test_a_saved_w_gives_the_picture_that_it_was_saved_of(models: dict[str, Model], tmp_path: Path) -> None:
    state, renderer = AppState(), Renderer()
    state.left.path, latent = models["T0"][0], state.latent
    latent.x, latent.psi, latent.cutoff, latent.mixed = 5.0, 0.4, 3, [1, 2]
    latent.directions.go(Direction("closed-form", 0, 0, 5), 1.9)
    request = build_request(state)
    assert request.left is not None
    before = renderer.render(request.left).image
    list(SaveRequest(request.left, str(tmp_path / "w.npz")).run(renderer, request))
    latent.open(open_latent(str(tmp_path / "w.npz")))
    picture = build_request(state).left
    assert picture is not None and isinstance(picture.latent, FileLatent) and (picture.psi, picture.cutoff) == (1, None)
    after = renderer.render(picture).image
    assert before is not None and after is not None and np.abs(before - after).max() < 1e-5
    np.save(tmp_path / "z.npy", np.zeros(models["T0"][1].config.z_dim))
    latent.psi = 0.4
    latent.open(open_latent(str(tmp_path / "z.npy"), "z"))
    assert latent.psi == 0.4  # its w is truncated as a seed's is


def test_a_file_that_is_gone_or_another_is_one_sentence(models: dict[str, Model], tmp_path: Path) -> None:
    path, generator = models["T0"]
    file = tmp_path / "w.npy"
    assert "w.npy is not there any more: open another file" in error(path, FileLatent("w", str(file), "0" * 64))
    np.save(file, np.ones(generator.config.w_dim))
    assert "w.npy is not the file any more that it was" in error(path, FileLatent("w", str(file), "0" * 64))
    opened = open_latent(str(file), "w")
    file.unlink()
    assert found(path, opened).max() == 1, "what was read once stays"


def test_every_z_can_be_moved_and_a_files_w_with_it(models: dict[str, Model], tmp_path: Path) -> None:
    path, generator = models["T0"]
    np.save(tmp_path / "w.npy", np.ones(generator.config.w_dim))
    renderer = Renderer()
    for latent in (SeedPoint(0.5), SeedPoint(0.5, 0.0, "z"), open_latent(str(tmp_path / "w.npy"), "w")):
        request = PictureRequest(path, latent)
        still = renderer.render_apart(request)
        moved = renderer.render_apart(request, lambda z: z + 1)
        assert torch.allclose(still, renderer.maps(request, "picture"), atol=1e-5)
        assert not torch.allclose(still, moved, atol=1e-3)


@pytest.mark.parametrize("name", ["B0", "T3"])
@pytest.mark.parametrize("amount", [0.0, 0.3, 1.0])
def test_blends_are_weighted_sums_of_truncated_ws(models: dict[str, Model], name: str, amount: float) -> None:
    path, generator = models[name]
    label = 1 if generator.config.c_dim else 0
    first, second = (blend(generator, *point, 0.6, 4, label) for point in ((2.5, 1.0), (9.0, 0.0)))
    mixed = first.copy()
    mixed[[0, 3]] = second[[0, 3]]
    latent = Blend(SeedPoint(2.5, 1.0), Mixture(SeedPoint(2.5, 1.0), seed_point(9), (0, 3)), amount)
    ours = found(path, latent, psi=0.6, cutoff=4, label=label)
    assert np.abs(ours - ((1 - amount) * first + amount * mixed)).max() < 1e-5


def test_a_point_of_a_curve_is_the_weighted_sum_of_truncated_ws(models: dict[str, Model]) -> None:
    path, renderer = models["T0"][0], Renderer(enlarge=False)
    parts = (
        (SeedPoint(3.0), 1.25),
        (SeedPoint(0.5, 0.25, "z"), -0.5),
        (Mixture(SeedPoint(7.0), SeedPoint(1.0), (0,)), 0.25),
    )

    def find(latent: Latent) -> np.ndarray:
        return renderer.find_ws(PictureRequest(path, latent, psi=0.6, cutoff=3)).numpy()

    expected = sum(weight * find(latent) for latent, weight in parts)
    found = find(WeightedSum(parts))
    assert np.abs(found - expected).max() < 1e-6 < np.abs(found - find(parts[0][0])).max()
    mapped = 0

    def count(*_: object) -> None:
        nonlocal mapped
        mapped += 1

    mapping = renderer.generator(PictureRequest(path))[0].mapping
    hook = mapping.register_forward_hook(count)
    for step in range(20):  # between the same latents only their weights change: nothing is mapped again
        find(WeightedSum(((parts[0][0], 1.0 - step / 20), (parts[1][0], step / 20))))
    hook.remove()
    assert mapped == 0


def test_w_s_of_another_model_are_mixed_in(models: dict[str, Model], tmp_path: Path) -> None:
    """By its own mapping, truncation and label; a remark says so where the mapping networks differ."""
    path, generator = models["T0"]
    other_path, other = models["T3"]
    theirs = OtherModel(other_path, SeedPoint(3.5, 1.0), 0.5, 4, 2, "class")
    expected = blend(generator, 9.0, 0.0, 0.7, None, 0)
    expected[[2, 3]] = blend(other, 3.5, 1.0, 0.5, 4, 2)[[2, 3]]
    mixed = Mixture(seed_point(9), theirs, (2, 3))
    assert np.abs(found(path, mixed, psi=0.7) - expected).max() < 1e-5
    result = Renderer().render(PictureRequest(path, mixed))
    assert result.image is not None and result.notice and "mapping networks differ" in result.notice
    twin = str(tmp_path / "twin.safetensors")
    Path(twin).write_bytes(Path(path).read_bytes())
    result = Renderer().render(PictureRequest(path, Mixture(seed_point(9), OtherModel(twin, seed_point(1)), (2,))))
    alone = Renderer().render(PictureRequest(path, Mixture(seed_point(9), seed_point(1), (2,))))
    assert result.notice is None and np.array_equal(result.image, alone.image)  # type: ignore[arg-type]


def test_mappings_are_compared_by_file(models: dict[str, Model], tmp_path: Path) -> None:
    """A file written again under its name is another model, whichever of the two it is."""
    path, other = (str(tmp_path / f"{name}.safetensors") for name in ("own", "other"))
    contents = {"one": Path(models["T0"][0]).read_bytes(), "two": Path(models["T3"][0]).read_bytes()}
    renderer = Renderer()

    def remark(own: str, theirs: str) -> str | None:
        for name, content in ((path, contents[own]), (other, contents[theirs])):
            if not Path(name).exists() or Path(name).read_bytes() != content:
                Path(name).write_bytes(content)
        return renderer.render(
            PictureRequest(path, Mixture(seed_point(9), OtherModel(other, seed_point(1)), (2,)))
        ).notice

    assert remark("one", "one") is None
    for pair in (("one", "two"), ("two", "one")):
        found = remark(*pair)
        assert found and "mapping networks differ" in found
        assert remark("two", "two") is None


def test_each_z_is_moved_in_w_s_of_another_model_too(models: dict[str, Model]) -> None:
    path, other = models["T0"][0], models["T3"][0]
    latent = OtherModel(other, SeedPoint(3.5), 0.5, 4, 2, "class")
    mixed = PictureRequest(path, Mixture(seed_point(9), latent, tuple(range(models["T0"][1].config.num_ws))))
    renderer, seen = Renderer(), []

    def move(z: np.ndarray) -> np.ndarray:
        seen.append(z)
        return -z

    moved, still = renderer.render_apart(mixed, move), renderer.render_apart(mixed)
    alone = PictureRequest(other, latent.latent, 0.5, 4, 2, "class")
    with torch.inference_mode():
        plan = renderer.plan(alone)
        ws = renderer._map_moved(plan, alone, lambda z: -z)
        expected = renderer.generator(mixed)[0].synthesis(ws)
    assert len(seen) == 3, "its own seed, and two of the other model's"
    assert float((moved - still).abs().max()) > 0.1 and torch.allclose(moved, expected, atol=1e-4)


def test_w_s_that_are_not_as_long_are_one_sentence(models: dict[str, Model], tmp_path: Path) -> None:
    path, _ = models["T0"]
    wide = save_model(tmp_path / "wide.safetensors", "B", 16, w_dim=48)
    mixed = Mixture(seed_point(0), OtherModel(wide, seed_point(1)), (0,))
    assert "wide.safetensors has w's of 48 numbers, and this model takes 32" in error(path, mixed)
    gone = Mixture(seed_point(0), OtherModel(str(tmp_path / "gone.safetensors"), seed_point(1)), (0,))
    assert "gone.safetensors" in error(path, gone)


def test_a_walk_draws_each_seed_once(models: dict[str, Model], monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []
    monkeypatch.setattr(latents, "z_from_seed", lambda seed, z_dim: drawn.append(seed) or z_from_seed(seed, z_dim))
    latents._draw_z.cache_clear()
    renderer = Renderer()
    for space in ("w", "z"):
        for step in range(5):
            renderer.find_ws(PictureRequest(models["B0"][0], SeedPoint(3.1 + 0.1 * step, 0.5, space)))
    assert sorted(drawn) == [3, 4, 103, 104]
    assert not latents._draw_z(3, 32).flags.writeable
