# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The window: layout, menus, shortcuts, frame loop."""
