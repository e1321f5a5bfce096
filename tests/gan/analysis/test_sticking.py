# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Texture sticking: slices, neighbourhoods and stickiness of scenes whose answer is known, then of networks."""

import math
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
import torch

from gan.analysis import texture_sticking
from gan.analysis.stickiness import DISTANCES, Shares, StickinessMeter, choose_distances
from gan.analysis.texture_sticking import (
    NeighbourhoodMean,
    SliceBuffer,
    extract_fine_detail,
    latent_circle,
    perturb_latent,
    sample_segment,
    temporal_persistence,
)
from gan.checkpoints.checkpoint import load_generator
from gan.hub.resolve import resolve
from gan.networks.config import ConfigError
from gan.networks.generator import Generator, init_generator
from gan.networks.ladder import rung_config

SIZE, CANVAS = 32, 64


@pytest.fixture(autouse=True)
def one_thread():
    """Networks this small are several times as fast on one, on a busy machine above all."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def small(name: str, size: int = SIZE, **changed) -> Generator:
    return init_generator(
        rung_config(name, size, **{"channel_base": 512, "channel_max": 16, "z_dim": 16, "w_dim": 16, **changed})
    )


ANY = small("T")  # the generator of scenes, which it does not draw


# Scenes: (latent, dx, dy) to a picture [3, 32, 32].


@cache
def noise(seed: int, low: float = 0.0, high: float = 0.5) -> np.ndarray:
    """[3, CANVAS, CANVAS] random values of deviation 1, between two frequencies in cycles a pixel."""
    spectrum = np.fft.fft2(np.random.default_rng(seed).standard_normal((3, CANVAS, CANVAS)))
    f = np.hypot(np.fft.fftfreq(CANVAS), np.fft.fftfreq(CANVAS)[:, None])
    found = np.fft.ifft2(spectrum * ((f >= low) & (f <= high))).real
    return found / found.std()


def at(canvas: np.ndarray, dx: int = 0, dy: int = 0) -> np.ndarray:
    """The middle of a canvas whose content is moved by (dx, dy)."""
    first = (CANVAS - SIZE) // 2
    return canvas[:, first - dy : first - dy + SIZE, first - dx : first - dx + SIZE]


def measured(scene: Callable[[int, int, int], np.ndarray], num: int = 24, distances=(1, 2, 4)) -> tuple[Shares, ...]:
    meter = StickinessMeter(ANY, distances=distances)
    meter._picture = lambda ws, weights, dx, dy: scene(meter.num, dx, dy)
    while meter.num < num:
        meter.add()
    return meter.estimates


def fine_energy(canvas: np.ndarray) -> float:
    """The part of a canvas's energy that lies at 1/8 cycle a pixel or above."""
    f = np.hypot(np.fft.fftfreq(CANVAS), np.fft.fftfreq(CANVAS)[:, None])
    energy = np.abs(np.fft.fft2(canvas)) ** 2
    return float((energy * (f >= 1 / 8)).sum() / canvas.size**2 * 3)


def mixture(fixed: float, moving: float, boiling: float, fixed_band=(0.0, 0.45), moving_band=(0.0, 0.45)):
    """A scene of three textures of these amplitudes; what boils is white. And the shares that it should have."""
    fresh = np.random.default_rng(0)

    def scene(latent: int, dx: int, dy: int) -> np.ndarray:
        picture = fixed * at(noise(2 * latent, *fixed_band)) + moving * at(noise(2 * latent + 1, *moving_band), dx, dy)
        return picture + boiling * fresh.standard_normal(picture.shape)

    parts = ((fixed, noise(0, *fixed_band)), (moving, noise(1, *moving_band)), (boiling, noise(2)))
    energies = np.array([amount**2 * fine_energy(canvas) for amount, canvas in parts])
    return scene, energies / energies.sum()


def shares_of(shares: Shares) -> tuple[float, float, float]:
    return shares.stays, shares.follows, shares.boils


def test_what_follows_does_not_stick_and_what_stays_does():
    for amounts in ((0, 1, 0), (1, 0, 0)):
        for found in measured(mixture(*amounts)[0], num=2):
            assert shares_of(found) == pytest.approx((amounts[0], amounts[1], 0), abs=1e-6)


@pytest.mark.parametrize("amounts", [(0, 0, 1), (1, 1, 0), (2, 1, 0), (1, 3, 0), (2, 2, 1), (1, 1, 3)])
def test_mixtures_come_out_in_shares_of_energy(amounts):
    scene, expected = mixture(*amounts)
    for found in measured(scene):
        assert shares_of(found) == pytest.approx(expected, abs=0.02)
        assert 0.001 < found.stays_error < 0.01 and abs(found.stays - expected[0]) < 4 * found.stays_error
        assert 0 < found.boils_error < 0.02


@pytest.mark.parametrize("bands", [((0.3, 0.5), (0.0, 0.3)), ((0.0, 0.3), (0.3, 0.5)), ((0.0, 0.25), (0.15, 0.5))])
def test_parts_of_different_spectra_are_not_taken_for_each_other(bands):
    scene, expected = mixture(1, 1, 0, *bands)
    for found in measured(scene):
        assert shares_of(found) == pytest.approx(expected, abs=0.025)


def test_one_latent_is_enough_for_a_first_guess():
    scene, expected = mixture(2, 2, 1)
    for found in measured(scene, num=1):
        assert shares_of(found) == pytest.approx(expected, abs=0.06) and math.isnan(found.stays_error)


def shapes(latent: int, dx: int, dy: int) -> np.ndarray:
    """A large disc with a sharp edge and a straight bar: what correlates with itself when it moves a little."""
    y, x = np.mgrid[:SIZE, :SIZE].astype(float)
    disc = 1 / (1 + np.exp(2 * (np.hypot(x - dx - 12, y - dy - 14) - 9 - latent % 3)))
    bar = 1 / (1 + np.exp(-3 * (x - dx - 22)))
    return np.stack([disc, bar, disc + bar])


def test_edges_that_move_along_themselves_do_not_stick():
    """A plain correlation of the two pictures would call it half stuck."""
    for found in measured(shapes, num=3):
        assert shares_of(found) == pytest.approx((0, 1, 0), abs=1e-6)
    first, moved = (
        extract_fine_detail(shapes(0, 0, 0).transpose(1, 2, 0)),
        extract_fine_detail(shapes(0, 0, 1).transpose(1, 2, 0)),
    )
    assert (first * moved).sum() / (first * first).sum() > 0.5


def test_coarse_shapes_that_stay_are_not_stuck_detail():
    def scene(latent: int, dx: int, dy: int) -> np.ndarray:
        y, x = np.mgrid[:SIZE, :SIZE] / SIZE
        return 3 * np.sin(2 * np.pi * (x + 0.3 * y + latent / 7)) + at(noise(latent, 0.15, 0.45), dx, dy)

    for found in measured(scene):
        assert shares_of(found) == pytest.approx((0, 1, 0), abs=0.02)


def test_large_pictures_are_covered_by_several_windows():
    """Half of a picture of 64 pixels sticks, the other half follows."""
    generator = small("T", 64)

    def scene(latent: int, dx: int, dy: int) -> np.ndarray:
        canvas = np.tile(noise(latent, 0.15, 0.45), (1, 2, 2))
        picture = canvas[:, :64, :64].copy()
        picture[:, :, 32:] = canvas[:, 16 - dy : 80 - dy, 48 - dx : 80 - dx]
        return picture

    meter = StickinessMeter(generator, distances=(2, 8))
    meter._picture = lambda ws, weights, dx, dy: scene(meter.num, dx, dy)
    while meter.num < 8:
        meter.add()
    near, far = meter.estimates
    assert shares_of(near) == pytest.approx((0.5, 0.5, 0), abs=0.04)
    # Of the half that follows, what moves in along the middle was not there before.
    assert far.stays == pytest.approx(0.5, abs=0.04) and 0.3 < far.follows < 0.45


# Networks.


def stickiness(generator: Generator, num: int, **options) -> Shares:
    meter = StickinessMeter(generator, **options)
    while meter.num < num:
        meter.add()
    return meter.estimate


@pytest.mark.slow
def test_an_untrained_stylegan2_sticks_and_a_stylegan3_does_not():
    b, t = (stickiness(init_generator(rung_config(name, SIZE, channel_base=1024, channel_max=32)), 8) for name in "BT")
    assert b.stays > 0.5 and abs(t.stays) < 0.01 and t.follows > 0.98, (b, t)
    assert b.stays - 5 * b.stays_error > t.stays + 5 * t.stays_error
    assert (b.distance, b.num) == (1, 8)


@pytest.mark.slow
def test_every_rung_sticks_less_than_the_one_before():
    found = {
        name: stickiness(init_generator(rung_config(name, SIZE, channel_base=1024, channel_max=32)), 12)
        for name in "BCDEFGT"
    }
    levels = {name: shares.stays for name, shares in found.items()}
    assert levels["B"] > levels["C"] > levels["D"] > levels["E"] + 0.1 > levels["F"] + 0.15, levels
    assert levels["F"] < 0.1 and abs(levels["G"]) < 0.05 and abs(levels["T"]) < 0.005, levels


@pytest.mark.slow
def test_the_bundled_models():
    """B draws near two fifths of its fine detail where it was before, T and R none."""
    found = {name: stickiness(load_generator(resolve(name))[0], 8) for name in "btr"}
    assert 0.2 < found["b"].stays < 0.6 and found["b"].stays > 5 * found["b"].stays_error, found
    for name in "tr":
        assert abs(found[name].stays) < 0.002 and found[name].follows == pytest.approx(1, abs=0.002), found


def test_noise_inputs_stick():
    """Rung B's stored noise planes, turned up: they do not move with the content at all."""
    generator = small("B")
    before = stickiness(generator, 3, distances=(4,))
    for name, parameter in generator.synthesis.named_parameters():
        if name.endswith("noise_strength"):
            parameter.fill_(0.5)
    assert stickiness(generator, 3, distances=(4,)).stays > before.stays + 0.2


def test_the_same_seed_measures_the_same_and_one_latent_alone():
    generator = small("B")
    assert stickiness(generator, 2, seed=3) == stickiness(generator, 2, seed=3)
    assert stickiness(generator, 2, seed=3).stays != stickiness(generator, 2, seed=4).stays
    ws = generator.mapping(torch.zeros(1, 16).index_fill(1, torch.tensor([3]), 1.0))
    one, more = (stickiness(generator, num, ws=ws) for num in (1, 6))
    assert one.stays == pytest.approx(more.stays, abs=0.1) and one.stays > 0.3
    flat = stickiness(generator, 2, seed=3, psi=0.0)
    assert flat.stays != stickiness(generator, 2, seed=3).stays, "truncation reaches the mapping"


def test_a_meter_takes_one_picture_a_call_and_draws_it_once(monkeypatch):
    generator = small("B", c_dim=3)
    meter, drawn = StickinessMeter(generator), []
    draw = generator.synthesis.forward
    monkeypatch.setattr(
        generator.synthesis, "forward", lambda ws, options: (drawn.append(options.noise), draw(ws, options))[1]
    )
    completed = [meter.add() for _ in range(2 * meter.pictures_per_latent)]
    assert meter.pictures_per_latent == 13 and drawn == ["const"] * 26
    assert completed == ([False] * 12 + [True]) * 2 and meter.num == 2
    assert [shares.distance for shares in meter.estimates] == [1, 2, 4]


def test_what_has_no_stickiness_says_so():
    with pytest.raises(ConfigError, match="Rung A draws from a learned constant"):
        StickinessMeter(small("A"))
    with pytest.raises(ConfigError, match="32 pixels are moved by 1 to 4 of them"):
        StickinessMeter(small("T"), distances=(1, 5))
    with pytest.raises(ValueError, match="before the first latent"):
        _ = StickinessMeter(small("T")).estimate
    flat = small("T")
    flat.synthesis.get_submodule(flat.layer_names[-1]).weight.zero_()
    flat.synthesis.get_submodule(flat.layer_names[-1]).bias.fill_(0.7)
    with pytest.raises(ConfigError, match="no fine detail"):
        stickiness(flat, 1)
    broken = small("T")
    broken.synthesis.get_submodule(broken.layer_names[3]).weight.fill_(math.nan)
    with pytest.raises(ConfigError, match="not finite numbers"):
        StickinessMeter(broken).add()
    assert choose_distances(16) == (1, 2) and choose_distances(1024) == DISTANCES


# Slices.

FREQUENCY, SPEED = 1 / 6, 0.25  # of a pattern, in cycles a pixel; its motion downwards, in pixels a frame


def pattern(frame: float) -> np.ndarray:
    """[64, 64, 1]: sinusoids along y, moved."""
    y = np.arange(64.0)[:, None, None] - SPEED * frame
    return np.broadcast_to(np.sin(2 * np.pi * FREQUENCY * y), (64, 64, 1))


def moving_slice(frames: int = 192) -> np.ndarray:
    columns = SliceBuffer(frames, 60, 1, float)
    for frame in range(frames):
        columns.append(sample_segment(pattern(frame), 0.5, 0.25, 0.5, 0.75, 60))
    return columns.columns


def test_a_slice_of_a_moving_pattern_is_the_pattern():
    y = np.linspace(0.25, 0.75, 60) * 64 - 0.5
    expected = np.sin(2 * np.pi * FREQUENCY * (y - SPEED * np.arange(192)[:, None]))
    found = moving_slice()
    assert found[:, :, 0] == pytest.approx(expected, abs=0.02)
    spectrum = np.abs(np.fft.rfft2(found[:, :, 0]))
    frame, place = np.unravel_index(spectrum[:, 1:].argmax(), spectrum[:, 1:].shape)
    along = (place + 1) / 60 * 60 / 32  # cycles a pixel, 60 samples on 32 pixels
    assert -((frame + 96) % 192 - 96) / 192 / along == pytest.approx(SPEED, rel=0.1), "the slope of its streaks"


def test_segments_in_any_direction_read_signal_and_border():
    y, x = np.mgrid[:64, :64]
    wave = np.cos(2 * np.pi * (0.1 * x + 0.17 * y))[:, :, None] * [1, 2, 3]
    along = np.linspace(0, 1, 50)
    expected = np.cos(2 * np.pi * (0.1 * (64 * (0.2 + 0.5 * along) - 0.5) + 0.17 * (64 * (0.7 - 0.4 * along) - 0.5)))
    assert sample_segment(wave, 0.2, 0.7, 0.7, 0.3, 50) == pytest.approx(
        expected[:, None] * [1, 2, 3], abs=0.08
    )  # of 3
    centres = sample_segment(wave, 0.5 / 64, 0.5 / 64, 63.5 / 64, 0.5 / 64, 64)
    assert centres == pytest.approx(wave[0], abs=1e-5), "at pixels' centres their values"
    ramp = (np.ones((4, 4, 3)) * np.arange(4)[:, None, None] * 50).astype(np.uint8)
    found = sample_segment(ramp[:, :, :2], 0.5, -1.0, 0.5, 2.0, 7)
    assert found.dtype == np.float32 and found.shape == (7, 2)
    assert found[0] == pytest.approx(0, abs=1e-4) and found[-1] == pytest.approx(150, rel=1e-5)


def test_a_slice_keeps_the_newest_columns_in_one_piece():
    columns = SliceBuffer(5, 4)
    assert len(columns) == 0 and columns.columns.shape == (0, 4, 3) and columns.picture.shape == (4, 0, 3)
    for i in range(13):
        columns.append(np.full((4, 3), 20 * i + 0.6))
        newest = list(range(max(0, i - 4), i + 1))
        assert columns.columns[:, 0, 0].tolist() == [min(20 * k + 1, 255) for k in newest]
        assert np.shares_memory(columns.columns, columns.picture) and columns.picture.base is not None
        assert columns.picture.shape == (4, len(newest), 3)
    assert columns.columns.dtype == np.uint8 and columns.columns.flags.c_contiguous
    columns.clear()
    assert len(columns) == 0


def test_streaks_are_what_stays():
    moving = moving_slice()
    per_pixel = 60 / 32
    assert temporal_persistence(moving, per_pixel, closed=True) == pytest.approx(0, abs=0.01)
    assert temporal_persistence(moving, per_pixel) == pytest.approx(0, abs=0.05)
    fixed = np.broadcast_to(noise(0)[0, :60, 1:2], (192, 60, 1))
    assert temporal_persistence(fixed, 1.0) == pytest.approx(1) and temporal_persistence(
        fixed, 1.0, closed=True
    ) == pytest.approx(1)
    detail = moving / math.sqrt(np.var(moving)), fixed / math.sqrt(np.var(fixed))
    boiling = np.random.default_rng(0).standard_normal(moving.shape)
    assert temporal_persistence(boiling, 1.0) == pytest.approx(0, abs=0.01)
    parts = [np.mean((texture_sticking._high_pass(60, 2.0) @ column) ** 2) for column in (fixed, 2 * boiling)]
    assert temporal_persistence(2 * boiling + fixed, 1.0) == pytest.approx(parts[0] / sum(parts), abs=0.03)
    slow = moving[:96:6]  # an eighth of this slice sees the pattern move by three pixels, half a period
    assert abs(temporal_persistence(slow, per_pixel)) < 0.2
    mixed = np.concatenate([detail[0], detail[1]], axis=1)  # half of the segment moves, half stays
    assert 0.3 < temporal_persistence(mixed, per_pixel) < 0.7
    assert math.isnan(temporal_persistence(moving[:10], per_pixel)) and math.isnan(
        temporal_persistence(np.full((40, 8, 3), 77.7), 1.0)
    )


def test_streaks_leave_out_exactly_the_pairs_that_are_close():
    columns = np.random.default_rng(0).standard_normal((37, 12, 2)).cumsum(axis=0)
    h = np.tensordot(texture_sticking._high_pass(12, 4.0), columns, axes=(1, 1)).transpose(1, 0, 2).reshape(37, -1)
    products, apart = h @ h.T, np.abs(np.arange(37)[:, None] - np.arange(37))
    for closed, lag in ((False, apart), (True, np.minimum(apart, 37 - apart))):
        expected = products[lag >= 5].mean() / np.trace(products) * 37
        assert temporal_persistence(columns, 2.0, closed) == pytest.approx(expected, rel=1e-5)


# Neighbourhoods.


def test_neighbours_are_fair_draws_at_one_angle():
    z = np.random.default_rng(0).standard_normal(4096)
    near = np.stack([perturb_latent(z, 0.5, 1, i) for i in range(50)])
    assert near.std() == pytest.approx(1, abs=0.01)
    cosines = near @ z / np.linalg.norm(near, axis=1) / np.linalg.norm(z)
    assert cosines == pytest.approx(1 / math.sqrt(1.25), abs=0.03)
    circle = np.stack([latent_circle(z, 0.5, 1, i / 8) for i in range(9)])
    assert circle[8] == pytest.approx(circle[0]) and circle[0] == pytest.approx(perturb_latent(z, 0.5, 1, 0))
    assert circle[2] == pytest.approx(perturb_latent(z, 0.5, 1, 1))
    assert np.linalg.norm(circle - z / math.sqrt(1.25), axis=1) == pytest.approx(64 * 0.5 / math.sqrt(1.25), rel=0.05)
    assert np.array_equal(perturb_latent(z, 0.5, 1, 7), near[7]) and not np.array_equal(
        perturb_latent(z, 0.5, 2, 7), near[7]
    )
    assert np.array_equal(perturb_latent(z, 0.0, 1, 7), z)
    assert perturb_latent(z[:10], 0.5, 1, 3) == pytest.approx(near[3][:10]), "another z_dim: the same numbers, fewer"


def test_the_mean_of_equal_pictures_is_the_picture():
    picture = noise(0).transpose(1, 2, 0)
    same, other = NeighbourhoodMean(), NeighbourhoodMean()
    for i in range(20):
        same.add(picture)
        other.add(noise(i).transpose(1, 2, 0))
    assert same.mean == pytest.approx(picture, abs=1e-12) and same.mean.dtype == np.float64
    assert same.kept == pytest.approx(1, abs=1e-5)
    assert other.kept == pytest.approx(0, abs=0.01) and other.mean.std() == pytest.approx(1 / math.sqrt(20), rel=0.1)
    integers = NeighbourhoodMean()
    integers.add(np.full((8, 8, 3), 200, np.uint8))
    integers.add(np.full((8, 8, 3), 100, np.uint8))
    assert integers.mean == pytest.approx(150) and math.isnan(integers.kept)
    with pytest.raises(ValueError, match="before the first picture"):
        _ = NeighbourhoodMean().mean


def test_a_smaller_neighbourhood_keeps_more_detail():
    generator, z = small("B"), np.random.default_rng(0).standard_normal(16)

    def around_z(radius: float) -> NeighbourhoodMean:
        found = NeighbourhoodMean()
        for i in range(12):
            near = torch.from_numpy(perturb_latent(z, radius, 0, i)[None]).float()
            found.add(generator(near)[0].permute(1, 2, 0).numpy())
        return found

    centre = generator(torch.from_numpy(z[None]).float())[0].permute(1, 2, 0).numpy()
    kept = [around_z(radius).kept for radius in (0.0, 0.1, 0.4, 1.0)]
    assert kept[0] == pytest.approx(1, abs=1e-4) and kept[0] > kept[1] > kept[2] > kept[3], kept
    assert around_z(1e-4).mean == pytest.approx(centre, abs=1e-3)
