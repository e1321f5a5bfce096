# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Several processes, of one machine or many, that train one run together (docs/multi-gpu.md)."""
