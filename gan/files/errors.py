# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Messages that may quote a file or a user's input, made safe to show."""

import re
import struct

LONGEST_MESSAGE = 500  # characters
OBJECT = re.compile(r"<[A-Za-z_][\w.]* [^<>]*>?")  # as Python writes an open file, for example
PROGRAMMERS = (LookupError, TypeError, AttributeError, ArithmeticError, struct.error)  # whose words are about code
LOOSE_END = re.compile(r"[\s,;:]+\.?$")


def describe_error(error: BaseException, otherwise: str = "it is damaged") -> str:
    """Return an error as a part of a sentence: the system's words, without objects of Python's and without a full stop.

    `otherwise`: what to say for an error whose words say nothing to a user.
    """
    text = str(getattr(error, "strerror", None) or error).strip()
    if OBJECT.search(text) or isinstance(error, PROGRAMMERS):
        return otherwise
    text = LOOSE_END.sub("", text).rstrip(".")
    return sanitize_text(text) or otherwise


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
