# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Checkpoints: what is written comes back bit for bit, and everything else is refused in one sentence."""

import errno
import json
import os
import subprocess
import sys
import types
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from support.paths import ROOT

import gan.checkpoints.checkpoint
from gan.checkpoints.checkpoint import (
    CheckpointError,
    load_generator,
    load_tensors,
    read_header,
    save_generator,
    save_tensors,
)
from gan.files.atomic_write import atomic_write
from gan.networks.config import DiscriminatorConfig, GeneratorConfig
from gan.networks.discriminator import Discriminator
from gan.networks.generator import Generator, init_generator
from gan.networks.ladder import rung_config
from gan.networks.meta_init import MetaInit


def small(name: str = "T") -> Generator:
    return Generator(rung_config(name, 16, channel_base=64, channel_max=4, z_dim=4, w_dim=4))


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "model.safetensors"
    save_generator(path, small(), {"kimg": 12.5})
    return path


@pytest.mark.parametrize("name", list("ABDGTR"))
def test_round_trip_is_bit_equal(tmp_path, name):
    generator = small(name).eval()
    path = tmp_path / "model.safetensors"
    save_generator(path, generator, {"kimg": 12.5, "data": "critters"})
    loaded, facts = load_generator(path)
    assert facts == {"kimg": 12.5, "data": "critters"}
    assert loaded.config == generator.config
    assert not loaded.training and not any(p.requires_grad for p in loaded.parameters())
    assert all(torch.equal(value, generator.state_dict()[key]) for key, value in loaded.state_dict().items())
    z = torch.randn(2, 4)
    assert torch.equal(loaded(z), generator(z))
    header = read_header(path)
    assert header.config == generator.config
    assert header.facts == facts
    assert header.parameters == sum(t.numel() for t in generator.state_dict().values())
    assert [p.name for p in tmp_path.iterdir()] == ["model.safetensors"]


def rewrite(path, change_document=None, change_tensors=None, keep_metadata=True):
    with safe_open(path, framework="pt") as file:
        document = json.loads(file.metadata()["jinc"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    if change_document:
        change_document(document)
    if change_tensors:
        change_tensors(tensors)
    save_file(tensors, path, {"jinc": json.dumps(document)} if keep_metadata else None)


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda p: p.unlink(), "There is no checkpoint at"),
        (lambda p: p.write_bytes(p.read_bytes()[:1000]), "is damaged or not a .safetensors file"),
        (lambda p: p.write_bytes(p.read_bytes()[:-10]), "ends in the middle"),
        (lambda p: p.write_bytes(b""), "is empty"),
        (lambda p: p.write_bytes(b"\x80\x05}q\x00."), "holds no generator"),
        (lambda p: p.write_text("hello " * 100), "is a text, perhaps what a failed download said"),
        (lambda p: rewrite(p, lambda d: d.update(schema=99)), "written by a newer Jinc"),
        (lambda p: rewrite(p, lambda d: d.pop("schema")), "has a damaged description"),
        (lambda p: rewrite(p, lambda d: d.update(kind="training state")), "not a generator"),
        (lambda p: rewrite(p, lambda d: d["config"].update(colour=1)), "does not know: colour"),
        (lambda p: rewrite(p, lambda d: d["config"].update(resolution=17)), "power of two"),
        (lambda p: rewrite(p, lambda d: d.update(schema=-5)), "written by a newer Jinc"),
        (lambda p: rewrite(p, lambda d: d.update(facts=[])), "has a damaged description"),
        (lambda p: rewrite(p, lambda d: d["config"].update(z_dim="many")), "no network that this version knows"),
        (lambda p: rewrite(p, lambda d: d.update(config=None)), "no network that this version knows"),
        (lambda p: rewrite(p, lambda d: d["config"].update(channel_max=8)), "do not fit its configuration"),
        (lambda p: rewrite(p, None, lambda t: t.pop("mapping.w_avg")), r"do not fit .*\(mapping.w_avg\)"),
        (lambda p: rewrite(p, None, lambda t: t.update(extra=torch.zeros(1))), r"do not fit .*\(extra\)"),
    ],
)
def test_anything_else_is_refused_in_one_sentence(saved, damage, sentence):
    damage(saved)
    with pytest.raises(CheckpointError, match=sentence) as caught:
        load_generator(saved)
    assert "\n" not in str(caught.value)


def test_a_folder_is_no_checkpoint(tmp_path):
    with pytest.raises(CheckpointError, match="There is no checkpoint at"):
        read_header(tmp_path)


def test_a_model_too_large_for_the_memory_is_refused_before_it_is_read(saved, monkeypatch):
    free = types.SimpleNamespace(available=saved.stat().st_size)
    monkeypatch.setattr(gan.checkpoints.checkpoint.psutil, "virtual_memory", lambda: free)
    with pytest.raises(CheckpointError, match="needs 0.0 GiB of memory and only 0.0 GiB are free"):
        load_generator(saved)
    read_header(saved)  # looking inside is still possible


def test_a_huge_configuration_over_small_tensors_allocates_nothing(saved):
    rewrite(saved, lambda d: d["config"].update(resolution=1024, channel_base=2**20, channel_max=2**14, w_dim=2**16))
    with pytest.raises(CheckpointError, match="do not fit its configuration"):
        load_generator(saved)


@pytest.mark.parametrize(
    "config",
    [
        *(small(name).config for name in "ABCDEFGHTR"),
        rung_config("A", 32, architecture="resnet", c_dim=3),
        rung_config("A", 16, architecture="orig"),
        DiscriminatorConfig(32, c_dim=4),
    ],
)
def test_a_skeleton_has_every_name_and_shape_and_no_numbers(config):
    network = Generator if isinstance(config, GeneratorConfig) else Discriminator
    with MetaInit():
        skeleton = network(config)
    expected = network(config).state_dict()
    assert {name: tensor.shape for name, tensor in skeleton.state_dict().items()} == {
        name: tensor.shape for name, tensor in expected.items()
    }
    for name, tensor in skeleton.state_dict().items():
        assert tensor.dtype == expected[name].dtype
        if name.endswith(("up_filter", "down_filter")):
            assert torch.equal(tensor, expected[name])
        else:
            assert tensor.is_meta


@pytest.mark.slow
def test_opening_a_first_model_does_not_wait_for_torchs_compiler(tmp_path):
    """For operations that gan.networks.meta_init does not know, torch imports 800 modules to find shapes in Python."""
    for name in "ABCDEFGHTR":
        save_generator(tmp_path / f"{name}.safetensors", small(name), {})
    code = (
        "import sys\nfrom gan.checkpoints.checkpoint import load_generator\nbefore = set(sys.modules)\n"
        "for path in sys.argv[1:]: load_generator(path)\nprint(sorted(set(sys.modules) - before))"
    )
    paths = [str(path) for path in sorted(tmp_path.iterdir())]
    ran = subprocess.run([sys.executable, "-c", code, *paths], capture_output=True, text=True, check=True, cwd=ROOT)
    assert ran.stdout.strip() == "[]"


def test_tensors_round_trip(tmp_path):
    tensors = {"a": torch.randn(3), "b": torch.arange(4, dtype=torch.uint8), "c": torch.tensor(2.0)}
    save_tensors(tmp_path / "state.safetensors", tensors, {"kind": "training state", "step": 7})
    loaded, document = load_tensors(tmp_path / "state.safetensors")
    assert document["step"] == 7
    assert all(torch.equal(loaded[name], tensors[name]) for name in tensors)


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_the_umask_decides_who_may_read_a_file(saved, tmp_path):
    plain = tmp_path / "plain"
    plain.touch()
    assert saved.stat().st_mode == plain.stat().st_mode


@pytest.mark.skipif(sys.platform == "win32", reason="a limit on the size of files stands for a full disk")
def test_a_write_that_fails_says_it_in_the_systems_words(tmp_path):
    code = (
        "import resource, signal, sys, torch; from gan.checkpoints.checkpoint import save_tensors\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))\n"
        "try: save_tensors(sys.argv[1], {'a': torch.zeros(100000)}, {})\n"
        "except OSError as error: print(error.strerror, error.filename, sep='|')"
    )
    path = tmp_path / "state.safetensors"
    ran = subprocess.run([sys.executable, "-c", code, path], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == f"{os.strerror(errno.EFBIG)}|{path}" and not list(tmp_path.iterdir())


def test_a_failed_write_leaves_what_was_there(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="disk"), atomic_write(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError("disk")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


# What the fuzz harness (tests/fuzz/fuzzing.py) found.


def both_refuse(path: Path, sentence: str) -> None:
    for opening in (read_header, load_generator):
        with pytest.raises(CheckpointError, match=sentence) as caught:
            opening(path)
        assert str(caught.value).isprintable() and len(str(caught.value)) < 600


@pytest.mark.parametrize("config", [[], "", "T", 5, None, [["rung", "T"]]])
def test_a_configuration_that_is_no_object_is_refused(saved, config):
    rewrite(saved, lambda document: document.update(config=config))
    both_refuse(saved, "describes no network")


@pytest.mark.parametrize("name", ["first_stopband", "last_stopband_rel", "first_cutoff", "channel_base", "c_dim"])
def test_whole_numbers_beyond_64_bits_are_no_settings(saved, name):
    rewrite(saved, lambda document: document["config"].update({name: 10**400}))
    both_refuse(saved, f"{name} must be of type")


def test_what_a_file_says_is_quoted_shortly_and_on_one_line(saved):
    rewrite(saved, lambda document: document.update(kind="\x1b[2J\n" + "x" * 5000))
    both_refuse(saved, r"holds a \?\[2J\?x+ \.\.\. x+, not a generator: open a network-snapshot file\.$")
    wild = {"rung": [0] * 9000, "resolution": 16}
    rewrite(saved, lambda document: document.update(kind="generator", config=wild))
    both_refuse(saved, "rung must be of type str")


def test_the_header_refuses_what_loading_refuses(saved):
    rewrite(saved, change_tensors=lambda tensors: tensors.update({"a\nb": torch.zeros(1)}))
    both_refuse(saved, r"do not fit its configuration \(a\?b\)")


@pytest.mark.parametrize("dtype", [torch.int8, torch.bool, torch.complex64, torch.float8_e4m3fn])
def test_tensors_of_odd_types_are_refused(saved, dtype):
    """One byte a number would be four in memory."""
    change = {"mapping.w_avg": torch.zeros(4).to(dtype)}
    try:
        rewrite(saved, change_tensors=lambda tensors: tensors.update(change))
    except KeyError:  # safetensors before 0.7 and complex numbers
        pytest.skip("this version of safetensors writes no such tensors")
    both_refuse(saved, r"tensors of the type|do not fit its configuration \(mapping.w_avg\)")


def test_half_precision_is_read_tensor_by_tensor(saved):
    rewrite(saved, change_tensors=lambda tensors: tensors.update({k: t.half() for k, t in tensors.items()}))
    found = load_generator(saved)[0].state_dict()
    assert {tensor.dtype for tensor in found.values()} == {torch.float32}


@pytest.mark.parametrize("name", list("BTR"))
def test_weights_stored_in_half_precision_draw_the_same_picture(tmp_path, name):
    """Half the file; its pictures are within 50 dB, as those that are computed in half precision."""
    generator = init_generator(rung_config(name, 16, channel_base=256, channel_max=16, z_dim=16, w_dim=16), 0)
    whole, half = tmp_path / "whole.safetensors", tmp_path / "half.safetensors"
    save_generator(whole, generator, {})
    save_generator(half, generator, {}, half=True)
    assert half.stat().st_size < 0.7 * whole.stat().st_size
    stored = load_file(half)
    assert all(tensor.dtype == torch.float32 for tensor in stored.values() if tensor.ndim < 2)
    z = torch.randn(2, 16)
    found, wanted = load_generator(half)[0](z), load_generator(whole)[0](z)
    assert 10 * torch.log10(4 / (found - wanted).square().mean()) > 50, "white and black are 2 apart"


def test_descriptions_and_headers_without_end_are_refused(saved):
    """JSON takes up to fifty times its size in memory."""
    rewrite(saved, lambda document: document.update(facts={"x": [[]] * 500_000}))
    both_refuse(saved, "model.safetensors has a damaged description")
    rewrite(saved, lambda document: document.update(facts={"x": [[]] * 900_000}))
    both_refuse(saved, "header is cut off")


@pytest.mark.parametrize("length", [0x280, 0x580])
def test_a_header_whose_length_begins_as_a_pickle_is_no_pickle(tmp_path: Path, length: int) -> None:
    path = tmp_path / "state.safetensors"

    def write(padding: int) -> int:
        save_tensors(path, {"x": torch.ones(3)}, {"kind": "training state", "padding": "x" * padding})
        return int.from_bytes(path.read_bytes()[:8], "little")

    assert write(length - write(0)) == length
    tensors, document = load_tensors(path)
    assert torch.equal(tensors["x"], torch.ones(3)) and document["kind"] == "training state"
