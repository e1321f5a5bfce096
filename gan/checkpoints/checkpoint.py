# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Save and load checkpoints: one .safetensors file with a JSON document in its metadata and official parameter names.

The same calls open official pickles and other foreign files (foreign.py). A file's type is detected from its contents,
never from its name, and no code in it is ever run.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from gan.checkpoints.file_type import FileType, detect_file_type
from gan.checkpoints.pickle_stubs import Storage
from gan.checkpoints.read_limits import Budget, FileRange, RefusedError
from gan.checkpoints.torch_format import dtype_of, find_mismatches, read_safetensors, read_tensor
from gan.files.atomic_write import atomic_write
from gan.files.errors import describe_error, sanitize_text
from gan.networks.config import ConfigError, DiscriminatorConfig, GeneratorConfig
from gan.networks.discriminator import Discriminator
from gan.networks.generator import Generator
from gan.networks.meta_init import MetaInit, count_bytes

if TYPE_CHECKING:
    from gan.checkpoints.foreign import ForeignFile

FORMAT = "jinc"
SCHEMA = 1
# What a file may lack, by the endings of its names, and what is taken then.
ABSENT = {
    "w_avg": "no average w (the mean of 10,000 is taken)",
    "noise_const": "no noise planes (fixed ones are taken)",
}
MEMORY_SHARE = 0.8  # of the free memory that a model may take
NO_GENERATOR = "holds a discriminator of {0}x{0} pictures where its generator should be: open a file with a generator"
MAX_DOCUMENT_LENGTH = 2**20  # characters; ours have some thousand, and JSON takes up to fifty times its size in memory
FLOAT_DTYPES = ("float32", "float16", "bfloat16", "float64")


class CheckpointError(ValueError):
    """A checkpoint that cannot be used. One sentence says why and what to do."""

    def __init__(self, why: str) -> None:
        super().__init__(sanitize_text(why))


class TransientError(CheckpointError):
    """A checkpoint that cannot be used now but may be later, though the file stays the same."""


class TooLargeError(TransientError):
    """A model for which there is too little memory now; the sentence has the numbers."""


class UnreadableError(TransientError):
    """A file that the system does not let us read now."""


@dataclass(frozen=True)
class Header:
    """The contents of a generator's checkpoint, without its tensors."""

    config: GeneratorConfig
    facts: dict[str, Any]
    parameters: int  # numbers in all tensors
    bytes: int  # size of all tensors
    format: str = FORMAT  # or a foreign file's: "pickle", "torch file", "torch zip", "safetensors file"
    network: str = ""  # its name in a foreign file: "G_ema"
    class_name: str = ""  # of a foreign network
    networks: tuple[str, ...] = ()  # names of all networks in a foreign file
    code_bytes: int = 0  # of Python source that came with it, none of which is ever run
    code_pieces: int = 0  # number of texts with source
    family: str = ""  # of networks, where a foreign file is of another project than the official ones
    suspicious: tuple[str, ...] = ()  # names that a foreign file asks for and that only an attack needs
    absent: tuple[str, ...] = ()  # names of tensors that a foreign file lacks, and that are computed

    def describe(self) -> str:
        """Return one line that says what the file is."""
        if self.format == FORMAT:
            return "a checkpoint of Jinc's, which carries no code"
        warning = ""
        if self.suspicious:
            asked = ", ".join(self.suspicious)
            warning = (
                f"; beside the generator it asks for {asked}, as an attack does: do not open it with other programs"
            )
        family = self.family or ("StyleGAN3" if self.config.architecture == "layers" else "StyleGAN2")
        code = "no code"
        if self.code_bytes:
            pieces = "1 text" if self.code_pieces == 1 else f"{self.code_pieces} texts"
            code = f"{self.code_bytes:,} bytes of Python source in {pieces}: none of it was run"
        return f"a {self.format} of a {family} generator, which carries {code}{self._describe_absent()}{warning}"

    def _describe_absent(self) -> str:
        """Return what stands in for what the file lacks; "" where it lacks nothing."""
        lacking = [words for ending, words in ABSENT.items() if any(name.endswith(ending) for name in self.absent)]
        return f"; it holds {' and '.join(lacking)}" if lacking else ""


def save_tensors(path: str | os.PathLike[str], tensors: Mapping[str, Tensor], document: Mapping[str, Any]) -> None:
    """Write tensors and a JSON document, whose "kind" says what they are, as one file, atomically.

    OSError when the disk is full or the folder cannot be written; the file that was at `path` is then still there.
    """
    _write(path, tensors, {"format": FORMAT, FORMAT: json.dumps({"schema": SCHEMA, **document})})


def _write(path: str | os.PathLike[str], tensors: Mapping[str, Tensor], metadata: dict[str, str]) -> None:
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    try:
        with atomic_write(path) as temporary:
            save_file(plain, temporary, metadata)
    except SafetensorError as error:
        system = re.search(r"I/O error: (.+) \(os error (\d+)\)", str(error))
        if system:  # as every other writer says it
            raise OSError(int(system[2]), system[1], str(path)) from error
        raise OSError(f"{path} could not be written: {error}. Is the disk full?") from error


@contextmanager
def _translate_errors(path: Path) -> Iterator[None]:
    """Turn every error of reading a file into a CheckpointError that names it."""
    try:
        yield
    except RefusedError as error:
        raise CheckpointError(f"{path.name} {str(error).rstrip('.')}.") from error
    except ConfigError as error:
        why = str(error).rstrip(".")
        raise CheckpointError(f"{path.name} describes no network that this version knows: {why}.") from error
    except OSError as error:
        raise UnreadableError(f"{path.name} cannot be read: {describe_error(error)}.") from error


class _OurFile:
    """A .safetensors file, opened: its metadata, its tensors' shapes, and their numbers on demand."""

    def __init__(self, source: FileRange) -> None:
        self._budget, self.size = Budget(source.size), source.size
        self.tensors, self.metadata = read_safetensors(source, self._budget)

    def count_bytes(self, name: str) -> int:
        """Return the bytes that a tensor takes."""
        storage = self.tensors[name].storage
        return storage.length * storage.item_size if isinstance(storage, Storage) else 0

    def tensor(self, name: str) -> Tensor:
        """Read a tensor into memory of its own."""
        return read_tensor(self.tensors[name], self._budget)


@contextmanager
def _open(path: Path) -> Iterator["_OurFile | ForeignFile"]:
    """Open a checkpoint. CheckpointError for everything that is wrong with it, now or while it is read."""
    if not path.is_file():
        raise CheckpointError(f"There is no checkpoint at {path}: check the path.")
    with _translate_errors(path):
        file_type = detect_file_type(path)
        if file_type is FileType.SAFETENSORS:
            with open(path, "rb", buffering=0) as file:
                ours = _OurFile(FileRange(file, 0, os.fstat(file.fileno()).st_size))
                if FORMAT in ours.metadata:
                    yield ours
                    return
        from gan.checkpoints.foreign import open_foreign  # here: most checkpoints are ours, and a start is short

        with open_foreign(path, file_type) as foreign:
            yield foreign


def _read_document(file: _OurFile) -> dict[str, Any]:
    text = file.metadata[FORMAT]
    damaged = RefusedError("has a damaged description: get a fresh copy of it")
    try:
        document = json.loads(text) if len(text) <= MAX_DOCUMENT_LENGTH else {}
        schema = document["schema"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise damaged from error
    if not isinstance(document.get("facts", {}), dict):
        raise damaged
    if not isinstance(schema, int) or not 1 <= schema <= SCHEMA:
        raise RefusedError(f"was written by a newer Jinc (schema {schema}): update Jinc to open it")
    return document


def read_document(path: str | os.PathLike[str]) -> dict[str, Any] | None:
    """Return the document of a file that `save_tensors` wrote, None for a foreign file. CheckpointError."""
    with _open(Path(path)) as file:
        return _read_document(file) if isinstance(file, _OurFile) else None


def load_tensors(
    path: str | os.PathLike[str], device: str = "cpu", prefix: str = ""
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Load the tensors and the document that `save_tensors` wrote; with a `prefix` those named so, without it.

    CheckpointError: the file is missing, damaged, not ours or newer.
    """
    path = Path(path)
    with _open(path) as file:
        if not isinstance(file, _OurFile):
            raise RefusedError("is not a checkpoint of Jinc's: open another file")
        document = _read_document(file)
        names = [name for name in file.tensors if name.startswith(prefix)]
        _check_memory(path, sum(map(file.count_bytes, names)), device)
        return {name.removeprefix(prefix): file.tensor(name).to(device) for name in names}, document


def _check_memory(path: Path, size: int, device: str) -> None:
    """Raise TooLargeError, before anything is allocated, where `size` bytes do not fit into the free memory."""
    on_gpu = torch.device(device).type == "cuda"
    free = torch.cuda.mem_get_info(device)[0] if on_gpu else psutil.virtual_memory().available
    if size > free * MEMORY_SHARE:
        raise TooLargeError(
            f"{path.name} needs {size / 2**30:.1f} GiB of memory and only {free / 2**30:.1f} GiB are free: "
            "close other programs or open a smaller model."
        )


def _build_ours(file: _OurFile, network: str | None) -> tuple[Generator, dict[str, Any]]:
    """Build the generator of one of our files, without numbers, and read the facts. RefusedError, ConfigError."""
    if network is not None:
        raise RefusedError(f"is a checkpoint of Jinc's, which holds one generator: leave {network} out")
    document = _read_document(file)
    if document.get("kind") != "generator":
        kind = document.get("kind", "nameless thing")
        raise RefusedError(f"holds a {kind}, not a generator: open a network-snapshot file")
    try:
        config = GeneratorConfig.from_json(document["config"])
    except (KeyError, TypeError) as error:
        raise ConfigError(str(error)) from error
    with MetaInit():  # a lying configuration costs no memory before it is found out
        generator = Generator(config)
    wrong = find_mismatches(generator.state_dict(), file.tensors)
    wrong = wrong or [name for name, tensor in file.tensors.items() if dtype_of(tensor) not in FLOAT_DTYPES]
    if wrong:
        raise RefusedError(
            f"holds tensors that do not fit its configuration ({', '.join(wrong[:3])}): get a fresh copy of it"
        )
    return generator, dict(document.get("facts", {}))


def save_generator(
    path: str | os.PathLike[str], generator: Generator, facts: Mapping[str, Any], half: bool = False
) -> None:
    """Write a generator and `facts` about its training (JSON values).

    `half`: weights of two and more dimensions are stored in float16, half as large; they compute in float32 once read.
    """
    document = {"kind": "generator", "config": generator.config.to_json(), "facts": dict(facts)}
    save_tensors(path, halve_weights(generator) if half else generator.state_dict(), document)


def halve_weights(network: torch.nn.Module) -> dict[str, Tensor]:
    """Return a network's tensors, the parameters of two and more dimensions in float16."""
    weights = {name for name, parameter in network.named_parameters() if parameter.ndim > 1}
    return {name: tensor.half() if name in weights else tensor for name, tensor in network.state_dict().items()}


def save_state_dict(path: str | os.PathLike[str], generator: Generator) -> None:
    """Write a generator's tensors alone, by their official names, for other programs. OSError as in `save_tensors`."""
    _write(path, generator.state_dict(), {"format": "pt"})


def load_state_dict(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """Load the tensors of any .safetensors file by name. CheckpointError."""
    path = Path(path)
    with _translate_errors(path), open(path, "rb", buffering=0) as file:
        whole = _OurFile(FileRange(file, 0, os.fstat(file.fileno()).st_size))
        return {name: whole.tensor(name) for name in whole.tensors}


def read_header(path: str | os.PathLike[str], network: str | None = None) -> Header:
    """Read a generator's checkpoint without its tensors; `network` and CheckpointError as for `load_generator`."""
    path = Path(path)
    with _open(path) as file:
        if isinstance(file, _OurFile):
            generator, facts = _build_ours(file, network)
            return Header(generator.config, facts, _count_parameters(generator), file.size)
        found = file.network(network)
        if not isinstance(found.config, GeneratorConfig):
            raise RefusedError(NO_GENERATOR.format(found.config.resolution))
        empty = file.check(found)
        return Header(
            config=found.config,
            facts=file.facts,
            parameters=_count_parameters(empty),
            bytes=count_bytes(empty),
            format=file.format,
            network=found.name,
            class_name=found.class_name,
            networks=file.names,
            code_bytes=file.code_bytes,
            code_pieces=file.code_pieces,
            family=found.family,
            absent=tuple(found.absent),
            suspicious=file.suspicious,
        )


def _count_parameters(network: torch.nn.Module) -> int:
    return sum(tensor.numel() for tensor in network.state_dict().values())


def _load_foreign(path: Path, file: "ForeignFile", device: str, name: str | None) -> torch.nn.Module:
    network = file.network(name)
    empty = file.check(network)
    _check_memory(path, count_bytes(empty), device)
    return file.fill(empty, network, device)


def read_discriminator(path: str | os.PathLike[str]) -> DiscriminatorConfig | None:
    """Read how the discriminator of a foreign file was built, None where it has none. CheckpointError.

    All of it is read once, since only that shows whether it can be.
    """
    path = Path(path)
    with _open(path) as file:
        if isinstance(file, _OurFile) or file.discriminator not in file.names:
            return None
        found = _load_foreign(path, file, "cpu", file.discriminator)
        return found.config if isinstance(found, Discriminator) else None


def load_discriminator(path: str | os.PathLike[str], device: str = "cpu", network: str | None = None) -> Discriminator:
    """Load the discriminator of an official pickle or another foreign file. CheckpointError as for `load_generator`.

    `network` is its name there; None is the one that is usual in such files.
    """
    path = Path(path)
    with _open(path) as file:
        if isinstance(file, _OurFile):
            raise RefusedError("holds a generator alone: discriminators are read from foreign files only")
        name = file.discriminator if network is None else network
        found = _load_foreign(path, file, device, name)
        if not isinstance(found, Discriminator):
            called = f"under the name {name}" if name else "alone"
            raise RefusedError(f"holds a generator {called}: name its discriminator, or a file that has one")
        return found


def load_generator(
    path: str | os.PathLike[str], device: str = "cpu", network: str | None = None
) -> tuple[Generator, dict[str, Any]]:
    """Load a generator, ready for inference, and the facts of its training.

    `network` names one of a foreign file's networks ("G"); None is the one that pictures are drawn with, "G_ema" in
    official pickles. CheckpointError, in one sentence: the file is missing, damaged, no checkpoint, newer or larger
    than the free memory, its tensors do not fit its configuration, or a foreign file holds things that none needs.
    """
    path = Path(path)
    with _open(path) as file:
        if not isinstance(file, _OurFile):
            found = _load_foreign(path, file, device, network)
            if isinstance(found, Discriminator):
                raise RefusedError(NO_GENERATOR.format(found.config.resolution))
            assert isinstance(found, Generator)  # there is no third kind
            return found, file.facts
        generator, facts = _build_ours(file, network)
        own = generator.state_dict()
        _check_memory(path, max(count_bytes(generator), file.size), device)
        typed = {name: file.tensor(name).to(device, tensor.dtype) for name, tensor in own.items()}
    generator.load_state_dict(typed, assign=True)
    return generator.eval().requires_grad_(False), facts
