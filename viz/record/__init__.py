# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Keep, reproduce and film what is seen."""
