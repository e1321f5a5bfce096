# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Two-dimensional power spectra of pictures and of layers' maps [P fig. 13], averaged over channels and pictures.

Maps x are whitened by a scalar mean and deviation, multiplied by a separable Kaiser window w and transformed:
P(f) = mean |sum_n w[n] (x[n] - mean) / deviation exp(-2 pi i f n / s)|^2. The window's squares sum to 1, so that white
noise has P = 1, 0 dB, at every frequency and every size of the maps. Frequencies f are in cycles an image width, right
and down, s samples an image width apart; maps with a margin are wider than an image. There is no averaging over
directions, so that aliases, which lie along the axes, can be seen.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gan.analysis.bands import distance_to_square, find_band
from gan.analysis.equivariance import disable_tf32
from gan.data.image_dataset import ImageSource
from gan.networks.config import ConfigError, GeneratorConfig
from gan.networks.generator import Generator, choose_batch_size, map_latents, z_from_seed
from gan.networks.labels import Label

KAISER_BETA = 8.0  # as in the paper
# Padding, if none is given: 4 times, to 256 samples a side at least and 2088, twice a generator's widest map, at most.
MAX_PADDED_SIZE = 2088
MIN_PADDING, MIN_PADDED_SIZE = 4, 256
MAX_SLICE_STEPS = 1024  # if no number is given
# Complex numbers transformed at a time: the size of a core's cache, and 64 MB.
CHUNKS = {"cpu": 2**18, "cuda": 2**23}
MIN_DECIBELS = -100.0
ROUNDING = 2.0**-22  # of float32: a deviation so much smaller than the mean counts as 0


@lru_cache(maxsize=16)
def kaiser_window(size: int, beta: float = KAISER_BETA) -> np.ndarray:
    """Return the Kaiser window [size] of one axis; its squares, and so those of its outer product, sum to 1."""
    w = np.kaiser(size, beta)
    w /= np.sqrt(np.square(w).sum())
    w.setflags(write=False)
    return w


@lru_cache(maxsize=16)
def _transformed_window(size: int, beta: float) -> np.ndarray:
    """Return the window's transform [2 size] on one axis; W, the transform of a constant 1, is its outer product."""
    return np.fft.fft(kaiser_window(size, beta), n=2 * size)


def choose_padding(size: int) -> int:
    """Return the factor that maps are padded by if none is given, at least 1.

    Four, which makes peaks round; more for maps below 64 samples, less for those above 522.
    """
    return max(1, min(max(MIN_PADDING, MIN_PADDED_SIZE // size), MAX_PADDED_SIZE // size))


def power_to_db(power: np.ndarray, floor: float = MIN_DECIBELS) -> np.ndarray:
    """Convert power to decibels, 10 log10 of it, at least `floor`."""
    return 10 * np.log10(np.maximum(power, 10 ** (floor / 10)))


@dataclass(frozen=True, eq=False)
class Spectrum:
    """A mean power spectrum, which can be evaluated at every frequency.

    It holds twice as many frequencies as the maps have samples, from which all others follow exactly: the inverse
    transform is then the windowed maps' mean autocorrelation, with room for every lag.
    """

    half: np.ndarray  # float64 [2 size, size + 1]: unshifted, f_x >= 0; the other half is its mirror image
    rate: float  # s

    @property
    def size(self) -> int:
        """Number of samples of a map's side."""
        return self.half.shape[1] - 1

    @cached_property
    def _lags(self) -> np.ndarray:
        """Autocorrelation [2 size, 2 size]; index -1 is lag -1."""
        return torch.fft.irfft2(torch.from_numpy(self.half), s=self.half.shape[:1] * 2).numpy()

    def frequencies(self, pad: int | None = None) -> np.ndarray:
        """Return the frequencies [M] of both axes of `power`, ascending, 0 at M // 2."""
        count = self.size * (pad or choose_padding(self.size))
        return (np.arange(count) - count // 2) * (self.rate / count)

    def power(self, pad: int | None = None) -> np.ndarray:
        """Compute |FFT|^2 of maps padded with zeros to `pad` times their size: float64 [M, M], M = pad size.

        Rows are f_y, downwards, columns f_x, both as `frequencies` with 0 in the middle. A `pad` of 2 is the cheapest.
        """
        pad = pad or choose_padding(self.size)
        count, half = self.size * pad, self.half
        if pad == 1:
            half = half[::2, ::2]
        elif pad > 2:
            half = self._refined(count)
        columns = half.shape[1]
        full = np.empty((count, count))
        full[:, :columns] = half
        full[:, columns:] = half[-np.arange(count) % count, count - columns : 0 : -1]
        return np.fft.fftshift(full)

    def _refined(self, count: int) -> np.ndarray:
        size, lags = self.size, torch.zeros(count, count, dtype=torch.float64)
        known = torch.from_numpy(self._lags)
        parts = (slice(None, size), slice(1 - size, None))  # from 0 on, and the negative ones; lag `size` is zero
        for rows, columns in product(parts, parts):
            lags[rows, columns] = known[rows, columns]
        return torch.fft.rfft2(lags).real.clamp(min=0).numpy()

    def at(self, x: float | np.ndarray, y: float | np.ndarray) -> np.ndarray:
        """Compute the power at frequencies `x` right and `y` down, numbers or arrays [F], without interpolation."""
        across, along = np.broadcast_arrays(np.atleast_1d(x), np.atleast_1d(y))
        size, lags = self.size, self._lags
        turns = 2 * math.pi / self.rate
        down = np.multiply.outer(along * turns, np.fft.fftfreq(2 * size, 1 / (2 * size)))
        right = np.multiply.outer(across * turns, np.arange(size))
        weights = np.full(size, 2.0)  # lags of the other half are the same
        weights[0] = 1.0
        known = lags[:, :size] * weights
        found = (np.cos(down) @ known * np.cos(right)).sum(axis=1) - (np.sin(down) @ known * np.sin(right)).sum(axis=1)
        return np.maximum(found, 0.0).reshape(np.broadcast_shapes(np.shape(x), np.shape(y)))

    def edge(self, degrees: float) -> float:
        """Return the highest frequency in a direction: s/2 on the axes, sqrt(2) times more on the diagonals."""
        return distance_to_square(self.rate / 2, degrees)

    def slice(self, degrees: float, points: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Compute (frequencies, power), each [points], from the centre to the edge at `degrees` counter-clockwise.

        The power is exact at each point: linear interpolation of a fourfold padded spectrum errs by a tenth of a
        decibel in averages of many pictures, but by up to twenty in the valleys of a single picture's spectrum.
        """
        reach = self.edge(degrees)
        if points is None:  # eight for each frequency that the maps resolve
            points = min(MAX_SLICE_STEPS, math.ceil(8 * self.size * reach / self.rate)) + 1
        frequencies = np.linspace(0, reach, points)
        turn = math.radians(degrees)
        x, y = math.cos(turn), -math.sin(turn)
        if degrees % 45:
            return frequencies, self.at(frequencies * x, frequencies * y)
        return frequencies, self._on_grid(points, round(x * math.sqrt(2)), round(y * math.sqrt(2)))

    def _on_grid(self, points: int, right: int, down: int) -> np.ndarray:
        """Compute the power along an axis or a diagonal, (right, down) of -1, 0, 1, in equal steps to the edge.

        It depends only on the sums of the lags across that direction; at the edge a lag is half a turn.
        """
        lags, count = np.fft.fftshift(self._lags), 2 * self.size
        if right and down:
            lags = lags if right == down else lags[:, ::-1]
            # Rows of twice the width, less one, move each row by one against the row before: columns are diagonals.
            wide = np.pad(lags, ((0, 0), (0, count))).ravel()
            sums = wide[: count * (2 * count - 1)].reshape(count, 2 * count - 1).sum(axis=0)
            zero = count if right == down else count - 1  # where the lag is 0
        else:
            sums, zero = lags.sum(axis=0 if right else 1), self.size
        turn = 2 * max(points - 1, 1)
        folded = np.bincount((np.arange(len(sums)) - zero) % turn, weights=sums, minlength=turn)
        return np.maximum(np.fft.rfft(folded).real[:points], 0.0)


class _Sums(NamedTuple):
    """Sums over the maps, less a pivot; replaced as a whole, so that an interruption leaves them consistent."""

    power: np.ndarray  # float64 [2 size, size + 1]: sum |FFT(w x)|^2
    picture: np.ndarray  # float64 [size, size]: sum x, whose transform says what subtracting a mean changes
    squares: float  # sum x^2
    maps: int
    pictures: int


class SpectrumAverage:
    """A running mean spectrum that can be whitened by any mean and deviation afterwards, exactly.

    The sum of |X - m W|^2 over maps follows from sum |X|^2, the transform of sum x, and the number of maps; the
    deviation needs sum x^2. So memory does not grow with the pictures, and batches change the rounding only.
    """

    def __init__(self, size: int, rate: float, beta: float = KAISER_BETA) -> None:
        """Average maps `size` samples wide at `rate` samples an image width, under a Kaiser window of `beta`."""
        self.size, self.rate, self.beta = size, rate, beta
        # Subtracted first, so that float32 does not lose small powers beside the square of a large mean.
        self._pivot = 0.0
        self._sums = _Sums(np.zeros((2 * size, size + 1)), np.zeros((size, size)), 0.0, 0, 0)

    @property
    def pictures(self) -> int:
        """Number of pictures added."""
        return self._sums.pictures

    @property
    def mean(self) -> float:
        """Mean of all values added, margins included; nan before the first."""
        return self._pivot + self._offset

    @property
    def deviation(self) -> float:
        """Standard deviation of all values added about that mean; nan before the first, 0 below rounding."""
        found = math.sqrt(max(self._per_value(self._sums.squares) - self._offset**2, 0.0))
        return 0.0 if found <= ROUNDING * abs(self.mean) else found

    def _per_value(self, total: float) -> float:
        values = self._sums.maps * self.size**2
        return total / values if values else math.nan

    @property
    def _offset(self) -> float:
        return self._per_value(float(self._sums.picture.sum()))

    @torch.no_grad()
    def add(self, images: Tensor) -> None:
        """Add pictures or maps [N, C, size, size], on any device; ConfigError if they are not finite numbers.

        Float64 is transformed in float64, everything else in float32.
        """
        if images.ndim != 4 or images.shape[2:] != (self.size, self.size):
            raise ValueError(f"These are spectra of [N, C, {self.size}, {self.size}], not of {list(images.shape)}.")
        if not images.shape[0] * images.shape[1]:
            return
        if images.device.type == "mps":
            images = images.cpu()  # sums are float64, which MPS does not have
        dtype = torch.float64 if images.dtype == torch.float64 else torch.float32
        maps = images.flatten(0, 1)
        before = self._sums
        if not before.maps:
            self._pivot = float(maps.mean(dtype=dtype))
        w = torch.tensor(kaiser_window(self.size, self.beta), device=maps.device)
        plane = torch.outer(w, w).to(dtype)
        power = torch.zeros(*before.power.shape, 2, dtype=torch.float64, device=maps.device)
        picture = torch.zeros(self.size, self.size, dtype=torch.float64, device=maps.device)
        squares = torch.zeros((), dtype=torch.float64, device=maps.device)
        chunk = CHUNKS.get(maps.device.type, CHUNKS["cuda"]) // before.power.size
        for some in maps.split(max(1, chunk)):
            x = some.to(dtype) - self._pivot
            squares += x.square().sum()
            picture += x.sum(dim=0)
            found = torch.fft.rfft2(x * plane, s=(2 * self.size, 2 * self.size))
            power += torch.view_as_real(found).square_().sum(dim=0)
        if not math.isfinite(squares):
            raise ConfigError("The values include some that are not finite numbers, so they have no spectrum.")
        self._sums = _Sums(
            before.power + power.sum(dim=2).cpu().numpy(),
            before.picture + picture.cpu().numpy(),
            before.squares + float(squares),
            before.maps + len(maps),
            before.pictures + len(images),
        )

    def spectrum(self, mean: float | None = None, deviation: float | None = None) -> Spectrum:
        """Return the mean over channels and pictures, whitened by `mean` and `deviation` (default: of all values).

        ConfigError before the first picture, and where the deviation is 0.
        """
        if not self._sums.maps:
            raise ConfigError("There is no spectrum before the first picture.")
        offset = self._offset if mean is None else mean - self._pivot
        scale = self.deviation if deviation is None else deviation
        if not scale > 0:
            raise ConfigError("All values are the same: a flat picture has no deviation to whiten by, and no spectrum.")
        power, picture, _, maps, _ = self._sums
        w, axis = kaiser_window(self.size, self.beta), _transformed_window(self.size, self.beta)
        half = axis[: self.size + 1]
        # sum |X - offset W|^2, whose middle term is the transform of all maps' sum.
        total = torch.fft.rfft2(torch.from_numpy(picture * w * w[:, None]), s=power.shape[:1] * 2).numpy()
        cross = (total * half.conj() * axis.conj()[:, None]).real
        flat = np.multiply.outer(np.abs(axis) ** 2, np.abs(half) ** 2)
        whitened = power - 2 * offset * cross + maps * offset**2 * flat
        return Spectrum(np.maximum(whitened, 0.0) / (maps * scale**2), self.rate)


def average_generator(
    generator: Generator,
    num: int,
    *,
    seed: int = 0,
    psi: float = 1.0,
    layer: str | None = None,
    beta: float = KAISER_BETA,
    batch: int | None = None,
    label: Label | None = None,
) -> Iterator[SpectrumAverage]:
    """Average the spectra of the pictures of seeds `seed`, `seed + 1`, ..., and yield the average after every batch.

    Pictures are as the network draws them, neither clamped nor rounded to 8 bits. `layer`: a name or number, for its
    maps instead (bands.find_band; the network runs no further). Without a `label`, a model with labels gets random
    classes, by seed.
    Stopping the iteration stops the computation; the average stays valid.
    """
    config = generator.config
    band = find_band(config, layer)
    batch = batch or choose_batch_size(config.resolution)
    average = SpectrumAverage(band.size, band.rate, beta)
    while average.pictures < num:
        first = seed + average.pictures
        seeds = range(first, first + min(batch, num - average.pictures))
        with torch.no_grad(), disable_tf32():
            z = np.concatenate([z_from_seed(seed, config.z_dim) for seed in seeds])
            ws = map_latents(
                generator, z, [random_label(config, seed) if label is None else label for seed in seeds], psi
            )
            average.add(generator.synthesis(ws) if layer is None else _run_to(generator, ws, band.name))
        yield average


def random_label(config: GeneratorConfig, seed: int) -> int:
    """Return the class of a seed where many pictures are drawn, uniform over the model's classes."""
    return int(np.random.default_rng([seed, 1]).integers(max(config.c_dim, 1)))


def _run_to(generator: Generator, ws: Tensor, layer: str) -> Tensor:
    return next(maps for name, maps in generator.synthesis.steps(ws) if name == layer)


def check_alpha(data: str, data_channels: int, model: str, model_channels: int) -> None:
    """Raise ConfigError if one of a data set and a model has alpha: spectra are means over all channels.

    Grey compares with RGB, since it is RGB of three equal channels.
    """
    if data_channels == 4 != model_channels:
        raise ConfigError(
            f"{data} holds pictures with alpha, and {model} draws none: give data without (`python train.py dataset "
            "convert --channels 3` makes it)."
        )
    if model_channels == 4 != data_channels:
        raise ConfigError(f"{model} draws pictures with alpha, and {data} holds none: give data with alpha.")


def average_images(
    source: ImageSource, num: int, *, seed: int = 0, beta: float = KAISER_BETA, batch: int | None = None
) -> Iterator[SpectrumAverage]:
    """Average the spectra of `num` pictures of a data set, drawn without replacement by `seed`, or of all it has."""
    chosen = np.arange(len(source))
    if num < len(source):
        chosen = np.sort(np.random.default_rng(seed).permutation(len(source))[:num])
    batch = batch or choose_batch_size(source.resolution)
    average = SpectrumAverage(source.resolution, source.resolution, beta)
    for first in range(0, len(chosen), batch):
        pixels = torch.from_numpy(source.batch(chosen[first : first + batch]))
        average.add(pixels.float() / 127.5 - 1)
        yield average
