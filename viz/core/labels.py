# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Choose the label that a model is given, from a request and what its file says of its labels. Pure."""

from gan.networks.labels import Label, default_vector, fit_vector
from viz.core.request import PictureRequest
from viz.core.result import ModelFacts


def find_kind(asked: str, facts: ModelFacts) -> str:
    """Return "class" or "vector", of which "auto" is what the model was trained with; classes if that is not known."""
    if asked != "auto":
        return asked
    return "class" if facts.label_mean is None else "vector"


def choose_vector(vector: tuple[float, ...], facts: ModelFacts) -> tuple[float, ...]:
    """Return a vector of the model's length; numbers that are missing are its default's."""
    return fit_vector(vector, default_vector(facts.config.c_dim, facts.label_mean))


def choose_label(request: PictureRequest, facts: ModelFacts) -> tuple[Label, str]:
    """Return the label for a model, 0 for one without labels, and a sentence if it is not quite the one asked for."""
    count = facts.config.c_dim
    if not count:
        return 0, ""
    if find_kind(request.label_kind, facts) == "vector":
        notice = ""
        if len(request.vector) not in (0, count):
            done = "the rest is left out" if len(request.vector) > count else "the others are its default's"
            notice = f"This model's labels have {count} numbers, not {len(request.vector)}: {done}."
        return choose_vector(request.vector, facts), notice
    if request.label < count:
        return request.label, ""
    return count - 1, f"This model has classes 0 to {count - 1}, not {request.label}: class {count - 1} is shown."
