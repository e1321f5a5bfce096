# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The strip of bookmarks below the pictures: a line that keeps, blends and folds, and a picture for each."""

from dataclasses import replace

from imgui_bundle import ImVec2, imgui, imgui_ctx

from viz.canvas.overlays import MARGIN, Rect
from viz.core import bookmarks
from viz.core.bookmarks import KINDS, NAME_LIMIT, Bookmark, Kind
from viz.core.images import Pixels
from viz.core.state import AppState
from viz.core.thumbnails import SHEET_COLUMNS, SIDE, make_sheet
from viz.ui import bookmarking, fitting, widgets
from viz.ui.context import PanelContext
from viz.ui.theme import rgb

HEADER = 2.2  # height, in font sizes
THUMB = 4.6  # width and height
GAP = 0.5
NAME = 1.3  # height of the line below a picture
CHOICE, NAMED, NUMBERED = 7.0, 5.5, 3.7  # widths of a blend's ends: at most, at least with and without a name
SLIDER, LEAST_SLIDER = 8.0, 5.0
EMPTY = "Keep what you like: it gets a picture here, and a click on that brings it back."
EMPTY_SHORT = "What you keep gets a picture here."
TIP = "Click: go there. Drag: reorder. Right-click: rename, replace, blend, delete."
BLEND = "latents in W, transforms by length, angle and scale. The ends are chosen beside it, or by right-click."
WORDS = {"latent": "latent", "transform": "transform", "everything": "all"}  # on the pictures


class BookmarkStrip:
    """Draws the strip. Holds of its own what is being dragged and typed."""

    def __init__(self, state: AppState, context: PanelContext) -> None:
        self.state, self.context = state, context
        self._has_moved = False  # the bookmark that is held, from its place
        self._typed = ""  # a new name
        self._path = ""  # of a file to write or read
        self._sheet: tuple[tuple[Bookmark, ...], Pixels] | None = None  # of all pictures, and what it is of

    @property
    def height(self) -> float:
        """Height in pixels that the strip takes now."""
        em, rows = imgui.get_font_size(), self.state.bookmarks.shown and self.context.bookmarks.shelf.items
        return HEADER * em + ((THUMB + NAME + GAP) * em + imgui.get_style().scrollbar_size if rows else 0.0)

    def draw(self, rect: Rect) -> None:
        """Draw the strip into `rect`, whose height is `height`."""
        plate, col = rgb(self.context.theme.palette["window"]), imgui.Col_  # seen on the stage in both themes
        with rect.clip():
            with imgui_ctx.push_style_color(col.button, plate), imgui_ctx.push_style_color(col.frame_bg, plate):
                self._header(Rect(rect.left, rect.top, rect.width, HEADER * imgui.get_font_size()))
            if self.state.bookmarks.shown and self.context.bookmarks.shelf.items:
                imgui.set_cursor_screen_pos((rect.left + MARGIN, rect.top + HEADER * imgui.get_font_size()))
                self._pictures(rect)

    # -- the line --------------------------------------------------------------------------------------------------

    def _header(self, rect: Rect) -> None:
        state, theme, em = self.state, self.context.theme, imgui.get_font_size()
        y = rect.top + (rect.height - imgui.get_frame_height()) / 2
        end = rect.right - MARGIN - _button_width("File")
        imgui.set_cursor_screen_pos((rect.left + MARGIN, y))
        with imgui_ctx.push_style_color(imgui.Col_.button, rgb(theme.palette["stage"], 0.0)):
            if imgui.arrow_button("##shown", imgui.Dir.down if state.bookmarks.shown else imgui.Dir.right):
                state.bookmarks.shown = not state.bookmarks.shown
        widgets.tooltip("Show or hide the bookmarks' pictures.")
        whole = sum(_button_width(_keep_text(kind)) + 0.4 * em for kind in KINDS)
        title = imgui.calc_text_size("Bookmarks").x + 0.6 * em
        room = end - imgui.get_item_rect_max().x - 0.4 * em
        pair = bookmarking.find_pair(state, self.context)
        are_apart = whole + ((LEAST_SLIDER + 1.6) * em if pair else 0.0) < room
        if title + (whole if are_apart else _button_width("+ Keep")) < room:
            imgui.same_line(0, 0.2 * em)
            imgui.align_text_to_frame_padding()
            imgui.text_colored(theme.text, "Bookmarks")
        self._keep_buttons(are_apart)
        room = end - imgui.get_item_rect_max().x - 1.6 * em
        if pair is not None and state.bookmarks.shown:
            self._blend(*pair, end, room)
        elif not self.context.bookmarks.shelf.items:
            hint = next((text for text in (EMPTY, EMPTY_SHORT, "") if imgui.calc_text_size(text).x < room), "")
            imgui.same_line(0, 0.8 * em)
            imgui.align_text_to_frame_padding()
            imgui.text_colored(theme.dim, hint)
        imgui.set_cursor_screen_pos((end, y))
        if imgui.button("File##bookmarks"):
            imgui.open_popup("files")
        widgets.tooltip("Write all bookmarks to one file, or add those of a file.")
        self._files()

    def _keep_buttons(self, are_apart: bool) -> None:
        """Draw the buttons that keep, or one that opens them."""
        em = imgui.get_font_size()
        if not are_apart:
            imgui.same_line(0, 0.4 * em)
            if imgui.button("+ Keep"):
                imgui.open_popup("keep")
            widgets.tooltip("Keep what is shown as a bookmark.")
            if imgui.begin_popup("keep"):
                widgets.close_by_escape()
                for kind in KINDS:
                    if imgui.menu_item(bookmarking.KEEP[kind], "", False)[0]:
                        bookmarking.keep(self.state, self.context, kind)
                    widgets.tooltip(bookmarking.KEEP_TIPS[kind])
                imgui.end_popup()
            return
        for kind in KINDS:
            imgui.same_line(0, 0.4 * em)
            if imgui.button(_keep_text(kind)):
                bookmarking.keep(self.state, self.context, kind)
            widgets.tooltip(f"{bookmarking.KEEP[kind]}: {bookmarking.KEEP_TIPS[kind]}")

    def _blend(self, first: Bookmark, second: Bookmark, end: float, room: float) -> None:
        """Draw both ends of the blend with a slider between them; names, ends and slider only where there is room."""
        em, chosen = imgui.get_font_size(), self.state.bookmarks
        if room < LEAST_SLIDER * em:
            return
        slider = min(SLIDER * em, room)
        choice = min(CHOICE * em, (room - slider - 0.6 * em) / 2)
        are_named = choice > NAMED * em
        choice = choice if are_named else min(choice, NUMBERED * em)
        are_chosen = choice >= NUMBERED * em
        width = slider + (2 * (choice + 0.3 * em) if are_chosen else 0.0)
        imgui.same_line()
        imgui.set_cursor_screen_pos((end - 0.8 * em - width, imgui.get_cursor_screen_pos().y))
        texts = {item.key: f"{index + 1}  {item.name}" for index, item in enumerate(self._items)}

        def choose(name: str, current: Bookmark, tip: str) -> None:
            imgui.set_next_item_width(choice)
            shown = texts[current.key] if are_named else texts[current.key].split()[0]
            picked = widgets.select(name, shown, current.key, texts.items(), f"{tip}: {current.name}")
            if picked != current.key:
                setattr(chosen, name, picked)

        if are_chosen:
            choose("first", first, "Where the blend begins")
            imgui.same_line(0, 0.3 * em)
        imgui.set_next_item_width(slider)
        fits = bookmarks.can_blend(first, second)
        imgui.begin_disabled(not fits)
        tip = f'Blend "{first.name}" (0) and "{second.name}" (1): {BLEND}'
        if not fits:
            tip = "These two hold nothing alike: choose two latents, two transforms, or everything."
        if widgets.number(
            self.context.theme, None, chosen, "blend", step=0.01, form="blend %.2f", span=(0, 1), tip=tip
        ):
            bookmarking.blend(self.state, self.context, first, second)
        imgui.end_disabled()
        if are_chosen:
            imgui.same_line(0, 0.3 * em)
            choose("second", second, "Where the blend ends")

    def _files(self) -> None:
        """Draw the popup that writes and reads files."""
        if not imgui.begin_popup("files"):
            return
        widgets.close_by_escape()
        shelf, actions = self.context.bookmarks.shelf, self.context.bookmarks
        imgui.text_colored(self.context.theme.dim, "A file of bookmarks (.json)")
        imgui.set_next_item_width(20 * imgui.get_font_size())
        self._path = imgui.input_text_with_hint("##path", "bookmarks.json", self._path)[1]
        row = widgets.Row(2)
        tip = "Write all bookmarks, with their pictures, to this new file."
        if widgets.button("Export", tip, width=row.next_cell(), enabled=bool(self._path.strip() and shelf.items)):
            actions.write(self._path.strip())
            imgui.close_current_popup()
        tip = "Add the bookmarks of this file behind yours."
        if widgets.button("Import", tip, width=row.next_cell(), enabled=bool(self._path.strip())):
            actions.read(self._path.strip())
            imgui.close_current_popup()
        if self.context.models.has_dialogs:
            row = widgets.Row(2)
            if widgets.button("Export to …", width=row.next_cell(), enabled=bool(shelf.items)):
                actions.browse(True)
                imgui.close_current_popup()
            if widgets.button("Import from …", width=row.next_cell()):
                actions.browse(False)
                imgui.close_current_popup()
        imgui.end_popup()

    # -- the pictures ----------------------------------------------------------------------------------------------

    @property
    def _items(self) -> tuple[Bookmark, ...]:
        return self.context.bookmarks.shelf.items

    def _pictures(self, rect: Rect) -> None:
        em, items = imgui.get_font_size(), self._items
        if self._sheet is None or self._sheet[0] is not items:
            self._sheet = items, make_sheet([item.picture for item in items])
        texture = self.context.texture("bookmarks", self._sheet[1])
        step, size = (THUMB + GAP) * em, ImVec2(rect.width - 2 * MARGIN, rect.bottom - imgui.get_cursor_screen_pos().y)
        with imgui_ctx.push_style_color(imgui.Col_.child_bg, rgb(self.context.theme.palette["stage"], 0.0)):
            imgui.begin_child("bookmarks", size, 0, imgui.WindowFlags_.horizontal_scrollbar)
        origin = imgui.get_cursor_screen_pos()
        for index, item in enumerate(items):
            imgui.set_cursor_screen_pos((origin.x + index * step, origin.y))
            pressed = imgui.invisible_button(f"##{item.key}", (THUMB * em, (THUMB + NAME) * em))
            self._hold(item, origin.x, step, pressed)
            if imgui.is_item_visible():
                self._draw(index, item, texture)
            self._menu(item)
        if imgui.is_window_hovered() and imgui.get_io().mouse_wheel:
            imgui.set_scroll_x(imgui.get_scroll_x() - imgui.get_io().mouse_wheel * step)
        imgui.end_child()

    def _hold(self, item: Bookmark, left: float, step: float, pressed: bool) -> None:
        """Go to a bookmark that is clicked; let one that is dragged take the place that the pointer is over."""
        if imgui.is_item_activated():
            self._has_moved = False
        if imgui.is_item_active() and imgui.is_mouse_dragging(imgui.MouseButton_.left):
            self._has_moved = True
            self.context.bookmarks.shelf.move(item.key, int((imgui.get_io().mouse_pos.x - left) // step))
        if pressed and not self._has_moved:
            bookmarking.restore(self.state, self.context, item)

    def _draw(self, index: int, item: Bookmark, texture: object) -> None:
        """Draw a bookmark over the button just made."""
        theme, em, draw = self.context.theme, imgui.get_font_size(), imgui.get_window_draw_list()
        corner, name_height = imgui.get_item_rect_min(), NAME * em
        end = ImVec2(corner.x + THUMB * em, corner.y + THUMB * em)
        draw.add_rect_filled(corner, end, imgui.get_color_u32(imgui.Col_.frame_bg))
        if item.picture and self._sheet is not None:
            place = next((i for i, known in enumerate(self._sheet[0]) if known is item), 0)
            row, column = divmod(place, SHEET_COLUMNS)
            rows = self._sheet[1].shape[0] // SIDE  # type: ignore[union-attr]
            inset = 0.5 / SIDE  # of the neighbours' pixels
            start = ImVec2((column + inset) / SHEET_COLUMNS, (row + inset) / rows)
            stop = ImVec2((column + 1 - inset) / SHEET_COLUMNS, (row + 1 - inset) / rows)
            draw.add_image(imgui.ImTextureRef(texture.texture), corner, end, start, stop)  # type: ignore[attr-defined]
        self._badge(WORDS[item.kind], ImVec2(corner.x + 3, end.y - 3), above=True)
        if index < 9:
            self._badge(str(index + 1), ImVec2(corner.x + 3, corner.y + 3))
        here = bookmarks.is_restored(item, self.state)
        if here or imgui.is_item_hovered():
            ink = theme.text if here else theme.dim
            draw.add_rect(corner, end, imgui.get_color_u32(ink), 0.0, 2.0)
        with imgui_ctx.push_clip_rect(ImVec2(corner.x, end.y), ImVec2(end.x, end.y + name_height), True):
            small = round(widgets.SMALL * em)
            width = _measure(item.name, small).x
            x = corner.x + max(0.0, (THUMB * em - width) / 2)
            ink = theme.text if here else theme.dim
            draw.add_text(imgui.get_font(), small, (round(x), round(end.y + 2)), imgui.get_color_u32(ink), item.name)
        keys = f" Ctrl-{index + 1} goes there too." if index < 9 else ""
        widgets.tooltip(f"{item.name} ({item.kind})\n{TIP}{keys}")

    def _badge(self, text: str, at: ImVec2, *, above: bool = False) -> None:
        """Draw a word on a plate, its left upper or (`above`) lower corner at a place."""
        theme, draw, small = self.context.theme, imgui.get_window_draw_list(), round(0.74 * imgui.get_font_size())
        size = _measure(text, small)
        top = at.y - size.y - 2 if above else at.y
        plate = imgui.get_color_u32(rgb(theme.palette["window"], 0.8))
        draw.add_rect_filled((at.x, top), (at.x + size.x + 6, top + size.y + 2), plate, 3.0)
        draw.add_text(imgui.get_font(), small, (at.x + 3, top + 1), imgui.get_color_u32(theme.text), text)

    def _menu(self, item: Bookmark) -> None:
        """Draw what a right click on the button just made offers."""
        if not imgui.begin_popup_context_item(f"menu {item.key}"):
            return
        widgets.close_by_escape()
        state, context = self.state, self.context
        if imgui.is_window_appearing():
            self._typed = item.name
        flags = imgui.InputTextFlags_.enter_returns_true
        imgui.set_next_item_width(12 * imgui.get_font_size())
        with imgui_ctx.push_style_color(imgui.Col_.frame_bg, rgb(context.theme.palette["window"])):
            entered, self._typed = imgui.input_text_with_hint("##name", "name, then Enter", self._typed, flags)
        name = self._typed.strip()[:NAME_LIMIT]
        if (entered or imgui.is_item_deactivated_after_edit()) and name and name != item.name:
            context.bookmarks.shelf.put(replace(item, name=name))
        if entered:
            imgui.close_current_popup()
        imgui.separator()
        if imgui.menu_item("Replace with what is shown", "", False)[0]:
            bookmarking.renew(state, context, item)
        if imgui.menu_item("Blend from here", "", state.bookmarks.first == item.key)[0]:
            state.bookmarks.first, state.bookmarks.blend = item.key, 0.0
        if imgui.menu_item("Blend to here", "", state.bookmarks.second == item.key)[0]:
            state.bookmarks.second, state.bookmarks.blend = item.key, 0.0
        if item.kind != "transform" and imgui.menu_item("Use as the second latent (style mixing)", "", False)[0]:
            bookmarking.mix_in(state, context, item)
        imgui.separator()
        if imgui.menu_item("Delete", "", False)[0]:
            bookmarking.delete(context, item)
        imgui.end_popup()


def _keep_text(kind: Kind) -> str:
    return f"+ {kind.capitalize()}"


def _button_width(text: str) -> float:
    return imgui.calc_text_size(text).x + 2 * imgui.get_style().frame_padding.x


def _measure(text: str, size: float) -> ImVec2:
    """Return the width and height of a line of text in letters of this size."""
    with fitting.letters(imgui.get_font(), size):
        return imgui.calc_text_size(text)
