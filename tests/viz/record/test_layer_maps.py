# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""A layer's maps in files: the numbers are the layer's own, and a picture shows what it says."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from support.gui import save_model

from gan.checkpoints.checkpoint import read_header
from viz.core.latent import seed_point
from viz.core.layer_info import list_layers
from viz.core.request import PictureRequest
from viz.record.layer_maps import GAP, MapChoice, export_maps
from viz.render.renderer import Renderer
from viz.reports.export import Export, ExportError, encode_export

LAYER = 3


@pytest.fixture(scope="module")
def request_(tmp_path_factory: pytest.TempPathFactory) -> PictureRequest:
    path = save_model(tmp_path_factory.mktemp("maps") / "net.safetensors", "T", 16)
    return PictureRequest(path, latent=seed_point(5))


@pytest.fixture(scope="module")
def values(request_: PictureRequest) -> np.ndarray:
    return Renderer().maps(request_, list_layers(read_header(Path(request_.model)).config)[LAYER].name)[0].numpy()


def export(request: PictureRequest, choice: MapChoice) -> Export:
    band = list_layers(read_header(Path(request.model)).config)[LAYER]
    return export_maps(Renderer(), request, band, choice, "net", {"seed": 5})


def pixels(found: Export) -> np.ndarray:
    with Image.open(io.BytesIO(encode_export(found, ".png"))) as picture:
        return np.asarray(picture)


def test_numbers_are_the_layers_own(request_: PictureRequest, values: np.ndarray) -> None:
    with np.load(io.BytesIO(encode_export(export(request_, MapChoice()), ".npz"))) as arrays:
        np.testing.assert_array_equal(arrays["maps"], values)
        assert arrays["maps"].dtype == np.float32 and arrays["channels"].tolist() == [*range(len(values))]
        about = json.loads(str(arrays["about"]))["about"]
    band = list_layers(read_header(Path(request_.model)).config)[LAYER]
    assert about["layer"] == band.name and about["size"] == band.size and about["seed"] == 5
    chosen = MapChoice((2, 0))
    with np.load(io.BytesIO(encode_export(export(request_, chosen), ".npz"))) as arrays:
        np.testing.assert_array_equal(arrays["maps"], values[[2, 0]])
    text = encode_export(export(request_, chosen), ".csv").decode()
    rows = np.array([*csv.reader(io.StringIO(text[text.index('"channel"') :]))][1:], float)
    assert len(rows) == values[:2].size
    for channel, row, column, value in rows[:: len(rows) // 50]:
        assert np.float32(value) == values[int(channel), int(row), int(column)]


def test_plain_pictures_are_the_values_between_black_and_white(request_: PictureRequest, values: np.ndarray) -> None:
    one = pixels(export(request_, MapChoice((1,), gain=6.0)))
    expected = np.clip((values[1] * 10**0.3 + 1) / 2, 0, 1) * 255
    assert one.shape == (*values.shape[1:], 3) and np.abs(one - expected[:, :, None]).max() <= 0.51
    colours = pixels(export(request_, MapChoice((3, 1, 0))))
    expected = np.clip((values[[3, 1, 0]].transpose(1, 2, 0) + 1) / 2, 0, 1) * 255
    assert np.abs(colours - expected).max() <= 0.51, "red, green and blue, in the order that was asked for"


@pytest.mark.parametrize("scale", ["each", "common"])
def test_scales(request_: PictureRequest, values: np.ndarray, scale: str) -> None:
    found = pixels(export(request_, MapChoice((2,), scale=scale)))[:, :, 0] / 255  # type: ignore[arg-type]
    one = values[2]
    if scale == "each":
        expected = (one - one.mean()) / one.std() / 6 + 0.5
    else:
        expected = one / np.sqrt(np.square(values).mean()) / 6 + 0.5
    assert np.abs(found - expected.clip(0, 1)).max() <= 0.003


def test_decibels_are_below_the_largest(request_: PictureRequest, values: np.ndarray) -> None:
    found = pixels(export(request_, MapChoice((2,), scale="each", reach=40.0)))[:, :, 0] / 255
    expected = 1 + 20 * np.log10(np.abs(values[2]) / np.abs(values[2]).max()) / 40
    assert np.abs(found - expected.clip(0, 1)).max() <= 0.003 and found.max() == 1


def test_a_sheet_holds_all_maps_in_their_order(request_: PictureRequest, values: np.ndarray) -> None:
    count, height, width = values.shape
    sorted_ = export(request_, MapChoice(sort="energy", scale="each"))
    channels = next(array.values for array in sorted_.arrays if array.name == "channels")
    energies = values.var(axis=(1, 2))[channels]
    assert sorted(channels) == [*range(count)] and (np.diff(energies) <= 1e-6 * energies.max()).all()
    sheet, columns = pixels(sorted_), int(np.ceil(np.sqrt(count)))
    assert sheet.shape[:2] == (-(-count // columns) * (height + GAP) - GAP, columns * (width + GAP) - GAP)
    for place in (0, 1, columns, count - 1):
        top, left = (place // columns) * (height + GAP), (place % columns) * (width + GAP)
        alone = pixels(export(request_, MapChoice((int(channels[place]),), scale="each")))
        np.testing.assert_array_equal(sheet[top : top + height, left : left + width], alone)


@pytest.mark.parametrize(
    "choice", [MapChoice(), MapChoice((1,)), MapChoice((0, 1, 2), scale="each"), MapChoice((0, 1))]
)
def test_every_choice_can_be_drawn_for_a_paper(request_: PictureRequest, choice: MapChoice) -> None:
    svg = encode_export(export(request_, choice), ".svg").decode()
    assert "net</text>" in svg and "samples" in svg and "cycles per picture width" in svg
    flat = export(replace(request_, psi=0.0), replace(choice, scale="each", reach=20.0))
    assert encode_export(flat, ".png")[:4] == b"\x89PNG"


def test_a_channel_that_is_not_there(request_: PictureRequest, values: np.ndarray) -> None:
    with pytest.raises(ExportError, match=rf"has the channels 0 to {len(values) - 1}, and no 99"):
        export(request_, MapChoice((99,)))


@pytest.mark.parametrize("choice", [MapChoice(scale="common"), MapChoice((0,), scale="each"), MapChoice(reach=60.0)])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.0])
def test_what_is_no_number_is_black_and_stays_in_the_numbers(
    request_: PictureRequest, monkeypatch: pytest.MonkeyPatch, choice: MapChoice, value: float
) -> None:
    maps = torch.full((1, 4, 36, 36), value)
    monkeypatch.setattr(Renderer, "maps", lambda *_: maps)
    found = export(request_, choice)
    assert pixels(found).dtype == np.uint8 and encode_export(found, ".svg")
    assert np.array_equal(found.arrays[0].values[0], maps[0, 0].numpy(), equal_nan=True)
    if value != value:
        assert pixels(found)[0, 0, 0] == 0
