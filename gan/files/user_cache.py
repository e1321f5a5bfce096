# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The user's cache folder: what is in it can be fetched or computed again."""

from __future__ import annotations

from pathlib import Path


def find_user_cache() -> Path | None:
    """Return this program's folder in the user's cache folder; None where there is no home folder."""
    from platformdirs import user_cache_path  # here: few commands need it

    try:
        folder = user_cache_path("jinc", appauthor=False, opinion=False)
        # Older versions of platformdirs believe a relative XDG_CACHE_HOME.
        return folder if folder.is_absolute() else Path.home() / ".cache" / "jinc"
    except RuntimeError:
        return None
