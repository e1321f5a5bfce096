# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The presets as one table, by rung and resolution, and the R1 weight that goes with data and batch.

What the ladder says of a rung (mapping depth, deviation group, path length, style mixing) is not repeated in the rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from gan.augment.options import AugmentOptions
from gan.networks.config import ConfigError
from gan.networks.ladder import Recipe, find_rung

SMALL, LARGE = 256, 1024  # pixels: the widest pictures of a row
GAMMA_RANGE = 0.0002, 0.005  # of S^2 / batch: what the paper's runs took [P app. F.2]
COLUMNS = (
    "preset", "rungs", "pictures", "batch", "kimg", "C_base", "C_max", "D's C_base, C_max", "glr", "dlr", "map depth",
    "gamma batch / S^2", "mbstd group", "path length", "mixing", "aug",
    "mirror",
)  # fmt: skip


class Row(NamedTuple):
    """Settings of some rungs up to a resolution."""

    preset: str
    rungs: str
    up_to: int
    batch: int
    kimg: int
    channels: tuple[int, int]  # base and maximum, T's values, as the command line takes them: the ladder doubles R's
    d_channels: tuple[int, int]
    g_lr: float
    d_lr: float
    gamma: float  # of S^2 / batch


ROWS = (
    Row("paper", "ABC", SMALL, 64, 25_000, (2**14, 512), (2**14, 512), 0.0025, 0.0025, 0.001),
    Row("paper", "DEFGHT", SMALL, 64, 25_000, (2**14, 512), (2**14, 512), 0.0025, 0.0025, 0.001),
    Row("paper", "R", SMALL, 64, 25_000, (2**14, 512), (2**14, 512), 0.0025, 0.0025, 0.001),
    Row("paper", "ABC", LARGE, 32, 25_000, (2**15, 512), (2**15, 512), 0.0020, 0.0020, 0.001),
    Row("paper", "DEFGHT", LARGE, 32, 25_000, (2**15, 512), (2**15, 512), 0.0025, 0.0020, 0.001),
    Row("paper", "R", LARGE, 32, 25_000, (2**15, 512), (2**15, 512), 0.0025, 0.0020, 0.001),
    # Steps count more than pictures in a short run: batches of 4 need some six tenths of them (docs/log.md).
    Row("tiny", "ABC", LARGE, 4, 100, (2048, 64), (1536, 160), 0.0025, 0.0020, 0.00025),
    Row("tiny", "DEFGHT", LARGE, 4, 100, (1024, 32), (1536, 160), 0.0025, 0.0020, 0.00025),
    Row("tiny", "R", LARGE, 4, 100, (1024, 32), (1536, 160), 0.0025, 0.0020, 0.00025),
)
PRESETS = tuple(dict.fromkeys(row.preset for row in ROWS))


class Preset(NamedTuple):
    """The default settings of a rung at a resolution."""

    channels: tuple[int, int]
    d_channels: tuple[int, int]
    recipe: Recipe  # what the ladder says, or what takes its place
    gamma: float  # of S^2 / batch
    network: dict[str, Any]  # fields of the generator that differ from the ladder's
    options: dict[str, Any]  # fields of TrainConfig


def preset(name: str, rung_letter: str, resolution: int) -> Preset:
    """Return the settings of the preset `name` ("paper" or "tiny") for a rung at a resolution. ConfigError."""
    if name not in PRESETS:
        raise ConfigError(f"There is no preset {name!r}; choose one of {', '.join(PRESETS)}.")
    ladder = find_rung(rung_letter, resolution)
    row = next(row for row in ROWS if row.preset == name and rung_letter in row.rungs and resolution <= row.up_to)
    options: dict[str, Any] = {"batch": row.batch, "total_images": 1000 * row.kimg}
    options |= {"g_lr": row.g_lr, "d_lr": row.d_lr}
    if name == "paper":
        return Preset(
            row.channels, row.d_channels, ladder.recipe, row.gamma, {}, options | {"augment": AugmentOptions("ada")}
        )
    # What two CPU cores can train. StyleGAN2 has its authors' settings for 32x32 pictures (shallow mapping, no path
    # length, no style mixing), and no noise, behind which so small a generator hides (docs/log.md).
    network = {"z_dim": 128, "w_dim": 128, "mapping_layers": 2}
    if ladder.network.schedule == "flexible" and resolution <= 32:
        network["num_layers"] = 8
    recipe = replace(ladder.recipe, mbstd_group=4, pl_weight=0.0, style_mixing=0.0)
    options |= {"mirror": True, "reuse_fakes": True, "noise": "none"}
    return Preset(row.channels, row.d_channels, recipe, row.gamma, network, options)


def describe_gamma(gamma: float, resolution: int, batch: int, given: bool) -> str:
    """Return an R1 weight and where it comes from, as a clause of a run's first line."""
    low, high = (factor * resolution**2 / batch for factor in GAMMA_RANGE)
    tried = f"the StyleGAN3 paper has {low:.3g} to {high:.3g} for this size and batch"
    origin = "as given" if given else f"{gamma * batch / resolution**2:.4g} S^2 / batch"
    return f"R1 weight {gamma:.4g} ({origin}; {tried})"


def describe_defaults() -> str:
    """Return the defaults that are formulas, a line each."""
    low, high = GAMMA_RANGE
    paper, tiny = (next(row.gamma for row in ROWS if row.preset == name) for name in ("paper", "tiny"))
    return (
        f"--gamma: {paper:g} S^2 / batch for pictures of S x S ({tiny:g} with tiny); the paper's runs took {low:g} to "
        f"{high:g}.\n"
        "EMA half-life: 10 kimg at batch 32, in proportion to the batch."
    )


def tabulate_presets() -> Iterator[tuple[str, ...]]:
    """Yield the whole table, COLUMNS first, with what the ladder says."""
    yield COLUMNS
    for row in ROWS:
        found = preset(row.preset, row.rungs[0], row.up_to)
        network = {"mapping_layers": find_rung(row.rungs[0], row.up_to).network.mapping_layers} | found.network
        doubled = 2 if row.rungs == "R" else 1
        augment = found.options.get("augment", AugmentOptions())
        sizes = (
            f"to {row.up_to}x{row.up_to}" if row.up_to == SMALL or row.preset == "tiny" else f"above {SMALL}x{SMALL}"
        )
        yield (
            row.preset, f"{row.rungs[0]} to {row.rungs[-1]}" if len(row.rungs) > 1 else row.rungs, sizes,
            str(row.batch), str(row.kimg), *(str(doubled * count) for count in row.channels),
            ", ".join(map(str, row.d_channels)), f"{row.g_lr:g}", f"{row.d_lr:g}", str(network["mapping_layers"]),
            f"{row.gamma:g}", str(found.recipe.mbstd_group), f"{found.recipe.pl_weight:g}",
            f"{found.recipe.style_mixing:g}", augment.mode, "on" if found.options.get("mirror") else "off",
        )  # fmt: skip
