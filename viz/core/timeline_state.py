# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The timeline as plain data, a part of the state (viz.core.state): what may be keyed, keys, tracks, and their reader.

What a timeline shows at a time is in viz.core.timeline. Nothing here knows the state's own dataclasses: settings go by
their dotted names, and what a file holds for them is checked again where it is set.
"""

import json
import math
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple

from viz.core.latent import DEEPEST, Latent, count_levels, read_latent
from viz.core.state_fields import choice, number

EASINGS = ("smooth", "linear", "constant")
THROUGH = ("w", "plane")
MOST_KEYS = 1000  # of all tracks
MOST_SECONDS = 3600.0
SHORTEST = 0.1  # seconds of a timeline
SAME_SECONDS = 5e-4  # two keys of a track that are no further apart are one
LARGEST_BYTES = 2**22  # of a timeline in a file
LONGEST_TEXT, LONGEST_LIST, LARGEST_NUMBER = 4096, 4096, 1e30

Value = float | int | bool | str | tuple[float, ...] | Latent


class Property(NamedTuple):
    """Settings of the state, by their dotted names, that one track moves together."""

    title: str
    settings: tuple[str, ...]
    tip: str = ""


def _of_a_slot(right: str) -> dict[str, Property]:
    """Return the properties that each slot has for itself while they are unlinked; `right` "right " or ""."""
    latent, transform = (f"{right.strip()}_{part}".lstrip("_") for part in ("latent", "transform"))
    ends = {
        "latent": ("Latent", latent, [""], "Seed, file or mixture, with its steps along directions."),
        "truncation": ("Truncation", latent, ["psi", "cutoff"], "ψ, and the w's that it acts on."),
        "label": ("Label", latent, ["label", "label_kind", "vector"], "Class, which steps, or vector, which glides."),
        "translation": ("Translation", transform, ["tx", "ty"], "x and y."),
        "rotation": ("Rotation", transform, ["degrees"], "Any number of turns."),
        "scale": ("Scale", transform, ["scale", "stretch", "shear", "mirror"], "With stretch, shear and mirror."),
        "learned": (
            "Learned transform",
            transform,
            ["learned", "learned_tx", "learned_ty", "learned_degrees"],
            "The transform that the model makes of w, or what replaces it.",
        ),
        "untransform": ("Untransform", transform, ["untransform"], "Moving the finished picture back."),
    }
    title = right.capitalize()
    return {
        right + name: Property(
            title + (words.lower() if title else words),
            tuple(f"{part}.{setting}".rstrip(".") for setting in settings),
            tip,
        )
        for name, (words, part, settings, tip) in ends.items()
    }


PROPERTIES: dict[str, Property] = {
    **_of_a_slot(""),
    "noise": Property("Noise", ("noise.mode", "noise.seed", "noise.strength"), "Planes of noise (rungs A and B)."),
    "comparison": Property(
        "Comparison", ("canvas.mode", "canvas.divider"), "How the canvas compares, and the divider."
    ),
    "gain": Property("Gain", ("canvas.gain",), "Of the difference."),
    "magnification": Property("Magnification", ("canvas.zoom", "canvas.pan_x", "canvas.pan_y"), "Zoom and pan."),
    "left model": Property("Left model", ("left.path",), "The model in the left slot."),
    "right model": Property("Right model", ("right.path",), "The model in the right slot."),
    **_of_a_slot("right "),
}
"""All that can be keyed, by the names that files hold, in the order of the panel's rows."""
LATENTS = ("latent", "right latent")
OF_THE_RIGHT = tuple(_of_a_slot("right "))  # in effect only while the slots are unlinked


@dataclass(frozen=True)
class Key:
    """The values of a property's settings at a time, and the easing of the way to the next key."""

    seconds: float
    values: tuple[Value, ...]
    easing: str = "smooth"


@dataclass(frozen=True)
class Track:
    """The keys of one property, one at least, the earliest first.

    Latents go `through` "w", along a spline of the keys' w's, or, points of the seed plane, along the "plane".
    """

    name: str
    keys: tuple[Key, ...]
    through: str = "w"

    @property
    def property(self) -> Property:
        return PROPERTIES[self.name]


@dataclass(frozen=True)
class Timeline:
    """All tracks, in the order of PROPERTIES; in a `loop` the first keys come again at the end, `seconds`."""

    tracks: tuple[Track, ...] = ()
    seconds: float = 6.0
    loop: bool = True

    def __deepcopy__(self, memo: object) -> "Timeline":
        return self  # it never changes, and a state is copied for each frame of a video

    def track(self, name: str) -> Track | None:
        """Return the track of a property, None without keys of it."""
        return next((track for track in self.tracks if track.name == name), None)

    def wrap(self, seconds: float) -> float:
        """Return the time within the timeline: a loop begins again, other timelines stop at their ends."""
        if self.loop:
            seconds = seconds % self.seconds
            return 0.0 if seconds == self.seconds else seconds  # rounding, of times just below 0
        return min(max(seconds, 0.0), self.seconds)


@dataclass
class PlaybackState:
    """The playhead, and the settings of the panel: its templates and its export."""

    seconds: float = number(0.0, 0.0, MOST_SECONDS)
    playing: bool = False
    seeds: int = number(8, 2, 100)  # of the walk
    spread: float = number(0.25, 0.0, 1.0)  # of the loop around a latent: the share of other latents
    radius: float = number(0.1, 0.0, 1.0)  # of the circle, in image widths
    psi: float = number(0.0, -1.0, 2.0)  # to which truncation sweeps
    rungs: str = choice("right", "left")  # the slot that climbs the ladder


def sort_tracks(tracks: Iterable[Track]) -> tuple[Track, ...]:
    """Return the tracks that have keys, in the order of PROPERTIES."""
    order = list(PROPERTIES)
    return tuple(sorted((track for track in tracks if track.keys), key=lambda track: order.index(track.name)))


def check_timeline(timeline: Timeline) -> Timeline:
    """Return a timeline that a state file can hold; ValueError, a sentence, for one that is too large or unfit."""
    count = sum(len(track.keys) for track in timeline.tracks)
    document = asdict(timeline)
    if count > MOST_KEYS or len(json.dumps(document, indent=2)) > LARGEST_BYTES:
        raise ValueError(f"The timeline is full ({count} keys): delete some first.")
    latents = [key.values[0] for track in timeline.tracks if track.name in LATENTS for key in track.keys]
    if any(count_levels(latent) >= DEEPEST for latent in latents):  # type: ignore[arg-type]
        raise ValueError("This latent is made of too many others to be keyed: save its w, and open that file.")
    read_timeline("timeline", document)
    return timeline


def read_timeline(label: str, document: object) -> Timeline:
    """Return the timeline of a JSON object, as dataclasses.asdict writes one; ValueError, a sentence, for another.

    `label` is its name in a file.
    """
    _check_names(label, document, Timeline)
    assert isinstance(document, dict)
    seconds, loop = document["seconds"], document["loop"]
    if type(seconds) not in (int, float) or not SHORTEST <= seconds <= MOST_SECONDS:
        raise ValueError(f"{label}.seconds must be a number from {SHORTEST:g} to {MOST_SECONDS:g}.")
    if type(loop) is not bool:
        raise ValueError(f"{label}.loop must be true or false.")
    listed = _read_list(f"{label}.tracks", document["tracks"], len(PROPERTIES))
    tracks = [_read_track(f"{label}.tracks[{place}]", entry) for place, entry in enumerate(listed)]
    if len({track.name for track in tracks}) < len(tracks):
        raise ValueError(f"{label}.tracks must name each property once.")
    if sum(len(track.keys) for track in tracks) > MOST_KEYS:
        raise ValueError(f"{label} must hold at most {MOST_KEYS} keys.")
    return Timeline(sort_tracks(tracks), float(seconds), loop)


def _read_track(label: str, document: object) -> Track:
    _check_names(label, document, Track)
    assert isinstance(document, dict)
    name, through = document["name"], document["through"]
    if not isinstance(name, str) or name not in PROPERTIES:
        raise ValueError(f"{label}.name must be a property that this Jinc can key, not {name!r:.40}.")
    if through not in THROUGH:
        raise ValueError(f"{label}.through must be one of {', '.join(THROUGH)}.")
    listed = _read_list(f"{label}.keys", document["keys"], MOST_KEYS)
    keys = [_read_key(f"{label}.keys[{place}]", entry, name) for place, entry in enumerate(listed)]
    keys.sort(key=lambda key: key.seconds)
    if not keys or any(b.seconds - a.seconds <= SAME_SECONDS for a, b in zip(keys, keys[1:], strict=False)):
        raise ValueError(f"{label}.keys must be one key or more, at different times.")
    return Track(name, tuple(keys), through)


def _read_key(label: str, document: object, name: str) -> Key:
    _check_names(label, document, Key)
    assert isinstance(document, dict)
    seconds, easing, count = document["seconds"], document["easing"], len(PROPERTIES[name].settings)
    if type(seconds) not in (int, float) or not 0 <= seconds <= MOST_SECONDS:
        raise ValueError(f"{label}.seconds must be a number from 0 to {MOST_SECONDS:g}.")
    if easing not in EASINGS:
        raise ValueError(f"{label}.easing must be one of {', '.join(EASINGS)}.")
    listed = _read_list(f"{label}.values", document["values"], count)
    if len(listed) != count:
        raise ValueError(f"{label}.values must be {count} values: {', '.join(PROPERTIES[name].settings)}.")
    return Key(float(seconds), tuple(_read_value(f"{label}.values", value, name) for value in listed), easing)


def _read_value(label: str, value: Any, name: str) -> Value:
    if name in LATENTS:
        return read_latent(label, value, 1)  # on the way to the next key it is within a sum
    if isinstance(value, bool) or (isinstance(value, int | float) and _is_fit(value)):
        return value
    if isinstance(value, str) and len(value) <= LONGEST_TEXT and "\0" not in value:
        try:
            os.fsencode(value)
        except UnicodeEncodeError:
            raise ValueError(f"{label} must be valid Unicode text: it contains half a character.") from None
        return value
    if isinstance(value, list | tuple) and len(value) <= LONGEST_LIST:
        if all(type(item) in (int, float) and _is_fit(item) for item in value):
            return tuple(float(item) for item in value)
    raise ValueError(f"{label} must be finite numbers, texts, or true and false.")


def _is_fit(value: float) -> bool:
    return abs(value) <= LARGEST_NUMBER and math.isfinite(value)


def _read_list(label: str, value: object, most: int) -> list[Any] | tuple[Any, ...]:
    if not isinstance(value, list | tuple) or len(value) > most:
        raise ValueError(f"{label} must be a list of at most {most}.")
    return value


def _check_names(label: str, document: object, kind: type) -> None:
    names = {item.name for item in fields(kind)}
    if not isinstance(document, dict) or document.keys() != names:
        raise ValueError(f"{label} must be a JSON object of {', '.join(sorted(names))}.")
