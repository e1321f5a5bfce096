# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Runs that start from another model (docs/transfer.md)."""
