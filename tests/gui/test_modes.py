# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The canvas's modes and the link between the slots, driven by pointer and keys: what is seen is what was rendered."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from imgui_bundle import imgui
from support.gui import drive, save_model, settle

from viz.canvas.mode_bar import MODES
from viz.canvas.overlays import describe_comparison
from viz.core.request import build_request
from viz.core.state import SLOTS, AppState, Slot, TransformState
from viz.window.window import Window

pytestmark = pytest.mark.slow

SAME = 2.0  # mean absolute difference, of 255, up to which the screen shows a picture
AWAY = (3, 3)  # where the pointer is over nothing


class Photographed(Window):
    """A window whose frames can be looked at while it is open."""

    wanted = False
    screen: np.ndarray
    turn: Slot

    def _after_frame(self) -> None:
        super()._after_frame()
        if self.wanted:
            from OpenGL import GL

            width, height = (int(edge) for edge in imgui.get_io().display_size)
            pixels = GL.glReadPixels(0, 0, width, height, GL.GL_RGB, GL.GL_UNSIGNED_BYTE)
            self.screen = np.frombuffer(pixels, np.uint8).reshape(height, width, 3)[::-1].astype(np.float64)
            self.turn, self.wanted = self.canvas.turn, False

    def look(self, context: Any) -> np.ndarray:
        """The next frame [H, W, 3]."""
        self.wanted = True
        while self.wanted:
            context.yield_()
        return self.screen


def window(left: str, right: str) -> Photographed:
    state = AppState()
    state.left.path, state.right.path = left, right
    state.sticking.show = "meters"  # no line on the pictures
    state.display.width, state.display.height = 1000, 700
    return Photographed(state, strict=True)


def picture_on(screen: np.ndarray, shown: Window, slot: Slot = "left") -> np.ndarray:
    """The part of the screen where the slot's picture is."""
    frame = shown.canvas.frames[slot]
    top, left, side = (
        round(edge) for edge in (frame.centre_y - frame.side / 2, frame.centre_x - frame.side / 2, frame.side)
    )
    return screen[top : top + side, left : left + side]


def at_size(pixels: np.ndarray, size: int) -> np.ndarray:
    """[H, W, C] sampled linearly on `size` by `size` points."""
    where = (np.arange(size) + 0.5) * pixels.shape[0] / size - 0.5
    below = np.clip(np.floor(where).astype(int), 0, pixels.shape[0] - 2)
    part = np.clip(where - below, 0, 1)
    rows = pixels[below] * (1 - part)[:, None, None] + pixels[below + 1] * part[:, None, None]
    return rows[:, below] * (1 - part)[:, None] + rows[:, below + 1] * part[:, None]


def rendered(shown: Window, slot: Slot) -> np.ndarray:
    """The slot's newest picture at the size that it has on screen, [H, W, 3]."""
    result = shown.context.results[slot]
    assert result is not None and result.smooth is not None, result and result.error
    return at_size(result.smooth[:, :, :3].astype(np.float64), round(shown.canvas.frames[slot].side))


def apart(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).mean())


def point_away(context: Any) -> None:
    context.mouse_move_to_pos(AWAY)
    context.yield_(2)


def drag(context: Any, start: tuple[float, float], dx: int, dy: int = 0) -> None:
    x, y = (round(edge) for edge in start)
    context.mouse_move_to_pos((x, y))
    context.mouse_down(0)
    context.mouse_move_to_pos((x + dx, y + dy))
    context.mouse_up(0)
    context.yield_()


def spot(shown: Window, slot: Slot = "left") -> tuple[float, float]:
    """A point of the picture clear of the divider and of the ring's knob."""
    frame = shown.canvas.frames[slot]
    return frame.centre_x - frame.side / 5, frame.centre_y + frame.side / 8


def split(context: Any, shown: Photographed) -> None:
    """Left of the divider the left model's pixels, right of it the right one's, wherever it is dragged to."""
    state, canvas = shown.state, shown.canvas
    context.item_click("//Canvas/###split")
    context.yield_(2)
    frames = canvas.frames
    assert state.canvas.mode == "split"
    assert (frames["left"].centre_x, frames["left"].side) == (frames["right"].centre_x, frames["right"].side)
    border = frames["right"].left
    assert border == pytest.approx(frames["left"].middle_x, abs=1)
    # Below the handle, beside the line: what is gripped there moves by as much as the pointer.
    drag(context, (border + 4, frames["left"].middle_y + frames["left"].side / 3), -70)
    moved = frames["right"].left
    assert moved == border - 70 and state.transform == TransformState(), "the picture stays"
    width = frames["left"].width + frames["right"].width
    assert state.canvas.divider == pytest.approx((moved - frames["left"].left) / width, abs=1 / width)
    point_away(context)
    settle(context, shown)
    on_screen = picture_on(shown.look(context), shown)
    cut = round(moved - (frames["left"].centre_x - frames["left"].side / 2))
    sides: dict[Slot, slice] = {"left": slice(0, cut - 8), "right": slice(cut + 8, None)}
    for slot, other in (SLOTS, SLOTS[::-1]):
        seen = on_screen[:, sides[slot]]
        assert apart(seen, rendered(shown, slot)[:, sides[slot]]) < SAME, slot
        assert apart(seen, rendered(shown, other)[:, sides[slot]]) > 5 * SAME, "the models draw different pictures"
    # To the end and beyond: it stays in reach, and is centred by a double click.
    drag(context, (moved, frames["left"].middle_y), -2000)
    assert state.canvas.divider == 0 and frames["right"].left == frames["left"].left
    io = imgui.get_io()
    io.mouse_single_click_delay, io.mouse_double_click_time = 20.0, 10.0
    context.mouse_move_to_pos((round(frames["right"].left) + 12, round(frames["left"].middle_y)))
    context.mouse_double_click(0)
    context.yield_()
    assert state.canvas.divider == 0.5 and state.transform == TransformState()
    # Away from it a drag moves the pictures, as in the other modes.
    drag(context, spot(shown), 20)
    assert state.transform.tx == pytest.approx(20 / frames["left"].side)
    context.item_input_value("//Canvas/##divider", 0.25)
    assert state.canvas.divider == 0.25
    context.item_double_click("//Canvas/##divider")
    context.yield_(3)
    assert state.canvas.divider == 0.5
    state.transform = TransformState()
    settle(context, shown)


def blink(context: Any, shown: Photographed) -> None:
    """Both pictures by turns, each when it is said to be its turn; one alone stays."""
    state = shown.state
    context.item_click("//Canvas/###blink")
    state.canvas.rate = 4.0
    point_away(context)
    settle(context, shown)
    assert shown._params and not shown._params.fps_idling.enable_idling
    turns = []
    for _ in range(300):
        on_screen = picture_on(shown.look(context), shown)
        other: Slot = "right" if shown.turn == "left" else "left"
        assert apart(on_screen, rendered(shown, shown.turn)) < SAME
        assert apart(on_screen, rendered(shown, other)) > 5 * SAME
        turns.append(shown.turn)
        if sum(before != after for before, after in zip(turns, turns[1:], strict=False)) >= 3:
            break
    else:
        raise AssertionError(f"it does not blink: {set(turns)}")

    state.link(False)  # the picture that is dragged by itself stays under the pointer
    state.focus = "right"
    x, y = (round(edge) for edge in spot(shown))
    context.mouse_move_to_pos((x, y))
    context.mouse_down(0)
    context.mouse_move_to_pos((x + 8, y))
    held = {shown.look(context) is not None and shown.turn for _ in range(30)}
    context.mouse_up(0)
    assert held == {"right"} and state.right_transform.tx > 0 and state.transform.tx == 0
    state.focus = "left"
    state.link(True)

    path, state.right.path = state.right.path, ""
    settle(context, shown)
    point_away(context)
    for _ in range(3):
        assert apart(picture_on(shown.look(context), shown), rendered(shown, "left")) < SAME
    assert shown._params.fps_idling.enable_idling, "nothing changes by itself"
    state.right.path = path
    settle(context, shown)


def cycled(context: Any, shown: Photographed) -> None:
    """C goes through the modes, and the menu has them, too."""
    seen = []
    for _ in range(4):
        context.key_press(imgui.Key.c)
        context.yield_()
        seen.append(shown.state.canvas.mode)
    assert seen == ["side", "split", "difference", "blink"]
    for item in ("**/View", "**/Side by side", "**/View", "**/Link both models"):
        context.item_click(item)
        context.yield_(2)
    assert shown.state.canvas.mode == "side" and not shown.state.linked


def test_split_and_blink_show_each_model_where_and_when_they_say(tmp_path: Path) -> None:
    shown = window(save_model(tmp_path / "b.safetensors", "B"), save_model(tmp_path / "t.safetensors", "T", seed=3))

    def script(context: Any) -> None:
        settle(context, shown)
        for step in (split, blink, cycled):
            step(context, shown)

    drive(shown, script)


def test_the_difference_of_one_model_is_black_until_one_side_moves(tmp_path: Path) -> None:
    model = save_model(tmp_path / "t.safetensors", "T")
    shown = window(model, model)
    state = shown.state

    def shows_difference(context: Any) -> np.ndarray:
        """What is on screen, after it was compared with the difference of what was rendered."""
        settle(context, shown)
        context.yield_(3)
        on_screen = picture_on(shown.look(context), shown)
        pictures = []
        for slot in SLOTS:
            result = shown.context.results[slot]
            assert result and result.smooth is not None
            pictures.append(result.smooth[:, :, :3].astype(np.float64))
        wanted = np.minimum(np.abs(pictures[0] - pictures[1]) * state.canvas.gain, 255)
        assert apart(on_screen, at_size(wanted, on_screen.shape[0])) < SAME
        return on_screen

    def script(context: Any) -> None:
        context.item_click("//Canvas/###difference")
        context.item_input_value("//Canvas/##gain", 64)
        assert (state.canvas.mode, state.canvas.gain) == ("difference", 64)
        point_away(context)
        assert shows_difference(context).max() == 0

        context.item_click("//Canvas/link")
        assert not state.linked
        context.item_click("//Canvas/##tag right")
        point_away(context)
        assert state.focus == "right" and shows_difference(context).max() == 0, "unlinking alone changes nothing"
        before = build_request(state)
        drag(context, spot(shown), 90, -40)
        after = build_request(state)
        assert after.left == before.left and after.right != before.right
        point_away(context)
        loud = shows_difference(context)
        assert loud.mean() > 10
        context.item_input_value("//Canvas/##gain", 4)
        point_away(context)
        assert 0 < shows_difference(context).mean() < loud.mean()

        context.key_press(imgui.Key.l)
        context.yield_()
        assert state.linked and build_request(state).left == after.right, "both take the focused side's"
        point_away(context)
        assert shows_difference(context).max() == 0

    drive(shown, script)


def test_unlinked_gestures_and_keys_act_on_the_side_under_the_pointer(tmp_path: Path) -> None:
    shown = window(save_model(tmp_path / "b.safetensors", "B"), save_model(tmp_path / "t.safetensors", "T"))
    state = shown.state

    def changed(act: Any) -> set[str]:
        before = build_request(state)
        act()
        after = build_request(state)
        return {slot for slot in SLOTS if before.slot(slot) != after.slot(slot)}

    def hover(context: Any, slot: Slot) -> None:
        x, y = spot(shown, slot)
        context.mouse_move_to_pos((round(x), round(y)))

    def press(context: Any, key: Any) -> None:
        context.key_press(key)
        context.yield_()

    def right_drag(context: Any, slot: Slot) -> None:
        hover(context, slot)
        context.mouse_down(1)
        context.mouse_move_to_pos(tuple(round(edge) + 40 for edge in spot(shown, slot)))
        context.mouse_up(1)
        context.yield_()

    def script(context: Any) -> None:
        settle(context, shown)
        assert changed(lambda: drag(context, spot(shown, "right"), 20)) == {"left", "right"}
        press(context, imgui.Key.l)
        assert not state.linked
        for slot in SLOTS:
            assert changed(lambda slot=slot: drag(context, spot(shown, slot), 15)) == {slot}
            assert state.focus == slot
            assert changed(lambda slot=slot: right_drag(context, slot)) == {slot}
        hover(context, "left")
        for key in (imgui.Key.right_arrow, imgui.Key.period):
            assert changed(lambda key=key: press(context, key)) == {"left"}
        assert state.focus == "left"

        # The panels edit the focused side, which their own selector chooses, too.
        context.item_click("//Transform/right##side")
        assert state.focus == "right"
        assert changed(lambda: context.item_input_value("//Transform/##degrees", 30)) == {"right"}
        assert state.right_transform.degrees == pytest.approx(30)
        assert changed(lambda: context.item_click("//Latent/Nearest")) == {"right"}
        context.item_click("//Latent/left##side")
        assert changed(lambda: context.item_click("//Transform/Reset")) == {"left"}

        # Over a divider the two sides are as near as they can be.
        context.item_click("//Canvas/###split")
        context.yield_(2)
        frame = shown.canvas.frames["right"]
        for slot, x in (("left", frame.centre_x - 40), ("right", frame.centre_x + 40)):
            assert changed(lambda x=x: drag(context, (x, frame.centre_y + frame.side / 4), 10)) == {slot}
        settle(context, shown)

    drive(shown, script)


def test_models_of_different_sizes_compare_and_it_is_said_how(tmp_path: Path) -> None:
    small = save_model(tmp_path / "small.safetensors", "T", 32)
    large = save_model(tmp_path / "large.safetensors", "T", 64, seed=1, z_dim=64)
    shown = window(small, large)
    state, canvas = shown.state, shown.canvas

    def caption(context: Any) -> np.ndarray:
        """Which pixels between the pictures and the line below them are not the stage's."""
        screen, frame = shown.look(context), canvas.frames["left"]
        rows = slice(round(frame.bottom) + 1, round(frame.bottom) + 30)
        strip = screen[rows, round(frame.left) + 1 : round(canvas.frames["right"].right) - 1]
        return np.abs(strip - strip[0, 0]).max(axis=2) > 20

    def script(context: Any) -> None:
        settle(context, shown)
        for mode in ("split", "blink", "difference"):
            context.item_click(f"//Canvas/###{mode}")
            point_away(context)
            settle(context, shown)
            context.yield_(3)
            on_screen = picture_on(shown.look(context), shown)
            sides = {slot: rendered(shown, slot) for slot in SLOTS}
            if mode == "split":
                third = on_screen.shape[1] // 3
                assert apart(on_screen[:, :third], sides["left"][:, :third]) < SAME
                assert apart(on_screen[:, -third:], sides["right"][:, -third:]) < SAME
            elif mode == "blink":
                assert apart(on_screen, sides[shown.turn]) < SAME
            else:
                wanted = np.minimum(np.abs(sides["left"] - sides["right"]) * state.canvas.gain, 255)
                assert apart(on_screen, wanted) < 2 * SAME, "sampled before it was amplified"
                assert on_screen.mean() > 10
        said = describe_comparison(state, *map(shown.context.facts, SLOTS))
        assert len(said) == 2 and "32 numbers left, 64 right" in said[0] and "left enlarged 2×" in said[1]
        assert caption(context).sum() > 200
        state.canvas.mode = "side"
        context.yield_(2)
        assert caption(context).sum() > 100, "one seed and two draws hold there as well"
        state.right.path = small
        settle(context, shown)
        context.yield_(2)
        assert not describe_comparison(state, *map(shown.context.facts, SLOTS))

    drive(shown, script)


def choose_mode(context: Any, state: AppState, mode: str) -> None:
    """By its word, or from the list that the words fold into where they have no room."""
    if context.item_exists("//Canvas/##mode"):
        context.item_click("//Canvas/##mode")
        context.item_click(f"//$FOCUSED/{next(known.title for known in MODES if known.key == mode)}")
        context.yield_(2)
    else:
        context.item_click(f"//Canvas/###{mode}")
    assert state.canvas.mode == mode


@pytest.mark.parametrize("size", [(640, 480), (900, 1100)])
def test_every_mode_stands_every_state_of_the_slots(tmp_path: Path, size: tuple[int, int]) -> None:
    good, bad = save_model(tmp_path / "a.safetensors", "A", 16), tmp_path / "bad.safetensors"
    bad.write_text("not a model")
    shown = window(good, "")
    state = shown.state
    state.display.width, state.display.height = size
    state.transform.tx = 0.3  # which rung A cannot follow, and says so

    def script(context: Any) -> None:
        for left, right in (("", ""), (good, ""), ("", good), (good, str(bad)), (str(bad), ""), (good, good)):
            state.left.path, state.right.path = left, right
            context.yield_()  # while they are being opened
            settle(context, shown)
            for mode in ("side", "split", "difference", "blink"):
                for state.canvas.divider in (0.0, 0.03, 0.6) if mode == "split" else (0.5,):
                    choose_mode(context, state, mode)
                    frame = shown.canvas.frames["left"]
                    context.mouse_move_to_pos((round(frame.middle_x), round(frame.middle_y)))
                    context.mouse_wheel_y(1)
                    context.yield_(2)
                    area = shown.canvas.frames["right"]
                    on_screen = shown.look(context)[round(area.top) : round(area.bottom), round(area.left) + 20 :]
                    assert on_screen.shape[1] < 20 or on_screen.std() > 1, "a picture, or why there is none"

    drive(shown, script)
