# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`render --state`: draw a captured state again, as it was drawn when it was captured."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gan.cli.path_types import refuse_existing
from gan.devices import DeviceError, check_device
from gan.networks.describe import describe_channels
from viz.cli.models import user_errors
from viz.cli.output import check_picture_name, check_writable, explain_unwritable
from viz.core import state as states

if TYPE_CHECKING:
    from viz.record.record import Record

ALLOWED = {"state", "slot", "size", "out", "overwrite", "device"}
"""The options that may stand beside --state; the others are what it holds."""


def refuse_others(ctx: click.Context) -> None:
    """Raise a usage error for an option that says what the state already says."""
    for parameter in ctx.command.params:
        source = ctx.get_parameter_source(parameter.name or "")
        given = source not in (None, click.core.ParameterSource.DEFAULT)
        if isinstance(parameter, click.Option) and given and parameter.name not in ALLOWED:
            raise click.UsageError(f"--state holds what {parameter.opts[0]} says: leave out one of them.")


def draw_state(
    source: str, slot: str | None, size: int | None, out: Path | None, device: str | None, *, overwrite: bool
) -> None:
    """Draw the state in a PNG, a state file or a short text, and write it, in a PNG with the state inside."""
    if out is None:
        raise click.UsageError("--state draws one picture: give it a name, such as --out picture.png.")
    refuse_existing(out, overwrite)
    check_picture_name(out, "--out")
    check_writable(out)
    from gan.data.image_io import save_image
    from viz.core.result import describe_error
    from viz.record.png_text import RecordError
    from viz.record.record import KEYWORD, locate, make_record, to_text
    from viz.record.sources import name_source, read_source
    from viz.record.still import draw_slots

    name = name_source(source)
    with tempfile.TemporaryDirectory(prefix="jinc-") as folder:
        try:
            record = choose_device(read_source(source), device)
            if slot is not None:
                record = replace(record, what=slot)  # type: ignore[arg-type]
            if size is not None:
                record = replace(record, size=size)
            located = locate(record, list_own_models(), Path(folder))
        except RecordError as problem:
            raise click.ClickException(str(problem)) from None
        needed = record.slots()
        if not needed:
            raise click.ClickException(f"{name} holds no model for the {record.what} picture: give another --slot.")
        if sentence := located.explain(name, needed):
            raise click.ClickException(sentence)
        with user_errors():
            try:
                drawn = draw_slots(located.state, needed, record.size, record.conditions)
            except Exception as problem:
                if (error := describe_error(problem)) is None:
                    raise
                raise click.ClickException(error) from None
        try:
            new = make_record(located.state, record.what, record.size, drawn.conditions)
        except RecordError as problem:
            raise click.ClickException(str(problem)) from None
    with explain_unwritable(out):
        save_image(out, drawn.pixels, {KEYWORD: to_text(new)})
    if drawn.notice:
        click.echo(drawn.notice)
    height, width = drawn.pixels.shape[:2]
    kind = describe_channels(1 if drawn.pixels.ndim == 2 else drawn.pixels.shape[2])
    without = "" if out.suffix.lower() == ".png" else " The state is not in it: a PNG holds that."
    click.echo(f"Wrote {out} ({width}x{height}, {kind}).{without}")


def choose_device(record: Record, device: str | None) -> Record:
    """Return a record drawn on another device: the one asked for, or the CPU where this machine lacks the record's."""
    found = {}
    for slot, conditions in record.conditions.items():
        wanted = device or conditions.device or "cpu"
        try:
            check_device(wanted)
        except DeviceError as problem:
            if device is not None:
                raise click.ClickException(str(problem)) from None
            click.echo(f"There is no {wanted} here: drawn on the CPU, a value may differ by one step of 255.")
            wanted = "cpu"
        found[slot] = replace(conditions, device=wanted)
    return replace(record, conditions=found)


def list_own_models() -> tuple[str, ...]:
    """Return the models that the window has opened, by its state file; none where there is no such file."""
    try:
        state = states.load(states.default_path())
    except states.StateError:
        return ()
    return tuple(filter(None, (state.left.path, state.right.path, *state.recents)))
