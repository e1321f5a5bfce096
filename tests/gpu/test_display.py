# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Pictures that were drawn on a GPU come to textures of an OpenGL context on the same GPU, each way."""

import numpy as np
import pytest
import torch
from support.egl import headless
from support.graphics import arrive, picture, seen

from viz.core.images import DeviceImage
from viz.display.texture import Texture
from viz.display.uploaders import SWITCH, UPLOADERS

if not torch.cuda.is_available():
    pytest.skip("there is no GPU: torch finds no CUDA device", allow_module_level=True)

LONG = 200_000_000  # cycles, about a tenth of a second


@pytest.fixture(scope="module")
def context():
    try:
        with headless() as context:
            if context.cuda is None:
                pytest.skip(f"OpenGL does not run on a GPU that CUDA knows, but on {context.name}")
            yield context
    except OSError as problem:
        pytest.skip(str(problem))


class Painter:
    """Draws on a stream of its own, after `cycles` of waiting, so that whoever does not wait for it reads too early."""

    def __init__(self, device: int, cycles: int) -> None:
        self.device, self.cycles = torch.device("cuda", device), cycles
        self.stream = torch.cuda.Stream(self.device)

    def __call__(self, content: np.ndarray) -> DeviceImage:
        with torch.cuda.stream(self.stream):
            source = torch.from_numpy(content).to(self.device)
            target = torch.full_like(source, 77)
            torch.cuda._sleep(self.cycles)
            target.copy_(source)
            ready = torch.cuda.Event()
            ready.record(self.stream)
        return DeviceImage(target, ready)


@pytest.fixture
def textures(context):
    """Makes a texture, which is deleted whatever becomes of the test."""
    made = []

    def make():
        made.append(Texture(context.gl))
        return made[-1]

    yield make
    for texture in made:
        texture.delete()


@pytest.mark.parametrize("kind", UPLOADERS, ids=lambda kind: kind.key)
def test_pictures_arrive(kind, context, textures, monkeypatch):
    monkeypatch.setenv(SWITCH, kind.key)
    texture, paint = textures(), Painter(context.cuda, LONG // 100)
    texture.show(paint(picture(0)))
    assert texture.path == kind.name, texture.reason
    arrive(context.gl, texture, paint)


@pytest.mark.parametrize("word", ["interop", "buffer"])
def test_the_window_does_not_wait_for_a_picture(word, context, textures, monkeypatch):
    monkeypatch.setenv(SWITCH, word)
    texture, paint = textures(), Painter(context.cuda, LONG)
    for seed in range(3):
        pixels = paint(picture(seed, 256, 256))
        texture.show(pixels)
        if seed:  # the first registers the texture
            assert not pixels.ready.query(), "it was drawn before the call for it returned"
        assert np.array_equal(seen(context.gl, texture.name), picture(seed, 256, 256))


@pytest.mark.parametrize("word", ["interop", "buffer"])
def test_memory_is_kept_until_it_has_been_copied(word, context, textures, monkeypatch):
    """Nobody refers to the picture any more, and the stream that drew it asks for memory, before it has been copied."""
    monkeypatch.setenv(SWITCH, word)
    texture, paint = textures(), Painter(context.cuda, LONG // 10)
    for seed in range(3):
        pixels = paint(picture(seed, 512, 512))
        texture.show(pixels)
        texture._shown = None
        del pixels
        with torch.cuda.stream(paint.stream):
            others = [torch.full((512, 512, 4), 5, dtype=torch.uint8, device=paint.device) for _ in range(8)]
        torch.cuda.synchronize()
        assert len(others) == 8 and np.array_equal(seen(context.gl, texture.name), picture(seed, 512, 512))


def test_a_picture_is_downloaded_whole():
    pixels = Painter(torch.cuda.current_device(), LONG // 10)(picture(3))
    host = pixels.to_host()
    assert np.array_equal(host, picture(3)) and pixels.to_host() is host
