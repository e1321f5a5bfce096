# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Keep the window's state in a file: when it closes, and every few seconds if it has changed."""

import time
from pathlib import Path
from typing import Any

from viz import invocation
from viz.core import state as states
from viz.core.state import AppState, StateError

SAVE_SECONDS = 5.0


class StateSaver:
    """Saves to `path`; None saves nothing."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._saved: dict[str, Any] | None = None  # the state as last written
        self._said = ""  # why it could not be written, and is tried again
        self._saved_at = time.monotonic()

    def save(self, state: AppState) -> str:
        """Write the state if it has changed; return a sentence where that failed, once until it is another, else ""."""
        document = states.to_json(state)
        self._saved_at = time.monotonic()
        if self.path and document != self._saved:
            before = self._said
            try:
                states.save(state, self.path)
                self._saved, self._said = document, ""
            except OSError as problem:
                where = f"{self.path} ({problem.strerror})"
                self._said = f"The state could not be saved to {where}: {invocation.suggest_doctor()}"
            except StateError as problem:
                self._said = f"The state could not be saved to {self.path}: {problem}"
            return "" if self._said == before else self._said
        return ""

    def save_if_due(self, state: AppState) -> str:
        """Do the same, at most once every SAVE_SECONDS."""
        return self.save(state) if time.monotonic() - self._saved_at > SAVE_SECONDS else ""
