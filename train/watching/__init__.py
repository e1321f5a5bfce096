# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""A run as others follow it and steer it, by files in its folder."""
