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
GAMMA, GAMMA_RANGE = 0.001, (0.0002, 0.005)  # of S^2 / batch [P app. F.2]: the middle, and what the paper's runs took
COLUMNS = (
    "preset", "rungs", "pictures", "batch", "kimg", "C_base", "C_max", "D's C_base, C_max", "glr", "dlr", "map depth",
    "mbstd group", "path length", "mixing", "aug", "mirror",
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


ROWS = (
    Row("paper", "ABC", SMALL, 64, 25_000, (2**14, 512), (2**14, 512), 0.0025, 0.0025),
    Row("paper", "DEFGHT", SMALL, 64, 25_000, (2**14, 512), (2**14, 512), 0.0025, 0.0025),
    Row("paper", "R", SMALL, 64, 25_000, (2**14, 512), (2**14, 512), 0.0025, 0.0025),
    Row("paper", "ABC", LARGE, 32, 25_000, (2**15, 512), (2**15, 512), 0.0020, 0.0020),
    Row("paper", "DEFGHT", LARGE, 32, 25_000, (2**15, 512), (2**15, 512), 0.0025, 0.0020),
    Row("paper", "R", LARGE, 32, 25_000, (2**15, 512), (2**15, 512), 0.0025, 0.0020),
    Row("tiny", "ABC", LARGE, 16, 200, (2048, 64), (1536, 160), 0.0025, 0.0020),
    Row("tiny", "DEFGHT", LARGE, 16, 200, (1024, 32), (1536, 160), 0.0025, 0.0020),
    Row("tiny", "R", LARGE, 16, 200, (1024, 32), (1536, 160), 0.0025, 0.0020),
)
PRESETS = tuple(dict.fromkeys(row.preset for row in ROWS))


class Preset(NamedTuple):
    """The default settings of a rung at a resolution."""

    channels: tuple[int, int]
    d_channels: tuple[int, int]
    recipe: Recipe  # what the ladder says, or what takes its place
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
        return Preset(row.channels, row.d_channels, ladder.recipe, {}, options | {"augment": AugmentOptions("ada")})
    # What two CPU cores can train. StyleGAN2 has its authors' settings for 32x32 pictures (shallow mapping, no path
    # length, no style mixing), and no noise, behind which so small a generator hides (docs/log.md).
    network = {"z_dim": 128, "w_dim": 128, "mapping_layers": 2}
    if ladder.network.schedule == "flexible" and resolution <= 32:
        network["num_layers"] = 8
    recipe = replace(ladder.recipe, mbstd_group=4, pl_weight=0.0, style_mixing=0.0)
    options |= {"mirror": True, "reuse_fakes": True, "noise": "none"}
    return Preset(row.channels, row.d_channels, recipe, network, options)


def default_gamma(resolution: int, batch: int) -> float:
    """Return the default R1 weight 0.001·S²/batch, inside the paper's 0.0002…0.005: 1.02 at 256² with batch 64."""
    return GAMMA * resolution**2 / batch


def describe_gamma(gamma: float, resolution: int, batch: int, given: bool) -> str:
    """Return an R1 weight and where it comes from, as a clause of a run's first line."""
    low, high = (factor * resolution**2 / batch for factor in GAMMA_RANGE)
    tried = f"the StyleGAN3 paper has {low:.3g} to {high:.3g} for this size and batch"
    origin = "as given" if given else f"{GAMMA:g} S^2 / batch"
    return f"R1 weight {gamma:.4g} ({origin}; {tried})"


def describe_defaults() -> str:
    """Return the defaults that are formulas, a line each."""
    low, high = GAMMA_RANGE
    return (
        f"--gamma: {GAMMA:g} S^2 / batch for pictures of S x S; the paper's runs took {low / GAMMA:g} to "
        f"{high / GAMMA:g} times that.\n"
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
            str(found.recipe.mbstd_group), f"{found.recipe.pl_weight:g}", f"{found.recipe.style_mixing:g}",
            augment.mode, "on" if found.options.get("mirror") else "off",
        )  # fmt: skip
