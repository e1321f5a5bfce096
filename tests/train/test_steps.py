# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The arithmetic of training: losses, phases, averages, the sampler, and a resume that changes nothing."""

import json
import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from support.steps import batch, bits, small_config

from gan.devices import DeviceError
from gan.networks.config import ConfigError
from gan.networks.synthesis import SynthesisOptions
from gan.shares import Share
from train.config import TrainConfig, configure, ema_half_life
from train.data import Sampler
from train.device import estimate_memory
from train.errors import TrainingError
from train.losses import (
    Step,
    blur_sigma_at,
    build_phases,
    gaussian_blur,
    lazy_regularization_scale,
    mix_styles,
    path_length_loss,
    r1_loss,
    r1_penalty,
)
from train.state import TrainState, ema_decay, update_ema


def paper(name: str, resolution: int, **others: Any) -> TrainConfig:
    return configure(
        name, resolution=resolution, data="set.zip", data_name="set", data_images=10, data_digest="", **others
    )


# ------------------------------------------------------------------------------------------------------------- resume


@pytest.mark.parametrize("name", list("ABDGTR"))
def test_resume_is_exact(tmp_path: Path, name: str) -> None:
    straight = TrainState(small_config(name))
    for index in range(8):
        straight.step(batch(index), None)
    expected = bits(straight)

    half = TrainState(small_config(name))
    for index in range(4):
        half.step(batch(index), None)
    half.seconds, half.ticks = 12.5, 3
    half.save(tmp_path / "state.safetensors")
    torch.manual_seed(12345)  # what another process would have drawn
    resumed = TrainState.load(tmp_path / "state.safetensors")
    assert (resumed.images, resumed.steps, resumed.ticks, resumed.seconds) == (16, 4, 3, 12.5)
    assert resumed.config == half.config
    for index in range(4, 8):
        resumed.step(batch(index), None)

    found = bits(resumed)
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        assert torch.equal(found[key], value), key


def test_reused_fakes_resume_exactly_too(tmp_path: Path) -> None:
    states = [TrainState(small_config("T", reuse_fakes=True)) for _ in range(2)]
    torch.manual_seed(1)
    states[0].save(tmp_path / "state.safetensors")
    states[0].step(batch(0), None)
    expected = bits(states[0])
    again = TrainState.load(tmp_path / "state.safetensors")
    again.step(batch(0), None)
    assert all(torch.equal(value, expected[key]) for key, value in bits(again).items())


def test_a_state_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    from gan.checkpoints.checkpoint import save_tensors

    state = TrainState(small_config("B"))
    path = tmp_path / "state.safetensors"
    save_tensors(path, {"pl_mean": torch.zeros(())}, {"kind": "training state", "config": state.config.to_json()})
    with pytest.raises(TrainingError, match="cannot be resumed"):
        TrainState.load(path)
    save_tensors(path, {"pl_mean": torch.zeros(())}, {"kind": "generator"})
    with pytest.raises(TrainingError, match="no training state"):
        TrainState.load(path)
    save_tensors(path, {"pl_mean": torch.zeros(())}, {"kind": "training state"})
    with pytest.raises(TrainingError, match="does not say what run"):
        TrainState.load(path, device="cpu")


# What the fuzz harness (tests/fuzz/fuzzing.py) found.


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.update({"adam.generator.0.exp_avg": torch.zeros(1)}),  # Adam wrote beyond its end
        lambda t: t.update({"adam.generator.0.exp_avg_sq": t["adam.generator.0.exp_avg_sq"].flatten()[:-1].clone()}),
        lambda t: t.update({"adam.discriminator.0.step": torch.zeros(9)}),
        lambda t: t.update({"adam.generator.0.exp_avg": t["adam.generator.0.exp_avg"].half()}),
        lambda t: t.pop("adam.generator.0.exp_avg"),
        lambda t: t.update({"adam.generator.9999.step": torch.zeros(())}),
        lambda t: t.update({"adam.generator.-1.step": torch.zeros(())}),
        lambda t: t.update({"adam.generator.surprise": torch.zeros(())}),
        lambda t: t.update({"ema.mapping.w_avg": torch.zeros(8).to(torch.int8)}),
        lambda t: t.update({"rng.cpu": torch.zeros(7)}),
        lambda t: t.update({"surprise": torch.zeros(7)}),
    ],
    ids=range(11),
)
def test_averages_that_do_not_fit_are_refused(tmp_path: Path, change: Any) -> None:
    from gan.checkpoints.checkpoint import load_tensors, save_tensors

    path = tmp_path / "state.safetensors"
    state = TrainState(small_config("T"))
    state.step(batch(0), None)
    state.save(path)
    tensors, document = load_tensors(path)
    change(tensors)
    save_tensors(path, tensors, document)
    with pytest.raises(TrainingError, match="cannot be resumed"):
        TrainState.load(path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("gamma", "1"),
        ("batch", 4.0),
        ("seed", 2**70),
        ("g_lr", -1.0),
        ("g_lr", {}),
        ("adam_betas", [0.5]),
        ("adam_betas", [0.5, 1.0]),
        ("adam_eps", float("nan")),
        ("noise", "some"),
        ("device", 5),
        ("device", "\ud800"),
        ("device", "x" * 5000),
        ("total_images", 10**400),
        ("mirror", 1),
        ("generator", []),
        ("generator", {"c_dim": 3}),
        ("style_mixing", 2.0),
        ("images", -1),
        ("steps", "1"),
        ("ticks", 1.5),
        ("seconds", "1"),
        ("seconds", float("inf")),
    ],
)
def test_wild_options_of_a_state_are_refused(tmp_path: Path, name: str, value: Any) -> None:
    from gan.checkpoints.checkpoint import load_tensors, save_tensors

    path = tmp_path / "state.safetensors"
    TrainState(small_config("T")).save(path)
    tensors, document = load_tensors(path)
    if name in document:
        document[name] = value
    elif isinstance(value, dict) and name == "generator":
        document["config"][name].update(value)
    else:
        document["config"][name] = value
    save_tensors(path, tensors, document)
    with pytest.raises((TrainingError, ConfigError, DeviceError)) as caught:
        TrainState.load(path)
    assert str(caught.value).isprintable() and len(str(caught.value)) < 600


def test_a_state_of_networks_beyond_any_memory_is_refused_before_they_are_built(tmp_path: Path) -> None:
    from gan.checkpoints.checkpoint import load_tensors, save_tensors

    path = tmp_path / "state.safetensors"
    TrainState(small_config("T")).save(path)
    tensors, document = load_tensors(path)
    document["config"]["generator"] |= {"z_dim": 2**20, "w_dim": 2**20}
    save_tensors(path, tensors, document)
    with pytest.raises(TrainingError, match="cannot be resumed"):
        TrainState.load(path)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux lists what is mapped")
def test_nothing_resumed_lies_in_the_file(tmp_path: Path) -> None:
    """A state that stays mapped cannot be replaced on Windows, and cutting the file short kills the process."""
    state = TrainState(small_config("B"))
    state.step(batch(0), None)
    state.save(tmp_path / "state.safetensors")
    mapped = torch.from_file(str(tmp_path / "state.safetensors"), size=8, dtype=torch.uint8)
    assert in_files(mapped), "this test can tell"
    resumed = TrainState.load(tmp_path / "state.safetensors")
    tensors = {
        f"{name}.{key}": value
        for name, network in resumed.networks.items()
        for key, value in network.state_dict().items()
    }
    for name, optimizer in resumed.optimizers.items():
        for index, entry in optimizer.state_dict()["state"].items():
            tensors |= {f"adam.{name}.{index}.{key}": value for key, value in entry.items()}
    assert any(".exp_avg" in key for key in tensors)
    assert [key for key, value in {**tensors, "pl_mean": resumed.pl_mean}.items() if in_files(value)] == []


def in_files(tensor: torch.Tensor) -> bool:
    """Tell whether the tensor's memory is a mapped .safetensors file."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        start, end = (int(address, 16) for address in line.split()[0].split("-"))
        if start <= tensor.data_ptr() < end:
            return line.endswith(".safetensors")
    return False


# ------------------------------------------------------------------------------------------------------------- a step


@pytest.mark.parametrize("name", list("ABDGTR"))
def test_a_step_moves_every_parameter(name: str) -> None:
    state = TrainState(small_config(name))
    before = {n: [p.clone() for p in state.networks[n].parameters()] for n in ("generator", "discriminator")}
    stats: dict[str, torch.Tensor] = {}
    for index in range(2):  # noise strengths start at 0 and gate what is behind them only in the first step
        stats |= state.step(batch(index), None)
    assert stats.keys() >= {"loss_g", "loss_d", "r1", "d_real_sign", "d_fake_sign"}
    assert ("pl" in stats) == (name in "ABC")
    assert all(math.isfinite(float(value)) for value in stats.values())
    for network, parameters in before.items():
        names = [n for n, _ in state.networks[network].named_parameters()]
        for label, old, new in zip(names, parameters, state.networks[network].parameters(), strict=True):
            # w does not reach the Fourier input before rung H; nothing else may stand still.
            assert not torch.equal(old, new), f"{network} {label} did not move"
    assert state.is_finite()
    with torch.no_grad():
        next(state.generator.parameters()).view(-1)[0] = math.nan
    assert not state.is_finite()


def test_the_discriminator_learns_to_tell() -> None:
    """With G held still, D separates constant reals from fakes within a few steps."""
    state = TrainState(small_config("B", gamma=0.1, g_lr=0.0, d_lr=0.01))
    signs = [state.step(torch.ones(4, 3, 16, 16), None) for _ in range(16)][-1]
    assert float(signs["d_real_sign"]) == 1 and float(signs["loss_d"]) < 0.7


def test_r1_by_hand() -> None:
    """D(x) = sum a x + sum x^2 has the gradient a + 2x."""
    x = torch.randn(5, 3, 4, 4, requires_grad=True)
    a = torch.randn(3, 4, 4)
    penalty = r1_penalty((a * x + x.square()).sum((1, 2, 3)), x)
    torch.testing.assert_close(penalty, (a + 2 * x).square().sum((1, 2, 3)))
    (again,) = torch.autograd.grad(penalty.sum(), x)
    torch.testing.assert_close(again, 4 * (a + 2 * x))


def test_r1_is_weighted_by_half_gamma_and_its_interval() -> None:
    state = TrainState(small_config("B", gamma=3.0, r1_interval=5))
    step = Step(state.config, state.generator, state.discriminator, batch(0), None, state.pl_mean, state.augmenter)
    loss, stats = r1_loss(step)
    torch.testing.assert_close(loss.detach(), stats["r1"] * 3.0 / 2 * 5)


def test_path_length_mean_follows_its_decay() -> None:
    """The first penalty measures lengths against a hundredth of their own mean."""
    state = TrainState(small_config("B"))
    found = state.step(batch(0), None)
    length = float(state.pl_mean) / 0.01
    assert length > 0 and float(found["pl"]) >= (0.99 * length) ** 2 * (1 - 1e-4)


def test_path_length_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures whose every pixel is scale · Σ M w: with y = 1 / sqrt(H W), J^T y is scale · 3 sqrt(H W) M."""
    m = torch.tensor([[1.0, 2.0, 2.0], [2.0, 3.0, 6.0]])  # [num_ws, w_dim]; the rows' squared lengths are 9 and 49
    scales = torch.tensor([1.0, 2.0])

    def synthesis(ws: torch.Tensor, options: SynthesisOptions) -> torch.Tensor:
        return (scales * (ws * m).sum((1, 2)))[:, None, None, None].expand(-1, 3, 2, 8)

    def mapping(z: torch.Tensor, labels: None, **_: Any) -> torch.Tensor:
        return torch.randn(len(z), 2, 3, requires_grad=True)

    config = small_config("T", pl_weight=2.0, pl_interval=5, pl_decay=0.25)
    linear: Any = SimpleNamespace(config=config.generator, mapping=mapping, synthesis=synthesis)
    monkeypatch.setattr(Share, "draw_normal", lambda share, *size, device: torch.ones(len(share), *size))
    step = Step(
        config,
        linear,
        TrainState(config).discriminator,
        batch(0),
        None,
        torch.tensor(10.0),
        TrainState(config).augmenter,
    )
    loss, stats = path_length_loss(step)

    lengths = [scale * 3 * math.sqrt(2 * 8) * math.sqrt((9 + 49) / 2) for scale in (1, 2)]
    mean = 10 + 0.25 * (sum(lengths) / 2 - 10)
    penalty = sum((length - mean) ** 2 for length in lengths) / 2
    assert float(step.pl_mean) == pytest.approx(mean)
    assert float(stats["pl"]) == pytest.approx(penalty)
    assert loss.item() == pytest.approx(penalty * 2 * 5)


def test_phases_and_lazy_regularization_scales() -> None:
    names = {name: [phase.name for phase in build_phases(small_config(name))] for name in "BT"}
    assert names["B"] == ["g_main", "g_path_length", "d_main", "d_r1"]
    assert names["T"] == ["g_main", "d_main", "d_r1"]
    state = TrainState(small_config("B", pl_interval=4, r1_interval=16))
    for network, lr, k in (("generator", 0.0025, 4), ("discriminator", 0.0020, 16)):
        group = state.optimizers[network].param_groups[0]
        assert group["lr"] == pytest.approx(lr * k / (k + 1))
        assert group["betas"] == (0.0, pytest.approx(0.99 ** (k / (k + 1))))
        assert group["eps"] == 1e-8
    assert lazy_regularization_scale(small_config("T"), "generator") == 1
    assert [phase.name for phase in build_phases(small_config("T", gamma=0.0))] == ["g_main", "d_main"]


def test_lazy_phases_run_when_due() -> None:
    state = TrainState(small_config("B", pl_interval=2, r1_interval=3))
    found = [sorted({"pl", "r1"} & set(state.step(batch(0), None))) for _ in range(6)]
    assert found == [["pl", "r1"], [], ["pl"], ["r1"], ["pl"], []]


def test_style_mixing_swaps_a_tail() -> None:
    ws, other = torch.zeros(400, 6, 2), torch.ones(400, 6, 2)
    assert torch.equal(mix_styles(ws, other, 0.0), ws)
    mixed = mix_styles(ws, other, 0.9)[:, :, 0]
    assert (mixed[:, 0] == 0).all() and (mixed.diff(dim=1) >= 0).all()
    swapped = mixed[:, -1].mean()
    assert 0.84 < swapped < 0.96
    assert set(mixed.sum(1).int().tolist()) == {0, 1, 2, 3, 4, 5}


def test_blur_is_a_gaussian_that_fades() -> None:
    impulse = torch.zeros(1, 2, 33, 33)
    impulse[:, :, 16, 16] = 1
    blurred = gaussian_blur(impulse, 2.0)
    x = torch.arange(33.0) - 16
    torch.testing.assert_close(blurred.sum((2, 3)), torch.ones(1, 2))
    assert float((blurred[0, 0] * x[None, :].square()).sum()) == pytest.approx(4, rel=0.05)
    torch.testing.assert_close(gaussian_blur(torch.ones(1, 3, 8, 8), 2.0), torch.ones(1, 3, 8, 8))
    config = paper("R", 256, total_images=25_000_000)
    assert (config.blur_sigma, config.blur_images) == (10, 200_000)
    assert [blur_sigma_at(config, images) for images in (0, 100_000, 200_000, 300_000)] == [10, 5, 0, 0]
    short = paper("R", 32, total_images=100_000)
    assert (short.blur_sigma, short.blur_images) == (1.25, 10_000)
    assert blur_sigma_at(paper("T", 256), 0) == 0


# -------------------------------------------------------------------------------------------------- averages, settings


def test_ema_decay_and_update() -> None:
    config = paper("T", 256)
    assert config.ema_half_life == ema_half_life(64) == 20_000
    assert ema_decay(config, 10**6) == pytest.approx(0.5 ** (64 / 20_000))
    assert ema_decay(config, 10_000) == pytest.approx(0.5 ** (64 / 500))  # ramp: 5% of the images so far
    assert ema_decay(config, 0) == 0
    average, model = torch.nn.BatchNorm1d(2), torch.nn.BatchNorm1d(2)
    with torch.no_grad():
        model.weight.fill_(3)
    model.running_mean.fill_(7)  # type: ignore[union-attr]
    update_ema(average, model, 0.75)
    torch.testing.assert_close(average.weight.detach(), torch.full((2,), 1.5))
    torch.testing.assert_close(average.running_mean, torch.full((2,), 7.0))


def test_averages_advance_once_a_step() -> None:
    """w_avg and magnitudes count batches: the discriminator's and the path-length forward leave them alone."""
    state = TrainState(small_config("T"))
    calls = []
    mapping = state.generator.mapping.forward

    def watched(*args: Any, **kwargs: Any) -> torch.Tensor:
        calls.append(kwargs.get("update_emas", False))
        return mapping(*args, **kwargs)

    state.generator.mapping.forward = watched  # type: ignore[method-assign]
    state.step(batch(0), None)
    assert calls == [True, False]


def test_gamma_formula() -> None:
    assert paper("T", 256).gamma == pytest.approx(1.024)
    assert paper("T", 1024).gamma == pytest.approx(32.768)
    assert paper("T", 64, preset_name="tiny").gamma == pytest.approx(0.256)
    assert paper("T", 256, gamma=5.0).gamma == 5


@pytest.mark.parametrize(
    ("name", "resolution", "expected"),
    [  # references, *Training*: batch, EMA, mapping depth, mbstd group, C_base, C_max, G lr, D lr, path length
        ("A", 256, (64, 20_000, 8, 8, 2**14, 512, 0.0025, 0.0025, 2)),
        ("C", 256, (64, 20_000, 8, 8, 2**14, 512, 0.0025, 0.0025, 2)),
        ("D", 256, (64, 20_000, 2, 4, 2**14, 512, 0.0025, 0.0025, 0)),
        ("H", 256, (64, 20_000, 2, 4, 2**14, 512, 0.0025, 0.0025, 0)),
        ("B", 256, (64, 20_000, 8, 8, 2**14, 512, 0.0025, 0.0025, 2)),
        ("T", 256, (64, 20_000, 2, 4, 2**14, 512, 0.0025, 0.0025, 0)),
        ("R", 256, (64, 20_000, 2, 4, 2**15, 1024, 0.0025, 0.0025, 0)),
        ("stylegan2", 1024, (32, 10_000, 8, 4, 2**15, 512, 0.0020, 0.0020, 2)),
        ("stylegan3-t", 1024, (32, 10_000, 2, 4, 2**15, 512, 0.0025, 0.0020, 0)),
        ("stylegan3-r", 1024, (32, 10_000, 2, 4, 2**16, 1024, 0.0025, 0.0020, 0)),
    ],
)
def test_paper_settings(name: str, resolution: int, expected: tuple[float, ...]) -> None:
    c = paper(name, resolution)
    found = [
        c.batch,
        c.ema_half_life,
        c.generator.mapping_layers,
        c.discriminator.mbstd_group,
        c.generator.channel_base,
        c.generator.channel_max,
        c.g_lr,
        c.d_lr,
        c.pl_weight,
    ]
    assert found == list(expected)
    assert c.style_mixing == (0.9 if c.rung in "ABC" else 0)
    assert c.blur_sigma == (pytest.approx(10 * resolution / 256) if c.rung == "R" else 0)
    if name in ("T", "R"):
        assert c.generator.magnitude_ema_beta == pytest.approx(0.5 ** (64 / 20_000))


def test_given_channels_are_ts_values() -> None:
    t, r = (paper(name, 32, preset_name="tiny", channel_base=512, channel_max=24) for name in "TR")
    assert (t.generator.channel_base, t.generator.channel_max) == (512, 24)
    assert (r.generator.channel_base, r.generator.channel_max) == (1024, 48)
    assert (r.discriminator.channel_base, r.discriminator.channel_max) == (512, 24)


def test_switches_and_their_refusals() -> None:
    config = paper(
        "T", 64, switches={"filter_size": 8, "filter_kind": "lanczos", "capacity": 0.5}, pl_weight=0.5, style_mixing=0.5
    )
    assert (config.generator.filter_size, config.generator.filter_kind) == (8, "lanczos")
    assert (config.generator.channel_base, config.generator.channel_max) == (2**13, 256)
    assert (config.discriminator.channel_base, config.discriminator.channel_max) == (2**14, 512)
    assert (config.pl_weight, config.style_mixing) == (0.5, 0.5)
    assert paper("T", 32, preset_name="tiny", switches={"num_layers": 10}).generator.num_layers == 10
    with pytest.raises(ConfigError, match="Rung G has no --num-layers"):
        paper("G", 32, preset_name="tiny", switches={"num_layers": 10})


@pytest.mark.parametrize("name", list("ABCDEFGHTR"))
def test_configuration_survives_json(name: str) -> None:
    config = paper(name, 32, preset_name="tiny")
    assert TrainConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


def test_configuration_refuses_what_it_does_not_know() -> None:
    document = small_config("T").to_json()
    with pytest.raises(TrainingError, match="surprise"):
        TrainConfig.from_json({**document, "surprise": 1})
    with pytest.raises(TrainingError, match="incomplete"):
        TrainConfig.from_json({key: value for key, value in document.items() if key != "gamma"})
    with pytest.raises(ConfigError, match="there is no rung|There is no rung"):
        paper("Z", 32)
    with pytest.raises(TrainingError, match="batch of 6"):
        paper("T", 32, batch=6)
    with pytest.raises(TrainingError, match="kimg"):
        paper("T", 32, total_images=0)
    with pytest.raises(ConfigError, match="preset"):
        paper("T", 32, preset_name="huge")


def test_memory_estimate_counts_every_weight() -> None:
    """Four bytes for each weight, its gradient, two moments and the average: what one more mapping layer costs."""
    config, wider = (
        small_config("T"),
        small_config("T", generator=replace(small_config("T").generator, mapping_layers=3)),
    )
    assert estimate_memory(wider) - estimate_memory(config) == 4 * 5 * (8 * 8 + 8)


def test_memory_estimate_orders_runs() -> None:
    tiny, large = paper("T", 32, preset_name="tiny"), paper("R", 1024)
    assert estimate_memory(tiny) < 2 * 2**30 < 20 * 2**30 < estimate_memory(large)
    assert estimate_memory(replace(large, batch=64)) > 1.5 * estimate_memory(large)


# ------------------------------------------------------------------------------------------------------------- sampler


@pytest.mark.parametrize("mirror", [False, True])
def test_sampler_visits_everything_once_an_epoch(mirror: bool) -> None:
    sampler = Sampler(7, seed=3, mirror=mirror)
    length = 14 if mirror else 7
    epochs = [sampler.pick(length * epoch, length) for epoch in range(2)]
    for indices, flipped, down in epochs:
        assert not down.any()
        seen = sorted(zip(indices.tolist(), flipped.tolist(), strict=True))
        assert seen == [(i, f) for i in range(7) for f in ([False, True] if mirror else [False])]
    assert not np.array_equal(epochs[0][0], epochs[1][0])


@pytest.mark.parametrize("mirror", [False, True])
def test_an_epoch_holds_each_picture_as_often_as_it_is_flipped(mirror: bool) -> None:
    sampler = Sampler(5, seed=0, mirror=mirror, mirror_y=True)
    picks = sampler.pick(0, sampler.epoch_length)
    seen = sorted(zip(*(array.tolist() for array in picks), strict=True))
    across = [False, True] if mirror else [False]
    assert seen == [(i, x, y) for i in range(5) for x in across for y in (False, True)]


def test_sampler_depends_on_position_and_seed_only() -> None:
    straight = Sampler(7, seed=3, mirror=True)
    pieces = [straight.pick(position, 5)[0] for position in range(0, 60, 5)]
    np.testing.assert_array_equal(np.concatenate(pieces)[23:51], Sampler(7, seed=3, mirror=True).pick(23, 28)[0])
    assert not np.array_equal(Sampler(7, seed=4, mirror=True).pick(0, 60)[0], np.concatenate(pieces))
