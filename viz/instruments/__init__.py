# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Measure what stands beside the picture: layers, spectra, filters, sticking."""
