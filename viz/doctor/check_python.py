# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Check Python, the packages, torch and the machine that it computes on."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from gan.files.format import format_bytes
from viz import invocation
from viz.doctor.finding import PACKAGES, PROBLEM, REMARK, Finding, as_clause, install_command, join_names
from viz.doctor.probe import Answer

# Packages in pyproject.toml -> what is imported of them. imgui-bundle before glfw, as in viz.display.offscreen.
MODULES = {
    "torch": "torch",
    "numpy": "numpy",
    "safetensors": "safetensors",
    "pillow": "PIL",
    "click": "click",
    "psutil": "psutil",
    "httpx": "httpx",
    "filelock": "filelock",
    "platformdirs": "platformdirs",
    "matplotlib": "matplotlib",
    "imgui-bundle": "imgui_bundle",
    "glfw": "glfw",
    "PyOpenGL": "OpenGL",
}
ONLY_FIGURES = "matplotlib"  # the one package that the window does without
LITTLE_MEMORY = 2**30  # bytes: the window with two bundled models takes about half of it
SHARED_OBJECT = re.compile(r"(lib[\w+-]+)\.so[\w.]*: cannot open shared object file")
CONFLICT = re.compile(r"(\S+) \S+ (?:requires (\S+), which is not|has requirement (.+), but you have \S+ (\S+)\.$)")
TOPIC, MACHINE = "Python", "Machine"


def read_pins(root: Path = invocation.ROOT) -> dict[str, str]:
    """Return the tested version of each package, by its name in small letters; none outside a checkout."""
    try:
        lines = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    pins = (line.partition("==") for line in lines if not line.startswith("#"))
    return {name.strip().lower(): version.strip() for name, equal, version in pins if equal}


def read_versions(names: Sequence[str] = tuple(MODULES)) -> dict[str, str]:
    """Return the versions of those packages that are installed, without importing them."""
    import importlib.metadata  # here: Python 3.8 has it first

    found = {}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except Exception:  # PackageNotFoundError, or any other where half of a package is there
            continue
    return found


def find_package(module: str) -> tuple[str, str]:
    """Return name and version of the package that brings a module, without importing it; "" twice where none does."""
    import importlib.metadata  # both here: older versions of Python do not have them
    import importlib.util

    try:
        if importlib.util.find_spec(module) is None:
            return "", ""
        (name, *_) = importlib.metadata.packages_distributions().get(module, [module])
        return name, read_versions([name]).get(name, "")
    except Exception:  # any, where half of a package is there
        return "", ""


def check_python(version: Sequence[int] = sys.version_info[:3], executable: str = sys.executable) -> Finding:
    """Report the Python that runs; a problem if it is too old."""
    value = f"{_format_version(version)}, {invocation.relative_path(executable)}"
    if tuple(version) >= invocation.OLDEST_PYTHON:
        return Finding(TOPIC, "Python", value)
    why = f"Python {_format_version(invocation.OLDEST_PYTHON)} or newer is needed"
    newer = {"win32": "winget install Python.Python.3.13", "darwin": "brew install python@3.13"}.get(sys.platform)
    if newer is None and make_command():
        newer = make_command()
        why += "; make looks for one, installs what is missing and opens the window"
    return Finding(TOPIC, "Python", value, PROBLEM, f"{why}.", newer or "sudo apt install python3 python3-venv")


def _format_version(version: Sequence[int]) -> str:
    return ".".join(map(str, version))


def make_command() -> str:
    """Return the command that installs everything in a checkout, "" where there is none."""
    if os.name == "nt" or not (invocation.ROOT / "Makefile").exists():
        return ""
    here = invocation.relative_path(invocation.ROOT / "Makefile") == "Makefile"
    return "make run" if here else invocation.quote_words("make", "-C", str(invocation.ROOT), "run")


def pip_command(*words: str) -> str:
    """Return a command that installs packages, at the tested versions where these are known."""
    pins = invocation.ROOT / "constraints.txt"
    constraint = ("-c", invocation.relative_path(pins)) if pins.exists() else ()
    return invocation.quote_words(invocation.python_command(), "-m", "pip", "install", *constraint, *words)


def packages_command(*names: str) -> str:
    """Return the command that installs Jinc's packages of these names at versions that fit."""
    if sys.prefix == sys.base_prefix and make_command():  # the system's own Python: packages belong into .venv
        return make_command()
    if (invocation.ROOT / "constraints.txt").exists():
        return pip_command(*names)
    return pip_command(*map(_read_requirement, names))


def _read_requirement(name: str) -> str:
    """Return what the installed Jinc requires of a package ("click>=8.5"), the name where that is not known."""
    import importlib.metadata

    try:
        lines = importlib.metadata.requires("jinc") or []
    except importlib.metadata.PackageNotFoundError:
        return name
    return next((line for line in lines if re.split(r"[^\w-]", line)[0].lower() == name.lower()), name)


def check_packages(answer: Answer, versions: Mapping[str, str], pins: Mapping[str, str]) -> list[Finding]:
    """Report all packages but torch: one line if they are well, else one for each trouble. `answer`: to "packages"."""
    names = [name for name in MODULES if name != "torch"]
    failed = {name: answer.facts[key] for name in names for key in [f"import {name} error"] if key in answer.facts}
    if answer.trouble and answer.step.startswith("import "):
        failed[answer.step.partition(" ")[2]] = f"it {answer.trouble}"
    missing = [name for name in failed if name not in versions]
    causes = {f"No module named {MODULES[name]!r}": name for name in failed}  # matplotlib fails where numpy does
    found = []
    if missing:
        value, command = f"not installed: {join_names(missing)}", packages_command(*missing)
        found.append(Finding(TOPIC, "Packages", value, *_describe_loss(missing), command))
    found += _check_conflicts(answer.facts.get("pip check", []))
    for name, error in failed.items():
        if name not in missing and causes.get(error, name) == name:
            found.append(_report_broken(name, versions[name], error))
    if found:
        return found
    others = [
        f"{name} {versions[name]} (tested with {pins[name.lower()]})"
        for name in names
        if name in versions and not _is_tested(name, versions[name], pins)
    ]
    value = ", ".join([f"{len(names)} packages{'' if others else ', all at the tested versions'}", *others])
    return [Finding(TOPIC, "Packages", value)]


def _check_conflicts(lines: Sequence[str]) -> list[Finding]:
    """Report the lines of `pip check` that are about Jinc or its packages: others may have their Python to share."""
    found = []
    own = {name.lower(): name for name in MODULES}
    for owner, absent, requirement, version in (match.groups() for match in map(CONFLICT.match, lines) if match):
        name = absent or re.split(r"[^\w.-]", requirement)[0].lower()
        if owner.lower() not in ("jinc", *own) or absent in own:  # what is not installed does not import either
            continue
        value = f"{owner} needs {requirement or name}, and {f'{version} is' if version else 'it is not'} installed"
        state = _describe_loss([own.get(name, name)])[0] if owner == "jinc" else REMARK
        command = packages_command(own[name]) if name in own else pip_command(requirement or name)
        found.append(Finding(TOPIC, own.get(name, name), value, state, "It may fail at any point otherwise.", command))
    return found


def _is_tested(name: str, version: str, pins: Mapping[str, str]) -> bool:
    """Return whether a version is the tested one, or none is known; local labels (+cpu) do not count."""
    version = version.partition("+")[0]
    return pins.get(name.lower(), version) == version


def _describe_loss(names: Sequence[str]) -> tuple[str, str]:
    """Return the state of a finding about these packages, and what does not work without them."""
    if list(names) == [ONLY_FIGURES]:
        why = "Without it `spectra`, `sticking` and `inspect --plot` draw no figures; the window opens all the same."
        return REMARK, why
    return PROBLEM, "The window does not open without " + ("it." if len(names) == 1 else "them.")


def _report_broken(name: str, version: str, error: str) -> Finding:
    """Report a package that is installed and cannot be imported."""
    library = SHARED_OBJECT.search(error)
    command = install_command(library[1]) if library and library[1] in PACKAGES else ""
    again = pip_command("--force-reinstall", "--no-deps", name)
    why = f"Importing it fails ({as_clause(error)})."
    return Finding(TOPIC, name, f"{version}, cannot be imported", _describe_loss([name])[0], why, command or again)


def check_torch(answer: Answer, versions: Mapping[str, str], pins: Mapping[str, str]) -> Finding:
    """Report torch's version and build. `answer`: to "torch"."""
    facts = answer.facts
    if "torch" not in facts and "torch" not in versions:
        why = "Nothing can be drawn without it"
        if sys.platform.startswith("linux"):
            why += "; docs/install.md says how to get the CPU build instead of several GB"
        return Finding(TOPIC, "torch", "not installed", PROBLEM, f"{why}.", packages_command("torch"))
    if "torch" not in facts:
        error = facts.get("error") or f"it {answer.trouble or 'said nothing'}"
        return _report_broken("torch", versions["torch"], str(error))
    version = str(facts["torch"])
    value = version.partition("+")[0] + (
        "" if _is_tested("torch", version, pins) else f" (tested with {pins['torch']})"
    )
    build = next((f"{kind} {facts[key]}" for key, kind in (("cuda", "CUDA"), ("hip", "ROCm")) if facts.get(key)), "CPU")
    return Finding(TOPIC, "torch", f"{value}, {build} build")


def check_devices(answer: Answer, gpus: Sequence[str], environment: Mapping[str, str] = os.environ) -> Finding:
    """Report what torch can compute on. `answer`: to "torch". `gpus`: "name, version" as NVIDIA's driver lists them."""
    found = [f"{device} ({name})" for device, name in answer.facts.get("devices", [])]
    gpu, _, driver = gpus[0].rpartition(", ") if gpus else ("", "", "")
    value = ", ".join([*found, "CPU"]) + (f"; NVIDIA driver {driver}" if driver else "")
    if answer.trouble and answer.step == "devices":
        why = f"torch's search for GPUs {answer.trouble}, and so will the program unless they are hidden from it."
        command = f"CUDA_VISIBLE_DEVICES= {invocation.format_command()}"
        return Finding(MACHINE, "Devices", value, PROBLEM, why, command)
    if "torch" not in answer.facts or found or not gpus:
        return Finding(MACHINE, "Devices", value)
    why = f"There is an {gpu}, but "
    if not answer.facts.get("cuda"):
        why += "torch's CPU build does not use it: take a CUDA build of torch (docs/install.md)."
        command = pip_command("--force-reinstall", "torch") if sys.platform.startswith("linux") else ""
    elif environment.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        why, command = f"{why}CUDA_VISIBLE_DEVICES hides it.", "unset CUDA_VISIBLE_DEVICES"
    else:
        warnings = answer.facts.get("warnings") or [answer.facts.get("devices error", "torch does not say why")]
        why += f"torch cannot use it ({as_clause(warnings[0])}): a newer driver may help."
        newer = "sudo ubuntu-drivers install" if shutil.which("ubuntu-drivers") else "sudo apt install nvidia-driver"
        command = newer if shutil.which("apt") else ""
    return Finding(MACHINE, "Devices", value, REMARK, why, command)


def check_processor(answer: Answer, cores: int, environment: Mapping[str, str] = os.environ) -> Finding:
    """Report the cores that this process may use and torch's threads; a remark where a variable limits these."""
    threads = int(answer.facts.get("threads", 0))
    limit = environment.get("OMP_NUM_THREADS", "")
    value = f"{cores} core{'s' if cores > 1 else ''}"
    if threads:
        value += f", torch uses {threads}" + (f" (OMP_NUM_THREADS={limit})" if limit else "")
    if not (limit and 0 < 2 * threads < cores):
        return Finding(MACHINE, "Processor", value)
    why = f"OMP_NUM_THREADS lets torch use {threads} of {cores} cores."
    return Finding(MACHINE, "Processor", value, REMARK, why, "unset OMP_NUM_THREADS")


def check_memory(answer: Answer) -> list[Finding]:
    """Report the memory and how much of it is free. `answer`: to "torch"."""
    if "memory" not in answer.facts:
        return []
    free, total = answer.facts["memory"]["free"], answer.facts["memory"]["total"]
    value = f"{format_bytes(total)}, {format_bytes(free)} free"
    if free >= LITTLE_MEMORY:
        return [Finding(MACHINE, "Memory", value)]
    why = f"Less than {format_bytes(LITTLE_MEMORY)} is free, and larger models will be refused: close other programs."
    command = "ps aux --sort=-rss | head" if sys.platform.startswith("linux") else ""
    return [Finding(MACHINE, "Memory", value, REMARK, why, command)]


def count_cores() -> int:
    """Return the number of processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
