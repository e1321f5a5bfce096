# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`python tests/bench/bench_start.py`: seconds from the start of a fresh process, beside `import torch` alone.

Medians of five rounds; a round runs each command once, so that all see the same machine. Keep the machine quiet.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Ends when a frame with the pictures of both slots has been drawn. Works without a display.
WINDOW = """
from viz.display import offscreen
if not offscreen.has_display():
    offscreen.use()
from viz.cli.view import load_state
from viz.window.window import Window
window = Window(load_state(None)[0])
params = window.runner_params()
drawn = params.callbacks.before_swap
def after_frame():
    drawn()
    results = window.context.results.values()
    if len(results) == 2 and all(result is not None and result.picture is not None for result in results):
        params.app_shall_exit = True
params.callbacks.before_swap = after_frame
from imgui_bundle import immapp
immapp.run(params, immapp.AddOnsParams(with_implot=True))
window.close()
"""

# Name, words after the interpreter, the most that it may take: times `import torch`, or seconds.
COMMANDS = (
    ("import torch", ["-c", "import torch"], ""),
    ("visualizer.py --help", ["visualizer.py", "--help"], "0.35 s"),
    ("train.py --help", ["train.py", "--help"], "0.35 s"),
    ("train.py run --help", ["train.py", "run", "--help"], "0.35 s"),
    ("render", ["visualizer.py", "render", "--model", "t", "--seed", "7", "--out", "{out}"], "1.35"),
    ("window, first picture of both slots", ["-c", WINDOW], "1.8"),
)


def measure(words: list[str], out: str) -> float:
    """Seconds that a fresh interpreter takes for `words`."""
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, *(word if word != "{out}" else out for word in words)],
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        out = f"{folder}/picture.png"
        for _, words, _ in COMMANDS:
            measure(words, out)  # compiles the kernels and the bytecode, fills the disk's cache
        seconds = [[measure(words, out) for _, words, _ in COMMANDS] for _ in range(rounds)]
    medians = [statistics.median(column) for column in zip(*seconds, strict=True)]
    print("| | seconds | / import torch | at most |\n|---|---|---|---|")
    for (name, _, limit), median in zip(COMMANDS, medians, strict=True):
        print(f"| {name} | {median:.2f} | {median / medians[0]:.2f} | {limit} |")


if __name__ == "__main__":
    main()
