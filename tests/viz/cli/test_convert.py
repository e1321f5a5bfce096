# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`visualizer.py convert` and what `inspect` says of files that are not ours."""

import hashlib
import os
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result
from safetensors import safe_open
from support import rosinality, stylegan_xl, tensorflow
from support.foreign import SOURCE, Call, Named, arguments, case, module, network, official, pickled, snapshot, state_of

from gan.checkpoints.checkpoint import CheckpointError, load_generator, read_header
from viz.cli.main import main as viewer

T, A = "stylegan3_t_64", "stylegan2_64"


def run(*words: object) -> Result:
    return CliRunner().invoke(viewer, [str(word) for word in words], prog_name="visualizer.py")


def refused(result: Result, words: str) -> None:
    last = result.output.strip().splitlines()[-1]
    assert result.exit_code in (1, 2) and last.startswith("Error: ") and words in last, result.output
    assert isinstance(result.exception, SystemExit), "an exit, not a traceback"


@pytest.fixture
def pickle(tmp_path: Path) -> Path:
    """An official file of three networks; G is not G_ema."""
    other = module(
        "Generator", {k: t + 1 for k, t in state_of(case(T)[1]).items() if "filter" not in k}, arguments(case(T)[0])
    )
    networks = {"G": other, "D": network("discriminator_64"), "G_ema": network(T)}
    path = tmp_path / "network.pkl"
    path.write_bytes(pickled(snapshot(networks)))
    return path


@pytest.mark.slow
def test_a_converted_pickle_is_the_same_generator(pickle, tmp_path):
    out = tmp_path / "new" / "cats.safetensors"
    result = run("convert", pickle, "--out", out)
    assert result.exit_code == 0, result.output
    assert f"{len(SOURCE):,} bytes of Python source in 1 text: none of it was run" in result.output
    assert "none of it was run. G_ema of it is taken." in result.output and "StyleGAN3-T" in result.output
    assert "all 114 tensors are equal" in result.output
    expected, (found, facts) = load_generator(pickle)[0], load_generator(out)
    assert found.config == expected.config
    z = torch.randn(2, 32)
    assert torch.equal(found(z), expected(z))
    digest = hashlib.sha256(pickle.read_bytes()).hexdigest()
    assert facts == {
        "data": "data",
        "converted_from": "network.pkl",
        "converted_sha256": digest,
        "network": "G_ema",
        "class_name": "Generator",
    }
    assert read_header(out).format == "jinc"
    assert b"SystemExit" in pickle.read_bytes() and b"SystemExit" not in out.read_bytes(), "no source came along"


def test_another_network_of_the_file(pickle, tmp_path):
    out = tmp_path / "g.safetensors"
    assert run("convert", pickle, "--network", "G", "--out", out).exit_code == 0
    assert torch.equal(load_generator(out)[0].mapping.w_avg, state_of(case(T)[1])["mapping.w_avg"] + 1)
    refused(run("convert", pickle, "--network", "E", "--out", tmp_path / "e.safetensors"), "holds no E, only G, D")
    refused(
        run("convert", pickle, "--network", "D", "--out", tmp_path / "d.safetensors"),
        "holds a discriminator of 64x64 pictures where its generator should be",
    )
    refused(run("convert", "t", "--network", "G", "--out", tmp_path / "t.safetensors"), "leave G out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["g.safetensors", "network.pkl"]


def test_a_state_dict_for_other_programs(pickle, tmp_path):
    out = tmp_path / "plain.safetensors"
    result = run("convert", pickle, "--to", "state-dict", "--out", out)
    assert result.exit_code == 0 and "all 114 tensors are equal" in result.output, result.output
    with safe_open(out, framework="pt") as file:
        assert file.metadata() == {"format": "pt"}, "nothing of ours"
        found = {name: file.get_tensor(name) for name in file.keys()}
    expected = state_of(case(T)[1])
    assert set(found) == set(expected)
    assert all(torch.equal(tensor, expected[name]) for name, tensor in found.items() if "filter" not in name)
    again = load_generator(out)[0]  # as anybody's bare weights
    z = torch.randn(2, 32)
    assert torch.equal(again(z), load_generator(pickle)[0](z))
    refused(run("convert", pickle, "--to", "state-dict", "--out", out), "is there already")
    refused(run("convert", pickle, "--to", "onnx", "--out", out), "'onnx' is not one of 'jinc', 'state-dict'")


def test_a_state_dict_of_a_rung_that_other_programs_do_not_know(tmp_path):
    out = tmp_path / "plain.safetensors"
    result = run("convert", "b", "--to", "state-dict", "--out", out)
    assert result.exit_code == 0 and "No other program draws rung B" in result.output, result.output


@pytest.mark.parametrize("to", ["jinc", "state-dict"])
def test_a_file_of_another_project(tmp_path, to):
    ours = rosinality.generator(block_channels=(8, 8, 16, 8))
    data = rosinality.training(ours, rosinality.discriminator(), latent_avg=ours.mapping.w_avg)
    path = rosinality.save(tmp_path / "550000.pt", data)
    out = tmp_path / "out.safetensors"
    result = run("convert", path, "--to", to, "--out", out)
    assert result.exit_code == 0 and "of a rosinality StyleGAN2 generator" in result.output, result.output
    assert "g_ema of it is taken" in result.output and "tensors are equal" in result.output
    found, facts = load_generator(out)
    z = torch.randn(2, 12)
    assert torch.equal(found(z, psi=0.7), ours(z, psi=0.7))
    assert (facts.get("network") == "g_ema") == (to == "jinc")
    assert found.config.conv_clamp == (None if to == "jinc" else 256), "a state dict cannot say it"


def test_what_plain_tensors_do_not_tell_is_said(tmp_path):
    path, out = tmp_path / "network.pkl", tmp_path / "plain.safetensors"

    def said(written: Call | bytes) -> str:
        path.write_bytes(written if isinstance(written, bytes) else tensorflow.file_of(None, None, written))
        result = run("convert", path, "--to", "state-dict", "--out", out, "--overwrite")
        assert result.exit_code == 0, result.output
        return result.output.splitlines()[-1]

    clamped = tensorflow.generator(conv_clamp=0.5, architecture="resnet")
    line = said(tensorflow.written_generator(clamped, 5, conv_clamp=0.5))
    assert line == "Tell other programs what the tensors do not: conv_clamp = 0.5."
    line = said(tensorflow.written_generator(tensorflow.generator(), 4))
    assert line == "Tell other programs what the tensors do not: conv_clamp = none."
    usual = tensorflow.generator(conv_clamp=256.0)
    assert "tensors are equal" in said(tensorflow.written_generator(usual, 5, conv_clamp=256))
    labelled = tensorflow.generator(c_dim=3, label_width=9, z_dim=9, labels_beside_z=True)
    assert "for Jinc, write it with --to jinc" in said(tensorflow.written_generator(labelled, 4, label_size=3))
    with pytest.raises(CheckpointError, match="does not say how its network was built"):
        load_generator(out)
    for heads, sentence in ((0, "tensors are equal"), (1, "for Jinc, write it with --to jinc")):
        whole = stylegan_xl.make_generator(stylegan_xl.network_config(heads=heads))
        assert sentence in said(stylegan_xl.official_stylegan_xl(whole))


def test_not_a_number_stays_what_it_is(tmp_path):
    path, out = tmp_path / "network.pkl", tmp_path / "out.safetensors"
    path.write_bytes(official(T, change=lambda t: t * torch.nan if t.shape == (32,) else t))
    assert run("convert", path, "--out", out).exit_code == 0
    assert load_generator(out)[0].mapping.w_avg.isnan().all()


def test_nothing_is_overwritten_unasked(pickle, tmp_path):
    out = tmp_path / "out.safetensors"
    out.write_bytes(b"precious")
    refused(run("convert", pickle, "--out", out), "is there already: give another name, or --overwrite")
    assert out.read_bytes() == b"precious"
    assert run("convert", pickle, "--out", out, "--overwrite").exit_code == 0
    before = out.read_bytes()
    refused(run("convert", out, "--out", out, "--overwrite"), "--out is IN itself")
    assert out.read_bytes() == before


def test_what_cannot_be_converted_says_why_and_writes_nothing(pickle, tmp_path):
    out = tmp_path / "out.safetensors"
    refused(run("convert", pickle, "--out", tmp_path / "out.pkl"), "--out must be a name such as cats.safetensors")
    refused(run("convert", tmp_path / "none.pkl", "--out", out), "There is no file")
    hostile = tmp_path / "hostile.pkl"
    inside = network(T)
    inside.arguments[0]["state"]["extra"] = Call(Named("os", "system"), "echo run")
    hostile.write_bytes(pickled(snapshot({"G_ema": inside})))
    refused(run("convert", hostile, "--out", out), "hostile.pkl asks for os.system")
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(0o500)
    if os.geteuid():
        refused(run("convert", pickle, "--out", folder / "out.safetensors"), "could not be written")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hostile.pkl", "locked", "network.pkl"]


def test_names_that_cannot_be_written_are_one_sentence(pickle, tmp_path):
    folder = tmp_path / "folder.safetensors"
    folder.mkdir()
    refused(run("convert", pickle, "--out", folder, "--overwrite"), "it is a folder")
    long = tmp_path / f"{'a' * 300}.safetensors"
    refused(run("convert", pickle, "--out", long), "cannot be written: File name too long")
    refused(run("convert", pickle, "--out", "/proc/a.safetensors"), "/proc/a.safetensors cannot be written")
    refused(run("convert", pickle, "--out", ""), "it is empty; give a path")
    refused(run("convert", pickle, "--out", tmp_path / "a"), "must be a name such as cats.safetensors")
    refused(run("convert", "", "--out", tmp_path / "x.safetensors"), "it is empty; give a model")
    refused(run("convert", "/dev/null", "--out", tmp_path / "x.safetensors"), "/dev/null is not a regular file")
    refused(run("convert", "x" * 5000, "--out", tmp_path / "x.safetensors"), "There is no file xxx")
    assert run("convert", pickle, "--out", tmp_path / "UPPER.SAFETENSORS").exit_code == 0


def test_one_network_without_a_name_is_not_chosen_by_one(tmp_path):
    path = tmp_path / "weights.pt"
    torch.save(state_of(case(T)[1]), path)
    refused(run("inspect", path, "--network", "G"), "holds one network, which has no name there: leave G out")


def test_inspect_says_what_a_file_is_and_what_code_it_carries(pickle, tmp_path):
    text = run("inspect", pickle).output
    for words in (
        "network.pkl: T + flexible layers (StyleGAN3-T), 64x64",
        f"a pickle of a StyleGAN3 generator, which carries {len(SOURCE):,} bytes of Python source in 1 text: "
        "none of it was run",
        "Network     G_ema, of the class Generator; beside it: G, D",
        "Latents     z 32, w 32 after 2 layers, no labels",
        "Picture     64x64, RGB",
        "Training    data data",
    ):
        assert words in text, text
    assert "Network     G, of the class Generator; beside it: D, G_ema" in run("inspect", pickle, "--network=G").output
    weights = tmp_path / "weights.pt"
    torch.save(state_of(case("stylegan2_32_conditional_resnet")[1]), weights)
    text = run("inspect", weights).output
    assert "a torch zip of a StyleGAN2 generator, which carries no code" in text
    assert "3 labels" in text and "Network " not in text
    assert "a checkpoint of Jinc's, which carries no code" in run("inspect", "t").output
    refused(run("inspect", "--network", "G", "--cfg", "T"), "--network chooses from a file")
