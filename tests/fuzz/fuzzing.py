# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Damaged and hostile files by number: a kind of file and a seed name one mutant, always the same.

    python tests/fuzz/fuzzing.py --count 10000             what tests/fuzz/test_fuzz.py does, with a table of outcomes
    python tests/fuzz/fuzzing.py --kind pickle --seed 1234  one mutant, opened; --keep FOLDER leaves it there

Mutants are made here and opened in a process of their own (tests/fuzz/fuzz_child.py), which is used for many of them.
"""

import argparse
import json
import os
import queue
import random
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fuzz import fuzz_families as families
from fuzz import fuzz_files as files
from fuzz import fuzz_kept as kept
from fuzz import fuzz_pickles as pickles
from fuzz import fuzz_pictures as pictures
from fuzz import fuzz_seeds as seeds
from fuzz import fuzz_sets as sets
from fuzz.fuzz_files import Contents

HERE = Path(__file__).resolve().parent
SECONDS = 4.0  # of processor time that a mutant may take
PATIENCE = 120.0  # seconds of the clock after which a process that takes no processor time counts as stuck


@dataclass(frozen=True)
class Mutant:
    """Files in a folder, of which `target` ("" the folder) is opened; `mutation` says what was done to them."""

    kind: str
    seed: int
    mutation: str
    files: Contents
    target: str

    @property
    def again(self) -> str:
        """The command that opens it once more."""
        return f"python tests/fuzz/fuzzing.py --kind '{self.kind}' --seed {self.seed}"


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant: "opened", "refused" or "failed", a sentence or what is wrong, seconds, bytes."""

    mutant: Mutant
    result: str
    said: str
    seconds: float
    grown: int


Made = tuple[str, Contents, str]  # what was done, the files, which is opened
GENERATORS = [name for name in seeds.NETWORKS if name != "D"]


def _chosen(number: int, mutations: Iterable[str]) -> str:
    """By turns, so that each comes up as often as any other."""
    known = list(mutations)
    return known[number % len(known)]


def _pickle(rng: random.Random, number: int) -> Made:
    name, protocol = rng.choice(list(seeds.NETWORKS)), rng.choice((2, 3, 4, 4, 4, 5))
    half = name in ("T", "A") and rng.random() < 0.2
    mutation = _chosen(number, [*pickles.ON_INSTRUCTIONS, *pickles.ON_BYTES])
    return mutation, {"m.pkl": pickles.mutated(rng, seeds.official(name, protocol, half), mutation)}, "m.pkl"


def _torch_file(rng: random.Random, number: int) -> Made:
    return _mutated_file(rng, number, seeds.torch_file(rng.choice(GENERATORS), zipped=False, bare=rng.random() < 0.7))


def _mutated_file(rng: random.Random, number: int, data: bytes) -> Made:
    plain = [kind for kind in pickles.ON_INSTRUCTIONS if kind != "nested"]
    mutation = _chosen(number, [*plain, "tail", "tail", *pickles.ON_BYTES])
    return mutation, {"m.pt": pickles.mutated_parts(rng, data, mutation)}, "m.pt"


def _torch_zip(rng: random.Random, number: int) -> Made:
    return _mutated_zip(rng, number, seeds.torch_file(rng.choice(GENERATORS), zipped=True, bare=rng.random() < 0.7))


def _mutated_zip(rng: random.Random, number: int, data: bytes) -> Made:
    contents = files.unzipped(data)
    mutation = _chosen(number, [*files.ZIP_MUTATIONS, *(f"pickle: {kind}" for kind in pickles.ON_INSTRUCTIONS)])
    inside = mutation.partition(": ")[2]
    if inside:
        key = next(key for key in contents if key.endswith("data.pkl"))
        contents = contents | {key: pickles.mutated(rng, contents[key], inside)}
        return mutation, {"m.pt": seeds.honest(contents)}, "m.pt"
    return f"zip: {mutation}", {"m.pt": files.mutated_zip(rng, contents, mutation)}, "m.pt"


def _rosinality(rng: random.Random, number: int) -> Made:
    zipped = number % 2 == 0
    change = _mutated_zip if zipped else _mutated_file
    return change(rng, number // 2, families.choose_rosinality(rng, zipped))


def _stylegan_xl(rng: random.Random, number: int) -> Made:
    if number % 4 == 3:  # written as ours, with a list of layers
        mutation = _chosen(number // 4, ["document", "options", *files.SAFETENSORS_MUTATIONS])
        data = files.mutated_safetensors(rng, families.listed(), mutation)
        return mutation, {"m.safetensors": data}, "m.safetensors"
    mutation = _chosen(number, [*pickles.ON_INSTRUCTIONS, *pickles.ON_BYTES])
    return mutation, {"m.pkl": pickles.mutated(rng, families.choose_stylegan_xl(rng), mutation)}, "m.pkl"


def _tensorflow(rng: random.Random, number: int) -> Made:
    mutation = _chosen(number, [*pickles.ON_INSTRUCTIONS, *pickles.ON_BYTES])
    return mutation, {"m.pkl": pickles.mutated(rng, families.choose_tensorflow(rng), mutation)}, "m.pkl"


def _ours(rng: random.Random, number: int) -> Made:
    mutation = _chosen(number, ["document", "options", *files.SAFETENSORS_MUTATIONS])
    data = files.mutated_safetensors(rng, seeds.ours(rng.choice(GENERATORS)), mutation)
    return mutation, {"m.safetensors": data}, "m.safetensors"


def _training(rng: random.Random, number: int) -> Made:
    mutation = _chosen(number, ["document", "options", "options", *files.SAFETENSORS_MUTATIONS])
    data = files.mutated_safetensors(rng, seeds.training(rng.choice(("T", "A", "T with labels"))), mutation)
    return mutation, {"training-state.safetensors": data}, "training-state.safetensors"


def _settings(rng: random.Random, number: int) -> Made:
    mutation = _chosen(number, ["value", "value", "value", *files.JSON_MUTATIONS])
    return mutation, {"state.json": files.mutated_json(rng, seeds.settings(), mutation)}, "state.json"


def _pictures(rng: random.Random, number: int) -> Made:
    contents = dict(seeds.pictures())
    mutation = _chosen(
        number,
        [
            *(f"zip: {kind}" for kind in files.ZIP_MUTATIONS),
            *(f"labels: {kind}" for kind in files.JSON_MUTATIONS),
            *(f"png: {kind}" for kind in pictures.PNG_MUTATIONS),
            *(f"jpeg: {kind}" for kind in pictures.JPEG_MUTATIONS),
        ],
    )
    what, _, kind = mutation.partition(": ")
    if what == "zip":
        return mutation, {"set.zip": files.mutated_zip(rng, contents, kind)}, "set.zip"
    if what == "labels":
        document = rng.choice([seeds.labels(), seeds.vectors()])
        contents["dataset.json"] = files.mutated_json(rng, document, kind)
    elif what == "png":
        contents["00/a.png"] = pictures.mutated_png(rng, contents["00/a.png"], kind)
    else:
        name = rng.choice(["00/b.jpg", "c.jpeg"])
        contents[name] = pictures.mutated_jpeg(rng, contents[name], kind)
    if rng.random() < 0.5:
        return mutation, {"set.zip": seeds.honest(contents)}, "set.zip"
    return mutation, contents, ""


def _set(rng: random.Random, number: int) -> Made:
    mutation = _chosen(number, sets.MUTATIONS)
    return mutation, *sets.mutated_set(rng, mutation)


def _run_folder(rng: random.Random, number: int) -> Made:
    documents = seeds.run_documents()
    name = rng.choice(list(documents))
    mutation = _chosen(number, files.JSON_MUTATIONS)
    contents = {name: json.dumps(document).encode() + b"\n" for name, document in documents.items()}
    contents[name] = files.mutated_json(rng, documents[name], mutation) + rng.choice(
        [b"\n", b"\n" + contents[name], b""]
    )
    return mutation, contents, ""


def _capture(rng: random.Random, number: int) -> Made:
    mutation = _chosen(number, kept.CAPTURE_MUTATIONS)
    return mutation, *kept.mutated_capture(rng, mutation)


def _latent(rng: random.Random, number: int) -> Made:
    mutation = _chosen(number, kept.ARRAY_MUTATIONS)
    return mutation, *kept.mutated_arrays(rng, "latent", mutation)


def _direction(rng: random.Random, number: int) -> Made:
    mutation = _chosen(number, kept.ARRAY_MUTATIONS)
    return mutation, *kept.mutated_arrays(rng, "direction", mutation)


def _bookmarks(rng: random.Random, number: int) -> Made:
    mutation = _chosen(number, kept.BOOKMARK_MUTATIONS)
    return mutation, {"b.bookmarks.json": kept.mutated_bookmarks(rng, mutation)}, "b.bookmarks.json"


# Each kind of file, with its share of the mutants of a test.
KINDS: dict[str, tuple[int, Callable[[random.Random, int], Made]]] = {
    "pickle": (32, _pickle),
    "torch file": (10, _torch_file),
    "torch zip": (14, _torch_zip),
    "safetensors": (12, _ours),
    "training": (5, _training),
    "state": (9, _settings),
    "images": (14, _pictures),
    "run": (4, _run_folder),
    "set": (60, _set),
    # files of other projects, which have a test of their own
    "rosinality": (20, _rosinality),
    "stylegan-xl": (20, _stylegan_xl),
    "tensorflow": (20, _tensorflow),
    # what people keep and send each other, the same
    "capture": (30, _capture),
    "latent": (20, _latent),
    "direction": (15, _direction),
    "bookmarks": (15, _bookmarks),
}
KEPT = ("capture", "latent", "direction", "bookmarks")
FAMILIES = ("rosinality", "stylegan-xl", "tensorflow")


def mutant(kind: str, seed: int) -> Mutant:
    """The mutant of that name."""
    mutation, contents, target = KINDS[kind][1](random.Random(f"{kind} {seed}"), seed)
    return Mutant(kind, seed, mutation, contents, target)


def well_formed() -> Iterator[Mutant]:
    """Every file that mutations start from, as it is."""

    def unchanged(kind: str, contents: Contents, target: str) -> Mutant:
        return Mutant(kind, -1, "none", contents, target)

    for name in seeds.NETWORKS:
        for protocol in (2, 3, 4, 5):
            yield unchanged("pickle", {"m.pkl": seeds.official(name, protocol)}, "m.pkl")
    yield unchanged("pickle", {"m.pkl": seeds.official("T", 4, half=True)}, "m.pkl")
    for name in GENERATORS:
        for bare in (False, True):
            yield unchanged("torch file", {"m.pt": seeds.torch_file(name, zipped=False, bare=bare)}, "m.pt")
            data = seeds.torch_file(name, zipped=True, bare=bare)
            yield unchanged("torch zip", {"m.pt": data}, "m.pt")
            yield unchanged("torch zip", {"m.pt": seeds.honest(files.unzipped(data))}, "m.pt")
        yield unchanged("safetensors", {"m.safetensors": seeds.ours(name)}, "m.safetensors")
    for form in families.ROSINALITY:
        for zipped in (False, True):
            yield unchanged("rosinality", {"m.pt": families.rosinality(form, zipped)}, "m.pt")
    for form in families.STYLEGAN_XL:
        for protocol in (2, 3, 4, 5):
            yield unchanged("stylegan-xl", {"m.pkl": families.stylegan_xl(form, protocol)}, "m.pkl")
    yield unchanged("stylegan-xl", {"m.safetensors": families.listed()}, "m.safetensors")
    for form in families.TENSORFLOW:
        for protocol in (2, 3, 4, 5):
            yield unchanged("tensorflow", {"m.pkl": families.tensorflow(form, protocol)}, "m.pkl")
    for name in ("T", "A", "T with labels"):
        yield unchanged("training", {"training-state.safetensors": seeds.training(name)}, "training-state.safetensors")
    yield unchanged("state", {"state.json": json.dumps(seeds.settings()).encode()}, "state.json")
    for document in (seeds.labels(), seeds.vectors()):
        contents = seeds.pictures() | {"dataset.json": json.dumps(document).encode()}
        yield unchanged("images", contents, "")
        yield unchanged("images", {"set.zip": seeds.honest(contents)}, "set.zip")
    for name, data in sets.formats().items():
        yield unchanged("set", {name: data}, "")
    for container in sets.CONTAINERS:
        yield unchanged("set", *sets.packed(sets.formats(), container))
    for mode in ("w:xz", "w:bz2"):
        yield unchanged("set", {"set.tar": sets.tar_of(sets.formats(), mode)}, "set.tar")
    documents = {name: json.dumps(value).encode() + b"\n" for name, value in seeds.run_documents().items()}
    yield unchanged("run", documents, "")
    text = json.dumps(kept.document())
    for form in kept.FORMS:
        yield unchanged("capture", {"a.png": kept.png_of(text, form)}, "a.png")
    yield unchanged("capture", {"a.json": text.encode()}, "a.json")
    yield unchanged("capture", {"a.word": kept.encode_text(kept.record()).encode()}, "a.word")
    for kind in ("latent", "direction"):
        arrays = kept.arrays_of(kind)
        yield unchanged(kind, {"a.npy": kept.npy_of(next(iter(arrays.values())))}, "a.npy")
        yield unchanged(kind, {"a.npz": kept.npz_of(**arrays)}, "a.npz")
        yield unchanged(kind, {"a.safetensors": kept.save(arrays)}, "a.safetensors")
    yield unchanged("bookmarks", {"b.bookmarks.json": json.dumps(kept.bookmarks()).encode()}, "b.bookmarks.json")


class Opener:
    """The process that opens mutants; started when it is wanted, and again when a mutant ended it."""

    def __init__(self, seconds: float = SECONDS, warm: bool = True) -> None:
        """`seconds` of processor time for each; `warm`: open every well-formed file first."""
        self._seconds, self._warm = seconds, warm
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="jinc-fuzz-")
        self.empty, self.started = Path(self._folder.name, "empty"), 0
        self.empty.mkdir()
        self._known: set[str] = set()

    def __enter__(self) -> "Opener":
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
        self._folder.cleanup()

    def open(self, mutant: Mutant, armed: bool = True, unsafe: str = "") -> Outcome:
        """Write it, have it opened, and look at what is left behind.

        `unsafe`: a way of opening in fuzz_child.UNSAFE instead of the program's own, to prove that it is noticed.
        """
        if self._process is None:
            self._start()
        with tempfile.TemporaryDirectory(dir=self._folder.name) as folder:
            place = Path(folder)
            for name, data in mutant.files.items():
                (place / name).parent.mkdir(parents=True, exist_ok=True)
                (place / name).write_bytes(data)
            size = sum(map(len, mutant.files.values()))
            order = {
                "kind": mutant.kind,
                "path": str(place / mutant.target),
                "size": size,
                "armed": armed,
                "seconds": self._seconds,
                "unsafe": unsafe,
            }
            answer = self._ask(order)
            there = {str(path.relative_to(place)) for path in place.rglob("*") if path.is_file()}
            left = sorted(there - set(mutant.files)) + sorted(self._beside() - self._known)
        if left and armed:
            answer |= {"result": "failed", "said": f"left {left[:5]} behind"}
        return Outcome(mutant, **answer)

    def _start(self) -> None:
        environment = os.environ | {"OMP_NUM_THREADS": "1", "TMPDIR": str(self.empty), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, str(HERE / "fuzz_child.py")]
        self._answers = answers = queue.Queue[bytes | None]()
        self._process = process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self.empty,
            env=environment,
        )
        self.started += 1

        def listen() -> None:
            for line in process.stdout:
                answers.put(line)
            answers.put(None)

        threading.Thread(target=listen, daemon=True).start()
        if self._warm:
            for known in well_formed():  # what is imported once for every file of its kind
                outcome = self.open(known, armed=False)
                assert outcome.result == "opened", f"a well-formed {known.kind} was not opened: {outcome.said}"
        self._known = self._beside()  # torch makes folders for its caches

    def _beside(self) -> set[str]:
        """What lies in the folder that the process works in and takes for the system's temporary one."""
        return {str(path.relative_to(self.empty)) for path in self.empty.rglob("*")}

    def _ask(self, order: dict[str, Any]) -> dict[str, Any]:
        assert self._process is not None
        try:
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            self._process.stdin.flush()
            line = self._answers.get(timeout=PATIENCE)
        except queue.Empty:
            line, stuck = None, True
        except OSError:
            line, stuck = None, False
        else:
            stuck = False
        if line is not None:
            return json.loads(line)
        status = self._end()
        said = f"took no end in {PATIENCE:g} s" if stuck else f"ended the process (status {status})"
        return {"result": "failed", "said": said, "seconds": 0.0, "grown": 0}

    def _end(self) -> int:
        if self._process is None:
            return 0
        process, self._process = self._process, None
        process.stdin.close()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
        status = process.wait()
        process.stdout.close()
        return status


def mutants(count: int, start: int = 0, kinds: Iterable[str] = tuple(KINDS)) -> Iterator[Mutant]:
    """So many of each kind as its share is, numbered from `start` on."""
    chosen = list(kinds)
    whole = sum(KINDS[kind][0] for kind in chosen)
    for kind in chosen:
        for seed in range(start, start + -(-count * KINDS[kind][0] // whole)):
            yield mutant(kind, seed)


def table(outcomes: Iterable[Outcome]) -> str:
    """Outcomes by kind and mutation, in Markdown."""
    counts = Counter((o.mutant.kind, o.mutant.mutation, o.result) for o in outcomes)
    rows = ["| file | mutation | opened | refused | failed |", "|---|---|---|---|---|"]
    for kind, mutation in dict.fromkeys((kind, mutation) for kind, mutation, _ in counts):
        numbers = [counts[kind, mutation, result] for result in ("opened", "refused", "failed")]
        rows.append(f"| {kind} | {mutation} | {' | '.join(map(str, numbers))} |")
    totals = [
        sum(n for (_, _, found), n in counts.items() if found == result) for result in ("opened", "refused", "failed")
    ]
    return "\n".join([*rows, f"| all | | {' | '.join(map(str, totals))} |"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kind", choices=list(KINDS), action="append")
    parser.add_argument("--seed", type=int, help="open this one alone")
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="leave the mutant's files in this folder")
    options = parser.parse_args()
    kinds = options.kind or list(KINDS)
    chosen = mutants(options.count, options.start, kinds)
    if options.seed is not None:
        chosen = (mutant(kind, options.seed) for kind in kinds)
    outcomes = []
    with Opener() as opener:
        for one in chosen:
            outcome = opener.open(one)
            outcomes.append(outcome)
            if options.seed is not None or outcome.result == "failed":
                shown = "\n".join(line[:300] for line in outcome.said.splitlines())
                print(f"{one.again}  ({one.mutation})\n{outcome.result}: {shown}", flush=True)
            for name, data in one.files.items() if options.keep else ():
                (options.keep / name).parent.mkdir(parents=True, exist_ok=True)
                (options.keep / name).write_bytes(data)
    print(table(outcomes))
    longest, largest = max(outcomes, key=lambda o: o.seconds), max(outcomes, key=lambda o: o.grown)
    print(
        f"\nThe longest took {longest.seconds:.2f} s of processor time ({longest.mutant.again}), the largest "
        f"{largest.grown / 2**20:.0f} MiB ({largest.mutant.again})."
    )
    return int(any(outcome.result == "failed" for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
