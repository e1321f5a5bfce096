# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The options of a run's augmentation; without torch, which --help must not load."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from gan.augment.config import PIPES, POLICIES, AugmentConfig

MODES = ("noaug", "ada", "fixed")


@dataclass(frozen=True)
class AugmentOptions:
    """Augmentation of what D sees: `mode` and `pipe` of the pipeline, `diffaug` of DiffAugment; ValueError, a sentence.

    "fixed" applies each transform with probability `p`; "ada" begins there and adapts it so that the mean sign of D's
    output on reals stays at `target` [ADA, sec. 3]: from 0 to 1 takes `ramp_images` at the fastest.
    """

    mode: str = "noaug"
    pipe: AugmentConfig = PIPES["bgc"]
    p: float = 0.0
    target: float = 0.6
    ramp_images: int = 500_000
    interval: int = 4  # steps between changes of p
    diffaug: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        valid = {
            "mode": self.mode in MODES,
            "pipe": isinstance(self.pipe, AugmentConfig),
            "p": _is_number(self.p) and 0 <= self.p <= 1,
            "target": _is_number(self.target) and -1 < self.target < 1,
            "ramp_images": type(self.ramp_images) is int and self.ramp_images > 0,
            "interval": type(self.interval) is int and self.interval > 0,
            "diffaug": all(policy in POLICIES for policy in self.diffaug),
        }
        for name, is_valid in valid.items():
            if not is_valid:
                raise ValueError(f"The augmentation's {name} cannot be {getattr(self, name)!r:.80}.")

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "diffaug": list(self.diffaug)}

    @classmethod
    def from_json(cls, document: Any) -> Self:
        """Restore what `to_json` returned. ValueError, a sentence, for anything else."""
        known = {field.name for field in fields(cls)}
        if not isinstance(document, dict) or not set(document) <= known:
            raise ValueError("The options of the augmentation are unknown or mistyped.")
        values = dict(document)
        try:
            if "pipe" in values:
                values["pipe"] = AugmentConfig.from_json(values["pipe"])
            values["diffaug"] = tuple(values.get("diffaug", ()))
            return cls(**values)
        except TypeError as error:
            raise ValueError(f"The options of the augmentation are mistyped ({error}).") from error

    def describe(self) -> str:
        """Return a clause for a run's first line; "" for none."""
        said = []
        if self.mode != "noaug":
            pipe = next((name for name, known in PIPES.items() if known == self.pipe), "own transforms")
            how = f"p = {self.p:g}" if self.mode == "fixed" else f"p adapted to a sign of {self.target:g}"
            said.append(f"augmented by {pipe}, {how}")
        if self.diffaug:
            said.append(f"augmented by DiffAugment's {', '.join(self.diffaug)}")
        return "; ".join(said)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
