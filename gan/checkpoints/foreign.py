# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The only reader of foreign checkpoints: official pickles, their forks' and torch's files, without running any of it.

`open_foreign` reads a file as plain data (safe_pickle), `ForeignFile.network` finds a network in it and its
configuration, `ForeignFile.check` compares every name and shape with ours, `ForeignFile.fill` reads the numbers.
"""

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path, PurePath
from typing import Any

import torch
from torch import Tensor, nn

from gan.checkpoints import rosinality, stylegan_xl, tensorflow
from gan.checkpoints.derived import Derived, Network
from gan.checkpoints.file_type import FileType
from gan.checkpoints.module_tree import (
    MAX_DEPTH,
    class_names,
    count_code,
    find_placeholder,
    find_sources,
    flatten,
    module_names,
)
from gan.checkpoints.official_arguments import SQUARE_ONLY, discriminator_config, generator_config
from gan.checkpoints.official_shapes import detect_kind, infer_arguments
from gan.checkpoints.other_files import OPEN_MODEL, describe_class, describe_data, describe_names
from gan.checkpoints.pickle_stubs import (
    Global,
    NumpyArray,
    PickledObject,
    Placeholder,
    StoredTensor,
    refuse_placeholder,
)
from gan.checkpoints.read_limits import Budget, FileRange, RefusedError
from gan.checkpoints.torch_format import (
    check_tensor,
    find_mismatches,
    read_pickle,
    read_safetensors,
    read_tensor,
    read_zip,
)
from gan.networks.config import DiscriminatorConfig, GeneratorConfig
from gan.networks.discriminator import Discriminator
from gan.networks.generator import Generator
from gan.networks.meta_init import MetaInit, count_bytes
from gan.networks.synthesis_stylegan2 import normalize_taps

# Names under which a file may hold its generator, the wanted one first.
GENERATORS = (
    "G_ema",
    "g_ema",
    "Gs",
    "G",
    "g",
    "generator",
    "netG",
    "decoder",
    "state_dict",
    "model",
    "params_ema",
    "params",
)
DISCRIMINATORS = ("D", "d", "discriminator", "netD")
# The networks of another project's file by name, each a call that describes it (RefusedError, ConfigError); no names
# where the file is of another kind. Given the file's plain data and its budget.
FAMILIES: tuple[Callable[[Any, Budget], dict[str, Callable[[], Network]]], ...] = (
    rosinality.find_networks,
    tensorflow.find_networks,
)
# Names that one tensor of each official network has, and the prefix of torch's parallel wrapper.
MARKS, PARALLEL = ("synthesis.b4.const", "synthesis.input.weight", "b4.out.weight"), "module"
UNNAMED = ""  # the name of a network that is all of the file
POSITIONS = {
    "Generator": ("z_dim", "c_dim", "w_dim", "img_resolution", "img_channels", "mapping_kwargs"),
    "Discriminator": ("c_dim", "img_resolution", "img_channels"),
}
MAX_ARGUMENT_VALUES = 10_000
WRAPPERS, MAX_WRAPPERS, MAX_LISTED = (dict, list, tuple), 5, 16
MAX_GROWTH, GROWTH_FLOOR = 2, 2**20  # a model in float32 from float16 is twice as large as its file
FILTERS = ("resample_filter", "up_filter", "down_filter")  # they follow from the configuration
FILTER_TOLERANCE = 1e-4  # of the largest tap, beside the rounding of what the file stores


class ForeignFile:
    """A foreign checkpoint, opened: plain data in memory, tensors still in the file."""

    def __init__(self, source: FileRange, file_type: FileType) -> None:
        self._budget, self._size = Budget(source.size), source.size
        data: Any
        if file_type is FileType.ZIP:
            self.format, data = "torch zip", read_zip(source, self._budget)
        elif file_type is FileType.SAFETENSORS:
            self.format, data = "safetensors file", read_safetensors(source, self._budget).tensors
        else:
            self.format, data = read_pickle(source, self._budget)
        # Networks of other projects, by name: each is a call that describes it with our names, or refuses it.
        self._families: dict[str, Callable[[], Network]] = {}
        self._found: dict[str, Any] = {}
        whole = data
        for data in _unwrap(whole):
            for find in FAMILIES:
                self._families = self._families or find(data, self._budget)
            # A generator of official names may lie beside another project's discriminator.
            others = {} if set(GENERATORS) & set(self._families) else _find_networks(data, self._budget)
            self._found = {name: found for name, found in others.items() if name not in self._families}
            if self.names:
                break
        self._other = "" if set(GENERATORS) & set(self.names) else describe_data(whole)
        self.facts = _read_facts(data)
        own_sources = (source for found in self._found.values() for source in find_sources(found, self._budget))
        self.code_bytes, self.code_pieces = count_code(chain(own_sources, tensorflow.find_sources(data)))

    @property
    def suspicious(self) -> tuple[str, ...]:
        """Return names that the file asks for beside its generator and that only an attack needs."""
        return tuple(dict.fromkeys(self._budget.suspicious))

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the networks in the file."""
        return (*self._families, *self._found)

    @property
    def discriminator(self) -> str:
        """Return the name of the file's discriminator, or of its only network; the usual one where it has none."""
        return next((known for known in (*DISCRIMINATORS, UNNAMED) if known in self.names), DISCRIMINATORS[0])

    def network(self, name: str | None = None) -> Network:
        """Return the network of that name; for None, the generator that pictures are drawn with.

        RefusedError where it is missing or unknown, ConfigError where its options are not supported.
        """
        names = self.names
        if name is None:
            name = next((known for known in GENERATORS if known in names), None)
            name = UNNAMED if name is None and UNNAMED in names else name
            name = names[0] if name is None and len(names) == 1 else name
        if name is None or name not in names:
            wanted, others = name or "generator", ", ".join(filter(None, names[:8]))
            if names == (UNNAMED,):
                raise RefusedError(f"holds one network, which has no name there: leave {wanted} out")
            if wanted == "generator" and self._other:
                raise RefusedError(self._other)
            only = f", only {others}: name one" if others else f" and no other network: {OPEN_MODEL}"
            raise RefusedError(f"holds no {wanted}{only}")
        if name in self._families:
            return self._families[name]()
        found = self._found[name]
        if isinstance(found, Placeholder) and name in DISCRIMINATORS:
            raise RefusedError(f"holds a discriminator of the class {found.title}: only StyleGAN2's can be opened here")
        class_name = found.class_name if isinstance(found, PickledObject) else ""
        unknown = find_placeholder(found, self._budget)
        if unknown is not None:
            classes = class_names(found) or [unknown.title]
            said = describe_class(*classes) or describe_names(module_names(found, self._budget))
            raise RefusedError(said) if said else refuse_placeholder(unknown)
        tensors = flatten(found, self._budget)
        shapes = {key: tensor.shape for key, tensor in tensors.items()}
        kind = detect_kind(shapes)
        if not kind:
            said = describe_class(*class_names(found)) or describe_names(shapes) or self._other
            raise RefusedError(said or _describe_unknown(shapes, class_name))
        if stylegan_xl.is_stylegan_xl(kind, class_name, shapes):
            return stylegan_xl.describe_network(name, found, tensors)
        given = _constructor_arguments(found, kind.partition(".")[2])
        if "img_resolution" not in given:
            given = infer_arguments(kind, shapes)
        is_generator = kind.endswith(".Generator")
        config = generator_config(kind, given) if is_generator else discriminator_config(given)
        return Network(name, class_name, config, tensors)

    def check(self, network: Network) -> nn.Module:
        """Build our network for it, without numbers. RefusedError where a name, a shape or a size does not fit."""
        with MetaInit():  # a lying configuration costs no memory before it is found out
            config = network.config
            ours = Generator(config) if isinstance(config, GeneratorConfig) else Discriminator(config)
        wrong = find_mismatches(ours.state_dict(), network.tensors, optional=(*FILTERS, *network.absent))
        if wrong:
            raise RefusedError(
                f"holds tensors that do not fit how its network was built ({', '.join(wrong[:3])}): "
                "it is damaged, or of a variant that cannot be opened here"
            )
        if count_bytes(ours, without=network.absent) > MAX_GROWTH * self._size + GROWTH_FLOOR:
            raise RefusedError("describes a network larger than the file can hold: it is damaged or hostile")
        for tensor in network.tensors.values():
            check_tensor(tensor.stored if isinstance(tensor, Derived) else tensor, self._budget)
        return ours

    def fill(self, ours: nn.Module, network: Network, device: str = "cpu") -> nn.Module:
        """Fill the network that `check` returned with the file's numbers, ready for inference. RefusedError."""
        state = {}
        for key, own in ours.state_dict().items():
            tensor = self._read(network.tensors.get(key))
            if key.endswith(FILTERS):
                computed = _compute_filter(network.config, key, own)
                if tensor is not None and not _filters_agree(tensor, computed):
                    raise RefusedError(f"was built with filters of its own ({key}), which cannot be opened here")
                tensor = computed
            if tensor is None:  # `check` found it among the absent ones
                tensor = torch.zeros(own.shape)
            state[key] = tensor.to(device, own.dtype).contiguous()
        ours.load_state_dict(state, assign=True)
        ours.eval().requires_grad_(False)
        filled = ours.state_dict()
        for key, compute in network.absent.items():
            filled[key].copy_(compute(ours))
        return ours

    def _read(self, found: StoredTensor | Derived | None) -> Tensor | None:
        """Return a tensor's numbers in our form, None for an absent one."""
        if isinstance(found, Derived):
            return found.change.apply(read_tensor(found.stored, self._budget))
        return None if found is None else read_tensor(found, self._budget)


@contextmanager
def open_foreign(path: Path, file_type: FileType) -> Iterator[ForeignFile]:
    """Open a foreign checkpoint, whose type is known. RefusedError, OSError."""
    with open(path, "rb", buffering=0) as file:
        was_on = gc.isenabled()
        gc.disable()  # a full collection walks over every object of torch's, which takes longer than the reading
        try:
            opened_file = ForeignFile(FileRange(file, 0, os.fstat(file.fileno()).st_size), file_type)
        finally:
            if was_on:
                gc.enable()
        yield opened_file


def _compute_filter(config: GeneratorConfig | DiscriminatorConfig, key: str, own: Tensor) -> Tensor:
    """Return a filter as we compute it; up- and down-filters, from numpy, have numbers even under MetaInit."""
    if not key.endswith("resample_filter"):
        return own
    taps = normalize_taps(config.resample_filter)
    return torch.outer(taps, taps)


def _filters_agree(stored: Tensor, computed: Tensor) -> bool:
    exact = torch.finfo(stored.dtype).eps if stored.is_floating_point() else 0.0
    limit = (FILTER_TOLERANCE + exact) * float(computed.abs().max())
    return bool((stored.double() - computed.double()).abs().max() <= limit)  # False for what is not finite


def _unwrap(data: Any) -> Iterator[Any]:
    """Yield a file's data and then, where those are a list or a table around one other, what is inside."""
    for _ in range(MAX_WRAPPERS):
        yield data
        if isinstance(data, list | tuple) and len(data) <= MAX_LISTED:
            data = {str(number): item for number, item in enumerate(data)}
            continue
        inside = [item for item in data.values() if isinstance(item, WRAPPERS)] if isinstance(data, dict) else []
        if len(inside) != 1:
            return
        data = inside[0]


def _find_networks(data: Any, budget: Budget) -> dict[str, Any]:
    """Return the values that may be networks, by name; a network that is all of the file has the name UNNAMED."""
    if isinstance(data, PickledObject | Placeholder):
        return {UNNAMED: data} if _is_network(data) or isinstance(data, Placeholder) else {}
    if not isinstance(data, dict):
        return {}
    found: dict[str, Any] = {}
    for key, value in data.items():
        if isinstance(value, dict) and _is_network(value):
            found |= _split_table(key, value, budget) or {key: value}
        elif _is_network(value) or (key in (*GENERATORS, *DISCRIMINATORS) and isinstance(value, Placeholder)):
            found[key] = value
    # A tensor or two beside named networks, such as an average w, are none; weights that have our names are.
    found |= _split_table(UNNAMED, data, budget)
    if not found and any(isinstance(value, StoredTensor) for value in data.values()):
        found[UNNAMED] = data
    return found


def _split_table(name: str, table: dict[str, Any], budget: Budget) -> dict[str, Any]:
    """Return the networks in a table that has official names, as they are or behind a prefix such as "decoder."."""
    budget.spend_instructions(len(table))
    marked = {key.removesuffix(mark) for key in table for mark in MARKS if key.endswith(mark)}
    found: dict[str, Any] = {}
    for prefix in sorted(marked):
        *parts, rest = prefix.split(".")
        if not rest and all(part in (*GENERATORS, *DISCRIMINATORS, PARALLEL) for part in parts):
            budget.spend_instructions(len(table))
            inner = ".".join(part for part in parts if part != PARALLEL)
            inside = {key.removeprefix(prefix): value for key, value in table.items() if key.startswith(prefix)}
            # A name without a dot is no layer's: a count of steps, an average.
            found[inner or name] = {key: value for key, value in inside.items() if "." in key}
    return found


def _read_facts(data: Any) -> dict[str, str]:
    """Return the name of the pictures that an official network was trained on."""
    training_set = data.get("training_set_kwargs") if isinstance(data, dict) else None
    path = training_set.get("path") if isinstance(training_set, dict) else None
    return {"data": PurePath(path.replace("\\", "/")).stem} if isinstance(path, str) else {}


def _is_network(value: Any) -> bool:
    if isinstance(value, PickledObject):
        return isinstance(value.state.get("_modules"), dict)
    if not isinstance(value, dict):
        return False
    return any(isinstance(item, StoredTensor) and "." in str(key) for key, item in value.items())


def _describe_unknown(shapes: dict[str, tuple[int, ...]], class_name: str) -> str:
    some = ", ".join(list(shapes)[:3]) + (" and others" if len(shapes) > 3 else "")
    named = f"of the class {class_name} " if class_name else ""
    told = f"its parameters are {some}" if some else "it has none"
    return f"holds a network {named}that is no StyleGAN2 or 3 ({told}): {OPEN_MODEL}"


def _constructor_arguments(network: Any, role: str) -> dict[str, Any]:
    """Return the constructor's arguments that the file tells: by name, by position, or kept as attributes."""
    if not isinstance(network, PickledObject):
        return {}
    state, left = network.state, [MAX_ARGUMENT_VALUES]
    if state.get("square") is False:
        raise RefusedError(f"is a model of {SQUARE_ONLY}")
    named, listed = (to_json(state.get(key), left) for key in ("_init_kwargs", "_init_args"))
    given = {key: state[key] for key in POSITIONS[role] if type(state.get(key)) is int} if named or listed else {}
    if isinstance(listed, list):
        if len(listed) > len(POSITIONS[role]):
            raise RefusedError("was built with more arguments than the official networks take")
        given |= dict(zip(POSITIONS[role], listed, strict=False))
    return given | (named if isinstance(named, dict) else {})


def to_json(value: Any, left: list[int], depth: int = 0) -> Any:
    """Return a file's value as JSON data of at most `left[0]` values. RefusedError for more, or deeper nesting."""
    left[0] -= 1
    if left[0] < 0 or depth > MAX_DEPTH:
        raise RefusedError("has arguments nested far deeper than a checkpoint's: it is damaged or hostile")
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, dict):
        return {str(key): to_json(item, left, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item, left, depth + 1) for item in value]
    if isinstance(value, NumpyArray) and value.values is not None:
        return list(value.values)
    return value.title if isinstance(value, Global) else f"({type(value).__name__})"
