# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The training loop: steps, ticks, snapshots, and every way in which a run can end."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

import numpy as np
import torch

from gan.checkpoints.checkpoint import save_generator
from gan.data.image_dataset import ImageSource
from gan.data.image_io import grid, save_png, to_uint8
from gan.files.format import format_duration
from gan.hub.resolve import newest_snapshot
from gan.networks.latents import z_from_seed
from train.config import OUT_OF_MEMORY, TrainingError
from train.data import Batches
from train.device import memory, synchronize
from train.memory import out_of_memory
from train.mixed_precision import without_autocast
from train.run_folder import OPTIONS, STATE, STOP, RunLog, fakes_name, snapshot_name, write_json
from train.state import TrainState

MEANS = ("loss_g", "loss_d", "r1", "pl", "d_real_sign", "d_fake_sign", "grad_nonfinite")


class StopRequest:
    """Whether a clean stop was asked for: by Ctrl-C, SIGTERM, or a file named `stop` in the run folder.

    A context manager, so that the handlers are put back. A second Ctrl-C aborts: the first restores the usual handler.
    The file counts from the moment the folder is announced, so entering must not delete it.
    """

    def __init__(self, run: Path) -> None:
        self._file = run / STOP
        self._asked = False
        self._previous: dict[signal.Signals, Any] = {}

    def __enter__(self) -> StopRequest:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._previous[number] = signal.signal(number, self._ask)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._file.unlink(missing_ok=True)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    @property
    def asked(self) -> bool:
        """True from the first request on."""
        self._asked = self._asked or self._file.exists()
        return self._asked


class Means:
    """Running means of a tick's statistics, kept on the device so that a step never waits for a number.

    `finite_only`: a step's value that is not finite is left out, and only a mean without any other is NaN. For float16,
    where one overflow spoils one step and no more.
    """

    def __init__(self, finite_only: bool = False) -> None:
        self.finite_only = finite_only
        self._sums: dict[str, torch.Tensor] = {}  # sum and count, [2]

    def add(self, stats: dict[str, torch.Tensor]) -> None:
        for name, value in stats.items():
            counts = torch.isfinite(value) if self.finite_only else torch.ones_like(value, dtype=torch.bool)
            both = torch.stack([torch.where(counts, value, 0.0), counts.to(value.dtype)])
            self._sums[name] = self._sums[name] + both if name in self._sums else both

    def take(self) -> dict[str, float | None]:
        """The means by name, None for what was not measured, and start afresh."""
        names = list(self._sums)
        sums = torch.stack([self._sums[name] for name in names]).tolist() if names else []
        found = {name: total / count if count else math.nan for name, (total, count) in zip(names, sums, strict=True)}
        self._sums = {}
        return {name: found.get(name) for name in MEANS}


class Loop:
    """One session of a run: from wherever `state` is to the end of the run or to a request to stop."""

    def __init__(
        self,
        run: Path,
        state: TrainState,
        source: ImageSource,
        *,
        clock: Callable[[], float] = time.monotonic,
        log: RunLog | None = None,
    ) -> None:
        config = state.config
        self.run_folder, self.state, self.source, self.clock = run, state, source, clock
        self.log = RunLog(run, config.total_images, clock) if log is None else log
        self.batches = Batches(source, config.batch, config.seed, config.mirror, config.generator.c_dim > 0)
        self.means = Means(finite_only=config.half > 0)
        self._rate = self._tick_rate = 0.0

    def run(self) -> str:
        """Train; return "finished" or "stopped". Raises TrainingError, with the last good snapshot named."""
        state, log = self.state, self.log
        log.progress("starting", state.images)
        try:
            with StopRequest(self.run_folder) as stop:
                self._begin()
                outcome = self._ticks(stop)
        except KeyboardInterrupt:
            self._fail("Aborted by a second Ctrl-C.")
            raise
        except Exception as error:  # whatever it is: who follows the folder must learn that the run is over
            sentence = self._sentence(error)
            self._fail(sentence or str(error) or type(error).__name__)
            if sentence is None:
                raise
            raise TrainingError(sentence) from error
        log.progress(outcome, state.images, self._rate)
        return outcome

    def _sentence(self, error: Exception) -> str | None:
        """What a user is told of an error that is the machine's, not the program's; None for every other one."""
        if isinstance(error, OSError):
            return (
                f"A file of the run could not be written to {self.run_folder} ({error.strerror or error}); "
                f"free some space or permissions, then resume: earlier files are intact, {self._last_good()}."
            )
        return f"{OUT_OF_MEMORY}; {self._last_good()}." if out_of_memory(error) else None

    def _begin(self) -> None:
        state, log = self.state, self.log
        write_json(self.run_folder / OPTIONS, state.config.to_json())
        if state.images:
            log.keep_rows_until(state.images)
            log.say(f"Resuming at {state.images / 1000:.1f} of {state.config.total_images / 1000:.1f} kimg.")
            return
        columns, rows = self._grid_shape()
        reals = self.source.batch(np.arange(min(columns * rows, len(self.source)))).transpose(0, 2, 3, 1)
        save_png(self.run_folder / "reals.png", grid(reals, columns))
        self._save_fakes()

    def _ticks(self, stop: StopRequest) -> str:
        state, config = self.state, self.state.config
        started = self.clock() - state.seconds
        while True:
            done = self._train_tick(stop)
            state.seconds = self.clock() - started
            self._finish_tick()
            if done or state.ticks % config.snap == 0:
                if done and state.images < config.total_images:
                    self.log.progress("stopping", state.images, self._rate)
                self._snapshot()
            if done:
                return "finished" if state.images >= config.total_images else "stopped"

    def _train_tick(self, stop: StopRequest) -> bool:
        """Steps until the tick is full, and until the device has done them; True when the run is over or is to stop."""
        state = self.state
        images, begun = state.images, self.clock()
        done = self._steps(stop, images, begun)
        synchronize(state.device)  # once a tick: until here the clock saw when steps were queued, not when they ended
        self._tick_rate = (state.images - images) / max(self.clock() - begun, 1e-9)
        return done

    def _steps(self, stop: StopRequest, images: int, begun: float) -> bool:
        state, config = self.state, self.state.config
        while state.images < config.total_images:
            reals, labels = self.batches.at(state.images, state.device)
            self.means.add(state.step(reals, labels))
            elapsed = max(self.clock() - begun, 1e-9)
            if self._rate == 0 or elapsed > 5:  # the first steps of a tick say little about its pace
                self._rate = (state.images - images) / elapsed
            self.log.progress("training", state.images, self._rate)
            if stop.asked:
                return True
            if state.images - images >= config.tick_images or elapsed >= config.tick_seconds:
                break
        return state.images >= config.total_images

    def _finish_tick(self) -> None:
        state, config = self.state, self.state.config
        state.ticks += 1
        means = self.means.take()
        row = {
            "tick": state.ticks,
            "images": state.images,
            "kimg": state.images / 1000,
            "seconds": round(state.seconds, 2),
            "images_per_s": round(self._tick_rate, 3),
            **means,
            **memory(state.device),
        }
        self.log.row(row)
        left = max(config.total_images - state.images, 0) / max(self._tick_rate, 1e-9)
        shown = "  ".join(f"{name} {means[name]:.3f}" for name in MEANS[:4] if means[name] is not None)
        if means["grad_nonfinite"]:
            shown += f"  gradients overflowed in {means['grad_nonfinite']:.1%} of steps"
        self.log.say(
            f"tick {state.ticks}  {row['kimg']:.1f}/{config.total_images / 1000:.1f} kimg  "
            f"{self._tick_rate:.1f} img/s  {shown}  "
            f"{format_duration(state.seconds)} so far  {format_duration(left)} left  {row['memory_mb']:.0f} MB"
        )
        if not all(math.isfinite(value) for value in means.values() if value is not None) or not state.finite():
            raise TrainingError(
                f"Training diverged (a loss or a weight is no longer a number) before {state.images} "
                f"images; {self._last_good()}; start a new run with a larger --gamma."
            )

    def _snapshot(self) -> None:
        state, config = self.state, self.state.config
        path = self.run_folder / snapshot_name(state.images)
        save_generator(
            path,
            state.ema,
            {
                "images": state.images,
                "kimg": state.images / 1000,
                "data": config.data_name,
                "seed": config.seed,
                # A snapshot is passed on to others: it names the data set, not where it lies on this machine.
                "training": {**config.to_json(), "data": config.data_name},
            },
        )
        state.save(self.run_folder / STATE)
        self._save_fakes()
        self.log.say(f"snapshot {path.name}")

    @torch.no_grad()
    def _save_fakes(self) -> None:
        """The grid of the moving average's pictures: the same latents (and labels) in every grid of a run."""
        state, config = self.state, self.state.config
        columns, rows = self._grid_shape()
        labels = self.source.label_batch(np.arange(columns * rows) % len(self.source))
        pictures = []
        for first in range(0, columns * rows, config.batch):
            seeds = range(first, min(first + config.batch, columns * rows))
            z = np.concatenate([z_from_seed(seed, config.generator.z_dim) for seed in seeds])
            c = torch.from_numpy(labels[seeds.start : seeds.stop]).to(state.device) if config.generator.c_dim else None
            with without_autocast(state.device):  # in float32, whatever the layers train in: any viewer can show that
                images = state.ema(torch.from_numpy(z).float().to(state.device), c, noise="const")
            pictures.append(to_uint8(images).cpu().numpy())
        save_png(self.run_folder / fakes_name(state.images), grid(np.concatenate(pictures), columns))

    def _grid_shape(self) -> tuple[int, int]:
        return (8, 6) if self.state.config.resolution <= 256 else (4, 3)

    def _last_good(self) -> str:
        snapshot = newest_snapshot(self.run_folder)
        return "there is no snapshot yet" if snapshot is None else f"the last good snapshot is {snapshot.name}"

    def _fail(self, sentence: str) -> None:
        try:
            self.log.progress("failed", self.state.images, self._rate, error=sentence)
            self.log.say(f"Failed: {sentence}")
        except OSError:
            pass  # the disk that made the run fail takes no report either; the raised sentence reaches the terminal
