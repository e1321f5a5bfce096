# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The strip of bookmarks, driven: each control, what it does to the state, and the pixels that come of it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from imgui_bundle import hello_imgui, imgui
from support.gui import drive, save_model, settle

from viz.canvas.bookmark_strip import EMPTY, THUMB
from viz.core.bookmarks import Bookmark
from viz.core.latent import Blend, SeedPoint
from viz.core.state import AppState, TransformState
from viz.core.thumbnails import decode_thumbnail
from viz.loading.bookmark_files import read_bookmarks
from viz.record.timeline_templates import TEMPLATES, put_template
from viz.window.window import Window

pytestmark = pytest.mark.slow

CTRL = imgui.Key.mod_ctrl


def picture(shown: Window) -> np.ndarray:
    result = shown.context.results["left"]
    assert result is not None and result.image is not None
    return result.image.copy()


def items(shown: Window) -> tuple[Bookmark, ...]:
    return shown.context.bookmarks.shelf.items


def press(context: Any, chord: int) -> None:
    context.key_press(chord)
    context.yield_(3)


def click(context: Any, item: Bookmark, button: int = 0) -> None:
    context.item_click(f"**/##{item.key}", button)
    context.yield_(3)


def choose(context: Any, item: Bookmark, text: str) -> None:
    """Choose something of a bookmark's menu."""
    click(context, item, 1)
    context.item_click(f"//$FOCUSED/{text}")
    context.yield_(3)


def kept(context: Any, shown: Window) -> None:
    """Two latents and a transform are kept, by button, key and menu, each with the picture that was on screen."""
    state, pictures = shown.state, []
    assert not items(shown) and EMPTY
    height = shown.canvas.frames["left"].height
    for step, x in enumerate((3.0, 11.0)):
        state.latent.x = x
        settle(context, shown)
        pictures.append(picture(shown))
        if step == 0:
            context.item_click("//Canvas/+ Latent")
        else:
            press(context, CTRL | imgui.Key.b)
        context.yield_(3)
        assert len(items(shown)) == step + 1 and shown.context.message.startswith(f'Kept "seed {x:.0f}"')
    assert shown.canvas.frames["left"].height < height, "the pictures make room"
    for item, whole in zip(items(shown), pictures, strict=True):
        small = decode_thumbnail(item.picture)[::3, ::3]  # of 32 pixels each is three in it
        assert np.abs(small.astype(int) - whole).max() <= 1
    state.transform.tx, state.transform.degrees = 0.25, 20.0
    settle(context, shown)
    context.menu_click("##MainMenuBar/Edit/Keep this transform")
    context.yield_(3)
    assert [item.kind for item in items(shown)] == ["latent", "latent", "transform"]
    assert items(shown)[2].name == "+0.25 +0.00 +20°"


def gone_to(context: Any, shown: Window) -> None:
    """A click and Ctrl with a number come back, and leave what was not kept; 1 alone is one to one."""
    state = shown.state
    context.item_click("//Transform/Reset")
    settle(context, shown)
    second = picture(shown)
    press(context, CTRL | imgui.Key._1)
    settle(context, shown)
    assert state.latent.x == 3.0 and state.canvas.zoom == 1.0
    first = picture(shown)
    assert np.abs(first.astype(int) - second).max() > 10
    click(context, items(shown)[1])
    settle(context, shown)
    assert state.latent.x == 11.0 and np.array_equal(picture(shown), second)
    click(context, items(shown)[2])
    settle(context, shown)
    assert (state.latent.x, state.transform.tx, state.transform.degrees) == (11.0, 0.25, 20.0)
    press(context, CTRL | imgui.Key.z)
    settle(context, shown)
    assert state.transform == TransformState() and np.array_equal(picture(shown), second)
    press(context, CTRL | imgui.Key._9)
    assert "no bookmark 9" in shown.context.message and state.latent.x == 11.0
    press(context, imgui.Key._1)
    assert state.canvas.zoom < 1.0 and state.latent.x == 11.0
    press(context, imgui.Key.f)


def seen(context: Any, shown: Window) -> None:
    """The strip shows each picture: its texture's average colour is that of the thumbnail."""
    context.mouse_move_to_pos((5, 5))
    context.yield_(3)
    em, places = imgui.get_font_size(), []
    for item in items(shown)[:2]:
        info = context.item_info(f"**/##{item.key}")
        places.append((info.rect_full.min.x, info.rect_full.min.y))
    context.yield_(2)
    shown.places = places, em  # type: ignore[attr-defined]


def reordered(context: Any, shown: Window) -> None:
    """A drag takes a bookmark to another place, as one step."""
    before = [item.name for item in items(shown)]
    target = context.item_info(f"**/##{items(shown)[2].key}").rect_full
    context.mouse_move(f"**/##{items(shown)[0].key}")
    context.mouse_down(0)
    context.mouse_move_to_pos(((target.min.x + target.max.x) / 2, (target.min.y + target.max.y) / 2))
    context.yield_(3)
    context.mouse_up(0)
    context.yield_(3)
    assert [item.name for item in items(shown)] == [before[1], before[2], before[0]]
    assert shown.state.latent.x == 11.0, "a drag is no click"
    assert shown.undo.history.undo_name == "change of bookmarks"
    press(context, CTRL | imgui.Key.z)
    assert [item.name for item in items(shown)] == before


def edited(context: Any, shown: Window) -> None:
    """A bookmark is renamed, replaced, deleted, and comes back by Ctrl-Z."""
    state, first = shown.state, items(shown)[0]
    click(context, first, 1)
    context.item_input_value("//$FOCUSED/##name", "My creature")
    context.yield_(3)
    press(context, imgui.Key.escape)
    assert items(shown)[0].name == "My creature" and items(shown)[0].key == first.key
    state.latent.x = 20.0
    settle(context, shown)
    choose(context, items(shown)[0], "Replace with what is shown")
    assert items(shown)[0].state.latent.x == 20.0 and items(shown)[0].name == "My creature"
    assert items(shown)[0].picture != first.picture
    choose(context, items(shown)[0], "Delete")
    assert len(items(shown)) == 2 and "Ctrl-Z" in shown.context.message
    for _ in range(2):
        press(context, CTRL | imgui.Key.z)
    assert len(items(shown)) == 3 and items(shown)[0].state.latent.x == 3.0


def blended(context: Any, shown: Window) -> None:
    """The slider shows what is between two bookmarks, and its ends are the bookmarks themselves."""
    state = shown.state
    press(context, CTRL | imgui.Key._1)
    settle(context, shown)
    ends = [picture(shown)]
    press(context, CTRL | imgui.Key._2)
    settle(context, shown)
    ends.append(picture(shown))
    context.item_input_value("**/##blend", 0.5)
    settle(context, shown)
    assert state.latent.latent() == Blend(SeedPoint(3.0), SeedPoint(11.0), 0.5)
    middle = picture(shown)
    assert all(np.abs(middle.astype(int) - end).max() > 5 for end in ends)
    for value, end in ((0.0, ends[0]), (1.0, ends[1])):
        context.item_input_value("**/##blend", value)
        settle(context, shown)
        assert np.array_equal(picture(shown), end)
    choose(context, items(shown)[2], "Blend to here")
    context.item_input_value("**/##blend", 0.5)
    context.yield_(3)
    assert state.latent.x == 11.0 and state.transform.tx == 0.0, "a latent and a transform have nothing between them"
    choose(context, items(shown)[1], "Use as the second latent (style mixing)")
    assert state.latent.second.latent() == SeedPoint(11.0)


def written(context: Any, shown: Window, folder: Path) -> None:
    """All go into one file and come back from it; what cannot be read is a sentence."""
    path = folder / "mine.json"
    for name, button, words in (
        (str(path), "Export", "Wrote 3 bookmarks"),
        (str(path), "Export", "is there already"),
        (str(path), "Import", "Read 3 bookmarks"),
        (str(folder / "none.json"), "Import", "There is no file"),
    ):
        context.item_click("**/File##bookmarks")
        context.yield_(2)
        context.item_input_value("//$FOCUSED/##path", name)
        context.item_click(f"//$FOCUSED/{button}")
        context.yield_(3)
        assert words in shown.context.message
    for name in ("/", "x" * 300, "/proc/none/b"):
        shown.context.bookmarks.write(name)
        assert shown.context.message.endswith(".") and "Wrote" not in shown.context.message
    shown._on_drop(None, [str(folder / "none.json")])
    assert "There is no file" in shown.context.message
    count = len(items(shown))
    shown._on_drop(None, [str(path)])
    assert len(items(shown)) == count + 3
    press(context, CTRL | imgui.Key.z)
    assert len(items(shown)) == count
    assert [item.name for item in read_bookmarks(path)[0]] == [item.name for item in items(shown)[:3]]
    assert len(items(shown)) == 6 and len({item.key for item in items(shown)}) == 6


def folded(context: Any, shown: Window) -> None:
    """The arrow folds the strip; keeping another opens it."""
    height = shown.canvas.frames["left"].height
    context.item_click("**/##shown")
    context.yield_(3)
    assert shown.canvas.frames["left"].height > height and not shown.state.bookmarks.shown
    context.item_click("//Canvas/+ Everything")
    context.yield_(3)
    assert shown.canvas.frames["left"].height == height and items(shown)[-1].kind == "everything"
    other = shown.state.right.path
    shown.open_model("right", "")
    shown.state.canvas.mode = "split"
    context.yield_(3)
    press(context, CTRL | imgui.Key._7)
    settle(context, shown)
    assert shown.state.right.path == other and shown.state.canvas.mode == "side"


def test_the_strip_of_bookmarks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glfw.get_cursor_pos", lambda window: (0.0, 0.0))
    state = AppState()
    state.left.path = save_model(tmp_path / "t.safetensors", "T", 32)
    state.right.path = save_model(tmp_path / "b.safetensors", "B", 32)
    state.sticking.show = "meters"
    state_path = tmp_path / "window.json"
    shown = Window(state, state_path, strict=True)

    def script(context: Any) -> None:
        settle(context, shown)
        for step in (kept, gone_to, reordered, edited, blended):
            step(context, shown)
        written(context, shown, tmp_path)
        folded(context, shown)
        seen(context, shown)

    drive(shown, script)
    screen = hello_imgui.final_app_window_screenshot()
    places, em = shown.places  # type: ignore[attr-defined]
    for item, (x, y) in zip(items(shown), places, strict=False):
        part = screen[round(y + 0.3 * THUMB * em) : round(y + 0.7 * THUMB * em), round(x + 0.3 * THUMB * em) :]
        part = part[:, : round(0.4 * THUMB * em), :3]
        inner = slice(round(0.3 * 96), round(0.7 * 96))
        small = decode_thumbnail(item.picture)[inner, inner, :3]
        assert np.abs(part.mean((0, 1)) - small.mean((0, 1))).max() < 6, item.name

    again = Window(AppState(), state_path, strict=True)
    again.close()
    assert [item.name for item in items(again)] == [item.name for item in items(shown)]
    state_path.with_suffix(".bookmarks.json").write_text("{")
    third = Window(AppState(), state_path, strict=True)
    third.close()
    assert not items(third) and "window.bookmarks.damaged.json" in third.context.message
    assert (tmp_path / "window.bookmarks.damaged.json").read_text() == "{"


def test_bookmarks_while_the_timeline_plays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glfw.get_cursor_pos", lambda window: (0.0, 0.0))
    state = AppState()
    state.left.path = save_model(tmp_path / "t.safetensors", "T", 16)
    shown = Window(state, strict=True)

    def script(context: Any) -> None:
        settle(context, shown)
        state.latent.x = 5.0
        settle(context, shown)
        press(context, CTRL | imgui.Key.b)
        former = items(shown)[0]
        state.timeline = put_template(state, TEMPLATES[0])
        context.yield_(3)
        press(context, imgui.Key.space)
        assert state.playback.playing
        context.yield_(6)
        choose(context, former, "Replace with what is shown")
        renewed = items(shown)[0]
        assert renewed is not former and "Ctrl-Z brings back what it held" in shown.context.message
        assert renewed.state.latent != former.state.latent, "a moment of the timeline"
        context.yield_(6)
        press(context, CTRL | imgui.Key.z)
        assert items(shown) == (former,) and state.playback.playing, "what it held is back, and nothing else changed"
        press(context, CTRL | imgui.Key._1)
        assert not state.playback.playing and "timeline stopped" in shown.context.message
        context.yield_(6)
        assert state.latent == former.state.latent, "and what is gone to stays"
        press(context, CTRL | imgui.Key.z)
        assert state.playback.playing and items(shown) == (former,)

    drive(shown, script)
