# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""UDP sockets at addresses that are numbers: a name would have to be looked up, and the window would wait for it."""

import errno
import ipaddress
import socket


class OscError(Exception):
    """OSC cannot be switched on; one sentence."""


def read_host(text: str) -> tuple[str, socket.AddressFamily]:
    """Return an IP address and its family; OscError for anything else. "localhost" is this computer."""
    try:
        found = ipaddress.ip_address("127.0.0.1" if text.strip() == "localhost" else text.strip())
    except ValueError:
        raise OscError(f"{text.strip()[:60] or 'Nothing'} is no IP address: type one such as 127.0.0.1.") from None
    return str(found), socket.AF_INET if found.version == 4 else socket.AF_INET6


def open_receiving(host: str, port: int) -> socket.socket:
    """Return a socket that receives at an address of this computer; OscError where that cannot be."""
    number, family = read_host(host)
    opened = socket.socket(family, socket.SOCK_DGRAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 2**20)  # of it the system grants what it likes
        opened.bind((number, port))
    except OSError as problem:
        opened.close()
        raise OscError(_explain(problem, number, port)) from None
    return opened


def open_sending(host: str) -> socket.socket:
    """Return a socket that sends to addresses of this family and never waits; OscError where that cannot be."""
    _, family = read_host(host)
    opened = socket.socket(family, socket.SOCK_DGRAM)
    opened.setblocking(False)
    return opened


def _explain(problem: OSError, host: str, port: int) -> str:
    if problem.errno == errno.EADDRINUSE or getattr(problem, "winerror", 0) == 10048:
        return f"Port {port} is taken by another program: choose another port, here and in the controller."
    if problem.errno == errno.EADDRNOTAVAIL or getattr(problem, "winerror", 0) == 10049:
        return f"{host} is no address of this computer: 127.0.0.1 is this computer alone, 0.0.0.0 every network."
    return f"Port {port} of {host} cannot be opened: {problem.strerror or problem}."
