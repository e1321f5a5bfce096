# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Train the bundled models: `python tests/tools/train_models.py b t r a`, or some of them, one after the other.

Each is trained at 32x32, then grown to 64x64 and to 128x128 (docs/transfer.md), on one thread. Stop it whenever you
like: the same command goes on where it stopped. Runs and pictures lie in --outdir; docs/models.md has hours and
figures, and `tests/tools/publish_models.py` makes the files in assets/ of the newest snapshots.
"""

import argparse
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
OUTDIR = ROOT / "training-runs" / "bundled"


class Critters(NamedTuple):
    """A data set: `num` pictures from each seed, drawn one seed after the other, or another set's, made smaller."""

    name: str
    size: int
    num: int = 0
    seeds: tuple[int, ...] = ()
    source: str = ""


class Stage(NamedTuple):
    """A run: its name, options, length, and the stage that it is grown from ("" for none)."""

    name: str  # t-64-a: its first letter is the rung
    data: str
    kimg: float
    options: str
    source: str = ""

    @property
    def rung(self) -> str:
        return self.name[0].upper()


DRAWN = ("--species=fox", "--aligned", "--plush")  # docs/decisions/032-bundled-models.md
SETS = (
    Critters("critters-32", 32, source="critters-128"),
    Critters("critters-64", 64, source="critters-128"),
    Critters("critters-128", 128, 1000, (0, 1, 2, 3)),
)

# Twice the tiny preset's channels, for B with the discriminator of T and R; layers, first cutoff and first stopband
# such that all but the last layers of a size agree with those of the next one. Batches of 4: docs/log.md, 2026-11-30.
# R has the paper's first stopband: with T's smaller one it loses 27 dB of EQ-R (docs/log.md, 2026-12-01).
WIDE = "--cbase=4096 --cmax=64 --d-cbase=1536 --d-cmax=160"
RUNGS = {"b": WIDE, "t": "--capacity=2 --first-stopband=2.8284271247461903", "r": "--capacity=2", "a": ""}
LAYERS = {32: 8, 64: 10, 128: 12}  # of T and R


class Step(NamedTuple):
    """A stage of every rung: its name, the pictures' size, R1's weight, and thousands of pictures of b, t, r and a.

    A, which is there for comparison, ends earlier.
    """

    name: str
    size: int
    gamma: float
    kimg: tuple[int, int, int, int]


STEPS = (
    Step("32", 32, 0.064, (10, 10, 10, 8)),
    Step("64", 64, 0.256, (10, 10, 10, 8)),
    Step("128", 128, 0.5, (12, 12, 12, 8)),
    Step("128-fine", 128, 0.2, (36, 36, 36, 12)),  # shapes first, then fur (docs/log.md, 2026-11-30)
)


def _plan(rung: str) -> Iterator[Stage]:
    source = ""
    for step in STEPS:
        layers = f" --num-layers={LAYERS[step.size]}" if rung in "tr" else ""
        options = f"{RUNGS[rung]}{layers} --batch=4 --mirror=0 --gamma={step.gamma:g}"
        kimg = step.kimg[list(RUNGS).index(rung)]
        yield Stage(f"{rung}-{step.name}", f"critters-{step.size}", kimg, options, source)
        source = f"{rung}-{step.name}"


STAGES = tuple(stage for rung in RUNGS for stage in _plan(rung))


def list_stages(rung: str) -> tuple[Stage, ...]:
    """Return the stages of a rung, in their order."""
    return tuple(stage for stage in STAGES if stage.rung == rung.upper())


def find_run(outdir: Path, stage: Stage) -> Path | None:
    """Return the run folder of a stage, None before it was begun."""
    return max(outdir.glob(f"[0-9]*-{stage.data}-{stage.rung}-*-{stage.name}"), default=None)


def is_done(run: Path, stage: Stage) -> bool:
    """Tell whether a run has seen as many pictures as its stage says."""
    try:
        return bool(json.loads((run / "progress.json").read_text())["images"] >= stage.kimg * 1000)
    except (OSError, ValueError, LookupError, TypeError):
        return False  # it was killed before its first tick


def make_command(outdir: Path, stage: Stage) -> list[str]:
    """Return the words after `train.py` that begin a stage, or go on with it up to its length."""
    length = [f"--kimg={stage.kimg:g}", "--threads=1"]
    run = find_run(outdir, stage)
    if run is not None:
        return [f"--resume={run}", *length]
    words = [f"--cfg={stage.rung}", f"--data={outdir / stage.data}.zip", "--preset=tiny", *stage.options.split()]
    words += ["--snap=4", "--tick=1", f"--desc={stage.name}", f"--outdir={outdir}"]
    if stage.source:
        (source,) = (one for one in STAGES if one.name == stage.source)
        words.append(f"--transfer={find_run(outdir, source)}")
    return words + length


def draw_set(outdir: Path, critters: Critters) -> Iterator[list[str]]:
    """Yield the words after `train.py` that draw what is missing of a set; put its parts together at the end."""
    whole = outdir / f"{critters.name}.zip"
    if whole.exists():
        return
    if critters.source:
        (source,) = (one for one in SETS if one.name == critters.source)
        yield from draw_set(outdir, source)
        yield ["dataset", "convert", str(outdir / f"{source.name}.zip"), f"--out={whole}", f"--size={critters.size}"]
        return
    several = len(critters.seeds) > 1
    parts = [outdir / f"{critters.name}-part{seed}.zip" for seed in critters.seeds] if several else [whole]
    for seed, part in zip(critters.seeds, parts, strict=True):
        if not part.exists():
            options = [f"--num={critters.num}", f"--size={critters.size}", f"--seed={seed}"]
            yield ["dataset", "critters", f"--out={part}", *options, *DRAWN]
    if several:
        _join(parts, whole)


def _join(parts: list[Path], whole: Path) -> None:
    temporary = whole.with_suffix(".tmp")
    with zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as out:
        for number, path in enumerate(parts):
            with zipfile.ZipFile(path) as part:
                for name in part.namelist():
                    if name.endswith(".png"):
                        out.writestr(f"{number}/{os.path.basename(name)}", part.read(name))
    os.replace(temporary, whole)


def train(outdir: Path, rung: str) -> None:
    """Draw what is missing and train what is not trained to its length; raise CalledProcessError."""
    outdir.mkdir(parents=True, exist_ok=True)
    for stage in list_stages(rung):
        run = find_run(outdir, stage)
        if run is not None and is_done(run, stage):
            continue
        (critters,) = (one for one in SETS if one.name == stage.data)
        for words in draw_set(outdir, critters):
            _call(words)
        _call(make_command(outdir, stage))


def _call(words: list[str]) -> None:
    print("train.py", *words, flush=True)
    subprocess.run([sys.executable, str(ROOT / "train.py"), *words], check=True)


def main() -> None:
    """Train the rungs of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__.partition("\n\n")[0], epilog="A stopped training goes on with the same command."
    )
    rungs = sorted({stage.rung.lower() for stage in STAGES})
    parser.add_argument("rungs", nargs="*", choices=rungs, default=["b", "t", "r", "a"], help="which, in this order")
    parser.add_argument("--outdir", type=Path, default=OUTDIR, help="where pictures and runs lie")
    given = parser.parse_args()
    for rung in given.rungs:
        try:
            train(given.outdir.resolve(), rung)
        except subprocess.CalledProcessError as error:
            sys.exit(error.returncode)


if __name__ == "__main__":
    main()
