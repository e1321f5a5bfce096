# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""A sheet of augmented pictures of a set: what the discriminator would see of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from gan.augment.options import AugmentOptions
from gan.data.image_dataset import open_images
from gan.data.image_io import prepare_for_grid, save_png, tile_images, to_uint8
from train.augmentation import Augmenter


def draw_sheet(data: Path, out: Path, options: AugmentOptions, rows: int, columns: int, seed: int) -> None:
    """Write a PNG with a picture of the set in each row, first as it is, then augmented `columns` - 1 times."""
    source = open_images(data)
    chosen = np.arange(rows) * len(source) // rows
    reals = torch.from_numpy(source.batch(chosen)).float() / 127.5 - 1
    torch.manual_seed(seed)
    augmenter = Augmenter(options, torch.device("cpu"))
    sheets = [reals, *(augmenter(reals) for _ in range(columns - 1))]
    pictures = to_uint8(torch.stack(sheets, dim=1).flatten(0, 1)).numpy()
    save_png(out, tile_images(prepare_for_grid(pictures), columns))
