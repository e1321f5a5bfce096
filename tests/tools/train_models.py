# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Train the bundled models: `python tests/tools/train_models.py b t r a`, or some of them, one after the other.

Each is trained at 64x64 and then grown to 128x128 (docs/transfer.md), on one thread. Stop it whenever you like: the
same command goes on where it stopped. Runs and pictures lie in --outdir; docs/models.md has hours and figures, and
`tests/tools/publish_models.py` makes the files in assets/ of the newest snapshots.
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
    """A data set: `num` pictures from each seed, drawn one seed after the other, so that no more than one is lost."""

    name: str
    size: int
    num: int
    seeds: tuple[int, ...]


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


SETS = (Critters("critters-64", 64, 16000, (0,)), Critters("critters-128", 128, 2000, (0, 1, 2, 3, 4)))

# Twice the tiny preset's channels; layers, first cutoff and first stopband such that all but the last of the 64x64
# model's layers agree with the 128x128 one's. Batches of 4: docs/log.md, 2026-11-30.
ALIAS_FREE = "--capacity=2 --first-stopband=2.8284271247461903"
WIDE = "--cbase=4096 --cmax=64 --d-cbase=1536 --d-cmax=160"  # B: its D is that of T and R
SMALL, LARGE = "--batch=4 --gamma=0.256", "--batch=4 --gamma=1"
STAGES = (
    Stage("b-64", "critters-64", 48, f"{WIDE} {SMALL}"),
    Stage("b-128", "critters-128", 24, f"{WIDE} {LARGE}", "b-64"),
    Stage("t-64-sixteen", "critters-64", 53.5, f"{ALIAS_FREE} --num-layers=10 --batch=16 --gamma=0.256"),
    Stage("t-64", "critters-64", 15.7, f"{ALIAS_FREE} --num-layers=10 {SMALL}", "t-64-sixteen"),
    Stage("t-128", "critters-128", 24, f"{ALIAS_FREE} --num-layers=12 {LARGE}", "t-64"),
    Stage("r-64", "critters-64", 48, f"{ALIAS_FREE} --num-layers=10 {SMALL}"),
    Stage("r-128", "critters-128", 24, f"{ALIAS_FREE} --num-layers=12 {LARGE}", "r-64"),
    Stage("a-64", "critters-64", 24, f"{SMALL}"),
    Stage("a-128", "critters-128", 12, f"{LARGE}", "a-64"),
)


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
    several = len(critters.seeds) > 1
    parts = [outdir / f"{critters.name}-part{seed}.zip" for seed in critters.seeds] if several else [whole]
    for seed, part in zip(critters.seeds, parts, strict=True):
        if not part.exists():
            options = (f"--num={critters.num}", f"--size={critters.size}", f"--seed={seed}")
            yield ["dataset", "critters", f"--out={part}", *options]
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
