# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Reading image sets: what is accepted arrives unchanged, everything else is refused by name in one sentence."""

import io
import json
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from fuzz import fuzz_files
from PIL import Image

from gan.data.image_dataset import ImageError, open_images


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
    refused(tmp_path, "no PNG or JPEG")
    refused(zip_of(tmp_path / "empty.zip", {}), "no PNG or JPEG")


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "1", "I;16", "CMYK"])
def test_refuses_other_modes_by_name(tmp_path: Path, pictures: dict[str, bytes], mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    odd = "zz.jpg" if mode == "CMYK" else "zz.png"
    path = folder_of(tmp_path, {**pictures, odd: png(Image.new(mode, (16, 16)), kind)})
    refused(path, odd, mode, "convert('RGB')")


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
    refused(path, "a.zip", "not a readable zip")
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
    refused(path, "a.zip", "not a readable zip")


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
