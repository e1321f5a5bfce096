# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The Save button of instruments: what a panel shows as a picture, a figure for papers, or numbers, in a file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from imgui_bundle import imgui, imgui_ctx
from imgui_bundle import portable_file_dialogs as dialogs

from gan.hub.resolve import unquote_path
from gan.hub.url import safe_file_name
from viz.core.state import Slot
from viz.record.naming import choose_folder
from viz.record.save_export import Offer, SaveExport
from viz.ui import widgets
from viz.ui.context import PanelContext

FORMS = (
    (".png", "PNG", "the picture"),
    (".pdf", "PDF", "a figure for papers"),
    (".svg", "SVG", "a figure to edit"),
    (".npz", "NPZ", "all numbers, for numpy"),
    (".csv", "CSV", "a table of numbers"),
)
WIDTH = 5.0  # of the button, in font sizes
FIELD = 24.0  # of the name's field
NOTHING = "There is nothing to save yet: wait until it is shown."


def save(
    context: PanelContext, job: str, offer: Offer, path: str, suffix: str, *, asked: bool, numbered: bool = False
) -> None:
    """Write an offer to a file; `asked`: its owner has agreed to replace one of that very name.

    `numbered`: it gets a number behind its name where that is taken.
    """
    saving = context.saving
    target = Path(os.path.abspath(os.path.expanduser(unquote_path(path))))
    if target.suffix.lower() != suffix:
        target, asked = target.with_name(target.name + suffix), False
    saving.folder = str(target.parent)
    context.message = f"Writing {target.name} …"
    context.jobs.start(job, SaveExport(offer.source, target, asked, numbered))
    saving.running.add(job)


def poll(context: PanelContext, captures: str) -> None:
    """Save to what was chosen in the desktop's dialog, and say what has become of files; once a frame.

    `captures` is the folder of captures, where files go at first.
    """
    saving = context.saving
    saving.captures = captures
    if saving.dialog and saving.dialog[3].ready(0):
        (job, offer, suffix, dialog), saving.dialog = saving.dialog, None
        if chosen := dialog.result():
            save(context, job, offer, chosen, suffix, asked=True)
    for job in list(saving.running):
        if not context.jobs.is_running(job):
            saving.running.remove(job)
            context.message = context.jobs.error(job) or context.jobs.result(job) or "The file was not written."
            context.jobs.cancel(job)  # it has ended: nothing of it stays with the worker


def draw_button(context: PanelContext, panel: str, find: Callable[[], Offer | None]) -> None:
    """Draw a panel's Save button and its menu; `find` says what there is to save, None for nothing yet."""
    saving, job, width = context.saving, f"save {panel}", WIDTH * imgui.get_font_size()
    if context.jobs.is_running(job):
        if widgets.button(f"Cancel##save {panel}", "Stop writing the file.", width=width):
            context.jobs.cancel(job)  # `poll` says so
        return
    tip = "Save this as a picture, as a figure for papers, or as numbers."
    if widgets.button(f"Save …##{panel}", tip, width=width):
        offer = find()
        if offer is None:
            context.message = NOTHING
        else:
            folder, name = saving.folder or choose_folder(saving.captures), safe_file_name(offer.name.replace(" ", "-"))
            saving.typed = str(Path(folder) / name)
            imgui.open_popup(f"save {panel}")
    _menu(context, panel, find)


def _menu(context: PanelContext, panel: str, find: Callable[[], Offer | None]) -> None:
    saving, em = context.saving, imgui.get_font_size()
    with imgui_ctx.begin_popup(f"save {panel}") as popup:
        if not popup:
            return
        widgets.close_by_escape()
        if not context.models.has_dialogs:
            imgui.set_next_item_width(FIELD * em)
            with imgui_ctx.push_style_var(imgui.StyleVar_.frame_border_size, 1.0):  # else it is not seen as a field
                saving.typed = imgui.input_text_with_hint("##name", "folder and name", saving.typed)[1]
            widgets.tooltip("Where the file goes, without its ending. Nothing is written over.")
        for suffix, form, words in FORMS:
            if imgui.menu_item(f"{form}##{panel}", words, False)[0]:
                _choose(context, f"save {panel}", find(), suffix)


def _choose(context: PanelContext, job: str, offer: Offer | None, suffix: str) -> None:
    """Save in the form that was chosen: ask for a name where the desktop can, else take a free one."""
    saving = context.saving
    path = saving.typed.strip()
    if offer is None:
        context.message = NOTHING
    elif context.models.has_dialogs:
        kinds = [f"{suffix[1:].upper()} files", f"*{suffix}", "All files", "*"]
        saving.dialog = job, offer, suffix, dialogs.save_file("Save", path + suffix, kinds)
    elif not path:
        context.message = "The file has no name: type one."
    else:
        save(context, job, offer, path, suffix, asked=False, numbered=True)


def slot_row(context: PanelContext, lit: str, tip: str, panel: str, find: Callable[[], Offer | None]) -> Slot | None:
    """Draw the switch between the slots and, beside it, the Save button; return the slot that was pressed."""
    gap = imgui.get_style().item_inner_spacing.x
    room = imgui.get_content_region_avail().x - WIDTH * imgui.get_font_size() - gap
    pressed = widgets.slot_switch(context.theme, "slot", lit, tip, room)
    widgets.beside()
    draw_button(context, panel, find)
    return pressed
