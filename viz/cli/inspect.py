# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`python visualizer.py inspect`: show what is inside a network, in numbers and as a picture, without running it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from gan.cli.command import Command
from gan.cli.network_options import ImageSize, network_options
from gan.cli.path_types import ModelName, looks_like_path, overwrite_option
from gan.files.format import format_bytes
from gan.networks.config import ConfigError, GeneratorConfig
from gan.networks.describe import describe_rung
from gan.networks.ladder import find_rung
from viz.cli.models import read_model, user_errors
from viz.cli.output import check_export, write_output
from viz.cli.parameter_types import PATH, network_option
from viz.reports import schedule_figure
from viz.reports.network_text import describe_differences, describe_network, plain

SIZE = 256


@click.command(cls=Command)
@click.argument("model", type=ModelName(), is_eager=True, required=False)
@click.option("--cfg", metavar="RUNG", help="The rung: A (stylegan2), B to H, T (stylegan3-t) or R (stylegan3-r).")
@click.option("--diff", nargs=2, metavar="RUNG RUNG", help="Print what the second rung changes from the first.")
@network_option
@click.option("--size", type=ImageSize(), help=f"Width of the picture, a power of two from 16 to 1024 ({SIZE}).")
@click.option("--cbase", type=click.IntRange(1, 2**24), help="Channel base, T's value (2^14 up to 256x256, else 2^15).")
@click.option("--cmax", type=click.IntRange(1, 2**16), help="Most channels of a layer, T's value (512).")
@network_options
@click.option(
    "--plot",
    "picture",
    type=PATH,
    metavar="FILE",
    help="Draw the layers' schedule and filter responses (.png, .pdf, .svg), or write the numbers (.npz, .csv).",
)
@click.option(
    "--layer",
    "layers",
    multiple=True,
    metavar="LAYER",
    help=f"A layer whose filters --plot draws, by number or name; up to {schedule_figure.MOST} of them (two that tell "
    "most).",
)
@overwrite_option
def inspect(
    model: str | None,
    cfg: str | None,
    diff: tuple[str, str] | None,
    network: str | None,
    size: int | None,
    picture: Path | None,
    layers: tuple[str, ...],
    overwrite: bool,
    **options: Any,
) -> None:
    """Print what is inside a network: layers, filters, parameters.

    Of a rung (--cfg), of MODEL, or what sets two rungs apart (--diff). MODEL is a checkpoint of Jinc's, a pickle of the
    official StyleGAN2-ADA or StyleGAN3 code (.pkl), a file of TensorFlow's StyleGAN2, StyleGAN-XL or rosinality's
    StyleGAN2, another file of torch's, a run folder, the http(s) address of a checkpoint, or a bundled model's name
    (b, t, ...). Neither the network nor any code that a file carries is run. The options from --size to --capacity
    shape the rung, as they do in the trainer.

    \b
    Examples:
      python visualizer.py inspect --cfg T                          StyleGAN3-T at 256x256
      python visualizer.py inspect --cfg R --size 1024 --plot r.png
      python visualizer.py inspect t --plot t.svg                   for a paper; .npz and .csv are the numbers
      python visualizer.py inspect --cfg T --filter-size 4 --lrelu-upsampling 1
                                                                    what cheaper filters let through
      python visualizer.py inspect --cfg G --plot g.png --layer 3 --layer L13_256_64
                                                                    the filters of these layers
      python visualizer.py inspect t                                the bundled T, and what it was trained on
      python visualizer.py inspect network-snapshot-025000.pkl      what that file is, and whether it carries code
      python visualizer.py inspect --diff D E                       what rung E changes from rung D
    """
    given = {name: value for name, value in options.items() if value is not None}
    _check_choices(model, cfg, diff, network, size, given, picture, layers)
    if picture is not None:
        check_export(picture, overwrite, "--plot")
    renamed = {"cbase": "channel_base", "cmax": "channel_max"}
    settings = {renamed.get(name, name): value for name, value in given.items()}
    side = SIZE if size is None else size
    with user_errors():
        if model is not None:
            _show(*_read_model(model, network), picture, layers)
            return
        try:
            rungs = [find_rung(name, side, **settings) for name in diff or (str(cfg),)]
        except ConfigError as problem:
            raise click.UsageError(str(problem)) from None
        if diff is not None:
            click.echo(f"{side}x{side}\n\n{describe_differences(*rungs)}")
        else:
            _show(rungs[0].network, f"{rungs[0]}, {side}x{side}", None, (), picture, layers)


def _check_choices(
    model: str | None,
    cfg: str | None,
    diff: tuple[str, str] | None,
    network: str | None,
    size: int | None,
    given: Mapping[str, Any],
    picture: Path | None,
    layers: tuple[str, ...],
) -> None:
    """Refuse options that do not go together; `given` are those that shape a rung."""
    if network is not None and model is None and cfg is None and diff is None and looks_like_path(network):
        raise click.UsageError(f"--network chooses from a file: give the file itself as MODEL, `inspect {network}`.")
    if (model is not None) + (cfg is not None) + (diff is not None) != 1:
        raise click.UsageError("Give one of MODEL, --cfg and --diff: see the examples in --help.")
    if model is not None and (given or size is not None):
        option = "size" if size is not None else next(iter(given)).replace("_", "-")
        raise click.UsageError(f"--{option} goes with --cfg or --diff: a model has its own settings.")
    if network is not None and model is None:
        raise click.UsageError("--network chooses from a file: give MODEL, too, or the file's name as MODEL alone.")
    if diff is not None and picture is not None:
        raise click.UsageError("--plot draws one network: leave out --diff.")
    if layers and picture is None:
        raise click.UsageError("--layer chooses what --plot draws: give --plot, too.")


def _read_model(name: str, network: str | None) -> tuple[GeneratorConfig, str, dict[str, Any], list[str]]:
    """Return a checkpoint's configuration, title, facts of its training, and lines on the file itself."""
    path, header = read_model(name, network)
    width = header.config.resolution
    about = [f"File        {header.describe()}", f"Size        {format_bytes(path.stat().st_size)}"]
    if header.network:
        others = [plain(other) for other in header.networks if other != header.network]
        beside = f"; beside it: {', '.join(others)}" if others else ""
        a_class = f", of the class {plain(header.class_name)}" if header.class_name else ""
        about.append(f"Network     {plain(header.network)}{a_class}{beside}")
    title = f"{plain(path.name)}: {describe_rung(header.config)}, {width}x{width}"
    return header.config, title, header.facts, about


def _show(
    config: GeneratorConfig,
    title: str,
    facts: dict[str, Any] | None,
    about: Sequence[str],
    picture: Path | None,
    layers: tuple[str, ...],
) -> None:
    chosen = []
    if picture is not None:  # refused before pages of text
        try:
            chosen = schedule_figure.choose_layers(config, layers)
        except ConfigError as problem:
            raise click.UsageError(str(problem)) from None
    click.echo(describe_network(config, title, facts, about))
    if picture is not None:
        settings = {"network": title, "layers": [layer.spec.name for layer in chosen]}
        click.echo()
        write_output(picture, schedule_figure.build_schedule(config, title, chosen, settings))
