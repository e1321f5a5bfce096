# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""What the Transform panel says of a model that has no transform of its own, or none yet."""

from dataclasses import replace

from gan.hub.resolve import list_bundled
from viz.core.request import PictureRequest
from viz.core.result import RenderResult
from viz.loading.model_info import read_facts
from viz.panels.transform import explain_none


def test_a_model_that_opens_is_not_taken_for_none() -> None:
    model = list_bundled()[0]
    shown = RenderResult(PictureRequest(model.path), facts=read_facts(model.path))
    assert explain_none(None) == ("opening …", ""), "the tooltip then names it"
    assert explain_none(shown)[0] == f"rung {model.rung}: none"
    assert explain_none(RenderResult(PictureRequest("a"), error="It is damaged.")) == (
        "cannot be shown",
        "It is damaged.",
    )
    assert explain_none(replace(shown, error="w.npy does not fit."))[0] == "cannot be shown"
