# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The doctor's checks: simulated trouble of every kind is found, explained, and answered by a command."""

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.doctors import HAVE, LINUX, POSIX, ROOT, answer, in_venv, manager, rows, the

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


def packages(asked: Answer, *missing: str) -> list[Finding]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(check_python, "read_version", lambda name: "" if name in missing else HAVE[name])
        return check_python.check_packages(asked)


@POSIX
def test_missing_packages_are_installed_at_the_tested_versions(venv: str) -> None:
    (well,) = packages(answer())
    assert well.state == OK and well.value.startswith(f"{len(HAVE) - 1}, all at versions")
    lost = {"numpy": "numpy", "matplotlib": "numpy", "glfw": "glfw"}
    asked = Answer({f"import {name} error": f"No module named '{cause}'" for name, cause in lost.items()})
    (missing,) = packages(asked, "numpy", "glfw")
    assert missing.state == PROBLEM and missing.value == "not installed: numpy and glfw"
    assert missing.command == f"{venv} -m pip install -c constraints.txt numpy glfw"
    figures = packages(Answer({"import matplotlib error": "No module named 'matplotlib'"}), "matplotlib")
    assert the(figures, "Packages").state == REMARK, "the window opens without figures"


@POSIX
def test_a_python_that_is_not_ours_is_told_to_make(venv: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    asked = Answer({"import click error": "No module named 'click'"})
    assert the(packages(asked, "click"), "Packages").command == "make run"
    monkeypatch.chdir(tmp_path)
    assert the(packages(asked, "click"), "Packages").command == f"make -C {ROOT} run"
    monkeypatch.setattr(invocation, "ROOT", tmp_path)  # installed, without a checkout
    command = the(packages(asked, "click"), "Packages").command
    assert command.endswith("-m pip install jinc"), "which adds what it requires and lacks"


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
    assert [(one.title, one.state, one.command) for one in found] == [
        ("imgui-bundle", PROBLEM, f"{install} imgui-bundle==1.93.0"),
        ("torch", PROBLEM, f"{install} 'torch>=2.11'"),
        ("matplotlib", REMARK, f"{install} 'matplotlib>=3.10'"),
        ("jinja2", REMARK, f"{install} jinja2"),
        ("idna", REMARK, f"{install} 'idna>=3'"),
    ], "others' packages are not ours to judge, and what is missing does not import either"
    assert [f"{one.value}." for one in found] == [*lines[:3], *lines[4:6]]


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
    def torch(asked: Answer, version: str = "2.13.0") -> Finding:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(check_python, "read_version", lambda _: version)
            return check_python.check_torch(asked)

    gone = torch(answer(error="No module named 'torch'", step="import torch"), "")
    assert gone.state == PROBLEM and gone.value == "not installed"
    assert gone.command == f"{venv} -m pip install -c constraints.txt torch"
    crashed = torch(answer("was ended by SIGILL", "import torch"))
    assert crashed.state == PROBLEM and "(it was ended by SIGILL)." in crashed.explanation
    hidden = torch(answer(error="No module named 'torch'"))
    assert "--force-reinstall" in hidden.command and "cannot be imported" in hidden.value
    assert torch(answer(torch="2.13.0+cu130", cuda="13.0")).value == "2.13.0, CUDA 13.0 build"
    assert torch(answer(torch="2.12.0+cpu")).value == "2.12.0, CPU build"


@LINUX
def test_a_gpu_that_torch_does_not_use_is_a_remark(monkeypatch: pytest.MonkeyPatch, venv: str, apt: None) -> None:
    def devices(environment: dict[str, str], asked: Answer) -> Finding:
        return check_python.check_devices(asked, environment)

    gpus = "GPU 0: NVIDIA H100 80GB HBM3\nGPU 1: NVIDIA H100 80GB HBM3"
    used = devices({}, answer(torch="2.13.0", cuda="13.0", devices=[["cuda:0", "H100, 80 GiB"]], gpus=gpus))
    assert used.state == OK and used.value == "cuda:0 (H100, 80 GiB), CPU"
    plain = devices({}, answer(torch="2.13.0+cpu", devices=[], gpus=gpus))
    assert plain.state == REMARK and "(GPU 0: NVIDIA H100 80GB HBM3)" in plain.explanation
    assert "CPU build" in plain.explanation
    assert plain.command.endswith("pip install -c constraints.txt --force-reinstall torch")
    old_driver = ["The NVIDIA driver is too old (found 12020)."]
    built = answer(torch="2.13.0", cuda="13.0", devices=[], warnings=old_driver, gpus=gpus)
    assert devices({"CUDA_VISIBLE_DEVICES": ""}, built).command == "unset CUDA_VISIBLE_DEVICES"
    old = devices({}, built)
    assert old.state == REMARK and "too old (found 12020)" in old.explanation
    crash = devices({}, answer("was ended by SIGSEGV", "devices", torch="2.13.0"))
    assert crash.state == PROBLEM and crash.command.startswith("CUDA_VISIBLE_DEVICES= ")
    assert devices({}, answer(torch="2.13.0", devices=[], gpus="")).state == OK


def test_pip_check_may_fail_or_hang(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(probe_child.faulthandler, "dump_traceback_later", lambda *_, **__: None)
    said = SimpleNamespace(returncode=1, stdout="one line\nanother\n")
    monkeypatch.setattr(probe_child.subprocess, "run", lambda *_, **__: said)
    assert probe_child.run_pip_check() == ["one line", "another"]

    def hang(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("pip check", 20)

    monkeypatch.setattr(probe_child.subprocess, "run", hang)
    probe_child.attempt("pip check", probe_child.run_pip_check)
    assert "pip check error" in capsys.readouterr().out


# -- display -------------------------------------------------------------------------------------------------------


opengl = check_display.check_opengl


@LINUX
def test_no_display_is_a_remark_with_a_reason(apt: None) -> None:
    none = answer(step="display", display=False)
    for environment, word, command in (
        ({}, "DISPLAY is not set", "render --model t"),
        ({"DISPLAY": ":9"}, "No X server answers at :9", "render --model t"),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "XWayland", "sudo apt install xwayland"),
        ({}, "`ssh -X`", "render --model t"),
    ):
        (found,) = check_display.check_screen(none, environment)
        assert found.state == REMARK and word in found.explanation and command in found.command
    assert check_display.check_screen(answer(step="context", display=True), {"DISPLAY": ":0"}) == []
    assert opengl("Window", none, False, True) == []


@LINUX
def test_opengl_that_fails_crashes_hangs_or_works_in_software(apt: None, venv: str) -> None:
    noise = ("libGL error: failed to load driver: swrast", "Glfw Error 65543: GLX: Failed to create context")
    failed = answer(step="context", display=True, error="RuntimeError: IM_ASSERT", noise=noise)
    (nowhere,) = opengl("Window", failed, False, False)
    assert nowhere.state == PROBLEM and "(GLX: Failed to create context)" in nowhere.explanation
    assert nowhere.command == "sudo apt install libegl1 libgl1 libgles2 libgl1-mesa-dri"
    (only,) = opengl("Window", failed, False, True)
    assert only.state == PROBLEM and "render --model t" in only.command
    (saved,) = opengl("Window", failed, True, True)
    assert saved.state == PROBLEM and saved.command == f"LIBGL_ALWAYS_SOFTWARE=1 {venv} visualizer.py"
    (crashed,) = opengl("Offscreen", answer("was ended by SIGSEGV", "context"), False, False)
    assert (crashed.value, crashed.state) == ("crashes", PROBLEM) and "ended by SIGSEGV" in crashed.explanation
    (hung,) = opengl("Offscreen", answer("did not answer within 30 s", "context"), False, True)
    assert (hung.value, hung.state) == ("hangs", REMARK) and "within 30 s" in hung.explanation
    (untried,) = opengl("Offscreen", answer(step="import", error="No module named 'glfw'"), False, False)
    assert (untried.value, untried.state) == ("not tried", REMARK)


def test_a_gpu_that_may_not_be_used_is_a_remark(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = answer(display=True, drawn=True, renderer="llvmpipe (LLVM 15)", version="4.5 (Core Profile) Mesa 22.3.6")
    monkeypatch.setattr(check_display.glob, "glob", lambda _: ["/dev/dri/renderD128"])
    monkeypatch.setattr(check_display.os, "access", lambda *_: False)
    (found,) = opengl("Window", drawn, False, True)
    assert found.state == REMARK and found.command == 'sudo usermod -aG render "$USER"'
    monkeypatch.setattr(check_display.os, "access", lambda *_: True)
    (found,) = opengl("Window", drawn, False, True)
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
    (found,) = opengl("Offscreen", asked, False, False)
    assert found.state == PROBLEM and "Library not found" in found.explanation and found.command == command
    assert opengl("Offscreen", asked, False, True)[0].state == REMARK
    if program == "apt":
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        (found,) = opengl("Offscreen", asked, False, False)
        assert found.command == command.removeprefix("sudo ")


def test_fonts_and_file_dialogs(apt: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def extras(has_font: bool, **shown: bool) -> list[Finding]:
        return check_display.check_extras(answer(**{"cjk font": has_font}), answer(**shown))

    (font,) = extras(False)
    assert font.state == REMARK and font.command == "sudo apt install fonts-noto-cjk"
    monkeypatch.setattr(check_display, "LINUX", True)
    (dialog,) = extras(True, display=True)
    assert dialog.state == REMARK and dialog.command == "sudo apt install zenity"
    assert extras(True, display=False) == [], "nobody will ask for a file"
    monkeypatch.setattr(check_display.shutil, "which", lambda program: program if program == "kdialog" else None)
    assert extras(True, display=True) == check_display.check_extras(answer(), answer()) == []


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
