# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The names of captures: a template with fields, in a folder, and never one that is taken."""

import itertools
import os
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from gan.hub.resolve import format_title
from gan.hub.url import safe_file_name
from viz.core.latent import FileLatent, Latent, Mixture, Moved, SeedPoint, find_seed
from viz.core.panel_state import DEFAULT_NAME
from viz.core.state import AppState, Slot

SUFFIX = ".png"
FIELDS = {
    "model": "the model's name, or both",
    "latent": "the seed, the point between seeds, or the file",
    "what": "left, right, both, canvas or window",
    "date": "such as 2026-11-30",
    "time": "such as 14-05-09",
    "number": "the first that is free, from 001",
}
LONGEST_STEM = 100  # characters
FIELD = re.compile(r"\{([a-z]+)\}")


def default_folder() -> Path:
    """Return the folder of captures where none is chosen: Jinc in the user's pictures."""
    from platformdirs import user_pictures_path

    try:
        return user_pictures_path() / "Jinc"
    except RuntimeError:  # there is no home folder
        return Path.cwd() / "Jinc"


def choose_folder(text: str) -> Path:
    """Return the folder that a user named, absolute; "" is the default one."""
    return Path(os.path.abspath(os.path.expanduser(text))) if text.strip() else default_folder()


def describe_fields(state: AppState, what: str) -> dict[str, str]:
    """Return the values of a name's fields but for the number."""
    slots: tuple[Slot, ...] = ("left",) if what == "left" else ("right",) if what == "right" else ("left", "right")
    there = [slot for slot in slots if state.slot(slot).path]
    models = dict.fromkeys(format_title(state.slot(slot).path) for slot in there)
    shown = state.latent_of(there[0]) if there else state.latent
    now = datetime.now()
    return {
        "model": "+".join(models) or "nothing",
        "latent": _name(shown.latent()),
        "what": what,
        "date": now.strftime("%Y-%m-%d"),
        "time": now.strftime("%H-%M-%S"),
    }


def list_names(folder: Path, template: str, values: Mapping[str, str]) -> Iterator[Path]:
    """Yield the paths that a template stands for, one after the other, taken or not.

    Where it has no number, one is added from the second on.
    """
    template = template.strip() or DEFAULT_NAME
    known = set[str]()
    for number in itertools.count(1):
        stem = _clean(_fill(template, {**values, "number": f"{number:03d}"}))
        again = f"-{number}" if stem in known else ""  # it has no number, or was shortened to none
        known.add(stem)
        yield folder / f"{stem}{again}{SUFFIX}"


def find_unknown_fields(template: str) -> list[str]:
    """Return the fields of a template that there are none of."""
    return [name for name in FIELD.findall(template) if name not in FIELDS]


def _fill(template: str, values: Mapping[str, str]) -> str:
    return FIELD.sub(lambda found: values.get(found[1], found[0]), template)


def _clean(text: str) -> str:
    """Return a file's stem for any text: no folder, nothing that a file system refuses, the end kept if too long."""
    text = text.removesuffix(SUFFIX)
    if len(text) > LONGEST_STEM:
        text = text[: LONGEST_STEM - 20] + text[-20:]
    text = safe_file_name(text.replace("/", "_").replace("\\", "_") + SUFFIX)
    return text.removesuffix(SUFFIX).strip(" .") or "picture"


def _name(latent: Latent) -> str:
    seed = find_seed(latent)
    if seed is not None:
        return f"seed{seed}"
    match latent:
        case SeedPoint():
            return f"{latent.x:.3g}_{latent.y:.3g}"
        case FileLatent():
            return Path(latent.name).stem
        case Moved() | Mixture():
            return f"{_name(latent.base)}-{latent.type}"
    return latent.type
