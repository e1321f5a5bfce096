# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""A state that cannot be saved is said once, not over every other message."""

import json
from pathlib import Path

import pytest

from viz.core import state as states
from viz.core.state import AppState
from viz.window.state_saver import StateSaver


def test_a_folder_that_cannot_be_written_is_said_once(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    saver, state = StateSaver(blocked / "state.json"), AppState()
    sentence = saver.save(state)
    assert sentence.startswith("The state could not be saved to ")
    for number in range(3):
        state.latent.x = float(number + 1)
        assert saver.save(state) == "", "although there is more to save now"
    blocked.unlink()
    blocked.mkdir()
    assert saver.save(state) == "", "tried again"
    assert json.loads((blocked / "state.json").read_text())["latent"]["x"] == 3.0
    (blocked / "state.json").unlink()
    blocked.rmdir()
    blocked.touch()
    state.latent.x = 9.0
    assert saver.save(state) == sentence, "it had worked in between"


def test_a_state_that_would_not_be_read_is_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, state = tmp_path / "state.json", AppState()
    saver = StateSaver(path)
    with monkeypatch.context() as patch:
        patch.setattr(states, "LARGEST_FILE", 100)
        assert saver.save(state).startswith(f"The state could not be saved to {path}: it takes more than ")
        assert saver.save(state) == "" and not path.exists()
    assert saver.save(state) == "" and path.exists(), "tried again"
