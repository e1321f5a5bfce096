# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The two command lines explain themselves, and refuse what they do not know in one sentence."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from support.paths import ROOT

from gan.cli.group import LazyGroup
from train.cli.main import main as trainer
from viz.cli.main import main as viewer

PROGRAMS = {"jinc": viewer, "jinc-train": trainer}


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None and below.name == name
            yield from commands(below, (*path, name))


EVERY = [(name, path, command) for name, main in PROGRAMS.items() for path, command in commands(main)]
IDS = [" ".join([name, *path]) for name, path, _ in EVERY]


def error_lines(output: str) -> list[str]:
    assert "Traceback" not in output
    return [line for line in output.splitlines() if line.startswith("Error: ")]


@pytest.mark.parametrize(("name", "path", "command"), EVERY, ids=IDS)
def test_help_says_what_a_command_and_its_options_do(name: str, path: tuple[str, ...], command: click.Command) -> None:
    result = CliRunner().invoke(PROGRAMS[name], [*path, "--help"])
    assert result.exit_code == 0
    assert command.help and command.help.splitlines()[0].rstrip(".") in result.output.replace("\n  ", " ")
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{parameter.opts[0]} has no help"
            assert parameter.opts[0] in result.output
    assert not re.search("(INTEGER|FLOAT) RANGE", result.output), "click's names of numbers"


@pytest.mark.parametrize("main", PROGRAMS.values(), ids=PROGRAMS)
def test_the_list_of_commands_says_what_their_own_help_does(main: LazyGroup) -> None:
    for entry in main.entries.values():
        command = main.get_command(click.Context(main), entry.name)
        assert command is not None and command.help
        first = " ".join(command.help.split("\n\n")[0].split()).rstrip(".")
        summary = entry.summary.removesuffix(" (the default).").rstrip(".")
        assert first.startswith(summary), f"{entry.name}: {summary!r} is not how {first!r} begins"


@pytest.mark.parametrize(("name", "path", "command"), EVERY, ids=IDS)
def test_an_unknown_option_is_refused_by_name(name: str, path: tuple[str, ...], command: click.Command) -> None:
    result = CliRunner().invoke(PROGRAMS[name], [*path, "--no-such-thing=1"])
    assert result.exit_code == 2
    errors = error_lines(result.output)
    assert len(errors) == 1 and "--no-such-thing" in errors[0]


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("jinc", ["render", "--model", "t", "--out", "x.png", "--translate", "far"], "two numbers such as"),
        ("jinc", ["render", "--out", "x.png"], "--model"),
        ("jinc", ["rendr"], "rendr"),
        ("jinc", ["--panel", "layrs"], "'layrs' is no panel: choose one of Model, Latent, "),
        ("jinc-train", ["--batch=0", "--cfg=T", "--data=x"], "--batch"),
        ("jinc-train", ["--cfg=T"], "--data"),
        ("jinc-train", ["dataset", "dogs"], "dogs"),
    ],
)
def test_wrong_use_ends_in_one_sentence(name: str, arguments: list[str], expected: str) -> None:
    result = CliRunner().invoke(PROGRAMS[name], arguments)
    assert result.exit_code == 2
    errors = error_lines(result.output)
    assert len(errors) == 1 and expected in errors[0]


def test_the_windows_help_waits_for_no_window_library() -> None:
    code = (
        "import sys; from viz.cli.main import main; main(['view', '--help'], standalone_mode=False); "
        "sys.exit('imgui_bundle' in sys.modules or 'torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True).returncode == 0


def test_both_default_commands_are_what_the_readme_says() -> None:
    assert "--screenshot" in CliRunner().invoke(viewer, ["view", "--help"]).output
    assert "--resume" in CliRunner().invoke(trainer, ["run", "--help"]).output
    assert CliRunner().invoke(trainer, []).output.count("Error: ") == 1, "`run` was meant, --cfg is missing"


@pytest.mark.parametrize("script", [["visualizer.py"], ["train.py"], ["-m", "train"]], ids=" ".join)
def test_scripts_start_from_anywhere(script: list[str], tmp_path: Path) -> None:
    as_module = script[0] == "-m"
    command = [sys.executable, *(script if as_module else [str(ROOT / script[0])]), "--help"]
    result = subprocess.run(command, cwd=ROOT if as_module else tmp_path, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("Usage: ") and not result.stderr
