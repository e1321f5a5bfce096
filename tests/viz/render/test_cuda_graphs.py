# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The render path of CUDA devices, without one: a traced program stands for a CUDA graph.

Like a graph, a trace (make_fx) holds operators and the tensors that they read, and nothing of Python: whatever was
decided while it was made stays. Its results are copied to where the first ones were, as a graph's are.
"""

import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils import _pytree as pytree

from gan.checkpoints.checkpoint import save_generator
from gan.networks.generator import Generator, init_generator
from gan.networks.input_transform import InputOverrides, learned_vector, user_matrix
from gan.networks.ladder import rung_config
from gan.networks.precision import FULL_PRECISION, NUM_FP16_RES, PrecisionPolicy
from gan.networks.synthesis import SynthesisOptions
from viz.core.images import DeviceImage
from viz.core.latent import seed_point
from viz.core.noise import Noise
from viz.core.request import PictureRequest, RenderRequest
from viz.core.result import RenderResult
from viz.loading.lru_cache import LRUCache
from viz.render import cuda_graphs, precision
from viz.render.cuda_graphs import CudaBackend, GraphCache, SynthesisGraphs, SynthesisInputs, run_eager, select_fastest
from viz.render.noise import make_planes
from viz.render.postprocess import measure_input, to_rgba8, unpack_input
from viz.render.renderer import Renderer
from viz.render.worker import Worker

SIZE = 16
RAN: list[str] = []  # names of what was replayed


def traced(function: Callable[[], Any]) -> Callable[[], Any]:
    """What viz.render.cuda_graphs.captured does, on any device."""
    with torch.inference_mode(False), torch.no_grad():
        program = make_fx(function)()
    result = function()
    name = "finish" if not isinstance(result, dict) and result[0].dtype == torch.uint8 else "synthesize"
    name = "modulate" if isinstance(result, dict) else name

    def again() -> Any:
        RAN.append(name)
        for held, value in zip(pytree.tree_leaves(result), pytree.tree_leaves(program()), strict=True):
            if held is not None:
                held.copy_(value)
        return result

    return again


class Event:
    """Of torch.cuda, where everything is done at once."""

    def __init__(self, enable_timing: bool = False) -> None:
        self.at = 0.0

    def record(self) -> None:
        self.at = time.perf_counter()

    def synchronize(self) -> None:
        assert self.at

    def elapsed_time(self, end: "Event") -> float:
        return 1e3 * (end.at - self.at)


@pytest.fixture(autouse=True)
def events(monkeypatch: pytest.MonkeyPatch) -> None:
    RAN.clear()
    monkeypatch.setattr(torch.cuda, "Event", Event)


def small(cfg: str, **options: Any) -> Generator:
    layers = {"num_layers": 4} if cfg in "TR" else {}
    return init_generator(
        rung_config(cfg, SIZE, channel_base=256, channel_max=8, w_dim=16, z_dim=16, **layers, **options)
    )


def latents(generator: Generator, *seeds: int) -> list[torch.Tensor]:
    return [generator.mapping(torch.randn(1, 16, generator=torch.Generator().manual_seed(seed))) for seed in seeds]


CASES = [
    ("A", 0, False),
    ("B", 0, False),
    ("E", 0, False),
    ("T", 0, False),
    ("T", 0, True),
    ("R", NUM_FP16_RES, False),
    ("A", NUM_FP16_RES, False),
]


@pytest.mark.slow
@pytest.mark.parametrize(("cfg", "half", "learned"), CASES)
@torch.no_grad()
def test_a_replay_draws_what_the_network_draws(cfg: str, half: int, learned: bool) -> None:
    generator = small(cfg)
    movable, precision = generator.config.movable, PrecisionPolicy(half, True)
    one, other = latents(generator, 1, 2)
    moves = [(0.0, 0.0, 0.0, 1.0), (0.1, -0.2, 30.0, 1.2), (0.1, -0.2, 30.0, 1.2), (0.3, 0.0, 0.0, 1.0)]
    ways = [(0.1, 0.0, 90.0), (0.1, 0.0, 90.0), (0.0, 0.2, 5.0), (0.0, 0.2, 5.0)]
    first = SynthesisInputs(
        cfg, generator.synthesis, precision, 1, one, moves[0] if movable else None, learned=ways[0] if learned else None
    )
    found = SynthesisGraphs(first, precision, traced)
    images = []
    for (key, ws), motion, way in zip([(1, one), (1, one), (2, other), (1, one)], moves, ways, strict=True):
        asked = {"motion": motion if movable else None, "learned": way if learned else None}
        picture, facts = found.render(first._replace(ws_key=key, ws=ws, **asked))
        overrides = InputOverrides(learned_vector(*way)) if learned else InputOverrides()
        transform = user_matrix(*motion) if movable else None
        expected = generator.synthesis(
            ws,
            SynthesisOptions(
                transform=transform,
                overrides=overrides,
                precision=precision,
                weights=generator.synthesis.modulate(ws, precision),
            ),
        )
        torch.testing.assert_close(picture, expected, atol=1e-6, rtol=1e-6)
        torch.testing.assert_close(
            facts, measure_input(generator.synthesis, ws, transform, overrides), equal_nan=True, atol=1e-6, rtol=0
        )
        images.append((found.finish(), to_rgba8(expected)))
    for (image, enlarged), (expected_image, expected_enlarged) in images:  # also those drawn first
        assert (image.int() - expected_image.int()).abs().max() <= 1 and enlarged is not None
        assert (enlarged.int() - expected_enlarged.int()).abs().max() <= 1
    assert not torch.equal(images[0][0][0], images[2][0][0])


@pytest.mark.slow
@torch.no_grad()
def test_only_what_changed_is_copied_and_run(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = small("T")
    one, other = latents(generator, 1, 2)
    copied: list[int] = []
    copy_in = cuda_graphs.copy_in
    monkeypatch.setattr(
        cuda_graphs, "copy_in", lambda values, target: (copied.append(len(target)), copy_in(values, target))
    )
    steps = [
        ((1, one, (0.0, 0.0, 0.0, 1.0), (0.0, 0.0, 0.0)), ["modulate", "synthesize"], [3, 4]),
        ((1, one, (0.1, 0.0, 0.0, 1.0), (0.0, 0.0, 0.0)), ["synthesize"], [3]),
        ((1, one, (0.1, 0.0, 0.0, 1.0), (0.2, 0.0, 0.0)), ["synthesize"], [4]),
        ((2, other, (0.1, 0.0, 0.0, 1.0), (0.2, 0.0, 0.0)), ["modulate", "synthesize"], []),
    ]
    made = [
        SynthesisInputs("T", generator.synthesis, FULL_PRECISION, key, ws, motion, learned=learned)
        for (key, ws, motion, learned), _, _ in steps
    ]
    found = SynthesisGraphs(made[0], FULL_PRECISION, traced)
    for inputs, (_, ran, copies) in zip(made, steps, strict=True):
        RAN.clear(), copied.clear()
        found.render(inputs)
        assert ran == RAN and copied == copies


@pytest.mark.slow
@torch.no_grad()
def test_planes_of_noise_are_inputs_of_the_graphs() -> None:
    generator = small("A")
    (ws,) = latents(generator, 1)
    for name, parameter in generator.named_parameters():
        if name.endswith("noise_strength"):
            parameter.fill_(0.5)
    asked = [Noise("random", 1.0), Noise("random", 1.5), Noise("const", 0.0, 2.0), Noise("random", 1.0)]
    made = [
        SynthesisInputs(
            "A",
            generator.synthesis,
            FULL_PRECISION,
            1,
            ws,
            None,
            noise=noise,
            planes=make_planes(generator.synthesis, noise, LRUCache(1e9)),
        )
        for noise in asked
    ]
    found, pictures = SynthesisGraphs(made[0], FULL_PRECISION, traced), []
    for inputs in made:
        picture, _ = found.render(inputs)
        expected = generator.synthesis(ws, SynthesisOptions(planes=inputs.planes))
        torch.testing.assert_close(picture, expected, atol=1e-5, rtol=1e-5)
        pictures.append(picture.clone())
    assert torch.equal(pictures[0], pictures[3]) and not torch.allclose(pictures[0], pictures[1], atol=1e-3)


def job(cfg: str, half: int = 0, **others: Any) -> SynthesisInputs:
    generator = small(cfg)
    (ws,) = latents(generator, 1)
    return SynthesisInputs(cfg, generator.synthesis, PrecisionPolicy(half), 1, ws, (0.1, 0.0, 0.0, 1.0), **others)


@pytest.mark.slow
@torch.no_grad()
def test_graphs_are_made_once_and_the_faster_layout_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[bool | None] = []

    class Counted(SynthesisGraphs):
        def __init__(self, inputs: SynthesisInputs, precision: PrecisionPolicy, capture: Any) -> None:
            made.append(precision.channels_last)
            super().__init__(inputs, precision, capture)

    monkeypatch.setattr(cuda_graphs, "SynthesisGraphs", Counted)
    monkeypatch.setattr(cuda_graphs, "_milliseconds", lambda found: 1.0 if found.precision.channels_last else 2.0)
    drawing, first = CudaBackend(traced), job("T")
    drawn = drawing.render(first)
    assert made == [False, True] and "channels-last; a CUDA graph" in drawn.how and drawn.how.startswith("float32")
    drawing.render(first._replace(ws_key=2, motion=(0.2, 0.0, 0.0, 1.0)))
    assert made == [False, True]
    drawing.render(first._replace(learned=(0.0, 0.0, 10.0)))  # other graphs, in the layout that is known
    assert made == [False, True, True]
    assert "float16 in the highest 4" in drawing.render(first._replace(precision=PrecisionPolicy(NUM_FP16_RES))).how
    assert made == [False, True, True, True, False]
    drawing.retain(lambda model: model != "T")
    assert not drawing.graphs and not drawing.layouts
    assert isinstance(drawn.picture, DeviceImage) and drawn.waits and drawn.read().model_ms >= 0


@pytest.mark.slow
@torch.no_grad()
def test_what_cannot_be_captured_runs_call_by_call() -> None:
    def refuse(function: Callable[[], Any]) -> Callable[[], Any]:
        raise RuntimeError("operation not permitted when stream is capturing\nmore")

    def full(function: Callable[[], Any]) -> Callable[[], Any]:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    first = job("T")
    drawn = CudaBackend(refuse).render(first)
    assert "no CUDA graph" in drawn.how
    assert isinstance(drawn.picture, DeviceImage)
    expected = CudaBackend(traced).render(first).picture
    assert isinstance(expected, DeviceImage) and torch.equal(drawn.picture.tensor, expected.tensor)
    with pytest.raises(torch.OutOfMemoryError):
        CudaBackend(full).render(first)


@torch.no_grad()
def test_without_graphs_a_new_latent_is_drawn_too() -> None:
    first = job("T")
    (other,) = latents(small("T"), 7)
    found = SynthesisGraphs(first, FULL_PRECISION, run_eager)
    before = found.render(first)[0].clone()
    after, _ = found.render(first._replace(ws_key="other", ws=other))
    assert not torch.equal(before, after)
    expected = SynthesisGraphs(first._replace(ws=other), FULL_PRECISION, run_eager).render(
        first._replace(ws_key="other", ws=other)
    )
    assert torch.equal(after, expected[0])


@torch.no_grad()
def test_the_layout_that_can_be_made_is_taken() -> None:
    ready = SynthesisGraphs(job("T"), FULL_PRECISION, run_eager)

    def broken() -> SynthesisGraphs:
        raise RuntimeError("no")

    assert select_fastest((broken, lambda: ready)) is ready
    with pytest.raises(RuntimeError, match="no"):
        select_fastest((broken, broken))


@torch.no_grad()
def test_few_graphs_are_kept() -> None:
    kept, held = GraphCache(), SynthesisGraphs(job("A")._replace(motion=None), FULL_PRECISION, run_eager)
    for key in range(cuda_graphs.KEPT + 2):
        kept.get(key, lambda: held)
    assert len(kept) == cuda_graphs.KEPT
    kept.get(2, lambda: pytest.fail("it is there"))  # type: ignore[arg-type, return-value]


@pytest.fixture
def on_device(monkeypatch: pytest.MonkeyPatch) -> Renderer:
    """A renderer that takes the CPU for a CUDA device."""
    found = Renderer()
    found._gpu = CudaBackend(traced)
    monkeypatch.setattr(found, "_render_to_host", found._render_on_cuda)
    return found


def saved(folder: Path, cfg: str, **options: Any) -> str:
    path = folder / f"{cfg}.safetensors"
    save_generator(path, small(cfg, **options), {})
    return str(path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cfg", "asked"),
    [
        ("T", {"latent": seed_point(3), "tx": 0.11, "degrees": 20.0}),
        ("T", {"tx": 0.11, "degrees": 20.0, "untransform": True}),
        ("R", {"tx": 0.25, "untransform": True}),
        ("R", {"learned": (0.1, 0.2, 30.0), "psi": 0.7}),
        ("A", {"mean_constant": True}),
    ],
)
def test_the_renderer_s_pictures_are_those_of_the_cpu(
    on_device: Renderer, cfg: str, asked: dict[str, Any], tmp_path: Path
) -> None:
    request_ = PictureRequest(saved(tmp_path, cfg), **asked)
    begun = on_device.start(request_)
    assert begun.pending is not None and isinstance(begun.picture, DeviceImage)
    found, expected = begun.pending(), Renderer().render(request_)
    assert found.pending is None and found.error is None and "a CUDA graph" in found.how
    assert found.model_ms > 0 and found.post_ms > 0
    assert found.kept == pytest.approx(expected.kept, abs=1e-6)
    assert found.learned == (None if expected.learned is None else pytest.approx(expected.learned, abs=1e-6))
    for one, other in ((found.image, expected.image), (found.smooth, expected.smooth)):
        assert one is not None and other is not None and np.abs(one.astype(int) - other).max() <= 1
    again = on_device.render(request_)
    assert again.picture is found.picture and again.computed == frozenset() and again.model_ms == 0


def test_a_device_that_fails_later_is_an_error_of_that_picture(
    on_device: Renderer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(self: Event) -> None:
        raise RuntimeError("CUDA error: an illegal memory access was encountered\nmore")

    monkeypatch.setattr(Event, "synchronize", broken)
    found = on_device.render(PictureRequest(saved(tmp_path, "A")))
    assert found.error == "The model could not be run: CUDA error: an illegal memory access was encountered"
    assert found.picture is None


def test_a_worker_begins_both_pictures_before_it_waits_for_one() -> None:
    order: list[str] = []

    def begin(request: PictureRequest, keep: tuple[str, ...]) -> RenderResult:
        def finish() -> RenderResult:
            order.append(f"end {request.model}")
            if request.model == "bad":
                raise KeyError("oh")
            return RenderResult(request)

        order.append(f"begin {request.model}")
        return RenderResult(request, pending=finish)

    worker = Worker(SimpleNamespace(start=begin, pin_models=lambda request: None))
    try:
        results = {}
        for left in ("a", "bad"):
            worker.submit(RenderRequest(PictureRequest(left), PictureRequest("b")))
            until = time.monotonic() + 10
            while not worker.is_idle() and time.monotonic() < until:
                results |= worker.collect()
        assert order == ["begin a", "begin b", "end a", "end b", "begin bad", "end bad"]
        assert results["left"].error == "Rendering failed: KeyError: 'oh'" and results["left"].pending is None
        assert results["right"].request.model == "b" and results["right"].pending is None
    finally:
        worker.close()


def test_precision() -> None:
    def never() -> float:
        raise AssertionError

    def good() -> float:
        return 60.0

    def bad() -> float:
        return 40.0

    assert precision.choose_precision("auto", "cpu", never) == (FULL_PRECISION, None)
    assert precision.choose_precision("float32", "cuda", never) == (FULL_PRECISION, None)
    assert precision.choose_precision("auto", "cuda:1", good) == (PrecisionPolicy(NUM_FP16_RES), None)
    assert precision.choose_precision("auto", "cuda", bad) == (FULL_PRECISION, None)
    assert precision.choose_precision("float16", "cuda", good) == (PrecisionPolicy(NUM_FP16_RES), None)
    policy, remark = precision.choose_precision("float16", "cuda", bad)
    assert policy == PrecisionPolicy(NUM_FP16_RES) and remark is not None and "40 dB" in remark
    policy, remark = precision.choose_precision("float16", "cpu", never)
    assert policy == FULL_PRECISION and remark is not None and "cpu" in remark


@pytest.mark.parametrize("cfg", ["A", "T"])
def test_a_model_s_float16_pictures_are_measured(cfg: str) -> None:
    generator = small(cfg)
    with torch.inference_mode():
        assert 50 < precision.measure_float16_psnr(generator) < 120
    one = torch.full((2, 3, 4, 4), 0.5)
    assert precision.measure_psnr(one, one) == float("inf") and precision.measure_psnr(one * torch.nan, one) == -float(
        "inf"
    )
    noisy = one.clone()
    noisy[1] += 0.02
    assert precision.measure_psnr(noisy, one) == pytest.approx(40)  # the worst picture's: 20 log10(2 / 0.02)


@pytest.mark.slow
def test_a_labelled_model_is_measured_and_drawn(on_device: Renderer, tmp_path: Path) -> None:
    with torch.inference_mode():
        assert precision.measure_float16_psnr(small("A", c_dim=3)) > 50
    path = saved(tmp_path, "A", c_dim=3)
    pictures = [on_device.render(PictureRequest(path, label=label)).image for label in (0, 2)]
    assert pictures[0] is not None and pictures[1] is not None and not np.array_equal(*pictures)


@pytest.mark.slow
@pytest.mark.parametrize("channels", [1, 2, 4])
def test_channels_and_vectors_are_those_of_the_cpu(on_device: Renderer, tmp_path: Path, channels: int) -> None:
    path = saved(tmp_path, "T", c_dim=2, img_channels=channels)
    request = PictureRequest(path, label_kind="vector", vector=(0.2, 0.7), tx=0.1, untransform=True)
    found, expected = on_device.render(request), Renderer().render(request)
    for one, other in ((found.image, expected.image), (found.smooth, expected.smooth)):
        assert one is not None and other is not None and np.abs(one.astype(int) - other).max() <= 1
    assert found.image is not None and (found.image[:, :, 3].min() == 255) == (channels != 4)


def test_facts_that_a_model_has_not() -> None:
    generator = small("A")
    facts = measure_input(generator.synthesis, latents(generator, 1)[0], None, InputOverrides())
    assert unpack_input(facts) == (None, None)
