# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""An address typed into the Model panel: its download is seen, cancelled, gone on with, opened, and refused."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.gui import drive, save_model, settle
from support.sites import Page, Site, serving

from gan.hub import cache
from gan.hub.cache import hold_only
from viz.cli import view
from viz.core import state as states
from viz.core.state import AppState
from viz.window.window import Window

pytestmark = pytest.mark.slow


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Serves one small model, rung T, as /fetched.safetensors."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path / "jinc" / "models")
    with serving() as found:
        made = Path(save_model(tmp_path / "made.safetensors", "T", 16))
        found.pages["/fetched.safetensors"] = Page(made.read_bytes())
        yield found
    hold_only([])


def window(tmp_path: Path) -> Window:
    state = AppState()
    state.left.path = save_model(tmp_path / "b.safetensors", "B", 16)
    state.display.width, state.display.height = 1600, 1000
    return Window(state, tmp_path / "state.json", strict=True)


def until(context: Any, condition: Callable[[], bool]) -> None:
    """Let frames pass until `condition`; the deadline is for a machine that is stuck."""
    end = time.monotonic() + 60.0
    while not condition():
        assert time.monotonic() < end, "this did not happen in time"
        context.yield_()


def test_an_address_is_fetched_in_the_window(site: Site, tmp_path: Path) -> None:
    shown, page, go = window(tmp_path), site.pages["/fetched.safetensors"], threading.Event()
    before, half = shown.state.left.path, len(page.content) // 2

    def gate(sent: int) -> None:
        if sent > half:
            go.wait(60)

    page.gate = gate
    reports = shown.context.models.downloads.report

    def script(context: Any) -> None:
        settle(context, shown)
        context.item_input_value("//Model/left/##path", site.url("/fetched.safetensors"))
        until(context, lambda: (report := reports("left")) is not None and report.done >= half)
        report = reports("left")
        assert report and report.stage == "downloading" and 0.5 <= (report.fraction or 0) < 1
        assert shown.state.left.path == before, "what was open stays until the other is there"
        context.item_click("//Latent/Random")  # nothing waits for it
        settle(context, shown)
        context.item_click("//Model/left/Cancel")
        until(context, lambda: reports("left") is None)
        assert shown.state.left.path == before and not go.is_set()
        go.set()
        context.item_input_value("//Model/left/##path", site.url("/fetched.safetensors"))
        until(context, lambda: shown.state.left.path != before)
        settle(context, shown)
        assert shown.context.facts("left") is not None and shown.context.facts("left").config.rung == "T"
        assert not context.item_exists("//Model/left/Cancel")

    drive(shown, script)
    path = Path(shown.state.left.path)
    assert path.name == "fetched.safetensors" and path.read_bytes() == page.content
    assert site.asked[-1].status == 206, "it went on where it was cancelled"
    assert shown.state.recents[0] == str(path)
    assert shown.context.models.downloads.display_name(str(path)) == site.url("/fetched.safetensors")


def test_after_a_restart_it_needs_no_network(site: Site, tmp_path: Path) -> None:
    first = window(tmp_path)

    def fetch(context: Any) -> None:
        context.item_input_value("//Model/right/##path", site.url("/fetched.safetensors"))
        until(context, lambda: bool(first.state.right.path))
        settle(context, first)

    drive(first, fetch)
    asked = len(site.asked)
    state, message = view.load_state(tmp_path / "state.json")
    assert not message and states.to_json(state)["right"]["path"] == first.state.right.path
    second = Window(state, strict=True)
    drive(second, lambda context: settle(context, second))
    assert second.context.facts("right") is not None and len(site.asked) == asked


def test_a_failure_is_said_in_the_panel_and_can_be_repeated(site: Site, tmp_path: Path) -> None:
    shown, page = window(tmp_path), site.pages.pop("/fetched.safetensors")
    reports = shown.context.models.downloads.report

    def script(context: Any) -> None:
        context.item_input_value("//Model/right/##path", site.url("/fetched.safetensors"))
        until(context, lambda: (report := reports("right")) is not None and bool(report.error))
        assert "There is no file at" in reports("right").error
        context.yield_(2)
        site.pages["/fetched.safetensors"] = page
        context.item_click("//Model/right/Try again")
        until(context, lambda: bool(shown.state.right.path))
        settle(context, shown)
        context.item_input_value("//Model/right/##path", "ftp://example.com/x.pkl")
        until(context, lambda: reports("right") is not None)
        context.yield_(2)
        context.item_click("//Model/right/Dismiss")
        until(context, lambda: reports("right") is None)

    drive(shown, script)
    assert Path(shown.state.right.path).name == "fetched.safetensors"


def test_closing_the_window_keeps_what_came(site: Site, tmp_path: Path) -> None:
    shown, page, go = window(tmp_path), site.pages["/fetched.safetensors"], threading.Event()
    half = len(page.content) // 2

    def gate(sent: int) -> None:
        if sent > half:
            go.wait(60)

    page.gate = gate

    def script(context: Any) -> None:
        context.item_input_value("//Model/left/##path", site.url("/fetched.safetensors"))
        until(
            context,
            lambda: (report := shown.context.models.downloads.report("left")) is not None and report.done >= half,
        )

    began = time.monotonic()
    drive(shown, script)
    (part,) = (tmp_path / "jinc" / "models" / "parts").glob("*.part")
    assert half <= part.stat().st_size < len(page.content) and time.monotonic() - began < 60
    go.set()


def test_a_dropped_address_is_fetched(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = window(tmp_path)

    def script(context: Any) -> None:
        settle(context, shown)
        monkeypatch.setattr("viz.window.window.glfw.get_cursor_pos", lambda _: (1000.0, 300.0))
        shown._on_drop(None, [site.url("/fetched.safetensors")])
        until(context, lambda: bool(shown.state.right.path))

    drive(shown, script)
    assert Path(shown.state.right.path).name == "fetched.safetensors"
