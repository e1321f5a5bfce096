# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Saving as a job: never over a file unasked, whole or not at all, and a sentence whatever happens."""

import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from viz.core.request import RenderRequest
from viz.record.save_export import SaveExport
from viz.reports.export import Array, Export


def export() -> Export:
    columns = (Array("x", np.arange(3), "", "numbers"),)
    return Export("x", "title", {}, (3, 2), lambda figure: figure.subplots(), columns, lambda: columns)


def steps(path: Path, *, overwrite: bool = False, numbered: bool = False) -> list[str | None]:
    job: Any = SaveExport(lambda renderer: export(), path, overwrite, numbered)
    return list(job.run(None, RenderRequest()))


@pytest.mark.parametrize("suffix", [".png", ".pdf", ".svg", ".npz", ".csv"])
def test_a_file_is_written_in_slices(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "new" / f"x{suffix}"
    *slices, last = steps(path)
    assert last == f"Wrote {path}." and slices and not any(slices) and path.stat().st_size > 10
    with pytest.raises(ValueError, match="is there already: give another name"):
        steps(path)
    path.write_bytes(b"before")
    assert steps(path, overwrite=True)[-1] == f"Wrote {path}." and path.read_bytes() != b"before"


def test_a_file_that_came_meanwhile_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    for numbered, last in ((True, f"Wrote {tmp_path / 'x-2.csv'}."), (False, None)):
        job: Any = SaveExport(lambda renderer: export(), path, False, numbered)
        path.unlink(missing_ok=True)
        run = job.run(None, RenderRequest())
        next(run)
        path.write_text("theirs")
        if numbered:
            assert [*run][-1] == last
        else:
            with pytest.raises(ValueError, match="is there already: give another name"):
                list(run)
        assert path.read_text() == "theirs"
    assert steps(path, numbered=True)[-1] == f"Wrote {tmp_path / 'x-3.csv'}."
    assert len([*tmp_path.iterdir()]) == 3


def test_a_cancelled_file_is_not_there(tmp_path: Path) -> None:
    drawn, ended = threading.Event(), threading.Event()

    def fill(figure: Any) -> None:
        assert drawn.wait(60)
        ended.set()

    job: Any = SaveExport(lambda renderer: replace(export(), fill=fill), tmp_path / "x.svg")
    run = job.run(None, RenderRequest())
    assert [next(run) for _ in range(3)] == [None] * 3
    run.close()
    drawn.set()
    assert ended.wait(60)
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_written_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="cannot be written: "):
        steps(tmp_path / "file" / "x.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(ValueError, match="is there already"):
        steps(tmp_path / "folder.csv", overwrite=True)
    with pytest.raises(ValueError, match="must end as one of these"):
        steps(tmp_path / "x.doc")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ValueError, match="pip install matplotlib"):
        steps(tmp_path / "x.svg")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.csv"]
