# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""A click command that answers an option which it does not have with what to do instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

import click

SIMILARITY = 0.75  # of two names, without their dashes, from which one may be a misspelling of the other


class Command(click.Command):
    """A command that explains unknown options, after it checked those that decide what the others mean (eager ones).

    `elsewhere`: options of the official tools that are not there yet, or that mean nothing here, and the sentence that
    says so, which begins behind the option's name.
    """

    def __init__(self, *args: Any, elsewhere: Mapping[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.elsewhere = elsewhere or {}
        for parameter in self.params:  # whose kinds click calls "integer range" and "float range"
            if isinstance(parameter.type, click.IntRange | click.FloatRange):
                parameter.type.name = "integer" if isinstance(parameter.type, click.IntRange) else "number"

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        given = list(args)  # the parser empties its list
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as problem:
            self._check_eager_options(ctx, given)
            raise click.NoSuchOption(
                problem.option_name, self._explain_unknown(problem.option_name, ctx), ctx=ctx
            ) from None

    def _check_eager_options(self, ctx: click.Context, args: list[str]) -> None:
        """Raise what is wrong with an eager option: it says more than any sentence on an option that is unknown."""
        parser = self.make_parser(ctx)
        parser.ignore_unknown_options = True
        values, rest, _ = parser.parse_args(args)
        for parameter in self.get_params(ctx):
            if (
                isinstance(parameter, click.Option)
                and parameter.is_eager
                and parameter.name in values.keys() - {"help"}
            ):
                parameter.handle_parse_result(ctx, values, rest)

    def _explain_unknown(self, name: str, ctx: click.Context) -> str:
        if name in self.elsewhere:
            return f"{name} {self.elsewhere[name]}"
        known = {option.lstrip("-"): option for option in _list_options(self)}
        close = get_close_matches(name.lstrip("-"), known, n=1, cutoff=SIMILARITY)
        if close:
            return f"No such option: {name}; did you mean {known[close[0]]}?"
        owners = [f"`{other}`" for other in _find_owners(name, ctx)]
        if owners:
            of = f"the command {owners[0]}" if len(owners) == 1 else f"the commands {' and '.join(owners)}"
            return f"No such option: {name}; it is an option of {of}: name one first."
        return f"No such option: {name}; --help lists those there are."


def _list_options(command: click.Command) -> Iterator[str]:
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            yield from (*parameter.opts, *parameter.secondary_opts)


def _find_owners(name: str, ctx: click.Context) -> Iterator[str]:
    """Yield the names of the program's other commands that have an option."""
    group = ctx.parent.command if ctx.parent else None
    if isinstance(group, click.Group) and ctx.parent is not None:
        for other in group.list_commands(ctx.parent):
            command = group.get_command(ctx.parent, other)
            if command is not None and command is not ctx.command and name in _list_options(command):
                yield other
