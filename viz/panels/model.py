# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Model: open a checkpoint in each slot, and compare what is inside, left against right."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from imgui_bundle import imgui, imgui_ctx

from gan.hub.cache import is_cached
from gan.hub.published import FAMILIES, PUBLISHED
from gan.hub.resolve import format_title, list_snapshots, read_age
from gan.networks.describe import describe_channels
from gan.networks.labels import count_labels
from viz.core.result import CheckpointInfo, ModelFacts
from viz.core.state import SLOTS, AppState, Slot
from viz.ui import download_row, fitting, widgets
from viz.ui.context import PanelContext

TITLE = "Model"
PLACE = "left"

AGE = "The age of this snapshot, in thousands of images seen in training. Its run folder may hold others."
MAX_CLASSES = 11  # characters of the names of classes: a column is no wider

ROWS = (
    ("rung", lambda info: info.facts.config.rung, "Step on the paper's ladder from StyleGAN2 (A) to StyleGAN3-R (R)."),
    ("picture", lambda info: f"{info.facts.config.resolution} px", "Width and height of the pictures."),
    (
        "channels",
        lambda info: describe_channels(info.facts.config.img_channels),
        "Grey, RGB, or RGBA with transparency (img_channels).",
    ),
    ("z, w", lambda info: f"{info.facts.config.z_dim}, {info.facts.config.w_dim}", "Dimensions of z and w."),
    ("labels", lambda info: _labels(info.facts), "Classes or numbers of the labels it was trained with (c_dim)."),
    (
        "classes",
        lambda info: _classes(info.facts.classes),
        "Their names, where the file says them; the Latent panel lists all.",
    ),
    ("layers", lambda info: f"{info.facts.layers}", "Synthesis layers."),
    ("weights", lambda info: _count(info.facts.parameters), "Trained parameters, mapping and synthesis."),
    ("trained", lambda info: _kimg(info.facts.kimg), "Thousands of pictures seen, where the file says so."),
    ("file", lambda info: info.file, "The file's type, and which other project's it is; told from its contents."),
    ("code", lambda info: info.code or "none", "Source code that came along in the file. None of it is ever run."),
)

# Kind of measurement, title, digits after the point, unit, tip.
FIGURES = (
    ("fid", "FID", 0, "", "How far its pictures are from real ones, as a feature network sees them: 0 is best."),
    ("eq_t", "EQ-T", 1, " dB", "How well it follows translation by whole pixels: above 50 dB, motion looks right."),
    ("eq_t_frac", "EQ-T frac", 1, " dB", "How well it follows translation by parts of a pixel."),
    ("eq_r", "EQ-R", 1, " dB", "How well it follows rotation: above 40 dB, it looks right."),
    ("stickiness", "sticks", 3, "", "The share of its fine detail that stays on the screen when the content moves."),
)


def draw(state: AppState, context: PanelContext) -> None:
    """Draw both slots, then the comparison."""
    for slot in SLOTS:
        _slot(state, context, slot)
    _comparison(state, context)


def _slot(state: AppState, context: PanelContext, slot: Slot) -> None:
    path = state.slot(slot).path
    imgui.push_id(slot)
    widgets.label(context.theme, slot.capitalize(), colour=context.theme.accent[slot])
    room = imgui.calc_item_width() - imgui.get_frame_height() - 2 * imgui.get_style().frame_padding.x
    chosen = fitting.elide(format_title(path), room) if path else "nothing open"
    if imgui.begin_combo("##choose", chosen, imgui.ComboFlags_.height_largest):
        widgets.close_by_escape()
        _choices(state, context, slot)
        imgui.end_combo()
    widgets.tooltip(path or "Choose one of the models that come with Jinc, or one opened before.")
    imgui.set_next_item_width(-1)
    flags = imgui.InputTextFlags_
    # Where a bundled model lies is no business of the user's: its name above says enough.
    models = context.models
    shown = "" if path in {known for _, known in models.bundled} else models.downloads.display_name(path)
    entered, typed = imgui.input_text_with_hint(
        "##path", "or a path or an address", shown, flags.enter_returns_true | flags.auto_select_all | flags.elide_left
    )
    active = imgui.is_item_active()
    tip = "Type a path, a run folder (RUN@12: that age), an http(s) address or a published name; Enter opens it."
    widgets.tooltip("" if active or shown else tip)
    if entered and typed != shown:
        context.models.open(slot, typed)
    elif active and typed != shown:
        _preview(context, typed)
    _age(context, slot, path)
    download_row.draw(context, slot, path)
    result = context.results[slot]
    if result and result.error:
        imgui.text_colored(
            context.theme.error, f"{result.misfit} cannot be used" if result.misfit else "cannot be shown"
        )  # why stands where its picture would be
        widgets.tooltip(result.error)
    imgui.pop_id()


def _age(context: PanelContext, slot: Slot, path: str) -> None:
    """Draw the age of a snapshot and the list of the others in its run folder; nothing for other models."""
    age = read_age(path)
    if age is None or is_cached(path):
        return
    widgets.label(context.theme, "age", AGE)
    # Its folder is read while the list is open, not in every frame.
    chosen = widgets.select("age", f"{age} kimg", path, _list_others(path), AGE)
    if chosen != path:
        context.models.open(slot, chosen)


def _list_others(path: str) -> Iterator[tuple[str, str]]:
    """Yield the path and the age of each snapshot in a snapshot's folder, which is read once the first is asked for."""
    for one in list_snapshots(os.path.dirname(path)):
        yield str(one.path), f"{one.kimg} kimg"


def _choices(state: AppState, context: PanelContext, slot: Slot) -> None:
    path = state.slot(slot).path
    for name, known in context.models.bundled:
        if imgui.selectable(name, known == path)[0]:
            context.models.open(slot, known)
    if not context.models.bundled:
        imgui.text_colored(context.theme.dim, "No models came with this installation.")
    bundled = {known for _, known in context.models.bundled}
    recents = [known for known in state.recents if known not in bundled]
    if recents:
        imgui.separator()
    for known in recents:
        if imgui.selectable(f"{Path(known).name}##{known}", known == path)[0]:
            context.models.open(slot, known)
        _tooltip(context, known)
    imgui.separator()
    if context.models.has_dialogs and imgui.selectable("Browse …", False)[0]:
        context.models.browse(slot)
    if imgui.selectable("Close", False)[0]:
        context.models.open(slot, "")
    imgui.separator()
    _published(context, slot)


def _published(context: PanelContext, slot: Slot) -> None:
    """Draw the checkpoints that others published, folded; one that is chosen is fetched once its terms are accepted."""
    tip = "Checkpoints that NVIDIA published. One that you choose is fetched, after its licence was shown."
    is_open = imgui.tree_node_ex("Published", imgui.TreeNodeFlags_.span_avail_width)
    if not is_open:
        widgets.tooltip(tip)
        return
    for family, title in FAMILIES.items():
        imgui.text_colored(context.theme.dim, title)
        for one in PUBLISHED:
            if one.family == family:
                if imgui.selectable(one.name, False)[0]:
                    context.models.open(slot, one.name)
                widgets.tooltip(one.about)
    imgui.tree_pop()


def _preview(context: PanelContext, typed: str) -> None:
    """Draw what the file is whose path has been typed so far, before Enter opens it."""
    path = os.path.expanduser(typed.strip())
    found = context.models.info(path) if os.path.isfile(path) else None
    if found is not None:
        colour = context.theme.dim if found.facts else context.theme.error
        widgets.sentence(f"Enter opens {found.words}" if found.facts else found.error, colour)


def _tooltip(context: PanelContext, path: str) -> None:
    """Draw a file's path and contents as a tooltip."""
    if imgui.is_item_hovered(imgui.HoveredFlags_.for_tooltip):
        found = context.models.info(path)
        about = "Reading ..." if found is None else found.words or found.error
        widgets.tooltip(f"{context.models.downloads.display_name(path)}\n{about}")


def compare_files(found: Mapping[Slot, CheckpointInfo]) -> list[tuple[str, str, dict[Slot, str]]]:
    """Return the rows (title, tip, values by slot) that compare files, without rows that say "none" of all."""
    rows = [(title, tip, {slot: value(info) for slot, info in found.items()}) for title, value, tip in ROWS]
    return [row for row in rows if set(row[2].values()) != {"none"}] + list(_measured(found))


def _measured(found: Mapping[Slot, CheckpointInfo]) -> Iterator[tuple[str, str, dict[Slot, str]]]:
    """Yield the rows of what was measured of a model when it was made, where a file says so."""
    for kind, title, digits, unit, tip in FIGURES:
        known = {
            slot: one for slot, info in found.items() if info.facts for one in info.facts.figures if one.kind == kind
        }
        if known:
            names = " and ".join(dict.fromkeys(one.name for one in known.values()))
            values = {slot: f"{one.value:.{digits}f}{unit}" for slot, one in known.items()}
            yield title, f"{tip} Measured as {names}.", values


def _comparison(state: AppState, context: PanelContext) -> None:
    # Known as soon as a file's header is read: before the model is loaded, or if it cannot be.
    theme, paths = context.theme, {slot: path for slot in SLOTS if (path := state.slot(slot).path)}
    found = {slot: info for slot, path in paths.items() if (info := context.models.info(path)) and info.facts}
    if not found:
        return
    imgui.dummy((0, 2))
    with imgui_ctx.begin_table("facts", 3) as table:
        if not table:
            return
        imgui.table_setup_column("name", imgui.TableColumnFlags_.width_fixed, widgets.label_width())
        for title, tip, values in compare_files(found):
            imgui.table_next_column()
            imgui.text_colored(theme.dim, title)
            widgets.tooltip(tip)
            for slot in SLOTS:
                imgui.table_next_column()
                with imgui_ctx.push_font(theme.mono, 0.0):
                    room = imgui.get_content_region_avail().x
                    fitted = " ".join(fitting.elide(word, room) for word in (values.get(slot) or "–").split())
                    widgets.sentence(fitted, theme.accent[slot] if slot in values else theme.dim)
                widgets.tooltip(found[slot].words if slot in found else "")


def _labels(facts: ModelFacts) -> str:
    if not facts.config.c_dim:
        return "none"
    named = bool(facts.classes or facts.config.embed_rows)  # StyleGAN-XL knows classes alone
    return count_labels(facts.config.c_dim, facts.label_mean, named).removeprefix("labels of ")


def _classes(names: tuple[str, ...]) -> str:
    text = ", ".join(names) or "none"
    return text if len(text) <= MAX_CLASSES else f"{text[: MAX_CLASSES - 1].rstrip(', ')}…"


def _count(number: int) -> str:
    return f"{number / 1e6:.2f} M" if number >= 1e6 else f"{number / 1e3:.0f} k"


def _kimg(number: float | None) -> str:
    return "–" if number is None else f"{number:.1f} kimg"
