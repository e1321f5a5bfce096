# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Offers of the panels that look inside: layers, spectra, filters, training, the gallery. No torch before they save."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from gan.analysis.bands import Band, list_bands
from gan.hub.resolve import format_title
from gan.networks.config import GeneratorConfig
from gan.networks.describe import describe_rung
from viz.core.request import PictureRequest
from viz.core.state import LayersState, Slot, SpectrumState
from viz.instruments.gallery import GalleryView
from viz.instruments.spectrum import AXIS, DATA, DIAGONAL, SpectrumData, SpectrumView
from viz.record.layer_maps import MapChoice, export_maps
from viz.record.numbers import describe_request
from viz.record.save_export import Offer
from viz.reports.curves_figure import RunCurves, build_curves
from viz.reports.export import Array, Export, Table
from viz.reports.schedule_figure import build_schedule, choose_layers
from viz.reports.spectra_figure import Curve, build_spectra

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from viz.render.renderer import Renderer

GALLERY_INCHES, GALLERY_HEAD = 8.0, 0.6


def offer_maps(picture: PictureRequest, band: Band, chosen: LayersState) -> Offer:
    """Offer a layer's maps as the Layers panel shows them, all of them where it shows a sheet."""
    channels = {"sheet": (), "one": (chosen.one,), "rgb": (chosen.red, chosen.green, chosen.blue)}[chosen.mode]
    channels = tuple(min(channel, band.channels - 1) for channel in channels)  # as the panel does
    sort = chosen.sort if chosen.mode == "sheet" else "index"
    choice = MapChoice(channels, sort, "common" if chosen.common else "each", chosen.gain)
    name = format_title(picture.model)

    def collect(renderer: Renderer) -> Export:
        return export_maps(renderer, picture, band, choice, name, {"request": describe_request(picture, name)})

    return Offer(f"{name} {band.name}", collect)


def offer_spectra(view: SpectrumView, bands: Mapping[Slot, Band], chosen: SpectrumState) -> Offer | None:
    """Offer the spectra that the Spectrum panel shows: those of now, and the averages over seeds."""
    angles = [AXIS, DIAGONAL]  # by hundredths they are named and told apart
    angles += [chosen.angle] if chosen.at_angle and round(chosen.angle, 2) not in angles else []
    found = []
    for looks, averaged in ((view.averages, True), (view.looks, False)):
        for name, look in looks.items():
            band = None if name == DATA else bands.get("left" if name == "left" else "right")
            if (name == DATA or band is not None) and all(angle in look.slices for angle in angles):
                found.append((name, look, band, averaged))
    if not found:
        return None
    layer = chosen.source == "layer"
    title = "Spectra of maps" if layer else "Spectra of pictures"
    by = f"Kaiser window β = {chosen.beta:g}"
    note = f"{'Maps' if layer else 'Pictures'} are whitened by their own mean and deviation; 0 dB is white noise. {by}."
    if view.averages.get(DATA) and not layer:
        note = f"Averages are whitened by the data set's mean and deviation; 0 dB is white noise. {by}."
    settings = {"beta": chosen.beta, "pad": chosen.pad, "source": chosen.source}
    low, high = chosen.low, max(chosen.high, chosen.low + 1)

    def collect(_: Renderer) -> Export:
        curves = [_to_curve(name, look, band, angles, averaged=averaged) for name, look, band, averaged in found]
        return build_spectra(curves, title, note, {"spectra": settings}, heat=(low, high))

    return Offer(f"{'layer' if layer else 'picture'} spectra", collect)


def _to_curve(name: str, look: SpectrumData, band: Band | None, angles: Sequence[float], *, averaged: bool) -> Curve:
    count = len(look.levels)
    title = "data set" if name == DATA else f"{name} {format_title(look.model)}"
    if band is not None and band.name != "picture":
        title += f" {band.name}"
    return Curve(
        f"{title}, {'mean' if averaged else 'now'}",
        look.pictures,
        look.mean,
        look.deviation,
        round(2 * look.reach) if band is None else band.size,
        2 * look.reach,
        band,
        (np.arange(count) - count // 2) * (2 * look.reach / count),
        10 ** (look.levels.astype(np.float64) / 10),
        tuple((look.slices[angle].frequencies, 10 ** (look.slices[angle].levels / 10)) for angle in angles),
        tuple(round(angle, 2) for angle in angles),
    )


def offer_filters(config: GeneratorConfig, layer: str, model: str) -> Offer:
    """Offer the schedule, and a layer's filters; where it has none, those of the two layers that tell most."""
    title = f"{format_title(model)}: {describe_rung(config)}, {config.resolution}x{config.resolution}"

    def collect(_: Renderer) -> Export:
        chosen = choose_layers(config)
        if any(band.name == layer and band.index is not None for band in list_bands(config)):
            try:
                chosen = choose_layers(config, [layer])
            except ValueError:  # it has none
                pass
        settings = {"network": title, "layers": [one.spec.name for one in chosen]}
        return build_schedule(config, title, chosen, settings)

    return Offer(f"{format_title(model)} filters", collect)


def offer_curves(name: str, columns: Mapping[str, np.ndarray], *, log: bool) -> Offer | None:
    """Offer the losses of a training run."""
    if not len(columns.get("kimg", ())):
        return None
    return Offer(f"{name} losses", lambda _: build_curves([RunCurves(name, columns)], log=log))


def offer_gallery(view: GalleryView, picture: PictureRequest) -> Offer:
    """Offer the gallery's page, as large as the panel drew it."""
    name = format_title(view.model)
    last = view.first + view.size**2 - 1
    title = f"{name}, seeds {view.first} to {last}"
    seeds = [*range(view.first, last + 1)]
    side = view.size
    height, width = view.cells.shape[0] // side, view.cells.shape[1] // side
    cells = view.cells.reshape(side, height, side, width, 4).swapaxes(1, 2).reshape(side * side, height, width, 4)
    arrays = (
        Array("seeds", seeds, "", "seed of each picture"),
        Array("pictures", cells, "0 to 255", "the pictures, reduced: seed, row down, column right, RGBA"),
    )

    def fill(figure: Figure) -> None:
        figure.suptitle(title, x=0.01, ha="left")
        for axes, cell, seed in zip(figure.subplots(side, side, squeeze=False).ravel(), cells, seeds, strict=True):
            axes.imshow(cell, interpolation="antialiased")
            axes.axis("off")
            axes.set_title(str(seed), loc="center", fontsize=7, pad=2)

    def table() -> Table:
        places = np.arange(side * side)
        row = Array("row", places // side, "", "from above, from 0")
        return (arrays[0], row, Array("column", places % side, "", "from the left, from 0"))

    settings = {"request": {**describe_request(picture, name), "latent": "the seeds"}}
    inches = (GALLERY_INCHES, GALLERY_INCHES * height / width + GALLERY_HEAD)
    export = Export("gallery", title, settings, inches, fill, arrays, table, view.cells)
    return Offer(f"{name} seeds {view.first}-{last}", lambda _: export)
