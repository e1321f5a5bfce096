# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""StyleGAN-XL's pickles: heads of any number, classes in a table, dill's spellings; and what is refused of them."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from support.foreign import Call, Named, dump, given, module, official, pickled, snapshot
from support.stylegan_xl import (
    DILL,
    SMALL,
    dill_array,
    dill_attribute,
    dill_number,
    listed,
    make_generator,
    network_config,
    official_stylegan_xl,
    stylegan_xl,
)

from gan.checkpoints.checkpoint import (
    CheckpointError,
    load_discriminator,
    load_generator,
    read_header,
    save_generator,
    save_tensors,
)
from gan.networks.describe import count_parameters
from gan.networks.generator import Generator
from gan.networks.ladder import rung_config
from gan.networks.layer_plan import plan


@pytest.fixture
def path(tmp_path):
    return tmp_path / "network.pkl"


def inputs(generator: Generator) -> tuple[torch.Tensor, torch.Tensor | None]:
    c_dim = generator.config.c_dim
    return torch.randn(2, generator.config.z_dim), torch.eye(c_dim)[[c_dim - 1, 0]] if c_dim else None


def assert_same(path, ours: Generator) -> None:
    """A file draws what our network draws, in whole and truncated, and survives being written as ours."""
    found, facts = load_generator(path)
    given = inputs(ours)
    assert found.config.rung == "XL"
    for psi in (1.0, 0.7):
        assert torch.equal(found(*given, psi=psi), ours(*given, psi=psi))
    again = path.with_name("again.safetensors")
    save_generator(again, found, facts)
    loaded = load_generator(again)[0]
    assert loaded.config == found.config and torch.equal(loaded(*given, psi=0.7), ours(*given, psi=0.7))


def refused(path, data: bytes, words: str) -> None:
    path.write_bytes(data)
    for opening in (read_header, load_generator):
        with pytest.raises(CheckpointError, match=words) as caught:
            opening(path)
        assert str(caught.value).startswith(path.name) and str(caught.value).endswith(".")


def changed(generator: Generator, change) -> bytes:
    return official_stylegan_xl(generator, change=change)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("later", [False, True], ids=["dill 0.3.4", "later dill"])
def test_every_protocol_and_spelling(path, protocol, later):
    ours = make_generator(network_config())
    path.write_bytes(official_stylegan_xl(ours, protocol, later=later))
    assert_same(path, ours)
    header = read_header(path)
    assert header.describe().startswith("a pickle of a StyleGAN-XL generator, which carries ")
    assert header.networks == ("G", "D", "G_ema") and header.class_name == "SuperresGenerator"


@pytest.mark.parametrize("heads", [0, 1, 2, 3])
@pytest.mark.parametrize("rung", ["T", "R"])
def test_heads_of_any_number(path, heads, rung):
    ours = make_generator(network_config(heads=heads, rung=rung))
    numbers = [layer.index for layer in ours.config.layers]
    assert (numbers != list(range(len(numbers)))) == (heads > 0)  # they jump at each seam
    assert ours.config.resolution == 16 * 2**heads
    path.write_bytes(official_stylegan_xl(ours, class_name="SuperresGenerator" if heads else "Generator"))
    assert_same(path, ours)
    assert read_header(path).config.layers == ours.config.layers
    assert sum(count_parameters(ours.config)) == sum(tensor.numel() for tensor in ours.parameters())


def test_numbers_in_names_may_repeat_or_go_back(path):
    config = network_config()
    layers = list(config.layers)
    layers[3:5] = [replace(layers[3], name="L9_1_1"), replace(layers[4], name="L2_7_7")]
    ours = make_generator(replace(config, layers=tuple(layers)))
    assert [layer.index for layer in layers].count(2) == 2
    path.write_bytes(official_stylegan_xl(ours))
    assert_same(path, ours)


def test_a_listed_schedule_draws_what_the_formula_draws():
    stem = rung_config("T", 16, **SMALL, num_layers=5)
    layers = tuple(listed(spec) for spec in plan(stem).layers)
    by_formula = make_generator(stem)
    by_list = Generator(replace(stem, schedule="listed", layers=layers))
    by_list.load_state_dict(by_formula.state_dict())
    z = torch.randn(2, stem.z_dim)
    assert torch.equal(by_list(z), by_formula(z)) and plan(by_list.config) == plan(stem)


def test_the_class_is_a_row_of_a_table_and_has_its_own_average():
    ours = make_generator(network_config(classes=3))
    state, mapping = ours.state_dict(), ours.mapping
    z = torch.randn(2, ours.config.z_dim)
    c = torch.tensor([[0.1, 0.7, 0.2], [2.0, 0.0, -1.0]])  # the largest entry names the class
    rows = state["mapping.embed.weight"][[1, 0]]
    weight, bias = state["mapping.embed_proj.weight"], state["mapping.embed_proj.bias"]
    projected = F.leaky_relu(rows @ weight.t() / rows.shape[1] ** 0.5 + bias, 0.2) * 2**0.5

    def normal(x):
        return x / (x.square().mean(dim=1, keepdim=True) + 1e-8).sqrt()

    x = torch.cat([normal(z), normal(projected)], dim=1)
    for i in range(2):
        weight, bias = state[f"mapping.fc{i}.weight"], state[f"mapping.fc{i}.bias"]
        x = F.leaky_relu(x @ weight.t() * 0.01 / x.shape[1] ** 0.5 + bias * 0.01, 0.2) * 2**0.5
    torch.testing.assert_close(mapping(z, c)[:, 0], x)
    average = state["mapping.w_avg"][[1, 0]]
    torch.testing.assert_close(mapping(z, c, psi=0.3)[:, 2], average + 0.3 * (x - average))
    before = mapping.w_avg.clone()
    mapping(z, c, update_emas=True)
    moved = 0.998 * average + 0.002 * x
    torch.testing.assert_close(mapping.w_avg, torch.stack([moved[1], moved[0], before[2]]))


def test_one_average_for_all_classes(path):
    ours = make_generator(replace(network_config(), w_avg_rows=0))
    path.write_bytes(official_stylegan_xl(ours))
    assert ours.mapping.w_avg.ndim == 1
    assert_same(path, ours)


def test_without_labels_the_table_is_there_and_unused(path):
    ours = make_generator(network_config(classes=0))
    table = Call(Named("torch.nn.modules.sparse", "Embedding"), new=True, state=None)

    def add_table(states) -> None:
        table.state = {"_parameters": {"weight": torch.zeros(1000, 320)}, "_buffers": {}, "_modules": {}}
        states["mapping"]["_modules"]["embed"] = table

    path.write_bytes(changed(ours, add_table))
    assert_same(path, ours)
    assert read_header(path).config.c_dim == 0


def test_its_plain_models_keep_the_official_path(path):
    path.write_bytes(official("stylegan3_t_32_conditional"))
    assert read_header(path).config.rung == "T" and not read_header(path).family


def test_weights_alone_tell_a_network_without_heads(path):
    labelled = network_config(heads=0)
    ours = make_generator(labelled)
    torch.save({"G_ema": ours.state_dict()}, path)
    found = load_generator(path)[0]
    z, c = inputs(ours)
    assert found.config.c_dim == 3 and torch.equal(found(z, c, psi=0.7), ours(z, c, psi=0.7))
    torch.save({"G_ema": make_generator(network_config(heads=1)).state_dict()}, path)
    refused(path, path.read_bytes(), "does not say how its network was built.*save the whole network")


@pytest.mark.parametrize("name", ["up_factor", "in_cutoff", "out_half_width", "in_size", "out_sampling_rate"])
def test_what_a_layer_does_not_say_is_named(path, name):
    ours = make_generator(network_config())
    layer = ours.config.layers[2].name
    refused(path, changed(ours, lambda s: s[f"synthesis.{layer}"].pop(name)), f"does not say the {name} of {layer}")
    for value in (True, "4", [1.0, 2.0, 3.0], float("nan"), {}, 1.5 if "size" in name else float("inf")):
        changing = {name: value}
        data = changed(ours, lambda s, changing=changing: s[f"synthesis.{layer}"].update(changing))
        refused(path, data, f"does not say the {name} of {layer}")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: s["synthesis"].pop("layer_names"), r"does not list its layers \(layer_names\)"),
        (lambda s: s["synthesis"].update(layer_names=[]), "does not list its layers"),
        (lambda s: s["synthesis"].update(layer_names=["L0_36_6"] * 65), "does not list its layers"),
        (lambda s: s["synthesis"].update(layer_names=["L0_36_6", "L99"]), "has no module 'L99'"),
        (lambda s: s["synthesis"]["layer_names"].reverse(), "damaged"),
        (lambda s: s["synthesis"]["layer_names"].pop(1), "do not fit how its network was built|does not read what"),
        (lambda s: s["synthesis.input"].update(bandwidth=dill_number(9.0)), "The first cutoff must be"),
        (lambda s: s["synthesis.input"].pop("bandwidth"), "does not say the bandwidth of the input"),
        (lambda s: s["synthesis.L0_36_6"].update(in_size=dill_array(36, 30)), "not square"),
        (lambda s: s["synthesis.L0_36_6"].update(padding=[9, 8, 9, 7]), "does not say the padding"),
        (lambda s: s["synthesis.L0_36_6"].update(padding=[9, 9, 9, 9]), "damaged"),
        (lambda s: s["synthesis.L0_36_6"].update(is_torgb=True), "draws a picture in its layer L0_36_6"),
        (lambda s: s["synthesis.L0_36_6"].update(in_cutoff=dill_number(3.0)), r"filters of its own .*up_filter"),
        (lambda s: s["synthesis.L0_36_6"].update(out_sampling_rate=2**40), "numbers that fit no network"),
        (lambda s: s["synthesis.L0_36_6"].update(up_factor=64, down_factor=64), "damaged"),
        (lambda s: s["synthesis.L0_36_6"].update(conv_clamp="256"), "does not say the conv_clamp"),
        (lambda s: s[""].update(c_dim=50), "too few"),
        (lambda s: s[""].update(hook=Call(Named("argparse", "Namespace"))), "asks for argparse.Namespace"),
        (lambda s: s["mapping"].update(f=dill_attribute("load")), f"asks for {'numpy.core._multiarray_umath.load'}"),
        (lambda s: s["mapping"].update(f=dill_attribute("system", "os")), "asks for os.system"),
        (lambda s: s["mapping"].update(f=Call(Named(DILL, "_load_type"), "CodeType")), "asks for .*CodeType"),
        (
            lambda s: s["mapping"].update(f=Call(Named(DILL, "_create_function"))),
            "asks for dill._dill._create_function",
        ),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(path, change, words):
    ours = make_generator(network_config(heads=0))
    assert ours.config.layers[0].name == "L0_36_6"
    data = changed(ours, change)
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match=words) as caught:
        load_generator(path)
    assert str(caught.value).startswith(path.name) and str(caught.value).endswith(".")


def test_its_other_generators_are_refused_by_what_they_are(path):
    config = rung_config("A", 16, channel_base=64, channel_max=4, z_dim=4, w_dim=4)
    state = make_generator(config).state_dict() | {"mapping.w_avg": torch.zeros(3, 4)}
    whole = module("Generator", state, given(config))
    refused(path, pickled(snapshot({"G_ema": whole})), "a StyleGAN2 of StyleGAN-XL's code")
    fast = module("FastganSynthesis", {"init.weight": torch.zeros(3, 4)})
    refused(path, pickled(snapshot({"G_ema": fast})), "holds a FastGAN and cannot be opened here")


def test_its_discriminator_is_of_another_kind(path):
    path.write_bytes(official_stylegan_xl(make_generator(network_config())))
    with pytest.raises(CheckpointError, match=r"ProjectedDiscriminator.*only StyleGAN2's"):
        load_discriminator(path)


def test_a_damaged_list_in_our_own_file(path):
    ours = make_generator(network_config())
    config = ours.config.to_json()

    def write(**fields) -> bytes:
        save_tensors(path, ours.state_dict(), {"kind": "generator", "config": config | fields})
        return path.read_bytes()

    assert load_generator(path if write() else path)[0].config == ours.config
    first, *others = config["layers"]
    for layers in ([], 7, [1], [first], [{**first, "extra": 1}, *others], [{**first, "up": 1.5}, *others]):
        refused(path, write(layers=layers), "describes no network that this version knows")
    for change in ({"name": "synthesis.x"}, {"in_size": 10**9}, {"up_taps": 400}, {"padding_before": 10**9}):
        refused(path, write(layers=[{**first, **change}, *others]), "describes no network that this version knows")
    refused(path, write(schedule="flexible"), "list of layers is for the schedule listed")
    refused(path, write(embed_rows=1), "too few rows")


def test_networks_without_a_list_are_written_as_before():
    config = rung_config("T", 32).to_json()
    assert not {"layers", "embed_rows", "embed_dim", "w_avg_rows", "block_channels"} & set(config)


def test_a_file_of_torchs_with_such_a_network(path):
    ours = make_generator(network_config())
    with path.open("wb") as file:
        dump(stylegan_xl(ours), file, 4)
    assert_same(path, ours)
