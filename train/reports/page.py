# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""A run as one page of HTML that carries all that it shows: no script, nothing fetched, to be sent or kept."""

from __future__ import annotations

import base64
import html
import io
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from gan.files.atomic_write import atomic_write
from gan.files.format import format_duration
from gan.hub.url import DownloadError, is_address, parse_address
from gan.networks.ladder import RUNGS
from train.reports.curves import Curve, draw_curves
from train.reports.run_files import Grid, RunFiles, find_kimg, is_number, read_run

MOST_GRIDS = 8  # of fakes over time
GRID_WIDTH, NEWEST_WIDTH = 480, 1280  # pixels of a grid on the page
MAX_PIXELS = 2**27  # of a grid that is read
QUALITY = 85
CHARTS = (  # title, logarithmic, (name in stats.jsonl, what it is called)
    ("Losses", False, (("loss_g", "G"), ("loss_d", "D"), ("pl", "path length"))),
    ("R1 penalty, before its weight", True, (("r1", "R1"),)),
    (
        "Signs of D's output, and augmentation",
        False,
        (("d_real_sign", "on reals"), ("d_fake_sign", "on fakes"), ("augment_p", "p of augmentation")),
    ),
    ("Images a second", False, (("images_per_s", "images/s"),)),
    ("Share of the time spent waiting for pictures", False, (("data_wait", "waiting"),)),
    ("Memory, MB", False, (("memory_mb", "in use"), ("memory_reserved_mb", "reserved"))),
)
MAIN = (
    "data_name", "data_images", "subset", "mirror", "mirror_y", "batch", "gamma", "g_lr", "d_lr", "seed", "device",
    "half", "transfer", "freezed", "snap",
)  # fmt: skip
STYLE = """
:root { color-scheme: light dark; --ink: #1d2126; --dim: #667079; --paper: #fbfbfa; --line: #dfe2e5; --card: #fff;
  --c0: #4f8a3b; --c1: #8159b3; --c2: #b8682a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e6e9; --dim: #98a1ab; --paper: #16181b; --line: #33383e;
  --card: #1d2024; --c0: #86bd70; --c1: #b394dc; --c2: #e09a61; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 76rem; padding: 2rem 1.5rem 4rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2.2rem 0 .8rem; }
.dim, figcaption, .facts dt { color: var(--dim); }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(10rem, 1fr)); gap: .6rem 1.5rem; margin: 0; }
.facts dt { font-size: .85rem; } .facts dd { margin: 0; overflow-wrap: anywhere; }
.row { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(30rem, 100%), 1fr)); gap: 1rem; }
.strip { display: grid; grid-template-columns: repeat(auto-fill, minmax(14rem, 1fr)); gap: 1rem; }
figure { margin: 0; } figure img { width: 100%; height: auto; display: block; border-radius: 4px; }
figcaption { font-size: .9rem; margin-bottom: .3rem; } figcaption b { color: var(--ink); font-weight: 600; }
.curves { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: .7rem .8rem .4rem; }
svg { width: 100%; height: auto; display: block; } svg text { fill: var(--dim); font: 11px system-ui, sans-serif; }
.grid { stroke: var(--line); } polyline { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
polyline.c0 { stroke: var(--c0); } polyline.c1 { stroke: var(--c1); } polyline.c2 { stroke: var(--c2); }
circle.c0 { fill: var(--c0); } circle.c1 { fill: var(--c1); } circle.c2 { fill: var(--c2); }
.key { margin-left: .9rem; display: inline-block; }
.key.c0 { color: var(--c0); } .key.c1 { color: var(--c1); } .key.c2 { color: var(--c2); }
table { border-collapse: collapse; } td, th { text-align: left; padding: .15rem 1.2rem .15rem 0; vertical-align: top;
  border-bottom: 1px solid var(--line); font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
details { margin-top: .8rem; } summary { cursor: pointer; color: var(--dim); }
pre { overflow-x: auto; font-size: 12px; } .error { color: #c0392b; }
"""


def write_report(folder: Path, out: Path) -> None:
    """Write the page of a run folder to `out`. OSError."""
    text = build_page(read_run(folder))
    with atomic_write(out) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="replace")


def build_page(run: RunFiles) -> str:
    """Return the page of a run as HTML."""
    title = html.escape(run.folder.resolve().name)
    parts = [_head(run, title), _pictures(run), _curves(run), _metrics(run), _options(run)]
    if run.log:
        parts.append(f"<h2>Log</h2><details><summary>log.txt</summary><pre>{html.escape(run.log)}</pre></details>")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head>\n<body>{''.join(parts)}</body></html>\n"
    )


def _head(run: RunFiles, title: str) -> str:
    options, progress = run.options, run.progress
    network = options.get("generator")
    network = network if isinstance(network, Mapping) else {}
    rung = dict(RUNGS).get(str(network.get("rung")), "")
    facts = {
        "rung": f"{network.get('rung', '?')}  {rung}",
        "pictures": f"{options.get('data_name', '?')}, {options.get('data_images', '?')} of "
        f"{network.get('resolution', '?')}x{network.get('resolution', '?')}",
        "state": str(progress.get("state", "unknown")),
        "trained": _length(progress),
    }
    last: Mapping[str, Any] = run.rows[-1] if run.rows else {}
    if is_number(last.get("seconds")) and 0 <= last["seconds"] < 1e12:
        facts["time"] = format_duration(last["seconds"])
    error = progress.get("error")
    failed = f'<p class="error">{html.escape(error)}</p>' if isinstance(error, str) and error else ""
    return f"<h1>{title}</h1>{failed}<h2>Run</h2>{_facts(facts)}"


def _length(progress: Mapping[str, Any]) -> str:
    images, total = (_number(progress.get(name)) for name in ("images", "total_images"))
    if images is None or total is None:
        return "unknown"
    return f"{images / 1000:g} of {total / 1000:g} kimg"


def _facts(facts: Mapping[str, str]) -> str:
    entries = (f"<div><dt>{html.escape(name)}</dt><dd>{html.escape(text)}</dd></div>" for name, text in facts.items())
    return f'<dl class="facts">{"".join(entries)}</dl>'


def _pictures(run: RunFiles) -> str:
    newest = [_figure(grid.path, f"Fakes, {grid.kimg:g} kimg", NEWEST_WIDTH) for grid in run.fakes[-1:]]
    reals = [] if run.reals is None else [_figure(run.reals, "Reals, as training sees them", NEWEST_WIDTH)]
    shown = [_figure(grid.path, f"{grid.kimg:g} kimg", GRID_WIDTH) for grid in choose_grids(run.fakes)]
    parts = [f'<h2>Pictures</h2><div class="row">{"".join([*newest, *reals])}</div>'] if newest or reals else []
    if len(shown) > 1:
        parts.append(f'<h2>Fakes over time, of the same latents</h2><div class="strip">{"".join(shown)}</div>')
    return "".join(parts)


def choose_grids(grids: Sequence[Grid]) -> list[Grid]:
    """Return MOST_GRIDS of a run's grids or fewer: the first, the newest, and those nearest to even steps between."""
    if len(grids) <= MOST_GRIDS:
        return list(grids)
    first, last = grids[0].kimg, grids[-1].kimg
    wanted = (first + (last - first) * step / (MOST_GRIDS - 1) for step in range(MOST_GRIDS))
    chosen = {min(range(len(grids)), key=lambda index: abs(grids[index].kimg - kimg)) for kimg in wanted}
    return [grids[index] for index in sorted(chosen)]


def _figure(path: Path, caption: str, width: int) -> str:
    data = encode_picture(path, width)
    if not data:
        return ""
    text = html.escape(caption, quote=True)
    return f'<figure><figcaption>{text}</figcaption><img alt="{text}" src="{data}"></figure>'


def encode_picture(path: Path, width: int) -> str:
    """Return a PNG of a run folder as a data address of a JPEG `width` pixels wide at most; "" if it is damaged.

    A small grid stays as it is, as a PNG: its pixels are meant to be seen.
    """
    try:
        with Image.open(path, formats=["PNG"]) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                return ""
            image: Image.Image = opened.convert("RGB")
        shrunk = image.width > width
        if shrunk:
            image.thumbnail((width, width * 4), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        kind = "jpeg" if shrunk else "png"
        image.save(buffer, kind, **({"quality": QUALITY} if shrunk else {}))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return ""
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _curves(run: RunFiles) -> str:
    figures = []
    for title, log, names in CHARTS:
        curves = [
            Curve(label, f"c{number}", [(float(row["kimg"]), _number(row.get(name))) for row in run.rows])
            for number, (name, label) in enumerate(names)
        ]
        figures.append(draw_curves(title, curves, "kimg", log))
    drawn = "".join(figures)
    return f'<h2>Curves</h2><div class="row">{drawn}</div>' if drawn else ""


def _number(value: Any) -> float | None:
    return float(value) if is_number(value) else None


def _metrics(run: RunFiles) -> str:
    figures, lines = [], []
    for name, rows in run.metrics.items():
        points: dict[str, list[tuple[float, float | None]]] = {}
        for (kimg, key), value in sorted(_find_last(rows).items()):
            lines.append((key, "" if kimg < 0 else f"{kimg:g}", _figure_text(value)))
            points.setdefault(key, []).append((kimg, value))
        curves = [Curve(key, f"c{number % 3}", of) for number, (key, of) in enumerate(points.items())]
        figures.append(draw_curves(name, curves, "kimg"))
    if not lines:
        return ""
    rows_text = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in line)}</tr>" for line in lines)
    table = f"<table><tr><th>metric</th><th>kimg</th><th>value</th></tr>{rows_text}</table>"
    shown = f"<details><summary>{len(lines)} figures</summary>{table}</details>" if len(lines) > 12 else table
    return f'<h2>Metrics</h2><div class="row">{"".join(figures)}</div>{shown}'


def _find_last(rows: Sequence[Mapping[str, Any]]) -> dict[tuple[float, str], float | None]:
    """Return figures by the age of their snapshot (-1: unknown) and their name; of several the last that is a number.

    A file holds them in the order in which they were measured.
    """
    found: dict[tuple[float, str], float | None] = {}
    for row in rows:
        results, kimg = row.get("results"), find_kimg(row)
        for key, value in results.items() if isinstance(results, dict) else ():
            place, number = (-1.0 if kimg is None else kimg, str(key)), _number(value)
            if number is not None or place not in found:
                found[place] = number
    return found


def _figure_text(value: Any) -> str:
    number = _number(value)
    return "not measured" if number is None else f"{number:.5g}"


def _options(run: RunFiles) -> str:
    if not run.options:
        return ""
    main = {name: _show(run.options[name]) for name in MAIN if run.options.get(name) not in (None, "", 0, False)}
    folderless = os.path.basename(str(run.options.get("data", "")))  # a page is shown to others
    told = {**run.options, "data": folderless}
    every = "".join(
        f"<tr><td>{html.escape(str(name))}</td><td>{html.escape(_show(value))}</td></tr>"
        for name, value in told.items()
    )
    more = f"<details><summary>training_options.json</summary><table>{every}</table></details>"
    return f"<h2>Options</h2>{_facts(main)}{more}"


def _show(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return json.dumps([_hide_secrets(item) for item in value])
    return f"{value:g}" if isinstance(value, float) else value if isinstance(value, str) else json.dumps(value)


def _hide_secrets(value: Any) -> Any:
    """Return a detector's address without the password that it may hold: a page is sent to others."""
    if not isinstance(value, str) or not is_address(value):
        return value
    try:
        return parse_address(value).shown
    except DownloadError:
        return "an address"
