# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Drags and sliders in double precision: imgui's usual ones round to 24 bits, so 16777217 would become 16777216.

imgui draws any type of number behind a pointer, and imgui-bundle takes pointers as capsules of the name that nanobind,
which binds it, gives its own.
"""

import ctypes

from imgui_bundle import imgui

CAPSULE = b"nb_handle"  # here, since a capsule keeps the pointer to its name
_new_capsule = ctypes.pythonapi.PyCapsule_New
_new_capsule.restype = ctypes.py_object
_new_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]


def drag(
    name: str, value: float, step: float, low: float, high: float, form: str, flags: int = 0
) -> tuple[bool, float]:
    """Draw a number that is dragged by `step` a pixel; return whether it changed, and what it is now."""
    number, least, most = map(ctypes.c_double, (value, low, high))
    kind, ends = imgui.DataType_.double, (_point_to(least), _point_to(most))
    changed = imgui.drag_scalar(name, kind, _point_to(number), step, *ends, form, flags)
    return changed, number.value


def slide(name: str, value: float, low: float, high: float, form: str, flags: int = 0) -> tuple[bool, float]:
    """Draw a number as a slider; return whether it changed, and what it is now."""
    number, least, most = map(ctypes.c_double, (value, low, high))
    kind, ends = imgui.DataType_.double, (_point_to(least), _point_to(most))
    changed = imgui.slider_scalar(name, kind, _point_to(number), *ends, form, flags)
    return changed, number.value


def _point_to(number: ctypes.c_double) -> object:
    """Return a pointer to a number, good as long as the number is kept."""
    return _new_capsule(ctypes.addressof(number), CAPSULE, None)
