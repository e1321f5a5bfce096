# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Check a picture set: all that a run would say of it, and every problem instead of the first. Nothing is changed."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from gan.data.file_sets import FileSet, ImageError
from gan.data.image_dataset import (
    MEMORY_LIMIT,
    READERS,
    DamagedPicture,
    ImageSource,
    choose_channels,
    decode_picture,
    describe_left_out,
    find_misfit,
    limit_damage,
    list_left_out,
    open_pictures,
    read_info,
)
from gan.data.labels import Labels, read_labels
from gan.data.picture import PictureInfo
from gan.files.errors import sanitize_text
from gan.files.format import format_bytes

NAMED = 20  # pictures of a kind that a line names, and kinds that have a line
CHUNK = 64  # pictures between two reports of progress
Progress = Callable[[int, int], None]


@dataclass
class Findings:
    """A check's outcome: `lines` for people, every one of `problems` that make a run refuse the set, and `damaged`.

    `damaged`: name -> why, of pictures that do not decode; a large set may have some. `checked`: pictures decoded.
    """

    lines: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    damaged: dict[str, str] = field(default_factory=dict)
    checked: int = 0
    limit: int = 0  # of damaged pictures
    complete: bool = False

    @property
    def refused(self) -> bool:
        """True if a run would refuse the set."""
        return bool(self.problems) or len(self.damaged) > self.limit


def check_dataset(path: Path, progress: Progress | None = None, *, memory_limit: int = MEMORY_LIMIT) -> Findings:
    """Check the set at `path`; an interrupt ends the check, not the report. ImageError if it cannot be opened."""
    files, names = open_pictures(path)
    try:
        return _check_files(files, names, path, progress, memory_limit)
    finally:
        files.close()


def _check_files(
    files: FileSet, names: list[str], path: Path, progress: Progress | None, memory_limit: int
) -> Findings:
    found = Findings()
    infos = _check_headers(files, names, path, found)
    labels = None
    try:
        labels = read_labels(files, names)
    except ImageError as error:
        found.problems.append(str(error))
    fit = [name for name in names if name in infos]
    if fit and not found.problems:
        channels = choose_channels(fit, list(infos.values()), path)
        source = ImageSource(files, names, infos[fit[0]].size[0], channels, path)
        kept = source.bytes <= memory_limit
        found.limit = 0 if kept else limit_damage(len(source))
        found.lines.append(source.describe())
        where = "would be kept in memory" if kept else "are too many to be kept in memory, and would be read when drawn"
        found.lines.append(f"Decoded they take {format_bytes(source.bytes)}, and {where}.")
    else:
        found.lines.append(f"{len(names)} pictures{describe_left_out(list_left_out(files, set(names)))}.")
        found.lines += _count_kinds(infos)
    found.lines += _describe_labels(labels)
    duplicates = _check_pixels(files, infos, path, found, progress)
    if duplicates:
        found.lines.append(f"Same as an earlier picture ({len(duplicates)}):")
        found.lines += [f"  {sanitize_text(name)} is {sanitize_text(first)}" for name, first in duplicates.items()]
    return found


def _check_headers(files: FileSet, names: list[str], path: Path, found: Findings) -> dict[str, PictureInfo]:
    """Return the headers that can be read; what is wrong with them, or with some beside the others, is a problem."""
    infos: dict[str, PictureInfo] = {}
    for name in names:
        try:
            infos[name] = read_info(files, name, path)
        except DamagedPicture as error:
            found.damaged[error.name] = error.why
    if not infos:
        return infos
    squares = [info.size for info in infos.values() if info.size[0] == info.size[1]]
    usual = Counter(squares or [info.size for info in infos.values()]).most_common(1)[0][0]
    first = next(name for name, info in infos.items() if info.size == usual)
    unfit: dict[str, list[str]] = {}
    for name, info in infos.items():
        misfit = find_misfit(info, usual[0], first)
        if misfit:
            unfit.setdefault(misfit[0], []).append(f"{sanitize_text(name, 100)} ({info.describe()})")
    for why, unfit_names in unfit.items():
        count = len(unfit_names)
        kind = "picture is" if count == 1 else "pictures are"
        more = f", and {count - NAMED} more" if count > NAMED else ""
        found.problems.append(f"{count} {kind} {why}: {', '.join(unfit_names[:NAMED])}{more}.")
    try:
        choose_channels(list(infos), list(infos.values()), path)
    except ImageError as error:
        found.problems.append(str(error))
    return infos


def _count_kinds(infos: dict[str, PictureInfo]) -> list[str]:
    kinds = Counter(info.describe() for info in infos.values()).most_common()
    lines = [f"  {count} of {kind}" for kind, count in kinds[:NAMED]]
    rest = kinds[NAMED:]
    return lines + [f"  {sum(count for _, count in rest)} of {len(rest)} other kinds"] * bool(rest)


def _describe_labels(labels: Labels | None) -> list[str]:
    if labels is None:
        return ["They have no labels."]
    if labels.values.ndim == 2:
        ranges = zip(labels.values.min(0), labels.values.max(0), strict=True)
        return ["Numbers of the labels:"] + [
            f"  {sanitize_text(labels.classes[i]) if labels.classes else i}: from {low:g} to {high:g}"
            for i, (low, high) in enumerate(ranges)
        ]
    counts = Counter(labels.values.tolist())
    names = labels.classes or [str(number) for number in range(labels.c_dim)]
    return ["Pictures of each class:"] + [f"  {sanitize_text(name)}: {counts[i]}" for i, name in enumerate(names)]


def _check_pixels(
    files: FileSet, infos: dict[str, PictureInfo], path: Path, found: Findings, progress: Progress | None
) -> dict[str, str]:
    """Decode all pictures; return those that are the same as an earlier one, name -> the earlier one's."""
    first: dict[str, str] = {}
    duplicates: dict[str, str] = {}
    try:
        for name, outcome in _decode_all(files, infos, path):
            found.checked += 1
            if isinstance(outcome, DamagedPicture):
                found.damaged[outcome.name] = outcome.why
            elif first.setdefault(outcome, name) != name:
                duplicates[name] = first[outcome]
            if progress is not None:
                progress(found.checked, len(infos))
        found.complete = True
    except KeyboardInterrupt:
        found.lines.append(f"Interrupted: only the first {found.checked} of {len(infos)} pictures were decoded.")
    return duplicates


def _decode_all(
    files: FileSet, infos: dict[str, PictureInfo], path: Path
) -> Iterator[tuple[str, str | DamagedPicture]]:
    def decode(name: str) -> str | DamagedPicture:
        try:
            image = decode_picture(files, name, path, infos[name].size, 4)
        except DamagedPicture as error:
            return error
        except MemoryError:
            return DamagedPicture(name, path, "it needs more memory than there is")
        return hashlib.sha256(f"{image.mode} {image.size}\n".encode() + image.tobytes()).hexdigest()

    names = list(infos)
    with ThreadPoolExecutor(READERS) as pool:
        for start in range(0, len(names), CHUNK):
            part = names[start : start + CHUNK]
            yield from zip(part, pool.map(decode, part), strict=True)
