# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The models, fonts and pictures that come with Jinc, as package data. What each file is stands in the README."""
