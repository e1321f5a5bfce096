# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The transforms of the augmentation pipeline, their strengths, and the pipes that have names [ADA, app. B]."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

GEOMETRY_BLIT = ("xflip", "rotate90", "xint")
GEOMETRY = ("scale", "rotate", "aniso", "xfrac")
COLOUR = ("brightness", "contrast", "lumaflip", "hue", "saturation")
POLICIES = ("color", "translation", "cutout")  # of DiffAugment


@dataclass(frozen=True)
class AugmentConfig:
    """Factors of p, one for each transform, 0 for those that are off; below them the transforms' strengths.

    Translations and cut-out in widths of the picture, rotations in half turns, hue in half turns, scales, contrast,
    saturation and filter as exponents of 2, brightness and noise in units of a picture in [-1, 1].
    """

    xflip: float = 0.0
    rotate90: float = 0.0
    xint: float = 0.0
    scale: float = 0.0
    rotate: float = 0.0
    aniso: float = 0.0
    xfrac: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    lumaflip: float = 0.0
    hue: float = 0.0
    saturation: float = 0.0
    imgfilter: float = 0.0
    noise: float = 0.0
    cutout: float = 0.0
    xint_max: float = 0.125
    scale_std: float = 0.2
    rotate_max: float = 1.0
    aniso_std: float = 0.2
    xfrac_std: float = 0.125
    brightness_std: float = 0.2
    contrast_std: float = 0.5
    hue_max: float = 1.0
    saturation_std: float = 1.0
    imgfilter_bands: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    imgfilter_std: float = 1.0
    noise_std: float = 0.1
    cutout_size: float = 0.5

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, values: Any) -> AugmentConfig:
        """Return the configuration of a document. ValueError, a sentence, for what is none."""
        known = {one.name for one in fields(cls)}
        if not isinstance(values, dict) or not set(values) <= known:
            raise ValueError("These are no options of an augmentation pipeline.")
        given = dict(values)
        bands = given.pop("imgfilter_bands", (1.0, 1.0, 1.0, 1.0))
        numbers = [*given.values(), *(bands if isinstance(bands, list | tuple) else [bands])]
        if len(numbers) != len(given) + 4 or not all(_is_strength(number) for number in numbers):
            raise ValueError("The options of an augmentation pipeline must be numbers from 0 to 1000, its bands four.")
        first, second, third, fourth = (float(number) for number in bands)
        return cls(imgfilter_bands=(first, second, third, fourth), **{name: float(x) for name, x in given.items()})


def _is_strength(number: Any) -> bool:
    return isinstance(number, int | float) and not isinstance(number, bool) and 0 <= number <= 1000


def _pipe(*transforms: str) -> AugmentConfig:
    return AugmentConfig(**dict.fromkeys(transforms, 1.0))  # type: ignore[arg-type]


# The names of --augpipe: b(lit), g(eometry), c(olour), f(ilter), n(oise), c(ut-out).
PIPES: dict[str, AugmentConfig] = {
    "blit": _pipe(*GEOMETRY_BLIT),
    "geom": _pipe(*GEOMETRY),
    "color": _pipe(*COLOUR),
    "filter": _pipe("imgfilter"),
    "noise": _pipe("noise"),
    "cutout": _pipe("cutout"),
    "bg": _pipe(*GEOMETRY_BLIT, *GEOMETRY),
    "bgc": _pipe(*GEOMETRY_BLIT, *GEOMETRY, *COLOUR),
    "bgcf": _pipe(*GEOMETRY_BLIT, *GEOMETRY, *COLOUR, "imgfilter"),
    "bgcfn": _pipe(*GEOMETRY_BLIT, *GEOMETRY, *COLOUR, "imgfilter", "noise"),
    "bgcfnc": _pipe(*GEOMETRY_BLIT, *GEOMETRY, *COLOUR, "imgfilter", "noise", "cutout"),
}
