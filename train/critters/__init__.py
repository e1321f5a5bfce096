# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The bundled data set: one drawn creature a picture."""
