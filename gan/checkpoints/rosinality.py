# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Recognise StyleGAN2 in rosinality's names and in files of what descends from it: StyleGAN-NADA, pSp, e4e, StyleCLIP.

Networks are state dicts, under a name of their own or under a prefix among others ("decoder.", beside an encoder).
Sizes come from the stored shapes alone: arguments and formulas are often wrong.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from gan.checkpoints.absent import find_absent, list_noise_layers
from gan.checkpoints.derived import Change, Derived, Network
from gan.checkpoints.official_arguments import NOT_SQUARE, discriminator_config, generator_config
from gan.checkpoints.official_shapes import fit_channel_rule
from gan.checkpoints.pickle_stubs import Placeholder, StoredTensor, refuse_placeholder
from gan.checkpoints.read_limits import Budget, RefusedError

FAMILY = "rosinality StyleGAN2"
AVERAGE = "latent_avg"
# What tells a network: a name that it ends its prefix with, and one that must be there, too.
GENERATOR_MARKS = ("input.input", "conv1.conv.weight")
DISCRIMINATOR_MARKS = ("final_linear.0.weight", "convs.0.0.weight")
MAX_LEVELS = 16  # resolutions, far more than there can be
MAX_PREFIX_LENGTH = 64
FIRST, PLANE = Change(index=(0,)), Change(index=(0, 0))
UP_FILTER = Change(multiply=0.25)  # stored with the gain of doubling
INCOMPLETE = "holds a StyleGAN2 in rosinality's names that lacks {}: it is damaged, get a fresh copy of it"
SWAGAN = (
    "holds a SWAGAN, which draws wavelets instead of pixels and cannot be opened here: "
    "open a model that was trained with rosinality's --arch stylegan2"
)
Table = Mapping[str, StoredTensor]
AnyTable = Mapping[Any, Any]
Tensors = dict[str, StoredTensor | Derived]


def find_networks(data: Any, budget: Budget) -> dict[str, Callable[[], Network]]:
    """Return the networks of a file by name, each as a call that describes it; none where it is of another family."""
    if not isinstance(data, dict):
        return {}
    found: dict[str, Callable[[], Network]] = {}
    for name, table in _tables(data, budget):
        for marks, describe in ((GENERATOR_MARKS, _describe_generator), (DISCRIMINATOR_MARKS, _describe_discriminator)):
            for prefix in _prefixes(table, marks):
                inner = prefix.removeprefix("module.").rstrip(".")  # as torch's parallel wrapper names them
                known = (inner or name) if (inner or name) not in found else f"{name}.{inner}"
                found[known] = partial(describe, known, prefix, table, data)
    return found


def _tables(data: dict[Any, Any], budget: Budget) -> Iterator[tuple[str, AnyTable]]:
    """Yield the tables of tensors in a file with their names; all of it, if it is one, has the name ""."""
    for name, value in (("", data), *data.items()):
        if isinstance(name, str) and isinstance(value, dict):
            budget.spend_instructions(len(value))
            if any(isinstance(item, StoredTensor) for item in value.values()):
                yield name, value


def _prefixes(table: AnyTable, marks: tuple[str, str]) -> list[str]:
    """Return the prefixes under which a table has both marks."""
    found = [key.removesuffix(marks[0]) for key in table if key.endswith(marks[0])]
    found = [prefix for prefix in found if len(prefix) <= MAX_PREFIX_LENGTH and prefix + marks[1] in table]
    return [prefix for prefix in found if not prefix or prefix.endswith(".")]


class _Reader:
    """A network's tensors, taken one by one; those that are left make it a variant that is not known."""

    def __init__(self, tensors: Table) -> None:
        self._left, self.found = dict(tensors), Tensors()

    def has(self, name: str) -> bool:
        return name in self._left

    def shape(self, name: str, axes: int) -> tuple[int, ...]:
        """Return the shape of a tensor that must be there and have so many axes. RefusedError."""
        tensor = self._left.get(name)
        if tensor is None or len(tensor.shape) != axes:
            raise RefusedError(INCOMPLETE.format(name))
        return tensor.shape

    def take(self, ours: str, theirs: str, change: Change | None = None, *, optional: bool = False) -> None:
        """Map one of their names to one of ours. RefusedError where it is missing, unless it is optional."""
        stored = self._left.pop(theirs, None)
        if stored is None:
            if not optional:
                raise RefusedError(INCOMPLETE.format(theirs))
            return
        if change is not None and len(stored.shape) < len(change.index):
            raise RefusedError(INCOMPLETE.format(theirs))
        self.found[ours] = stored if change is None else Derived(stored, change)

    def finish(self) -> Tensors:
        """Return the tensors by our names; those that are unknown keep theirs, at which `ForeignFile.check` stops.

        A name without a dot is no parameter of a layer's, but something that was put beside them, as a count of steps.
        """
        return self.found | {name: tensor for name, tensor in self._left.items() if "." in name}


def _strip(prefix: str, table: AnyTable) -> dict[str, StoredTensor]:
    """Return the tensors under a prefix. RefusedError where something unknown stands in the place of one."""
    inside = {key.removeprefix(prefix): item for key, item in table.items() if key.startswith(prefix)}
    for key, item in inside.items():
        if isinstance(item, Placeholder) and "." in key:
            raise refuse_placeholder(item)
    return {key: item for key, item in inside.items() if isinstance(item, StoredTensor)}


def _describe_generator(name: str, prefix: str, table: AnyTable, data: dict[Any, Any]) -> Network:
    tensors = _strip(prefix, table)
    reader = _Reader({key: tensor for key, tensor in tensors.items() if key != AVERAGE})
    _, constant, height, width = reader.shape("input.input", 4)
    _, img_channels, *_ = reader.shape("to_rgb1.conv.weight", 5)
    arguments = data.get("args")
    arch = (arguments.state or {}).get("arch") if isinstance(arguments, Placeholder) else None
    if arch == "swagan" or img_channels == 12 or any(key.endswith("iwt.ll") for key in tensors):
        raise RefusedError(SWAGAN)
    levels = _count(tensors, r"to_rgbs\.(\d{1,3})\.conv\.weight")
    if height != width and levels <= MAX_LEVELS:
        raise RefusedError(NOT_SQUARE.format(height * 2**levels, width * 2**levels))
    depth = _count(tensors, r"style\.(\d{1,3})\.weight", first=1)
    if not depth or not 0 < levels <= MAX_LEVELS:
        raise RefusedError(INCOMPLETE.format("its mapping" if levels else "its layers"))
    channels = {4: constant}
    for level in range(levels):
        channels[8 * 2**level] = reader.shape(f"convs.{2 * level + 1}.conv.weight", 5)[1]
    w_dim = reader.shape(f"style.{depth}.weight", 2)[0]
    given = {
        "img_resolution": 4 * 2**levels,
        "img_channels": img_channels,
        "z_dim": reader.shape("style.1.weight", 2)[1],
        "w_dim": w_dim,
        "mapping_kwargs": {"num_layers": depth},
        "architecture": "skip",
        "conv_clamp": None,
    }
    config = generator_config("stylegan2.Generator", given | fit_channel_rule(channels))
    _take_generator(reader, depth, levels)
    average = _find_average(w_dim, tensors, table, data)
    if average is not None:
        reader.found["mapping.w_avg"] = Derived(average, Change(index=(0,) * (len(average.shape) - 1)))
    absent = find_absent(reader.found, config.resolution)
    return Network(name, "", config, reader.finish(), absent, FAMILY)


def _count(tensors: Table, pattern: str, first: int = 0) -> int:
    """Return how many numbers from `first` on stand in names of this pattern, one after the other."""
    numbers = {int(match[1]) for match in (re.fullmatch(pattern, key) for key in tensors) if match}
    return next(count for count in range(len(numbers) + 1) if first + count not in numbers)


def _take_generator(reader: _Reader, depth: int, levels: int) -> None:
    for i in range(depth):
        for part in ("weight", "bias"):
            reader.take(f"mapping.fc{i}.{part}", f"style.{i + 1}.{part}")
    reader.take("synthesis.b4.const", "input.input", FIRST)
    theirs = ["conv1", *(f"convs.{index}" for index in range(2 * levels))]
    for plane, (layer, their) in enumerate(zip(list_noise_layers(4 * 2**levels), theirs, strict=True)):
        ours = f"synthesis.{layer}"
        _take_modulated(reader, ours, f"{their}.conv")
        reader.take(f"{ours}.bias", f"{their}.activate.bias")
        reader.take(f"{ours}.noise_strength", f"{their}.noise.weight", FIRST)
        reader.take(f"{ours}.noise_const", f"noises.noise_{plane}", PLANE, optional=True)
        reader.take(f"{ours}.resample_filter", f"{their}.conv.blur.kernel", UP_FILTER, optional=True)
    for level, their in enumerate(["to_rgb1", *(f"to_rgbs.{index}" for index in range(levels))]):
        block = f"synthesis.b{4 * 2**level}"
        _take_modulated(reader, f"{block}.torgb", f"{their}.conv")
        reader.take(f"{block}.torgb.bias", f"{their}.bias", Change(reshape=(-1,)))
        reader.take(f"{block}.resample_filter", f"{their}.upsample.kernel", UP_FILTER, optional=True)


def _take_modulated(reader: _Reader, ours: str, theirs: str) -> None:
    reader.take(f"{ours}.weight", f"{theirs}.weight", FIRST)
    for part in ("weight", "bias"):
        reader.take(f"{ours}.affine.{part}", f"{theirs}.modulation.{part}")


def _find_average(w_dim: int, *tables: AnyTable) -> StoredTensor | None:
    """Return the first stored average w, [w] or copies of it; None where there is none of this width."""
    for table in tables:
        found = table.get(AVERAGE)
        if isinstance(found, StoredTensor) and found.shape[-1:] == (w_dim,) and 0 not in found.shape:
            return found
    return None


def _describe_discriminator(name: str, prefix: str, table: AnyTable, data: dict[Any, Any]) -> Network:
    tensors = _strip(prefix, table)
    reader = _Reader(tensors)
    levels = _count(tensors, r"convs\.(\d{1,3})\.conv1\.0\.weight", first=1)
    if not 0 < levels <= MAX_LEVELS:
        raise RefusedError(INCOMPLETE.format("its layers"))
    at_4, extended, *_ = reader.shape("final_conv.0.weight", 4)
    sizes = [4 * 2 ** (levels - level) for level in range(levels)]  # of convs.1, convs.2, ...
    channels = {4: at_4}
    for index, size in reversed(list(enumerate(sizes, 1))):
        channels[size] = reader.shape(f"convs.{index}.conv1.0.weight", 4)[1]
    given = {
        "img_resolution": 4 * 2**levels,
        "img_channels": reader.shape("convs.0.0.weight", 4)[1],
        "epilogue_kwargs": {"mbstd_num_channels": extended - at_4},
        "conv_clamp": None,
    }
    if given["img_channels"] == 12:
        raise RefusedError(SWAGAN)
    config = discriminator_config(given | fit_channel_rule(channels))
    pairs = {
        f"b{config.resolution}.fromrgb.weight": "convs.0.0.weight",
        f"b{config.resolution}.fromrgb.bias": "convs.0.1.bias",
    }
    for index, size in enumerate(sizes, 1):
        ours, theirs = f"b{size}", f"convs.{index}"
        pairs[f"{ours}.conv0.weight"] = f"{theirs}.conv1.0.weight"
        pairs[f"{ours}.conv0.bias"] = f"{theirs}.conv1.1.bias"
        pairs[f"{ours}.conv1.weight"] = f"{theirs}.conv2.1.weight"
        pairs[f"{ours}.conv1.bias"] = f"{theirs}.conv2.2.bias"
        pairs[f"{ours}.conv1.resample_filter"] = f"{theirs}.conv2.0.kernel"
        pairs[f"{ours}.skip.weight"] = f"{theirs}.skip.1.weight"
        pairs[f"{ours}.skip.resample_filter"] = f"{theirs}.skip.0.kernel"
    pairs |= {"b4.conv.weight": "final_conv.0.weight", "b4.conv.bias": "final_conv.1.bias"}
    for ours, index in (("fc", 0), ("out", 1)):
        pairs |= {f"b4.{ours}.{part}": f"final_linear.{index}.{part}" for part in ("weight", "bias")}
    for our_name, their_name in pairs.items():
        reader.take(our_name, their_name, optional=their_name.endswith(".kernel"))
    return Network(name, "", config, reader.finish(), family=FAMILY)
