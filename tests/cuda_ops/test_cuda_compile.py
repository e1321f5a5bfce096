# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Every CUDA kernel that the models use compiles for every architecture, within its budget of registers and memory."""

import re
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import pytest
import torch

from cuda_ops.cuda import nvrtc, tiling
from cuda_ops.cuda.tiling import TYPES, specialise, specialise_layer
from cuda_ops.shapes import ENCODE, LINEAR
from gan.networks.ladder import rung_config
from gan.networks.layer_plan import plan

try:
    nvrtc.import_core()
except nvrtc.CompileError as problem:
    pytest.skip(str(problem), allow_module_level=True)

ARCHITECTURES = (75, 80, 86, 89, 90, 100, 120)
SHARED = {75: 64, 80: 163, 86: 99, 89: 99, 90: 227, 100: 227, 120: 99}  # KiB that a block may have
RUNGS, RESOLUTIONS = "FGHTR", (256, 1024)
MODES = ("linear", "forward", "encode", "decode")
SEPARABLE, ENCODING, RADIAL, RADIAL_GRADIENT, PLAIN = 96, 144, 216, 240, 80  # registers


def generator_specs(dtypes=tuple(TYPES)):
    """Return what the generators' layers run, with and without gradients, in both layouts."""
    specs = {}
    for name, resolution, dtype, last, training in product(RUNGS, RESOLUTIONS, dtypes, (False, True), (False, True)):
        for spec in plan(rung_config(name, resolution)).layers:
            radial = spec.radial_down and spec.down_taps > 1
            padding = (spec.padding[0], spec.padding[0])
            made = specialise_layer(
                spec.up, spec.down, spec.up_taps, spec.down_taps, radial, padding, dtype, last, training
            )
            specs |= dict.fromkeys(made)
    return list(specs)


def resampling_specs(dtypes=tuple(TYPES)):
    """Return what StyleGAN2 and the discriminator run to resample by [1, 3, 3, 1], and its gradients."""
    rows = (  # up, down, padding before, of the filter's side of the kernel
        (1, 1, 1),
        (1, 1, 2),
        (1, 2, 1),
        (2, 1, 2),
        (2, 1, 1),
    )
    specs = {}
    for (up, down, pad), dtype, last in product(rows, dtypes, (False, True)):
        pads = (0, pad) if up == 1 else (pad, 0)
        taps = (1, 4) if up == 1 else (4, 1)
        paddings = ((pads[0],) * 2, (pads[1],) * 2)
        specs[specialise(up, down, *taps, False, False, LINEAR, dtype, last, *paddings)] = None
    return list(specs)


def name_of(spec):
    shape = f"{spec.up}x{spec.down} {spec.up_taps}/{spec.down_taps}"
    planes = " radial up" * spec.up_plane + " radial down" * spec.down_plane
    layout = "last" if spec.channels_last else "planar"
    return f"{shape}{planes} {MODES[spec.mode]} {str(spec.dtype).removeprefix('torch.')} {layout}"


def used(log):
    """(registers, bytes of spills and stack) of the kernels that ptxas reports on, the most of any."""
    registers = [int(number) for number in re.findall(r"Used (\d+) registers", log)]
    spilled = [int(number) for number in re.findall(r"(\d+) bytes (?:stack frame|spill stores|spill loads)", log)]
    assert registers and len(spilled) == 3 * len(registers), log
    return max(registers), sum(spilled)


def budget(spec):
    if spec.up_plane or spec.down_plane:
        return RADIAL_GRADIENT if spec.up_plane else RADIAL
    return ENCODING if spec.mode == ENCODE else SEPARABLE


def measure(spec, architecture):
    """(registers, spilled bytes, shared bytes, tile) of a specialisation."""
    tile = tiling.choose_tile(spec, architecture)
    assert tile is not None, f"no tile for {name_of(spec)} on sm_{architecture}"
    defines = spec.defines(tile)
    _, log = nvrtc.compile_cubin("resample", defines, architecture, verbose=True)
    return *used(log), defines["SHARED"], tile


def check(specs, architecture):
    with ThreadPoolExecutor(2) as pool:
        for spec, (registers, spilled, shared, tile) in zip(
            specs, pool.map(lambda spec: measure(spec, architecture), specs), strict=True
        ):
            where = f"{name_of(spec)} on sm_{architecture}: {registers} registers, {spilled} bytes spilled, {tile}"
            assert spilled == 0 and registers <= budget(spec), where
            assert registers * tile.threads * tile.blocks <= 65536, where
            assert shared <= 1024 * SHARED[architecture], where


def test_the_models_use_few_specialisations():
    kinds = {(s.up, s.down, s.up_taps, s.down_taps, s.up_plane, s.down_plane) for s in generator_specs()}
    assert kinds == {
        (1, 1, 1, 1, False, False),
        (2, 2, 12, 12, False, False),
        (2, 2, 12, 12, False, True),
        (2, 2, 12, 12, True, False),
        (4, 2, 24, 12, False, False),
        (4, 2, 24, 12, False, True),
        (2, 4, 12, 24, False, False),
        (2, 4, 12, 24, True, False),
    }
    assert len({(s.offset_x, s.offset_y) for s in generator_specs()}) <= 3, "paddings differ, offsets hardly do"


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_kernel_of_each_kind_compiles_for(architecture):
    """One fused kernel, and those for one value at a time, in all types where those are converted differently."""
    specs = [spec for spec in generator_specs((torch.float16,)) if spec.down_plane]
    check(specs[:1], architecture)
    for dtype in TYPES.values() if architecture in (75, 90) else (1,):
        for source, defines in (
            ("bias_act", {"VECTOR": 4}),
            ("bias_act", {"VECTOR": 1}),
            ("upfirdn2d", {"UP_X": 1, "UP_Y": 1, "DOWN_X": 2, "DOWN_Y": 2, "PLANE": 1}),
        ):
            defines = {"TYPE": dtype, "THREADS": 256, "BLOCKS": 2, **defines}
            _, log = nvrtc.compile_cubin(source, defines, architecture, verbose=True)
            registers, spilled = used(log)
            assert registers <= PLAIN and not spilled


@pytest.mark.slow
def test_every_kernel_of_the_models_holds_its_budget_on_sm_90():
    check([*generator_specs((torch.float16,)), *resampling_specs((torch.float16,))], 90)


@pytest.mark.nightly
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_kernel_of_the_models_holds_its_budget_on(architecture):
    check([*generator_specs(), *resampling_specs()], architecture)


def test_shared_memory_that_is_computed_differently_does_not_compile():
    spec = generator_specs((torch.float32,))[0]
    defines = spec.defines(tiling.choose_tile(spec, 90))
    with pytest.raises(nvrtc.CompileError, match="static assertion failed"):
        nvrtc.compile_cubin("resample", {**defines, "SHARED": defines["SHARED"] + 4}, 90)
