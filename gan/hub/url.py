# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Addresses of models on the network: parsed, and without their secrets wherever they are shown or kept.

A password or a token stands before the host or in the query. Neither is ever shown or written to disk.
"""

import base64
import hashlib
import re
from dataclasses import dataclass, field
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

MAX_ADDRESS = 4000  # characters; servers refuse longer ones
MAX_SHOWN = 300
MAX_HEADER = 1000
MAX_FILE_NAME = 100
SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
SHA256 = re.compile(r"[0-9a-f]{64}")
CHECKSUM = re.compile(r"\s*(md5|sha-?\d*|crc\d*|blake\w*)\b", re.IGNORECASE)  # what someone who wants a check may write
UNESCAPED = "/%:@!$&'()*+,;=~-._?"  # what stays as it is when spaces and letters beyond ASCII are escaped
FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')  # in a file's name, on one system or another
RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)")  # names that Windows keeps for itself


class DownloadError(ValueError):
    """An address that gives no model; one sentence says what is wrong and what to do."""


@dataclass(frozen=True)
class Address:
    """A model's place on the network. `shown` may be printed and kept; `url` and `authorization` only go to the server.

    A user name, password and fragment stand in neither `shown` nor `url`, the query only in `url`.
    """

    shown: str
    host: str
    url: str = field(repr=False)
    authorization: str = field(repr=False, default="")  # the header's value
    sha256: str = ""  # of the content, if the address says; "" any

    @property
    def key(self) -> str:
        """The address's name in the cache, from which it cannot be guessed."""
        return hashlib.sha256(self.url.encode()).hexdigest()[:32]

    @property
    def is_open(self) -> bool:
        """True if `shown` is all of the address, so that it can be fetched again from there."""
        return self.shown == self.url and not self.authorization

    @property
    def file_name(self) -> str:
        """The file name at its end, fit for every file system; "" where there is none."""
        return safe_file_name(unquote(urlsplit(self.url).path.rpartition("/")[2], errors="replace"))


def is_address(text: str) -> bool:
    """Return whether a user means an address, usable or not, rather than a file."""
    return SCHEME.match(text.strip()) is not None


def parse_address(text: str, sha256: str | None = None) -> Address:
    """Parse an address that a user typed, pasted or dropped; DownloadError where it cannot be a model's.

    `URL#sha256=HEX`, or `sha256`, is the checksum that the content must have.
    """
    text = text.strip()
    scheme = SCHEME.match(text)
    if scheme is None:
        raise DownloadError("This is not an address: give one that begins with http or https.")
    if scheme[1].lower() not in ("http", "https"):
        raise DownloadError(
            f"Models are fetched from http and https addresses, not from {scheme[1].lower()}: give one."
        )
    if len(text) > MAX_ADDRESS or any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        raise DownloadError("This address is too long or holds control characters: copy it again.")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise DownloadError("This address has no readable host or port: copy it again.") from None
    if not host or any(letter.isspace() for letter in host):
        raise DownloadError("This address names no host: copy it again.")
    place = f"[{host}]" if ":" in host else host
    place += f":{port}" if port is not None else ""
    bare = SplitResult(parts.scheme.lower(), place, quote(parts.path or "/", UNESCAPED), "", "")
    shown = urlunsplit(bare)
    return Address(
        shown=shown if len(shown) <= MAX_SHOWN else f"{shown[:MAX_SHOWN]}...",
        host=host if len(host) <= MAX_SHOWN else f"{host[:MAX_SHOWN]}...",
        url=urlunsplit(bare._replace(query=quote(parts.query, UNESCAPED))),
        authorization=_basic_authorization(parts),
        sha256=_parse_checksum(parts.fragment if sha256 is None else f"sha256={sha256}"),
    )


def is_header(value: object) -> bool:
    """Return whether a value may be kept and sent back as a header: short, printable ASCII."""
    return isinstance(value, str) and len(value) <= MAX_HEADER and value.isascii() and value.isprintable()


def _basic_authorization(parts: SplitResult) -> str:
    if parts.username is None and parts.password is None:
        return ""
    both = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    return f"Basic {base64.b64encode(both.encode()).decode()}"


def _parse_checksum(fragment: str) -> str:
    name, _, value = fragment.partition("=")
    if name.strip().lower() != "sha256":
        if CHECKSUM.match(fragment):
            raise DownloadError(f"Only sha256 is checked, as in #sha256=DIGITS, and not {fragment[:20]!r}.")
        return ""
    value = value.strip().lower()
    if not SHA256.fullmatch(value):
        raise DownloadError("The sha256 of an address has 64 digits from 0 to f: copy it again.")
    return value


def safe_file_name(text: str) -> str:
    """Return a file name fit for every file system for what a server or an address calls a file, or ""."""
    text = FORBIDDEN.sub("_", text.replace("\\", "/").rpartition("/")[2]).strip().lstrip(".")
    text = "".join(letter if letter.isprintable() else "_" for letter in text)
    stem, dot, suffix = text.rpartition(".")
    if not dot or len(suffix) > 16:
        stem, suffix = text, ""
    room = MAX_FILE_NAME - len(suffix) - 1
    while len(stem.encode(errors="replace")) > 2 * room:  # file systems count bytes
        stem = stem[:-1]
    text = (f"{stem[:room]}.{suffix}" if suffix else stem[:room]).rstrip(". ")
    return f"_{text}" if RESERVED.match(text) else text
