# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Pictures a second: what is counted, and from when on."""

from viz.core.frame_rate import FrameRate
from viz.core.state import SLOTS


def test_pictures_are_counted_once_every_open_slot_has_one() -> None:
    rate = FrameRate()
    for frame in range(100):  # ten seconds in which models are loaded
        rate.count(0.1 * frame, ["left"] if frame > 50 else [], ready=False)
    assert rate.describe() == "There was no time in which every open slot showed a picture."
    for frame in range(101):  # 20 frames a second; a new picture on the left in each second one, on the right in each
        rate.count(10.0 + 0.05 * frame, SLOTS if frame % 2 else ["right"], ready=True)
    assert rate.describe() == (
        "5.0 s, 100 frames (20.0 a second); new pictures: left 50 (10.0 a second), right 100 (20.0 a second)."
    )
    assert abs(rate.recent("left") - 10) <= 0.5 and abs(rate.recent("right") - 20) <= 0.5
    rate.count(17.5, [], ready=True)
    assert rate.recent("right") == 0, "nothing moves any more"
