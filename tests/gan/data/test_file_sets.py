# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""What a path is taken for, which of its files count, and archives that unpack without end."""

import gc
import gzip
import tarfile
import tracemalloc
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from gan.data.file_sets import ImageError, Tar, Zip, open_file_set
from gan.data.image_dataset import open_pictures


def test_a_list_names_what_its_author_means(tmp_path: Path) -> None:
    """Files beside its folder, in hidden ones, and as Windows' editors write text; PK begins a zip, or a name."""
    for name in ("PK1.png", "lists/a.png", ".cache/b.png", "c.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    for folder, lines in (("lists", ["./a.png", "../.cache/b.png", "../c.png"]), (".", ["PK1.png", "lists/a.png"])):
        for codec in ("utf-8", "utf-8-sig"):
            path = tmp_path / folder / "list.txt"
            path.write_text("\n".join(lines), encoding=codec)
            assert list(open_file_set(path).sizes) == [line.removeprefix("./") for line in lines]


def test_hidden_files_are_passed_over(tmp_path: Path) -> None:
    for name in ("a.png", ".b.png", ".git/c.png", "__MACOSX/d.png"):
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / name).write_bytes(b"x")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive, tarfile.open(tmp_path / "a.tar", "w") as tar:
        for file in sorted((tmp_path / "set").rglob("*.png")):
            archive.write(file, file.relative_to(tmp_path / "set"))
            tar.add(file, file.relative_to(tmp_path / "set"))
    for path in ("set", "a.zip", "a.tar"):
        with closing(open_file_set(tmp_path / path)) as files:
            assert list(files.sizes) == ["a.png"]


def test_a_tar_of_zips_is_a_tar(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.png", b"x")
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        tar.add(tmp_path / "a.zip", "a.zip")
    for name, kind in (("a.tar", Tar), ("a.zip", Zip)):
        with closing(open_file_set(tmp_path / name)) as files:
            assert isinstance(files, kind)


def test_a_tar_is_refused_before_all_of_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        tar.add(__file__, "a.png")
    monkeypatch.setattr(Tar, "__init__", lambda self, path: pytest.fail("it was opened"))
    with pytest.raises(ImageError, match="is a tar"):
        open_pictures(tmp_path / "a.tar.gz")


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_zipfile_unpacks_at_once_is_left_out(tmp_path: Path, compression: int) -> None:
    """A KiB of bzip2 unpacks to more than a GiB, in one piece, whatever is asked for."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.png", b"x", zipfile.ZIP_DEFLATED)
        archive.writestr("b.png", bytes(2**24), compression)
    files = open_file_set(tmp_path / "a.zip")
    assert list(files.sizes) == ["a.png"] and "deflate" in files.left_out["b.png"]


@pytest.mark.parametrize("first", [True, False])
def test_a_name_in_a_tar_that_unpacks_without_end(tmp_path: Path, first: bool) -> None:
    header = tarfile.TarInfo("././@LongLink")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 2**26
    with gzip.open(tmp_path / "a.tar.gz", "wb") as file:
        file.write((b"" if first else tarfile.TarInfo("a.png").tobuf()) + header.tobuf(tarfile.GNU_FORMAT))
        file.write(bytes(2**26))
    tracemalloc.start()
    with pytest.raises(ImageError, match="neither a folder" if first else "larger than 1 MiB"):
        open_file_set(tmp_path / "a.tar.gz")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**23


def test_a_large_file_in_a_zip_is_unpacked_in_few_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Zipfile adds its steps up by copying: a picture of 100 MB took five seconds."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.webp", bytes(2**26))
    steps = 0
    read_step = zipfile.ZipExtFile._read1  # type: ignore[attr-defined]

    def count(file: zipfile.ZipExtFile, most: int) -> bytes:
        nonlocal steps
        steps += 1
        return read_step(file, most)

    monkeypatch.setattr(zipfile.ZipExtFile, "_read1", count)
    with open_file_set(tmp_path / "a.zip").open("a.webp") as file:
        assert len(file.read()) == 2**26
    assert steps <= 20


def test_a_small_size_that_lies_unpacks_no_more(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.webp", bytes(2**26))
    path.write_bytes(path.read_bytes().replace((2**26).to_bytes(4, "little"), (100).to_bytes(4, "little")))
    files = open_file_set(path)
    assert files.sizes == {"a.webp": 100}
    tracemalloc.start()
    with files.open("a.webp") as file, pytest.raises(zipfile.BadZipFile):
        file.read()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**23


def test_a_tar_that_ends_early_is_closed(tmp_path: Path) -> None:
    """An open file that is forgotten is a ResourceWarning, which fails a test."""
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for name in ("a.png", "b.png"):
            tar.add(__file__, name)
    with tarfile.open(tmp_path / "a.tar") as tar:
        cut = tar.getmember("b.png").offset_data + 10
    (tmp_path / "a.tar").write_bytes((tmp_path / "a.tar").read_bytes()[:cut])
    with pytest.raises(ImageError, match="damaged or incomplete"):
        open_file_set(tmp_path / "a.tar")
    gc.collect()
