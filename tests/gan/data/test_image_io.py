# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Captions below pictures: each below its own, cut where there is no room, the pictures as they were."""

import numpy as np
import pytest

from gan.data.image_io import caption_images


@pytest.mark.parametrize(("height", "width"), [(16, 16), (64, 64), (40, 200)])
def test_captions_stand_below_the_pictures(height: int, width: int) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (3, height, width, 3), np.uint8)
    done = caption_images(pictures, [[("1",), ("a cat",)], [("22",), ("",)], [("1",), ("a cat",)]])
    assert done.shape[2:] == (width, 3) and np.array_equal(done[:, :height], pictures)
    strips = done[:, height:]
    half = strips.shape[1] // 2
    assert np.array_equal(strips[0], strips[2]) and not np.array_equal(strips[0], strips[1])
    assert strips[:, :half].any((1, 2, 3)).all() and not strips[1, half:].any()


def test_the_longest_words_that_fit_are_taken_and_the_last_are_cut() -> None:
    pictures = np.zeros((1, 48, 48, 3), np.uint8)

    def strip(*words: str) -> np.ndarray:
        return caption_images(pictures, [[words]])[0, 48:]

    assert np.array_equal(strip("seed 7", "7"), strip("seed 7"))
    assert np.array_equal(strip("seed 4294967295 of them all", "4294"), strip("4294"))
    cut, edge = strip("m" * 100), strip("m" * 99)
    assert cut.any() and np.array_equal(cut, edge) and not cut[:, [0, -1]].any(), "nothing runs into the neighbours"
