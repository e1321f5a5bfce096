# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Words for changes of the state, for the menu that undoes them."""

from collections.abc import Iterable

# The first that a step touches names it: what follows from another change stands below that.
NAMES = {
    "shelf.items": "change of bookmarks",
    "bookmarks.blend": "blend of bookmarks",
    "timeline": "change of the timeline",
    "playing": "playing of the timeline",
    "linked": "link of the models",
    "left.path": "opening on the left",
    "right.path": "opening on the right",
    "animate": "animation",
    "learned_animate": "animation",
    "transform.degrees": "turn",
    "transform.scale": "scaling",
    "transform.tx": "move",
    "transform.ty": "move",
    "latent.second": "second latent",
    "named_directions": "name of a direction",
    "latent.directions": "direction",
    "latent.mixed": "style mixing",
    "latent.kept": "latent",
    "latent.psi": "truncation",
    "latent.cutoff": "truncation cutoff",
    "latent.label": "class",
    "latent.vector": "label",
    "latent.x": "walk in the latent",
    "latent.y": "walk in the latent",
    "canvas.zoom": "zoom",
    "canvas.pan_x": "pan",
    "canvas.pan_y": "pan",
    "canvas.mode": "comparison",
    "canvas.divider": "divider",
    "sticking.x0": "line of the slice",
    "sticking.x1": "line of the slice",
    "sticking.y0": "line of the slice",
    "sticking.y1": "line of the slice",
    "display.theme": "theme",
    "playback.seconds": "way of the playhead",
}


def name_changes(settings: Iterable[str]) -> str:
    """Return words for a step that changed these settings, by dotted names, such as "move" or "spectrum: gain"."""
    texts = [setting.removeprefix("state.").removeprefix("right_") for setting in settings]
    for known, words in NAMES.items():
        if any(text.startswith(known) or text.endswith(f".{known}") for text in texts):
            return words
    *owner, name = texts[0].split(".")
    setting = name.replace("_", " ").strip()
    return f"{owner[0]}: {setting}" if owner else setting
