# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Names of models for people."""

from pathlib import Path

from gan.hub.resolve import format_title


def test_titles_name_the_run_of_a_snapshot(tmp_path: Path) -> None:
    run = tmp_path / "00002-cats-T-64"
    assert format_title(run / "network-snapshot-000012-345.safetensors") == "00002-cats-T-64 at 12.345 kimg"
    assert format_title(run / "network-snapshot-000012.safetensors") == "00002-cats-T-64 at 12 kimg"
    assert format_title(run / "mine.safetensors") == "mine"
