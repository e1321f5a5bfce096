# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The doctor on files: folders that cannot be written, what was left behind, damaged models, the first picture."""

import errno
import os
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.doctors import POSIX, ROOT, answer, the

from cuda_ops import kernel_cache
from cuda_ops.cpu.build_dir import build_dir
from gan.hub import cache
from viz import invocation
from viz.doctor import check_files, probe_child
from viz.doctor.finding import OK, PROBLEM, REMARK, Finding
from viz.doctor.probe import Answer


@POSIX
def test_a_folder_that_cannot_be_written_says_what_is_lost(tmp_path: Path) -> None:
    in_the_way = tmp_path / "jinc"
    in_the_way.write_text("")
    found = the(check_files.check_folders(in_the_way, answer()), "Settings")
    assert found.state == REMARK and "is lost when it closes" in found.explanation
    assert found.command == f"mv {in_the_way} {in_the_way}.old"
    in_the_way.rename(tmp_path / "jinc.old")
    assert the(check_files.check_folders(in_the_way, answer()), "Settings").state == OK, "it can be made"


@POSIX
def test_whose_folder_decides_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    denied = PermissionError(errno.EACCES, "Permission denied")
    monkeypatch.setattr(check_files.Path, "home", lambda: tmp_path)
    monkeypatch.setattr(check_files.os, "access", lambda *_: False)
    assert check_files.writable_command(tmp_path, denied) == f"chmod u+rwx {tmp_path}"
    monkeypatch.setattr(check_files.os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    assert check_files.writable_command(tmp_path, denied) == f'sudo chown -R "$USER" {tmp_path}'
    assert check_files.writable_command(tmp_path, OSError(errno.EROFS, "Read-only"), "elsewhere") == "elsewhere"


def test_a_read_only_disk_and_a_full_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = SimpleNamespace(free=2**20)
    monkeypatch.setattr(check_files.shutil, "disk_usage", lambda _: usage)
    kept = answer(caches=[[str(tmp_path / "kernels"), 2, 3 * 2**20], [str(tmp_path / "downloads"), 1, 2**40]])
    found = check_files.check_folders(tmp_path, kept)
    assert the(found, "Settings").state == REMARK and "1.0 MiB free" in the(found, "Settings").value
    assert "3.0 MiB in 2 files" in the(found, "Kernels").value
    assert the(found, "Downloads").state == REMARK and "1024 GiB in 1 file" in the(found, "Downloads").value

    def refuse(**_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(check_files.tempfile, "TemporaryFile", refuse)
    found = check_files.check_folders(tmp_path, kept)
    assert {one.state for one in found} == {REMARK}
    assert "compiled anew by every process" in the(found, "Kernels").explanation
    if os.name != "nt":
        assert the(found, "Settings").command.startswith("JINC_CONFIG=$(mktemp -d) ")
        assert the(found, "This folder").command == "cd"


def test_downloaded_models_come_with_the_command_that_empties_their_folder(tmp_path: Path) -> None:
    def said(size: int, files: int = 3) -> Finding:
        kept = answer(caches=[[str(tmp_path / "kernels"), 2, 2**20], [str(tmp_path / "models"), files, size]])
        return the(check_files.check_folders(tmp_path, kept), "Downloads")

    some, much = said(2**30), said(2**35)
    assert (some.state, much.state) == (OK, REMARK) and "1.0 GiB in 3 files" in some.value
    assert str(tmp_path / "models") in much.command and much.explanation
    assert not some.command and not said(0, 0).command, "nothing that wants to be emptied"


def test_abandoned_downloads_are_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_cache, "clean_cache", list)
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path)
    (tmp_path / "parts").mkdir()
    old, new = (tmp_path / "parts" / f"{name}-0.part" for name in ("a", "b"))
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    assert probe_child.delete_left_behind() == [str(old)] and new.exists()


def test_the_state_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    assert check_files.check_state(path) == [], "none yet"
    path.write_text("{")
    (damaged,) = check_files.check_state(path)
    assert damaged.state == REMARK and "is damaged" in damaged.explanation and damaged.command.startswith("mv ")
    path.write_text('{"schema": 1}')
    assert check_files.check_state(path) == []


def test_what_was_half_written_goes_once_nobody_can_finish_it(tmp_path: Path) -> None:
    old, new, other = (tmp_path / name for name in (".0123456789ab.json", ".ba9876543210.json", ".0123456789.json"))
    for path in (old, new, other):
        path.write_text("{")
    for path in (old, other):
        os.utime(path, (0, 0))
    assert check_files.delete_half_written(tmp_path) == [old]
    assert sorted(tmp_path.iterdir()) == sorted([new, other])
    (found,) = check_files.check_left_behind(Answer({"left behind": ["jinc-kernels-x"]}), [old])
    assert found.state == OK and found.value == "jinc-kernels-x and .0123456789ab.json, deleted"
    assert check_files.check_left_behind(Answer({"left behind": []}), [])[0].value == "nothing"


def test_a_bundled_model_that_is_missing_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "assets").mkdir()
    for name in ("b.json", "b.safetensors", "t.json"):
        (tmp_path / "assets" / name).touch()
    monkeypatch.setattr(check_files.invocation, "ROOT", tmp_path)
    (found,) = check_files.check_models(answer(models={"names": ["b"], "broken": {}}))
    assert found.state == REMARK and found.value == "missing: t" and found.command


def test_bundled_models_and_the_first_picture() -> None:
    broken = answer(models={"names": ["critters-b-32"], "broken": {"critters-t-32.safetensors": "It is damaged."}})
    (damaged,) = check_files.check_models(broken)
    assert damaged.state == REMARK and "critters-t-32.safetensors" in damaged.value and damaged.command
    (none,) = check_files.check_models(answer(models={"names": [], "broken": {}}))
    assert none.state == REMARK and "empty" in none.explanation
    (drawn,) = check_files.check_program(answer(program=True, picture={"model": "t", "seconds": 0.5, "error": ""}))
    assert drawn.state == OK and drawn.value == "t, read and drawn in 0.5 s"
    picture = {"model": "t", "seconds": 1.0, "error": "Bad.", "file": "assets/t.safetensors"}
    found = check_files.check_program(answer(program_error="SyntaxError: odd", picture=picture))
    assert [one.state for one in found] == [PROBLEM, PROBLEM] and all(one.command for one in found)
    (crashed,) = check_files.check_program(answer("was ended by SIGILL", "picture", program=True))
    assert crashed.state == PROBLEM and "SIGILL" in crashed.explanation and "JINC_CPU_KERNELS=off" in crashed.command


@pytest.mark.parametrize("step", ["memory", "left behind", "caches", "models", "program", "picture", ""])
def test_without_a_picture_there_is_a_problem_wherever_it_ended(step: str) -> None:
    facts = {"torch": "2.13.0", **({} if step == "memory" else {"memory": {"total": 2**34, "free": 2**33}})}
    for trouble in ("was ended by SIGABRT", "did not answer within 60 s", ""):
        (found,) = check_files.check_program(Answer(facts, trouble, step))
        assert found.title == "First picture" and found.state == PROBLEM and trouble in found.explanation


def test_only_what_is_at_fault_is_brought_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invocation, "ROOT", tmp_path)
    broken = answer(models={"names": [], "broken": {"critters-t-32.safetensors": "It is damaged."}})
    code = answer(program_error="SyntaxError: odd", program_file="viz/app.py", picture={"model": "t", "seconds": 1.0})
    code.facts["program file"] = code.facts.pop("program_file")
    unknown = answer(picture_error="RuntimeError: odd")

    def commands() -> list[str]:
        return [
            check_files.check_models(broken)[0].command,
            check_files.check_program(code)[0].command,
            check_files.check_program(unknown)[0].command,
        ]

    assert all("pip install --force-reinstall --no-deps jinc" in command for command in commands())
    (tmp_path / ".git").mkdir()
    git = invocation.quote_words("git", "-C", str(tmp_path))
    assert commands() == [
        f"{git} checkout -- assets/critters-t-32.safetensors",
        f"{git} checkout -- viz/app.py",
        f"{git} status --short",
    ]
    assert "changes to it are lost" in check_files.check_program(code)[0].explanation


def test_the_file_that_raises_is_named() -> None:
    def raised(code: str, name: str) -> str:
        try:
            exec(compile(code, name, "exec"), {})
        except Exception as problem:
            return probe_child.find_own_file(problem)
        return "nothing was raised"

    inside = str(ROOT / "viz" / "app.py")
    assert raised("1 / 0", inside) == raised("def", inside) == raised("import no_such_thing", inside) == "viz/app.py"
    assert raised("import json; json.loads('{')", inside) == "", "somebody else's"
    assert raised("1 / 0", str(ROOT / ".venv" / "lib" / "x.py")) == raised("1 / 0", "<string>") == ""


@pytest.mark.slow
def test_a_picture_is_drawn_even_without_bundled_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gan.hub.resolve.list_bundled", tuple)
    about = probe_child.draw_picture()
    assert about["error"] == "" and about["model"] == "a model made for it" and about["file"] == ""


@POSIX
def test_what_killed_compiles_left_is_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary, kept = tmp_path / "temporary", tmp_path / "jinc" / "kernels"
    temporary.mkdir()
    kept.mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.setattr(kernel_cache, "cache_folder", lambda: kept)
    stale = [folder / f"{kernel_cache.PREFIX}{name}" for folder in (temporary, kept) for name in ("a", "b")]
    for folder in stale:
        folder.mkdir()
        (folder / "half.o").write_bytes(b"\x7fELF")
    with build_dir(temporary) as place:
        damaged, whole, unused = (kept / f"key-{name}-c++{kernel_cache.SUFFIX}" for name in ("0" * 16, "x", "y"))
        for path in (damaged, whole, unused):
            path.write_bytes(path.name.encode())
        whole, unused = (
            path.rename(path.with_name(f"key-{kernel_cache.digest([path.read_bytes()])}-c++{kernel_cache.SUFFIX}"))
            for path in (whole, unused)
        )
        for path in (*stale, place.folder):
            os.utime(path, (time.time() - 60, time.time() - 60))
        os.utime(unused, (0, 0))
        assert sorted(kernel_cache.clean_cache()) == sorted([*stale, damaged, unused])
        assert place.folder.is_dir(), "somebody works there"
    assert sorted(kept.iterdir()) == [whole] and kernel_cache.clean_cache() == []
