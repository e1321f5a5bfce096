# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""OpenGL without window or display: a context on an EGL device, and textures in it."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support.egl import headless
from support.graphics import picture, seen
from support.paths import ROOT, TESTS

from gan.hub.resolve import resolve
from viz.core.request import PictureRequest
from viz.display.texture import Texture, Textures
from viz.render.renderer import Renderer


@pytest.fixture(scope="module", autouse=True)
def device():
    try:
        with headless() as context:
            return context.name
    except OSError as problem:
        pytest.skip(str(problem))


def test_it_draws(device):
    with headless() as context:
        gl = context.gl
        assert context.name == device and gl.glGetString(gl.GL_RENDERER).decode() == device
        version = gl.glGetIntegerv(gl.GL_MAJOR_VERSION), gl.glGetIntegerv(gl.GL_MINOR_VERSION)
        assert version >= (3, 3) and gl.glGetIntegerv(gl.GL_CONTEXT_PROFILE_MASK) == gl.GL_CONTEXT_CORE_PROFILE_BIT
        texture, frame = gl.glGenTextures(1), gl.glGenFramebuffers(1)
        gl.glBindTexture(gl.GL_TEXTURE_2D, texture)
        gl.glTexImage2D(gl.GL_TEXTURE_2D, 0, gl.GL_RGBA8, 8, 6, 0, gl.GL_RGBA, gl.GL_UNSIGNED_BYTE, None)
        gl.glBindFramebuffer(gl.GL_FRAMEBUFFER, frame)
        gl.glFramebufferTexture2D(gl.GL_FRAMEBUFFER, gl.GL_COLOR_ATTACHMENT0, gl.GL_TEXTURE_2D, texture, 0)
        assert gl.glCheckFramebufferStatus(gl.GL_FRAMEBUFFER) == gl.GL_FRAMEBUFFER_COMPLETE
        gl.glClearColor(1.0, 0.6, 0.2, 0.0)
        gl.glClear(gl.GL_COLOR_BUFFER_BIT)
        assert (seen(gl, texture) == (255, 153, 51, 0)).all()


def test_a_models_picture_is_drawn_and_read_back():
    """The same textures as the window's, of the same results."""
    result = Renderer().render(PictureRequest(resolve("t"), device="cpu"))
    with headless() as context:
        textures = Textures(context.gl)
        for pixels, array in ((result.picture, result.image), (result.enlarged, result.smooth)):
            textures.left.show(pixels, pixels.shape[1])
            assert array.std() > 10 and np.array_equal(seen(context.gl, textures.left.name), array)
        assert textures.left.path == "upload from memory"
        textures.finish()
        textures.delete()


def test_contexts_nest_and_close():
    from OpenGL import EGL
    from OpenGL.raw.EGL._errors import EGLError

    assert not EGL.eglGetCurrentContext()
    with headless() as outer:
        before = EGL.eglGetCurrentContext()
        texture = Texture(outer.gl)
        texture.show(picture(0))
        with pytest.raises(ZeroDivisionError), headless() as inner:
            assert EGL.eglGetCurrentContext().address != before.address
            assert not inner.gl.glIsTexture(texture.name), "nothing is shared"
            raise ZeroDivisionError
        assert EGL.eglGetCurrentContext().address == before.address
        assert np.array_equal(seen(outer.gl, texture.name), picture(0))
        display, surface = EGL.eglGetCurrentDisplay(), EGL.eglGetCurrentSurface(EGL.EGL_DRAW)
        assert EGL.eglQueryContext(display, before, EGL.EGL_CONTEXT_CLIENT_TYPE, EGL.EGLint())
        assert EGL.eglQuerySurface(display, surface, EGL.EGL_WIDTH, EGL.EGLint())
    assert not EGL.eglGetCurrentContext()
    with pytest.raises(EGLError, match="EGL_BAD_CONTEXT"):
        EGL.eglQueryContext(display, before, EGL.EGL_CONTEXT_CLIENT_TYPE, EGL.EGLint())
    with pytest.raises(EGLError, match="EGL_BAD_SURFACE"):
        EGL.eglQuerySurface(display, surface, EGL.EGL_WIDTH, EGL.EGLint())


@pytest.mark.skipif(sys.platform != "linux", reason="counts files in /proc")
def test_closing_leaves_nothing_open():
    def opened():
        return len(list(Path("/proc/self/fd").iterdir())), Path("/proc/self/task").stat().st_nlink

    for _ in range(2):
        with headless():
            pass
    before = opened()
    for _ in range(10):
        with headless() as context:
            Texture(context.gl).show(picture(0))
    assert opened() == before


def test_a_device_that_is_not_there_is_told():
    with pytest.raises(OSError, match=r"^There is no OpenGL without a display here: EGL has \d+ devices?, and"):
        with headless(63):
            pass


def run(code, **environment):
    variables = {**os.environ, "PYTHONPATH": str(TESTS), **environment}
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, env=variables)


TRY = """
from support.egl import headless
try:
    with headless() as context:
        print("drawn by", context.name)
except OSError as problem:
    print(problem)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="hides libraries the way libglvnd finds them")
@pytest.mark.parametrize(
    "environment",
    [
        {"__EGL_VENDOR_LIBRARY_DIRS": "nowhere", "__EGL_VENDOR_LIBRARY_FILENAMES": "nowhere"},
        {"PYOPENGL_PLATFORM": "glx"},
    ],
)
def test_where_there_is_none_a_sentence_says_so(environment):
    ran = run(TRY, **environment)
    assert_a_sentence(ran)


def test_without_pyopengl_a_sentence_says_so():
    assert_a_sentence(run("import sys; sys.modules['OpenGL'] = None" + TRY))


def assert_a_sentence(ran):
    assert ran.returncode == 0, ran.stderr
    said = ran.stdout.strip()
    assert said.startswith("There is no OpenGL without a display here: ") and said.endswith(".") and "\n" not in said


BARE = """
import sys
for name in ("imgui_bundle", "glfw", "torch", "psutil", "safetensors", "matplotlib"):
    sys.modules[name] = None
import numpy as np
from support.egl import headless
from viz.display.texture import Textures
with headless() as context:
    textures = Textures(context.gl)
    textures.left.show(np.full((4, 4, 4), 7, np.uint8))
    print(textures.left.path)
"""


def test_textures_need_neither_a_window_nor_torch():
    ran = run(BARE)
    assert ran.stdout.strip() == "upload from memory", ran.stderr
