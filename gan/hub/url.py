# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Addresses of models on the network: which are accepted, and what of one may be shown and kept.

A password or a token stands before the host or in the query. Neither is ever shown or written to disk.
"""

import base64
import hashlib
import re
from dataclasses import dataclass, field
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

LONGEST = 4000  # characters of an address; servers refuse longer ones
LONGEST_SHOWN = 300
LONGEST_HEADER = 1000  # characters
LONGEST_NAME = 100  # characters of a file name
SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
SHA256 = re.compile(r"[0-9a-f]{64}")
CHECKSUM = re.compile(r"\s*(md5|sha-?\d*|crc\d*|blake\w*)\b", re.IGNORECASE)  # what someone who wants a check may write
KEPT = "/%:@!$&'()*+,;=~-._?"  # what stays as it is when spaces and letters beyond ASCII are escaped
FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')  # in a file's name, on one system or another
RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)")  # names that Windows keeps for itself


class DownloadError(ValueError):
    """Why an address gives no model; one sentence says what is wrong and what to do."""


@dataclass(frozen=True)
class Address:
    """Where a model lies. `shown` may be printed and kept; `url` and `authorization` only go to the server."""

    shown: str  # without user name, password, query and fragment
    host: str
    url: str = field(repr=False)  # without user name, password and fragment
    authorization: str = field(repr=False, default="")  # the header's value
    sha256: str = ""  # that the content must have; "" any

    @property
    def key(self) -> str:
        """What the cache calls this address: says nothing about it."""
        return hashlib.sha256(self.url.encode()).hexdigest()[:32]

    @property
    def is_open(self) -> bool:
        """Whether all of the address is in `shown`, so that it can be asked for again from there."""
        return self.shown == self.url and not self.authorization

    @property
    def name(self) -> str:
        """The file name at its end, fit for every file system; "" where there is none."""
        return file_name(unquote(urlsplit(self.url).path.rpartition("/")[2], errors="replace"))


def is_address(text: str) -> bool:
    """Whether a user means an address rather than a file, be it one that can be used or not."""
    return SCHEME.match(text.strip()) is not None


def parsed(text: str, sha256: str | None = None) -> Address:
    """The address that a user typed, pasted or dropped; DownloadError where it cannot be one of a model.

    `URL#sha256=HEX`, or `sha256`, says what the content must be.
    """
    text = text.strip()
    scheme = SCHEME.match(text)
    if scheme is None:
        raise DownloadError("This is not an address: give http:// or https:// and what follows.")
    if scheme[1].lower() not in ("http", "https"):
        raise DownloadError(f"Models are read from http and https addresses, not from {scheme[1].lower()}: give one.")
    if len(text) > LONGEST or any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        raise DownloadError("This address is too long or holds letters that no address has: copy it anew.")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise DownloadError("This address has no host or port that can be read: copy it anew.") from None
    if not host or any(letter.isspace() for letter in host):
        raise DownloadError("This address names no host: copy it anew.")
    place = f"[{host}]" if ":" in host else host
    place += f":{port}" if port is not None else ""
    bare = SplitResult(parts.scheme.lower(), place, quote(parts.path or "/", KEPT), "", "")
    shown = urlunsplit(bare)
    return Address(
        shown=shown if len(shown) <= LONGEST_SHOWN else f"{shown[:LONGEST_SHOWN]}...",
        host=host if len(host) <= LONGEST_SHOWN else f"{host[:LONGEST_SHOWN]}...",
        url=urlunsplit(bare._replace(query=quote(parts.query, KEPT))),
        authorization=_basic(parts),
        sha256=_wanted(parts.fragment, sha256),
    )


def is_header(value: object) -> bool:
    """Whether this can be a header's value, as a server gives it and as it may be sent back: longer ones, or letters
    that not all of the way may take alike, count as none.
    """
    return isinstance(value, str) and len(value) <= LONGEST_HEADER and value.isascii() and value.isprintable()


def _basic(parts: SplitResult) -> str:
    if parts.username is None and parts.password is None:
        return ""
    both = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    return f"Basic {base64.b64encode(both.encode()).decode()}"


def _wanted(fragment: str, sha256: str | None) -> str:
    name, _, value = fragment.partition("=")
    if CHECKSUM.match(fragment) and name.strip().lower() != "sha256":
        raise DownloadError(f"Only sha256 is checked, as in #sha256=DIGITS, and not {fragment[:20]!r}.")
    given = sha256 if sha256 is not None else value if name.strip().lower() == "sha256" else None
    if given is None:
        return ""
    given = given.strip().lower()
    if not SHA256.fullmatch(given):
        raise DownloadError("The sha256 of an address is 64 digits from 0 to f, and this one is not: copy it anew.")
    return given


def file_name(text: str) -> str:
    """A file name for whatever a server or an address calls a file, or ""."""
    text = FORBIDDEN.sub("_", text.replace("\\", "/").rpartition("/")[2]).strip().lstrip(".")
    text = "".join(letter if letter.isprintable() else "_" for letter in text)
    stem, dot, suffix = text.rpartition(".")
    if not dot or len(suffix) > 16:
        stem, suffix = text, ""
    room = LONGEST_NAME - len(suffix) - 1
    while len(stem.encode(errors="replace")) > 2 * room:  # file systems count bytes
        stem = stem[:-1]
    text = (f"{stem[:room]}.{suffix}" if suffix else stem[:room]).rstrip(". ")
    return f"_{text}" if RESERVED.match(text) else text
