# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Check Python, the packages, torch and the devices that it computes on."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence

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
SHARED_OBJECT = re.compile(r"(lib[\w+-]+)\.so[\w.]*: cannot open shared object file")
CONFLICT = re.compile(r"(\S+) \S+ (?:requires (\S+), which is not installed|has requirement (.+), but you have .+)\.$")
TOPIC = "Python"


def read_version(package: str) -> str:
    """Return the version of a package without importing it, "" where it is not installed."""
    try:
        import importlib.metadata  # here: Python 3.8 has it first

        return importlib.metadata.version(package)
    except Exception:  # PackageNotFoundError, or any other where half of a package is there
        return ""


def find_package(module: str) -> tuple[str, str]:
    """Return name and version of the package that brings a module, without importing it; "" twice where none does."""
    try:
        import importlib.metadata  # here, too

        (name, *_) = importlib.metadata.packages_distributions()[module]
    except Exception:  # KeyError, or any other where half of a package is there
        return "", ""
    return name, read_version(name)


def check_python(version: Sequence[int] = sys.version_info[:3], executable: str = sys.executable) -> Finding:
    """Report the Python that runs; a problem if it is too old."""
    found, oldest = (".".join(map(str, numbers)) for numbers in (version, invocation.OLDEST_PYTHON))
    value = f"{found}, {invocation.relative_path(executable)}"
    if tuple(version) >= invocation.OLDEST_PYTHON:
        return Finding(TOPIC, "Python", value)
    why = f"Python {oldest} or newer is needed"
    newer = {"win32": "winget install Python.Python.3.13", "darwin": "brew install python@3.13"}.get(sys.platform)
    if newer is None and make_command():
        newer = make_command()
        why += "; make looks for one, installs what is missing and opens the window"
    return Finding(TOPIC, "Python", value, PROBLEM, f"{why}.", newer or "sudo apt install python3 python3-venv")


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


def packages_command(*requirements: str) -> str:
    """Return the command that installs these of Jinc's packages at versions that fit."""
    if sys.prefix == sys.base_prefix and make_command():  # the system's own Python: packages belong into .venv
        return make_command()
    is_checkout = (invocation.ROOT / "constraints.txt").exists()
    return pip_command(*(requirements if is_checkout else ("jinc",)))  # pip adds what jinc requires and lacks


def check_packages(answer: Answer) -> list[Finding]:
    """Report all packages but torch: one line if they are well, else one for each trouble. `answer`: to "packages"."""
    names = [name for name in MODULES if name != "torch"]
    failed = {name: answer.facts[key] for name in names for key in [f"import {name} error"] if key in answer.facts}
    if answer.trouble and answer.step.startswith("import "):
        failed[answer.step.partition(" ")[2]] = f"it {answer.trouble}"
    missing = [name for name in failed if not read_version(name)]
    causes = {f"No module named {MODULES[name]!r}": name for name in failed}  # matplotlib fails where numpy does
    found = []
    if missing:
        value, command = f"not installed: {join_names(missing)}", packages_command(*missing)
        found.append(Finding(TOPIC, "Packages", value, *_describe_loss(missing), command))
    found += _check_conflicts(answer.facts.get("pip check", []))
    for name, error in failed.items():
        if name not in missing and causes.get(error, name) == name:
            found.append(_report_broken(name, error))
    return found or [Finding(TOPIC, "Packages", f"{len(names)}, all at versions that fit")]


def _check_conflicts(lines: Sequence[str]) -> list[Finding]:
    """Report the lines of `pip check` that are about Jinc or its packages: others may have their Python to share."""
    found = []
    own = {name.lower(): name for name in MODULES}
    for match in filter(None, map(CONFLICT.match, lines)):
        owner, absent, requirement = match.groups()
        name = absent or re.split(r"[^\w.-]", requirement)[0].lower()
        if owner.lower() not in ("jinc", *own) or absent in own:  # what is not installed does not import either
            continue
        title, state = own.get(name, name), REMARK
        if owner == "jinc":
            state, _ = _describe_loss([title])
        command = packages_command(requirement) if name in own else pip_command(requirement or name)
        found.append(Finding(TOPIC, title, match[0][:-1], state, "It may fail at any point otherwise.", command))
    return found


def _describe_loss(names: Sequence[str]) -> tuple[str, str]:
    """Return the state of a finding about these packages, and what does not work without them."""
    if list(names) == [ONLY_FIGURES]:
        why = "Without it `spectra`, `sticking` and `inspect --plot` draw no figures; the window opens all the same."
        return REMARK, why
    return PROBLEM, "The window does not open without " + ("it." if len(names) == 1 else "them.")


def _report_broken(name: str, error: str) -> Finding:
    """Report a package that is installed and cannot be imported."""
    library = SHARED_OBJECT.search(error)
    command = install_command(library[1]) if library and library[1] in PACKAGES else ""
    again = pip_command("--force-reinstall", "--no-deps", name)
    why, value = f"Importing it fails ({as_clause(error)}).", f"{read_version(name)}, cannot be imported"
    return Finding(TOPIC, name, value, _describe_loss([name])[0], why, command or again)


def check_torch(answer: Answer) -> Finding:
    """Report torch's version and build. `answer`: to "torch"."""
    facts = answer.facts
    if "torch" in facts:
        kinds = (("cuda", "CUDA"), ("hip", "ROCm"))
        build = next((f"{kind} {facts[key]}" for key, kind in kinds if facts.get(key)), "CPU")
        return Finding(TOPIC, "torch", f"{facts['torch'].partition('+')[0]}, {build} build")
    if read_version("torch"):
        return _report_broken("torch", str(facts.get("error") or f"it {answer.trouble or 'said nothing'}"))
    why = "Nothing can be drawn without it"
    if sys.platform.startswith("linux"):
        why += "; docs/install.md says how to get the CPU build instead of several GB"
    return Finding(TOPIC, "torch", "not installed", PROBLEM, f"{why}.", packages_command("torch"))


def check_devices(answer: Answer, environment: Mapping[str, str] = os.environ) -> Finding:
    """Report what torch can compute on, and why not on an NVIDIA GPU that is there. `answer`: to "torch"."""
    facts = answer.facts
    devices = [f"{device} ({name})" for device, name in facts.get("devices", [])]
    value = ", ".join([*devices, "CPU"])
    if answer.trouble and answer.step == "devices":
        why = f"torch's search for GPUs {answer.trouble}, and so will the program unless they are hidden from it."
        command = f"CUDA_VISIBLE_DEVICES= {invocation.format_command()}"
        return Finding(TOPIC, "Devices", value, PROBLEM, why, command)
    if devices or not facts.get("gpus"):
        return Finding(TOPIC, "Devices", value)
    why = f"There is a GPU ({facts['gpus'].splitlines()[0]}), but "
    if not facts.get("cuda"):
        why += "torch's CPU build does not use it: take a CUDA build of torch (docs/install.md)."
        command = pip_command("--force-reinstall", "torch") if sys.platform.startswith("linux") else ""
    elif environment.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        why, command = f"{why}CUDA_VISIBLE_DEVICES hides it.", "unset CUDA_VISIBLE_DEVICES"
    else:
        warnings = facts.get("warnings") or [facts.get("devices error", "torch does not say why")]
        why += f"torch cannot use it ({as_clause(warnings[0])}): a newer driver may help."
        newer = "sudo ubuntu-drivers install" if shutil.which("ubuntu-drivers") else "sudo apt install nvidia-driver"
        command = newer if shutil.which("apt") else ""
    return Finding(TOPIC, "Devices", value, REMARK, why, command)
