# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""TensorBoard reads what a run wrote."""

import sys
from pathlib import Path

import pytest
from support.trainer import SMALL, call, rows

from train.watching.events import TAGS, EventLog, open_events


def read(run: Path) -> list[tuple[int, str, float]]:
    loader = pytest.importorskip("tensorboard.backend.event_processing.event_file_loader")
    events = [event for file in sorted(run.glob("events*")) for event in loader.EventFileLoader(str(file)).Load()]
    return [(event.step, value.tag, value.tensor.float_val[0]) for event in events for value in event.summary.value]


def test_ticks_become_scalars(tmp_path: Path, data: Path) -> None:
    pytest.importorskip("tensorboard")
    result = call("--cfg=T", f"--data={data}", f"--outdir={tmp_path / 'runs'}", "--kimg=0.02", *SMALL)
    assert result.exit_code == 0, result.output
    run = next((tmp_path / "runs").iterdir())
    expected = [(row["images"], TAGS[name], value) for row in rows(run) for name, value in row.items() if name in TAGS]
    expected = sorted(one for one in expected if one[2] is not None)
    found = sorted(read(run))
    assert [one[:2] for one in found] == [one[:2] for one in expected]
    assert [one[2] for one in found] == pytest.approx([one[2] for one in expected], rel=1e-6)


def test_a_session_drops_what_comes_again(tmp_path: Path) -> None:
    reservoir = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    for images in (0, 8):
        log = EventLog(tmp_path, images)
        for seen in (8, 16):
            if seen > images:
                log.add(seen, {"loss_g": images + seen, "r1": None, "tick": 3})
        log.close()
    accumulator = reservoir.EventAccumulator(str(tmp_path))
    accumulator.Reload()
    assert [(one.step, one.value) for one in accumulator.Scalars("loss/loss_g")] == [(8, 8.0), (16, 24.0)]


def test_without_the_package_a_sentence_says_so_and_nothing_is_written(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard.compat.proto.event_pb2", None)
    assert open_events(tmp_path, 0) is None
    result = call("--cfg=T", f"--data={data}", f"--outdir={tmp_path / 'runs'}", "--kimg=0.004", *SMALL)
    assert result.exit_code == 0 and "pip install tensorboard" in result.output
    assert not list(tmp_path.rglob("events*"))


def test_every_tag_is_a_field_of_the_page() -> None:
    page = (Path(__file__).parents[3] / "docs" / "run-folder.md").read_text()
    assert all(f"`{name}`" in page for name in TAGS)
