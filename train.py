# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Train a generator: `--help` says how. Importing `train` finds the package of that name, not this script."""

from train.cli.main import main

if __name__ == "__main__":
    main()
