# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""On a GPU: pictures of the renderer, and steps of training, are right and wait for nothing."""

import numpy as np
import pytest
import torch

from gan.checkpoints.checkpoint import save_generator
from gan.networks.generator import init_generator
from gan.networks.ladder import rung_config
from train.config import configure
from train.device import configure_torch, to_device
from train.state import TrainState
from viz.core.images import DeviceImage
from viz.core.latent import seed_point
from viz.core.request import PictureRequest, RenderRequest
from viz.core.result import RenderResult
from viz.render.cuda_graphs import capture_graph
from viz.render.difference import Difference
from viz.render.renderer import Renderer

from .measure.frames import psnr
from .test_gpu_launching import never_waiting, steady  # noqa: F401  (a fixture of each test here)

SIZE = 64


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> dict[str, str]:
    folder, found = tmp_path_factory.mktemp("models"), {}
    for letter in "ABTRL":  # L: labelled
        config = rung_config(
            letter.replace("L", "T"),
            SIZE,
            channel_base=1024,
            channel_max=32,
            z_dim=64,
            w_dim=64,
            c_dim=3 * (letter == "L"),
        )
        found[letter] = str(folder / f"{letter}.safetensors")
        save_generator(found[letter], init_generator(config), {})
    return found


def finished(result: RenderResult) -> RenderResult:
    assert result.error is None and result.pending is not None, result.error
    return result.pending()


@pytest.mark.parametrize("precision", ["float32", "float16", "auto"])
@pytest.mark.parametrize("letter", "ABTRL")
def test_pictures_are_those_of_the_cpu_and_a_drag_waits_for_nothing(models, letter, precision):
    movable = letter != "A"
    renderer, asked = Renderer(), {"device": "cuda:0", "precision": precision}
    first = PictureRequest(models[letter], **asked)
    finished(renderer.start(first))  # kernels, graphs
    requests = [
        PictureRequest(
            models[letter], latent=seed_point(seed), tx=0.1 * movable * seed, degrees=20.0 * movable, **asked
        )
        for seed in (0, 1, 2, 0)
    ]
    if movable:
        requests.append(PictureRequest(models[letter], tx=0.125, untransform=True, **asked))
        finished(renderer.start(requests[-1]))  # what lies in memory for good: interpolations
        requests.append(PictureRequest(models[letter], tx=0.25, untransform=True, **asked))
    with never_waiting():
        begun = [renderer.start(request) for request in requests]
    exact = Renderer()
    for request, result in zip(requests, begun, strict=True):
        result = finished(result) if result.pending else result
        assert result.error is None and "a CUDA graph" in result.how, result.how
        assert ("float16" in result.how) == (precision != "float32"), result.how
        assert isinstance(result.picture, DeviceImage) and isinstance(result.enlarged, DeviceImage)
        expected = exact.render(PictureRequest(**{**vars(request), "device": "cpu", "precision": "float32"}))
        assert result.kept == (None if expected.kept is None else pytest.approx(expected.kept, abs=1e-5))
        for found, wanted in ((result.image, expected.image), (result.smooth, expected.smooth)):
            if precision == "float32":
                assert np.abs(found.astype(int) - wanted).max() <= 2
            else:
                assert (psnr(found, wanted) or 99) >= 45, "8 bits leave about 50 dB of a picture that is one off"


def test_two_models_in_turns_and_their_difference(models):
    renderer, difference = Renderer(), Difference()
    for turn in range(4):
        asked = [PictureRequest(models[letter], tx=0.05 * turn, device="cuda:0") for letter in "BT"]
        results = [finished(result) for result in [renderer.start(request) for request in asked]]
        difference.ask(RenderRequest(*asked))
        shown = difference.of(*results, 4.0, 700.0)
        torch.cuda.synchronize()
        assert shown is not None and isinstance(shown.pixels, DeviceImage)
        alone = []
        for request in asked:
            fresh = Renderer()
            fresh._gpu.layouts = dict(renderer._gpu.layouts)  # else it would choose for itself, by timing
            alone.append(fresh.render(request))
        for one, other in zip(results, alone, strict=True):
            assert np.array_equal(one.image, other.image), "another model's graphs draw into this one's"
        wanted = np.abs(results[0].smooth.astype(int) - results[1].smooth).clip(0, 63) * 4
        assert np.abs(shown.pixels.to_host()[..., :3].astype(int) - wanted[..., :3]).max() <= 3


def test_a_capture_that_fails_leaves_no_trace():
    """Memory that another stream has read is used again afterwards, and the stream is the one from before."""
    stream, other = torch.cuda.current_stream(), torch.cuda.Stream()
    x = torch.ones(8, device="cuda:0")
    with pytest.raises(RuntimeError):
        capture_graph(lambda: x.sum().item())
    assert torch.cuda.current_stream() == stream
    torch.cuda.synchronize()
    before = torch.cuda.memory_reserved()
    for _ in range(64):
        picture = torch.zeros(2**24, dtype=torch.uint8, device="cuda:0")
        picture.record_stream(other)
        del picture
        torch.cuda.synchronize()
    assert torch.cuda.memory_reserved() - before <= 2**26
    again = capture_graph(lambda: x * 2)
    x.fill_(3)
    assert float(again()[0]) == 6


def test_maps_are_those_of_the_picture(models):
    renderer, request = Renderer(), PictureRequest(models["T"], device="cuda:0")
    last = renderer.generator(request)[0].layer_names[-1]
    maps = renderer.maps(request, last)
    assert maps.is_cuda and maps.dtype == torch.float32 and torch.isfinite(maps).all()
    torch.testing.assert_close(renderer.maps(request, "picture") / maps, torch.full_like(maps, 0.25))


@pytest.mark.parametrize("half", [0, 4])
@pytest.mark.parametrize("letter", "ATR")
def test_a_training_step_waits_for_nothing(letter, half):
    config = configure(
        letter,
        resolution=SIZE,
        data="",
        data_name="",
        data_images=1,
        data_digest="",
        device="cuda:0",
        preset_name="tiny",
        batch=8,
        num_fp16_res=half,
    )
    configure_torch(torch.device("cuda:0"))
    state = TrainState(config)
    pictures = np.random.default_rng(0).integers(0, 256, (8, 3, SIZE, SIZE), dtype=np.uint8)

    def step() -> None:
        state.step(to_device(pictures, state.device).float().div_(127.5).sub_(1), None)

    step(), step()  # kernels, the optimisers' state; with R1 and without
    state.steps = config.r1_interval
    with never_waiting():
        step(), step()
    assert state.is_finite()
