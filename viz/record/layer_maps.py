# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""A layer's maps as a picture, a figure, and numbers: the layer's own values, named by layer and channel."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from gan.analysis.bands import Band
from viz.core.request import PictureRequest
from viz.instruments.layers import GREY_REACH, score_channels
from viz.reports.export import Array, Export, ExportError, Table
from viz.reports.style import DIM, INK, annotate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from viz.render.renderer import Renderer

Scale = Literal["plain", "each", "common"]

GAP = 2  # pixels between the maps of a sheet
GAP_GREY = 32
SIDE, MARGIN, HEAD, BAR = 7.0, 0.5, 0.75, 0.9  # inches of a figure: its maps, the room around them, above, beside
MOST_NAMED = 256  # maps of a sheet that have room for their numbers
UNITS = {"plain": "value", "each": "deviations from the channel's mean", "common": "value"}


@dataclass(frozen=True)
class MapChoice:
    """The channels of a layer that are shown, and how their values become grey.

    `channels` () are all; three are red, green and blue, any other number a sheet. Of scale "plain" black is -1 and
    white 1; "each": a channel's own mean is grey, black and white are GREY_REACH of its deviations away; "common": 0 is
    grey, and they are as many root mean squares of the whole layer away. All of it divided by the gain, in dB. With a
    `reach` magnitudes are shown in dB, black so many below the brightest value: 1, each channel's or the layer's.
    """

    channels: tuple[int, ...] = ()
    sort: str = "index"
    scale: Scale = "plain"
    gain: float = 0.0
    reach: float | None = None

    @property
    def is_colours(self) -> bool:
        return len(self.channels) == 3

    def describe(self) -> str:
        """Return a few words on what black and white are."""
        gain = f", gain {self.gain:+g} dB" if self.gain else ""
        if self.reach is not None:
            of = {"plain": "1", "each": "its channel's largest", "common": "the layer's largest"}[self.scale]
            return f"magnitude in dB of {of}{gain}"
        words = {
            "plain": "black −1, white 1",
            "each": f"grey: the channel's mean; black and white: {GREY_REACH:g} of its deviations from it",
            "common": f"grey: 0; black and white: {GREY_REACH:g} root mean squares of the layer",
        }
        return words[self.scale] + gain


def check_channels(band: Band, channels: tuple[int, ...]) -> None:
    """Raise ExportError, one sentence, for a channel that the layer does not have."""
    for channel in channels:
        if not 0 <= channel < band.channels:
            raise ExportError(f"{band.name} has the channels 0 to {band.channels - 1}, and no {channel}.")


def export_maps(
    renderer: Renderer, request: PictureRequest, band: Band, choice: MapChoice, name: str, about: Mapping[str, Any]
) -> Export:
    """Run the model up to a layer and return its maps, ready to be written; `name` is the model's.

    Raises ExportError, and what `viz.core.result.describe_error` describes.
    """
    maps = renderer.maps(request, band.name)[0].float()
    check_channels(band, choice.channels)
    scores = score_channels(maps, choice.sort)
    values = maps.cpu().numpy()
    channels = list(choice.channels) or list(range(len(values)))
    if scores is not None and not choice.channels:
        channels = [int(channel) for channel in np.argsort(-scores, kind="stable")]
    with np.errstate(invalid="ignore", over="ignore"):  # some values may be no numbers: that is worth a look, too
        shown, levels, span = _grade(values, channels, choice)
        means, deviations = shown.mean(axis=(1, 2)), shown.std(axis=(1, 2))
    words = "picture" if band.name == "picture" else f"layer {band.name}"
    title = f"{words[0].upper()}{words[1:]} of {name}"
    facts = {
        "model": name,
        "layer": band.name,
        "size": band.size,
        "rate": band.rate,
        "cutoff": float(band.cutoff),
        "stopband": float(band.stopband),
        "shown": {**asdict(choice), "black": span[0], "white": span[1]},
        **about,
    }
    arrays = (
        Array("maps", shown, "", "values of the layer as the model computed them: channel, row down, column right"),
        Array("channels", channels, "", "number of each map's channel"),
        Array("mean", means, "", "mean of each map"),
        Array("deviation", deviations, "", "standard deviation of each map"),
        *([] if scores is None else [Array("scores", scores[channels], "", f"what maps are sorted by: {choice.sort}")]),
    )
    fill = partial(_draw, title=title, band=band, choice=choice, channels=channels, levels=levels, span=span)
    inches = (SIDE + 2 * MARGIN + BAR * (not choice.is_colours), SIDE * _aspect(levels, choice) + HEAD + MARGIN)
    pixels = _to_pixels(levels, span, choice)
    table = partial(_tabulate, channels, shown)
    return Export(f"{name} {band.name}", title, facts, inches, fill, arrays, table, pixels)


def _tabulate(channels: list[int], maps: np.ndarray) -> Table:
    """Return a row for each value."""
    count, height, width = maps.shape
    index = np.arange(maps.size)
    return (
        Array("channel", np.repeat(channels, height * width), "", "number of the channel"),
        Array("row", index // width % height, "samples", "from the upper edge, margin included"),
        Array("column", index % width, "samples", "from the left edge, margin included"),
        Array("value", maps.ravel(), "", "of the layer, as the model computed it"),
    )


def _grade(
    values: np.ndarray, channels: list[int], choice: MapChoice
) -> tuple[np.ndarray, np.ndarray, tuple[float, float]]:
    """Return the chosen maps [N, H, W], what is shown of them, and the levels that are black and white."""
    shown, gain = values[channels], 10 ** (choice.gain / 20)
    if choice.reach is not None:
        largest = {
            "plain": np.ones((len(shown), 1, 1), np.float32),
            "each": np.abs(shown).max(axis=(1, 2), keepdims=True),
            "common": np.full((len(shown), 1, 1), np.abs(values).max()),
        }[choice.scale]
        ratio = np.abs(shown) * gain / np.maximum(largest, 1e-30)
        return shown, 20 * np.log10(np.maximum(ratio, 1e-10)), (-choice.reach, 0.0)
    if choice.scale == "each":
        deviation = np.maximum(shown.std(axis=(1, 2), keepdims=True), 1e-12)
        return shown, (shown - shown.mean(axis=(1, 2), keepdims=True)) / deviation, _span(GREY_REACH / gain)
    if choice.scale == "common":
        size = float(np.sqrt(np.square(values).mean()))
        size = size if math.isfinite(size) else 1.0  # of a layer that holds what is no number
        return shown, shown, _span(GREY_REACH * max(size, 1e-12) / gain)
    return shown, shown, _span(1 / gain)


def _span(reach: float) -> tuple[float, float]:
    return -reach, reach


def _columns(count: int) -> int:
    return math.ceil(math.sqrt(count))


def _aspect(levels: np.ndarray, choice: MapChoice) -> float:
    """Return height over width of what is drawn."""
    count, height, width = levels.shape
    if choice.is_colours:
        return height / width
    columns = _columns(count)
    return math.ceil(count / columns) * height / (columns * width)


def _corners(levels: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield the upper left corner, row and column in pixels, of each map on a sheet."""
    count, height, width = levels.shape
    columns = _columns(count)
    for place in range(count):
        row, column = divmod(place, columns)
        yield row * (height + GAP), column * (width + GAP)


def _lay_out(levels: np.ndarray) -> np.ndarray:
    """Return the maps on one sheet [H, W], nan between them."""
    count, height, width = levels.shape
    columns = _columns(count)
    rows = math.ceil(count / columns)
    sheet = np.full((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP), np.nan, np.float32)
    for part, (top, left) in zip(levels, _corners(levels), strict=True):
        sheet[top : top + height, left : left + width] = part
    return sheet


def _to_pixels(levels: np.ndarray, span: tuple[float, float], choice: MapChoice) -> np.ndarray:
    """Return uint8 [H, W, 3]: what is no number is black, and the gaps of a sheet are nearly so."""
    planes = levels.transpose(1, 2, 0) if choice.is_colours else _lay_out(levels)[:, :, None]
    shade = (np.nan_to_num(planes, nan=span[0]).clip(*span) - span[0]) / (span[1] - span[0])
    pixels = np.broadcast_to((shade * 255 + 0.5).astype(np.uint8), (*planes.shape[:2], 3)).copy()
    if not choice.is_colours:
        inside = _lay_out(np.ones_like(levels))
        pixels[np.isnan(inside)] = GAP_GREY
    return pixels


def _draw(
    figure: Figure,
    *,
    title: str,
    band: Band,
    choice: MapChoice,
    channels: list[int],
    levels: np.ndarray,
    span: tuple[float, float],
) -> None:
    """Draw the maps with their numbers, the picture's borders, and a scale."""
    figure.suptitle(f"{title}\n\n", x=0.01, ha="left", linespacing=1.3)
    count, height, width = levels.shape
    band_words = f"s = {band.rate:g}, f_c = {band.cutoff:.4g}, f_t = {band.stopband:.4g} cycles per picture width"
    numbers = ", ".join(map(str, channels))
    which = f"{count} of {band.channels} channels" if count < band.channels else f"All {count} channels"
    if count == 1:
        which = f"Channel {numbers} of {band.channels}"
    elif choice.is_colours:
        which = f"Channels {numbers} of {band.channels} as red, green, blue"
    note = f"{which}, {width} × {height} samples; {band_words}.\n{_capital(choice.describe())}."
    figure.text(0.01, 1 - 0.36 / figure.get_figheight(), note, fontsize=8.5, color=DIM, va="top", linespacing=1.4)
    axes = figure.add_subplot()
    axes.grid(False)
    style: dict[str, Any] = {"interpolation": "nearest", "extent": None}
    if choice.is_colours:
        axes.imshow(_to_pixels(levels, span, choice), **style)
    else:
        sheet = np.ma.masked_invalid(_lay_out(levels))
        image = axes.imshow(sheet, cmap="gray", vmin=span[0], vmax=span[1], **style)
        unit = "dB" if choice.reach is not None else UNITS[choice.scale]
        figure.colorbar(image, ax=axes, extend="min" if choice.reach else "both", shrink=0.6, aspect=30).set_label(unit)
    if choice.is_colours or count == 1:
        _frame(axes, band, height, width)
        return
    axes.axis("off")
    if count <= MOST_NAMED:
        size = max(3.0, min(9.0, 72 * SIDE / _columns(count) / 7))
        for channel, (top, left) in zip(channels, _corners(levels), strict=True):
            rim = {"boxstyle": "square,pad=0.12", "facecolor": "white", "edgecolor": "none", "alpha": 0.75}
            at: dict[str, Any] = {"xycoords": "data", "va": "top", "fontsize": size, "color": INK, "bbox": rim}
            annotate(axes, str(channel), (left - 0.5, top - 0.5), (1, -1), **at)


def _frame(axes: Axes, band: Band, height: int, width: int) -> None:
    """Name the axes of a single map, and draw the picture's borders where the map has a margin around them."""
    from matplotlib.patches import Rectangle

    axes.set(xlabel="samples", ylabel="samples")
    margin = (band.size - band.rate) / 2
    if margin > 0:
        place = (margin - 0.5, margin - 0.5), width - 2 * margin, height - 2 * margin
        for colour, dashes in (("black", "-"), ("white", (0, (4, 3)))):  # seen on whatever lies below
            line: dict[str, Any] = {"fill": False, "edgecolor": colour, "linewidth": 1.2, "linestyle": dashes}
            axes.add_patch(Rectangle(*place, **line))
        annotate(axes, "dashed: the picture; beyond it the margin", (1, 1), (0, 4), ha="right", fontsize=8, color=DIM)


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]
