# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Files that are damaged, hostile or something else: each is refused in one sentence, and nothing of it is run."""

import io
import json
import os
import struct
import subprocess
import sys
import time
import types
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from support.foreign import (
    PERSISTENT,
    Call,
    Named,
    Writer,
    arguments,
    case,
    given,
    module,
    network,
    official,
    persistent,
    pickled,
    snapshot,
    state_of,
)
from support.paths import ROOT

import gan.checkpoints.checkpoint
from gan.checkpoints.checkpoint import CheckpointError, load_discriminator, load_generator, read_header
from gan.checkpoints.file_type import FileType
from gan.checkpoints.foreign import open_foreign
from gan.checkpoints.pickle_stubs import KNOWN_GLOBALS, Global
from gan.checkpoints.read_limits import RefusedError
from gan.checkpoints.torch_format import read_tensor
from gan.networks.generator import Generator
from gan.networks.ladder import rung_config
from gan.networks.meta_init import MetaInit

T, A = "stylegan3_t_64", "stylegan2_64"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "network.pkl"


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def refused(path: Path, sentence: str) -> None:
    """Both ways of opening it end in one sentence that matches."""
    for opening in (load_generator, read_header):
        with pytest.raises(CheckpointError, match=sentence) as caught:
            opening(path)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 600


# What is no generator of ours to open.


UNKNOWN = [
    ("os", "system"),
    ("builtins", "eval"),
    ("builtins", "exec"),
    ("builtins", "getattr"),
    ("torch.hub", "load"),
    ("posix", "system"),
    ("subprocess", "Popen"),
    ("torch", "load"),
    ("torch.nn.modules.module", "Module.forward"),
    ("numpy", "load"),
    ("functools", "partial"),
    ("copyreg", "_reconstructor"),
    ("numpy.core.multiarray", "array"),
    ("torch_utils.persistence", "exec"),
    ("collections", "UserDict"),
    ("", ""),
    ("torch.serialization", "load"),
]


@pytest.mark.parametrize(("module_name", "name"), UNKNOWN)
@pytest.mark.parametrize("protocol", [2, 4])
def test_what_is_not_known_is_refused_by_name_inside_the_generator_alone(path, module_name, name, protocol):
    def call() -> Call:
        return Call(Named(module_name, name), "echo hostile")

    sentence = f"asks for {module_name}.{name}, which no checkpoint"
    inside = network(T)
    inside.arguments[0]["state"]["extra"] = [{"hook": call()}]
    refused(written(path, pickled(snapshot({"G_ema": inside}), protocol)), sentence)
    refused(written(path, pickled(snapshot({"G_ema": call()}), protocol)), sentence)
    refused(written(path, pickled(call(), protocol)), sentence)
    whole = snapshot({"G_ema": network(T), "D": call()}) | {"extra": call(), ("a", 1): [call()]}
    load_generator(written(path, pickled(whole, protocol)))


@pytest.mark.parametrize("protocol", [2, 4])
def test_namespaces_paths_and_the_like_are_inert(path, protocol):
    """Filled in every way that pickles have: attributes, items, members, and as parts of what is known."""
    made = [
        Call(Named("argparse", "Namespace"), new=True, state={"size": 64, "name": "x"}),
        Call(Named("pathlib", "PosixPath"), "/", "data"),
        Call(Named("collections", "defaultdict"), Named("builtins", "list")),
        Call(Named("enum", "Mode"), 1),
        Call(Named("datetime", "datetime"), b"1234567890"),
    ]
    known = Call(Named("torch._utils", "_rebuild_parameter"), made[1], True, None)
    whole = snapshot({"G_ema": network(T)}) | {"args": made, "parameter": known, "table": {("k", 2): made[0]}}
    load_generator(written(path, pickled(whole, protocol)))
    items = b"\x80\x04carge\nparse\n)\x81(\x8c\x01aK\x01uK\x01a(K\x01e(\x8c\x01b\x90)}\x92N\x62."
    refused(written(path, items), "asks for arge.parse, which no checkpoint")


def test_control_characters_of_a_file_do_not_reach_the_terminal(path):
    refused(written(path, pickled(Named("os\x1b[2J\n", "x" * 200), 4)), r"asks for os\?\[2J\?.x+")
    refused(written(path, pickled(Named("o" * 255, "x" * 255), 4)), r"x \.\.\. .*unless you trust where it comes .*\.$")


def test_known_globals_used_otherwise(path):
    bad = [
        Call(PERSISTENT),
        Call(PERSISTENT, {"type": "class"}),
        Call(PERSISTENT, 1, 2),
        Call(PERSISTENT, {"type": "function", "class_name": "G", "state": {}}),
        Call(PERSISTENT, new=True),
        Call(Named("numpy", "ndarray"), 1),
        Call(Named("numpy", "dtype"), "O8"),
        Call(Named("numpy", "dtype"), "V8"),
        Call(Named("numpy", "dtype"), "f8", state=(3, "|", None, ("a",), {}, -1, -1, 0)),
        Call(Named("numpy", "dtype"), "f8", state=(3,)),
        Call(Named("numpy.core.multiarray", "scalar"), 1, b"x"),
        Call(Named("numpy.core.multiarray", "scalar"), Call(Named("numpy", "dtype"), "f8"), b"x"),
        Call(Named("numpy.core.multiarray", "_reconstruct"), Named("collections", "OrderedDict"), (0,), b"b"),
        Call(Named("numpy.core.numeric", "_frombuffer"), b"1234", Call(Named("numpy", "dtype"), "f8"), (9,), "C"),
        Call(Named("torch._utils", "_rebuild_tensor_v2"), 1, 0, (1,), (1,), False, {}),
        Call(Named("torch._utils", "_rebuild_parameter"), 1, False, {}),
        Call(Named("torch", "Size"), (1.5,)),
        Call(Named("torch", "device"), []),
        Call(Named("torch", "float16"), 1),
        Call(Named("_codecs", "encode"), "x"),
        Call(Named("_codecs", "encode"), "x", "rot13"),
        Call(Named("_codecs", "encode"), "\u20ac", "latin1"),
        Call(Named("builtins", "set"), "abc"),
        Call(Named("builtins", "set"), [[1]]),
        Call(Named("builtins", "bytes"), 9),
        Call(Named("collections", "OrderedDict"), [1]),
        Call(Named("collections", "OrderedDict"), {}, {}),
        Call(Named("torch.nn.modules.linear", "Linear"), 3, new=True),
        Call(Named("torch.nn.modules.linear", "Linear")),
    ]
    for thing in bad:
        refused(written(path, pickled(thing)), r"damaged|hostile|no checkpoint")
    for thing in ({(1, (2, (3,))): 1}, {frozenset([1]): 1}):  # keys that are left out
        refused(written(path, pickled(thing)), "holds no generator")
    refused(written(path, b"\x80\x04}]N" + b"s."), "damaged")  # a list as a key


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda s: s.update({"mapping.w_avg": torch.zeros(31)}), r"do not fit .*\(mapping.w_avg\)"),
        (lambda s: s.pop("mapping.fc1.bias"), r"do not fit .*\(mapping.fc1.bias\)"),
        (lambda s: s.update({"synthesis.extra": torch.zeros(1)}), r"do not fit .*\(synthesis.extra\)"),
        (lambda s: s.update({"synthesis.input.freqs": torch.zeros(2)}), r"do not fit .*\(synthesis.input.freqs\)"),
        (lambda s: s.update({"synthesis.L0_36_16.up_filter": torch.zeros(12)}), "filters of its own"),
        (lambda s: s.update({"synthesis.L0_36_16.up_filter": torch.full((12,), torch.nan)}), "filters of its own"),
        (lambda s: [s.pop(name) for name in list(s) if "synthesis" in name], "no StyleGAN2 or 3"),
    ],
)
def test_every_name_shape_and_filter_is_compared(path, change, sentence):
    state = state_of(case(T)[1])
    change(state)
    written(path, pickled(snapshot({"G_ema": module("Generator", state, arguments(case(T)[0]))})))
    with pytest.raises(CheckpointError, match=sentence):
        load_generator(path)


@pytest.mark.parametrize(
    ("kwargs", "sentence"),
    [
        ({"img_resolution": 128}, "do not fit how its network was built"),
        ({"img_resolution": 10**9}, "power of two"),
        ({"img_resolution": "64"}, "must be of type int"),
        ({"z_dim": 2**20, "w_dim": 2**20, "channel_base": 2**20, "channel_max": 2**20}, "do not fit"),
        ({"num_layers": 10**6}, "num_layers must be from 1 to 64"),
        ({"activation": "sine"}, "not supported here: activation"),
        ({"mapping_kwargs": {"num_layers": 2, "deep": {"deep": 1}}}, "not supported here: deep"),
        ({"mapping_kwargs": 7}, "arguments"),
        ({"synthesis_kwargs": 7}, "arguments"),
        ({"conv_kernel": 2}, "convolution is 1 or 3 wide"),
        ({"first_cutoff": float("nan")}, "must be of type float"),
        ({"channel_base": 10**400}, "damaged"),
    ],
)
def test_arguments_that_lie(path, kwargs, sentence):
    whole = network(T)
    whole.arguments[0]["state"]["_init_kwargs"].items.update(kwargs)
    refused(written(path, pickled({"G_ema": whole})), sentence)


def test_a_discriminator_of_another_architecture_or_another_network(path):
    whole = network("discriminator_64")
    whole.arguments[0]["state"]["_init_kwargs"].items["architecture"] = "dense"
    written(path, pickled({"D": whole}))
    with pytest.raises(CheckpointError, match="architecture must be one of resnet, skip, orig"):
        load_discriminator(path)
    whole.arguments[0]["state"]["_init_kwargs"].items["architecture"] = "skip"
    written(path, pickled({"D": whole}))
    with pytest.raises(CheckpointError, match="do not fit how its network was built"):
        load_discriminator(path)
    refused(written(path, official("discriminator_64")), "discriminator of 64x64 pictures where its generator")
    refused(
        written(path, pickled({"net": {"conv.w": torch.ones(3)}})),
        "no StyleGAN2 or 3 .its parameters are conv.w.: open",
    )
    refused(written(path, pickled([1, 2])), "holds no generator and no other network: open")
    other = {"x.w": torch.ones(1)}
    refused(written(path, pickled({"a": other, "b": other})), "holds no generator, only a, b")


# Limits.


def deep(count: int, opener: bytes, closer: bytes) -> bytes:
    return b"\x80\x04" + opener * count + closer * (count - 1) + b"."


BROKEN = [
    (deep(100_000, b"(", b"t"), "nested far deeper"),
    (deep(100_000, b"]", b"a"), "holds no generator"),
    (b"\x80\x04N" + b"\x85" * 150_000 + b".", "holds no generator"),
    (b"\x80\x04" + b"}" * 70_000 + b".", "holds no generator"),
    (b"\x80\x04" + b"]" * 10_000_000 + b".", "far more objects"),
    (b"\x80\x04" + b"N0" * 5_000_000 + b".", "far more objects"),
    (b"\x80\x04" + (b"\x8c\xff" + b"a" * 255 + b"0") * 40_000 + b".", "far more names"),
    (b"\x80\x04}(" + b"".join(struct.pack("<ciB", b"J", i, 78) for i in range(30_000)) + b"u.", "no generator"),
    (b"\x80\x04]\x94r\xff\xff\xff\x7f.", "damaged"),
    (b"\x80\x04j\xff\xff\xff\x7f.", "damaged"),
    (b"\x80\x04B\xff\xff\xff\xff.", "ends in the middle"),
    (b"\x80\x04\x8e" + b"\xff" * 8 + b".", "ends in the middle"),
    (b"\x80\x04\x96" + b"\xff" * 8 + b".", "ends in the middle"),
    (b"\x80\x04\x8d" + b"\xff" * 8 + b".", "ends in the middle"),
    (b"\x80\x04\x95" + b"\xff" * 8 + b"N.", "ends in the middle"),
    (b"\x80\x04\x8a\xff" + b"\x01" * 255 + b".", "damaged"),
    (b"\x80\x04\x8b\xff\xff\xff\x7f.", "instruction 0x8b"),
    (b"\x80\x04cos\nsystem\n.", "asks for os.system"),
    (b"\x80\x04ios\nsystem\n.", "instruction 0x69"),
    (b"\x80\x04\x82\x01.", "instruction 0x82"),
    (b"\x80\x04I1\n.", "instruction 0x49"),
    (b"\x80\x07N.", "protocol 7"),
    (b"\x80\x01N.", "protocol 1"),
    (b"\x80\x04N", "ends in the middle"),
    (b"\x80\x04", "ends in the middle"),
    (b"\x80\x04.", "damaged"),
    (b"\x80\x04N.trailing", "goes on after its end"),
    (b"\x80\x04K\x01Q.", "in another file"),
    (b"\x80\x04c" + b"x" * 10_000, "damaged"),
    (b"\x80\x04\x8c\x02\xff\xff.", "damaged"),
    (b"\x80\x04u.", "damaged"),
    (b"\x80\x04(]u.", "damaged"),
    (b"\x80\x04}(NNNu.", "damaged"),
    (b"\x80\x04Na.", "damaged"),
    (b"\x80\x04NNR.", "damaged"),
    (b"\x80\x04NNb.", "damaged"),
    (b"\x80\x040.", "damaged"),
    (b"\x80\x04h\x00.", "damaged"),
]


@pytest.mark.parametrize(("data", "sentence"), BROKEN, ids=range(len(BROKEN)))
def test_limits_and_broken_pickles(path, data, sentence):
    refused(written(path, data), sentence)


def test_modules_that_hold_each_other_many_times_or_deeply(path):
    def around(children):
        return persistent("Node", {"_modules": children, "_parameters": {}, "_buffers": {}})

    node = around({})
    for _ in range(25):  # 2**25 ways to the leaf
        node = around({"a": node, "b": node})
    refused(written(path, pickled({"G_ema": node})), "far more objects")
    node = around({})
    for _ in range(40):
        node = around({"a": node})
    refused(written(path, pickled({"G_ema": node})), "nested far deeper")
    argument: object = 1
    for _ in range(30):
        argument = [argument, argument]
    whole = network(T)
    whole.arguments[0]["state"]["_init_kwargs"].items["num_layers"] = argument
    refused(written(path, pickled({"G_ema": whole})), "arguments nested far deeper")


def test_keys_that_collide_cost_nothing(path):
    """Numbers and tuples can be chosen to have one hash; each would be compared with all before it."""
    text = b"X" + struct.pack("<I", 50) + b"a" * 50
    keys = (b"(" + text * 7 + b"\x8a\x10" + (k * (2**61 - 1)).to_bytes(16, "little") + b"t" for k in range(1, 15_000))
    keys = b"".join(keys)
    for data in (b"}(" + keys.replace(b"t(", b"tN(") + b"Nu.", b"\x8f(" + keys + b"\x90."):
        began = time.process_time()
        refused(written(path, b"\x80\x04" + data), "no generator")
        assert time.process_time() - began < 5.0


def test_names_that_grow_with_every_level_are_not_kept(path):
    """30 levels of 250 letters, the innermost with 30,000 children: their full names would take a gigabyte."""
    leaf = persistent("Leaf", {"_modules": {}, "_parameters": {}, "_buffers": {}})
    node = persistent("Node", {"_modules": {f"{i}": leaf for i in range(30_000)}})
    for _ in range(30):
        node = persistent("Node", {"_modules": {"\U0001f600" + "a" * 60: node}})
    refused(written(path, pickled({"G_ema": node})), "nested far deeper")
    wide = persistent("Node", {"_modules": {f"{i}" * 40: leaf for i in range(60_000)}})
    refused(written(path, pickled({"G_ema": wide})), "far more")


def test_a_network_larger_than_its_file_is_not_built(path):
    """Tensors that repeat one number (stride 0) can have any shape."""
    config = rung_config("A", 64, channel_base=2**16, channel_max=256, z_dim=64, w_dim=64)
    with MetaInit():
        shapes = {name: tensor.shape for name, tensor in Generator(config).state_dict().items()}
    torch.save({name: torch.zeros(()).expand(shape) for name, shape in shapes.items() if "filter" not in name}, path)
    assert path.stat().st_size < 2**18
    refused(path, "describes a network larger than the file can hold")


def test_a_module_that_holds_itself(path):
    """{"G_ema": a module whose _modules hold it}: by hand, since no writer gets to the end of it."""
    meta = pickled({"type": "class", "version": 6, "class_name": "Loop"}, 2)[2:-1]
    reconstruct = b"ctorch_utils.persistence\n_reconstruct_persistent_obj\n"

    def text(word):
        return b"X" + struct.pack("<I", len(word)) + word.encode()

    def memo(instruction, number):
        return instruction + struct.pack("<I", number)

    # The table of modules is number 200 in the memo; it gets the finished module, 201, as its member.
    filler = b"".join(b"N" + memo(b"r", number) + b"0" for number in range(200))
    state = text("state") + b"}" + text("_modules") + b"}" + memo(b"r", 200) + b"ss"
    module = reconstruct + meta + state + b"\x85R" + memo(b"r", 201)
    data = module + memo(b"j", 200) + text("a") + memo(b"j", 201) + b"s0."
    data = b"\x80\x02" + filler + data
    refused(written(path, data), "nested far deeper")


def packed(numbers: bytes, length: int, kind: str = "FloatStorage", key: str = "0", keys: list | None = None) -> bytes:
    """Return a storage file of torch's, written by hand, whose length may be wrong."""
    parts = [0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}]
    head = b"".join(pickled(part, 2) for part in parts)

    class Pids(Writer):
        def persistent_id(self, thing):
            return thing[1:] if isinstance(thing, tuple) and thing[:1] == ("pid",) else None

    file = io.BytesIO()
    Pids(file, 2).dump(("pid", "storage", Named("torch", kind), key, "cpu", length, None))
    return head + file.getvalue() + pickled([key] if keys is None else keys, 2) + length.to_bytes(8, "little") + numbers


def with_tensor(data: bytes, shape=(32,), stride=(1,), offset=0) -> bytes:
    """Return the T network with a tensor w_avg that is declared by hand."""
    tensor = Call(
        Named("torch._utils", "_rebuild_tensor_v2"),
        Call(Named("torch.storage", "_load_from_bytes"), data),
        offset,
        shape,
        stride,
        False,
        {},
    )
    whole = network(T)
    whole.arguments[0]["state"]["_modules"]["mapping"].arguments[0]["state"]["_buffers"]["w_avg"] = tensor
    return pickled({"G_ema": whole})


ONES = torch.ones(32).numpy().tobytes()


def test_tensors_that_lie_about_their_sizes(path):
    check = load_generator(written(path, with_tensor(packed(ONES, 32))))[0]
    assert torch.equal(check.mapping.w_avg, torch.ones(32))
    spread = packed(torch.arange(63.0).numpy().tobytes(), 63)
    assert torch.equal(
        load_generator(written(path, with_tensor(spread, stride=(2,))))[0].mapping.w_avg, torch.arange(0.0, 64, 2)
    )
    repeated = load_generator(written(path, with_tensor(packed(ONES, 32), stride=(0,))))[0]
    assert torch.equal(repeated.mapping.w_avg, torch.ones(32))
    for data in (
        with_tensor(packed(ONES, 2**40)),
        with_tensor(packed(ONES, 33)),
        with_tensor(packed(ONES, 31)),
        with_tensor(packed(ONES[:100], 32)),
        with_tensor(packed(ONES + ONES, 32)),
        with_tensor(packed(ONES, 32, "DoubleStorage")),
        with_tensor(packed(ONES, 32, "QInt8Storage")),
        with_tensor(packed(ONES, 32), offset=1),
        with_tensor(packed(ONES, 32), stride=(2,)),
        with_tensor(packed(ONES, 32), stride=(2**39,)),
        with_tensor(packed(ONES, 32), offset=2**39),
        with_tensor(packed(ONES, 32), stride=(-1,)),
        with_tensor(packed(ONES, 32), shape=(2**60,)),
        with_tensor(packed(ONES, 32), stride=(1, 1)),
        with_tensor(packed(ONES, 32), offset=-1),
        with_tensor(packed(ONES, 32, keys=["1"])),
        with_tensor(packed(ONES, 32, keys=["0", "0"])),
        with_tensor(packed(ONES, 32, keys=[])),
        with_tensor(b"\x80\x02N."),
        with_tensor(b""),
        with_tensor(b"x" * 500),
    ):
        refused(written(path, data), "damaged|hostile|ends in the middle|of the type torch.QInt8Storage|something else")


def test_views_that_overlap_are_not_read_again_and_again(path):
    """A thousand parameters that each reach over the whole file would take a thousand times its size to read."""
    count, length = 400, 2**18
    storage = torch.zeros(length)
    torch.save({f"p{i}": storage[:: length - 1] for i in range(count)}, path)
    with (
        open_foreign(path, FileType.ZIP) as file,
        pytest.raises(RefusedError, match="overlap in more than its own size"),
    ):
        for tensor in file._found[""].values():
            read_tensor(tensor, file._budget)


# Other files, told apart by what is in them.


def zip_of(**files: bytes) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/"), content)
    return data.getvalue()


def picture() -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (16, 16)).save(data, "PNG")
    return data.getvalue()


def npy(shape: tuple[int, ...]) -> bytes:
    data = io.BytesIO()
    np.save(data, np.zeros(shape, np.float32))
    return data.getvalue()


OTHERS = [
    (b"", "is empty: the download"),
    (b"<!DOCTYPE html><html><body>Sign in</body></html>", "is a web page"),
    (b"\n  <html lang=en>", "is a web page"),
    (pickled(Call(Named("dnnlib.tflib.network", "Network"), new=True)), "TensorFlow pickle of version None"),
    (pickled(Call(Named("tfutil", "Network"), new=True), 2), "TensorFlow pickle of a progressive GAN"),
    (zip_of(**{"a__1.png": picture(), "dataset.json": b"{}"}), "zip of pictures, a data set"),
    (zip_of(**{"x.npy": b""}), "numpy arrays .*open the checkpoint"),
    (zip_of(**{"w.npy": b""}), "holds latents .*open the checkpoint"),
    (zip_of(**{"dlatents.npy": b""}), "holds latents"),
    (zip_of(**{"mu.npy": b"", "sigma.npy": b""}), "holds statistics of features"),
    (npy((1, 18, 512)), r"numpy array \(\[1, 18, 512\]\), as latents, centroids of w and directions .*open the"),
    (npy((512,)), r"numpy array \(\[512\]\)"),
    (npy((1, 512))[:20], "numpy array .of a damaged shape"),
    (b"\x08\x07\x12\x07pytorch\x1a\x031.9" + bytes(100), "an ONNX file"),
    (b"\x08\x01\x12\x90\x02\x0a" + bytes(100), "graph of TensorFlow's"),
    (b"\n\xa2\x1d\x12\x90\x02\x0a\x0b\n\x05Const" + bytes(100), "graph of TensorFlow's .*.meta or .pb"),
    (b'model_checkpoint_path: "model.ckpt-1"\n', "checkpoints of a TensorFlow session"),
    (b"/annex/objects/SHA256E-s1--0.pkl\n", "git-annex pointer"),
    (b"GGUF" + bytes(100), "language model"),
    (b"<!-- x --><html>", "is a web page"),
    (b"Too many users have viewed or downloaded this file recently.\n", "is a text, perhaps what a failed download"),
    (b'{"error": "not found"}', "is a text"),
    (zip_of(**{"model.pkl": b""}), "zip with checkpoints"),
    (zip_of(**{"readme.txt": b""}), "not one of torch's"),
    (zip_of(**{"m__data.pkl": b"\x80\x02N.", "m__code__a.py": b""}), "TorchScript"),
    (zip_of(**{"m__data.pkl": b"\x80\x02N.", "m__byteorder": b"big"}), "big-endian"),
    (b"PK\x05\x06" + b"\0" * 18, "not one of torch's"),
    (b"PK\x03\x04" + b"\0" * 500, "directory is damaged or missing"),
    (picture(), "is a picture"),
    (b"\x1f\x8b\x08" + b"\0" * 100, "compressed archive"),
    (b"version https:" + b"//git-lfs/spec/v1\noid sha256:0", "Git LFS pointer"),
    (b"\x89HDF\r\n\x1a\n", "HDF5"),
    (b"\0" * 257 + b"ustar" + b"\0" * 300, "archive of files"),
    (b"hello \0" * 100, "is damaged or not a checkpoint"),
    (b"{}", "is damaged or not a checkpoint"),
    ((2**62).to_bytes(8, "little") + b"{}", "is damaged or not a checkpoint"),
    ((2**35).to_bytes(8, "little") + b"{}", "header is cut off"),
]


@pytest.mark.parametrize(("data", "sentence"), OTHERS, ids=range(len(OTHERS)))
def test_other_files_are_told_apart_by_their_contents(tmp_path, data, sentence):
    for name in ("a.pkl", "b.safetensors", "c"):
        refused(written(tmp_path / name, data), sentence)


def test_zips_that_lie(path):
    torch.save(state_of(case(T)[1]), path)
    whole = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    compressed = io.BytesIO()
    with zipfile.ZipFile(compressed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    refused(written(path, compressed.getvalue()), "zip was compressed: unpack it")
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("m/data.pkl", contents["network/data.pkl"])
        archive.writestr("m/data/0", b"\0" * 2**26)
    refused(written(path, bomb.getvalue()), "zip was compressed|ends in the middle")
    commented = io.BytesIO()
    with zipfile.ZipFile(commented, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
        archive.comment = b"PK\x05\x06" + b"\0" * 40
    assert load_generator(written(path, commented.getvalue()))[0].config.rung == "T"
    missing = io.BytesIO()
    with zipfile.ZipFile(missing, "w") as archive:
        archive.writestr("m/data.pkl", contents["network/data.pkl"])
    refused(written(path, missing.getvalue()), "ends in the middle")
    with pytest.warns(UserWarning, match="Duplicate"):
        twice = io.BytesIO()
        with zipfile.ZipFile(twice, "w") as archive:
            archive.writestr("m/data.pkl", b"\x80\x02N.")
            archive.writestr("m/data.pkl", b"\x80\x02N.")
    refused(written(path, twice.getvalue()), "two files of one name")
    at = whole.rindex(b"PK\x06\x06") + 32  # the zip64 record's count, size and place of the directory
    lies = [
        ((2**40, 0, 0), "far more files"),
        ((3, 2**40, 0), "far more files"),
        ((3, 300, 2**50), "ends in the middle"),
        ((3, 300, 0), "directory is damaged"),
    ]
    for numbers, sentence in lies:
        lying = whole[:at] + struct.pack("<QQQ", *numbers) + whole[at + 24 :]
        refused(written(path, lying), sentence)
    for cut in range(1, len(whole), 20_000):
        refused(written(path, whole[:cut]), "directory is damaged|ends in the middle|damaged or not a checkpoint")


def table(**entries: object) -> bytes:
    """Return a .safetensors file of these entries and 128 bytes of numbers."""
    text = json.dumps(entries).encode()
    return len(text).to_bytes(8, "little") + text + b"\0" * 128


def test_safetensors_files_that_lie(path):
    entry = {"dtype": "F32", "shape": [32], "data_offsets": [0, 128]}
    for changed in (
        {"shape": [33]},
        {"shape": [-32]},
        {"shape": [2**62, 2**62]},
        {"shape": 32},
        {"data_offsets": [0, 2**40]},
        {"data_offsets": [128, 0]},
        {"data_offsets": [0]},
        {"shape": [1.5]},
        {"data_offsets": None},
        {"shape": [1] * 60 + [32]},
    ):
        refused(written(path, table(weight=entry | changed)), "damaged")
    refused(written(path, table(weight=entry | {"dtype": "F8"})), "tensors of the type 'F8', as no network here has")
    refused(written(path, table(weight=entry)), "no StyleGAN2 or 3 .its parameters are weight.: open")
    refused(written(path, table()), "damaged|holds no generator")
    refused(written(path, (2**21).to_bytes(8, "little") + b"{" + b" " * 2**21), "damaged")
    nested = b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    refused(written(path, len(nested).to_bytes(8, "little") + nested), "damaged")


def test_a_model_too_large_for_the_memory_is_refused_before_it_is_read(path, monkeypatch):
    written(path, official(T))
    free = types.SimpleNamespace(available=100_000)
    monkeypatch.setattr(gan.checkpoints.checkpoint.psutil, "virtual_memory", lambda: free)
    with pytest.raises(CheckpointError, match="needs 0.0 GiB of memory and only 0.0 GiB are free"):
        load_generator(path)
    assert read_header(path).config.rung == "T"


# In processes of their own: what opening does besides, and what it takes.


def in_a_process(code: str, *words: str) -> dict:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", code, *words]
    ran = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert ran.returncode == 0, ran.stderr[-2000:]
    return json.loads(ran.stdout.splitlines()[-1])


WATCHED = """
import json, os, sys
import gan.checkpoints.foreign  # which a foreign file has imported
from gan.checkpoints.checkpoint import load_generator, read_header
seen = []
def watch(event, arguments):
    if event == "open":
        seen.append([event, str(arguments[0]), arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)])
    elif not event.startswith(("object.__", "sys._getframe", "gc.", "builtins.id", "marshal.loads", "import")):
        seen.append([event, repr(arguments)[:80]])
before = set(sys.modules)
sys.addaudithook(watch)
for path in sys.argv[1:]:
    read_header(path)
    load_generator(path)
events = list(seen)
print(json.dumps({"events": events, "imported": sorted(set(sys.modules) - before)}))
"""


@pytest.mark.slow
def test_opening_runs_nothing_writes_nothing_and_imports_nothing(path, tmp_path):
    """Not even what is harmless: no compile, exec or pickle.find_class event, and the file alone is opened."""
    written(path, official(T))
    state = tmp_path / "state.pt"
    torch.save(state_of(case(A)[1]), state)
    found = in_a_process(WATCHED, str(path), str(state))
    assert {event[0] for event in found["events"]} == {"open"}, found["events"]
    opened_files = {(name, writing) for _, name, writing in found["events"] if not name.startswith("/proc/")}
    assert opened_files == {(str(path), 0), (str(state), 0)}
    assert found["imported"] == []


MEASURED = """
import json, resource, sys, time
from gan.checkpoints.checkpoint import CheckpointError, load_generator, read_header
load_generator(sys.argv[1])
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
before, start, said = peak(), time.monotonic(), ""
try:
    model = load_generator(sys.argv[2])
except CheckpointError as error:
    said = str(error)
print(json.dumps({"grown": peak() - before, "seconds": time.monotonic() - start, "said": said}))
"""
SPARE = 80 * 2**20  # what small files may take beside three times their size: allocators, and the budget's floor


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is counted in kilobytes on Linux")
@pytest.mark.parametrize("kind", ["float32", "float16", "protocol 2", "zip", "objects", "sets", "names", "tuples"])
def test_memory_is_at_most_three_times_the_file(tmp_path, kind):
    size = 40 * 10**6
    small_one = written(tmp_path / "small.pkl", official(T))
    path = tmp_path / "large.pkl"
    config = rung_config("A", 64, channel_base=2**16, channel_max=430, z_dim=64, w_dim=64)
    generator = Generator(config)
    if kind in ("float32", "float16", "protocol 2"):
        dtype = torch.float16 if kind == "float16" else torch.float32
        state = {name: tensor.to(dtype) for name, tensor in generator.state_dict().items()}
        protocol = 2 if kind == "protocol 2" else 4
        written(path, pickled(snapshot({"G_ema": module("Generator", state, given(config))}), protocol))
        assert path.stat().st_size > size * (0.7 if kind == "float16" else 1)
    elif kind == "zip":
        torch.save(generator.state_dict(), path)
    else:
        unit = {
            "objects": b"}",
            "sets": b"\x8f\x94",
            "names": b"\x8c\xff" + "\U0001f600".encode() + b"a" * 251,
            "tuples": b"N\x85\x94",
        }[kind]
        written(path, b"\x80\x04" + unit * (size // len(unit)) + b".")
    found = in_a_process(MEASURED, str(small_one), str(path))
    assert bool(found["said"]) == (kind in ("objects", "sets", "names", "tuples")), found
    assert found["grown"] < 3 * path.stat().st_size + (0 if not found["said"] else SPARE - 3 * 2**20), found


def test_what_stands_in_for_names_is_ours_alone():
    """No name leads to anything of another module: what a file calls are functions of one file of ours."""
    for (module_name, name), known in KNOWN_GLOBALS.items():
        assert known.title == f"{module_name}.{name}" and type(known) is Global
        for made in (known.call, known.new):
            assert made is None or (
                type(made) is types.FunctionType and made.__module__ == "gan.checkpoints.pickle_stubs"
            )
            for held in made.__closure__ or () if made else ():
                assert type(held.cell_contents) is str
