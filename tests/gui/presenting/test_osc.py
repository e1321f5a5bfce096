# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""OSC in the window: how soon a message is seen, learning by touching a slider, one step of undo, errors."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from imgui_bundle import imgui
from support.gui import drive, run_script, save_model, settle

from viz.core.bookmarks import capture
from viz.core.osc_state import Binding
from viz.core.state import AppState
from viz.osc import learning
from viz.osc.messages import build
from viz.window.window import Window

pytestmark = pytest.mark.slow


def opened(folder: Path) -> Window:
    state = AppState()
    state.left.path = save_model(folder / "t.safetensors", "T", 16)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        state.osc.on, state.osc.port = True, free.getsockname()[1]
    return Window(state, strict=True)


def say(window: Window, address: str, value: float) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(build(address, value), ("127.0.0.1", window.state.osc.port))


def test_a_message_is_in_the_state_within_two_frames_and_soon_on_the_screen(tmp_path: Path) -> None:
    window, frames, seconds = opened(tmp_path), [], []

    def script() -> Iterator[None]:
        result = window.context.results
        while result["left"] is None or result["left"].picture is None:
            yield
        for index in range(1, 21):
            value, began = index / 100, time.perf_counter()
            say(window, "/jinc/transform/tx", value)
            count = 0
            while window.state.transform.tx != value:
                yield
                count += 1
                assert count < 500, "the message did not come"
            frames.append(count)
            while result["left"].request.tx != value:
                yield
            seconds.append(time.perf_counter() - began)

    run_script(window, script())
    assert max(frames) <= 2, frames
    print(f"message to picture: median {1e3 * sorted(seconds)[10]:.1f} ms, worst {1e3 * max(seconds):.1f} ms")


def test_messages_wake_a_window_that_idles(tmp_path: Path) -> None:
    window, woken = opened(tmp_path), []
    link = window._remote.link
    link._wake = lambda: woken.append(1)  # the receiver takes it when it opens
    link.receive()
    say(window, "/jinc/transform/tx", 0.5)
    say(window, "/no/such/address", 0.5)
    for _ in range(100):
        time.sleep(0.01)
        if woken:
            break
    assert woken == [1]
    assert window.close()


def test_a_fader_is_learnt_by_dragging_a_number_and_its_stream_is_one_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning, "SILENCE", 0.05)
    window = opened(tmp_path)
    state = window.state

    def script(context: Any) -> None:
        settle(context, window)
        context.window_focus("//OSC")
        context.yield_(2)
        bindings = context.window_info("//OSC/bindings").window.id_
        context.set_ref(bindings)
        context.item_click("Learn")
        context.item_drag_with_delta("//Transform/##degrees", imgui.ImVec2(40, 0))
        context.yield_(3)
        assert window._remote.link.learning.setting == "/jinc/transform/degrees" and state.transform.degrees > 0
        say(window, "/1/fader7", 0.5)
        for _ in range(50):
            context.yield_()
            if state.osc.bindings:
                break
        assert state.osc.bindings == (Binding("/1/fader7", "/jinc/transform/degrees", 0.0, 1.0, -180.0, 180.0),)
        context.item_click("Stop learning")
        turned = state.transform.degrees
        for step in range(10):
            say(window, "/1/fader7", step / 10)
            context.yield_(2)
        for _ in range(100):
            context.yield_()
            if window.undo.history.undo_name == "turn" and state.transform.degrees == pytest.approx(144.0):
                break
        assert state.transform.degrees == pytest.approx(144.0)
        window.undo.history.end_stream()
        window.undo.undo()
        assert state.transform.degrees == turned, "the whole stream at once"
        context.item_click("**/×")
        context.yield_(2)
        assert state.osc.bindings == ()

    drive(window, script)


def test_a_taken_port_is_a_sentence_in_the_panel(tmp_path: Path) -> None:
    window = opened(tmp_path)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", window.state.osc.port))

        def script(context: Any) -> None:
            context.yield_(5)
            assert "taken" in window.context.osc.error
            context.window_focus("//OSC")
            context.yield_(2)
            context.set_ref(context.window_info("//OSC/ports").window.id_)
            context.item_click("on##on")
            context.yield_(3)
            assert window.context.osc.error == "" and not window.state.osc.on

        drive(window, script)


def test_the_blend_of_bookmarks_is_moved_from_outside(tmp_path: Path) -> None:
    window = opened(tmp_path)
    state, shelf = window.state, window.context.bookmarks.shelf
    for x in (0.0, 8.0):
        state.latent.x = x
        shelf.add([capture(state, "latent")])

    def script() -> Iterator[None]:
        for _ in range(5):
            yield
        say(window, "/jinc/bookmarks/blend", 0.5)
        for _ in range(200):
            yield
            if state.bookmarks.blend == 0.5:
                break
        assert state.latent.source == "kept", "what is shown is the blend, not only its slider"

    run_script(window, script())
