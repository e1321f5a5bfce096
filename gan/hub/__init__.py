# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Resolve a model's name to a file, fetched and cached where it is an address."""
