# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The doctor's checks: simulated trouble of every kind is found, explained, and answered by a command."""

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.doctors import HAVE, LINUX, PINS, POSIX, ROOT, answer, in_venv, manager, rows, the

from viz import invocation
from viz.doctor import check_display, check_kernels, check_python, probe_child
from viz.doctor import report as doctor
from viz.doctor.finding import OK, PROBLEM, REMARK, Finding
from viz.doctor.probe import Answer


@pytest.fixture
def venv(monkeypatch: pytest.MonkeyPatch) -> str:
    return in_venv(monkeypatch)


@pytest.fixture
def apt(monkeypatch: pytest.MonkeyPatch) -> None:
    manager(monkeypatch, "apt")


# -- Python, packages, torch ---------------------------------------------------------------------------------------


def test_an_old_python_is_the_only_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    old = check_python.check_python((3, 10, 4), "/usr/bin/python3")
    assert old.state == PROBLEM and "3.11 or newer" in old.explanation and old.command
    assert old.value == "3.10.4, /usr/bin/python3"
    assert check_python.check_python((3, 11, 0)).state == OK
    monkeypatch.setattr(check_python, "check_python", lambda: old)
    monkeypatch.setattr(doctor, "ask", lambda *_: pytest.fail("nothing else of ours would run"))
    report = doctor.examine()
    assert (report.findings, report.runs, report.status) == ((old,), "no", 1)


def test_the_list_of_packages_is_that_of_the_project() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    block = text.partition("\ndependencies = [\n")[2].partition("\n]")[0]
    assert set(re.findall(r'^ +"([\w-]+)', block, re.MULTILINE)) == set(check_python.MODULES)
    assert set(HAVE) == set(check_python.MODULES), "constraints.txt has each"


def packages(asked: Answer, have: dict[str, str] = HAVE) -> list[Finding]:
    return check_python.check_packages(asked, have, PINS)


def without(*names: str) -> dict[str, str]:
    return {name: version for name, version in HAVE.items() if name not in names}


@POSIX
def test_missing_packages_are_installed_at_the_tested_versions(venv: str) -> None:
    (well,) = packages(answer())
    assert well.state == OK and "tested" in well.value
    lost = {"numpy": "numpy", "matplotlib": "numpy", "glfw": "glfw"}
    asked = Answer({f"import {name} error": f"No module named '{cause}'" for name, cause in lost.items()})
    (missing,) = packages(asked, without("numpy", "glfw"))
    assert missing.state == PROBLEM and missing.value == "not installed: numpy and glfw"
    assert missing.command == f"{venv} -m pip install -c constraints.txt numpy glfw"
    figures = packages(Answer({"import matplotlib error": "No module named 'matplotlib'"}), without("matplotlib"))
    assert the(figures, "Packages").state == REMARK, "the window opens without figures"


@POSIX
def test_a_python_that_is_not_ours_is_told_to_make(venv: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    asked = Answer({"import click error": "No module named 'click'"})
    assert the(packages(asked, without("click")), "Packages").command == "make run"
    monkeypatch.chdir(tmp_path)
    assert the(packages(asked, without("click")), "Packages").command == f"make -C {ROOT} run"
    monkeypatch.setattr(invocation, "ROOT", tmp_path)  # installed, without a checkout
    command = the(packages(asked, without("click")), "Packages").command
    assert command.endswith("-m pip install 'click>=8.5'")


@POSIX
def test_a_wrong_version_is_replaced(venv: str) -> None:
    lines = [
        "jinc 0.1.0 has requirement imgui-bundle==1.93.0, but you have imgui-bundle 1.92.5.",
        "jinc 0.1.0 has requirement torch>=2.11, but you have torch 2.9.0.",
        "jinc 0.1.0 has requirement matplotlib>=3.10, but you have matplotlib 3.9.",
        "jinc 0.1.0 requires pyopengl, which is not installed.",
        "torch 2.13.0 requires jinja2, which is not installed.",
        "httpx 0.28.1 has requirement idna>=3, but you have idna 2.10.",
        "pandas 2.2.0 has requirement numpy<2, but you have numpy 2.4.6.",
        "odd 1.0 is not supported on this platform",
    ]
    found = packages(Answer({"pip check": lines}))
    install = f"{venv} -m pip install -c constraints.txt"
    assert [(one.title, one.state, one.value, one.command) for one in found] == [
        (
            "imgui-bundle",
            PROBLEM,
            "jinc needs imgui-bundle==1.93.0, and 1.92.5 is installed",
            f"{install} imgui-bundle",
        ),
        ("torch", PROBLEM, "jinc needs torch>=2.11, and 2.9.0 is installed", f"{install} torch"),
        ("matplotlib", REMARK, "jinc needs matplotlib>=3.10, and 3.9 is installed", f"{install} matplotlib"),
        ("jinja2", REMARK, "torch needs jinja2, and it is not installed", f"{install} jinja2"),
        ("idna", REMARK, "httpx needs idna>=3, and 2.10 is installed", f"{install} 'idna>=3'"),
    ], "others' packages are not ours to judge, and what is missing does not import either"
    (untested,) = packages(answer(), {**HAVE, "numpy": "2.1.0"})
    assert untested.state == OK and f"numpy 2.1.0 (tested with {PINS['numpy']})" in untested.value


@LINUX
def test_a_package_that_does_not_load_is_explained(venv: str, apt: None) -> None:
    error = "libX11.so.6: cannot open shared object file: No such file or directory"
    (library,) = packages(Answer({"import imgui-bundle error": error}))
    assert library.title == "imgui-bundle" and error in library.explanation
    assert library.command == "sudo apt install libx11-6"
    (crash,) = packages(answer("was ended by SIGILL", "import numpy"))
    assert crash.state == PROBLEM and "SIGILL" in crash.explanation
    assert crash.command == f"{venv} -m pip install -c constraints.txt --force-reinstall --no-deps numpy"


@POSIX
def test_torch_missing_old_broken_and_well(venv: str) -> None:
    def torch(asked: Answer, have: dict[str, str] = HAVE) -> Finding:
        return check_python.check_torch(asked, have, PINS)

    gone = torch(answer(error="No module named 'torch'", step="import torch"), without("torch"))
    assert gone.state == PROBLEM and gone.value == "not installed"
    assert gone.command == f"{venv} -m pip install -c constraints.txt torch"
    crashed = torch(answer("was ended by SIGILL", "import torch"))
    assert crashed.state == PROBLEM and "(it was ended by SIGILL)." in crashed.explanation
    hidden = torch(answer(error="No module named 'torch'"))
    assert "--force-reinstall" in hidden.command and "cannot be imported" in hidden.value
    assert torch(answer(torch="2.13.0+cu130", cuda="13.0")).value == "2.13.0, CUDA 13.0 build"
    assert torch(answer(torch="2.12.0")).value == "2.12.0 (tested with 2.13.0), CPU build"


@LINUX
def test_a_gpu_that_torch_does_not_use_is_a_remark(monkeypatch: pytest.MonkeyPatch, venv: str, apt: None) -> None:
    gpus = ["NVIDIA H100 80GB HBM3, 580.65.06"]
    used = check_python.check_devices(
        answer(torch="2.13.0", cuda="13.0", devices=[["cuda:0", "H100, 80 GiB"]]), gpus, {}
    )
    assert used.state == OK and used.value == "cuda:0 (H100, 80 GiB), CPU; NVIDIA driver 580.65.06"
    plain = check_python.check_devices(answer(torch="2.13.0+cpu", devices=[]), gpus, {})
    assert plain.state == REMARK and "CPU build" in plain.explanation
    assert plain.command.endswith("pip install -c constraints.txt --force-reinstall torch")
    built = answer(torch="2.13.0", cuda="13.0", devices=[], warnings=["The NVIDIA driver is too old (found 12020)."])
    hidden = check_python.check_devices(built, gpus, {"CUDA_VISIBLE_DEVICES": ""})
    assert hidden.command == "unset CUDA_VISIBLE_DEVICES"
    old = check_python.check_devices(built, gpus, {})
    assert old.state == REMARK and "too old (found 12020)" in old.explanation
    crash = check_python.check_devices(answer("was ended by SIGSEGV", "devices", torch="2.13.0"), [], {})
    assert crash.state == PROBLEM and crash.command.startswith("CUDA_VISIBLE_DEVICES= ")
    assert check_python.check_devices(answer(torch="2.13.0", devices=[]), [], {}).state == OK


def test_nvidia_smi_may_fail_or_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_child.shutil, "which", lambda program: program)
    said = SimpleNamespace(returncode=0, stdout="NVIDIA H100, 580.65\n")
    monkeypatch.setattr(probe_child.subprocess, "run", lambda *_, **__: said)
    assert probe_child.run_command("nvidia-smi") == ["NVIDIA H100, 580.65"]
    said.returncode = 9
    assert probe_child.run_command("nvidia-smi") == []
    assert probe_child.run_command("pip", accepted=(0, 9)) == ["NVIDIA H100, 580.65"]

    def hang(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("nvidia-smi", 20)

    monkeypatch.setattr(probe_child.subprocess, "run", hang)
    assert probe_child.run_command("nvidia-smi") == []
    monkeypatch.setattr(probe_child.shutil, "which", lambda _: None)
    assert probe_child.run_command("nvidia-smi") == [], "it was not started"


def test_threads_and_memory() -> None:
    limited = check_python.check_processor(answer(threads=1), 8, {"OMP_NUM_THREADS": "1"})
    assert limited.state == REMARK and limited.command == "unset OMP_NUM_THREADS"
    assert check_python.check_processor(answer(threads=1), 2, {"OMP_NUM_THREADS": "1"}).state == OK
    assert check_python.check_processor(answer(), 8, {}).value == "8 cores"
    (little,) = check_python.check_memory(answer(memory={"total": 2**33, "free": 2**29}))
    assert little.state == REMARK and little.value == "8.0 GiB, 512 MiB free"
    (enough,) = check_python.check_memory(answer(memory={"total": 2**33, "free": 2**32}))
    assert enough.state == OK and check_python.check_memory(answer()) == []


# -- display -------------------------------------------------------------------------------------------------------


@LINUX
def test_no_display_is_a_remark_with_a_reason(apt: None) -> None:
    none = answer(step="display", display=False)
    for environment, word, command in (
        ({}, "DISPLAY is not set", "render --model t"),
        ({"DISPLAY": ":9"}, "No X server answers at :9", "render --model t"),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "XWayland", "sudo apt install xwayland"),
        ({"SSH_CONNECTION": "1.2.3.4"}, "`ssh -X`", "render --model t"),
    ):
        found = check_display.check_screen(none, environment)
        assert found.state == REMARK and word in found.explanation and command in found.command
    there = check_display.check_screen(answer(step="context", display=True), {"DISPLAY": ":0"})
    assert (there.state, there.value) == (OK, ":0")
    assert check_display.check_window(none, False, True) == []


@LINUX
def test_opengl_that_fails_crashes_hangs_or_works_in_software(apt: None, venv: str) -> None:
    noise = ("libGL error: failed to load driver: swrast", "Glfw Error 65543: GLX: Failed to create context")
    failed = answer(step="context", display=True, error="RuntimeError: IM_ASSERT", noise=noise)
    (nowhere,) = check_display.check_window(failed, False, False)
    assert nowhere.state == PROBLEM and "(GLX: Failed to create context)" in nowhere.explanation
    assert nowhere.command == "sudo apt install libegl1 libgl1 libgles2 libgl1-mesa-dri"
    (only,) = check_display.check_window(failed, False, True)
    assert only.state == PROBLEM and "render --model t" in only.command
    (saved,) = check_display.check_window(failed, True, True)
    assert saved.state == PROBLEM and saved.command == f"LIBGL_ALWAYS_SOFTWARE=1 {venv} visualizer.py"
    crashed = check_display.check_offscreen(answer("was ended by SIGSEGV", "context"), False, False)
    assert (crashed.value, crashed.state) == ("crashes", PROBLEM) and "ended by SIGSEGV" in crashed.explanation
    hung = check_display.check_offscreen(answer("did not answer within 30 s", "context"), False, True)
    assert (hung.value, hung.state) == ("hangs", REMARK) and "within 30 s" in hung.explanation
    untried = check_display.check_offscreen(answer(step="import", error="No module named 'glfw'"), False, False)
    assert (untried.value, untried.state) == ("not tried", REMARK)


def test_a_gpu_that_may_not_be_used_is_a_remark(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = answer(display=True, drawn=True, renderer="llvmpipe (LLVM 15)", version="4.5 (Core Profile) Mesa 22.3.6")
    monkeypatch.setattr(check_display.glob, "glob", lambda _: ["/dev/dri/renderD128"])
    monkeypatch.setattr(check_display.os, "access", lambda *_: False)
    monkeypatch.setattr(check_display, "_find_group", lambda _: "render")
    (found,) = check_display.check_window(drawn, False, True)
    assert found.state == REMARK and found.command == 'sudo usermod -aG render "$USER"'
    monkeypatch.setattr(check_display.os, "access", lambda *_: True)
    (found,) = check_display.check_window(drawn, False, True)
    assert found.state == OK and found.value == "llvmpipe (LLVM 15), OpenGL 4.5 Mesa 22.3.6"


@pytest.mark.parametrize(
    ("program", "command"),
    [
        ("apt", "sudo apt install libegl1 libgl1 libgles2 libgl1-mesa-dri"),
        ("dnf", "sudo dnf install mesa-libEGL mesa-libGL libglvnd-gles mesa-dri-drivers"),
        ("pacman", "sudo pacman -S libglvnd mesa"),
        ("unknown", ""),
    ],
)
def test_missing_libraries_name_their_packages(monkeypatch: pytest.MonkeyPatch, program: str, command: str) -> None:
    manager(monkeypatch, program)
    asked = answer(step="context", error="EGL: Library not found")
    found = check_display.check_offscreen(asked, False, has_window=False)
    assert found.state == PROBLEM and "Library not found" in found.explanation and found.command == command
    assert check_display.check_offscreen(asked, False, has_window=True).state == REMARK
    if program == "apt":
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        found = check_display.check_offscreen(asked, False, has_window=False)
        assert found.command == command.removeprefix("sudo ")


def test_fonts_and_file_dialogs(apt: None, monkeypatch: pytest.MonkeyPatch) -> None:
    (found,) = check_display.check_fonts(answer(fonts={"missing": [], "cjk": ""}))
    assert found.state == REMARK and found.command == "sudo apt install fonts-noto-cjk"
    (found,) = check_display.check_fonts(answer(fonts={"missing": [], "cjk": "fonts/NotoSansCJK-Regular.ttc"}))
    assert found.state == OK and "NotoSansCJK" in found.value
    (found,) = check_display.check_fonts(answer(fonts={"missing": ["fonts/Roboto.ttf"], "cjk": ""}))
    assert found.state == PROBLEM and found.command.endswith("--no-deps imgui-bundle")
    monkeypatch.setattr(check_display, "LINUX", True)
    (found,) = check_display.check_file_dialog(True)
    assert found.state == REMARK and found.command == "sudo apt install zenity"
    assert check_display.check_file_dialog(False) == [], "nobody will ask for a file"
    monkeypatch.setattr(check_display.shutil, "which", lambda program: program if program == "kdialog" else None)
    assert check_display.check_file_dialog(True)[0].value == "kdialog"


# -- operators -----------------------------------------------------------------------------------------------------


def test_operators_say_what_runs_and_why_nothing_faster(apt: None) -> None:
    def operators(*kernels: list[str], **environment: str) -> list[Finding]:
        return check_kernels.check_operators(answer(kernels=[*kernels]), environment)

    (fast,) = operators(*rows("C++ (avx2)", "C++ kernels (avx2) run, compiled on this machine by c++."))
    assert (fast.state, fast.value) == (OK, "C++ kernels (avx2) run, compiled on this machine by c++")
    (slow,) = operators(*rows("reference", "The torch reference runs, because no C++ compiler was found."))
    assert slow.state == REMARK and slow.value == "reference" and slow.command == "sudo apt install g++"
    (off,) = operators(*rows("reference", "... switched off by JINC_CPU_KERNELS."), JINC_CPU_KERNELS="off")
    wrong = operators(*rows("C++ (avx2)", "...; JINC_CPU_KERNELS is avx9, but ..."), JINC_CPU_KERNELS="avx9")[0]
    named = operators(*rows("C++ (avx2)", "... from the file that JINC_CPU_KERNELS names."), JINC_CPU_KERNELS="a.so")[0]
    assert (off.state, wrong.state, named.state) == (REMARK, REMARK, OK)
    assert off.command == wrong.command == ("set JINC_CPU_KERNELS=" if os.name == "nt" else "unset JINC_CPU_KERNELS")
    (other,) = operators(*rows("C++ (avx2)", "...; $CXX (icc) was not found."), CXX="icc")
    assert other.state == REMARK and "CXX" in other.command
    both = operators(*rows("C++ (avx2)", "Fast."), *rows("CUDA (sm_90)", "CUDA kernels run.", "cuda"))
    assert [(one.title, one.state, one.value) for one in both] == [
        ("CPU", OK, "Fast"),
        ("CUDA", OK, "CUDA kernels run"),
    ]
    (_, lacking) = operators(*rows("C++", "Fast."), *rows("reference", "... the package cuda-core ...", "cuda"))
    assert lacking.state == REMARK and lacking.command.endswith("-m pip install -U cuda-core")
    (_, unused) = operators(*rows("C++", "Fast."), *rows("reference", "... by JINC_CUDA_KERNELS.", "cuda"))
    assert unused.state == REMARK and unused.command.endswith(("unset JINC_CUDA_KERNELS", "set JINC_CUDA_KERNELS="))
    assert operators(*rows("reference", "There are no kernels for mps yet.", "mps"))[0].state == OK
    mixed = rows("C++ (avx2)", "Some.")
    mixed[0][2] = "reference"
    assert operators(*mixed)[0].value == "reference for bias_act; C++ (avx2) for upfirdn2d and filtered_lrelu"


def test_operators_that_could_not_be_asked() -> None:
    assert check_kernels.check_operators(answer(error="No module named 'torch'"), {}) == []
    (failed,) = check_kernels.check_operators(answer(kernels_error="ValueError: odd"), {})
    assert failed.state == REMARK and "ValueError: odd" in failed.explanation
    (crashed,) = check_kernels.check_operators(answer("was ended by SIGILL", "kernels"), {})
    assert crashed.state == PROBLEM and "was ended by SIGILL" in crashed.explanation
    assert f"{check_kernels.SWITCH}=off" in crashed.command
