# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Options of augmentation, by the names that the official trainer gives them."""

from __future__ import annotations

from typing import Any

import click

from gan.augment.config import PIPES, POLICIES
from gan.augment.options import MODES, AugmentOptions
from gan.cli.network_options import FiniteRange
from train.cli.options import Kimg

NAMES = ("aug", "augpipe", "p", "target", "ada_images", "diffaug")


class Policies(click.ParamType[tuple[str, ...]]):
    """Transforms of DiffAugment by name, with commas between them."""

    name = "NAMES"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        names = tuple(word.strip() for word in str(value).lower().split(",") if word.strip())
        if not names or any(name not in POLICIES for name in names):
            self.fail(
                f"{value!r:.80} names none of DiffAugment's transforms: give some of {','.join(POLICIES)}.", param, ctx
            )
        return tuple(name for name in POLICIES if name in names)


def augment_options(command: Any) -> Any:
    """Add the options of augmentation to a command; `take_augmentation` makes one value of them."""
    options = (
        click.option(
            "--aug",
            type=click.Choice(MODES, case_sensitive=False),
            help="Augment what the discriminator sees, so that few pictures last longer: never, as much as --target "
            "asks for, or with probability --p (ada; tiny: noaug).",
        ),
        click.option(
            "--augpipe", type=click.Choice(tuple(PIPES)), help="Transforms: (b)lit, (g)eometry, (c)olor, ... (bgc)."
        ),
        click.option(
            "--p",
            type=FiniteRange(0, 1),
            help="Probability of each transform, with --aug=fixed (0.2); with ada its start (0).",
        ),
        click.option(
            "--target",
            type=FiniteRange(0, 1, min_open=True, max_open=True),
            help="Mean sign of D on reals that ada holds (0.6).",
        ),
        click.option(
            "--ada-kimg",
            "ada_images",
            type=Kimg(),
            help="Thousands of images in which ada takes p from 0 to 1 at the fastest (500).",
        ),
        click.option(
            "--diffaug",
            type=Policies(),
            help="DiffAugment's transforms, cheaper: color,translation,cutout or some of them.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def take_augmentation(given: dict[str, Any]) -> None:
    """Replace the options of augmentation in `given` by one, `augment`; none if none was given."""
    values = {name: given.pop(name) for name in NAMES if name in given}
    if not values:
        return
    needless = {"p": ("ada", "fixed"), "target": ("ada",), "ada_images": ("ada",), "augpipe": ("ada", "fixed")}
    mode = values.pop("aug", None)
    if mode is None:
        mode = (
            "noaug"
            if not set(values) - {"diffaug"}
            else "fixed"
            if set(values) <= {"p", "augpipe", "diffaug"} and "p" in values
            else "ada"
        )
    for name in values:
        if mode not in needless.get(name, (mode,)):
            option = {"ada_images": "--ada-kimg"}.get(name, f"--{name}")
            raise click.UsageError(
                f"{option} goes with --aug={' or --aug='.join(needless[name])}, not with --aug={mode}."
            )
    fields: dict[str, Any] = {"mode": mode, "p": values.get("p", 0.2 if mode == "fixed" else 0.0)}
    fields |= {
        name: values[key]
        for name, key in (("target", "target"), ("ramp_images", "ada_images"), ("diffaug", "diffaug"))
        if key in values
    }
    if "augpipe" in values:
        fields["pipe"] = PIPES[values["augpipe"]]
    given["augment"] = AugmentOptions(**fields)
