# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Read the contents of checkpoints from their headers, on a thread of its own, before anything is loaded."""

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gan.checkpoints.checkpoint import FORMAT, CheckpointError, Header, TransientError, read_header
from gan.files.errors import sanitize_text
from gan.files.format import format_bytes
from gan.hub.resolve import explain_missing
from gan.networks.describe import count_parameters, describe_channels, describe_rung
from gan.networks.labels import count_labels, read_class_names, read_label_mean
from viz.core.result import CheckpointInfo, ModelFacts, ModelFigure

AGAIN_SECONDS = 2.0
KEPT = 64  # files that are remembered
MOST_KIMG, MOST_FIGURE = 1e9, 1e9  # that are believed
MOST_NAME = 80  # characters of a measurement's name
WAITING = 8  # files to be read at most; older ones are dropped, and asked for again if they are still wanted

Key = tuple[str, int, int]  # path, time, size: a file written anew is another one


def read_facts(path: str) -> ModelFacts:
    """Return the facts of a checkpoint, from its header alone; same errors as loading it, but for lack of memory."""
    return _facts(path, read_header(path))


def _facts(path: str, header: Header) -> ModelFacts:
    config = header.config
    kimg = header.facts.get("kimg")
    return ModelFacts(
        path=path,
        layers=config.num_layers if config.architecture == "layers" else config.num_ws - 1,
        parameters=sum(count_parameters(config)),  # trained ones: what a file holds beside them follows from these
        bytes=header.bytes,
        learned_transform=config.architecture == "layers" and config.learned_transform,
        config=config,
        classes=read_class_names(header.facts, config.c_dim),
        label_mean=read_label_mean(header.facts, config.c_dim),
        figures=tuple(_read_figures(header.facts)),
        kimg=float(kimg) if isinstance(kimg, (int, float)) and 0 <= kimg < MOST_KIMG else None,
    )


def _read_figures(facts: Mapping[str, Any]) -> Iterator[ModelFigure]:
    """Yield the measurements that a file tells of its model; those that are none are left out."""
    figures = facts.get("figures")
    for kind, row in figures.items() if isinstance(figures, dict) else ():
        name, value = (row.get("name"), row.get("value")) if isinstance(row, dict) else (None, None)
        if isinstance(name, str) and isinstance(value, int | float) and abs(value) < MOST_FIGURE:
            yield ModelFigure(str(kind), sanitize_text(name)[:MOST_NAME], float(value))


def read_info(path: str) -> CheckpointInfo:
    """Read what a file is. Never raises, whatever is in the file."""
    try:
        header = read_header(path)
        size = format_bytes(os.stat(path).st_size)
    except TransientError as problem:
        return CheckpointInfo(None, error=str(problem), passing=True)
    except (CheckpointError, OSError) as problem:
        return CheckpointInfo(None, error=str(problem), passing=isinstance(problem, OSError))
    facts, kind = _facts(path, header), header.describe()
    labels = count_labels(facts.config.c_dim, facts.label_mean, bool(facts.classes or facts.config.embed_rows))
    rung, channels = describe_rung(header.config), describe_channels(header.config.img_channels)
    words = (
        f"{rung}: {facts.config.resolution} px, {channels}, {labels}, "
        f"{facts.parameters:,} parameters. {kind[:1].upper()}{kind[1:]}. {size}."
    )
    code = format_bytes(header.code_bytes) if header.code_bytes else ""
    file = "Jinc" if header.format == FORMAT else ", ".join(filter(None, (header.format, header.family)))
    return CheckpointInfo(facts, words, file, code)


class InfoReader:
    """Returns a file's contents at once if they are known. `wake` is called, from the thread, after each reading."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._changed = threading.Condition()
        self._known: OrderedDict[Key, CheckpointInfo] = OrderedDict()
        self._waiting: list[Key] = []
        self._again: dict[Key, float] = {}  # when the file read last, if it could not be read, is worth another try
        self._thread: threading.Thread | None = None
        self._closed = False

    def get(self, path: str) -> CheckpointInfo | None:
        """Return what is there, None while it is being read. Returns at once."""
        try:
            status = os.stat(path)
        except (OSError, ValueError):  # ValueError: a null byte in the path
            return CheckpointInfo(None, error=explain_missing(path))
        if not os.path.isfile(path):
            return CheckpointInfo(None, error=explain_missing(path))
        key = path, status.st_mtime_ns, status.st_size
        with self._changed:
            known = self._known.get(key)
            if known is not None:
                self._known.move_to_end(key)
                if not known.passing or time.monotonic() < self._again.get(key, 0.0):
                    return known
            if key not in self._waiting:
                self._waiting = [*self._waiting[1 - WAITING :], key]
                self._changed.notify()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="inside", daemon=True)
                self._thread.start()
        return known

    def close(self) -> None:
        """End the thread after the file that it is reading."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._closed:
                    self._changed.wait()
                if self._closed:
                    return
                key = self._waiting[-1]  # the newest question
            try:
                found = read_info(key[0])
            except Exception as problem:  # the thread must outlive whatever is in a file
                found = CheckpointInfo(
                    None, error=f"{os.path.basename(key[0])} cannot be read: {type(problem).__name__}."
                )
            with self._changed:
                self._known[key] = found
                self._again = {key: time.monotonic() + AGAIN_SECONDS} if found.passing else {}
                while len(self._known) > KEPT:
                    self._known.popitem(last=False)
                self._waiting = [other for other in self._waiting if other != key]
            self._wake()
