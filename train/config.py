# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The options of a training run as one frozen dataclass.

The settings are those of [P app. F.2] (references, *Training*). A run folder stores them as training_options.json.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from gan.augment.options import AugmentOptions
from gan.cli.network_options import OPTION_NAMES
from gan.metrics.names import parse_metrics
from gan.networks.config import DiscriminatorConfig, GeneratorConfig, has_type
from gan.networks.ladder import find_rung, parse_rung
from train.errors import TrainingError
from train.presets.table import describe_gamma, preset

MAX_FP16_RES = 10  # resolutions that can be float16, more than any network has
FILE_NAMES = {"num_fp16_res": "half"}  # fields that training_options.json and state files name differently
RETIRED = ("held", "held_images")  # fields of earlier versions that a run goes on without
TUPLES = ("transfer_table", "metrics", "detectors")  # fields that hold any number of words


@dataclass(frozen=True)
class TrainConfig:
    """A training run. Counts are in images (real images shown to the discriminator) unless a name says otherwise."""

    generator: GeneratorConfig
    discriminator: DiscriminatorConfig
    data: str  # path of the folder or zip
    data_name: str
    data_images: int
    data_digest: str  # of file names and sizes: a resumed run must see the same pictures
    total_images: int
    batch: int
    gamma: float  # R1 weight
    seed: int = 0
    mirror: bool = False
    mirror_y: bool = False  # upside down, too
    subset: int = 0  # pictures chosen of the set by `seed`; 0: all
    g_lr: float = 0.0025
    d_lr: float = 0.0020
    adam_betas: tuple[float, float] = (0.0, 0.99)
    adam_eps: float = 1e-8
    r1_interval: int = 16  # D steps between R1 steps
    pl_weight: float = 0.0  # path length, 0 for D-R
    pl_interval: int = 4  # G steps between path-length steps
    pl_decay: float = 0.01
    pl_shrink: int = 2  # the path-length batch is batch / pl_shrink
    style_mixing: float = 0.0  # probability, 0 for D-R
    noise: str = "random"  # planes for the noise inputs of A and B in training, or "none"
    reuse_fakes: bool = False  # D learns from the pictures of G's own step instead of drawing fresh ones
    ema_half_life: float = 10_000.0
    ema_ramp: float = 0.05  # the half-life is at most this fraction of the images so far; 0: no such limit
    blur_sigma: float = 0.0  # pixels, of what D sees at first; 0 but for R
    blur_images: int = 0  # the blur fades to 0 over these
    tick_images: int = 4000  # a tick is the lesser of these ...
    tick_seconds: float = 60.0  # ... and this
    snap: int = 10  # ticks between snapshots
    img_snap: int = 0  # ticks between grids of fakes beside those of the snapshots; 0: none
    cudnn_benchmark: bool = True  # a GPU's convolutions are timed to choose algorithms
    threads: int = 0  # of torch on the CPU; 0: torch decides
    device: str = "cpu"
    num_fp16_res: int = 0  # highest resolutions that both networks compute in float16 (gan.networks.precision)
    transfer: str = ""  # the model that the run was started from; "" none
    transfer_table: tuple[str, ...] = ()  # lines that say what was taken from it
    warmup_images: int = 0  # G is held over these, while D is trained
    taught_images: int = 0  # pictures of the lessons in which a grown network's new layers learn what its source did
    freezed: int = 0  # layers of D, from the picture on, that are not trained
    augment: AugmentOptions = AugmentOptions()
    batch_gpu: int = 0  # pictures that a process computes at once; 0: all that it gets of a batch
    metrics: tuple[str, ...] = ()  # measured of snapshots, by name
    metrics_every: int = 1  # of every so many snapshots, and of the last
    detectors: tuple[str, ...] = ()  # feature networks in place of those that the metrics' definitions name

    def __post_init__(self) -> None:
        self._check_types()
        self._check_ranges()
        if self.batch < 1 or self.batch % self.discriminator.group_size(self.batch):
            raise TrainingError(
                f"A batch of {self.batch} cannot be split into minibatch-deviation groups of "
                f"{self.discriminator.mbstd_group}; choose a multiple of it."
            )
        if self.total_images < 1:
            raise TrainingError("A run needs at least one image; give a --kimg above 0.")
        if not 0 <= self.gamma < float("inf"):
            raise TrainingError(f"The R1 weight must be a number from 0 up, not {self.gamma}; correct --gamma.")
        layers = len(list_layers(self.discriminator))
        if not 0 <= self.freezed <= layers:
            raise TrainingError(
                f"--freezed must be from 0 to {layers}, this discriminator's layers before 4x4, not {self.freezed}."
            )
        try:
            parse_metrics(self.metrics)
        except ValueError as error:
            raise TrainingError(f"metrics: {error}.") from error
        if not 0 <= self.num_fp16_res <= MAX_FP16_RES:
            raise TrainingError(
                f"--num-fp16-res must be from 0 to {MAX_FP16_RES}, not {self.num_fp16_res}: the number of highest "
                "resolutions in float16."
            )

    def _check_types(self) -> None:
        """Raise TrainingError for a value of the wrong type: options are read from files, which may be damaged."""
        for field in fields(self):
            value, annotation = getattr(self, field.name), str(field.type)
            nested = {one.__name__: one for one in (GeneratorConfig, DiscriminatorConfig, AugmentOptions)}.get(
                annotation
            )
            if not (isinstance(value, nested) if nested else has_type(value, annotation)):
                name = FILE_NAMES.get(field.name, field.name)
                raise TrainingError(f"{name} must be of type {annotation}, not {value!r:.80}.")
        g, d = self.generator, self.discriminator
        if any(getattr(g, name) != getattr(d, name) for name in ("resolution", "img_channels", "c_dim")):
            raise TrainingError(
                "Generator and discriminator differ in resolution, channels or labels; make them equal."
            )

    def _check_ranges(self) -> None:
        for name in ("tick_images", "tick_seconds", "snap", "r1_interval", "pl_interval", "pl_shrink", "metrics_every"):
            if not getattr(self, name) > 0:
                raise TrainingError(f"{name} must be above 0, not {getattr(self, name)}.")
        rates = ("g_lr", "d_lr", "adam_eps", "ema_half_life", "ema_ramp", "pl_weight", "warmup_images", "taught_images")
        valid = {
            name: getattr(self, name) >= 0
            for name in (*rates, "blur_sigma", "blur_images", "threads", "batch_gpu", "subset", "img_snap")
        } | {
            "seed": -(2**63) <= self.seed < 2**63,
            "noise": self.noise in ("random", "none"),
            "adam_betas": len(self.adam_betas) == 2 and all(0 <= beta < 1 for beta in self.adam_betas),
            "style_mixing": 0 <= self.style_mixing <= 1,
        }
        for name, is_valid in valid.items():
            if not is_valid:
                raise TrainingError(f"{name} cannot be {getattr(self, name)!r:.80}.")

    @property
    def rung(self) -> str:
        return self.generator.rung

    @property
    def resolution(self) -> int:
        return self.generator.resolution

    def to_json(self) -> dict[str, Any]:
        """Return the fields as plain JSON values, the two networks' configurations nested."""
        values = {
            **asdict(self),
            "adam_betas": list(self.adam_betas),
            **{name: list(getattr(self, name)) for name in TUPLES},
            "generator": self.generator.to_json(),
            "discriminator": self.discriminator.to_json(),
            "augment": self.augment.to_json(),
        }
        return {FILE_NAMES.get(name, name): value for name, value in values.items()}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Restore what `to_json` returned.

        TrainingError names fields that are unknown or missing, ConfigError those of a network.
        """
        names = {FILE_NAMES.get(field.name, field.name): field.name for field in fields(cls)}
        document = {name: value for name, value in document.items() if name not in RETIRED}
        unknown = sorted(set(document) - set(names))
        if unknown:
            raise TrainingError(
                f"Unknown training options: {', '.join(unknown)}; use the Jinc version that wrote them."
            )
        values = {names[name]: value for name, value in document.items()}
        try:
            values["augment"] = AugmentOptions.from_json(values.get("augment", {}))
        except ValueError as error:
            raise TrainingError(str(error)) from error
        try:
            values["generator"] = GeneratorConfig.from_json(values["generator"])
            values["discriminator"] = DiscriminatorConfig.from_json(values["discriminator"])
            for name in ("adam_betas", *TUPLES):
                values[name] = tuple(values.get(name, getattr(cls, name)))
            return cls(**values)
        except (KeyError, TypeError) as error:
            raise TrainingError(f"The training options are incomplete or mistyped ({error}).") from error


def list_layers(config: DiscriminatorConfig) -> tuple[str, ...]:
    """Return the names of the discriminator's layers before 4x4 as FreezeD counts them, from the picture on.

    fromRGB of the highest resolution, then conv0, conv1 and skip of each: the 3 highest resolutions have 10.
    """
    sizes = [2**level for level in range(int(math.log2(config.resolution)), 2, -1)]
    layers = (f"b{size}.{layer}" for size in sizes for layer in ("conv0", "conv1", "skip"))
    return (f"b{config.resolution}.fromrgb", *layers)


def ema_half_life(batch: int) -> float:
    """Return the generator average's half-life in images: 10k at batch 32, in proportion to the batch."""
    return 10_000 * batch / 32


def configure(
    cfg: str,
    *,
    resolution: int,
    img_channels: int = 3,
    c_dim: int = 0,
    preset_name: str = "paper",
    channel_base: int | None = None,
    channel_max: int | None = None,
    d_channel_base: int | None = None,
    d_channel_max: int | None = None,
    map_depth: int | None = None,
    mbstd_group: int | None = None,
    switches: Mapping[str, Any] | None = None,
    **options: Any,
) -> TrainConfig:
    """Return the configuration of a run: the preset of rung `cfg`, and what was given in place of its values.

    `channel_base` and `channel_max` are T's values, for both networks; R's generator doubles them. `d_channel_base` and
    `d_channel_max` are the discriminator's own. `map_depth` are the generator's mapping layers, `mbstd_group` the
    pictures of a deviation group of the discriminator. `switches` are fields of GeneratorConfig, `options` fields of
    TrainConfig, None for the preset's: those of the data are required.
    """
    name = parse_rung(cfg)
    settings = preset(preset_name, name, resolution)
    recipe = settings.recipe
    values = settings.options | {field: value for field, value in options.items() if value is not None}
    batch, total_images = values["batch"], values["total_images"]
    if batch < 1:
        raise TrainingError(f"The batch cannot be {batch}; give a --batch of at least 1.")
    g_base, g_max = channel_base or settings.channels[0], channel_max or settings.channels[1]
    d_base = d_channel_base or channel_base or settings.d_channels[0]
    d_max = d_channel_max or channel_max or settings.d_channels[1]
    network = {"magnitude_ema_beta": 0.5 ** (batch / 20_000), **settings.network, **(switches or {})}
    network |= {} if map_depth is None else {"mapping_layers": map_depth}
    pictures: dict[str, Any] = {"img_channels": img_channels, "c_dim": c_dim}
    generator = find_rung(name, resolution, channel_base=g_base, channel_max=g_max, **pictures, **network).network
    discriminator = DiscriminatorConfig(
        resolution,
        channel_base=d_base,
        channel_max=d_max,
        mbstd_group=recipe.mbstd_group if mbstd_group is None else mbstd_group,
        **pictures,
    )
    defaults = {
        "gamma": settings.gamma * resolution**2 / batch,
        "pl_weight": recipe.pl_weight,
        "style_mixing": recipe.style_mixing,
        "ema_half_life": ema_half_life(batch),
        "blur_sigma": recipe.blur_sigma * resolution,
        "blur_images": min(200_000, total_images // 10) if recipe.blur_sigma else 0,
    }
    return TrainConfig(generator, discriminator, **{**defaults, **values})


def describe_run(config: TrainConfig, options: Mapping[str, Any]) -> str:
    """Return the first line of a run's log; `options`: what was given on the command line."""
    gamma = describe_gamma(config.gamma, config.resolution, config.batch, "gamma" in options)
    augmented = f", {config.augment.describe()}" if config.augment.describe() else ""
    switches = [(name, options[name]) for name in OPTION_NAMES if name in options]
    changes = "".join(
        f", {name} {value:g}" if type(value) is float else f", {name} {value}" for name, value in switches
    )
    return (
        f"{config.rung}{changes} at {config.resolution}x{config.resolution} on {config.data_images} pictures of "
        f"{config.data_name}, batch {config.batch}, {gamma}, "
        f"{config.total_images / 1000:g} kimg, seed {config.seed}, {config.device}{augmented}."
    )
