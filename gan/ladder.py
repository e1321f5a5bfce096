# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The ladder from StyleGAN2 to StyleGAN3-R [P fig. 3]: each rung is another one with named changes."""

from dataclasses import replace
from typing import Any

from gan.config import ConfigError, GeneratorConfig

RUNGS = (
    ("A", "StyleGAN2"),
    ("B", "StyleGAN2 on Fourier features"),
    ("T", "StyleGAN3-T"),
    ("R", "StyleGAN3-R"),
)
ALIASES = {"stylegan2": "A", "stylegan3-t": "T", "stylegan3-r": "R"}


def letter(name: str) -> str:
    """The rung's letter for a letter or one of the official tools' names; ConfigError names the choices."""
    found = ALIASES.get(name.lower(), name.upper())
    if found not in {known for known, _ in RUNGS}:
        choices = ", ".join([known for known, _ in RUNGS] + list(ALIASES))
        raise ConfigError(f"There is no rung {name!r} here: choose one of {choices}.")
    return found


def rung(
    name: str, resolution: int, *, channel_base: int | None = None, channel_max: int | None = None, **fields: Any
) -> GeneratorConfig:
    """The configuration of a rung at `resolution`.

    `channel_base` (default 2^14 up to 256 pixels, 2^15 above) and `channel_max` (512) are T's values: R doubles them,
    since its 1x1 convolutions have a ninth of the weights. Other `fields` of GeneratorConfig are set as given.
    """
    base = channel_base if channel_base is not None else (2**14 if resolution <= 256 else 2**15)
    peak = channel_max if channel_max is not None else 512
    a = GeneratorConfig(
        rung="A", resolution=resolution, channel_base=base, channel_max=peak, mapping_layers=8,
        architecture="skip", fourier_input=False, learned_transform=False, noise_inputs=True,
    )  # fmt: skip
    b = replace(a, rung="B", fourier_input=True)
    t = GeneratorConfig(rung="T", resolution=resolution, channel_base=base, channel_max=peak)
    r = replace(
        t, rung="R", conv_kernel=1, radial_filters=True, channel_base=2 * base, channel_max=2 * peak
    )
    chosen = {config.rung: config for config in (a, b, t, r)}[letter(name)]
    try:
        return replace(chosen, **fields)
    except TypeError as error:
        raise ConfigError(f"A generator has no such setting: {error}.") from error
