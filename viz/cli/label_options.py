# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The options --class and --label of commands that draw pictures, and the label that a model is given by them."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from gan.networks.labels import (
    Label,
    count_labels,
    default_label,
    describe_class,
    describe_label,
    is_finite,
    read_class_names,
    read_label_mean,
)

if TYPE_CHECKING:  # torch takes longer to load than all the rest: not for --help
    from gan.checkpoints.checkpoint import Header

LISTED = 8  # names of classes that a sentence has room for


class Vector(click.ParamType[tuple[float, ...]]):
    """Numbers with commas between them."""

    name = "NUMBERS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        try:
            numbers = tuple(float(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is not a list of numbers such as 0.2,0.7.", param, ctx)
        if not is_finite(numbers):
            self.fail(f"{value!r} holds a number that is not finite, or too large.", param, ctx)
        return numbers


class_option = click.option(
    "--class", "class_", metavar="CLASS", help="Class, by its number or name, for models with labels."
)
label_option = click.option(
    "--label", "vector", type=Vector(), metavar="X,Y,...", help="Label as numbers, for models trained with such."
)


class ChosenLabel(NamedTuple):
    """The label that a model is given; None for a model without labels. `words` say which, "" for none."""

    label: Label | None
    words: str = ""
    remark: str = ""  # a sentence, where it was not chosen by the user, or is of a kind that training never saw

    def as_request(self) -> dict[str, Any]:
        """Return the fields of a PictureRequest."""
        if isinstance(self.label, tuple):
            return {"label_kind": "vector", "vector": self.label}
        return {} if self.label is None else {"label_kind": "class", "label": self.label}


def choose_label(name: str, header: Header, class_: str | None, vector: tuple[float, ...] | None) -> ChosenLabel:
    """Return the label for the model called `name`. Raise click.UsageError, one sentence, if it takes no such one."""
    c_dim, option = header.config.c_dim, "--class" if class_ is not None else "--label"
    given = class_ is not None or vector is not None
    if class_ is not None and vector is not None:
        raise click.UsageError("Give --class or --label, not both.")
    if not c_dim:
        if given:
            raise click.UsageError(f"{name} was trained without labels: leave out {option}.")
        return ChosenLabel(None)
    names, mean = read_class_names(header.facts, c_dim), read_label_mean(header.facts, c_dim)
    if vector is not None and len(vector) != c_dim:
        raise click.UsageError(f"{name} takes labels of {_count(c_dim)}, and --label has {len(vector)}: give {c_dim}.")
    if class_ is not None:
        label = find_class(name, class_, names, c_dim)
        remark = ""
        if mean is not None:
            remark = (
                f"{name} was trained with labels of {_count(c_dim)}, of which a class alone may be none: see --label."
            )
        elif class_ in names and names[label] != class_:
            other = describe_class(names.index(class_), names)
            remark = f"--class {class_} is a number, and takes {describe_class(label, names)}; there is also {other}."
        return ChosenLabel(label, describe_label(label, names), remark)
    if vector is not None:
        return ChosenLabel(vector, describe_label(vector))
    default = default_label(c_dim, mean)
    words = describe_label(default, names)
    if mean is not None:
        return ChosenLabel(default, words, f"{name} has labels: their mean is taken, {words}; --label takes another.")
    options = "--class or --label takes another"
    return ChosenLabel(
        default, words, f"{name} has {count_labels(c_dim, mean, bool(names))}: {words} is taken; {options}."
    )


def find_class(name: str, wanted: str, names: tuple[str, ...], c_dim: int) -> int:
    """Return the number of a class given by number or name. Raise click.UsageError if there is none, or two."""
    if wanted.isascii() and wanted.isdecimal():
        number = int(wanted[:20])
        if number >= c_dim:
            raise click.UsageError(f"{name} has classes 0 to {c_dim - 1}: choose one of them for --class.")
        return number
    if not names:
        raise click.UsageError(f"{name} does not name its classes: give --class a number from 0 to {c_dim - 1}.")
    found = [number for number, known in enumerate(names) if known == wanted]
    found = found or [number for number, known in enumerate(names) if known.casefold() == wanted.casefold()]
    if len(found) == 1:
        return found[0]
    if found:
        numbers = ", ".join(map(str, found[:LISTED]))
        raise click.UsageError(
            f"{name} calls several classes {wanted!r}: give --class one of their numbers, {numbers}."
        )
    close = difflib.get_close_matches(wanted, names, LISTED) if len(wanted) <= 200 else []
    listed = close or [describe_class(number, names) for number in range(min(c_dim, LISTED))]
    told = ", ".join(listed) + (f" and {c_dim - LISTED} more" if not close and c_dim > LISTED else "")
    told = f"did you mean {told}?" if close else f"choose one of {told}."
    raise click.UsageError(f"{name} has no class {wanted[:60]!r}: {told}")


def _count(c_dim: int) -> str:
    return "1 number" if c_dim == 1 else f"{c_dim} numbers"
