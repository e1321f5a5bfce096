# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The generators, discriminators and checkpoints of Jinc: models and their mathematics, no windows and no training."""
