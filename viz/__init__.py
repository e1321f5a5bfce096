# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The window: what the user set (state), what follows from it (request, renderer) and how it is shown (canvas, panels)."""
