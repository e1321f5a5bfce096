# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Videos and films: the frames of states, the formats of files, and what writes them."""
