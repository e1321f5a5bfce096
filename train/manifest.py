# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The data that a run was started with, kept in its folder: to say later what changed."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gan.data.image_dataset import LISTED, ImageSource
from gan.files.atomic_write import atomic_write
from gan.files.errors import sanitize_text
from train.config import TrainConfig
from train.damage import SourceReader
from train.errors import TrainingError
from train.run_folder import write_json

DATA = "data.json"
PICTURES = "data-files.txt.gz"  # a line for each picture: bytes, a tab, and the name as JSON has it
MAX_DOCUMENT = 2**28  # bytes of either, unpacked
LABELS_UNUSED = "Its labels are not used: --cond trains with them."


def write_manifest(run: Path, source: ImageSource) -> None:
    """Write what the set holds, and the names and sizes of its pictures, into a run folder. OSError."""
    labels = source.labels
    document = {
        "pictures": len(source),
        "resolution": source.resolution,
        "channels": source.channels,
        "digest": source.digest,
        "labels": _digest_labels(source),
        "c_dim": source.c_dim,
        "classes": list(labels.classes) if labels is not None else [],
        "left_out": len(source.left_out),
    }
    lines = "".join(f"{size}\t{json.dumps(name)}\n" for name, size in zip(source.names, source.sizes, strict=True))
    with atomic_write(run / PICTURES) as temporary:
        temporary.write_bytes(gzip.compress(lines.encode(), mtime=0))
    write_json(run / DATA, document)


def describe_changes(run: Path, source: ImageSource, config: TrainConfig) -> str:
    """Say how a set differs from the one that a run was started with; "" if it does not."""
    known = _read_document(run)
    changes = []
    if source.digest != config.data_digest:
        changes.append(_describe_pictures(run, source, config))
    if config.generator.c_dim and "labels" in known and known["labels"] != _digest_labels(source):
        changes.append("its labels are others")
    return ", ".join(changes)


def check_fit(source: ImageSource, config: TrainConfig) -> None:
    """Raise TrainingError if a set cannot go on with a run's networks, changed or not."""
    network = config.generator
    if source.channels != network.img_channels:
        raise TrainingError(
            f"{source.path} holds pictures of {source.channels} channels, but the run draws {network.img_channels}: "
            "give the same data to resume, or start a new run."
        )
    if not network.c_dim:
        return
    vectors = source.labels is not None and source.labels.values.ndim == 2
    if source.labels is None or source.c_dim > network.c_dim or (vectors and source.c_dim != network.c_dim):
        found = f"has {source.c_dim}" if source.labels is not None else "has none"
        raise TrainingError(
            f"The run is trained with labels of {network.c_dim} numbers or classes, but {source.path} {found}: "
            "give the same data to resume, or start a new run."
        )


def describe_data(reader: SourceReader, config: TrainConfig) -> list[str]:
    """Return lines that say what the set holds, and what is not used of it."""
    source, verifier = reader.source, reader.verifier
    lines = [f"Data: {source.describe()}"]
    if source.labels is not None:
        lines.append("Its labels condition both networks." if config.generator.c_dim else LABELS_UNUSED)
    if not source.cached:
        left = len(source) - verifier.done
        checked = f"{left} of them are checked for damage meanwhile" if left else "an earlier run found them sound"
        if not left and verifier.damaged:
            checked = f"an earlier run found {len(verifier.damaged)} of them damaged"
        lines.append(f"The pictures are too many to be kept in memory, and read when they are drawn; {checked}.")
    return lines


def _describe_pictures(run: Path, source: ImageSource, config: TrainConfig) -> str:
    counts = f"it holds {len(source)} pictures, and {config.data_images} before"
    before = _read_pictures(run)
    if before is None:
        return counts
    now = dict(zip(source.names, source.sizes, strict=True))
    kinds = {
        "added": sorted(now.keys() - before.keys()),
        "removed": sorted(before.keys() - now.keys()),
        "of another size": sorted(name for name in now.keys() & before.keys() if now[name] != before[name]),
    }
    parts = [f"{len(names)} {kind} ({_list_names(names)})" for kind, names in kinds.items() if names]
    return f"{counts}: {', '.join(parts)}" if parts else counts


def _list_names(names: list[str]) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(sanitize_text(name, 100) for name in names[:LISTED]) + more


def _digest_labels(source: ImageSource) -> str | None:
    if source.labels is None:
        return None
    values = source.labels.values
    return hashlib.sha256(f"{values.dtype} {values.shape}\n".encode() + values.tobytes()).hexdigest()[:16]


def _read_document(run: Path) -> dict[str, Any]:
    try:
        with (run / DATA).open("rb") as file:
            document = json.loads(file.read(MAX_DOCUMENT))
    except (OSError, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _read_pictures(run: Path) -> dict[str, int] | None:
    """Return the sizes of the pictures by name; None where the list is missing or damaged."""
    try:
        with gzip.open(run / PICTURES) as file:
            lines: Iterable[bytes] = file.read(MAX_DOCUMENT).splitlines()
        pairs = (line.split(b"\t", 1) for line in lines)
        return {json.loads(name): int(size) for size, name in pairs}
    except (OSError, EOFError, ValueError, TypeError, zlib.error, RecursionError):
        return None
