# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Atomic writes, error messages, and numbers for people."""
