# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Bookmarks: copies of a latent, a transform or all settings of the picture, to come back to and to blend."""

import copy
import math
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, get_args

from viz.core.gestures import set_clamped, wrap_degrees
from viz.core.latent import Blend, FileLatent, Mixture, Moved, SeedPoint, find_seed
from viz.core.latent_state import LatentState
from viz.core.state import AppState, TransformState

Kind = Literal["latent", "transform", "everything"]
KINDS: tuple[Kind, ...] = get_args(Kind)
BOOKMARKS_LIMIT = 200
NAME_LIMIT = 60  # characters
ANGLES, FACTORS = ("degrees", "learned_degrees"), ("scale", "stretch")
NOT_BLENDED = ("phase", "learned_phase", "snap_degrees")
NOT_KEPT = (
    "display",
    "training",
    "recents",
    "bookmarks",
    "osc",
    "named_directions",
    "capture",
    "export",
    "timeline",
    "playback",
)
"""Parts of the state that a bookmark of everything leaves alone: they decide no picture."""


def make_key() -> str:
    """Return a new bookmark's key."""
    return uuid.uuid4().hex[:12]


@dataclass(frozen=True, eq=False)
class Bookmark:
    """A copy of settings. Of `state` only what `kind` names is meant; `picture` is a small PNG, b"" without one."""

    name: str
    kind: Kind
    state: AppState
    picture: bytes = b""
    key: str = field(default_factory=make_key)


@dataclass
class BookmarkShelf:
    """The bookmarks, in the user's order. They are replaced, never changed, so that undoing is putting back a tuple."""

    items: tuple[Bookmark, ...] = ()

    def find(self, key: str) -> Bookmark | None:
        """Return the bookmark with this key."""
        return next((item for item in self.items if item.key == key), None)

    def add(self, added: Sequence[Bookmark]) -> int:
        """Put bookmarks behind the others, as many as there is room for; return how many that were."""
        known = {item.key for item in self.items}
        room = max(0, BOOKMARKS_LIMIT - len(self.items))
        new = tuple(replace(item, key=make_key()) if item.key in known else item for item in added[:room])
        self.items += new
        return len(new)

    def put(self, changed: Bookmark) -> None:
        """Put a bookmark in the place of the one with its key."""
        self.items = tuple(changed if item.key == changed.key else item for item in self.items)

    def remove(self, key: str) -> None:
        """Take a bookmark away."""
        self.items = tuple(item for item in self.items if item.key != key)

    def move(self, key: str, place: int) -> None:
        """Move a bookmark so that it is at `place`, or at the nearest end."""
        moved = self.find(key)
        if moved is not None and self.items.index(moved) != max(0, min(place, len(self.items) - 1)):
            others = [item for item in self.items if item is not moved]
            others.insert(max(0, place), moved)
            self.items = tuple(others)


def capture(state: AppState, kind: Kind, picture: bytes = b"") -> Bookmark:
    """Return a bookmark of what the state shows, of the focused slot while the slots are unlinked."""
    kept = AppState()
    match kind:
        case "latent":
            kept.latent = copy.deepcopy(state.latent_of(state.focus))
        case "transform":
            kept.transform = copy.deepcopy(state.transform_of(state.focus))
        case "everything":
            for name in _parts():
                setattr(kept, name, copy.deepcopy(getattr(state, name)))
    return Bookmark(_name(kept, kind), kind, kept, picture)


def restore(bookmark: Bookmark, state: AppState) -> None:
    """Bring back what a bookmark holds, for the focused slot while the slots are unlinked."""
    match bookmark.kind:
        case "latent":
            _set_latent(state, copy.deepcopy(bookmark.state.latent))
        case "transform":
            _set_transform(state, copy.deepcopy(bookmark.state.transform))
        case "everything":
            for name in _parts():
                setattr(state, name, copy.deepcopy(getattr(bookmark.state, name)))


def is_restored(bookmark: Bookmark, state: AppState) -> bool:
    """Return whether the state is just what the bookmark holds."""
    match bookmark.kind:
        case "latent":
            return state.latent_of(state.focus) == bookmark.state.latent
        case "transform":
            return state.transform_of(state.focus) == bookmark.state.transform
        case "everything":
            return all(getattr(state, name) == getattr(bookmark.state, name) for name in _parts())


def can_blend(first: Bookmark, second: Bookmark) -> bool:
    """Return whether both hold a latent, or both a transform."""
    return first.kind == second.kind or "everything" in (first.kind, second.kind)


def blend(first: Bookmark, second: Bookmark, amount: float, state: AppState) -> None:
    """Show the point between two bookmarks: `amount` 0 is the first, 1 the second. Latents are blended in W.

    Raises ValueError, a sentence, for latents made of too many others.
    """
    if "transform" not in (first.kind, second.kind):
        one, other = (item.state.latent_of(item.state.focus) for item in (first, second))
        _set_latent(state, blend_latents(one, other, amount))
    if "latent" not in (first.kind, second.kind):
        start, end = (item.state.transform_of(item.state.focus) for item in (first, second))
        _set_transform(state, blend_transforms(start, end, amount))


def blend_latents(one: LatentState, other: LatentState, amount: float) -> LatentState:
    """Return the settings between two latents: w's, psi and vectors change evenly, a class in the middle."""
    nearer = copy.deepcopy(one if amount < 0.5 else other)
    if amount in (0.0, 1.0):
        return nearer
    set_clamped(nearer, "psi", _between(one.psi, other.psi, amount))
    if len(one.vector) == len(other.vector):
        nearer.vector = [_between(a, b, amount) for a, b in zip(one.vector, other.vector, strict=True)]
    mixed = Blend(one.latent(), other.latent(), amount)
    if mixed.first != mixed.second:
        # Steps along directions and a second latent are within the blend.
        nearer.animate = nearer.directions.animate = False
        nearer.directions.steps = ()
        if nearer.mix_with == "second":
            nearer.mixed = []
        nearer.keep(mixed)
    return nearer


def blend_transforms(one: TransformState, other: TransformState, amount: float) -> TransformState:
    """Return the transform between two: lengths change evenly, scales by equal factors, angles the shorter way."""
    nearer = copy.deepcopy(one if amount < 0.5 else other)
    for item in fields(TransformState):
        a, b = getattr(one, item.name), getattr(other, item.name)
        if not isinstance(a, float) or amount in (0.0, 1.0) or item.name in NOT_BLENDED:
            continue
        if item.name in ANGLES:
            value = wrap_degrees(a + amount * wrap_degrees(b - a))
        elif item.name in FACTORS:
            value = math.exp(_between(math.log(a), math.log(b), amount))
        else:
            value = _between(a, b, amount)
        set_clamped(nearer, item.name, value)
    return nearer


def _between(a: float, b: float, amount: float) -> float:
    return (1.0 - amount) * a + amount * b


def _parts() -> list[str]:
    """Return the names of the parts of the state that a bookmark of everything holds."""
    return [item.name for item in fields(AppState) if item.name not in NOT_KEPT]


def _set_latent(state: AppState, latent: LatentState) -> None:
    setattr(state, "right_latent" if state.focus == "right" and not state.linked else "latent", latent)


def _set_transform(state: AppState, transform: TransformState) -> None:
    setattr(state, "right_transform" if state.focus == "right" and not state.linked else "transform", transform)


def _name(state: AppState, kind: Kind) -> str:
    """Return a few words for what is kept."""
    latent, transform = state.latent_of(state.focus), state.transform_of(state.focus)
    if kind == "transform":
        turned = f" {transform.degrees:+.0f}°" if transform.degrees else ""
        scaled = f" ×{transform.scale:.2g}" if transform.scale != 1.0 else ""
        moved = f"{transform.tx:+.2f} {transform.ty:+.2f}" if transform.tx or transform.ty else ""
        return f"{moved}{turned}{scaled}".strip() or "at rest"
    return _name_latent(latent.latent())


def _name_latent(latent: Any) -> str:
    if isinstance(latent, Moved):
        return f"{_name_latent(latent.base)}, moved"[:NAME_LIMIT]
    if isinstance(latent, Mixture):
        return f"{_name_latent(latent.base)}, mixed"[:NAME_LIMIT]
    seed = find_seed(latent)
    if seed is not None:
        return f"seed {seed}"
    if isinstance(latent, SeedPoint):
        return f"{latent.x:.2f}, {latent.y:.2f}"
    return latent.name[:NAME_LIMIT] if isinstance(latent, FileLatent) else latent.type
