# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Runs that start from another model: the table, the pictures at the start, exact resumes, and every refusal."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import Result
from support.foreign import Call, pickled
from support.stylegan_xl import make_generator, network_config, official_stylegan_xl
from support.trainer import SMALL, call, rows

from gan.checkpoints.checkpoint import load_generator, load_tensors, save_tensors
from gan.checkpoints.transfer import match_discriminators, match_generators
from gan.data.image_dataset import open_images
from gan.data.image_io import to_uint8
from gan.files.wishes import write_wishes
from gan.hub.resolve import resolve
from gan.metrics.frechet import FeatureStats, frechet_distance
from gan.networks.generator import Generator, z_from_seed
from train.config import TrainConfig, list_layers
from train.loop import Loop
from train.state import TrainState, ema_decay
from train.transfer.growing import Teachers

STATE = "training-state.safetensors"


def refused(result: Result, *words: str, status: int = 1) -> None:
    assert result.exit_code == status, result.output
    sentence = result.output.strip().splitlines()[-1]
    assert sentence.startswith("Error: "), result.output
    for word in words:
        assert word in sentence, sentence


@pytest.fixture
def source(tmp_path: Path, data: Path) -> Path:
    """Train a T for three steps; return its run folder."""
    result = call("--cfg=T", f"--data={data}", f"--outdir={tmp_path / 'source'}", "--kimg=0.012", "--seed=7", *SMALL)
    assert result.exit_code == 0, result.output
    return tmp_path / "source" / "00000-blobs-T-16"


def start(tmp_path: Path, data: Path, *words: object, cfg: str = "T", kimg: float = 0.004) -> Result:
    return call(f"--cfg={cfg}", f"--data={data}", f"--outdir={tmp_path / 'runs'}", f"--kimg={kimg:g}", *SMALL, *words)


def snapshot(run: Path) -> Path:
    return sorted(run.glob("network-snapshot-*.safetensors"))[-1]


def begin(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch, *words: object) -> tuple[Result, Path]:
    """Start a run that is killed before its first step; return its folder, which holds its first state."""

    def die(self: TrainState, *args: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(TrainState, "step", die)
        result = start(tmp_path, data, *words)
    return result, sorted((tmp_path / "runs").iterdir())[-1]


# ----------------------------------------------------------------------------------------------------- what is taken


def test_a_run_folder_gives_all_three_networks(
    tmp_path: Path, data: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result, run = begin(tmp_path, data, monkeypatch, f"--transfer={source}")
    assert "Starting from 00000-blobs-T-16 at 0.012 kimg (rung T, 16x16)" in result.output
    assert "start afresh" in result.output and "discriminator starts afresh" not in result.output
    theirs, _ = load_tensors(source / STATE)
    ours, document = load_tensors(run / STATE)
    networks = [name for name in ours if name.split(".")[0] in ("generator", "discriminator", "ema")]
    assert len(networks) > 60 and all(torch.equal(ours[name], theirs[name]) for name in networks)
    assert document["images"] == 0 and not any(name.startswith("adam.") for name in ours), "moments start afresh"
    options = json.loads((run / "training_options.json").read_text())
    assert options["transfer"] == str(source / STATE) and options["ema_ramp"] == 0 and options["warmup_images"] == 0
    log = (run / "log.txt").read_text()
    for line in options["transfer_table"]:
        assert line in result.output and line in log
    assert len(options["transfer_table"]) == 3


def test_a_snapshot_gives_the_generator_and_d_warms_up(tmp_path: Path, data: Path, source: Path) -> None:
    result = start(tmp_path, data, f"--transfer={snapshot(source)}", kimg=0.1)
    assert result.exit_code == 0, result.output
    assert "The discriminator starts afresh: 00000-blobs-T-16 at 0.012 kimg holds none, but its run" in result.output
    assert "Until it has seen 0.005 kimg, the generator is held." in result.output
    run = tmp_path / "runs" / "00000-blobs-T-16"
    first, second = rows(run)[:2]
    assert first["images"] == 8 and first["loss_g"] is None and first["loss_d"] is not None
    assert second["loss_g"] is not None
    generator, facts = load_generator(sorted(run.glob("network-snapshot-*.safetensors"))[0])
    theirs = load_generator(snapshot(source))[0].state_dict()
    assert all(torch.equal(value, theirs[name]) for name, value in generator.state_dict().items()), "held"
    assert facts["training"]["transfer"] == f"{source.name}/{snapshot(source).stem}", "no path of this machine"
    later = load_generator(snapshot(run))[0].state_dict()
    assert not all(torch.equal(value, theirs[name]) for name, value in later.items()), "and then trained"


def test_a_folder_without_a_state_gives_its_snapshot(tmp_path: Path, data: Path, source: Path) -> None:
    (source / STATE).unlink()
    result = start(tmp_path, data, f"--transfer={source}", "-n")
    assert result.exit_code == 0 and "The discriminator starts afresh: " in result.output
    assert "its run folder has one" not in result.output


@pytest.mark.slow
def test_pictures_start_at_the_distance_of_the_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transfer of the bundled T starts, and goes on, at its Frechet distance of pixels, not at a fresh run's."""
    common = ("--cfg=T", "--data=critters", "--critters-num=192", "--preset=tiny", "--device=cpu", "--kimg=0.096")
    result = call(*common, f"--outdir={tmp_path}", "--transfer=t", "--tick=0.048", "--snap=1")
    assert result.exit_code == 0, result.output
    run = tmp_path / "00000-critters-192-32-0-T-32"
    reals = open_images(tmp_path / "critters-192-32-0.zip")
    real = stats_of(torch.from_numpy(reals.batch(range(len(reals)))))
    config = TrainConfig.from_json(json.loads((run / "training_options.json").read_text()))
    bundled = distance(real, load_generator(resolve("t"))[0])
    snapshots = [load_generator(path)[0] for path in sorted(run.glob("network-snapshot-*.safetensors"))]
    after = [distance(real, generator) for generator in snapshots]
    fresh = distance(real, Generator(config.generator).eval())
    assert bundled < 0.25 * fresh, (bundled, fresh)
    assert len(after) == 2 and all(found == pytest.approx(bundled, rel=0.1) for found in after), (bundled, after)


def stats_of(pictures: torch.Tensor) -> FeatureStats:
    """Return the statistics of the pixels of pictures, uint8 [N, 3, 32, 32], reduced to 4x4."""
    stats = FeatureStats(48)
    stats.add(torch.nn.functional.avg_pool2d(pictures.float() / 255, 8).flatten(1).numpy())
    return stats


@torch.no_grad()
def distance(real: FeatureStats, generator: Generator) -> float:
    z = torch.from_numpy(np.concatenate([z_from_seed(seed, generator.config.z_dim) for seed in range(192)])).float()
    pictures = [to_uint8(generator(part, noise="const")).permute(0, 3, 1, 2) for part in z.split(32)]
    return frechet_distance(real, stats_of(torch.cat(pictures)))


def test_another_size_and_rung_take_what_fits(
    tmp_path: Path, data: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = f"--transfer={source}", "--critters-num=4", "--resolution=32"
    result = call("--cfg=T", "--data=critters", f"--outdir={tmp_path}", "--kimg=0.004", *SMALL, *words)
    assert result.exit_code == 0, result.output
    table = [line.split() for line in result.output.splitlines() if line.startswith(("G ", "D "))]
    assert ["D", "b16,", "b8,", "b4", "yes"] in table, table
    assert any(row[:3] == ["G", "mapping,", "input,"] and row[-1] == "yes" for row in table)
    options = json.loads((tmp_path / "00000-critters-4-32-0-T-32" / "training_options.json").read_text())
    assert options["ema_ramp"] == 0.05, "new layers need a ramp"
    result = start(tmp_path, data, f"--transfer={source}", "-n", cfg="B")
    assert result.exit_code == 0 and "the rung differs" in result.output


def test_a_foreign_file_gives_g_its_average_and_d(
    tmp_path: Path, data: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tensors, _ = load_tensors(source / STATE)
    names = {"G": "generator.", "G_ema": "ema.", "D": "discriminator."}
    nets = {
        name: {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
        for name, prefix in names.items()
    }
    torch.save(nets, tmp_path / "nets.pt")
    result, run = begin(tmp_path, data, monkeypatch, f"--resume={tmp_path / 'nets.pt'}")
    assert "Starting from nets (rung" in result.output, result.output
    ours, _ = load_tensors(run / STATE)
    same = [name for name in ours if name in tensors and torch.equal(ours[name], tensors[name])]
    for network in ("generator.L", "ema.", "discriminator.b4."):
        network = network.replace("generator.L", "generator.synthesis.L")
        assert any(name.startswith(network) for name in same), result.output
    different = [key for key in nets["G"] if not torch.equal(nets["G"][key], nets["G_ema"][key])]
    assert different and all(f"generator.{name}" in same for name in different if "weight" in name)


def test_a_d_that_cannot_be_read_is_said(tmp_path: Path, data: Path, source: Path) -> None:
    tensors, _ = load_tensors(source / STATE)
    ema = {key.removeprefix("ema."): value for key, value in tensors.items() if key.startswith("ema.")}
    torch.save({"G_ema": ema, "D": {"b8.conv0.weight": torch.zeros(3, 3)}}, tmp_path / "half.pt")
    result = start(tmp_path, data, f"--transfer={tmp_path / 'half.pt'}", "-n")
    assert result.exit_code == 0, result.output
    assert len([line for line in result.output.splitlines() if line.startswith("The discriminator starts afresh")]) == 1


# ------------------------------------------------------------------------------------------------------------- resuming


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["snapshot", "state"])
def test_a_transferred_run_resumes_exactly_without_its_source(
    tmp_path: Path, data: Path, source: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    name = snapshot(source) if kind == "snapshot" else source / STATE
    words = (f"--transfer={name}", *(["--freezed=4"] if kind == "state" else []))
    assert start(tmp_path, data, *words, kimg=0.04).exit_code == 0
    straight = tmp_path / "runs" / "00000-blobs-T-16"
    step = TrainState.step

    def stop(self: TrainState, *args: Any) -> Any:
        if self.steps == 4:
            (tmp_path / "runs" / "00001-blobs-T-16" / "stop").touch()
        return step(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(TrainState, "step", stop)
        assert start(tmp_path, data, *words, kimg=0.04).exit_code == 0
    shutil.rmtree(source)
    stopped = tmp_path / "runs" / "00001-blobs-T-16"
    assert load_tensors(stopped / STATE)[1]["images"] == 20
    assert call(f"--resume={stopped}").exit_code == 0
    ours, theirs = load_tensors(stopped / STATE)[0], load_tensors(straight / STATE)[0]
    assert ours.keys() == theirs.keys() and all(torch.equal(ours[key], theirs[key]) for key in theirs)


def test_a_killed_transfer_begins_again_from_its_state(
    tmp_path: Path, data: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert start(tmp_path, data, f"--transfer={source}", kimg=0.012).exit_code == 0
    result, killed = begin(tmp_path, data, monkeypatch, f"--transfer={source}")
    assert result.exit_code == 1
    shutil.rmtree(source)
    result = call(f"--resume={killed}", "--kimg=0.012")
    assert result.exit_code == 0 and "it begins again" in result.output, result.output
    ours = load_tensors(killed / STATE)[0]
    theirs = load_tensors(tmp_path / "runs" / "00000-blobs-T-16" / STATE)[0]
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)
    (killed / STATE).unlink()
    for path in killed.glob("network-snapshot-*"):
        path.unlink()
    refused(call(f"--resume={killed}", "--kimg=0.012"), "before what it took", "--transfer")


# --------------------------------------------------------------------------------------------------- freezing, the ramp


def test_frozen_layers_stay_and_others_move(tmp_path: Path, data: Path, source: Path) -> None:
    result = start(tmp_path, data, f"--transfer={source}", "--freezed=4", kimg=0.012)
    assert result.exit_code == 0 and "first 4 layers are frozen" in result.output, result.output
    ours, document = load_tensors(tmp_path / "runs" / "00000-blobs-T-16" / STATE)
    theirs, _ = load_tensors(source / STATE)
    frozen = ("b16.fromrgb", "b16.conv0", "b16.conv1", "b16.skip")
    assert document["config"]["freezed"] == 4
    for name in (name for name in theirs if name.startswith("discriminator.") and name.endswith("weight")):
        assert torch.equal(ours[name], theirs[name]) == name.removeprefix("discriminator.").startswith(frozen), name


AGREEING = "--first-stopband=2.8284271247461903"  # schedules of T that agree up to the last layers


@pytest.fixture
def small(tmp_path: Path, data: Path) -> Path:
    """Train a T at 16x16 whose layers a T at 32x32 takes; return its run folder."""
    words = ("--num-layers=6", AGREEING, *SMALL)
    assert call("--cfg=T", f"--data={data}", f"--outdir={tmp_path / 'small'}", "--kimg=0.012", *words).exit_code == 0
    return tmp_path / "small" / "00000-blobs-T-16"


def grow(tmp_path: Path, *words: object) -> tuple[Result, Path]:
    """Start a run at 32x32 from another one; return the run folder, too."""
    shape = ("--resolution=32", "--num-layers=8", AGREEING)
    common = ("--cfg=T", "--data=critters", "--critters-num=4", *shape, f"--outdir={tmp_path}", *SMALL)
    return call(*common, *words), tmp_path / "00000-critters-4-32-0-T-32"


def end(self: Loop, *args: Any) -> None:
    """Stand for the steps of a run that is killed before the first."""
    raise KeyboardInterrupt


def read_lessons(output: str) -> dict[str, list[float]]:
    """Return the errors that a log tells of, by network."""
    found: dict[str, list[float]] = {"G": [], "D": []}
    for network, error in re.findall(r"(G|D)'s new \w+ learn .*, error (\S+)\.", output):
        found[network].append(float(error))
    return found


def test_new_layers_learn_what_the_source_did(tmp_path: Path, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Growing: new layers of G learn to draw the source's pictures, those of D to see them; no other weight moves."""
    tensors, document = load_tensors(small / STATE)
    bias = next(name for name in tensors if name.startswith("generator.synthesis.L") and name.endswith("_3.bias"))
    tensors[bias] += torch.tensor([0.8, -0.6, 0.4])  # what can be learned in a hundred steps
    save_tensors(small / STATE, tensors, document)
    with monkeypatch.context() as patch:
        patch.setattr(Loop, "_train", end)
        result, run = grow(tmp_path, f"--transfer={small}", "--kimg=4")
    assert "First, over 0.4 kimg beside the run's length, G's new layers and D's new blocks learn to" in result.output
    for network, errors in read_lessons(result.output).items():
        assert len(errors) == 4 and errors[-1] < 0.5 * errors[0], (network, errors)
    ours, document = load_tensors(run / STATE)
    config, theirs = (
        TrainConfig.from_json(document["config"]),
        TrainConfig.from_json(load_tensors(small / STATE)[1]["config"]),
    )
    for name, match in (
        ("generator", match_generators(theirs.generator, config.generator)),
        ("ema", match_generators(theirs.generator, config.generator)),
        ("discriminator", match_discriminators(theirs.discriminator, config.discriminator)),
    ):
        taken = [key for key in match.list_taken() if key.endswith(("weight", "bias"))]
        assert len(taken) > 6 and all(torch.equal(ours[f"{name}.{key}"], tensors[f"{name}.{key}"]) for key in taken), (
            name
        )
    last = next(name for name in ours if name.startswith("generator.synthesis.L") and name.endswith("_3.weight"))
    assert torch.equal(ours[last], ours[last.replace("generator.", "ema.")]), "the average begins with what was taught"


def test_lessons_draw_the_same_numbers_each_time(tmp_path: Path, small: Path) -> None:
    words = (f"--transfer={small}", "--tick=0.008", "--snap=1")
    result, run = grow(tmp_path / "once", *words, "--kimg=0.08")
    assert result.exit_code == 0, result.output
    options = json.loads((run / "training_options.json").read_text())
    assert options["taught_images"] == 8 and options["blur_images"] == 0 and options["ema_ramp"] > 0
    first, other = grow(tmp_path / "again", *words, "--kimg=0.08")
    assert first.exit_code == 0
    ours, theirs = load_tensors(run / STATE)[0], load_tensors(other / STATE)[0]
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_a_snapshot_alone_teaches_g_and_d_warms_up(tmp_path: Path, small: Path) -> None:
    result, _ = grow(tmp_path, f"--transfer={snapshot(small)}", "--kimg=0.08")
    assert result.exit_code == 0 and "Until it has seen 0.004 kimg, the generator is held." in result.output
    assert "First, over 0.008 kimg beside the run's length, G's new layers learn to" in result.output
    lessons = read_lessons(result.output)
    assert lessons["G"] and not lessons["D"]


@pytest.mark.parametrize("wish", ["file", "control"])
def test_a_stop_ends_the_lessons_and_the_run(
    wish: str, tmp_path: Path, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is taught by halves is not worth going on from: no state is left that would do so."""
    run = tmp_path / "00000-critters-4-32-0-T-32"
    teach = Teachers.teach

    def ask(self: Teachers, *args: Any) -> bool:
        assert (run / "reals.png").is_file(), "there is something to look at meanwhile"
        (run / "stop").touch() if wish == "file" else write_wishes(run, stop=True)
        return teach(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(Teachers, "teach", ask)
        result, _ = grow(tmp_path, f"--transfer={small}", "--kimg=2")
    assert result.exit_code == 0 and "Stopped before the first image, and nothing of it is kept" in result.output
    assert json.loads((run / "progress.json").read_text())["state"] == "stopped" and not (run / STATE).exists()
    refused(call(f"--resume={run}"), "was ended before what it took from another model was stored", "--transfer")


def test_lessons_that_diverge_end_the_run(tmp_path: Path, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("train.transfer.growing.RATE", 1e30)
    result, run = grow(tmp_path, f"--transfer={small}", "--kimg=0.4")
    refused(result, "lessons diverged")
    assert not (run / STATE).exists()


def test_damaged_teachers_are_refused_before_there_is_a_folder(tmp_path: Path, small: Path) -> None:
    """What is not taken is read as well, where it is learned from."""
    tensors, document = load_tensors(small / STATE)
    to_rgb = next(name for name in tensors if name.startswith("generator.synthesis.L") and name.endswith("_3.weight"))
    for name, value in ((to_rgb, tensors[to_rgb][:2]), ("discriminator.b16.fromrgb.weight", None)):
        kept = {key: tensor for key, tensor in tensors.items() if key != name}
        save_tensors(small / STATE, kept if value is None else {**kept, name: value}, document)
        result, run = grow(tmp_path, f"--transfer={small}", "--kimg=0.4")
        refused(result, "does not fit the networks it describes")
        assert not run.exists()


def test_a_mapping_that_begins_at_random_is_not_taught(tmp_path: Path, data: Path, source: Path) -> None:
    """With labels that the source lacks, or another depth, z means nothing yet: G would learn the mean picture."""
    (data / "dataset.json").write_text(json.dumps({"labels": [[f"{i}.png", i % 3] for i in range(6)]}))
    for words in (("--cond",), ("--map-depth=3",)):
        result = start(tmp_path, data, *words, f"--transfer={source}", "-n")
        assert result.exit_code == 0 and '"taught_images": 0' in result.output, result.output


def test_a_whole_network_is_not_taught(tmp_path: Path, data: Path, source: Path) -> None:
    result = start(tmp_path, data, f"--transfer={source}", "-n")
    assert result.exit_code == 0 and '"taught_images": 0' in result.output and "First, over" not in result.output


def test_states_of_earlier_versions_are_read(source: Path) -> None:
    tensors, document = load_tensors(source / STATE)
    older = {**document["config"], "held": ["generator.mapping.fc0"], "held_images": 4000}
    save_tensors(source / STATE, tensors, {**document, "config": older})
    assert TrainState.load(source / STATE).config == TrainConfig.from_json(document["config"])


def test_layers_are_counted_from_the_picture_on(source: Path) -> None:
    config = TrainConfig.from_json(load_tensors(source / STATE)[1]["config"]).discriminator
    assert list_layers(config)[:5] == ("b16.fromrgb", "b16.conv0", "b16.conv1", "b16.skip", "b8.conv0")
    assert len(list_layers(config)) == 7


def test_no_ramp_is_the_whole_half_life(source: Path) -> None:
    config = TrainConfig.from_json({**load_tensors(source / STATE)[1]["config"], "ema_ramp": 0.0})
    assert ema_decay(config, 4) == 0.5 ** (config.batch / config.ema_half_life)


# ------------------------------------------------------------------------------------------------------------- refusals


def test_what_fits_nowhere_is_refused_before_pictures_are_read(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("train.launch.open_images", lambda *args: pytest.fail("the pictures are read"))
    words = "--preset=paper", "--batch=4", "--device=cpu", "--outdir=runs"
    refused(call("--cfg=A", f"--data={data}", *words, "--transfer=t"), "Nothing of critters-t-32", "w of 128 numbers")
    refused(call("--cfg=A", "--data=critters", *words, "--transfer=t"), "rung T and not A", "give the --cfg")
    assert not Path("runs").exists()


def test_of_what_no_rung_makes_no_option_is_asked(tmp_path: Path, data: Path) -> None:
    path = tmp_path / "xl.pkl"
    path.write_bytes(official_stylegan_xl(make_generator(network_config(classes=3))))
    words = "--preset=paper", "--batch=4", "--device=cpu", "--outdir=runs"
    refused(call("--cfg=T", f"--data={data}", *words, f"--transfer={path}"), "rung XL and not T", "no --cfg makes")


def test_layers_that_learned_nothing_are_not_frozen(tmp_path: Path, data: Path, source: Path) -> None:
    refused(start(tmp_path, data, f"--transfer={snapshot(source)}", "--freezed=2"), "at random", "b16.fromrgb")
    refused(start(tmp_path, data, f"--transfer={source}", "--freezed=8"), "--freezed must be from 0 to 7")
    refused(start(tmp_path, data, "--freezed=2"), "--freezed goes with --transfer", status=2)
    assert not (tmp_path / "runs").exists()
    none = start(tmp_path, data, "--freezed=0", "-n")
    assert none.exit_code == 0, "what official command lines say of a run without it: " + none.output


def test_damaged_sources_are_refused(tmp_path: Path, data: Path, source: Path) -> None:
    tensors, document = load_tensors(source / STATE)

    def write(name: str, changed: dict[str, torch.Tensor], **words: Any) -> str:
        save_tensors(tmp_path / name, tensors | changed, document | words)
        return f"--transfer={tmp_path / name}"

    key = "generator.mapping.fc0.weight"
    refused(start(tmp_path, data, write("nan.safetensors", {key: tensors[key] * torch.nan})), "not finite")
    refused(start(tmp_path, data, write("cut.safetensors", {key: tensors[key][:3]})), "does not fit the networks")
    refused(start(tmp_path, data, write("one.safetensors", {key: tensors[key][:1, :1]})), "does not fit the networks")
    for count in (10**400, -1, True, 0.5):
        refused(start(tmp_path, data, write("count.safetensors", {}, images=count)), "does not say what run")
    refused(start(tmp_path, data, write("lost.safetensors", {}, config=None)), "does not say what run")
    refused(start(tmp_path, data, write("other.safetensors", {}, config={"generator": 3})), "other", "no run")
    refused(start(tmp_path, data, write("kind.safetensors", {}, kind="song")), "holds a song")
    (tmp_path / "half.safetensors").write_bytes((source / STATE).read_bytes()[:5000])
    refused(start(tmp_path, data, f"--transfer={tmp_path / 'half.safetensors'}"), "half.safetensors")
    (tmp_path / "empty").mkdir()
    refused(start(tmp_path, data, f"--transfer={tmp_path / 'empty'}"), "a folder without a snapshot")
    refused(start(tmp_path, data, f"--transfer={tmp_path / 'gone.pkl'}"), "There is no file")
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("keep", [0, 5000, -1])
def test_a_damaged_state_is_named_with_the_snapshot_beside_it(
    tmp_path: Path, data: Path, source: Path, keep: int
) -> None:
    newest = snapshot(source)
    (source / STATE).write_bytes((source / STATE).read_bytes()[:keep])
    result = start(tmp_path, data, f"--transfer={source}")
    refused(result, f"In {source} {STATE} ", f"start from its newest snapshot, --transfer={newest}.")
    assert start(tmp_path, data, f"--transfer={newest}", "-n").exit_code == 0, "what it says works"
    for path in source.glob("network-snapshot-*"):
        path.unlink()
    result = start(tmp_path, data, f"--transfer={source}")
    refused(result, STATE)
    assert "newest snapshot" not in result.output


def test_a_transfer_of_little_is_said(tmp_path: Path, data: Path, source: Path) -> None:
    whole = start(tmp_path, data, f"--transfer={source}", "-n")
    assert whole.exit_code == 0 and "of the generator's parameters are taken" not in whole.output
    little = start(tmp_path, data, f"--transfer={source}", "--cbase=512", "--cmax=32")
    assert little.exit_code == 0, little.output
    line = next(line for line in little.output.splitlines() if "of the generator's parameters are taken" in line)
    assert 0 <= int(re.fullmatch(r"Only (\d+) % .*: the rest starts afresh\.", line)[1]) < 50  # type: ignore[index]
    assert line in sorted((tmp_path / "runs").glob("*-T-16"))[-1].joinpath("log.txt").read_text()


def test_an_attack_is_not_run(tmp_path: Path, data: Path) -> None:
    from support.foreign import Named

    (tmp_path / "bad.pkl").write_bytes(pickled({"G_ema": Call(Named("os", "system"), "touch " + str(tmp_path / "x"))}))
    refused(start(tmp_path, data, f"--transfer={tmp_path / 'bad.pkl'}"), "bad.pkl")
    assert not (tmp_path / "x").exists()


def test_resume_is_the_official_word_for_it(tmp_path: Path, data: Path, source: Path) -> None:
    result = start(tmp_path, data, f"--resume={snapshot(source)}", "-n")
    assert result.exit_code == 0 and "Starting from 00000-blobs-T-16" in result.output
    result = start(tmp_path, data, "--resume=noresume", "-n")
    assert result.exit_code == 0 and "Starting from" not in result.output
    twice = start(tmp_path, data, f"--resume={snapshot(source)}", "--transfer=t")
    refused(twice, "both name a model", status=2)
    refused(call("--resume=noresume", f"--data={data}"), "--cfg is missing", status=2)
    refused(call("--transfer=t", f"--data={data}"), "--cfg is missing", status=2)
    refused(call(f"--resume={source}", "--transfer=t"), "--transfer is fixed for a run that is resumed", status=2)


def test_data_may_be_more_or_other(tmp_path: Path, data: Path, source: Path) -> None:
    (data / "5.png").unlink()
    result = start(tmp_path, data, f"--transfer={source}")
    assert result.exit_code == 0, result.output
    run = tmp_path / "runs" / "00000-blobs-T-16"
    assert json.loads((run / "training_options.json").read_text())["data_images"] == 5
    labels = [[f"{i}.png", i % 2] for i in range(5)]
    (data / "dataset.json").write_text(json.dumps({"labels": labels}))
    result = start(tmp_path, data, f"--transfer={source}", "--cond")
    assert result.exit_code == 0 and "labels differ" in result.output, result.output
