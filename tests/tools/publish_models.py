# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Make the bundled models of what `train_models.py` trained: `python tests/tools/publish_models.py b t r a`.

Of each rung, the newest snapshot of its last stage that has one is measured (`train.py metrics`: ten minutes or more),
and written to assets/ with float16 weights and its figures, beside how it was trained (.json) and a row for every tick
(.stats.jsonl); assets/training/ gets its networks as they are in training. docs/ gets 64 unselected samples of each,
the curves, and the table in models.md.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from gan.checkpoints.checkpoint import halve_weights, load_generator, load_tensors, save_generator, save_tensors  # noqa: E402
from gan.data.image_dataset import open_images  # noqa: E402
from gan.data.image_io import save_png, tile_images, to_uint8  # noqa: E402
from gan.files.atomic_write import atomic_write  # noqa: E402
from gan.hub.resolve import list_snapshots  # noqa: E402
from gan.metrics.features import EfficientNetLite0  # noqa: E402
from gan.metrics.frechet import FeatureStats, frechet_distance  # noqa: E402
from gan.metrics.names import parse_metric  # noqa: E402
from gan.networks.describe import count_parameters  # noqa: E402
from gan.networks.discriminator import Discriminator  # noqa: E402
from gan.networks.generator import Generator, z_from_seed  # noqa: E402
from tools.train_models import OUTDIR, Stage, find_run, list_stages  # noqa: E402
from train.config import TrainConfig  # noqa: E402
from train.run_folder import STATE  # noqa: E402
from train.transfer.source import TRAINED_NETWORKS  # noqa: E402

ASSETS, DOCS = ROOT / "assets", ROOT / "docs"
SAMPLES, COLUMNS = 64, 8
FID = "fid10k_full"
MOVING = {"eq_t": "eq_t", "eq_t_frac": "eq_t_frac", "eq_r": "eq_r", "stickiness": "stickiness"}  # kind -> metric
BEGIN, END = "<!-- figures of the bundled models -->", "<!-- end of figures -->"
HEAD = """| | pictures seen | hours | parameters | FID | EQ-T dB | EQ-T_frac dB | EQ-R dB | stickiness |
|---|---|---|---|---|---|---|---|---|"""


def list_runs(outdir: Path, rung: str) -> list[tuple[Stage, Path]]:
    """Return the stages of a rung that have a snapshot, each with its run folder."""
    found = [(stage, find_run(outdir, stage)) for stage in list_stages(rung)]
    return [(stage, run) for stage, run in found if run is not None and list_snapshots(str(run))]


def measure(run: Path, snapshot: Path, movable: bool) -> dict[str, dict[str, Any]]:
    """Return a snapshot's figures by kind, measured now where the run folder does not have them."""
    wanted = {"fid": FID, **(MOVING if movable else {})}
    figures = _read_figures(run, snapshot.name)
    if missing := [metric for kind, metric in wanted.items() if kind not in figures]:
        words = ["metrics", f"--model={snapshot}", f"--metrics={','.join(missing)}", "--detector=lite0"]
        subprocess.run([sys.executable, str(ROOT / "train.py"), *words], check=True)
        figures = _read_figures(run, snapshot.name)
    return {kind: figures[kind] for kind in wanted}


def measure_halves(data: Path) -> float:
    """Return the FID between the even and the odd pictures of a set: what a perfect generator of half of it would have.

    The features are those of the figures. Measured once: it stays beside the set.
    """
    known = data.with_suffix(".halves.json")
    if not known.exists():
        source, network = open_images(data), EfficientNetLite0()
        halves = FeatureStats(network.width), FeatureStats(network.width)
        for index in range(len(source)):
            picture = torch.from_numpy(source.read(index))[None]
            halves[index % 2].add(network(picture).cpu().numpy())
        with atomic_write(known) as temporary:
            temporary.write_text(json.dumps(frechet_distance(*halves)) + "\n")
    return float(json.loads(known.read_text()))


def _read_figures(run: Path, snapshot: str) -> dict[str, dict[str, Any]]:
    wanted = {parse_metric(metric).name for metric in (FID, *MOVING.values())}
    found = {}
    for path in sorted(run.glob("metric-*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            name = row["metric"].partition(" ")[0]
            if row["snapshot_pkl"] == snapshot and name in wanted:
                value = next(iter(row["results"].values()))
                found[parse_metric(name).kind] = {"name": row["metric"], "value": value, "error": row["error"]}
    return found


def describe_stage(stage: Stage, run: Path) -> dict[str, Any]:
    """Return how a stage was trained, without the paths of the machine."""
    config = json.loads((run / "training_options.json").read_text())
    rows = read_rows(run)
    log = (run / "log.txt").read_text()
    config |= {"data": Path(config["data"]).name, "transfer": stage.source}
    return {
        "stage": stage.name,
        "kimg": rows[-1]["kimg"],
        "hours": round(rows[-1]["seconds"] / 3600, 2),
        "restarts": log.count("\nResuming at "),
        "torch_threads": config["threads"],
        "options": config,
    }


def read_rows(run: Path) -> list[dict[str, Any]]:
    """Return a run's statistics, a row a tick, without what was not measured."""
    lines = (run / "stats.jsonl").read_text().splitlines()
    return [{name: value for name, value in json.loads(line).items() if value is not None} for line in lines]


def publish(outdir: Path, rung: str) -> None:
    """Write one rung's files in assets/ and its samples in docs/."""
    runs = list_runs(outdir, rung)
    if not runs:
        raise SystemExit(f"{outdir} has no snapshot of {rung}: train it first.")
    stage, run = runs[-1]
    snapshot = list_snapshots(str(run))[-1].path
    generator, facts = load_generator(snapshot)
    figures = measure(run, snapshot, generator.config.movable)
    stages = [describe_stage(*one) for one in runs]
    facts["training"] = stages[-1]["options"]
    facts |= {"figures": figures, "kimg": sum(one["kimg"] for one in stages[:-1]) + facts["kimg"]}
    stem = ASSETS / f"critters-{rung}-{generator.config.resolution}"
    save_generator(stem.with_suffix(".safetensors"), generator, facts, half=True)
    parameters = sum(count_parameters(generator.config))
    card = {"snapshot_kimg": facts["kimg"], "parameters": parameters, "figures": figures, "stages": stages}
    card["fid_of_halves"] = measure_halves(outdir / f"{stage.data}.zip")
    with atomic_write(stem.with_suffix(".json")) as temporary:
        temporary.write_text(json.dumps(card, indent=1) + "\n")
    with atomic_write(stem.with_suffix(".stats.jsonl")) as temporary:
        rows = [{"stage": one.name, **row} for one, folder in runs for row in read_rows(folder)]
        temporary.write_text("".join(json.dumps(row) + "\n" for row in rows))
    images = round(facts["kimg"] * 1000)
    save_networks(run / STATE, stages[-1]["options"], images, ASSETS / TRAINED_NETWORKS / f"{stem.name}.safetensors")
    for old in (*ASSETS.glob(f"critters-{rung}-*"), *ASSETS.glob(f"{TRAINED_NETWORKS}/critters-{rung}-*")):
        if not old.name.startswith(f"{stem.name}."):
            old.unlink()
    draw_samples(DOCS / f"samples-{rung}.png", stem.with_suffix(".safetensors"))
    print(f"Wrote {stem.name} of {stage.name} at {facts['kimg']:g} kimg in all.")


def save_networks(state: Path, options: dict[str, Any], images: int, out: Path) -> None:
    """Write the networks of a run's state with float16 weights, without optimisers: what `--transfer` takes.

    `images`: seen over all stages.
    """
    tensors, document = load_tensors(state)
    config = TrainConfig.from_json(document["config"])
    generator, discriminator = config.generator, config.discriminator
    kept: dict[str, torch.Tensor] = {}
    for name, network in (
        ("generator", Generator(generator)),
        ("ema", Generator(generator)),
        ("discriminator", Discriminator(discriminator)),
    ):
        prefix = f"{name}."
        network.load_state_dict({key.removeprefix(prefix): x for key, x in tensors.items() if key.startswith(prefix)})
        kept |= {prefix + key: x for key, x in halve_weights(network).items()}
    out.parent.mkdir(exist_ok=True)
    save_tensors(out, kept, document | {"config": options, "images": images})


def draw_samples(path: Path, model: Path) -> None:
    """Draw the first 64 seeds of a model, its noise as it is stored."""
    generator = load_generator(model)[0]
    with torch.inference_mode():
        latents = [torch.from_numpy(z_from_seed(seed, generator.config.z_dim)) for seed in range(SAMPLES)]
        pictures = [to_uint8(generator(z, None, noise="const")) for z in latents]
    save_png(path, tile_images(np.concatenate([picture.cpu().numpy() for picture in pictures]), COLUMNS))


def draw_curves(path: Path) -> None:
    """Draw losses and D's signs of all bundled models, over all their stages."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    files = sorted(ASSETS.glob("critters-*.stats.jsonl"))
    figure, grid = pyplot.subplots(
        3, len(files), figsize=(4 * len(files), 7), sharex="col", sharey="row", squeeze=False
    )
    for column, file in zip(grid.T, files, strict=True):
        rows = [json.loads(line) for line in file.read_text().splitlines()]
        before, last = 0.0, rows[0]
        for row in rows:
            if row["stage"] != last["stage"]:
                before += last["kimg"]
                for axes in column:
                    axes.axvline(before, color="0.8", linewidth=0.8)
            last = row
            row["at"] = before + row["kimg"]
        column[0].set_title(file.name.partition(".")[0])
        for axes, name in zip(column, ("loss_g", "loss_d", "d_real_sign"), strict=True):
            points = [(row["at"], row[name]) for row in rows if name in row]
            axes.plot(*zip(*points, strict=True), linewidth=1)
            axes.grid(alpha=0.3)
        column[-1].set_xlabel("kimg")
    for axes, name in zip(grid[:, 0], ("loss of G", "loss of D", "sign of D at reals"), strict=True):
        axes.set_ylabel(name)
    figure.tight_layout()
    figure.savefig(path, dpi=90)


def make_table() -> str:
    """Return the bundled models' figures as a table, from the files beside them."""
    lines, halves = [HEAD], None
    for file in sorted(ASSETS.glob("critters-*.json")):
        card = json.loads(file.read_text())
        cells = [f"`{file.stem}`", f"{card['snapshot_kimg'] * 1000:,.0f}"]
        cells += [f"{sum(stage['hours'] for stage in card['stages']):.1f}", f"{card['parameters']:,}"]
        for kind, digits in (("fid", 0), ("eq_t", 1), ("eq_t_frac", 1), ("eq_r", 1), ("stickiness", 3)):
            row = card["figures"].get(kind)
            cells.append("" if row is None else f"{round(row['value'], digits) + 0.0:.{digits}f}")  # no -0.000
        lines.append(f"| {' | '.join(cells)} |")
        halves = card.get("fid_of_halves")
    if halves is not None:
        lines.append(f"| two halves of the pictures | | | | {halves:.0f} | | | | |")
    return "\n".join(lines)


def write_table(path: Path) -> None:
    """Put the table into the page, between its marks."""
    text = path.read_text()
    if not -1 < text.find(BEGIN) < text.find(END):
        raise SystemExit(f"{path} has no place for the table, between {BEGIN} and {END}.")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    path.write_text(f"{head}{BEGIN}\n{make_table()}\n{END}{tail}")


def main() -> None:
    """Publish the rungs of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("rungs", nargs="*", choices=list("btra"), default=list("btra"), help="which")
    parser.add_argument("--outdir", type=Path, default=OUTDIR, help="where train_models.py trained them")
    given = parser.parse_args()
    for rung in given.rungs:
        publish(given.outdir.resolve(), rung)
    draw_curves(DOCS / "curves.png")
    write_table(DOCS / "models.md")


if __name__ == "__main__":
    main()
