# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Metrics of sets of pictures: feature networks and the formulas over their features."""
