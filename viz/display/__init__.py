# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Bring pictures to OpenGL textures."""
