# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Augmentations of pictures before the discriminator, differentiable any number of times in the pictures."""
