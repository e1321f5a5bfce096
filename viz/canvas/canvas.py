# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The pictures: two slots side by side, or in one place to be compared there, moved by the pointer."""

import math
from dataclasses import replace
from typing import Literal

from imgui_bundle import imgui

from gan.hub.resolve import format_title
from viz.canvas import mode_bar, overlays, slice_line
from viz.canvas.bookmark_strip import BookmarkStrip
from viz.canvas.overlays import KNOB_RADIUS, MARGIN, Absence, Frame, Rect, Words
from viz.canvas.placing import GAP, place
from viz.core import gestures
from viz.core.state import SLOTS, AppState, Slot
from viz.ui import widgets
from viz.ui.context import PanelContext, Pictures
from viz.ui.theme import rgb

TITLE = "Canvas"
TAG_HEIGHT = 2.1  # in font sizes
LINE_GAP = 3.0  # between the lines below the pictures
REACH = 7.0  # of the divider, to either side
ZOOM_STEP = 1.15  # a notch of the wheel

Gesture = Literal["translate", "rotate", "walk", "pan", "divide", "line"]


class Canvas:
    """Draws both slots and turns pointer gestures on them into state.

    Holds of its own the gesture under way and, while the pictures blink, whose turn it is.
    """

    def __init__(self, state: AppState, context: PanelContext) -> None:
        self.state, self.context = state, context
        self.frames: dict[Slot, Frame] = {"left": Frame(), "right": Frame()}
        self._strip = BookmarkStrip(state, context)
        self.turn: Slot = "left"  # whose picture a blinking canvas shows
        self.bounds = Rect()  # of the pictures and what is said of them, without the lines of controls
        self.is_bare = False  # while it is captured, without what the pointer lights up
        self._area = Rect()  # of all pictures
        self._absent: dict[Slot, Absence | None] = {"left": None, "right": None}  # why slots show nothing
        self._border = 0.0  # where on screen the left slot's side ends
        self._gesture: Gesture | None = None
        self._held: Slot | None = None
        self._end: slice_line.End | None = None  # of the slices' line, that is dragged
        self._hovered = False
        self._offset = 0.0  # of the divider from the pointer that drags it
        self._phase = 0.0  # of the blinking, in periods

    def slot_at(self, x: float, y: float) -> Slot:
        """Return the slot on whose side of the canvas a point of the window is."""
        return "right" if x >= self._border else "left"

    def aimed(self, x: float, y: float) -> Slot:
        """Return the slot that a gesture or key at a point of the window acts on.

        That is the one under it, but where both pictures lie on top of each other, or beside the canvas, the focused
        one. While the slots are linked it makes no difference to what is moved.
        """
        apart = self.state.canvas.mode in ("side", "split")
        if apart and (self.state.linked or self._area.holds(x, y)):
            return self.slot_at(x, y)
        if not self.state.linked or self.state.slot(self.state.focus).path:
            return self.state.focus
        return "left" if self.state.left.path else "right"

    def one_to_one(self, slot: Slot) -> None:
        """Zoom so that one pixel of the slot's picture is one pixel of the screen."""
        facts = self.context.facts(slot)
        if facts:
            scale = imgui.get_io().display_framebuffer_scale.x or 1.0
            gestures.fit(self.state.canvas)
            gestures.set_clamped(self.state.canvas, "zoom", facts.config.resolution / scale / self.frames[slot].fitted)

    def draw(self, pictures: Pictures, *, alone: bool = False) -> None:
        """Fill the current window: tags, pictures, what is said of them; unless `alone`, modes and bookmarks below."""
        origin, room, em = imgui.get_cursor_screen_pos(), imgui.get_content_region_avail(), imgui.get_font_size()
        tag = TAG_HEIGHT * em
        bar, strip = (0.0, 0.0) if alone else (mode_bar.HEIGHT * em, self._strip.height)
        for slot in SLOTS:
            self._absent[slot] = overlays.explain_absence(self.state, self.context, slot, pictures.slot(slot))
        self._take_turns()
        legend = self._legend(pictures)
        notes = overlays.describe_comparison(self.state, *map(self.context.facts, SLOTS))
        wrap = max(1.0, room.x - 2 * MARGIN)
        caption = sum(imgui.calc_text_size(text, wrap_width=wrap).y + LINE_GAP for text in notes)
        caption += imgui.get_text_line_height() + LINE_GAP if legend is not None else 0.0
        height = max(1.0, room.y - tag - caption - bar - strip)
        self._area = Rect(origin.x, origin.y + tag, max(1.0, room.x), height)
        self._border = place(self.state.canvas, self._area, self.frames, MARGIN)
        imgui.set_cursor_screen_pos(self._area.corner)
        buttons = imgui.ButtonFlags_
        any_button = buttons.mouse_button_left | buttons.mouse_button_right | buttons.mouse_button_middle
        imgui.invisible_button("##pictures", (self._area.width, self._area.height), any_button)
        self._gestures()
        self._draw_pictures(pictures)
        self._tags(tag)
        self._captions(legend, notes)
        self.bounds = Rect(origin.x, origin.y, self._area.width, tag + height + caption)
        if alone:
            return
        top, width = self._area.bottom + caption, self._area.width
        mode_bar.draw(self.state, self.context, Rect(origin.x, top, width, bar))
        self._strip.draw(Rect(origin.x, top + bar, width, strip))

    # -- gestures --------------------------------------------------------------------------------------------------

    def _gestures(self) -> None:
        io = imgui.get_io()
        slot = self._held or self.aimed(io.mouse_pos.x, io.mouse_pos.y)
        frame = self.frames[slot]
        self._hovered = imgui.is_item_hovered()
        if self._hovered:
            imgui.set_item_key_owner(imgui.Key.mouse_wheel_y)
            if io.mouse_wheel:
                x, y = io.mouse_pos.x - frame.middle_x, io.mouse_pos.y - frame.middle_y
                gestures.zoom(self.state.canvas, ZOOM_STEP**io.mouse_wheel, x / frame.fitted, y / frame.fitted)
            if imgui.is_mouse_double_clicked(imgui.MouseButton_.left):
                if self._on_divider():
                    self.state.canvas.divider = 0.5
                else:
                    gestures.reset(self.state.transform_of(slot))
        if imgui.is_item_activated():
            self._gesture, self._held = self._begun(slot), slot
            self._offset = self._border - io.mouse_pos.x
            if self._gesture not in (None, "divide", "pan", "line"):
                self.state.focus = slot
        elif not imgui.is_item_active():
            self._gesture = self._held = None
        elif self._held:
            self._continue(self._held)
        if self._hovered or self._held:
            self._show_cursor(slot)

    def _show_cursor(self, slot: Slot) -> None:
        cursors = imgui.MouseCursor_
        if self._gesture == "divide" or (self._gesture is None and self._on_divider()):
            imgui.set_mouse_cursor(cursors.resize_ew)
        elif self._gesture == "line" or (self._gesture is None and self._on_line(slot)):
            imgui.set_mouse_cursor(cursors.hand)
        elif self._movable(slot):
            turning = imgui.get_io().key_shift or self._gesture == "rotate" or self._on_knob(slot)
            imgui.set_mouse_cursor(cursors.hand if turning else cursors.resize_all)

    def _begun(self, slot: Slot) -> Gesture | None:
        if imgui.is_mouse_double_clicked(imgui.MouseButton_.left):
            return None  # the second press of a double click puts the picture back, and holds nothing
        if imgui.is_mouse_down(imgui.MouseButton_.left) and self._on_divider():
            return "divide"
        if not self.state.slot(slot).path:
            return None
        self._end = self._on_line(slot)
        if self._end and imgui.is_mouse_down(imgui.MouseButton_.left):
            return "line"
        if imgui.is_mouse_down(imgui.MouseButton_.right):
            return "walk"
        if imgui.is_mouse_down(imgui.MouseButton_.middle):
            return "pan"
        knob = self._movable(slot) and self._on_knob(slot)
        return "rotate" if imgui.get_io().key_shift or knob else "translate"

    def _continue(self, slot: Slot) -> None:
        io, frame, transform = imgui.get_io(), self.frames[slot], self.state.transform_of(slot)
        dx, dy = io.mouse_delta.x, io.mouse_delta.y
        if self._gesture == "translate":
            gestures.translate(transform, dx / frame.side, dy / frame.side)
        elif self._gesture == "rotate":
            after = (io.mouse_pos.x - frame.centre_x, io.mouse_pos.y - frame.centre_y)
            gestures.rotate(transform, gestures.angle_between((after[0] - dx, after[1] - dy), after))
        elif self._gesture == "walk":
            step = gestures.SEEDS_PER_WIDTH / frame.fitted
            gestures.walk(self.state.latent_of(slot), dx * step, dy * step)
        elif self._gesture == "pan":
            gestures.set_clamped(self.state.canvas, "pan_x", self.state.canvas.pan_x + dx / frame.fitted)
            gestures.set_clamped(self.state.canvas, "pan_y", self.state.canvas.pan_y + dy / frame.fitted)
        elif self._gesture == "line" and self._end:
            slice_line.drag_end(self.state.sticking, self._end, dx / frame.side, dy / frame.side)
        elif self._gesture == "divide" and (dx or dy):
            where = io.mouse_pos.x + self._offset - self._area.left
            gestures.set_clamped(self.state.canvas, "divider", where / self._area.width)

    def _on_line(self, slot: Slot) -> slice_line.End | None:
        mouse = imgui.get_io().mouse_pos
        if not self.context.recorder.line_shown:
            return None
        return slice_line.find_end(self.state.sticking, self.frames[slot], mouse.x, mouse.y)

    def _movable(self, slot: Slot) -> bool:
        """Return whether a drag moves the slot's model or, where both lie in one place, one of the two."""
        both = self.state.linked and self.state.canvas.mode != "side"
        known = map(self.context.facts, SLOTS if both else (slot,))
        return any(facts is not None and facts.config.movable for facts in known)

    def _on_knob(self, slot: Slot) -> bool:
        x, y = overlays.locate_knob(self.frames[slot], self.state.transform_of(slot).degrees)
        mouse = imgui.get_io().mouse_pos
        return math.hypot(mouse.x - x, mouse.y - y) <= KNOB_RADIUS + 5

    def _on_divider(self) -> bool:
        """Return whether the pointer is on the divider, and not on the ring's knob, which may lie over it."""
        mouse = imgui.get_io().mouse_pos
        if self.state.canvas.mode != "split" or not self._area.holds(mouse.x, mouse.y):
            return False
        slot = self.slot_at(mouse.x, mouse.y)
        over = self._movable(slot) and self._on_knob(slot)
        grip = overlays.locate_grip(self._area, self._border)
        return min(abs(mouse.x - self._border), abs(mouse.x - grip)) <= REACH and not over

    # -- drawing ---------------------------------------------------------------------------------------------------

    def _draw_pictures(self, pictures: Pictures) -> None:
        mode, area, theme = self.state.canvas.mode, self._area, self.context.theme
        if mode in ("side", "split"):
            for slot in SLOTS:
                self._part(slot, self.frames[slot], pictures)
        elif mode == "blink" and not all(self._absent.values()):
            self._part(self.turn, self.frames[self.turn], pictures)
        elif any(self._absent.values()):
            self._halves()
        elif pictures.difference:
            with area.clip():
                overlays.draw_picture(self.frames["left"], pictures.difference)
        if mode == "side":
            x, line = self._border - GAP, imgui.get_color_u32(rgb(theme.palette["border"]))
            top = area.top - TAG_HEIGHT * imgui.get_font_size()
            imgui.get_window_draw_list().add_line((x, top), (x, area.bottom), line, GAP)
        elif mode == "split":
            with area.clip():
                lit = self._gesture == "divide" or (self._hovered and self._on_divider())
                overlays.draw_divider(theme, area, self._border, lit)
        if not self.is_bare:
            self._line()
            self._ring()
        self._notices()

    def _part(self, slot: Slot, part: Rect, pictures: Pictures) -> None:
        """Draw a slot's picture, or why there is none."""
        absent, shown = self._absent[slot], pictures.slot(slot)
        with part.clip():
            if shown is not None and not absent:
                overlays.draw_background(self.context, self.frames[slot], slot)
                overlays.draw_picture(self.frames[slot], shown)
            elif absent and part.width > 2 * MARGIN:
                overlays.draw_absence(self.context, part, absent)

    def _halves(self) -> None:
        """Draw why there is nothing to compare, each slot's reason on its side."""
        area = self._area
        for index, slot in enumerate(SLOTS):
            half = Rect(area.left + index * area.width / 2, area.top, area.width / 2, area.height)
            ready = Absence("This one is ready.\nA comparison needs two pictures.")
            overlays.draw_absence(self.context, half, self._absent[slot] or ready)

    def _notices(self) -> None:
        """Draw the notices of pictures that are not all that was asked for, at the foot of each, or of the one."""
        found = {slot: result.notice for slot, result in self.context.results.items() if result and result.notice}
        said = {slot: text for slot, text in found.items() if not self._absent[slot]}
        with self._area.clip():
            if self.state.canvas.mode == "side":
                for slot, text in said.items():
                    overlays.draw_notice(self.context, self.frames[slot], text)
            elif said:
                whole = replace(self.frames["left"], left=self._area.left, width=self._area.width)
                texts = "\n".join(f"{slot.capitalize()}: {text}" for slot, text in said.items())
                overlays.draw_notice(self.context, whole, texts)

    def _ring(self) -> None:
        """Draw the knob that turns the picture, on a short arc until it is wanted; nothing during other gestures."""
        mouse, mode = imgui.get_io().mouse_pos, self.state.canvas.mode
        if not (self._hovered or self._held) or self._gesture not in (None, "rotate"):
            return
        slot = self._held or self.aimed(mouse.x, mouse.y)
        needed = {"side": (slot,), "split": (slot,), "difference": SLOTS, "blink": (self.turn,)}[mode]
        if any(self._absent[each] for each in needed) or not self._movable(slot):
            return
        whole = self._gesture == "rotate" or imgui.get_io().key_shift or self._on_knob(slot)
        apart = mode in ("side", "split") or not self.state.linked
        colour = self.context.theme.accent[slot] if apart else rgb("#ffffff")
        with (self.frames[slot] if mode == "side" else self._area).clip():
            overlays.draw_ring(self.frames[slot], self.state.transform_of(slot).degrees, colour, whole)

    def _line(self) -> None:
        """Draw the line that the x-t slices are taken along over every visible picture, while it may be wanted."""
        recorder, apart = self.context.recorder, self.state.canvas.mode == "side"
        if not recorder.line_shown or not (self._hovered or self._held or recorder.line_pointed):
            return
        there = [slot for slot in SLOTS if not self._absent[slot]]
        for slot in there if apart else there[:1]:
            clip = self.frames[slot] if apart else self._area
            if clip.width > 0:
                with clip.clip():
                    slice_line.draw(self.state.sticking, self.frames[slot], self._gesture == "line")

    def _tags(self, height: float) -> None:
        """Draw the lines above the pictures; while the slots are unlinked, a click on one focuses its slot."""
        area, half = self._area, max(1.0, math.floor((self._area.width - GAP) / 2))
        for index, slot in enumerate(SLOTS):
            rect = Rect(area.left + index * (half + GAP), area.top - height, half, height)
            if not self.state.linked:
                imgui.set_cursor_screen_pos((rect.left, rect.top))
                if imgui.invisible_button(f"##tag {slot}", (rect.width, rect.height)):
                    self.state.focus = slot
                widgets.tooltip("Click to let the panels Latent and Transform edit this side.")
            overlays.draw_tag(self.state, self.context, slot, rect)

    def _captions(self, legend: list[Words] | None, notes: tuple[str, ...]) -> None:
        """Draw the lines below the pictures."""
        area, high = self._area, imgui.get_text_line_height()
        y, wrap = area.bottom + LINE_GAP, max(1.0, area.width - 2 * MARGIN)
        if legend is not None:
            overlays.draw_words(self.context.theme, legend, Rect(area.left, y, area.width, high))
            y += high + LINE_GAP
        for text in notes:
            size = imgui.calc_text_size(text, wrap_width=wrap)
            at = round(area.left + (area.width - size.x) / 2), y
            overlays.draw_wrapped(text, at, self.context.theme.dim, wrap)
            y += size.y + LINE_GAP

    def _legend(self, pictures: Pictures) -> list[Words] | None:
        """Return the line below the pictures; [] while there is no picture, None in modes that have no such line."""
        theme, mode = self.context.theme, self.state.canvas.mode
        if mode == "difference":
            if any(self._absent.values()) or pictures.difference is None:
                return []
            left, right = (Words(slot, theme.accent[slot]) for slot in SLOTS)
            bar, space = Words("|", theme.dim), Words("", theme.dim)
            rms = Words(f"{pictures.rms:6.2f} / 255", theme.text, number=True)
            return [bar, left, Words("−", theme.dim), right, bar, space, space, Words("RMS", theme.dim), rms]
        if mode == "blink":
            if all(self._absent.values()):
                return []
            name, colour = format_title(self.state.slot(self.turn).path), theme.accent[self.turn]
            words = [Words(self.turn.capitalize(), colour), Words("", colour), Words(name, colour)]
            if any(self._absent.values()):
                words = [words[0], Words("has the only picture: blinking needs two.", theme.dim)]
            return words
        return None

    def _take_turns(self) -> None:
        """Choose the slot that a blinking canvas shows. A picture that is being dragged by itself stays."""
        there = [slot for slot in SLOTS if not self._absent[slot]]
        if self.state.canvas.mode != "blink" or len(there) < 2:
            self._phase, self.turn = 0.0, there[0] if there else "left"
        elif self._held and not self.state.linked:
            self.turn = self._held
        else:
            self._phase = (self._phase + self.context.timings.seconds * self.state.canvas.rate) % 1.0
            self.turn = "left" if self._phase < 0.5 else "right"
