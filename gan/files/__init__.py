# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Atomic writes, sentences of errors, numbers for people."""
