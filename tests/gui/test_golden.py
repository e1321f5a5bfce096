# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Panels and figures drawn from made-up results look as they did when somebody last looked at them.

`pytest tests/gui/test_golden.py --regenerate-golden` draws the golden images anew: look at each before it is committed.
"""

import re
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from PIL import Image
from support import golden_pictures, synthetic
from support.golden_panels import (
    Shot,
    colours,
    filtered,
    layers_spectra,
    means,
    measured,
    photographed,
    pictures_spectra,
    sheet,
    slices,
)
from support.golden_pictures import AMPLIFIED, DRAWN_BY, FOLDER, equal, load
from support.paths import ROOT

from gan.analysis.bands import find_band
from gan.data.image_io import save_png
from viz.instruments.sticking import Measured
from viz.panels import filters, layers, spectrum, sticking
from viz.reports.export import write_export
from viz.reports.schedule_figure import build_schedule, choose_layers
from viz.reports.spectra_figure import build_spectra
from viz.reports.sticking_figure import build_sticking
from viz.reports.sticking_study import Model, Settings

pytestmark = pytest.mark.slow

RESPONSES = 664  # rows of the Filters panel that end above the schedule
B, T = synthetic.measured(20.1, 0.62), synthetic.measured(63.4, 0.031)
A = Measured(refused="Rung A has no Fourier input to move: nothing to measure.")
PANELS = {
    "layers-sheet": Shot(layers, sheet, ("T", "R")),
    "layers-rgb-light": Shot(layers, colours, ("R", "T"), "light"),
    "layers-empty": Shot(layers, models=("", "T")),
    "spectrum-picture": Shot(spectrum, pictures_spectra),
    "spectrum-layer": Shot(spectrum, layers_spectra, ("R", "T")),
    "filters-separable": Shot(filters, partial(filtered, "L8"), ("T", "B"), rows=RESPONSES),
    "filters-radial-light": Shot(filters, partial(filtered, "L8"), ("R", "B"), "light", RESPONSES),
    "filters-input": Shot(filters, partial(filtered, "input"), ("R", "B")),
    "sticking-slice": Shot(sticking, slices),
    "sticking-mean-light": Shot(sticking, means, theme="light"),
    "sticking-meters": Shot(sticking, partial(measured, B, T, 100)),
    "sticking-meters-light": Shot(sticking, partial(measured, B, A, 50), ("B", "A"), "light"),
    "sticking-empty": Shot(sticking, models=("", "T")),
}


@contextmanager
def replaced(owner: object, name: str, changed: Callable[[Any], Any]) -> Any:
    """`owner.name` called as before, and what it returns changed."""
    with pytest.MonkeyPatch.context() as patch:
        before = getattr(owner, name)
        patch.setattr(owner, name, lambda *given: changed(before(*given)))
        yield


def cutoff_moved(band: Any) -> Any:
    """By a pixel of the heat map, some 300 of which are s."""
    return replace(band, cutoff=band.cutoff + band.rate / 300)


def filter_moved(view: Any) -> Any:
    """Its f_c by a pixel of the plane, 148 of which are s_tmp."""
    f = view.down.filter
    return replace(view, down=replace(view.down, filter=replace(f, cutoff=f.cutoff + f.rate / 148)))


def response_moved(view: Any) -> Any:
    """By 2 dB of the 96 that are some 200 pixels high: less than the lobes of two filters differ."""
    down = view.down.slices[0]
    return replace(view, down=replace(view.down, slices=(replace(down, gains=down.gains + 2), *view.down.slices[1:])))


def told(shot: Shot, changed: Callable[[Any, Any], object]) -> Shot:
    """The shot, its state and view changed once they are filled."""
    return replace(shot, fill=lambda state, view: (shot.fill(state, view), changed(state, view)))


def curve_moved(state: Any, view: Any) -> None:
    """The right average by half a dB of the 80 that are some 130 pixels high."""
    curve = view.jobs.statuses[spectrum.LIVE].result.averages["right"].slices[45.0]
    curve.levels[:] += 0.5


def one_more(state: Any, view: Any) -> None:
    state.spectrum.num = 101


def another_colour(state: Any, view: Any) -> None:
    view.results["left"] = synthetic.result("B", 0, 4)


CHANGES = {
    "spectrum-layer: f_c": replace(
        PANELS["spectrum-layer"], changed=partial(replaced, spectrum, "_band", cutoff_moved)
    ),
    "spectrum-picture: a curve": told(PANELS["spectrum-picture"], curve_moved),
    "spectrum-picture: a digit": told(PANELS["spectrum-picture"], one_more),
    "filters-separable: f_c": replace(
        PANELS["filters-separable"], changed=partial(replaced, filters, "view_filters", filter_moved)
    ),
    "filters-radial-light: response": replace(
        PANELS["filters-radial-light"], changed=partial(replaced, filters, "view_filters", response_moved)
    ),
    "sticking-meters: a tenth": Shot(sticking, partial(measured, B, synthetic.measured(63.5, 0.031), 100)),
    "sticking-meters: a share": Shot(sticking, partial(measured, B, synthetic.measured(63.4, 0.036), 100)),
    "sticking-mean-light: a picture": told(PANELS["sticking-mean-light"], another_colour),
}


@pytest.fixture(scope="module")
def panels() -> tuple[dict[str, np.ndarray], str]:
    """Each panel's picture, and each changed one's; what drew them. The first is drawn once more at the end."""
    pictures, drawn_by = photographed({**PANELS, **CHANGES, "again": next(iter(PANELS.values()))})
    if "llvmpipe" not in drawn_by:
        pytest.skip(f"Golden images are Mesa's llvmpipe's; here {drawn_by} draws.")
    return pictures, drawn_by


@pytest.mark.parametrize("name", PANELS)
def test_panels(name: str, panels: Any, pytestconfig: pytest.Config, tmp_path: Path) -> None:
    pictures, drawn_by = panels
    golden_pictures.check(name, pictures[name], drawn_by, pytestconfig, tmp_path)


@pytest.mark.parametrize("name", CHANGES)
def test_a_small_change_of_a_panel_is_seen(name: str, panels: Any) -> None:
    golden, _ = load(name.partition(":")[0])
    assert not equal(panels[0][name], golden)


def test_a_panel_does_not_depend_on_what_was_drawn_before(panels: Any) -> None:
    assert np.array_equal(panels[0]["again"], panels[0][next(iter(PANELS))])


# -- figures -----------------------------------------------------------------------------------------------------------


def schedule_figure(path: Path, cutoff: float = 2.0) -> None:
    network = replace(synthetic.config("R"), first_cutoff=cutoff)
    write_export(path, build_schedule(network, "r.safetensors: rung R, 64x64", choose_layers(network, ["8"]), {}))


def spectra_figure(path: Path, slope: float = 34.0) -> None:
    curves = [
        synthetic.plotted("b", find_band(synthetic.config("B")), slope),
        synthetic.plotted("r, layer L7", find_band(synthetic.config("R"), "7"), 40.0),
        synthetic.plotted("a data set", None, 22.0),
    ]
    write_export(path, build_spectra(curves, "Average power spectra", "100 pictures each", {}))


def sticking_figure(path: Path, stays: float = 0.62) -> None:
    models = [
        Model(side, letter.lower(), Path(f"{letter.lower()}.safetensors"), synthetic.config(letter), None)
        for side, letter in (("left", "B"), ("right", "A"))
    ]
    settings = Settings(24, 64, 120, 0.4, 16, 1.0, (0.6, 0.2, 0.6, 0.8), "cpu")
    found = [synthetic.findings(stays), synthetic.findings(stays, movable=False)]
    write_export(path, build_sticking(models, settings, found, {}))


# Each with what makes it differ a little.
FIGURES: dict[str, tuple[Callable[..., None], float]] = {
    "figure-schedule": (schedule_figure, 2.05),
    "figure-spectra": (spectra_figure, 34.5),
    "figure-sticking": (sticking_figure, 0.625),
}


def halved(path: Path) -> np.ndarray:
    """A figure at half its size, every pixel of it still counted."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB").reduce(2))


def pinned() -> str:
    """matplotlib as the tests know it: letters and lines differ a little from release to release."""
    found = re.search(r"^matplotlib==(\S+)$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)
    assert found
    return found[1]


@pytest.mark.parametrize("name", FIGURES)
def test_figures(name: str, pytestconfig: pytest.Config, tmp_path: Path) -> None:
    if matplotlib.__version__ != pinned():
        pytest.skip(f"The golden figures are matplotlib {pinned()}'s; here is {matplotlib.__version__}.")
    draw, changed = FIGURES[name]
    draw(tmp_path / "figure.png")
    figure = halved(tmp_path / "figure.png")
    draw(tmp_path / "changed.png", changed)
    assert not equal(halved(tmp_path / "changed.png"), figure), "a small change is seen"
    golden_pictures.check(name, figure, f"matplotlib {matplotlib.__version__}", pytestconfig, tmp_path)


# -- the comparison ----------------------------------------------------------------------------------------------------


def test_the_folder_holds_what_is_compared_and_no_more() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {f"{name}.png" for name in (*PANELS, *FIGURES)}
    for name in PANELS:
        assert "llvmpipe" in load(name)[1], f"{name} is not the software renderer's"
    for name in FIGURES:
        assert load(name)[1] == f"matplotlib {pinned()}", "draw the figures anew with the pinned release"


class Asked:
    """In the place of pytest's config."""

    def __init__(self, regenerate: bool) -> None:
        self.regenerate = regenerate

    def getoption(self, name: str) -> bool:
        assert name == golden_pictures.REGENERATE
        return self.regenerate


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of golden images of its own, with one of 40x30 greys; and one for the failures beside it."""
    monkeypatch.setattr(golden_pictures, "FOLDER", tmp_path / "golden")
    (tmp_path / "failed").mkdir()
    check(tmp_path, grey(), regenerate=True, outcome=pytest.skip.Exception)
    return tmp_path


def grey(*brighter: tuple[int, int]) -> np.ndarray:
    """Grey, but for so many (pixels, levels), one group after the other."""
    flat = np.full((1200, 3), 100, np.uint8)
    start = 0
    for count, levels in brighter:
        flat[start : start + count, 1] += levels
        start += count
    return flat.reshape(30, 40, 3)


def check(folder: Path, found: np.ndarray, regenerate: bool = False, outcome: Any = None) -> str:
    """The check of "grey" against `found`: its message, or "" where it passes; it must end as `outcome` says."""
    try:
        golden_pictures.check("grey", found, "hand", Asked(regenerate), folder / "failed")  # type: ignore[arg-type]
    except (pytest.fail.Exception, pytest.skip.Exception) as problem:
        assert type(problem) is outcome, problem
        return str(problem)
    assert outcome is None
    return ""


@pytest.mark.parametrize("brighter", [((1200, 1),), ((20, 8),), ((6, 100), (14, 8), (1180, 1))])
def test_rounding_is_let_through(folder: Path, brighter: tuple[tuple[int, int], ...]) -> None:
    check(folder, grey(*brighter))
    assert not list((folder / "failed").iterdir())


@pytest.mark.parametrize("brighter", [((1200, 2),), ((21, 2),), ((7, 9),)])
def test_more_than_rounding_fails_and_is_shown(folder: Path, brighter: tuple[tuple[int, int], ...]) -> None:
    found = grey(*brighter)
    said = check(folder, found, outcome=pytest.fail.Exception)
    assert str(folder / "failed") in said and "--regenerate-golden" in said and "Golden by hand" in said
    saved = {path.stem: np.asarray(Image.open(path)) for path in (folder / "failed").iterdir()}
    assert np.array_equal(saved["found"], found) and np.array_equal(saved["golden"], grey())
    shown = np.minimum((found.astype(int) - grey()) * AMPLIFIED, 255)
    assert np.array_equal(saved["difference"], shown)


def test_another_size_and_no_golden_image_fail(folder: Path) -> None:
    said = check(folder, grey()[:, :39], outcome=pytest.fail.Exception)
    assert "39x30 and not 40x30" in said and (folder / "failed" / "found.png").is_file()
    (folder / "golden" / "grey.png").unlink()
    assert "There is no" in check(folder, grey(), outcome=pytest.fail.Exception)


def test_regenerating_writes_what_differs(folder: Path) -> None:
    path = folder / "golden" / "grey.png"
    with Image.open(path) as image:
        assert image.text[DRAWN_BY] == "hand"  # type: ignore[attr-defined]
    save_png(path, grey(), {DRAWN_BY: "somebody else"})
    check(folder, grey(), regenerate=True, outcome=pytest.skip.Exception)
    assert load("grey")[1] == "somebody else", "the same pixels are left alone"
    check(folder, grey((1, 1)), regenerate=True, outcome=pytest.skip.Exception)
    assert np.array_equal(load("grey")[0], grey((1, 1))) and load("grey")[1] == "hand"
    check(folder, grey((1, 1)))
    assert [file.name for file in path.parent.iterdir()] == ["grey.png"], "nothing half-written stays"
