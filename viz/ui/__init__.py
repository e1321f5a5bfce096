# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Theme, widgets, and what panels are given."""
