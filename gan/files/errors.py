# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Messages that may quote a file or a user's input, made safe to show."""

LONGEST_MESSAGE = 500  # characters


def sanitize_text(value: object, limit: int = LONGEST_MESSAGE) -> str:
    """Return a value's text on one line, without control characters and in at most `limit` characters.

    Characters that are not printable, which could steer a terminal, become question marks. A longer text loses its
    middle: its end often says what to do.
    """
    text = "".join(character if character.isprintable() else "?" for character in str(value))
    if len(text) <= limit:
        return text
    end = limit * 3 // 10
    return f"{text[: limit - end - 5]} ... {text[len(text) - end :]}"
