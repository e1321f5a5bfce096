# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Count pictures a second that the canvas keeps while the instruments work: `python tests/bench/bench_window.py`.

One window, without a display, both slots moving on a circle. Each instrument is measured between two rests in which the
same panel is drawn but nothing is asked of the worker; its rate is compared with theirs, since machines drift.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.gui import run_script  # noqa: E402

from gan.hub.resolve import resolve  # noqa: E402
from viz.core.state import SLOTS, AppState, default_state  # noqa: E402
from viz.instruments.spectrum import AverageRequest  # noqa: E402
from viz.instruments.sticking import MeterRequest  # noqa: E402
from viz.panels import spectrum, sticking  # noqa: E402
from viz.render.jobs import JobStatus  # noqa: E402
from viz.window.window import Window  # noqa: E402

SETTLE = 0.8  # seconds after a change that are not counted
MANY = 100_000  # samples, so that no measurement ends while it is timed


@dataclass(frozen=True)
class Case:
    """An instrument: its name, the panel it is in, and how it is set going."""

    name: str
    panel: str
    begin: Callable[[Window], None]


def _nothing(window: Window) -> None:
    return None


def _layer_spectra(window: Window) -> None:
    window.state.spectrum.source = "layer"


def _average(window: Window) -> None:
    sources = tuple((slot, result.request, "picture") for slot in SLOTS if (result := window.context.results[slot]))
    window.context.jobs.start(spectrum.AVERAGE, AverageRequest(sources, MANY, 8.0, ""))


def _neighbourhood(window: Window) -> None:
    window.state.sticking.show = "mean"


def _meters(window: Window) -> None:
    window.state.sticking.show = "meters"
    pictures = tuple((slot, result.request) for slot in SLOTS if (result := window.context.results[slot]))
    window.context.jobs.start(sticking.METERS, MeterRequest(pictures, MANY))


CASES = (
    Case("layers, contact sheet", "Layers", _nothing),
    Case("live spectra of both pictures", "Spectrum", _nothing),
    Case("live spectra of both layers", "Spectrum", _layer_spectra),
    Case("spectra averaging over seeds", "Spectrum", _average),
    Case("x-t slices", "Sticking", _nothing),
    Case("mean of the neighbourhood", "Sticking", _neighbourhood),
    Case("EQ and stickiness accumulating", "Sticking", _meters),
)


class Timer:
    """Goes through rests and cases in the window's frames; `rates` has pictures a second of each, in turn."""

    def __init__(self, window: Window, seconds: float) -> None:
        self.window, self.seconds = window, seconds
        self.rates: dict[str, list[tuple[float, float]]] = {case.name: [] for case in CASES}
        self.results: dict[str, list[float]] = {case.name: [] for case in CASES}  # a second
        self._heard = 0
        self._collect = window.worker.collect_statuses
        window.worker.collect_statuses = self._listen  # type: ignore[method-assign]
        self._measure = window.worker.measure

    def _listen(self) -> dict[str, JobStatus[Any]]:
        found = self._collect()
        self._heard += sum(status.result is not None for status in found.values())
        return found

    def run(self, rounds: int) -> Iterator[None]:
        while not all(self.window.context.results[slot] for slot in SLOTS):
            yield
        self.window.state.transform.animate = "circle"
        for _ in range(rounds):
            for case in CASES:
                self.window.show(case.panel)
                before = yield from self._rest()
                case.begin(self.window)
                heard, began = self._heard, time.perf_counter()
                during = yield from self._count()
                self.results[case.name].append((self._heard - heard) / (time.perf_counter() - began))
                self._end()
                after = yield from self._rest()
                self.rates[case.name].append((during, (before + after) / 2))

    def _end(self) -> None:
        state, plain = self.window.state, AppState()
        self.window.context.jobs.started.clear()
        state.spectrum, state.sticking = plain.spectrum, plain.sticking

    def _rest(self) -> Generator[None, None, float]:
        """With the same panel in front, but nothing asked of the worker."""
        self.window.worker.measure = lambda jobs: self._measure({})  # type: ignore[method-assign]
        rate = yield from self._count()
        self.window.worker.measure = self._measure  # type: ignore[method-assign]
        return rate

    def _count(self) -> Generator[None, None, float]:
        yield from self._wait(SETTLE)
        before, began = self._pictures(), time.perf_counter()
        yield from self._wait(self.seconds)
        return (self._pictures() - before) / (time.perf_counter() - began)

    def _wait(self, seconds: float) -> Iterator[None]:
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            yield

    def _pictures(self) -> float:
        return sum(self.window.context.timings.rate.pictures.values()) / len(SLOTS)


@click.command()
@click.option("--left", default="b", show_default=True, help="Model of the left slot.")
@click.option("--right", default="t", show_default=True, help="Model of the right slot.")
@click.option("--seconds", type=click.FloatRange(0.1, 60), default=3.0, show_default=True, help="For each count.")
@click.option("--rounds", type=click.IntRange(1, 100), default=3, show_default=True, help="Of all cases.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def main(left: str, right: str, seconds: float, rounds: int, as_json: bool) -> None:
    """Print how many pictures a second the canvas shows with each instrument at work, and without."""
    state = default_state()
    state.left.path, state.right.path = resolve(left), resolve(right)
    window = Window(state, strict=True)
    timer = Timer(window, seconds)
    run_script(window, timer.run(rounds))
    rows = []
    for name, pairs in timer.rates.items():
        during, alone = (statistics.median(rate) for rate in zip(*pairs, strict=True))
        ratio = statistics.median(one / rest for one, rest in pairs)
        said = statistics.median(timer.results[name])
        rows.append({"name": name, "pictures a second": during, "alone": alone, "kept": ratio, "results": said})
    if as_json:
        click.echo(json.dumps({"left": left, "right": right, "seconds": seconds, "rounds": rounds, "rows": rows}))
        return
    click.echo(f"{'while':34}{'pictures/s':>12}{'alone':>8}{'kept':>8}{'results/s':>12}")
    for row in rows:
        rates = f"{row['pictures a second']:12.1f}{row['alone']:8.1f}{row['kept']:8.2f}{row['results']:12.1f}"
        click.echo(f"{row['name']:34}{rates}")


if __name__ == "__main__":
    main()
