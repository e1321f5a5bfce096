# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Default settings of runs, by rung and resolution."""
