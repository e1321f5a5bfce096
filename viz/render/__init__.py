# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Turn requests into pictures on the worker's thread."""
