# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""What a network is, as frozen numbers: everything a constructor needs and nothing that training changes."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

ARCHITECTURES = ("layers", "skip", "resnet")
# Limits far beyond any real network: a damaged file must not make us plan a billion layers.
MANY, FEW = 2**20, 64


class ConfigError(ValueError):
    """A network that cannot be built, or something asked of it that it cannot do; one sentence says why."""


def _check(condition: bool, sentence: str) -> None:
    if not condition:
        raise ConfigError(sentence)


class _Config:
    """What both configurations share: checked types, a round trip through JSON, StyleGAN2's channel rule."""

    channel_base: int
    channel_max: int

    def to_json(self) -> dict[str, Any]:
        """The fields as plain JSON values."""
        return asdict(self)  # type: ignore[call-overload]

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`; ConfigError on a missing, unknown or mistyped field."""
        known = {field.name for field in fields(cls)}  # type: ignore[arg-type]
        unknown = sorted(set(document) - known)
        _check(not unknown, f"The configuration has a field that this version does not know: {', '.join(unknown)}.")
        values = {key: tuple(value) if isinstance(value, list) else value for key, value in document.items()}
        try:
            return cls(**values)
        except TypeError as error:
            raise ConfigError(f"The configuration is incomplete: {error}.") from error

    def channels_at(self, rate: float) -> int:
        """Feature maps of a StyleGAN2 layer of `rate` pixels: min(C_base / rate, C_max)."""
        return int(min(self.channel_base // rate, self.channel_max))

    def _check_types(self) -> None:
        """Files hold configurations too, and a damaged one must be refused here, not deep inside a network."""
        for field in fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            annotation = field.type.__name__ if isinstance(field.type, type) else str(field.type)
            _check(_fits(value, annotation), f"{field.name} must be of type {annotation}, not {value!r}.")

    def _check_counts(self, most: int, *names: str) -> None:
        for name in names:
            value = getattr(self, name)
            _check(1 <= value <= most, f"{name} must be from 1 to {most}, not {value}.")

    def _check_pictures(self, resolution: int, img_channels: int, c_dim: int) -> None:
        power_of_two = resolution > 0 and resolution & (resolution - 1) == 0
        _check(
            power_of_two and 8 <= resolution <= 1024,
            f"The resolution must be a power of two from 8 to 1024, not {resolution}.",
        )
        _check(1 <= img_channels <= 4, f"Pictures have 1 to 4 channels, not {img_channels}.")
        _check(0 <= c_dim <= MANY, f"c_dim must be from 0 to {MANY}, not {c_dim}.")
        _check(
            self.channel_base >= resolution,
            f"A channel base of {self.channel_base} leaves no channels: it must be at least {resolution}.",
        )


def _fits(value: object, annotation: str) -> bool:
    """Whether a value is of one of the few types that the fields have; numbers must be finite."""
    if annotation.endswith(" | None"):
        return value is None or _fits(value, annotation.removesuffix(" | None"))
    if annotation.startswith("tuple"):
        return isinstance(value, tuple) and all(_fits(item, "float") for item in value)
    kinds: dict[str, tuple[type, ...]] = {"int": (int,), "float": (int, float), "bool": (bool,), "str": (str,)}
    if not isinstance(value, kinds[annotation]) or isinstance(value, bool) != (annotation == "bool"):
        return False
    return not isinstance(value, float) or math.isfinite(value)


@dataclass(frozen=True)
class GeneratorConfig(_Config):
    """A generator of the ladder. Field names follow the paper; defaults are those of StyleGAN3-T.

    The fields under "layers" are used by the alias-free layers only (architecture "layers"), those under "skip" by the
    StyleGAN2 family only (architectures "skip" and "resnet").
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
    conv_clamp: float | None = 256.0
    architecture: str = "layers"
    fourier_input: bool = True  # sinusoids instead of StyleGAN2's learned constant (rung B on)
    learned_transform: bool = True  # w rotates and translates the input (rung H on)
    # layers
    num_layers: int = 14
    num_critical: int = 2
    first_cutoff: float = 2.0
    first_stopband: float = 2.0**2.1
    last_stopband_rel: float = 2.0**0.3
    margin_size: int = 10
    output_scale: float = 0.25
    conv_kernel: int = 3
    filter_size: int = 6
    lrelu_upsampling: int = 2
    radial_filters: bool = False
    magnitude_ema_beta: float = 0.5 ** (32 / 20000)
    # skip
    noise_inputs: bool = False
    resample_filter: tuple[float, ...] = (1.0, 3.0, 3.0, 1.0)

    def __post_init__(self) -> None:
        self._check_types()
        self._check_pictures(self.resolution, self.img_channels, self.c_dim)
        self._check_counts(MANY, "z_dim", "w_dim", "channel_base", "channel_max")
        self._check_counts(FEW, "num_layers", "mapping_layers", "filter_size", "lrelu_upsampling")
        _check(0 <= self.margin_size <= self.resolution, f"The margin cannot be {self.margin_size} pixels wide.")
        _check(self.architecture in ARCHITECTURES, f"The architecture must be one of {', '.join(ARCHITECTURES)}.")
        if self.architecture == "layers":
            _check(
                0 <= self.num_critical < self.num_layers,
                f"Of {self.num_layers} layers, from 0 to {self.num_layers - 1} can be critically sampled, "
                f"not {self.num_critical}.",
            )
            _check(self.conv_kernel in (1, 3), f"The convolution is 1 or 3 wide, not {self.conv_kernel}.")
            _check(
                0 < self.first_cutoff < self.resolution / 2 and self.first_stopband > self.first_cutoff,
                "The first cutoff must be below half the resolution and below the first stopband.",
            )
            _check(self.last_stopband_rel > 1, "The last stopband must lie above its cutoff.")
        else:
            _check(len(self.resample_filter) == 4, "StyleGAN2's resampling filter has four taps.")

    @property
    def movable(self) -> bool:
        """Whether a transform can move the picture: only a Fourier input can be moved."""
        return self.fourier_input

    @property
    def num_ws(self) -> int:
        """How many w vectors synthesis takes (model-spec, "Flexible layers" and "The ladder")."""
        return self.num_layers + 2 if self.architecture == "layers" else 2 * int(math.log2(self.resolution)) - 2


@dataclass(frozen=True)
class DiscriminatorConfig(_Config):
    """StyleGAN2's residual discriminator, which every rung uses."""

    resolution: int
    img_channels: int = 3
    c_dim: int = 0
    channel_base: int = 2**15
    channel_max: int = 512
    cmap_dim: int | None = None  # width of the label's projection; None: as many as channels at 4x4
    mapping_layers: int = 8
    mbstd_group: int = 4
    mbstd_channels: int = 1
    conv_clamp: float | None = 256.0
    resample_filter: tuple[float, ...] = (1.0, 3.0, 3.0, 1.0)

    def __post_init__(self) -> None:
        self._check_types()
        self._check_pictures(self.resolution, self.img_channels, self.c_dim)
        self._check_counts(MANY, "channel_base", "channel_max", "mbstd_group")
        self._check_counts(FEW, "mapping_layers")
        _check(self.cmap_dim is None or 1 <= self.cmap_dim <= MANY, f"cmap_dim cannot be {self.cmap_dim}.")
        _check(self.mbstd_channels >= 0, "mbstd_channels cannot be negative.")
        _check(len(self.resample_filter) == 4, "StyleGAN2's resampling filter has four taps.")

    @property
    def label_dim(self) -> int:
        """Width of the label's projection, 0 without labels."""
        if self.c_dim == 0:
            return 0
        return self.channels_at(4) if self.cmap_dim is None else self.cmap_dim
