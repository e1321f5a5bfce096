# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Options and commands shared by both command lines."""
