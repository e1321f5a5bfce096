# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Devices that are missing, or listed and unusable, are refused in one sentence."""

import pytest
import torch

from gan import devices
from gan.devices import DeviceError, check_device, require_device


def test_a_device_that_is_not_there_is_refused() -> None:
    check_device("cpu")
    require_device("cpu")
    with pytest.raises(DeviceError, match="There is no device 'abacus' on this machine: choose one of cpu"):
        require_device("abacus")


def test_a_device_that_is_listed_but_busy_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*size: int, device: str) -> torch.Tensor:
        raise RuntimeError("CUDA error: all CUDA-capable devices are busy or unavailable\nCompile with ...")

    monkeypatch.setattr(devices, "list_devices", lambda: ("cpu", "cuda:0"))
    monkeypatch.setattr(torch, "empty", busy)
    check_device("cuda")
    with pytest.raises(
        DeviceError, match=r"^The device cuda cannot be used \(CUDA error: .* unavailable\): give --device=cpu"
    ):
        require_device("cuda")
