# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The condition under which a window closes by itself."""

import time
from dataclasses import dataclass, field

SETTLED_FRAMES = 12  # that docking takes to come to rest


@dataclass
class Ending:
    """After so many seconds, or once everything is there and at rest."""

    when_settled: bool = False
    exit_after: float | None = None
    began: float = field(default_factory=time.monotonic)
    settled_frames: int = 0

    def due(self, idle: bool) -> bool:
        """Return whether it is time; call once a frame. `idle`: every picture asked for is on screen."""
        if self.exit_after is not None:
            return time.monotonic() - self.began >= self.exit_after
        self.settled_frames = self.settled_frames + 1 if idle else 0
        return self.when_settled and self.settled_frames > SETTLED_FRAMES
