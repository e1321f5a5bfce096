# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The training loop: steps, ticks, snapshots, and every way in which a run can end."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gan.checkpoints.checkpoint import save_generator
from gan.data.file_sets import ImageError
from gan.data.image_io import to_uint8
from gan.files.format import format_duration, format_kimg
from gan.files.wishes import ControlError
from gan.hub.resolve import find_newest_snapshot
from gan.networks.generator import choose_batch_size, z_from_seed
from gan.networks.labels import make_label_facts, read_label_mean
from gan.shares import Share
from train.damage import SourceReader
from train.data import BatchLoader
from train.device import measure_memory, synchronize
from train.divergence import advise
from train.errors import OUT_OF_MEMORY, TrainingError, explain, is_out_of_memory
from train.grid import plan_grid
from train.metrics.at_snapshots import SnapshotMetrics, StopMeasuring
from train.metrics.records import format_figure, is_measured
from train.ranks.errors import LostRankError
from train.run_folder import OPTIONS, STATE, STOP, RunLog, fakes_name, nullify_nonfinite, snapshot_name, write_json
from train.state import TrainState
from train.transfer.growing import Teachers
from train.transfer.source import cite_source
from train.watching.control import Control
from train.watching.events import EventLog, open_events
from train.watching.running_means import MEANS, RunningMeans
from train.watching.stop import StopRequest

PAUSE_SECONDS = 0.25  # between looks at control.json


def owes_figures(run: Path, state: TrainState) -> bool:
    """Tell whether the snapshot that a run goes on from lacks figures, which a kill or a stop may have cut short."""
    name = snapshot_name(state.images)
    return (run / name).is_file() and not is_measured(run, name, state.config.metrics)


class Loop:
    """One session of a run: from the images that `state` has seen to the end of the run or to a request to stop."""

    def __init__(
        self,
        run: Path,
        state: TrainState,
        reader: SourceReader,
        log: RunLog,
        metrics: SnapshotMetrics | None = None,
        teachers: Teachers | None = None,
        *,
        was_complete: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare it; `was_complete`: an earlier session ended with `state`, as long as the run was to be then."""
        config = state.config
        self.run_folder, self.state, self.reader, self.log, self.clock = run, state, reader, log, clock
        self.metrics, self.teachers, self.was_complete = metrics, teachers, was_complete
        self.ranks = state.ranks
        share = Share(config.batch, state.ranks.rank, state.ranks.count)
        self.batches = BatchLoader(reader, config, share, state.device)
        self.means = RunningMeans(finite_only=config.num_fp16_res > 0)
        self.grid = plan_grid(reader.source, config.generator.c_dim > 0)
        self.control = Control(run)
        self.events: EventLog | None = None
        self._started = 0.0  # by the clock, as if there had been one session without a pause
        self._rate = self._tick_rate = self._wait_share = 0.0
        self._last_means: dict[str, float | None] | None = None  # of the last tick in which all was finite
        self._unreadable: ImageError | None = None  # why the run must stop
        self._verified_tenths = 10 * reader.verifier.done // len(reader.source)  # as last said

    def run(self) -> str:
        """Train; return "finished" or "stopped". Raises TrainingError, with the last good snapshot named."""
        try:
            with StopRequest(self.run_folder / STOP) as stop:
                if self.ranks.is_first:
                    self._prepare_folder()
                outcome = self._train(stop) if self._begin(stop) else "stopped"
        except KeyboardInterrupt:
            self._report_failure("Aborted by a second Ctrl-C.")
            raise
        except ImageError as error:
            again = "resume with --data-changed" if self._is_resumable() else "start the run anew"
            sentence = f"{str(error).rstrip('.')}, then {again}; {self._describe_last_snapshot()}."
            self._report_failure(sentence)
            raise TrainingError(sentence) from error
        except Exception as error:  # whatever it is: who follows the folder must learn that the run is over
            message = self._explain(error)
            self._report_failure(message or str(error) or type(error).__name__)
            if message is None:
                raise
            if isinstance(error, LostRankError):
                raise LostRankError(message) from error
            raise TrainingError(message) from error
        finally:
            self.reader.verifier.stop()
            self.batches.close()
            if self.events is not None:
                self.events.close()
        self.log.write_progress(outcome, self.state.images, self._rate)
        return outcome

    def _begin(self, stop: StopRequest) -> bool:
        """Teach what is to be taught, and save what a new run begins with; False if a stop came before that."""

        def is_stopped() -> bool:
            self._is_asked(stop)
            return self.ranks.any(stop.made)

        if self.teachers is not None and self.state.config.taught_images:
            if not self.teachers.teach(self.state, self.batches, self.log.say, is_stopped):
                return False  # without a state: what is taught by halves is not worth going on from
        if self.ranks.is_first:
            if not self.state.images:
                if self.state.config.transfer:  # the run can then begin again without the model it was started from
                    self.state.save(self.run_folder / STATE)
                self._save_fakes()
            self.reader.verifier.start()
        return True

    def _explain(self, error: Exception) -> str | None:
        """Return the message for an error that is the machine's, not the program's; None for every other one."""
        if isinstance(error, LostRankError):
            return f"{error}; {self._describe_last_snapshot()}."
        if isinstance(error, OSError):
            return (
                f"A file could not be written to {self.run_folder} ({error.strerror or error}); free disk space or "
                f"correct the permissions, then {'resume' if self._is_resumable() else 'start the run anew'}: earlier "
                f"files are intact, {self._describe_last_snapshot()}."
            )
        return f"{OUT_OF_MEMORY}; {self._describe_last_snapshot()}." if is_out_of_memory(error) else None

    def _is_resumable(self) -> bool:
        """Tell whether the run has what it took from another model in its own state, or took nothing."""
        return not self.state.config.transfer or (self.run_folder / STATE).is_file()

    def _prepare_folder(self) -> None:
        state, log = self.state, self.log
        log.write_progress("starting", state.images)
        write_json(self.run_folder / OPTIONS, state.config.to_json())
        log.drop_rows_after(state.images)
        self.events = open_events(self.run_folder, state.images)
        if self.events is None:
            log.say("There are no events for TensorBoard without its package: python -m pip install tensorboard")
        if state.images:
            log.say(f"Resuming at {format_kimg(state.images)} of {format_kimg(state.config.total_images)} kimg.")
        else:
            self.grid.save(self.run_folder / "reals.png", self._read_reals().transpose(0, 2, 3, 1))

    def _read_reals(self) -> np.ndarray:
        """Read what reals.png shows, bytes [N, C, S, S]: with labels the grid's, else the loader's first pictures."""
        indices, count = self.grid.indices, len(self.reader.source)
        if self.state.config.generator.c_dim:
            return self.reader.read(indices if self.grid.names else indices[:count])[1]
        return self.batches.read_first(min(len(indices), self.batches.sampler.epoch_length))

    def _train(self, stop: StopRequest) -> str:
        state, config = self.state, self.state.config
        done = state.images >= config.total_images  # a complete run that is resumed has its snapshot measured
        if self.ranks.is_first and state.images and owes_figures(self.run_folder, state):
            self._measure(stop, done or self.was_complete)
        self._wait_for_first(stop)
        self._started = self.clock() - state.seconds
        while not done:
            images = state.images
            self._train_tick(stop)
            state.seconds = self.clock() - self._started
            if state.images > images:
                self._finish_tick()
            self._report_pictures()
            self._hear_of_unreadable()
            self._wait_while_paused(stop)
            stopped = self.ranks.any(stop.made)  # a stop that one rank hears of later must not part it from the others
            done = stopped or state.images >= config.total_images or self._unreadable is not None
            if done and state.images < config.total_images:
                self.log.write_progress("stopping", state.images, self._rate)
            due = done or self.control.snapshot or state.ticks % state.config.snap == 0
            if self.ranks.is_first and state.images and due:
                self._save_snapshot()
                if not stopped:
                    self._measure(stop, done)
                self.control.snapshot = False
            elif self.ranks.is_first and config.img_snap and state.images and state.ticks % config.img_snap == 0:
                self._save_fakes()
            self._wait_for_first(stop)
        if self._unreadable is not None:
            raise self._unreadable  # now that what was trained is safe
        return "finished" if state.images >= config.total_images else "stopped"

    def _train_tick(self, stop: StopRequest) -> None:
        """Train until the tick is full, the run is complete or a stop is asked for, and the device has done it all."""
        state, config = self.state, self.state.config
        images, begun, elapsed, waited = state.images, self.clock(), 0.0, self.batches.waited
        end = min(images + config.tick_images, config.total_images)
        while state.images < end:
            # All ranks do the same number of steps, whatever their clocks say and wherever a stop was asked for.
            asked = self._is_asked(stop)
            full = state.images > images and (asked or stop.made or elapsed >= config.tick_seconds)
            batch = None if full else self._load_batch()
            if self.ranks.any(batch is None) or batch is None:
                break
            self.means.add(state.step(*batch))
            elapsed = max(self.clock() - begun, 1e-9)
            if self._rate == 0 or elapsed > 5:  # the first steps of a tick say little about its pace
                self._rate = (state.images - images) / elapsed
            self.log.write_progress("training", state.images, self._rate)
        synchronize(state.device)  # once a tick: until here the clock saw when steps were queued, not when they ended
        elapsed = max(self.clock() - begun, 1e-9)
        self._tick_rate = (state.images - images) / elapsed
        self._wait_share = (self.batches.waited - waited) / elapsed

    def _is_asked(self, stop: StopRequest) -> bool:
        """Read control.json; tell whether it asks for what is done between ticks."""
        if self.ranks.is_first:
            self._read_control(stop)
        return self.control.paused or self.control.snapshot

    def _wait_while_paused(self, stop: StopRequest) -> None:
        begun, said = self.clock(), False
        while self.ranks.any(self.control.paused) and not self.ranks.any(stop.made):
            if not said:
                self.log.say(f"Paused at {format_kimg(self.state.images)} kimg; its memory stays taken.")
                said = True
            self.log.write_progress("paused", self.state.images, self._rate)
            if self.control.snapshot and self.ranks.is_first:
                self._save_snapshot()
                self.control.snapshot = False
            time.sleep(PAUSE_SECONDS)
            self._is_asked(stop)
        if said:
            if not self.ranks.any(stop.made):
                self.log.say("Going on.")
            self._started += self.clock() - begun

    def _read_control(self, stop: StopRequest) -> None:
        try:
            if not self.control.poll():
                return
        except ControlError as error:
            self.log.say(str(error))
            return
        if self.control.stop:
            stop.make()
        snap, self.control.snap = self.control.snap, None
        if snap is not None and snap != self.state.config.snap:
            self.state.config = replace(self.state.config, snap=snap)
            write_json(self.run_folder / OPTIONS, self.state.config.to_json())
            self.log.say(f"From here on a snapshot every {snap} ticks.")

    def _hear_of_unreadable(self) -> None:
        """Take up another rank's reason why too many pictures are damaged."""
        for why in self.ranks.collect(None if self._unreadable is None else str(self._unreadable)):
            self._unreadable = self._unreadable or (None if why is None else ImageError(why))

    def _load_batch(self) -> tuple[torch.Tensor, torch.Tensor | None] | None:
        """Load this rank's part of the next batch; None if too many pictures are damaged."""
        try:
            return self.batches.load(self.state.images)
        except ImageError as error:
            self._unreadable = error
            return None

    def _finish_tick(self) -> None:
        state, config = self.state, self.state.config
        state.ticks += 1
        means, memory = self.means.take(), measure_memory(state.device)
        counts = {"tick": state.ticks, "images": state.images, "kimg": state.images / 1000}
        pace = {"seconds": round(state.seconds, 2), "images_per_s": round(self._tick_rate, 3)}
        pace["data_wait"] = round(self._wait_share, 4)
        row = {**counts, **pace, **means, **memory}
        self.log.append_row(row)
        if self.events is not None:
            self.events.add(state.images, nullify_nonfinite(row))
        left = max(config.total_images - state.images, 0) / max(self._tick_rate, 1e-9)
        losses = "  ".join(f"{name} {means[name]:.3f}" for name in MEANS[:4] if means[name] is not None)
        if means["augment_p"] is not None:
            losses += f"  augment {means['augment_p']:.3f}"
        if means["grad_nonfinite"]:
            losses += f"  gradients overflowed in {means['grad_nonfinite']:.1%} of steps"
        self.log.say(
            f"tick {state.ticks}  {format_kimg(state.images)}/{format_kimg(config.total_images)} kimg  "
            f"{self._tick_rate:.1f} img/s  {losses}  {format_duration(state.seconds)} so far  "
            f"{format_duration(left)} left  {memory['memory_mb']:.0f} MB"
        )
        if not all(math.isfinite(value) for value in means.values() if value is not None) or not state.is_finite():
            raise TrainingError(
                f"Training diverged (a loss or a weight is not a finite number) before {state.images} images; "
                f"{self._describe_last_snapshot()}; {advise(config, means, self._last_means)}."
            )
        self._last_means = means

    def _report_pictures(self) -> None:
        """Say what the check in the background found, and for each tenth of the set how far it is."""
        verifier, count = self.reader.verifier, len(self.reader.source)
        if 10 * verifier.done // count > self._verified_tenths:
            self._verified_tenths = 10 * verifier.done // count
            self.log.say(f"Checked {verifier.done} of {count} pictures, {len(verifier.damaged)} of them damaged.")
        news = self.reader.describe_news()
        if news:
            self.log.say(news)

    def _save_snapshot(self) -> None:
        state, config = self.state, self.state.config
        path = self.run_folder / snapshot_name(state.images)
        facts = {"images": state.images, "kimg": state.images / 1000, "data": config.data_name, "seed": config.seed}
        # A snapshot is passed on to others: it names the data set, not where it lies on this machine.
        changes = {"data": config.data_name, "transfer": cite_source(config.transfer), "detectors": []}
        facts["training"] = {**config.to_json(), **changes}
        save_generator(path, state.ema, facts | self._describe_labels())
        state.save(self.run_folder / STATE)
        self._save_fakes()
        self.log.say(f"snapshot {path.name}")

    def _describe_labels(self) -> dict[str, Any]:
        """Return what a snapshot's facts say of the labels that it was trained with."""
        labels, c_dim = self.reader.source.labels, self.state.config.generator.c_dim
        return {} if labels is None or not c_dim else make_label_facts(labels.values, labels.classes, c_dim)

    def _wait_for_first(self, stop: StopRequest) -> None:
        """Let the other ranks answer as long as the first one measures."""
        while self.ranks.any(False):
            self.ranks.any(stop.made)

    def _measure(self, stop: StopRequest, done: bool) -> None:
        """Measure the snapshot just taken, if it is its turn; one that was asked for in between has none.

        A snapshot that cannot be measured is one sentence in the log: a week of training does not end for that.
        """
        state, config = self.state, self.state.config
        is_due = done or state.ticks % (config.snap * config.metrics_every) == 0
        if self.metrics is None or not is_due or self._unreadable is not None:
            return

        def is_stopped() -> bool:
            """Look for wishes, and show the other ranks, which hear of a stop too, that this one is alive."""
            self._is_asked(stop)
            return self.ranks.any(True) and self.ranks.any(stop.made)

        self.log.say(f"Measuring {', '.join(config.metrics)}.")
        try:
            name = snapshot_name(state.images)
            label = read_label_mean(self._describe_labels(), config.generator.c_dim)
            for figure in self.metrics.measure(state.ema, self.run_folder, name, is_stopped, label):
                self.log.say(f"{figure.title} {format_figure(figure)}")
                if self.events is not None:
                    self.events.add(state.images, {f"metrics/{of}": value for of, value in figure.results.items()})
        except StopMeasuring:
            self.log.say("Measuring was ended by the stop; the resumed run begins with it.")
        except LostRankError:  # of which the run ends, too
            raise
        except Exception as error:
            message = explain(error, "Measuring ran out of memory")
            if message is None:
                raise
            self.log.say(f"The snapshot was not measured: {message}")

    @torch.no_grad()
    def _save_fakes(self) -> None:
        """Save the grid of the moving average's pictures: the same latents (and labels) in every grid of a run."""
        state, config = self.state, self.state.config
        count = len(self.grid.indices)
        labels = self.batches.load_labels(self.grid.indices)
        pictures = []
        step = min(choose_batch_size(config.resolution), len(state.shares[0]))  # what memory is known to have room for
        for first in range(0, count, step):
            seeds = range(first, min(first + step, count))
            z = np.concatenate([z_from_seed(seed, config.generator.z_dim) for seed in seeds])
            c = None if labels is None else labels[seeds.start : seeds.stop]
            # float32, in which any viewer can show the snapshot, whatever the layers train in
            with torch.autocast(state.device.type, enabled=False):
                images = state.ema(torch.from_numpy(z).float().to(state.device), c, noise="const")
            pictures.append(to_uint8(images).cpu().numpy())
        self.grid.save(self.run_folder / fakes_name(state.images), np.concatenate(pictures))

    def _describe_last_snapshot(self) -> str:
        snapshot = find_newest_snapshot(self.run_folder)
        return "there is no snapshot yet" if snapshot is None else f"the last good snapshot is {snapshot.name}"

    def _report_failure(self, message: str) -> None:
        try:
            self.log.write_progress("failed", self.state.images, self._rate, error=message)
            self.log.say(f"Failed: {message}", is_printed=False)  # the command ends with it
        except OSError:
            pass  # the disk that made the run fail takes no report either; the raised message reaches the terminal
