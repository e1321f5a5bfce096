# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Golden images: what was once drawn and looked at, as PNGs in tests/golden, and what is drawn now compared with it."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gan.data.image_io import save_png
from support.paths import DATA

FOLDER = DATA / "golden"
REGENERATE = "--regenerate-golden"  # declared in conftest.py
# Levels of 255 that a channel may be off by, and how many pixels of a picture may be off by more, whatever its size.
LIMITS = ((1, 20), (8, 6))
AMPLIFIED = 32  # times, in the picture of the differences
DRAWN_BY = "Drawn by"  # the key of a PNG's text chunk


def off(found: np.ndarray, golden: np.ndarray) -> np.ndarray:
    """[H, W]: by how many levels pictures uint8 [H, W, 3] differ, in the channel where they differ most."""
    return np.asarray(np.abs(found.astype(int) - golden.astype(int)).max(axis=2))


def equal(found: np.ndarray, golden: np.ndarray) -> bool:
    """Whether `found` is the golden image, for all that it has to say.

    Rasterisers interpolate and blend with their own roundings, which differ between releases of Mesa and between
    processors: a level for any pixel. A few more must be allowed: where an edge passes a pixel's centre to the last
    bit, rounding decides whether the pixel belongs to it. Letters are not drawn by Mesa but by imgui or matplotlib.

    Measured with Mesa 22.3 on these images: llvmpipe draws the same with vectors of 128 and 256 bits and any number of
    threads; with SSE 4.1 alone up to 3 pixels are off by 2; and softpipe, which has other code for all of it, is off by
    more than 1 in up to 19 pixels and by more than 8 in 2. The smallest changes of what is said, a plus that becomes a
    minus and a 1 that becomes a 7 in the smallest letters, are 17 and 25 pixels off by more than 1, 16 by more than 8.
    """
    if found.shape != golden.shape:
        return False
    levels = off(found, golden)
    return all(int((levels > far).sum()) <= few for far, few in LIMITS)


def load(name: str) -> tuple[np.ndarray, str]:
    """A golden image, uint8 [H, W, 3], and what drew it."""
    with Image.open(FOLDER / f"{name}.png") as image:
        return np.asarray(image.convert("RGB")), str(image.text.get(DRAWN_BY, ""))  # type: ignore[attr-defined]


def check(name: str, found: np.ndarray, drawn_by: str, config: pytest.Config, folder: Path) -> None:
    """Fail unless `found` is the golden image `name`; then `folder` holds both and their difference. When it is asked
    for, the golden image is written instead."""
    if config.getoption(REGENERATE):
        regenerate(name, found, drawn_by)
    how = (
        f"If it is meant to look like that, look at it and run: python -m pytest tests/gui/test_golden.py {REGENERATE}"
    )
    if not (FOLDER / f"{name}.png").is_file():
        save_png(folder / "found.png", found)
        pytest.fail(f"There is no tests/golden/{name}.png to compare {folder / 'found.png'} with. {how}", pytrace=False)
    golden, drawn_then = load(name)
    if not equal(found, golden):
        pytest.fail(
            f"{name}: {_difference(found, golden, folder)} Golden by {drawn_then}, found by {drawn_by}. {how}",
            pytrace=False,
        )


def regenerate(name: str, found: np.ndarray, drawn_by: str) -> None:
    """Write a golden image, whole or not at all, unless its pixels are there already; the test ends as skipped."""
    path = FOLDER / f"{name}.png"
    if path.is_file() and np.array_equal(load(name)[0], found):
        pytest.skip(f"{path} stays as it is.")
    FOLDER.mkdir(exist_ok=True)
    save_png(path, found, {DRAWN_BY: drawn_by})
    pytest.skip(f"Wrote {path}: look at it before you commit it.")


def _difference(found: np.ndarray, golden: np.ndarray, folder: Path) -> str:
    """Save golden, found and difference; one sentence about them."""
    save_png(folder / "golden.png", golden)
    save_png(folder / "found.png", found)
    if found.shape != golden.shape:
        sizes = " and not ".join(f"{width}x{height}" for height, width, _ in (found.shape, golden.shape))
        return f"the picture is {sizes}; compare found.png and golden.png in {folder}."
    difference = np.abs(found.astype(int) - golden.astype(int)) * AMPLIFIED
    save_png(folder / "difference.png", np.minimum(difference, 255).astype(np.uint8))
    levels = off(found, golden)
    beyond = ", ".join(f"{(levels > far).sum()} pixels by more than {far} (at most {few} may)" for far, few in LIMITS)
    rows, columns = np.nonzero(levels > LIMITS[0][0])
    return (
        f"it is off in {beyond}, by up to {levels.max()}, in columns {columns.min()} to {columns.max()} and rows "
        f"{rows.min()} to {rows.max()}; see golden.png, found.png and difference.png ({AMPLIFIED} times) in {folder}."
    )
