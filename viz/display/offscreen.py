# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Open a window without a display: GLFW's null platform with an EGL context, real pixels drawn in software.

For tests, screenshots and soak runs on machines without an X server. Needs Mesa's EGL; NVIDIA's refuses it.
"""

import warnings

import imgui_bundle  # noqa: F401  (first: it points the name glfw at the library that it carries itself)

# isort: split
import glfw


def has_display() -> bool:
    """Return whether there is a screen to open a window on. Initialises GLFW if there is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", glfw.GLFWError)  # the answer says it
        glfw.init_hint(glfw.PLATFORM, glfw.ANY_PLATFORM)  # an offscreen window before this one asked for none
        return bool(glfw.init())


def use() -> None:
    """Make the window that this process opens next an offscreen one. Call before anything else initialises GLFW."""
    glfw.init_hint(glfw.PLATFORM, glfw.PLATFORM_NULL)
    if not glfw.init():
        raise OSError("This GLFW has no null platform, so there is no offscreen window: run it with a display.")
    glfw.window_hint(glfw.CONTEXT_CREATION_API, glfw.EGL_CONTEXT_API)


def in_use() -> bool:
    """Return whether this process's windows are offscreen; ask once one is open."""
    return bool(glfw.get_platform() == glfw.PLATFORM_NULL)
