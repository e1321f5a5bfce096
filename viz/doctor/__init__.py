# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Find what keeps the program from running; the process that reports needs the standard library only."""
