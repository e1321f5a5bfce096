# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Files beside a generator, and files of other things: each of these opens, or is called what it is with a way on."""

import re
import types
import zipfile
from argparse import Namespace
from collections import OrderedDict
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support import rosinality
from support.foreign import Call, Named, Writer, case, dump, module, network, pickled, snapshot, state_of

from gan.checkpoints.checkpoint import CheckpointError, load_discriminator, load_generator, read_header

T, A = "stylegan3_t_64", "stylegan2_64"
ONE = torch.ones(4)


def saved(path: Path, data: Any, zipped: bool = True) -> Path:
    """Write a file of torch's, in which globals need not exist."""
    writer = types.SimpleNamespace(Pickler=Writer, dump=dump, __name__="writer")
    torch.save(data, path, _use_new_zipfile_serialization=zipped, pickle_module=writer, pickle_protocol=2)
    return path


def said(path: Path) -> str:
    """Return the one sentence in which all ways of opening a file end."""
    sentences = set()
    for opening in (load_generator, read_header):
        with pytest.raises(CheckpointError) as caught:
            opening(path)
        sentences.add(str(caught.value))
    (sentence,) = sentences
    assert sentence.isprintable() and sentence.endswith(".") and len(sentence) < 500
    return sentence


# Wrong refusals of old.


def beside() -> dict[str, Any]:
    """Return things that people's files hold beside a generator."""
    return {
        "latent_avg": torch.ones(16),
        "step": torch.tensor(7),
        "args": Namespace(size=64, device=torch.device("cpu")),
        "where": Call(Named("pathlib", "PosixPath"), "/", "home"),
        "config": Call(Named("omegaconf.dictconfig", "DictConfig"), new=True, state={"a": 1}),
        "when": Call(Named("datetime", "datetime"), b"0123456789"),
        "scores": {"fid": 3.0},
        "optimizer": {"state": {0: {"exp_avg": ONE}}, "param_groups": [{"lr": 0.1}]},
        "callback": Call(Named("os", "system"), "echo hostile"),
    }


@pytest.mark.parametrize("key", ["G_ema", "G", "g_ema", "generator", "state_dict"])
@pytest.mark.parametrize("zipped", [True, False])
def test_a_generator_opens_whatever_lies_beside_it(tmp_path: Path, key: str, zipped: bool) -> None:
    state = OrderedDict(state_of(case(A)[1]))
    alone = load_generator(saved(tmp_path / "alone.pt", {key: state}, zipped))[0]
    found = load_generator(saved(tmp_path / "beside.pt", {**beside(), key: state, **beside()}, zipped))[0]
    assert found.config == alone.config
    assert all(torch.equal(found.state_dict()[name], tensor) for name, tensor in alone.state_dict().items())


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_an_official_pickle_opens_whatever_lies_beside_its_networks(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "network.pkl"
    path.write_bytes(pickled(snapshot({"G_ema": network(T)}) | beside(), protocol, old_numpy=True))
    assert load_generator(path)[0].config.rung == "T"
    header = read_header(path)
    assert header.network == "G_ema" and header.suspicious == ("os.system",)
    assert "it asks for os.system, as an attack does: do not open it with other programs" in header.describe()


@pytest.mark.parametrize("old_numpy", [True, False])
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_numpy_data_of_any_type_may_lie_beside_a_generator(tmp_path: Path, protocol: int, old_numpy: bool) -> None:
    structure = np.zeros(3, dtype=[("name", "U3"), ("score", "f4")])
    found = [np.str_("cat"), np.array(["a", "bc"]), np.array([{"a": 1}, None], object), np.complex64(1)]
    found += [
        np.bytes_(b"x"),
        np.datetime64("2020-01-01"),
        structure,
        structure[0],
        structure.dtype,
        np.random.RandomState(0),
    ]
    named = {np.str_("cat"): np.ones(2)}
    path = tmp_path / "network.pkl"
    path.write_bytes(pickled(snapshot({"G_ema": network(A)}) | {"a": found, "b": named}, protocol, old_numpy))
    assert load_generator(path)[0].config.rung == "A"
    whole = network(A)
    whole.arguments[0]["state"]["_modules"]["mapping"].arguments[0]["state"]["names"] = found[0]
    path.write_bytes(pickled(snapshot({"G_ema": whole}), protocol, old_numpy))
    assert "asks for numpy." in said(path)


@pytest.mark.parametrize("zipped", [True, False])
def test_any_number_and_key_may_lie_beside_a_generator(tmp_path: Path, zipped: bool) -> None:
    """As the state of numpy's PCG64, tables by long paths, and a whole optimiser's, by parameters."""
    things = {"state": 2**127 + 1, "less": -(2**200), ("/data" * 100): 1.0, "by path": {"/data" * 100: 1.0}}
    keys = {ONE: 1, (("a", 1), 2): 2, torch.float32: 3, frozenset({1}): 4, types.SimpleNamespace: 5}
    layer = torch.nn.Linear(2, 2)  # whose class torch's old format writes as a storage
    for beside in ({"g_ema": None} | things, {"keys": keys}, {"layer": layer}):
        data = {**beside, "G_ema": dict(state_of(case(A)[1]))}
        torch.save(data, tmp_path / "network.pt", _use_new_zipfile_serialization=zipped)
        assert load_generator(tmp_path / "network.pt")[0].config.rung == "A"
    for protocol in (2, 4):
        (tmp_path / "network.pkl").write_bytes(pickled(snapshot({"G_ema": network(A)}) | {"keys": keys}, protocol))
        assert load_generator(tmp_path / "network.pkl")[0].config.rung == "A"


def test_tensors_of_other_types_may_lie_beside_a_generator(tmp_path: Path) -> None:
    path = tmp_path / "network.pt"
    for other in (ONE.to(torch.complex64), ONE.to(torch.uint16), ONE.to(torch.float8_e4m3fn)):
        torch.save({"other": other, "G_ema": dict(state_of(case(A)[1]))}, path)
        assert load_generator(path)[0].config.rung == "A"
        torch.save({"G_ema": dict(state_of(case(A)[1])) | {"mapping.fc0.weight": other}}, path)
        assert "asks for torch." in said(path)
    data = {"other": ONE.to(torch.complex64), "G_ema": dict(state_of(case(A)[1]))}
    torch.save(data, path, _use_new_zipfile_serialization=False)
    assert (
        "tensors of the type torch.ComplexFloatStorage in a way that cannot be read here: save the generator"
        in said(path)
    )


@pytest.mark.parametrize("family", ["official", "rosinality"])
def test_lists_and_tables_around_a_network(tmp_path: Path, family: str) -> None:
    ours = rosinality.generator()
    state = dict(state_of(case(A)[1])) if family == "official" else rosinality.generator_state(ours)
    wanted = load_generator(saved(tmp_path / "alone.pt", {"g_ema": state}))[0].config
    for data in ([state], ({"g_ema": state},), {"model": {"g_ema": state, "step": ONE}}, {"a": [{"b": state}]}):
        assert load_generator(saved(tmp_path / "network.pt", data))[0].config == wanted
    path = saved(tmp_path / "network.pt", [state, dict(state)])
    assert "holds no generator, only 0, 1: name one" in said(path)
    assert load_generator(path, network="1")[0].config == wanted


def test_weights_without_a_name_open_beside_other_tables(tmp_path: Path) -> None:
    state = dict(state_of(case(A)[1]))
    path = saved(tmp_path / "network.pt", state | {"g_optim": {"exp_avg": ONE}, "args": Namespace(size=64)})
    assert load_generator(path)[0].config.rung == "A"


@pytest.mark.parametrize("stem", [A, T])
@pytest.mark.parametrize("prefix", ["decoder.", "G_ema.", "module.", "module.decoder.", "model.generator."])
def test_official_names_behind_a_prefix(tmp_path: Path, prefix: str, stem: str) -> None:
    """As beside encoders, in whole training systems and in torch's parallel wrapper."""
    state = state_of(case(stem)[1])
    alone = load_generator(saved(tmp_path / "alone.pt", dict(state)))[0].state_dict()
    table = {prefix + name: tensor for name, tensor in state.items()}
    table |= names("encoder.input_layer.0.weight", "discriminator.x.weight", "step")
    for data in (table, {"state_dict": table, "latent_avg": ONE, "opts": Namespace()}, {"g_ema": table}):
        found = load_generator(saved(tmp_path / "network.pt", data))[0].state_dict()
        assert all(torch.equal(found[name], tensor) for name, tensor in alone.items())


def test_networks_behind_several_prefixes_have_their_names(tmp_path: Path) -> None:
    state, judge = state_of(case(A)[1]), state_of(case("discriminator_64")[1])
    table = {f"G.{name}": tensor + 1 for name, tensor in state.items() if "filter" not in name}
    table |= {f"G_ema.{name}": tensor for name, tensor in state.items()}
    table |= {f"D.{name}": tensor for name, tensor in judge.items()}
    path = saved(tmp_path / "last.ckpt", {"state_dict": table, "epoch": 3})
    header = read_header(path)
    assert header.network == "G_ema" and sorted(header.networks) == ["D", "G", "G_ema"]
    assert torch.equal(load_generator(path, network="G")[0].mapping.w_avg, state["mapping.w_avg"] + 1)
    assert load_discriminator(path).config.resolution == 64
    prefixes = [".".join(parts) for count in range(1, 11) for parts in product("gd", repeat=count)]
    assert "far more objects" in said(saved(path, names(*(f"{prefix}.synthesis.b4.const" for prefix in prefixes))))


def test_an_official_generator_beside_another_projects_discriminator(tmp_path: Path) -> None:
    judge = rosinality.discriminator_state(rosinality.discriminator())
    for key in ("g_ema", "G"):
        path = saved(tmp_path / "network.pt", {"d": judge, key: dict(state_of(case(T)[1]))})
        assert load_generator(path)[0].config.rung == "T" and load_discriminator(path).config.resolution == 32


def test_a_discriminator_without_a_name(tmp_path: Path) -> None:
    path = saved(tmp_path / "critic.pt", state_of(case("discriminator_64")[1]))
    assert load_discriminator(path).config.resolution == 64
    with pytest.raises(CheckpointError, match="holds a generator alone: name its discriminator, or a file that has"):
        load_discriminator(saved(path, state_of(case(A)[1])))


def test_an_archive_of_a_checkpoint_and_its_samples(tmp_path: Path) -> None:
    path = tmp_path / "archive.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("cats/samples.png", b"x")
        archive.writestr("cats/network.pkl", b"y")
    assert "is a zip with checkpoints in it: unpack it and open one of them" in said(path)


def test_what_is_unknown_inside_the_generator_is_refused_by_its_name(tmp_path: Path) -> None:
    whole = network(T)
    whole.arguments[0]["state"]["_modules"]["extra"] = Call(Named("timm.models", "Thing"), new=True, state={})
    path = tmp_path / "network.pkl"
    path.write_bytes(pickled(snapshot({"G_ema": whole})))
    assert "asks for timm.models.Thing" in said(path)
    state = dict(state_of(case(A)[1])) | {"mapping.fc0.scale": Call(Named("torch._utils", "_rebuild_qtensor"), ONE)}
    assert "asks for torch._utils._rebuild_qtensor" in said(saved(path, state))
    whole = Call(Named("model", "Generator"), new=True, state={"_modules": {}, "_parameters": {}})
    sentence = said(saved(path, whole))
    assert "asks for model.Generator" in sentence and "save the weights alone (state_dict)" in sentence


# Other files.

LATENT = "holds latents .* not a model: open the checkpoint"
DIRECTION = "holds directions in w .* not a model: open the checkpoint"
ENCODER = "holds an encoder alone.*open a file that has its generator"
DIFFUSION = "holds a diffusion model and cannot be opened here: open the checkpoint"


def names(*found: str) -> dict[str, torch.Tensor]:
    return dict.fromkeys(found, ONE)


OTHERS: list[tuple[Any, str]] = [
    (torch.zeros(18, 512), LATENT),
    (torch.zeros(1, 18, 512), LATENT),
    ([torch.zeros(18, 512)], LATENT),
    ({"latent": torch.zeros(18, 512)}, LATENT),
    ({"w": torch.zeros(1, 18, 512)}, LATENT),
    ({"face.png": {"img": ONE, "latent": ONE, "noise": [ONE]}}, LATENT),
    ({"a.png": {"img": ONE, "latent": ONE}, "b.png": {"img": ONE, "latent": ONE}}, LATENT),
    ({"ckpt": "model.pt", "eigvec": torch.zeros(512, 512)}, DIRECTION),
    ({"boundary": torch.zeros(1, 512)}, DIRECTION),
    ({"state_dict": names("encoder.input_layer.0.weight", "encoder.body.0.bias"), "opts": {}}, ENCODER),
    ({"state_dict": names("mapper.course_mapping.mapping.1.weight"), "opts": Namespace()}, ENCODER),
    (names("input_layer.0.weight", "body.0.res_layer.0.weight", "output_layer.3.weight"), ENCODER),
    (names("Conv2d_1a_3x3.conv.weight", "Mixed_5b.branch1x1.conv.weight"), "holds an Inception network"),
    (names("features.0.weight", "features.0.bias", "classifier.0.weight"), "holds a VGG network"),
    (names("lin0.model.1.weight", "lin1.model.1.weight"), "holds LPIPS"),
    (names("visual.transformer.resblocks.0.ln_1.weight", "logit_scale"), "holds CLIP"),
    ({"mu": np.zeros(8), "sigma": np.zeros((8, 8))}, "holds statistics of features"),
    ({"num_items": 5, "raw_mean": np.zeros(8), "raw_cov": np.zeros((8, 8))}, "holds statistics of features"),
    ({"GAN": names("S.net.0.weight", "G.initial_block", "D.blocks.0.conv_res.weight"), "version": "1.8"}, "lucidrains"),
    ({"state_dict": names("model.diffusion_model.input_blocks.0.0.weight")}, DIFFUSION),
    (names("down_blocks.0.resnets.0.conv1.weight", "conv_in.weight"), DIFFUSION),
    ({"state_dict": names("backbone.synthesis.b4.const", "decoder.net.0.weight")}, "EG3D"),
    (names("generator.progression.0.conv1.conv.weight", "style.1.weight"), "StyleGAN1"),
    ({"state": {0: {"exp_avg": ONE}}, "param_groups": []}, "optimiser's state"),
    ({"loss": [1.0]}, "holds no generator and no other network: open the checkpoint"),
    ({"a": names("x.y"), "b": names("x.y")}, "holds no generator, only a, b: name one"),
    (names("conv.weight", "conv.bias", "fc.weight", "fc.bias"), r"\(its parameters are .* and others\): open the"),
]


@pytest.mark.parametrize(("data", "sentence"), OTHERS, ids=range(len(OTHERS)))
@pytest.mark.parametrize("zipped", [True, False])
def test_other_files_are_called_what_they_are(tmp_path: Path, data: Any, sentence: str, zipped: bool) -> None:
    assert re.search(sentence, said(saved(tmp_path / "file.pt", data, zipped)))


def test_arrays_and_classes_in_pickles(tmp_path: Path) -> None:
    path = tmp_path / "file.pkl"
    path.write_bytes(pickled(np.zeros((18, 512), np.float32)))
    assert "numpy array ([18, 512])" in said(path)
    planes = module("TriPlaneGenerator", {"backbone.synthesis.b4.const": ONE})
    planes.arguments[0]["state"]["_modules"]["renderer"] = Call(
        Named("training.volume", "Renderer"), new=True, state={}
    )
    path.write_bytes(pickled(snapshot({"G_ema": planes})))
    assert "holds an EG3D" in said(path)
    fast = module("Generator", {"mapping.x": ONE, "synthesis.init.init.0.weight_orig": ONE})
    fast.arguments[0]["state"]["_modules"]["synthesis"].arguments[0]["class_name"] = "FastganSynthesisCond"
    path.write_bytes(pickled(snapshot({"G_ema": fast})))
    assert "holds a FastGAN" in said(path)
    texts = module("Generator", {"mapping.fc0.weight": ONE})
    inside = texts.arguments[0]["state"]["_modules"]["mapping"].arguments[0]["state"]["_modules"]
    inside["clip"] = Call(Named("networks.shared", "CLIP"), new=True, state={})
    path.write_bytes(pickled(snapshot({"G_ema": texts})))
    assert "StyleGAN-T" in said(path)
    path.write_bytes(pickled(snapshot({"D": network("discriminator_64")})))
    assert "holds a discriminator of 64x64 pictures" in said(path)
    assert load_discriminator(path).config.resolution == 64


def test_files_that_are_cut_off(tmp_path: Path) -> None:
    state = dict(state_of(case(A)[1]))
    whole = [
        pickled(snapshot({"G_ema": network(A)})),
        *(saved(tmp_path / "x.pt", state, z).read_bytes() for z in (True, False)),
    ]
    for number, data in enumerate(whole):
        path = tmp_path / f"{number}.pt"
        for share in (0.3, 0.7, 0.999):
            path.write_bytes(data[: int(len(data) * share)])
            assert re.search("incomplete|damaged", said(path))
