# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""A click group whose commands are imported when they are called, so that `--help` takes no second."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any, NamedTuple

import click

HELP_OPTIONS = {"help_option_names": ["-h", "--help"]}


class Entry(NamedTuple):
    """A command before it is imported."""

    name: str
    target: str  # "package.module:attribute"
    summary: str  # for the list of commands: the first sentence of its own help


@contextmanager
def end_on_sigterm() -> Iterator[None]:
    """Let SIGTERM end what runs within as Ctrl-C does, so that no unfinished file and no worker is left."""
    if threading.current_thread() is not threading.main_thread():  # signals are its own
        yield
        return
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


class LazyGroup(click.Group):
    """A group that imports a command when it is needed, and runs `default` when none is named.

    SIGTERM ends a command as Ctrl-C does.

    `elsewhere`: names that people know from the official tools, and the sentence that says what does the same here.
    A package that turns out to be missing raises ImportError.
    """

    def __init__(
        self,
        *args: Any,
        entries: tuple[Entry, ...] = (),
        default: str | None = None,
        elsewhere: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.entries, self.default = {entry.name: entry for entry in entries}, default
        self.elsewhere = elsewhere or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.entries:
            return None
        module, _, attribute = self.entries[cmd_name].target.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        with end_on_sigterm():
            return super().invoke(ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(entry.name, entry.summary) for entry in self.entries.values()])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if self.default and (not args or args[0] not in ctx.help_option_names and self.is_for_default(args[0])):
            args = [self.default, *args]
        return super().parse_args(ctx, args)

    def is_for_default(self, first: str) -> bool:
        """Return whether a command line that begins with `first`, no option for help, is the default command's."""
        return first.startswith("-")

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0].removesuffix(".py")
        if args[0] not in self.entries and name in self.elsewhere:
            raise click.UsageError(self.elsewhere[name], ctx)
        return super().resolve_command(ctx, args)
