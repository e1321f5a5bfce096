# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Import PyOpenGL for the library that made the context: it guesses from the environment, and wrong for EGL.

It asks once, at its first import, so that must not happen before.
"""

import os
import sys
from typing import Any


def of_window() -> Any:
    """Return PyOpenGL for the window that GLFW has open."""
    import imgui_bundle  # noqa: F401  (before glfw, as in viz.display.offscreen)

    # isort: split
    import glfw

    return _for("glx" if glfw.get_platform() == glfw.PLATFORM_X11 else "egl")


def of_egl() -> Any:
    """Return PyOpenGL for a context that EGL makes."""
    return _for("egl")


def _for(platform: str) -> Any:
    if sys.platform.startswith("linux"):
        os.environ.setdefault("PYOPENGL_PLATFORM", platform)
    from OpenGL import GL

    return GL
