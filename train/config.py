# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Everything that decides a training run, as one frozen dataclass; the paper's settings and the tiny ones as tables.

The settings are those of [P app. F.2] (model-spec, "Training"). A run folder stores them as training_options.json.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from gan.config import DiscriminatorConfig, GeneratorConfig
from gan.ladder import letter, rung

PRESETS = ("paper", "tiny")


class TrainingError(ValueError):
    """A run that cannot start, go on or be saved; the message is one sentence that says what to do."""


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
    ema_ramp: float = 0.05  # the half-life is at most this fraction of the images so far
    blur_sigma: float = 0.0  # pixels, of what D sees at first; 0 but for R
    blur_images: int = 0  # the blur fades to 0 over these
    tick_images: int = 4000  # a tick is the lesser of these ...
    tick_seconds: float = 60.0  # ... and this
    snap: int = 10  # ticks between snapshots
    threads: int = 0  # of torch on the CPU; 0: torch decides
    device: str = "cpu"

    def __post_init__(self) -> None:
        if self.batch < 1 or self.batch % min(self.discriminator.mbstd_group, self.batch):
            raise TrainingError(f"A batch of {self.batch} cannot be split into minibatch-deviation groups of "
                                f"{self.discriminator.mbstd_group}; choose a multiple of it.")
        if self.total_images < 1:
            raise TrainingError("A run needs at least one image; give a --kimg above 0.")
        if not 0 <= self.gamma < float("inf"):
            raise TrainingError(f"The R1 weight must be a number from 0 up, not {self.gamma}; correct --gamma.")
        for name in ("tick_images", "tick_seconds", "snap", "r1_interval", "pl_interval", "pl_shrink"):
            if not getattr(self, name) > 0:
                raise TrainingError(f"{name} must be above 0, not {getattr(self, name)}.")

    @property
    def rung(self) -> str:
        return self.generator.rung

    @property
    def resolution(self) -> int:
        return self.generator.resolution

    def to_json(self) -> dict[str, Any]:
        """The fields as plain JSON values, the two networks' configurations nested."""
        return {**asdict(self), "adam_betas": list(self.adam_betas), "generator": self.generator.to_json(),
                "discriminator": self.discriminator.to_json()}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`; TrainingError names unknown or missing fields, ConfigError those of a network."""
        known = [field.name for field in fields(cls)]
        unknown = sorted(set(document) - set(known))
        if unknown:
            raise TrainingError(f"The training options hold {', '.join(unknown)}, unknown to this version.")
        values = dict(document)
        try:
            values["generator"] = GeneratorConfig.from_json(values["generator"])
            values["discriminator"] = DiscriminatorConfig.from_json(values["discriminator"])
            values["adam_betas"] = tuple(values.get("adam_betas", cls.adam_betas))
            return cls(**values)
        except (KeyError, TypeError) as error:
            raise TrainingError(f"The training options are incomplete or mistyped ({error}).") from error


def default_gamma(resolution: int, batch: int) -> float:
    """R1 weight when none is given: 0.001·S²/batch, inside the spec's 0.0002…0.005 and 1.02 at 256² with batch 64."""
    return 0.001 * resolution**2 / batch


def ema_half_life(batch: int) -> float:
    """Half-life of the generator's moving average: 10k images at batch 32, in proportion to the batch."""
    return 10_000 * batch / 32


@dataclass(frozen=True)
class Preset:
    """One row of the table in model-spec, "Training": what a rung trains with unless told otherwise."""

    batch: int
    mapping_layers: int
    mbstd_group: int
    channel_base: int  # T's values, as the command line takes them; the ladder doubles R's
    channel_max: int
    d_channel_base: int
    d_channel_max: int
    g_lr: float
    d_lr: float
    latent_dim: int = 512  # of z and w
    num_layers: int = 14  # of T and R
    kimg: int = 25_000
    mirror: bool = False
    reuse_fakes: bool = False
    noise: str = "random"
    pl_weight: float = 2.0  # of A and B
    style_mixing: float = 0.9  # of A and B


def preset(name: str, rung_letter: str, resolution: int) -> Preset:
    """The settings `name` ("paper" or "tiny") of a rung at a resolution."""
    skip = rung_letter in "ABC"
    depth = 8 if skip else 2
    if name == "tiny":
        # What two CPU cores can train. StyleGAN2 has its authors' settings for 32x32 pictures (shallow mapping, no path
        # length, no style mixing), and no noise, behind which so small a generator hides (docs/log.md).
        return Preset(batch=16, mapping_layers=2, mbstd_group=4, channel_base=2048 if skip else 1024,
                      channel_max=64 if skip else 32, d_channel_base=1536, d_channel_max=160, g_lr=0.0025, d_lr=0.0020,
                      latent_dim=128, num_layers=8 if resolution <= 32 else 14, kimg=200, mirror=True,
                      reuse_fakes=True, noise="none", pl_weight=0.0, style_mixing=0.0)
    if name != "paper":
        raise TrainingError(f"There is no preset {name!r}; choose one of {', '.join(PRESETS)}.")
    if resolution <= 256:
        return Preset(batch=64, mapping_layers=depth, mbstd_group=8 if skip else 4, channel_base=2**14,
                      channel_max=512, d_channel_base=2**14, d_channel_max=512, g_lr=0.0025, d_lr=0.0025)
    return Preset(batch=32, mapping_layers=depth, mbstd_group=4, channel_base=2**15, channel_max=512,
                  d_channel_base=2**15, d_channel_max=512, g_lr=0.0020 if skip else 0.0025, d_lr=0.0020)


def configure(cfg: str, *, resolution: int, data: str, data_name: str, data_images: int, data_digest: str,
              c_dim: int = 0, preset_name: str = "paper", batch: int | None = None, gamma: float | None = None,
              kimg: float | None = None, mirror: bool | None = None, channel_base: int | None = None,
              channel_max: int | None = None, **others: Any) -> TrainConfig:
    """The configuration of a run: the preset of rung `cfg`, and whatever was given instead of its values.

    `channel_base` and `channel_max` are T's values, for both networks; R's generator doubles them. `others` are fields
    of TrainConfig by name.
    """
    name = letter(cfg)
    row = preset(preset_name, name, resolution)
    batch = row.batch if batch is None else batch
    if batch < 1:
        raise TrainingError(f"A batch of {batch} is none; give a --batch of at least 1.")
    total = round((row.kimg if kimg is None else kimg) * 1000)
    skip = name in "ABC"
    layers = {} if skip else {"num_layers": row.num_layers, "magnitude_ema_beta": 0.5 ** (batch / 20_000)}
    generator = rung(name, resolution, channel_base=channel_base or row.channel_base,
                     channel_max=channel_max or row.channel_max, z_dim=row.latent_dim, w_dim=row.latent_dim,
                     c_dim=c_dim, mapping_layers=row.mapping_layers, **layers)
    discriminator = DiscriminatorConfig(
        resolution=resolution, c_dim=c_dim, channel_base=channel_base or row.d_channel_base,
        channel_max=channel_max or row.d_channel_max, mbstd_group=row.mbstd_group)
    return TrainConfig(
        generator=generator, discriminator=discriminator, data=data, data_name=data_name, data_images=data_images,
        data_digest=data_digest, total_images=total, batch=batch,
        gamma=default_gamma(resolution, batch) if gamma is None else gamma,
        mirror=row.mirror if mirror is None else mirror, reuse_fakes=row.reuse_fakes, noise=row.noise,
        g_lr=row.g_lr, d_lr=row.d_lr, pl_weight=row.pl_weight if skip else 0.0,
        style_mixing=row.style_mixing if skip else 0.0, ema_half_life=ema_half_life(batch),
        blur_sigma=10 * resolution / 256 if name == "R" else 0.0,
        blur_images=min(200_000, total // 10) if name == "R" else 0, **others)
