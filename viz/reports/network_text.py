# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Describe a network as text: its layers, its filters, its size, and the difference between two of them. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

from gan.analysis.filter_response import Filter, get_layer_filters, measure_attenuation
from gan.files.errors import sanitize_text
from gan.networks.config import GeneratorConfig
from gan.networks.describe import count_parameters, describe_channels
from gan.networks.labels import count_labels, read_class_names, read_label_mean
from gan.networks.ladder import Rung, compare_rungs
from gan.networks.layer_plan import LayerSpec, Plan, plan

# Fields of GeneratorConfig and Recipe in words, for people who have not read the code.
WORDS = {
    "resolution": "width of the picture, pixels",
    "img_channels": "channels of the picture",
    "z_dim": "numbers in z",
    "c_dim": "numbers in a label, or classes",
    "w_dim": "numbers in w",
    "mapping_layers": "depth of the mapping network",
    "channel_base": "channels of a layer: this over 2 f_c,",
    "channel_max": "and at most this many",
    "conv_clamp": "activations are clamped to plus and minus this",
    "architecture": "skip: an RGB image a rate, summed; layers: one ToRGB at the end",
    "fourier_input": "sinusoids as input, in place of a learned constant",
    "learned_transform": "w turns and moves the input",
    "first_cutoff": "f_c of the input, cycles/width",
    "schedule": "of cutoffs; rigid: two layers a rate; flexible: geometric",
    "num_layers": "layers, without ToRGB",
    "num_critical": "critically sampled layers at the end",
    "first_stopband": "f_t of the first layer, cycles/width",
    "last_stopband_rel": "f_t of the last layer, in f_c",
    "margin_size": "pixels kept around the canvas",
    "same_padding": "convolutions end at a border of zeros",
    "output_scale": "factor on the picture",
    "conv_kernel": "width of the convolutions",
    "filter_kind": "low-pass filters",
    "filter_size": "n, taps for each factor of resampling",
    "lrelu_upsampling": "m, oversampling around the nonlinearity",
    "radial_filters": "radial downsampling filters, but for critical layers",
    "magnitude_ema_beta": "memory of the running input magnitudes",
    "block_channels": "channels of each resolution from 4 up, where no rule gives them",
    "noise_inputs": "a plane of noise added in every layer",
    "resample_filter": "StyleGAN2's resampling filter",
    "mapping_width": "width of the mapping's layers but the last, 0: as w",
    "label_width": "width of the labels' embedding, 0: as w",
    "labels_beside_z": "labels are normalised together with z",
    "mapping_lr_multiplier": "learning rate multiplier of the mapping, 0: 0.01",
    "layers": "StyleGAN-XL's list of layers",
    "embed_rows": "classes in StyleGAN-XL's table",
    "embed_dim": "numbers for each class in that table",
    "w_avg_rows": "classes with an average w of their own",
    "style_mixing": "probability of style mixing in training",
    "pl_weight": "weight of path length regularisation",
    "mbstd_group": "pictures in a group of the discriminator's minibatch deviation, at 256x256",
    "blur_sigma": "what D sees is blurred at first, sigma in picture widths",
}
CLASSES_LIMIT = 20  # names of classes that are shown
FACTS_LIMIT, TEXT_LIMIT = 12, 60  # facts of a checkpoint that are shown, and characters of each: it may be any text


class Column(NamedTuple):
    """A column of the layer table: two lines of head, and what stands in a layer's row."""

    title: str
    unit: str
    cell: Callable[[LayerSpec], str]


def _number(value: float) -> str:
    return f"{value:.2f}"


def format_taps(count: int, radial: bool = False) -> str:
    """Format a filter's taps: "12", "12x12" for a radial one, "-" for none."""
    if count == 1:
        return "-"
    return f"{count}x{count}" if radial else str(count)


COLUMNS = (
    Column("#", "", lambda spec: str(spec.index)),
    Column("layer", "", lambda spec: spec.name),
    Column("channels", "in>out", lambda spec: f"{spec.in_channels}>{spec.out_channels}"),
    Column("size", "px, in>out", lambda spec: f"{spec.in_size}>{spec.out_size}"),
    Column("rate s", "px/width", lambda spec: f"{spec.in_rate}>{spec.out_rate}"),
    Column("f_c", "1/width", lambda spec: _number(spec.out_cutoff)),
    Column("f_h", "1/width", lambda spec: _number(spec.out_half_width)),
    Column("f_c+f_h", "1/width", lambda spec: _number(spec.out_cutoff + spec.out_half_width)),
    Column("conv", "kernel", lambda spec: f"{spec.conv_kernel}x{spec.conv_kernel}"),
    Column("conv", "pad", lambda spec: str(spec.conv_padding)),
    Column("up", "x", lambda spec: str(spec.up)),
    Column("up", "taps", lambda spec: format_taps(spec.up_taps)),
    Column("down", "x", lambda spec: str(spec.down)),
    Column("down", "taps", lambda spec: format_taps(spec.down_taps, spec.radial_down)),
    Column("padding", "px", lambda spec: f"{spec.padding[0]},{spec.padding[1]}"),
    Column("critical", "", lambda spec: "yes" if spec.is_critical else "-"),
)
COMPACT = COLUMNS[1:6]  # for two networks side by side
NAMES = 2  # so many columns at the start name a layer
FILTER_HEADS = (
    (
        "#",
        "layer",
        *("up taps", "at f_c", "f_c+f_h on", "images from", "on"),
        *("down taps", "at f_c", "f_c+f_h on", "aliases from", "on"),
    ),
    ("", "", *("", "dB", "dB", "1/width", "dB") * 2),
)


def format_table(heads: Sequence[Sequence[str]], rows: Iterable[Sequence[str]], left: Sequence[int] = ()) -> list[str]:
    """Return lines of equally wide columns, two spaces apart: aligned right, those in `left` left."""
    rows = [*heads, *rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = zip(row, widths, strict=True)
        aligned = (cell.ljust(width) if i in left else cell.rjust(width) for i, (cell, width) in enumerate(cells))
        lines.append("  ".join(aligned).rstrip())
    return lines


def describe_network(
    config: GeneratorConfig, title: str, facts: Mapping[str, Any] | None = None, about: Sequence[str] = ()
) -> str:
    """Describe one network; `facts` are what its checkpoint says about training, `about` lines on the file itself."""
    planned = plan(config)
    lines = [title, "", *about, *_summary(config, planned, facts), ""]
    lines += [
        "Layers. Frequencies are the output's: f_c cutoff, f_h half-width of the transition, f_c+f_h stopband edge.",
        "Padding is before,after on both axes of the upsampled image; where negative it crops.",
        "",
        *format_table(_heads(COLUMNS), [_cells(COLUMNS, spec) for spec in planned.layers], left=(1,)),
        "",
        *_filters(config, planned),
    ]
    return "\n".join(lines)


def plain(value: object) -> str:
    """Make a value from a file safe to print: on one line, short, without terminal control characters."""
    return sanitize_text(value, TEXT_LIMIT)


def _heads(columns: Sequence[Column]) -> list[list[str]]:
    return [[column.title for column in columns], [column.unit for column in columns]]


def _cells(columns: Sequence[Column], spec: LayerSpec) -> list[str]:
    return [column.cell(spec) for column in columns]


def _summary(config: GeneratorConfig, planned: Plan, facts: Mapping[str, Any] | None) -> list[str]:
    names = read_class_names(facts or {}, config.c_dim)
    labels = count_labels(config.c_dim, read_label_mean(facts or {}, config.c_dim), bool(names or config.embed_rows))
    lines = [f"Latents     z {config.z_dim}, w {config.w_dim} after {config.mapping_layers} layers, {labels}"]
    if config.embed_rows:
        averages = "an average w for each class" if config.w_avg_rows else "one average w"
        table = f"of {config.embed_dim} numbers, projected to {config.z_dim}"
        lines.append(f"Labels      a row of a table for each class, {table}; {averages}")
    if names:
        told = ", ".join(f"{number} {name}" for number, name in enumerate(names[:CLASSES_LIMIT]))
        more = f" and {len(names) - CLASSES_LIMIT} more" if len(names) > CLASSES_LIMIT else ""
        lines.append(f"Classes     {told}{more}")
    lines += [
        f"Picture     {config.resolution}x{config.resolution}, {describe_channels(config.img_channels)}",
        f"Input       {describe_input(config, planned)}",
    ]
    if config.architecture == "layers":
        border = "ended by zeros" if config.same_padding else f"cropped to a margin of {config.margin_size} px"
        critical = f"{config.schedule} schedule, the last {config.num_critical} critical"
        layers = f"{_layer_count(planned)}, {critical}, {border}"
        kind = f"{config.filter_kind}, n = {config.filter_size} taps a factor, m = {config.lrelu_upsampling}"
        kind += " around the nonlinearity" + (", radial down" if config.radial_filters else "")
    else:
        noise = "noise in each" if config.noise_inputs else "no noise"
        layers = f"{_layer_count(planned)}, StyleGAN2's {config.architecture} generator, {noise}"
        kind = "[" + ", ".join(f"{tap:g}" for tap in config.resample_filter) + "] in doubling layers (conv0)"
        kind += {"skip": " and of the RGB image between blocks", "resnet": " and of their shortcuts"}.get(
            config.architecture, ""
        )
    lines += [
        f"Layers      {layers}",
        f"Filters     {kind}",
        f"Channels    {_describe_channel_counts(config, planned)}",
        f"Parameters  {describe_parameters(config)}",
    ]
    if facts is not None:
        short = [(name, value) for name, value in facts.items() if isinstance(value, str | int | float)][:FACTS_LIMIT]
        told = ", ".join(f"{plain(name)} {plain(value)}" for name, value in short)
        lines.append(f"Training    {told or 'nothing recorded'}")
    return lines


def _describe_channel_counts(config: GeneratorConfig, planned: Plan) -> str:
    if config.layers:
        counts = [spec.in_channels for spec in planned.layers]
        return f"listed, {min(counts)} to {max(counts)}"
    if config.block_channels:
        return ", ".join(f"{count} at {4 * 2**i}" for i, count in enumerate(config.block_channels))
    return f"base {config.channel_base}, at most {config.channel_max}"


def describe_input(config: GeneratorConfig, planned: Plan) -> str:
    """Describe what the first layer reads."""
    grid = f"{planned.input_size}x{planned.input_size} at rate {planned.input_rate}"
    if config.architecture != "layers" and not config.fourier_input:
        return f"a learned constant, {planned.input_channels} channels, {grid}"
    moved = config.architecture == "layers" and config.learned_transform
    disc = f"{planned.input_channels} Fourier features, f_c = {planned.input_cutoff:g}, {grid}"
    return disc + (", turned and moved by w" if moved else "")


def _layer_count(planned: Plan) -> str:
    images = sum(spec.is_torgb for spec in planned.layers)
    return f"{len(planned.layers) - images} and {'ToRGB' if images == 1 else f'{images} ToRGB'}"


def describe_parameters(config: GeneratorConfig) -> str:
    """Describe the parameter count, of mapping and of synthesis."""
    mapping, synthesis = count_parameters(config)
    total = mapping + synthesis
    return f"{total / 1e6:.2f}M ({total:,}): mapping {mapping:,}, synthesis {synthesis:,}"


def _filters(config: GeneratorConfig, planned: Plan) -> list[str]:
    rows = []
    for spec in planned.layers:
        up, down = get_layer_filters(config, spec)
        if up is not None or down is not None:
            rows.append([str(spec.index), spec.name, *_measured(up), *_measured(down)])
    if not rows:
        return ["No layer has a filter."]
    lines = [
        "Filters: attenuation in dB at f_c, the least from f_c+f_h on, and the least from s-f_c on, where images (up)",
        "and aliases (down) begin. Up filters keep the band of the layer's input, down filters that of its output.",
        "Where sampling is critical, f_c = s/2, images and aliases begin right at f_c, which is the middle of a",
        "windowed ideal filter's (Kaiser, Lanczos) transition: about 6 dB.",
    ]
    if any(spec.radial_down and spec.down_taps > 1 for spec in planned.layers):
        lines.append("Radial filters (taps x taps) are measured along 0 and 45 degrees: the worse is shown.")
    return [*lines, "", *format_table(FILTER_HEADS, rows, left=(1,))]


def _measured(f: Filter | None) -> list[str]:
    if f is None:
        return ["-"] * 5
    found = measure_attenuation(f)
    return [
        format_taps(len(f.taps), f.radial),
        f"{found.cutoff:.1f}",
        f"{found.stopband:.1f}",
        _number(f.alias_from),
        f"{found.alias:.1f}",
    ]


def describe_differences(before: Rung, after: Rung) -> str:
    """Describe the difference between two rungs: settings, input, layers, parameters."""
    changed = compare_rungs(before, after)
    lines = [f"- {before}", f"+ {after}", ""]
    if not changed:
        return "\n".join([*lines, "The two are the same."])
    rows = [(name, _value(old), _value(new), WORDS.get(name, "")) for name, (old, new) in changed.items()]
    lines += ["Settings", *format_table([("", "-", "+", "")], rows, left=(0, 1, 2, 3)), ""]
    plans = plan(before.network), plan(after.network)
    inputs = [describe_input(rung.network, planned) for rung, planned in zip((before, after), plans, strict=True)]
    lines += ["Input", *_pair(*inputs), "", *_layers(*plans), ""]
    return "\n".join(
        [*lines, "Parameters", *_pair(describe_parameters(before.network), describe_parameters(after.network))]
    )


def _pair(old: str, new: str) -> list[str]:
    return [f"  {old}, the same"] if old == new else [f"- {old}", f"+ {new}"]


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ",".join(f"{item:g}" for item in value)
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _layers(before: Plan, after: Plan) -> list[str]:
    if len(before.layers) != len(after.layers):
        return _side_by_side(before, after)
    pairs = [(_cells(COLUMNS, old), _cells(COLUMNS, new)) for old, new in zip(before.layers, after.layers, strict=True)]
    differing = [pair for pair in pairs if pair[0] != pair[1]]
    if not differing:
        return [f"Layers\n  {_layer_count(before)}, all the same"]
    shown = [i for i in range(len(COLUMNS)) if i < NAMES or any(old[i] != new[i] for old, new in differing)]
    rows = []
    for old, new in differing:
        rows.append(["-", *(old[i] for i in shown)])
        rows.append(["+", *(new[i] if i < NAMES or new[i] != old[i] else "=" for i in shown)])
    heads = [["", *line] for line in _heads([COLUMNS[i] for i in shown])]
    many = f"{len(differing)} of {len(pairs)} differ" if len(differing) < len(pairs) else "all differ"
    return [
        f"Layers: {_layer_count(before)} in both, {many}, in these columns",
        *format_table(heads, rows, left=(0, 2)),
    ]


def _side_by_side(before: Plan, after: Plan) -> list[str]:
    blank = [""] * len(COMPACT)
    rows = []
    for old, new in zip_longest(before.layers, after.layers):
        halves = [blank if spec is None else _cells(COMPACT, spec) for spec in (old, new)]
        rows.append([*halves[0], "|", *halves[1]])
    heads = [[*line, "|", *line] for line in _heads(COMPACT)]
    counts = f"Layers: {_layer_count(before)} (left) against {_layer_count(after)} (right)"
    return [counts, *format_table(heads, rows, left=(0, len(COMPACT) + 1))]
