# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Decode every picture of a large set once, in the background, and remember what was found.

Sets that are kept in memory were decoded when they were opened. Of larger ones only the headers were read, so that a
damaged picture would come to light hours into a run.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from gan.data.image_dataset import DamagedPicture, ImageSource, limit_damage
from gan.files.atomic_write import atomic_write
from gan.files.user_cache import find_user_cache

SAVE_SECONDS = 30.0  # between writes of what was found
IDLE_SHARE = 1.0  # seconds of rest for each second of decoding: training comes first
VERIFIED_FOLDER = "verified-pictures"  # in the user's cache folder


class Verifier:
    """Verification of one set, in a thread between `start` and `stop`.

    `damaged`: name -> why, of the pictures that do not decode; `done`: how many were looked at, in the set's order,
    in this session or in earlier ones over the same files (ImageSource.stamp). It ends early where more are damaged
    than a run may leave out.
    """

    def __init__(self, source: ImageSource, folder: Path | None = None) -> None:
        """`folder`: for what is remembered; None: the user's cache folder, or nowhere if there is none."""
        self.source = source
        folder = _find_folder() if folder is None else folder
        self._path = None if folder is None or source.cached else folder / f"{source.stamp}.json"
        self._stopping, self._thread = threading.Event(), None if source.cached else threading.Thread(target=self._run)
        self.damaged: dict[str, str] = {}
        self.done = len(source) if source.cached else 0
        self._read_findings()

    @property
    def complete(self) -> bool:
        return self.done >= len(self.source)

    def start(self) -> None:
        """Go on where the last session stopped."""
        if self._thread is not None and not self.complete:
            self._thread.daemon = True
            self._thread.start()

    def stop(self) -> None:
        """End the thread after the picture that it looks at, and remember what was found."""
        self._stopping.set()
        if self._thread is not None and self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        saved = time.monotonic()
        try:
            for index in range(self.done, len(self.source)):
                begun = time.monotonic()
                try:
                    self.source.read(index)
                except DamagedPicture as error:
                    self.damaged[error.name] = error.why
                self.done = index + 1
                if len(self.damaged) > limit_damage(len(self.source)):
                    break  # the run ends; and a disk that was unplugged is not asked for every picture
                now = time.monotonic()
                if self._stopping.wait(IDLE_SHARE * (now - begun)):
                    break
                if now - saved > SAVE_SECONDS:
                    self._write_findings()
                    saved = now
        except MemoryError:
            pass  # the run says so better
        self._write_findings()

    def _read_findings(self) -> None:
        if self._path is None:
            return
        try:
            found = json.loads(self._path.read_bytes())
            done, damaged = found["done"], found["damaged"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return
        if type(done) is int and 0 <= done <= len(self.source) and isinstance(damaged, dict):
            self.done = done
            self._check_again(damaged)

    def _check_again(self, names: Iterable[str]) -> None:
        """Keep of the pictures that were damaged those that still are.

        What is repaired may have the size and time that it had: a backup, a disk that is back, a permission.
        """
        positions = {name: index for index, name in enumerate(self.source.names)}
        for name in names:
            try:
                if name in positions:
                    self.source.read(positions[name])
            except DamagedPicture as error:
                self.damaged[name] = error.why

    def _write_findings(self) -> None:
        if self._path is None:
            return
        with suppress(OSError):  # without a cache the next run looks again
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(self._path) as temporary:
                temporary.write_text(json.dumps({"done": self.done, "damaged": self.damaged}), encoding="utf-8")


def _find_folder() -> Path | None:
    cache = find_user_cache()
    return None if cache is None else cache / VERIFIED_FOLDER
