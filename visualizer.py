# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Look at a generator: `python visualizer.py` opens the window, `--help` says what else there is."""

from viz.__main__ import main

if __name__ == "__main__":
    main()
