# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The generators and the discriminator, from configuration to layers."""
