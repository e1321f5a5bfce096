# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""All that a run must remember to go on exactly where it stopped, and its file.

On the CPU 2N steps equal N, save, load, N, bit for bit (architecture.md, "One training step"); a GPU goes on with the
same pictures and random numbers, but some of its kernels add in no fixed order. Nothing is pickled: the file is tensors
and a JSON document.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, Self

import torch

from gan.checkpoints.checkpoint import load_tensors, save_tensors
from gan.networks.discriminator import Discriminator
from gan.networks.generator import Generator
from gan.networks.meta_init import Skeleton
from train.config import TrainConfig, TrainingError
from train.losses import Phase, Step, blur_at, lazy_scale, phases
from train.memory import out_of_memory
from train.mixed_precision import loss_scale, mend_gradients, without_autocast

KIND = "training state"  # in the document of the file
UNFIT = "{} does not fit the networks it describes; it cannot be resumed."
DEVICES = ("cpu", "cuda", "mps")


def usable_device(name: str) -> str:
    """`name`, if training can run there; TrainingError if torch has no such device here."""
    try:
        found = torch.device(name).type in DEVICES
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError, ValueError):  # torch's word for a device that is missing or misspelt
        found = False
    if not found:
        raise TrainingError(f"There is no device {name!r} that training can use here; give --device=cpu.")
    return name


class TrainState:
    """Networks, optimisers, counters and random state of a run.

    Attributes: `generator`, `discriminator`, `ema` (the generator's moving average), `images` and `steps` done,
    `ticks` written, `seconds` spent over all sessions, `pl_mean` (0-d). The sampler's position is `images`.
    """

    def __init__(self, config: TrainConfig) -> None:
        """A new run: seeds torch's global generators, which every random draw of training uses."""
        self.config = config
        self.device = torch.device(config.device)
        torch.manual_seed(config.seed)
        self.generator = Generator(config.generator).train().to(self.device)
        self.discriminator = Discriminator(config.discriminator).train().to(self.device)
        self.ema = copy.deepcopy(self.generator).eval().requires_grad_(False)
        self.optimizers = {
            "generator": self._adam("generator", config.g_lr),
            "discriminator": self._adam("discriminator", config.d_lr),
        }
        self.phases: tuple[Phase, ...] = phases(config)
        self.pl_mean = torch.zeros((), device=self.device)
        self.images = self.steps = self.ticks = 0
        self.seconds = 0.0

    def network(self, name: str) -> torch.nn.Module:
        """The module called "generator", "discriminator" or "ema"."""
        found = {"generator": self.generator, "discriminator": self.discriminator, "ema": self.ema}[name]
        assert isinstance(found, torch.nn.Module)
        return found

    def _adam(self, name: str, lr: float) -> torch.optim.Adam:
        config, scale = self.config, lazy_scale(self.config, name)
        betas = (config.adam_betas[0] ** scale, config.adam_betas[1] ** scale)
        return torch.optim.Adam(
            self.network(name).parameters(), lr=lr * scale, betas=betas, eps=config.adam_eps, fused=True
        )

    def step(self, reals: torch.Tensor, labels: torch.Tensor | None) -> dict[str, torch.Tensor]:
        """One training step on a batch of reals: every due phase, then the moving average and the counters.

        On a GPU it is only queued: nothing here waits for a value. Statistics are 0-d tensors on the device, of what
        train.losses measures; with float16 also "grad_nonfinite", 1 if a gradient held what is not a finite number.
        """
        with without_autocast(self.device):
            return self._step(reals, labels)

    def _step(self, reals: torch.Tensor, labels: torch.Tensor | None) -> dict[str, torch.Tensor]:
        step = Step(
            self.config,
            self.generator,
            self.discriminator,
            reals,
            labels,
            self.pl_mean,
            blur_at(self.config, self.images),
        )
        stats: dict[str, torch.Tensor] = {}
        for phase in self.phases:
            if self.steps % phase.interval:
                continue
            for name in self.optimizers:
                self.network(name).requires_grad_(name == phase.network)
            loss, found = phase.loss(step)
            if self.config.half:
                scale = loss_scale(self.config.batch, self.config.resolution)
                (loss * scale).backward()
                broken = mend_gradients(self.network(phase.network).parameters(), scale)
                found["grad_nonfinite"] = torch.maximum(stats.get("grad_nonfinite", broken), broken)
            else:
                loss.backward()
            optimizer = self.optimizers[phase.network]
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            stats |= found
        self.images += len(reals)
        self.steps += 1
        update_ema(self.ema, self.generator, ema_decay(self.config, self.images))
        return stats

    def finite(self) -> bool:
        """Whether every weight that would be saved is a number."""
        networks = (self.generator, self.discriminator, self.ema)
        return all(bool(torch.isfinite(t).all()) for network in networks for t in network.state_dict().values())

    def save(self, path: Path) -> None:
        """Write the whole state (atomically: gan.checkpoints.checkpoint does)."""
        tensors = {"pl_mean": self.pl_mean, "rng.cpu": torch.get_rng_state()}
        if self.device.type == "cuda":
            tensors["rng.cuda"] = torch.cuda.get_rng_state(self.device)
        if self.device.type == "mps":
            tensors["rng.mps"] = torch.mps.get_rng_state()
        for name in ("generator", "discriminator", "ema"):
            tensors |= {f"{name}.{key}": value for key, value in self.network(name).state_dict().items()}
        for name, optimizer in self.optimizers.items():
            for index, entry in optimizer.state_dict()["state"].items():
                tensors |= {f"adam.{name}.{index}.{key}": value for key, value in entry.items()}
        document = {
            "kind": KIND,
            "config": self.config.to_json(),
            "images": self.images,
            "steps": self.steps,
            "ticks": self.ticks,
            "seconds": self.seconds,
        }
        save_tensors(path, tensors, document)

    @classmethod
    def load(cls, path: Path, device: str | None = None) -> Self:
        """The state in `path`, on `device` (default: the one it was saved on); random generators are set to match.

        TrainingError if it is no state, does not fit its own networks, or the device is not there.
        """
        tensors, document = load_tensors(path)
        if document.get("kind") != KIND:
            raise TrainingError(f"{path} holds no training state; give a run folder that train.py wrote.")
        options = document.get("config")
        if not isinstance(options, dict):
            raise TrainingError(f"{path} does not say what run it belongs to; it is damaged and cannot be resumed.")
        config = TrainConfig.from_json(options if device is None else {**options, "device": device})
        usable_device(config.device)
        _check_fit(config, tensors, document, path)
        state = cls(config)
        try:
            state._restore(tensors, document)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            if out_of_memory(error):
                raise
            raise TrainingError(UNFIT.format(path)) from error
        return state

    def _restore(self, tensors: dict[str, torch.Tensor], document: dict[str, Any]) -> None:
        for name in ("generator", "discriminator", "ema"):
            self.network(name).load_state_dict(_below(tensors, f"{name}."))
        for name, optimizer in self.optimizers.items():
            entries = _averages(tensors, name)
            optimizer.load_state_dict({"state": entries, "param_groups": optimizer.state_dict()["param_groups"]})
        self.pl_mean.copy_(tensors["pl_mean"])
        self.images, self.steps, self.ticks = document["images"], document["steps"], document["ticks"]
        self.seconds = document["seconds"]
        torch.set_rng_state(tensors["rng.cpu"])
        if self.device.type == "cuda" and "rng.cuda" in tensors:
            torch.cuda.set_rng_state(tensors["rng.cuda"], self.device)
        if self.device.type == "mps" and "rng.mps" in tensors:
            torch.mps.set_rng_state(tensors["rng.mps"])


def ema_decay(config: TrainConfig, images: int) -> float:
    """Decay of the moving average in the step that ends at `images`: 0.5^(batch / half-life), the half-life ramping."""
    half_life = min(config.ema_half_life, config.ema_ramp * images)
    return float(0.5 ** (config.batch / max(half_life, 1e-8)))


@torch.no_grad()
def update_ema(ema: torch.nn.Module, model: torch.nn.Module, decay: float) -> None:
    """Parameters decay towards the model's; buffers (w_avg and magnitudes are averages already) are copied."""
    for average, value in zip(ema.parameters(), model.parameters(), strict=True):
        average.lerp_(value, 1 - decay)
    for kept, buffer in zip(ema.buffers(), model.buffers(), strict=True):
        kept.copy_(buffer)


def _averages(tensors: dict[str, torch.Tensor], name: str) -> dict[int, dict[str, torch.Tensor]]:
    """What Adam keeps of a network's gradients, by the number of the parameter. ValueError for other names."""
    entries: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in _below(tensors, f"adam.{name}.").items():
        index, field = key.split(".", 1)
        entries.setdefault(int(index), {})[field] = value
    return entries


def _check_fit(config: TrainConfig, tensors: dict[str, torch.Tensor], document: dict[str, Any], path: Path) -> None:
    """TrainingError where a state is another one than of the networks that it describes.

    Before anything is allocated, and every average: torch's fused Adam believes their sizes, and writes beyond them.
    """
    with Skeleton():  # a lying configuration costs no memory before it is found out
        generator, discriminator = Generator(config.generator), Discriminator(config.discriminator)
    expected: dict[str, torch.Size] = {"pl_mean": torch.Size()}
    try:
        for name, network in (("generator", generator), ("ema", generator), ("discriminator", discriminator)):
            expected |= {f"{name}.{key}": tensor.shape for key, tensor in network.state_dict().items()}
        for name, network in (("generator", generator), ("discriminator", discriminator)):
            shapes = [parameter.shape for parameter in network.parameters()]
            for index in _averages(tensors, name):
                if index < 0:
                    raise ValueError("parameters are numbered from 0 on")
                fields = {"step": torch.Size(), "exp_avg": shapes[index], "exp_avg_sq": shapes[index]}
                expected |= {f"adam.{name}.{index}.{field}": shape for field, shape in fields.items()}
        found = {name: tensor for name, tensor in tensors.items() if not name.startswith("rng.")}
        fits = found.keys() == expected.keys() and all(
            found[name].shape == shape and found[name].dtype == torch.float32 for name, shape in expected.items()
        )
    except (IndexError, ValueError):
        fits = False
    counts = [document.get(name) for name in ("images", "steps", "ticks")]
    fits = fits and all(type(count) is int and 0 <= count < 2**53 for count in counts)
    seconds = document.get("seconds")
    if not fits or not isinstance(seconds, int | float) or not 0 <= seconds < 2**53:
        raise TrainingError(UNFIT.format(path))


def _below(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {key[len(prefix) :]: value for key, value in tensors.items() if key.startswith(prefix)}
