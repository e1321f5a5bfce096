# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""On a GPU: every specialisation that the models use, against float64; tiles and what fits; whole models.

Errors are max |ours - reference| / max |reference|, the reference in float64 from the same rounded numbers: at most
1e-5 in float32, 2e-3 in float16 and 1.6e-2 in bfloat16, which has 8 bits.
"""

import ctypes

import pytest
import torch
from test_cuda_compile import generator_specs, resampling_specs
from test_cuda_host import bits, unclear

from cuda_ops.cuda import driver, tiling
from cuda_ops.cuda import loader as cuda
from cuda_ops.cuda.driver import Function
from cuda_ops.filtered_lrelu import filtered_lrelu_reference
from cuda_ops.shapes import ENCODE
from gan.networks.generator import Generator
from gan.networks.input_transform import user_matrix
from gan.networks.ladder import rung_config
from gan.networks.synthesis import SynthesisOptions

from .calls import TOLERANCE, Layer, relative
from .device import exact
from .layers import kinds

KINDS = kinds()
LAYOUTS = {"planar": torch.contiguous_format, "last": torch.channels_last}
TYPES = {str(dtype).removeprefix("torch."): dtype for dtype in TOLERANCE}
CHANNELS = 16, 9  # whole groups of eight, and not


@pytest.fixture(scope="module", autouse=True)
def all_compiled(compiled):
    compiled(generator_specs())


def check(host, layer: Layer, shape, dtype, layout) -> None:
    """Output, codes, gradient and second gradient of one layer."""
    x = torch.randn(shape).to(dtype).contiguous(memory_format=layout)
    b, limit = torch.randn(shape[1]).to(dtype), TOLERANCE[dtype]
    options = (layer.up, layer.down, layer.padding, layer.gain, layer.slope, layer.clamp, layer.flip)
    expected, codes = filtered_lrelu_reference(
        x.double(), layer.fu.double(), layer.fd.double(), b.double(), *options, True
    )
    plain, (y, found) = layer.forward(x, b, False)[0], layer.forward(x, b, True)
    assert relative(plain, expected) <= limit and relative(y, expected) <= limit
    wrong = (bits(codes, shape[1]) != bits(found, shape[1])).any(dim=2)
    assert not (wrong & ~unclear(x, (layer.fu, layer.fd, b, *options), 1e-5)).any()
    dy = torch.randn(y.shape).to(dtype).contiguous(memory_format=layout)
    dx = layer.gradient(dy, found, shape[2:])
    assert relative(dx, layer.gradient(dy, found, shape[2:], double=True)) <= limit
    ddx = torch.randn(shape).to(dtype).contiguous(memory_format=layout)
    ddy = layer.second(ddx, found, y.shape[2:])
    assert relative(ddy, layer.second(ddx, found, y.shape[2:], double=True)) <= limit
    assert all(t.is_contiguous(memory_format=layout) and t.dtype == dtype for t in (plain, y, dx, ddy))
    assert host.launched == ["resample"] * 4


@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_layer_of_the_models(host, kind, dtype, layout, channels):
    size, last = kind.spec.in_size, layout == "last"
    if channels != CHANNELS[0] and (size > 100 or dtype == "bfloat16"):
        size = 40
    check(host, kind.layer(host.device), (1, channels, size, size), TYPES[dtype], LAYOUTS[layout])
    expected = {*kind.specialisations(TYPES[dtype], last, False), *kind.specialisations(TYPES[dtype], last, True)}
    assert set(host.specs) == expected, "the very specialisations that are compiled and budgeted for this kind"


@pytest.mark.parametrize("radial", [False, True])
def test_a_layer_of_1044_pixels(host, radial):
    """As in a model of 1024: many blocks, large offsets."""
    kind = next(kind for kind in KINDS if kind.radial == radial and (kind.spec.up, kind.spec.down) == (2, 2))
    check(host, kind.layer(host.device), (2, 8, 1044, 1044), torch.float16, torch.contiguous_format)


@pytest.mark.parametrize("number", range(len(tiling.TILES)))
def test_each_tile_of_the_table(host, number):
    """Not only the first that fits: all that this GPU's shared memory holds, in both layouts."""
    (up, down, up_plane, down_plane), tiles = list(tiling.TILES.items())[number]

    def line(taps, plane):
        f = torch.randn(taps) / taps**0.5
        f = f + f.flip(0)
        return torch.outer(f, f) / 2 if plane else f

    layer = Layer(line(6 * up, up_plane), line(6 * down, down_plane), up, down, [3 * up, 4, 3 * up, 5])
    most = torch.cuda.get_device_properties(host.device).shared_memory_per_block_optin
    tried = 0
    for layout in LAYOUTS.values():
        for tile in tiles:
            if not fits(layer, tile, layout, most):
                continue
            host.tile, tried = tile, tried + 1
            shape = (1, 9, *(-(-(size * 2 + 7) * down // up) for size in (tile.height, tile.width)))
            x, b = torch.randn(shape).contiguous(memory_format=layout), torch.randn(9)
            before = len(host.launched)
            y, _ = layer.forward(x, b, True)
            assert relative(y, layer.forward_reference(x, b)) <= TOLERANCE[torch.float32]
            assert len(host.launched) == before + 1
    assert tried >= len(LAYOUTS)


def fits(layer, tile, layout, most) -> bool:
    """Whether a block with this tile has the shared memory that it takes."""
    last = layout == torch.channels_last
    spec = tiling.specialise(
        layer.up,
        layer.down,
        layer.fu.shape[0],
        layer.fd.shape[0],
        layer.fu.ndim == 2,
        layer.fd.ndim == 2,
        ENCODE,
        torch.float32,
        last,
        (layer.padding[0], layer.padding[2]),
        (0, 0),
    )
    return tiling.shared_bytes(spec, tile) <= most


def blocks(function: Function) -> int:
    """How many blocks of a kernel a multiprocessor holds at a time."""
    number, shared = ctypes.c_int(), ctypes.c_size_t(function.shared)
    driver.call(
        "cuOccupancyMaxActiveBlocksPerMultiprocessor",
        ctypes.byref(number),
        function._function,
        function.threads,
        shared,
    )
    return number.value


def test_as_many_blocks_fit_as_the_table_says():
    number, few = torch.cuda.current_device(), []
    specs = [*generator_specs(), *resampling_specs()]
    for spec in specs:
        function, tile = cuda._load_resampling(spec, number), cuda.choose_tile(spec, torch.device("cuda", number))
        assert function is not None and tile is not None, f"{spec} did not load: {cuda.explain()}"
        if blocks(function) < tile.blocks:
            few.append(f"{blocks(function)} of {tile.blocks} blocks of {spec} with {tile}")
    assert specs and not few, few


@pytest.mark.parametrize("letter", ["F", "G", "H", "T", "R"])
@pytest.mark.parametrize("resolution", [256, 1024])
def test_a_whole_model_draws_what_its_references_draw(letter, resolution):
    """Few channels, all layers, float32 without tf32; the picture moved, so that the input is not at rest."""
    config = rung_config(letter, resolution, channel_base=16 * resolution, channel_max=16)
    torch.manual_seed(0)
    generator = Generator(config).eval().requires_grad_(False).to("cuda")
    z = torch.randn(1, config.z_dim).to("cuda")
    with exact(), torch.inference_mode():
        ws = generator.mapping(z)
        generator.synthesis.calibrate(ws)
        transform = user_matrix(0.1, 0.05, 3.0).to("cuda")
        ours = generator.synthesis(ws, SynthesisOptions(transform=transform))
        with cuda.switched_off():
            reference = generator.synthesis(ws, SynthesisOptions(transform=transform))
    assert ours.isfinite().all() and relative(ours, reference) <= 1e-4
    assert not torch.equal(ours, reference), "both came from the same code"
