# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Figures and numbers of what is inside models and runs."""
