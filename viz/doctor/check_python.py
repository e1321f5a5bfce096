# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The doctor on Python, the packages, torch and the machine that it computes on."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from gan.files.format import format_bytes
from viz import invocation
from viz.doctor.finding import PACKAGES, PROBLEM, REMARK, Finding, install, listed
from viz.doctor.probe import Answer

# Packages in pyproject.toml -> what is imported of them. imgui-bundle before glfw, as in viz.display.offscreen.
MODULES = {
    "torch": "torch",
    "numpy": "numpy",
    "safetensors": "safetensors",
    "pillow": "PIL",
    "click": "click",
    "psutil": "psutil",
    "matplotlib": "matplotlib",
    "imgui-bundle": "imgui_bundle",
    "glfw": "glfw",
    "PyOpenGL": "OpenGL",
}
ONLY_FIGURES = "matplotlib"  # the one package that the window does without
LITTLE_MEMORY = 2**30  # bytes: the window with two bundled models takes about half of it
SHARED_OBJECT = re.compile(r"(lib[\w+-]+)\.so[\w.]*: cannot open shared object file")
TOPIC = "Python"


class Requirement(NamedTuple):
    """A package's version as pyproject.toml wants it: `relation` is ">=" or "=="; "" takes any."""

    relation: str
    version: str

    def met_by(self, version: str) -> bool:
        """Local labels (+cpu) do not count."""
        have, want = numbers(version), numbers(self.version)
        return not self.relation or (have == want if self.relation == "==" else have >= want)

    def __str__(self) -> str:
        return f"{self.version} or newer" if self.relation == ">=" else self.version


def numbers(version: str) -> tuple[int, ...]:
    """The release of a version as numbers, without zeros at its end: (2, 13) of 2.13.0+cu130."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    parts = [int(part) for part in found[0].split(".")] if found else []
    while parts and not parts[-1]:
        parts.pop()
    return tuple(parts)


def requirements(root: Path = invocation.ROOT) -> dict[str, Requirement]:
    """What each package in MODULES must be: from the checkout, else from what was installed, else anything."""
    wanted = dict.fromkeys(MODULES, Requirement("", ""))
    import importlib.metadata  # both here: older versions of Python do not have them
    import tomllib

    try:
        lines = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    except (OSError, ValueError, KeyError):
        try:
            lines = [line for line in importlib.metadata.requires("jinc") or [] if "extra" not in line]
        except importlib.metadata.PackageNotFoundError:
            lines = []
    for line in lines:
        found = re.match(r"([\w-]+)\s*(>=|==)\s*([\w.]+)", line)
        if found:
            wanted[found[1]] = Requirement(found[2], found[3])
    return wanted


def tested(root: Path = invocation.ROOT) -> dict[str, str]:
    """The version of each package, by its name in small letters, that Jinc was tested with, where that is known."""
    try:
        lines = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    pins = (line.partition("==") for line in lines if not line.startswith("#"))
    return {name.strip().lower(): version.strip() for name, equal, version in pins if equal}


def installed(names: Sequence[str] = tuple(MODULES)) -> dict[str, str]:
    """The versions of those packages that are installed, said without importing them."""
    import importlib.metadata  # here: Python 3.8 has it first

    found = {}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except Exception:  # PackageNotFoundError, or whatever half of a package makes of it
            continue
    return found


def providing(module: str) -> tuple[str, str]:
    """Name and version of the package that brings a module, said without importing it; "" twice where none does."""
    import importlib.metadata  # both here: older versions of Python do not have them
    import importlib.util

    try:
        if importlib.util.find_spec(module) is None:
            return "", ""
        (name, *_) = importlib.metadata.packages_distributions().get(module, [module])
        return name, installed([name]).get(name, "")
    except Exception:  # whatever half of a package makes of it
        return "", ""


def python(version: Sequence[int] = sys.version_info[:3], executable: str = sys.executable) -> Finding:
    value = f"{invocation.dotted(tuple(version))}, {invocation.nearby(executable)}"
    if tuple(version) >= invocation.OLDEST:
        return Finding(TOPIC, "Python", value)
    wanted = invocation.dotted(invocation.OLDEST)
    newer = {"win32": "winget install Python.Python.3.13", "darwin": "brew install python@3.13"}.get(sys.platform, "")
    why = f"Python {wanted} or newer is needed; make looks for one, installs what is missing and opens the window."
    if newer or not (invocation.ROOT / "Makefile").exists():
        why = f"Python {wanted} or newer is needed."
    return Finding(TOPIC, "Python", value, PROBLEM, why, newer or made() or "sudo apt install python3 python3-venv")


def made() -> str:
    """The command that installs everything in a checkout; "" where there is none."""
    if os.name == "nt" or not (invocation.ROOT / "Makefile").exists():
        return ""
    here = invocation.nearby(invocation.ROOT / "Makefile") == "Makefile"
    return "make run" if here else invocation.line("make", "-C", str(invocation.ROOT), "run")


def pip(*words: str) -> str:
    """A command that installs packages at the tested versions where these are known."""
    pins = invocation.ROOT / "constraints.txt"
    constraint = ("-c", invocation.nearby(pins)) if pins.exists() else ()
    return invocation.line(invocation.python(), "-m", "pip", "install", *constraint, *words)


def remedy(names: Sequence[str], wanted: Mapping[str, Requirement]) -> str:
    """The command that brings these packages at versions that fit."""
    if sys.prefix == sys.base_prefix and made():  # the system's own Python: packages belong into .venv
        return made()
    if (invocation.ROOT / "constraints.txt").exists():
        return pip(*names)
    return pip(*(f"{name}{wanted[name].relation}{wanted[name].version}" for name in names))


def packages(
    answer: Answer, have: Mapping[str, str], wanted: Mapping[str, Requirement], pins: Mapping[str, str]
) -> list[Finding]:
    """All packages but torch: one line if they are well, else one for each trouble."""
    names = [name for name in MODULES if name != "torch"]
    said = {name: answer.facts.get(f"import {name} error") for name in names}
    failed = {name: str(error) for name, error in said.items() if error}
    if answer.trouble and answer.step.startswith("import "):
        failed[answer.step.partition(" ")[2]] = f"it {answer.trouble}"
    missing = [name for name in names if name not in have and name in failed]
    unfit = [name for name in names if name in have and not wanted[name].met_by(have[name])]
    causes = {f"No module named {MODULES[name]!r}": name for name in failed}  # matplotlib fails where numpy does
    broken = [name for name in failed if name not in missing + unfit and causes.get(failed[name], name) == name]
    found = []
    if missing:
        found.append(
            Finding(
                TOPIC,
                "Packages",
                f"not installed: {listed(missing)}",
                _state(missing),
                _loss(missing),
                remedy(missing, wanted),
            )
        )
    for name in unfit:
        value = f"{have[name]}, and {wanted[name]} is needed"
        found.append(Finding(TOPIC, name, value, _state([name]), _loss([name]), remedy([name], wanted)))
    for name in broken:
        found.append(_broken(name, have[name], failed[name], _state([name])))
    if not found:
        others = [
            f"{name} {have[name]} (tested with {pins[name.lower()]})"
            for name in names
            if name in have and numbers(pins.get(name.lower(), have[name])) != numbers(have[name])
        ]
        value = ", ".join([f"{len(names)} packages{'' if others else ', all at the tested versions'}", *others])
        found.append(Finding(TOPIC, "Packages", value))
    return found


def _state(names: Sequence[str]) -> str:
    return REMARK if list(names) == [ONLY_FIGURES] else PROBLEM


def _loss(names: Sequence[str]) -> str:
    if list(names) == [ONLY_FIGURES]:
        return "Without it `spectra`, `sticking` and `inspect --plot` draw no figures; the window opens all the same."
    return "The window does not open without " + ("it." if len(names) == 1 else "them.")


def _broken(name: str, version: str, error: str, state: str) -> Finding:
    """A package that is there and cannot be imported."""
    library = SHARED_OBJECT.search(error)
    command = install(library[1]) if library and library[1] in PACKAGES else ""
    again = pip("--force-reinstall", "--no-deps", name)
    why = f"Importing it fails ({error.strip()[:300].rstrip('.')})."
    return Finding(TOPIC, name, f"{version}, cannot be imported", state, why, command or again)


def torch(
    answer: Answer, have: Mapping[str, str], wanted: Mapping[str, Requirement], pins: Mapping[str, str]
) -> Finding:
    """torch's version and build."""
    failed = str(answer.facts.get("error", "")) or (f"it {answer.trouble}" if answer.trouble else "")
    version = str(answer.facts.get("torch", have.get("torch", "")))
    if "torch" not in answer.facts and "torch" not in have:
        why = "Nothing can be drawn without it."
        if sys.platform.startswith("linux"):
            why = "Nothing can be drawn without it; README.md says how to get the CPU build instead of several GB."
        return Finding(TOPIC, "torch", "not installed", PROBLEM, why, remedy(["torch"], wanted))
    if not wanted["torch"].met_by(version):
        value = f"{version}, and {wanted['torch']} is needed"
        return Finding(TOPIC, "torch", value, PROBLEM, _loss(["torch"]), remedy(["torch"], wanted))
    if "torch" not in answer.facts:
        return _broken("torch", version, failed or "it said nothing", PROBLEM)
    build = next(
        (
            f"{kind} {answer.facts[key]} build"
            for key, kind in (("cuda", "CUDA"), ("hip", "ROCm"))
            if answer.facts.get(key)
        ),
        "CPU build",
    )
    pin = pins.get("torch", version)
    value = version.partition("+")[0] + ("" if numbers(pin) == numbers(version) else f" (tested with {pin})")
    return Finding(TOPIC, "torch", f"{value}, {build}")


# -- the machine ---------------------------------------------------------------------------------------------------


def nvidia() -> list[str]:
    """NVIDIA's GPUs as their driver lists them: "name, driver version". Empty without one."""
    program = shutil.which("nvidia-smi")
    if not program:
        return []
    try:
        asked = subprocess.run(
            [program, "--query-gpu=name,driver_version", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=20,
            errors="replace",
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [line.strip() for line in asked.stdout.splitlines() if line.strip()] if asked.returncode == 0 else []


def devices(answer: Answer, gpus: Sequence[str], environment: Mapping[str, str] = os.environ) -> Finding:
    """What torch can compute on. `gpus`: what NVIDIA's driver lists."""
    found = [f"{device} ({name})" for device, name in answer.facts.get("devices", [])]
    driver = gpus[0].rpartition(", ")[2] if gpus else ""
    value = ", ".join([*found, "CPU"]) + (f"; NVIDIA driver {driver}" if driver else "")
    if answer.trouble and answer.step == "devices":
        why = f"torch's search for GPUs {answer.trouble}, and so will the program unless they are hidden from it."
        return Finding("Machine", "Devices", value, PROBLEM, why, f"CUDA_VISIBLE_DEVICES= {invocation.command()}")
    if "torch" not in answer.facts or found or not gpus:
        return Finding("Machine", "Devices", value)
    gpu = gpus[0].rpartition(", ")[0]
    if not answer.facts.get("cuda"):
        command = pip("--force-reinstall", "torch") if sys.platform.startswith("linux") else ""
        why = f"There is an {gpu}, but torch's CPU build does not use it"
        return Finding(
            "Machine",
            "Devices",
            value,
            REMARK,
            f"{why}: take a CUDA build of torch (README.md, Installing without make).",
            command,
        )
    if environment.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        why = f"There is an {gpu}, but CUDA_VISIBLE_DEVICES hides it."
        return Finding("Machine", "Devices", value, REMARK, why, "unset CUDA_VISIBLE_DEVICES")
    warned = next(iter(answer.facts.get("warnings", [])), answer.facts.get("devices error", "torch does not say why"))
    newer = "sudo ubuntu-drivers install" if shutil.which("ubuntu-drivers") else "sudo apt install nvidia-driver"
    why = f"There is an {gpu}, but torch cannot use it ({str(warned)[:300].rstrip('.')}): a newer driver may help."
    return Finding("Machine", "Devices", value, REMARK, why, newer if shutil.which("apt") else "")


def processor(answer: Answer, cores: int, environment: Mapping[str, str] = os.environ) -> Finding:
    threads = int(answer.facts.get("threads", 0))
    limit = environment.get("OMP_NUM_THREADS", "")
    value = f"{cores} core{'s' if cores > 1 else ''}"
    if threads:
        value += f", torch uses {threads}" + (f" (OMP_NUM_THREADS={limit})" if limit else "")
    if threads and limit and 2 * threads < cores:
        why = f"OMP_NUM_THREADS lets torch use {threads} of {cores} cores."
        return Finding("Machine", "Processor", value, REMARK, why, "unset OMP_NUM_THREADS")
    return Finding("Machine", "Processor", value)


def memory(answer: Answer) -> list[Finding]:
    about = answer.facts.get("memory")
    if not about:
        return []
    value = f"{format_bytes(about['total'])}, {format_bytes(about['free'])} free"
    if about["free"] >= LITTLE_MEMORY:
        return [Finding("Machine", "Memory", value)]
    why = f"Less than {format_bytes(LITTLE_MEMORY)} is free, and larger models will be refused: close other programs."
    command = "ps aux --sort=-rss | head" if sys.platform.startswith("linux") else ""
    return [Finding("Machine", "Memory", value, REMARK, why, command)]


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
