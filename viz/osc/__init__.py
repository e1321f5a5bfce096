# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""OSC: every number of the state by its address, in and out."""
