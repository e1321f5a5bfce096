# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Latents as plain data: frozen, hashable, in the state, in requests and in files (mapped by viz/render/latents.py).

A latent says where its w's come from, not what they are: psi, cutoff and label are the request's, and act on each part.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

PLANE_WIDTH = 100
"""Seeds in one row of the seed plane: the seed at integer (x, y) is x + 100 y, modulo 2^32."""
PLANE_LIMIT = 5e7  # of x and of y: the largest seed, 2^32 - 1, is in row 42,949,672
LARGEST_SEED = 2**32 - 1
MOST_LAYERS = 64  # w's of a model
DEEPEST = 8  # latents inside one another, in a file
LONGEST_PATH = 4096  # characters

MOST_PARTS, HEAVIEST = 4, 100.0  # of a weighted sum

MOST_DIRECTIONS = 4096  # of a kind
MOST_STEPS = 64  # along directions at once
MOST_NAMED = 128  # directions
LONGEST_NAME = 40  # characters of a direction's
FARTHEST = 20.0  # standard deviations of one

Space = Literal["w", "z"]
DirectionKind = Literal["pca", "closed-form", "file"]
DIRECTION_KINDS: tuple[DirectionKind, ...] = get_args(DirectionKind)
SeedWeights = tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class SeedPoint:
    """A point of the seed plane. Between seeds their w's are blended, or their z's, as `space` says."""

    x: float = 0.0
    y: float = 0.0
    space: Space = "w"
    type: str = field(default="seeds", init=False)

    def __post_init__(self) -> None:
        if not (math.isfinite(self.x) and math.isfinite(self.y)):  # nan is no request: it does not equal itself
            raise ValueError(f"There is no seed at ({self.x:g}, {self.y:g}).")

    def weights(self) -> SeedWeights:
        """Return the seeds around the point and the weights of their w's, or of their z's.

        Bilinear (1 - |x - X|)(1 - |y - Y|), as in the official viewer. Those of z's are divided by the root of their
        sum of squares: a weighted sum of independent N(0, I) vectors is then again N(0, I), so that every point is a
        fair sample of the model, where blended w's drift towards the average in the middle of every cell.
        """
        column, row = math.floor(self.x), math.floor(self.y)
        u, v = self.x - column, self.y - row
        corners = (
            (column, row, (1 - u) * (1 - v)),
            (column + 1, row, u * (1 - v)),
            (column, row + 1, (1 - u) * v),
            (column + 1, row + 1, u * v),
        )
        scale = 1.0 if self.space == "w" else 1.0 / math.sqrt(sum(weight * weight for _, _, weight in corners))
        return tuple(((x + PLANE_WIDTH * y) % 2**32, weight * scale) for x, y, weight in corners if weight > 0.0)


@dataclass(frozen=True)
class FileLatent:
    """A z, a w, or the w's of all layers (W+), from a file.

    `digest`, the SHA-256 of its bytes, says which numbers are meant; `path` only where they were.
    """

    space: Space
    path: str
    digest: str
    type: str = field(default="file", init=False)

    @property
    def name(self) -> str:
        return Path(self.path).name


@dataclass(frozen=True)
class Mixture:
    """Style mixing: `base`, with the w's of `layers` (indices of w's, those that a model lacks left out) of `other`."""

    base: "Latent"
    other: "Latent"
    layers: tuple[int, ...]
    type: str = field(default="mixture", init=False)


@dataclass(frozen=True)
class Blend:
    """A point between two latents: the w's of `first` times 1 - amount and those of `second` times amount."""

    first: "Latent"
    second: "Latent"
    amount: float
    type: str = field(default="blend", init=False)


@dataclass(frozen=True)
class WeightedSum:
    """A point of a curve through several latents: the sum of each one's w's times its weight; the weights add up to 1.

    Weights may be negative: between two points, a smooth curve is outside of the straight line.
    """

    parts: "tuple[tuple[Latent, float], ...]"
    type: str = field(default="sum", init=False)


@dataclass(frozen=True)
class OtherModel:
    """The w's that another model, a file, maps `latent` to, with a truncation and a label of their own.

    It is part of requests alone: a state says that it wants the other slot's w's.
    """

    model: str
    latent: "Latent"
    psi: float = 1.0
    cutoff: int | None = None
    label: int = 0
    label_kind: str = "auto"
    vector: tuple[float, ...] = ()
    type: str = field(default="model", init=False)


@dataclass(frozen=True)
class Direction:
    """A direction of w, the `index`-th of its kind, for the w's `first` to `last`; each model has its own.

    "pca" are the principal components of w, "closed-form" the factorisation of the styles that these w's give, "file"
    those of a file, of which `digest`, the SHA-256 of its bytes, says which is meant.
    """

    kind: DirectionKind = "pca"
    index: int = 0
    first: int = 0
    last: int = MOST_LAYERS - 1
    path: str = ""
    digest: str = ""


@dataclass(frozen=True)
class NamedDirection:
    """A direction that the user named, of the model with this fingerprint (gan.analysis.directions)."""

    model: str
    name: str
    direction: Direction


@dataclass(frozen=True)
class Step:
    """A way along a direction, in standard deviations of w along it."""

    direction: Direction
    strength: float


@dataclass(frozen=True)
class Moved:
    """The w's of `base`, truncated as they are, and then moved by the sum of `steps`."""

    base: "Latent"
    steps: tuple[Step, ...]
    type: str = field(default="moved", init=False)


Latent = SeedPoint | FileLatent | Mixture | Blend | WeightedSum | OtherModel | Moved


def count_levels(latent: Latent) -> int:
    """Return how many latents lie inside one another: 1 for one that is made of no others."""
    match latent:
        case Mixture():
            return 1 + max(count_levels(latent.base), count_levels(latent.other))
        case Blend():
            return 1 + max(count_levels(latent.first), count_levels(latent.second))
        case WeightedSum():
            return 1 + max(count_levels(part) for part, _ in latent.parts)
        case Moved():
            return 1 + count_levels(latent.base)
        case _:
            return 1


def put_base(latent: Latent, base: Latent, *, in_others: bool = False) -> Latent:
    """Return a mixture, or what is moved, with another base; for any other latent `base` itself.

    `in_others`: what another model maps for the mixture gets it as well.
    """
    match latent:
        case Mixture(other=OtherModel() as theirs) if in_others:
            other = replace(theirs, latent=put_base(theirs.latent, base))
            return replace(latent, base=put_base(latent.base, base), other=other)
        case Mixture() | Moved():
            return replace(latent, base=put_base(latent.base, base, in_others=in_others))
        case _:
            return base


def seed_point(seed: int) -> SeedPoint:
    """Return a seed's place on the plane, the one in columns 0 to 99. ValueError, a sentence, for one out of range."""
    if not 0 <= seed <= LARGEST_SEED:
        raise ValueError(f"Seeds run from 0 to {LARGEST_SEED}, so there is no seed {seed}.")
    return SeedPoint(float(seed % PLANE_WIDTH), float(seed // PLANE_WIDTH))


def find_seed(latent: Latent) -> int | None:
    """Return the seed whose latent this is, None for any other latent."""
    weights = latent.weights() if isinstance(latent, SeedPoint) else ()
    return weights[0][0] if len(weights) == 1 else None


def read_latent(label: str, document: object, depth: int = 0) -> Latent:
    """Return the latent of a JSON object, as dataclasses.asdict writes one; ValueError, a sentence, for any other.

    `label` is its name in a file.
    """
    if not isinstance(document, dict):
        raise ValueError(f"{label} must be a JSON object.")
    if depth >= DEEPEST:
        raise ValueError(f"{label} holds more than {DEEPEST} latents inside one another.")
    values = {name: value for name, value in document.items() if name != "type"}
    match document.get("type"):
        case "seeds" if values.keys() == {"x", "y", "space"}:
            x, y = (_read_coordinate(f"{label}.{name}", values[name]) for name in ("x", "y"))
            return SeedPoint(x, y, _read_space(label, values["space"]))
        case "file" if values.keys() == {"space", "path", "digest"}:
            path, digest = _read_file(label, values)
            return FileLatent(_read_space(label, values["space"]), path, digest)
        case "mixture" if values.keys() == {"base", "other", "layers"}:
            base, other = (read_latent(f"{label}.{name}", values[name], depth + 1) for name in ("base", "other"))
            return Mixture(base, other, _read_layers(f"{label}.layers", values["layers"]))
        case "blend" if values.keys() == {"first", "second", "amount"}:
            first, second = (read_latent(f"{label}.{name}", values[name], depth + 1) for name in ("first", "second"))
            amount = values["amount"]
            if type(amount) not in (int, float) or not 0 <= amount <= 1:
                raise ValueError(f"{label}.amount must be a number between 0 and 1.")
            return Blend(first, second, float(amount))
        case "sum" if values.keys() == {"parts"}:
            return WeightedSum(_read_parts(f"{label}.parts", values["parts"], depth + 1))
        case "moved" if values.keys() == {"base", "steps"}:
            base = read_latent(f"{label}.base", values["base"], depth + 1)
            return Moved(base, read_steps(f"{label}.steps", values["steps"]))
    raise ValueError(f"{label} is not a latent of a type that this Jinc knows.")


def _read_parts(label: str, document: object, depth: int) -> tuple[tuple[Latent, float], ...]:
    if not isinstance(document, list | tuple) or not 0 < len(document) <= MOST_PARTS:
        raise ValueError(f"{label} must be a list of 1 to {MOST_PARTS} latents with their weights.")
    parts = []
    for place, entry in enumerate(document):
        if not isinstance(entry, list | tuple) or len(entry) != 2:
            raise ValueError(f"{label}[{place}] must be a latent and its weight.")
        latent, weight = entry
        if type(weight) not in (int, float) or not abs(weight) <= HEAVIEST:
            raise ValueError(f"{label}[{place}] must have a weight between {-HEAVIEST:g} and {HEAVIEST:g}.")
        parts.append((read_latent(f"{label}[{place}]", latent, depth), float(weight)))
    return tuple(parts)


def read_steps(label: str, document: object) -> tuple[Step, ...]:
    """Return the steps of a JSON list of objects, as `read_latent` does a latent."""
    if not isinstance(document, list | tuple) or len(document) > MOST_STEPS:
        raise ValueError(f"{label} must be a list of at most {MOST_STEPS} steps.")
    return tuple(_read_step(f"{label}[{place}]", step) for place, step in enumerate(document))


def _read_step(label: str, document: object) -> Step:
    if not isinstance(document, dict) or document.keys() != {"direction", "strength"}:
        raise ValueError(f"{label} must be a JSON object of a direction and a strength.")
    strength = document["strength"]
    if type(strength) not in (int, float) or not abs(strength) <= FARTHEST:
        raise ValueError(f"{label}.strength must be a number between {-FARTHEST:g} and {FARTHEST:g}.")
    return Step(read_direction(f"{label}.direction", document["direction"]), float(strength))


def read_direction(label: str, document: object) -> Direction:
    """Return the direction of a JSON object, as `read_latent` does a latent."""
    if not isinstance(document, dict) or document.keys() != Direction.__dataclass_fields__.keys():
        raise ValueError(f"{label} must be a JSON object of {', '.join(Direction.__dataclass_fields__)}.")
    if document["kind"] not in DIRECTION_KINDS:
        raise ValueError(f"{label}.kind must be one of {', '.join(DIRECTION_KINDS)}.")
    for name, most in (("index", MOST_DIRECTIONS - 1), ("first", MOST_LAYERS - 1), ("last", MOST_LAYERS - 1)):
        if type(document[name]) is not int or not 0 <= document[name] <= most:
            raise ValueError(f"{label}.{name} must be a whole number from 0 to {most}.")
    path, digest = _read_file(label, document) if document["kind"] == "file" else ("", "")
    return Direction(document["kind"], document["index"], document["first"], document["last"], path, digest)


def read_named_directions(label: str, document: object) -> tuple[NamedDirection, ...]:
    """Return the named directions of a JSON list of objects, as `read_latent` does a latent."""
    if not isinstance(document, list | tuple) or len(document) > MOST_NAMED:
        raise ValueError(f"{label} must be a list of at most {MOST_NAMED} directions.")
    return tuple(_read_named(f"{label}[{place}]", entry) for place, entry in enumerate(document))


def _read_named(label: str, document: object) -> NamedDirection:
    if not isinstance(document, dict) or document.keys() != {"model", "name", "direction"}:
        raise ValueError(f"{label} must be a JSON object of model, name and direction.")
    model, name = document["model"], document["name"]
    if not isinstance(model, str) or not re.fullmatch("[0-9a-f]{64}", model):
        raise ValueError(f"{label}.model must be a SHA-256 checksum of 64 digits 0-9a-f.")
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise ValueError(f"{label}.name must be a text of 1 to {LONGEST_NAME} characters.")
    return NamedDirection(model, name, read_direction(f"{label}.direction", document["direction"]))


def _read_file(label: str, values: Mapping[str, Any]) -> tuple[str, str]:
    """Return the path and the digest of a file."""
    path, digest = values["path"], values["digest"]
    if not isinstance(path, str) or len(path) > LONGEST_PATH or "\0" in path:
        raise ValueError(f"{label}.path must be a text of at most {LONGEST_PATH} characters.")
    if not isinstance(digest, str) or not re.fullmatch("[0-9a-f]{64}", digest):
        raise ValueError(f"{label}.digest must be a SHA-256 checksum of 64 digits 0-9a-f.")
    return path, digest


def _read_coordinate(label: str, value: Any) -> float:
    if type(value) not in (int, float) or not abs(value) <= PLANE_LIMIT:
        raise ValueError(f"{label} must be a number between {-PLANE_LIMIT:g} and {PLANE_LIMIT:g}.")
    return float(value)


def _read_space(label: str, value: Any) -> Space:
    if value not in ("w", "z"):
        raise ValueError(f"{label}.space must be w or z.")
    return value


def _read_layers(label: str, value: Any) -> tuple[int, ...]:
    if not isinstance(value, list | tuple) or not all(type(i) is int and 0 <= i < MOST_LAYERS for i in value):
        raise ValueError(f"{label} must be a list of whole numbers from 0 to {MOST_LAYERS - 1}.")
    return tuple(sorted(set(value)))
