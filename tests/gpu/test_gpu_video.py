# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Frames of videos that are drawn on a GPU are resampled there, and are those of the CPU."""

from pathlib import Path

import numpy as np
import pytest
import torch
from support.gui import save_model

from viz.core.images import DeviceImage
from viz.core.state import AppState
from viz.record.video import frames


@pytest.mark.parametrize("side", [64, 48, 200])
def test_frames_come_from_the_gpu_as_bytes(side: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = AppState()
    state.left.path = save_model(tmp_path / "t.safetensors", "T", 64)
    state.transform.tx, state.display.precision = 0.1, "float32"
    expected = frames.FramePainter((side, side)).draw_state(state, ("left",))
    fitted: list[torch.Tensor] = []
    fit = frames._fit
    monkeypatch.setattr(frames, "_fit", lambda pixels, side: fitted.append(fit(pixels, side)) or fitted[-1])
    monkeypatch.setattr(DeviceImage, "to_host", lambda self: pytest.fail("the whole picture was downloaded"))
    state.display.device = "cuda"
    found = frames.FramePainter((side, side)).draw_state(state, ("left",))
    assert fitted[-1].is_cuda and fitted[-1].dtype == torch.uint8 and fitted[-1].shape == (side, side, 3)
    assert abs(found.astype(int) - expected).max() <= 3 and abs(found.astype(np.float64) - expected).mean() < 0.2
