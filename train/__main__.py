# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`python -m train`: the same command line as train.py."""

from train.cli.main import main

if __name__ == "__main__":
    main()
