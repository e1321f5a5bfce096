# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""What `make gpu` runs, without a GPU: the report on the CPU, sections that fail, opponents, what it refuses."""

import json
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from gpu import ROOT, calls, checker, environment, layers, opponent, presenting, program, report
from gpu import device as devices
from gpu import rows as rows_module
from gpu.device import Choice
from gpu.measure import frames
from gpu.run_tests import outcome
from test_cuda_host import random_filter

from cuda_ops.shapes import DECODE

CPU = Choice(torch.device("cpu"), quick=True)
without_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")


def python(code: str) -> str:
    """An opponent's command."""
    return f"{sys.executable} -c '{code}'"


TIMES = """import json; print("warming up"); print(json.dumps({"name": "theirs", "times": {"frame-T-1024": 40.0}}))"""


@pytest.mark.slow
def test_every_section_runs_on_the_cpu(tmp_path):
    """All of it, with an opponent."""
    out, json_file = tmp_path / "table.md", tmp_path / "rows.json"
    command = program("report", "--device=cpu", "--quick", "--together", f"--json={json_file}", f"--out={out}")
    done = subprocess.run(command, cwd=ROOT, env=environment(OPPONENT=python(TIMES)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.strip() == out.read_text().strip()
    found = json.loads(json_file.read_text())
    assert found["header"]["device"].startswith("CPU") and found["header"]["torch"] == torch.__version__
    sections = [row["section"] for row in found["rows"]]
    assert list(dict.fromkeys(sections)) == [*report.SECTIONS, "opponent"]
    assert not [row for row in found["rows"] if row.get("failed")]
    for row in found["rows"]:
        assert f"| {row['section']} | {row['case']} |" in done.stdout
    by_section = {name: [row for row in found["rows"] if row["section"] == name] for name in sections}
    assert all(row["met"] and row["error"] < 1e-5 for row in by_section["kernels"])
    assert len(by_section["bandwidth"]) == 18 and by_section["training"][0]["unit"] == "images/s"
    assert "Nothing is shown" in by_section["frames"][0]["note"] or "present not" not in by_section["frames"][0]["note"]
    assert by_section["opponent"][0]["note"] == "Ours was not measured in this run."
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rows.json", "table.md"], "nothing half written"


@pytest.mark.slow
@without_gpu
def test_without_a_gpu_it_refuses_in_one_sentence():
    for command in (program("report"), program("operators")):
        done = subprocess.run(command, cwd=ROOT, env=environment(OPPONENT="never run"), capture_output=True, text=True)
        assert done.returncode == 1 and not done.stdout and done.stderr.count("\n") == 1, done.stderr
        assert done.stderr.startswith("Error: There is no GPU that the kernels run on: torch finds no CUDA device")


@pytest.mark.slow
@without_gpu
def test_make_gpu_says_that_nothing_was_run():
    done = subprocess.run(["make", "gpu", f"PYTHON={sys.executable}"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2 and "Nothing was run" in done.stderr and "Traceback" not in done.stderr


BLOCKED = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"imgui_bundle", "glfw", "OpenGL", "dearpygui", "matplotlib", "scipy", "mypy"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocker())
"""


@pytest.mark.slow
def test_nothing_of_the_window_is_needed(tmp_path):
    """By a Python without its packages, each section in its own process, as on a GPU: what cannot be shown says why."""
    (tmp_path / "sitecustomize.py").write_text(BLOCKED)
    there = environment()
    there["PYTHONPATH"] = f"{tmp_path}:{there['PYTHONPATH']}"
    command = program(
        "report", "--device=cpu", "--quick", "--only=frames", "--only=training", f"--json={tmp_path / 'rows.json'}"
    )
    done = subprocess.run(command, cwd=ROOT, env=there, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    rows = json.loads((tmp_path / "rows.json").read_text())["rows"]
    assert [row["section"] for row in rows] == ["frames", "training"]
    assert "Nothing is shown, because" in rows[0]["note"] and rows[0]["value"] > 0 < rows[1]["value"]


@pytest.fixture
def sections(monkeypatch):
    """Sections that are made up, in this process."""

    def good(choice):
        yield rows_module.row("fine", 1.0)

    def half(choice):
        yield rows_module.row("first", 2.0)
        raise RuntimeError("CUDA error: an illegal memory access was encountered\nwith a second line")

    module = SimpleNamespace(good=good, half=half)
    monkeypatch.setattr(report, "SECTIONS", {"good": ("m", "good", 9.0), "half": ("m", "half", 9.0)})
    monkeypatch.setattr(report, "import_module", lambda name, package: module)


def test_a_section_that_fails_is_a_row(sections, tmp_path):
    record = tmp_path / "rows.jsonl"
    for section in report.SECTIONS:
        report.section_here(section, CPU, record)
    found = [json.loads(line) for line in report._lines(record)]
    assert [(row["section"], row["case"]) for row in found] == [("good", "fine"), ("half", "first"), ("half", "half")]
    assert found[2]["note"] == "RuntimeError: CUDA error: an illegal memory access was encountered."
    kept = report.Report({"device": "x"}, tmp_path / "table.md", tmp_path / "missing" / "rows.json")
    kept.add(found[:1], "good")
    assert not kept.bad and "fine" in (tmp_path / "table.md").read_text()
    kept.add(found[1:], "half")
    assert kept.bad and "illegal memory access" in (tmp_path / "table.md").read_text()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import os; os.kill(os.getpid(), 11)", "Its process ended with exit status -11; see above why."),
        ("import time; time.sleep(60)", "It did not end within 1 s and was stopped."),
        ("", "It came to nothing."),
    ],
)
def test_a_process_that_dies_or_hangs_is_a_row(monkeypatch, code, said):
    """What it had written until then stays."""
    first = 'import sys, json; open(sys.argv[-1], "a").write(json.dumps({"case": "before"}) + "\\n" + "half a li")\n'
    monkeypatch.setattr(
        report, "program", lambda name, *arguments: [sys.executable, "-c", (first if code else "") + code, *arguments]
    )
    began = time.monotonic()
    found = report.section_apart("frames", CPU, 1.0)
    assert time.monotonic() - began < 30
    assert [row["case"] for row in found] == [*(["before"] if code else []), "frames"]
    assert found[-1]["note"] == said and found[-1]["failed"]
    assert "the time was used up" in report.section_apart("frames", CPU, 0.5)[0]["note"]


def test_an_opponent_is_compared():
    ours = [
        rows_module.row("a frame", 10.0, name="frame-T-1024"),
        rows_module.row("training", 50.0, "images/s", name="training-T-256", ms=20.0),
    ]
    before = opponent.Times({"frame-T-1024": 40.0, "training-T-256": 30.0, "frame-R-256": 1.0}, "theirs")
    after = opponent.Times({"frame-T-1024": 44.0})
    frame, other, training = opponent.compared(before, after, ours)
    assert frame["ratio"] == pytest.approx(4.2) and frame["met"] is True and frame["bar"] == ">= 4 x"
    assert frame["compared with"] == "theirs: 40 ms and 44 ms" and frame["note"] == "Drift between its runs: +10.0%."
    assert training["ratio"] == pytest.approx(1.5) and training["met"] is None and "ran once" in training["note"]
    assert other["case"] == "frame-R-256" and other["note"] == "Ours was not measured in this run."
    slow = opponent.compared(opponent.Times({"frame-T-1024": 39.0}), opponent.Times({"frame-T-1024": 39.0}), ours)
    assert slow[0]["met"] is False
    ours[0]["caveat"] = "Ours ends before the texture."
    (frame, *_) = opponent.compared(before, after, ours)
    assert frame["met"] is None and frame["note"].endswith("Ours ends before the texture."), "nothing is claimed"


def test_an_opponent_is_run():
    found = opponent.run(python(TIMES))
    assert found == opponent.Times({"frame-T-1024": 40.0}, "theirs")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("", "The opponent's command is empty."),
        ("'unclosed", "The opponent's command cannot be read (No closing quotation): 'unclosed"),
        (
            "no-such-program --x",
            "The opponent's command no-such-program cannot be started (No such file or directory).",
        ),
        (python("raise SystemExit(3)"), "The opponent's command ended with exit status 3: It said nothing."),
        (python('raise ValueError("no GPU")'), "The opponent's command ended with exit status 1: ValueError: no GPU."),
        (python("pass"), "The opponent's command printed no JSON object."),
        (python('print("{ no json"); print([1])'), "The opponent's command printed no JSON object."),
        (python('print("{}")'), 'The opponent\'s JSON has no "times", an object of milliseconds by name.'),
        (python("import time; time.sleep(60)"), "The opponent's command did not end within 1 s and was stopped."),
    ],
)
def test_an_opponent_that_fails_is_one_sentence(command, said):
    found = opponent.run(command, 1.0 if "sleep" in command else 60.0)
    assert found.problem == said and not found.times
    (row,) = opponent.compared(found, found, [])
    assert row["failed"] and row["note"].startswith(said[:200].rstrip("."))


def test_times_that_are_none_are_told():
    text = json.dumps(
        {"times": {"frame-T-1024": 0, "frame-R-1024": "fast", "frame-T-256": True, "mine": 1.0, "training-T-256": 5}}
    )
    found = opponent.parsed(text.replace(" 0,", " NaN,"))
    assert found.times == {"training-T-256": 5.0}
    unknown, bad = found.remarks
    assert unknown.startswith("The opponent names mine, which are not known here")
    assert bad == "The opponent's times of frame-T-1024, frame-R-1024, frame-T-256 are not milliseconds above 0."
    assert len(opponent.compared(found, found, [])) == 3


def test_opponents_names_are_documented_and_given():
    """Each name belongs to a row that some section yields."""
    text = (ROOT / "docs" / "gpu-checklist.md").read_text(encoding="utf-8")
    for part in ("filtered_lrelu-UP-DOWN-KIND-TYPE", "frame-T-1024", "frame-R-256", "training-T-256", "training-R-256"):
        assert part in text
    cases = {f"frame-{letter}-{resolution}" for letter, resolution, *_ in frames.CASES}
    assert cases == set(opponent.FRAMES)
    assert opponent.BARS.keys() <= set(opponent.NAMES) and len(opponent.BARS) == 5


@pytest.mark.parametrize("taps", [(12,), (12, 12, "m")])
def test_the_gradients_that_are_compared_are_those_of_autograd(taps):
    made = calls.Layer(random_filter((12,)), random_filter(taps), 2, 2, [9, 8, 9, 8])
    x, b = torch.randn(1, 9, 14, 12).requires_grad_(), torch.randn(9)
    y, codes = made.forward(x, b, True)
    dy, ddx = torch.randn_like(y).requires_grad_(), torch.randn_like(x)
    (dx,) = torch.autograd.grad(y, x, dy, create_graph=True)
    (ddy,) = torch.autograd.grad((dx * ddx).sum(), dy)
    assert torch.equal(made.gradient(dy, codes, x.shape[2:]), dx)
    assert torch.equal(made.second(ddx, codes, y.shape[2:]), ddy)
    doubles = made.gradient(dy, codes, x.shape[2:], True), made.second(ddx, codes, y.shape[2:], True)
    for found, double in zip((dx, ddy), doubles, strict=True):
        assert double.dtype == torch.float64 and 0 < calls.relative(found, double) < 1e-5


def test_the_gpu_tests_cover_every_specialisation_of_the_models():
    compile_tests = pytest.importorskip("test_cuda_compile")
    found = set()
    for kind in layers.kinds():
        for dtype in calls.TOLERANCE:
            for last in (False, True):
                found |= {*kind.specialisations(dtype, last, False), *kind.specialisations(dtype, last, True)}
    assert found == set(compile_tests.generator_specs()) and {spec.mode for spec in found} >= {DECODE}
    assert max(kind.spec.in_size for kind in layers.kinds()) <= layers.MODERATE


JUNIT = """<testsuites><testsuite>
<testcase classname="gpu.test_a" name="one"/>
<testcase classname="gpu.test_a" name="two"><skipped message="why"/></testcase>
<testcase classname="gpu.test_a" name="three"><failure message="assert 1 == 2&#10;more">x</failure></testcase>
</testsuite></testsuites>"""


def test_failed_tests_are_rows(tmp_path):
    record = tmp_path / "tests.xml"
    record.write_text(JUNIT)
    whole, bad = outcome(record, 1)
    assert (whole["value"], whole["compared with"], whole["met"], whole["failed"]) == (1, "1 failed", False, True)
    assert whole["note"] == "1 skipped: why" and (bad["case"], bad["note"]) == ("test_a::three", "assert 1 == 2.")
    record.write_text(JUNIT.replace("failure", "system-out"))
    (whole,) = outcome(record, 0)
    assert whole["met"] is True and whole["value"] == 2 and not whole["failed"]
    (whole,) = outcome(record, 2)
    assert whole["failed"], "an interrupted run has not passed"


SANITIZER = """#!/bin/sh
case "$*" in
*--planted*) echo "========= Invalid __global__ write of size 4 bytes"
             echo "========= ERROR SUMMARY: 1 error"; exit 9;;
*racecheck*) echo "========= RACECHECK SUMMARY: 0 hazards displayed"; echo "191 results, digest ab";;
*initcheck*) echo "========= Uninitialized __global__ memory read"; echo "========= ERROR SUMMARY: 7 errors"
             echo "191 results, digest ab"; exit 9;;
*synccheck*) echo "========= Error: Target application terminated"; exit 1;;
*) echo "========= ERROR SUMMARY: 0 errors"; echo "191 results, digest ab";;
esac
"""


@pytest.fixture
def sanitizer(tmp_path, monkeypatch):
    """A script that plays the checker; the operators run unwatched on the CPU."""
    path = tmp_path / checker.NAME
    path.write_text(SANITIZER)
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(checker, "program", lambda *arguments: [sys.executable, "-c", "pass", *arguments])
    return path


def test_the_memory_checkers_findings_are_rows(sanitizer):
    assert checker.found() == str(sanitizer)
    choice = Choice(torch.device("cuda"), quick=True)
    planted, memcheck, race, init, sync = checker.memory(choice)
    assert planted["met"] and not planted["failed"]
    assert memcheck["met"] and memcheck["note"] == "0 errors." and race["met"]
    assert init["failed"] and init["met"] is False and "7 errors; Uninitialized __global__ memory read" in init["note"]
    assert sync["failed"] and "It printed no summary. Exit status 1: Error: Target application" in sync["note"]
    sanitizer.write_text("#!/bin/sh\necho '========= ERROR SUMMARY: 0 errors'\n")
    planted, memcheck, *_ = checker.memory(choice)
    assert planted["failed"] and "Not seen" in planted["note"]
    assert memcheck["failed"], "the list of operators has to come to its end"


def test_where_there_is_no_memory_checker(monkeypatch):
    monkeypatch.setattr(checker, "found", lambda: None)
    (row,) = checker.memory(Choice(torch.device("cuda")))
    assert row["note"].startswith("There is no compute-sanitizer here") and "failed" not in row


@pytest.mark.slow
def test_pictures_are_presented_and_compared(monkeypatch, tmp_path):
    """With a texture that takes what it is given: what a GPU's machine does through support.egl."""
    shown = []

    class Texture:
        path = "interop"

        def __init__(self, gl):
            self.gl = gl

        def show(self, picture):
            shown.append(picture)

        def delete(self):
            shown.append("deleted")

    class Context:
        gl = SimpleNamespace(glFinish=lambda: None)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            shown.append("left")

    modules = {
        "support.egl": SimpleNamespace(headless=Context),
        "viz.display.texture": SimpleNamespace(Texture=Texture),
    }
    monkeypatch.setattr(presenting, "import_module", modules.__getitem__)
    (row,) = [row for row in frames.frames(CPU) if row["name"]]
    assert row["unit"] == "ms" and " + present " in row["compared with"] and "Texture by interop." in row["note"]
    assert shown[-2:] == ["deleted", "left"], "CUDA lets go of the texture while there is a context"
    assert len(shown) > 6
    assert len({picture.tobytes() for picture in shown if isinstance(picture, np.ndarray)}) > 2, "it is a drag"

    def nowhere():
        raise RuntimeError("no EGL")

    modules["support.egl"].headless = lambda: SimpleNamespace(__enter__=nowhere)
    monkeypatch.setattr(Context, "__enter__", lambda self: nowhere())
    modules["support.egl"].headless = Context
    (row,) = list(frames.frames(CPU))
    assert row["value"] > 0 and "there is no OpenGL context: no EGL" in row["note"]


def test_psnr():
    black, grey = np.zeros((4, 4, 4), np.uint8), np.full((4, 4, 4), 1, np.uint8)
    assert frames.psnr(black, black) is None
    assert frames.psnr(black, grey) == pytest.approx(48.13, abs=0.01)
    black[..., 3] = 255
    assert frames.psnr(black, grey) == pytest.approx(48.13, abs=0.01), "opacity is no part of the picture"


def test_tables_hold_what_comes():
    found = rows_module.row("a | b", 1234.5, "GB/s", ratio=0.51, error=1.2e-4, met=False, note="x\ny")
    assert rows_module.table([{**found, "section": "s"}]).splitlines()[2] == (
        "| s | a \\| b | 1234 GB/s |  | 0.51 | 1.2e-04 |  | **no** | x y |"
    )
    assert rows_module.row("x", float("nan"), ratio=float("inf"))["value"] is None
    assert rows_module.sentence(ValueError()) == "ValueError." and len(rows_module.sentence("x" * 999)) == 300
    assert devices.said("no-such-program") == ""
