# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""What panels save: each slice under a name of its own, and nothing of where files lie."""

import json
from pathlib import Path

import numpy as np
import pytest

from gan.analysis.bands import find_band
from gan.networks.ladder import rung_config
from viz.core.latent import Blend, Direction, FileLatent, Mixture, Moved, OtherModel, SeedPoint, Step
from viz.core.request import PictureRequest
from viz.core.state import SpectrumState
from viz.instruments.spectrum import AXIS, DIAGONAL, Curve, SpectrumData, SpectrumView
from viz.record.numbers import describe_request
from viz.record.panel_offers import offer_spectra
from viz.render.renderer import Renderer
from viz.reports.export import write_export
from viz.reports.spectra_file import read_spectra


@pytest.mark.parametrize(
    ("angle", "expected"),
    [(22.5, (0.0, 45.0, 22.5)), (45.000004, (0.0, 45.0)), (1e-5, (0.0, 45.0)), (33.3333321, (0.0, 45.0, 33.33))],
)
def test_the_free_slice_is_read_back_and_is_none_of_the_others(
    tmp_path: Path, angle: float, expected: tuple[float, ...]
) -> None:
    line = Curve(np.linspace(0, 8, 33), np.zeros(33))
    look = SpectrumData(np.zeros((32, 32)), 8.0, {AXIS: line, DIAGONAL: line, angle: line}, 1, "net.pkl")
    chosen = SpectrumState(at_angle=True, angle=angle)
    bands = {"left": find_band(rung_config("R", 16, channel_base=64, channel_max=4), "3")}
    offer = offer_spectra(SpectrumView({"left": look}, {}, None), bands, chosen)  # type: ignore[arg-type]
    assert offer is not None
    export = offer.source(Renderer())
    names = [array.name for array in export.arrays]
    assert len(set(names)) == len(names)
    write_export(tmp_path / "x.npz", export)
    assert read_spectra(tmp_path / "x.npz").curves[0].angles == expected


def test_no_folder_is_told_however_deep_a_file_is_in_a_latent() -> None:
    file = FileLatent("w", "/secret/a.npz", "0" * 64)
    step = Step(Direction("file", 0, 0, 63, "/secret/b.npz", "1" * 64), 1.0)
    other = OtherModel("/secret/c.pkl", Blend(file, SeedPoint(), 0.5))
    latent = Moved(Mixture(file, other, (1,)), (step,))
    found = describe_request(PictureRequest("/secret/d.pkl", latent), "d")
    text = json.dumps(found)
    assert "secret" not in text and all(name in text for name in ("a.npz", "b.npz", '"c"', '"d"'))
    assert latent.base.base == file, "the request is as it was"  # type: ignore[union-attr]
