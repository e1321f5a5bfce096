# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Start the trainer and follow its run folder."""
