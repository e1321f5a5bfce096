# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Mutations of JSON, zips and .safetensors; each takes a file apart where it has parts."""

import io
import json
import random
import struct
import zipfile
import zlib
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from fuzz.fuzz_pickles import flipped, truncated

Contents = dict[str, bytes]

# JSON.

WILD_TEXTS = ["", "x" * 5000, "\ud800", "\0", "a\nb\x1b[2J", "../../../etc/passwd", "NaN", "😀" * 50, "T", "cpu", "CON"]
WILD_RAW = [
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b"1e999",
    b"-0",
    b"1" * 400,
    b"-" + b"9" * 400,
    b"1" * 5000,
    b"0.1e-400",
    b"1E2",
    b"[" * 100_000,
    b"[" * 900 + b"]" * 900,
    b"[" * 970 + b"]" * 970,
    b'{"a":' * 900 + b"1" + b"}" * 900,
    b"{" * 5000,
    b'"\\ud800"',
    b'"\\u0000"',
    b'"\xff"',
    b"'x'",
    b"\xef\xbb\xbf1",
    b"",
    b",",
    b"nul",
    b"[1,]",
    b"{}" * 2,
    b"[" + b"[]," * 300_000 + b"[]]",
    b"[" + b"{}," * 100_000 + b"{}]",
    b'"' + b"x" * 10**6 + b'"',
]
RAW = "\u241aRAW\u241a"  # stands where bytes that no writer would write are put afterwards


def wild_json(rng: random.Random) -> Any:
    """A JSON value of any kind."""
    # fmt: off
    numbers = [0, 1, -1, 2, 3, 4, 16, 64, 255, 2**31, 2**32, 2**53 + 1, 2**63, 2**64, -(2**63), 10**15, 10**30, 0.5,
               -0.5, 1e-300, 1e308, 3.0, 1e39]
    # fmt: on
    leaf = [None, True, False, rng.choice(numbers), rng.choice(numbers), rng.choice(numbers), rng.choice(WILD_TEXTS)]
    kind = rng.randrange(10)
    if kind < 7:
        return rng.choice(leaf)
    if kind == 7:
        return rng.choice(
            [[], {}, [[]], [{}], [None] * 3, [1.0, 2.0], {"a": {"b": {}}}, [[1, 2], [3]], list(range(50))]
        )
    return [wild_json(rng) for _ in range(rng.randrange(4))] if kind == 8 else {"schema": wild_json(rng)}


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every value in a document, as the keys and indices that lead to it."""
    found = [path]
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        found += _places(item, (*path, key))
    return found


def _put(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    copy = dict(document) if isinstance(document, dict) else list(document)
    copy[path[0]] = _put(copy[path[0]], path[1:], value)
    return copy


def _at(document: Any, path: tuple[Any, ...]) -> Any:
    for part in path:
        document = document[part]
    return document


JSON_MUTATIONS = ("value", "nudge", "raw", "drop", "add", "twice", "truncate", "flip", "bytes")


def mutated_json(rng: random.Random, document: Any, mutation: str) -> bytes:
    """A document changed in the named way, as bytes."""
    places = _places(document)
    if mutation == "bytes":
        return rng.choice([b"", b"\0" * 100, *WILD_RAW])
    if mutation in ("truncate", "flip"):
        data = json.dumps(document).encode()
        return truncated(rng, data) if mutation == "truncate" else flipped(rng, data)
    tables = [path for path in places if isinstance(_at(document, path), dict) and _at(document, path)]
    if mutation == "value" or not tables:
        for path in rng.sample(places[1:] or places, min(rng.choice([1, 1, 1, 3]), len(places[1:] or places))):
            try:
                document = _put(document, path, wild_json(rng))
            except (KeyError, IndexError, TypeError):  # an earlier change took away what held it
                continue
        return json.dumps(document).encode()
    if mutation == "nudge":  # another value of the same type, which most readers take
        leaves = [path for path in places if isinstance(_at(document, path), bool | int | float)]
        for path in rng.sample(leaves, min(3, len(leaves))):
            value = _at(document, path)
            nudged = not value if isinstance(value, bool) else type(value)(value * rng.uniform(0.5, 1.5))
            document = _put(document, path, nudged)
        return json.dumps(document).encode()
    if mutation == "raw":
        document = _put(document, rng.choice(places), RAW)
        return json.dumps(document).encode().replace(json.dumps(RAW).encode(), rng.choice(WILD_RAW), 1)
    table = rng.choice(tables)
    entries, key = dict(_at(document, table)), rng.choice(list(_at(document, table)))
    if mutation == "drop":
        del entries[key]
    elif mutation == "add":
        entries[rng.choice(["surprise", "", "__class__", "x" * 3000, "a\nb\x1b[2J", "\ud800", key + " "])] = wild_json(
            rng
        )
    else:
        entries[RAW] = wild_json(rng)
    return (
        json.dumps(_put(document, table, entries)).encode().replace(json.dumps(RAW).encode(), json.dumps(key).encode())
    )


# Zips, written by hand so that they can lie.


@dataclass(frozen=True)
class Part:
    """A file in a zip, as its two headers declare it; None: as it is."""

    name: bytes
    data: bytes
    method: int = 0
    flags: int = 0
    version: int = 20
    packed: int | None = None
    size: int | None = None
    crc: int | None = None
    header: int | None = None
    extra: bytes = b""
    comment: bytes = b""
    local_name: bytes | None = None
    lengths: tuple[int, int, int] | None = None  # of name, extra and comment in the directory


def zip_of(parts: list[Part], end: dict[str, int] | None = None, comment: bytes = b"") -> bytes:
    """A zip; `end` takes the place of what its end says: count, size, start, or a zip64 record's "count64", ..."""
    data, directory, end = bytearray(), bytearray(), end or {}
    for part in parts:
        at, crc = len(data), zlib.crc32(part.data) if part.crc is None else part.crc
        packed = len(part.data) if part.packed is None else part.packed
        size = len(part.data) if part.size is None else part.size
        local = part.name if part.local_name is None else part.local_name
        data += b"PK\x03\x04" + struct.pack(
            "<HHHIIIIHH",
            part.version,
            part.flags,
            part.method,
            0,
            crc & 0xFFFFFFFF,
            packed & 0xFFFFFFFF,
            size & 0xFFFFFFFF,
            len(local),
            0,
        )
        data += local + part.data
        header = at if part.header is None else part.header
        counts = part.lengths or (len(part.name), len(part.extra), len(part.comment))
        directory += (
            b"PK\x01\x02"
            + struct.pack(
                "<HHHHIIIIHHHHHII",
                20,
                part.version,
                part.flags,
                part.method,
                0,
                crc & 0xFFFFFFFF,
                packed & 0xFFFFFFFF,
                size & 0xFFFFFFFF,
                *(count & 0xFFFF for count in counts),
                0,
                0,
                0,
                header & 0xFFFFFFFF,
            )
            + part.name
            + part.extra
            + part.comment
        )
    start, data = len(data), data + directory
    known = {"count": len(parts), "size": len(directory), "start": start} | end
    if any(key.endswith("64") for key in end):
        where, known64 = (
            end.get("where64", len(data)),
            {f"{key}64": known[key] for key in ("count", "size", "start")} | end,
        )
        numbers = [known64[key] & 2**64 - 1 for key in ("count64", "count64", "size64", "start64")]
        data += b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, *numbers)
        data += b"PK\x06\x07" + struct.pack("<IQI", 0, where & 2**64 - 1, 1)
    count = known["count"] & 0xFFFF
    data += (
        b"PK\x05\x06"
        + struct.pack(
            "<HHHHIIH", 0, 0, count, count, known["size"] & 0xFFFFFFFF, known["start"] & 0xFFFFFFFF, len(comment)
        )
        + comment
    )
    return bytes(data)


NAMES = [
    b"../../../evil",
    b"/etc/passwd",
    b"C:\\evil",
    b"a\0b",
    b"",
    b"\xff\xfe",
    b"x" * 3000,
    b"__MACOSX/x",
    b".hidden.png",
    b"code/evil.py",
    b"data.pkl",
    b"x/data.pkl",
    b"constants.pkl",
    b"byteorder",
    b"dataset.json",
    b"a/",
    b"\x1b[2J\n.png",
    b"CON.png",
    "é€😀.png".encode(),
]
ZIP_MUTATIONS = (
    "field",
    "end",
    "zip64",
    "twice",
    "overlap",
    "name",
    "bomb",
    "missing",
    "exchange",
    "comment",
    "truncate",
    "flip",
)
BOMB = 96 * 2**20  # bytes that a bomb unpacks to: more than anything here may take


def zip_parts(contents: Contents) -> list[Part]:
    return [Part(name.encode(), data) for name, data in contents.items()]


def _number(rng: random.Random, near: int) -> int:
    return rng.choice(
        [0, 1, near - 1, near + 1, 2 * near, 2**16 - 1, 2**31, 2**32 - 1, 2**32 - 2, rng.randrange(2**16)]
    )


def mutated_zip(rng: random.Random, contents: Contents, mutation: str) -> bytes:
    """A zip of `contents` that lies in the named way."""
    parts = zip_parts(contents)
    at = rng.randrange(len(parts))
    part = parts[at]
    if mutation in ("truncate", "flip"):
        data = zip_of(parts)
        return truncated(rng, data) if mutation == "truncate" else flipped(rng, data)
    if mutation == "field":
        choices: dict[str, Any] = {
            "method": rng.choice([1, 8, 9, 12, 14, 93, 99]),
            "flags": rng.choice([1, 8, 0x41, 0x800, 0xFFFF]),
            "packed": _number(rng, len(part.data)),
            "size": _number(rng, len(part.data)),
            "crc": rng.randrange(2**32),
            "header": _number(rng, 100),
            "version": rng.choice([0, 45, 63, 64, 255, 65535]),
            "local_name": rng.choice([b"", b"x" * 500, part.name + b"x"]),
            "lengths": tuple(_number(rng, 5) % 2**16 for _ in range(3)),
        }
        names = rng.sample(list(choices), rng.choice([1, 1, 2]))
        parts[at] = replace(part, **{name: choices[name] for name in names})
    elif mutation == "end":
        return zip_of(parts, {rng.choice(["count", "size", "start"]): _number(rng, 1000)})
    elif mutation == "zip64":
        if rng.random() < 0.5:
            key = rng.choice(["count64", "size64", "start64", "where64"])
            return zip_of(parts, {key: rng.choice([0, 1, 2**32, 2**40, 2**63 - 1, 2**63, 2**64 - 1, 500])})
        wide = struct.pack("<QQQ", *(rng.choice([0, len(part.data), 2**40, 2**63, 2**64 - 1]) for _ in range(3)))
        extra = struct.pack("<HH", 1, rng.choice([0, 8, 16, 24, 24, 24, 60_000, 5])) + wide
        parts[at] = replace(part, extra=extra, size=0xFFFFFFFF, **rng.choice([{}, {"packed": 0xFFFFFFFF}]))
    elif mutation == "twice":
        parts.insert(rng.randrange(len(parts) + 1), replace(part, data=rng.choice([part.data, b"", b"\x80\x02N."])))
    elif mutation == "overlap":
        parts += [
            Part(b"%d-" % i + part.name, b"", packed=len(part.data), size=len(part.data), header=0)
            for i in range(rng.choice([1, 3, 300]))
        ]
    elif mutation == "name":
        name = rng.choice(NAMES)
        if rng.random() < 0.5:
            parts.append(Part(name, rng.choice([b"", part.data])))
        else:
            parts[at] = replace(part, name=name)
    elif mutation == "bomb":
        parts[at] = _bomb(rng, part)
    elif mutation == "missing":
        del parts[at]
    elif mutation == "exchange":
        other = rng.randrange(len(parts))
        parts[at], parts[other] = replace(part, data=parts[other].data), replace(parts[other], data=part.data)
    else:
        comment = rng.choice([b"x" * 65535, b"PK\x05\x06" + b"\0" * 18, b"PK\x05\x06" + b"\xff" * 18, b"PK\x05\x06"])
        return zip_of(parts, comment=comment) + rng.choice([b"", b"\0" * 100])
    return zip_of(parts)


@cache
def _zeros() -> bytes:
    """BOMB zeros, compressed."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(bytes(BOMB)) + packer.flush()


def _bomb(rng: random.Random, part: Part) -> Part:
    """What is there, then zeros without end; their number may be a lie."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(part.data) + packer.flush(zlib.Z_SYNC_FLUSH) + _zeros()
    whole = len(part.data) + BOMB
    return Part(part.name, packed, 8, size=rng.choice([whole, len(part.data), 0xFFFFFFF0]), crc=zlib.crc32(part.data))


# .safetensors.

SAFETENSORS_MUTATIONS = (
    "document",
    "options",
    "facts",
    "entry",
    "offsets",
    "dtype",
    "shape",
    "header length",
    "header",
    "metadata",
    "tensors",
    "twice",
    "truncate",
    "flip",
    "end",
)
DTYPES = (
    "F64",
    "F32",
    "F16",
    "BF16",
    "I64",
    "I32",
    "I16",
    "I8",
    "U8",
    "U16",
    "U32",
    "U64",
    "BOOL",
    "F8_E4M3",
    "F8_E5M2",
    "F4",
    "F6_E2M3",
    "C64",
    "O",
    "",
)


def safetensors_parts(data: bytes) -> tuple[dict[str, Any], bytes]:
    """Header and numbers."""
    length = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def safetensors_of(header: bytes | dict[str, Any], numbers: bytes, length: int | None = None) -> bytes:
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    return (len(head) if length is None else length % 2**64).to_bytes(8, "little") + head + numbers


def _other_options(rng: random.Random, document: dict[str, Any]) -> dict[str, Any]:
    """One or two numbers or words of the configuration a little different, or of another network's."""
    places = [
        path for path in _places(document) if path[:1] == ("config",) and not isinstance(_at(document, path), dict)
    ]
    for path in rng.sample(places, rng.choice([1, 1, 2])):
        known = _at(document, path)
        near = [
            None,
            True,
            0,
            rng.choice(["layers", "skip", "resnet", "orig", "rigid", "lanczos", "gaussian", "binomial", "R"]),
        ]
        if type(known) in (int, float):
            near = [
                known + 1,
                known - 1,
                2 * known,
                known / 2,
                -known,
                0,
                float(known),
                known * 10.0 ** rng.randrange(99),
                int(known) * 10 ** rng.randrange(400),
            ]
        elif isinstance(known, bool):
            near = [not known] * 9 + near
        document = _put(document, path, rng.choice(near))
    return document


def mutated_safetensors(rng: random.Random, data: bytes, mutation: str) -> bytes:
    """One of our files changed in the named way; its document is the JSON text under "jinc"."""
    if mutation in ("truncate", "flip"):
        return truncated(rng, data) if mutation == "truncate" else flipped(rng, data)
    header, numbers = safetensors_parts(data)
    names = [name for name in header if name != "__metadata__"]
    name = rng.choice(names)
    entry, metadata = dict(header[name]), dict(header["__metadata__"])
    if mutation == "document":
        kind = rng.choice(["value"] * 6 + list(JSON_MUTATIONS))
        changed = mutated_json(rng, json.loads(metadata["jinc"]), kind)
        metadata["jinc"] = changed.decode("utf-8", "replace")
        return safetensors_of(header | {"__metadata__": metadata}, numbers)
    if mutation == "options":
        metadata["jinc"] = json.dumps(_other_options(rng, json.loads(metadata["jinc"])))
        return safetensors_of(header | {"__metadata__": metadata}, numbers)
    if mutation == "facts":
        document = json.loads(metadata["jinc"])
        value = rng.choice([10**400, -1, 1e308, True, "x" * 9000, "\x1b[2J", [[]], wild_json(rng)])
        document["facts"] = {rng.choice(["kimg", "images", "data", "x"]): value}
        metadata["jinc"] = json.dumps(document)
        return safetensors_of(header | {"__metadata__": metadata}, numbers)
    if mutation == "header length":
        length = int.from_bytes(data[:8], "little")
        return safetensors_of(
            header, numbers, rng.choice([0, 1, length - 1, length + 8, 2**24, 2**32, 2**63, 2**64 - 1])
        )
    if mutation == "header":
        return safetensors_of(mutated_json(rng, header, rng.choice(JSON_MUTATIONS)), numbers)
    if mutation == "twice":
        text = json.dumps(header).encode()
        again = json.dumps({name: rng.choice([entry, entry | {"dtype": "I8"}])}).encode()[1:-1]
        return safetensors_of(text[:-1] + b", " + again + b"}", numbers)
    if mutation == "end":
        return rng.choice([data + b"\0" * 4, data + data, data[:-4], b"\0" * 8 + data])
    if mutation == "metadata":
        metadata = rng.choice(
            [{}, {"jinc": 5}, {"format": "pt"}, {"jinc": ""}, metadata | {"x" * 9000: "y"}, {"jinc": None}]
        )
        return safetensors_of(header | {"__metadata__": metadata}, numbers)
    if mutation == "tensors":
        other = rng.choice(names)
        exchanged = {name: header[other], other: entry}
        renamed = {key: value for key, value in header.items() if key != name} | {
            rng.choice(["x", "", "a\nb", "\0"]): entry
        }
        return safetensors_of(rng.choice([header | exchanged, renamed]), numbers)
    start, end = entry["data_offsets"]
    near = rng.choice([0, -1, start + 4, end - 4, end + 4, 2**40, 2**63, 2**64 - 1, 2**64, 1.5, None, start])
    changes = {
        "offsets": {"data_offsets": rng.choice([[near, end], [start, near], [end, start], [], [0, 0, 0], [start]])},
        "dtype": {"dtype": rng.choice(DTYPES)},
        "entry": {rng.choice(list(entry)): wild_json(rng)},
        "shape": {
            "shape": rng.choice(
                [
                    [],
                    [0],
                    [2**40],
                    [2**32, 2**32],
                    [-1],
                    [2**62, 4],
                    [1] * 500,
                    entry["shape"] + [1],
                    entry["shape"][::-1],
                    [2**63, 2, 0],
                ]
            )
        },
    }
    return safetensors_of(header | {name: entry | changes[mutation]}, numbers)


def unzipped(data: bytes) -> Contents:
    """The files of an honest zip."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
