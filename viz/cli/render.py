# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`python visualizer.py render`: write pictures without a window."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click
from click.core import ParameterSource

from gan.cli.command import Command
from gan.cli.network_options import FiniteRange
from gan.cli.path_types import overwrite_option, refuse_existing, refuse_existing_in
from gan.hub.resolve import cite_model
from gan.networks.describe import describe_channels
from viz.cli.drawing import draw_picture
from viz.cli.figures.layers import MAP_OPTIONS, check_options, draw_layer, layer_options
from viz.cli.label_options import ChosenLabel, choose_label, class_option, label_option
from viz.cli.latent_options import NamedLatent, check_cutoff, check_steps, check_w_name, choose_latents, latent_options
from viz.cli.models import read_model, user_errors
from viz.cli.output import PICTURES, check_export, check_picture_name, check_writable, explain_unwritable
from viz.cli.parameter_types import PATH, SEED, Pair, device_option, model_option, trunc_option
from viz.cli.render_state import draw_state, refuse_others
from viz.cli.sheet import Grid, GridSize, check_sheet, choose_seeds, draw_sheet
from viz.core.latent import MOST_LAYERS, Latent
from viz.core.noise import Noise
from viz.core.panel_state import LARGEST_SIZE
from viz.core.request import PictureRequest

if TYPE_CHECKING:  # torch takes longer to load than all the rest: not for --help
    from gan.checkpoints.checkpoint import Header

Targets = list[tuple[Latent, Path | None]]  # None: no picture is asked for

NO_ALPHA = (".jpg", ".jpeg")
NO_VIDEO = "is of videos: the command `video` takes it."
ELSEWHERE = dict.fromkeys(("--output", "--num-keyframes", "--w-frames", "--shuffle-seed"), NO_VIDEO)


@click.command(cls=Command, elsewhere=ELSEWHERE)
@model_option(required=False)
@click.option(
    "--state",
    metavar="STATE",
    help="Draw again what a captured .png, a state file or a short text (jinc1:...) holds, in place of all else.",
)
@click.option(
    "--slot", type=click.Choice(["left", "right", "both"]), help="Of --state: another picture than was captured."
)
@click.option(
    "--size",
    type=click.IntRange(0, LARGEST_SIZE),
    metavar="PIXELS",
    help="Of --state: the picture's width; 0 is the model's own.",
)
@latent_options
@click.option("--translate", type=Pair(), default="0,0", help="Right and down, in image widths.")
@click.option("--rotate", type=FiniteRange(-1e6, 1e6), default=0.0, metavar="DEG", help="Counter-clockwise.")
@click.option("--scale", type=FiniteRange(0.25, 4), default=1.0, metavar="FACTOR", help="More than 1 enlarges.")
@click.option(
    "--stretch", type=FiniteRange(0.25, 4), default=1.0, metavar="FACTOR", help="Wider for its height, the area kept."
)
@click.option(
    "--shear", type=FiniteRange(-2, 2), default=0.0, metavar="X", help="To the right, for each width below the centre."
)
@click.option("--mirror", is_flag=True, help="Left to right. No rung is equivariant to this, nor to the two above.")
@click.option(
    "--untransform",
    is_flag=True,
    help="Move the finished picture back: content stays, and what sticks to the pixels moves.",
)
@click.option("--zero-learned", is_flag=True, help="Leave out the transform that the model learned from w (H, T, R).")
@click.option("--mean-constant", is_flag=True, help="Rung A: replace its learned constant by the mean over the pixels.")
@trunc_option
@click.option(
    "--cutoff", type=click.IntRange(1, MOST_LAYERS), metavar="N", help="Truncate the first N w's alone (all of them)."
)
@click.option(
    "--save-w", type=PATH, metavar="FILE", help="Also write the w's, as drawn, to this .npz, .npy or .safetensors."
)
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
@click.option(
    "--noise-mode",
    type=click.Choice(["const", "random", "none"], case_sensitive=False),
    default="const",
    show_default=True,
    help="Noise of StyleGAN2's layers: const is what the model was saved with.",
)
@click.option("--noise-seed", type=SEED, help="Seed of random noise (0).")
@click.option(
    "--out", type=PATH, metavar="FILE", help="The .png, .jpg or .webp to write; with several seeds a folder of PNGs."
)
@click.option("--outdir", type=PATH, metavar="DIR", help="A folder for seedNNNN.png instead, also of a single seed.")
@click.option("--grid", type=GridSize(), help="All seeds in one sheet of so many columns and rows, such as 8x4.")
@click.option("--captions", is_flag=True, help="Seed and label below each picture of the sheet.")
@layer_options
@overwrite_option
@click.pass_context
def render(
    ctx: click.Context, /, model: str | None, state: str | None, slot: str | None, size: int | None, **others: Any
) -> None:
    """Write a picture, or one a seed, without a window.

    \b
    Examples:
      python visualizer.py render --model t --seed 7 --out creature.png
      python visualizer.py render --model t --seeds 0-5 --translate 0.25,0 --rotate 10 --out creatures
      python visualizer.py render --model b --translate 0.03,0 --untransform --out stuck.png
      python visualizer.py render --model t --seed 58 --direction pca:0:-2.5 --out steered.png
      python visualizer.py render --model t --grid 8x4 --seeds 0-31 --captions --out sheet.png
      python visualizer.py render --model t --layer L5_52_32 --normalize --out maps.png
      python visualizer.py render --model t --layer 5 --channels 3,4,5 --gain 6 --out phases.pdf
      python visualizer.py render --outdir=out --trunc=1 --seeds=2 --network=network.pkl
      python visualizer.py render --state capture.png --size 1024 --out larger.png
                                                             what a picture shows that the window captured
    """
    if state is not None:
        refuse_others(ctx)
        chosen = others["device"] if ctx.get_parameter_source("device") == ParameterSource.COMMANDLINE else None
        draw_state(state, slot, size, others["out"], chosen, overwrite=others["overwrite"])
        return
    if slot is not None or size is not None:
        raise click.UsageError("--slot and --size are of a captured state: give --state, too.")
    if model is None:
        raise click.MissingParameter(ctx=ctx, param=next(one for one in ctx.command.params if one.name == "model"))
    if others["noise_seed"] is not None and others["noise_mode"] != "random":
        raise click.UsageError("--noise-seed is of random noise: give --noise-mode=random, too.")
    drawing = _plan_drawing(others)
    with user_errors():
        path, header = read_model(model)
    check_steps(others["steps"], path.name, header.config.num_ws)
    check_cutoff(others["cutoff"], path.name, header.config.num_ws)
    drawing.check(path, header)
    label = choose_label(path.name, header, others["class_"], others["vector"])
    if label.remark:
        click.echo(label.remark)
    if others["noise_mode"] != "const" and not header.config.noise_inputs:
        click.echo(f"{path.name} has no noise inputs, so --noise-mode changes nothing.")
    if others["cutoff"] is not None and others["trunc"] == 1:
        click.echo("--cutoff changes nothing at --trunc 1: give --trunc, too, such as --trunc 0.5.")
    request = _build_request(path, label, others)
    drawing.draw(request, header, cite_model(model, request.model), label.words)


class _Drawing(Protocol):
    """A kind of picture to write. Made before the model is read, so that options that do not fit are said at once."""

    def check(self, path: Path, header: Header) -> None:
        """Raise a usage error where the model at `path` cannot be drawn so."""
        ...

    def draw(self, request: PictureRequest, header: Header, model: str, words: str) -> None:
        """Draw and write it; `model` and `words` name the model and the label."""
        ...


def _plan_drawing(given: Mapping[str, Any]) -> _Drawing:
    """Return what the command's options, by name, ask for; raise a usage error for those that do not go together."""
    seeds, layer, grid = given["seeds"], given["layer"], given["grid"]
    maps = {name: given[name] for name in MAP_OPTIONS}
    several = {"--seeds": seeds is not None and len(seeds) > 1, "--grid": grid}
    check_options(layer, given["out"], maps, several | _find(given, "outdir", "save_w", "untransform"))
    if grid is not None and layer is None:
        unfit = _find(given, "seed_plane", "z_file", "w_file", "save_w", "outdir", "steps")
        return _Sheet(grid, choose_seeds(grid, given["seed"], seeds, [*unfit]), given)
    if layer is None and given["captions"]:
        raise click.UsageError("--captions are of a sheet: give --grid, too, such as --grid 8x4.")
    named = ("seed", "seeds", "seed_plane", "space", "z_file", "w_file", "steps")
    latents = choose_latents(*(given[name] for name in named))
    if layer is not None:
        check_export(given["out"], given["overwrite"])
        return _Maps(layer, given["out"], maps, latents[0].latent)
    if given["save_w"] is not None:
        check_w_name(given["save_w"], len(latents), given["overwrite"])
    return _Pictures(_choose_targets(latents, given), given["save_w"])


def _find(given: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return those of some options that are given, by what they are called on the command line."""
    called = {"z_file": "--z", "w_file": "--w", "steps": "--direction"}
    return {called.get(name, f"--{name.replace('_', '-')}"): given[name] for name in names if given[name]}


@dataclass
class _Sheet:
    """Seeds row by row in one picture."""

    grid: Grid
    seeds: Sequence[int]
    given: Mapping[str, Any]
    out: Path = Path()  # known once the model is

    def check(self, path: Path, header: Header) -> None:
        options = {name: self.given[name] for name in ("captions", "overwrite")}
        self.out = check_sheet(self.grid, header.config.resolution, self.given["out"], **options)

    def draw(self, request: PictureRequest, header: Header, model: str, words: str) -> None:
        captions = self.given["captions"]
        draw_sheet(request, self.seeds, self.grid, self.out, captions=captions, model=model, words=words)


@dataclass(frozen=True)
class _Maps:
    """A layer's maps."""

    layer: str
    out: Path
    options: dict[str, Any]
    latent: Latent

    def check(self, path: Path, header: Header) -> None:
        pass

    def draw(self, request: PictureRequest, header: Header, model: str, words: str) -> None:
        from viz.record.numbers import describe_request

        request = replace(request, latent=self.latent)
        draw_layer(request, header.config, self.layer, self.out, self.options, describe_request(request, model))


@dataclass(frozen=True)
class _Pictures:
    """The picture of each latent, and its w's."""

    targets: Targets
    save_w: Path | None

    def check(self, path: Path, header: Header) -> None:
        suffixes = {target.suffix.lower() for _, target in self.targets if target}
        if header.config.img_channels == 4 and not suffixes.isdisjoint(NO_ALPHA):
            raise click.UsageError(f"{path.name} draws transparency, which a JPEG does not hold: give a .png or .webp.")

    def draw(self, request: PictureRequest, header: Header, model: str, words: str) -> None:
        from gan.data.image_io import save_image, select_channels
        from gan.data.latent_files import write_w_file
        from viz.record.numbers import describe_request
        from viz.render.renderer import Renderer

        renderer = Renderer(enlarge=False)
        for latent, target in self.targets:
            request = replace(request, latent=latent)
            image, facts = draw_picture(renderer, request)
            if self.save_w is not None:
                with explain_unwritable(self.save_w):
                    write_w_file(self.save_w, renderer.find_ws(request)[0].cpu().numpy())
                click.echo(f"Wrote {self.save_w} (w's of {facts.config.num_ws} layers).")
            if target is None:
                continue
            channels = facts.config.img_channels
            of = f", {words}" if words else ""
            kind = describe_channels(channels) + (" as red and green" if channels == 2 else "")
            document = {"schema": 1, "request": describe_request(request, model)}
            with explain_unwritable(target):
                save_image(target, select_channels(image, channels), {"jinc": json.dumps(document)})
            click.echo(f"Wrote {target} ({image.shape[1]}x{image.shape[0]}, {kind}){of}.")


def _build_request(path: Path, label: ChosenLabel, given: Mapping[str, Any]) -> PictureRequest:
    """Return what the command's options, by name, ask of the model at `path`; the latent is yet to be put in."""
    same = ("cutoff", "scale", "stretch", "shear", "mirror", "untransform", "mean_constant", "device", "precision")
    tx, ty = given["translate"]
    return PictureRequest(
        model=str(path),
        psi=given["trunc"],
        tx=tx,
        ty=ty,
        degrees=given["rotate"],
        learned=(0.0, 0.0, 0.0) if given["zero_learned"] else None,
        noise=Noise(given["noise_mode"], float(given["noise_seed"] or 0)),
        **{name: given[name] for name in same},
        **label.as_request(),
    )


def _choose_targets(latents: Sequence[NamedLatent], given: Mapping[str, Any]) -> Targets:
    """Return the file of each latent's picture; whatever is wrong with any is said before the first is drawn."""
    out, outdir, overwrite = given["out"], given["outdir"], given["overwrite"]
    if out is None and outdir is None and given["save_w"] is not None:
        return [(latents[0].latent, None)]
    if (out is None) == (outdir is None):
        raise click.UsageError("Give --out, a file, or --outdir, a folder for seedNNNN.png.")
    is_file = out is not None and (given["seeds"] is None or (len(latents) == 1 and out.suffix.lower() in PICTURES))
    if out is not None and is_file:
        refuse_existing(out, overwrite)
        check_picture_name(out, "--out")
        targets = [(latents[0].latent, out)]
    else:
        option, folder = ("--outdir", outdir) if outdir is not None else ("--out", out or Path())
        if option == "--out" and folder.suffix.lower() in PICTURES:
            raise click.UsageError(f"--out {folder.name} is the name of one picture: give a folder for several seeds.")
        refuse_existing_in(folder, [name for _, name in latents], overwrite, option)
        targets = [(latent, folder / name) for latent, name in latents]
    check_writable(targets[0][1])
    return [*targets]
