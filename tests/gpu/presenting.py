# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The renderer and the texture as the window uses them: all that the report relies on of their interface."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import numpy as np

from viz.core.request import PictureRequest
from viz.core.result import RenderResult
from viz.render.renderer import Renderer

PRECISIONS = ("float32", "float16")


class Unavailable(Exception):
    """Pictures cannot be presented here; the text is a sentence."""


def precisions(device: str) -> tuple[str, ...]:
    """What a picture on a device may be drawn in."""
    return PRECISIONS if device.startswith("cuda") else PRECISIONS[:1]


def request(path: str, device: str, tx: float, precision: str) -> PictureRequest:
    """A picture in a drag."""
    return PictureRequest(model=path, device=device, tx=tx, precision=precision)


def begun(renderer: Renderer, asked: PictureRequest) -> RenderResult:
    """The same, maybe `pending`."""
    result = renderer.start(asked)
    if result.error:
        raise RuntimeError(result.error)
    return result


def rendered(renderer: Renderer, asked: PictureRequest) -> RenderResult:
    """The result of a request. RuntimeError, with the renderer's sentence."""
    result = renderer.render(asked)
    if result.error:
        raise RuntimeError(result.error)
    return result


def host_copy(result: RenderResult) -> np.ndarray:
    """uint8 [H, W, 4]."""
    assert result.image is not None
    return result.image


class Presenter:
    """Shows pictures in a texture, in a context without a window."""

    def __init__(self, gl: Any, texture: Any) -> None:
        self._gl, self._texture = gl, texture

    def show(self, result: RenderResult) -> None:
        """Returns when it is there."""
        self.begin(result)
        self.finish()

    def begin(self, result: RenderResult) -> None:
        """Does not wait, where the way to the texture allows it."""
        self._texture.show(result.picture)

    def finish(self) -> None:
        """Until what was begun is there."""
        self._gl.glFinish()

    def close(self) -> None:
        self._texture.delete()

    @property
    def path(self) -> str:
        """How pixels come to the texture, where that is told."""
        return str(getattr(self._texture, "path", "") or "")


@contextmanager
def presenting() -> Iterator[Presenter]:
    """Unavailable, with the reason, where there is no OpenGL to show anything in."""
    try:
        context = import_module("support.egl").headless()
        texture = import_module("viz.display.texture").Texture
    except ImportError as problem:
        raise Unavailable(f"Nothing is shown, because {problem.name or problem} cannot be imported here.") from problem
    try:
        entered = context.__enter__()
    except Exception as problem:  # drivers fail in many ways
        raise Unavailable(f"Nothing is shown, because there is no OpenGL context: {problem}") from problem
    presenter = None
    try:
        try:
            gl = getattr(entered, "gl", None) or import_module("OpenGL.GL")
            presenter = Presenter(gl, texture(gl))
        except Exception as problem:
            raise Unavailable(f"Nothing is shown, because there is no texture: {problem}") from problem
        yield presenter
    finally:
        if presenter is not None:
            presenter.close()  # CUDA lets go of the texture while there is a context
        context.__exit__(None, None, None)
