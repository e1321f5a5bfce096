# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Spectra come back from their files as they were, smoothing averages power, and what is damaged is a sentence."""

import io
import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gan.analysis.bands import find_band
from gan.networks.ladder import rung_config
from viz.reports.export import write_export
from viz.reports.spectra_figure import DIRECTIONS, Curve, build_spectra
from viz.reports.spectra_file import SpectraFileError, read_spectra, smooth_curve

SIZE, PAD = 16, 2


def curve(name: str = "net", *, layer: str | None = "3", seed: int = 0) -> Curve:
    band = None if layer is None else find_band(rung_config("R", 16, channel_base=64, channel_max=4), layer)
    random, count = np.random.default_rng(seed), SIZE * PAD
    frequencies = (np.arange(count) - count // 2) / PAD
    slices = tuple((np.linspace(0, 8, 33), random.random(33)) for _ in DIRECTIONS)
    return Curve(name, 7, 0.25, 0.5, SIZE, 16.0, band, frequencies, random.random((count, count)), slices)


def written(path: Path, *curves: Curve, **settings: Any) -> Path:
    write_export(path, build_spectra(curves, "A title", "a note", {}, **settings))
    return path


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    curves = [curve("a data set", layer=None), curve("net L3", seed=1)]
    found = read_spectra(written(tmp_path / "x.npz", *curves, smooth=1.5))
    assert (found.smooth, found.title, found.note) == (1.5, "A title", "a note")
    for read, was in zip(found.curves, curves, strict=True):
        assert (read.name, read.pictures, read.mean, read.deviation) == (was.name, 7, 0.25, 0.5)
        assert read.angles == was.angles and (read.band is None) == (was.band is None)
        if read.band is not None and was.band is not None:
            keys = ("cutoff", "stopband", "radial", "rate")
            assert [getattr(read.band, key) for key in keys] == [getattr(was.band, key) for key in keys]
        np.testing.assert_array_equal(read.power, was.power)
        for one, other in zip(read.slices, was.slices, strict=True):
            np.testing.assert_array_equal(one, other)


def test_files_of_before_that_say_nothing_of_themselves_are_read(tmp_path: Path) -> None:
    path = written(tmp_path / "x.npz", curve())
    with np.load(path) as arrays:
        old = {name: arrays[name] for name in arrays if name not in ("about", "smooth")}
    np.savez_compressed(path, **old)
    found = read_spectra(path)
    assert found.smooth == 0 and found.title == "" and len(found.curves) == 1


@pytest.mark.parametrize("deviation", [0.3, 1.0, 5.0, 900.0])
def test_smoothing_averages_the_power(deviation: float) -> None:
    rough = curve()
    smooth = smooth_curve(rough, deviation)
    assert smooth.power.mean() == pytest.approx(rough.power.mean()), "what it takes here it gives there"
    assert 0 <= smooth.power.std() < rough.power.std() and (smooth.power >= 0).all()
    for (_, before), (_, after) in zip(rough.slices, smooth.slices, strict=True):
        assert after.std() < before.std() and after.shape == before.shape
    assert smooth_curve(rough, 0) is rough


def test_a_line_becomes_a_gauss_curve_of_that_deviation() -> None:
    line = curve()
    line.power[:] = 0
    line.power[PAD * SIZE // 2, PAD * SIZE // 2] = 1.0
    along = smooth_curve(line, 1.5).power.sum(axis=0)
    assert math.sqrt((along * line.frequencies**2).sum()) == pytest.approx(1.5, rel=1e-3)
    # A slice goes on beyond 0 as it came: the middle of a flat one stays flat up to its ends.
    flat = Curve(*[getattr(line, name) for name in ("name", "pictures", "mean", "deviation", "size", "rate", "band")],
                 line.frequencies, line.power, tuple((f, np.ones_like(p)) for f, p in line.slices))  # fmt: skip
    for _, power in smooth_curve(flat, 3.0).slices:
        np.testing.assert_allclose(power, 1.0)


def damaged(path: Path, **changes: Any) -> Path:
    with np.load(path) as arrays:
        values = {**arrays, **changes}
    np.savez(path, **{name: value for name, value in values.items() if value is not None})
    return path


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"names": None}, "holds no spectra .no array 'names'."),
        ({"power_0": None}, "power_0 is missing"),
        ({"power_0": np.full((32, 32), np.nan)}, "power_0 holds numbers that are not finite"),
        ({"power_0": np.ones((32, 31))}, "power_0 and its frequencies do not fit"),
        ({"power_0": np.array(["x"])}, r"power_0 has the shape \[1\]"),
        ({"slice_0_0": np.ones(3)}, "slice_0_0 and its frequencies do not fit"),
        ({"slice_0_0": None, "slice_45_0": None}, "spectrum 0 has 0 slices"),
        ({"pictures": np.ones(3)}, "1 spectra"),
        ({"rate": np.array([-1.0])}, "do not fit together"),
        ({"rate": np.array([np.nan])}, "is damaged"),
        ({"smooth": np.array(-1.0)}, "smooth is no deviation"),
        ({"names": np.array(["x"] * 9)}, "it has 9 spectra, and 1 to 8"),
        ({"names": np.array("x")}, "is damaged"),
    ],
)
def test_what_is_damaged_is_one_sentence(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    path = damaged(written(tmp_path / "x.npz", curve()), **changes)
    with pytest.raises(SpectraFileError, match=words) as problem:
        read_spectra(path)
    assert str(problem.value).startswith("x.npz ") and "\n" not in str(problem.value)


def test_hostile_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SpectraFileError, match="is not there"):
        read_spectra(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("no zip")
    with pytest.raises(SpectraFileError, match="it is damaged, or no .npz"):
        read_spectra(tmp_path / "text.npz")
    np.savez(tmp_path / "code.npz", names=np.array([print], object))
    with pytest.raises(SpectraFileError, match="it is damaged, or no .npz"):
        read_spectra(tmp_path / "code.npz")
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (2**40,)})
    with zipfile.ZipFile(tmp_path / "huge.npz", "w") as archive:
        archive.writestr("names.npy", header.getvalue())
    with pytest.raises(SpectraFileError, match="cannot be read"):
        read_spectra(tmp_path / "huge.npz")
    monkeypatch.setattr("viz.reports.spectra_file.LARGEST_FILE", 2**20)
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("names.npy", bytes(2**24))
    with pytest.raises(SpectraFileError, match="unpacks to more than 1 MiB"):
        read_spectra(tmp_path / "bomb.npz")
