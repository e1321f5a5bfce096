# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`train.py metrics` and `train.py ladder` as a user calls them."""

import json
import re

import pytest
import torch
from click.testing import CliRunner

from gan.analysis.equivariance import EquivarianceMeter, measure_equivariance
from gan.checkpoints.checkpoint import save_generator
from gan.networks.generator import init_generator
from gan.networks.ladder import RUNGS, rung_config
from train.cli.main import main
from train.reports.rungs import find_differences, train_rungs


@pytest.fixture
def model(tmp_path):
    generator = init_generator(rung_config("T", 16, channel_base=64, channel_max=8, z_dim=8, w_dim=8))
    save_generator(tmp_path / "t.safetensors", generator, {})
    return tmp_path / "t.safetensors", generator


def call(*args):
    return CliRunner().invoke(main, ["metrics", *map(str, args)])


def test_figures_of_a_model_are_those_of_the_library(model, tmp_path):
    path, generator = model
    result = call("--model", path, "--num", 6, "--seed", 2, "--json", tmp_path / "eq.json")
    assert result.exit_code == 0, result.output
    *_, expected = measure_equivariance(generator, num=6, seed=2)
    for estimate in expected:
        assert f"{estimate.db:.2f} ±{estimate.db_error:.2f}" in result.output
    document = json.loads((tmp_path / "eq.json").read_text())
    (row,) = document["rows"]
    assert row["name"] == "t" and row["config"]["rung"] == "T" and document["seed"] == 2
    assert [found["metric"] for found in row["estimates"]] == ["eq_t", "eq_t_frac", "eq_r"]
    assert row["estimates"][2]["relative_db"] == pytest.approx(expected[2].relative_db, abs=1e-3)


def test_a_run_folder_stands_for_its_newest_snapshot(model, tmp_path):
    path, generator = model
    run = tmp_path / "run"
    run.mkdir()
    assert "is a folder without a snapshot" in call("--model", run, "--num", 2).output
    for name in ("network-snapshot-000002", "network-snapshot-000010"):
        save_generator(run / f"{name}.safetensors", generator, {})
    result = call("--model", run, "--model", path, "--num", 2, "--metrics", "eq_t")
    assert result.exit_code == 0
    rows = [line.split() for line in result.output.splitlines() if "±" in line]
    assert [row[0] for row in rows] == ["run/network-snapshot-000010", "t"]
    assert rows[0][1:] == rows[1][1:]
    assert "EQ-R" not in result.output


def test_untrained_rungs_and_their_switches():
    common = ("--resolution", 16, "--cbase", 64, "--cmax", 8, "--num", 3, "--metrics", "eq_t")
    result = call("--cfg", "A,T,stylegan3-r", *common)
    assert result.exit_code == 0, result.output
    _, a, t, r = [line for line in result.output.splitlines() if line.strip()][-4:]
    assert re.fullmatch(r"A +no Fourier input.*", a)
    assert t.startswith("T ") and r.startswith("R ") and t[2:] != r[2:]
    changes = (("--filter-size", 4), ("--init-seed", 1), ("--capacity", 0.5), ("--fixed-fourier",), ("--as-built",))
    for switch in changes:
        changed = call("--cfg", "T", *common, *switch).output
        assert (t.split()[2:] == changed.splitlines()[-1].split()[2:]) == (switch == ("--fixed-fourier",))
    everything = call("--cfg", "all", *common[:4], "--num", 1, "--metrics", "eq_t").output
    assert [line[0] for line in everything.splitlines()[-10:]] == [name for name, _ in RUNGS]


def test_measuring_stops_when_it_is_sure_enough(model):
    path, generator = model
    errors = {found[0].num: found[0].db_error for found in measure_equivariance(generator, ["eq_t"], num=80, batch=8)}
    limit = errors[48] * 1.0001
    expected = next(num for num, error in errors.items() if num >= 24 and error < limit)
    for given, num in ((limit, expected), (50, 24), (1e-6, 80)):  # not before 24: an error of few samples is a guess
        result = call("--model", path, "--metrics", "eq_t", "--num", 80, "--stop-error", given, "--batch", 8)
        assert int(result.output.splitlines()[-1].split()[1]) == num


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        ((), "Give either --model, or --cfg"),
        (("--cfg", "T", "--model", "x"), "Give either --model, or --cfg"),
        (("--model", "nothing.safetensors"), "There is no file nothing.safetensors: choose another model"),
        (("--cfg", "Z"), "There is no rung 'Z'"),
        (("--cfg", "T,"), "There is no rung ''"),
        (("--cfg", "T", "--resolution", "48"), "power of two from 16 to 1024, not 48"),
        (("--cfg", "T", "--resolution", "256x128"), "Generators are square: give 256"),
        (("--cfg", "T", "--metrics", "eq_x"), "'eq_x' is not one of fid50k_full, kid50k_full"),
        (("--cfg", "T", "--metrics", "fid"), "'fid' is not one of fid50k_full, kid50k_full"),
        (("--cfg", "T", "--num", "0"), "--num"),
        (("--cfg", "T", "--stop-error", "nan"), "not a finite number"),
        (("--cfg", "B", "--filter-size", "4"), "Rung B has no --filter-size"),
        (("--cfg", "T", "--device", "abacus"), "There is no device 'abacus'"),
        (
            ("--cfg", "T", "--resolution", "16", "--num", "1", "--cbase", "64", "--json", "t.safetensors/x.json"),
            "cannot be read or written",
        ),
    ],
)
def test_what_is_refused_and_why(args, sentence, model, monkeypatch):
    monkeypatch.chdir(model[0].parent)
    result = call(*args)
    assert result.exit_code != 0
    assert sentence in result.output
    assert "Traceback" not in result.output and result.exception.__class__ is SystemExit


@pytest.mark.parametrize(
    "given",
    [
        ("--filter-kind", "lanczos"),
        ("--resolution", 64),
        ("--cbase", 99),
        ("--cmax", 9),
        ("--init-seed", 1),
        ("--fixed-fourier",),
        ("--as-built",),
    ],
)
def test_a_model_keeps_its_own_settings(model, given):
    result = call("--model", model[0], *given)
    assert result.exit_code == 2 and "is for untrained networks (--cfg); a model has its own" in result.output


def test_one_sample_has_no_error(model):
    result = call("--model", model[0], "--metrics", "eq_t", "--num", 1)
    assert "±?" in result.output and "nan" not in result.output


def test_ctrl_c_reports_what_was_found(model, tmp_path, monkeypatch):
    path, generator = model
    add, calls = EquivarianceMeter.add, []

    def interrupted(self, count):
        calls.append(count)
        if len(calls) == 3:
            raise KeyboardInterrupt
        add(self, count)

    monkeypatch.setattr(EquivarianceMeter, "add", interrupted)
    result = call(
        "--model", path, "--model", path, "--metrics", "eq_t", "--num", 50, "--batch", 4, "--json", tmp_path / "eq.json"
    )
    assert result.exit_code == 0 and "Stopped before the end" in result.output
    (row,) = json.loads((tmp_path / "eq.json").read_text())["rows"]
    assert row["estimates"][0]["num"] == 8 and len(calls) == 3


def test_ctrl_c_before_the_first_figure_claims_no_file(model, tmp_path, monkeypatch):
    def interrupted(self, count):
        raise KeyboardInterrupt

    monkeypatch.setattr(EquivarianceMeter, "add", interrupted)
    result = call("--model", model[0], "--metrics", "eq_t", "--num", 2, "--json", tmp_path / "eq.json")
    assert result.exit_code == 0 and "nothing was measured" in result.output
    assert "Wrote" not in result.output and not (tmp_path / "eq.json").exists()


def test_what_is_measured_is_kept_when_the_next_model_fails(model, tmp_path):
    path, generator = model
    broken = init_generator(generator.config)
    broken.synthesis.get_submodule(broken.layer_names[-1]).bias.fill_(float("nan"))
    save_generator(tmp_path / "nan.safetensors", broken, {})
    target = tmp_path / "eq.json"
    result = call("--model", path, "--model", tmp_path / "nan.safetensors", "--num", 2, "--json", target)
    assert result.exit_code == 1 and "pictures that are not finite numbers" in result.output
    assert [row["name"] for row in json.loads(target.read_text())["rows"]] == ["t"]


def test_a_file_that_cannot_be_written_is_said_first(model, monkeypatch):
    monkeypatch.setattr(EquivarianceMeter, "add", None)  # nothing is measured
    for target in (model[0] / "eq.json", model[0].parent / "missing" / "eq.json"):
        result = call("--model", model[0], "--json", target)
        assert result.exit_code == 1 and "cannot be read or written" in result.output
    assert not (model[0].parent / "missing").exists()


@pytest.mark.slow
def test_the_whole_ladder_trains(tmp_path):
    """A few steps of each rung on critters, in one command: finite losses, and snapshots that load back bit-equal."""
    result = CliRunner().invoke(
        main, ["ladder", "--outdir", str(tmp_path), "--kimg", "0.016", "--resolution", "16", "--critters-num", "32"]
    )
    assert result.exit_code == 0, result.output
    assert re.findall(r"^(\w)  0.016 kimg .* loads back bit for bit", result.output, re.MULTILINE) == list("ABCDEFGHTR")
    for name, _ in RUNGS:
        (run,) = tmp_path.glob(f"*-{name}-16")
        assert json.loads((run / "training_options.json").read_text())["generator"]["rung"] == name


def test_a_rung_that_fails_does_not_keep_the_others(tmp_path, model):
    """And a snapshot that differs in a bit is a failure."""
    from types import SimpleNamespace

    from train.errors import TrainingError

    _, ema = model
    said = []

    def start(letter):
        if letter == "B":
            raise TrainingError("it diverged.")
        if letter == "D":
            raise MemoryError
        run = tmp_path / letter
        run.mkdir()
        save_generator(run / "network-snapshot-000000.safetensors", ema, {})
        trained = init_generator(ema.config, seed=1) if letter == "C" else ema
        config = SimpleNamespace(total_images=16)
        return run, SimpleNamespace(ema=trained, images=16, seconds=1.0, config=config)

    with pytest.raises(TrainingError, match="Of the rungs A, B, C, D, T these failed: B, C, D"):
        train_rungs(tuple("ABCDT"), start, said.append)
    table = said[-1].splitlines()
    assert [line.split()[0] for line in table] == list("ABCDT")
    assert "out of memory" in table[3] and "bit for bit" in table[4]
    assert "it diverged" in table[1] and "differs from the trained network" in table[2] and "bit for bit" in table[0]
    assert find_differences(tmp_path / "A", start("E")[1]) == []
    state = {name: tensor.clone() for name, tensor in ema.state_dict().items()}
    first = next(name for name in state if name.endswith("weight"))
    state[first].view(-1)[0] = torch.nextafter(state[first].view(-1)[0], torch.tensor(9.0))
    other = init_generator(ema.config)
    other.load_state_dict(state)
    assert find_differences(tmp_path / "A", SimpleNamespace(ema=other)) == [first]
