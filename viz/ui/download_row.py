# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Draw a slot's download below its path in the Model panel: progress, failure, or the checksum of the file."""

from pathlib import Path

from imgui_bundle import imgui, imgui_ctx

from gan.files.format import format_bytes, format_duration
from gan.hub.cache import is_cached
from gan.hub.published import Published
from viz.core.state import Slot
from viz.loading.downloads import FAILED, Report
from viz.ui import widgets
from viz.ui.context import PanelContext

SHOWN_DIGITS = 16  # of a checksum that are shown; all are a click away
STAGES = {"connecting": "Connecting", "waiting": "Reconnecting", "checking": "Checking"}


def draw(context: PanelContext, slot: Slot, path: str) -> None:
    """Draw a slot's download, or its offer; nothing where its model was not downloaded."""
    offer, report = context.models.downloads.offer(slot), context.models.downloads.report(slot)
    if offer is not None:
        _offer(context, slot, offer)
    elif report is None:
        if is_cached(path):
            sha256 = Path(path).parent.name
            tip = f"{sha256} is the checksum of the downloaded file; equal checksums mean equal files. Click to copy."
            widgets.fact(context.theme, "sha256", f"{sha256[:SHOWN_DIGITS]}…", tip, context.theme.dim)
            widgets.copied_on_click(sha256)
    elif report.stage == FAILED:
        _failure(context, slot, report)
    else:
        _progress(context, slot, report)


def _offer(context: PanelContext, slot: Slot, offer: Published) -> None:
    """Draw the terms of a published checkpoint, and the buttons that accept them or do not."""
    widgets.sentence(offer.describe_terms(), context.theme.text)
    row = widgets.Row(2)
    if widgets.button("Fetch", f"Accept its licence and download {offer.address}.", width=row.next_cell()):
        context.models.downloads.accept(slot)
    if widgets.button("Cancel", "Download nothing.", width=row.next_cell()):
        context.models.downloads.cancel(slot)
    imgui.dummy((0, 2))


def _progress(context: PanelContext, slot: Slot, report: Report) -> None:
    """Draw three lines: name and time left, bar and button, figures."""
    theme, style = context.theme, imgui.get_style()
    room, gap = imgui.get_content_region_avail().x, style.item_inner_spacing.x
    left = "" if report.seconds_left is None else f"{format_duration(report.seconds_left)} left"
    with imgui_ctx.push_font(theme.mono, 0.0):
        width = imgui.calc_text_size(left).x
    imgui.text_unformatted(_elided(report.name, room - width - 2 * gap))
    widgets.tooltip(report.address)
    if left:
        imgui.same_line()
        widgets.mono_text(theme, left, theme.dim, right=True)
    percent = "" if report.fraction is None else f"{100 * report.fraction:.0f} %"
    words = f"{STAGES.get(report.stage, '')} {percent}".strip()
    widgets.progress_bar(
        report.fraction, words, room - gap - imgui.calc_text_size("Cancel").x - 2 * style.frame_padding.x
    )
    widgets.tooltip(f"Downloading {report.address}")
    imgui.same_line(0, gap)
    if widgets.button("Cancel", "Stop the download. Opening the address again resumes it."):
        context.models.downloads.cancel(slot)
    widgets.mono_text(theme, describe_progress(report), theme.dim)
    imgui.dummy((0, 2))


def describe_progress(report: Report) -> str:
    """Return as much as is known of: 120 of 350 MiB  12.3 MiB/s."""
    done, total = format_bytes(report.done), format_bytes(report.total) if report.total else ""
    if not total:
        words = done if report.done else "no bytes yet"
    elif done.partition(" ")[2] == total.partition(" ")[2]:
        words = f"{done.partition(' ')[0]} of {total}"
    else:
        words = f"{done} of {total}"
    speed = f"  {format_bytes(report.speed)}/s" if report.speed and report.stage == "downloading" else ""
    return words + speed


def _elided(text: str, width: float) -> str:
    """Shorten a name to a width in pixels by its middle."""
    if imgui.calc_text_size(text).x <= width:
        return text
    for keep in range(len(text) - 1, 1, -1):
        short = f"{text[: (keep + 1) // 2]}…{text[len(text) - keep // 2 :]}"
        if imgui.calc_text_size(short).x <= width:
            return short
    return text[:1]


def _failure(context: PanelContext, slot: Slot, report: Report) -> None:
    widgets.sentence(report.error, context.theme.error)
    if report.address:
        if widgets.button("Try again", f"Resume the download of {report.address}."):
            context.models.downloads.retry(slot)
        imgui.same_line()
    if widgets.button("Dismiss", "Hide this message."):
        context.models.downloads.cancel(slot)
    imgui.dummy((0, 2))
