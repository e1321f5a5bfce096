# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""A run's page: all that it shows is in it, and nothing of a run folder becomes markup."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.trainer import SMALL, call, rows

from train.reports.curves import Curve, draw_curves
from train.reports.page import MOST_GRIDS, build_page, choose_grids
from train.reports.run_files import MAX_LOG, Grid, read_run

VOID = {"meta", "img", "line", "polyline", "circle"}


class Tree(HTMLParser):
    """Check that tags are closed in their order; keep addresses and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []
        self.tags: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.sources += [value or "" for name, value in attrs if name in ("src", "href")]
        assert not any(name.startswith("on") for name, _ in attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def parse(page: str) -> Tree:
    tree = Tree()
    tree.feed(page)
    assert not tree.open and "script" not in tree.tags
    assert all(source.startswith("data:image/") for source in tree.sources)
    assert not re.search(r"url\(|@import|https?://", page)
    return tree


def test_a_run_becomes_a_page(tmp_path: Path, data: Path) -> None:
    result = call("--cfg=T", f"--data={data}", f"--outdir={tmp_path / 'runs'}", "--kimg=0.02", *SMALL)
    assert result.exit_code == 0, result.output
    run = next((tmp_path / "runs").iterdir())
    line = {"results": {"fid50k_full": 12.5}, "metric": "fid50k_full", "snapshot_pkl": "network-snapshot-000000-008.x"}
    unknown = {**line, "results": {"stickiness": None}}
    (run / "metric-fid50k_full.jsonl").write_text(json.dumps(line) + "\nno JSON\n" + json.dumps(unknown) + "\n")
    out = tmp_path / "page.html"
    result = call("report", run, f"--out={out}")
    assert result.exit_code == 0, result.output
    tree = parse(out.read_text(encoding="utf-8"))
    last = rows(run)[-1]
    said = "StyleGAN3-T", "finished", "0.02 of 0.02 kimg", f"{last['loss_g']:.4g}", "12.5", "not measured"
    for words in (*said, "blobs", "Reals"):
        assert words in tree.text, words
    assert str(data) not in tree.text
    assert len(tree.sources) == 2 + 4, "the newest fakes and the reals, and four grids over time"
    assert call("report", run, f"--out={out}").exit_code == 2, "nothing is replaced unasked"
    assert call("report", run, f"--out={out}", "--overwrite").exit_code == 0
    assert call("report", run, "--out=page.pdf").exit_code == 2


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    result = call("report", tmp_path, f"--out={tmp_path / 'a.html'}")
    assert result.exit_code == 1 and "it is no run folder" in result.output and not list(tmp_path.iterdir())


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", "</style><img src=x onerror=y>", "\x00\ud800"])
def test_hostile_files_stay_text(tmp_path: Path, hostile: str) -> None:
    run = tmp_path / "run<b>&"
    run.mkdir()
    options = {"data_name": hostile, "generator": {"rung": hostile}, hostile: hostile, "gamma": [hostile]}
    (run / "training_options.json").write_text(json.dumps(options))
    (run / "progress.json").write_text(json.dumps({"state": hostile, "images": hostile, "error": hostile}))
    lines = (
        *({"kimg": 1, "loss_g": hostile}, {"kimg": 2, "loss_g": 1e308}, {"kimg": -1, "loss_d": 1}, {"kimg": [1]}),
        *({"kimg": 10**400}, {"kimg": float("nan"), "seconds": 10**400}, {"kimg": 3, "loss_g": 10**400}),
    )
    (run / "stats.jsonl").write_text("\n".join(json.dumps(line) for line in lines) + "\n" + "[" * 5000)
    (run / "metric-x.jsonl").write_text(json.dumps({"results": {hostile: hostile}, "snapshot_pkl": hostile}))
    (run / "log.txt").write_text(hostile, encoding="utf-8", errors="replace")
    (run / "fakes000001-000.png").write_bytes(b"\x89PNG\r\n damaged")
    (run / "reals.png").mkdir()
    parse(build_page(read_run(run)))


def test_a_long_log_is_shown_to_its_end(tmp_path: Path) -> None:
    lines = "".join(f"tick {i} of a long run\n" for i in range(20_000)) + "Finished 1 kimg.\n"
    (tmp_path / "log.txt").write_text(lines)
    log = read_run(tmp_path).log
    assert re.match(r"\(The first \d+ KiB are left out\.\)\ntick \d+ of", log) and log.endswith("Finished 1 kimg.\n")
    assert len(log.encode()) <= MAX_LOG + 100
    (tmp_path / "log.txt").write_text("all of it\n")
    assert read_run(tmp_path).log == "all of it\n"


def test_figures_are_in_order_of_age_and_the_last_of_each_counts(tmp_path: Path) -> None:
    lines = [
        {"results": {"fid50k_full": figure}, "snapshot_pkl": f"network-snapshot-{kimg:06d}-000.safetensors"}
        for kimg, figure in ((20, 7.25), (10, 9.5), (20, 6.75), (10, None))
    ]
    (tmp_path / "metric-fid50k_full.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    page = build_page(read_run(tmp_path))
    table = re.findall("<tr><td>fid50k_full</td><td>([^<]*)</td><td>([^<]*)</td></tr>", page)
    assert table == [("10", "9.5"), ("20", "6.75")]
    (x0, y0), (x1, y1) = points(page)
    assert x0 < x1 and y0 < y1, "the curve goes down, and not back"


def test_a_page_that_is_sent_holds_no_password(tmp_path: Path) -> None:
    user = "me:secret"
    addresses = [f"https://{user}@example.com/vgg16.pt?token=hidden", "http://[secret"]
    (tmp_path / "training_options.json").write_text(json.dumps({"detectors": addresses}))
    page = build_page(read_run(tmp_path))
    assert "example.com/vgg16.pt" in page and "secret" not in page and "hidden" not in page


def test_an_empty_run_has_a_page(tmp_path: Path) -> None:
    assert "unknown" in parse(build_page(read_run(tmp_path))).text


def test_large_grids_are_made_small(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (600, 4000, 3), dtype=np.uint8)
    for kimg in (0, 5):
        Image.fromarray(pixels).save(tmp_path / f"fakes{kimg:06d}-000.png")
    page = build_page(read_run(tmp_path))
    assert page.count("data:image/jpeg") == 3 and len(page) < 2**20


def test_grids_are_chosen_evenly_in_time() -> None:
    grids = [Grid(Path(), kimg) for kimg in [*np.linspace(0, 1, 50), 50, 100]]
    chosen = [grid.kimg for grid in choose_grids(grids)]
    assert len(chosen) <= MOST_GRIDS and chosen[0] == 0 and chosen[-1] == 100 and 50 in chosen
    assert choose_grids(grids[:3]) == grids[:3]


def points(figure: str) -> list[tuple[float, float]]:
    found = re.search(r'polyline class="c0" points="([^"]*)"', figure)
    assert found
    return [tuple(map(float, pair.split(","))) for pair in found[1].split()]  # type: ignore[misc]


def test_curves_stand_where_their_values_are() -> None:
    figure = draw_curves("x", [Curve("y", "c0", [(0, 1.0), (1, None), (2, 3.0), (4, 2.0)])], "kimg")
    (x0, y0), (x1, y1), (x2, y2) = points(figure)
    assert x1 - x0 == pytest.approx(x2 - x1, abs=0.2) and y1 < y2 < y0
    assert y0 - y2 == pytest.approx(y2 - y1, abs=0.2)
    logarithmic = points(draw_curves("x", [Curve("y", "c0", [(1, 1e-3), (2, 1e-1), (3, 10.0), (4, 0.0)])], "", True))
    assert len(logarithmic) == 3 and logarithmic[0][1] - logarithmic[1][1] == pytest.approx(
        logarithmic[1][1] - logarithmic[2][1], abs=0.2
    )
    assert draw_curves("x", [Curve("y", "c0", [(1, None), (2, float("nan"))])], "kimg") == ""
    sparse = [(float(x), 1.0 + x if x % 16 == 1 else None) for x in range(5000)]  # R1, in one of many ticks
    assert len(points(draw_curves("x", [Curve("y", "c0", sparse)], "kimg"))) == 313
    many = draw_curves("x", [Curve("y", "c0", [(x, float(x)) for x in range(100_000)])], "kimg")
    assert len(points(many)) <= 1001 and "circle" in draw_curves("x", [Curve("y", "c0", [(1, 5.0)])], "kimg")
