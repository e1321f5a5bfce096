# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Official pickles and similar files give the reference pictures, and none of their code is run."""

import types
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from support.foreign import (
    SOURCE,
    VECTORS,
    Call,
    Easy,
    Named,
    Writer,
    arguments,
    case,
    dump,
    given,
    module,
    network,
    official,
    pickled,
    snapshot,
    state_of,
)

from gan.checkpoints.checkpoint import CheckpointError, load_discriminator, load_generator, read_header, save_generator
from gan.checkpoints.official_arguments import generator_config
from gan.conformance import NETWORK_TOLERANCE, discriminator_output_errors, generator_output_errors
from gan.networks.config import DiscriminatorConfig, GeneratorConfig
from gan.networks.discriminator import Discriminator
from gan.networks.generator import Generator
from gan.networks.ladder import rung_config

GENERATORS = sorted(path.stem for path in VECTORS.glob("stylegan*.safetensors"))
DISCRIMINATORS = sorted(path.stem for path in VECTORS.glob("discriminator*.safetensors"))
PROTOCOLS = (2, 3, 4, 5)
T, A = "stylegan3_t_64", "stylegan2_64"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "network.pkl"


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def check_pictures(generator: Generator, stem: str) -> None:
    """Every output of the reference vector: pictures, truncation, transforms, features, gradients."""
    errors = list(generator_output_errors(generator.requires_grad_(True), case(stem)[1]))
    assert len(errors) > 5
    assert max(error for _, error in errors) <= NETWORK_TOLERANCE


def check_numbers(generator: Generator, stem: str) -> None:
    """Compare every number with the reference's network; test_official_generators_... compares its pictures."""
    config, tensors = case(stem)
    found, expected = generator.state_dict(), state_of(tensors)
    wanted = generator_config(config.pop("kind"), config)
    assert generator.config == wanted
    for name, tensor in expected.items():
        if name.endswith("_filter"):
            torch.testing.assert_close(found[name], tensor, rtol=0, atol=1e-6)
        else:
            assert torch.equal(found[name], tensor), name


def small(**changed) -> GeneratorConfig:
    return rung_config(
        changed.pop("letter", "T"), 16, **({"channel_base": 256, "channel_max": 8, "z_dim": 4, "w_dim": 6} | changed)
    )


def same_numbers(found: Generator, expected: Generator) -> None:
    assert found.config == expected.config
    ours, theirs = found.state_dict(), expected.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


# Pictures.


@pytest.mark.slow
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("stem", GENERATORS)
def test_official_generators_give_the_reference_pictures(path, stem, protocol):
    generator, facts = load_generator(written(path, official(stem, protocol, nested=protocol % 2 == 1)))
    assert facts == {"data": "data"}  # training_set_kwargs
    assert not generator.training
    check_pictures(generator, stem)


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("stem", GENERATORS)
def test_arguments_may_stand_flat_or_nested(path, stem, nested):
    check_numbers(load_generator(written(path, official(stem, nested=nested)))[0], stem)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("stem", DISCRIMINATORS)
def test_official_discriminators_give_the_reference_logits(path, stem, protocol):
    found = load_discriminator(written(path, official(stem, protocol, nested=protocol % 2 == 1)))
    errors = list(discriminator_output_errors(found.requires_grad_(True), case(stem)[1]))
    assert len(errors) > 5
    assert max(error for _, error in errors) <= NETWORK_TOLERANCE


def test_a_file_of_all_three_networks(path):
    other = module(
        "Generator", {k: t + 1 for k, t in state_of(case(T)[1]).items() if "filter" not in k}, arguments(case(T)[0])
    )
    networks = {"G": other, "D": network("discriminator_64"), "G_ema": network(T)}
    written(path, pickled(snapshot(networks)))
    check_numbers(load_generator(path)[0], T)
    g = load_generator(path, network="G")[0].state_dict()
    assert torch.equal(g["mapping.w_avg"], case(T)[1]["state/mapping.w_avg"] + 1)
    assert load_discriminator(path).config.resolution == 64
    assert read_header(path).networks == ("G", "D", "G_ema")
    with pytest.raises(CheckpointError, match="holds no E, only G, D, G_ema"):
        load_generator(path, network="E")
    with pytest.raises(CheckpointError, match="discriminator of 64x64 pictures where its generator"):
        load_generator(path, network="D")
    with pytest.raises(CheckpointError, match="holds a generator under the name G_ema"):
        load_discriminator(path, network="G_ema")


# What is inside, in words.


@pytest.mark.parametrize(
    ("stem", "letter", "architecture", "c_dim"),
    [
        (T, "T", "layers", 0),
        ("stylegan3_r_64", "R", "layers", 0),
        ("stylegan3_t_32_conditional", "T", "layers", 5),
        (A, "A", "skip", 0),
        ("stylegan2_32_conditional_resnet", "A", "resnet", 3),
    ],
)
def test_the_header_says_what_it_is(path, stem, letter, architecture, c_dim):
    header = read_header(written(path, official(stem)))
    config = header.config
    assert (config.rung, config.architecture, config.c_dim) == (letter, architecture, c_dim)
    assert (config.z_dim, config.w_dim, config.img_channels, config.channel_max) == (32, 32, 3, 16)
    assert config.resolution == case(stem)[0]["img_resolution"]
    assert header.parameters == sum(tensor.numel() for tensor in state_of(case(stem)[1]).values())
    assert header.bytes == 4 * header.parameters
    assert (header.format, header.class_name, header.networks) == ("pickle", "Generator", ("G_ema",))
    assert (header.code_bytes, header.code_pieces) == (len(SOURCE), 1)
    assert f"{len(SOURCE):,} bytes of Python source in 1 text: none of it was run" in header.describe()


def test_code_is_counted_once_a_text(path):
    state = state_of(case(T)[1])
    whole = module("Generator", state, arguments(case(T)[0]))
    whole.arguments[0]["module_src"] = "x" * 70
    header = read_header(written(path, pickled(snapshot({"G_ema": whole}))))
    assert (header.code_bytes, header.code_pieces) == (len(SOURCE) + 70, 2)
    torch.save(state, path)
    header = read_header(path)
    assert (header.code_bytes, header.code_pieces) == (0, 0)
    assert "carries no code" in header.describe()


def test_our_own_header_says_so(tmp_path):
    path = tmp_path / "misnamed.pkl"  # the contents tell, not the name
    save_generator(path, Generator(small()), {"kimg": 1.0})
    header = read_header(path)
    assert (header.format, header.code_bytes) == ("jinc", 0)
    assert header.describe() == "a checkpoint of Jinc's, which carries no code"
    assert load_generator(path)[1] == {"kimg": 1.0}


# Leaves.


def test_float64_leaves_and_transposed_ones_and_shared_storages(path):
    def transposed(tensor):
        return tensor.t().contiguous().t() if tensor.ndim == 2 else tensor.double()

    check_numbers(load_generator(written(path, official(T, change=transposed)))[0], T)
    state = state_of(case(T)[1])
    storage, views, at = torch.cat([tensor.flatten() for tensor in state.values()]), {}, 0
    for name, tensor in state.items():
        views[name] = storage[at : at + tensor.numel()].view(tensor.shape)
        at += tensor.numel()
    data = pickled(snapshot({"G_ema": module("Generator", views, arguments(case(T)[0]))}))
    check_numbers(load_generator(written(path, data))[0], T)
    # Each module of a fork may hold the very same tensor, too.
    ones = torch.ones(())
    views |= {name: ones for name in views if name.endswith("magnitude_ema")}
    generator = load_generator(
        written(path, pickled(snapshot({"G_ema": module("Generator", views, arguments(case(T)[0]))})))
    )[0]
    magnitudes = [t for name, t in generator.state_dict().items() if name.endswith("magnitude_ema")]
    assert all(tensor == 1 for tensor in magnitudes)
    assert len({tensor.data_ptr() for tensor in magnitudes}) == len(magnitudes), "they can be trained apart"


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("stem", [T, A])
def test_half_precision_leaves(path, stem, dtype, protocol):
    generator, _ = load_generator(written(path, official(stem, protocol, change=lambda t: t.to(dtype))))
    state = state_of(case(stem)[1])
    for name, found in generator.state_dict().items():
        assert found.dtype == torch.float32
        if not name.endswith("_filter"):
            assert torch.equal(found, state[name].to(dtype).float()), name
        else:
            torch.testing.assert_close(found, state[name], rtol=0, atol=1e-6)
    z, c = case(stem)[1]["in/z"], case(stem)[1].get("in/c")
    picture, expected = generator(z, c), case(stem)[1]["out/img"]
    assert (picture - expected).abs().max() < 0.2 * expected.abs().max()


def test_whole_numbers_as_leaves(path):
    whole = {
        "synthesis.b8.conv0.noise_const": torch.int64,
        "synthesis.b16.conv0.noise_const": torch.int8,
        "synthesis.b32.conv0.noise_const": torch.uint8,
        "synthesis.b64.conv0.noise_const": torch.bool,
        "synthesis.b4.conv1.noise_const": torch.int32,
        "synthesis.b8.conv1.noise_const": torch.int16,
    }
    state = state_of(case(A)[1])
    state |= {name: (state[name] > 0).to(dtype) for name, dtype in whole.items()}
    written(path, pickled(snapshot({"G_ema": module("Generator", state, arguments(case(A)[0]))})))
    found = load_generator(path)[0].state_dict()
    for name in whole:
        assert torch.equal(found[name], state[name].float())


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("old", [False, True])
def test_numpy_numbers_and_arrays_among_the_arguments(path, protocol, old):
    config, tensors = case(A)
    numbers = {
        "z_dim": np.int64(32),
        "img_resolution": np.int32(64),
        "channel_base": np.int16(512),
        "conv_clamp": np.float32(256),
        "resample_filter": np.array([1.0, 3.0, 3.0, 1.0]),
        "img_channels": np.uint8(3),
        "channel_max": np.array(16),
    }
    assert numbers.keys() >= {"channel_max"}
    numbers["channel_max"] = 16
    whole = module("Generator", state_of(tensors), Easy(config | numbers | {"kind": None}))
    del whole.arguments[0]["state"]["_init_kwargs"].items["kind"]
    data = pickled(snapshot({"G_ema": whole}), protocol, old_numpy=old)
    assert (b"numpy.core" in data, b"numpy._core" in data) == (old, not old)
    check_numbers(load_generator(written(path, data))[0], A)


# Variants.


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("letter", list("ATR"))
def test_one_to_four_channels(path, letter, channels):
    expected = Generator(small(letter=letter, img_channels=channels))
    written(path, pickled(snapshot({"G_ema": module("Generator", expected.state_dict(), given(expected.config))})))
    same_numbers(load_generator(path)[0], expected)


@pytest.mark.slow
@pytest.mark.parametrize(
    "config",
    [
        small(letter=letter, c_dim=c_dim, img_channels=channels)
        for letter in "ATR"
        for c_dim in (0, 4)
        for channels in (1, 4)
    ]
    + [
        small(num_layers=9),
        small(filter_size=4),
        small(lrelu_upsampling=1),
        small(lrelu_upsampling=4),
        small(mapping_layers=5),
        small(channel_base=32, channel_max=64),
        rung_config("T", 64, channel_base=1024, channel_max=64),
        small(letter="A", architecture="orig"),
        small(letter="A", architecture="resnet", c_dim=2),
        rung_config("A", 64, channel_base=512, channel_max=512, z_dim=3, w_dim=5),
    ],
    ids=lambda config: (
        f"{config.rung}-{config.architecture}-{config.c_dim}-{config.img_channels}-{config.num_layers}-"
        f"{config.filter_size}-{config.lrelu_upsampling}-{config.channel_max}"
    ),
)
def test_bare_weights_say_how_the_network_was_built(path, config):
    """The constructor's arguments are read off names and shapes; what shapes do not show has its usual value."""
    expected = Generator(config)
    torch.save(expected.state_dict(), path)
    found, _ = load_generator(path)
    assert found.layer_names == expected.layer_names
    z, c = torch.randn(2, config.z_dim), torch.eye(config.c_dim)[:2] if config.c_dim else None
    assert torch.equal(found(z, c), expected.eval()(z, c))
    assert read_header(path).config == found.config


@pytest.mark.parametrize(
    "config",
    [
        DiscriminatorConfig(16, 2, 3, 64, 8),
        DiscriminatorConfig(32, 3, 0, 256, 64),
        DiscriminatorConfig(16, 1, 0, 64, 8, mbstd_channels=0),
    ],
)
def test_bare_weights_of_discriminators(path, config):
    expected = Discriminator(config)
    torch.save({"D": expected.state_dict()}, path)
    found = load_discriminator(path)
    img, c = torch.randn(4, config.img_channels, config.resolution, config.resolution), None
    c = torch.eye(config.c_dim)[[0, 1, 1, 2]] if config.c_dim else None
    assert torch.equal(found(img, c), expected(img, c))


def test_the_orig_architecture_is_layer_after_layer(path):
    expected = Generator(small(letter="A", architecture="orig"))
    assert [name for name in expected.layer_names if name.endswith("torgb")] == ["b16.torgb"]
    assert not any("skip" in name for name in expected.state_dict())
    written(path, pickled(snapshot({"G_ema": module("Generator", expected.state_dict(), given(expected.config))})))
    found = load_generator(path)[0]
    assert found.config.architecture == "orig"
    z = torch.randn(2, 4)
    ws, synthesis = found.mapping(z), found.synthesis
    x = synthesis.b4.const[None].expand(2, -1, -1, -1)
    layers = [synthesis.b4.conv1, synthesis.b8.conv0, synthesis.b8.conv1, synthesis.b16.conv0, synthesis.b16.conv1]
    for layer, w in zip(layers, ws.unbind(1), strict=False):
        x = layer(x, w, "const")
    torch.testing.assert_close(found(z), synthesis.b16.torgb(x, ws[:, 5]))


def test_forks_are_told_by_their_parameters(path):
    for stem in (T, "stylegan3_r_64", A):
        written(path, official(stem, class_name="AliasFreeThing"))
        check_numbers(load_generator(path)[0], stem)
        assert read_header(path).class_name == "AliasFreeThing"
    whole = network(T)
    listed = [32, 0, 32, 64, 3]
    state = whole.arguments[0]["state"]
    state |= {"_init_args": tuple(listed), "_init_kwargs": {"channel_base": 512, "channel_max": 16}}
    check_numbers(load_generator(written(path, pickled({"G_ema": whole})))[0], T)
    state |= {"_init_args": (), "img_resolution": 64, "z_dim": 32, "c_dim": 0, "w_dim": 32, "img_channels": 3}
    check_numbers(load_generator(written(path, pickled({"g_ema": whole})))[0], T)  # kept as attributes
    check_numbers(load_generator(written(path, pickled(whole)))[0], T)  # bare
    check_numbers(load_generator(written(path, pickled({"my generator": whole, "epoch": 3})))[0], T)
    state |= {"_init_kwargs": {}}
    check_numbers(load_generator(written(path, pickled(whole)))[0], T)  # by its shapes
    # A list in a torch container of the fork's, with modules of torch's own in between.
    torch_module = Call(Named("torch.nn.modules.container", "Sequential"), new=True, state={"_modules": {}})
    state["_modules"]["extra"] = torch_module
    state |= {"some_device": torch.device("cuda", 1), "some_size": torch.Size([1, 2]), "some_dtype": torch.float16}
    check_numbers(load_generator(written(path, pickled(whole)))[0], T)


SPELLED_OUT = {
    "embed_features": None,
    "layer_features": None,
    "activation": "lrelu",
    "lr_multiplier": 0.01,
    "w_avg_beta": 0.995,
}


@pytest.mark.parametrize("stem", [A, T])
def test_arguments_that_are_spelled_out(path, stem):
    """Files say what they need not: usual values, and what matters in training alone."""
    config, tensors = case(stem)
    given = {name: value for name, value in config.items() if name != "kind"}
    mapping = SPELLED_OUT | dict(given.pop("mapping_kwargs", {}))
    options = {"activation": "lrelu", "use_noise": True, "kernel_size": 3} if stem == A else {"num_fp16_res": 4}
    whole = Easy(given | {"mapping_kwargs": Easy(mapping), "synthesis_kwargs": Easy(options)})
    written(path, pickled(snapshot({"G_ema": module("Generator", state_of(tensors), whole)})))
    check_numbers(load_generator(path)[0], stem)
    for changed in ({"activation": "relu"}, {"lr_multiplier": 1.0}, {"embed_features": 7}):
        whole = Easy(given | {"mapping_kwargs": Easy(mapping | changed)})
        written(path, pickled(snapshot({"G_ema": module("Generator", state_of(tensors), whole)})))
        ((name, value),) = changed.items()
        with pytest.raises(CheckpointError, match=rf"not supported here: {name} = '?{value}'?\.$"):
            load_generator(path)


def test_a_generator_without_noise(path):
    expected = Generator(small(letter="A", noise_inputs=False))
    given_so = given(expected.config) | {"synthesis_kwargs": {"use_noise": False}}
    written(path, pickled(snapshot({"G_ema": module("Generator", expected.state_dict(), given_so)})))
    same_numbers(load_generator(path)[0], expected)


def test_modules_without_their_filters(path):
    """They follow from the arguments, so that a fork need not store them."""
    state = {name: t for name, t in state_of(case(T)[1]).items() if not name.endswith("_filter")}
    whole = module("Generator", state, arguments(case(T)[0]))
    check_numbers(load_generator(written(path, pickled({"G_ema": whole})))[0], T)


@pytest.mark.parametrize("stem", GENERATORS)
def test_other_programs_safetensors_files(path, stem):
    """Without our document: names and shapes tell."""
    state = {name: tensor.contiguous() for name, tensor in state_of(case(stem)[1]).items()}
    save_file(state, path, metadata={"format": "pt"})
    check_numbers(load_generator(path)[0], stem)
    header = read_header(path)
    assert (header.format, header.code_bytes) == ("safetensors file", 0)
    assert "a safetensors file of a StyleGAN" in header.describe()
    save_file({f"module.{name}": tensor.half() for name, tensor in state.items()}, path)
    assert torch.equal(load_generator(path)[0].mapping.w_avg, state["mapping.w_avg"].half().float())


@pytest.mark.parametrize("zipped", [True, False])
def test_torchs_own_files(path, zipped):
    state = state_of(case(T)[1])
    writer = types.SimpleNamespace(Pickler=Writer, dump=dump, __name__="writer")
    whole = snapshot({"G_ema": network(T)})
    for thing in (
        state,
        {"G_ema": state},
        {"state_dict": {f"module.{k}": t for k, t in state.items()}, "epoch": 3},
        whole,
    ):
        torch.save(thing, path, _use_new_zipfile_serialization=zipped, pickle_module=writer, pickle_protocol=2)
        check_numbers(load_generator(path)[0], T)
        assert read_header(path).format == ("torch zip" if zipped else "torch file")
