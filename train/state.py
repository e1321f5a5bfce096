# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Training state for exact resume: networks, optimisers, counters, random generators, and its file.

On the CPU 2N steps equal N, save, load, N, bit for bit (docs/architecture.md); a GPU goes on with the
same pictures and random numbers, but some of its kernels add in no fixed order. Nothing is pickled: the file is tensors
and a JSON document.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, Self

import torch

from gan.checkpoints.checkpoint import load_tensors, save_tensors
from gan.devices import require_device
from gan.networks.discriminator import Discriminator
from gan.networks.generator import Generator
from gan.networks.meta_init import MetaInit
from gan.shares import Share
from train.augmentation import TENSORS, Augmenter
from train.config import TrainConfig, list_layers
from train.errors import TrainingError, is_out_of_memory
from train.losses import Phase, Step, blur_sigma_at, build_phases, count_path_lengths, lazy_regularization_scale
from train.mixed_precision import loss_scale, unscale_and_sanitize_
from train.ranks.dealing import deal
from train.ranks.group import ALONE, Ranks
from train.ranks.random_state import read_random_state, set_random_state

KIND = "training state"  # in the document of the file
UNFIT = "{} does not fit the networks it describes; it cannot be resumed."
NETWORKS = ("generator", "discriminator", "ema")
COUNTERS = ("images", "steps", "ticks", "seconds")


class TrainState:
    """Networks, optimisers, counters and random state of a run.

    Attributes: `generator`, `discriminator`, `ema` (the generator's moving average) and `networks`, the three by these
    names; `images` and `steps` done, `ticks` written, `seconds` spent over all sessions, `pl_mean` (0-d), `augmenter`.
    The sampler's position is `images`.
    """

    def __init__(self, config: TrainConfig, ranks: Ranks = ALONE) -> None:
        """Begin a new run: seed torch's global generators, which every random draw of training uses.

        All `ranks` hold the same numbers at the end of every step, so that the state of one is that of all.
        """
        self.config, self.ranks = config, ranks
        self.device = torch.device(config.device)
        torch.manual_seed(config.seed)
        self.generator = Generator(config.generator).train().to(self.device)
        self.discriminator = Discriminator(config.discriminator).train().to(self.device)
        self.ema = copy.deepcopy(self.generator).eval().requires_grad_(False)
        self.networks: dict[str, torch.nn.Module] = {name: getattr(self, name) for name in NETWORKS}
        rates = {"generator": config.g_lr, "discriminator": config.d_lr}
        self.optimizers = {name: self._build_adam(name, lr) for name, lr in rates.items()}
        self.phases = build_phases(config)
        self.pl_mean = torch.zeros((), device=self.device)
        self.augmenter = Augmenter(config.augment, self.device)
        self.images = self.steps = self.ticks = 0
        self.seconds = 0.0

    def _build_adam(self, name: str, lr: float) -> torch.optim.Adam:
        config, scale = self.config, lazy_regularization_scale(self.config, name)
        betas = (config.adam_betas[0] ** scale, config.adam_betas[1] ** scale)
        parameters = self.networks[name].parameters()
        return torch.optim.Adam(parameters, lr=lr * scale, betas=betas, eps=config.adam_eps, fused=True)

    @property
    def shares(self) -> list[Share]:
        """This rank's parts of a batch, one a round, as the configuration says now."""
        return deal_batch(self.config, self.ranks.count, self.ranks.rank)

    def step(self, reals: torch.Tensor, labels: torch.Tensor | None) -> dict[str, torch.Tensor]:
        """Train one step: every due phase, then the moving average and the counters.

        `reals` [N, C, S, S] and `labels` [N, c_dim], or None, are this rank's of the batch.
        On a GPU the step is only queued: nothing here waits for a value. Returns the losses' statistics, 0-d tensors on
        the device; with float16 also "grad_nonfinite", 1 if a gradient held a value that is not finite.
        """
        config, is_held = self.config, self.images < self.config.warmup_images
        labels = None if labels is None else self.ranks.undeal(labels)  # fakes' are drawn from the whole batch's
        stats: dict[str, torch.Tensor] = {}
        nonfinite: list[torch.Tensor] = []
        blur = blur_sigma_at(config, self.images)
        networks = self.generator, self.discriminator
        step = Step(config, *networks, reals, labels, self.pl_mean, self.augmenter, blur, self.ranks, self.shares)
        # The networks choose their types: a caller's autocast would convert single operations by their names.
        with torch.autocast(self.device.type, enabled=False):
            for phase in self.phases:
                if self.steps % phase.interval or (is_held and phase.network == "generator"):
                    continue
                for name in self.optimizers:
                    self.networks[name].requires_grad_(name == phase.network)
                self._freeze()
                stats |= self._add_gradients(phase, step)
                nonfinite += self._move(phase.network)
        if self.ranks.count > 1:
            stats = dict(zip(stats, self.ranks.sum(torch.stack(list(stats.values()))).unbind(), strict=True))
        self.augmenter.observe(stats["d_real_sign"], config.batch)
        if nonfinite:
            stats["grad_nonfinite"] = torch.stack(nonfinite).amax()
        if config.augment.mode != "noaug":
            stats["augment_p"] = torch.full((), self.augmenter.p, device=self.device)
        self.images += config.batch
        self.steps += 1
        self.augmenter.adapt(self.steps, config.batch)
        if not is_held:  # G has not moved, and what its average was at the start stays
            update_ema(self.ema, self.generator, ema_decay(config, self.images))
        return stats

    def _add_gradients(self, phase: Phase, step: Step) -> dict[str, torch.Tensor]:
        """Add up the gradients of a phase's rounds; return its statistics on this rank."""
        config = self.config
        scale = loss_scale(config.batch, config.resolution) if config.num_fp16_res else 1.0
        stats: dict[str, torch.Tensor] = {}
        step.begin_phase()
        for number in range(len(step.shares)):
            step.begin_round(number)
            loss, measured = phase.loss(step)
            (loss if scale == 1 else loss * scale).backward()
            stats = {name: value + stats[name] if stats else value for name, value in measured.items()}
        return stats

    def _move(self, name: str) -> list[torch.Tensor]:
        """Let a network's optimiser step by the gradients of all ranks; with float16, tell if one was not finite."""
        config, parameters, nonfinite = self.config, list(self.networks[name].parameters()), []
        self.ranks.sum_gradients(parameters)
        if config.num_fp16_res:
            nonfinite.append(unscale_and_sanitize_(parameters, loss_scale(config.batch, config.resolution)))
        self.optimizers[name].step()
        self.optimizers[name].zero_grad(set_to_none=True)
        return nonfinite

    def _freeze(self) -> None:
        """Leave out of the coming gradient what is frozen."""
        for name in list_layers(self.config.discriminator)[: self.config.freezed]:
            self.discriminator.get_submodule(name).requires_grad_(False)

    def is_finite(self) -> bool:
        """Tell whether every weight that would be saved is a finite number."""
        return all(bool(torch.isfinite(t).all()) for net in self.networks.values() for t in net.state_dict().values())

    def save(self, path: Path) -> None:
        """Write the whole state to `path`, atomically."""
        tensors = {"pl_mean": self.pl_mean}
        tensors |= {f"rng.{kind}": state for kind, state in read_random_state(self.device).items()}
        for name, network in self.networks.items():
            tensors |= {f"{name}.{key}": value for key, value in network.state_dict().items()}
        for name, optimizer in self.optimizers.items():
            for index, entry in optimizer.state_dict()["state"].items():
                tensors |= {f"adam.{name}.{index}.{key}": value for key, value in entry.items()}
        tensors |= {f"augment.{name}": value for name, value in self.augmenter.tensors().items()}
        counters = {name: getattr(self, name) for name in COUNTERS}
        document = {"kind": KIND, "config": self.config.to_json(), "augment_p": self.augmenter.p, **counters}
        save_tensors(path, tensors, document)

    @classmethod
    def load(cls, path: Path, device: str | None = None, ranks: Ranks = ALONE) -> Self:
        """Load the state in `path` on `device` (default: the one it was saved on), and set the random generators.

        Any number of `ranks` may have saved it.

        TrainingError if the file is no state or does not fit its own networks, DeviceError if the device is missing.
        """
        tensors, document = load_tensors(path)
        if document.get("kind") != KIND:
            raise TrainingError(f"{path} holds no training state; give a run folder that train.py wrote.")
        options = document.get("config")
        if not isinstance(options, dict):
            raise TrainingError(f"{path} does not say what run it belongs to; it is damaged and cannot be resumed.")
        config = TrainConfig.from_json(options if device is None else {**options, "device": device})
        require_device(config.device)
        _check_fit(config, tensors, document, path)
        state = cls(config, ranks)
        try:
            state._restore(tensors, document)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            if is_out_of_memory(error):
                raise
            raise TrainingError(UNFIT.format(path)) from error
        return state

    def _restore(self, tensors: dict[str, torch.Tensor], document: dict[str, Any]) -> None:
        for name, network in self.networks.items():
            network.load_state_dict(_select(tensors, f"{name}."))
        for name, optimizer in self.optimizers.items():
            moments = _adam_moments(tensors, name)
            optimizer.load_state_dict({"state": moments, "param_groups": optimizer.state_dict()["param_groups"]})
        self.pl_mean.copy_(tensors["pl_mean"])
        self.augmenter.restore(_select(tensors, "augment."), document.get("augment_p"))
        for name in COUNTERS:
            setattr(self, name, document[name])
        set_random_state(_select(tensors, "rng."), self.device)


def deal_batch(config: TrainConfig, ranks: int, rank: int = 0) -> list[Share]:
    """Return a rank's parts of a batch, one a round; RanksError, TrainingError for a batch that cannot be dealt so."""
    group, lengths = config.discriminator.group_size(config.batch), count_path_lengths(config)
    shares = deal(config.batch, group, rank, ranks, config.batch_gpu)
    if config.pl_weight and lengths < ranks * len(shares):
        raise TrainingError(
            f"The path length is measured on {lengths} pictures of a batch, too few for the {ranks * len(shares)} "
            "parts that it is computed in: give a larger --batch or --batch-gpu, or --pl-weight=0."
        )
    return shares


def ema_decay(config: TrainConfig, images: int) -> float:
    """Return the average's decay in the step that ends at `images`: 0.5^(batch / half-life), the half-life ramping."""
    half_life = min(config.ema_half_life, config.ema_ramp * images) if config.ema_ramp else config.ema_half_life
    return float(0.5 ** (config.batch / max(half_life, 1e-8)))


@torch.no_grad()
def update_ema(ema: torch.nn.Module, model: torch.nn.Module, decay: float) -> None:
    """Move `ema`'s parameters towards the model's; copy its buffers: w_avg and magnitudes are averages already."""
    for average, value in zip(ema.parameters(), model.parameters(), strict=True):
        average.lerp_(value, 1 - decay)
    for kept, buffer in zip(ema.buffers(), model.buffers(), strict=True):
        kept.copy_(buffer)


def _adam_moments(tensors: dict[str, torch.Tensor], name: str) -> dict[int, dict[str, torch.Tensor]]:
    """Return Adam's state of a network by the number of the parameter; ValueError for other names."""
    moments: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in _select(tensors, f"adam.{name}.").items():
        index, field = key.split(".", 1)
        moments.setdefault(int(index), {})[field] = value
    return moments


def _select(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {key[len(prefix) :]: value for key, value in tensors.items() if key.startswith(prefix)}


def _check_fit(config: TrainConfig, tensors: dict[str, torch.Tensor], document: dict[str, Any], path: Path) -> None:
    """Raise TrainingError if a state does not fit the networks that it describes.

    Everything is checked before anything is allocated: torch's fused Adam trusts the sizes of its moments and writes
    beyond them.
    """
    *counts, seconds = (document.get(name) for name in COUNTERS)
    try:
        expected = _expected_shapes(config, tensors)
        found = {name: tensor for name, tensor in tensors.items() if not name.startswith("rng.")}
        fits = (
            found.keys() == expected.keys()
            and all(found[name].shape == shape for name, shape in expected.items())
            and all(tensor.dtype == torch.float32 for tensor in found.values())
            and all(type(count) is int and 0 <= count < 2**53 for count in counts)
            and isinstance(seconds, int | float)
            and 0 <= seconds < 2**53
        )
    except ValueError:  # a name that is none of Adam's
        fits = False
    if not fits:
        raise TrainingError(UNFIT.format(path))


def _expected_shapes(config: TrainConfig, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Size]:
    """Return the shapes of a state's tensors but the random generators'; Adam's, for the parameters that it names."""
    with MetaInit():  # without memory, which a wrong configuration could ask too much of
        generator, discriminator = Generator(config.generator), Discriminator(config.discriminator)
    expected: dict[str, torch.Size] = {"pl_mean": torch.Size()}
    if config.augment.mode == "ada":
        expected |= {f"augment.{name}": torch.Size([2]) for name in TENSORS}
    for name, network in (("generator", generator), ("ema", generator), ("discriminator", discriminator)):
        expected |= {f"{name}.{key}": tensor.shape for key, tensor in network.state_dict().items()}
    for name, network in (("generator", generator), ("discriminator", discriminator)):
        shapes = dict(enumerate(parameter.shape for parameter in network.parameters()))
        for index in _adam_moments(tensors, name).keys() & shapes.keys():
            fields = {"step": torch.Size(), "exp_avg": shapes[index], "exp_avg_sq": shapes[index]}
            expected |= {f"adam.{name}.{index}.{field}": shape for field, shape in fields.items()}
    return expected
