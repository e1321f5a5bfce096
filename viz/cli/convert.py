# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`python visualizer.py convert`: write the generator of any checkpoint as a .safetensors file without code."""

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from gan.cli.command import Command
from gan.cli.path_types import ModelName, overwrite_option, refuse_existing
from gan.files.format import format_bytes
from gan.networks.describe import STYLEGAN_XL, describe_channels, describe_rung
from viz.cli.models import find_model, user_errors
from viz.cli.output import check_writable, explain_unwritable
from viz.cli.parameter_types import PATH, network_option
from viz.reports.network_text import plain

if TYPE_CHECKING:
    from torch import Tensor

    from gan.networks.config import GeneratorConfig
    from gan.networks.generator import Generator

SUFFIX = ".safetensors"
JINC, STATE_DICT = "jinc", "state-dict"
# Fields that shapes tell, or that change no picture.
TOLD_OR_UNUSED = ("rung", "channel_base", "channel_max", "block_channels", "layers", "schedule", "magnitude_ema_beta")
PUBLIC_RUNGS = ("A", "T", "R", STYLEGAN_XL)  # that other programs draw, too


@click.command(cls=Command)
@click.argument("model", metavar="IN", type=ModelName(), is_eager=True)
@click.option("--out", required=True, type=PATH, metavar="OUT.safetensors", help="Where to write it.")
@click.option(
    "--to",
    "kind",
    type=click.Choice([JINC, STATE_DICT]),
    default=JINC,
    show_default=True,
    help="jinc: with the configuration, for Jinc. state-dict: the tensors alone, by the official PyTorch names, for "
    "other programs.",
)
@network_option
@overwrite_option
def convert(model: str, out: Path, kind: str, network: str | None, overwrite: bool) -> None:
    """Write the generator in IN as a .safetensors file, with its configuration and without any code.

    IN is any file that Jinc opens (docs/models.md lists them), its http(s) address, or another name of a model. None
    of the code in it is run. The file written is read back and compared with what was read from IN.

    \b
    Examples:
      python visualizer.py convert network-snapshot-025000.pkl --out cats.safetensors
      python visualizer.py convert both.pkl --network G --out raw.safetensors
                                                                    the weights as trained, not their average
      python visualizer.py convert cats.safetensors --to state-dict --out plain.safetensors
                                                                    for programs that know the official names
      python visualizer.py --right cats.safetensors                 and look at it
    """
    path = find_model(model)
    if out.suffix.lower() != SUFFIX:
        raise click.UsageError(f"--out must be a name such as cats{SUFFIX}, not {plain(out.name)!r}.")
    check_writable(out)
    if out.exists() and out.resolve() == path.resolve():
        raise click.UsageError("--out is IN itself: give it another name.")
    refuse_existing(out, overwrite)
    from gan.checkpoints.checkpoint import load_generator, read_header  # torch takes its time

    with user_errors():
        header = read_header(path, network)
        chosen = f" {plain(header.network)} of it is taken." if header.network else ""
        click.echo(f"{plain(path.name)}: {header.describe()}.{chosen}")
        generator, facts = load_generator(path, network=network)
        facts = facts | _origin(path, header.network, header.class_name)
        with explain_unwritable(out):
            _write(out, generator, facts if kind == JINC else None)
    width, count = header.config.resolution, len(generator.state_dict())
    picture = f"{width}x{width} {describe_channels(header.config.img_channels)}"
    click.echo(f"Wrote {out}: {describe_rung(header.config)}, {picture}, {format_bytes(out.stat().st_size)}.")
    click.echo(f"Read back: all {count} tensors are equal.")
    if kind == STATE_DICT:
        click.echo(_describe_untold(out, header.config), nl=False)


def _origin(path: Path, network: str, class_name: str) -> dict[str, Any]:
    """Return where the numbers come from, to be kept beside them."""
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    found = {"converted_from": path.name, "converted_sha256": digest}
    return found | {name: text for name, text in (("network", network), ("class_name", class_name)) if text}


def _write(out: Path, generator: "Generator", facts: dict[str, Any] | None) -> None:
    """Write our own file, or a bare state dict where there are no facts, and read it back. OSError."""
    from gan.checkpoints.checkpoint import load_generator, load_state_dict, save_generator, save_state_dict

    if facts is None:
        save_state_dict(out, generator)
        _compare(load_state_dict(out), generator.state_dict())
        return
    save_generator(out, generator, facts)
    found = load_generator(out)[0]
    _compare(found.state_dict() if found.config == generator.config else {}, generator.state_dict())


def _describe_untold(out: Path, config: "GeneratorConfig") -> str:
    """Return a line on what a bare state dict does not tell of its network; "" where the tensors tell all."""
    from gan.checkpoints.checkpoint import CheckpointError, read_header

    if config.rung not in PUBLIC_RUNGS:
        return f"No other program draws rung {plain(config.rung)}: its names follow the official ones, but no more.\n"
    try:
        read = asdict(read_header(out).config)
    except CheckpointError:
        return "The tensors alone do not tell how this network is built: for Jinc, write it with --to jinc.\n"
    settings = {name: value for name, value in asdict(config).items() if name not in TOLD_OR_UNUSED}
    untold = [f"{name} = {_show(value)}" for name, value in settings.items() if value != read[name]]
    return f"Tell other programs what the tensors do not: {', '.join(untold)}.\n" if untold else ""


def _show(value: Any) -> str:
    return "none" if value is None else plain(str(value))


def _compare(found: "dict[str, Tensor]", expected: "dict[str, Tensor]") -> None:
    """Raise OSError unless two sets of tensors are equal."""
    if set(found) != set(expected) or not all(
        np.array_equal(found[name].numpy(), expected[name].numpy(), equal_nan=True) for name in expected
    ):
        raise OSError("it does not hold what was written to it; the disk may be failing, write it somewhere else")
