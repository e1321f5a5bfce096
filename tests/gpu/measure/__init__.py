# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Time what a GPU does: operators, frames, the start, training."""
