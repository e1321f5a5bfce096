# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Opens files that tests/fuzz/fuzzing.py made, one after another, and notices whatever else happens meanwhile.

Orders come as lines of JSON, answers go the same way. While a file is open every audit event counts that is not known
to be harmless: no process, socket, import, code, or file but the mutant itself, read. Processor time and memory are
measured, and limited by the system too.
"""

import contextlib
import ctypes
import gc
import importlib
import json
import os
import pickle
import re
import socket
import sys
import threading
import time
import traceback
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psutil
import torch

import gan.checkpoints.foreign  # noqa: F401  (which a foreign file has imported)
from fuzz import kept_openers
from gan.checkpoints.checkpoint import CheckpointError, load_discriminator, load_generator, read_header
from gan.data.file_sets import ImageError, open_file_set
from gan.data.image_dataset import open_images
from gan.data.labels import read_labels
from gan.devices import DeviceError
from gan.networks.config import ConfigError
from train.datasets.check import check_dataset
from train.datasets.convert import list_pictures, read_picture
from train.datasets.transform import Transform, convert_picture
from train.errors import TrainingError
from train.state import TrainState
from viz.core import state as states
from viz.loading.model_info import read_info
from viz.training.run_folder import RunFolder

TIMES, FLOOR = 3, 80 * 2**20  # bytes of memory: so many times the file's, and what small ones may take
PICTURES_FLOOR = 800 * 2**20  # what a set may take: few bytes can be a large picture, and converting decodes it
CEILING = 2 * 2**30  # bytes of addresses beyond those in use, where the system itself says no
LONGEST = 600  # characters of a sentence

HARMLESS = (
    "object.__getattr__",
    "object.__setattr__",
    "object.__delattr__",
    "sys._getframe",
    "sys._current_frames",
    "gc.get_objects",
    "gc.get_referrers",
    "gc.get_referents",
    "builtins.id",
    "array.__new__",
    "pathlib.Path.glob",  # what pathlib then asks of the system is looked at; so since Python 3.13
    "pathlib.Path.rglob",
)
# What a file may have imported: how zips write names that are no UTF-8, how JSON may be written, what Pillow has for
# what cameras add to pictures. All of it is imported beforehand, so that any import at all is one too many.
IMPORTS = (
    "encodings.cp437",
    "encodings.utf_8_sig",
    "encodings.utf_16",
    "encodings.utf_16_le",
    "encodings.utf_16_be",
    "encodings.utf_32",
    "encodings.utf_32_le",
    "encodings.utf_32_be",
    "PIL.TiffImagePlugin",
    "PIL.MpoImagePlugin",
)
# How much memory is free, and whether the process that wrote a run folder lives, is asked of the system.
READABLE = re.compile(r"/proc/(meminfo|zoneinfo|(\d+/)?stat)")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Escape(BaseException):
    """What a file must not do; no reader catches it by accident."""


class Watch:
    """The audit hook: while `root` is set, whatever is not harmless is kept in `seen` and stopped before it happens."""

    def __init__(self) -> None:
        self.root: str | None = None
        self.seen: list[str] = []
        sys.addaudithook(self)

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.root is None or event in HARMLESS or self._harmless(event, arguments):
            return
        self.seen.append(f"{event} {arguments!r:.200}")
        raise Escape(event)

    def _harmless(self, event: str, arguments: tuple[Any, ...]) -> bool:
        if event == "compile":
            return arguments[1] == "<unknown>"  # ast.literal_eval, by which numpy reads an array's header
        if event not in ("open", "os.listdir", "os.scandir", "os.walk"):
            return False
        path = arguments[0]
        name = os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else ""
        within = name == self.root or name.startswith(f"{self.root}{os.sep}")
        if event != "open":
            return within
        return not arguments[2] & WRITING and (within or READABLE.fullmatch(name) is not None)


def checkpoint(path: str) -> str:
    """A model that draws, or a refusal. What cannot be told before the numbers are read may open as a header alone."""
    found: list[Any] = []
    refusals: list[str] = []
    for opening in (read_header, load_generator, load_discriminator):
        try:
            found.append(opening(path))
        except CheckpointError as error:
            found.append(None)
            refusals.append(checked(error))
    header, generator, discriminator = found
    seen = read_info(path)
    assert bool(seen.facts) == (header is not None), "the window says otherwise"
    checked(CheckpointError(seen.words or seen.error))
    assert header is not None or generator is None, "it opens, but cannot be looked into"
    if generator is None and discriminator is None:
        return refusals[0]
    with torch.inference_mode():
        if generator is not None:
            model, facts = generator
            config = model.config
            json.dumps(facts), header.describe()
            found = model(torch.zeros(1, config.z_dim), torch.zeros(1, config.c_dim))
            assert found.shape == (1, config.img_channels, config.resolution, config.resolution), found.shape
        else:
            model, config = discriminator, discriminator.config
            pictures = torch.zeros(1, config.img_channels, config.resolution, config.resolution)
            assert model(pictures, torch.zeros(1, config.c_dim)).shape == (1, 1)
    assert not any(tensor.requires_grad for tensor in model.parameters())
    return ""


def training(path: str) -> str:
    """A run that can go on, or a refusal."""
    try:
        found = TrainState.load(Path(path))
    except (TrainingError, CheckpointError, ConfigError, DeviceError) as error:
        return checked(error)
    classes = found.config.generator.c_dim
    for _ in range(2 if found.config.batch == 4 else 0):
        found.step(torch.zeros(4, 3, 16, 16), torch.eye(classes)[[0] * 4] if classes else None)
    return ""


def settings(path: str) -> str:
    """A state within all limits, or a refusal."""
    try:
        found = states.load(Path(path))
    except states.StateError as error:
        return checked(error)
    text = json.dumps(states.to_json(found), allow_nan=False)
    assert states.from_json(json.loads(text)) == found
    text.encode()
    return ""


def images(path: str) -> str:
    try:
        source = open_images(path)
        found = source.batch(range(len(source)))
        assert found.shape == (len(source), source.channels, source.resolution, source.resolution)
        labels = source.label_batch(range(len(source)))
        assert labels.shape == (len(source), source.c_dim)
        late = open_images(path, memory_limit=0)
        assert all((late.read(index) == found[index]).all() for index in range(len(late)))
    except ImageError as error:
        return checked(error)
    return ""


def picture_set(path: str) -> str:
    """A set that can be trained on or at least converted, or a refusal; checking agrees with opening."""
    said = ""
    try:
        images(path)
        open_images(path)
    except ImageError as error:
        said = checked(error)
    try:
        found = check_dataset(Path(path))
        assert found.refused == bool(said), (found, said)
        checked(*map(ValueError, ["", *found.problems, *found.damaged.values()]))
    except ImageError as error:
        assert said, error
        checked(error)
    try:
        files = open_file_set(Path(path))
        names = list_pictures(files, Path(path))
        with contextlib.suppress(ImageError):
            read_labels(files, names)
    except ImageError as error:
        return said or checked(error)
    converted = 0
    for number, name in enumerate(names):
        crop, channels = ("center", "pad", "stretch", "center")[number % 4], (3, 1, 4, 3)[number % 4]
        data = read_picture(files, name)
        picture = convert_picture(data, Transform(32, crop, channels=channels)) if isinstance(data, bytes) else None
        checked(ValueError(data if picture is None else picture.error))
        converted += picture is not None and not picture.error
    files.close()
    return "" if converted == len(names) else said or "not all of it can be converted."


def run_folder(path: str) -> str:
    """Nothing raises: what cannot be read leaves what was known."""
    folder = RunFolder(path, stale_s=-1.0)
    for _ in range(2):
        found = folder.poll()
        assert {len(curve) for curve in found.curves.values()} <= {len(found.curves.get("kimg", ()))}
        checked(ValueError(found.state), ValueError(found.error))
    return (
        ""
        if found.options and len(found.curves.get("kimg", ())) and found.progress.images == 400
        else "kept what was known."
    )


OPENERS = {
    "capture": lambda path: kept_openers.capture(path, checked),
    "latent": lambda path: kept_openers.latent(path, checked),
    "direction": lambda path: kept_openers.direction(path, checked),
    "bookmarks": lambda path: kept_openers.bookmarks(path, checked),
    "pickle": checkpoint,
    "torch file": checkpoint,
    "torch zip": checkpoint,
    "safetensors": checkpoint,
    "training": training,
    "state": settings,
    "images": images,
    "run": run_folder,
    "set": picture_set,
    "rosinality": checkpoint,
    "stylegan-xl": checkpoint,
    "tensorflow": checkpoint,
}


def checked(*errors: Exception) -> str:
    """A refusal: one sentence, not too long, that says nothing to a terminal."""
    for error in errors:
        sentence = str(error)
        assert sentence.isprintable() and len(sentence) < LONGEST, f"no plain sentence: {sentence[:300]!r}"
    return str(errors[0])


# Ways of opening that must be noticed, or the ones above prove nothing.


def _run(path: str) -> str:
    return str(pickle.loads(Path(path).read_bytes()))


def _swallow(path: str) -> str:
    with contextlib.suppress(BaseException):
        _run(path)
    raise CheckpointError("Nothing happened.")


_POOL = ThreadPoolExecutor(1)
_POOL.submit(int).result()  # its thread is there before anybody watches


def _elsewhere(path: str) -> str:
    _POOL.submit(_run, path).exception()
    return ""


def _spin(path: str) -> str:
    while True:
        pass


def _hold(path: str) -> str:
    return str(len(bytes(range(256)) * (FLOOR // 256 + 2**14)))[:0]


def _dawdle(path: str) -> str:
    """Long, and to an end."""
    start = time.process_time()
    while time.process_time() < start + 1.5:
        pass
    return ""


def _take_all(path: str) -> str:
    return str(len(b"x" * (CEILING + 2**20)))[:0]


def _raise(path: str) -> str:
    raise KeyError("weight")


def _babble(path: str) -> str:
    return checked(ValueError("Two\nlines."))


def _leave(path: str) -> str:
    with contextlib.suppress(BaseException):
        Path(path).with_name("left").write_bytes(b"x")
    return ""


def _native(path: str) -> str:
    return str(ctypes.CDLL(None).getpid())[:0]


def _import(path: str) -> str:
    import this  # a module that nobody has imported

    return str(this.__name__)[:0]


UNSAFE: dict[str, Any] = {
    "run": _run,
    "swallow": _swallow,
    "elsewhere": _elsewhere,
    "spin": _spin,
    "dawdle": _dawdle,
    "hold": _hold,
    "take all": _take_all,
    "raise": _raise,
    "babble": _babble,
    "leave": _leave,
    "native": _native,
    "import": _import,
    "start": lambda path: os.posix_spawn("/bin/true", ["true"], {}),
    "fork": lambda path: os.fork(),
    "connect": lambda path: socket.socket(),
    "remove": lambda path: os.remove(path),
    "die": lambda path: os.abort(),
    "compile": lambda path: compile("1", "hostile", "eval"),
    "exit": lambda path: sys.exit(0),
    "thread": lambda path: threading.Thread(target=threading.Event().wait, daemon=True).start(),
}


class Meter:
    """Peak memory of this process, in bytes, since `reset`; 0 where the system does not tell."""

    def __init__(self) -> None:
        self._reset = None
        with contextlib.suppress(OSError):
            self._reset = os.open("/proc/self/clear_refs", os.O_WRONLY)
        self._before = 0

    def reset(self) -> None:
        if self._reset is not None:
            os.write(self._reset, b"5")
        self._before = self._peak()

    def grown(self) -> int:
        return self._peak() - self._before

    def _peak(self) -> int:
        with contextlib.suppress(OSError), open("/proc/self/status", "rb") as file:
            for line in file:
                if line.startswith(b"VmHWM:"):
                    return int(line.split()[1]) * 1024
        return 0


def limit() -> None:
    """What the system itself ends: memory without end, and files that grow, by whatever code."""
    try:
        import resource
    except ImportError:  # not a Unix
        return
    most = psutil.Process().memory_info().vms + CEILING
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


@contextlib.contextmanager
def timed(seconds: float) -> Any:
    """The system ends this process when it has taken so much processor time, busy machine or not."""
    import signal

    known = hasattr(signal, "setitimer")
    if known:
        signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        if known:
            signal.setitimer(signal.ITIMER_PROF, 0)


def answer(order: dict[str, Any], opener: Any, watch: Watch, meter: Meter) -> dict[str, Any]:
    """Open one file."""
    result, said = "failed", ""
    watch.seen.clear()
    if order["armed"]:
        gc.collect()
    meter.reset()
    threads, start = threading.active_count(), time.process_time()
    with timed(2 * order["seconds"] if order["armed"] else 600.0):
        try:
            listed = order["path"].endswith(".txt")  # a list stands for the files beside it
            watch.root = str(Path(order["path"]).parent if listed else Path(order["path"])) if order["armed"] else None
            said = opener(order["path"])
            result = "refused" if said else "opened"
        except BaseException:
            watch.root = None
            said = traceback.format_exc()[-3000:]
        finally:
            watch.root = None
    seconds, grown = time.process_time() - start, meter.grown()
    if watch.seen:
        result, said = "failed", f"tried {watch.seen[:5]}"
    elif threading.active_count() != threads:
        result, said = "failed", "left threads behind"
    elif not order["armed"]:
        pass  # the first file of a kind may import and compile
    elif result != "failed" and seconds > order["seconds"]:
        result, said = "failed", f"took {seconds:.1f} s of processor time, and {order['seconds']:g} are allowed"
    elif result != "failed" and grown > TIMES * order["size"] + (PICTURES_FLOOR if order["kind"] == "set" else FLOOR):
        result, said = "failed", f"took {grown / 2**20:.0f} MiB for a file of {order['size'] / 2**20:.2f}"
    return {"result": result, "said": said, "seconds": seconds, "grown": grown}


def main() -> None:
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever is printed is no answer
    for name in IMPORTS:
        importlib.import_module(name)
    watch, meter = Watch(), Meter()
    limited = False
    for line in sys.stdin:
        order = json.loads(line)
        if order["armed"] and not limited:
            limited = True
            gc.freeze()
            limit()
        opener = UNSAFE[order["unsafe"]] if order["unsafe"] else OPENERS[order["kind"]]
        answers.write(json.dumps(answer(order, opener, watch, meter)).encode() + b"\n")


if __name__ == "__main__":
    main()
