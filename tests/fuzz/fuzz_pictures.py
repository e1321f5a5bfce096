# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Mutations of PNG and JPEG, chunk by chunk and segment by segment."""

import random
import struct
import zlib

from fuzz.fuzz_pickles import flipped, truncated

PNG = b"\x89PNG\r\n\x1a\n"
PNG_MUTATIONS = ("field", "chunk", "length", "check sum", "order", "extra", "pixels", "truncate", "flip")
JPEG_MUTATIONS = ("segment", "size", "length", "order", "extra", "scans", "truncate", "flip")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], len(PNG)
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        found.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + size]))
        at += 12 + size
    return found


def _squeezed(data: bytes) -> bytes:
    return zlib.compress(data, 9)


def mutated_png(rng: random.Random, data: bytes, mutation: str) -> bytes:
    """A PNG changed in the named way, its check sums right but for one mutation's sake."""
    if mutation in ("truncate", "flip"):
        return truncated(rng, data) if mutation == "truncate" else flipped(rng, data)
    chunks = _chunks(data)
    at = rng.randrange(len(chunks))
    kind, body = chunks[at]
    if mutation == "field":
        fields = list(struct.unpack(">IIBBBBB", chunks[0][1]))
        which = rng.randrange(7)
        fields[which] = (
            rng.choice([0, 1, 2**31 - 1, 2**32 - 1, 2**20, 20_000, 17, 32]) if which < 2 else rng.randrange(20)
        )
        chunks[0] = (b"IHDR", struct.pack(">IIBBBBB", *fields))
    elif mutation == "chunk":
        chunks[at] = (kind, rng.choice([b"", flipped(rng, body or b"\0"), body + b"\0" * 50, rng.randbytes(30)]))
    elif mutation in ("length", "check sum"):
        joined = bytearray(PNG + b"".join(_chunk(*chunk) for chunk in chunks))
        start = len(PNG) + sum(12 + len(body) for _, body in chunks[:at])
        if mutation == "length":
            joined[start : start + 4] = struct.pack(
                ">I", rng.choice([0, 1, len(body) + 1, 2**31 - 1, 2**32 - 1, 70_000])
            )
        else:
            joined[start + 8 + len(body)] ^= 255
        return bytes(joined)
    elif mutation == "order":
        other = rng.randrange(len(chunks))
        chunks[at], chunks[other] = chunks[other], chunks[at]
        chunks[at:at] = chunks[other : other + rng.choice([0, 0, 1])]
    elif mutation == "pixels":
        raw = zlib.decompress(b"".join(body for kind, body in chunks if kind == b"IDAT"))
        bomb = rng.choice([raw[:-9], raw + raw, b"\x07" + raw[1:], b"", raw + b"\0" * 2**24])
        chunks = [chunk for chunk in chunks if chunk[0] != b"IDAT"]
        chunks.insert(1, (b"IDAT", _squeezed(bomb)))
    else:
        chunks[1:1] = [_extra_chunk(rng)] * rng.choice([1, 1, 2, 50])
    return PNG + b"".join(_chunk(*chunk) for chunk in chunks)


def _extra_chunk(rng: random.Random) -> tuple[bytes, bytes]:
    """One that need not be there."""
    bomb = _squeezed(b"\0" * rng.choice([100, 2**24]))
    return rng.choice(
        [
            (b"iCCP", b"p\0\0" + bomb),
            (b"zTXt", b"k\0\0" + bomb),
            (b"iTXt", b"k\0\1\0\0\0" + bomb),
            (b"tEXt", b"k\0" + b"x" * 10**5),
            (b"tEXt", b""),
            (b"iTXt", b""),
            (b"iCCP", b""),
            (b"iTXt", b"k\0\1\7"),
            (b"acTL", struct.pack(">II", 2**31, 0)),
            (b"acTL", struct.pack(">II", 5, 1)),
            (b"acTL", b""),
            (b"fcTL", b""),
            (b"fdAT", b""),
            (b"eXIf", b"II*\0" + b"\xff" * 60),
            (b"fcTL", struct.pack(">IIIIIHHBB", 0, 2**31, 2**31, 9, 9, 1, 1, 0, 0)),
            (b"tRNS", b""),
            (b"tRNS", b"\0\1\0\1\0\1"),
            (b"PLTE", b"\1\2\3" * 256),
            (b"PLTE", b""),
            (b"gAMA", b""),
            (b"pHYs", b""),
            (b"cHRM", b"\0"),
            (b"sRGB", b""),
            (b"IEND", b""),
            (b"IHDR", b""),
            (b"IHDR", struct.pack(">IIBBBBB", 2**16, 2**16, 8, 2, 0, 0, 0)),
            (b"abcd", b"x" * 2000),
            (b"ABCD", b"x"),
            (b"IDAT", b""),
            (b"\0\0\0\0", b""),
        ]
    )


def _segments(data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """(marker, contents) up to the scan, and the scan's own segment and all that follows."""
    found, at = [], 2
    while data[at + 1] != 0xDA:
        size = int.from_bytes(data[at + 2 : at + 4], "big")
        found.append((data[at + 1], data[at + 4 : at + 2 + size]))
        at += 2 + size
    return found, data[at:]


def mutated_jpeg(rng: random.Random, data: bytes, mutation: str) -> bytes:
    """A JPEG changed in the named way."""
    if mutation in ("truncate", "flip"):
        return truncated(rng, data) if mutation == "truncate" else flipped(rng, data)
    segments, scan = _segments(data)
    at = rng.randrange(len(segments))
    marker, body = segments[at]
    lying = None
    if mutation == "segment":
        segments[at] = (
            marker,
            rng.choice([b"", flipped(rng, body or b"\0"), body[:-1], body + b"\0" * 9, rng.randbytes(40)]),
        )
    elif mutation == "size":
        where = next(i for i, (marker, _) in enumerate(segments) if marker in (0xC0, 0xC2))
        size = struct.pack(">HH", *(rng.choice([0, 1, 16, 17, 32, 65535, 20_000]) for _ in range(2)))
        segments[where] = (rng.choice([0xC0, 0xC2, 0xC3, 0xC9]), segments[where][1][:1] + size + segments[where][1][5:])
    elif mutation == "length":
        lying = at
    elif mutation == "order":
        other = rng.randrange(len(segments))
        segments[at], segments[other] = segments[other], segments[at]
        del segments[: rng.choice([0, 0, 1])]
    elif mutation == "scans":
        scan = scan[:-2] * rng.choice([2, 20, 500]) + rng.choice([b"", b"\xff\xd9"])
    else:
        segments.insert(rng.randrange(len(segments) + 1), _extra_segment(rng))
    out = bytearray(data[:2])
    for index, (marker, body) in enumerate(segments):
        size = len(body) + 2 if index != lying else rng.choice([0, 1, 2, len(body) + 9, 65535])
        out += bytes([0xFF, marker]) + struct.pack(">H", size & 0xFFFF) + body
    return bytes(out) + scan


def _extra_segment(rng: random.Random) -> tuple[int, bytes]:
    exif = b"Exif\0\0" + rng.choice(
        [b"II*\0\x08\0\0\0" + b"\xff" * 40, b"MM\0*" + b"\0" * 4, b"", b"II*\0" + rng.randbytes(200)]
    )
    mpf = b"MPF\0" + rng.choice([b"II*\0\x08\0\0\0\x03\0" + rng.randbytes(120), b"", b"MM\0*\0\0\0\x08" + b"\0" * 60])
    icc = b"ICC_PROFILE\0" + rng.choice([b"\x01\x01x", b"\x01\xffx", b"", b"\0\0"])
    photoshop = b"Photoshop 3.0\x008BIM" + rng.choice(
        [b"\x03\xed\0\0\0\0\0\x10" + b"\0" * 9, b"\x03\xed", b"\xff" * 30]
    )
    return rng.choice(
        [
            (0xE1, exif),
            (0xE2, mpf),
            (0xE2, icc),
            (0xED, photoshop),
            (0xEE, b"Adobe\0d\0\0\0\0" + rng.randbytes(1)),
            (0xEE, b"Adobe"),
            (0xE0, b"JFIF"),
            (0xE0, b"JFIF\0\1\1\2\0\0\0\0\0\0"),
            (0xDD, b"\0\1"),
            (0xDD, b""),
            (0xFE, b"x" * 60_000),
            (0xC4, b""),
            (0xC4, rng.randbytes(30)),
            (0xDB, rng.randbytes(65)),
            (0xDB, b""),
            (0xC0, b"\x08\0\x10\0\x10\x03"),
            (0xD8, b""),
            (0xD9, b""),
            (0x01, b""),
        ]
    )
