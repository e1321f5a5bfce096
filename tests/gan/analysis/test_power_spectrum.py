# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Power spectra against what is known of them: waves, noise, Parseval, analytic transforms, direct computation."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gan.analysis.bands import find_band, list_bands
from gan.analysis.power_spectrum import (
    CHUNKS,
    KAISER_BETA,
    MAX_PADDED_SIZE,
    Spectrum,
    SpectrumAverage,
    average_generator,
    average_images,
    choose_padding,
    kaiser_window,
    power_to_db,
    random_label,
)
from gan.data.image_dataset import open_images
from gan.networks.config import ConfigError, GeneratorConfig
from gan.networks.generator import Generator, init_generator, z_from_seed
from gan.networks.ladder import RUNGS, rung_config
from gan.networks.layer_plan import compute_schedule, plan

SMALL = {"z_dim": 8, "w_dim": 8, "channel_base": 64, "channel_max": 4}


def spectrum_of(maps: np.ndarray, rate: float, beta: float = KAISER_BETA, mean: float = 0.0, deviation: float = 1.0):
    """Of maps [C, H, W], not whitened unless asked for, in float64."""
    average = SpectrumAverage(maps.shape[-1], rate, beta)
    average.add(torch.from_numpy(np.asarray(maps, np.float64))[None])
    return average.spectrum(mean, deviation)


def direct(maps: np.ndarray, pad: int, beta: float, mean: float, deviation: float) -> np.ndarray:
    """The definition, by numpy's transform: mean over all but the last two axes, 0 in the middle."""
    size = maps.shape[-1]
    w = np.kaiser(size, beta)
    plane = np.outer(w, w) / np.square(w).sum()
    transformed = np.fft.fft2((maps - mean) / deviation * plane, s=(size * pad, size * pad))
    power = np.square(np.abs(transformed)).reshape(-1, size * pad, size * pad).mean(axis=0)
    return np.fft.fftshift(power)


def grid(size: int, rate: float) -> tuple[np.ndarray, np.ndarray]:
    """Positions of samples in image widths, 0 in the middle: (right [1, size], down [size, 1])."""
    x = (np.arange(size) + 0.5 - size / 2) / rate
    return x[None, :], x[:, None]


@pytest.mark.parametrize(("size", "rate", "pad"), [(64, 64, 1), (52, 32, 2), (52, 32, 4), (33, 33, 3)])
@pytest.mark.parametrize(("right", "down"), [(6.0, 0.0), (0.0, 9.5), (5.3, 7.7), (8.2, -4.9), (-3.0, 11.0)])
def test_a_wave_peaks_at_its_frequency(size: int, rate: float, pad: int, right: float, down: float) -> None:
    x, y = grid(size, rate)
    found = spectrum_of(3.0 * np.cos(2 * math.pi * (right * x + down * y) + 0.4)[None], rate)
    power, frequencies = found.power(pad), found.frequencies(pad)
    assert power.shape == (size * pad, size * pad) and frequencies[size * pad // 2] == 0
    row, column = np.unravel_index(power.argmax(), power.shape)
    peak = np.array([frequencies[column], frequencies[row]])
    peak *= np.sign(peak @ [right, down])  # a wave is the same as its mirror image
    assert np.abs(peak - [right, down]).max() <= rate / (size * pad) / 2 + 1e-9
    # Half the amplitude at either frequency, times the window's sum on both axes; the other one's lobe is far away.
    assert found.at(right, down) == pytest.approx((3.0 / 2) ** 2 * kaiser_window(size).sum() ** 4, rel=1e-3)
    assert found.at(-right, -down) == pytest.approx(float(found.at(right, down)))
    assert found.at(right, -down - 1.0) < found.at(right, down) / 2


def test_a_slice_peaks_where_it_crosses_a_wave() -> None:
    x, y = grid(48, 32)
    for degrees in (0, 30, 45, 90, 135, 210, -60):
        right, down = 9 * math.cos(math.radians(degrees)), -9 * math.sin(math.radians(degrees))
        found = spectrum_of(np.cos(2 * math.pi * (right * x + down * y))[None], 32)
        frequencies, power = found.slice(degrees)
        assert frequencies[power.argmax()] == pytest.approx(9, abs=0.1)
        assert power.max() == pytest.approx(0.25 * kaiser_window(48).sum() ** 4, rel=1e-2)


@pytest.mark.parametrize(("size", "beta"), [(32, 8.0), (52, 8.0), (33, 4.0)])
def test_white_noise_is_flat_at_0_db(size: int, beta: float) -> None:
    average = SpectrumAverage(size, 32, beta)
    for _ in range(10):
        average.add(torch.randn(50, 3, size, size) * 0.3 - 2.0)
    assert average.mean == pytest.approx(-2, abs=0.01) and average.deviation == pytest.approx(0.3, abs=0.001)
    power = average.spectrum().power(2)
    assert np.abs(power_to_db(power)).max() < 1.0
    assert abs(power_to_db(power.mean())) < 0.02


@pytest.mark.parametrize("size", [16, 37])
@pytest.mark.parametrize("pad", [1, 2, 4, 5])
def test_parseval(size: int, pad: int) -> None:
    maps = np.random.randn(3, size, size) + 1
    w = kaiser_window(size, 6.0)
    windowed = np.square(maps * np.outer(w, w)).sum(axis=(1, 2)).mean()
    assert spectrum_of(maps, size, 6.0).power(pad).sum() / (size * pad) ** 2 == pytest.approx(windowed, rel=1e-12)
    assert np.square(np.outer(w, w)).sum() == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize(("size", "rate"), [(24, 16), (25, 25)])
@pytest.mark.parametrize("pad", [1, 2, 3, 4, 8])
def test_power_is_that_of_padded_maps(size: int, rate: int, pad: int) -> None:
    """Though the maps are transformed once, padded to twice their size."""
    maps = np.random.randn(5, size, size)
    found = spectrum_of(maps, rate)
    np.testing.assert_allclose(found.power(pad), direct(maps, pad, KAISER_BETA, 0, 1), rtol=1e-9, atol=1e-11)
    frequencies = found.frequencies(pad)
    np.testing.assert_allclose(frequencies, np.fft.fftshift(np.fft.fftfreq(size * pad, 1 / rate)), atol=1e-12)
    assert frequencies[1] - frequencies[0] == pytest.approx(rate / (size * pad))


def test_padding_unasked() -> None:
    chosen = {size: choose_padding(size) for size in (16, 36, 128, 276, 512, 532, 1024, 1044, 3000)}
    assert chosen == {16: 16, 36: 7, 128: 4, 276: 4, 512: 4, 532: 3, 1024: 2, 1044: 2, 3000: 1}
    assert all(size * pad <= MAX_PADDED_SIZE for size, pad in chosen.items() if pad > 1)
    assert spectrum_of(np.random.randn(1, 16, 16), 16).power().shape == (256, 256)


@pytest.mark.parametrize(("dtype", "precision"), [(torch.float64, 1e-11), (torch.float32, 2e-5)])
@pytest.mark.parametrize(("mean", "deviation"), [(None, None), (0.3, 1.7), (-4.0, None), (None, 0.1)])
def test_whitening_is_exact_whenever_it_is_done(dtype: torch.dtype, precision: float, mean, deviation) -> None:
    maps = torch.randn(6, 3, 20, 20, dtype=torch.float64) * 0.5 + torch.linspace(0, 1, 20) + 7.0
    maps = maps.to(dtype)
    average = SpectrumAverage(20, 20)
    for some in maps.split(4):
        average.add(some)
    values = maps.double().numpy()
    assert average.mean == pytest.approx(values.mean(), rel=1e-6)
    assert average.deviation == pytest.approx(values.std(), rel=1e-6)
    given = values.mean() if mean is None else mean, values.std() if deviation is None else deviation
    expected = direct(values, 2, KAISER_BETA, *given)
    found = average.spectrum(mean, deviation).power(2)
    np.testing.assert_allclose(found, expected, rtol=precision, atol=precision * expected.mean())


def test_small_powers_beside_a_large_mean_survive_single_precision() -> None:
    """A pattern a ten-thousandth as high as the mean that it sits on, 80 dB below it."""
    x, y = grid(64, 64)
    pattern = 1e-4 * np.cos(2 * math.pi * 20 * x) + 0 * y
    average = SpectrumAverage(64, 64)
    average.add(torch.from_numpy(1.0 + pattern).float()[None, None])
    found = average.spectrum(deviation=1e-4)
    assert float(found.at(20, 0)) == pytest.approx(0.25 * kaiser_window(64).sum() ** 4, rel=1e-2)
    assert power_to_db(found.power(1))[32, 32] < -40, "the mean is gone, to some rounding"


def elliptic_blob(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Windowed, a tilted elliptic Gaussian: (the maps, its covariance in samples squared, right and down)."""
    turn = math.radians(25)
    axes = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    covariance = axes @ np.diag([2.6**2, 1.3**2]) @ axes.T
    x, y = grid(size, 1.0)
    points = np.stack(np.broadcast_arrays(x, y), axis=-1)
    blob = np.exp(-0.5 * np.einsum("yxi,ij,yxj->yx", points, np.linalg.inv(covariance), points))
    w = kaiser_window(size)
    return (blob / np.outer(w, w))[None], covariance


@pytest.mark.parametrize("degrees", [0, 30, 45, 90, 120, 135, 180, -45, 17.5])
@pytest.mark.parametrize("size", [40, 41])
def test_slices_of_a_spectrum_known_by_formula(degrees: float, size: int) -> None:
    maps, covariance = elliptic_blob(size)
    rate = 20.0
    found = spectrum_of(maps, rate)
    frequencies, power = found.slice(degrees)
    stretch = 1 / max(abs(math.cos(math.radians(degrees))), abs(math.sin(math.radians(degrees))))
    assert frequencies[0] == 0 and frequencies[-1] == pytest.approx(rate / 2 * stretch)
    along = np.array([math.cos(math.radians(degrees)), -math.sin(math.radians(degrees))]) / rate
    variance = along @ covariance @ along
    expected = 4 * math.pi**2 * np.linalg.det(covariance) * np.exp(-4 * math.pi**2 * frequencies**2 * variance)
    # The samples' own aliases are some 55 dB below the peak where the ellipse is narrowest.
    np.testing.assert_allclose(power, expected, rtol=1e-6, atol=3e-6 * expected.max())


@pytest.mark.parametrize("size", [12, 13])
def test_slices_probes_and_power_agree(size: int) -> None:
    found = spectrum_of(np.random.randn(2, size, size), 8.0)
    pad = 6
    power, frequencies = found.power(pad), found.frequencies(pad)
    middle = size * pad // 2
    for row, column in ((middle, middle), (3, 50), (70, 0), (10, 11)):
        assert float(found.at(frequencies[column], frequencies[row])) == pytest.approx(power[row, column], rel=1e-9)
    np.testing.assert_allclose(found.at(frequencies, frequencies[7]), power[7], rtol=1e-9, atol=1e-12)
    for degrees in range(-180, 361, 45):
        for points in (1, 5, 9, 64, 301):  # fewer than the lags that there are, and more
            at, sliced = found.slice(degrees, points)
            turn = math.radians(degrees)
            assert len(at) == points
            expected = found.at(at * math.cos(turn), -at * math.sin(turn))
            np.testing.assert_allclose(sliced, expected, rtol=1e-9, atol=1e-12)
    assert np.ndim(found.at(1.0, 2.0)) == 0 and found.at(np.zeros(3), 1.0).shape == (3,)


def test_steps_of_a_slice_follow_the_maps() -> None:
    assert len(spectrum_of(np.random.randn(1, 36, 36), 16).slice(0)[0]) == 4 * 36 + 1
    assert len(spectrum_of(np.random.randn(1, 36, 36), 16).slice(45)[0]) == math.ceil(4 * 36 * math.sqrt(2)) + 1
    large = Spectrum(np.ones((800, 401)), 400.0)
    frequencies, power = large.slice(0)
    assert len(frequencies) == 1025 and np.allclose(power, 1)


@pytest.mark.parametrize(("dtype", "precision"), [(torch.float64, 1e-11), (torch.float32, 1e-5)])
def test_an_average_depends_on_no_batches(dtype: torch.dtype, precision: float) -> None:
    maps = torch.randn(12, 7, 18, 18, dtype=dtype) * torch.linspace(0.1, 2, 7)[:, None, None] + 3
    found = []
    for split in ([12], [1] * 12, [5, 0, 7]):
        average = SpectrumAverage(18, 16)
        for some in maps.split(split):
            average.add(some)
        assert average.pictures == 12
        found.append((average.mean, average.deviation, average.spectrum().power()))
    for mean, deviation, power in found[1:]:
        assert mean == pytest.approx(found[0][0], rel=precision)
        assert deviation == pytest.approx(found[0][1], rel=precision)
        np.testing.assert_allclose(power, found[0][2], rtol=precision * 30, atol=precision * power.mean())


def test_channels_are_averaged_and_layouts_do_not_matter() -> None:
    maps = torch.randn(2, 300, 10, 10)  # more than one chunk would be for larger maps
    parts = [SpectrumAverage(10, 10), SpectrumAverage(10, 10)]
    parts[0].add(maps)
    parts[1].add(maps.contiguous(memory_format=torch.channels_last))
    first, second = (part.spectrum(0.0, 1.0).power(1) for part in parts)
    np.testing.assert_allclose(first, second, rtol=1e-4)
    np.testing.assert_allclose(first, direct(maps.double().numpy(), 1, KAISER_BETA, 0, 1), rtol=1e-4)


def test_chunks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    maps = torch.randn(3, 5, 16, 16)
    found = []
    for size in (1, 2**11, 2**18):
        monkeypatch.setitem(CHUNKS, "cpu", size)
        average = SpectrumAverage(16, 16)
        average.add(maps)
        found.append(average.spectrum().power(2))
    np.testing.assert_allclose(found[0], found[2], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found[1], found[2], rtol=1e-4, atol=1e-5)


def test_what_has_no_spectrum_is_said() -> None:
    average = SpectrumAverage(8, 8)
    with pytest.raises(ConfigError, match="before the first picture"):
        average.spectrum()
    assert math.isnan(average.mean) and math.isnan(average.deviation)
    with pytest.raises(ValueError, match=r"\[N, C, 8, 8\], not of \[1, 1, 8, 9\]"):
        average.add(torch.zeros(1, 1, 8, 9))
    average.add(torch.full((2, 1, 8, 8), 0.7))
    with pytest.raises(ConfigError, match="All values are the same"):
        average.spectrum()
    before = average.spectrum(0.0, 1.0).power(1)
    for bad in (math.nan, math.inf):
        with pytest.raises(ConfigError, match="not finite numbers"):
            average.add(torch.full((1, 1, 8, 8), bad))
    assert average.pictures == 2 and np.array_equal(average.spectrum(0.0, 1.0).power(1), before)


@pytest.mark.parametrize("value", [0.1, -1.0, 0.7, 1e-9, 123.456])
def test_flat_pictures_have_no_deviation_but_rounding(value: float) -> None:
    average = SpectrumAverage(31, 31)
    for _ in range(3):
        average.add(torch.full((5, 3, 31, 31), value))
    assert average.mean == pytest.approx(value, rel=1e-6) and average.deviation == 0
    with pytest.raises(ConfigError, match="All values are the same"):
        average.spectrum()


def test_an_interruption_leaves_the_average_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    average = SpectrumAverage(8, 8)
    average.add(torch.randn(3, 1, 8, 8))
    before = average.mean, average.deviation, average.spectrum().power(1)
    rfft2, calls = torch.fft.rfft2, []

    def interrupted(*args, **kwargs):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return rfft2(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setitem(CHUNKS, "cpu", 1)
        patch.setattr(torch.fft, "rfft2", interrupted)
        with pytest.raises(KeyboardInterrupt):
            average.add(torch.randn(3, 1, 8, 8) + 5)
    assert average.pictures == 3 and (average.mean, average.deviation) == before[:2]
    assert np.array_equal(average.spectrum().power(1), before[2])


def test_decibels_have_a_floor() -> None:
    assert power_to_db(np.array([1.0, 0.01, 0.0])).tolist() == [0.0, -20.0, -100.0]
    assert power_to_db(np.array([0.0]), floor=-40).tolist() == [-40.0]


# ---- of networks and sets of pictures


def tiny(name: str, **changed: object) -> Generator:
    return init_generator(rung_config(name, 16, **{**SMALL, **changed}))


@pytest.mark.parametrize(("name", "psi"), [("T", 1.0), ("A", 0.5)])
def test_pictures_of_a_generator_are_those_of_its_seeds(name: str, psi: float) -> None:
    generator = tiny(name)
    z = torch.from_numpy(np.concatenate([z_from_seed(seed, 8) for seed in range(7, 12)])).float()
    expected = SpectrumAverage(16, 16)
    with torch.no_grad():
        expected.add(generator(z, psi=psi))
    counts = []
    for average in average_generator(generator, 5, seed=7, psi=psi, batch=2):
        counts.append(average.pictures)
    assert counts == [2, 4, 5]
    np.testing.assert_allclose(average.spectrum().power(), expected.spectrum().power(), rtol=1e-3, atol=1e-5)
    other = list(average_generator(generator, 5, seed=8, psi=psi))[-1]
    assert not np.allclose(other.spectrum().power(), expected.spectrum().power(), rtol=1e-2)


@pytest.mark.parametrize(
    ("name", "layer"), [("T", "input"), ("T", "L3_36_4"), ("T", "3"), ("B", "b8.conv1"), ("A", "0")]
)
def test_a_layers_maps_have_a_spectrum_at_its_own_rate(name: str, layer: str) -> None:
    generator = tiny(name)
    band = find_band(generator.config, layer)
    *_, average = average_generator(generator, 3, layer=layer)
    ws = generator.mapping(torch.from_numpy(np.concatenate([z_from_seed(i, 8) for i in range(3)])).float())
    reached = []
    expected = SpectrumAverage(band.size, band.rate)
    with torch.no_grad():
        for step, maps in generator.synthesis.steps(ws):
            reached.append(step)
            if step == band.name:
                expected.add(maps)
                break
    assert reached[-1] == band.name and maps.shape[1:] == (band.channels, band.size, band.size)
    found = average.spectrum()
    assert found.rate == band.rate and found.size == band.size
    np.testing.assert_allclose(found.power(), expected.spectrum().power(), rtol=1e-3, atol=1e-5)


def test_layers_after_the_one_asked_for_are_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = tiny("T")
    later = generator.synthesis.get_submodule(generator.layer_names[6])
    monkeypatch.setattr(later, "forward", None)
    assert next(average_generator(generator, 1, layer=generator.layer_names[5])).pictures == 1
    with pytest.raises(TypeError):
        next(average_generator(generator, 1, layer=generator.layer_names[6]))
    with pytest.raises(ConfigError, match="no layer 'L99' here: choose one of input, L0_36_4, .* number, 0 to 14"):
        next(average_generator(generator, 1, layer="L99"))


def test_labels_are_drawn_by_seed_and_uniformly() -> None:
    config = rung_config("T", 16, c_dim=4, **SMALL)
    labels = [random_label(config, seed) for seed in range(4000)]
    assert labels == [random_label(config, seed) for seed in range(4000)]
    assert np.abs(np.bincount(labels, minlength=4) / 1000 - 1).max() < 0.12
    generator = init_generator(config)
    once, twice = ([*average_generator(generator, 6, batch=batch)][-1] for batch in (6, 1))
    np.testing.assert_allclose(once.spectrum().power(), twice.spectrum().power(), rtol=1e-3, atol=1e-5)
    c = torch.nn.functional.one_hot(torch.tensor(labels[:6]), 4).float()
    z = torch.from_numpy(np.concatenate([z_from_seed(i, 8) for i in range(6)])).float()
    with torch.no_grad():
        assert once.mean == pytest.approx(float(generator(z, c).mean()), rel=1e-4)


def test_a_set_of_pictures(tmp_path: Path) -> None:
    pixels = np.random.randint(0, 256, (9, 16, 16, 3), np.uint8)
    for i, picture in enumerate(pixels):
        Image.fromarray(picture).save(tmp_path / f"{i}.png")
    source = open_images(tmp_path)
    *_, every = average_images(source, 100, batch=4)
    values = pixels.transpose(0, 3, 1, 2) / 127.5 - 1
    assert every.pictures == 9 and every.mean == pytest.approx(values.mean(), abs=1e-6)
    expected = direct(values, 1, KAISER_BETA, values.mean(), values.std())
    np.testing.assert_allclose(every.spectrum().power(1), expected, rtol=1e-4, atol=1e-5)
    means = {seed: [*average_images(source, 3, seed=seed)][-1].mean for seed in (0, 0, 1, 2)}
    some = [*average_images(source, 3, seed=0, batch=1)][-1]
    assert some.pictures == 3 and some.mean == pytest.approx(means[0], abs=1e-6) and len(set(means.values())) == 3


# ---- bands


@pytest.mark.parametrize("name", [letter for letter, _ in RUNGS])
@pytest.mark.parametrize("resolution", [16, 256])
def test_bands_are_the_plans(name: str, resolution: int) -> None:
    config = rung_config(name, resolution)
    found = [band for band in list_bands(config) if band.name != "input"]
    specs = plan(config).layers
    assert [band.name for band in found] == [spec.name for spec in specs]
    for band, spec in zip(found, specs, strict=True):
        assert (band.rate, band.size, band.channels) == (spec.out_rate, spec.out_size, spec.out_channels)
        assert band.cutoff == spec.out_cutoff and band.edge == spec.out_cutoff + spec.out_half_width
        assert band.radial == (name == "R" and not spec.is_critical) and band.critical == spec.is_critical
        if config.architecture == "layers":
            assert band.stopband == compute_schedule(config)[1][spec.index]
            assert find_band(config, str(spec.index)) == find_band(config, spec.name) == band
    assert find_band(config).cutoff == resolution / 2 == find_band(config).nyquist
    assert ("input" in [band.name for band in list_bands(config)]) == (name != "A")


def test_bands_meet_directions_on_circles_or_squares() -> None:
    config = rung_config("R", 64)
    circle, square = find_band(config, "5"), find_band(config)
    assert circle.radial and not square.radial
    assert circle.along(3.0, 0) == circle.along(3.0, 45) == circle.along(3.0, 200) == 3
    assert square.along(3.0, 0) == square.along(3.0, 90) == pytest.approx(3)
    assert square.along(3.0, 45) == square.along(3.0, -135) == pytest.approx(3 * math.sqrt(2))
    assert square.along(3.0, 30) == pytest.approx(3 / math.cos(math.radians(30)))
    disc = find_band(config, "input")
    assert disc.radial and disc.cutoff == 2 and disc.stopband == disc.nyquist == 8
    assert isinstance(config, GeneratorConfig) and find_band(rung_config("G", 64), "input").critical
