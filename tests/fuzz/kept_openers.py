# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Open what people keep and send each other: what comes of it is within all limits, or it is refused."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from gan.data.latent_files import LatentError
from viz.core import state as states
from viz.loading.bookmark_files import BookmarkError, read_bookmarks
from viz.loading.direction_files import open_directions, read_directions
from viz.loading.latent_files import may_be_z, open_latent, read_values
from viz.record.png_text import RecordError
from viz.record.record import FORMAT, from_text, to_document, to_text
from viz.record.short_text import decode_text, encode_text
from viz.record.sources import is_capture, read_source

Checked = Callable[..., str]


def capture(path: str, checked: Checked) -> str:
    """A record that is written as it was read, or a refusal. A window's own state file is no record."""
    data = Path(path).read_bytes()
    if path.endswith(".json") and FORMAT.encode() not in data:
        return "A state file."
    try:
        is_capture(path)
        found = decode_text(data.decode("utf-8", "replace")) if path.endswith(".word") else read_source(path)
    except RecordError as error:
        return checked(error)
    document = json.loads(json.dumps(to_document(found), allow_nan=False))
    assert to_document(from_text(to_text(found), "it")) == to_document(found)
    json.dumps(document).encode()
    again = decode_text(encode_text(found))
    assert again.state == found.state and again.conditions == found.conditions
    assert all(np.isfinite(one.values).all() for one in found.numbers if one.values is not None)
    assert not found.state.left.path and not found.state.right.path
    assert found.state.osc == states.AppState().osc and found.state.display == states.AppState().display
    return ""


def latent(path: str, checked: Checked) -> str:
    """Finite numbers in the shape of a z or of w's, or a refusal."""
    try:
        found = open_latent(path)
        values = read_values(found)
        may_be_z(found)
    except LatentError as error:
        return checked(error)
    finally:
        read_values.cache_clear(), may_be_z.cache_clear()
    assert values.dtype == np.float32 and values.ndim == 2 and values.size and np.isfinite(values).all()
    return ""


def direction(path: str, checked: Checked) -> str:
    """Finite directions, or a refusal."""
    try:
        found = open_directions(path)
        values = read_directions(found.path, found.digest)
    except LatentError as error:
        return checked(error)
    finally:
        read_directions.cache_clear()
    assert values.dtype == np.float32 and values.ndim == 3 and values.size and np.isfinite(values).all()
    return ""


def bookmarks(path: str, checked: Checked) -> str:
    """Bookmarks with states within all limits, or a refusal."""
    try:
        found, remark = read_bookmarks(path)
    except BookmarkError as error:
        return checked(error)
    for item in found:
        assert item.name.isprintable()
        text = json.dumps(states.to_json(item.state), allow_nan=False)
        assert states.from_json(json.loads(text)) == item.state
    assert len({item.key for item in found}) == len(found) and remark.isprintable()
    return ""
