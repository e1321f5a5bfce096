# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Everything that decides a training run, as one frozen dataclass; the paper's settings and the tiny ones as tables.

The settings are those of [P app. F.2] (model-spec, "Training"). A run folder stores them as training_options.json.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self

from gan.files.errors import sanitize_text
from gan.networks.config import DiscriminatorConfig, GeneratorConfig, fits
from gan.networks.ladder import Recipe, letter, row

OUT_OF_MEMORY = "Training ran out of memory; start again with a smaller --batch, --cbase or --cmax"
PRESETS = ("paper", "tiny")
MOST_HALF = 10  # resolutions that can be float16, more than any network has


class TrainingError(ValueError):
    """A run that cannot start, go on or be saved; the message is one sentence that says what to do."""

    def __init__(self, why: str) -> None:
        super().__init__(sanitize_text(why))


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
    half: int = 0  # of how many of the highest resolutions both networks compute in float16 (gan.networks.precision)

    def __post_init__(self) -> None:
        self._check_types()
        if self.batch < 1 or self.batch % min(self.discriminator.mbstd_group, self.batch):
            raise TrainingError(
                f"A batch of {self.batch} cannot be split into minibatch-deviation groups of "
                f"{self.discriminator.mbstd_group}; choose a multiple of it."
            )
        if self.total_images < 1:
            raise TrainingError("A run needs at least one image; give a --kimg above 0.")
        if not 0 <= self.gamma < float("inf"):
            raise TrainingError(f"The R1 weight must be a number from 0 up, not {self.gamma}; correct --gamma.")
        if not 0 <= self.half <= MOST_HALF:
            raise TrainingError(
                f"Of 0 to {MOST_HALF} resolutions, not of {self.half}, can be float16; correct --num-fp16-res."
            )
        for name in ("tick_images", "tick_seconds", "snap", "r1_interval", "pl_interval", "pl_shrink"):
            if not getattr(self, name) > 0:
                raise TrainingError(f"{name} must be above 0, not {getattr(self, name)}.")
        self._check_optimiser()

    def _check_types(self) -> None:
        """Files hold these options too, and a damaged one must be refused here, not after a tick of training."""
        for field in fields(self):
            value, annotation = getattr(self, field.name), str(field.type)
            network = {"GeneratorConfig": GeneratorConfig, "DiscriminatorConfig": DiscriminatorConfig}.get(annotation)
            if not (isinstance(value, network) if network else fits(value, annotation)):
                raise TrainingError(f"{field.name} must be of type {annotation}, not {value!r:.80}.")
        ours, theirs = self.generator, self.discriminator
        if any(getattr(ours, name) != getattr(theirs, name) for name in ("resolution", "img_channels", "c_dim")):
            raise TrainingError(
                "The generator draws other pictures than its discriminator looks at: sizes, channels "
                "and labels must be the same."
            )

    def _check_optimiser(self) -> None:
        fit = {
            "seed": -(2**63) <= self.seed < 2**63,
            "noise": self.noise in ("random", "none"),
            "adam_betas": len(self.adam_betas) == 2 and all(0 <= beta < 1 for beta in self.adam_betas),
            "style_mixing": 0 <= self.style_mixing <= 1,
        }
        fit |= {
            name: getattr(self, name) >= 0
            for name in (
                "g_lr",
                "d_lr",
                "adam_eps",
                "pl_weight",
                "ema_half_life",
                "ema_ramp",
                "blur_sigma",
                "blur_images",
                "threads",
            )
        }
        for name, fitting in fit.items():
            if not fitting:
                raise TrainingError(f"{name} cannot be {getattr(self, name)!r:.80}.")

    @property
    def rung(self) -> str:
        return self.generator.rung

    @property
    def resolution(self) -> int:
        return self.generator.resolution

    def to_json(self) -> dict[str, Any]:
        """The fields as plain JSON values, the two networks' configurations nested."""
        return {
            **asdict(self),
            "adam_betas": list(self.adam_betas),
            "generator": self.generator.to_json(),
            "discriminator": self.discriminator.to_json(),
        }

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
    """What a rung trains with unless told otherwise: one row of the table in model-spec, "Training"."""

    batch: int
    channel_base: int  # T's values, as the command line takes them; the ladder doubles R's
    channel_max: int
    d_channel_base: int
    d_channel_max: int
    g_lr: float
    d_lr: float
    recipe: Recipe  # what the ladder says, or what takes its place
    network: Mapping[str, Any]  # fields of the generator that differ from the ladder's
    kimg: int = 25_000
    mirror: bool = False
    reuse_fakes: bool = False
    noise: str = "random"


def preset(name: str, rung_letter: str, resolution: int) -> Preset:
    """The settings `name` ("paper" or "tiny") of a rung at a resolution."""
    ladders = row(rung_letter, resolution)
    skip = ladders.network.architecture == "skip"
    if name == "tiny":
        # What two CPU cores can train. StyleGAN2 has its authors' settings for 32x32 pictures (shallow mapping, no path
        # length, no style mixing), and no noise, behind which so small a generator hides (docs/log.md).
        flexible = ladders.network.schedule == "flexible"
        layers = {"num_layers": 8} if flexible and resolution <= 32 else {}
        return Preset(
            batch=16,
            channel_base=2048 if skip else 1024,
            channel_max=64 if skip else 32,
            d_channel_base=1536,
            d_channel_max=160,
            g_lr=0.0025,
            d_lr=0.0020,
            recipe=replace(ladders.recipe, mbstd_group=4, pl_weight=0.0, style_mixing=0.0),
            network={"z_dim": 128, "w_dim": 128, "mapping_layers": 2, **layers},
            kimg=200,
            mirror=True,
            reuse_fakes=True,
            noise="none",
        )
    if name != "paper":
        raise TrainingError(f"There is no preset {name!r}; choose one of {', '.join(PRESETS)}.")
    if resolution <= 256:
        return Preset(
            batch=64,
            channel_base=2**14,
            channel_max=512,
            d_channel_base=2**14,
            d_channel_max=512,
            g_lr=0.0025,
            d_lr=0.0025,
            recipe=ladders.recipe,
            network={},
        )
    return Preset(
        batch=32,
        channel_base=2**15,
        channel_max=512,
        d_channel_base=2**15,
        d_channel_max=512,
        g_lr=0.0020 if skip else 0.0025,
        d_lr=0.0020,
        recipe=ladders.recipe,
        network={},
    )


def configure(
    cfg: str,
    *,
    resolution: int,
    data: str,
    data_name: str,
    data_images: int,
    data_digest: str,
    c_dim: int = 0,
    preset_name: str = "paper",
    batch: int | None = None,
    gamma: float | None = None,
    kimg: float | None = None,
    mirror: bool | None = None,
    channel_base: int | None = None,
    channel_max: int | None = None,
    pl_weight: float | None = None,
    style_mixing: float | None = None,
    switches: Mapping[str, Any] | None = None,
    **others: Any,
) -> TrainConfig:
    """The configuration of a run: the preset of rung `cfg`, and whatever was given instead of its values.

    `channel_base` and `channel_max` are T's values, for both networks; R's generator doubles them. `switches` are
    settings of gan.networks.ladder.row, `others` fields of TrainConfig by name.
    """
    name = letter(cfg)
    settings = preset(preset_name, name, resolution)
    batch = settings.batch if batch is None else batch
    if batch < 1:
        raise TrainingError(f"A batch of {batch} is none; give a --batch of at least 1.")
    total = round((settings.kimg if kimg is None else kimg) * 1000)
    recipe = settings.recipe
    generator = row(
        name,
        resolution,
        channel_base=channel_base or settings.channel_base,
        channel_max=channel_max or settings.channel_max,
        c_dim=c_dim,
        magnitude_ema_beta=0.5 ** (batch / 20_000),
        **{**settings.network, **(switches or {})},
    ).network
    discriminator = DiscriminatorConfig(
        resolution=resolution,
        c_dim=c_dim,
        channel_base=channel_base or settings.d_channel_base,
        channel_max=channel_max or settings.d_channel_max,
        mbstd_group=recipe.mbstd_group,
    )
    return TrainConfig(
        generator=generator,
        discriminator=discriminator,
        data=data,
        data_name=data_name,
        data_images=data_images,
        data_digest=data_digest,
        total_images=total,
        batch=batch,
        gamma=default_gamma(resolution, batch) if gamma is None else gamma,
        mirror=settings.mirror if mirror is None else mirror,
        reuse_fakes=settings.reuse_fakes,
        noise=settings.noise,
        g_lr=settings.g_lr,
        d_lr=settings.d_lr,
        pl_weight=recipe.pl_weight if pl_weight is None else pl_weight,
        style_mixing=recipe.style_mixing if style_mixing is None else style_mixing,
        ema_half_life=ema_half_life(batch),
        blur_sigma=recipe.blur_sigma * resolution,
        blur_images=min(200_000, total // 10) if recipe.blur_sigma else 0,
        **others,
    )
