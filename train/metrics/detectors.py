# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Open the feature networks that metrics need: those that were named, else the ones that their definitions name."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import click

from gan.files.errors import sanitize_text
from gan.files.user_cache import find_user_cache
from gan.hub.published import PublishedDetector, find_detector
from gan.hub.resolve import cite_model, unquote_path
from gan.hub.url import Address, DownloadError, is_address, parse_address
from gan.metrics.features import LITE_NAME, EfficientNetLite0, FeatureNetwork, MissingFeatures
from gan.metrics.names import Metric
from gan.metrics.torchscript import INCEPTION, VGG16, TorchScriptFeatures, hash_file

LITE = "lite0"
TRUSTED = "detectors"  # in the user's cache folder: an empty file for each program that the user named, by its digest
ROLES = {"fid": INCEPTION, "kid": INCEPTION, "is": INCEPTION, "pr": VGG16, "ppl": VGG16}  # by kind of metric


def open_networks(
    metrics: Sequence[Metric], given: Sequence[str], device: str, fetch: Callable[[str], str], is_asked: bool = True
) -> tuple[dict[str, FeatureNetwork], tuple[str, ...]]:
    """Return the feature network for each kind of metric that has one, and what may be kept of the names `given`.

    `given`: paths, addresses, names of published detectors, or LITE, which stands in where no other one does. What is
    not given is fetched: `fetch` returns the path of the file at an address. With `is_asked` the user named them; else
    a file of a run did, which may be anybody's, and only programs that the user once named are run. MissingFeatures,
    one sentence.
    """
    needed = {metric.kind: ROLES[metric.kind] for metric in metrics if metric.kind in ROLES}
    if not needed:
        return {}, tuple(map(cite_detector, given))
    lite, of_role, cited = None, {}, list(given)
    for i, text in enumerate(given):
        if text.strip().lower() == LITE:
            lite = EfficientNetLite0(device)
        else:
            network, cited[i] = _open_program(text, device, fetch, is_asked)
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
    return found, tuple(cited)


def cite_detector(text: str) -> str:
    """Return what may be kept of a detector's name as long as it is not opened: an address loses its secrets."""
    address = _parse(text)
    if address is None:
        return _show(text) if is_address(text) else text
    return f"{address.shown}#sha256={address.sha256}" if address.sha256 else address.shown


def check_detectors(given: Sequence[str]) -> None:
    """Raise MissingFeatures for a detector that is no file, no address and no known name; nothing is fetched or run."""
    for text in given:
        if text.strip().lower() != LITE:
            _find_file(text, str)


def _open_program(
    text: str, device: str, fetch: Callable[[str], str], is_asked: bool
) -> tuple[TorchScriptFeatures, str]:
    """Return a program as a feature network, and what may be kept of its name: an address with its checksum."""
    shown = _show(text)
    if not (is_asked or _is_trusted(text)):
        raise MissingFeatures(
            f"The run's files name a program to measure by, {shown}, that you never named yourself: if you trust it, "
            f"give --detector={shown} once more, else --metrics=none."
        )
    try:
        path = _find_file(text, fetch)
    except click.ClickException as problem:
        if is_asked or problem.exit_code == 130:  # Ctrl-C
            raise
        raise MissingFeatures(
            f"The program that the run is measured by, {shown}, is not in the cache any more and could not be fetched "
            f"({problem.message.rstrip('.')}): give its whole address with --detector once more, else --metrics=none."
        ) from problem
    network = TorchScriptFeatures(path, device)
    if mark := _find_mark(network.digest):
        with suppress(OSError):  # it is then asked for again
            mark.parent.mkdir(parents=True, exist_ok=True)
            mark.touch()
    return network, cite_model(text, path)


def _is_trusted(text: str) -> bool:
    """Tell whether a program is a published one, or known by its content as one that the user once named. OSError."""
    path = _find_path(text)
    if path is None and find_detector(text):
        return True
    address = _parse(text)
    digest = hash_file(path) if path is not None else "" if address is None else address.sha256
    mark = _find_mark(digest)
    return bool(digest) and mark is not None and mark.exists()


def _find_mark(digest: str) -> Path | None:
    """Return the empty file that says that the user once named the program of this content; None for nowhere."""
    cache = find_user_cache()
    return None if cache is None else cache / TRUSTED / digest


def _parse(text: str) -> Address | None:
    """Return the address that a detector is called by; None for any other name, and for what is no usable address."""
    with suppress(DownloadError):
        return parse_address(text) if is_address(text) else None
    return None


def _show(text: str) -> str:
    """Return a detector's name for a sentence: without the secrets that an address may hold."""
    address = _parse(text)
    return address.shown if address is not None else "an address" if is_address(text) else sanitize_text(text, 200)


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
        raise MissingFeatures(
            f"There is no detector {_show(text)}: give the path or address of a TorchScript file, {INCEPTION}, "
            f"{VGG16}, or {LITE}, which needs no download."
        )
    return _fetch(published, f"You asked for {published.name}.pt", fetch)
