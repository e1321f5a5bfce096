# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Draw the two pictures and take the gestures on them."""
