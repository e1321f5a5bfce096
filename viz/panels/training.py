# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Training: choose data, rung and length, start a trainer, and watch it in the same place."""

from __future__ import annotations

from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

from imgui_bundle import ImVec2, imgui, imgui_ctx

from gan.hub.resolve import format_title
from gan.hub.url import is_address
from gan.networks.ladder import RUNGS
from viz.core.panel_state import TrainingState
from viz.core.state import SLOTS, AppState, absolute_path
from viz.panels import training_run
from viz.training.monitor import RunMonitor, RunReport, build_training_command, format_command
from viz.training.process import RunError
from viz.training.run_folder import STATE, RunSnapshot
from viz.ui import widgets
from viz.ui.context import PanelContext

TITLE = "Training"
PLACE = "bottom"

COLUMN = 19.0  # width of a column of controls, in font sizes
ROW_GAP = 0.6  # between the form's rows, in usual gaps
SIZES = ("16", "32", "64", "128", "256")
CRITTERS, OWN = "critters", "own pictures"
AUTOMATIC = "automatic"


def draw(state: AppState, context: PanelContext) -> None:
    """Draw the form for a new run, or the run that is followed."""
    monitor = context.training
    if monitor is None:
        widgets.sentence("Training is not available in this window.", context.theme.dim)
        return
    report = monitor.report
    if report.active or report.snapshot is not None:
        training_run.draw(state.training, context, monitor, report)
    else:
        _form(state, context, monitor, report)


def update(state: AppState, context: PanelContext) -> None:
    """Remember the run that is followed, and keep slots on its newest snapshot; call it in every frame."""
    if context.training is None or context.training.report.snapshot is None:
        return
    snapshot = context.training.report.snapshot
    state.training.run_folder = str(snapshot.folder)
    _follow(state, context, context.training, snapshot)


def _follow(state: AppState, context: PanelContext, monitor: RunMonitor, snapshot: RunSnapshot) -> None:
    training, newest = state.training, snapshot.network
    for slot in SLOTS:
        wish, shown = f"follow_{slot}", monitor.shown.get(slot)
        if not getattr(training, wish):
            monitor.shown.pop(slot, None)
        elif shown is not None and state.slot(slot).path != str(shown.path):
            setattr(training, wish, False)  # the user opened another model there, and that is final
        elif newest is not None and newest != shown:
            context.models.open(slot, str(newest.path))
            monitor.shown[slot] = newest


# ------------------------------------------------------------------------------------------------------------ the form


def _form(state: AppState, context: PanelContext, monitor: RunMonitor, report: RunReport) -> None:
    """Draw three columns, or one below another where the panel is narrow."""
    training = state.training
    width, gap = COLUMN * imgui.get_font_size(), 2 * imgui.get_style().item_spacing.x
    stacked = imgui.get_content_region_avail().x < 2 * width + 2 * gap + 16 * imgui.get_font_size()
    flags = imgui.ChildFlags_.auto_resize_y if stacked else imgui.ChildFlags_.none
    size = ImVec2(0 if stacked else width, 0)
    spacing = imgui.get_style().item_spacing
    tight = ImVec2(spacing.x, ROW_GAP * spacing.y)  # six rows then fit into the panel as it is at first
    with imgui_ctx.push_style_var(imgui.StyleVar_.item_spacing, tight):
        with imgui_ctx.begin_child("what", size, flags):
            _data_and_rung(training, context)
            _follow_row(training, context, monitor)
        if not stacked:
            imgui.same_line(0, gap)
        with imgui_ctx.begin_child("how", size, flags):
            _settings(training, context)
    if not stacked:
        imgui.same_line(0, gap)
    with imgui_ctx.begin_child("start", ImVec2(0, 0), flags):
        _start(state, context, monitor, report)


def _data_and_rung(training: TrainingState, context: PanelContext) -> None:
    theme = context.theme
    tip = "Critters are drawn by Jinc, unaligned as in FFHQ-U; your own are a folder or zip of square RGB pictures."
    kind = CRITTERS if training.source == CRITTERS else OWN
    picked = widgets.pick_word(theme, "data", "source", kind, (CRITTERS, OWN), tip)
    if picked and picked != kind:
        training.source = CRITTERS if picked == CRITTERS else ""
    if training.source == CRITTERS:
        tip = "How many critters to draw; drawn once, then kept in the output folder."
        widgets.number(theme, "pictures", training, "pictures", step=10, form="%d", tip=tip)
        tip, size = "Width and height in pixels: S.", str(training.resolution)
        training.resolution = int(widgets.pick_word(theme, "size", "size", size, SIZES, tip) or size)
    else:
        tip = "A folder or an uncompressed zip of PNGs or JPEGs of one size, a power of two; "
        widgets.label(theme, "path", f"{tip}`train.py dataset convert` makes one of other pictures.")
        training.source = imgui.input_text_with_hint("##source", "folder or zip", training.source)[1]
    widgets.label(
        theme, "rung", "Step on the paper's ladder from StyleGAN2 to StyleGAN3-R: the one above and a change."
    )
    rungs = {letter: f"{letter}  {title}" for letter, title in RUNGS}
    training.rung = widgets.select("rung", rungs[training.rung], training.rung, rungs.items())
    tip = "The model whose weights the run starts with, as far as they fit; its log says what was taken."
    widgets.words(theme, "start from", training, "start_from", tip)


def _settings(training: TrainingState, context: PanelContext) -> None:
    theme, preset = context.theme, training.preset
    tip = "Capacity and optimiser settings: tiny is for CPUs; paper is StyleGAN3's own, for a GPU with much memory."
    widgets.words(theme, "preset", training, "preset", tip)
    if training.preset != preset:
        training.batch, training.kimg = 0, 0.0
    tip = "Thousands of real images shown to the discriminator; 0 is automatic, the preset's."
    widgets.number(theme, "length", training, "kimg", step=1, form="%.1f kimg" if training.kimg else AUTOMATIC, tip=tip)
    tip = "Images a step, a multiple of 4; 0 is automatic, the preset's for this size."
    widgets.number(
        theme, "batch", training, "batch", step=0.25, form="%d images" if training.batch else AUTOMATIC, tip=tip
    )
    tip = "Weight of the R1 gradient penalty; 0 is the preset's own, 0.001 S² / batch (tiny: 0.00025)."
    widgets.number(theme, "R1 γ", training, "gamma", step=0.005, form="%.4g" if training.gamma else AUTOMATIC, tip=tip)
    tip = "Random changes of what D sees (ADA), for sets of less than 10,000 pictures; automatic: as the preset says."
    widgets.words(theme, "augment", training, "augment", tip)
    widgets.label(theme, "output", "Folder that gets a numbered run folder for each run.")
    training.outdir = imgui.input_text_with_hint("##outdir", "training-runs", training.outdir)[1]


def _start(state: AppState, context: PanelContext, monitor: RunMonitor, report: RunReport) -> None:
    theme, training, model = context.theme, state.training, _model(state)
    if report.error:
        training_run.draw_failure(context, report)
    else:
        drawn = f"Draws {training.pictures:,} critters of {training.resolution}×{training.resolution}, then trains"
        first = drawn if training.source == CRITTERS else "Trains"
        length = f"{1000 * training.kimg:,.0f} images" if training.kimg else f"the {training.preset} preset's length"
        origin = f", starting from {format_title(model)}" if model else ""
        rung = f"{training.rung} ({dict(RUNGS)[training.rung]})"
        widgets.sentence(f"{first} rung {rung} for {length}{origin}.", theme.text)
        misfit = _misfit(state, context)
        coming = "Losses, pictures and snapshots appear here; training goes on when this window is closed."
        widgets.sentence(misfit or coming, theme.warning if misfit else theme.dim)
    command, problem = _command(tuple(asdict(training).items()), model, int(imgui.get_time()))
    refusal = _refusal(context, model)
    if refusal:
        command, problem = "", f"No run can start from this model: {refusal}"
    if problem and (refusal or not report.error):
        widgets.sentence(problem, theme.warning if training.source.strip() else theme.dim)
    with imgui_ctx.push_style_color(imgui.Col_.button, imgui.get_style_color_vec4(imgui.Col_.button_active)):
        started = widgets.button("Start training", "Run the trainer as a process of its own.", enabled=bool(command))
    if started:
        training.outdir = absolute_path(training.outdir)
        if training.source != CRITTERS:
            training.source = absolute_path(training.source.strip())
        monitor.start(training, model)
    imgui.same_line()
    if widgets.button("Copy command", command, enabled=bool(command)):
        imgui.set_clipboard_text(command)
    if command:
        # The options, without the long paths of program and script.
        with imgui_ctx.push_font(theme.mono, 0.0):
            widgets.sentence(f"train.py --{command.partition(' --')[2]}", theme.dim)
        widgets.tooltip(command)


def _model(state: AppState) -> str:
    """Return the path of the model to start from; "" for none."""
    slot = next((slot for slot in SLOTS if slot == state.training.start_from), None)
    return "" if slot is None else state.slot(slot).path


def _refusal(context: PanelContext, model: str) -> str:
    """Return why the model to start from cannot be opened; "" where it can, or where only the trainer will know."""
    if not model or is_address(model) or Path(model).name == STATE:
        return ""
    found = context.models.info(model)
    return found.error if found is not None and not found.passing else ""


def _misfit(state: AppState, context: PanelContext) -> str:
    """Return a sentence about a model to start from that is of another rung or size than the run; else ""."""
    training = state.training
    slot = next((slot for slot in SLOTS if slot == training.start_from), None)
    facts = context.facts(slot) if slot else None
    if slot is None or facts is None:
        return ""
    config = facts.config
    fits = training.source != CRITTERS or config.resolution == training.resolution
    if fits and config.rung == training.rung:
        return ""
    title = format_title(state.slot(slot).path)
    return f"{title} is of rung {config.rung} and {config.resolution} px: less of it fits another rung or size."


@lru_cache(maxsize=1)
def _command(settings: tuple[tuple[str, Any], ...], model: str, _second: int) -> tuple[str, str]:
    """Return (the command, "") or ("", why there is none). Looks for the data once a second, not once a frame."""
    try:
        return format_command(build_training_command(TrainingState(**dict(settings)), model)), ""
    except RunError as problem:
        return "", str(problem)


def _follow_row(training: TrainingState, context: PanelContext, monitor: RunMonitor) -> None:
    widgets.label(context.theme, "open run", "Follow a run folder that is already there, running or not.")
    typed = widgets.text_field("run_folder", "run folder, then Enter", training.run_folder)
    if typed:
        training.run_folder = absolute_path(typed)
        monitor.follow(training.run_folder)
