# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Keep bookmarks, go to them and blend them: what the strip below the canvas, the menus and the keys do."""

from dataclasses import replace

from viz.core import bookmarks
from viz.core.bookmarks import BOOKMARKS_LIMIT, Bookmark, Kind
from viz.core.state import SLOTS, AppState
from viz.core.thumbnails import encode_thumbnail
from viz.ui.context import PanelContext

KEEP = {"latent": "Keep this latent", "transform": "Keep this transform", "everything": "Keep everything"}
KEEP_TIPS = {
    "latent": "Seed or file, truncation, label and mixing (Ctrl-B).",
    "transform": "Translation, rotation, scale and their animation.",
    "everything": "Both models, their latents and transforms, the view and the instruments' settings.",
}


def keep(state: AppState, context: PanelContext, kind: Kind) -> None:
    """Add a bookmark of what is shown, and say how to come back."""
    shelf = context.bookmarks.shelf
    if not shelf.add([bookmarks.capture(state, kind, _picture(state, context))]):
        context.message = f"{BOOKMARKS_LIMIT} bookmarks are the most: delete one to keep another."
        return
    state.bookmarks.shown = True
    count = len(shelf.items)
    keys = f"Ctrl-{count} or a click" if count <= 9 else "A click"
    context.message = f'Kept "{shelf.items[-1].name}" below the pictures. {keys} comes back to it.'


def renew(state: AppState, context: PanelContext, old: Bookmark) -> None:
    """Let a bookmark hold what is shown now, and say how to get back what it held; its name and place stay."""
    new = bookmarks.capture(state, old.kind, _picture(state, context))
    context.bookmarks.shelf.put(replace(new, name=old.name, key=old.key))
    context.message = f'"{old.name}" holds what is shown now: Ctrl-Z brings back what it held.'


def delete(context: PanelContext, item: Bookmark) -> None:
    """Take a bookmark away, and say how to get it back."""
    context.bookmarks.shelf.remove(item.key)
    context.message = f'Deleted "{item.name}": Ctrl-Z brings it back.'


def go_to(state: AppState, context: PanelContext, index: int) -> None:
    """Show the bookmark at a place of the strip, from 0, if there is one."""
    items = context.bookmarks.shelf.items
    if index >= len(items):
        context.message = f"There is no bookmark {index + 1} yet: Ctrl-B keeps this latent."
        return
    restore(state, context, items[index])


def restore(state: AppState, context: PanelContext, item: Bookmark) -> None:
    """Show what a bookmark holds; neither a download nor the timeline replaces it later."""
    bookmarks.restore(item, state)
    _stop(state, context)
    context.models.downloads.keep(state.slot(slot).path for slot in SLOTS)


def mix_in(state: AppState, context: PanelContext, item: Bookmark) -> None:
    """Make a bookmark's latent the second one, of which style mixing takes w's."""
    kept, latent = item.state, state.latent_of(state.focus)
    try:
        latent.second.keep(kept.latent_of(kept.focus).latent())
    except ValueError as problem:
        context.message = str(problem)
        return
    latent.mix_with = "second"
    context.message = f'"{item.name}" is the second latent: the Mixing panel chooses the layers that it draws.'


def find_pair(state: AppState, context: PanelContext) -> tuple[Bookmark, Bookmark] | None:
    """Return the two bookmarks that are blended: the chosen ones, else the first two; None if there are no two."""
    shelf = context.bookmarks.shelf
    if len(shelf.items) < 2:
        return None
    first = shelf.find(state.bookmarks.first) or shelf.items[0]
    second = shelf.find(state.bookmarks.second)
    if second is None:
        second = next((item for item in shelf.items if item is not first and bookmarks.can_blend(first, item)), None)
    return first, second or next(item for item in shelf.items if item is not first)


def blend(state: AppState, context: PanelContext, first: Bookmark, second: Bookmark) -> None:
    """Show the point between two bookmarks that the state's blend names."""
    state.bookmarks.first, state.bookmarks.second = first.key, second.key
    _stop(state, context)
    try:
        bookmarks.blend(first, second, state.bookmarks.blend, state)
    except ValueError as problem:
        context.message = str(problem)


def _stop(state: AppState, context: PanelContext) -> None:
    """Stop the timeline, which would put its own in the place of what a bookmark shows."""
    if state.playback.playing:
        state.playback.playing = False
        context.message = "The timeline stopped for the bookmark: Space plays it again."


def _picture(state: AppState, context: PanelContext) -> bytes:
    """Return a small picture of what the focused slot shows, or else the other one, b"" while there is none."""
    order = (state.focus, *(slot for slot in SLOTS if slot != state.focus))
    shown = (context.results[slot] for slot in order)
    image = next((result.image for result in shown if result is not None and result.picture is not None), None)
    return b"" if image is None else encode_thumbnail(image)
