# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Small seeded models, and a window without a display that a test function or a script drives."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from gan.checkpoints.checkpoint import save_generator
from gan.networks.generator import init_generator
from gan.networks.ladder import rung_config
from viz.core.request import build_request
from viz.core.state import SLOTS
from viz.window.window import Window

FRAMES = 2000  # that a picture may take to come
PATIENCE_SECONDS = 900.0  # of imgui's watchdog, whose own 60 are too few on a busy machine


def save_model(path: Path, letter: str, resolution: int = 64, seed: int = 0, **fields: Any) -> str:
    """An untrained generator, its magnitudes calibrated so that its pictures have contrast."""
    small = {"z_dim": 32, "w_dim": 32, "channel_base": 512, "channel_max": 16, **fields}
    save_generator(path, init_generator(rung_config(letter, resolution, **small), seed), {})
    return str(path)


def drive(window: Window, test: Callable[[Any], None]) -> None:
    """Open the window offscreen and run `test(context)` of imgui's test engine; its exceptions come through."""
    from imgui_bundle import hello_imgui, imgui, immapp
    from imgui_bundle.immapp import testing

    from viz.display import offscreen

    def wait_for_test(context: Any) -> None:
        imgui.test_engine.get_io(hello_imgui.get_imgui_test_engine()).config_watchdog_kill_test = PATIENCE_SECONDS
        test(context)

    offscreen.use()
    try:
        testing.run(
            test_function=wait_for_test,
            runner_params=window.runner_params(),
            add_ons_params=immapp.AddOnsParams(with_implot=True),
        )
    finally:
        window.close()


def run_script(window: Window, script: Iterator[None], *, when: str = "pre_new_frame") -> None:
    """Open the window offscreen and take one step of `script` a frame, in the callback `when`; its end is the window's.

    The window draws as fast as it can: input that a script makes does not wake it.
    """
    from imgui_bundle import immapp

    from viz.display import offscreen

    params = window.runner_params()
    params.fps_idling.fps_idle = 0.0
    own = getattr(params.callbacks, when)

    def step() -> None:
        own()
        if next(script, script) is script:
            params.app_shall_exit = True

    setattr(params.callbacks, when, step)
    offscreen.use()
    try:
        immapp.run(params, immapp.AddOnsParams(with_implot=True))
    finally:
        window.close()


def settle(context: Any, window: Window) -> None:
    """Let frames pass until both slots show what the state asks for."""
    for _ in range(FRAMES):
        context.yield_(2)
        request = build_request(window.state)
        shown = {slot: result and result.request for slot, result in window.context.results.items()}
        if window.worker.is_idle() and all(shown[slot] == request.slot(slot) for slot in SLOTS):
            return
    raise AssertionError("the pictures did not come")
