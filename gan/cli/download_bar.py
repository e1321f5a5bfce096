# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Fetch models on a command line: a progress bar meanwhile, the checksum afterwards."""

import os
import sys
from contextlib import ExitStack
from typing import Any

import click

from gan.files.format import format_bytes
from gan.hub.download import Downloaded, Progress, fetch
from gan.hub.published import find_detector, find_published
from gan.hub.url import DownloadError, parse_address

STAGES = {"downloading": "Downloading", "checking": "Checking"}  # those that have a bar


class Interrupted(click.ClickException):
    """A download that Ctrl-C ended."""

    exit_code = 130


class _Bar(ExitStack):
    """A bar for each stage on a terminal; nothing elsewhere."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name, self._stage, self._done = name, "", 0
        self._bar: Any = None

    def show(self, now: Progress) -> None:
        if now.stage not in STAGES or not sys.stderr.isatty():
            return
        if now.stage != self._stage:
            self.close()
            self._stage, self._done = now.stage, 0
            self._bar = self.enter_context(
                click.progressbar(
                    length=now.total,
                    label=f"{STAGES[now.stage]} {self._name}",
                    file=sys.stderr,
                    item_show_func=lambda _: format_bytes(self._done),
                )
            )
        more, self._done = now.done - self._done, now.done
        self._bar.update(more)


def fetch_with_bar(url: str) -> str:
    """Return the path of the model at an address; click.ClickException, one sentence, where there is none."""
    try:
        address = parse_address(url)
        name = address.file_name or address.host
        if published := find_published(url) or find_detector(url):
            click.echo(published.describe_terms(), err=True)
        with _Bar(name) as bar:
            found = fetch(url, progress=bar.show)
    except DownloadError as problem:
        raise click.ClickException(str(problem)) from None
    except KeyboardInterrupt:
        raise Interrupted(f"The download of {name} was interrupted: run the same command again to resume it.") from None
    click.echo(_summarize(found), err=True)
    return os.fspath(found.path)


def _summarize(found: Downloaded) -> str:
    """Say what was fetched, with its checksum, in a line."""
    source = ", from the cache" if found.from_cache else ""
    note = f". {found.note}" if found.note else ""
    return f"{found.path.name}: {format_bytes(found.bytes)}{source}, sha256 {found.sha256}{note}"
