# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Directions of w that change pictures: principal components, and a closed form from the styles' weights.

Principal components of w are [GANSpace]'s, the eigenvectors of A^T A [SeFa]'s. The unit of a way along a direction is
the standard deviation of w along it, so that one unit is as usual, or unusual, in any direction and model.
"""

import hashlib
from collections.abc import Generator as Steps
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from gan.networks.generator import Generator, map_latents
from gan.networks.labels import Label

SAMPLES = 10_000  # w's whose components are taken
BATCH = 250  # w's that are mapped at a time: some 30 ms on one core
LEAST_SHARE = 1e-9  # of the largest eigenvalue: what is less is rounding


@dataclass(frozen=True, eq=False)
class WStatistics:
    """Mean [w_dim] and covariance [w_dim, w_dim] of a model's w's, float64."""

    mean: np.ndarray
    covariance: np.ndarray


@dataclass(frozen=True, eq=False)
class DirectionSet:
    """Directions of w: `units` are what one standard deviation adds to w's, float32 [n, 1 or num_ws, w_dim].

    `sigmas` [n] are those standard deviations.
    """

    units: np.ndarray
    sigmas: np.ndarray


def fingerprint(generator: Generator, labels: Sequence[Label] = (0,)) -> str:
    """Return a SHA-256 of what a model's directions follow from: the same for one model in files of any format.

    `labels` are those whose w's are taken, as in `measure_w`.
    """
    found = hashlib.sha256(repr(tuple(labels)).encode())
    for name, tensor in generator.state_dict().items():
        if name.startswith("mapping.") or ".affine." in name:
            found.update(f"{name}{list(tensor.shape)}".encode())
            found.update(tensor.detach().float().cpu().contiguous().numpy().tobytes())
    return found.hexdigest()


def measure_w(
    generator: Generator, labels: Sequence[Label] = (0,), count: int = SAMPLES, seed: int = 0
) -> Steps[int, None, WStatistics]:
    """Map `count` random z's of a seed, with the labels in turn, and return the statistics of their w's.

    Yields how many are done after each batch; w's are not truncated.
    """
    z = np.random.RandomState(seed).randn(count, generator.config.z_dim)
    size = generator.config.w_dim
    total, squares = torch.zeros(size, dtype=torch.float64), torch.zeros(size, size, dtype=torch.float64)
    for start in range(0, count, BATCH):
        batch = z[start : start + BATCH]
        chosen = [labels[(start + index) % len(labels)] for index in range(len(batch))]
        with torch.inference_mode():
            w = map_latents(generator, batch, chosen)[:, 0].cpu().double()
            total += w.sum(dim=0)
            squares += w.T @ w
        yield start + len(batch)
    mean = (total / count).numpy()
    return WStatistics(mean, squares.numpy() / count - np.outer(mean, mean))


def finish(steps: Steps[int, None, WStatistics]) -> WStatistics:
    """Run `measure_w` to its end and return what it found."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: WStatistics = end.value
            return found


def find_components(statistics: WStatistics) -> DirectionSet:
    """Return the principal components of w, the one along which it varies most first.

    ValueError, a sentence, where w does not vary.
    """
    vectors = _eigenvectors(statistics.covariance)
    if not len(vectors):
        raise ValueError("This model's w's are all the same, and so have no principal components: choose another kind.")
    return scale_directions(vectors[:, None], statistics)


def factorize_styles(generator: Generator, statistics: WStatistics, first: int, last: int) -> DirectionSet:
    """Return the directions that change the styles of the w's `first` to `last` most: eigenvectors of A^T A.

    A is the matrix of their affine layers, the Fourier input's among them. ValueError, a sentence, where no layer takes
    these w's, or none is changed by them.
    """
    synthesis = generator.synthesis
    taken = zip(synthesis.w_indices, synthesis.plan.layers, strict=True)
    layers = [synthesis.get_submodule(spec.name) for index, spec in taken if first <= index <= last]
    if first == 0 and hasattr(getattr(synthesis, "input", None), "affine"):
        layers.append(synthesis.input)
    if not layers:
        raise ValueError(f"No layer of this model takes the w's {first} to {last}: choose others.")
    product = torch.zeros((generator.config.w_dim,) * 2, dtype=torch.float64)
    for layer in layers:
        matrix = layer.affine.fold()[1].detach().cpu().double()  # type: ignore[operator, union-attr]
        product += matrix @ matrix.T
    vectors = _eigenvectors(product.numpy())
    if not len(vectors):  # such as the Fourier input's before it is trained
        raise ValueError("These w's change nothing in this model: choose others.")
    return scale_directions(vectors[:, None], statistics)


def scale_directions(vectors: np.ndarray, statistics: WStatistics) -> DirectionSet:
    """Return directions [n, 1 or num_ws, w_dim] of any length as a set.

    Where w's move apart, the one that moves most does so by the root mean square of their standard deviations along
    the direction, weighted by the squares of their ways.
    """
    vectors = np.ascontiguousarray(vectors, np.float64)
    lengths = np.linalg.norm(vectors, axis=2)
    products = (torch.from_numpy(vectors) @ torch.from_numpy(statistics.covariance)).numpy()
    variances = (products * vectors).sum(axis=2).clip(min=0.0)
    squares = np.square(lengths).sum(axis=1)
    sigmas = np.sqrt(variances.sum(axis=1) / np.where(squares > 0, squares, 1.0))
    longest = lengths.max(axis=1)
    units = vectors * (sigmas / np.where(longest > 0, longest, 1.0))[:, None, None]
    return DirectionSet(units.astype(np.float32), sigmas)


def _eigenvectors(matrix: np.ndarray) -> np.ndarray:
    """Return a symmetric matrix's unit eigenvectors as rows, of the largest eigenvalue first, without the null space.

    Of both signs that with a positive largest entry is taken: which one a library returns is chance.
    """
    # By torch, as all products here: numpy's have threads of their own, which busy cores make several times slower.
    found = torch.linalg.eigh(torch.from_numpy(matrix))
    values, rows = found.eigenvalues.numpy()[::-1], found.eigenvectors.numpy().T[::-1]
    rows = rows[values > LEAST_SHARE * max(values[0], np.finfo(np.float64).tiny)]
    largest = np.take_along_axis(rows, np.abs(rows).argmax(axis=1)[:, None], axis=1)
    return rows * np.sign(largest)
