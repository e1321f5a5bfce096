# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Files that people keep and send each other, and their mutations: captures, states as text, latents, bookmarks."""

import base64
import copy
import io
import json
import random
import struct
import zlib
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from safetensors.numpy import save

from fuzz import fuzz_files as files
from fuzz import fuzz_pictures as pictures
from fuzz.fuzz_files import Contents
from fuzz.fuzz_pickles import flipped, truncated
from viz.core.bookmarks import KINDS, capture
from viz.core.latent import Direction, FileLatent, Mixture, SeedPoint, Step
from viz.core.state import AppState
from viz.core.thumbnails import encode_thumbnail
from viz.loading import bookmark_files
from viz.record.models import ModelMark
from viz.record.numbers import Numbers
from viz.record.record import KEYWORD, Conditions, Record, to_document
from viz.record.short_text import PREFIX, encode_text

WIDTH = 8  # numbers of a z and a w


@cache
def numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(len(shape)).standard_normal(shape, np.float32)


@cache
def record() -> Record:
    """A record that has everything."""
    state = AppState()
    file = FileLatent("w", "w.npy", "1" * 64)
    state.latent.keep(Mixture(file, SeedPoint(1.5), (0, 2)))
    state.latent.mixed, state.latent.vector = [1], [0.5]
    state.latent.directions.steps = (Step(Direction("file", 1, 0, 63, "d.npy", "2" * 64), 1.0), Step(Direction(), -1.0))
    mark = ModelMark("net.safetensors", "3" * 64, 1000, "~/net.safetensors")
    carried = (
        Numbers("w", "1" * 64, "w.npy", "~/w.npy", (), numbers(1, WIDTH)),
        Numbers("directions", "2" * 64, "d.npy", "~/d.npy", (1, 3), numbers(2, 1, WIDTH)),
    )
    conditions = {"left": Conditions("cpu", "float32", 1), "right": Conditions("cuda:0", "auto", 0)}
    return Record(state, "both", 64, {"left": mark, "right": mark}, conditions, carried, {"torch": "2.13"})


def document() -> dict[str, Any]:
    return copy.deepcopy(to_document(record()))


def png_of(text: str, form: str = "plain") -> bytes:
    """A PNG with a text chunk: "plain", "packed", "old" (tEXt) or "old packed" (zTXt)."""
    info = PngInfo()
    if form in ("plain", "packed"):
        info.add_itxt(KEYWORD, text, zip=form == "packed")
    else:
        info.add_text(KEYWORD, text, zip=form == "old packed")
    data = io.BytesIO()
    Image.fromarray(np.arange(48, dtype=np.uint8).reshape(4, 4, 3)).save(data, "PNG", pnginfo=info)
    return data.getvalue()


FORMS = ("plain", "packed", "old", "old packed")
CAPTURE_MUTATIONS = (
    *(f"json: {kind}" for kind in ("value", "value", *files.JSON_MUTATIONS)),
    *(f"png: {kind}" for kind in pictures.PNG_MUTATIONS),
    *(f"text: {kind}" for kind in ("truncate", "flip", "json", "bomb", "letters")),
    "file",
    "bomb",
)


def mutated_capture(rng: random.Random, mutation: str) -> tuple[Contents, str]:
    what, _, kind = mutation.partition(": ")
    if what == "png":
        return {"a.png": pictures.mutated_png(rng, png_of(json.dumps(document()), rng.choice(FORMS)), kind)}, "a.png"
    if what == "text":
        return {"a.word": _mutated_text(rng, kind)}, "a.word"
    if what == "bomb":
        text = rng.choice([" ", "[", "0,", '{"a":', "\0"]) * rng.choice([10**5, 10**7, 3 * 10**7])
        return {"a.png": png_of(text, rng.choice(["packed", "old packed"]))}, "a.png"
    kind = kind or rng.choice(files.JSON_MUTATIONS)
    data = files.mutated_json(rng, document(), kind)
    if what == "file":
        return {"a.json": data}, "a.json"
    return {"a.png": png_of(data.decode("utf-8", "replace"), rng.choice(FORMS[:2]))}, "a.png"


def _mutated_text(rng: random.Random, kind: str) -> bytes:
    text = encode_text(record()).encode()
    if kind == "truncate":
        return truncated(rng, text)
    if kind == "flip":
        return flipped(rng, text)
    if kind == "letters":
        return rng.choice(
            [text.replace(b"jinc1", b"jinc9"), text * 2, text + b" a" * 10**5, PREFIX.encode(), b"x" + text]
        )
    data = files.mutated_json(rng, document(), rng.choice(files.JSON_MUTATIONS))
    if kind == "bomb":
        data = rng.choice([b"[", b" ", b"0,", b"{}"]) * 2 * 10**7
    return PREFIX.encode() + base64.urlsafe_b64encode(zlib.compress(data)).rstrip(b"=")


# Arrays.

HEADERS = [
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 8)}",
    "{'descr': '>f8', 'fortran_order': True, 'shape': (1, 4)}",
    "{'descr': '|O', 'fortran_order': False, 'shape': (1, 8)}",
    "{'descr': '<c8', 'fortran_order': False, 'shape': (4,)}",
    "{'descr': '<M8[s]', 'fortran_order': False, 'shape': (4,)}",
    "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (8,)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (2147483648, 2147483648)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 8)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': ()}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (0,)}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1, 8)}",
    "{'descr': '<f4', 'fortran_order': 7, 'shape': [8]}",
    "{'descr': '<f4', 'shape': (8,)}",
    "__import__('os').system('touch hostile')",
    "(" * 5000,
    "",
    "{" + " " * 9000 + "}",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1, True)}",
]


def npy_of(array: np.ndarray) -> bytes:
    data = io.BytesIO()
    np.save(data, array, allow_pickle=False)
    return data.getvalue()


def npz_of(**arrays: np.ndarray) -> bytes:
    data = io.BytesIO()
    np.savez(data, **arrays)
    return data.getvalue()


def with_header(header: str, numbers: bytes, version: int = 1) -> bytes:
    text = header.encode() + b"\n"
    length = struct.pack("<H", len(text) % 2**16) if version == 1 else struct.pack("<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + length + text + numbers


NUMBERS = ("nan", "large", "header", "version", "truncate", "flip", "shape", "kind")
NPZ_MUTATIONS = tuple(f"zip: {kind}" for kind in files.ZIP_MUTATIONS)
TENSORS = tuple(
    f"safetensors: {kind}" for kind in files.SAFETENSORS_MUTATIONS if kind not in ("document", "options", "facts")
)
ARRAY_MUTATIONS = (*NUMBERS, *NUMBERS, *NPZ_MUTATIONS, *TENSORS)


def arrays_of(kind: str) -> dict[str, np.ndarray]:
    """A latent's or directions' arrays, by name."""
    if kind == "latent":
        return {"w": numbers(1, 3, WIDTH), "z": numbers(1, WIDTH)}
    return {"directions": numbers(4, WIDTH), "sigmas": numbers(4)}


def mutated_arrays(rng: random.Random, kind: str, mutation: str) -> tuple[Contents, str]:
    arrays = arrays_of(kind)
    name, array = next(iter(arrays.items()))
    what, _, change = mutation.partition(": ")
    if what == "zip":
        contents = {f"{key}.npy": npy_of(value) for key, value in arrays.items()}
        return {"a.npz": files.mutated_zip(rng, contents, change)}, "a.npz"
    if what == "safetensors":
        data = files.mutated_safetensors(rng, save(arrays, {"jinc": "{}"}), change)
        return {"a.safetensors": data}, "a.safetensors"
    return {"a.npy": _mutated_npy(rng, array, mutation)}, "a.npy"


def _mutated_npy(rng: random.Random, array: np.ndarray, mutation: str) -> bytes:
    data = npy_of(array)
    if mutation in ("truncate", "flip"):
        return truncated(rng, data) if mutation == "truncate" else flipped(rng, data)
    if mutation == "header":
        return with_header(rng.choice(HEADERS), array.tobytes(), rng.choice([1, 1, 2]))
    if mutation == "version":
        return data[:6] + bytes([rng.choice([0, 2, 3, 9, 255]), rng.choice([0, 1])]) + data[8:]
    if mutation == "shape":
        shape = rng.choice([(-1,), (1, -1), (-1, 1), (1, 1, -1), (-1, 2, 2)])
        return npy_of(array.reshape(shape) if array.size % 4 == 0 else array)
    if mutation == "kind":
        kinds: list[Any] = [np.float64, np.float16, np.int8, np.uint64, np.bool_, np.complex64, "S4", "U4"]
        return npy_of(array.astype(rng.choice(kinds)))
    changed = array.astype(np.float64).copy()
    values = [np.nan, np.inf, -np.inf] if mutation == "nan" else [1e300, -1e39, 3e38, 1e-320, 0.0]
    changed.flat[rng.randrange(changed.size)] = rng.choice(values)
    return npy_of(changed)


# Bookmarks.


@cache
def bookmarks() -> dict[str, Any]:
    """A file of bookmarks, of each kind."""
    state = AppState()
    picture = encode_thumbnail(np.full((8, 8, 4), 200, np.uint8))
    items = [
        replace(
            capture(state, kind, picture if kind == "latent" else b""), key=f"{kind}1"
        )  # else a new one in each run
        for kind in KINDS
    ]
    listed = [bookmark_files._to_json(item) for item in items]
    found = {"format": bookmark_files.FORMAT, "schema": bookmark_files.SCHEMA, "bookmarks": listed}
    again: dict[str, Any] = json.loads(json.dumps(found))
    return again


BOOKMARK_MUTATIONS = ("value", "value", *files.JSON_MUTATIONS, "picture", "many", "same")


def mutated_bookmarks(rng: random.Random, mutation: str) -> bytes:
    found = copy.deepcopy(bookmarks())
    if mutation == "picture":
        png = base64.b64decode(found["bookmarks"][0]["picture"])
        changed = pictures.mutated_png(rng, png, rng.choice(list(pictures.PNG_MUTATIONS)))
        found["bookmarks"][0]["picture"] = base64.b64encode(changed).decode()
    elif mutation == "many":
        found["bookmarks"] *= rng.choice([2, 60, 100])
        for place, entry in enumerate(found["bookmarks"]):
            found["bookmarks"][place] = {**entry, "key": f"key{place}"}
    elif mutation == "same":
        found["bookmarks"][1]["key"] = found["bookmarks"][0]["key"] if rng.random() < 0.5 else "other"
    else:
        return files.mutated_json(rng, found, mutation)
    return json.dumps(found).encode()
