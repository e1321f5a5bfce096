# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The user's settings: plain dataclasses, and their JSON form with validation.

Panels change these values and nothing else. Everything on screen follows from them, so a state file brings a window
back. A number's limits and a text's choices stand in its field's metadata, where the reader below enforces them.
"""

import copy
import json
import math
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal

from gan.files.atomic_write import atomic_write
from gan.files.errors import sanitize_text
from gan.hub.resolve import list_bundled
from viz.core.latent import LONGEST_NAME, MOST_NAMED, Direction, NamedDirection, read_named_directions
from viz.core.latent_state import LatentState
from viz.core.noise import NoiseState
from viz.core.osc_state import OscState
from viz.core.panel_state import BookmarksState, CaptureState, ExportState, GalleryState, TrainingState
from viz.core.state_fields import choice, number, parsed, read_limits
from viz.core.timeline_state import PlaybackState, Timeline, read_timeline

SCHEMA = 1
"""Version of the JSON form; a file with a newer one is refused, not guessed at."""

FASTEST_DEVICE = ""  # stands for a device until a window knows which there are
FIRST_SEED = 58.0  # where B and T draw a large creature in the middle

Slot = Literal["left", "right"]
SLOTS: tuple[Slot, Slot] = ("left", "right")

RECENTS_LIMIT = 12
LONGEST_TEXT = 4096  # characters of a path
LONGEST_LABEL = 60  # of a setting that a file names
LARGEST_FILE = 2**23  # bytes; a state has some thousand, and a timeline that is full half of it


class StateError(ValueError):
    """A state file that cannot be used; one sentence."""

    def __init__(self, why: str) -> None:
        super().__init__(sanitize_text(why))


@dataclass
class SlotState:
    """One of the two pictures. `path` is a checkpoint, "" an empty slot."""

    path: str = ""


@dataclass
class TransformState:
    """Translation in image widths (positive: right, down), rotation in degrees (positive: counter-clockwise), scale.

    The learned_... numbers are those of the transform that the model makes of w, and replace it if `learned` is "set".
    """

    tx: float = number(0.0, -4.0, 4.0)
    ty: float = number(0.0, -4.0, 4.0)
    degrees: float = number(0.0, -180.0, 180.0)
    scale: float = number(1.0, 0.25, 4.0)  # more than 1 enlarges
    stretch: float = number(1.0, 0.25, 4.0)  # width by height
    shear: float = number(0.0, -2.0, 2.0)
    mirror: bool = False  # left to right
    snap: bool = False  # to whole pixels of the model's own picture
    snap_degrees: float = number(0.0, 0.0, 90.0)  # steps of the rotation; 0: none
    untransform: bool = False  # move the finished picture back
    animate: str = choice("off", "x", "y", "circle", "rotate", "scale")
    speed: float = number(0.1, -2.0, 2.0)  # turns a second, of every animation here but the spin
    spin: float = number(0.0, -2.0, 2.0)  # turns a second by which the rotation goes on by itself
    radius: float = number(0.06, 0.0, 1.0)  # of the circle and of the ways along x and y, in image widths
    octaves: float = number(1.0, 0.0, 4.0)  # by which the scale goes up and comes back
    phase: float = number(0.0, -1.0, 1.0)  # of the animation, in turns
    learned: str = choice("model", "set")
    learned_tx: float = number(0.0, -4.0, 4.0)
    learned_ty: float = number(0.0, -4.0, 4.0)
    learned_degrees: float = number(0.0, -180.0, 180.0)
    learned_animate: str = choice("off", "rotate", "x", "y")
    learned_phase: float = number(0.0, -1.0, 1.0)
    mean_constant: bool = False  # rung A's learned constant gives way to its mean over the pixels


@dataclass
class CanvasState:
    """The view of both pictures: zoom 1 fits the slot; pan is in widths of a fitted picture."""

    zoom: float = number(1.0, 0.05, 256.0)
    pan_x: float = number(0.0, -1e4, 1e4)
    pan_y: float = number(0.0, -1e4, 1e4)
    nearest: bool = False  # above 1:1 only; below it, minification is always filtered
    mode: str = choice("side", "split", "difference", "blink")
    divider: float = number(0.5, 0.0, 1.0)  # of split: where the left model ends, in widths of the canvas
    gain: float = number(4.0, 1.0, 64.0)  # of difference
    rate: float = number(1.5, 0.25, 10.0)  # of blink, in Hz: left and right once each


@dataclass
class LayersState:
    """The layer whose maps are looked at, and their display. `left` and `right` are layers' names, each slot's own."""

    slot: str = choice("left", "right")
    left: str = ""  # "" one in the middle
    right: str = ""
    mode: str = choice("sheet", "rgb", "one")
    sort: str = choice("index", "energy", "phase")
    one: int = number(0, 0, 65535)  # the channel shown alone
    red: int = number(0, 0, 65535)
    green: int = number(1, 0, 65535)
    blue: int = number(2, 0, 65535)
    gain: float = number(0.0, -60.0, 60.0)  # dB
    common: bool = False  # one scale for all channels
    thumb: int = number(52, 24, 256)  # pixels


@dataclass
class SpectrumState:
    """The spectrum of the pictures, or of the layers that LayersState names."""

    source: str = choice("picture", "layer")
    beta: float = number(8.0, 0.0, 30.0)  # of the Kaiser window
    pad: int = number(4, 1, 8)  # times its own size that a map is padded to
    low: float = number(-40.0, -200.0, 200.0)  # dB, the darkest colour
    high: float = number(20.0, -200.0, 200.0)
    angle: float = number(22.5, 0.0, 180.0)  # degrees of the slice that is dragged
    at_0: bool = True  # which slices are drawn
    at_45: bool = True
    at_angle: bool = False
    of_average: bool = False  # the heat map's: the average over seeds, or what is shown now
    num: int = number(100, 1, 100_000)  # seeds to average over
    data: str = ""  # a data set for comparison


@dataclass
class StickingState:
    """The measurements of sticking. The segment's ends are in picture widths from the picture's corner."""

    x0: float = number(0.5, 0.0, 1.0)
    y0: float = number(0.3, 0.0, 1.0)
    x1: float = number(0.5, 0.0, 1.0)
    y1: float = number(0.7, 0.0, 1.0)
    show: str = choice("slice", "mean", "meters")
    radius: float = number(0.3, 0.0, 10.0)  # of the neighbourhood
    num: int = number(100, 2, 100_000)  # latents in it, and samples of a meter
    error: str = choice("eq_t", "eq_t_frac", "eq_r")  # whose error picture is shown
    gain: float = number(8.0, 1.0, 1000.0)  # of the error picture


@dataclass
class DisplayState:
    """The window itself."""

    theme: str = choice("dark", "light")
    text_size: float = number(1.0, 1.0, 3.0)  # of all letters and controls; 3 for a lecture hall
    show_keys: bool = False  # an overlay of keys and pointer
    width: int = number(1600, 320, 16384)
    height: int = number(1000, 240, 16384)
    fps_limit: int = number(60, 0, 1000)  # 0: none
    vsync: bool = True
    device: str = "cpu"
    precision: str = choice("auto", "float32", "float16")


@dataclass
class AppState:
    """All settings."""

    left: SlotState = field(default_factory=SlotState)
    right: SlotState = field(default_factory=SlotState)
    latent: LatentState = field(default_factory=LatentState)
    transform: TransformState = field(default_factory=TransformState)
    noise: NoiseState = field(default_factory=NoiseState)
    canvas: CanvasState = field(default_factory=CanvasState)
    layers: LayersState = field(default_factory=LayersState)
    spectrum: SpectrumState = field(default_factory=SpectrumState)
    sticking: StickingState = field(default_factory=StickingState)
    training: TrainingState = field(default_factory=TrainingState)
    display: DisplayState = field(default_factory=DisplayState)
    gallery: GalleryState = field(default_factory=GalleryState)
    bookmarks: BookmarksState = field(default_factory=BookmarksState)
    capture: CaptureState = field(default_factory=CaptureState)
    export: ExportState = field(default_factory=ExportState)
    osc: OscState = field(default_factory=OscState)
    recents: list[str] = field(default_factory=list)
    linked: bool = True  # one latent and one transform for both slots
    focus: Slot = choice("left", "right")  # the slot whose latent and transform the panels edit while unlinked
    named_directions: tuple[NamedDirection, ...] = parsed(read_named_directions, ())  # of all models
    timeline: Timeline = parsed(read_timeline, Timeline())
    playback: PlaybackState = field(default_factory=PlaybackState)
    right_latent: LatentState = field(default_factory=LatentState)  # of the right slot while unlinked
    right_transform: TransformState = field(default_factory=TransformState)

    def slot(self, name: Slot) -> SlotState:
        return self.left if name == "left" else self.right

    def latent_of(self, slot: Slot) -> LatentState:
        """Return the latent that this slot shows: the same for both while they are linked."""
        return self.right_latent if slot == "right" and not self.linked else self.latent

    def transform_of(self, slot: Slot) -> TransformState:
        """Return the transform that this slot shows: the same for both while they are linked."""
        return self.right_transform if slot == "right" and not self.linked else self.transform

    def link(self, linked: bool) -> None:
        """Link or unlink the slots. Unlinked, both start from what they shared; linked, both take the focused one's."""
        if linked == self.linked:
            return
        latent, transform = self.latent_of(self.focus), self.transform_of(self.focus)
        self.linked = linked
        if linked:
            self.latent, self.transform = copy.deepcopy(latent), copy.deepcopy(transform)
        else:
            self.right_latent, self.right_transform = copy.deepcopy(latent), copy.deepcopy(transform)

    def name_direction(self, model: str, direction: Direction, name: str) -> None:
        """Name a direction of the model with this fingerprint, in the place of its old name; "" forgets it.

        As many as the state may hold are kept.
        """
        name = "".join(letter for letter in name.strip()[:LONGEST_NAME] if letter.isprintable())
        named = [one for one in self.named_directions if (one.model, one.direction) != (model, direction)]
        added = [NamedDirection(model, name, direction)] if name else []
        self.named_directions = (*named, *added)[-MOST_NAMED:]

    def remember(self, path: str) -> None:
        """Put `path` first among the recently opened models."""
        self.recents = [path, *(other for other in self.recents if other != path)][:RECENTS_LIMIT]


def absolute_path(path: str) -> str:
    """Return a path as the state keeps it: the same file, wherever the window is opened from next."""
    return os.path.abspath(os.path.expanduser(path))


def to_json(state: AppState) -> dict[str, Any]:
    """Return the state as a JSON object. Texts that cannot be a path, which a user may type or paste, become empty."""
    return {"schema": SCHEMA, **_fit(asdict(state))}


def _fit(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _fit(item) for name, item in value.items()}
    if isinstance(value, list):
        return [item for item in value if not isinstance(item, str) or _fit(item)]
    try:
        return _text("", value) if isinstance(value, str) else value
    except StateError:
        return ""


def from_json(document: object, unfit: dict[str, str] | None = None) -> AppState:
    """Invert `to_json`. Absent settings take their defaults; unknown or unfit ones raise StateError.

    With a dictionary `unfit` these take their defaults as well, and it gets their names, each with a sentence why.
    """
    if not isinstance(document, dict):
        raise StateError("a state file holds one JSON object, and this one does not.")
    schema = document.get("schema")
    if type(schema) is not int or schema < 1:
        raise StateError('this is not a Jinc state file: it has no "schema" number.')
    if schema > SCHEMA:
        raise StateError(f"written by a newer Jinc (schema {schema}, this one reads up to {SCHEMA}): update Jinc.")
    state = AppState()
    _fill(state, {name: value for name, value in document.items() if name != "schema"}, "", unfit)
    return state


def _fill(target: Any, document: dict[str, Any], prefix: str, unfit: dict[str, str] | None) -> None:
    for name, value in document.items():
        try:
            _set(target, name, value, prefix + name, unfit)
        except StateError as problem:
            if unfit is None:
                raise
            unfit[sanitize_text(prefix + name, LONGEST_LABEL)] = str(problem)


def _set(target: Any, name: str, value: Any, label: str, unfit: dict[str, str] | None) -> None:
    if name not in {item.name for item in fields(target)}:
        raise StateError(f"there is no setting called {label!r:.80}.")
    current, limits = getattr(target, name), read_limits(target, name)
    if is_dataclass(current) and "read" not in limits:
        if not isinstance(value, dict):
            raise StateError(f"{label} must be a JSON object.")
        _fill(current, value, label + ".", unfit)
    else:
        setattr(target, name, _checked(label, value, current, limits))


def _checked(label: str, value: Any, current: Any, limits: Mapping[str, Any]) -> Any:
    if "read" in limits:
        return None if value is None and current is None else _parsed(label, value, limits["read"])
    if "most" in limits:
        return _checked_numbers(label, value, limits)
    if isinstance(current, list):
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise StateError(f"{label} must be a list of texts.")
        return [_text(label, item) for item in value[:RECENTS_LIMIT]]
    if isinstance(current, float) and type(value) is int:
        value = float(value) if abs(value) < 1e15 else math.inf
    if type(value) is not type(current):
        words = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
        raise StateError(f"{label} must be {words[type(current)]}, not {_shown(value)}.")
    if isinstance(value, str):
        _text(label, value)
    if "choices" in limits and value not in limits["choices"]:
        raise StateError(f"{label} must be one of {', '.join(limits['choices'])}, not {value!r}.")
    if "low" in limits and not limits["low"] <= value <= limits["high"]:
        raise StateError(f"{label} must be between {limits['low']:g} and {limits['high']:g}, not {_shown(value)}.")
    return value


def _checked_numbers(label: str, value: Any, limits: Mapping[str, Any]) -> list[float]:
    low, high, most, kind = limits["low"], limits["high"], limits["most"], limits["kind"]
    words = "whole numbers" if kind is int else "numbers"
    if not isinstance(value, list) or len(value) > most:
        raise StateError(f"{label} must be a list of at most {most} {words}.")
    for item in value:
        if type(item) not in (int, kind) or not low <= item <= high:
            raise StateError(f"{label} must hold {words} between {low:g} and {high:g}, not {_shown(item)}.")
    return [kind(item) for item in value]


def _parsed(label: str, value: Any, read: Callable[[str, object], Any]) -> Any:
    try:
        return read(label, value)
    except ValueError as problem:
        raise StateError(str(problem)) from None


def _text(label: str, value: str) -> str:
    """Check a text that may be a path on any system."""
    if len(value) > LONGEST_TEXT or "\0" in value:
        raise StateError(f"{label} must be a text of at most {LONGEST_TEXT} characters.")
    try:
        os.fsencode(value)
    except UnicodeEncodeError:
        raise StateError(f"{label} must be valid Unicode text: it contains half a character.") from None
    return value


def _shown(value: object) -> str:
    """Return a short text for a value of any kind."""
    return f"{value!r:.40}" if isinstance(value, str | int | float | None) else "a list or an object"


def default_state() -> AppState:
    """Return the state of a first start: the paper's baseline (B) beside T, on the fastest device."""
    state = AppState()
    state.latent.x, state.display.device = FIRST_SEED, FASTEST_DEVICE
    open_bundled(state)
    return state


def open_bundled(state: AppState) -> None:
    """Open the bundled models of B and T in the slots that are empty: the pair that shows what the window is for."""
    paths = {model.rung: model.path for model in reversed(list_bundled())}
    state.left.path = state.left.path or paths.get("B", "")
    state.right.path = state.right.path or paths.get("T", "")


def load(path: Path, unfit: dict[str, str] | None = None) -> AppState:
    """Read a state file; StateError (one sentence, the file named) when it is missing, damaged or unfit.

    `unfit` is as in `from_json`.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST_FILE + 1)
        if len(data) > LARGEST_FILE:
            raise ValueError("no state is so large")
        document = json.loads(data.decode("utf-8"))
    except OSError as error:
        raise StateError(f"cannot read the state file {path}: {error.strerror or error}.") from None
    except (ValueError, RecursionError):
        raise StateError(f"the state file {path} is damaged: it is not JSON.") from None
    try:
        return from_json(document, unfit)
    except StateError as error:
        raise StateError(f"the state file {path} cannot be used: {error}") from None


def save(state: AppState, path: Path) -> None:
    """Write atomically: a crash leaves the old file or the new one, never half of one. Raises OSError.

    Raises StateError for a state that would not be read again.
    """
    document = to_json(state)
    text = json.dumps(document, indent=2) + "\n"
    if len(text) > LARGEST_FILE:  # lists of numbers, of which each has its line
        text = json.dumps(document, separators=(",", ":")) + "\n"
    if len(text) > LARGEST_FILE:
        most = LARGEST_FILE >> 20
        raise StateError(f"it takes more than the {most} MiB that are read again: delete keys of the timeline.")
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as temporary:
        temporary.write_bytes(text.encode())


def config_folder() -> Path:
    """Return the folder of the window's state: $JINC_CONFIG if set, else the platform's for user configuration."""
    if os.environ.get("JINC_CONFIG"):
        return Path(os.environ["JINC_CONFIG"])
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA", Path.home() / "AppData" / "Roaming")) / "Jinc"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "Jinc"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "jinc"


def default_path() -> Path:
    return config_folder() / "state.json"
