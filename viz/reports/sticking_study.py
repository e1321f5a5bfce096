# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Measure how much of a model's detail sticks to the screen: pictures, slices over time, and shares."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gan.analysis.equivariance import disable_tf32
from gan.analysis.stickiness import Shares, StickinessMeter, choose_distances
from gan.analysis.texture_sticking import (
    NeighbourhoodMean,
    SliceBuffer,
    latent_circle,
    perturb_latent,
    sample_segment,
    temporal_persistence,
)
from gan.checkpoints.checkpoint import Header, load_generator
from gan.data.image_io import to_rgb
from gan.devices import threads_for
from gan.networks.config import GeneratorConfig
from gan.networks.describe import describe_rung
from gan.networks.generator import Generator, choose_batch_size, map_latents, z_from_seed
from gan.networks.input_transform import user_matrix
from gan.networks.labels import Label, describe_label, read_class_names
from gan.networks.synthesis import SynthesisOptions
from viz.render.upscale import upscale, upscale_factor
from viz.reports.network_text import plain

FEWEST_ROWS = 192  # samples of a slice's columns, more where the segment passes more pixels
AMPLITUDE = 1 / 8  # picture widths that the content moves by, either way: EQ-T's reach

Segment = tuple[float, float, float, float]


@dataclass(frozen=True)
class Model:
    """One side of the comparison, as its checkpoint's header tells."""

    side: str
    given: str  # what the user called it
    path: Path
    config: GeneratorConfig
    kimg: float | None
    label: Label | None = None  # that it is given, None for one without labels
    classes: tuple[str, ...] = ()  # their names, where the file says them

    @staticmethod
    def from_header(side: str, given: str, path: Path, header: Header, label: Label | None = None) -> Model:
        """Return the model that the user called `given` and that lies at `path`."""
        kimg = header.facts.get("kimg")
        kimg = float(kimg) if isinstance(kimg, int | float) else None
        classes = read_class_names(header.facts, header.config.c_dim)
        return Model(side, given, path, header.config, kimg, label, classes)

    @property
    def name(self) -> str:
        return plain(self.path.stem)

    @property
    def title(self) -> str:
        title = f"{describe_rung(self.config)}, {self.config.resolution}x{self.config.resolution}"
        return title if self.label is None else f"{title}, {describe_label(self.label, self.classes)}"


@dataclass(frozen=True)
class Settings:
    """Settings of a study, the same for both models. Lengths are in picture widths."""

    seed: int
    num: int  # neighbours
    frames: int  # of each slice
    radius: float  # of the neighbourhood, as in gan.analysis.texture_sticking
    latents: int  # that stickiness is measured on
    trunc: float
    segment: Segment
    device: str

    def steps(self, resolution: int, movable: bool) -> int:
        """Return how many pictures one model has to draw."""
        pictures = 1 + self.num + self.frames
        if not movable:
            return pictures
        return pictures + self.frames + self.latents * (1 + 4 * len(choose_distances(resolution)))


@dataclass(frozen=True, eq=False)
class Findings:
    """Measurements of one model. Pictures are uint8 RGB; what needs a Fourier input is None or nan without one."""

    centre: np.ndarray  # enlarged to at least 512 pixels, as the window shows it
    mean: np.ndarray  # of the neighbours, likewise
    kept: float  # the share of fine detail that the mean keeps
    walk: np.ndarray  # [samples, frames, 3]: the segment while the latent walks round the centre
    walk_streaks: float
    glide: np.ndarray | None  # the segment while the content moves along it and back
    glide_streaks: float
    shares: tuple[Shares, ...] | None


def study(path: str, settings: Settings, tick: Callable[[int], object], label: Label | None = None) -> Findings:
    """Measure a checkpoint; `tick` is called with the number of pictures just drawn. `label`: None is class 0.

    Stickiness is measured on random classes, or on the label if that is a vector.

    Raises CheckpointError or ConfigError, one sentence each.
    """
    generator, _ = load_generator(path, settings.device)
    with torch.inference_mode(), disable_tf32(), _threads(generator.config.resolution):
        return _Study(generator, settings, tick, label or 0).findings()


@contextmanager
def _threads(resolution: int) -> Iterator[None]:
    """Run the block with as many threads as such a model runs best on."""
    before = torch.get_num_threads()
    torch.set_num_threads(min(before, threads_for(resolution)))
    try:
        yield
    finally:
        torch.set_num_threads(before)


class _Study:
    def __init__(self, generator: Generator, settings: Settings, tick: Callable[[int], object], label: Label) -> None:
        self.generator, self.settings, self.tick, self.label = generator, settings, tick, label
        self.size = generator.config.resolution
        self.z = z_from_seed(settings.seed, generator.config.z_dim)[0]

    def findings(self) -> Findings:
        z, seed, radius, frames = self.z, self.settings.seed, self.settings.radius, self.settings.frames
        (centre,) = self._draw([z])
        near = NeighbourhoodMean()
        for picture in self._draw(perturb_latent(z, radius, seed, i) for i in range(self.settings.num)):
            near.add(picture)
        circle = (latent_circle(z, radius, seed, frame / frames) for frame in range(frames))
        walk, walk_streaks = self._slice(self._draw(circle))
        glide, glide_streaks, shares = None, math.nan, None
        if self.generator.config.movable:
            glide, glide_streaks = self._slice(self._glide())
            shares = self._shares()
        return Findings(
            _enlarged(centre), _enlarged(near.mean), near.kept, walk, walk_streaks, glide, glide_streaks, shares
        )

    def _draw(self, latents: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield pictures [S, S, 3] of latents [z_dim], drawn a batch at a time."""
        latents = iter(latents)
        while zs := list(islice(latents, choose_batch_size(self.size))):
            yield from self._pictures(self.generator.synthesis(self._map(zs)))

    def _map(self, zs: Sequence[np.ndarray]) -> Tensor:
        return map_latents(self.generator, np.stack(zs), [self.label] * len(zs), self.settings.trunc)

    def _pictures(self, images: Tensor) -> np.ndarray:
        self.tick(len(images))
        return np.ascontiguousarray(to_rgb(images).permute(0, 2, 3, 1).float().cpu().numpy())

    def _glide(self) -> Iterator[np.ndarray]:
        """Yield pictures of the centre whose content moves along the segment and back."""
        ws = self._map([self.z])
        weights = self.generator.synthesis.modulate(ws)
        for t in glide_offsets(self.settings.segment, self.settings.frames):
            options = SynthesisOptions(transform=user_matrix(*t, 0).to(ws.device), weights=weights)
            yield from self._pictures(self.generator.synthesis(ws, options))

    def _slice(self, pictures: Iterator[np.ndarray]) -> tuple[np.ndarray, float]:
        """Return the slice as bytes [samples, frames, 3], and the share of it that stays."""
        pixels = segment_length(self.settings.segment) * self.size
        rows = max(FEWEST_ROWS, math.ceil(pixels))
        slice_ = SliceBuffer(self.settings.frames, rows, dtype=float)
        for picture in pictures:
            slice_.append(sample_segment(picture, *self.settings.segment, rows))
        return _bytes(slice_.picture), temporal_persistence(slice_.columns, (rows - 1) / pixels, closed=True)

    def _shares(self) -> tuple[Shares, ...]:
        vector = self.label if isinstance(self.label, tuple) else None
        meter = StickinessMeter(self.generator, self.settings.seed, psi=self.settings.trunc, label=vector)
        while meter.num < self.settings.latents:
            meter.add()
            self.tick(1)
        return meter.estimates


def format_percent(share: float) -> str:
    """Format a share to a tenth of a percent, zero without a sign, an unknown one as a question mark."""
    if not math.isfinite(share):
        return "?"
    return f"{round(100 * share, 1) + 0.0:.1f}".replace("-", "−")


def segment_length(line: Segment) -> float:
    """Return a segment's length in picture widths."""
    return math.hypot(line[2] - line[0], line[3] - line[1])


def glide_offsets(line: Segment, frames: int) -> list[tuple[float, float]]:
    """Return the content's offset (x, y) in each frame: one period of a sine along the segment."""
    x, y = (line[2] - line[0]) / segment_length(line), (line[3] - line[1]) / segment_length(line)
    waves = [AMPLITUDE * math.sin(2 * math.pi * frame / frames) for frame in range(frames)]
    return [(wave * x, wave * y) for wave in waves]


def _enlarged(picture: np.ndarray) -> np.ndarray:
    """Enlarge as the window does: first to bytes, then larger."""
    planes = torch.from_numpy(_bytes(picture).transpose(2, 0, 1).copy()).float()
    large = upscale(planes, upscale_factor(picture.shape[1])).add_(0.5).clamp_(0, 255)
    return large.permute(1, 2, 0).to(torch.uint8).numpy()


def _bytes(values: np.ndarray) -> np.ndarray:
    """Convert values in about [-1, 1] to bytes, as gan.data.image_io does."""
    return np.clip(127.5 * values + 128, 0, 255).astype(np.uint8)
