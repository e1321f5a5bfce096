# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The models that a request's picture comes from, its own and the one whose w's are mixed in, as keys of caches."""

from dataclasses import replace
from pathlib import Path

from gan.hub.resolve import explain_missing
from viz.core.latent import Mixture, Moved, OtherModel
from viz.core.request import PictureRequest
from viz.loading.model_cache import ModelKey


def make_key(request: PictureRequest) -> ModelKey:
    """Return the key of a request's model. Raises FileNotFoundError."""
    path = Path(request.model)
    try:
        status = path.stat()
    except OSError:
        raise FileNotFoundError(explain_missing(path)) from None
    if path.is_dir():
        raise FileNotFoundError(explain_missing(path))
    return ModelKey(str(path), status.st_mtime_ns, status.st_size, request.device)


def find_key(request: PictureRequest) -> ModelKey | None:
    """Return the key of a request's model, None where it cannot be had."""
    try:
        return make_key(request)
    except (OSError, ValueError):
        return None


def make_keys(request: PictureRequest) -> tuple[ModelKey, ...]:
    """Return the keys of all models of a request's picture, its own first. Raises FileNotFoundError."""
    other = find_other(request)
    return (make_key(request),) if other is None else (make_key(request), make_key(other))


def ask_other(other: OtherModel, device: str) -> PictureRequest:
    """Return the request of the picture whose w's a latent takes from another model."""
    request = PictureRequest(other.model, other.latent, other.psi, other.cutoff, other.label, other.label_kind)
    return replace(request, vector=other.vector, device=device)


def find_other(request: PictureRequest) -> PictureRequest | None:
    """Return the request of the picture whose w's are mixed in from another model, None if there are none."""
    latent = request.latent.base if isinstance(request.latent, Moved) else request.latent
    latent = latent.other if isinstance(latent, Mixture) else latent
    return ask_other(latent, request.device) if isinstance(latent, OtherModel) else None
