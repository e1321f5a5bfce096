# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Reading image sets: what is accepted arrives unchanged, everything else is refused by name in one sentence."""

import io
import json
import os
import struct
import tarfile
import tracemalloc
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL
import pytest
from fuzz import fuzz_files
from PIL import Image

from gan.data import image_dataset
from gan.data.file_sets import ImageError
from gan.data.image_dataset import open_images, peek_images


def pixels(index: int, size: int = 16) -> np.ndarray:
    return np.random.default_rng(index).integers(0, 256, (size, size, 3), dtype=np.uint8)


def png(picture: Image.Image, kind: str = "PNG") -> bytes:
    stream = io.BytesIO()
    picture.save(stream, format=kind)
    return stream.getvalue()


def folder_of(path: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def zip_of(path: Path, files: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


@pytest.fixture
def pictures() -> dict[str, bytes]:
    return {f"{i % 2:05d}/img{i:08d}.png": png(Image.fromarray(pixels(i))) for i in range(4)}


def refused(path: Path, *words: str, resolution: int | None = None) -> None:
    with pytest.raises(ImageError) as caught:
        open_images(path, resolution)
    sentence = str(caught.value)
    assert "\n" not in sentence and sentence.endswith(".")
    for word in words:
        assert word in sentence, sentence


@pytest.mark.parametrize("limit", [0, 2**20])
@pytest.mark.parametrize("kind", ["folder", "stored", "deflated"])
def test_reads_pixels_in_name_order(tmp_path: Path, pictures: dict[str, bytes], kind: str, limit: int) -> None:
    extra = {"readme.txt": b"not a picture", "__MACOSX/._img.png": b"resource fork", ".hidden.png": b""}
    files = {**dict(reversed(pictures.items())), **extra}
    if kind == "folder":
        path = folder_of(tmp_path / "set", files)
    else:
        path = zip_of(tmp_path / "set.zip", files, zipfile.ZIP_STORED if kind == "stored" else zipfile.ZIP_DEFLATED)
    source = open_images(path, memory_limit=limit)
    assert source.cached == (limit > 0)
    assert (source.name, source.resolution, len(source), source.labels) == ("set", 16, 4, None)
    assert source.names == tuple(sorted(pictures))
    order = [0, 2, 1, 3]  # even numbers lie in the first sub-folder
    expected = np.stack([pixels(i).transpose(2, 0, 1) for i in order])
    np.testing.assert_array_equal(source.batch(np.arange(4)), expected)
    np.testing.assert_array_equal(source.read(1), expected[1])


def test_digest_follows_the_set_not_its_container(tmp_path: Path, pictures: dict[str, bytes]) -> None:
    folder, archive = folder_of(tmp_path / "a", pictures), zip_of(tmp_path / "b.zip", pictures)
    before = open_images(folder).digest
    assert before == open_images(archive).digest
    (folder / "00000/img00000000.png").write_bytes(png(Image.new("RGB", (16, 16))))
    assert open_images(folder).digest != before


def test_jpegs_are_pictures_too(tmp_path: Path) -> None:
    path = folder_of(tmp_path, {"a.JPG": png(Image.new("RGB", (16, 16), "red"), "JPEG")})
    assert open_images(path).read(0)[0].min() > 250


def test_refuses_what_is_not_there(tmp_path: Path, pictures: dict[str, bytes]) -> None:
    refused(tmp_path / "missing.zip", "missing.zip", "does not exist")
    refused(tmp_path, "no pictures")
    refused(zip_of(tmp_path / "empty.zip", {}), "no pictures")


@pytest.mark.parametrize("mode", ["I;16", "CMYK"])
def test_refuses_modes_that_would_lose_something(tmp_path: Path, pictures: dict[str, bytes], mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    odd = "zz.jpg" if mode == "CMYK" else "zz.png"
    path = folder_of(tmp_path, {**pictures, odd: png(Image.new(mode, (16, 16)), kind)})
    refused(path, odd, mode, "train.py dataset convert")


@pytest.mark.parametrize("mode", ["L", "P", "1"])
def test_grey_and_palettes_become_rgb_exactly(tmp_path: Path, pictures: dict[str, bytes], mode: str) -> None:
    image = Image.fromarray(pixels(9)).convert(mode)
    source = open_images(folder_of(tmp_path, {**pictures, "zz.png": png(image)}))
    assert source.channels == 3
    np.testing.assert_array_equal(source.read(4), np.asarray(image.convert("RGB")).transpose(2, 0, 1))


def test_channels_are_what_all_pictures_have(tmp_path: Path, pictures: dict[str, bytes]) -> None:
    grey = {f"{i}.png": png(Image.fromarray(pixels(i)).convert("L")) for i in range(2)}
    assert open_images(folder_of(tmp_path / "grey", grey)).batch([0, 1]).shape == (2, 1, 16, 16)
    clear = {f"{i}.png": png(Image.fromarray(np.dstack([pixels(i), pixels(5)[..., 0]]))) for i in range(2)}
    source = open_images(folder_of(tmp_path / "clear", clear))
    np.testing.assert_array_equal(source.read(1)[3], pixels(5)[..., 0])
    np.testing.assert_array_equal(source.read(1)[:3], pixels(1).transpose(2, 0, 1))
    refused(folder_of(tmp_path / "both", {**pictures, **clear}), "0.png", "transparency", "--channels 4")


def test_a_color_key_is_transparency(tmp_path: Path, pictures: dict[str, bytes]) -> None:
    stream = io.BytesIO()
    Image.fromarray(pixels(9)).save(stream, "PNG", transparency=(1, 2, 3))
    refused(folder_of(tmp_path, {**pictures, "zz.png": stream.getvalue()}), "zz.png", "transparency")


@pytest.mark.parametrize("suffix", ["webp", "bmp", "tiff", "gif", "jfif", "qoi", "tga", "ppm", "avif"])
def test_everything_that_pillow_reads_is_a_picture(tmp_path: Path, pictures: dict[str, bytes], suffix: str) -> None:
    kind = {"jfif": "JPEG", "tga": "TGA", "ppm": "PPM"}.get(suffix, suffix.upper())
    Image.init()
    if kind not in Image.SAVE:
        pytest.skip(f"Pillow {PIL.__version__} writes no {kind}")
    source = open_images(folder_of(tmp_path, {**pictures, f"zz.{suffix}": png(Image.fromarray(pixels(9)), kind)}))
    assert len(source) == 5 and not source.left_out
    if suffix in ("bmp", "tiff", "qoi", "tga", "ppm"):
        np.testing.assert_array_equal(source.read(4), pixels(9).transpose(2, 0, 1))


def test_what_is_left_out_is_counted_and_named(tmp_path: Path, pictures: dict[str, bytes]) -> None:
    others = {"a.heic": b"", "b.heic": b"", "c.heic": b"", "d.heic": b"", "notes.md": b"", ".hidden": b""}
    path = folder_of(tmp_path / "set", {**pictures, **others})
    (path / "gone.png").symlink_to(tmp_path / "nowhere.png")
    source = open_images(path)
    assert source.describe() == (
        "4 pictures of 16x16; left out: a.heic, b.heic, c.heic and 1 more (HEIC photos: export them as JPEG); "
        "gone.png (a link to nothing); notes.md (no picture: .md)."
    )


def test_linked_folders_belong_to_the_set(tmp_path: Path, pictures: dict[str, bytes]) -> None:
    folder_of(tmp_path / "elsewhere", pictures)
    path = folder_of(tmp_path / "set", {"a.png": png(Image.fromarray(pixels(7)))})
    (path / "linked").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (path / "loop").symlink_to(path, target_is_directory=True)
    source = open_images(path)
    assert len(source) == 5 and "loop/ (a link to a folder above)" in source.describe()
    (path / "twice").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    source = open_images(path)
    assert len(source) == 5 and "twice/ (the same as linked/)" in source.describe()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_upright(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(pixels(3))
    stream = io.BytesIO()
    image.save(stream, "PNG", exif=exif)
    turns = {1: (0, 0), 2: (0, 1), 3: (2, 0), 4: (2, 1), 5: (3, 1), 6: (3, 0), 7: (1, 1), 8: (1, 0)}
    quarters, mirror = turns[orientation]
    expected = np.rot90(pixels(3), quarters)
    expected = expected[:, ::-1] if mirror else expected
    source = open_images(folder_of(tmp_path, {"a.png": stream.getvalue()}))
    np.testing.assert_array_equal(source.read(0), expected.transpose(2, 0, 1))


def test_what_is_no_set_is_called_by_its_name(tmp_path: Path, pictures: dict[str, bytes]) -> None:
    (tmp_path / "a.png").write_bytes(pictures["00000/img00000000.png"])
    refused(tmp_path / "a.png", "neither a folder nor a zip")
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.add(tmp_path / "a.png", "a.png")
    refused(tmp_path / "a.tar", "is a tar", "dataset convert")


@pytest.mark.parametrize(
    ("size", "word"),
    [
        ((16, 32), "not square"),
        ((24, 24), "power of two"),
        ((8, 8), "from 16"),
        ((2048, 2048), "to 1024"),
        ((32, 32), "not 16x16"),
    ],
)
def test_refuses_other_sizes_by_name(
    tmp_path: Path, pictures: dict[str, bytes], size: tuple[int, int], word: str
) -> None:
    path = zip_of(tmp_path / "a.zip", {**pictures, "zz.png": png(Image.new("RGB", size))})
    refused(path, "zz.png", f"{size[0]}x{size[1]}", word)


def test_the_first_picture_tells_size_and_channels(
    tmp_path: Path, pictures: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    grey = png(Image.fromarray(pixels(0, 32)[..., 0]))
    some = {"a.png": b"no picture", "b.png": grey, "c.png": b"neither", "d.png": png(Image.fromarray(pixels(1, 64)))}
    looked: list[str] = []
    read = image_dataset.read_info
    monkeypatch.setattr(
        image_dataset, "read_info", lambda files, name, path: looked.append(name) or read(files, name, path)
    )
    for path in (folder_of(tmp_path / "set", some), zip_of(tmp_path / "set.zip", some)):
        looked.clear()
        assert peek_images(path) == (32, 1) and looked == ["a.png", "b.png"], "no more than it takes"
    assert peek_images(zip_of(tmp_path / "colour.zip", pictures)) == (16, 3)
    with pytest.raises(ImageError, match="cannot be read as a picture"):
        peek_images(zip_of(tmp_path / "bad.zip", {"a.png": b"no picture", "b.png": b"none"}))
    with pytest.raises(ImageError, match="not square"):
        peek_images(zip_of(tmp_path / "wide.zip", {"a.png": png(Image.new("RGB", (32, 16)))}))
    for wrong in (tmp_path / "gone", folder_of(tmp_path / "none", {"a.md": b"x"})):
        with pytest.raises(ImageError):
            peek_images(wrong)


def test_refuses_a_set_of_another_resolution(tmp_path: Path, pictures: dict[str, bytes]) -> None:
    refused(folder_of(tmp_path, pictures), "16x16", "not 32x32", resolution=32)


def test_refuses_damaged_pictures_by_name(tmp_path: Path, pictures: dict[str, bytes]) -> None:
    whole = png(Image.fromarray(pixels(9)))
    for number, data in enumerate([b"", b"no picture", whole[:-200], whole[:20]]):
        path = zip_of(tmp_path / f"{number}.zip", {**pictures, "bad.png": data})
        refused(path, "bad.png", "cannot be read")


def test_damage_found_late_is_named_too(tmp_path: Path, pictures: dict[str, bytes]) -> None:
    path = folder_of(tmp_path, {**pictures, "bad.png": png(Image.fromarray(pixels(9)))[:-200]})
    source = open_images(path, memory_limit=0)  # only the headers are read
    with pytest.raises(ImageError, match=r"bad\.png"):
        source.batch(np.arange(5))


def test_refuses_damaged_zips(tmp_path: Path, pictures: dict[str, bytes]) -> None:
    path = zip_of(tmp_path / "a.zip", pictures)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    refused(path, "a.zip", "damaged or incomplete archive")
    flipped = bytearray(data)
    flipped[200] ^= 255  # inside the first picture: its checksum no longer holds
    path.write_bytes(flipped)
    refused(path, "img00000000.png", "cannot be read")


def labelled(tmp_path: Path, pictures: dict[str, bytes], document: object) -> Path:
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return zip_of(tmp_path / "labelled.zip", {**pictures, "dataset.json": data})


def test_labels(tmp_path: Path, pictures: dict[str, bytes]) -> None:
    names = sorted(pictures)
    source = open_images(labelled(tmp_path, pictures, {"labels": [[n, i] for i, n in enumerate(names)], "poses": {}}))
    assert source.c_dim == 4
    np.testing.assert_array_equal(source.label_batch([2, 0]), np.eye(4, dtype=np.float32)[[2, 0]])
    source = open_images(labelled(tmp_path, pictures, {"labels": [[n, [i, 0.5]] for i, n in enumerate(names)]}))
    assert source.c_dim == 2
    np.testing.assert_array_equal(source.label_batch([3]), np.array([[3, 0.5]], np.float32))
    assert open_images(labelled(tmp_path, pictures, {"labels": None})).c_dim == 0


def test_an_entry_may_stand_twice_if_it_says_the_same(tmp_path: Path, pictures: dict[str, bytes]) -> None:
    entries = [[name, 1] for name in [*sorted(pictures), *sorted(pictures)]]
    assert open_images(labelled(tmp_path, pictures, {"labels": entries})).c_dim == 2


@pytest.mark.parametrize("prefixed", [False, True])
def test_labels_in_the_folder_that_holds_all(tmp_path: Path, pictures: dict[str, bytes], prefixed: bool) -> None:
    inner = {f"faces/{name}": data for name, data in pictures.items()}
    entries = [[f"faces/{name}" if prefixed else name, i] for i, name in enumerate(sorted(pictures))]
    document = {"labels": entries, "classes": ["cat", "dog"]}
    source = open_images(zip_of(tmp_path / "a.zip", {**inner, "faces/dataset.json": json.dumps(document).encode()}))
    assert source.labels is not None and source.labels.values.tolist() == [0, 1, 2, 3]
    assert source.labels.classes == ("cat", "dog", "2", "3") and "in 4 classes" in source.describe()


def test_refuses_bad_labels(tmp_path: Path, pictures: dict[str, bytes]) -> None:
    names = sorted(pictures)
    whole = [[name, 0] for name in names]
    for document, words in [
        (b"{", ["not readable JSON"]),
        ([], ["labels"]),
        ({}, ["labels"]),
        ({"labels": {"a": 1}}, ["pairs"]),
        ({"labels": [*whole, ["gone.png", 1]]}, ["gone.png"]),
        ({"labels": whole[1:]}, [names[0]]),
        ({"labels": [*whole, [names[2], 7]]}, [names[2], "more than once", "0", "7"]),
        ({"labels": whole, "classes": "cat"}, ["classes"]),
        ({"labels": whole, "classes": [1]}, ["classes"]),
        ({"labels": whole, "classes": {"1" * 5000: "cat"}}, ["classes"]),
        ({"labels": [[name, [1.0, 2.0]] for name in names], "classes": ["cat"]}, ["classes"]),
        ({"labels": [*whole[1:], [names[0], "cat"]]}, [names[0]]),
        ({"labels": [*whole[1:], [names[0], -1]]}, [names[0], "-1"]),
        ({"labels": [*whole[1:], [names[0], [1.0]]]}, ["of one length"]),
        ({"labels": [[name, [1.0] * (1 + (i == 2))] for i, name in enumerate(names)]}, [names[2]]),
        ({"labels": [[name, True] for name in names]}, [names[0]]),
    ]:
        refused(labelled(tmp_path, pictures, document), "dataset.json", *words)


# What the fuzz harness (tests/fuzz/fuzzing.py) found.


def test_zips_that_only_newer_programs_read(tmp_path: Path, pictures: dict[str, bytes]) -> None:
    path = zip_of(tmp_path / "a.zip", pictures)
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 6] = 64  # the version that is needed
    path.write_bytes(data)
    refused(path, "a.zip", "damaged or incomplete archive")


def test_a_file_without_a_name_is_passed_over(tmp_path: Path, pictures: dict[str, bytes]) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(fuzz_files.zip_of([*fuzz_files.zip_parts(pictures), fuzz_files.Part(b"", b"x")]))
    assert len(open_images(path)) == len(pictures)


@pytest.mark.parametrize("memory_limit", [0, 2**20])
def test_pictures_and_labels_that_unpack_without_end(
    tmp_path: Path, pictures: dict[str, bytes], memory_limit: int
) -> None:
    for name, words in (("zz.png", "cannot be read as a picture"), ("dataset.json", "not readable JSON")):
        start = pictures["00000/img00000000.png"] if name == "zz.png" else b'{"labels": null}'
        files = {**pictures, name: start + bytes(64 * 2**20)}
        path = zip_of(tmp_path / "a.zip", files, zipfile.ZIP_DEFLATED)
        assert path.stat().st_size < 2**18
        tracemalloc.start()
        with pytest.raises(ImageError, match=words):
            source = open_images(path, memory_limit=memory_limit)
            source.read(len(source) - 1)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 24 * 2**20


def test_a_jpeg_of_thousands_of_scans_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    """Each scan is a pass over the whole picture, and takes a dozen bytes."""
    stream = io.BytesIO()
    Image.new("RGB", (64, 64)).save(stream, "JPEG", progressive=True)
    whole = stream.getvalue()
    assert 2 < whole.count(b"\xff\xda") < 20
    scan = whole[whole.rindex(b"\xff\xda") : -2]
    path = folder_of(tmp_path, {"a.jpg": whole[:-2] + scan * 200 + whole[-2:]})
    refused(path, "a.jpg", "far more scans")


@pytest.mark.parametrize("number", [10**39, 10**400, 1e39, float("inf"), float("nan")])
def test_labels_beyond_32_bit_floats(tmp_path: Path, pictures: dict[str, bytes], number: float) -> None:
    document = {"labels": [[name, [number, 1]] for name in pictures]}
    refused(labelled(tmp_path, pictures, document), "dataset.json", "unusable label")


def test_what_labels_say_is_quoted_shortly_and_on_one_line(tmp_path: Path, pictures: dict[str, bytes]) -> None:
    whole = [[name, 0] for name in pictures]
    for entry in (["\x1b[2J\n" + "x" * 5000, 0], [sorted(pictures)[0], 10**4000]):
        with pytest.raises(ImageError) as caught:
            open_images(labelled(tmp_path, pictures, {"labels": [*whole, entry]}))
        assert str(caught.value).isprintable() and len(str(caught.value)) < 600


def test_what_is_missing_is_not_called_damaged(tmp_path: Path) -> None:
    with pytest.raises(ImageError) as caught:
        open_images(tmp_path / "none")
    assert str(caught.value) == f"{tmp_path / 'none'} does not exist; give a folder or a zip of pictures."


def test_lists_and_folders_leave_out_what_is_no_file(tmp_path: Path, pictures: dict[str, bytes]) -> None:
    folder = folder_of(tmp_path / "set", pictures)
    (folder / "there.png").mkdir()
    names = [*sorted(pictures), "gone.png", "a\0b.png", "x" * 5000 + ".png", "there.png", "# not.png", ""]
    (folder / "list.txt").write_text("\n".join(names))
    source = open_images(folder / "list.txt")
    assert source.names == tuple(sorted(pictures))
    assert set(source.left_out) == {"gone.png", "a\0b.png", "x" * 5000 + ".png", "there.png"}
    assert len(open_images(folder)) == len(pictures)
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "pipe.png")
        assert open_images(folder).left_out["pipe.png"] == "no regular file"


def test_a_zip_that_lies_about_sizes_is_refused_at_once(tmp_path: Path, pictures: dict[str, bytes]) -> None:
    """A TIFF has its reader seek to the end, which zipfile does by reading as much as was declared."""
    part = fuzz_files.Part(b"a.tiff", png(Image.new("RGB", (16, 16)), "TIFF"))
    wide = struct.pack("<HHQ", 1, 8, 2**64 - 1)
    lying = replace(part, extra=wide, size=0xFFFFFFFF)
    path = tmp_path / "a.zip"
    path.write_bytes(fuzz_files.zip_of([*fuzz_files.zip_parts(pictures), lying]))
    refused(path, "a.tiff", "larger than 256 MiB")


# ------------------------------------------------------------------------------------------------------------- a subset


def make_labelled(folder: Path, count: int) -> Path:
    folder.mkdir()
    for index in range(count):
        Image.fromarray(pixels(index)).save(folder / f"{index:02d}.png")
    labels = [[f"{index:02d}.png", index % 3] for index in range(count)]
    (folder / "dataset.json").write_text(json.dumps({"labels": labels}))
    return folder


@pytest.mark.parametrize("limit", [0, 2**30])
def test_a_subset_is_chosen_by_its_seed(tmp_path: Path, limit: int) -> None:
    folder = make_labelled(tmp_path / "set", 12)
    whole = open_images(folder)

    def choose(count: int, seed: int) -> image_dataset.ImageSource:
        return open_images(folder, memory_limit=limit).choose_subset(count, seed)

    chosen = choose(5, 1)
    places = [whole.names.index(name) for name in chosen.names]
    assert places == sorted(places) and len(set(places)) == 5
    np.testing.assert_array_equal(chosen.batch(range(5)), whole.batch(places))
    np.testing.assert_array_equal(chosen.label_batch(range(5)), whole.label_batch(places))
    assert chosen.c_dim == whole.c_dim == 3 and choose(1, 0).label_batch([0]).shape == (1, 3)
    assert (chosen.names, chosen.digest) == (choose(5, 1).names, choose(5, 1).digest)
    assert len({choose(5, seed).names for seed in range(6)}) > 3
    assert chosen.digest != whole.digest and chosen.stamp != whole.stamp
    assert choose(12, 3).digest == whole.digest
    with pytest.raises(ImageError, match="12 pictures, fewer than the 13 of --subset"):
        choose(13, 0)
