# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Section "start": the first kernel of a process with nothing kept and with kept cubins; what compiling costs."""

import json
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench import bench_roofline

from .. import program, ran
from ..device import Choice
from ..rows import Row, failed, row, sentence

COLD, WARM = 2000.0, 50.0  # ms
ROUNDS = 3
BARS = {"find and load a kept kernel": 50.0, "compile a kernel": 1500.0, "call of filtered_lrelu, CPU time": 0.05}


def first(choice: Choice, cache: Path) -> dict[str, float]:
    """What gpu.first_kernel prints, with this folder in the place of the user's cache. RuntimeError: one sentence."""
    changed = {"JINC_CPU_KERNELS": "off"} if choice.small else {}  # or the CPU kernels would be compiled
    done = ran(
        program("first_kernel", "--device", str(choice.device)),
        min(choice.left, 90),
        XDG_CACHE_HOME=str(cache),
        **changed,
    )
    if done.returncode:
        raise RuntimeError(sentence((done.stderr.strip() or "It failed.").splitlines()[-1]))
    return json.loads(done.stdout.strip().splitlines()[-1])


def start(choice: Choice) -> Iterator[Row]:
    """Section "start"."""
    rounds = 1 if choice.small or choice.quick else ROUNDS
    try:
        cold, warm = [], []
        for _ in range(rounds):
            with tempfile.TemporaryDirectory() as folder:
                cold.append(first(choice, Path(folder)))
                warm.append(first(choice, Path(folder)))
        for case, found, bar in (("nothing kept", cold, COLD), ("kernels kept", warm, WARM)):
            middle = {name: 1e3 * statistics.median(one[name] for one in found) for name in found[0]}
            rest = f"imports {middle['imports']:.0f} ms, context {middle['context']:.0f} ms before it"
            yield row(
                f"first kernel of a process ready, {case}",
                middle["kernel"],
                against=rest,
                bar=f"<= {bar:g} ms",
                met=None if choice.small else middle["kernel"] <= bar,
            )
            yield row(
                f"the operator's first call after it, {case}",
                middle["operator"],
                against=f"the next {middle['next']:.2g} ms",
                note="Most of it is what torch imports.",
            )
    except Exception as problem:
        yield failed("first kernel of a process", problem)
    if not choice.small:
        for found in bench_roofline.starting(choice.device):
            limit = BARS.get(found["name"])
            yield row(
                found["name"],
                found["ms"],
                bar=f"<= {limit:g} ms" if limit else "",
                met=found["ms"] <= limit if limit else None,
            )
