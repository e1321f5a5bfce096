# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""What the canvas says about the two pictures."""

import dataclasses

from gan.networks.ladder import rung_config
from viz.canvas.overlays import describe_comparison, explain_absence
from viz.core.history import History
from viz.core.request import PictureRequest
from viz.core.result import ModelFacts, RenderResult
from viz.core.state import AppState
from viz.ui.context import PanelContext
from viz.ui.theme import Theme
from viz.window.undo import Undo

FACTS = ModelFacts(
    path="a", layers=8, parameters=1, bytes=1, learned_transform=True, config=rung_config("T", 32, z_dim=32), kimg=None
)


def test_it_is_said_how_unequal_models_are_compared() -> None:
    state = AppState()
    other = dataclasses.replace(FACTS, config=rung_config("T", 64, z_dim=512))
    assert (
        describe_comparison(state, FACTS, FACTS)
        == describe_comparison(state, FACTS, None)
        == describe_comparison(state, None, None)
        == ()
    )
    assert describe_comparison(state, FACTS, other) == (
        "z has 32 numbers left, 512 right: one seed, each model's own draw.",
    )
    state.canvas.mode = "difference"
    assert describe_comparison(state, FACTS, other)[1:] == ("32 px left, 64 px right: left enlarged 2× (Lanczos).",)
    assert describe_comparison(state, other, FACTS)[1:] == ("64 px left, 32 px right: right enlarged 2× (Lanczos).",)
    for state.canvas.mode in ("split", "blink"):
        assert describe_comparison(state, FACTS, other)[1:] == ("32 px left, 64 px right: shown at one size.",)
    state.link(False)  # then each has its own seed, and nothing is claimed of them
    assert describe_comparison(state, FACTS, other) == ("32 px left, 64 px right: shown at one size.",)


def test_undoing_is_promised_only_where_it_brings_a_model_back() -> None:
    state, context = AppState(), PanelContext(Theme())
    state.left.path = "/first.pkl"
    history: History = Undo(state, context).history

    def advice() -> str:
        context.results["left"] = RenderResult(PictureRequest(state.left.path), error="It is damaged.")
        absent = explain_absence(state, context, "left", None)
        assert absent is not None and absent.failed
        return absent.text.splitlines()[-1]

    assert advice() == "Choose another under Model.", "the window opened on it"
    state.left.path = "/second.pkl"
    history.follow()
    assert advice() == "Choose another under Model; Ctrl-Z brings back the one before."
    for state.left.path in ("", "/third.pkl"):
        history.follow()
    assert advice() == "Choose another under Model.", "it would bring back an empty slot"
    assert history.undo() and history.undo() and advice().endswith("brings back the one before.")
    assert history.undo() and advice() == "Choose another under Model."
