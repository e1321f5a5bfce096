# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The presets' table: what it says is what a run gets, and what the page prints."""

from typing import Any

import pytest
from support.paths import ROOT
from support.trainer import call

from train.config import configure
from train.presets.table import COLUMNS, ROWS, describe_gamma, tabulate_presets

DATA = {"data": "", "data_name": "", "data_images": 1, "data_digest": ""}


@pytest.mark.parametrize("line", list(tabulate_presets())[1:], ids=lambda line: "-".join(line[:3]))
def test_a_run_gets_what_its_row_says(line: tuple[str, ...]) -> None:
    said = dict(zip(COLUMNS, line, strict=True))
    first, _, last = said["rungs"].partition(" to ")
    for rung in {first, last or first}:
        size = int(said["pictures"].split()[1].split("x")[0]) * (4 if said["pictures"].startswith("above") else 1)
        config = configure(rung, resolution=size, preset_name=said["preset"], **DATA)
        g, d = config.generator, config.discriminator
        found = {
            "batch": config.batch,
            "kimg": config.total_images // 1000,
            "C_base": g.channel_base,
            "C_max": g.channel_max,
            "D's C_base, C_max": f"{d.channel_base}, {d.channel_max}",
            "glr": config.g_lr,
            "dlr": config.d_lr,
            "map depth": g.mapping_layers,
            "mbstd group": d.mbstd_group,
            "path length": f"{config.pl_weight:g}",
            "mixing": f"{config.style_mixing:g}",
            "aug": config.augment.mode,
            "mirror": "on" if config.mirror else "off",
        }
        assert {name: said[name] for name in found} == {name: str(value) for name, value in found.items()}


def test_every_rung_has_a_row_at_every_size() -> None:
    for preset in ("paper", "tiny"):
        for rung in "ABCDEFGHTR":
            assert max(row.up_to for row in ROWS if row.preset == preset and rung in row.rungs) == 1024


def test_the_discriminator_may_have_widths_of_its_own() -> None:
    common: dict[str, Any] = {**DATA, "resolution": 32, "preset_name": "tiny", "channel_base": 512, "channel_max": 48}
    both = configure("B", **common)
    assert (both.discriminator.channel_base, both.discriminator.channel_max) == (512, 48)
    own = configure("B", d_channel_base=1024, d_channel_max=96, **common)
    assert (own.discriminator.channel_base, own.discriminator.channel_max) == (1024, 96)
    assert own.generator == both.generator


def test_the_page_has_the_table() -> None:
    page = (ROOT / "docs" / "presets.md").read_text(encoding="utf-8")
    for line in tabulate_presets():
        assert "| " + " | ".join(line) + " |" in page


def test_the_command_prints_it() -> None:
    result = call("presets")
    assert result.exit_code == 0 and all(cell in result.output for line in tabulate_presets() for cell in line)
    assert "0.001 S^2 / batch" in result.output


def test_the_weight_says_where_it_comes_from() -> None:
    assert describe_gamma(8.2, 1024, 32, given=True) == (
        "R1 weight 8.2 (as given; the StyleGAN3 paper has 6.55 to 164 for this size and batch)"
    )
