# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""OSC messages as bytes, by the package python-osc (extra `osc`), which is imported when OSC is switched on."""

import math

from viz.osc.sockets import OscError

LARGEST_FLOAT = 1e38  # about, of 32 bits
MISSING = "OSC needs the package python-osc: python -m pip install python-osc"


def require_package() -> None:
    """Raise OscError, a sentence, where python-osc is not installed."""
    try:
        import pythonosc.osc_message_builder
        import pythonosc.parsing.osc_types  # noqa: F401
    except ImportError:
        raise OscError(MISSING) from None


def read_value(message: bytes) -> float | str | None:
    """Return the first argument of a message; None if it is no number or word, is not finite, or there is none.

    What follows is not looked at: a stranger's message is read in bounded time. A number of 32 bits has 7 digits at
    most: 0.1 is to be 0.1 here as well.
    """
    from pythonosc.parsing import osc_types

    start = (message.index(0) // 4 + 1) * 4
    try:
        tags, start = osc_types.get_string(message, start)
        match tags[:2]:
            case ",T" | ",F":
                return float(tags[1] == "T")
            case ",i":
                return float(osc_types.get_int(message, start)[0])
            case ",h":
                return float(osc_types.get_int64(message, start)[0])
            case ",f":
                value = float(f"{osc_types.get_float(message, start)[0]:.7g}")
                return value if math.isfinite(value) else None
            case ",d":
                value = osc_types.get_double(message, start)[0]
                return value if math.isfinite(value) else None
            case ",s":
                return osc_types.get_string(message, start)[0]
    except (osc_types.ParseError, UnicodeDecodeError):
        pass
    return None


def build(address: str, value: float | str) -> bytes:
    """Return a message of one argument: a word as s, a whole number or a switch as i, other numbers as f.

    What is too large for that is sent as h or d.
    """
    from pythonosc.osc_message_builder import OscMessageBuilder

    builder = OscMessageBuilder(address)
    if isinstance(value, str):
        builder.add_arg(value, "s")
    elif isinstance(value, int):  # a switch is one, too
        builder.add_arg(int(value), "i" if abs(value) < 2**31 else "h")
    else:
        builder.add_arg(value, "f" if abs(value) < LARGEST_FLOAT else "d")
    return builder.build().dgram
