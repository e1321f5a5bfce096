# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The files of a data set that we write: names as the official tools give them, and no clock in the bytes."""

import zipfile


def name_picture(index: int) -> str:
    """Return the name of picture `index`: 00000/img00000000.png and so on, a thousand a folder."""
    return f"{index // 1000:05d}/img{index:08d}.png"


def make_entry(name: str) -> zipfile.ZipInfo:
    """Return the entry of a file whose bytes depend on neither clock nor platform."""
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.create_system, entry.external_attr = 3, 0o644 << 16
    return entry
