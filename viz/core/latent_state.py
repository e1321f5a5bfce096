# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The settings of a latent: plain dataclasses, parts of the state (viz.core.state)."""

from dataclasses import dataclass, field, replace

from viz.core.latent import (
    DEEPEST,
    DIRECTION_KINDS,
    FARTHEST,
    MOST_DIRECTIONS,
    MOST_LAYERS,
    MOST_STEPS,
    PLANE_LIMIT,
    Direction,
    FileLatent,
    Latent,
    Mixture,
    Moved,
    SeedPoint,
    Step,
    count_levels,
    read_direction,
    read_latent,
    read_steps,
)
from viz.core.state_fields import choice, number, numbers, parsed, whole_numbers

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
    kept: Latent | None = parsed(read_latent)

    def base(self) -> Latent:
        """Return the latent without what is mixed in, and without directions."""
        if self.source == "kept" and self.kept is not None:
            return self.kept
        return SeedPoint(self.x, self.y, "z" if self.space == "z" else "w")

    def latent(self) -> Latent:
        """Return the latent that is shown."""
        return self.base()

    def keep(self, latent: Latent) -> None:
        """Show a latent that is no point of the plane. ValueError, a sentence, for one that no state file can hold."""
        if count_levels(latent) > DEEPEST:
            raise ValueError("This latent is made of too many others: save its w, and open that file.")
        self.source, self.kept = "kept", latent

    def open(self, latent: FileLatent) -> None:
        """Show a file's latent."""
        self.keep(latent)


@dataclass
class DirectionsState:
    """The steps along directions, and the directions that are offered: of a `kind`, for the w's `first` to `last`.

    `file` is the first direction of the file that is open; `moving` the direction along which the picture goes back
    and forth by itself, if `animate` says so.
    """

    steps: tuple[Step, ...] = parsed(read_steps, ())
    kind: str = choice(*DIRECTION_KINDS)
    first: int = number(0, 0, MOST_LAYERS - 1)
    last: int = number(MOST_LAYERS - 1, 0, MOST_LAYERS - 1)
    file: Direction | None = parsed(read_direction)
    shown: int = number(6, 1, MOST_DIRECTIONS)  # of those that are offered
    animate: bool = False
    moving: Direction | None = parsed(read_direction)
    phase: float = number(0.0, -1.0, 1.0)  # in turns
    speed: float = number(0.2, -2.0, 2.0)  # turns a second
    reach: float = number(2.0, 0.0, FARTHEST)  # of the animation, standard deviations

    def offered(self, index: int) -> Direction | None:
        """Return the `index`-th of the directions that are offered; None without a file where they are a file's."""
        first, last = min(self.first, self.last), max(self.first, self.last)
        match self.kind:
            case "pca" | "closed-form":
                return Direction(self.kind, index, first, last)
        return self.file and replace(self.file, index=index, first=first, last=last)

    def strength(self, direction: Direction) -> float:
        """Return how far the picture is along a direction, in standard deviations."""
        return next((step.strength for step in self.steps if step.direction == direction), 0.0)

    def go(self, direction: Direction, strength: float) -> None:
        """Go so far along a direction; as many steps as a latent may have are kept."""
        strength = max(-FARTHEST, min(strength, FARTHEST))
        step = (Step(direction, strength),) if strength else ()  # 0, and -0, are no step
        places = [place for place, old in enumerate(self.steps) if old.direction == direction]
        place = places[0] if places else len(self.steps)
        if place < MOST_STEPS:
            self.steps = (*self.steps[:place], *step, *self.steps[place + 1 :])

    def offer_layers(self, first: int, last: int, drag: "LayersDrag | None" = None) -> None:
        """Offer the directions for other w's; steps along those that were offered take their w's along.

        `drag` holds those that were offered when a drag began, of which this is a part.
        """
        drag = drag or LayersDrag(self)
        self.first, self.last = first, last
        offered = self.offered(0)
        if offered is None:
            return
        moved = drag.move(offered.first, offered.last)
        self.steps = tuple(replace(step, direction=moved.get(step.direction, step.direction)) for step in self.steps)
        self.moving = self.moving and moved.get(self.moving, self.moving)


class LayersDrag:
    """A drag of the range of w's: the steps that it takes along, and those that it passes, which stay as they are."""

    def __init__(self, directions: DirectionsState) -> None:
        used = {step.direction for step in directions.steps} | {directions.moving} - {None}
        offered = directions.offered(0)
        self._now = {one: one for one in used if one and replace(one, index=0) == offered}  # by where each began
        self._others = used - self._now.keys()

    def move(self, first: int, last: int) -> dict[Direction, Direction]:
        """Return where those that are taken along go, for other w's, from where they are.

        One whose place another has is for the time being where it began: two would be one from then on.
        """
        moved = {}
        for began, now in self._now.items():
            there = replace(began, first=first, last=last)
            moved[now] = self._now[began] = began if there in self._others else there
        return moved


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
    directions: DirectionsState = field(default_factory=DirectionsState)

    def latent(self) -> Latent:
        """Return the latent that is shown, a mixture if any w's are those of `second`, moved along directions."""
        is_mixed = self.mixed and self.mix_with == "second"
        return self.mix(self.second.latent()) if is_mixed else self.move(self.base())

    def mix(self, other: Latent) -> Latent:
        """Return the latent with the mixed w's of another, moved along directions."""
        return self.move(Mixture(self.base(), other, tuple(sorted(set(self.mixed)))))

    def move(self, latent: Latent) -> Latent:
        """Return a latent moved along directions, if there are steps along any."""
        return Moved(latent, self.directions.steps) if self.directions.steps else latent

    def show(self, latent: Latent) -> None:
        """Invert `latent()`: show steps along directions and mixed w's by their own settings.

        ValueError, a sentence, for a latent that no state file can hold.
        """
        steps = latent.steps if isinstance(latent, Moved) else ()
        latent = latent.base if isinstance(latent, Moved) else latent
        if isinstance(latent, Mixture) and _is_source(latent.base) and _is_source(latent.other):
            _show_base(self.second, latent.other)
            self.mixed, self.mix_with = list(latent.layers), "second"
            latent = latent.base
        elif self.mix_with == "second":
            self.mixed = []
        _show_base(self, latent)
        self.directions.steps = steps

    def open(self, latent: FileLatent) -> None:
        """Show a file's latent as it is: nothing mixed in, no steps, and w's, which may be truncated, not once more.

        So the w's that were saved of a picture give that picture.
        """
        self.show(latent)
        self.mixed = []
        if latent.space == "w":
            self.psi, self.cutoff = 1.0, 0


def _is_source(latent: Latent) -> bool:
    """Return whether a source can show the latent so that what is mixed in or added stays apart from it."""
    return not isinstance(latent, Mixture | Moved)


def _show_base(source: SourceState, latent: Latent) -> None:
    if isinstance(latent, SeedPoint):
        source.source, source.x, source.y, source.space = "seeds", latent.x, latent.y, latent.space
    else:
        source.keep(latent)
