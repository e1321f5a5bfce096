# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The doctor on torch beside OpenGL: Mesa's LLVM and triton's in one process (docs/decisions/020)."""

import ctypes
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.doctors import LINUX, POSIX, answer, in_venv

from viz.doctor import check_display, check_python, probe, probe_child
from viz.doctor.finding import OK, PROBLEM, REMARK, Finding
from viz.doctor.probe import Answer

LLVM, TRITON, NO_TRITON = "libLLVM-15.so.1", ("triton", "3.7.1"), ("", "")
DRAWN = answer(step="closing", drawn=True, llvm=LLVM, picture={"model": "t", "error": ""})
NO_DISPLAY = answer(step="display", display=False)
ALONE = answer(step="picture", picture={"model": "t", "error": ""})


def crashed(llvm: str = LLVM, trouble: str = "was ended by SIGSEGV") -> Answer:
    """Return the answer of a process in which OpenGL works, and that ends at the first picture beside it."""
    return answer(trouble, "picture", llvm=llvm, renderer="llvmpipe (LLVM 15.0.6, 256 bits)", version="4.5 Mesa")


def beside(shown: Answer, bare: Answer, alone: Answer = ALONE, triton: tuple[str, str] = TRITON) -> list[Finding]:
    return check_display.check_beside_torch(shown, bare, alone, triton)


def test_the_pair_is_named_where_it_does_no_harm() -> None:
    for shown, bare in ((NO_DISPLAY, DRAWN), (DRAWN, DRAWN), (DRAWN, answer(step="context", error="no EGL"))):
        (found,) = beside(shown, bare)
        assert (found.state, found.command) == (OK, "")
        assert LLVM in found.value and "triton 3.7.1" in found.value and "Jinc never does" in found.explanation


def test_one_without_the_other_is_nothing_to_say() -> None:
    hidden = answer(step="closing", drawn=True, llvm="", picture={"model": "t", "error": ""})
    assert beside(NO_DISPLAY, DRAWN, triton=NO_TRITON) == []
    assert beside(hidden, hidden) == [], "NVIDIA's OpenGL, or a Mesa that keeps its LLVM to itself"
    for unopened in (answer(step="context", error="no EGL"), answer("was ended by SIGSEGV", "context")):
        assert beside(NO_DISPLAY, unopened) == [], "OpenGL that does not start has a finding of its own"


@POSIX
def test_a_crash_of_the_pair_names_it_and_what_fixes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    venv = in_venv(monkeypatch)
    (found,) = beside(NO_DISPLAY, crashed())
    assert (found.state, found.value) == (PROBLEM, "crashes")
    assert "ended by SIGSEGV" in found.explanation
    assert f"triton 3.7.1 is loaded after Mesa's {LLVM}" in found.explanation
    assert found.command == f"{venv} -m pip uninstall triton"
    (rocm,) = beside(crashed(), DRAWN, triton=("triton-rocm", "3.7.1"))
    assert rocm.state == PROBLEM and rocm.command.endswith(" pip uninstall triton-rocm")
    (hung,) = beside(NO_DISPLAY, crashed(trouble="did not answer within 60 s"))
    assert (hung.value, hung.state) == ("hangs", PROBLEM)


def test_a_crash_offscreen_is_a_remark_where_the_window_works() -> None:
    (found,) = beside(DRAWN, crashed())
    assert found.state == REMARK and "pip uninstall triton" in found.command


@pytest.mark.parametrize(("llvm", "triton"), [("", TRITON), (LLVM, NO_TRITON)])
def test_a_crash_of_something_else_accuses_nobody(llvm: str, triton: tuple[str, str]) -> None:
    (found,) = beside(NO_DISPLAY, crashed(llvm), triton=triton)
    assert found.state == PROBLEM and "triton" not in found.explanation and "render --model t" in found.command
    failed = answer(step="closing", drawn=True, llvm=llvm, picture={"model": "t", "error": "no memory."})
    (found,) = beside(NO_DISPLAY, failed, triton=triton)
    assert (found.state, found.value) == (PROBLEM, "does not work") and "(no memory)." in found.explanation


def test_a_picture_that_fails_without_opengl_too_is_not_its_doing() -> None:
    untried = answer("was ended by SIGABRT", "kernels"), answer(error="No module named 'torch'")
    failed = answer("was ended by SIGILL", "picture"), answer(step="picture", picture={"model": "t", "error": "odd"})
    for alone in (*untried, *failed):
        assert beside(NO_DISPLAY, crashed(), alone) == []


@LINUX
def test_opengl_that_dies_with_the_picture_is_not_said_to_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(check_display, "ask", lambda question, *_, **__: asked.append(question) or crashed())
    found, saved = check_display.try_opengl("offscreen")
    assert asked == ["offscreen"] and not saved, "software would not help"
    assert check_display.check_opengl("Offscreen", found, saved, False)[0].state == OK
    (window,) = check_display.check_opengl("Window", crashed(), False, True)
    assert window.state != PROBLEM and window.value.startswith("llvmpipe")
    closing = answer("was ended by SIGSEGV", "closing", llvm=LLVM, picture={"model": "t", "error": ""})
    assert check_display.check_opengl("Offscreen", closing, False, False)[0].value == "crashes", (
        "as it did before pictures were drawn"
    )


# -- what the answers are made of ----------------------------------------------------------------------------------


@LINUX
def test_llvm_is_one_that_the_whole_process_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    maps = f"7f00-7f01 r-xp 0 08:01 1    /lib/x86_64-linux-gnu/{LLVM}\n7f02-7f03 r-xp 0 08:01 2    /lib/libc.so.6\n"
    seen = SimpleNamespace(LLVMContextCreate=1)
    monkeypatch.setattr(ctypes, "CDLL", lambda _: seen)
    monkeypatch.setattr(probe_child, "Path", lambda _: SimpleNamespace(read_text=lambda errors: maps))
    assert probe_child.find_llvm() == LLVM
    del seen.LLVMContextCreate
    assert probe_child.find_llvm() == "", "loaded, but not opened to the whole process"
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(ctypes, "CDLL", lambda _: pytest.fail("there is no such library"))
    assert probe_child.find_llvm() == ""


def test_a_module_is_traced_to_its_package_without_importing_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    about = tmp_path / "odd_compiler-1.2.dist-info"
    for folder in ("odd", "plain"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "__init__.py").write_text("raise SystemExit('imported')\n")
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: odd-compiler\nVersion: 1.2\n")
    (about / "top_level.txt").write_text("odd\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert check_python.find_package("odd") == ("odd-compiler", "1.2")
    assert check_python.find_package("plain") == ("", ""), "nobody knows where it came from"
    assert check_python.find_package("there_is_no_such_module") == ("", "")


CRASH = """
import os, sys
class Crash:
    def find_spec(self, name, path=None, target=None):
        if name == "viz.render.renderer" and "imgui_bundle" in sys.modules:
            os.abort()
sys.meta_path.insert(0, Crash())
"""


@pytest.mark.slow
@LINUX
def test_a_real_crash_beside_opengl_is_found(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(CRASH)
    asked = probe.ask("offscreen", {"PYTHONPATH": str(tmp_path)})
    assert asked.trouble == "was ended by SIGABRT" and asked.step == "picture"
    (found,) = beside(NO_DISPLAY, asked)
    assert found.state == PROBLEM and ("uninstall triton" in found.command) == bool(asked.facts["llvm"])
    assert check_display.check_opengl("Offscreen", asked, False, False)[0].state == OK
