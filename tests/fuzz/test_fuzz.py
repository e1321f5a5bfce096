# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Mutants of well-formed files each end in a model or in one clear refusal (tests/fuzz/fuzzing.py makes them).

Eight hundred here, twelve thousand others in `make nightly`, or by hand: pytest tests/fuzz/test_fuzz.py -m nightly
"""

import pickletools
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.foreign import Call, Named, pickled
from support.paths import ROOT

from fuzz import fuzz_files, fuzz_pickles, fuzz_pictures, fuzz_seeds
from fuzz.fuzzing import FAMILIES, KEPT, KINDS, Mutant, Opener, mutant, mutants, table, well_formed
from gan.data.file_sets import ImageError
from gan.data.image_dataset import open_images
from train.datasets.convert import convert_dataset
from train.datasets.transform import Transform

HERE = Path(__file__).resolve().parent
SUITE, NIGHTLY = 800, 12_000
FOREIGN, FOREIGN_NIGHTLY = 500, 5_000  # of files of other projects
SENT, SENT_NIGHTLY = 500, 8_000  # of what people keep and send each other
SETS = 140  # mutants of picture sets that are converted: two of each mutation
MUTATIONS = 180  # of all kinds together; each comes up
OURS = tuple(kind for kind in KINDS if kind not in FAMILIES + KEPT)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits and memory are read and set in Linux's ways")


def check(count: int, start: int, kinds: tuple[str, ...] = OURS) -> None:
    with Opener() as opener:
        outcomes = [opener.open(one) for one in mutants(count, start, kinds)]
    failed = [f"{one.mutant.again}  # {one.mutant.mutation}: {one.said}" for one in outcomes if one.result == "failed"]
    assert not failed, f"{len(failed)} of {len(outcomes)}, the first of them:\n" + "\n".join(failed[:5])
    assert len(outcomes) >= count
    assert opener.started == 1
    print(table(outcomes))
    # Mutants that all die at their first byte would show nothing: some of every kind open, most are refused.
    results = Counter((one.mutant.kind, one.result) for one in outcomes)
    for kind in kinds:
        both = results[kind, "opened"], results[kind, "refused"]
        assert min(both) >= 0.1 * sum(both), f"{kind}: {both[0]} opened, {both[1]} were refused"
    if kinds == OURS:
        assert len({(one.mutant.kind, one.mutant.mutation) for one in outcomes}) >= MUTATIONS
    sentences = {one.said for one in outcomes if one.result == "refused"}
    assert len(sentences) > (0.2 if kinds == OURS else 0.1) * len(outcomes), "refused for many reasons, not for one"


@pytest.mark.slow
def test_eight_hundred_mutants_open_or_are_refused() -> None:
    check(SUITE, 0)


@pytest.mark.nightly
def test_twelve_thousand_mutants_open_or_are_refused_nightly() -> None:
    """Others than the eight hundred above."""
    check(NIGHTLY, SUITE)


@pytest.mark.slow
def test_five_hundred_mutants_of_other_projects_files() -> None:
    check(FOREIGN, 0, FAMILIES)


@pytest.mark.nightly
def test_five_thousand_mutants_of_other_projects_files_nightly() -> None:
    check(FOREIGN_NIGHTLY, FOREIGN, FAMILIES)


@pytest.mark.slow
def test_five_hundred_mutants_of_captures_latents_directions_and_bookmarks() -> None:
    check(SENT, 0, KEPT)


@pytest.mark.nightly
def test_eight_thousand_mutants_of_captures_latents_directions_and_bookmarks_nightly() -> None:
    check(SENT_NIGHTLY, SENT, KEPT)


@pytest.mark.slow
def test_mutants_of_sets_are_converted_or_refused(tmp_path: Path) -> None:
    """The whole of `dataset convert`, which writes files, and so is not watched as the others are."""
    converted = 0
    for one in mutants(SETS, 0, ["set"]):
        folder = tmp_path / str(one.seed)
        for name, data in one.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        try:
            report = convert_dataset(folder / one.target, tmp_path / f"{one.seed}.zip", Transform(16, channels=3))
        except ImageError as error:
            assert str(error).isprintable() and not (tmp_path / f"{one.seed}.zip").exists(), one.again
            continue
        source = open_images(tmp_path / f"{one.seed}.zip")
        assert len(source) == sum(row.outcome in ("kept", "duplicate") for row in report.rows), one.again
        assert {name: (folder / name).read_bytes() for name in one.files} == one.files, one.again
        converted += 1
    assert SETS / 2 < converted < SETS


@pytest.mark.slow
def test_a_seed_names_one_mutant() -> None:
    for kind in KINDS:
        one, again = mutant(kind, 7), mutant(kind, 7)
        assert one == again
        assert one.files != mutant(kind, 8).files
    ran = subprocess.run(
        [sys.executable, HERE / "fuzzing.py", "--kind", "pickle", "--seed", "7"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith(mutant("pickle", 7).again)


def test_what_mutants_start_from_is_taken_apart_without_loss() -> None:
    """A mutation changes what it says, not by accident something else."""
    for one in well_formed():
        (name, data), *_ = one.files.items()
        if one.kind == "pickle":
            ops, rest = fuzz_pickles.instructions(data)
            assert rest == b""
            assert pickletools_names(b"".join(ops)) == [name for name in pickletools_names(data) if name != "FRAME"]
        if one.kind in ("safetensors", "training"):
            header, numbers = fuzz_files.safetensors_parts(data)
            assert fuzz_files.safetensors_parts(fuzz_files.safetensors_of(header, numbers)) == (header, numbers)
    for name, data in fuzz_seeds.pictures().items():
        if name.endswith(".png"):
            chunks = fuzz_pictures._chunks(data)
            assert fuzz_pictures.PNG + b"".join(fuzz_pictures._chunk(*chunk) for chunk in chunks) == data


def pickletools_names(data: bytes) -> list[str]:
    return [op.name for op, _, _ in pickletools.genops(data)]


# The watch itself: files and ways of opening them that must be noticed.

BOMB = pickled(Call(Named("os", "system"), "touch hostile"), 2)


@pytest.fixture(scope="module")
def watched() -> Iterator[Opener]:
    with Opener(seconds=1.0, warm=False) as opener:
        yield opener


def noticed(watched: Opener, unsafe: str, sentence: str) -> None:
    outcome = watched.open(Mutant("pickle", 0, "by hand", {"m.pkl": BOMB}, "m.pkl"), unsafe=unsafe)
    assert outcome.result == "failed", outcome
    assert sentence in outcome.said, outcome.said
    assert list(watched.empty.rglob("*")) == [], "it was stopped before it happened"


@pytest.mark.parametrize("unsafe", ["run", "swallow", "elsewhere"])
def test_code_in_a_file_would_be_noticed(watched: Opener, unsafe: str) -> None:
    """By whichever thread it is run, and whether or not the error is caught."""
    noticed(watched, unsafe, "pickle.find_class")


@pytest.mark.parametrize(
    ("unsafe", "sentence"),
    [
        ("import", "import"),
        ("start", "os.posix_spawn"),
        ("fork", "os.fork"),
        ("connect", "socket."),
        ("leave", "open"),
        ("remove", "os.remove"),
        ("compile", "compile"),
        ("native", "ctypes"),
        ("thread", "thread"),
    ],
)
def test_each_deed_would_be_noticed(watched: Opener, unsafe: str, sentence: str) -> None:
    noticed(watched, unsafe, sentence)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("unsafe", "sentence"),
    [
        ("spin", "ended the process"),
        ("dawdle", "of processor time"),
        ("hold", "MiB for a file of"),
        ("take all", "MemoryError"),
        ("raise", "KeyError"),
        ("babble", "no plain sentence"),
        ("exit", "SystemExit"),
        ("die", "ended the process"),
    ],
)
def test_what_takes_long_or_much_or_says_nothing_plain_would_be_noticed(
    watched: Opener, unsafe: str, sentence: str
) -> None:
    noticed(watched, unsafe, sentence)


@pytest.mark.slow
def test_an_opener_goes_on_after_a_mutant_that_ended_its_process(watched: Opener) -> None:
    before = watched.started
    noticed(watched, "die", "ended the process")
    noticed(watched, "run", "pickle.find_class")
    assert watched.started > before or before == 0
