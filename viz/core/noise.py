# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Noise of StyleGAN2's layers (rungs A and B): its settings, and what of them a picture depends on."""

from dataclasses import dataclass

from viz.core.state_fields import choice, number, numbers

MOST_LAYERS = 64
STRONGEST = 16.0
LARGEST_SEED = 2.0**32 - 1
SETTLED = 1.0  # strength that the model was trained with


@dataclass(frozen=True)
class Noise:
    """A plane of noise for each layer, times what the layer learned: "const" the stored planes, "random" or "none".

    Random planes are N(0, 1) of `seed`, in between blends of the two seeds around it; each is multiplied by `strength`
    and by its entry of `scales` (those that are missing are 1), in the order of the layers.
    """

    mode: str = "const"
    seed: float = 0.0
    strength: float = 1.0
    scales: tuple[float, ...] = ()

    def scale(self, index: int) -> float:
        """Return the factor of a layer's plane."""
        return self.strength * (self.scales[index] if index < len(self.scales) else 1.0)


STORED = Noise()


@dataclass
class NoiseState:
    """The noise of both slots' models, as `Noise`; `animate` moves on through the seeds."""

    mode: str = choice("const", "random", "none")
    seed: float = number(0.0, 0.0, LARGEST_SEED)
    animate: bool = False
    speed: float = number(2.0, 0.0, 60.0)  # seeds a second
    strength: float = number(SETTLED, 0.0, STRONGEST)
    scales: list[float] = numbers(0.0, STRONGEST, MOST_LAYERS, fill=SETTLED)

    @property
    def moves(self) -> bool:
        """True while the planes change by themselves."""
        return self.animate and self.mode == "random"

    def noise(self) -> Noise:
        """Return what a picture depends on: equal for settings that make no difference."""
        if self.mode == "none":
            return Noise("none")
        scales = tuple(self.scales)
        while scales and scales[-1] == 1.0:
            scales = scales[:-1]
        return Noise(self.mode, self.seed if self.mode == "random" else 0.0, self.strength, scales)
