# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""What the strip, the menus and the keys do with bookmarks: never a state that the next start could not read."""

import json
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from gan.hub.download import Cancelled, Downloaded
from viz.core import bookmarks, thumbnails
from viz.core import state as states
from viz.core.latent import DEEPEST, count_levels
from viz.core.state import SLOTS, AppState
from viz.loading.downloads import Downloads
from viz.ui import bookmarking
from viz.ui.context import PanelContext
from viz.ui.theme import Theme


def test_mixtures_of_mixtures_end_before_a_state_file_could_not_hold_them() -> None:
    """Such a file is refused as a whole: every setting, and every bookmark, would be lost with the next start."""
    state, context = AppState(), PanelContext(Theme())
    state.latent.mixed = [0, 1]
    for _ in range(DEEPEST + 2):
        bookmarking.mix_in(state, context, bookmarks.capture(state, "latent"))
        assert states.from_json(json.loads(json.dumps(states.to_json(state)))) == state
    assert "made of too many others" in context.message
    second = state.latent.second.kept
    assert second is not None and count_levels(second) == DEEPEST


class Fetched:
    """A download that comes to no end, and says when it is cancelled."""

    def __init__(self) -> None:
        self.cancelled = threading.Event()

    def __call__(self, url: str, *, progress: object, cancelled: Callable[[], bool]) -> Downloaded:
        while not cancelled():
            time.sleep(0.001)
        self.cancelled.set()
        raise Cancelled


def test_a_download_does_not_replace_what_a_bookmark_shows() -> None:
    state, context, fetched = AppState(), PanelContext(Theme()), Fetched()
    state.left.path, state.right.path = "/a.pkl", "/b.pkl"
    item = bookmarks.capture(state, "everything")
    state.left.path = "/c.pkl"
    context.models.downloads = downloads = Downloads(fetch=fetched)
    downloads.keep(state.slot(slot).path for slot in SLOTS)
    for slot in SLOTS:
        assert downloads.begin(slot, f"https://example.com/{slot}.pkl")
    bookmarking.restore(state, context, item)
    assert state.left.path == "/a.pkl" and fetched.cancelled.wait(30)
    assert downloads.report("left") is None and downloads.report("right"), "the right slot shows what it did"
    downloads.close()


def test_a_move_of_a_bookmark_reads_no_picture_again(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = [thumbnails.encode_thumbnail(np.full((8, 8, 4), shade, np.uint8)) for shade in range(40, 60)]
    first = thumbnails.make_sheet(pictures)
    monkeypatch.setattr("PIL.Image.open", lambda *_, **__: pytest.fail("it is known"))
    moved = thumbnails.make_sheet(pictures[::-1])
    side = thumbnails.SIDE
    assert np.array_equal(moved[:side, :side], first[side : 2 * side, 3 * side : 4 * side])
