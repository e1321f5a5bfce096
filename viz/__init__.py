# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The window: what the user set, the request and picture that follow from it, and how they are shown."""
