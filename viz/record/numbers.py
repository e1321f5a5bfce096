# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The numbers of files that a state refers to, latents and directions, carried along so that others can draw it."""

import base64
import hashlib
import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from gan.data.direction_files import ARRAY, MOST_DIRECTIONS, read_direction_file
from gan.data.latent_files import LARGEST_FILE, LatentError, read_latent_file
from gan.files.atomic_write import atomic_write
from gan.hub.resolve import format_title
from gan.hub.url import safe_file_name
from viz.core.latent import LONGEST_PATH, Direction, FileLatent
from viz.core.request import PictureRequest
from viz.loading.direction_files import read_directions
from viz.loading.latent_files import read_values
from viz.record.models import local_path, shorten_path

MOST_NUMBERS = 1_500_000  # of all files together; the w's of a model are some ten thousand
MOST_FILES = 64
MANY_ROWS = 100_000  # numbers of a file of directions, from which only the directions in use are carried
ENTRY = {"kind", "digest", "name", "path", "shape", "rows", "data"}
KINDS = ("z", "w", ARRAY)


@dataclass(frozen=True, eq=False)
class Numbers:
    """A file's numbers: of a latent "z" or "w" [1 or num_ws, n], or those `rows` of "directions" [n, layers, w_dim].

    `digest` is of the whole file's bytes, `values` None if they were too many.
    """

    kind: str
    digest: str
    name: str
    path: str
    rows: tuple[int, ...]
    values: np.ndarray | None

    def to_json(self, keeps_path: bool) -> dict[str, Any]:
        values = np.empty((0,), np.float32) if self.values is None else self.values
        return {
            "kind": self.kind,
            "digest": self.digest,
            "name": self.name,
            "path": self.path if keeps_path else "",
            "shape": list(values.shape),
            "rows": list(self.rows),
            "data": base64.b64encode(values.astype("<f4").tobytes()).decode("ascii"),
        }


def take_numbers(document: Any) -> tuple[Any, tuple[Numbers, ...]]:
    """Return a state's JSON with names in the place of its files' paths, and the numbers of these files.

    A file that is gone has none.
    """
    used: dict[tuple[str, str], list[dict[str, Any]]] = {}
    copied = _copy(document)
    for entry in find_files(copied):
        used.setdefault((_kind(entry), entry["digest"]), []).append(entry)
    found, room = [], MOST_NUMBERS
    for (kind, digest), entries in used.items():
        one = _read(kind, digest, entries[0]["path"], sorted({entry.get("index", 0) for entry in entries}))
        if one.values is not None and one.values.size > room:
            one = replace(one, values=None)
        room -= 0 if one.values is None else one.values.size
        found.append(one)
        for entry in entries:
            entry["path"] = one.name
    return copied, tuple(found)


def put_numbers(document: Any, numbers: Sequence[Numbers], folder: Path) -> tuple[Any, dict[str, str]]:
    """Return a state's JSON with its files' paths, and by digest the names of files neither here nor carried along.

    A file that still lies where it did is taken from there; the numbers of others are written to `folder`. Raises
    OSError.
    """
    known = {(one.kind, one.digest): one for one in numbers}
    places: dict[tuple[str, str], tuple[str, str, tuple[int, ...]] | None] = {}
    copied, missing = _copy(document), dict[str, str]()
    for entry in find_files(copied):
        key = (_kind(entry), entry["digest"])
        one = known.get(key)
        if key not in places:
            places[key] = None if one is None else _place(one, folder)
        place = places[key]
        if place is None or ("index" in entry and place[2] and entry["index"] not in place[2]):
            entry["path"] = missing[entry["digest"]] = Path(entry["path"]).name or "a file"
            continue
        entry["path"], entry["digest"] = place[:2]
        if place[2]:
            entry["index"] = place[2].index(entry["index"])
    return copied, missing


def read_numbers(label: str, document: object) -> tuple[Numbers, ...]:
    """Return the numbers of a JSON list. Raises ValueError, a sentence."""
    if not isinstance(document, list) or len(document) > MOST_FILES:
        raise ValueError(f"{label} must be a list of at most {MOST_FILES} files.")
    found = tuple(_read_entry(f"{label}[{place}]", entry) for place, entry in enumerate(document))
    if sum(one.values.size for one in found if one.values is not None) > MOST_NUMBERS:
        raise ValueError(f"{label} holds more than {MOST_NUMBERS} numbers.")
    return found


def _read_entry(label: str, entry: object) -> Numbers:
    if not isinstance(entry, Mapping) or entry.keys() != ENTRY:
        raise ValueError(f"{label} must be a JSON object of {', '.join(sorted(ENTRY))}.")
    kind, digest, name, path, data = (entry[part] for part in ("kind", "digest", "name", "path", "data"))
    if not all(isinstance(part, str) for part in (kind, digest, name, path, data)) or kind not in KINDS:
        raise ValueError(f"{label} must have texts, and a kind that is one of {', '.join(KINDS)}.")
    if not re.fullmatch("[0-9a-f]{64}", digest):
        raise ValueError(f"{label}.digest must be a SHA-256 checksum of 64 digits 0-9a-f.")
    if max(len(name), len(path)) > LONGEST_PATH or "\0" in name + path:
        raise ValueError(f"{label}.path must be a text of at most {LONGEST_PATH} characters.")
    rows, shape = (_read_counts(f"{label}.{part}", entry[part]) for part in ("rows", "shape"))
    try:
        values = np.frombuffer(base64.b64decode(data.encode("ascii"), validate=True), "<f4").astype(np.float32)
    except ValueError:
        raise ValueError(f"{label}.data must be numbers in base64.") from None
    if not len(values):
        return Numbers(kind, digest, name, path, (), None)
    layers = len(shape) == (3 if kind == ARRAY else 2) and math.prod(shape) == len(values)
    if not layers or not np.isfinite(values).all() or (kind == "z" and shape[0] != 1):
        raise ValueError(f"{label} must hold finite numbers in the shape of its kind.")
    if len(set(rows)) != len(rows) or (rows and (kind != ARRAY or len(rows) != shape[0])):
        raise ValueError(f"{label}.rows must say which direction each of them is.")
    return Numbers(kind, digest, name, path, rows, values.reshape(shape))


def _read_counts(label: str, value: object) -> tuple[int, ...]:
    if not isinstance(value, list) or len(value) > MOST_DIRECTIONS:
        raise ValueError(f"{label} must be a list of whole numbers.")
    if not all(type(item) is int and 0 <= item <= LARGEST_FILE for item in value):
        raise ValueError(f"{label} must be a list of whole numbers.")
    return tuple(value)


def _copy(document: Any) -> Any:
    """Return a copy of a JSON value in which nothing is shared."""
    if isinstance(document, dict):
        return {name: _copy(item) for name, item in document.items()}
    return [_copy(item) for item in document] if isinstance(document, list | tuple) else document


def find_files(document: Any) -> Iterator[dict[str, Any]]:
    """Yield the latents and directions of files within a state's JSON, wherever they stand."""
    for item in _list_objects(document):
        is_latent = item.get("type") == "file" and item.keys() == {*FileLatent.__dataclass_fields__}
        is_direction = item.get("kind") == "file" and item.keys() == {*Direction.__dataclass_fields__}
        if is_latent or is_direction:
            yield item


def _list_objects(document: Any) -> Iterator[dict[str, Any]]:
    """Yield every object within a JSON value, the outer ones first."""
    if isinstance(document, dict):
        yield document
        document = list(document.values())
    if isinstance(document, list | tuple):
        for item in document:
            yield from _list_objects(item)


def describe_request(request: PictureRequest, model: str) -> dict[str, Any]:
    """Return a request as it may be written into files that others read: names of files, not where they lie here.

    `model` is what its model is called there.
    """
    document: dict[str, Any] = hide_folders(asdict(request))
    return document | {"model": model}


def hide_folders(document: Any) -> Any:
    """Return a copy of a request's or a part's JSON with the names of files in the place of their paths."""
    copied = _copy(document)
    for item in find_files(copied):
        item["path"] = Path(item["path"]).name
    for item in _list_objects(copied):
        if item.get("type") == "model":
            item["model"] = format_title(item["model"])
    return copied


def _kind(entry: Mapping[str, Any]) -> str:
    return str(entry["space"]) if "space" in entry else ARRAY


def _read(kind: str, digest: str, path: str, used: Sequence[int]) -> Numbers:
    """Return the numbers of a file: all, or of many directions those in use."""
    rows: tuple[int, ...] = ()
    values: np.ndarray | None = None
    try:
        if kind == ARRAY:
            values = read_directions(path, digest)
            if values.size > MANY_ROWS:
                rows = tuple(index for index in used if index < len(values))
                values = values[list(rows)]
        else:
            values = read_values(FileLatent("z" if kind == "z" else "w", path, digest))
    except LatentError:
        pass
    return Numbers(kind, digest, Path(path).name, shorten_path(path), rows, values)


def _place(one: Numbers, folder: Path) -> tuple[str, str, tuple[int, ...]] | None:
    """Return the path and digest of a file with these numbers, and the rows that it has of the first one's."""
    path = local_path(one.path)
    try:
        if path and os.path.isfile(path) and os.path.getsize(path) <= LARGEST_FILE:
            read = read_direction_file(path) if one.kind == ARRAY else read_latent_file(path, one.kind)
            if read[1] == one.digest:
                return path, one.digest, ()
    except (LatentError, OSError, ValueError):
        pass  # another file by now
    return None if one.values is None else (*_write(one.kind, one.name, one.values, folder), one.rows)


def _write(kind: str, name: str, values: np.ndarray, folder: Path) -> tuple[str, str]:
    """Write numbers to a file in a folder unless they are there; return its path and digest."""
    content = hashlib.sha256(repr(values.shape).encode() + values.tobytes()).hexdigest()
    path = folder / f"{Path(safe_file_name(name)).stem[:40]}-{content[:12]}.npz"
    if not path.exists():
        with atomic_write(path) as temporary:
            array = values if kind == ARRAY or len(values) == 1 else values[None]
            named: dict[str, Any] = {kind: np.ascontiguousarray(array)}
            np.savez(temporary, **named)
    return str(path.absolute()), hashlib.sha256(path.read_bytes()).hexdigest()
