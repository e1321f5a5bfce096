# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Picture sets made of other pictures."""
