# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Options of the official trainer that are not there, or mean nothing here (docs/coming-from-stylegan3.md)."""

from __future__ import annotations

ELSEWHERE = {
    "--allow-tf32": "has no meaning here: --fp32 and --num-fp16-res decide what is computed in which precision.",
    "--nhwc": "has no meaning here: the layout of tensors in memory is chosen for the device; leave it out.",
}
