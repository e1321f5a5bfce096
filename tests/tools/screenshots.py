# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Take the documentation's pictures of the window anew, without a display: `python tests/tools/screenshots.py docs`.

Each shot is a window of its own on the bundled models: a state, a few frames in which something happens, and what of
the window is kept. Anybody's run gives the same pictures, but for what depends on the machine's speed (milliseconds,
and how many columns a slice over time has).
"""

import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from imgui_bundle import hello_imgui, imgui

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.gui import run_script  # noqa: E402

from gan.data.image_io import save_png  # noqa: E402
from gan.hub.resolve import resolve  # noqa: E402
from viz.canvas import canvas  # noqa: E402
from viz.core.state import SLOTS, default_state  # noqa: E402
from viz.instruments.spectrum import AverageRequest  # noqa: E402
from viz.instruments.sticking import MeterRequest  # noqa: E402
from viz.panels import filters, layers, spectrum, sticking, timeline, transform  # noqa: E402
from viz.record import timeline_edits  # noqa: E402
from viz.record.timeline_templates import TEMPLATES, put_template  # noqa: E402
from viz.window.window import LAID_OUT_FRAMES, Window  # noqa: E402

AVERAGED, MEASURED = 200, 50  # pictures
WALKED = 340  # frames of motion, each with its pictures
SWAY, PERIOD = 0.08, 110  # picture widths, frames
Script = Callable[[Window], Iterator[None]]


def _still(window: Window) -> Iterator[None]:
    """Until everything that is asked for has come."""
    for _ in range(12):
        yield
    while not (window.worker.is_idle() and not window.worker.is_measuring()):
        yield
    for _ in range(6):
        yield


def _sway(window: Window) -> Iterator[None]:
    """Down and up again, a picture a frame, whatever the machine's speed, and at last to the right."""
    yield from _still(window)
    for index in range(WALKED):
        window.state.transform.ty = SWAY * math.sin(2 * math.pi * index / PERIOD)
        yield
        while not window.worker.is_idle():
            yield
    window.state.transform.ty, window.state.transform.tx = 0.0, 0.05
    yield from _still(window)


def _walk(window: Window) -> Iterator[None]:
    """Through the latents, a picture a frame, whatever the machine's speed."""
    yield from _still(window)
    for _ in range(WALKED):
        window.state.latent.x += 0.008
        yield
        while not window.worker.is_idle():
            yield


def _average(window: Window) -> Iterator[None]:
    yield from _still(window)
    sources = tuple(
        (slot, result.request, "picture") for slot in SLOTS if (result := window.context.results[slot]) is not None
    )
    window.context.jobs.start(spectrum.AVERAGE, AverageRequest(sources, AVERAGED, 8.0, ""))
    window.state.spectrum.of_average = True
    yield from _finish(window, spectrum.AVERAGE)


def _measure(window: Window) -> Iterator[None]:
    yield from _still(window)
    pictures = tuple((slot, result.request) for slot in SLOTS if (result := window.context.results[slot]) is not None)
    window.context.jobs.start(sticking.METERS, MeterRequest(pictures, MEASURED))
    yield from _finish(window, sticking.METERS)


def _finish(window: Window, job: str) -> Iterator[None]:
    yield
    while window.context.jobs.is_running(job):
        yield
    yield from _still(window)


def _key(window: Window) -> Iterator[None]:
    """Four templates, further keys by hand, and the playhead between two of them."""
    state = window.state
    for template in TEMPLATES[1:5]:
        state.timeline = put_template(state, template)
    state.timeline = timeline_edits.ease_keys(state.timeline, [("translation", 3.0)], "constant")
    state.timeline = timeline_edits.remove_keys(state.timeline, [("translation", 3.75)])
    window.context.timeline.chosen = frozenset({("truncation", 3.0)})
    state.playback.seconds = 1.5
    yield from _still(window)


@dataclass(frozen=True)
class Shot:
    """`keep`: the title of the window that is kept of it, "" for all of it; `fields`: what is set in the state."""

    name: str
    keep: str
    models: tuple[str, str] = ("b", "t")
    fields: tuple[tuple[str, object], ...] = ()
    panels: tuple[str, ...] = ()
    script: Script = _still


SHOTS = (
    Shot("screenshot", "", fields=(("layers.slot", "right"),), panels=(layers.TITLE, sticking.TITLE), script=_sway),
    Shot("panel-layers", layers.TITLE, ("r", "t"), (("layers.sort", "phase"),)),
    Shot("panel-layers-rgb", layers.TITLE, ("r", "t"), (("layers.mode", "rgb"), ("layers.left", "L5"))),
    Shot("panel-spectrum", spectrum.TITLE, panels=(spectrum.TITLE,), script=_average),
    Shot(
        "panel-spectrum-layer",
        spectrum.TITLE,
        ("r", "t"),
        (("spectrum.source", "layer"), ("spectrum.low", -80.0), ("spectrum.at_angle", True)),
        (spectrum.TITLE,),
    ),
    Shot("panel-filters", filters.TITLE, ("r", "t"), panels=(filters.TITLE,)),
    Shot("panel-sticking", sticking.TITLE, panels=(sticking.TITLE,), script=_sway),
    Shot("panel-sticking-walk", sticking.TITLE, panels=(sticking.TITLE,), script=_walk),
    Shot("panel-sticking-mean", sticking.TITLE, fields=(("sticking.show", "mean"),), panels=(sticking.TITLE,)),
    Shot(
        "panel-sticking-meters",
        sticking.TITLE,
        fields=(("sticking.show", "meters"),),
        panels=(sticking.TITLE,),
        script=_measure,
    ),
    Shot("panel-timeline", timeline.TITLE, panels=(timeline.TITLE,), script=_key),
    Shot("panel-transform", transform.TITLE, ("r", "t"), (("transform.scale", 0.6),)),
    Shot("canvas-split", canvas.TITLE, fields=(("canvas.mode", "split"), ("transform.tx", 0.05))),
    Shot("canvas-difference", canvas.TITLE, fields=(("canvas.mode", "difference"), ("canvas.gain", 2.0))),
)


def take(shot: Shot, folder: Path) -> Path:
    """Take one shot; the file written."""
    state = default_state()
    state.left.path, state.right.path = (resolve(model) for model in shot.models)
    for name, value in shot.fields:
        owner, _, field = name.partition(".")
        setattr(getattr(state, owner), field, value)
    window = Window(state, strict=True)
    window.show(*shot.panels)
    box = [0, 0, 0, 0]

    def script() -> Iterator[None]:
        for _ in range(LAID_OUT_FRAMES):
            yield
        yield from shot.script(window)
        if shot.keep:
            found = imgui.internal.find_window_by_name(shot.keep)
            box[:] = [round(v) for v in (found.pos.x, found.pos.y, found.size.x, found.size.y)]

    run_script(window, script())
    pixels = hello_imgui.final_app_window_screenshot()[:, :, :3]
    if shot.keep:
        left, top, width, height = box
        pixels = pixels[top : top + height, left : left + width]
    path = folder / f"{shot.name}.png"
    save_png(path, np.ascontiguousarray(pixels))
    return path


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--only", multiple=True, metavar="NAME", help="Only the shots whose names begin like this.")
def main(folder: Path, only: tuple[str, ...]) -> None:
    """Take the documentation's pictures of the window anew and write them to FOLDER."""
    folder.mkdir(parents=True, exist_ok=True)
    for shot in SHOTS:
        if not only or shot.name.startswith(only):
            click.echo(f"Wrote {take(shot, folder)}.")


if __name__ == "__main__":
    main()
