# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Check what lies on disk: the folders written to, what was left behind, and the bundled models.

It imports what it checks, so it runs in the processes of viz.doctor.probe_child.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from cuda_ops import kernel_cache
from gan.checkpoints.checkpoint import read_header
from gan.files.format import format_bytes
from gan.hub.cache import Cache
from gan.hub.resolve import list_bundled, list_bundled_files
from gan.hub.url import DownloadError
from viz import invocation
from viz.core.state import config_folder
from viz.doctor.finding import REMARK, Finding, join_names, restore_command

TOPIC = "Files"
LITTLE_SPACE = 2**30  # bytes: a run of the trainer with its snapshots takes some hundred MB
HALF_WRITTEN = re.compile(r"\.[0-9a-f]{12}\.\w+")  # as gan.files.atomic_write names what it has not finished
ABANDONED_SECONDS = 3600.0  # after which no process will finish it


def check_folders() -> list[Finding]:
    """Report whether files can be made in the folders that the program writes, and how much space there is."""
    kernels, models = kernel_cache.cache_folder(), kernel_cache.cache_folder("models")
    return [
        _check_folder("Settings", config_folder(), "what is set in the window is lost when it closes", "JINC_CONFIG"),
        _check_folder("Kernels", kernels, "the CPU kernels are compiled anew by every process", "XDG_CACHE_HOME"),
        _check_folder("Downloads", models, "no model can be downloaded", "XDG_CACHE_HOME"),
    ]


def _check_folder(title: str, folder: Path, loss: str, variable: str) -> Finding:
    existing = next(path for path in (folder, *folder.absolute().parents) if os.path.lexists(path))
    known = _abbreviate(folder)
    try:
        tempfile.TemporaryFile(dir=existing).close()
        free = shutil.disk_usage(existing).free
    except OSError as problem:
        why = f"{_abbreviate(existing)} cannot be written ({problem.strerror or problem}): {loss}."
        return Finding(TOPIC, title, known, REMARK, why, _writable_command(existing, problem, variable))
    value = f"{known}, {format_bytes(free)} free"
    if free >= LITTLE_SPACE:
        return Finding(TOPIC, title, value)
    why = f"Less than {format_bytes(LITTLE_SPACE)} is free there; this finds what takes the space."
    find = "" if os.name == "nt" else f"du -xhd1 {shlex.quote(str(existing))} | sort -h"
    return Finding(TOPIC, title, value, REMARK, why, find)


def _writable_command(existing: Path, problem: OSError, variable: str) -> str:
    """Return the command that makes a folder writable, or starts the program once with another one."""
    if os.name == "nt":
        return ""
    path = shlex.quote(str(existing))
    if not existing.is_dir():
        return f"mv {path} {shlex.quote(f'{existing}.old')}"
    if isinstance(problem, PermissionError) and existing.is_relative_to(Path.home()):
        return f"chmod u+rwx {path}" if existing.stat().st_uid == os.getuid() else f'sudo chown "$USER" {path}'
    return f"{variable}=$(mktemp -d) {invocation.format_command()}"


def delete_left_behind() -> list[Finding]:
    """Delete what killed processes left in the caches and beside the settings, and report it as a fact."""
    gone = kernel_cache.clean_cache()
    with suppress(DownloadError):  # there is no home
        gone += Cache().sweep()
    with suppress(OSError):
        for path in config_folder().iterdir():
            if HALF_WRITTEN.fullmatch(path.name) and time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                path.unlink()
                gone.append(path)
    names = [path.name for path in gone[:3]] + ([f"{len(gone) - 3} more"] if len(gone) > 3 else [])
    return [Finding(TOPIC, "Left behind", f"{join_names(names)}, deleted")] if gone else []


def check_models() -> list[Finding]:
    """Report the models that come with Jinc."""
    described = sorted((invocation.ROOT / "assets").glob("*.json"))
    missing = [path.with_suffix(".safetensors") for path in described if not path.with_suffix(".safetensors").exists()]
    broken = {path.name: "The window opens without it." for path in missing}
    for path in list_bundled_files():
        try:
            read_header(path)
        except (ValueError, OSError) as problem:
            broken[path.name] = str(problem)
    own = os.environ.get("JINC_MODELS")  # nothing brings a folder of the user's back
    if own and not list_bundled_files():
        why = "The folder that JINC_MODELS names has no .safetensors: the window opens without models."
        return [Finding(TOPIC, "Bundled models", "none", REMARK, why)]
    if not broken:
        return [Finding(TOPIC, "Bundled models", ", ".join(model.name for model in list_bundled()))]
    value, why = f"missing or damaged: {join_names(list(broken))}", next(iter(broken.values()))
    command = "" if own else restore_command(*(f"assets/{name}" for name in broken))
    return [Finding(TOPIC, "Bundled models", value, REMARK, why, command)]


def _abbreviate(path: Path) -> str:
    """Return a path, where it is below the home folder as ~/..."""
    home = os.path.expanduser("~")
    return f"~{str(path)[len(home) :]}" if str(path).startswith(os.path.join(home, "")) else str(path)
