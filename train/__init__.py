# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Training: data, losses, the loop, run folders, the command line, and the bundled data set."""
