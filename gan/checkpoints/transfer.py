# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Match two networks part by part: what a new one can take from another, and why not the rest (decision 022).

Pure: it compares configurations and shapes, and reads no file. A part is a module with weights of its own. It is taken
as a whole, if its tensors have the same names and shapes in both and, in a generator's layer, mean the same: size,
channels, rate, cutoff and half-width agree. Filters follow from the configuration, and are never taken.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import Tensor, nn

from gan.networks.config import DiscriminatorConfig, GeneratorConfig
from gan.networks.discriminator import Discriminator
from gan.networks.generator import Generator
from gan.networks.layer_plan import LayerSpec, plan
from gan.networks.meta_init import MetaInit

COMPUTED = ("resample_filter", "up_filter", "down_filter", "input.transform")  # endings of tensors not worth taking
NOT_THERE, ANOTHER_ARCHITECTURE = "the source has none", "the architecture differs"
# What must agree in a layer beside its tensors' shapes, and what it is called.
LAYER_FIELDS = (
    ("size", ("in_size", "out_size")),
    ("channels", ("in_channels", "out_channels")),
    ("rate", ("in_rate", "out_rate")),
    ("cutoff", ("in_cutoff", "out_cutoff")),
    ("half-width", ("in_half_width", "out_half_width")),
    ("kernel", ("conv_kernel",)),
)
HEADINGS = ("network", "part", "taken", "why not")

Config = GeneratorConfig | DiscriminatorConfig
Shapes = dict[str, torch.Size]


@dataclass(frozen=True)
class Part:
    """A module of the new network: its name, its tensors, those of them that are taken, and why not the others."""

    name: str
    tensors: tuple[str, ...]
    taken: tuple[str, ...] = ()
    why: str = ""

    @property
    def module(self) -> str:
        """Return what it belongs to: the mapping, the input, a layer, or a resolution ("b32")."""
        return self.name.partition(".")[0]


@dataclass(frozen=True)
class Match:
    """All parts of a new network, in order."""

    parts: tuple[Part, ...]

    @property
    def is_whole(self) -> bool:
        """True if every number is taken."""
        return all(part.taken == part.tensors for part in self.parts)

    @property
    def is_empty(self) -> bool:
        """True if nothing is taken."""
        return not any(part.taken for part in self.parts)

    def list_taken(self) -> set[str]:
        """Return the names of the tensors that are taken."""
        return {name for part in self.parts for name in part.taken}

    def takes(self, module: str) -> bool:
        """Tell whether every number of one of the network's modules is taken; of one that it lacks, False."""
        parts = [part for part in self.parts if part.module == module]
        return bool(parts) and all(part.taken == part.tensors for part in parts)

    @torch.no_grad()
    def copy(self, source: Mapping[str, Tensor], target: nn.Module) -> None:
        """Copy what is taken from a source's tensors into the new network, in its own type.

        KeyError, RuntimeError for tensors that are not those of the source's configuration.
        """
        own = target.state_dict()
        for part in self.parts:
            for name in part.taken:
                if source[name].shape != own[name].shape:  # a single number would be copied into all
                    raise RuntimeError(f"{name} has another shape")
                own[name].copy_(source[name])


def match_generators(source: GeneratorConfig, target: GeneratorConfig) -> Match:
    """Match the generator of `source` to a new one of `target`."""
    theirs, ours = _shapes(source), _shapes(target)
    parts = []
    for name, tensors in _group(ours):
        if name.startswith("mapping."):
            why = _compare_mappings(name, tensors, source, target, theirs, ours)
        elif name.startswith("input"):
            why = _compare_inputs(source, target) or _compare_shapes(tensors, theirs, ours)
        else:
            why = _compare_layers(name, source, target) or _compare_shapes(tensors, theirs, ours)
        parts.append(_make_part(name, tensors, theirs, why))
    mapped = all(part.taken for part in parts if part.module == "mapping")
    return Match(tuple(part if mapped else _drop_average(part) for part in parts))


def measure_share(match: Match, target: GeneratorConfig) -> float:
    """Return the share of the parameters of a new generator of `target` that its match takes, 0 to 1."""
    taken = match.list_taken()
    with MetaInit():
        sizes = {name: parameter.numel() for name, parameter in Generator(target).named_parameters()}
    return sum(size for name, size in sizes.items() if name in taken) / sum(sizes.values())


def match_discriminators(source: DiscriminatorConfig | None, target: DiscriminatorConfig) -> Match:
    """Match a discriminator, or None, to a new one of `target`: resolution by resolution, whatever size both end at."""
    ours = _shapes(target)
    theirs: Shapes = {} if source is None else _shapes(source)
    parts = []
    for name, tensors in _group(ours):
        why = _compare_shapes(tensors, theirs, ours)
        if why and source is not None:
            why = _explain_discriminator(name, why, source, target)
        elif source is not None and name.startswith("mapping.") and _mapping_of(source) != _mapping_of(target):
            why = "the mapping differs"
        elif source is not None and source.architecture != target.architecture and not name.startswith("mapping."):
            why = ANOTHER_ARCHITECTURE  # the same convolutions, with other shortcuts around them
        parts.append(_make_part(name, tensors, theirs, why))
    return Match(tuple(parts))


def describe_matches(matches: Mapping[str, Match]) -> list[str]:
    """Return the lines of a table of what is taken, by the networks' names; equal parts in a row share a line."""
    rows: list[tuple[str, ...]] = [HEADINGS]
    for network, match in matches.items():
        entries = [entry for _, parts in groupby(match.parts, lambda part: part.module) for entry in _merge(parts)]
        for (taken, why), run in groupby(entries, lambda entry: entry[1:]):
            rows.append((network, _list_names([name for name, *_ in run]), taken, why))
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def describe_misfit(source: GeneratorConfig, target: GeneratorConfig) -> str:
    """Return how two generators differ of which nothing fits: "rung A, not T; channels up to 512, not 64"."""
    wholes = {
        "rung {}": (source.rung, target.rung),
        "{0}x{0} pixels": (source.resolution, target.resolution),
        "w of {} numbers": (source.w_dim, target.w_dim),
        "a mapping of {} layers": (source.mapping_layers, target.mapping_layers),
        "up to {} channels": (_most_channels(source), _most_channels(target)),
    }
    return ", ".join(f"{words.format(a)} and not {b}" for words, (a, b) in wholes.items() if a != b)


# ------------------------------------------------------------------------------------------------------------ the parts


def _shapes(config: Config) -> Shapes:
    """Return the shapes of a network's tensors by name, but for what follows from its configuration."""
    with MetaInit():
        network = Generator(config) if isinstance(config, GeneratorConfig) else Discriminator(config)
    return {name: tensor.shape for name, tensor in network.state_dict().items() if not name.endswith(COMPUTED)}


def _group(shapes: Iterable[str]) -> list[tuple[str, tuple[str, ...]]]:
    """Return the parts' names with the names of their tensors, in the network's order."""
    parts: dict[str, list[str]] = {}
    for name in shapes:
        parts.setdefault(_owner(name), []).append(name)
    return [(name, tuple(tensors)) for name, tensors in parts.items()]


def _owner(name: str) -> str:
    """Return the part that a tensor belongs to; a layer's affine map of w is part of the layer."""
    path = name.removeprefix("synthesis.").split(".")[:-1]
    if path[-1] == "affine" and path[0] != "input":
        path.pop()
    return ".".join(path) if path != ["mapping"] else "mapping.w_avg"


def _make_part(name: str, tensors: tuple[str, ...], theirs: Shapes, why: str) -> Part:
    if why:
        return Part(name, tensors, why=why)
    taken = tuple(tensor for tensor in tensors if tensor in theirs)
    missing = [tensor.rpartition(".")[2] for tensor in tensors if tensor not in theirs]
    return Part(name, tensors, taken, f"but for {', '.join(missing)}" if missing else "")


def _drop_average(part: Part) -> Part:
    """Return the part without an average of w's that the new mapping does not make."""
    return Part(part.name, part.tensors, why="the mapping differs") if part.name == "mapping.w_avg" else part


def _compare_shapes(tensors: Sequence[str], theirs: Shapes, ours: Shapes) -> str:
    """Say why a part's tensors do not fit; "" if they do. Tensors beside its weight may be missing in the source."""
    common = [name for name in tensors if name in theirs]
    weights = [name for name in tensors if name.endswith((".weight", ".const", ".w_avg")) and ".affine." not in name]
    if not common or any(name not in theirs for name in weights):
        return NOT_THERE
    for name in common:
        if theirs[name] == ours[name]:
            continue
        if ".affine." in name and theirs[name][1:] != ours[name][1:]:
            return "w differs"
        return "kernel differs" if theirs[name][2:] != ours[name][2:] else "channels differ"
    return ""


def _compare_mappings(
    name: str, tensors: Sequence[str], source: GeneratorConfig, target: GeneratorConfig, theirs: Shapes, ours: Shapes
) -> str:
    if _mapping_of(source) != _mapping_of(target):
        return "the mapping differs"
    if (source.z_dim, source.w_dim) != (target.z_dim, target.w_dim):
        return "z or w differ in width"
    why = _compare_shapes(tensors, theirs, ours)
    return "labels differ" if why and source.c_dim != target.c_dim else why


def _mapping_of(config: Config) -> tuple[float | bool, ...]:
    """Return what a mapping's weights depend on beside their shapes."""
    beside = config.labels_beside_z if isinstance(config, GeneratorConfig) else config.direct_labels
    return config.mapping_layers, config.mapping_lr_multiplier, beside


def _compare_inputs(source: GeneratorConfig, target: GeneratorConfig) -> str:
    if not source.fourier_input:
        return NOT_THERE
    before, after = plan(source), plan(target)
    differing = [
        word
        for word, one, other in (
            ("channels", before.input_channels, after.input_channels),
            ("cutoff", before.input_cutoff, after.input_cutoff),
        )
        if one != other
    ]
    return _differ(differing)


def _compare_layers(name: str, source: GeneratorConfig, target: GeneratorConfig) -> str:
    """Say what differs between a layer and the one in its place; "" if they mean the same, or it is no layer."""
    if source.architecture != target.architecture:
        return "the rung differs" if "layers" in (source.architecture, target.architecture) else ANOTHER_ARCHITECTURE
    before, after = ({spec.name: spec for spec in plan(config).layers} for config in (source, target))
    spec = after.get(name)
    if spec is None:  # a constant or a shortcut, which has a shape and no rates
        return ""
    same = before.get(name) or next((other for other in before.values() if _is_in_place(other, spec)), None)
    if same is None:
        return NOT_THERE
    return _differ([word for word, fields in LAYER_FIELDS if any(_differs(same, spec, field) for field in fields)])


def _is_in_place(one: LayerSpec, other: LayerSpec) -> bool:
    """Return True for layers D to R that have one number; StyleGAN2's have names for that."""
    return one.index == other.index and one.name[0] == other.name[0] == "L"


def _differs(one: LayerSpec, other: LayerSpec, field: str) -> bool:
    return not math.isclose(getattr(one, field), getattr(other, field), rel_tol=1e-6)


def _explain_discriminator(name: str, why: str, source: DiscriminatorConfig, target: DiscriminatorConfig) -> str:
    """Return the reason behind a shape that differs."""
    if name.endswith("fromrgb") and why != NOT_THERE and source.img_channels != target.img_channels:
        return "the pictures' channels differ"
    labels = (name == "b4.out" or name.startswith("mapping.")) and source.c_dim != target.c_dim
    return "labels differ" if labels else why


def _differ(words: Sequence[str]) -> str:
    if not words:
        return ""
    listed = ", ".join(words[:-1]) + " and " * (len(words) > 1) + words[-1]
    return f"{listed} differ{'s' * (len(words) == 1 and words[0] != 'channels')}"


def _most_channels(config: GeneratorConfig) -> int:
    return max(layer.out_channels for layer in plan(config).layers)


# ------------------------------------------------------------------------------------------------------------ the table


def _merge(parts: Iterable[Part]) -> list[tuple[str, str, str]]:
    """Return (name, taken, why) of a module as a whole, or of each of its parts where they differ."""
    entries = [(part.name, "yes" if part.taken else "no", part.why) for part in parts]
    if len({entry[1:] for entry in entries}) == 1:
        return [(entries[0][0].partition(".")[0], *entries[0][1:])]
    return entries


def _list_names(names: Sequence[str]) -> str:
    return f"{names[0]} to {names[-1]}" if len(names) > 3 else ", ".join(names)
