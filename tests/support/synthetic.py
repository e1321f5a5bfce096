# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""What the golden images are drawn from: made-up results of the instruments, the same on every machine.

No network is run. Whatever becomes a colour or a byte is made of whole numbers, or of steps far from any border between
two: the last bit of a power or a logarithm, which differs between processors and libraries, then changes none.
"""

import numpy as np

from gan.analysis.bands import Band
from gan.analysis.equivariance import Estimate
from gan.analysis.stickiness import Shares
from gan.data.image_io import tile_images
from gan.networks.config import GeneratorConfig
from gan.networks.ladder import rung_config
from viz.core.latent import seed_point
from viz.core.request import PictureRequest
from viz.core.result import ModelFacts, RenderResult
from viz.instruments.colormap import apply_colormap
from viz.instruments.layers import BINS, LayerView, MapStatistics
from viz.instruments.spectrum import Curve, SpectrumData
from viz.instruments.sticking import Mean, Measured
from viz.reports.spectra_figure import Curve as PlottedCurve
from viz.reports.sticking_study import Findings

ACROSS = 6  # cells in a row of a contact sheet's texture
SAMPLES = 256  # of a spectrum, each way
BARE = Band("picture", None, 3, 64, 64, 30.0, 40.0, 40.0, radial=False, critical=False)  # how a data set falls off


def config(letter: str) -> GeneratorConfig:
    """A network of 64 pixels with few channels."""
    return rung_config(letter, 64, channel_base=1024, channel_max=48)


def facts(letter: str) -> ModelFacts:
    """What a checkpoint of such a network says of itself."""
    network = config(letter)
    return ModelFacts(
        path=f"{letter.lower()}.safetensors",
        layers=network.num_layers,
        parameters=1_000_000,
        bytes=4_000_000,
        learned_transform=network.learned_transform,
        config=network,
        kimg=None,
    )


def waves(width: int, height: int, across: int, down: int, start: int = 0) -> np.ndarray:
    """[height, width] triangular waves of 0 to 255, repeating every 256 / across columns and 256 / down rows.

    Those that are level or upright make small PNGs.
    """
    y, x = np.mgrid[0:height, 0:width]
    return np.minimum(np.abs((x * across + y * down + start) % 256 - 128) * 2, 255)


def pixels(red: np.ndarray, green: np.ndarray, blue: np.ndarray) -> np.ndarray:
    """uint8 [H, W, 4] of whole numbers of 0 to 255."""
    return np.stack([red, green, blue, np.full_like(red, 255)], axis=2).astype(np.uint8)


def picture(coarse: int = 0, fine: int = 0) -> np.ndarray:
    """uint8 [64, 64, 4]: coarse and fine stripes, moved by so many steps: 8 are a row of the coarse, 48 of the fine."""
    slow, fast = waves(64, 64, 0, 8, coarse), waves(64, 64, 0, 48, fine)
    return pixels((3 * slow + fast) // 4, (2 * slow + fast) // 3, (waves(64, 64, 4, 0) + fast) // 2)


def result(letter: str, coarse: int = 0, fine: int = 0, seed: int = 0) -> RenderResult:
    """A picture as the renderer would hand it over, of another request for another seed."""
    request = PictureRequest(f"{letter.lower()}.safetensors", latent=seed_point(seed))
    return RenderResult(request, picture=picture(coarse, fine), facts=facts(letter))


# -- layers ------------------------------------------------------------------------------------------------------------


def numbers(mean: float, deviation: float) -> MapStatistics:
    """Values that occur the more often the nearer they are to the middle, and a few at an end."""
    counts = np.array([(index * (BINS - 1 - index)) ** 2 // 1000 for index in range(BINS)], np.float64)
    counts[-2:] += 200
    return MapStatistics(mean, deviation, 4 * deviation, counts, (mean - 4 * deviation, mean + 4 * deviation))


def layer_sheet(band: Band) -> LayerView:
    """A contact sheet of all of a layer's channels, sorted by a score."""
    count, width = band.channels, 40
    cells = [waves(width, width, *((0, 1 + index) if index % 2 else (1 + index, 0))) for index in range(count)]
    order = np.arange(count)[::-1].copy()
    return LayerView(
        model="",
        shape=(count, band.size, band.size),
        order=order,
        scores=np.arange(count) / count,
        first=0,
        cells=tile_images(np.stack([pixels(cell, cell, cell) for cell in cells]), ACROSS),
        across=ACROSS,
        values=(np.stack(cells)[:, None] / 64 - 2).astype(np.float32),
        channels=(0,),
        every=numbers(0.02, 0.98),
        selected=numbers(-0.41, 0.63),
    )


def layer_colours(band: Band) -> LayerView:
    """Three channels as colours."""
    maps = [waves(band.size, band.size, *way) for way in ((9, 0), (0, 5), (3, 0))]
    return LayerView(
        model="",
        shape=(band.channels, band.size, band.size),
        order=np.arange(band.channels),
        scores=None,
        first=0,
        cells=pixels(*maps),
        across=1,
        values=(np.stack(maps)[None] / 64 - 2).astype(np.float32),
        channels=(0, 1, 2),
        every=numbers(0.02, 0.98),
        selected=numbers(0.11, 0.87),
    )


# -- spectra -----------------------------------------------------------------------------------------------------------


def levels_at(x: np.ndarray, y: np.ndarray, band: Band, slope: float) -> np.ndarray:
    """dB of a spectrum that falls by `slope` towards s/2, and from f_c to f_t by 20 dB more."""
    away = np.sqrt(x * x + y * y) if band.radial else np.maximum(np.abs(x), np.abs(y))
    drop = np.clip((away - band.cutoff) / (band.stopband - band.cutoff), 0, 1)
    return 16 - slope * (away / (band.rate / 2)) - 20 * drop


def look(band: Band, slope: float, pictures: int, ripple: float = 0.0) -> SpectrumData:
    """A spectrum of a layer and its slices at 0, 22.5 and 45 degrees, with a `ripple` in dB, as one picture has it."""
    reach = band.rate / 2
    axis = (np.arange(SAMPLES) - SAMPLES // 2) * (2 * reach / SAMPLES)
    levels = levels_at(axis[None, :], axis[:, None], band, slope).astype(np.float32)
    slices = {}
    for angle, up in ((0.0, 0.0), (22.5, 0.41421356), (45.0, 1.0)):  # its tangent
        along = np.linspace(0, reach, SAMPLES)
        bumps = np.abs(np.arange(SAMPLES) % 32 - 16) / 8 - 1  # from -1 to 1
        slices[angle] = Curve(along * np.sqrt(1 + up * up), levels_at(along, along * up, band, slope) + ripple * bumps)
    return SpectrumData(levels, reach, slices, pictures)


def stepped(levels: np.ndarray) -> np.ndarray:
    """dB in steps of 15, so that a PNG of them is small."""
    return np.asarray(np.floor(levels / 15) * 15 + 7)


def heat(of: SpectrumData, low: float, high: float) -> np.ndarray:
    """A spectrum in colours."""
    return apply_colormap(stepped(of.levels), low, high)


# -- sticking ----------------------------------------------------------------------------------------------------------


def mean(kept: float) -> Mean:
    """The mean of a neighbourhood: its centre, paler."""
    pale = picture() // 2 + 64
    pale[:, :, 3] = 255
    return Mean(pale, 100, kept)


def measured(eq_t: float, stays: float) -> Measured:
    """What the meters found, with an error picture."""
    estimates = (
        Estimate("eq_t", 50, eq_t, 0.34, eq_t - 3.2, 0.3, 0.5),
        Estimate("eq_t_frac", 50, eq_t - 12.25, 0.52, eq_t - 15, 0.5, 0.5),
        Estimate("eq_r", 50, 13.08, 0.21, 9.5, 0.2, 0.5),
    )
    shares = Shares(1, 50, stays, 0.93 - stays, 0.07, 0.012, 0.011, 0.006)
    # Steps of a byte at a gain of 8, from their middles: the least rounding changes none.
    error = (np.stack([waves(64, 64, 5, 0)] * 3, axis=2) + 0.5) / (255 * 8)
    return Measured(estimates, shares, {"eq_t": error.astype(np.float32)}, done=50)


# -- figures -----------------------------------------------------------------------------------------------------------


def plotted(name: str, band: Band | None, slope: float) -> PlottedCurve:
    """An average spectrum as the command spectra hands it over for plotting; band None: of a data set."""
    of = look(band or BARE, slope, 100)
    axis = (np.arange(SAMPLES) - SAMPLES // 2) * (2 * of.reach / SAMPLES)
    slices = tuple((of.slices[angle].frequencies, 10 ** (of.slices[angle].levels / 10)) for angle in (0.0, 45.0))
    power = 10 ** (stepped(of.levels.astype(np.float64)) / 10)
    return PlottedCurve(name, 100, 0.0, 1.0, 2 * round(of.reach), 2 * of.reach, band, axis, power, slices)


def findings(stays: float, movable: bool = True) -> Findings:
    """What the command sticking finds out about a model: pictures, slices of stripes, shares at three distances."""
    centre = np.ascontiguousarray(picture()[:, :, :3].repeat(4, axis=0).repeat(4, axis=1))
    walk = np.stack([waves(120, 192, 0, 5), waves(120, 192, 3, 0), waves(120, 192, 0, 7)], axis=2).astype(np.uint8)
    shares = tuple(
        Shares(distance, 16, stays / distance, 0.9 - stays / distance, 0.1, 0.012, 0.01, 0.004)
        for distance in (1, 2, 4)
    )
    if not movable:
        return Findings(centre, centre // 2 + 64, 0.62, walk, 0.31, None, float("nan"), None)
    return Findings(centre, centre // 2 + 64, stays, walk, 0.31, walk[:, ::-1].copy(), 0.07, shares)
