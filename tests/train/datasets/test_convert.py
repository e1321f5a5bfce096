# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Converting any pictures into a data set: the same bytes always, nothing lost silently, the source untouched."""

import csv
import hashlib
import io
import json
import os
import tarfile
import zipfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from gan.data.file_sets import ImageError
from gan.data.image_dataset import open_images
from train.cli.main import main
from train.datasets import convert as converting
from train.datasets.convert import convert_dataset
from train.datasets.transform import Transform, convert_picture


def noise(seed: int, height: int, width: int, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Twelve pictures in two folders: several formats and sizes, one with alpha, one of 16 bits, one damaged."""
    folder = tmp_path / "photos"
    for kind in ("cats", "dogs"):
        (folder / kind).mkdir(parents=True)
    for index, suffix in enumerate(("png", "jpg", "webp", "bmp", "tiff", "gif")):
        Image.fromarray(noise(index, 50 + index, 40)).save(folder / ("cats", "dogs")[index % 2] / f"{index}.{suffix}")
    Image.new("RGBA", (40, 40), (255, 0, 0, 0)).save(folder / "cats" / "clear.png")
    Image.new("CMYK", (40, 40), (0, 255, 255, 0)).save(folder / "dogs" / "print.jpg")
    Image.fromarray(np.full((40, 40), 0x8080, np.uint16)).save(folder / "dogs" / "deep.png")
    (folder / "dogs" / "bad.png").write_bytes(b"no picture")
    (folder / "dogs" / "again.png").write_bytes((folder / "cats" / "0.png").read_bytes())
    (folder / "notes.txt").write_text("hello")
    return folder


def digest_of(folder: Path) -> dict[str, str]:
    return {
        str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.rglob("*")) if file.is_file()
    }


def rows_of(out: Path) -> dict[str, dict[str, str]]:
    text = out.with_name(f"{out.name}.report.csv").read_text(encoding="utf-8")
    return {row["source"]: row for row in csv.DictReader(io.StringIO(text))}


def picture_of(out: Path, source: str) -> np.ndarray:
    with zipfile.ZipFile(out) as archive:
        return np.asarray(Image.open(io.BytesIO(archive.read(rows_of(out)[source]["file"]))))


def test_every_kind_of_picture_becomes_one(photos: Path, tmp_path: Path) -> None:
    before, out = digest_of(photos), tmp_path / "set.zip"
    report = convert_dataset(photos, out, Transform(32), labels="folders")
    source = open_images(out, 32)
    assert len(source) == 10 and source.labels is not None and source.labels.classes == ("cats", "dogs")
    assert source.labels.values.tolist() == [0] * 4 + [1] * 6
    np.testing.assert_array_equal(picture_of(out, "cats/clear.png"), 255)
    np.testing.assert_array_equal(picture_of(out, "dogs/deep.png"), 128)  # not clipped to white
    assert (
        picture_of(out, "dogs/print.jpg")[..., 0].min() > 180 and picture_of(out, "dogs/print.jpg")[..., 1].max() < 60
    )
    rows = rows_of(out)
    assert rows["dogs/bad.png"]["outcome"] == "left out" and not rows["dogs/bad.png"]["file"]
    assert (rows["dogs/again.png"]["outcome"], rows["dogs/again.png"]["why"]) == ("duplicate", "the same as cats/0.png")
    assert "no picture" in rows["notes.txt"]["why"]
    assert "10 pictures in 2 classes" in report.describe() and "1 duplicate, kept" in report.describe()
    assert digest_of(photos) == before
    assert not list(tmp_path.glob(".*"))


def test_the_bytes_are_the_same_for_any_workers_and_sources(photos: Path, tmp_path: Path) -> None:
    outs = [tmp_path / f"{number}.zip" for number in range(4)]
    convert_dataset(photos, outs[0], Transform(32))
    convert_dataset(photos, outs[1], Transform(32), workers=2)
    with tarfile.open(tmp_path / "photos.tar.gz", "w:gz") as archive:
        archive.add(photos, ".")
    convert_dataset(tmp_path / "photos.tar.gz", outs[2], Transform(32))
    names = sorted(str(file) for file in photos.rglob("*.*") if file.name != "notes.txt")
    (tmp_path / "list.txt").write_text("# mine\n" + "\n".join(names) + "\n")
    convert_dataset(tmp_path / "list.txt", outs[3], Transform(32))
    assert len({hashlib.sha256(out.read_bytes()).hexdigest() for out in outs}) == 1


def test_no_clock_is_in_the_bytes() -> None:
    """A profile that Pillow makes, and puts into what it converted, says when."""
    stream = io.BytesIO()
    Image.new("LAB", (32, 32), (120, 130, 140)).save(stream, "TIFF")
    assert b"iCCP" not in convert_picture(stream.getvalue(), Transform(16)).png


def test_a_tar_is_read_in_its_own_order(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Going back in a compressed one would unpack all of it, once a picture."""
    names = sorted((file.relative_to(photos).as_posix() for file in photos.rglob("*.*")), key=lambda name: name[::-1])
    with tarfile.open(tmp_path / "photos.tar.gz", "w:gz") as archive:
        for name in names:
            archive.add(photos / name, name)
    convert_dataset(photos, tmp_path / "a.zip", Transform(32), labels="folders")
    read: list[str] = []
    original = converting.read_picture
    monkeypatch.setattr(converting, "read_picture", lambda files, name: read.append(name) or original(files, name))
    convert_dataset(tmp_path / "photos.tar.gz", tmp_path / "b.zip", Transform(32), labels="folders")
    assert read == [name for name in names if name != "notes.txt"] != sorted(read)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


@pytest.mark.parametrize("stop", [0, 1, 5])
def test_it_goes_on_after_an_interrupt(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: int
) -> None:
    convert_dataset(photos, tmp_path / "whole.zip", Transform(32))
    seen: list[int] = []

    def progress(done: int, total: int) -> None:
        seen.append(done)
        if done == stop + 1 and len(seen) == done:
            raise KeyboardInterrupt

    out = tmp_path / "set.zip"
    with pytest.raises(KeyboardInterrupt):
        convert_dataset(photos, out, Transform(32), progress=progress)
    assert not out.exists()
    with open(tmp_path / ".set.zip.partial", "ab") as file:
        file.write(b'{"key": "half')  # as a crash leaves it
    convert_dataset(photos, out, Transform(32), progress=progress)
    assert seen == list(range(1, 12))  # none was done twice
    assert out.read_bytes() == (tmp_path / "whole.zip").read_bytes()
    assert not (tmp_path / ".set.zip.partial").exists()


def test_one_process_at_a_time_writes_a_set(photos: Path, tmp_path: Path) -> None:
    """Two would write their pictures into one journal, and each would find the other's under its own labels."""
    out = tmp_path / "set.zip"

    def begin_again(done: int, total: int) -> None:
        with pytest.raises(ImageError, match="Another process"):
            convert_dataset(photos, out, Transform(16))

    convert_dataset(photos, out, Transform(32), progress=begin_again)
    assert open_images(out).resolution == 32 and not list(tmp_path.glob(".*"))


def test_the_source_is_never_written_to(photos: Path, tmp_path: Path) -> None:
    convert_dataset(photos, tmp_path / "a.zip", Transform(32))
    before = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "b.zip").hardlink_to(tmp_path / "a.zip")
    for name in ("a.zip", "b.zip"):
        with pytest.raises(ImageError, match="what is to be converted"):
            convert_dataset(tmp_path / "a.zip", tmp_path / name, Transform(16))
        assert (tmp_path / name).read_bytes() == before


def test_a_worker_that_the_system_ends_is_no_crash(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit = ProcessPoolExecutor.submit
    monkeypatch.setattr(ProcessPoolExecutor, "submit", lambda pool, job, *facts: submit(pool, os._exit, 1))
    with pytest.raises(ImageError, match="fewer --workers"):
        convert_dataset(photos, tmp_path / "a.zip", Transform(32), workers=2)


def test_other_options_begin_anew(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "set.zip"

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert_dataset(photos, out, Transform(32), progress=stop)
    convert_dataset(photos, out, Transform(16, "pad"))
    assert open_images(out).resolution == 16


@pytest.mark.parametrize("workers", [1, 2])
def test_memory_does_not_grow_with_the_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int) -> None:
    """No more than a few pictures are read before the first is written."""
    names = [f"{index}.png" for index in range(40)]
    (tmp_path / "set").mkdir()
    for index, name in enumerate(names):
        Image.fromarray(noise(index, 16, 16)).save(tmp_path / "set" / name)
    read: list[str] = []
    original = converting.read_picture
    monkeypatch.setattr(converting, "read_picture", lambda files, name: read.append(name) or original(files, name))
    ahead: list[int] = []
    convert_dataset(
        tmp_path / "set",
        tmp_path / "a.zip",
        Transform(16),
        workers=workers,
        progress=lambda done, total: ahead.append(len(read) - done),
    )
    assert max(ahead) <= workers * converting.AHEAD


@pytest.mark.parametrize(
    ("crop", "box", "bars"),
    [
        ("center", (20, 0, 60, 40), None),
        ("stretch", (0, 0, 80, 40), None),
        ("pad", (0, 0, 80, 40), slice(8, 24)),
        ("wide", (80 / 6, 0, 400 / 6, 40), slice(4, 28)),
    ],
)
def test_crops(tmp_path: Path, crop: str, box: tuple[float, float, float, float], bars: slice | None) -> None:
    (tmp_path / "a").mkdir()
    image = Image.fromarray(noise(3, 40, 80))
    image.save(tmp_path / "a" / "a.png")
    out = tmp_path / "a.zip"
    convert_dataset(tmp_path / "a", out, Transform(32, crop, 24, background=(1, 2, 3)))
    found = picture_of(out, "a.png")
    rows = bars or slice(0, 32)
    expected = image.resize((32, rows.stop - rows.start), Image.Resampling.LANCZOS, box)
    np.testing.assert_array_equal(found[rows], np.asarray(expected))
    outside = np.ones(32, bool)
    outside[rows] = False
    assert (found[outside] == (1, 2, 3)).all()


def test_alpha_and_grey_can_be_kept(photos: Path, tmp_path: Path) -> None:
    convert_dataset(photos, tmp_path / "4.zip", Transform(32, channels=4))
    clear = open_images(tmp_path / "4.zip")
    assert clear.channels == 4 and picture_of(tmp_path / "4.zip", "cats/clear.png")[..., 3].max() == 0
    convert_dataset(photos, tmp_path / "1.zip", Transform(32, channels=1))
    assert open_images(tmp_path / "1.zip").channels == 1


def test_what_hides_under_alpha_stays_hidden(tmp_path: Path) -> None:
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[:, :32] = (255, 0, 0, 0)  # red, but not to be seen
    pixels[:, 32:] = (0, 0, 255, 255)
    (tmp_path / "a").mkdir()
    Image.fromarray(pixels).save(tmp_path / "a" / "a.png")
    convert_dataset(tmp_path / "a", tmp_path / "a.zip", Transform(16, channels=4))
    found = picture_of(tmp_path / "a.zip", "a.png")
    assert found[found[..., 3] > 0][:, 0].max() <= 1


@pytest.mark.parametrize(
    ("text", "labels", "classes"),
    [
        ("file,class\na.png,tabby\nb.png,manx\n", [1, 0], ("manx", "tabby")),
        ("a.png,3\nb.png,0\n", [3, 0], ()),
        ("a.png,0.5\nb.png,-2\n", [[0.5], [-2.0]], ()),
        ("b.png,0.5,1\na.png,0.25,2\n", [[0.25, 2.0], [0.5, 1.0]], ()),
    ],
)
def test_labels_from_a_table(tmp_path: Path, text: str, labels: list[object], classes: tuple[str, ...]) -> None:
    (tmp_path / "a").mkdir()
    for index, name in enumerate(("a.png", "b.png")):
        Image.fromarray(noise(index, 16, 16)).save(tmp_path / "a" / name)
    (tmp_path / "labels.csv").write_text(text)
    convert_dataset(tmp_path / "a", tmp_path / "a.zip", Transform(16), labels=str(tmp_path / "labels.csv"))
    found = open_images(tmp_path / "a.zip").labels
    assert found is not None and found.values.tolist() == labels and found.classes == classes


@pytest.mark.parametrize(
    ("text", "word"),
    [("a.png\n", "without a label"), ("a.png,x,y\nb.png,1,2\n", "cannot be read"), ("a.png,1\n", "no label for b.png")],
)
def test_refuses_a_table_that_is_no_labels(tmp_path: Path, text: str, word: str) -> None:
    (tmp_path / "a").mkdir()
    for index, name in enumerate(("a.png", "b.png")):
        Image.fromarray(noise(index, 16, 16)).save(tmp_path / "a" / name)
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(ImageError, match=word):
        convert_dataset(tmp_path / "a", tmp_path / "a.zip", Transform(16), labels=str(tmp_path / "labels.csv"))


def test_the_labels_of_the_source_are_kept(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for index, name in enumerate(("a.png", "b.png", "c.png")):
        Image.fromarray(noise(index, 16, 16)).save(tmp_path / "a" / name)
    (tmp_path / "a" / "b.png").write_bytes(b"damaged")
    entries = [["a.png", 1], ["b.png", 0], ["c.png", 0]]
    (tmp_path / "a" / "dataset.json").write_text(json.dumps({"labels": entries, "classes": ["x", "y"]}))
    convert_dataset(tmp_path / "a", tmp_path / "a.zip", Transform(16))
    labels = open_images(tmp_path / "a.zip").labels
    assert labels is not None and labels.values.tolist() == [1, 0] and labels.classes == ("x", "y")


def test_the_command(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "set.zip"
    words = ["dataset", "convert", str(photos), "--out", str(out), "--size=32", "--workers=1"]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    assert "10 pictures" in done.output and "dogs/bad.png" in done.output
    again = CliRunner().invoke(main, words)
    assert again.exit_code == 2 and "--overwrite" in again.output
    assert CliRunner().invoke(main, [*words, "--overwrite", "--max=3"]).exit_code == 0
    assert len(open_images(out)) == 3
    out.unlink()
    again = CliRunner().invoke(main, words)
    assert again.exit_code == 2 and "report" in again.output and "--overwrite" in again.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--size=31"], "power of two"),
        (["--size=64x48"], "--crop wide"),
        (["--size=32", "--background=nocolour"], "not a colour"),
        (["--size=32", "--labels=folders"], "no folder"),
        (["--size=32", "--labels=missing.csv"], "missing.csv"),
    ],
)
def test_the_command_refuses(tmp_path: Path, words: list[str], said: str) -> None:
    (tmp_path / "a").mkdir()
    Image.fromarray(noise(0, 16, 16)).save(tmp_path / "a" / "a.png")
    done = CliRunner().invoke(
        main, ["dataset", "convert", str(tmp_path / "a"), f"--out={tmp_path}/b.zip", "--workers=1", *words]
    )
    assert done.exit_code in (1, 2) and said in done.output
    assert not (tmp_path / "b.zip").exists()


def test_what_is_turned_or_too_small_is_said(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(noise(0, 20, 30)).save(tmp_path / "a" / "turned.jpg", exif=exif)
    Image.fromarray(noise(1, 15, 40)).save(tmp_path / "a" / "small.png")
    report = convert_dataset(tmp_path / "a", tmp_path / "a.zip", Transform(16, min_size=16))
    assert rows_of(tmp_path / "a.zip")["turned.jpg"]["notes"] == "turned upright"
    assert "1 turned upright" in report.describe() and "small.png (smaller than 16 pixels)" in report.describe()
    assert len(open_images(tmp_path / "a.zip")) == 1


def test_an_interrupt_says_how_to_go_on(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(converting, "convert_dataset", interrupt)
    done = CliRunner().invoke(main, ["dataset", "convert", str(photos), f"--out={tmp_path}/a.zip", "--size=32"])
    assert done.exit_code == 1 and "the same command goes on" in done.output


def test_labels_are_advised_to_be_used(photos: Path, tmp_path: Path) -> None:
    words = [
        "dataset",
        "convert",
        str(photos),
        f"--out={tmp_path}/a.zip",
        "--size=32",
        "--labels=folders",
        "--workers=1",
    ]
    assert "--cond=1" in CliRunner().invoke(main, words).output
