# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Make a data set of any pictures: a zip of square PNGs of one size, dataset.json, and a report beside it.

The source is never written to. The same source and options give the same bytes, for any number of workers and however
often the work was interrupted.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import multiprocessing
import signal
import zipfile
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from gan.data.dataset_zip import make_entry, name_picture
from gan.data.file_sets import FileSet, ImageError, open_file_set
from gan.data.image_dataset import describe_left_out, list_left_out
from gan.data.labels import LABELS, Labels
from gan.data.picture import DAMAGE, list_suffixes
from gan.files.atomic_write import atomic_write
from gan.files.errors import describe_error
from train.datasets.journal import Journal
from train.datasets.label_files import make_labels
from train.datasets.transform import MAX_FILE, Converted, Transform, convert_picture

MAX_WORKERS = 61  # Windows waits for no more
MAX_WAITING = 2**28  # bytes of pictures that are read ahead, in all
VERSION = 1  # of what a conversion makes; another one does not go on with its pictures
AHEAD = 4  # pictures a worker may be ahead of the one that is written
Progress = Callable[[int, int], None]


class Row(NamedTuple):
    """The outcome for one file: kept, duplicate (kept, too), dropped duplicate, or left out; `why`: of what, or why."""

    source: str
    file: str  # in the zip
    outcome: str
    why: str = ""
    notes: tuple[str, ...] = ()  # what was changed
    width: int = 0
    height: int = 0


@dataclass
class Report:
    """The outcome of a conversion, a row for each file; `classes`: how many, 0 without."""

    rows: list[Row] = field(default_factory=list)
    classes: int = 0
    labelled: bool = False

    def describe(self) -> str:
        """Say what came of the pictures, a line for each fact."""
        outcomes = Counter(row.outcome for row in self.rows)
        kept = outcomes["kept"] + outcomes["duplicate"]
        said = [format_count(kept, "picture") + (f" in {self.classes} classes." if self.classes else ".")]
        left_out = {row.source: row.why for row in self.rows if row.outcome == "left out"}
        if left_out:
            said.append(f"{len(left_out)} left out{describe_left_out(left_out).removeprefix('; left out')}.")
        if outcomes["duplicate"]:
            said.append(f"{format_count(outcomes['duplicate'], 'duplicate')}, kept.")
        if outcomes["dropped duplicate"]:
            said.append(f"{format_count(outcomes['dropped duplicate'], 'duplicate')}, left out.")
        notes = Counter(note for row in self.rows for note in row.notes)
        said += [f"{count} {note}." for note, count in notes.most_common()]
        return "\n  ".join(said)


def format_count(count: int, noun: str) -> str:
    """Return a number with its noun: 1 picture, 2 pictures."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def convert_dataset(
    source: Path,
    out: Path,
    transform: Transform,
    *,
    labels: str | None = None,
    max_num: int | None = None,
    drop_duplicates: bool = False,
    workers: int = 1,
    progress: Progress | None = None,
) -> Report:
    """Convert the pictures of `source` (a folder, zip, tar or list of files) into the zip `out`.

    `max_num`: only the first so many, in the order of their names. Pictures that cannot be read are left out, and
    pictures that are equal once converted are kept, but for `drop_duplicates`; the report, and `out`.report.csv, list
    both. An interrupted conversion goes on where it stopped when it is called again. Raises ImageError, OSError.
    """
    if out.exists() and source.exists() and out.samefile(source):
        raise ImageError(f"{out} is what is to be converted: give another name for the zip.")
    files = open_file_set(source)
    try:
        pictures = list_pictures(files, source)
        names = pictures[:max_num]
        found = make_labels(labels, files, names if labels == "folders" else pictures)  # a file labels all of them
        if found is not None:
            found = found._replace(values=found.values[: len(names)])
        wanted = set(names)
        order = [name for name in files.sizes if name in wanted]  # to go back in a compressed tar takes all of it
        purpose = {"version": VERSION, "transform": asdict(transform), "files": _digest(files, order)}
        with Journal(out.with_name(f".{out.name}.partial"), purpose) as journal:
            for done, picture in enumerate(_convert_all(files, order, len(journal), transform, workers), len(journal)):
                journal.append(picture)
                if progress is not None:
                    progress(done + 1, len(names))
            positions = {name: position for position, name in enumerate(order)}
            converted = (journal.read(positions[name]) for name in names)
            report = _write_zip(out, converted, names, found, drop_duplicates)
            _add_left_out(report, files, wanted, whole=max_num is None)
            _write_report(out.with_name(f"{out.name}.report.csv"), report)
            journal.remove()
        return report
    finally:
        files.close()


def list_pictures(files: FileSet, source: Path) -> list[str]:
    suffixes = list_suffixes()
    names = [name for name in files.sizes if Path(name).suffix.lower() in suffixes]
    if not names:
        raise ImageError(f"{source} holds no pictures that Pillow reads; give a folder, zip, tar or list of them.")
    return sorted(names)


def _digest(files: FileSet, names: Sequence[str]) -> str:
    facts = "".join(f"{name}\0{files.sizes[name]}\0{files.stamps[name]}\n" for name in names)
    return hashlib.sha256(facts.encode("utf-8", "surrogateescape")).hexdigest()


def _convert_all(
    files: FileSet, names: Sequence[str], done: int, transform: Transform, workers: int
) -> Iterator[Converted]:
    """Yield the converted pictures from number `done` on, in order, with a bounded number of them in memory."""
    if workers <= 1:
        for name in names[done:]:
            yield _convert_one(read_picture(files, name), transform)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, MAX_WORKERS), context, _ignore_interrupts) as pool:
        waiting: deque[tuple[Future[Converted], int]] = deque()  # and the bytes of each
        try:
            for name in names[done:]:
                data = read_picture(files, name)
                waiting.append((pool.submit(_convert_one, data, transform), len(data)))
                while len(waiting) >= workers * AHEAD or sum(size for _, size in waiting) > MAX_WAITING:
                    yield waiting.popleft()[0].result()
            while waiting:
                yield waiting.popleft()[0].result()
        except BrokenProcessPool as error:
            raise ImageError(
                "A worker process was ended from outside, perhaps for lack of memory: the same command with fewer "
                "--workers goes on where it was."
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole process group; the parent ends workers


def read_picture(files: FileSet, name: str) -> bytes | str:
    """Return a file's bytes, or why they cannot be read."""
    try:
        return files.read(name, MAX_FILE)
    except DAMAGE as error:
        return describe_error(error)


def _convert_one(data: bytes | str, transform: Transform) -> Converted:
    return Converted(b"", "", error=data) if isinstance(data, str) else convert_picture(data, transform)


def _write_zip(
    out: Path, converted: Iterable[Converted], names: Sequence[str], labels: Labels | None, drop_duplicates: bool
) -> Report:
    report, first, entries = Report(), dict[str, str](), list[list[Any]]()
    with atomic_write(out) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for index, (name, picture) in enumerate(zip(names, converted, strict=True)):
            file, outcome, why = "", "kept", ""
            same = first.get(picture.key) if picture.png else None
            if picture.error:
                outcome, why = "left out", picture.error
            elif same is not None:
                outcome, why = "dropped duplicate" if drop_duplicates else "duplicate", f"the same as {same}"
            if outcome in ("kept", "duplicate"):
                file = name_picture(len(entries))
                archive.writestr(make_entry(file), picture.png)
                entries.append([file, None if labels is None else labels.values[index].tolist()])
            first.setdefault(picture.key, name)
            report.rows.append(Row(name, file, outcome, why, picture.notes, picture.width, picture.height))
        if not entries:
            raise ImageError(f"None of the {len(names)} pictures can be read ({report.rows[0].why}).")
        document: dict[str, Any] = {"labels": None if labels is None else entries}
        if labels is not None and labels.classes:
            document["classes"] = list(labels.classes)
        archive.writestr(make_entry(LABELS), json.dumps(document))
    report.labelled = labels is not None
    report.classes = labels.c_dim if labels is not None and labels.values.ndim == 1 else 0
    return report


def _add_left_out(report: Report, files: FileSet, taken: set[str], whole: bool) -> None:
    """Add rows for the files that were not taken for pictures; `whole`: all pictures were to be taken."""
    others, suffixes = list_left_out(files, taken), list_suffixes()
    if not whole:
        others = {
            name: why
            for name, why in others.items()
            if name in files.left_out or Path(name).suffix.lower() not in suffixes
        }
    report.rows += [Row(name, "", "left out", why) for name, why in sorted(others.items())]


def _write_report(path: Path, report: Report) -> None:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(Row._fields)
    writer.writerows((*row[:4], "; ".join(row.notes), *row[5:]) for row in report.rows)
    with atomic_write(path) as temporary:
        temporary.write_bytes(text.getvalue().encode("utf-8", "surrogateescape"))
