# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The options that say which latent a picture is drawn from, and the w that is written beside it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import click

from gan.cli.path_types import expand_path, refuse_existing
from gan.files.errors import sanitize_text
from viz.cli.output import check_writable
from viz.cli.parameter_types import PATH, SEED, Pair, Seeds
from viz.core.latent import (
    FARTHEST,
    MOST_DIRECTIONS,
    MOST_LAYERS,
    PLANE_LIMIT,
    Direction,
    Latent,
    Moved,
    SeedPoint,
    Space,
    Step,
    seed_point,
)


class DirectionStep(click.ParamType[Step]):
    """KIND:INDEX:SIGMA or KIND:INDEX:SIGMA:LAYERS, such as pca:0:2.5 or dirs.npz:3:-1:2-5; a file is opened later."""

    name = "KIND:N:SIGMA"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Step:
        number = r"[-+]?(?:[0-9]{1,9}\.?[0-9]{0,9}|\.[0-9]{1,9})(?:[eE][-+]?[0-9]{1,2})?"
        found = re.fullmatch(rf"(.+?):([0-9]{{1,4}}):({number})(?::([0-9]{{1,2}})(?:-([0-9]{{1,2}}))?)?", str(value))
        if not found:
            self.fail(f"{value!r} is no step along a direction such as pca:0:2.5 or dirs.npz:3:-1:2-5.", param, ctx)
        if abs(float(found[3])) > FARTHEST or int(found[2]) >= MOST_DIRECTIONS:
            limits = f"directions are 0 to {MOST_DIRECTIONS - 1} and steps -{FARTHEST:g} to {FARTHEST:g}"
            self.fail(f"{value!r} goes too far: {limits} standard deviations.", param, ctx)
        first, last = (int(found[4]), int(found[5] or found[4])) if found[4] else (0, MOST_LAYERS - 1)
        if not first <= last < MOST_LAYERS:
            self.fail(f"{value!r} has no range of layers such as 2-5, the smaller number first.", param, ctx)
        index, strength = int(found[2]), float(found[3])
        match found[1]:
            case "pca" | "closed-form" as kind:
                return Step(Direction(kind, index, first, last), strength)
        try:
            return Step(Direction("file", index, first, last, expand_path(found[1])), strength)
        except ValueError as problem:
            self.fail(f"{problem}.", param, ctx)


_OPTIONS = (
    click.option("--seed", type=SEED, help="Seed of z: RandomState(seed).randn(1, z_dim)."),
    click.option("--seeds", type=Seeds(), help="Several, such as 0-5,9: a picture each, seedNNNN.png."),
    click.option(
        "--seed-plane",
        type=Pair(most=PLANE_LIMIT),
        help="A point between seeds, as in the window: the seed at whole numbers is x + 100 y.",
    ),
    click.option(
        "--space", type=click.Choice(["w", "z"]), default="w", show_default=True, help="What is blended between seeds."
    ),
    click.option("--z", "z_file", type=PATH, metavar="FILE", help="A z from a .npy, .npz or .safetensors file."),
    click.option(
        "--w",
        "--projected-w",
        "w_file",
        type=PATH,
        metavar="FILE",
        help="A w, or one for each layer, from such a file, a projector's .npz for example.",
    ),
    click.option(
        "--direction",
        "steps",
        type=DirectionStep(),
        multiple=True,
        help="Move w along a direction by so many standard deviations: pca:0:2.5, closed-form:1:-2:2-5 (of these "
        "layers) or dirs.npz:3:1; may be given several times.",
    ),
)


def latent_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a latent to a command: seed, seeds, seed_plane, space, z_file, w_file, steps."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


class NamedLatent(NamedTuple):
    """A latent, and the name of its picture in a folder."""

    latent: Latent
    file: str


def choose_latents(
    seed: int | None,
    seeds: tuple[int, ...] | None,
    seed_plane: tuple[float, float] | None,
    space: Space,
    z_file: Path | None,
    w_file: Path | None,
    steps: Sequence[Step],
) -> list[NamedLatent]:
    """Return the latents that the options name, seed 0 if none does, moved along `steps`.

    Raises click.UsageError for two at once, click.ClickException for a file that holds none.
    """
    given = {"--seed": seed, "--seeds": seeds, "--seed-plane": seed_plane, "--z": z_file, "--w": w_file}
    named = [option for option, value in given.items() if value is not None]
    if len(named) > 1:
        raise click.UsageError(f"Give {named[0]} or {named[1]}, not both.")
    bases = _choose_bases(seed, seeds, seed_plane, space, z_file, w_file)
    moves = tuple(_open_step(step) for step in steps)
    return [NamedLatent(Moved(latent, moves) if moves else latent, file) for latent, file in bases]


def _choose_bases(
    seed: int | None,
    seeds: tuple[int, ...] | None,
    seed_plane: tuple[float, ...] | None,
    space: Space,
    z_file: Path | None,
    w_file: Path | None,
) -> list[NamedLatent]:
    if seed_plane is not None:
        x, y = seed_plane
        return [NamedLatent(SeedPoint(x, y, space), f"plane_{x:g}_{y:g}.png")]
    if w_file is not None or z_file is not None:
        from gan.data.latent_files import LatentError  # here: numpy is not for --help
        from viz.loading.latent_files import open_latent

        file = w_file or z_file or Path()
        try:
            return [NamedLatent(open_latent(str(file), "z" if w_file is None else "w"), f"{file.stem}.png")]
        except LatentError as problem:
            raise click.ClickException(str(problem)) from None
    return [NamedLatent(seed_point(number), f"seed{number:04d}.png") for number in seeds or (seed or 0,)]


def _open_step(step: Step) -> Step:
    """Return a step along a direction of a file with what is in the file. Raises click.ClickException."""
    if step.direction.kind != "file":
        return step
    from gan.data.latent_files import LatentError
    from viz.loading.direction_files import open_directions

    try:
        opened = open_directions(step.direction.path)
    except LatentError as problem:
        raise click.ClickException(str(problem)) from None
    return replace(step, direction=replace(step.direction, path=opened.path, digest=opened.digest))


def check_steps(steps: Sequence[Step], model: str, num_ws: int) -> None:
    """Raise click.UsageError if a step names layers that the model, which takes `num_ws` w's, does not have."""
    for direction in (step.direction for step in steps):
        if (direction.first, direction.last) != (0, MOST_LAYERS - 1) and direction.last >= num_ws:
            raise click.UsageError(
                f"{model} has w's 0 to {num_ws - 1}: give --direction some of them, not {direction.last}."
            )


def check_cutoff(cutoff: int | None, model: str, num_ws: int) -> None:
    """Raise click.UsageError if more w's are to be truncated than the model, which takes `num_ws`, has."""
    if cutoff is not None and cutoff > num_ws:
        raise click.UsageError(f"{model} has {num_ws} w's: give --cutoff a number from 1 to {num_ws}, or leave it out.")


def check_w_name(path: Path, count: int, overwrite: bool) -> None:
    """Raise click.UsageError or ClickException unless the one w of `count` pictures can be written to `path`."""
    if count > 1:
        raise click.UsageError("--save-w writes the w of one picture: give one seed.")
    refuse_existing(path, overwrite, "--save-w")
    from gan.data.latent_files import SUFFIXES

    if path.suffix.lower() not in SUFFIXES:
        name = sanitize_text(path.name, 100) or "w"
        raise click.UsageError(
            f"--save-w {name} must end in .npz, .npy or .safetensors, as in {path.stem or name}.npz."
        )
    check_writable(path)
