# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Compile, load and launch the CUDA kernels."""
