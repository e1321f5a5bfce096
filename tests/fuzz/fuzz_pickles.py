# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Mutations of pickles, which are lists of instructions here, each with the bytes of its argument."""

import pickle
import pickletools
import random
import struct
from collections.abc import Callable
from typing import Any

from support.foreign import Call, Named, pickled

Instructions = list[bytes]

HOSTILE = [
    ("os", "system"),
    ("posix", "system"),
    ("builtins", "eval"),
    ("builtins", "exec"),
    ("builtins", "open"),
    ("builtins", "__import__"),
    ("builtins", "getattr"),
    ("builtins", "compile"),
    ("__builtin__", "eval"),
    ("subprocess", "Popen"),
    ("subprocess", "check_output"),
    ("torch.hub", "load"),
    ("torch", "load"),
    ("torch.serialization", "load"),
    ("torch.jit", "load"),
    ("operator", "attrgetter"),
    ("operator", "methodcaller"),
    ("functools", "partial"),
    ("functools", "reduce"),
    ("importlib", "import_module"),
    ("runpy", "run_path"),
    ("pty", "spawn"),
    ("socket", "create_connection"),
    ("shutil", "rmtree"),
    ("os", "execv"),
    ("os", "remove"),
    ("codecs", "decode"),
    ("_codecs", "decode"),
    ("pickle", "loads"),
    ("marshal", "loads"),
    ("types", "CodeType"),
    ("types", "FunctionType"),
    ("ctypes", "CDLL"),
    ("multiprocessing", "Process"),
    ("threading", "Thread"),
    ("copyreg", "__newobj__"),
    ("copyreg", "_reconstructor"),
    ("numpy", "load"),
    ("numpy", "memmap"),
    ("timeit", "timeit"),
    ("code", "interact"),
    ("webbrowser", "open"),
    ("nt", "system"),
    ("bdb", "Bdb.run"),
    ("torch._utils", "_rebuild_wrapper_subclass"),
    ("torch.storage", "UntypedStorage.from_file"),
    ("torch_utils.persistence", "_module_to_src_dict.clear"),
    ("collections", "OrderedDict.__init__"),
    ("torch._utils", "__builtins__.eval"),
    ("builtins", "set.__class__"),
    ("dnnlib.util", "open_url"),
]
HARMLESS = [
    ("collections", "OrderedDict"),
    ("builtins", "set"),
    ("builtins", "bytes"),
    ("torch", "Size"),
    ("torch", "device"),
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("_codecs", "encode"),
    ("torch", "FloatStorage"),
    ("dnnlib.util", "EasyDict"),
    ("torch._utils", "_rebuild_parameter"),
    ("torch._utils", "_rebuild_tensor_v2"),
    ("torch.storage", "_load_from_bytes"),
    ("torch_utils.persistence", "_reconstruct_persistent_obj"),
    ("numpy.core.multiarray", "scalar"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.numeric", "_frombuffer"),
    ("torch.nn.modules.linear", "Linear"),
    ("torch", "float16"),
    ("dnnlib.tflib.network", "Network"),
    ("argparse", "Namespace"),
    ("dill._dill", "_load_type"),
    ("dill._dill", "_import_module"),
    ("dill._dill", "_get_attr"),
    ("dill._dill", "_create_array"),
]
# Keys whose values decide what is built, by whom, and from what.
KEYS = (
    b"z_dim",
    b"c_dim",
    b"w_dim",
    b"img_resolution",
    b"img_channels",
    b"channel_base",
    b"channel_max",
    b"num_layers",
    b"num_critical",
    b"first_cutoff",
    b"first_stopband",
    b"last_stopband_rel",
    b"margin_size",
    b"output_scale",
    b"conv_kernel",
    b"filter_size",
    b"lrelu_upsampling",
    b"use_radial_filters",
    b"magnitude_ema_beta",
    b"conv_clamp",
    b"mapping_kwargs",
    b"architecture",
    b"resample_filter",
    b"mbstd_group_size",
    b"mbstd_num_channels",
    b"type",
    b"class_name",
    b"state",
    b"module_src",
    b"_modules",
    b"_parameters",
    b"_buffers",
    b"_init_kwargs",
    b"_init_args",
    b"_non_persistent_buffers_set",
    b"weight",
    b"bias",
    b"G_ema",
    b"D",
    b"synthesis",
    b"mapping",
    b"w_avg",
    b"little_endian",
    b"protocol_version",
    b"version",
    b"variables",
    b"components",
    b"static_kwargs",
    b"build_func_name",
    b"resample_kernel",
    b"label_size",
    b"dlatent_avg",
    b"lod",
    b"noise0",
    b"4x4/Const/const",
    b"Dense0/weight",
    b"layer_names",
    b"in_size",
    b"out_sampling_rate",
    b"in_cutoff",
    b"out_half_width",
    b"up_factor",
    b"down_factor",
    b"padding",
    b"is_torgb",
    b"embed",
    b"embed_proj",
    b"bandwidth",
)
SMALL_INTEGERS = "KMJ\x8a"
COUNTED = {"X": 4, "\x8c": 1, "\x8d": 8, "C": 1, "B": 4, "\x8e": 8, "\x96": 8}  # bytes that the length takes
KILOBYTE = 1024
STORAGE_HEAD = bytes.fromhex("80028a0a6cfc9c46f9206aa850192e")  # every file of torch's older format begins so


def instructions(data: bytes) -> tuple[Instructions, bytes]:
    """The instructions of the pickle that `data` begins with, frames left out, and what follows it."""
    marks = [(op.name, at) for op, _, at in pickletools.genops(data)]
    ends = [at for _, at in marks[1:]] + [marks[-1][1] + 1]
    return [data[at:end] for (name, at), end in zip(marks, ends, strict=True) if name != "FRAME"], data[ends[-1] :]


def integer(value: int) -> bytes:
    """The instruction that pushes a whole number."""
    if 0 <= value < 256:
        return b"K" + bytes([value])
    if -(2**31) <= value < 2**31:
        return b"J" + struct.pack("<i", value)
    return b"\x8a" + bytes([n := value.bit_length() // 8 + 1]) + value.to_bytes(n, "little", signed=True)


def wild_number(rng: random.Random, near: int = 0) -> int:
    """A whole number that something may not expect."""
    # fmt: off
    numbers = [0, 1, -1, 2, 3, near + 1, near - 1, 2 * near, near * near, 255, 256, 2**15, 2**16, 2**20, 2**31 - 1,
               2**31, -(2**31), 2**32 - 1, 2**32, 2**39, 2**40, 2**62, 2**63 - 1, 2**63, -(2**63), 2**100, 10**15]
    # fmt: on
    return rng.choice([*numbers, rng.randrange(1024)])


def text(word: bytes, rng: random.Random | None = None) -> bytes:
    """The instruction that pushes a text."""
    if len(word) < 256 and (rng is None or rng.random() < 0.5):
        return b"\x8c" + bytes([len(word)]) + word
    return b"X" + struct.pack("<I", len(word)) + word


def a_global(rng: random.Random, names: list[tuple[str, str]] = HOSTILE) -> bytes:
    """Instructions that push a global, in one of the two ways."""
    module, name = rng.choice(names)
    if rng.random() < 0.5:
        return b"c" + f"{module}\n{name}\n".encode()
    return text(module.encode()) + text(name.encode()) + b"\x93"


def wild_value(rng: random.Random) -> bytes:
    """Instructions that push one value of any kind."""
    kind = rng.randrange(16)
    if kind < 4:
        return integer(wild_number(rng))
    if kind < 6:
        number = rng.choice([float("nan"), float("inf"), -float("inf"), -0.0, 1e308, 5e-324, 0.1, -1.0, 2.0, 4.0, 1e-9])
        return b"G" + struct.pack(">d", number)
    if kind == 6:
        words = [
            b"",
            b"x" * 300,
            b"x" * 70_000,
            b"\x1b[2J\r\n",
            b"\xed\xb2\x80",
            b"\xff",
            b"class",
            b"resnet",
            "é€😀".encode(),
        ]
        return text(rng.choice(words), rng)
    if kind == 7:
        return rng.choice([b"]" * 40 + b"a" * 39, b")", b"}", b"\x8f", b"(lK\x01e", b"N\x85" * 40, b"(K\x01K\x02\x91"])
    if kind == 8:
        return b"h" + bytes([rng.randrange(256)])
    if kind == 9:
        return a_global(rng, HARMLESS) + rng.choice([b")R", b")\x81", b"", b"K\x01\x85R", b"]\x85R"])
    if kind == 10:
        return a_global(rng) + rng.choice([b"", b")R", text(b"echo hostile") + b"\x85R"])
    if kind == 11:
        return rng.choice([b"C\x04abcd", b"B\x00\x00\x00\x00", b"\x96" + struct.pack("<Q", 3) + b"abc"])
    if kind == 12:
        return pickled(rng.choice(ODD), 2)[2:-1]
    return rng.choice([b"N", b"\x88", b"\x89", b"K\x00", b"K\x01"])


ODD: list[Any] = [
    Call(Named("torch", "Size"), (1, 2)),
    Call(Named("torch", "device"), "cuda", 1),
    {"a": 1},
    [1, [2, [3]]],
    Call(Named("numpy.core.multiarray", "scalar"), Call(Named("numpy", "dtype"), "f8"), b"12345678"),
    Call(Named("numpy", "dtype"), "f8", False, True, state=(3, "<", None, None, None, -1, -1, 0)),
    {1: 2, 2.5: 3, None: 4, (1, 2): 5, b"x": 6},
    ((((1,),),),),
    Call(Named("collections", "OrderedDict"), [["a", 1]]),
]


def _spot(rng: random.Random, ops: Instructions) -> int:
    """A place between the first instruction, which says the protocol, and the last."""
    return rng.randrange(1, max(len(ops), 2))


def swap(rng: random.Random, ops: Instructions) -> None:
    for _ in range(rng.choice([1, 1, 2, 5])):
        a = _spot(rng, ops)
        b = min(a + 1, len(ops) - 1) if rng.random() < 0.5 else _spot(rng, ops)
        ops[a], ops[b] = ops[b], ops[a]


def delete(rng: random.Random, ops: Instructions) -> None:
    at = _spot(rng, ops)
    del ops[at : at + rng.choice([1, 1, 2, 20])]


def duplicate(rng: random.Random, ops: Instructions) -> None:
    at, count = _spot(rng, ops), rng.choice([1, 1, 4, 50])
    to = at if rng.random() < 0.5 else _spot(rng, ops)
    ops[to:to] = ops[at : at + count]


def insert(rng: random.Random, ops: Instructions) -> None:
    code = bytes([rng.choice([rng.randrange(256), ord(rng.choice(list(pickletools.code2op)))])])
    argument = rng.choice([b"", b"\x00", b"\x01", b"\x00" * 4, b"x\n", b"x\ny\n", rng.randbytes(8)])
    ops.insert(_spot(rng, ops), code + argument)


def change(rng: random.Random, ops: Instructions) -> None:
    """Another instruction in the place of one, its argument kept."""
    at = _spot(rng, ops) % len(ops)
    alike = ["tle\x91\x90u1", "\x85\x86\x87", "RA\x81b0", "])}\x8fN(", "asb0", "KMJG", "XCB", "hjqr", "\x9402"]
    group = next((group for group in alike if chr(ops[at][0]) in group), "".join(pickletools.code2op))
    ops[at] = rng.choice(group).encode("latin-1") + ops[at][1:]


def argument(rng: random.Random, ops: Instructions) -> None:
    """A whole number: of a shape, a stride, an offset, a length, a version."""
    numbers = [i for i, op in enumerate(ops) if chr(op[0]) in SMALL_INTEGERS]
    for at in rng.sample(numbers, min(rng.choice([1, 1, 1, 2, 8]), len(numbers))):
        _, known, _ = next(pickletools.genops(ops[at] + b"."))
        ops[at] = integer(wild_number(rng, int(known)))


def words(rng: random.Random, ops: Instructions) -> None:
    """A text: the name of a tensor, a class, a global, a key."""
    texts = [i for i, op in enumerate(ops) if op[:1] in b"X\x8c"]
    for at in rng.sample(texts, min(rng.choice([1, 1, 3]), len(texts))):
        ops[at] = ops[rng.choice(texts)] if rng.random() < 0.5 else wild_value(rng)


def settings(rng: random.Random, ops: Instructions) -> None:
    """The value of a key that decides something."""
    keys = [i for i, op in enumerate(ops) if op[:1] in b"X\x8c" and op[5 if op[:1] == b"X" else 2 :] in KEYS]
    for key in rng.sample(keys, min(rng.choice([1, 1, 2]), len(keys))):
        value = next((i for i in range(key + 1, len(ops)) if ops[i][:1] not in b"\x94qr"), None)
        if value is not None:
            ops[value] = wild_value(rng)


def name(rng: random.Random, ops: Instructions) -> None:
    """Another global in the place of a known one, mostly a hostile one."""
    found = [i for i, op in enumerate(ops) if op[:1] in b"c\x93"]
    for at in rng.sample(found, min(1, len(found))):
        pushed = a_global(rng, HOSTILE if rng.random() < 0.7 else HARMLESS)
        ops[at] = pushed if ops[at][:1] == b"c" else b"00" + pushed


def call(rng: random.Random, ops: Instructions) -> None:
    """A global called, in every way that pickles have, its result dropped."""
    pushed, word = a_global(rng), text(b"echo hostile")
    ways = [
        pushed + word + b"\x85R0",
        pushed + word + b"\x85\x810",
        pushed + b")}\x920",
        b"(" + pushed + word + b"o0",
        b"(" + word + b"ios\nsystem\n0",
        pushed + word + b"\x85R" + b"}b0",
        pushed + b"0",
        b"\x82\x010",
        b"\x83\x01\x000",
        b"\x84\x01\x00\x00\x000",
        b"\x970",
        b"\x980",
        pushed + b"(" + word + b"tR" + word + b"\x85R0",
        b"P7\n0",
        word + b"Q0",
    ]
    ops.insert(_spot(rng, ops), rng.choice(ways))


def chain(rng: random.Random, ops: Instructions) -> None:
    """Results of calls called again, or given to calls, many times."""
    count = rng.choice([2, 10, 100, 3000])
    ways = [
        a_global(rng, HARMLESS) + b")R" * count,
        a_global(rng, HARMLESS) * count + b"\x85R" * count,
        b"ctorch\nSize\n" * count + b")" + b"\x85R" * count,
        b"ccollections\nOrderedDict\n)R" + b"}b" * count,
        (
            b"ctorch_utils.persistence\n_reconstruct_persistent_obj\n"
            + b"}"
            + text(b"type")
            + text(b"class")
            + b"s"
            + text(b"class_name")
            + text(b"x")
            + b"s"
            + text(b"state")
            + b"}s\x85R0"
        )
        * count
        + b"N",
        (b"cbuiltins\nset\n](K\x01K\x02K\x03e\x85R0") * count + b"N",
    ]
    ops.insert(_spot(rng, ops), rng.choice(ways) + b"0")


def build(rng: random.Random, ops: Instructions) -> None:
    """States that reach for an object's inside."""
    inside = [
        b"__class__",
        b"__dict__",
        b"__setstate__",
        b"__reduce__",
        b"state",
        b"blob",
        b"call",
        b"storage",
        b"dtype",
    ]
    table = b"}" + text(rng.choice(inside)) + rng.choice([a_global(rng), wild_value(rng)]) + b"s"
    state = rng.choice([table, b"N" + table + b"\x86", table + b"N\x86", b"]", b")", wild_value(rng)])
    built = [i for i, op in enumerate(ops) if op[:1] in b"R\x81b}"]
    ops.insert(rng.choice(built) + 1 if built else _spot(rng, ops), state + b"b")


def nest(rng: random.Random, ops: Instructions) -> None:
    """Something nested deep, dropped or kept."""
    count = int(10 ** rng.uniform(1, 5.2)) if rng.random() < 0.95 else 10**6
    ways = [
        b"]" * count + b"a" * (count - 1),
        b"(" * count + b"t" * count,
        b"N" + b"\x85" * count,
        b"(" * count,
        b"}K\x01" * count + b"N" + b"s" * count,
        b"N" + b"\x85\x94" * count,
        b"(" * count + b"1" * (count - 1) + b"t",
        b"]\x94" * count + b"a" * (count - 1),
        b"K\x01" + b"\x85\x90" * count,
    ]
    ops.insert(_spot(rng, ops), rng.choice(ways) + rng.choice([b"0", b""]))


def collide(rng: random.Random, ops: Instructions) -> None:
    """Many keys of one hash, in a table or a set."""
    count = int(10 ** rng.uniform(1, 3.7))
    numbers = [b"\x8a\x10" + (k * (2**61 - 1)).to_bytes(16, "little") for k in range(1, count)]
    if rng.random() < 0.5:
        numbers = [b"(" + text(b"a" * 50) * 7 + number + b"t" for number in numbers]
    keys = b"".join(number + b"N" for number in numbers)
    kept = rng.choice([b"}(" + keys + b"u", b"\x8f(" + b"".join(numbers) + b"\x90", b"(" + b"".join(numbers) + b"\x91"])
    ops.insert(_spot(rng, ops), kept + rng.choice([b"0", b""]))


def memo(rng: random.Random, ops: Instructions) -> None:
    """Things that hold themselves, numbers that were never given, others' numbers."""
    gets = [i for i, op in enumerate(ops) if op[:1] in b"hj"]
    kind = rng.randrange(5)
    if kind == 0 and gets:
        ops[rng.choice(gets)] = (
            b"h" + rng.randbytes(1) if rng.random() < 0.5 else b"j" + struct.pack("<I", rng.randrange(900))
        )
    elif kind == 1:
        index = rng.choice([0, 1, 7, 100, 255])
        ops.insert(_spot(rng, ops), bytes([*b"]q", index, *b"h", index, *b"a0"]))
    elif kind == 2:
        number = struct.pack("<I", rng.choice([2**31, 2**32 - 1, 10**6, rng.randrange(500), 0]))
        ops.insert(_spot(rng, ops), rng.choice([b"Nr" + number + b"0", b"j" + number]))
    elif kind == 3:
        ops.insert(_spot(rng, ops), rng.choice([b"}\x94h\x00h\x00s0", b"\x94" * 10, b"(\x94t", b"\x94\x94"]))
    else:
        puts = [i for i, op in enumerate(ops) if op[:1] in b"\x94qr"]
        for at in rng.sample(puts, min(3, len(puts))):
            ops[at] = b"q" + rng.randbytes(1)


def lengths(rng: random.Random, ops: Instructions) -> None:
    """A string whose length is not what its bytes are."""
    found = [i for i, op in enumerate(ops) if chr(op[0]) in COUNTED]
    for at in rng.sample(found, min(1, len(found))):
        width = COUNTED[chr(ops[at][0])]
        near = int.from_bytes(ops[at][1 : 1 + width], "little")
        length = abs(rng.choice([near + 1, near - 1, 2 * near, 0, 2**31, 2**63, 2**64 - 1, 255, near + 300]))
        ops[at] = ops[at][:1] + (length % 256**width).to_bytes(width, "little") + ops[at][1 + width :]


def frame(rng: random.Random, ops: Instructions) -> None:
    size = rng.choice([0, 1, 4, 100, 2**31, 2**63, 2**64 - 1])
    ops.insert(_spot(rng, ops), b"\x95" + struct.pack("<Q", size))


def nested(rng: random.Random, ops: Instructions) -> None:
    """The file of torch's that a storage is, within the pickle."""
    found = [i for i, op in enumerate(ops) if chr(op[0]) in COUNTED and STORAGE_HEAD in op[:40]]
    if not found:  # protocol 2 writes bytes as texts, and a zip has none
        return argument(rng, ops)
    at = rng.choice(found)
    width = COUNTED[chr(ops[at][0])]
    inner = mutated_parts(rng, ops[at][1 + width :])
    ops[at] = b"B" + struct.pack("<I", len(inner)) + inner


ON_INSTRUCTIONS: dict[str, Callable[[random.Random, Instructions], None]] = {
    "swap": swap,
    "delete": delete,
    "duplicate": duplicate,
    "insert": insert,
    "change": change,
    "argument": argument,
    "words": words,
    "settings": settings,
    "global": name,
    "call": call,
    "chain": chain,
    "build": build,
    "nest": nest,
    "collide": collide,
    "memo": memo,
    "lengths": lengths,
    "frame": frame,
    "nested": nested,
}


def truncated(rng: random.Random, data: bytes) -> bytes:
    """Cut at one of its kilobytes, or anywhere."""
    whole = range(KILOBYTE, len(data), KILOBYTE)
    return data[: rng.choice(whole)] if whole and rng.random() < 0.7 else data[: rng.randrange(1, len(data))]


def flipped(rng: random.Random, data: bytes) -> bytes:
    """A few bytes changed."""
    changed = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 8])):
        at = rng.randrange(len(changed))
        changed[at] = rng.choice([changed[at] ^ 1 << rng.randrange(8), rng.randrange(256), 0, 255])
    return bytes(changed)


def joined(rng: random.Random, data: bytes) -> bytes:
    """Something before it or behind it."""
    other = rng.choice(
        [pickle.dumps({"G_ema": 1}, 4), data, b"\0" * 512, STORAGE_HEAD, b"PK\x05\x06" + b"\0" * 18, b"."]
    )
    return data + other if rng.random() < 0.7 else other + data


ON_BYTES = {"truncate": truncated, "flip": flipped, "join": joined}


def mutated(rng: random.Random, data: bytes, mutation: str) -> bytes:
    """A pickle changed in the named way, now and then in another way too."""
    if mutation in ON_BYTES:
        return ON_BYTES[mutation](rng, data)
    ops, rest = instructions(data)
    ON_INSTRUCTIONS[mutation](rng, ops)
    if rng.random() < 0.15:
        rng.choice(list(ON_INSTRUCTIONS.values()))(rng, ops)
    return b"".join(ops) + rest


def mutated_parts(rng: random.Random, data: bytes, mutation: str | None = None) -> bytes:
    """A file of torch's older format, one of whose five pickles is changed, or the lengths and numbers behind them."""
    if mutation in ON_BYTES:
        return ON_BYTES[mutation](rng, data)
    parts, rest = [], data
    for _ in range(5):
        ops, rest = instructions(rest)
        parts.append(ops)
    if mutation == "tail" or (mutation is None and rng.random() < 0.3):
        rest = _tail(rng, rest)
    else:
        part = 3 if rng.random() < 0.7 else rng.randrange(5)
        plain = [change for kind, change in ON_INSTRUCTIONS.items() if kind != "nested"]
        (ON_INSTRUCTIONS[mutation] if mutation else rng.choice(plain))(rng, parts[part])
    return b"".join(b"".join(ops) for ops in parts) + rest


def _tail(rng: random.Random, data: bytes) -> bytes:
    """The first length that stands behind the pickles, or the bytes after it."""
    near = int.from_bytes(data[:8], "little")
    lying = (wild_number(rng, near) % 2**64).to_bytes(8, "little")
    return rng.choice([lying + data[8:], data[:-1], data + b"\0" * 4, data[:8], b"", data[8:], flipped(rng, data)])
