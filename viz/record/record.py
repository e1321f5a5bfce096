# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Records: the state behind a picture as JSON, inside the PNG or as a short text, and back again.

A record may come from anybody. It names models by checksum; the path in it is looked at and nothing else, and no
setting in it is any but the picture's own: none that opens a port, starts a run or writes a file.
"""

import copy
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, Literal, get_args

from gan.files.errors import describe_error, sanitize_text
from viz.core import gestures
from viz.core import state as states
from viz.core.panel_state import LARGEST_SIZE
from viz.core.request import build_request
from viz.core.state import SLOTS, AppState, Slot, StateError
from viz.record.models import ModelMark, find_model, mark_model, read_mark
from viz.record.numbers import Numbers, find_files, put_numbers, read_numbers, take_numbers
from viz.record.png_text import LARGEST_TEXT, RecordError

FORMAT, SCHEMA = "jinc-capture", 1
KEYWORD = "jinc"  # of the PNG's text chunk
What = Literal["left", "right", "both", "canvas", "window"]
WHATS: tuple[What, ...] = get_args(What)
KEPT = (
    "left",
    "right",
    "latent",
    "transform",
    "noise",
    "canvas",
    "layers",
    "spectrum",
    "sticking",
    "gallery",
    "linked",
    "focus",
    "right_latent",
    "right_transform",
)
"""The parts of the state that a record holds; a new part is none until it is named here."""
MOST_VALUES = 200_000  # in a record's JSON; a state has some hundreds
MOST_THREADS = 4096
PRECISIONS = ("auto", "float32", "float16")


@dataclass(frozen=True)
class Conditions:
    """Device and number format of a picture, on which its bytes depend beside the state: asked for, or as they were.

    `threads` 0 takes as many as this machine gives the model, "auto" the number format of the window.
    """

    device: str = "cpu"
    precision: str = "auto"
    threads: int = 0


@dataclass(frozen=True, eq=False)
class Record:
    """A picture's state, of which models and files are known by content: its own paths are empty, or names.

    `what` was captured, pictures `size` pixels wide (0 the models' own), under the `conditions` of each slot.
    """

    state: AppState
    what: What = "left"
    size: int = 0
    models: Mapping[Slot, ModelMark] = field(default_factory=dict)
    conditions: Mapping[Slot, Conditions] = field(default_factory=dict)
    numbers: tuple[Numbers, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)

    def slots(self) -> tuple[Slot, ...]:
        """Return the slots whose pictures were captured: of a canvas or window those that had a model."""
        there = tuple(slot for slot in SLOTS if slot in self.models)
        return tuple(slot for slot in there if self.what == slot) if self.what in SLOTS else there


def make_record(
    state: AppState, what: What, size: int = 0, conditions: Mapping[Slot, Conditions] | None = None
) -> Record:
    """Return the record of a state; conditions that are not given are those that the state asks for.

    A model that cannot be read is left out, as if its slot were empty; RecordError if its picture is asked for.
    """
    models: dict[Slot, ModelMark] = {}
    for slot in SLOTS:
        path = state.slot(slot).path
        try:
            if path:
                models[slot] = mark_model(path)
        except OSError as problem:
            if what in (slot, "both"):
                why = f"{sanitize_text(Path(path).name, 200)}, cannot be read ({describe_error(problem)})"
                raise RecordError(
                    f"The model in the {slot} slot, {why}: choose another one, or empty the slot."
                ) from None
    document, numbers = take_numbers(_keep(states.to_json(state)))
    for slot in SLOTS:
        document[slot]["path"] = ""
    document["spectrum"]["data"] = ""  # a path, which no picture depends on
    asked = Conditions(state.display.device or "cpu", state.display.precision)
    used = {slot: (conditions or {}).get(slot, asked) for slot in models}
    return Record(states.from_json(document), what, size, models, used, numbers, _list_versions())


def to_document(record: Record, *, keeps_paths: bool = True) -> dict[str, Any]:
    """Return a record as a JSON object; without paths for those whom they tell nothing."""
    marks = {
        slot: {"name": mark.name, "sha256": mark.sha256, "bytes": mark.bytes}
        | ({"path": mark.path} if keeps_paths and mark.path else {})
        for slot, mark in record.models.items()
    }
    return {
        "format": FORMAT,
        "schema": SCHEMA,
        "what": record.what,
        "size": record.size,
        "state": _keep(states.to_json(record.state)),
        "models": marks,
        "drawn": {slot: vars(one) for slot, one in record.conditions.items()},
        "numbers": [one.to_json(keeps_paths) for one in record.numbers],
        "versions": dict(record.versions),
    }


def to_text(record: Record) -> str:
    """Return a record as the text of a PNG."""
    return json.dumps(to_document(record), allow_nan=False)


def from_text(text: str, name: str) -> Record:
    """Invert `to_text`; `name` is the file's, for messages. Parts that are missing take their defaults.

    Raises RecordError.
    """
    document = _parse(text, name)
    if isinstance(document, dict) and "request" in document:
        raise RecordError(f"{name} was drawn by a command, which kept its options and no state: open a capture.")
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise RecordError(f"{name} holds no state of Jinc's: choose a picture that it captured.")
    schema = document.get("schema")
    if type(schema) is int and schema > SCHEMA:
        raise RecordError(f"{name} was captured by a newer Jinc: update Jinc.")
    try:
        return _read_document(document)
    except (ValueError, StateError) as problem:
        raise RecordError(f"{name} holds a state that cannot be used: {problem}") from None


def _parse(text: str, name: str) -> Any:
    """Return the JSON value of a text that may be hostile. Raises RecordError."""
    if len(text) > LARGEST_TEXT or text.count(",") + text.count("[") + text.count("{") > MOST_VALUES:
        raise RecordError(f"{name} holds more than any state has: it was not captured by Jinc.")
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise RecordError(f"{name} holds a state that is damaged: take another copy of it.") from None


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def _read_document(document: dict[str, Any]) -> Record:
    known = {"format", "schema", "what", "size", "state", "models", "drawn", "numbers", "versions"}
    schema = document.get("schema")
    if type(schema) is not int or schema != SCHEMA or document.keys() - known:
        raise ValueError("its schema is not one that this Jinc knows.")
    what, size, state = document.get("what", "left"), document.get("size", 0), document.get("state", {})
    if what not in WHATS:
        raise ValueError(f"what must be one of {', '.join(WHATS)}.")
    if type(size) is not int or not 0 <= size <= LARGEST_SIZE:
        raise ValueError(f"size must be a whole number from 0 to {LARGEST_SIZE}.")
    if not isinstance(state, dict) or state.keys() - {*KEPT, "schema"}:
        raise ValueError("it holds settings that no capture has.")
    models = {slot: read_mark(f"models.{slot}", mark) for slot, mark in _slots(document, "models").items()}
    drawn = {slot: _read_conditions(f"drawn.{slot}", one) for slot, one in _slots(document, "drawn").items()}
    found = states.from_json({"schema": states.SCHEMA, **state})
    for slot in SLOTS:
        found.slot(slot).path = ""
    found.spectrum.data = ""
    numbers = read_numbers("numbers", document.get("numbers", []))
    return Record(found, what, size, models, drawn, numbers, _read_versions(document.get("versions", {})))


def _slots(document: dict[str, Any], part: str) -> dict[Slot, Any]:
    found = document.get(part, {})
    if not isinstance(found, dict) or found.keys() - {*SLOTS}:
        raise ValueError(f"{part} must be a JSON object of left and right.")
    return {slot: found[slot] for slot in SLOTS if slot in found}


def _read_conditions(label: str, document: object) -> Conditions:
    if not isinstance(document, dict) or document.keys() - {item.name for item in fields(Conditions)}:
        raise ValueError(f"{label} must be a JSON object of device, precision and threads.")
    found = Conditions(**document)
    if not isinstance(found.device, str) or not re.fullmatch(r"[a-z]{1,20}(:[0-9]{1,3})?", found.device):
        raise ValueError(f"{label}.device must be the name of a device.")
    if found.precision not in PRECISIONS:
        raise ValueError(f"{label}.precision must be one of {', '.join(PRECISIONS)}.")
    if type(found.threads) is not int or not 0 <= found.threads <= MOST_THREADS:
        raise ValueError(f"{label}.threads must be a whole number from 0 to {MOST_THREADS}.")
    return found


def _read_versions(document: object) -> dict[str, str]:
    if not isinstance(document, dict) or len(document) > 16:
        raise ValueError("versions must be a short JSON object.")
    if not all(isinstance(text, str) and len(text) <= 100 for pair in document.items() for text in pair):
        raise ValueError("versions must hold short texts.")
    return document


@dataclass(frozen=True, eq=False)
class Located:
    """A record's state with the paths of its models and files, and what is not here: models, and names of files."""

    state: AppState
    models: Mapping[Slot, ModelMark]
    files: tuple[str, ...]

    def explain(self, name: str, slots: Sequence[Slot] = SLOTS) -> str:
        """Return a sentence on what these slots need and is not here, "" if nothing; `name` is the record's."""
        latents = [self.state.latent_of(slot) for slot in slots]
        mixed = any(latent.mixed and latent.mix_with != "second" for latent in latents)
        marks = {mark.sha256: mark.describe() for slot, mark in self.models.items() if mixed or slot in slots}
        if marks:
            them = "it" if len(marks) == 1 else "them"
            return f"{name} needs {' and '.join(marks.values())}: open {them} once, and then this again."
        if self.files:
            missing = " and ".join(self.files)
            return f"{name} needs {missing}, which did not come along: put it where it was at that time."
        return ""


def locate(record: Record, own: tuple[str, ...], folder: Path) -> Located:
    """Find what a record needs on this machine. `own` are paths of the user's models, such as the recent ones.

    Numbers of files that are not here are written to `folder`. Raises RecordError where that fails.
    """
    missing: dict[Slot, ModelMark] = {}
    try:
        document, lost = put_numbers(_keep(states.to_json(record.state)), record.numbers, folder)
    except OSError as problem:
        raise RecordError(f"The latents in it cannot be kept in {folder}: {describe_error(problem)}.") from None
    try:
        state = states.from_json(document)
    except StateError as problem:
        raise RecordError(str(problem)) from None
    for slot, mark in record.models.items():
        path = find_model(mark, own)
        state.slot(slot).path = path or ""
        if path is None:
            missing[slot] = mark
    for slot in SLOTS:
        conditions = record.conditions.get(slot)
        if conditions is not None:
            state.display.device, state.display.precision = conditions.device, conditions.precision
    used = {entry["digest"] for entry in find_files(asdict(build_request(state)))}
    return Located(state, missing, tuple(name for digest, name in lost.items() if digest in used))


def restore(found: AppState, state: AppState) -> None:
    """Bring a record's settings into a state; what it does not hold stays.

    Whatever would change them by itself is stopped: animations, the timeline, and slots that follow a run.
    """
    data = state.spectrum.data
    for name in KEPT:
        setattr(state, name, copy.deepcopy(getattr(found, name)))
    state.spectrum.data = data
    gestures.stop(state)
    state.training.follow_left = state.training.follow_right = False


def _keep(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name in {*KEPT, "schema"}}


@cache
def _list_versions() -> dict[str, str]:
    """Return the versions of what drew a picture, for whoever wants to know why another machine's differs."""
    found = {}
    for package in ("jinc", "torch", "numpy"):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue  # run from a checkout
    return found
