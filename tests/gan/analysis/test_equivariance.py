# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The equivariance metrics against their definition, and the order of the ladder that they must show."""

import math

import numpy as np
import pytest
import torch

from gan.analysis import image_warp
from gan.analysis.equivariance import EquivarianceMeter, Sample, measure_equivariance
from gan.analysis.metric_names import METRICS
from gan.networks.config import ConfigError
from gan.networks.generator import Generator, init_generator
from gan.networks.input_transform import user_matrix
from gan.networks.ladder import rung_config
from gan.networks.synthesis import SynthesisOptions


def small(name: str, size: int = 32, **changed) -> Generator:
    return init_generator(rung_config(name, size, channel_base=128, channel_max=8, z_dim=8, w_dim=8, **changed))


def definition(generator: Generator, metric: str, num: int, seed: int = 0) -> tuple[float, float]:
    """(dB, dB relative to the variance), written out from appendix E a sample at a time, in float64 sums."""
    size, errors, valid, variances = generator.config.resolution, 0.0, 0.0, []
    for i in range(num):
        sample = Sample.draw(generator.config, seed, i)
        ws = generator.mapping(torch.from_numpy(sample.z)[None].float())
        rest = generator.synthesis(ws)
        tx, ty = sample.offset
        if metric == "eq_r":
            user = user_matrix(0, 0, math.degrees(sample.angle))
            reference, mask = image_warp.fractional_rotation(rest, sample.angle)
            found, inner = image_warp.fractional_pseudo_rotation(
                generator.synthesis(ws, SynthesisOptions(transform=user)), sample.angle
            )
            mask = mask * inner
        elif metric == "eq_t":
            dx, dy = round(tx * size), round(ty * size)
            reference, mask = torch.roll(rest, (dy, dx), (2, 3)), torch.ones(size, size)
            rows, columns = torch.arange(size), torch.arange(size)
            mask[(rows < dy) | (rows >= size + dy)] = 0
            mask[:, (columns < dx) | (columns >= size + dx)] = 0
            found = generator.synthesis(ws, SynthesisOptions(transform=user_matrix(dx / size, dy / size, 0)))
        else:
            reference, mask = image_warp.fractional_translation(rest, tx, ty)
            found = generator.synthesis(ws, SynthesisOptions(transform=user_matrix(tx, ty, 0)))
        errors += float(((found - reference).double().square() * mask).sum())
        valid += float(mask.sum()) * 3
        variances.append(np.mean([np.var(plane) for plane in rest[0].double().numpy()]))
    mse = errors / valid
    return 10 * math.log10(4 / mse), 10 * math.log10(np.mean(variances) / mse)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("name", ["C", "E", "T", "R"])
def test_metrics_are_their_definition(name, metric):
    generator = small(name)
    meter = EquivarianceMeter(generator, [metric], seed=5)
    meter.add(2)
    meter.add(3)
    (estimate,) = meter.estimates
    db, relative = definition(generator, metric, 5, seed=5)
    assert estimate.num == 5
    # Pictures drawn in batches differ from single ones by rounding, which at 80 dB is a part in ten thousand.
    assert estimate.db == pytest.approx(db, abs=0.05)
    assert estimate.relative_db == pytest.approx(relative, abs=0.05)


def test_samples_are_the_same_in_any_batches_and_company():
    generator = small("G")
    alone = list(measure_equivariance(generator, ["eq_t"], num=5, batch=1))
    together = list(measure_equivariance(generator, METRICS, num=5, batch=4))
    assert [found[0].num for found in alone] == [1, 2, 3, 4, 5]
    assert [found[0].num for found in together] == [4, 5]
    assert together[-1][0].db == pytest.approx(alone[-1][0].db, abs=1e-3)
    assert [estimate.metric for estimate in together[-1]] == list(METRICS)
    assert math.isnan(alone[0][0].db_error) and alone[-1][0].db_error > 0
    other = list(measure_equivariance(generator, ["eq_t"], num=5, seed=1))
    assert other[-1][0].db != pytest.approx(alone[-1][0].db, abs=1e-3)


def test_slices_are_the_same_measurement_in_pieces():
    generator = small("E")
    whole, sliced = EquivarianceMeter(generator, seed=2), EquivarianceMeter(generator, seed=2)
    whole.add(3)
    torch.backends.cudnn.allow_tf32 = before = not torch.backends.cudnn.allow_tf32
    slices = sliced.slices(3)
    for _ in range(8):  # rest, EQ-T's pictures, three pairs, EQ-T_frac's pictures, two pairs
        next(slices)
        assert torch.is_grad_enabled() and torch.backends.cudnn.allow_tf32 == before, "who runs between sees no change"
    assert sliced.num == 0 and sliced.last.metric == "eq_t_frac", "nothing is measured before the batch is complete"
    assert len(list(slices)) == 1 + 1 + 3
    torch.backends.cudnn.allow_tf32 = not before
    assert sliced.estimates == whole.estimates and sliced.num == 3
    abandoned = sliced.slices(1)
    next(abandoned)
    abandoned.close()
    assert sliced.estimates == whole.estimates


def test_the_last_pair_shows_the_error():
    generator = small("E")
    meter = EquivarianceMeter(generator, seed=2)
    assert meter.last is None
    meter.add(1)
    assert list(meter.pairs) == list(METRICS) and meter.last is meter.pairs["eq_r"]
    for estimate in meter.estimates:
        metric, reference, found, mask = meter.pairs[estimate.metric]
        assert metric == estimate.metric and reference.shape == found.shape == (1, 3, 32, 32)
        assert set(mask.unique().tolist()) == {0.0, 1.0} and mask.shape == (1, 1, 32, 32)
        mse = ((found - reference).square() * mask).sum() / mask.sum() / 3
        assert 10 * math.log10(4 / float(mse)) == pytest.approx(estimate.db, abs=1e-3)


def test_draws_follow_the_paper():
    config = rung_config("T", 64, c_dim=3)
    samples = [Sample.draw(config, 0, i) for i in range(2000)]
    offsets = np.array([sample.offset for sample in samples])
    angles = np.array([sample.angle for sample in samples])
    assert np.abs(offsets).max() <= 1 / 8 and np.abs(offsets).max() > 0.124
    assert offsets.std() == pytest.approx(0.25 / math.sqrt(12), rel=0.03)
    assert angles.min() < 0.02 and angles.max() > 2 * math.pi - 0.02
    assert {sample.label for sample in samples} == {0, 1, 2}
    assert np.stack([sample.z for sample in samples]).std() == pytest.approx(1, rel=0.01)


def test_standard_errors_are_what_leaving_one_out_gives():
    generator, num = small("T"), 60
    meter = EquivarianceMeter(generator, ["eq_t"])
    rows = []
    for _ in range(num):
        before = meter._sums["eq_t"].copy()
        meter.add(1)
        rows.append(meter._sums["eq_t"] - before)
    rows = np.array(rows)
    levels = []
    for i in range(num):
        error, valid, variance = np.delete(rows, i, axis=0).mean(axis=0)
        levels.append((10 * math.log10(4 * valid / error), 10 * math.log10(variance * valid / error)))
    jackknife = np.sqrt((num - 1) / num * ((levels - np.mean(levels, axis=0)) ** 2).sum(axis=0))
    (estimate,) = meter.estimates
    assert [estimate.db_error, estimate.relative_error] == pytest.approx(list(jackknife), rel=0.15)
    assert estimate.deviation == pytest.approx(math.sqrt(rows[:, 2].mean()))


def test_labels_are_drawn_and_memory_does_not_grow():
    generator = small("H", c_dim=2)
    meter = EquivarianceMeter(generator)
    meter.add(2)
    size = sum(array.nbytes for array in (*meter._sums.values(), *meter._products.values()))
    meter.add(2)
    assert sum(array.nbytes for array in (*meter._sums.values(), *meter._products.values())) == size
    assert all(math.isfinite(estimate.db) for estimate in meter.estimates)


def test_what_cannot_be_measured_says_so():
    with pytest.raises(ConfigError, match="Rung A draws from a learned constant"):
        EquivarianceMeter(small("A"))
    with pytest.raises(ConfigError, match="eq_t, eq_t_frac, eq_r, not fid"):
        EquivarianceMeter(small("T"), ["eq_t", "fid"])
    with pytest.raises(ConfigError, match="not none"):
        EquivarianceMeter(small("T"), [])
    with pytest.raises(ValueError, match="before the first sample"):
        _ = EquivarianceMeter(small("T")).estimates


def test_a_perfect_generator_is_infinitely_good():
    """A picture that is black wherever it is moved has no error at all."""
    generator = small("T")
    generator.synthesis.get_submodule(generator.layer_names[-1]).weight.zero_()
    meter = EquivarianceMeter(generator, ["eq_t"])
    meter.add(2)
    assert meter.estimates[0].db == math.inf


def test_relative_decibels_of_pictures_that_do_not_follow():
    """0 dB is a flat picture of the right mean; another picture is worse, 3 dB where their means are the same."""
    generator = small("T")
    images = torch.randn(2, 3, 32, 32)
    flat = images.mean(dim=(2, 3), keepdim=True).expand_as(images)

    def relative(wrong):
        meter = EquivarianceMeter(generator, ["eq_t"])
        drawn = iter([images, wrong] * 2)
        meter._images = lambda ws, transforms: next(drawn)
        meter.add(2)
        return meter.estimates[0].relative_db

    assert relative(flat) == pytest.approx(0, abs=0.3)
    assert relative(torch.randn(2, 3, 32, 32)) == pytest.approx(-3, abs=0.3)


def test_a_diverged_generator_is_refused():
    generator = small("T")
    generator.synthesis.get_submodule(generator.layer_names[3]).weight.fill_(math.nan)
    with pytest.raises(ConfigError, match="not finite numbers"):
        EquivarianceMeter(generator).add(1)


def test_an_infinitely_good_generator_is_certain():
    generator = small("T")
    generator.synthesis.get_submodule(generator.layer_names[-1]).weight.zero_()
    *_, (estimate,) = measure_equivariance(generator, ["eq_t"], num=1000, batch=8, stop_error=0.1)
    assert (estimate.num, estimate.db) == (24, math.inf)


def test_no_tf32_while_measuring(monkeypatch):
    generator, seen = small("T"), []
    meter = EquivarianceMeter(generator, ["eq_t"])
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    draw = meter._images
    meter._images = lambda *args: (seen.append(torch.backends.cudnn.allow_tf32), draw(*args))[1]
    meter.add(1)
    assert seen == [False, False] and torch.backends.cudnn.allow_tf32


def test_measuring_leaves_the_generator_and_torch_as_they_were():
    generator = small("R")
    state = {name: tensor.clone() for name, tensor in generator.state_dict().items()}
    torch.manual_seed(1)
    before = torch.get_rng_state()
    list(measure_equivariance(generator, num=2))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(tensor, state[name]) for name, tensor in generator.state_dict().items())


@pytest.mark.slow
def test_the_ladder_climbs():
    """Untrained at 64x64, relative to the pictures' variance (docs/ladder.md): D < E < F < G = H < T < R."""
    found = {}
    for name in "DEFGHTR":
        generator = init_generator(rung_config(name, 64, channel_base=1024, channel_max=32))
        *_, estimates = measure_equivariance(generator, ["eq_t", "eq_r"], num=12)
        found[name] = estimates
    levels = {name: estimates[0].relative_db for name, estimates in found.items()}
    assert levels["D"] < levels["E"] < levels["F"] < levels["G"] < levels["T"] < levels["R"], levels
    assert levels["G"] == pytest.approx(levels["H"], abs=0.01)
    assert levels["F"] - levels["E"] > 5 and levels["G"] - levels["F"] > 15 and levels["T"] - levels["G"] > 5
    turned = {name: estimates[1].relative_db for name, estimates in found.items()}
    assert turned["R"] > 40 > 10 > max(value for name, value in turned.items() if name != "R"), turned
