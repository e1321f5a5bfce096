# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The size of a new window on small screens."""

import pytest

from viz.window import full_screen


@pytest.mark.parametrize(
    ("area", "scale", "platform", "expected"),
    [
        ((0, 0, 1280, 800), 1.0, "linux", (1280, 800)),
        ((0, 25, 2560, 1415), 1.0, "linux", (1600, 1000)),
        ((0, 0, 2560, 1440), 2.0, "win32", (1280, 720)),
        ((0, 0, 1440, 875), 2.0, "darwin", (1440, 875)),
        ((0, 0, 0, 0), 1.0, "linux", (1600, 1000)),
        (None, 1.0, "linux", (1600, 1000)),
    ],
)
def test_a_new_window_fits_the_screen(
    area: tuple[int, ...] | None,
    scale: float,
    platform: str,
    expected: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.platform", platform)
    for name, value in {
        "get_primary_monitor": area and "a monitor",
        "get_platform": None,
        "get_monitor_workarea": area,
        "get_monitor_content_scale": (scale, scale),
    }.items():
        monkeypatch.setattr(f"glfw.{name}", lambda *_, value=value: value)
    assert full_screen.fit_size((1600, 1000)) == expected
