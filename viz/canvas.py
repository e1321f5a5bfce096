# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The pictures: two slots side by side under one latent and one transform, moved by the pointer."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from imgui_bundle import ImVec2, imgui

from gan.ladder import RUNGS
from viz import motion
from viz.result import RenderResult
from viz.state import SLOTS, AppState, Slot
from viz.theme import rgb
from viz.view import Picture, View

TITLE = "Canvas"
TAG_HEIGHT = 2.1  # in font sizes
MARGIN = 10.0  # around a fitted picture, pixels
KNOB_RADIUS = 7.0
RING = 0.47  # of the picture's side
WONDER_SECONDS = 1.0
ZOOM_STEP = 1.15  # a notch of the wheel

Gesture = Literal["translate", "rotate", "walk", "pan"]
RUNG_TITLES = dict(RUNGS)


@dataclass
class Frame:
    """Where a slot is on screen: its area below the tag, and the picture's square, which may reach beyond it."""

    left: float = 0.0
    top: float = 0.0
    width: float = 1.0
    height: float = 1.0
    centre_x: float = 0.0
    centre_y: float = 0.0
    side: float = 1.0  # of the picture as zoomed
    fitted: float = 1.0  # of the picture at zoom 1

    def holds(self, x: float, y: float) -> bool:
        return self.left <= x < self.left + self.width and self.top <= y < self.top + self.height


class Canvas:
    """Draws both slots and turns pointer gestures on them into state. Holds nothing but the gesture under way."""

    def __init__(self) -> None:
        self.frames: dict[Slot, Frame] = {"left": Frame(), "right": Frame()}
        self._gesture: Gesture | None = None
        self._held: Slot | None = None

    def slot_at(self, x: float, y: float) -> Slot:
        """The slot under a point of the window, or the nearer one beside both."""
        for slot in SLOTS:
            if self.frames[slot].holds(x, y):
                return slot
        middle = self.frames["right"].left
        return "right" if x >= middle else "left"

    def draw(self, state: AppState, view: View, pictures: dict[Slot, Picture | None]) -> None:
        """Fill the current window with both slots."""
        origin, room = imgui.get_cursor_screen_pos(), imgui.get_content_region_avail()
        gap = 1.0
        width = max(1.0, math.floor((room.x - gap) / 2))
        for index, slot in enumerate(SLOTS):
            corner = ImVec2(origin.x + index * (width + gap), origin.y)
            self._slot(state, view, slot, corner, ImVec2(width, max(1.0, room.y)), pictures[slot])
        line = imgui.get_color_u32(rgb(view.theme.palette.border))
        x = origin.x + width
        imgui.get_window_draw_list().add_line((x, origin.y), (x, origin.y + room.y), line, gap)

    def one_to_one(self, state: AppState, view: View, slot: Slot) -> None:
        """Zoom so that one pixel of the slot's picture is one pixel of the screen."""
        facts = view.facts(slot)
        if facts:
            scale = imgui.get_io().display_framebuffer_scale.x or 1.0
            motion.fit(state.canvas)
            motion.clamped(state.canvas, "zoom", facts.resolution / scale / self.frames[slot].fitted)

    def _slot(
        self, state: AppState, view: View, slot: Slot, origin: ImVec2, size: ImVec2, picture: Picture | None
    ) -> None:
        tag = TAG_HEIGHT * imgui.get_font_size()
        frame = self._place(state, slot, ImVec2(origin.x, origin.y + tag), ImVec2(size.x, max(1.0, size.y - tag)))
        imgui.set_cursor_screen_pos((frame.left, frame.top))
        buttons = imgui.ButtonFlags_
        imgui.invisible_button(
            f"##{slot}",
            (frame.width, frame.height),
            buttons.mouse_button_left | buttons.mouse_button_right | buttons.mouse_button_middle,
        )
        self._gestures(state, view, slot, frame)
        draw = imgui.get_window_draw_list()
        draw.push_clip_rect((frame.left, frame.top), (frame.left + frame.width, frame.top + frame.height), True)
        self._content(state, view, slot, frame, picture)
        draw.pop_clip_rect()
        self._tag(state, view, slot, origin, size.x, tag)

    def _place(self, state: AppState, slot: Slot, origin: ImVec2, size: ImVec2) -> Frame:
        canvas, frame = state.canvas, self.frames[slot]
        frame.left, frame.top, frame.width, frame.height = origin.x, origin.y, size.x, size.y
        frame.fitted = max(16.0, math.floor(min(size.x, size.y) - 2 * MARGIN))
        frame.side = frame.fitted * canvas.zoom
        # The picture's corner falls on a whole pixel, so that 1:1 is exact.
        left = origin.x + size.x / 2 + canvas.pan_x * frame.fitted - frame.side / 2
        top = origin.y + size.y / 2 + canvas.pan_y * frame.fitted - frame.side / 2
        frame.centre_x, frame.centre_y = round(left) + frame.side / 2, round(top) + frame.side / 2
        return frame

    # -- gestures --------------------------------------------------------------------------------------------------

    def _gestures(self, state: AppState, view: View, slot: Slot, frame: Frame) -> None:
        io = imgui.get_io()
        if imgui.is_item_hovered():
            imgui.set_item_key_owner(imgui.Key.mouse_wheel_y)
            if io.mouse_wheel:
                x = (io.mouse_pos.x - frame.left - frame.width / 2) / frame.fitted
                y = (io.mouse_pos.y - frame.top - frame.height / 2) / frame.fitted
                motion.zoom(state.canvas, ZOOM_STEP**io.mouse_wheel, x, y)
            if imgui.is_mouse_double_clicked(imgui.MouseButton_.left):
                motion.reset(state.transform)
        if imgui.is_item_activated():
            self._gesture, self._held = self._begun(state, view, slot, frame), slot
        elif imgui.is_item_active() and self._held == slot:
            self._continue(state, frame)
        elif self._held == slot:
            self._gesture = self._held = None
        if (imgui.is_item_hovered() or self._held == slot) and self._movable(view, slot):
            turning = io.key_shift or self._gesture == "rotate" or self._on_knob(state, frame)
            imgui.set_mouse_cursor(imgui.MouseCursor_.hand if turning else imgui.MouseCursor_.resize_all)

    def _begun(self, state: AppState, view: View, slot: Slot, frame: Frame) -> Gesture | None:
        if not state.slot(slot).path or imgui.is_mouse_double_clicked(imgui.MouseButton_.left):
            return None  # the second press of a double click puts the picture back, and holds nothing
        if imgui.is_mouse_down(imgui.MouseButton_.right):
            return "walk"
        if imgui.is_mouse_down(imgui.MouseButton_.middle):
            return "pan"
        knob = self._movable(view, slot) and self._on_knob(state, frame)
        return "rotate" if imgui.get_io().key_shift or knob else "translate"

    def _continue(self, state: AppState, frame: Frame) -> None:
        io = imgui.get_io()
        dx, dy = io.mouse_delta.x, io.mouse_delta.y
        if self._gesture == "translate":
            motion.translate(state.transform, dx / frame.side, dy / frame.side)
        elif self._gesture == "rotate":
            after = (io.mouse_pos.x - frame.centre_x, io.mouse_pos.y - frame.centre_y)
            motion.rotate(state.transform, motion.angle_between((after[0] - dx, after[1] - dy), after))
        elif self._gesture == "walk":
            step = motion.SEEDS_PER_WIDTH / frame.fitted
            motion.walk(state.latent, dx * step, dy * step)
        elif self._gesture == "pan":
            motion.clamped(state.canvas, "pan_x", state.canvas.pan_x + dx / frame.fitted)
            motion.clamped(state.canvas, "pan_y", state.canvas.pan_y + dy / frame.fitted)

    def _movable(self, view: View, slot: Slot) -> bool:
        facts = view.facts(slot)
        return facts is not None and facts.movable

    def _knob(self, state: AppState, frame: Frame) -> tuple[float, float]:
        angle, radius = math.radians(state.transform.degrees), RING * frame.side
        return frame.centre_x - radius * math.sin(angle), frame.centre_y - radius * math.cos(angle)

    def _on_knob(self, state: AppState, frame: Frame) -> bool:
        x, y = self._knob(state, frame)
        mouse = imgui.get_io().mouse_pos
        return math.hypot(mouse.x - x, mouse.y - y) <= KNOB_RADIUS + 5

    # -- drawing ---------------------------------------------------------------------------------------------------

    def _content(self, state: AppState, view: View, slot: Slot, frame: Frame, picture: Picture | None) -> None:
        path, result = state.slot(slot).path, view.results[slot]
        current = result if result and result.request.model == path else None
        if not path:
            self._say(view, frame, "Nothing is open here.\nDrop a checkpoint on this side, or choose one under Model.")
        elif current and current.error:
            self._say(view, frame, current.error, heading=f"{Path(path).name} cannot be shown", failed=True)
        elif picture is None or current is None:
            self._say(view, frame, f"Opening {Path(path).name} …{_seconds(view, slot)}")
        else:
            self._picture(frame, picture)
            if imgui.is_item_hovered() or self._held == slot:
                self._ring(state, view, slot, frame)
            if current.notice:
                self._notice(view, frame, current.notice)

    def _picture(self, frame: Frame, picture: Picture) -> None:
        half = frame.side / 2
        imgui.get_window_draw_list().add_image(
            imgui.ImTextureRef(picture.texture),
            (frame.centre_x - half, frame.centre_y - half),
            (frame.centre_x + half, frame.centre_y + half),
        )

    def _ring(self, state: AppState, view: View, slot: Slot, frame: Frame) -> None:
        """The knob that turns the picture, on a short arc until it is wanted; nothing during other gestures."""
        gesture = self._gesture if self._held else None
        if not self._movable(view, slot) or gesture not in (None, "rotate"):
            return
        draw, centre, radius = imgui.get_window_draw_list(), (frame.centre_x, frame.centre_y), RING * frame.side
        turning = gesture == "rotate" or imgui.get_io().key_shift or self._on_knob(state, frame)
        middle, reach = -math.radians(90 + state.transform.degrees), math.pi if turning else math.radians(12)
        for code, width in (("#000000", 3.0), ("#ffffff", 1.0)):
            draw.path_arc_to(centre, radius, middle - reach, middle + reach)
            draw.path_stroke(imgui.get_color_u32(rgb(code, 0.6)), width)
        knob = self._knob(state, frame)
        draw.add_circle_filled(knob, KNOB_RADIUS + 1.5, imgui.get_color_u32(rgb("#000000", 0.6)))
        draw.add_circle_filled(knob, KNOB_RADIUS, imgui.get_color_u32(view.theme.accent[slot]))

    def _say(self, view: View, frame: Frame, text: str, heading: str = "", failed: bool = False) -> None:
        """A few words in the middle of a slot without a picture."""
        wrap = min(26 * imgui.get_font_size(), frame.width - 4 * MARGIN)
        y = frame.top + frame.height / 2 - 2 * imgui.get_text_line_height()
        for words, colour in ((heading, view.theme.error if failed else view.theme.text), (text, view.theme.dim)):
            for line in words.split("\n") if words else ():
                size = imgui.calc_text_size(line, wrap_width=wrap)
                left = frame.left + (frame.width - size.x) / 2
                imgui.get_window_draw_list().add_text(
                    imgui.get_font(), imgui.get_font_size(), (left, y), imgui.get_color_u32(colour), line, wrap
                )
                y += size.y + 6

    def _notice(self, view: View, frame: Frame, text: str) -> None:
        """A sentence at the foot of a picture, on a plate of its own so that it reads on any picture."""
        inset, pad = 12.0, 9.0
        left = max(frame.left, frame.centre_x - frame.side / 2) + inset
        right = min(frame.left + frame.width, frame.centre_x + frame.side / 2) - inset
        bottom = min(frame.top + frame.height, frame.centre_y + frame.side / 2) - inset
        wrap = max(40.0, right - left - 2 * pad)
        size = imgui.calc_text_size(text, wrap_width=wrap)
        draw, top = imgui.get_window_draw_list(), bottom - size.y - 2 * pad
        plate, ink = rgb(view.theme.palette.window, 0.9), imgui.get_color_u32(view.theme.warning)
        draw.add_rect_filled((left, top), (left + size.x + 2 * pad, bottom), imgui.get_color_u32(plate), 4.0)
        draw.add_text(imgui.get_font(), imgui.get_font_size(), (left + pad, top + pad), ink, text, wrap)

    def _tag(self, state: AppState, view: View, slot: Slot, origin: ImVec2, width: float, height: float) -> None:
        """One line above a slot: whose it is, what is open, and how long its pictures take."""
        theme, draw = view.theme, imgui.get_window_draw_list()
        text_y = origin.y + (height - imgui.get_text_line_height()) / 2
        x, path, result = origin.x + MARGIN, state.slot(slot).path, view.results[slot]
        imgui.push_clip_rect((origin.x, origin.y), (origin.x + width, origin.y + height), True)
        accent = imgui.get_color_u32(theme.accent[slot])
        draw.add_rect_filled((x, text_y + 1), (x + 4, text_y + imgui.get_text_line_height() - 1), accent, 2.0)
        x += 12
        name = Path(path).stem if path else slot.capitalize()
        facts = result.facts if result and result.request.model == path else None
        about = f"{facts.rung}   {RUNG_TITLES.get(facts.rung, '')}" if facts else ""
        for words, colour in ((name, theme.text), (about, theme.dim)):
            draw.add_text((x, text_y), imgui.get_color_u32(colour), words)
            x += imgui.calc_text_size(words).x + 12
        if facts and result:
            imgui.push_font(theme.mono, 0.0)
            numbers = f"{facts.resolution} px  {_latest(view, slot, result):5.1f} ms"
            numbers = f"rendering{_seconds(view, slot)}" if _seconds(view, slot) else numbers
            right = origin.x + width - MARGIN - imgui.calc_text_size(numbers).x
            if right > x:
                y = origin.y + (height - imgui.get_text_line_height()) / 2
                draw.add_text((right, y), imgui.get_color_u32(theme.dim), numbers)
            imgui.pop_font()
        imgui.pop_clip_rect()


def _seconds(view: View, slot: Slot) -> str:
    """How long the next picture has been under way, once that is long enough to wonder."""
    return f" {view.busy[slot]:.0f} s" if view.busy[slot] >= WONDER_SECONDS else ""


def _latest(view: View, slot: Slot, result: RenderResult) -> float:
    times = view.timings.model[slot]
    return times[-1] if times else result.model_ms
