# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Directions of w against their definitions, in networks whose statistics are known."""

import numpy as np
import pytest
import torch

from gan.analysis.directions import (
    BATCH,
    DirectionSet,
    WStatistics,
    factorize_styles,
    find_components,
    fingerprint,
    finish,
    measure_w,
    scale_directions,
)
from gan.networks.generator import Generator, init_generator
from gan.networks.labels import Label
from gan.networks.ladder import rung_config


def measured(generator: Generator, labels: tuple[Label, ...] = (0,), **options: int) -> WStatistics:
    return finish(measure_w(generator, labels, **options))


def small(rung: str = "T", **changed: int) -> Generator:
    return init_generator(rung_config(rung, 16, channel_base=256, channel_max=16, z_dim=8, w_dim=12, **changed))


def test_statistics_are_those_of_the_mapped_samples() -> None:
    generator = small(c_dim=3)
    with torch.no_grad():
        z = torch.from_numpy(np.random.RandomState(4).randn(600, 8)).float()
        w = generator.mapping(z, torch.eye(3)[torch.arange(600) % 3])[:, 0].double().numpy()
    found = measured(generator, (0, 1, 2), count=600, seed=4)
    assert np.abs(found.mean - w.mean(axis=0)).max() < 1e-6
    assert np.abs(found.covariance - np.cov(w.T, bias=True)).max() < 1e-6
    assert [*measure_w(generator, (0,), count=600)] == [BATCH, 2 * BATCH, 600]


def test_components_are_the_axes_along_which_w_varies_most() -> None:
    axes = np.linalg.qr(np.random.RandomState(0).randn(5, 5))[0]
    spread = np.array([3.0, 2.0, 1.0, 0.5, 0.0])
    found = find_components(WStatistics(np.ones(5), (axes * spread**2) @ axes.T))
    assert len(found.units) == 4, "nothing varies along the last"
    assert np.abs(found.sigmas - spread[:4]).max() < 1e-6
    for unit, axis, sigma in zip(found.units[:, 0], axes.T, spread, strict=False):
        assert np.abs(np.abs(unit @ axis) - sigma).max() < 1e-5 and np.abs(np.linalg.norm(unit) - sigma) < 1e-5
        assert unit[np.abs(unit).argmax()] > 0


def test_the_same_model_has_the_same_components_whatever_was_drawn_before() -> None:
    first = find_components(measured(small(), count=500))
    torch.manual_seed(9)
    np.random.seed(9)
    again = find_components(measured(small(), count=500))
    assert np.array_equal(first.units, again.units)


@pytest.mark.parametrize(
    ("rung", "layers"), [("B", (0, 63)), ("T", (0, 63)), ("T", (2, 5)), ("T", (0, 0)), ("B", (1, 1))]
)
def test_the_closed_form_changes_styles_most(rung: str, layers: tuple[int, int]) -> None:
    generator = small(rung)
    if hasattr(generator.synthesis, "input") and hasattr(generator.synthesis.input, "affine"):
        generator.synthesis.input.affine.weight.data.normal_()  # zero before training
    statistics = WStatistics(np.zeros(12), np.diag(np.arange(1.0, 13.0)))
    found = factorize_styles(generator, statistics, *layers)

    def styles(w: np.ndarray) -> float:
        """The sum of squares of the change of every style that these w's give."""
        total, row = 0.0, torch.from_numpy(w).float()[None]
        for spec, index in zip(generator.synthesis.plan.layers, generator.synthesis.w_indices, strict=True):
            if layers[0] <= index <= layers[1]:
                affine = generator.synthesis.get_submodule(spec.name).affine
                total += float((affine(row) - affine(torch.zeros_like(row))).square().sum())
        if layers[0] == 0 and rung == "T":
            affine = generator.synthesis.input.affine
            total += float((affine(row) - affine(torch.zeros_like(row))).square().sum())
        return total

    units = found.units[:, 0].astype(np.float64)
    directions = units / np.linalg.norm(units, axis=1, keepdims=True)
    changes = [styles(direction) for direction in directions]
    assert changes == sorted(changes, reverse=True)
    rng = np.random.RandomState(1)
    for other in rng.randn(50, 12):
        assert styles(other / np.linalg.norm(other)) <= changes[0] * (1 + 1e-4)
    assert np.allclose(directions @ directions.T, np.eye(len(directions)), atol=1e-4)
    expected = np.sqrt((np.square(directions) * np.arange(1.0, 13.0)).sum(axis=1))
    assert np.allclose(found.sigmas, expected, rtol=1e-4)


def test_layers_that_take_no_w_are_a_sentence() -> None:
    with pytest.raises(ValueError, match="No layer of this model takes the w's 40 to 50: choose others."):
        factorize_styles(small(), WStatistics(np.zeros(12), np.eye(12)), 40, 50)


def test_without_a_direction_there_is_a_sentence() -> None:
    """The input's own affine layer is zero before training, and no model has to have a w that varies."""
    with pytest.raises(ValueError, match="These w's change nothing in this model: choose others."):
        factorize_styles(small("T"), WStatistics(np.zeros(12), np.eye(12)), 0, 0)
    with pytest.raises(ValueError, match="have no principal components: choose another kind."):
        find_components(WStatistics(np.zeros(12), np.zeros((12, 12))))


def test_a_standard_deviation_is_the_unit_whatever_a_directions_length() -> None:
    statistics = WStatistics(np.zeros(3), np.diag([4.0, 9.0, 0.0]))
    vectors = np.array([[[0.1, 0.0, 0.0]], [[0.0, -50.0, 0.0]], [[3.0, 4.0, 0.0]], [[0.0, 0.0, 1.0]]])
    found = scale_directions(vectors, statistics)
    slanted = np.sqrt(0.36 * 4 + 0.64 * 9)
    assert np.allclose(found.sigmas, [2.0, 3.0, slanted, 0.0])
    assert np.allclose(found.units[:, 0], [[2, 0, 0], [0, -3, 0], [0.6 * slanted, 0.8 * slanted, 0], [0, 0, 0]])


def test_directions_of_layers_have_one_unit_for_all() -> None:
    statistics = WStatistics(np.zeros(2), np.diag([4.0, 9.0]))

    def unit(rows: list[list[float]]) -> DirectionSet:
        return scale_directions(np.array([rows]), statistics)

    assert np.allclose(unit([[5, 0], [5, 0], [5, 0]]).units[0], [[2, 0]] * 3), "as the same w for all"
    assert np.allclose(unit([[0, 0], [0, 7], [0, 0]]).units[0], [[0, 0], [0, 3], [0, 0]]), "one layer alone"
    assert np.allclose(unit([[1, 0], [-1, 0]]).units[0], [[2, 0], [-2, 0]]), "opposite ways do not cancel"


def test_a_fingerprint_is_of_the_numbers_that_directions_follow_from() -> None:
    generator = small()
    first = fingerprint(generator)
    assert first == fingerprint(small()) and len(first) == 64
    assert first != fingerprint(generator, (0, 1))
    generator.synthesis.get_submodule(generator.layer_names[1]).weight.data += 1  # type: ignore[operator, union-attr]
    assert first == fingerprint(generator), "no convolution"
    generator.mapping.fc0.bias.data += 1  # type: ignore[operator, union-attr]
    assert first != fingerprint(generator)
