# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Draw a slot's download below its path in the Model panel: progress, failure, or the checksum of the file."""

from pathlib import Path

from imgui_bundle import ImVec2, imgui

from gan.files.format import format_bytes, format_duration
from gan.hub.cache import is_cached
from viz.core.state import Slot
from viz.loading.downloads import FAILED, Report
from viz.ui.context import PanelContext
from viz.ui.widgets import button, fact, sentence, tooltip

SHOWN_DIGITS = 16  # of a checksum that are shown; all are a click away
STAGES = {"connecting": "Connecting", "waiting": "Reconnecting", "checking": "Checking"}


def draw(context: PanelContext, slot: Slot, path: str) -> None:
    """Draw a slot's download; nothing where its model was not downloaded."""
    report = context.models.downloads.report(slot)
    if report is None:
        if is_cached(path):
            _checksum(context, Path(path).parent.name)
    elif report.stage == FAILED:
        _failure(context, slot, report)
    else:
        _progress(context, slot, report)


def _progress(context: PanelContext, slot: Slot, report: Report) -> None:
    """Draw three lines: name and time left, bar and button, figures."""
    room, gap = imgui.get_content_region_avail().x, imgui.get_style().item_inner_spacing.x
    left = "" if report.seconds_left is None else f"{format_duration(report.seconds_left)} left"
    imgui.push_font(context.theme.mono, 0.0)
    width = imgui.calc_text_size(left).x
    imgui.pop_font()
    start = imgui.get_cursor_pos_x()
    imgui.text_unformatted(_elided(report.name, room - width - 2 * gap))
    tooltip(report.address)
    imgui.push_font(context.theme.mono, 0.0)
    if left:
        imgui.same_line()
        imgui.set_cursor_pos_x(start + room - width)
        imgui.text_colored(context.theme.dim, left)
    imgui.pop_font()
    _bar(report, room - gap - imgui.calc_text_size("Cancel").x - 2 * imgui.get_style().frame_padding.x)
    imgui.same_line(0, gap)
    if button("Cancel", "Stop the download. Opening the address again resumes it."):
        context.models.downloads.cancel(slot)
    imgui.push_font(context.theme.mono, 0.0)
    imgui.text_colored(context.theme.dim, describe_progress(report))
    imgui.pop_font()
    imgui.dummy((0, 2))


def _bar(report: Report, width: float) -> None:
    fraction = report.fraction
    percent = "" if fraction is None else f"{100 * fraction:.0f} %"
    words = percent if report.stage == "downloading" else f"{STAGES[report.stage]} {percent}".strip()
    known = -0.5 * imgui.get_time() if fraction is None else fraction  # negative: only that something happens
    imgui.push_style_color(imgui.Col_.plot_histogram, imgui.get_style_color_vec4(imgui.Col_.button_active))
    imgui.progress_bar(known, ImVec2(width, 0), words)
    imgui.pop_style_color()
    tooltip(f"Downloading {report.address}")


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
    sentence(report.error, context.theme.error)
    if report.address:
        if button("Try again", f"Resume the download of {report.address}."):
            context.models.downloads.retry(slot)
        imgui.same_line()
    if button("Dismiss", "Hide this message."):
        context.models.downloads.cancel(slot)
    imgui.dummy((0, 2))


def _checksum(context: PanelContext, sha256: str) -> None:
    tip = f"{sha256} is the checksum of the downloaded file; equal checksums mean equal files. Click to copy."
    fact(context.theme, "sha256", f"{sha256[:SHOWN_DIGITS]}…", tip, context.theme.dim)
    if imgui.is_item_clicked():
        imgui.set_clipboard_text(sha256)
