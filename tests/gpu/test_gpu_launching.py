# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""On a GPU: CUDA graphs, streams, threads, processes, no waiting for the device, and memory that runs out."""

import gc
import subprocess
import threading
import warnings
from contextlib import contextmanager, suppress

import pytest
import torch
from support.cuda_host import poisoned

from cuda_ops import bias_act, filtered_lrelu, upfirdn2d
from cuda_ops.cuda import loader as cuda
from gan.checkpoints.checkpoint import save_generator
from gan.networks.generator import Generator, init_generator
from gan.networks.input_transform import user_matrix
from gan.networks.ladder import rung_config
from gan.networks.synthesis import SynthesisOptions
from viz.core.request import PictureRequest
from viz.render.renderer import Renderer

from . import ROOT, environment, program
from .calls import Layer

LAYOUTS = (torch.contiguous_format, torch.channels_last)


@pytest.fixture(autouse=True)
def steady():
    """The same algorithm each time, of what is not ours."""
    torch.backends.cudnn.deterministic = True
    yield
    torch.backends.cudnn.deterministic = False


@contextmanager
def never_waiting():
    """Within, torch raises RuntimeError where the host waits for the device."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the mode is called a prototype
        torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


def layer(dtype=torch.float32, radial=False) -> Layer:
    f = torch.randn(12) / 3
    fd = torch.outer(f + f.flip(0), f + f.flip(0)) / 4 if radial else f
    return Layer(f.cuda(), fd.cuda(), 2, 2, [9, 8, 9, 8])


def operators(x, b, made):
    """All of them on one image, gradients included."""
    y, codes = made.forward(x, b, True)
    dx = made.gradient(y, codes, x.shape[2:])
    small = upfirdn2d(x, made.fu, up=2, down=1, padding=6)
    return y, codes, dx, small, upfirdn2d(small, made.fu[:4], down=2, padding=1), bias_act(x, b, act="lrelu", clamp=0.9)


def same(found, expected) -> bool:
    return all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


def captured(call):
    """(graph, what it writes to): warmed up on another stream, as torch asks."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            call()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        results = call()
    return graph, results


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
@pytest.mark.parametrize("radial", [False, True])
def test_operators_in_a_cuda_graph(dtype, layout, radial):
    made = layer(dtype, radial)
    images = [torch.randn(2, 16, 62, 64).to("cuda", dtype).contiguous(memory_format=layout) for _ in range(3)]
    b, x = torch.randn(16).to("cuda", dtype), images[0].clone()
    with torch.inference_mode():
        expected = [operators(image, b, made) for image in images]
        graph, results = captured(lambda: operators(x, b, made))
        for image, wanted in zip(images[1:], expected[1:], strict=True):
            x.copy_(image)
            graph.replay()
            torch.cuda.synchronize()
            assert same(results, wanted)
    assert not same(expected[1], expected[2])


@pytest.fixture(scope="module")
def small() -> Generator:
    return init_generator(rung_config("T", 256, channel_base=2048, channel_max=32), calibrated=False).to("cuda")


def latent(generator, seed=0):
    torch.manual_seed(seed)
    return generator.mapping(torch.randn(1, generator.config.z_dim).cuda())


def test_a_synthesis_in_a_cuda_graph(small):
    """Weights modulated beforehand; only the transform changes, as under a drag."""
    with torch.inference_mode():
        ws = latent(small)
        weights = small.synthesis.modulate(ws)
        moves = [user_matrix(0.01 * i, 0.02, 5.0 * i).cuda() for i in range(4)]
        expected = [small.synthesis(ws, SynthesisOptions(transform=move, weights=weights)) for move in moves]
        transform = moves[0].clone()
        graph, picture = captured(lambda: small.synthesis(ws, SynthesisOptions(transform=transform, weights=weights)))
        for move, wanted in zip(moves, expected, strict=True):
            transform.copy_(move)
            graph.replay()
            torch.cuda.synchronize()
            assert torch.equal(picture, wanted)
    assert not torch.equal(expected[0], expected[3])


def runs(count, made, b, images):
    """The results of many calls in a row, the last of each image."""
    results = {}
    for turn in range(count):
        results[turn % len(images)] = operators(images[turn % len(images)], b, made)
    return [results[i] for i in range(len(images))]


def work(seed, radial):
    torch.manual_seed(seed)
    made = layer(radial=radial)
    return made, torch.randn(16).cuda(), [torch.randn(2, 16, 62, 64).cuda() for _ in range(3)]


def test_two_streams_do_not_disturb_each_other():
    """Different filters, at once."""
    with torch.inference_mode():
        jobs = [work(1, False), work(2, True)]
        expected = [runs(3, *job) for job in jobs]
        streams = [torch.cuda.Stream() for _ in jobs]
        found: list[list] = [[], []]
        torch.cuda.synchronize()
        for _ in range(20):
            for number, (stream, job) in enumerate(zip(streams, jobs, strict=True)):
                with torch.cuda.stream(stream):
                    found[number].append(runs(3, *job))
        torch.cuda.synchronize()
        for results, wanted in zip(found, expected, strict=True):
            assert all(same(a, b) for result in results for a, b in zip(result, wanted, strict=True))


def test_two_threads_do_not_disturb_each_other():
    """A kernel's arguments lie in one place a thread."""
    jobs = [work(1, False), work(2, True)]
    with torch.inference_mode():
        expected = [runs(3, *job) for job in jobs]
    torch.cuda.synchronize()
    found: list[object] = [None, None]

    def many(number):
        try:
            with torch.inference_mode(), torch.cuda.stream(torch.cuda.Stream()):
                found[number] = [runs(3, *jobs[number]) for _ in range(20)]
                torch.cuda.current_stream().synchronize()
        except BaseException as problem:
            found[number] = problem

    threads = [threading.Thread(target=many, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    for results, wanted in zip(found, expected, strict=True):
        assert isinstance(results, list), results
        assert all(same(a, b) for result in results for a, b in zip(result, wanted, strict=True))


def test_two_processes_do_not_disturb_each_other(tmp_path):
    """Both compile into one folder that was empty; afterwards a third one, alone, gets the same bits."""
    command = program("operators", "--few")
    there = environment(XDG_CACHE_HOME=str(tmp_path))
    options = {"cwd": ROOT, "env": there, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    running = [subprocess.Popen(command, **options) for _ in range(2)]
    try:
        said = [process.communicate(timeout=150) for process in running]
    finally:
        for process in running:
            process.kill()
    assert [process.returncode for process in running] == [0, 0], said
    alone = subprocess.run(command, timeout=150, **options)
    assert {out for out, _ in said} == {alone.stdout} and "digest" in alone.stdout
    kept = list((tmp_path / "jinc" / "cubins").iterdir())
    assert kept and all(path.suffix == ".cubin" for path in kept)


def test_waiting_is_noticed():
    """What the next tests rest on."""
    x = torch.ones(4).cuda()
    with never_waiting(), pytest.raises(RuntimeError, match="synchroniz"):
        x.sum().item()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_an_operator_never_waits_for_the_device(dtype, layout):
    made = layer(dtype)
    x = torch.randn(2, 16, 62, 64).to("cuda", dtype).contiguous(memory_format=layout).requires_grad_()
    b = torch.randn(16).to("cuda", dtype).requires_grad_()
    seed = torch.randn(2, 16, 62, 64).to("cuda", dtype)

    def call():
        y = filtered_lrelu(x, made.fu, made.fd, b, up=2, down=2, padding=made.padding, clamp=0.8)
        y = bias_act(upfirdn2d(y, made.fu, padding=6), b, act="lrelu", clamp=0.9)
        first = torch.autograd.grad(y, [x, b], torch.ones_like(y), create_graph=True)
        return torch.autograd.grad((first[0] * seed).sum(), [x], allow_unused=True)

    call()  # compiles and loads
    with never_waiting():
        call()


def test_a_synthesis_never_waits_for_the_device(small):
    with torch.inference_mode():
        ws, transform = latent(small), user_matrix(0.1, 0.05, 3.0).cuda()
        weights = small.synthesis.modulate(ws)
        small.synthesis(ws, SynthesisOptions(transform=transform, weights=weights))
        with never_waiting():
            small.synthesis(ws, SynthesisOptions(transform=transform, weights=weights))


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    """A checkpoint of a small T."""
    path = tmp_path_factory.mktemp("models") / "t.safetensors"
    save_generator(path, init_generator(rung_config("T", 256, channel_base=2048, channel_max=32)), {})
    return str(path)


@contextmanager
def no_memory():
    """Within, nothing more can be allocated on the device: no new memory, and what torch holds is taken."""
    gc.collect()
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(1e-6)
    taken = []
    try:
        for power in range(26, 8, -1):
            with suppress(torch.OutOfMemoryError):
                while True:
                    taken.append(torch.empty(2**power, dtype=torch.uint8, device="cuda"))
        yield
    finally:
        taken.clear()
        torch.cuda.set_per_process_memory_fraction(1.0)


def test_a_picture_without_memory_is_one_sentence(model):
    renderer, request = Renderer(), PictureRequest(model, tx=0.1, device="cuda:0")
    with no_memory():
        result = renderer.render(request)
    assert result.error and "memory" in result.error and "\n" not in result.error, result
    assert renderer.render(request).error is None, "the program goes on"


def test_an_operator_without_memory_can_be_called_again(monkeypatch):
    made, x, b = layer(), torch.randn(1, 64, 512, 512).cuda(), torch.randn(64).cuda()
    with torch.inference_mode():
        before = made.forward(x, b, False)[0].cpu()
        with no_memory(), pytest.raises(torch.OutOfMemoryError):
            made.forward(x, b, False)
        monkeypatch.setattr(torch, "empty", poisoned)
        assert torch.equal(made.forward(x, b, False)[0].cpu(), before)
    assert "but not" not in cuda.explain("cuda")
