# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Our checkpoints: one .safetensors file, a JSON document in its metadata, official parameter names. No code, ever."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from gan.config import ConfigError, GeneratorConfig
from gan.files import replaced
from gan.generator import Generator

FORMAT = "jinc"
SCHEMA = 1
MEMORY_SHARE = 0.8  # of the free memory that a model may take


class CheckpointError(ValueError):
    """A checkpoint that cannot be used; one sentence says why and what to do."""


@dataclass(frozen=True)
class Header:
    """What a generator's checkpoint holds, read without its tensors."""

    config: GeneratorConfig
    facts: dict[str, Any]
    parameters: int  # numbers in all tensors
    bytes: int  # size of all tensors


def save_tensors(path: str | os.PathLike[str], tensors: Mapping[str, Tensor], document: Mapping[str, Any]) -> None:
    """Write tensors and a JSON document (its "kind" says of what) as one file, atomically.

    OSError when the disk is full or the folder cannot be written; what was at `path` is then still there.
    """
    metadata = {"format": FORMAT, FORMAT: json.dumps({"schema": SCHEMA, **document})}
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    try:
        with replaced(path) as temporary:
            save_file(plain, temporary, metadata)
    except SafetensorError as error:
        raise OSError(f"{path} could not be written: {error}. Is the disk full?") from error


def _open(path: Path, device: str):  # type: ignore[no-untyped-def]
    if not path.is_file():
        raise CheckpointError(f"There is no checkpoint at {path}: check the path.")
    try:
        return safe_open(path, framework="pt", device=device)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{path.name} is damaged or not a .safetensors file ({error}): get a fresh copy of it."
        ) from error


def _document(file: Any, path: Path) -> dict[str, Any]:
    text = (file.metadata() or {}).get(FORMAT)
    if text is None:
        raise CheckpointError(f"{path.name} is a .safetensors file, but not a checkpoint of Jinc's: open another file.")
    try:
        document = json.loads(text)
        schema = document["schema"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CheckpointError(f"The description inside {path.name} is damaged: get a fresh copy of it.") from error
    if not isinstance(document.get("facts", {}), dict):
        raise CheckpointError(f"The description inside {path.name} is damaged: get a fresh copy of it.")
    if not isinstance(schema, int) or not 1 <= schema <= SCHEMA:
        raise CheckpointError(f"{path.name} was written by a newer Jinc (schema {schema}): update Jinc to open it.")
    return document


def load_tensors(path: str | os.PathLike[str], device: str = "cpu") -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The inverse of `save_tensors`; CheckpointError when it is missing, damaged, not ours or newer."""
    path = Path(path)
    with _open(path, device) as file:
        document = _document(file, path)
        _check_memory(path, device)
        # Clones: the reader's tensors lie in the mapped file, which could then not be replaced on every system.
        return {name: file.get_tensor(name).clone() for name in file.keys()}, document


def _check_memory(path: Path, device: str) -> None:
    """Refuse before anything is allocated: a safetensors file is as large as its tensors."""
    on_gpu = torch.device(device).type == "cuda"
    size = path.stat().st_size
    free = torch.cuda.mem_get_info(device)[0] if on_gpu else psutil.virtual_memory().available
    if size > free * MEMORY_SHARE:
        raise CheckpointError(
            f"{path.name} needs {size / 2**30:.1f} GiB of memory and only {free / 2**30:.1f} GiB are free: "
            "close other programs or open a smaller model."
        )


def _generator_config(document: Mapping[str, Any], path: Path) -> GeneratorConfig:
    if document.get("kind") != "generator":
        kind = document.get("kind", "nameless thing")
        raise CheckpointError(f"{path.name} holds a {kind}, not a generator: open a network-snapshot file.")
    try:
        return GeneratorConfig.from_json(document["config"])
    except (KeyError, ConfigError, TypeError) as error:
        raise CheckpointError(f"{path.name} describes no generator that this version knows: {error}") from error


def save_generator(path: str | os.PathLike[str], generator: Generator, facts: Mapping[str, Any]) -> None:
    """Write a generator and `facts` about its training (JSON values)."""
    document = {"kind": "generator", "config": generator.config.to_json(), "facts": dict(facts)}
    save_tensors(path, generator.state_dict(), document)


def read_header(path: str | os.PathLike[str]) -> Header:
    """What is in a generator's checkpoint, without loading its tensors; CheckpointError as for loading."""
    path = Path(path)
    with _open(path, "cpu") as file:
        document = _document(file, path)
        config = _generator_config(document, path)
        slices = [file.get_slice(name) for name in file.keys()]
        parameters = sum(torch.Size(part.get_shape()).numel() for part in slices)
    return Header(config, dict(document.get("facts", {})), parameters, path.stat().st_size)


def load_generator(path: str | os.PathLike[str], device: str = "cpu") -> tuple[Generator, dict[str, Any]]:
    """A generator ready for inference and the facts of its training.

    CheckpointError, one sentence: missing, damaged, not ours, newer, larger than the free memory, or tensors that do
    not fit the configuration.
    """
    path = Path(path)
    tensors, document = load_tensors(path, device)
    config = _generator_config(document, path)
    # Built on "meta", the network allocates nothing: a lying configuration costs no memory before it is found out.
    with torch.device("meta"):
        generator = Generator(config)
    expected = {name: tensor.shape for name, tensor in generator.state_dict().items()}
    wrong = [name for name in expected if name not in tensors or tensors[name].shape != expected[name]]
    extra = sorted(set(tensors) - set(expected))
    if wrong or extra:
        raise CheckpointError(
            f"The tensors in {path.name} do not fit its configuration ({', '.join([*wrong, *extra][:3])}): "
            "get a fresh copy of it."
        )
    typed = {name: tensors[name].to(tensor.dtype) for name, tensor in generator.state_dict().items()}
    generator.load_state_dict(typed, assign=True)
    return generator.eval().requires_grad_(False), dict(document.get("facts", {}))
