# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Metrics of trained and untrained generators, printed and written as JSON."""
