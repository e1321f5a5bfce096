# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The viewer's command line: `view` (when none is named) opens the window, `render` writes pictures without one."""

import contextlib
import json
import logging
import os
import re
import sys
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click

from gan.models import bundled, recorded, resolve
from viz import models, motion, start
from viz import state as states
from viz.convert_cli import convert
from viz.doctor_cli import doctor
from viz.inspect_cli import inspect
from viz.request import PictureRequest
from viz.soak import soak
from viz.spectra_cli import spectra
from viz.state import SLOTS, AppState, StateError
from viz.sticking_cli import sticking

NO_DISPLAY = "There is no display to open a window on{reason}: write a picture without one by `{instead}`, or {doctor}"
NOT_KEPT = "What you set will not be kept, for {folder} cannot be written ({reason}): {doctor}"
SEEDS_LIMIT = 100_000
PANEL_TITLES = ("Model", "Latent", "Transform", "Layers", "Spectrum", "Filters", "Sticking", "Training", "Performance")
MOTIONS = states.choices_of(states.TransformState(), "animate")[1:]  # without "off"


class DefaultGroup(click.Group):
    """A group that runs `view` when no command is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0].startswith("-") and args[0] not in ("-h", "--help")):
            args = ["view", *args]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a package that is found missing only now is one sentence, too."""
        try:
            return super().invoke(ctx)
        except ImportError as problem:
            raise click.ClickException(start.cannot_start(problem)) from None


class Size(click.ParamType[tuple[int, int]]):
    """WIDTHxHEIGHT in pixels."""

    name = "WxH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", str(value))
        if not found:
            self.fail(f"{value!r} is not a size such as 1600x1000.", param, ctx)
        width, height = int(found[1]), int(found[2])
        if not (320 <= width <= 16384 and 240 <= height <= 16384):
            self.fail(f"{value} is not a size between 320x240 and 16384x16384.", param, ctx)
        return width, height


class Number(click.ParamType[float]):
    """A number within limits."""

    name = "NUMBER"

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            number = float(value)
        except ValueError:
            self.fail(f"{value!r} is not a number.", param, ctx)
        if not self.low <= number <= self.high:
            self.fail(f"{value} is not between {self.low:g} and {self.high:g}.", param, ctx)
        return number


class Pair(click.ParamType[tuple[float, float]]):
    """Two numbers with a comma between them."""

    name = "X,Y"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, float]:
        if isinstance(value, tuple):
            return value
        try:
            x, y = (float(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is not two numbers such as 0.25,-0.1.", param, ctx)
        if not (abs(x) <= 1e6 and abs(y) <= 1e6):
            self.fail(f"{value!r} is out of range.", param, ctx)
        return x, y


class Seeds(click.ParamType[tuple[int, ...]]):
    """Numbers and ranges: 0-5,9."""

    name = "SEEDS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        seeds: list[int] = []
        for part in str(value).split(","):
            found = re.fullmatch(r"(\d{1,10})(?:-(\d{1,10}))?", part.strip())
            if not found:
                self.fail(f"{value!r} is not a list of seeds such as 0-5,9.", param, ctx)
            first, last = int(found[1]), int(found[2] or found[1])
            if last - first >= SEEDS_LIMIT or last < first:
                self.fail(f"{part!r} is not a range of at most {SEEDS_LIMIT} seeds, smaller first.", param, ctx)
            seeds.extend(range(first, last + 1))
        return tuple(seeds)


@click.group(cls=DefaultGroup, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Look at alias-free generators.

    \b
    Examples:
      python visualizer.py                                   open the window
      python visualizer.py --left b --right my.safetensors   with these two models
      python visualizer.py render --model t --seed 7 --translate 0.25,0 --rotate 10 --out creature.png
      python visualizer.py inspect --cfg T --size 256        layers, filters and parameters in numbers
      python visualizer.py inspect network-snapshot-025000.pkl
                                                             what any checkpoint is; code in it is never run
      python visualizer.py convert network-snapshot-025000.pkl --out cats.safetensors
      python visualizer.py spectra --model b --model t --out spectra.png
                                                             what they draw, frequency by frequency
      python visualizer.py sticking --left b --right t --out sticking
                                                             what sticks to the screen: the paper's figure 1
      python visualizer.py doctor                            what keeps it from running here, and how to mend it

    Without a command the options are those of `view`.
    """
    logging.basicConfig(format="%(message)s")
    logging.getLogger("cuda_ops").setLevel(logging.INFO)  # says once what runs the operators


@main.command()
@click.option("--left", metavar="MODEL",
              help="Checkpoint for the left slot: a file, an http(s) address, or a bundled one's name (b, t, …).",
              )  # fmt: skip
@click.option("--right", metavar="MODEL", help="Checkpoint for the right slot.")
@click.option(
    "--state", "state_file", type=click.Path(path_type=Path), help="Keep the window's state in this file instead."
)
@click.option("--size", type=Size(), help="Size of the window, such as 1600x1000.")
@click.option(
    "--screenshot", type=click.Path(path_type=Path), help="Write a picture of the window to this PNG and exit."
)
@click.option("--model-memory", type=Number(0.001, 1e6), metavar="GIB",
              help="The most that open models may take (half of the memory).")  # fmt: skip
@click.option("--animate", type=click.Choice(["walk", *MOTIONS]), help="Start with this animation.")
@click.option("--panel", "panels", multiple=True, type=click.Choice(PANEL_TITLES, case_sensitive=False),
              help="Open with this panel in front; one a dock.")  # fmt: skip
@click.option("--exit-after", type=Number(0, 1e6), metavar="SECONDS",
              help="Close the window by itself; while an animation plays, say how many pictures a second were shown.",
              )  # fmt: skip
def view(
    left: str | None,
    right: str | None,
    state_file: Path | None,
    size: tuple[int, int] | None,
    screenshot: Path | None,
    model_memory: float | None,
    animate: str | None,
    panels: tuple[str, ...],
    exit_after: float | None,
) -> None:
    """Open the window (the default).

    \b
    Examples:
      python visualizer.py --left b --right t
      python visualizer.py --screenshot window.png           works without a display, too
      python visualizer.py --left b --right t --animate circle --exit-after 10
                                                             says how many pictures a second each slot showed, counted
                                                             once both have one; works without a display, too
    """
    from viz import offscreen  # here, as viz.app below, so that the other commands load no window library

    if not offscreen.has_display():
        if screenshot is None and exit_after is None:
            raise click.ClickException(no_display())
        offscreen.use()
    # A screenshot or a measurement starts from a fresh window, and leaves the user's own state alone.
    passing = screenshot is not None or exit_after is not None
    path = state_file if state_file or passing else states.default_path()
    path, unkept = usable(path)
    state, message = load_state(path)
    message = " ".join(filter(None, (message, unkept)))
    if left is not None:
        state.left.path = resolve(left)
    if right is not None:
        state.right.path = resolve(right)
    if animate:
        for slot in SLOTS:
            state.latent_of(slot).animate = animate == "walk"
            state.transform_of(slot).animate = "off" if animate == "walk" else animate
    if size:
        state.display.width, state.display.height = size
    from viz.app import NoOpenGL, Window

    window = Window(state, path, model_bytes=None if model_memory is None else model_memory * 2**30)
    window.view.message = message
    window.show(*panels)
    if message:
        click.echo(message, err=True)
    try:
        window.run(screenshot, exit_after)
    except NoOpenGL as problem:
        raise click.ClickException(str(problem)) from None
    except OSError as problem:
        raise click.ClickException(f"{screenshot or path} cannot be written: {problem.strerror or problem}.") from None
    if screenshot:
        click.echo(f"Wrote {screenshot}.")
    if exit_after is not None and motion.moving(state):
        click.echo(window.view.tally.sentence())
    failures = [result.error for result in window.view.results.values() if result and result.error]
    if screenshot and failures:
        raise click.ClickException(" ".join(failures))
    if not window.close():
        # A large model's picture is still under way. The interpreter cannot end a thread inside torch, it aborts.
        sys.stdout.flush()
        os._exit(0)


def no_display() -> str:
    """Why there is no window, and a command that needs none. Only X11 tells of a display by a variable."""
    unset = sys.platform.startswith("linux") and not os.environ.get("DISPLAY")
    reason = " (the window speaks X11, and DISPLAY is not set)" if unset else ""
    known = bundled()
    words = ("render", "--model", known[-1].name, "--seed", "0", "--out", "picture.png") if known else ()
    instead = start.command(*(words or ("--screenshot", "window.png")))
    return NO_DISPLAY.format(reason=reason, instead=instead, doctor=start.see_doctor())


def usable(path: Path | None) -> tuple[Path | None, str]:
    """The state's path, or None and a sentence where nothing can be kept there."""
    if path is None:
        return None, ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path.parent).close()
        return path, ""
    except OSError as problem:
        reason = problem.strerror or problem
        return None, NOT_KEPT.format(folder=path.parent, reason=reason, doctor=start.see_doctor())


def load_state(path: Path | None) -> tuple[AppState, str]:
    """The state kept at `path`, or the first start's; and a sentence where the file there could not be used."""
    if path is None or not path.exists():
        state = AppState()
        models.first_start(state)
        return state, ""
    try:
        state = states.load(path)
        gone = [slot for slot in SLOTS if state.slot(slot).path and not os.path.exists(state.slot(slot).path)]
        message = "".join(f"There is no {state.slot(slot).path} any more. " for slot in gone).strip()
        for slot in gone:
            state.slot(slot).path = ""
        if gone or not (state.left.path or state.right.path):
            models.first_start(state)
        return state, message
    except StateError as problem:
        with contextlib.suppress(OSError):
            path.replace(path.with_suffix(".damaged.json"))  # its owner may want to mend it; a new one is written soon
        state = AppState()
        models.first_start(state)
        return state, f"Started afresh: {problem}"


@main.command()
@click.option("--model", required=True, metavar="MODEL",
              help="A checkpoint: a file, an http(s) address, or a bundled one's name (b, t, …).")  # fmt: skip
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="Seed of z: RandomState(seed).randn(1, z_dim).")
@click.option("--seeds", type=Seeds(), help="Several: 0-5,9. Then --out is a folder.")
@click.option("--translate", type=Pair(), default="0,0", help="Right and down, in image widths.")
@click.option("--rotate", type=Number(-1e6, 1e6), default=0.0, metavar="DEG", help="Counter-clockwise.")
@click.option("--scale", type=Number(0.25, 4), default=1.0, metavar="FACTOR", help="More than 1 enlarges.")
@click.option("--untransform", is_flag=True, help="Move the finished picture back: what sticks has moved.")
@click.option("--zero-learned", is_flag=True, help="Without the transform that the model learned from w (H, T, R).")
@click.option("--mean-constant", is_flag=True, help="Rung A: its constant gives way to its mean over the pixels.")
@click.option("--trunc", type=Number(-10, 10), default=1.0, metavar="PSI", help="Truncation psi; 1 is none.")
@click.option("--class", "label", type=click.IntRange(0), default=None, help="Class label, for models with labels.")
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda, mps.")
@click.option("--precision", type=click.Choice(["auto", "float32", "float16"]), default="auto", show_default=True,
              help="auto: float16 on CUDA devices where the picture stays the same.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The PNG to write.")
def render(
    model: str,
    seed: int | None,
    seeds: tuple[int, ...] | None,
    translate: tuple[float, float],
    rotate: float,
    scale: float,
    untransform: bool,
    zero_learned: bool,
    mean_constant: bool,
    trunc: float,
    label: int | None,
    device: str,
    precision: str,
    out: Path,
) -> None:
    """Write a picture, or one a seed, without a window.

    \b
    Examples:
      python visualizer.py render --model t --seed 7 --out creature.png
      python visualizer.py render --model t --seeds 0-5 --translate 0.25,0 --rotate 10 --out creatures
      python visualizer.py render --model b --translate 0.03,0 --untransform --out stuck.png
    """
    if seed is not None and seeds is not None:
        raise click.UsageError("Give --seed or --seeds, not both.")
    request = PictureRequest(
        model=resolve(model),
        psi=trunc,
        label=label or 0,
        tx=translate[0],
        ty=translate[1],
        degrees=rotate,
        scale=scale,
        untransform=untransform,
        learned=(0.0, 0.0, 0.0) if zero_learned else None,
        mean_constant=mean_constant,
        device=device,
        precision=precision,
    )
    from gan.pictures import save_png
    from viz.renderer import Renderer

    renderer = Renderer()
    for number in seeds or (seed or 0,):
        request = replace(request, seeds=((number, 1.0),))
        result = renderer.render(request)
        # What a window shows with a remark is, asked for on a command line, not what was asked for.
        if result.error or result.notice or result.image is None:
            notice = f"{result.notice} Nothing was written." if result.notice else "No picture came back."
            raise click.ClickException(result.error or notice)
        if label is not None and result.facts and not result.facts.c_dim:
            raise click.ClickException(f"{Path(request.model).name} was trained without labels: leave out --class.")
        target = out if seeds is None else out / f"seed{number:04d}.png"
        document = {"schema": 1, "request": {**asdict(request), "model": recorded(model, request.model)}}
        try:
            save_png(target, result.image[:, :, :3], {"jinc": json.dumps(document)})
        except OSError as problem:
            raise click.ClickException(f"{target} cannot be written: {problem.strerror or problem}.") from None
        click.echo(f"Wrote {target} ({result.image.shape[1]}x{result.image.shape[0]}).")


main.add_command(doctor)
main.add_command(soak)
main.add_command(inspect)
main.add_command(convert)
main.add_command(spectra)
main.add_command(sticking)


if __name__ == "__main__":
    sys.exit(main())
