# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The doctor on files: folders that cannot be written, what was left behind, damaged models, the first picture."""

import errno
import os
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.doctors import POSIX, answer, the

from cuda_ops import kernel_cache
from cuda_ops.cpu.build_dir import build_dir
from gan.hub import cache
from viz import invocation
from viz.doctor import check_files, check_kernels, probe_child
from viz.doctor.finding import OK, PROBLEM, REMARK, Finding
from viz.doctor.probe import Answer


def folders(folder: Path) -> list[Finding]:
    """Return the findings where both the settings and the caches are kept in this folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(check_files, "config_folder", lambda: folder)
        patch.setattr(kernel_cache, "cache_folder", lambda *_: folder)
        return check_files.check_folders()


@POSIX
def test_a_folder_that_cannot_be_written_says_what_is_lost(tmp_path: Path) -> None:
    in_the_way = tmp_path / "jinc"
    in_the_way.write_text("")
    found = the(folders(in_the_way), "Settings")
    assert found.state == REMARK and "is lost when it closes" in found.explanation
    assert found.command == f"mv {in_the_way} {in_the_way}.old"
    in_the_way.rename(tmp_path / "jinc.old")
    assert the(folders(in_the_way), "Settings").state == OK, "it can be made"


@POSIX
def test_whose_folder_decides_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(check_files.tempfile, "TemporaryFile", refuse)
    assert the(folders(tmp_path), "Settings").command.startswith("JINC_CONFIG=$(mktemp -d) "), "not the user's"
    monkeypatch.setattr(check_files.Path, "home", lambda: tmp_path.parent)
    assert the(folders(tmp_path), "Kernels").command == f"chmod u+rwx {tmp_path}"
    monkeypatch.setattr(check_files.os, "getuid", lambda: -2)
    assert the(folders(tmp_path), "Kernels").command == f'sudo chown "$USER" {tmp_path}', "and nothing below it"


def test_a_read_only_disk_and_a_full_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_files.shutil, "disk_usage", lambda _: SimpleNamespace(free=2**20))
    full = the(folders(tmp_path), "Settings")
    assert full.state == REMARK and "1.0 MiB free" in full.value

    def refuse(**_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(check_files.tempfile, "TemporaryFile", refuse)
    found = folders(tmp_path)
    assert {one.state for one in found} == {REMARK}
    assert "compiled anew by every process" in the(found, "Kernels").explanation
    if os.name != "nt":
        assert the(found, "Settings").command.startswith("JINC_CONFIG=$(mktemp -d) ")


def test_abandoned_downloads_are_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_cache, "clean_cache", list)
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path)
    (tmp_path / "parts").mkdir()
    old, new = (tmp_path / "parts" / f"{name}-0.part" for name in ("a", "b"))
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    (found,) = check_files.delete_left_behind()
    assert (found.state, found.value) == (OK, "a-0.part, deleted") and new.exists()


def test_what_was_half_written_goes_once_nobody_can_finish_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_cache, "clean_cache", lambda: [Path("jinc-kernels-x")])
    monkeypatch.setattr(cache, "cache_folder", lambda: tmp_path)
    monkeypatch.setenv("JINC_CONFIG", str(tmp_path))
    old, new, other = (tmp_path / name for name in (".0123456789ab.json", ".ba9876543210.json", ".0123456789.json"))
    for path in (old, new, other):
        path.write_text("{")
    for path in (old, other):
        os.utime(path, (0, 0))
    (found,) = check_files.delete_left_behind()
    assert found.state == OK and found.value == "jinc-kernels-x and .0123456789ab.json, deleted"
    assert sorted(tmp_path.iterdir()) == sorted([new, other])
    monkeypatch.setattr(kernel_cache, "clean_cache", list)
    assert check_files.delete_left_behind() == []


def test_a_bundled_model_that_is_missing_or_damaged_is_brought_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (well,) = check_files.check_models()
    assert well.state == OK and "critters-t-32" in well.value
    monkeypatch.delenv("JINC_MODELS")
    damaged = tmp_path / "assets" / "b.safetensors"
    damaged.parent.mkdir()
    damaged.write_bytes(b"")
    damaged.with_name("t.json").touch()
    monkeypatch.setattr(invocation, "ROOT", tmp_path)
    monkeypatch.setattr(check_files, "list_bundled_files", lambda: [damaged])
    (found,) = check_files.check_models()
    assert found.state == REMARK and found.value == "missing or damaged: t.safetensors and b.safetensors"
    assert found.command.endswith("pip install --force-reinstall --no-deps jinc")
    (tmp_path / ".git").mkdir()
    git = invocation.quote_words("git", "-C", str(tmp_path))
    (found,) = check_files.check_models()
    assert found.command == f"{git} checkout -- assets/t.safetensors assets/b.safetensors"
    unknown = check_kernels.check_picture(answer(picture_error="RuntimeError: odd"))
    assert unknown.command == f"{git} status --short"


def test_the_first_picture() -> None:
    drawn = check_kernels.check_picture(answer(picture={"model": "t", "seconds": 0.5, "error": ""}))
    assert drawn.state == OK and drawn.value == "t, read and drawn in 0.5 s"
    for failed in (answer(picture_error="SyntaxError: odd"), answer(picture={"model": "t", "error": "odd."})):
        found = check_kernels.check_picture(failed)
        assert found.state == PROBLEM and "odd)" in found.explanation and found.command
    crashed = check_kernels.check_picture(answer("was ended by SIGILL", "picture"))
    assert crashed.state == PROBLEM and "SIGILL" in crashed.explanation and "JINC_CPU_KERNELS=off" in crashed.command


@pytest.mark.parametrize("step", ["import", "picture", ""])
def test_without_a_picture_there_is_a_problem_wherever_it_ended(step: str) -> None:
    for trouble in ("was ended by SIGABRT", "did not answer within 60 s", ""):
        found = check_kernels.check_picture(Answer({"torch": "2.13.0"}, trouble, step))
        assert found.title == "First picture" and found.state == PROBLEM and trouble in found.explanation


@pytest.mark.slow
def test_a_folder_of_models_that_has_none_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JINC_MODELS", str(tmp_path / "nowhere"))
    (found,) = check_files.check_models()
    assert found.state == REMARK and "JINC_MODELS" in found.explanation and not found.command


def test_a_picture_is_drawn_even_without_bundled_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gan.hub.resolve.list_bundled", tuple)
    about = probe_child.draw_picture()
    assert about["error"] == "" and about["model"] == "a model made for it"


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
