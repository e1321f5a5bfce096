# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""How much of the worker's time instruments may take while pictures are wanted."""

import time
from collections.abc import Callable

SHARE = 0.25  # of the wall clock; a worker that pictures keep busy then makes at least 75 % as many
BURST = 0.05  # seconds that can be saved up
QUIET = 0.4  # seconds without a new request after which the picture is taken to rest


class Budget:
    """Instruments work in slices whose length nobody knows before. While requests come in, a slice may begin once
    the debt of those before is paid, at SHARE seconds a second; while none come, at any time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._credit, self._counted = 0.0, clock()
        self._requested = -QUIET

    def requested(self) -> None:
        """A new picture was asked for."""
        self._requested = self._clock()

    def wait(self) -> float:
        """Seconds until the next slice may begin; 0 for now."""
        now = self._clock()
        if now - self._requested >= QUIET:
            self._credit, self._counted = 0.0, now
            return 0.0
        self._credit, self._counted = min(self._credit + SHARE * (now - self._counted), BURST), now
        return max(0.0, -self._credit / SHARE)

    def spent(self, seconds: float) -> None:
        """A slice took so long."""
        self._credit -= seconds
