# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Draw what the canvas shows beside the pixels: tags, ring, divider, sentences. Nothing here changes the state."""

import math
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from imgui_bundle import ImVec2, ImVec4, imgui, imgui_ctx

from gan.hub.resolve import format_title
from gan.networks.describe import RUNG_TITLES
from gan.networks.labels import describe_label
from viz.core.labels import choose_label
from viz.core.result import ModelFacts, RenderResult
from viz.core.state import SLOTS, AppState, Slot
from viz.display.texture import TextureHandle
from viz.ui.checkerboard import draw_checkerboard
from viz.ui.context import PanelContext, advise_on_misfit
from viz.ui.theme import Theme, rgb

MARGIN = 10.0  # around a fitted picture, pixels
KNOB_RADIUS = 7.0
RING = 0.47  # of the picture's side
WONDER_SECONDS = 1.0
GRIP = (5.0, 22.0)  # half the width and height of the divider's handle
GRIP_INSET = 12.0  # of the handle from the canvas's edges: there the splitters of the docks begin


@dataclass
class Rect:
    """A part of the window, in its pixels."""

    left: float = 0.0
    top: float = 0.0
    width: float = 1.0
    height: float = 1.0

    @property
    def corner(self) -> ImVec2:
        return ImVec2(self.left, self.top)

    @property
    def end(self) -> ImVec2:
        return ImVec2(self.right, self.bottom)

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height

    def holds(self, x: float, y: float) -> bool:
        return self.left <= x < self.right and self.top <= y < self.bottom

    def clip(self) -> AbstractContextManager[object]:
        """Cut off what is drawn outside, for a `with` block."""
        return imgui_ctx.push_clip_rect(self.corner, self.end, True)


@dataclass
class Frame(Rect):
    """The visible part of a slot, and the square of its picture, which may reach beyond that."""

    middle_x: float = 0.0  # of the area in which the picture is centred
    middle_y: float = 0.0
    centre_x: float = 0.0  # of the picture
    centre_y: float = 0.0
    side: float = 1.0  # of the picture as zoomed
    fitted: float = 1.0  # of the picture at zoom 1


class Absence(NamedTuple):
    """The reason why a slot shows no picture."""

    text: str
    heading: str = ""
    failed: bool = False


class Words(NamedTuple):
    """A part of a line."""

    text: str
    colour: ImVec4
    number: bool = False  # in the monospaced face


def explain_absence(
    state: AppState, context: PanelContext, slot: Slot, picture: TextureHandle | None
) -> Absence | None:
    """Return why there is no picture of the slot's model; None if there is one."""
    path, result = state.slot(slot).path, context.results[slot]
    if not path:
        return Absence("Nothing is open here.\nDrop a checkpoint on this side, or choose one under Model.")
    if result and result.error and result.misfit:
        advice = f"The model is fine: {advise_on_misfit(state, slot, result.misfit)}."
        return Absence(f"{result.error}\n{advice}", heading=f"{result.misfit} cannot be used", failed=True)
    if result and result.error:
        undo = "; Ctrl-Z brings back the one before" if context.models.before(slot) else ""
        advice = f"Choose another under Model{undo}."
        return Absence(f"{result.error}\n{advice}", heading=f"{Path(path).name} cannot be shown", failed=True)
    if picture is None or result is None:
        return Absence(f"Opening {Path(path).name} …{format_wait(context, slot)}")
    return None


def describe_comparison(state: AppState, left: ModelFacts | None, right: ModelFacts | None) -> tuple[str, ...]:
    """Return sentences on the comparison of two models of different sizes; none where they are alike."""
    if left is None or right is None:
        return ()
    said, sizes = [], (left.config.resolution, right.config.resolution)
    if state.canvas.mode == "difference" and 4 in (left.config.img_channels, right.config.img_channels):
        said.append("With alpha: the larger of the differences on black and on white.")
    z_dims = left.config.z_dim, right.config.z_dim
    if z_dims[0] != z_dims[1] and state.linked:
        said.append(f"z has {z_dims[0]} numbers left, {z_dims[1]} right: one seed, each model's own draw.")
    if sizes[0] != sizes[1] and state.canvas.mode != "side":
        text = f"{sizes[0]} px left, {sizes[1]} px right"
        if state.canvas.mode == "difference":
            smaller = "left" if sizes[0] < sizes[1] else "right"
            times = max(sizes) / min(sizes)
            said.append(f"{text}: {smaller} enlarged {times:g}× (Lanczos).")
        else:
            said.append(f"{text}: shown at one size.")
    return tuple(said)


def draw_picture(frame: Frame, shown: TextureHandle) -> None:
    """Draw the pixels over the frame's square."""
    corner, end = _square(frame)
    imgui.get_window_draw_list().add_image(imgui.ImTextureRef(shown.texture), corner, end)


def draw_background(context: PanelContext, frame: Frame, slot: Slot) -> None:
    """Draw the squares that are seen through a slot's picture, if it has alpha."""
    result = context.results[slot]
    if result is not None and result.has_alpha:
        draw_checkerboard(context, *_square(frame))


def _square(frame: Frame) -> tuple[ImVec2, ImVec2]:
    half = frame.side / 2
    middle = ImVec2(frame.centre_x, frame.centre_y)
    return middle - ImVec2(half, half), middle + ImVec2(half, half)


def locate_knob(frame: Frame, degrees: float) -> tuple[float, float]:
    """Return the place of the ring's knob while the picture is turned by `degrees`."""
    angle, radius = math.radians(degrees), RING * frame.side
    return frame.centre_x - radius * math.sin(angle), frame.centre_y - radius * math.cos(angle)


def draw_ring(frame: Frame, degrees: float, colour: ImVec4, whole: bool) -> None:
    """Draw the knob that turns the picture, on a short arc, or on the `whole` ring."""
    draw, centre, radius = imgui.get_window_draw_list(), (frame.centre_x, frame.centre_y), RING * frame.side
    middle, reach = -math.radians(90 + degrees), math.pi if whole else math.radians(12)
    for code, width in (("#000000", 3.0), ("#ffffff", 1.0)):
        draw.path_arc_to(centre, radius, middle - reach, middle + reach)
        draw.path_stroke(imgui.get_color_u32(rgb(code, 0.6)), width)
    at = locate_knob(frame, degrees)
    draw.add_circle_filled(at, KNOB_RADIUS + 1.5, imgui.get_color_u32(rgb("#000000", 0.6)))
    draw.add_circle_filled(at, KNOB_RADIUS, imgui.get_color_u32(colour))


def locate_grip(area: Rect, x: float) -> float:
    """Return the middle of the divider's handle: on its line, but never too near an edge to be gripped."""
    inset = min(GRIP_INSET, area.width / 2)
    return min(max(x, area.left + inset), area.right - inset)


def draw_divider(theme: Theme, area: Rect, x: float, lit: bool) -> None:
    """Draw the line between two models in one picture, with a handle in both accent colours."""
    draw = imgui.get_window_draw_list()
    dark, light = imgui.get_color_u32(rgb("#000000", 0.55)), imgui.get_color_u32(rgb("#ffffff", 0.95 if lit else 0.75))
    draw.add_rect_filled((x - 1.5, area.top), (x + 1.5, area.bottom), dark)
    draw.add_rect_filled((x - 0.5, area.top), (x + 0.5, area.bottom), light)
    (wide, high), y, x = GRIP, area.top + area.height / 2, locate_grip(area, x)
    high = min(high, area.height / 2)
    draw.add_rect_filled((x - wide - 1.5, y - high - 1.5), (x + wide + 1.5, y + high + 1.5), dark, wide + 1.5)
    flags = imgui.ImDrawFlags_
    halves = ((x - wide, x - 0.5, flags.round_left), (x + 0.5, x + wide, flags.round_right))
    for slot, (left, right, corners) in zip(SLOTS, halves, strict=True):
        accent = imgui.get_color_u32(theme.accent[slot])
        draw.add_rect_filled((left, y - high), (right, y + high), accent, wide, corners)


def draw_absence(context: PanelContext, rect: Rect, absent: Absence) -> None:
    """Draw a few words in the middle of a part without a picture."""
    wrap = max(1.0, min(26 * imgui.get_font_size(), rect.width - 4 * MARGIN))
    lines = [(absent.heading, context.theme.error if absent.failed else context.theme.text)] if absent.heading else []
    lines += [(line, context.theme.dim) for line in absent.text.split("\n")]
    y = rect.top + rect.height / 2 - 2 * imgui.get_text_line_height()
    for line, colour in lines:
        size = imgui.calc_text_size(line, wrap_width=wrap)
        draw_wrapped(line, (rect.left + (rect.width - size.x) / 2, y), colour, wrap)
        y += size.y + 6


def draw_notice(context: PanelContext, frame: Frame, text: str) -> None:
    """Draw a sentence at the foot of a picture, on a plate of its own so that it reads on any picture."""
    inset, pad = 12.0, 9.0
    left = max(frame.left, frame.centre_x - frame.side / 2) + inset
    right = min(frame.right, frame.centre_x + frame.side / 2) - inset
    bottom = min(frame.bottom, frame.centre_y + frame.side / 2) - inset
    wrap = max(40.0, right - left - 2 * pad)
    size = imgui.calc_text_size(text, wrap_width=wrap)
    draw, top = imgui.get_window_draw_list(), bottom - size.y - 2 * pad
    plate = rgb(context.theme.palette["window"], 0.9)
    draw.add_rect_filled((left, top), (left + size.x + 2 * pad, bottom), imgui.get_color_u32(plate), 4.0)
    draw_wrapped(text, (left + pad, top + pad), context.theme.warning, wrap)


def draw_wrapped(text: str, at: tuple[float, float], colour: ImVec4, wrap: float) -> None:
    """Draw text in lines of at most `wrap` pixels, without moving the cursor."""
    ink = imgui.get_color_u32(colour)
    imgui.get_window_draw_list().add_text(imgui.get_font(), imgui.get_font_size(), at, ink, text, wrap)


def draw_tag(state: AppState, context: PanelContext, slot: Slot, rect: Rect) -> None:
    """Draw one line above a slot: its side, what is open, and how long its pictures take.

    Over two pictures side by side both are alike, figures at the right end. Over one picture they are mirror images:
    the left model's begins at the left edge, the right model's ends at the right one.
    """
    theme, draw, canvas = context.theme, imgui.get_window_draw_list(), state.canvas
    mirrored = slot == "right" and canvas.mode != "side"
    text_height = imgui.get_text_line_height()
    y = rect.top + (rect.height - text_height) / 2
    accent = imgui.get_color_u32(theme.accent[slot])
    with rect.clip():
        x = rect.right - MARGIN - 4 if mirrored else rect.left + MARGIN
        draw.add_rect_filled((x, y + 1), (x + 4, y + text_height - 1), accent, 2.0)
        name, about, figures = _describe(state, context, slot)
        room, offset = rect.width - MARGIN - 12, 12.0
        more = _add_label(about, context.results[slot])
        if offset + sum(_width(theme, words) + 12 for words in (name, more, figures)) <= room:
            about = more
        for words in (name, about, figures):
            size = _width(theme, words)
            if not words.text or (words is not name and offset + size > room):
                break
            start = room - size if words is figures and canvas.mode == "side" else offset
            left = rect.right - MARGIN - start - size if mirrored else rect.left + MARGIN + start
            _write(theme, words, left, y)
            if words is name and not state.linked and slot == state.focus:
                draw.add_rect_filled((left, rect.bottom - 4), (left + size, rect.bottom - 2), accent, 1.0)
            offset += size + 12


def _describe(state: AppState, context: PanelContext, slot: Slot) -> tuple[Words, Words, Words]:
    """Return a tag's name, its rung, and its figures; "" what is not known yet."""
    theme, path, result = context.theme, state.slot(slot).path, context.results[slot]
    name = Words(format_title(path) if path else slot.capitalize(), theme.text)
    facts = result.facts if result else None
    if not facts or not result:
        return name, Words("", theme.dim), Words("", theme.dim)
    times = context.timings.model[slot]
    figures = f"{facts.config.resolution} px  {times[-1] if times else result.model_ms:5.1f} ms"
    if format_wait(context, slot):
        figures = f"rendering{format_wait(context, slot)}"
    about = f"{facts.config.rung}   {RUNG_TITLES.get(facts.config.rung, '')}"
    return name, Words(about, theme.dim), Words(figures, theme.dim, number=True)


def _add_label(about: Words, result: RenderResult | None) -> Words:
    """Return what is said about a model with the label of its picture, where it has labels."""
    if result is None or result.facts is None or not result.facts.config.c_dim:
        return about
    label = describe_label(choose_label(result.request, result.facts)[0], result.facts.classes)
    return about._replace(text=f"{about.text}   {label}")


def draw_words(theme: Theme, words: list[Words], rect: Rect) -> None:
    """Draw words in a row, centred in `rect`; what is too long is cut off at its end."""
    gap = 0.35 * imgui.get_font_size()
    widths = [_width(theme, part) for part in words]
    x = max(rect.left + MARGIN, rect.left + (rect.width - sum(widths) - gap * (len(words) - 1)) / 2)
    with rect.clip():
        for part, width in zip(words, widths, strict=True):
            _write(theme, part, x, rect.top)
            x += width + gap


def _width(theme: Theme, words: Words) -> float:
    with imgui_ctx.push_font(theme.mono if words.number else None, 0.0):
        return imgui.calc_text_size(words.text).x


def _write(theme: Theme, words: Words, x: float, y: float) -> None:
    with imgui_ctx.push_font(theme.mono if words.number else None, 0.0):
        imgui.get_window_draw_list().add_text((round(x), round(y)), imgui.get_color_u32(words.colour), words.text)


def format_wait(context: PanelContext, slot: Slot) -> str:
    """Return how long the next picture has been under way, once that is long enough to wonder."""
    return f" {context.timings.busy[slot]:.0f} s" if context.timings.busy[slot] >= WONDER_SECONDS else ""
