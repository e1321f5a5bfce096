# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""What the Filters panel draws, against scipy's responses, the plan and the attenuations of `inspect`."""

import math
import subprocess
import sys
from dataclasses import fields

import numpy as np
import pytest
import scipy.signal
from support.paths import ROOT
from support.stylegan_xl import network_config

from gan.analysis.filter_response import get_layer_filters, measure_attenuation
from gan.networks.config import ConfigError, GeneratorConfig
from gan.networks.ladder import RUNGS, rung_config
from gan.networks.layer_plan import compute_schedule, plan
from viz.instruments.filters import GRID, FilterView, view_filters, view_schedule

EVERY = [letter for letter, _ in RUNGS]


def freqz(taps: np.ndarray, frequencies: np.ndarray, rate: float) -> np.ndarray:
    """|H| of one axis by scipy."""
    return np.abs(scipy.signal.freqz(taps, worN=frequencies, fs=rate)[1])


def in_db(magnitudes: np.ndarray) -> np.ndarray:
    return 20 * np.log10(np.maximum(magnitudes, 1e-10))


def close(found: np.ndarray, expected: np.ndarray) -> None:
    """As close as float32 taps are, which tell nothing below some -140 dB."""
    np.testing.assert_allclose(10 ** (found / 20), 10 ** (expected / 20), atol=1e-6)
    loud = expected > -80
    assert loud.any()
    np.testing.assert_allclose(found[loud], expected[loud], atol=0.1)


def views(name: str, layer: str, resolution: int = 256) -> list[tuple[str, FilterView]]:
    view = view_filters(rung_config(name, resolution), layer)
    return [(way, found) for way, found in (("up", view.up), ("down", view.down)) if found is not None]


@pytest.mark.parametrize(
    ("name", "layer"),
    [("T", "3"), ("T", "10"), ("T", "L13_256_64"), ("G", "4"), ("E", "4"), ("D", "4"), ("A", "b16.conv0"), ("R", "13")],
)
def test_separable_responses_are_scipys(name: str, layer: str) -> None:
    found = views(name, layer)
    assert len(found) == (1 if name in "ADE" else 2)
    for _, view in found:
        taps, rate = view.filter.taps.astype(np.float64), float(view.filter.rate)
        assert taps.ndim == 1 and view.extent == rate / 2
        axis, diagonal = view.slices
        assert (axis.degrees, diagonal.degrees) == (0, 45)
        assert axis.frequencies[0] == 0 and axis.frequencies[-1] == rate / 2
        assert diagonal.frequencies[-1] == pytest.approx(rate / math.sqrt(2))
        close(axis.gains[:-1], in_db(freqz(taps, axis.frequencies[:-1], rate)))
        close(diagonal.gains[:-1], in_db(freqz(taps, diagonal.frequencies[:-1] / math.sqrt(2), rate) ** 2))
        cells = (np.arange(GRID) + 0.5) / GRID * rate - rate / 2
        response = freqz(taps, np.abs(cells), rate)
        close(view.gains, in_db(np.outer(response, response)))


@pytest.mark.parametrize("layer", ["2", "7"])
def test_radial_responses_are_the_transforms_of_their_taps(layer: str) -> None:
    (_, up), (_, down) = views("R", layer)
    assert not up.filter.radial and down.filter.radial and down.filter.taps.ndim == 2
    taps, rate = down.filter.taps.astype(np.float64), float(down.filter.rate)
    axis, diagonal = down.slices
    close(axis.gains[:-1], in_db(freqz(taps.sum(axis=0), axis.frequencies[:-1], rate)))
    lines = np.array([np.trace(taps[::-1], offset) for offset in range(1 - len(taps), len(taps))])
    close(diagonal.gains[:-1], in_db(freqz(lines, diagonal.frequencies[:-1], rate * math.sqrt(2))))
    # Padded to two samples a cell, shifted by half a bin of a cell, the transform has the cells' centres.
    count = 2 * GRID
    full = np.fft.fftshift(np.abs(np.fft.fft2(taps, s=(count, count))))[1::2, 1::2]
    close(down.gains, in_db(full))
    middle = down.gains[GRID // 2 - 1 : GRID // 2 + 1, GRID // 2 - 1 : GRID // 2 + 1]
    assert np.abs(middle).max() < 0.1, "0 in the middle"
    # Where it has fallen by 30 dB, it is rounder than T's separable one for the same band.
    _, (_, separable) = views("T", layer)
    assert _squareness(down) < 0.7 * _squareness(separable)


def _squareness(view: FilterView) -> float:
    """How much further than along the axis it is to 30 dB along the diagonal."""
    axis, diagonal = (part.frequencies[np.argmax(part.gains < -30)] for part in view.slices)
    return diagonal / axis - 1


@pytest.mark.parametrize("name", EVERY)
def test_every_layer_has_the_plans_filters_and_their_attenuations(name: str) -> None:
    config = rung_config(name, 64)
    for spec in plan(config).layers:
        view = view_filters(config, spec.name)
        assert view.place == spec.index and view.band.name == spec.name
        for found, expected in zip((view.up, view.down), get_layer_filters(config, spec), strict=True):
            assert (found is None) == (expected is None)
            if found is None or expected is None:
                continue
            assert np.array_equal(found.filter.taps, expected.taps) and found.attenuation == measure_attenuation(
                expected
            )
            assert found.filter.rate == spec.temporary_rate
            assert (found.filter.cutoff, found.filter.stopband) == (expected.cutoff, expected.stopband)
            assert found.positions.sum() == 0 and len(found.positions) == len(expected.taps)
            assert (np.diff(found.positions) == 1).all()
            # What the slice shows at f_c is what the number beside it says.
            at = max(
                -np.interp(expected.cutoff, part.frequencies, part.gains)
                for part in (found.slices if expected.radial else found.slices[:1])
            )
            assert at == pytest.approx(found.attenuation.cutoff, abs=0.05)


@pytest.mark.parametrize("name", EVERY)
def test_the_schedule_is_the_plans(name: str) -> None:
    config = rung_config(name, 128)
    layers = plan(config).layers
    found = view_filters(config, layers[3].name).schedule
    assert found.names == tuple(spec.name for spec in layers)
    assert found.cutoffs.tolist() == [spec.out_cutoff for spec in layers]
    assert found.rates.tolist() == [spec.out_rate for spec in layers]
    assert found.edges.tolist() == [spec.out_cutoff + spec.out_half_width for spec in layers]
    expected = compute_schedule(config)[1] if config.architecture == "layers" else found.edges
    assert found.stopbands.tolist() == list(expected)


def test_numbers_of_listed_layers_jump_and_their_places_do_not() -> None:
    config = network_config(heads=2)
    layers = plan(config).layers
    for place, spec in enumerate(layers):
        view = view_filters(config, str(spec.index))
        assert view is view_filters(config, spec.name) and view.place == place
        assert (view.up is None) == (spec.up == 1) and (view.down is None) == (spec.down == 1)
    assert layers[-1].index > len(layers) - 1
    missing = next(number for number in range(layers[-1].index) if number not in {spec.index for spec in layers})
    with pytest.raises(ConfigError, match=f"no layer '{missing}'"):
        view_filters(config, str(missing))


def test_layers_go_by_name_or_number_and_the_input_by_its_name() -> None:
    config = rung_config("T", 64)
    assert view_filters(config, "4") is view_filters(config, "L4_52_512")
    shown = view_filters(config, "input")
    assert shown.up is None and shown.down is None and shown.place is None
    assert shown.band.radial and shown.band.cutoff == 2 and len(shown.schedule.names) == 15
    last = view_filters(config, "14")
    assert last.up is None and last.down is None and last.place == 14
    with pytest.raises(ConfigError, match="no layer '15' here: choose one of input, L0_36_512"):
        view_filters(config, "15")
    with pytest.raises(ConfigError, match="no layer 'input'"):
        view_filters(rung_config("A", 64), "input")


def test_a_frame_computes_nothing_again(monkeypatch: pytest.MonkeyPatch) -> None:
    config = rung_config("R", 64)
    first = view_filters(config, "L5_52_1024")
    for name in (
        "plan",
        "filter_response.get_layer_filters",
        "filter_response.measure_attenuation",
        "filter_response.magnitude_response_2d",
        "magnitude_response",
        "list_bands",
        "find_band",
    ):
        monkeypatch.setattr(f"viz.instruments.filters.{name}", None)
    again = GeneratorConfig.from_json(config.to_json())  # equal, another object
    assert view_filters(again, "L5_52_1024") is first and first.schedule is view_schedule(again)


def test_what_is_shared_cannot_be_written_to() -> None:
    view = view_filters(rung_config("R", 64), "5")
    assert view.down is not None
    parts = [view.schedule, view.down, view.down.filter, *view.down.slices]
    arrays = [
        value for part in parts for field in fields(part) if isinstance(value := getattr(part, field.name), np.ndarray)
    ]
    assert len(arrays) == 4 + 2 + 1 + 4
    for array in arrays:
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_no_torch_is_needed() -> None:
    code = (
        "import sys; from gan.networks.ladder import rung_config; from viz.instruments.filters import view_filters; "
        "view_filters(rung_config('R', 64), '5'); sys.exit('torch' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
