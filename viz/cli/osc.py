# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`python visualizer.py osc`: list the OSC addresses, and send a value to a window."""

import math

import click

from gan.cli.command import Command
from viz.core.osc_state import LOOPBACK, OscState


@click.command(cls=Command)
@click.option("--addresses", is_flag=True, help="Print every address with its range, as a table (the default).")
@click.option("--send", nargs=2, metavar="ADDRESS VALUE", help="Send a value to a window that receives OSC.")
@click.option("--host", default=LOOPBACK, show_default=True, metavar="IP", help="Where that window is.")
@click.option("--port", default=OscState.port, show_default=True, type=click.IntRange(1, 65535), help="Its port.")
def osc(addresses: bool, send: tuple[str, str] | None, host: str, port: int) -> None:
    """List the OSC addresses that move the window's settings, or send one a value.

    Switch OSC on in the window first: the OSC panel, below the pictures.

    \b
    Examples:
      python visualizer.py osc --addresses                     every address, its range and first value
      python visualizer.py osc --send /jinc/transform/tx 0.25  move the pictures to the right
      python visualizer.py osc --send /jinc/canvas/mode blink  words go to settings that are words
    """
    from viz.osc.addresses import describe_addresses, find_address
    from viz.osc.messages import build, require_package
    from viz.osc.sockets import OscError, open_sending, read_host

    if send is None:
        click.echo(describe_addresses())
        return
    if addresses:
        raise click.UsageError("Give --addresses or --send.")
    address, text = send
    found = find_address(address)
    if found is None:
        raise click.UsageError(f"There is no address {address!r:.80}: --addresses lists them.")
    value = _read(text)
    if isinstance(value, str) and value not in found.words:
        takes = f"one of {', '.join(found.words)}" if found.words else f"a number from {found.low:g} to {found.high:g}"
        raise click.UsageError(f"{address} takes {takes}, not {text!r:.40}.")
    try:
        require_package()
        with open_sending(host) as opened:
            opened.sendto(build(address, value), (read_host(host)[0], port))
    except OscError as problem:
        raise click.ClickException(str(problem)) from None
    except OSError as problem:
        raise click.ClickException(f"{host} cannot be reached: {problem.strerror or problem}.") from None
    click.echo(f"Sent {address} {text} to {host}, port {port}; a window moves if it receives there (its OSC panel).")


def _read(text: str) -> float | str:
    """Return a number, or else the word; what is not finite is none."""
    try:
        return float(text) if math.isfinite(float(text)) else text
    except ValueError:
        return text
