# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Start the processes of --gpus on this machine, pass signals on to them, and end all when one fails.

Each gets the environment that torchrun would give it. Rank 0 speaks on the terminal; what the others say on standard
error is kept, and shown if they fail.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from train.ranks.errors import LostRankError

ROOT = Path(__file__).resolve().parents[2]
LAUNCHED = "JINC_LAUNCHED"  # in the environment of a process that was started here
GRACE = 15.0  # seconds that the others get to end by themselves when one failed, and again when they were told to
POLL = 0.1
TAIL = 40  # lines of a failed process that are shown


def is_rank() -> bool:
    """Tell whether this process is one of several already, of --gpus or torchrun."""
    return int(os.environ.get("WORLD_SIZE", 1)) > 1 and "RANK" in os.environ


def check_gpus(gpus: int | None) -> None:
    """Raise UsageError if torchrun started another number of processes than --gpus says."""
    started = int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    if gpus is not None and is_rank() and gpus != started:
        raise click.UsageError(f"torchrun started {started} processes on this machine: leave out --gpus={gpus}.")


def launch(count: int, words: Sequence[str]) -> int:
    """Run the trainer's command line `words` in `count` processes until all have ended; return the exit status."""
    with tempfile.TemporaryDirectory() as folder:
        said = [Path(folder) / str(rank) for rank in range(count)]
        processes: list[subprocess.Popen[bytes]] = []
        previous = _pass_signals_on(processes)
        try:
            port = _find_port()
            for rank in range(count):
                processes.append(_start(rank, count, port, words, said[rank]))
            first = _wait(processes)
        finally:
            _end(processes)
            for number, handler in previous.items():
                signal.signal(number, handler)
        return _report([process.returncode for process in processes], first, said)


def follow_parent() -> None:
    """In a process that `launch` started: ask for a clean stop if that ends before, for example killed."""
    if os.environ.get(LAUNCHED):
        threading.Thread(target=_watch_parent, daemon=True).start()


def _watch_parent() -> None:
    os.read(0, 1)  # returns when the pipe's other end is closed
    os.kill(os.getpid(), signal.SIGTERM)


def _start(rank: int, count: int, port: int, words: Sequence[str], said: Path) -> subprocess.Popen[bytes]:
    numbers = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": count, "LOCAL_WORLD_SIZE": count, "MASTER_PORT": port}
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    threads = str(max(1, (os.cpu_count() or 1) // count))
    environment = {
        "OMP_NUM_THREADS": threads,  # many processes with as many threads as cores slow each other down
        **({"GLOO_SOCKET_IFNAME": "lo"} if sys.platform == "linux" else {}),
        **os.environ,
        **{name: str(value) for name, value in numbers.items()},
        "MASTER_ADDR": "127.0.0.1",
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        LAUNCHED: "1",
    }
    command = [sys.executable, "-P", "-m", "train", *words]
    with said.open("wb") as file:
        streams: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": file} if rank else {}
        # In a session of its own, so that Ctrl-C on the terminal comes once, from here.
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, env=environment, start_new_session=os.name == "posix", **streams
        )


def _find_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _pass_signals_on(processes: list[subprocess.Popen[bytes]]) -> dict[int, Any]:
    """Let SIGINT and SIGTERM reach the processes too; return the handlers to put back."""

    def send(number: int, frame: object) -> None:
        for process in processes:
            if process.poll() is None and os.name == "posix":  # on Windows the console sends Ctrl-C to all
                process.send_signal(number)

    return {number: signal.signal(number, send) for number in (signal.SIGINT, signal.SIGTERM)}


def _wait(processes: Sequence[subprocess.Popen[bytes]]) -> int | None:
    """Wait until all have ended, or one has failed; return the first one that failed."""
    while True:
        codes = [process.poll() for process in processes]
        failed = [rank for rank, code in enumerate(codes) if code not in (None, 0, LostRankError.exit_code)]
        failed = failed or [rank for rank, code in enumerate(codes) if code not in (None, 0)]
        if failed or None not in codes:
            return failed[0] if failed else None
        time.sleep(POLL)


def _end(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Give the processes time to end, then tell them to, then make them."""
    for act in (None, subprocess.Popen.terminate, subprocess.Popen.kill):
        deadline = time.monotonic() + GRACE
        for process in processes:
            if act is not None and process.poll() is None:
                act(process)
        while time.monotonic() < deadline and any(process.poll() is None for process in processes):
            time.sleep(POLL)
    for process in processes:
        process.wait()
        if process.stdin is not None:
            process.stdin.close()


def _report(codes: Sequence[int], first: int | None, said: Sequence[Path]) -> int:
    """Say what ended a process that is not rank 0, unless that failed by itself; return the exit status of all."""
    if first is None:
        return 0
    own = codes[0] in (1, 2)  # rank 0 has said why
    for rank, code in enumerate(codes):
        if code in (0, LostRankError.exit_code) or code == -signal.SIGTERM or (own and (rank == 0 or code == codes[0])):
            continue
        ended = f"was ended by signal {-code}" if code < 0 else f"ended with status {code}"
        click.echo(f"Rank {rank} of {len(codes)} {ended}.", err=True)
        for line in said[rank].read_text("utf-8", "replace").splitlines()[-TAIL:]:
            click.echo(f"  {line}", err=True)
    return codes[0] if own else 1
