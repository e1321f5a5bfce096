# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Foreign checkpoints for the tests, written by hand as they are described: no module that they name exists."""

import io
import json
import pickle
import types
from collections import OrderedDict
from typing import Any

import torch
from safetensors import safe_open

from gan.networks.config import GeneratorConfig
from support.paths import DATA

VECTORS = DATA / "conformance"
BUFFERS = (
    "w_avg",
    "transform",
    "freqs",
    "phases",
    "magnitude_ema",
    "up_filter",
    "down_filter",
    "noise_const",
    "resample_filter",
)
HOOKS = ("_backward_hooks", "_forward_hooks", "_forward_pre_hooks", "_state_dict_hooks", "_load_state_dict_pre_hooks")
BASE = ("z_dim", "c_dim", "w_dim", "img_resolution", "img_channels", "mapping_kwargs", "cmap_dim")
# The source of a module, which must never run.
SOURCE = "raise SystemExit('the source in a checkpoint was run')\n" + "# a line of somebody's source\n" * 40


class Named:
    """A global that is written by its name alone."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.__name__ = module, name

    def __call__(self, *arguments: Any) -> None:
        raise AssertionError("written, never called")


class Call:
    """The result of calling a global, or of building (`new`) one, with a state."""

    def __init__(self, function: Named, *arguments: Any, state: Any = None, new: bool = False) -> None:
        self.function, self.arguments, self.state, self.new = function, arguments, state, new


PERSISTENT = Named("torch_utils.persistence", "_reconstruct_persistent_obj")
EASY = Named("dnnlib.util", "EasyDict")


class Easy:
    """An EasyDict of `items`."""

    def __init__(self, items: dict[str, Any]) -> None:
        self.items = items


class Writer(pickle._Pickler):  # type: ignore[name-defined]
    """Python's own writer, but for globals that need not exist; `old_numpy`: numpy's names before 2.0."""

    dispatch = dict(pickle._Pickler.dispatch)  # type: ignore[attr-defined]

    def __init__(self, file: Any, protocol: int, old_numpy: bool = False) -> None:
        super().__init__(file, protocol)
        self.old_numpy = old_numpy

    def write_global(self, module: str, name: str) -> None:
        if self.proto >= 4:
            self.save(module)
            self.save(name)
            self.write(pickle.STACK_GLOBAL)
        else:
            self.write(pickle.GLOBAL + f"{module}\n{name}\n".encode())

    def save_named(self, named: Named) -> None:
        self.write_global(named.module, named.__name__)
        self.memoize(named)

    def save_call(self, call: Call) -> None:
        self.save(call.function)
        self.save(call.arguments)
        self.write(pickle.NEWOBJ if call.new else pickle.REDUCE)
        self.memoize(call)
        if call.state is not None:
            self.save(call.state)
            self.write(pickle.BUILD)

    def save_easy(self, easy: Easy) -> None:
        self.save(EASY)
        self.save(())
        self.write(pickle.NEWOBJ)
        self.memoize(easy)
        self._batch_setitems(easy.items.items())

    def save_global(self, thing: Any, name: str | None = None) -> None:
        module = getattr(thing, "__module__", "") or ""
        if self.old_numpy and module.startswith("numpy._core"):
            self.write_global(module.replace("numpy._core", "numpy.core"), name or thing.__name__)
            self.memoize(thing)
        else:
            super().save_global(thing, name)

    dispatch |= {Named: save_named, Call: save_call, Easy: save_easy, types.FunctionType: save_global}


def dump(thing: Any, file: Any, protocol: int) -> None:
    """Write a pickle, as pickle.dump does."""
    Writer(file, protocol).dump(thing)


def pickled(thing: Any, protocol: int = 4, old_numpy: bool = False) -> bytes:
    """Return the pickle of a thing of any of the kinds above."""
    file = io.BytesIO()
    Writer(file, protocol, old_numpy).dump(thing)
    return file.getvalue()


def case(stem: str) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Return the constructor's arguments ("kind" among them) and all tensors of a reference vector."""
    with safe_open(VECTORS / f"{stem}.safetensors", framework="pt") as file:
        return json.loads(file.metadata()["config"]), {name: file.get_tensor(name) for name in file.keys()}


def state_of(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the parameters and buffers of a reference vector."""
    return {name.removeprefix("state/"): t for name, t in tensors.items() if name.startswith("state/")}


def persistent(class_name: str, state: dict[str, Any], source: str = SOURCE) -> Call:
    """Return a module as the official code writes it."""
    meta = {"type": "class", "version": 6, "module_src": source, "class_name": class_name, "state": state}
    return Call(PERSISTENT, meta)


def module_state(kwargs: Any = None, **attributes: Any) -> dict[str, Any]:
    """Return a module's attributes without any members."""
    state: dict[str, Any] = {
        "training": False,
        "_parameters": OrderedDict(),
        "_buffers": OrderedDict(),
        "_non_persistent_buffers_set": set(),
        "_modules": OrderedDict(),
    }
    state |= {hook: OrderedDict() for hook in HOOKS}
    return state | attributes | {"_init_args": (), "_init_kwargs": kwargs if kwargs is not None else {}}


CLASSES = {"mapping": "MappingNetwork", "synthesis": "SynthesisNetwork", "affine": "FullyConnectedLayer"}


def module(class_name: str, tensors: dict[str, torch.Tensor], kwargs: Any = None, **attributes: Any) -> Call:
    """Build a tree of modules from tensors by full names; trained ones are parameters."""
    root = module_state(kwargs, **attributes)
    tree = {"": root}
    for name, tensor in tensors.items():
        *path, leaf = name.split(".")
        here, prefix = root, ""
        for part in path:
            prefix += f"{part}."
            if prefix not in tree:
                tree[prefix] = module_state()
                here["_modules"][part] = persistent(CLASSES.get(part, "SynthesisLayer"), tree[prefix])
            here = tree[prefix]
        if leaf in BUFFERS:
            here["_buffers"][leaf] = tensor
        else:
            here["_parameters"][leaf] = torch.nn.Parameter(tensor, requires_grad=False)
    return persistent(class_name, root)


def arguments(config: dict[str, Any], nested: bool = False) -> Any:
    """Return a constructor's arguments, flat or with options in dicts of their own."""
    given = {name: value for name, value in config.items() if name != "kind"}
    if nested:
        options = {name: given.pop(name) for name in list(given) if name not in BASE}
        given["block_kwargs" if "Discriminator" in config["kind"] else "synthesis_kwargs"] = Easy(options)
        given.setdefault("mapping_kwargs", Easy({}))
    return Easy(given)


def snapshot(networks: dict[str, Any]) -> dict[str, Any]:
    """Return the dict that an official pickle holds."""
    whole = {"G": None, "D": None, "G_ema": None} | networks
    data = Easy({"class_name": "training.dataset.ImageFolderDataset", "path": "data.zip", "use_labels": False})
    return whole | {"training_set_kwargs": data, "augment_pipe": None}


def network(stem: str, nested: bool = False, class_name: str | None = None, change: Any = None) -> Call:
    """Return the module of a reference vector; `change` maps each tensor to the one that is written instead."""
    config, tensors = case(stem)
    state = {name: change(t) if change else t for name, t in state_of(tensors).items()}
    name = class_name or config["kind"].partition(".")[2]
    return module(name, state, arguments(config, nested), num_ws=16)


def official(stem: str, protocol: int = 4, **options: Any) -> bytes:
    """Return an official pickle whose G_ema (or D) is the network of a reference vector."""
    key = "D" if stem.startswith("discriminator") else "G_ema"
    return pickled(snapshot({key: network(stem, **options)}), protocol)


def given(config: GeneratorConfig) -> dict:
    """Return the official constructor's arguments for one of our configurations."""
    shared = {
        "z_dim": config.z_dim,
        "c_dim": config.c_dim,
        "w_dim": config.w_dim,
        "img_resolution": config.resolution,
        "img_channels": config.img_channels,
        "channel_base": config.channel_base,
        "channel_max": config.channel_max,
        "mapping_kwargs": {"num_layers": config.mapping_layers},
    }
    if config.architecture != "layers":
        return shared | {"architecture": config.architecture}
    return shared | {
        "num_layers": config.num_layers,
        "conv_kernel": config.conv_kernel,
        "use_radial_filters": config.radial_filters,
    }
