# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Configurations of the networks: frozen numbers that a constructor needs and that training does not change."""

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from typing import Any, ClassVar, Self

from gan.files.errors import sanitize_text

ARCHITECTURES = ("layers", "skip", "resnet", "orig")  # orig: one ToRGB at the end and no shortcuts
SCHEDULES = ("rigid", "flexible", "listed")
FILTER_KINDS = ("binomial", "kaiser", "lanczos", "gaussian")
CONV_CLAMP = 256.0  # keeps sums within float16's range of 65504 [P app. F.2]
# Limits far beyond any real network: a damaged file must not make us plan a billion layers.
MAX_COUNT, MAX_LAYERS = 2**20, 64
MAX_TAPS, MAX_OVERSAMPLING = 32, 8  # of a filter for each factor; around the nonlinearity
MAX_RESOLUTION, MAX_RESAMPLE_TAPS, MAX_MULTIPLIER = 1024, 16, 1e6
LISTED_NAME = re.compile(r"L(\d{1,4})_\d{1,5}_\d{1,7}")  # of a listed layer; the first number is its index


class ConfigError(ValueError):
    """A network that cannot be built, or a request that it cannot meet; the message is one sentence."""

    def __init__(self, why: str) -> None:
        super().__init__(sanitize_text(why))


def _check(condition: bool, sentence: str) -> None:
    if not condition:
        raise ConfigError(sentence)


class _Config:
    """The common part of both configurations: checked types, a round trip through JSON, StyleGAN2's channel rule."""

    resolution: int
    channel_base: int
    channel_max: int
    block_channels: tuple[int, ...]
    _optional: ClassVar[frozenset[str]] = frozenset()  # beside OPTIONAL

    def to_json(self) -> dict[str, Any]:
        """Return the fields as plain JSON values, without those of OPTIONAL that are as usual.

        Versions that do not know them then still open the file.
        """
        values = asdict(self)  # type: ignore[call-overload]
        usual = {field.name: field.default for field in fields(self)}  # type: ignore[arg-type]
        optional = OPTIONAL | self._optional
        return {key: value for key, value in values.items() if key not in optional or value != usual[key]}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Make a configuration of what `to_json` returned; ConfigError for a missing, unknown or mistyped field."""
        _check(isinstance(document, Mapping), "The configuration is damaged: it is no JSON object.")
        known = {field.name for field in fields(cls)}  # type: ignore[arg-type]
        unknown = sorted(set(document) - known)
        _check(not unknown, f"The configuration has a field that this version does not know: {', '.join(unknown)}.")
        values = {key: tuple(value) if isinstance(value, list) else value for key, value in document.items()}
        if "layers" in values:
            values["layers"] = _read_layers(values["layers"])
        try:
            return cls(**values)
        except TypeError as error:
            raise ConfigError(f"The configuration is incomplete: {error}.") from error

    def channels_at(self, rate: float) -> int:
        """Return the feature maps of a StyleGAN2 layer of `rate` pixels: as given, or min(C_base / rate, C_max)."""
        if self.block_channels:
            return self.block_channels[int(math.log2(rate)) - 2]
        return int(min(self.channel_base // rate, self.channel_max))

    def _check_types(self) -> None:
        """Refuse a wrong type here, not deep inside a network: configurations come from files, which may be damaged."""
        for field in fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            annotation = field.type.__name__ if isinstance(field.type, type) else str(field.type)
            _check(has_type(value, annotation), f"{field.name} must be of type {annotation}, not {value!r}.")

    def _check_counts(self, most: int, *names: str) -> None:
        for name in names:
            value = getattr(self, name)
            _check(1 <= value <= most, f"{name} must be from 1 to {most}, not {value}.")

    def _check_block_channels(self) -> None:
        if not self.block_channels:
            return
        count = int(math.log2(self.resolution)) - 1
        _check(
            len(self.block_channels) == count,
            f"block_channels has one entry a resolution from 4 to {self.resolution}, {count}, "
            f"not {len(self.block_channels)}.",
        )
        for channels in self.block_channels:
            _check(1 <= channels <= MAX_COUNT, f"block_channels must be from 1 to {MAX_COUNT}, not {channels}.")

    def _check_pictures(self, resolution: int, img_channels: int, c_dim: int) -> None:
        power_of_two = resolution > 0 and resolution & (resolution - 1) == 0
        _check(
            power_of_two and 16 <= resolution <= MAX_RESOLUTION,
            f"The resolution must be a power of two from 16 to 1024, not {resolution}.",
        )
        _check(1 <= img_channels <= 4, f"Pictures have 1 to 4 channels, not {img_channels}.")
        _check(0 <= c_dim <= MAX_COUNT, f"c_dim must be from 0 to {MAX_COUNT}, not {c_dim}.")
        _check(
            bool(self.block_channels) or self.channel_base >= resolution,
            f"A channel base of {self.channel_base} leaves no channels: it must be at least {resolution}.",
        )


def _check_lr_multiplier(multiplier: float) -> None:
    _check(0 <= multiplier <= MAX_MULTIPLIER, f"mapping_lr_multiplier cannot be {multiplier}.")


def _check_resample_filter(taps: tuple[float, ...]) -> None:
    _check(
        2 <= len(taps) <= MAX_RESAMPLE_TAPS,
        f"StyleGAN2's resampling filter has 2 to {MAX_RESAMPLE_TAPS} taps, not {len(taps)}.",
    )
    _check(abs(sum(taps)) > 1e-6, "StyleGAN2's resampling filter must not sum to 0.")


def count_rigid_layers(resolution: int) -> int:
    """Return the number of layers of D to H: two for each rate from 4 up to the resolution."""
    return 2 * int(math.log2(resolution)) - 2


def _read_layers(entries: object) -> tuple["ListedLayer", ...]:
    """Return the layers that `to_json` listed. ConfigError."""
    damaged = "The configuration's list of layers is damaged."
    _check(isinstance(entries, tuple) and all(isinstance(entry, dict) for entry in entries), damaged)
    try:
        return tuple(ListedLayer(**entry) for entry in entries)  # type: ignore[attr-defined]
    except TypeError as error:
        raise ConfigError(damaged) from error


def has_type(value: object, annotation: str) -> bool:
    """Check a value against a field's annotation; numbers must be finite, and whole ones fit into 64 bits."""
    if annotation.endswith(" | None"):
        return value is None or has_type(value, annotation.removesuffix(" | None"))
    if annotation.startswith("tuple") and "ListedLayer" in annotation:
        return isinstance(value, tuple) and all(isinstance(item, ListedLayer) for item in value)
    if annotation.startswith("tuple"):
        kind = annotation.removeprefix("tuple[").partition(",")[0]
        return isinstance(value, tuple) and all(has_type(item, kind) for item in value)
    kinds: dict[str, tuple[type, ...]] = {"int": (int,), "float": (int, float), "bool": (bool,), "str": (str,)}
    if not isinstance(value, kinds[annotation]) or isinstance(value, bool) != (annotation == "bool"):
        return False
    if isinstance(value, int):
        return abs(value) < 2**63
    return not isinstance(value, float) or math.isfinite(value)


# Fields that few networks need.
OPTIONAL = {"block_channels", "layers", "embed_rows", "embed_dim", "w_avg_rows"}
OPTIONAL |= {"mapping_width", "label_width", "labels_beside_z", "mapping_lr_multiplier", "direct_labels"}
DISCRIMINATOR_ARCHITECTURES = ("resnet", "skip", "orig")


@dataclass(frozen=True)
class ListedLayer:
    """A layer of a network whose schedule no formula gives: LayerSpec's fields that do not follow from the others.

    Units as there. ToRGB is the last layer of a list.
    """

    name: str  # L{index}_{out_size}_{out_channels}, the index being any number
    in_channels: int
    out_channels: int
    in_size: int
    out_size: int
    in_rate: int
    out_rate: int
    in_cutoff: float
    out_cutoff: float
    in_half_width: float
    out_half_width: float
    conv_kernel: int
    up: int
    down: int
    up_taps: int
    down_taps: int
    padding_before: int  # the padding after follows from the sizes
    radial_down: bool = False
    is_critical: bool = False
    conv_clamp: float | None = CONV_CLAMP

    @property
    def index(self) -> int:
        """Return the number in the name."""
        found = LISTED_NAME.fullmatch(self.name)
        return int(found[1]) if found else -1

    def check(self, resolution: int) -> None:
        """Raise ConfigError where one of the numbers is none that a layer of such a network can have."""
        for field in fields(self):
            value = getattr(self, field.name)
            annotation = field.type.__name__ if isinstance(field.type, type) else str(field.type)
            _check(has_type(value, annotation), f"A layer's {field.name} must be of type {annotation}, not {value!r}.")
        _check(self.index >= 0, f"A layer cannot be called {self.name!r:.40}.")
        most = 3 * resolution
        fits = all(1 <= count <= MAX_COUNT for count in (self.in_channels, self.out_channels))
        fits &= all(1 <= size <= most for size in (self.in_size, self.out_size))
        fits &= all(1 <= rate <= resolution for rate in (self.in_rate, self.out_rate)) and self.conv_kernel in (1, 3)
        fits &= all(0 < cutoff <= resolution for cutoff in (self.in_cutoff, self.out_cutoff))
        fits &= all(0 < width <= 2 * resolution for width in (self.in_half_width, self.out_half_width))
        fits &= self.up >= 1 and self.in_rate * self.up == self.out_rate * self.down <= MAX_OVERSAMPLING * resolution
        for factor, taps in ((self.up, self.up_taps), (self.down, self.down_taps)):
            fits &= taps == 1 if factor == 1 else 1 < taps <= MAX_TAPS * factor
        fits &= abs(self.padding_before) <= most * max(self.up, 1)
        _check(fits, f"The layer {self.name} has numbers that fit no network.")


@dataclass(frozen=True)
class GeneratorConfig(_Config):
    """A generator of the ladder (gan.networks.ladder). Field names follow the paper; defaults are those of StyleGAN3-T.

    The fields under "layers" are used by rungs D to R only (architecture "layers"), those under "skip" by the StyleGAN2
    family only (architectures "skip", "resnet" and "orig").
    """

    rung: str
    resolution: int
    img_channels: int = 3
    z_dim: int = 512
    c_dim: int = 0  # number of label entries, 0 without labels
    w_dim: int = 512
    mapping_layers: int = 2
    channel_base: int = 2**15
    channel_max: int = 512
    conv_clamp: float | None = CONV_CLAMP
    architecture: str = "layers"
    fourier_input: bool = True  # sinusoids instead of StyleGAN2's learned constant (rung B on)
    learned_transform: bool = True  # w rotates and translates the input (rung H on)
    first_cutoff: float = 2.0  # f_c0: radius of the disc that the input's frequencies are drawn from
    # layers
    schedule: str = "flexible"  # geometric (T, R), "rigid", two layers a rate (D to H), or "listed" (StyleGAN-XL)
    num_layers: int = 14  # N, without ToRGB
    num_critical: int = 2  # N_crit: so many layers at the end are critically sampled
    first_stopband: float = 2.0**2.1  # f_t0
    last_stopband_rel: float = 2.0**0.3  # f_tN / f_cN
    margin_size: int = 10  # pixels kept around the canvas
    same_padding: bool = False  # convolutions end at a border of zeros (D) instead of being cropped
    output_scale: float = 0.25
    conv_kernel: int = 3
    filter_kind: str = "kaiser"
    filter_size: int = 6  # n: taps a filter has for each factor of up- or downsampling
    lrelu_upsampling: int = 2  # m: oversampling around the nonlinearity
    radial_filters: bool = False  # of the downsampling, but for critical layers
    magnitude_ema_beta: float = 0.5 ** (32 / 20000)
    # skip
    block_channels: tuple[int, ...] = ()  # of each resolution from 4 up, where no channel_base gives them
    noise_inputs: bool = False
    resample_filter: tuple[float, ...] = (1.0, 3.0, 3.0, 1.0)
    # TensorFlow's StyleGAN2
    mapping_width: int = 0  # of the mapping's layers but the last; 0: as wide as w
    label_width: int = 0  # of the labels' embedding; 0: as wide as w
    labels_beside_z: bool = False  # c W, as wide as label_width, is put beside z, and both are normalised together
    mapping_lr_multiplier: float = 0.0  # of the mapping's layers; 0: StyleGAN's 0.01
    # StyleGAN-XL
    layers: tuple[ListedLayer, ...] = ()  # all of them and ToRGB, of schedule "listed"; the others have none
    embed_rows: int = 0  # of a table of classes in place of the linear embedding of labels, 0 without one
    embed_dim: int = 0  # width of the table
    w_avg_rows: int = 0  # an average w for each class; 0 for one of all

    def __post_init__(self) -> None:
        self._check_types()
        self._check_pictures(self.resolution, self.img_channels, self.c_dim)
        self._check_classes()
        self._check_counts(MAX_COUNT, "z_dim", "w_dim", "channel_base", "channel_max")
        self._check_counts(MAX_LAYERS, "num_layers", "mapping_layers")
        for name in ("mapping_width", "label_width"):
            _check(0 <= getattr(self, name) <= MAX_COUNT, f"{name} cannot be {getattr(self, name)}.")
        _check(not self.labels_beside_z or self.c_dim > 0, "Labels beside z take labels: c_dim must be above 0.")
        _check_lr_multiplier(self.mapping_lr_multiplier)
        self._check_counts(MAX_TAPS, "filter_size")
        self._check_counts(MAX_OVERSAMPLING, "lrelu_upsampling")
        _check(
            0 <= self.margin_size <= self.resolution,
            f"The margin can be 0 to {self.resolution} pixels wide here, not {self.margin_size}.",
        )
        _check(self.architecture in ARCHITECTURES, f"The architecture must be one of {', '.join(ARCHITECTURES)}.")
        _check(0 < self.first_cutoff < self.resolution / 2, "The first cutoff must be below half the resolution.")
        # A to H start at rate 4, which holds frequencies up to 2.
        coarse = self.architecture != "layers" or self.schedule == "rigid"
        _check(not coarse or self.first_cutoff <= 2, f"The first cutoff can be at most 2, not {self.first_cutoff:g}.")
        if self.architecture == "layers":
            self._check_layers()
        else:
            _check_resample_filter(self.resample_filter)
            self._check_block_channels()

    def _check_layers(self) -> None:
        _check(not self.block_channels, "Only StyleGAN2's architectures have block_channels.")
        _check(self.schedule in SCHEDULES, f"The schedule must be one of {', '.join(SCHEDULES)}.")
        _check(self.filter_kind in FILTER_KINDS, f"The filters must be one of {', '.join(FILTER_KINDS)}.")
        _check((self.schedule == "listed") == bool(self.layers), "The list of layers is for the schedule listed.")
        rigid = self.schedule == "rigid"
        layers = count_rigid_layers(self.resolution)
        _check(
            not rigid or self.num_layers == layers,
            f"The rigid schedule has two layers a rate, {layers} at {self.resolution} pixels, not {self.num_layers}.",
        )
        most = self.num_layers if rigid else self.num_layers - 1
        _check(
            0 <= self.num_critical <= most,
            f"Of {self.num_layers} layers, from 0 to {most} can be critically sampled (N_crit), "
            f"not {self.num_critical}.",
        )
        _check(self.conv_kernel in (1, 3), f"The convolution is 1 or 3 wide, not {self.conv_kernel}.")
        _check(self.last_stopband_rel > 1, "The last stopband must lie above its cutoff.")
        if self.schedule == "flexible":
            self._check_flexible()
        elif self.schedule == "listed":
            self._check_listed()

    def _check_classes(self) -> None:
        for name in ("embed_rows", "embed_dim", "w_avg_rows"):
            _check(0 <= getattr(self, name) <= MAX_COUNT, f"{name} cannot be {getattr(self, name)}.")
        _check((self.embed_rows > 0) == (self.embed_dim > 0), "A table of classes has rows and a width.")
        _check(not self.embed_rows or 0 < self.c_dim <= self.embed_rows, "The table of classes has too few rows.")
        _check(not self.w_avg_rows or self.c_dim <= self.w_avg_rows, "There are too few averages for the classes.")

    def _check_listed(self) -> None:
        """Check the list of layers: each reads what the one before it writes, and the last draws the picture."""
        _check(len(self.layers) == self.num_layers + 1, "The list of layers has another length than num_layers says.")
        for layer in self.layers:
            layer.check(self.resolution)
        names = {layer.name for layer in self.layers}
        _check(len(names) == len(self.layers), "Two layers of the list have one name.")
        for before, after in pairwise(self.layers):
            written = (before.out_channels, before.out_size, before.out_rate)
            read = (after.in_channels, after.in_size, after.in_rate)
            _check(written == read, f"The layer {after.name} does not read what {before.name} writes.")
        first, last = self.layers[0], self.layers[-1]
        _check(first.in_rate / 2 >= self.first_cutoff, "The first layer's rate cannot hold the input's frequencies.")
        drawn = (last.out_channels, last.out_size, last.out_rate, last.up, last.conv_kernel)
        wanted = (self.img_channels, self.resolution, self.resolution, 1, 1)
        _check(drawn == wanted, f"The last layer, {last.name}, does not draw the picture.")

    def _check_flexible(self) -> None:
        last_stopband = self.resolution / 2 * self.last_stopband_rel
        _check(
            self.first_cutoff < self.first_stopband <= last_stopband,
            f"The first stopband must lie above the first cutoff, {self.first_cutoff:g}, and not above the last "
            f"stopband, {last_stopband:g}; it is {self.first_stopband:g}.",
        )
        # ToRGB has no filter, so the layer before it must have come to the full rate.
        reached = min((self.num_layers - 1) / (self.num_layers - self.num_critical), 1)
        stopband = self.first_stopband * (last_stopband / self.first_stopband) ** reached
        _check(
            4 * stopband > self.resolution,
            f"{self.num_layers} layers, {self.num_critical} of them critically sampled, do not reach {self.resolution} "
            "pixels before ToRGB: take more of either.",
        )

    @property
    def movable(self) -> bool:
        """True if a transform can move the picture, which takes a Fourier input."""
        return self.fourier_input

    @property
    def num_ws(self) -> int:
        """Number of w vectors that synthesis takes (references, "The ladder")."""
        return self.num_layers + 2 if self.architecture == "layers" else 2 * int(math.log2(self.resolution)) - 2


@dataclass(frozen=True)
class DiscriminatorConfig(_Config):
    """StyleGAN2's discriminator: residual in every rung; other programs' may be of another architecture."""

    resolution: int
    img_channels: int = 3
    c_dim: int = 0
    channel_base: int = 2**15
    channel_max: int = 512
    block_channels: tuple[int, ...] = ()  # as in GeneratorConfig
    cmap_dim: int | None = None  # width of the label's projection; None: as many as channels at 4x4
    mapping_layers: int = 8
    mbstd_group: int = 4  # 0: the whole batch
    mbstd_channels: int = 1
    conv_clamp: float | None = CONV_CLAMP
    resample_filter: tuple[float, ...] = (1.0, 3.0, 3.0, 1.0)
    mapping_lr_multiplier: float = 0.0  # of the mapping's layers; 0: StyleGAN's 0.01
    direct_labels: bool = False  # the logit is the sum of the outputs times c, without a mapping (TensorFlow)
    _optional: ClassVar[frozenset[str]] = frozenset({"architecture"})
    architecture: str = "resnet"  # "skip": each resolution sees the picture; "orig": neither that nor shortcuts

    def __post_init__(self) -> None:
        self._check_types()
        self._check_pictures(self.resolution, self.img_channels, self.c_dim)
        self._check_counts(MAX_COUNT, "channel_base", "channel_max")
        _check(0 <= self.mbstd_group <= MAX_COUNT, f"mbstd_group cannot be {self.mbstd_group}.")
        _check(0 <= self.mapping_layers <= MAX_LAYERS, f"mapping_layers cannot be {self.mapping_layers}.")
        _check_lr_multiplier(self.mapping_lr_multiplier)
        _check(
            self.architecture in DISCRIMINATOR_ARCHITECTURES,
            f"The discriminator's architecture must be one of {', '.join(DISCRIMINATOR_ARCHITECTURES)}.",
        )
        _check(self.cmap_dim is None or 1 <= self.cmap_dim <= MAX_COUNT, f"cmap_dim cannot be {self.cmap_dim}.")
        _check(self.mbstd_channels >= 0, "mbstd_channels cannot be negative.")
        self._check_block_channels()
        _check_resample_filter(self.resample_filter)

    def group_size(self, batch: int) -> int:
        """Return the pictures in a group of the minibatch deviation."""
        return min(self.mbstd_group or batch, batch)

    @property
    def label_dim(self) -> int:
        """Width of the label's projection; 0 without labels."""
        if self.c_dim == 0 or self.direct_labels:
            return self.c_dim
        return self.channels_at(4) if self.cmap_dim is None else self.cmap_dim
