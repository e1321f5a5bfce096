# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`python visualizer.py view`: open the window."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gan.cli.command import Command
from gan.cli.download_bar import fetch_with_bar
from gan.cli.network_options import FiniteRange
from gan.cli.path_types import ModelName, overwrite_option, refuse_existing
from gan.files.atomic_write import list_numbered, take_name, write_new
from gan.files.errors import sanitize_text
from gan.hub.resolve import list_bundled, resolve
from viz import invocation
from viz.cli.models import find_model
from viz.cli.output import check_picture_name, check_writable, explain_unwritable
from viz.cli.parameter_types import MODEL_HELP, PATH, PanelTitle, Size
from viz.core import gestures
from viz.core import state as states
from viz.core.state import SLOTS, AppState, Slot, StateError, default_state, open_bundled
from viz.core.state_fields import choices_of
from viz.record.png_text import RecordError
from viz.record.sources import is_capture, latents_folder, name_source, read_source

if TYPE_CHECKING:
    from viz.window.window import Window

MOTIONS = choices_of(states.TransformState(), "animate")[1:]  # without "off"
NAMED = 3  # settings that are not understood

ELSEWHERE = {"--browse-dir": "is not needed here: the Model panel takes any path, and files are dropped on the window."}
OPTIONAL_MODEL = ModelName(is_checked=False, may_be_empty=True)


@click.command(cls=Command, elsewhere=ELSEWHERE)
@click.argument("models", nargs=-1, type=ModelName(is_checked=False))
@click.option(
    "--left", type=OPTIONAL_MODEL, metavar="MODEL", help=f"{MODEL_HELP}, for the left slot; an empty one empties it."
)
@click.option("--right", type=OPTIONAL_MODEL, metavar="MODEL", help="The same for the right slot.")
@click.option(
    "--state",
    "state_file",
    type=PATH,
    metavar="STATE",
    help="Keep the window's state in this file instead; or bring back that of a captured .png or a text (jinc1:...).",
)
@click.option("--capture-dir", type=PATH, metavar="DIR", help="The folder that captures go to.")
@click.option("--size", type=Size(), help="Size of the window, such as 1600x1000.")
@click.option("--screenshot", type=PATH, help="Write a picture of the window to this .png, .jpg or .webp, and exit.")
@overwrite_option
@click.option(
    "--model-memory",
    type=FiniteRange(0.001, 1e6),
    metavar="GIB",
    help="The most that open models may take (half of the memory).",
)
@click.option("--animate", type=click.Choice(["walk", *MOTIONS]), help="Start with this animation.")
@click.option(
    "--panel", "panels", multiple=True, type=PanelTitle(), help="Show this panel, such as Layers; one a dock."
)
@click.option(
    "--exit-after",
    type=FiniteRange(0, 1e6),
    metavar="SECONDS",
    help="Close the window by itself; while an animation plays, say how many pictures a second were shown.",
)
def view(
    models: tuple[str, ...],
    left: str | None,
    right: str | None,
    state_file: Path | None,
    capture_dir: Path | None,
    size: tuple[int, int] | None,
    screenshot: Path | None,
    overwrite: bool,
    model_memory: float | None,
    animate: str | None,
    panels: tuple[str, ...],
    exit_after: float | None,
) -> None:
    """Open the window (the default), on MODELS if any are named: left, right, and the list of recent ones.

    \b
    Examples:
      python visualizer.py network-snapshot-025000.pkl       one model, in the left slot
      python visualizer.py --left b --right t
      python visualizer.py --screenshot window.png           works without a display, too
      python visualizer.py capture.png                       as it was when this picture was captured
      python visualizer.py --left b --right t --animate circle --exit-after 10
                                                             says how many pictures a second each slot showed, counted
                                                             once both have one; works without a display, too
    """
    source, state_file = _split_state(state_file)
    if len(models) == 1 and source is None and (is_capture(models[0]) or models[0].endswith(".png")):
        source, models = models[0], ()
    left, right = _choose_slots(models, left, right)
    if screenshot is not None:
        refuse_existing(screenshot, overwrite, "--screenshot")
        check_picture_name(screenshot, "--screenshot")
        check_writable(screenshot)
    if state_file is not None:
        _refuse_other_files(state_file)
    # Some of torch's CUDA paths would import triton, whose library crashes beside Mesa's LLVM (decision 020).
    sys.modules.setdefault("triton", None)  # type: ignore[arg-type]
    # A screenshot or a measurement starts from a fresh window, and leaves the user's own state alone.
    passing = screenshot is not None or exit_after is not None
    _choose_display(passing)
    paths = _find_models(left, right, passing)
    path, unkept = check_state_path(state_file if state_file or passing else states.default_path())
    state, message = load_state(path)
    if source is not None:
        message = " ".join(filter(None, (message, _bring_back(source, state, path))))
    if capture_dir is not None:
        state.capture.folder = str(capture_dir.absolute())
    for slot, model in paths.items():
        state.slot(slot).path = model
    for name in reversed(models[len(SLOTS) :]):
        state.remember(resolve(name))  # an address is fetched when it is chosen
    if animate:
        _animate(state, animate)
    if size:
        state.display.width, state.display.height = size
    window = _make_window(state, path, model_memory, message, unkept)
    window.show(*panels)
    _run(window, screenshot, exit_after)


def _choose_display(passing: bool) -> None:
    """Let a window that only passes be drawn without a display where there is none; another one cannot be."""
    from viz.display import offscreen  # here, as viz.window.window: other commands and --help load no window library

    if not offscreen.has_display():
        if not passing:
            raise click.ClickException(explain_no_display())
        offscreen.use()


def _find_models(left: str | None, right: str | None, passing: bool) -> dict[Slot, str]:
    """Return the paths of the models that are named for the slots; "" empties a slot."""
    # A window says beside its other picture that there is no such model; nobody would read it in a passing one.
    find = find_model if passing else partial(resolve, fetch=fetch_with_bar)
    named = {slot: name for slot, name in zip(SLOTS, (left, right), strict=True) if name is not None}
    return {slot: str(find(name)) if name else "" for slot, name in named.items()}


def _make_window(state: AppState, path: Path | None, model_memory: float | None, message: str, unkept: str) -> Window:
    """Make the window, which says first what is to be said of its state and of where it is kept."""
    from viz.window.window import Window

    window = Window(state, path, model_bytes=None if model_memory is None else model_memory * 2**30)
    window.context.message = " ".join(filter(None, (message, unkept, window.context.message)))
    return window


def _split_state(given: Path | None) -> tuple[str | None, Path | None]:
    """Return what --state names: a capture, or the window's own file."""
    return (str(given), None) if given is not None and is_capture(str(given)) else (None, given)


def _bring_back(source: str, state: AppState, path: Path | None) -> str:
    """Bring the state of a capture into that kept at `path`, and return a remark. Raises click.ClickException."""
    from viz.record.record import locate, restore

    passing = partial(tempfile.TemporaryDirectory, prefix="jinc-")
    folder = latents_folder(path) if path else Path(click.get_current_context().with_resource(passing()))
    name, own = name_source(source), tuple(filter(None, (state.left.path, state.right.path, *state.recents)))
    try:
        record = read_source(source)
        located = locate(record, own, folder)
    except RecordError as problem:
        raise click.ClickException(str(problem)) from None
    if sentence := located.explain(name, record.slots()):
        raise click.ClickException(sentence)
    restore(located.state, state)
    return located.explain(name)


def _animate(state: AppState, motion: str) -> None:
    """Start an animation in both slots: "walk" through latents, or a motion of the transform."""
    for slot in SLOTS:
        state.latent_of(slot).animate = motion == "walk"
        state.transform_of(slot).animate = "off" if motion == "walk" else motion


def _choose_slots(models: Sequence[str], left: str | None, right: str | None) -> tuple[str | None, str | None]:
    """Return the models of both slots, named by position or by option."""
    if models and (left is not None or right is not None):
        raise click.UsageError("Name models either alone or by --left and --right.")
    first, second, *_ = (*models, None, None)
    return (first, second) if models else (left, right)


def _refuse_other_files(path: Path) -> None:
    """Raise a usage error for a file that is no state of the window, and would be replaced by one."""
    if os.path.isdir(path):
        raise click.UsageError(f"--state {sanitize_text(path)} is a folder: give the name of a file in it.")
    with contextlib.suppress(OSError), open(path, "rb") as file:
        if not (file.read(64).lstrip() or b"{").startswith(b"{"):
            raise click.UsageError(f"--state {sanitize_text(path)} is another file: give another name.")


def _run(window: Window, screenshot: Path | None, exit_after: float | None) -> None:
    """Run the window until it is closed, and print what it has to say."""
    from viz.window.window import NoOpenGL

    if window.context.message:
        click.echo(window.context.message, err=True)
    try:
        with explain_unwritable(screenshot or window.state_path):
            window.run(screenshot, exit_after)
    except NoOpenGL as problem:
        raise click.ClickException(str(problem)) from None
    if screenshot:
        click.echo(f"Wrote {screenshot}.")
    if exit_after is not None and gestures.is_animating(window.state):
        click.echo(window.context.timings.rate.describe())
    failures = [result.error for result in window.context.results.values() if result and result.error]
    if screenshot and failures:
        raise click.ClickException(" ".join(failures))
    if not window.close():
        # A large model's picture is still under way. The interpreter cannot end a thread inside torch, it aborts.
        sys.stdout.flush()
        os._exit(0)


def explain_no_display() -> str:
    """Say why there is no window, and name a command that needs none. Only X11 names a display in a variable."""
    reason = ""
    if sys.platform.startswith("linux"):
        display = sanitize_text(os.environ.get("DISPLAY", ""), 60)
        why = f"DISPLAY is {display}, which cannot be opened" if display else "DISPLAY is not set"
        reason = f" (the window speaks X11, and {why})"
    words = ["--screenshot", "window.png"]
    if known := list_bundled():
        words = ["render", "--model", known[-1].name, "--seed", "0", "--out", "picture.png"]
    instead = f"write a picture without one by `{invocation.format_command(*words)}`"
    return f"There is no display to open a window on{reason}: {instead}, or {invocation.suggest_doctor()}"


def check_state_path(path: Path | None) -> tuple[Path | None, str]:
    """Return the state's path, or None and a sentence where nothing can be kept there."""
    if path is None:
        return None, ""
    where = path.parent
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path.parent).close()
        where = path
        with contextlib.suppress(FileNotFoundError):
            path.stat()  # OSError for a name that is too long
        return path, ""
    except OSError as problem:
        named = sanitize_text(where)
        why = f"What you set will not be kept, because {named} cannot be written ({problem.strerror or problem})"
        return None, f"{why}: {invocation.suggest_doctor()}"


def load_state(path: Path | None) -> tuple[AppState, str]:
    """Return the state kept at `path`, or a first start's, and a sentence where the file there could not be used.

    Settings that are unfit are as at a first start, and all others as they are in the file.
    """
    if path is None or not _is_there(path):
        return default_state(), ""
    unfit: dict[str, str] = {}
    try:
        state = states.load(path, unfit)
    except StateError as problem:
        remarks = [f"Started afresh: {problem}"]
        with contextlib.suppress(OSError):
            # Its owner may want to repair it, and an earlier one may be of use; a new one is written soon.
            kept = take_name(path, list_numbered(path.with_suffix(".damaged.json")))
            remarks.append(f"The file is kept as {kept.name}.")
        return default_state(), " ".join(remarks)
    gone = [slot for slot in SLOTS if state.slot(slot).path and not os.path.exists(state.slot(slot).path)]
    remarks = [f"There is no {state.slot(slot).path} any more." for slot in gone]
    for slot in gone:
        state.slot(slot).path = ""
    if gone or not (state.left.path or state.right.path):
        open_bundled(state)
    return state, " ".join([*_explain_unfit(path, unfit), *remarks])


def _is_there(path: Path) -> bool:
    """Return whether there is a file, or anything else that is to be read, and fails."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError):  # a name that is too long, for example: reading says so
        pass
    return True


def _explain_unfit(path: Path, unfit: Mapping[str, str]) -> list[str]:
    """Return sentences on settings that were not understood; the file as it was is kept beside for its owner."""
    if not unfit:
        return []
    named, more = list(unfit)[:NAMED], len(unfit) - NAMED
    others = f" and {more} more" if more > 0 else ""
    were = "were not understood and are" if len(unfit) > 1 else "was not understood and is"
    remarks = [f"{', '.join(named)}{others} {were} as at first: {unfit[named[0]]}"]
    with contextlib.suppress(OSError):
        with write_new(list_numbered(path.with_suffix(".damaged.json"))) as new:
            shutil.copyfile(path, new.temporary)
        if new.path is not None:
            remarks.append(f"The file as it was is kept as {new.path.name}.")
    return remarks
