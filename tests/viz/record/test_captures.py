# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Captured, opened and drawn again by another process: the same bytes, whatever the state."""

import random
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.paths import ROOT
from support.random_states import random_state, save_files, save_models

from gan.data.image_io import save_png
from gan.hub import cache
from viz.core.request import PictureRequest, build_request
from viz.core.state import SLOTS, AppState
from viz.record.record import KEYWORD, What, locate, make_record, restore, to_text
from viz.record.sources import read_source
from viz.record.still import draw_slots
from viz.render.renderer import Renderer

REDRAW = """
import pathlib, sys
from gan.hub import cache
from viz.cli.main import main
cache.cache_folder = lambda: pathlib.Path(sys.argv[1]) / "models"
for line in sys.stdin:
    source, out = line.split()
    main(["render", "--state", source, "--out", out], standalone_mode=False)
"""
WHATS: tuple[What, ...] = ("left", "right", "both")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # Not by the environment: the operators' kernels would be compiled anew.
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path / "cache" / "models")
    monkeypatch.setenv("JINC_CONFIG", str(tmp_path / "config"))
    return tmp_path


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image)


def draw_and_draw_again(folder: Path, count: int, seed: int) -> list[PictureRequest]:
    """Capture so many random states beside a renderer that draws as the window does, and compare all bytes."""
    rng, renderer = random.Random(seed), Renderer()
    models, (latents, directions) = save_models(folder), save_files(folder)
    wanted, requests = {}, []
    for number in range(count):
        state = random_state(rng, models, latents, directions)
        what: What = rng.choice(WHATS)
        state.capture.size = rng.choice([0, 0, 24, 100])
        slots = SLOTS if what == "both" else (what,)
        for slot in slots:
            request = build_request(state).slot(slot)
            assert request is not None
            shown = renderer.render(request)  # what is in its caches by now must make no difference
            assert shown.image is not None, shown.error
            requests.append(request)
        drawn = draw_slots(state, slots, state.capture.size, {}, renderer.models)
        record = make_record(state, what, state.capture.size, drawn.conditions)
        path = folder / f"{number}.png"
        save_png(path, drawn.pixels, {KEYWORD: to_text(record)})
        wanted[path] = drawn.pixels
        if number % 4 == 0:  # the whole way through another window's state, and out again
            other = AppState()
            restore(locate(read_source(str(path)), (), folder).state, other)
            again = draw_slots(other, slots, record.size, record.conditions)
            assert np.array_equal(again.pixels, drawn.pixels), number
    orders = "".join(f"{path} {path.with_suffix('.again.png')}\n" for path in wanted)
    command = [sys.executable, "-c", REDRAW, str(folder / "cache")]
    ran = subprocess.run(command, input=orders, cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    for path, expected in wanted.items():
        assert np.array_equal(pixels(path.with_suffix(".again.png")), expected), path
        assert np.array_equal(pixels(path), expected)
    return requests


@pytest.mark.slow
def test_random_states_are_drawn_again_to_the_bit(folder: Path) -> None:
    requests = draw_and_draw_again(folder, 24, seed=0)
    for item in fields(PictureRequest):
        if item.name != "device":
            assert len({getattr(request, item.name) for request in requests}) > 1, f"{item.name} was never another"


@pytest.mark.nightly
def test_two_hundred_random_states_are_drawn_again_to_the_bit_nightly(folder: Path) -> None:
    draw_and_draw_again(folder, 200, seed=1)
