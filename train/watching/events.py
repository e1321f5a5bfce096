# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The numbers of stats.jsonl once more as TensorBoard's events, where the package tensorboard is installed."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

GROUPS = {
    "loss": ("loss_g", "loss_d", "r1", "pl"),
    "discriminator": ("d_real_sign", "d_fake_sign", "augment_p", "grad_nonfinite"),
    "pace": ("images_per_s", "data_wait", "seconds"),
    "memory": ("memory_mb", "memory_reserved_mb"),
}
TAGS = {name: f"{group}/{name}" for group, names in GROUPS.items() for name in names}


class EventLog:
    """A file of events in a run folder; a step of TensorBoard is an image shown to D."""

    def __init__(self, run: Path, images: int) -> None:
        """Begin a file for a session that starts at `images`. ImportError where there is no tensorboard; OSError."""
        from tensorboard.compat.proto.event_pb2 import Event, SessionLog
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.record_writer import RecordWriter

        self._event, self._summary = Event, Summary
        name = f"events.out.tfevents.{int(time.time()):010d}.{os.getpid()}.{images}"
        self._writer = RecordWriter((run / name).open("wb"))
        self._write(file_version="brain.Event:2")
        # What an earlier session wrote from this step on is to be forgotten: it comes again.
        self._write(step=images + 1, session_log=SessionLog(status=SessionLog.START))

    def add(self, images: int, values: Mapping[str, Any]) -> None:
        """Add the numbers of a tick, by their names in stats.jsonl, or of a metric by its own."""
        numbers = {TAGS.get(name, name): value for name, value in values.items() if isinstance(value, int | float)}
        shown = {tag: value for tag, value in numbers.items() if "/" in tag}
        kept = [self._summary.Value(tag=tag, simple_value=value) for tag, value in shown.items()]
        self._write(step=images, summary=self._summary(value=kept))

    def close(self) -> None:
        self._writer.close()

    def _write(self, **fields: Any) -> None:
        self._writer.write(self._event(wall_time=time.time(), **fields).SerializeToString())
        self._writer.flush()


def open_events(run: Path, images: int) -> EventLog | None:
    """Begin a file of events; None where the package is not installed. OSError."""
    try:
        return EventLog(run, images)
    except ImportError:
        return None
