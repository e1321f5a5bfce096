# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Layers' maps: captured where asked, ordered, scaled and counted as said; nothing left behind on the model."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from support.gui import save_model

from gan.checkpoints.checkpoint import load_generator
from gan.networks.ladder import RUNGS, rung_config
from viz.core.layer_info import find_layer, list_layers
from viz.core.request import PictureRequest
from viz.core.result import PICTURE
from viz.instruments.layers import GREY_REACH, ChannelOrder, LayerRequest, LayerView, measure_maps, view_maps
from viz.render.renderer import Renderer


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("models")
    return {letter: save_model(folder / f"{letter}.safetensors", letter, 32) for letter in ("A", "B", "T", "R")}


@pytest.mark.slow
@pytest.mark.parametrize("letter", [letter for letter, _ in RUNGS])
def test_every_layer_is_listed_as_it_comes_out(letter: str, tmp_path: Path) -> None:
    path = save_model(tmp_path / "model.safetensors", letter, 32)
    generator, _ = load_generator(path)
    listed = list_layers(generator.config)
    assert [layer.name for layer in listed] == [*generator.layer_names, PICTURE]
    renderer = Renderer()
    for layer in listed:
        maps = renderer.maps(PictureRequest(path), layer.name)
        assert maps.shape == (1, layer.channels, layer.size, layer.size), layer.name
        assert layer.cutoff <= layer.stopband and layer.cutoff <= layer.rate / 2


def test_a_selection_survives_another_model() -> None:
    small, large = (rung_config("T", 256, channel_max=most) for most in (64, 512))
    name = list_layers(small)[6].name
    assert find_layer(large, name) == list_layers(large)[6] and find_layer(small, name) == list_layers(small)[6]
    assert find_layer(rung_config("B", 256), name).name == PICTURE
    assert find_layer(small, "") == list_layers(small)[len(list_layers(small)) // 2]


def test_capturing_a_layer_stops_there(models: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    renderer, request = Renderer(), PictureRequest(models["T"])
    generator, _ = renderer.generator(request)
    ran: list[str] = []
    for name in generator.layer_names[1:]:
        module = generator.synthesis.get_submodule(name)
        forward = module.forward
        monkeypatch.setattr(
            module, "forward", lambda *args, _name=name, _forward=forward: (ran.append(_name), _forward(*args))[1]
        )
    fourth = generator.layer_names[4]
    renderer.maps(request, fourth)
    assert ran == list(generator.layer_names[1:5])
    ran.clear()
    renderer.maps(request, fourth)
    assert ran == [], "it was kept"
    renderer.render(request, keep=(generator.layer_names[6], PICTURE))
    ran.clear()
    renderer.maps(request, generator.layer_names[6])
    picture = renderer.maps(request, PICTURE)
    assert ran == [], "kept as it came by"
    with torch.no_grad():
        z = torch.from_numpy(np.random.RandomState(0).randn(1, 32)).float()
        assert torch.allclose(picture, generator(z), atol=1e-5)


def test_maps_follow_the_transform_and_a_failure_leaves_nothing_behind(models: dict[str, str]) -> None:
    renderer, request = Renderer(), PictureRequest(models["T"])
    still = renderer.maps(request, "input")
    assert not torch.equal(still, renderer.maps(dataclasses.replace(request, tx=0.1), "input"))
    generator, _ = renderer.generator(request)
    before = {name: tensor.clone() for name, tensor in generator.state_dict().items()}
    with pytest.raises(ValueError, match="has no layer 'L99'"):
        renderer.maps(request, "L99")
    assert all(torch.equal(tensor, before[name]) for name, tensor in generator.state_dict().items())
    assert not any(module._forward_hooks for module in generator.modules())
    assert renderer.render(request).error is None


def cell(view: LayerView, index: int) -> np.ndarray:
    """One cell's grey values."""
    height, width = view.values.shape[2:]
    row, column = divmod(index, view.across)
    return view.cells[row * height : (row + 1) * height, column * width : (column + 1) * width, 0].astype(float)


def maps_of(*scales: float, size: int = 32) -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.stack([scale * torch.randn(size, size, generator=generator) for scale in scales])


def test_the_sheet_is_sorted_once_and_stays_while_the_picture_moves() -> None:
    request = LayerRequest("left", "L1", sort="energy", count=4, order=ChannelOrder())
    first = view_maps(maps_of(1, 3, 2), "model", request)
    assert list(first.order) == [1, 2, 0] and first.scores is not None
    moved = maps_of(9, 1, 2)
    assert list(view_maps(moved, "model", request).order) == [1, 2, 0]
    assert list(view_maps(moved, "model", dataclasses.replace(request, order=ChannelOrder())).order) == [0, 2, 1]
    assert list(view_maps(maps_of(9, 1, 2), "another", request).order) == [0, 2, 1]


def test_only_visible_cells_are_made() -> None:
    view = view_maps(maps_of(*range(1, 101)), "m", LayerRequest("left", "L1", first=20, count=10, thumb=16))
    assert view.values.shape == (10, 1, 16, 16) and view.first == 20
    assert view.across == 4 and view.cells.shape == (3 * 16, 4 * 16, 4)
    assert view.cells[32:, 32:].max() == 0, "after the tenth there is none"
    beyond = view_maps(maps_of(1, 2), "m", LayerRequest("left", "L1", first=20, count=10))
    assert (len(beyond.values), beyond.first, beyond.shape) == (2, 0, (2, 32, 32))


def test_scales_are_each_channels_own_or_common() -> None:
    maps = maps_of(1.0, 4.0) + 100.0
    own = view_maps(maps, "m", LayerRequest("left", "L1", thumb=32))
    for index in range(2):
        assert abs(cell(own, index).mean() - 128) < 2
        assert cell(own, index).std() == pytest.approx(255 / (2 * GREY_REACH), rel=0.05)
    softer = view_maps(maps, "m", LayerRequest("left", "L1", thumb=32, gain=-6.0))
    assert cell(softer, 0).std() == pytest.approx(10 ** (-6 / 20) * cell(own, 0).std(), rel=0.1)
    common = view_maps(maps - 100, "m", LayerRequest("left", "L1", thumb=32, common=True))
    quiet, loud = cell(common, 0), cell(common, 1)
    assert loud.std() / quiet.std() == pytest.approx(4, rel=0.15)


def test_three_channels_are_colours_and_one_is_grey() -> None:
    maps = maps_of(1, 1, 1, 1)
    rgb = view_maps(maps, "m", LayerRequest("left", "L1", mode="rgb", channels=(2, 0, 9)))
    assert rgb.channels == (2, 0, 3) and rgb.values.shape == (1, 3, 32, 32)
    assert np.array_equal(rgb.values[0, 0], maps[2].numpy())
    assert not np.array_equal(rgb.cells[..., 0], rgb.cells[..., 1])
    one = view_maps(maps, "m", LayerRequest("left", "L1", mode="one", channels=(1,)))
    assert np.array_equal(one.values[0, 0], maps[1].numpy())
    assert np.array_equal(one.cells[..., 0], one.cells[..., 2])


def test_numbers_of_maps() -> None:
    maps = torch.tensor([[[1.0, -3.0], [0.0, 2.0]]])
    found = measure_maps(maps)
    assert (found.mean, found.largest, found.span) == (0.0, 3.0, (-3.0, 2.0))
    assert found.deviation == pytest.approx(np.sqrt(14 / 4)) and found.counts.sum() == 4
    assert measure_maps(torch.zeros(1, 4, 4)).counts.sum() == 16
    assert measure_maps(torch.full((1, 4, 4), torch.nan)).counts.sum() == 0
