# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Videos decode to the frames that were written; one that did not end well leaves no file."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence
from support.paths import ROOT

from gan.files.atomic_write import list_numbered
from viz.record.video.animations import FolderEncoder
from viz.record.video.formats import FORMATS, VideoError, VideoOptions, choose_format, find_format
from viz.record.video.writer import WAITING, open_video

try:
    import av
    from av.video.reformatter import Colorspace
except ImportError:
    av = None

CODED = [pytest.param(f, marks=pytest.mark.skipif(not av, reason="without av")) if f.encoder else f for f in FORMATS]


def wave(index: int, width: int, height: int) -> np.ndarray:
    """A smooth picture that moves by a pixel a frame."""
    x, y = np.arange(width) + index, np.arange(height)[:, None]
    red, green = 128 + 100 * np.sin(x / 9) + 0 * y, 128 + 100 * np.cos(y / 7) + 0 * x
    return np.stack([red, green, np.full((height, width), 60.0)], -1).astype(np.uint8)


def name_of(kind) -> str:
    return "frames" if not kind.suffixes else "video" + kind.suffixes[0]


def write(path: Path, kind, count: int, width: int, height: int, fps: float = 30.0) -> None:
    with open_video(path, (width, height), VideoOptions(kind, fps)) as video:
        for index in range(count):
            video.add(wave(index, width, height))


def read(path: Path) -> tuple[list[np.ndarray], float]:
    """The frames of a video, and its length in seconds (0: a folder's)."""
    if path.is_dir():
        return [np.asarray(Image.open(file)) for file in sorted(path.iterdir())], 0.0
    if path.suffix in (".gif", ".webp"):
        with Image.open(path) as animation:
            frames, length = [], 0.0
            for frame in ImageSequence.Iterator(animation):
                frame.load()
                length += animation.info["duration"] / 1000
                frames.append(np.asarray(frame.convert("RGB")))
            assert animation.info["loop"] == 0
            return frames, length
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        standard = {"src_colorspace": Colorspace.ITU709, "dst_colorspace": Colorspace.ITU709}
        frames = [frame.reformat(format="rgb24", **standard).to_ndarray() for frame in container.decode(stream)]
        assert stream.codec_context.colorspace == stream.codec_context.color_primaries == 1  # BT.709, and said so
        return frames, len(frames) / float(stream.average_rate)


@pytest.mark.parametrize("kind", CODED, ids=lambda kind: kind.key)
@pytest.mark.parametrize(("width", "height"), [(64, 48), (65, 33)])
def test_a_video_decodes_to_the_frames_that_were_written(kind, width: int, height: int, tmp_path: Path) -> None:
    path = tmp_path / "new folder" / name_of(kind)
    write(path, kind, 20, width, height, fps=24.0)
    frames, seconds = read(path)
    assert len(frames) == 20
    assert seconds == pytest.approx(20 / 24 if path.suffix else 0, abs=0.011)
    even = (height + height % 2, width + width % 2, 3) if kind.is_even else (height, width, 3)
    for index, frame in enumerate(frames):
        assert frame.shape == even
        error = frame[:height, :width].astype(float) - wave(index, width, height)
        assert abs(error).mean() < (0.001 if kind.key == "png" else 5)
        assert abs(error.mean()) < 2  # and the colours are not those of another standard
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("kind", CODED, ids=lambda kind: kind.key)
def test_an_error_and_a_cancel_leave_nothing(kind, tmp_path: Path) -> None:
    path = tmp_path / name_of(kind)
    for problem in (ValueError, KeyboardInterrupt, GeneratorExit):
        with pytest.raises(problem), open_video(path, (32, 32), VideoOptions(kind)) as video:
            for index in range(12):
                video.add(wave(index, 32, 32))
            raise problem
    assert not list(tmp_path.iterdir())


def test_an_error_of_whoever_draws_is_not_taken_for_one_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="model"):
        with open_video(tmp_path / "a.gif", (32, 32), VideoOptions(find_format("gif"))):
            raise FileNotFoundError("the model is gone")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name == "nt", reason="there are no such limits")
@pytest.mark.parametrize("kind", CODED, ids=lambda kind: kind.key)
def test_a_full_disk_is_one_sentence_and_leaves_nothing(kind, tmp_path: Path) -> None:
    path = tmp_path / name_of(kind)
    script = f"""
import resource, signal
import numpy as np
from viz.record.video.animations import FolderEncoder
from viz.record.video.formats import VideoError, VideoOptions, find_format
from viz.record.video.writer import WAITING, open_video
from pathlib import Path
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
noise = np.random.RandomState(0).randint(0, 256, (60, 96, 96, 3)).astype(np.uint8)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    with open_video(Path({str(path)!r}), (96, 96), VideoOptions(find_format({kind.key!r}))) as video:
        for frame in noise:
            video.add(frame)
except VideoError as problem:
    print(problem)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert "cannot be written" in done.stdout and done.stdout.count("\n") == 1, done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_a_killed_export_leaves_no_file_of_that_name(tmp_path: Path) -> None:
    script = f"""
import itertools
import numpy as np
from viz.record.video.animations import FolderEncoder
from viz.record.video.formats import VideoOptions, find_format
from viz.record.video.writer import WAITING, open_video
from pathlib import Path
with open_video(Path({str(tmp_path / "video.webp")!r}), (64, 64), VideoOptions(find_format("webp"))) as video:
    for index in itertools.count():
        video.add(np.full((64, 64, 3), index % 256, np.uint8))
        if index == 50:
            print("going", flush=True)
"""
    child = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=ROOT)
    assert child.stdout is not None and child.stdout.readline() == b"going\n"
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert not (tmp_path / "video.webp").exists()


def test_unwritable_places_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine.txt").write_text("mine")
    for name, kind in (("file/a.gif", "gif"), ("folder", "gif"), ("folder", "png"), ("file", "png")):
        with pytest.raises(VideoError, match="cannot be written"):
            write(tmp_path / name, find_format(kind), 2, 16, 16)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["file", "folder"]
    assert (tmp_path / "folder" / "mine.txt").read_text() == "mine"


def test_a_folder_of_frames_is_replaced_as_a_whole(tmp_path: Path) -> None:
    write(tmp_path / "frames", find_format("png"), 9, 16, 16)
    write(tmp_path / "frames", find_format("png"), 3, 20, 16)
    frames, _ = read(tmp_path / "frames")
    assert [frame.shape for frame in frames] == [(16, 20, 3)] * 3 and len(list(tmp_path.iterdir())) == 1


def test_formats_follow_names() -> None:
    found = {name: choose_format(Path(name)).key for name in ("a.mp4", "a.WEBM", "a.gif", "b.webp", "frames")}
    assert found == {"a.mp4": "h264", "a.WEBM": "vp9", "a.gif": "gif", "b.webp": "webp", "frames": "png"}
    assert choose_format(Path("a.mp4"), "av1").key == "av1"
    for name, key in (("a.gif", "h264"), ("a.mp4", "png"), ("a.avi", ""), ("a", "vp9")):
        with pytest.raises(VideoError, match="give a name|must end in"):
            choose_format(Path(name), key)


def test_wrong_options_are_one_sentence(tmp_path: Path) -> None:
    for options in (VideoOptions(fps=0.5), VideoOptions(find_format("gif"), fps=60), VideoOptions(quality=0)):
        with pytest.raises(VideoError), open_video(tmp_path / "a.mp4", (32, 32), options):
            pass
    with pytest.raises(VideoError, match="pixels"), open_video(tmp_path / "a.mp4", (0, 32), VideoOptions()):
        pass
    with pytest.raises(ValueError, match="Frames are"):
        with open_video(tmp_path / "a.gif", (32, 32), VideoOptions(find_format("gif"))) as video:
            video.add(np.zeros((32, 32, 4), np.uint8))
    assert not list(tmp_path.iterdir())


def test_without_av_its_formats_say_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(VideoError, match="pip install"), open_video(tmp_path / "a.mp4", (32, 32), VideoOptions()):
        pass
    write(tmp_path / "a.gif", find_format("gif"), 2, 16, 16)


@pytest.mark.skipif(not av, reason="without av")
def test_encoders_say_nothing_on_standard_error(tmp_path: Path) -> None:
    script = f"""
import numpy as np
from viz.record.video.animations import FolderEncoder
from viz.record.video.formats import FORMATS, VideoOptions
from viz.record.video.writer import WAITING, open_video
from pathlib import Path
for kind in FORMATS:
    path = Path({str(tmp_path)!r}) / kind.key / ("video" + (kind.suffixes or ("",))[0])
    with open_video(path, (64, 64), VideoOptions(kind)) as video:
        for index in range(9):
            video.add(np.full((64, 64, 3), index, np.uint8))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.nightly
@pytest.mark.parametrize("kind", CODED, ids=lambda kind: kind.key)
def test_memory_does_not_grow_with_the_length(kind, tmp_path: Path) -> None:
    script = f"""
import json, psutil
import numpy as np
from viz.record.video.animations import FolderEncoder
from viz.record.video.formats import VideoOptions, find_format
from viz.record.video.writer import WAITING, open_video
from pathlib import Path
noise = np.random.RandomState(0).randint(0, 256, (64, 64, 64, 3)).astype(np.uint8)
found, me = [], psutil.Process()
with open_video(Path({str(tmp_path / name_of(kind))!r}), (64, 64), VideoOptions(find_format({kind.key!r}))) as video:
    for index in range(10_000):
        video.add(noise[index % 64])
        if index in (1_000, 9_999):
            found.append(me.memory_info().rss)
print(json.dumps(found))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, timeout=900)
    after_1000, after_all = json.loads(done.stdout)
    assert after_all - after_1000 < 8 * 2**20
    frames, _ = read(tmp_path / name_of(kind)) if kind.key != "png" else (list((tmp_path / "frames").iterdir()), 0)
    assert len(frames) == 10_000


@pytest.mark.parametrize("name", ["a.gif", "frames"])
def test_a_new_video_takes_the_first_free_name_at_its_end(tmp_path: Path, name: str) -> None:
    path, kind = tmp_path / name, find_format("gif" if name.endswith(".gif") else "png")
    found = []
    for _ in range(2):
        with open_video(path, (16, 16), VideoOptions(kind), list_numbered(path)) as video:
            video.add(np.zeros((16, 16, 3), np.uint8))
            if kind.suffixes:  # another program's, meanwhile
                path.write_text("theirs")
            else:
                path.mkdir(exist_ok=True)
        found.append(video.path)
    assert found == [path.with_name(f"{path.stem}-{number}{path.suffix}") for number in (2, 3)]
    assert all(len(read(one)[0]) == 1 for one in found if one) and len([*tmp_path.iterdir()]) == 3
    with pytest.raises(VideoError, match="is there already"):
        with open_video(path, (16, 16), VideoOptions(kind), [path]) as video:
            video.add(np.zeros((16, 16, 3), np.uint8))
    assert len([*tmp_path.iterdir()]) == 3 and (kind.suffixes == () or path.read_text() == "theirs")


def test_a_frame_may_be_changed_once_it_is_added(tmp_path: Path) -> None:
    frame = np.zeros((16, 16, 3), np.uint8)
    with open_video(tmp_path / "frames", (16, 16), VideoOptions(find_format("png"))) as video:
        for value in range(30):
            frame[:] = value
            video.add(frame)
    assert [int(frame[0, 0, 0]) for frame in read(tmp_path / "frames")[0]] == list(range(30))


def test_frames_are_drawn_while_others_are_encoded_and_only_a_few_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_encode, added = threading.Event(), 0
    monkeypatch.setattr(FolderEncoder, "add", lambda self, frame: may_encode.wait(60))

    def draw() -> None:
        nonlocal added
        with open_video(tmp_path / "frames", (16, 16), VideoOptions(find_format("png"))) as video:
            for _ in range(5 * WAITING):
                video.add(np.zeros((16, 16, 3), np.uint8))
                added += 1

    drawing = threading.Thread(target=draw)
    drawing.start()
    deadline = time.monotonic() + 60
    while added <= WAITING and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.2)  # in which no more come
    assert added == WAITING + 1  # one is being encoded
    may_encode.set()
    drawing.join(60)
    assert added == 5 * WAITING
