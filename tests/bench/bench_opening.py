# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Times opening an official pickle against torch.load of the same tensors: `python tests/bench/bench_opening.py`.

Two pickles of about 350 MB are written in a temporary folder, as the official code writes them: one whose G_ema is
nearly all of it, and one of G, D and G_ema. Each row opens one file in processes of its own, the first call in each, by
turns and with the file in the system's cache; medians. No test runs it: what it prints are ratios within one run.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.foreign import given, module, pickled, snapshot  # noqa: E402

from gan.checkpoints.checkpoint import load_generator, read_header  # noqa: E402
from gan.networks.config import DiscriminatorConfig, GeneratorConfig  # noqa: E402
from gan.networks.discriminator import Discriminator  # noqa: E402
from gan.networks.generator import Generator  # noqa: E402
from gan.networks.ladder import rung_config  # noqa: E402

BAR = 1.5
WAYS = ("header", "ours", "torch.load, G_ema", "torch.load, all")


def write(folder: Path, size: int) -> dict[str, Path]:
    """The pickles by name, and beside each the same tensors as torch.save writes them: .pt all, .ema.pt of G_ema."""
    whole = rung_config("A", 1024, channel_base=2**15, channel_max=512)
    # Wide enough that one network alone has the size of an official file's three.
    wide = rung_config("A", 256, channel_base=2**17, channel_max=round(512 * (size / 126e6) ** 0.5))
    found = {}
    for name, config, several in (("one network", wide, False), ("G, D, G_ema", whole, True)):
        networks = {"G_ema": Generator(config)}
        if several:
            d = DiscriminatorConfig(1024, channel_base=2**15, channel_max=512)
            networks = {"G": Generator(config), "D": Discriminator(d)} | networks
        path = folder / f"{name.replace(', ', '-').replace(' ', '-')}.pkl"
        modules = {
            key: module(type(network).__name__, network.state_dict(), arguments_of(network.config))
            for key, network in networks.items()
        }
        path.write_bytes(pickled(snapshot(modules)))
        torch.save({key: network.state_dict() for key, network in networks.items()}, path.with_suffix(".pt"))
        torch.save(networks["G_ema"].state_dict(), path.with_suffix(".ema.pt"))
        found[name] = path
    os.sync()  # or the system would be writing them while they are read
    return found


def arguments_of(config: GeneratorConfig | DiscriminatorConfig) -> dict[str, object]:
    if isinstance(config, GeneratorConfig):
        return given(config)
    return {
        "c_dim": config.c_dim,
        "img_resolution": config.resolution,
        "img_channels": config.img_channels,
        "channel_base": config.channel_base,
        "channel_max": config.channel_max,
    }


def open_once(way: str, path: Path) -> None:
    """In a process of its own: print how long it took and what it took."""
    calls = {
        "header": lambda: read_header(path),
        "ours": lambda: load_generator(path),
        "torch.load, G_ema": lambda: torch.load(path.with_suffix(".ema.pt"), weights_only=True),
        "torch.load, all": lambda: torch.load(path.with_suffix(".pt"), weights_only=True),
    }
    before = peak()
    start, used = time.perf_counter(), time.process_time()
    kept = calls[way]()
    wall, used = time.perf_counter() - start, time.process_time() - used
    print(json.dumps({"wall": wall, "cpu": used, "grown": peak() - before}))
    del kept


def peak() -> float:
    """The most memory that this process ever had, in bytes; not a number where the system does not tell."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return float("nan")
    return next((1024.0 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), float("nan"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--size", type=float, default=350e6, help="bytes of the pickle of one network, about")
    parser.add_argument("--once", nargs=2, metavar=("WAY", "PATH"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.once:
        open_once(options.once[0], Path(options.once[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        for name, path in write(Path(folder), options.size).items():
            found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
            for number in range(-1, options.rounds):  # the first round warms the system's cache and does not count
                for way in (*WAYS[number % len(WAYS) :], *WAYS[: number % len(WAYS)]):
                    command = [sys.executable, __file__, "--once", way, str(path)]
                    ran = subprocess.run(command, capture_output=True, text=True, check=True)
                    if number >= 0:
                        found[way].append(json.loads(ran.stdout.splitlines()[-1]))
            report(name, path.stat().st_size, found)


def report(name: str, size: int, found: dict[str, list[dict[str, float]]]) -> None:
    middle = {
        way: {key: statistics.median(run[key] for run in runs) for key in ("wall", "cpu", "grown")}
        for way, runs in found.items()
    }
    print(f"\n{name}: {size / 1e6:.0f} MB")
    print(f"{'':22}{'wall s':>9}{'cpu s':>9}{'memory / file':>15}")
    for way, row in middle.items():
        print(f"{way:22}{row['wall']:9.3f}{row['cpu']:9.3f}{row['grown'] / size:15.2f}")
    ours = middle["ours"]["wall"]
    print(
        f"ours / torch.load of G_ema's tensors {ours / middle['torch.load, G_ema']['wall']:.2f}, "
        f"of all tensors {ours / middle['torch.load, all']['wall']:.2f} (bar {BAR})"
    )


if __name__ == "__main__":
    main()
