# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Work done ahead of the step that needs it."""
