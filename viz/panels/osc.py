# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""OSC: where messages are received and sent, and the controllers that are bound to settings."""

from dataclasses import replace

from imgui_bundle import ImVec2, imgui, imgui_ctx

from viz.core.osc_state import CURVES, LOOPBACK, Binding, OscState
from viz.core.state import AppState
from viz.osc.addresses import ROOT
from viz.osc.link import OscLink
from viz.ui import fitting, widgets
from viz.ui.context import PanelContext

TITLE = "OSC"
PLACE = "bottom"

CONTROLS = 19.0  # width of the column of controls, in font sizes
LEAST = 48.0  # width of the panel in which they stand side by side
FARTHEST = 1e30  # of the ends of a range
EVERYWHERE = "0.0.0.0"
PLACES = ((LOOPBACK, "this computer"), (EVERYWHERE, "every network"))
RECEIVE = "Let programs and controllers move the settings by OSC (Open Sound Control) over UDP."
FROM = (
    "Whom messages are taken from: programs on this computer, or all that reach one of its addresses. Anyone there can "
    "then move every setting."
)
SEND = "Send every setting that changes to its address, and to the controllers that are bound to it."
LEARN = (
    "Bind controllers: move a control in the window and a fader outside, in either order. Goes on until it is stopped."
)
NOTHING_BOUND = (
    "Every setting has an address, such as /jinc/transform/tx (python visualizer.py osc --addresses lists them). For "
    "a controller with addresses of its own press Learn, move a control in this window, then a fader."
)
COLUMNS = (
    ("from", 9.0, "The controller's address."),
    ("to", 11.0, "The setting that it moves."),
    ("comes between", 7.5, "The controller's own range: 0 to 1, or 0 to 127 for one that speaks MIDI."),
    ("becomes", 7.5, "The setting's range; with the larger number first, the fader is turned round."),
    ("curve", 6.5, "Equal steps, slow or fast at first, or by equal factors."),
    ("", 2.0, ""),
)


def draw(state: AppState, context: PanelContext) -> None:
    """Draw the ports left, the bindings right."""
    link, em = context.osc, imgui.get_font_size()
    if link is None:
        return
    height = max(6 * em, imgui.get_content_region_avail().y)
    with widgets.side_column("ports", CONTROLS, LEAST) as is_wide:
        _ports(state.osc, link, context)
    with imgui_ctx.begin_child("bindings", ImVec2(0, height)):
        _learning(state.osc, link, context)
        if state.osc.bindings:
            _table(state.osc, context, is_wide)
        elif not link.learning:
            widgets.sentence(NOTHING_BOUND, context.theme.dim)


def _ports(osc: OscState, link: OscLink, context: PanelContext) -> None:
    theme = context.theme
    row = widgets.label(theme, "receive", RECEIVE, cells=2)
    row.next_cell()
    widgets.check("on", osc, "on", RECEIVE)
    widgets.number(theme, row, osc, "port", step=0.2, form="port %d", tip="The UDP port that messages come to.")
    widgets.label(theme, "from", FROM)
    names = dict(PLACES)
    shown = names.get(osc.host, osc.host)
    places = (*PLACES, *([] if osc.host in names else [(osc.host, osc.host)]))
    osc.host = widgets.select("from", shown, osc.host, places, FROM)
    row = widgets.label(theme, "send", SEND, cells=2)
    row.next_cell()
    widgets.check("changes", osc, "sends", SEND)
    tip = "The UDP port that the other side listens to."
    widgets.number(theme, row, osc, "send_port", step=0.2, form="port %d", tip=tip)
    if osc.sends:
        tip = "The IP address of the controller or program, such as 192.168.1.20; 127.0.0.1 is this computer."
        widgets.label(theme, "to", tip)
        typed = widgets.text_field("to", "an IP address, then Enter", osc.send_host, tip)
        osc.send_host = typed if typed else osc.send_host
    if link.error:
        widgets.sentence(link.error, theme.error)
    elif link.notice:
        widgets.sentence(link.notice, theme.warning)
    elif link.is_open:
        tip = "The newest message that moved something, and how many come a second, those without meaning included."
        widgets.fact(theme, "last", link.last or "nothing came yet", tip, theme.text if link.last else theme.dim)
        widgets.fact(theme, "rate", f"{link.rate:,.0f} /s", tip)


def _learning(osc: OscState, link: OscLink, context: PanelContext) -> None:
    """Draw the button that starts and ends learning, and what is to be moved next."""
    theme, learning = context.theme, link.learning
    if widgets.button("Stop learning" if learning else "Learn", LEARN, enabled=link.is_open):
        link.learn(not learning)
    colour = theme.warning if learning else theme.dim
    if not learning:
        text = "" if link.is_open else "Switch receiving on to learn."
    elif learning.setting:
        text = f"{learning.setting}: now move a fader outside."
    elif learning.address:
        text = f"{learning.address}: now move a control in this window."
    else:
        learnt = learning.learnt
        done = f"Bound {learnt.address} to {learnt.setting}. The next pair: move" if learnt else "Move"
        text = f"{done} a control here and a fader outside."
    if text and not fitting.is_narrow():
        imgui.same_line()
        imgui.align_text_to_frame_padding()
    if text:
        widgets.sentence(text, colour)


def _table(osc: OscState, context: PanelContext, is_wide: bool) -> None:
    kinds, flags, em = imgui.TableColumnFlags_, imgui.TableFlags_, imgui.get_font_size()
    with imgui_ctx.begin_table("table", len(COLUMNS), flags.scroll_y | (0 if is_wide else flags.scroll_x)) as table:
        if not table:
            return
        for index, (name, width, _) in enumerate(COLUMNS):
            stretches = is_wide and index < 2
            imgui.table_setup_column(name, kinds.width_stretch if stretches else kinds.width_fixed, width * em)
        imgui.table_setup_scroll_freeze(0, 1)
        imgui.table_next_row()
        for name, _, tip in COLUMNS:
            imgui.table_next_column()
            imgui.text_colored(context.theme.dim, name)
            widgets.tooltip(tip)
        for index, binding in enumerate(osc.bindings):
            with imgui_ctx.push_id(str(index)):
                changed = _row(binding, context)
            if changed is not binding:
                others = osc.bindings[:index], osc.bindings[index + 1 :]
                osc.bindings = (*others[0], *((changed,) if changed else ()), *others[1])
                return


def _row(binding: Binding, context: PanelContext) -> Binding | None:
    """Draw a binding; return it as changed, None to remove it."""
    for text in (binding.address, binding.setting.removeprefix(f"{ROOT}/")):
        imgui.table_next_column()
        imgui.align_text_to_frame_padding()
        shown = fitting.elide(text, imgui.get_content_region_avail().x)
        imgui.text_unformatted(shown)
        widgets.tooltip(text if shown != text else "")
    imgui.table_next_column()
    least, most = _range("comes", (binding.least, binding.most), context)
    imgui.table_next_column()
    low, high = _range("becomes", (binding.low, binding.high), context)
    if (least, most, low, high) != (binding.least, binding.most, binding.low, binding.high):
        binding = replace(binding, least=least, most=most, low=low, high=high)
    imgui.table_next_column()
    imgui.set_next_item_width(-1)
    curve = widgets.select("curve", binding.curve, binding.curve, ((name, name) for name in CURVES), COLUMNS[4][2])
    if curve != binding.curve:
        binding = replace(binding, curve=curve)
    imgui.table_next_column()
    return None if widgets.button("×", "Remove this binding.", width=-1) else binding


def _range(name: str, ends: tuple[float, float], context: PanelContext) -> tuple[float, float]:
    """Draw both ends of a range as numbers; return them as changed."""
    row, step = widgets.Row(2), 0.005 * max(abs(ends[0]), abs(ends[1]), 0.1)
    after = []
    for index, value in enumerate(ends):
        row.next_cell()
        with imgui_ctx.push_font(context.theme.mono, 0.0):
            changed, typed = imgui.drag_float(f"##{name} {index}", value, step, -FARTHEST, FARTHEST, "%.5g")
        fits = changed and abs(typed) <= FARTHEST  # not what is typed as "nan"
        after.append(float(f"{typed:.6g}") if fits else value)
    return after[0], after[1]
