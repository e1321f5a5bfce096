# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Open the feature networks that metrics need: those that were named, else the ones that their definitions name."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import click

from gan.files.errors import sanitize_text
from gan.files.user_cache import find_user_cache
from gan.hub.published import PublishedDetector, find_detector
from gan.hub.resolve import unquote_path
from gan.hub.url import is_address
from gan.metrics.features import LITE_NAME, EfficientNetLite0, FeatureNetwork, MissingFeatures
from gan.metrics.names import Metric
from gan.metrics.torchscript import INCEPTION, VGG16, TorchScriptFeatures, hash_file

LITE = "lite0"
TRUSTED = "detectors"  # in the user's cache folder: an empty file for each program that the user named, by its digest
ROLES = {"fid": INCEPTION, "kid": INCEPTION, "is": INCEPTION, "pr": VGG16, "ppl": VGG16}  # by kind of metric


def open_networks(
    metrics: Sequence[Metric], given: Sequence[str], device: str, fetch: Callable[[str], str], is_asked: bool = True
) -> dict[str, FeatureNetwork]:
    """Return the feature network for each kind of metric that has one.

    `given`: paths, addresses, names of published detectors, or LITE, which stands in where no other one does. What is
    not given is fetched: `fetch` returns the path of the file at an address. With `is_asked` the user named them; else
    a file of a run did, which may be anybody's, and only programs that the user once named are run. MissingFeatures,
    one sentence.
    """
    needed = {metric.kind: ROLES[metric.kind] for metric in metrics if metric.kind in ROLES}
    if not needed:
        return {}
    lite, of_role = None, {}
    for text in given:
        if text.strip().lower() == LITE:
            lite = EfficientNetLite0(device)
        else:
            network = _open_program(text, device, fetch, is_asked)
            of_role[network.role] = network
    names = {metric.kind: metric.name for metric in metrics}
    found: dict[str, FeatureNetwork] = {}
    for kind, role in needed.items():
        if role not in of_role and (lite is None or kind == "ppl"):
            if lite is not None:
                raise MissingFeatures(
                    f"{names[kind]} needs {role}.pt, for which {LITE_NAME} cannot stand in: leave {names[kind]} out, "
                    f"or add --detector={role}, which downloads it."
                )
            of_role[role] = TorchScriptFeatures(_fetch_published(role, names[kind], fetch), device)
        found[kind] = of_role.get(role) or _require(lite)
    return found


def check_detectors(given: Sequence[str]) -> None:
    """Raise MissingFeatures for a detector that is no file, no address and no known name; nothing is fetched or run."""
    for text in given:
        if text.strip().lower() != LITE:
            _find_file(text, str)


def _open_program(text: str, device: str, fetch: Callable[[str], str], is_asked: bool) -> TorchScriptFeatures:
    mark = _find_mark(text)
    if not (is_asked or _find_path(text) is None and find_detector(text) or mark is not None and mark.exists()):
        shown = sanitize_text(text, 200)
        raise MissingFeatures(
            f"The run's files name a program to measure by, {shown}, that you never named yourself: if you trust it, "
            f"give --detector={shown} once more, else --metrics=none."
        )
    network = TorchScriptFeatures(_find_file(text, fetch), device)
    if mark is not None:
        with suppress(OSError):  # it is then asked for again
            mark.parent.mkdir(parents=True, exist_ok=True)
            mark.touch()
    return network


def _find_mark(text: str) -> Path | None:
    """Return the empty file that says that the user once named this program, a file by its content; None for nowhere.

    OSError.
    """
    cache, path = find_user_cache(), _find_path(text)
    digest = hashlib.sha256(text.encode()).hexdigest() if path is None else hash_file(path)
    return None if cache is None else cache / TRUSTED / digest


def _find_path(text: str) -> str | None:
    path = os.path.expanduser(unquote_path(text))
    return path if os.path.isfile(path) else None


def _require(network: FeatureNetwork | None) -> FeatureNetwork:
    assert network is not None
    return network


def _fetch_published(role: str, name: str, fetch: Callable[[str], str]) -> str:
    published = find_detector(role)
    assert published is not None
    return _fetch(published, f"{name} needs {role}.pt", fetch)


def _fetch(published: PublishedDetector, why: str, fetch: Callable[[str], str]) -> str:
    try:
        return fetch(published.address)
    except click.ClickException as problem:
        if problem.exit_code == 130:  # Ctrl-C
            raise
        raise MissingFeatures(
            f"{why}, which could not be fetched ({problem.message.rstrip('.')}): download {published.address} where "
            f"there is a network and give --detector=FILE, or give --detector={LITE}, which needs no download."
        ) from problem


def _find_file(text: str, fetch: Callable[[str], str]) -> str:
    path = _find_path(text)
    if path is not None:
        return path
    if is_address(text):
        return fetch(text)
    published = find_detector(text)
    if published is None:
        shown = sanitize_text(text, 200)
        raise MissingFeatures(
            f"There is no detector {shown}: give the path or address of a TorchScript file, {INCEPTION}, {VGG16}, or "
            f"{LITE}, which needs no download."
        )
    return _fetch(published, f"You asked for {published.name}.pt", fetch)
