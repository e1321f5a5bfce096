# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The doctor as a program: it survives what it asks, reports to people and machines, and failed starts point to it."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner
from support.doctors import HAVE, LINUX, POSIX, ROOT, answer, in_venv, rows

from viz import __main__ as start
from viz import invocation
from viz.cli.main import main as viewer
from viz.doctor import check_display, check_kernels, check_python, probe
from viz.doctor import report as doctor
from viz.doctor.finding import OK, PROBLEM, REMARK, Finding
from viz.doctor.probe import Answer

# -- questions to a process of its own -----------------------------------------------------------------------------

SAYS = """
import os, signal, sys, time
sys.path[0] = sys.argv[1]
from viz.doctor.probe_child import begin_step, say
begin_step("context", 4)
print("noise", end="")
say(early=1)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "trouble"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", "was ended by SIGSEGV"),
        ("time.sleep(60)", "did not answer within 4 s"),
        ("sys.exit(3)", "ended with status 3 and said nothing"),
        ("say(done=True); os._exit(0)", ""),
        (
            "import faulthandler; faulthandler.cancel_dump_traceback_later(); time.sleep(60)",
            "did not answer within 8 s",
        ),
    ],
)
@POSIX
def test_a_child_that_crashes_or_hangs_is_an_answer(monkeypatch: pytest.MonkeyPatch, code: str, trouble: str) -> None:
    monkeypatch.setattr(probe, "CHILD", SAYS + code)
    monkeypatch.setattr(probe, "PROBE_SECONDS", 8.0)
    began = time.monotonic()
    asked = probe.ask("anything")
    assert asked.trouble == trouble and asked.facts["early"] == 1 and asked.step == "context"
    assert asked.noise[:1] == ("noise",) and time.monotonic() - began < 20


def test_a_python_that_does_not_start_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(ROOT / "no such python"))
    assert probe.ask("torch").trouble.startswith("could not be started")


@pytest.mark.slow
@LINUX
def test_real_opengl_without_its_drivers_is_a_problem() -> None:
    broken = probe.ask("offscreen", {"LIBGL_DRIVERS_PATH": "nowhere"})
    assert not broken.trouble and "drawn" not in broken.facts
    (found,) = check_display.check_opengl("Offscreen", broken, False, False)
    assert found.state == PROBLEM and "EGL" in found.explanation
    well = probe.ask("offscreen")
    (found,) = check_display.check_opengl("Offscreen", well, False, False)
    assert well.facts["drawn"] and found.value.count("OpenGL") == 1
    assert well.facts["picture"]["model"] and not well.facts["picture"]["error"], "a model's, beside OpenGL"
    assert well.step == "closing", "a crash after the picture is not the picture's"


# -- the report ----------------------------------------------------------------------------------------------------

WELL: dict[str, Answer] = {
    "packages": answer(**{"cjk font": True}),
    "torch": Answer(
        {
            "torch": "2.13.0",
            "devices": [],
            "kernels": rows("C++ (avx2)", "Fast."),
            "check_folders": [asdict(Finding("Files", "Settings", "here"))],
            "delete_left_behind": [],
            "picture": {"model": "t", "seconds": 0.1, "error": ""},
        }
    ),
    "window": answer(display=True, drawn=True, renderer="A GPU", version="4.6", step="context"),
    "offscreen": answer(drawn=True, renderer="A GPU", version="4.6", step="context"),
}
NOT_DRAWN = answer(display=True, step="context", error="no context")
NO_DISPLAY = answer(display=False, step="display")


def examined(monkeypatch: pytest.MonkeyPatch, **changed: Answer) -> doctor.Report:
    """Return the report of a machine that answers so."""
    answers = {**WELL, **changed}
    monkeypatch.setattr(doctor, "ask", lambda question: answers[question])
    monkeypatch.setattr(check_display, "try_opengl", lambda question: (answers[question], False))
    monkeypatch.setattr(check_python, "read_version", HAVE.get)
    monkeypatch.setattr(check_python, "find_package", lambda module: (module, "3.7.1"))
    return doctor.examine()


@pytest.mark.parametrize(
    ("changed", "runs"),
    [
        ({}, "window"),
        ({"window": NO_DISPLAY}, "offscreen"),
        ({"offscreen": answer(step="context", error="no EGL")}, "window"),
        ({"window": NOT_DRAWN}, "no"),
        ({"window": NO_DISPLAY, "offscreen": answer("was ended by SIGSEGV", "context")}, "no"),
        ({"window": NO_DISPLAY, "offscreen": answer("was ended by SIGSEGV", "picture")}, "no"),
        ({"window": answer("was ended by SIGSEGV", "picture", display=True)}, "no"),
        ({"offscreen": answer("was ended by SIGSEGV", "picture")}, "window"),
        ({"torch": answer("was ended by SIGILL", "import torch")}, "no"),
        ({"torch": answer("was ended by SIGABRT", "kernels", torch="2.13.0", devices=[])}, "no"),
        ({"torch": answer("did not answer within 60 s", "picture", torch="2.13.0", devices=[])}, "no"),
        ({"packages": Answer({"import numpy error": "No module named 'numpy'"})}, "no"),
        ({"packages": Answer({"import matplotlib error": "No module named 'matplotlib'"})}, "window"),
    ],
)
def test_exit_status_says_whether_it_will_run(
    monkeypatch: pytest.MonkeyPatch, changed: dict[str, Answer], runs: str
) -> None:
    report = examined(monkeypatch, **changed)
    assert report.runs == runs and report.status == int(runs == "no")
    problems = [one for one in report.findings if one.state == PROBLEM]
    assert bool(problems) == (runs == "no")
    for one in report.findings:
        assert one.state in (OK, REMARK, PROBLEM) and one.title and one.value
        assert one.state == OK or one.explanation.endswith(".") and ".." not in one.explanation
        assert one.state != PROBLEM or one.command or not sys.platform.startswith("linux")


def test_a_crash_beside_opengl_is_the_only_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    crashed = answer("was ended by SIGSEGV", "picture")
    report = examined(monkeypatch, window=NO_DISPLAY, offscreen=crashed)
    (problem,) = [one for one in report.findings if one.state == PROBLEM]
    assert problem.title == check_display.BESIDE_TORCH and "ended by SIGSEGV" in problem.explanation


@pytest.mark.parametrize(("module", "check"), [(check_kernels, "check_operators"), (check_kernels, "check_picture")])
def test_a_check_that_fails_is_a_problem(monkeypatch: pytest.MonkeyPatch, module: ModuleType, check: str) -> None:
    monkeypatch.setattr(module, check, lambda *_: 1 / 0)
    report = examined(monkeypatch)
    (failed,) = [one for one in report.findings if one.title == "The doctor"]
    assert failed.state == PROBLEM and "ZeroDivisionError" in failed.explanation
    assert report.status == 1 and report.runs == "no"


def test_without_a_first_picture_nothing_is_said_to_run() -> None:
    assert doctor.conclude([], True, True).status == 1
    drawn = Finding("Files", "First picture", "t, read and drawn in 0.1 s")
    assert doctor.conclude([drawn], True, True).runs == "window"


def test_the_report_as_json_and_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    report = examined(monkeypatch, window=NO_DISPLAY)
    document = json.loads(json.dumps(report.json()))
    assert set(document) == {"schema", "version", "system", "runs", "summary", "findings"}
    assert document["schema"] == doctor.JSON_SCHEMA == 1 and document["runs"] == "offscreen"
    fields = {"topic", "title", "value", "state", "explanation", "command"}
    for one in document["findings"]:
        assert set(one) == fields and all(isinstance(part, str) for part in one.values())
    lines = report.text(100).splitlines()
    assert lines[-1] == document["summary"] and "without a window" in lines[-1]
    values = [line for line in lines if re.match(r"  (ok|remark|problem) ", line)]
    assert len(values) == len(document["findings"])
    assert all(line[doctor.INDENT - 1] == " " and line[doctor.INDENT] != " " for line in values), "one column"
    assert all(len(line) <= 100 for line in lines if not line.strip().startswith("> "))
    topics = [line for line in lines[1:-1] if line and not line.startswith(" ")]
    assert topics == ["Python", "Display", "Operators", "Files"], "each once"


def test_the_command_prints_it(monkeypatch: pytest.MonkeyPatch) -> None:
    report = doctor.Report((Finding("Python", "torch", "not installed", PROBLEM, "It is needed.", "pip"),), "no")
    monkeypatch.setattr(doctor, "examine", lambda: report)
    plain, machine = (CliRunner().invoke(viewer, ["doctor", *words]) for words in ([], ["--json"]))
    assert plain.exit_code == machine.exit_code == 1
    assert "> pip" in plain.output and json.loads(machine.output)["findings"][0]["title"] == "torch"
    assert plain.output.splitlines()[-1] == "Jinc does not run here yet: 1 problem above."


# -- the program ---------------------------------------------------------------------------------------------------

DOCTORS = [
    "viz.__main__",
    "viz.invocation",
    "viz.doctor.finding",
    "viz.doctor.report",
    "viz.doctor.probe",
    "viz.doctor.check_python",
    "viz.doctor.check_display",
    "viz.doctor.check_kernels",
]


@pytest.mark.parametrize("name", DOCTORS)
def test_the_doctor_needs_nothing_but_python(name: str) -> None:
    tree = ast.parse((ROOT / f"{name.replace('.', '/')}.py").read_text(encoding="utf-8"), feature_version=(3, 7))
    for node in tree.body:
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
        if isinstance(node, ast.ImportFrom):
            packages = ("viz", "viz.doctor")
            names = [f"{node.module}.{part}" for part in names] if node.module in packages else [str(node.module)]
        for imported in names:
            assert imported in DOCTORS or imported.partition(".")[0] in sys.stdlib_module_names, f"{name}: {imported}"


BLOCKER = """
import os, sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in os.environ["HIDDEN"].split(","):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocker())
"""


def program(*words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run visualizer.py where there is no display."""
    hidden = ("DISPLAY", "WAYLAND_DISPLAY")
    variables = {name: value for name, value in os.environ.items() if name not in hidden} | environment
    command = [sys.executable, "visualizer.py", *words]
    return subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=120)


def hiding(folder: Path, *names: str) -> dict[str, str]:
    """Return an environment in which these packages cannot be imported."""
    (folder / "sitecustomize.py").write_text(BLOCKER)
    return {"HIDDEN": ",".join(names), "PYTHONPATH": str(folder)}


@pytest.mark.slow
def test_this_machine_is_well() -> None:
    began, before = time.monotonic(), os.times()
    ran = program("doctor", "--json")
    taken, after = time.monotonic() - began, os.times()
    document = json.loads(ran.stdout)
    assert ran.returncode == 0 and document["runs"] == "offscreen" and ran.stderr == "", ran.stderr
    states = {(one["topic"], one["title"]): one for one in document["findings"]}
    for sound in (("Python", "torch"), ("Display", "Offscreen"), ("Operators", "CPU"), ("Operators", "First picture")):
        assert states[sound]["state"] == OK, states[sound]
    computed = after.children_user + after.children_system - before.children_user - before.children_system
    assert min(taken, computed or taken) < 10, "seconds; what the processor was busy with else does not count"


@pytest.mark.slow
@LINUX
def test_kernels_that_crash_are_a_problem(tmp_path: Path) -> None:
    compiler = next((name for name in ("cc", "gcc", "clang") if shutil.which(name)), None)
    if compiler is None:
        pytest.skip("there is no C compiler")
    source, library = tmp_path / "crash.c", tmp_path / "crash.so"
    source.write_text("#include <stdlib.h>\n__attribute__((constructor)) static void crash(void) { abort(); }\n")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    ran = program("doctor", "--json", JINC_CPU_KERNELS=str(library))
    document = json.loads(ran.stdout)
    assert ran.returncode == 1 and document["runs"] == "no"
    (problem,) = [one for one in document["findings"] if one["state"] == PROBLEM]
    assert "SIGABRT" in problem["explanation"] and problem["command"].startswith("JINC_CPU_KERNELS=off ")


@pytest.mark.slow
@pytest.mark.parametrize(
    "names", [("torch",), ("click", "matplotlib"), ("numpy", "imgui_bundle", "glfw", "OpenGL"), ("psutil",)]
)
def test_it_answers_whatever_cannot_be_imported(names: tuple[str, ...], tmp_path: Path) -> None:
    ran = program("doctor", **hiding(tmp_path, *names))
    assert ran.returncode == 1 and ran.stderr == "", ran.stderr
    for name in names:
        distribution = {module: package for package, module in check_python.MODULES.items()}[name]
        assert re.search(rf"  (problem|remark) +{distribution} +\S+, cannot be imported\n", ran.stdout), ran.stdout
        assert f"Importing it fails (No module named '{name}')." in ran.stdout
        assert re.search(rf"> \S+ -m pip install -c constraints.txt .*--no-deps {distribution}\n", ran.stdout)
    assert ran.stdout.splitlines()[-1].startswith("Jinc does not run here yet: ")


def one_sentence(ran: "subprocess.CompletedProcess[str]") -> str:
    """Return the error of a start that failed."""
    assert ran.returncode == 1 and "Traceback" not in ran.stderr, ran.stderr
    (said,) = [line for line in ran.stderr.splitlines() if line.startswith("Error: ")]
    assert re.search(r"run `\S*python\S* visualizer\.py doctor`\.$", said), said
    return said


@pytest.mark.slow
@pytest.mark.parametrize("name", ["click", "torch", "imgui_bundle"])
def test_a_start_without_a_package_points_here(name: str, tmp_path: Path) -> None:
    ran = program("--exit-after", "1", **hiding(tmp_path, name))
    assert f"No module named '{name}'" in one_sentence(ran)


@pytest.mark.slow
@LINUX
def test_a_start_without_opengl_points_here(tmp_path: Path) -> None:
    said = one_sentence(program("--exit-after", "1", LIBGL_DRIVERS_PATH=str(tmp_path)))
    assert "OpenGL does not start" in said
    assert "DISPLAY is not set" in one_sentence(program())


@pytest.mark.slow
def test_a_start_whose_folder_cannot_be_written_points_here(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    state = tmp_path / "file" / "state.json"
    ran = program("--state", str(state), "--size", "640x480", "--screenshot", str(tmp_path / "window.png"))
    assert ran.returncode == 0 and (tmp_path / "window.png").exists(), ran.stderr
    (said,) = [line for line in ran.stderr.splitlines() if "will not be kept" in line]
    assert str(state.parent) in said and re.search(r"run `\S*python\S* visualizer\.py doctor`\.$", said)


def test_a_start_that_fails_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(invocation, "OLDEST_PYTHON", (99,))
    monkeypatch.setattr(sys, "argv", ["visualizer.py", "render"])
    with pytest.raises(SystemExit) as ended:
        start.main()
    assert re.fullmatch(r"Error: Jinc cannot start \(Python 99 or newer .*\): run `.*doctor`\.", str(ended.value.code))
    monkeypatch.setattr(sys, "argv", ["visualizer.py", "doctor", "--json"])
    with pytest.raises(SystemExit) as ended:
        start.main()
    document = json.loads(capsys.readouterr().out)
    assert ended.value.code == 1 and [one["title"] for one in document["findings"]] == ["Python"]


@POSIX
def test_commands_are_as_the_user_types_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    venv = in_venv(monkeypatch)
    assert invocation.format_command("doctor") == f"{venv} visualizer.py doctor"
    assert invocation.format_command("--out", "a b.png") == f"{venv} visualizer.py --out 'a b.png'"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(invocation.shutil, "which", lambda _: None)  # nothing was activated
    assert invocation.format_command("doctor") == f"{ROOT}/.venv/bin/python {ROOT}/visualizer.py doctor"
    monkeypatch.setattr(invocation, "ROOT", tmp_path)
    assert invocation.format_command("doctor") == "jinc doctor", "installed as a package"
