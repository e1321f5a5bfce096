# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Where things lie in the checkout."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
DATA = TESTS / "data"
FOREIGN_CASES = ROOT.parent / "shared" / "conformance-foreign"  # other projects' checkpoints, where they are at hand
