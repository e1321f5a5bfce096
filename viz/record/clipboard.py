# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Put a picture on the clipboard by the desktop's own program: the window's library holds text alone."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

PATIENCE = 5.0  # seconds
VARIABLE = "JINC_PICTURE"  # of the environment, which needs no quotation marks
WINDOWS = (
    "Add-Type -AssemblyName System.Windows.Forms, System.Drawing; "
    f"$p = [System.Drawing.Image]::FromFile($env:{VARIABLE}); "
    "[System.Windows.Forms.Clipboard]::SetImage($p); $p.Dispose()"
)
MAC = ("on run argv", "set the clipboard to (read (POSIX file (item 1 of argv)) as «class PNGf»)", "end run")


def find_command(path: Path) -> list[str] | None:
    """Return the command that copies a PNG, None where there is none."""
    if sys.platform == "darwin":
        return ["osascript", *(part for line in MAC for part in ("-e", line)), str(path)]
    if sys.platform == "win32":
        shell = shutil.which("powershell")
        return [shell, "-NoProfile", "-STA", "-Command", WINDOWS] if shell else None
    wayland, x11 = shutil.which("wl-copy"), shutil.which("xclip")
    if wayland and os.environ.get("WAYLAND_DISPLAY"):
        return [wayland, "--type", "image/png"]
    if x11 and os.environ.get("DISPLAY"):
        return [x11, "-selection", "clipboard", "-t", "image/png", "-i", str(path)]
    return None


def copy_picture(path: Path) -> bool:
    """Put a PNG on the clipboard; False where no program here can. The file may go afterwards."""
    command = find_command(path)
    if command is None:
        return False
    quiet = subprocess.DEVNULL  # the programs for Linux stay behind to hand it out: nothing may wait for their output
    try:
        with open(path, "rb") as file:
            environment = os.environ | {VARIABLE: str(path)}
            ran = subprocess.run(
                command, stdin=file, stdout=quiet, stderr=quiet, env=environment, timeout=PATIENCE, check=False
            )
        return ran.returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
