# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Latent: a seed, a point between seeds or a file; truncation, label, and a file for the w that is shown."""

from viz.core.state import SLOTS, AppState
from viz.instruments.save_w import SaveRequest
from viz.panels import labels, latent_source
from viz.record import timeline_edits
from viz.ui import widgets
from viz.ui.context import PanelContext

TITLE = "Latent"
PLACE = "left"
SAVE = "save w"  # the job
MOVED = "Its keys move the latent. Stop it (Space) to choose one here."


def draw(state: AppState, context: PanelContext) -> None:
    """Draw the source of w, truncation, label and the row that saves w."""
    widgets.side(context.theme, state)
    if state.playback.playing and state.timeline.track(timeline_edits.name_own(state, "latent")):
        widgets.fact(context.theme, "from", "timeline", MOVED)
        widgets.sentence(MOVED, context.theme.dim)
    else:
        latent_source.draw(state.latent_of(state.focus), context)
    _truncation(state, context)
    labels.draw(state, context)
    _save(state, context)


def _truncation(state: AppState, context: PanelContext) -> None:
    theme, latent = context.theme, state.latent_of(state.focus)
    facts = [known for known in map(context.facts, SLOTS) if known]
    tip = "Truncation ψ: w is moved towards the average w; 1 leaves it alone, 0 gives the average picture."
    row = widgets.label(theme, "ψ, cutoff", tip, cells=2)
    widgets.number(theme, row, latent, "psi", step=0.01, span=(-1.0, 2.0), tip=tip)
    most = max((known.config.num_ws for known in facts), default=16)
    form = "%d w's" if latent.cutoff else "all w's"
    tip = "Truncation cutoff: how many of the layers' w's are truncated, counted from the first."
    widgets.number(theme, row, latent, "cutoff", step=1, form=form, span=(0, most), tip=tip)


def _save(state: AppState, context: PanelContext) -> None:
    """Draw the field that writes the w's of the focused slot's picture to a file."""
    shown = dict(context.shown())
    other = None if context.explain_wait(state, state.focus) else next(iter(shown.values()), None)
    picture = shown.get(state.focus) or other
    tip = "Write the w's of the picture, as drawn, to a .npz, .npy or .safetensors file: type its path, press Enter."
    widgets.label(context.theme, "save w", tip)
    typed = widgets.text_field("save w", "w.npz, then Enter", "", tip, typed_before=context.typed)
    if typed and picture is not None:
        context.jobs.start(SAVE, SaveRequest(picture, typed))
        context.saving.running.add(SAVE)
    elif typed:
        context.message = context.explain_nothing(state, state.focus)
