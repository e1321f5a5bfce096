# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The settings of a latent: plain dataclasses, parts of the state (viz.core.state)."""

from dataclasses import dataclass, field

from viz.core.latent import DEEPEST, MOST_LAYERS, PLANE_LIMIT, Latent, Mixture, SeedPoint, count_levels
from viz.core.state_fields import choice, latent, number, numbers, whole_numbers

LONGEST_VECTOR = 4096  # numbers of a label


@dataclass
class SourceState:
    """A point of the seed plane, blended in `space`, or a latent that is `kept` (a file's), as `source` says.

    Either stays as it is while the other one is shown.
    """

    x: float = number(0.0, -PLANE_LIMIT, PLANE_LIMIT)
    y: float = number(0.0, -PLANE_LIMIT, PLANE_LIMIT)
    space: str = choice("w", "z")
    animate: bool = False
    speed: float = number(0.25, -5.0, 5.0)  # seeds a second, along x
    source: str = choice("seeds", "kept")
    kept: Latent | None = latent()

    def latent(self) -> Latent:
        """Return the latent that is shown."""
        if self.source == "kept" and self.kept is not None:
            return self.kept
        return SeedPoint(self.x, self.y, "z" if self.space == "z" else "w")

    def keep(self, latent: Latent) -> None:
        """Show a latent that is no point of the plane. ValueError, a sentence, for one that no state file can hold."""
        if count_levels(latent) > DEEPEST:
            raise ValueError("This latent is made of too many others: save its w, and open that file.")
        self.source, self.kept = "kept", latent


@dataclass
class LatentState(SourceState):
    """A latent, truncation psi on the first `cutoff` w's (0: on all), and a label; `mixed` w's are those of `second`.

    The label is a class or a vector, by `label_kind`: "auto" is what the model was trained with, as far as its file
    says so. Numbers that `vector` lacks are the model's own default (gan.networks.labels).
    """

    psi: float = number(1.0, -1.0, 2.0)
    cutoff: int = number(0, 0, 64)
    label: int = number(0, 0, 100_000)  # the class
    label_kind: str = choice("auto", "class", "vector")
    vector: list[float] = numbers(-1e30, 1e30, LONGEST_VECTOR)
    second: SourceState = field(default_factory=lambda: SourceState(x=1.0))
    mixed: list[int] = whole_numbers(0, MOST_LAYERS - 1, MOST_LAYERS)
    mix_with: str = choice("second", "other slot")  # whose w's the mixed ones are

    def base(self) -> Latent:
        """Return the latent without what is mixed in."""
        return super().latent()

    def latent(self) -> Latent:
        """Return the latent that is shown, a mixture if any w's are those of `second`."""
        return self.mix(self.second.latent()) if self.mixed and self.mix_with == "second" else self.base()

    def mix(self, other: Latent) -> Latent:
        """Return the latent with the mixed w's of another."""
        return Mixture(self.base(), other, tuple(sorted(set(self.mixed))))
