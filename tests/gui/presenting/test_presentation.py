# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Full screen, the second window, the size of letters, keys and pointer: driven, and looked at pixel by pixel."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from imgui_bundle import glfw_utils, imgui
from support.gui import drive, run_script, save_model, settle

from viz.core.state import AppState
from viz.ui.theme import DARK
from viz.window import text_size
from viz.window.key_overlay import CAP
from viz.window.second_window import SIZE
from viz.window.window import Window

# isort: split
import glfw

pytestmark = pytest.mark.slow

STAGE = np.array([int(DARK["stage"][i : i + 2], 16) for i in (1, 3, 5)])
WARNING = np.array([int(DARK["warning"][i : i + 2], 16) for i in (1, 3, 5)])


def opened(folder: Path, width: int = 900, height: int = 600, slots: str = "BT", **display: Any) -> Window:
    state = AppState()
    state.left.path = save_model(folder / "left.safetensors", slots[0], 16)
    if len(slots) > 1:
        state.right.path = save_model(folder / "right.safetensors", slots[1], 16, seed=1)
    state.display.width, state.display.height = width, height
    for name, value in display.items():
        setattr(state.display, name, value)
    return Window(state, folder / "state.json", strict=True)


def read(size: tuple[int, int]) -> np.ndarray:
    """The context's pixels, int [H, W, 3], from the top."""
    from OpenGL import GL

    data = GL.glReadPixels(0, 0, *size, GL.GL_RGB, GL.GL_UNSIGNED_BYTE)
    return np.frombuffer(data, np.uint8).reshape(size[1], size[0], 3)[::-1].astype(int)


def watch(window: Window) -> list[np.ndarray]:
    """What the first window shows, newest last, from its next frames on."""
    seen: list[np.ndarray] = []
    after = window._after_frame

    def grab() -> None:
        size = imgui.get_main_viewport().size
        seen[:] = [*seen[-1:], read((int(size.x), int(size.y)))]
        after()

    window._after_frame = grab  # type: ignore[method-assign]
    return seen


def ready(window: Window) -> Iterator[None]:
    results = window.context.results
    for _ in range(2000):
        asked = [slot for slot in results if window.state.slot(slot).path]
        if window.worker.is_idle() and all((found := results[slot]) and found.picture is not None for slot in asked):
            break
        yield
    for _ in range(6):
        yield


def size_of_window() -> tuple[int, int]:
    return glfw.get_window_size(glfw_utils.glfw_window_hello_imgui())


def test_the_canvas_covers_the_screen_and_the_window_comes_back(tmp_path: Path) -> None:
    window = opened(tmp_path, 900, 600)
    drawn: list[str] = []

    def script(context: Any) -> None:
        settle(context, window)
        before = size_of_window()
        height = window.canvas.frames["left"].height
        context.key_press(imgui.Key.f11)
        context.yield_(6)
        screen = glfw.get_video_mode(glfw.get_primary_monitor()).size
        assert window.presentation.is_full and size_of_window() == tuple(screen) != before
        whole = imgui.get_main_viewport().size
        frames = window.canvas.frames
        assert frames["right"].right == pytest.approx(whole.x, abs=2) and frames["left"].left == 0.0
        assert frames["left"].height > 0.9 * whole.y > height, "no modes, no bookmarks, no menus"
        context.mouse_move_to_pos(imgui.ImVec2(frames["left"].centre_x, frames["left"].centre_y))
        context.mouse_drag_with_delta(imgui.ImVec2(60, 0))
        context.yield_(2)
        assert window.state.transform.tx > 0.0, "it can be moved as ever"
        context.key_press(imgui.Key.f1)
        context.yield_(3)
        context.key_press(imgui.Key.escape)
        context.yield_(6)
        assert window.presentation.is_full, "Esc closed the table"
        context.key_press(imgui.Key.escape)
        context.yield_(6)
        assert not window.presentation.is_full and size_of_window() == before
        assert window.canvas.frames["left"].height == pytest.approx(height, abs=2), "and the docks as they were"
        context.item_click("//Latent/Nearest")
        context.key_press(imgui.Key.f11)
        context.yield_(4)
        drawn.append("full at the end")

    drive(window, script)
    kept = json.loads((tmp_path / "state.json").read_text())["display"]
    assert drawn and (kept["width"], kept["height"]) == (900, 600), "closed in full screen, it remembers its own size"


def test_only_the_canvas_is_seen_in_full_screen(tmp_path: Path) -> None:
    # The offscreen platform's surfaces stay as large as they were made: the window is its screen's size already.
    window = opened(tmp_path, 1920, 1080)
    window.state.canvas.mode = "split"
    seen = watch(window)

    def script() -> Iterator[None]:
        yield from ready(window)
        window.presentation.toggle_full_screen()
        for _ in range(6):
            yield
        shown, frame = seen[-1], window.canvas.frames["left"]
        half, x, y = int(frame.side / 2) - 4, int(frame.centre_x), int(frame.centre_y)
        picture = shown[y - half : y + half, x - half : x + half]
        assert picture.std() > 15
        beside = shown[y - half : y + half, : x - half - 16]
        below = shown[int(frame.bottom) - 6 : int(frame.bottom), : x - 16]
        assert beside.shape[1] > 300
        for part in (beside, below):
            assert np.abs(part - STAGE).max() <= 2, "nothing but the stage around it"

    run_script(window, script())


@pytest.mark.parametrize("mode", ["side", "split", "difference"])
def test_the_second_window_shows_the_pictures_alone(tmp_path: Path, mode: str) -> None:
    window = opened(tmp_path)
    window.state.canvas.mode, window.state.canvas.divider = mode, 0.25
    second, seen = window.presentation.second, []

    def script() -> Iterator[None]:
        yield from ready(window)
        second.toggle()
        assert second.is_open and window.context.message == ""
        draw = second.draw

        def draw_and_read(size: tuple[int, int], *rest: Any) -> None:
            draw(size, *rest)
            seen[:] = [read(size)]

        second.draw = draw_and_read
        for _ in range(4):
            yield
        shown, (width, height) = seen[0], SIZE
        assert shown.shape == (height, width, 3)
        smooth = {slot: window.context.results[slot].smooth[..., :3] for slot in ("left", "right")}
        means = {slot: smooth[slot].reshape(-1, 3).mean(axis=0) for slot in smooth}
        if mode == "side":
            top = (height - (width - 1) // 2) // 2
            assert np.abs(shown[: top - 1] - STAGE).max() <= 1, "the stage above"
            halves = {
                "left": shown[top + 2 : -top - 2, : width // 2],
                "right": shown[top + 2 : -top - 2, width // 2 + 2 :],
            }
            for slot, half in halves.items():
                assert np.abs(half.reshape(-1, 3).mean(axis=0) - means[slot]).max() < 3, slot
        elif mode == "split":
            left = (width - height) // 2
            assert np.abs(shown[:, : left - 1] - STAGE).max() <= 1
            column = width // 4
            assert shown[:, column].min() > 200, "the divider"
            right_part = smooth["right"][:, int((column + 8 - left) / height * smooth["right"].shape[1]) :]
            whole = shown[:, column + 8 : left + height].reshape(-1, 3).mean(axis=0)
            assert np.abs(whole - right_part.reshape(-1, 3).mean(axis=0)).max() < 4
        else:
            left = (width - height) // 2
            assert shown[:, left : left + height].std() > 10
            assert np.abs(shown[:, : left - 1] - STAGE).max() <= 1
        glfw.set_window_should_close(second._window, True)
        for _ in range(2):
            yield
        assert not second.is_open
        second.draw = draw
        second.toggle()
        yield
        assert second.is_open, "again"

    run_script(window, script())


def test_one_picture_takes_the_second_window_and_follows_a_drag(tmp_path: Path) -> None:
    window = opened(tmp_path, slots="B")
    second, seen = window.presentation.second, []

    def inside() -> np.ndarray:
        left = (SIZE[0] - SIZE[1]) // 2
        return seen[0][:, left + 1 : left + SIZE[1] - 1]

    def script() -> Iterator[None]:
        yield from ready(window)
        second.toggle()
        draw = second.draw
        second.draw = lambda size, *rest: (draw(size, *rest), seen.__setitem__(slice(None), [read(size)]))
        for _ in range(3):
            yield
        frame = second._frames["left"]
        assert frame.side == SIZE[1] and frame.centre_x == SIZE[0] / 2
        before = seen[0]
        window.state.transform.tx = 0.3
        yield from ready(window)
        assert np.abs(seen[0] - before).mean() > 1
        soft = np.abs(np.diff(inside(), axis=1))
        window.state.canvas.nearest = True
        for _ in range(3):
            yield
        hard = np.abs(np.diff(inside(), axis=1))
        assert hard.max() > 3 * soft.max(), "hard pixels"
        window.state.canvas.zoom = 2.0
        for _ in range(3):
            yield
        assert second._frames["left"].side == 2 * SIZE[1], "zoomed as the canvas is"

    run_script(window, script())


def test_the_second_window_comes_and_goes_with_its_keys(tmp_path: Path) -> None:
    window = opened(tmp_path, slots="T")
    second = window.presentation.second

    def script() -> Iterator[None]:
        yield from ready(window)
        second.toggle()
        yield

        def press(key: int, modifiers: int = 0) -> None:
            second._on_key(second._window, key, 0, glfw.PRESS, modifiers)

        press(glfw.KEY_F11)
        yield
        assert second.full_screen.is_on and glfw.get_window_size(second._window) != SIZE
        press(glfw.KEY_ESCAPE)
        yield
        assert not second.full_screen.is_on and glfw.get_window_size(second._window) == SIZE
        press(glfw.KEY_ESCAPE)
        for _ in range(2):
            yield
        assert not second.is_open

    run_script(window, script())


def test_a_second_window_that_cannot_be_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    window = opened(tmp_path, slots="T")
    second = window.presentation.second

    def script() -> Iterator[None]:
        yield from ready(window)
        with monkeypatch.context() as patch:
            patch.setattr(glfw, "create_window", lambda *_: None)
            second.toggle()
        assert not second.is_open and "second window cannot be opened" in window.context.message
        second.toggle()

        def fail(*_: Any) -> None:
            raise RuntimeError("lost")

        second.draw = fail
        for _ in range(2):
            yield
        assert not second.is_open and "lost" in window.context.message

    run_script(window, script())


def height_of_letters(shown: np.ndarray) -> int:
    """The rows of the menu bar that hold ink of its first letters, which have no descenders."""
    ink = (shown[:80, :90].max(axis=2) > 120).any(axis=1)
    rows = np.flatnonzero(ink)
    return int(np.split(rows, np.flatnonzero(np.diff(rows) > 2) + 1)[0].size)


def test_letters_grow_at_once_and_the_docks_make_room(tmp_path: Path) -> None:
    window = opened(tmp_path, 1600, 1000)
    seen, heights, widths = watch(window), {}, {}

    def script() -> Iterator[None]:
        yield from ready(window)
        for size in (1.0, 2.0, 1.0, 1.5):
            window.state.display.text_size = size
            for _ in range(4):
                yield
            heights[size] = height_of_letters(seen[-1])
            widths.setdefault(size, []).append(window.canvas.frames["left"].left)
            frame = window.canvas.frames["right"]
            assert 400 < frame.right - widths[size][-1], "the canvas stays"
            assert imgui.get_style().font_scale_main == size

    run_script(window, script())
    assert 1.7 < heights[2.0] / heights[1.0] < 2.3 and 1.3 < heights[1.5] / heights[1.0] < 1.7, heights
    assert widths[1.0][0] == pytest.approx(widths[1.0][1], abs=3), "and back"
    assert widths[2.0][0] > 1.5 * widths[1.0][0]
    kept = json.loads((tmp_path / "state.json").read_text())["display"]
    assert kept["text_size"] == 1.5


def test_small_letters_grow_with_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A panel that asks for letters of a share of the others' size gets them, whatever the text size."""
    from viz.panels import transform
    from viz.ui import fitting

    window, sizes = opened(tmp_path, slots="T", text_size=2.0), []

    def draw(*_: Any) -> None:
        em = imgui.get_font_size()
        with fitting.letters(imgui.get_font(), 0.8 * em):
            sizes.append(imgui.get_font_size() / em)

    monkeypatch.setattr(transform, "draw", draw)

    def script() -> Iterator[None]:
        for _ in range(5):
            yield

    run_script(window, script())
    assert sizes and sizes[-1] == pytest.approx(0.8, abs=0.03)


def test_keys_change_the_size_and_the_menu_says_it(tmp_path: Path) -> None:
    window = opened(tmp_path, slots="T")

    def script(context: Any) -> None:
        settle(context, window)
        context.key_press(imgui.Key.equal | imgui.Key.mod_ctrl)
        context.yield_(2)
        assert window.state.display.text_size == text_size.STEPS[1]
        context.key_press(imgui.Key.minus | imgui.Key.mod_ctrl)
        context.yield_(2)
        assert window.state.display.text_size == 1.0
        context.menu_click("//##MainMenuBar/View/Present/2×")
        context.yield_(2)
        assert window.state.display.text_size == 2.0
        context.key_press(imgui.Key._0 | imgui.Key.mod_ctrl)
        context.yield_(2)
        assert window.state.display.text_size == 1.0

    drive(window, script)


def test_steps_of_the_size_end_at_both_ends() -> None:
    assert [text_size.next_step(size, 1) for size in (1.0, 1.1, 2.5, 3.0)] == [1.25, 1.25, 3.0, 3.0]
    assert [text_size.next_step(size, -1) for size in (1.0, 1.1, 3.0)] == [1.0, 1.0, 2.5]


def test_keys_and_pointer_are_drawn_on_request(tmp_path: Path) -> None:
    window = opened(tmp_path, slots="T")
    seen = watch(window)
    overlay = window.presentation._overlay

    def script(context: Any) -> None:
        settle(context, window)
        frame = window.canvas.frames["left"]
        x, y = int(frame.centre_x), int(frame.centre_y)
        context.mouse_move_to_pos(imgui.ImVec2(x, y))
        context.yield_(2)

        def is_ring() -> bool:
            radius = round(1.5 * imgui.get_font_size())
            return bool(np.abs(seen[-1][y, x + radius - 2 : x + radius + 3] - WARNING).max(axis=1).min() < 40)

        assert not is_ring()
        context.key_press(imgui.Key.f10)
        context.yield_(3)
        assert window.state.display.show_keys and is_ring()
        context.key_down(imgui.Key.mod_ctrl)
        context.key_down(imgui.Key.b)
        context.yield_(2)
        assert list(overlay.caps)[-1] == "Ctrl + B"

        def is_lit() -> bool:
            """Whether the upper edge of the only cap, which stands in the middle, is as light as the ring."""
            size, em = imgui.get_main_viewport().size, imgui.get_font_size()
            top, middle = round(size.y - (CAP + 2 * 0.3 + 3.2) * em), round(size.x / 2)
            edge = seen[-1][top - 2 : top + 3, middle - 20 : middle + 20]
            return bool((np.abs(edge - WARNING).max(axis=2) < 60).any(axis=0).all())

        overlay.caps.clear()  # of those pressed before it
        context.yield_(2)
        assert list(overlay.caps) == ["Ctrl + B"] and is_lit()
        context.key_up(imgui.Key.b)
        context.key_up(imgui.Key.mod_ctrl)
        overlay.caps.pop("Ctrl", None)  # which was held a little longer
        context.yield_(2)
        assert list(overlay.caps) == ["Ctrl + B"] and not is_lit(), "it is still seen, and not held"
        context.mouse_down(1)
        context.yield_(2)
        assert "Right button" in overlay.caps
        context.mouse_up(1)
        context.yield_(2)

    drive(window, script)


def test_caps_fade_and_come_again_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    from viz.window import key_overlay

    overlay, held = key_overlay.KeyOverlay(), []
    monkeypatch.setattr(key_overlay, "list_held", lambda: list(held))
    held[:] = ["A"]
    overlay._note(0.0)
    held[:] = ["B"]
    overlay._note(0.1)
    assert list(overlay.caps) == ["A", "B"]
    held[:] = ["A"]
    overlay._note(0.2)
    assert list(overlay.caps) == ["B", "A"]
    held[:] = []
    overlay._note(1.35)
    assert list(overlay.caps) == ["A"]
    overlay._note(9.0)
    assert overlay.caps == {}
    held[:] = [f"F{index}" for index in range(20)]
    overlay._note(10.0)
    assert len(overlay.caps) == key_overlay.MOST and list(overlay.caps)[-1] == "F19"
