# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`python visualizer.py render`: write pictures without a window."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import click

from gan.cli.network_options import FiniteRange
from gan.hub.resolve import cite_model
from gan.networks.describe import describe_channels
from viz.cli.label_options import choose_label, class_option, label_option
from viz.cli.models import read_model, user_errors
from viz.cli.output import explain_unwritable
from viz.cli.parameter_types import MODEL_HELP, PATH, SEED, Pair, Seeds, device_option, trunc_option
from viz.core.request import PictureRequest


@click.command()
@click.option("--model", required=True, metavar="MODEL", help=f"{MODEL_HELP}.")
@click.option("--seed", type=SEED, help="Seed of z: RandomState(seed).randn(1, z_dim).")
@click.option("--seeds", type=Seeds(), help="Several: 0-5,9. Then --out is a folder.")
@click.option("--translate", type=Pair(), default="0,0", help="Right and down, in image widths.")
@click.option("--rotate", type=FiniteRange(-1e6, 1e6), default=0.0, metavar="DEG", help="Counter-clockwise.")
@click.option("--scale", type=FiniteRange(0.25, 4), default=1.0, metavar="FACTOR", help="More than 1 enlarges.")
@click.option(
    "--untransform",
    is_flag=True,
    help="Move the finished picture back: content stays, and what sticks to the pixels moves.",
)
@click.option("--zero-learned", is_flag=True, help="Leave out the transform that the model learned from w (H, T, R).")
@click.option("--mean-constant", is_flag=True, help="Rung A: replace its learned constant by the mean over the pixels.")
@trunc_option
@class_option
@label_option
@device_option
@click.option(
    "--precision",
    type=click.Choice(["auto", "float32", "float16"]),
    default="auto",
    show_default=True,
    help="auto: float16 on CUDA devices where the picture stays the same.",
)
@click.option("--out", required=True, type=PATH, help="The PNG to write.")
def render(
    model: str,
    seed: int | None,
    seeds: tuple[int, ...] | None,
    translate: tuple[float, float],
    rotate: float,
    scale: float,
    untransform: bool,
    zero_learned: bool,
    mean_constant: bool,
    trunc: float,
    class_: str | None,
    vector: tuple[float, ...] | None,
    device: str,
    precision: str,
    out: Path,
) -> None:
    """Write a picture, or one a seed, without a window.

    \b
    Examples:
      python visualizer.py render --model t --seed 7 --out creature.png
      python visualizer.py render --model t --seeds 0-5 --translate 0.25,0 --rotate 10 --out creatures
      python visualizer.py render --model b --translate 0.03,0 --untransform --out stuck.png
    """
    if seed is not None and seeds is not None:
        raise click.UsageError("Give --seed or --seeds, not both.")
    with user_errors():
        path, header = read_model(model)
    label = choose_label(path.name, header, class_, vector)
    if label.remark:
        click.echo(label.remark)
    request = PictureRequest(
        model=str(path),
        psi=trunc,
        tx=translate[0],
        ty=translate[1],
        degrees=rotate,
        scale=scale,
        untransform=untransform,
        learned=(0.0, 0.0, 0.0) if zero_learned else None,
        mean_constant=mean_constant,
        device=device,
        precision=precision,
        **label.as_request(),
    )
    from gan.data.image_io import save_png, select_channels
    from viz.render.renderer import Renderer

    renderer = Renderer(enlarge=False)
    for number in seeds or (seed or 0,):
        request = replace(request, seeds=((number, 1.0),))
        result = renderer.render(request)
        # What a window shows with a remark is, asked for on a command line, not what was asked for.
        if result.error or result.notice or result.image is None or result.facts is None:
            notice = f"{result.notice} Nothing was written." if result.notice else "No picture came back."
            raise click.ClickException(result.error or notice)
        channels = result.facts.config.img_channels
        of = f", {label.words}" if label.words else ""
        kind = describe_channels(channels) + (" as red and green" if channels == 2 else "")
        target = out if seeds is None else out / f"seed{number:04d}.png"
        document = {"schema": 1, "request": {**asdict(request), "model": cite_model(model, request.model)}}
        with explain_unwritable(target):
            save_png(target, select_channels(result.image, channels), {"jinc": json.dumps(document)})
        click.echo(f"Wrote {target} ({result.width}x{result.width}, {kind}){of}.")
