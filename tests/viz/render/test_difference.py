# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Left against right: the difference of pictures that are known, and how unequal sizes are compared."""

import dataclasses

import numpy as np
import pytest

from viz.core.request import PictureRequest, RenderRequest
from viz.core.result import RenderResult
from viz.render.difference import ASKED_LIMIT, Difference, absolute_difference, amplify, root_mean_square
from viz.render.upscale import upscale_pixels


def grey(size: int, *rows: int) -> np.ndarray:
    """An opaque picture whose rows take these values of R, G and B in turn."""
    pixels = np.full((size, size, 4), 255, np.uint8)
    pixels[:, :, :3] = np.resize(np.array(rows, np.uint8), size)[:, None, None]
    return pixels


def results(left: np.ndarray, right: np.ndarray, **fields: object) -> tuple[RenderResult, RenderResult]:
    requests = (PictureRequest("left", **fields), PictureRequest("right", **fields))
    return RenderResult(requests[0], picture=left), RenderResult(requests[1], picture=right)


def asked(*pairs: tuple[RenderResult, RenderResult]) -> Difference:
    difference = Difference()
    for left, right in pairs:
        difference.ask(RenderRequest(left.request, right.request))
    return difference


def waves(size: int, cycles: float) -> np.ndarray:
    """A band-limited picture: samples of one function of the position at any size."""
    x = (np.arange(size) + 0.5) / size
    plane = 127.5 + 100 * np.sin(2 * np.pi * cycles * x)[None, :] * np.cos(2 * np.pi * cycles * x)[:, None]
    pixels = np.full((size, size, 4), 255, np.uint8)
    pixels[:, :, :3] = np.round(plane)[:, :, None]
    return pixels


def test_the_difference_is_absolute_in_both_directions() -> None:
    left, right = np.array([0, 10, 255, 7], np.uint8), np.array([255, 13, 0, 7], np.uint8)
    assert absolute_difference(left, right).tolist() == absolute_difference(right, left).tolist() == [255, 3, 255, 0]


def test_gain_multiplies_and_ends_at_white_and_zero_stays_black() -> None:
    difference = grey(4, 0, 3, 10, 100) - np.array([0, 0, 0, 255], np.uint8)
    shown = amplify(difference, 4.0)
    assert shown[:, 0, 0].tolist() == [0, 12, 40, 255] and (shown[:, :, 3] == 255).all()
    assert amplify(difference, 64.0)[:, 0, 1].tolist() == [0, 192, 255, 255]
    assert amplify(difference, 1.0)[:, 0, 2].tolist() == [0, 3, 10, 100]


def test_rms_is_over_pixels_and_colours_without_the_gain() -> None:
    left, right = results(grey(8, 10, 10), grey(8, 13, 6))
    compared = asked((left, right)).of(left, right, 32.0)
    assert compared and compared.rms == pytest.approx(np.sqrt((3**2 + 4**2) / 2))
    one = grey(8, 0)
    one[0, 0, 1] = 255
    assert root_mean_square(absolute_difference(one, grey(8, 0))) == pytest.approx(255 / np.sqrt(64 * 3))


def test_equal_pictures_are_black() -> None:
    left, right = results(waves(32, 3), waves(32, 3))
    for width in (0.0, 400.0):
        compared = asked((left, right)).of(left, right, 64.0, width)
        assert compared and compared.rms == 0 and not compared.pixels[:, :, :3].any()


def test_a_pair_is_computed_once_and_its_gain_applied_anew() -> None:
    left, right = results(grey(8, 10), grey(8, 13))
    difference = asked((left, right))
    first = difference.of(left, right, 4.0)
    assert first.pixels is difference.of(left, right, 4.0).pixels and first.pixels[0, 0, 0] == 12
    louder = difference.of(left, right, 8.0)
    assert louder and louder.pixels[0, 0, 0] == 24 and louder.rms == first.rms == 3


def test_pictures_of_different_moments_are_not_subtracted() -> None:
    before, after = results(grey(8, 10), grey(8, 10)), results(grey(8, 50), grey(8, 50), tx=0.5)
    difference = asked(before, after)
    assert difference.of(after[0], before[1], 4.0) is None, "and there is none before it"
    shown = difference.of(*before, 4.0)
    assert shown and shown.rms == 0
    same = difference.of(after[0], before[1], 4.0)
    assert same and same.pixels is shown.pixels, "the left one moved first: the last pair stays"
    louder = difference.of(after[0], before[1], 8.0)
    assert louder and louder is not shown, "its gain still follows"
    assert difference.of(*after, 8.0) is not louder
    other = dataclasses.replace(after[1], request=dataclasses.replace(after[1].request, model="another"))
    assert difference.of(after[0], other, 8.0) is None, "another model was opened"


def test_without_two_pictures_there_is_no_difference() -> None:
    left, right = results(grey(8, 10), grey(8, 13))
    difference = asked((left, right))
    failed = RenderResult(right.request, error="It cannot be read.")
    assert difference.of(left, right, 4.0)
    assert difference.of(left, None, 4.0) is None and difference.of(left, failed, 4.0) is None


def test_what_was_asked_long_ago_is_forgotten() -> None:
    first, last = results(grey(8, 10), grey(8, 13)), results(grey(8, 10), grey(8, 13), tx=1.0)
    between = [results(grey(8, 10), grey(8, 13), degrees=float(step)) for step in range(1, ASKED_LIMIT)]
    difference = asked(first, *between, last)
    assert difference.of(*first, 4.0) is None and difference.of(*last, 4.0)


def test_a_smaller_picture_is_enlarged_as_a_band_limited_signal() -> None:
    small, large = waves(32, 6), waves(64, 6)
    left, right = results(small, large)
    compared = asked((left, right)).of(left, right, 1.0)
    inside = slice(8, -8)  # at its border a picture has no neighbours to be enlarged from
    assert compared and compared.pixels.shape == large.shape
    assert compared.pixels[inside, inside, :3].max() <= 4
    repeated = small.repeat(2, axis=0).repeat(2, axis=1)
    assert absolute_difference(repeated, large)[inside, inside].max() > 20, "which repeating its pixels would not do"
    swapped = asked((right, left)).of(right, left, 1.0)
    assert swapped and np.array_equal(swapped.pixels, compared.pixels)


def test_shown_large_the_enlarged_pictures_are_subtracted() -> None:
    left, right = results(waves(32, 3), waves(32, 4))
    difference = asked((left, right))
    own, fine = difference.of(left, right, 1.0), difference.of(left, right, 1.0, 500.0)
    assert own and fine and own.pixels.shape == (32, 32, 4) and fine.pixels.shape == (512, 512, 4)
    assert fine.rms == own.rms, "the figure is of the pictures' own pixels, however they are shown"
    expected = absolute_difference(upscale_pixels(waves(32, 3), 512), upscale_pixels(waves(32, 4), 512))
    assert np.array_equal(fine.pixels[:, :, :3], expected[:, :, :3])
    assert difference.of(left, right, 1.0, 20.0).pixels.shape == (32, 32, 4)


def test_enlarging_by_any_ratio_keeps_a_constant_and_the_position() -> None:
    assert (upscale_pixels(grey(32, 77), 80)[:, :, :3] == 77).all()
    large, direct = upscale_pixels(waves(48, 3), 120), waves(120, 3)
    assert absolute_difference(large, direct)[12:-12, 12:-12].max() <= 4
    assert upscale_pixels(direct, 120) is direct
