# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The Transform panel, driven: freezing and zeroing what was learned, moving the picture back, scale, animations."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.gui import drive, save_model, settle

from gan.checkpoints.checkpoint import save_generator
from gan.networks.generator import init_generator
from gan.networks.ladder import rung_config
from viz.core.request import build_request
from viz.core.state import AppState
from viz.panels import transform as panel
from viz.window.window import Window

pytestmark = pytest.mark.slow


def taught_model(path: Path) -> str:
    """A small T whose w turns and moves its input."""
    generator = init_generator(rung_config("T", 32, z_dim=32, w_dim=32, channel_base=512, channel_max=16))
    generator.synthesis.input.affine.weight.copy_(torch.randn(4, 32))
    generator.synthesis.get_submodule(generator.layer_names[-1]).weight.mul_(8)
    save_generator(path, generator, {})
    return str(path)


def picture(shown: Window, slot: Any) -> np.ndarray:
    result = shown.context.results[slot]
    assert result is not None and result.image is not None, result and result.error
    return result.image.copy()


def frozen(context: Any, shown: Window) -> None:
    """Freeze keeps the right model's numbers over a walk; Zero and model replace them and give them back."""
    state = shown.state
    context.item_click(f"//Transform/{panel.LEARNED}")
    settle(context, shown)
    own = shown.context.results["right"].learned  # type: ignore[union-attr]
    assert own is not None and math.hypot(own[2], own[3]) > 0.01
    before = picture(shown, "right")
    context.item_click("//Transform/Freeze##right")
    settle(context, shown)
    degrees = math.degrees(math.atan2(own[1], own[0]))
    kept = (own[2], own[3], degrees)
    transform = state.transform
    found = (transform.learned_tx, transform.learned_ty, transform.learned_degrees)
    assert transform.learned == "set" and found == pytest.approx(kept)
    assert np.abs(picture(shown, "right").astype(int) - before).max() <= 1

    context.item_click("//Latent/Nearest")
    state.latent.x += 3
    settle(context, shown)
    request, result = build_request(state).right, shown.context.results["right"]
    assert request is not None and request.learned == pytest.approx(kept)
    assert result is not None and result.request == request and result.learned != own
    walked = picture(shown, "right")
    context.item_click("//Transform/model##learned")
    settle(context, shown)
    assert transform.learned == "model" and build_request(state).right.learned is None  # type: ignore[union-attr]
    assert not np.array_equal(picture(shown, "right"), walked)
    context.item_click("//Transform/Zero")
    settle(context, shown)
    assert build_request(state).right.learned == (0, 0, 0)  # type: ignore[union-attr]
    left = shown.context.results["left"]
    assert left is not None and left.notice and "no learned transform" in left.notice

    context.item_input_value("//Transform/##learned_degrees", 90.0)
    settle(context, shown)
    assert build_request(state).right.learned == (0, 0, 90)  # type: ignore[union-attr]
    context.item_click("//Transform/model##learned")
    settle(context, shown)
    assert left is not shown.context.results["left"] and shown.context.results["left"].notice is None  # type: ignore[union-attr]
    context.item_click(f"//Transform/{panel.LEARNED}")


def inverse_warp(context: Any, shown: Window) -> None:
    """Untransform changes the pixels of a moved picture and leaves those of one at rest."""
    state = shown.state
    rest = picture(shown, "right")
    context.item_click("//Transform/untransform##untransform")
    settle(context, shown)
    assert state.transform.untransform and np.array_equal(picture(shown, "right"), rest)
    context.item_input_value("//Transform/##tx px", 8.0)
    settle(context, shown)
    back = picture(shown, "right")
    assert not back[:, -8:, :3].any() and back[:, :-8, :3].any()
    context.item_click("//Transform/untransform##untransform")
    settle(context, shown)
    moved = picture(shown, "right")
    assert np.array_equal(moved[:, 8:], back[:, :-8])
    context.item_click("//Transform/Reset")
    settle(context, shown)
    assert np.array_equal(picture(shown, "right"), rest) and state.transform.tx == 0


def scaled(context: Any, shown: Window) -> None:
    """A typed scale says how much of each input is left; a double click brings it back to 1."""
    state = shown.state
    context.item_input_value("//Transform/##scale", 0.5)
    settle(context, shown)
    assert state.transform.scale == 0.5
    shares = [shown.context.results[slot].kept for slot in ("left", "right")]  # type: ignore[union-attr]
    assert 0 < shares[0] < shares[1] < 1, "B drops what T fades"
    context.item_input_value("//Transform/##scale", 100.0)
    assert state.transform.scale == 4
    context.item_double_click("//Transform/##scale")
    context.yield_(3)
    assert state.transform.scale == 1


def chosen(context: Any, word: str) -> None:
    """Choose an animation from its list."""
    context.item_click("//Transform/##animate")
    context.yield_(2)
    context.item_click(f"//$FOCUSED/{word}")
    context.yield_(2)


def animated(context: Any, shown: Window) -> None:
    """An animation is chosen from the list, moves its own number, and stops."""
    state = shown.state
    for word, name in (("x", "tx"), ("scale", "scale")):
        chosen(context, word)
        assert state.transform.animate == word
        before = getattr(state.transform, name)
        context.yield_(20)
        assert getattr(state.transform, name) != before
        chosen(context, "off")
        stopped = getattr(state.transform, name)
        context.yield_(5)
        assert getattr(state.transform, name) == stopped
        context.item_click("//Transform/Reset")
    settle(context, shown)


def turned_and_deformed(context: Any, shown: Window) -> None:
    """A rate turns the picture beside another animation, steps snap it, and what is no motion is under a header."""
    transform, seen = shown.state.transform, [picture(shown, "right")]
    chosen(context, "x")
    context.item_input_value("//Transform/##spin", 0.5)
    context.yield_(20)
    assert transform.tx != 0 and transform.degrees != 0
    context.item_input_value("//Transform/##spin", 0.0)
    chosen(context, "off")
    context.item_click("//Transform/Reset")
    context.item_input_value("//Transform/##degrees", 40.0)
    context.item_input_value("//Transform/##snap_degrees", 30.0)
    settle(context, shown)
    request = build_request(shown.state).right
    assert request is not None and request.degrees == pytest.approx(30.0)
    context.item_input_value("//Transform/##snap_degrees", 0.0)
    context.item_click("//Transform/Reset")
    settle(context, shown)
    assert np.array_equal(picture(shown, "right"), seen[0])
    context.item_click(f"//Transform/{panel.DEFORM}")
    steps = (
        lambda: context.item_input_value("//Transform/##stretch", 2.0),
        lambda: context.item_input_value("//Transform/##shear", 0.5),
        lambda: context.item_click("//Transform/left to right##mirror"),
    )
    for step in steps:
        step()
        settle(context, shown)
        now = picture(shown, "right")
        assert not any(np.array_equal(now, before) for before in seen)
        seen.append(now)
    context.item_click("//Transform/Reset")
    settle(context, shown)
    assert np.array_equal(picture(shown, "right"), seen[0])
    context.item_click(f"//Transform/{panel.DEFORM}")


def averaged(context: Any, shown: Window, path: str) -> None:
    """The switch for rung A's constant comes with a rung A, and is there as long as it is on."""
    state = shown.state
    assert not context.item_exists("//Transform/mean constant##mean_constant")
    shown.open_model("left", path)
    settle(context, shown)
    before = picture(shown, "left")
    context.item_click("//Transform/mean constant##mean_constant")
    settle(context, shown)
    assert state.transform.mean_constant and not np.array_equal(picture(shown, "left"), before)
    right = shown.context.results["right"]
    assert right is not None and right.notice and "only rung A" in right.notice
    shown.open_model("left", "")
    settle(context, shown)
    context.item_click("//Transform/mean constant##mean_constant")
    settle(context, shown)
    assert not state.transform.mean_constant and shown.context.results["right"].notice is None  # type: ignore[union-attr]


def test_the_transform_panel(tmp_path: Path) -> None:
    torch.manual_seed(1)
    state = AppState()
    state.left.path = save_model(tmp_path / "b.safetensors", "B", 32)
    state.right.path = taught_model(tmp_path / "t.safetensors")
    constant = save_model(tmp_path / "a.safetensors", "A", 32)
    shown = Window(state, strict=True)

    def script(context: Any) -> None:
        settle(context, shown)
        for step in (frozen, inverse_warp, scaled, animated, turned_and_deformed):
            step(context, shown)
        averaged(context, shown, constant)

    drive(shown, script)
