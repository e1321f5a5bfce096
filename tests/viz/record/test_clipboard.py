# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Pictures on the clipboard: each desktop's own program, and none."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from viz.record import clipboard
from viz.record.clipboard import copy_picture, find_command


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    for name in ("WAYLAND_DISPLAY", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    (tmp_path / "picture.png").write_bytes(b"png")
    return tmp_path


def install(place: Path, name: str, script: str) -> None:
    path = place / "bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.mark.skipif(os.name == "nt", reason="programs of Linux are shell scripts here")
def test_wayland_x11_and_neither(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = place / "picture.png"
    assert not copy_picture(picture)
    install(place, "xclip", f'/bin/cat "$6" > {place}/x11; /bin/echo "$@" > {place}/words')
    assert not copy_picture(picture), "there is no display that it could speak to"
    monkeypatch.setenv("DISPLAY", ":0")
    assert copy_picture(picture) and (place / "x11").read_bytes() == b"png"
    assert (place / "words").read_text().split() == ["-selection", "clipboard", "-t", "image/png", "-i", str(picture)]
    install(place, "wl-copy", f"/bin/cat > {place}/wayland")
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert copy_picture(picture) and (place / "wayland").read_bytes() == b"png"


@pytest.mark.skipif(os.name == "nt", reason="programs of Linux are shell scripts here")
def test_a_program_that_fails_or_hangs_copies_nothing(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    install(place, "xclip", "exit 1")
    assert not copy_picture(place / "picture.png")
    install(place, "xclip", "exec /bin/sleep 60")
    monkeypatch.setattr(clipboard, "PATIENCE", 0.2)
    assert not copy_picture(place / "picture.png")


@pytest.mark.skipif(os.name == "nt", reason="programs of Linux are shell scripts here")
def test_a_program_that_stays_behind_is_not_waited_for(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    install(place, "xclip", "/bin/sleep 3 &\nexit 0")
    monkeypatch.setattr(clipboard, "PATIENCE", 1.5)
    assert copy_picture(place / "picture.png")


def test_paths_are_no_part_of_a_script(monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path("a'b\"; $(touch x).png")
    monkeypatch.setattr(sys, "platform", "darwin")
    command = find_command(path)
    assert command is not None and command[0] == "osascript" and command[-1] == str(path)
    assert not any(str(path) in word for word in command[:-1])
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(clipboard.shutil, "which", lambda name: name)
    command = find_command(path)
    assert command is not None and command[0] == "powershell" and not any("touch" in word for word in command)
    ran: list[object] = []
    monkeypatch.setattr(
        clipboard.subprocess, "run", lambda *_, **given: ran.append(given["env"]) or subprocess.CompletedProcess([], 0)
    )
    monkeypatch.setattr("builtins.open", lambda *_: Path("/dev/null").open("rb") if os.name != "nt" else None)
    assert copy_picture(path) and ran[0][clipboard.VARIABLE] == str(path)
