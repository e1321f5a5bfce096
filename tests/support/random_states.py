# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Random states: every setting that a picture may depend on, within its limits, and small models to draw them with."""

import random
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from support.gui import save_model
from viz.core.latent import Blend, Direction, Latent, Mixture, Moved, SeedPoint, Step, WeightedSum
from viz.core.state import SLOTS, AppState
from viz.core.state_fields import read_limits
from viz.loading.direction_files import open_directions
from viz.loading.latent_files import open_latent

W_DIM = 32
NARROW = {"tx": 0.6, "ty": 0.6, "x": 200.0, "y": 50.0, "seed": 1000.0}  # of wide limits, the part that pictures are in


def save_models(folder: Path) -> list[str]:
    """Write the models: movable or not, with noise, with classes, larger ones, with transparency, of one channel."""
    made = {
        "A": {"resolution": 32},
        "B": {"resolution": 64},
        "T": {"resolution": 64, "c_dim": 3},
        "R": {"resolution": 32},
        "H": {"resolution": 16, "img_channels": 4},
        "D": {"resolution": 16, "img_channels": 1},
    }
    return [
        save_model(folder / f"{letter}.safetensors", letter, seed=place, **options)
        for place, (letter, options) in enumerate(made.items())
    ]


def save_files(folder: Path) -> tuple[list[Latent], list[Direction]]:
    """Write a z, a w, and directions, to be opened as the window does."""
    numbers = np.random.default_rng(1)
    np.save(folder / "z.npy", numbers.standard_normal((1, W_DIM), np.float32))
    np.savez(folder / "w.npz", w=numbers.standard_normal((1, W_DIM), np.float32))
    np.save(folder / "directions.npy", numbers.standard_normal((5, W_DIM), np.float32))
    latents: list[Latent] = [open_latent(str(folder / "z.npy"), "z"), open_latent(str(folder / "w.npz"))]
    first = open_directions(str(folder / "directions.npy"))
    return latents, [Direction("file", index, 0, 63, first.path, first.digest) for index in (0, 3)]


def scramble(rng: random.Random, owner: Any) -> None:
    """Set every number, word and yes or no of a state's part to anything that its field accepts."""
    for item in fields(owner):
        value, limits = getattr(owner, item.name), read_limits(owner, item.name)
        if is_dataclass(value) and type(value).__hash__ is None:
            scramble(rng, value)
        elif "choices" in limits:
            setattr(owner, item.name, rng.choice(limits["choices"]))
        elif isinstance(value, bool):
            setattr(owner, item.name, rng.random() < 0.5)
        elif "low" in limits and isinstance(value, float) and "most" not in limits:
            reach = NARROW.get(item.name, 1e9)
            low, high = max(limits["low"], -reach), min(limits["high"], reach)
            setattr(owner, item.name, rng.choice([rng.uniform(low, high), rng.uniform(low, high), value]))
        elif "low" in limits and "most" in limits:
            most = min(8, limits["most"])
            chosen = [
                rng.uniform(max(-3.0, limits["low"]), min(3.0, limits["high"])) for _ in range(rng.randint(0, most))
            ]
            setattr(owner, item.name, [int(abs(one) * 2) for one in chosen] if limits["kind"] is int else chosen)


def random_state(rng: random.Random, models: list[str], latents: list[Latent], directions: list[Direction]) -> AppState:
    """Return a state; the number formats are those of a CPU."""
    state = AppState()
    for part in (state.latent, state.right_latent, state.transform, state.right_transform, state.noise, state.canvas):
        scramble(rng, part)
    known = [
        *directions,
        *(Direction(kind, rng.randint(0, 3), 0, rng.choice([2, 63])) for kind in ("pca", "closed-form")),
    ]
    for latent in (state.latent, state.right_latent):
        point = SeedPoint(rng.uniform(-5, 5), rng.uniform(0, 5), rng.choice(["w", "z"]))
        simple = rng.choice([*latents, point])
        made = [
            simple,
            Blend(simple, point, rng.random()),
            WeightedSum(((simple, 0.75), (point, 0.5), (SeedPoint(7.0), -0.25))),
            Mixture(point, simple, (0, 2)),
            Moved(point, (Step(known[0], 1.5),)),
        ]
        latent.kept, latent.second.kept = rng.choice(made), rng.choice([None, point, *latents])
        latent.label, latent.cutoff = rng.randint(0, 3), rng.randint(0, 6)
        latent.directions.steps = tuple(
            Step(direction, rng.uniform(-3, 3)) for direction in rng.sample(known, rng.choice([0, 0, 1, 2]))
        )
    state.linked, state.focus = rng.random() < 0.5, rng.choice(SLOTS)
    state.left.path, state.right.path = rng.choice(models), rng.choice(models)
    state.display.precision = rng.choice(["auto", "float32"])
    return state
