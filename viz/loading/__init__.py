# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Read what a checkpoint is, fetch it, and keep loaded models."""
