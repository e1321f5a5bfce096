# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The Model panel's published checkpoints, offered before they are fetched, and the ages of a run, driven."""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.gui import drive, save_model, settle
from support.sites import Page, Site, serving

from gan.hub import cache, published
from gan.hub.cache import hold_only
from gan.hub.published import PUBLISHED, Published
from viz.core.state import AppState
from viz.panels import model as panel
from viz.window.window import Window

pytestmark = pytest.mark.slow
NAME = "stylegan3-t-ffhqu-256"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Serves a small model of rung T in the place of every published checkpoint."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path / "jinc" / "models")
    with serving() as found:
        found.pages["/t.pkl"] = Page(Path(save_model(tmp_path / "made.safetensors", "T", 16)).read_bytes())
        here = tuple(Published(o.name, o.family, o.data, o.width, found.url("/t.pkl")) for o in PUBLISHED)
        monkeypatch.setattr(published, "PUBLISHED", here)
        monkeypatch.setattr(panel, "PUBLISHED", here)
        yield found
    hold_only([])


def until(context: Any, condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60.0
    while not condition():
        assert time.monotonic() < end, "this did not happen in time"
        context.yield_()


def test_a_published_checkpoint_is_fetched_once_its_terms_are_accepted(site: Site, tmp_path: Path) -> None:
    state = AppState()
    state.left.path = before = save_model(tmp_path / "b.safetensors", "B", 16)
    state.display.width, state.display.height = 1600, 1000
    shown = Window(state, tmp_path / "state.json", strict=True)
    downloads = shown.context.models.downloads

    def script(context: Any) -> None:
        settle(context, shown)
        context.item_click("//Model/left/##choose")
        context.yield_(2)
        context.item_click("//$FOCUSED/Published")
        context.yield_(2)
        context.item_click(f"//$FOCUSED/Published/{NAME}")
        until(context, lambda: downloads.offer("left") is not None)
        context.yield_(20)
        offer = downloads.offer("left")
        assert offer and offer.name == NAME and "non-commercial" in offer.describe_terms()
        assert not site.asked and state.left.path == before, "nothing is fetched before it is accepted"
        context.item_click("//Model/left/Cancel")
        context.yield_(5)
        assert downloads.offer("left") is None and not site.asked and state.left.path == before

        context.item_input_value("//Model/left/##path", NAME.upper())
        until(context, lambda: downloads.offer("left") is not None)
        context.item_click("//Model/left/Fetch")
        until(context, lambda: state.left.path != before)
        settle(context, shown)
        facts = shown.context.facts("left")
        assert facts is not None and facts.config.rung == "T" and len(site.asked) == 1
        assert downloads.offer("left") is None

        context.item_input_value("//Model/right/##path", site.url("/t.pkl"))
        until(context, lambda: downloads.offer("right") is not None)
        assert len(site.asked) == 1, "nor is it by its address"

    drive(shown, script)


def test_any_age_of_a_run_opens(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    for letter, age in (("T", "000000-000"), ("T", "000012-000"), ("R", "000012-480")):
        made = save_model(tmp_path / f"{letter}{age}.safetensors", letter, 16, seed=len(age))
        shutil.copy(made, run / f"network-snapshot-{age}.safetensors")
    state = AppState()
    state.left.path = save_model(tmp_path / "b.safetensors", "B", 16)
    state.display.width, state.display.height = 1600, 1000
    shown = Window(state, strict=True)

    def script(context: Any) -> None:
        settle(context, shown)
        assert not context.item_exists("//Model/left/##age"), "a file by itself has no other ages"
        context.item_input_value("//Model/left/##path", str(run))
        until(context, lambda: state.left.path == str(run / "network-snapshot-000012-480.safetensors"))
        settle(context, shown)
        context.item_click("//Model/left/##age")
        context.yield_(2)
        context.item_click("//$FOCUSED/0 kimg")
        settle(context, shown)
        assert state.left.path == str(run / "network-snapshot-000000-000.safetensors")
        facts = shown.context.facts("left")
        assert facts is not None and facts.config.rung == "T"
        context.item_input_value("//Model/left/##path", f"{run}@12")
        until(context, lambda: state.left.path.endswith("-000012-480.safetensors"))
        context.item_input_value("//Model/left/##path", f"{run}@13")
        settle(context, shown)
        error = shown.context.error("left")
        assert error and error.endswith("has no snapshot at 13 kimg: it has 0, 12, 12.48.")

    drive(shown, script)
