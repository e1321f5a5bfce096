# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`python tests/bench/bench_latents.py [MODEL ...]`: milliseconds of a picture while something is dragged.

A drag moves the picture alone; a walk goes from seed to seed; a slider of a direction, of a mixture's second seed and
of a blend change the w's as well. Medians over --pictures of each, which take turns, on one thread, by processor time.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from gan.hub.resolve import resolve  # noqa: E402
from viz.core.latent import Blend, Direction, Mixture, Moved, SeedPoint, Step  # noqa: E402
from viz.core.request import PictureRequest  # noqa: E402
from viz.render.renderer import Renderer  # noqa: E402

Change = Callable[[PictureRequest, float], PictureRequest]  # what the request is at a time, in pictures

BASE, OTHER = SeedPoint(3.0), SeedPoint(8.0)
COMPONENT = Direction("pca", index=0)


def _with_latent(make: Callable[[float], SeedPoint | Mixture | Moved | Blend]) -> Change:
    return lambda request, at: replace(request, latent=make(at))


# Name, what it changes, and the most that it may take, times the row above that is named.
GESTURES: tuple[tuple[str, Change, str], ...] = (
    ("drag", lambda request, at: replace(request, tx=0.001 * at), ""),
    ("walk", _with_latent(lambda at: SeedPoint(3.0 + 0.01 * at)), "1.2 drag"),
    ("slider of a direction", _with_latent(lambda at: Moved(BASE, (Step(COMPONENT, 0.01 * at),))), "1.1 walk"),
    ("slider of a mixture", _with_latent(lambda at: Mixture(BASE, SeedPoint(8.0 + 0.01 * at), (0, 1, 2))), "1.1 walk"),
    ("slider of a blend", _with_latent(lambda at: Blend(BASE, OTHER, (0.01 * at) % 1.0)), "1.1 walk"),
)


def measure(model: str, pictures: int) -> list[float]:
    """Return the median milliseconds of a picture during each gesture."""
    renderer, still = Renderer(), PictureRequest(resolve(model), latent=BASE, psi=0.7)
    taken: list[list[float]] = [[] for _ in GESTURES]
    for at in range(pictures + 5):
        for times, (_, change, _) in zip(taken, GESTURES, strict=True):
            request = change(still, float(at + 1))
            began = time.thread_time()
            result = renderer.render(request)
            times.append(1e3 * (time.thread_time() - began))
            if result.error:
                raise SystemExit(result.error)
    return [statistics.median(times[5:]) for times in taken]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", default=["b", "t", "r"], metavar="MODEL", help="letters or files")
    parser.add_argument("--pictures", type=int, default=100, help="of each gesture")
    given = parser.parse_args()
    torch.set_num_threads(1)
    names = [name for name, _, _ in GESTURES]
    print("| model | gesture | ms | / drag | at most |\n|---|---|---|---|---|")
    for model in given.models:
        milliseconds = measure(model, given.pictures)
        for name, found, (_, _, limit) in zip(names, milliseconds, GESTURES, strict=True):
            print(f"| {model} | {name} | {found:.1f} | {found / milliseconds[0]:.2f} | {limit} |")


if __name__ == "__main__":
    main()
