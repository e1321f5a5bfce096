# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Captions below pictures: each below its own and apart from the next, cut at last, the pictures as they were."""

import threading
from pathlib import Path

import numpy as np
import pytest

from gan.data.image_io import WIDEST_CAPTION, caption_images, encode_png, save_png


@pytest.mark.parametrize(("height", "width"), [(16, 16), (64, 64), (40, 200)])
def test_captions_stand_below_the_pictures(height: int, width: int) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (3, height, width, 3), np.uint8)
    done = caption_images(pictures, [[("1",), ("a cat",)], [("22",), ("",)], [("1",), ("a cat",)]])
    left = (done.shape[2] - width) // 2
    assert np.array_equal(done[:, :height, left : left + width], pictures)
    assert done.shape[2] == width or width < WIDEST_CAPTION, "only small ones stand apart"
    strips = done[:, height:]
    half = strips.shape[1] // 2
    assert np.array_equal(strips[0], strips[2]) and not np.array_equal(strips[0], strips[1])
    assert strips[:, :half].any((1, 2, 3)).all() and not strips[1, half:].any()


@pytest.mark.parametrize("width", [8, 16, 32, 48, 64, 96])
def test_captions_of_small_pictures_are_legible_and_apart(width: int) -> None:
    seeds = ("0", "31", "1234567", "4294967295")
    pictures = np.zeros((len(seeds), width, width, 3), np.uint8)
    strips = caption_images(pictures, [[(f"seed {seed}", seed)] for seed in seeds])[:, width:]
    for strip, seed in zip(strips, seeds, strict=True):
        ink = strip.max(2) > 64
        columns, rows = np.flatnonzero(ink.any(0)), np.flatnonzero(ink.any(1))
        assert columns[0] >= 2 and columns[-1] < strip.shape[1] - 2, f"{seed} has a gap to its neighbours"
        assert rows[-1] - rows[0] >= 7, "digits are no smaller than can be read"
    whole = caption_images(np.zeros((1, 200, 200, 3), np.uint8), [[("seed 4294967295",)]])
    assert whole[:, 200:].any() and strips.shape[2] <= WIDEST_CAPTION + 6


def test_the_longest_words_that_fit_are_taken_and_the_last_are_cut() -> None:
    pictures = np.zeros((1, 96, 96, 3), np.uint8)

    def strip(*words: str) -> np.ndarray:
        return caption_images(pictures, [[words]])[0, 96:]

    assert np.array_equal(strip("seed 7", "7"), strip("seed 7"))
    taken, alone = strip("seed 4294967295 of them all", "4294"), strip("4294")
    left = (taken.shape[1] - alone.shape[1]) // 2
    assert np.array_equal(taken[:, left : left + alone.shape[1]], alone) and taken.sum() == alone.sum()
    cut, edge = strip("m" * 100), strip("m" * 99)
    assert cut.any() and np.array_equal(cut, edge) and not cut[:, [0, -1]].any(), "nothing runs into the neighbours"


def test_a_png_is_the_same_in_memory_and_can_be_stopped(tmp_path: Path) -> None:
    pixels, stop = np.random.default_rng(0).integers(0, 256, (900, 900, 3), np.uint8), threading.Event()
    save_png(tmp_path / "a.png", pixels, {"jinc": "ä"})
    assert encode_png(pixels, {"jinc": "ä"}, stop) == (tmp_path / "a.png").read_bytes()
    stop.set()
    with pytest.raises(InterruptedError):
        encode_png(pixels, {}, stop)
