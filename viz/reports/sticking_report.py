# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Write what a study of texture sticking found: a line a model for the terminal, and a folder of pictures and JSON."""

from __future__ import annotations

import io
import json
import math
import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from PIL import Image

from gan.files.atomic_write import atomic_write
from gan.hub.resolve import cite_model
from viz.reports.export import encode_export
from viz.reports.sticking_figure import build_sticking
from viz.reports.sticking_study import Findings, Model, Settings, format_percent

DEFINITIONS = {
    "stickiness": "share of the energy of fine detail (1/8 cycle a pixel and more) that stays where it is on the "
    "screen while the input moves the content by `distance` of the model's own pixels; `follows` moves with it, "
    "`boils` does neither; standard errors over latents (gan.analysis.stickiness has the formula)",
    "kept": "share of fine detail (a picture less its blur of 2 pixels) that the neighbours have in common, at the "
    "same place",
    "streaks": "share of a slice's fine detail that stays at its place in time, from pairs of columns at least an "
    "eighth of the slice apart; walk: the latent goes round its neighbourhood; glide: the content moves along the "
    "segment and back by 1/8 picture width; content that does not move draws streaks, too, so that two models compare "
    "only where their contents move alike",
    "radius": "neighbours are (z + radius n) / sqrt(1 + radius^2), n normal random numbers: an angle of about "
    "atan(radius) in a model of any z_dim",
    "sizes": "lengths and the segment are in picture widths, fine detail and distances in each model's own pixels",
}


def describe_stickiness(models: Sequence[Model], found: Sequence[Findings]) -> list[str]:
    """Return a line a model: side, name and stickiness with its standard error."""
    width = max(len(model.name) for model in models)
    lines = []
    for model, findings in zip(models, found, strict=True):
        if findings.shares is None:
            text = "no Fourier input (rung B on): its content cannot be moved, so there is no stickiness to measure"
        else:
            parts = (
                f"{format_percent(s.stays)} ± {format_percent(s.stays_error)} % at {s.distance} px"
                for s in findings.shares
            )
            text = "stickiness " + ", ".join(parts)
        lines.append(f"{model.side:5}  {model.name:{width}}  {text}")
    return lines


def build_files(
    models: Sequence[Model], settings: Settings, found: Sequence[Findings], also: Sequence[str] = ()
) -> dict[str, bytes]:
    """Return the contents of all files of the report by name: the figure, its parts, and sticking.json.

    `also`: names of further files of the figure or its numbers, which their endings tell apart.
    """
    document: dict[str, Any] = {"schema": 1, "settings": asdict(settings), "definitions": DEFINITIONS}
    cited = {model.side: cite_model(model.given, model.path) for model in models}
    export = build_sticking(models, settings, found, {**cited, "settings": document["settings"]})
    files = {name: encode_export(export, Path(name).suffix) for name in ("figure.png", *also)}
    for model, findings in zip(models, found, strict=True):
        parts = {"centre": findings.centre, "mean": findings.mean, "walk": findings.walk, "glide": findings.glide}
        names = {part: f"{model.side}-{part}.png" for part, pixels in parts.items() if pixels is not None}
        files |= {name: _png(parts[part]) for part, name in names.items()}
        document[model.side] = {
            "model": cited[model.side],
            "name": model.name,
            "rung": model.config.rung,
            "resolution": model.config.resolution,
            "z_dim": model.config.z_dim,
            "kimg": model.kimg,
            "label": model.label,
            "stickiness": None if findings.shares is None else [_json(asdict(shares)) for shares in findings.shares],
            **_json({"kept": findings.kept}),
            "streaks": _json({"walk": findings.walk_streaks, "glide": findings.glide_streaks}),
            "files": names,
        }
    files["sticking.json"] = (json.dumps(document, indent=2) + "\n").encode()
    return files


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write all files into `folder` or, if anything goes wrong before the last one is written, none. Raises OSError."""
    new = not os.path.isdir(folder)
    try:
        with ExitStack() as stack:
            for name, content in files.items():
                stack.enter_context(atomic_write(folder / name)).write_bytes(content)
    except BaseException:
        if new and os.path.isdir(folder) and not os.listdir(folder):
            folder.rmdir()
        raise


def _json(numbers: Mapping[str, float]) -> dict[str, float | None]:
    """Replace nan and infinity, which JSON does not have, by null."""
    return {name: value if math.isfinite(value) else None for name, value in numbers.items()}


def _png(pixels: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()
