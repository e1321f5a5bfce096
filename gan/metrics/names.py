# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Names of metrics: what is measured, and of how many generated pictures, as the literature writes both.

`fid50k_full` is of 50,000 pictures; a figure of 1,000 is `fid1k_full`, so that it is not taken for the other. No torch.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

OFFICIAL_NUM = 50_000
MOST = 10**7
# Kind of metric -> its name around a number, and the number that its name means where it gives none.
FORMS = {
    "fid": ("fid{}_full", OFFICIAL_NUM),
    "kid": ("kid{}_full", OFFICIAL_NUM),
    "pr": ("pr{}3_full", OFFICIAL_NUM),
    "is": ("is{}", OFFICIAL_NUM),
    "ppl": ("ppl2_wend_{}", OFFICIAL_NUM),
    "eq_t": ("eqt{}_int", 1000),
    "eq_t_frac": ("eqt{}_frac", 1000),
    "eq_r": ("eqr{}", 1000),
    "stickiness": ("stickiness_{}", 48),
}
SHORT = {"ppl": "ppl2_wend", "stickiness": "stickiness"}  # of the usual number of samples
BARE = {"ppl2_wend": "ppl", **{kind: kind for kind in ("stickiness", "eq_t", "eq_t_frac", "eq_r")}}  # name -> kind
WITH_DATA = ("fid", "kid", "pr")  # which compare with the pictures of a set
OF_PICTURES = ("fid", "kid", "pr", "is")  # which look at the same generated pictures
EQUIVARIANCE = ("eq_t", "eq_t_frac", "eq_r")
LEAST = {"fid": 2, "kid": 4, "pr": 4, "is": 10}  # pictures without which there is no figure
UNITS = dict.fromkeys(EQUIVARIANCE, "dB")
KNOWN = (
    *("fid50k_full", "kid50k_full", "pr50k3_full", "is50k", "ppl2_wend"),
    *("eqt50k_int", "eqt50k_frac", "eqr50k", *EQUIVARIANCE, "stickiness"),
)


@dataclass(frozen=True)
class Metric:
    """A metric of `num` samples: generated pictures, pairs of them, or latents, as its definition has it."""

    kind: str  # of FORMS
    num: int

    @property
    def name(self) -> str:
        """The literature's name, with the number."""
        form, usual = FORMS[self.kind]
        if self.num == usual and self.kind in SHORT:
            return SHORT[self.kind]
        return form.format(f"{self.num / 1000:.3f}".rstrip("0").rstrip(".") + "k")


def parse_metric(text: str) -> Metric:
    """Return the metric of a name: one of KNOWN, or with another number, such as fid10k_full. ValueError."""
    if text in BARE:
        return Metric(BARE[text], FORMS[BARE[text]][1])
    for kind, (form, _) in FORMS.items():
        found = re.fullmatch(form.format(r"(\d{1,5}(?:\.\d{1,3})?)k"), text, re.ASCII)
        if found and 0 < (num := round(float(found[1]) * 1000)) <= MOST:
            return Metric(kind, num)
    raise ValueError(
        f"{text[:60]!r} is not one of {', '.join(KNOWN)}, or one of these with another number of thousands, "
        "such as fid10k_full or fid0.5k_full"
    )


def parse_metrics(texts: Iterable[str], num: int | None = None) -> tuple[Metric, ...]:
    """Return the metrics of these names, each once, in this order; `num` in place of their numbers.

    ValueError for a name that is none, and for two numbers of the same metric.
    """
    found: dict[str, Metric] = {}
    for text in texts:
        metric = parse_metric(text)
        metric = metric if num is None else replace(metric, num=num)
        if found.setdefault(metric.kind, metric) != metric:
            raise ValueError(f"{found[metric.kind].name} and {metric.name} are the same metric: give one of the two")
    return tuple(found.values())


def select(metrics: Sequence[Metric], kinds: Sequence[str]) -> tuple[Metric, ...]:
    """Return the metrics of these kinds."""
    return tuple(metric for metric in metrics if metric.kind in kinds)
