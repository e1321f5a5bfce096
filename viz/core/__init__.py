# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""State, gestures, requests and results: plain data, without torch and OpenGL."""
