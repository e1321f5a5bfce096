# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The command that draws what a slot shows: in options where they can say it, else with the state as a short text."""

from gan.hub.resolve import list_bundled
from viz.core.labels import find_kind
from viz.core.latent import MOST_LAYERS, Direction, FileLatent, Latent, Moved, SeedPoint, Step, find_seed
from viz.core.noise import SETTLED, STORED
from viz.core.request import PictureRequest, build_request
from viz.core.result import ModelFacts, RenderResult
from viz.core.state import AppState, Slot
from viz.record.record import make_record
from viz.record.short_text import encode_text

OUT = "picture.png"


def make_command(state: AppState, slot: Slot, shown: RenderResult | None, out: str = OUT) -> list[str]:
    """Return the words behind `visualizer.py` that draw a slot's picture, of which `shown` is what the window has.

    A picture that is not all that was asked for can be had by its state alone: the options would be refused. Raises
    ValueError, a sentence, for an empty slot, RecordError for a model that cannot be read.
    """
    request = build_request(state).slot(slot)
    if request is None:
        raise ValueError(f"Nothing is shown in the {slot} slot: open a model there.")
    is_exact = shown is not None and shown.request.model == request.model and not shown.notice
    options = _list_options(request, shown.facts) if is_exact and shown is not None and shown.facts else None
    if options is None:
        return ["render", "--state", encode_text(make_record(state, slot), keeps_paths=True), "--out", out]
    return ["render", *options, "--out", out]


def _list_options(request: PictureRequest, facts: ModelFacts) -> list[str] | None:
    """Return the options that say all of a request, None if some of it has none."""
    latent, noise, label = _list_latent(request.latent, facts), _list_noise(request, facts), _list_label(request, facts)
    learned = request.learned not in (None, (0.0, 0.0, 0.0))
    cutoff = (request.cutoff or 0) > facts.config.num_ws
    if latent is None or noise is None or label is None or learned or cutoff or request.snap:
        return None
    words = ["--model", _name_model(request.model), *latent]
    usual = PictureRequest("")
    for option, name in (
        ("--trunc", "psi"),
        ("--cutoff", "cutoff"),
        ("--rotate", "degrees"),
        ("--scale", "scale"),
        ("--stretch", "stretch"),
        ("--shear", "shear"),
    ):
        if getattr(request, name) != getattr(usual, name):
            words.append(f"{option}={_number(getattr(request, name))}")
    if request.tx or request.ty:
        words.append(f"--translate={_number(request.tx)},{_number(request.ty)}")
    for option, is_on in (
        ("--mirror", request.mirror),
        ("--untransform", request.untransform),
        ("--zero-learned", request.learned is not None),
        ("--mean-constant", request.mean_constant),
    ):
        words += [option] if is_on else []
    words += [*label, *noise]
    words += [f"--device={request.device}"] if request.device not in ("", usual.device) else []
    return words + ([f"--precision={request.precision}"] if request.precision != usual.precision else [])


def _list_latent(latent: Latent, facts: ModelFacts) -> list[str] | None:
    match latent:
        case SeedPoint():
            seed = find_seed(latent)
            if seed is not None:
                return [f"--seed={seed}"]
            point = [f"--seed-plane={_number(latent.x)},{_number(latent.y)}"]
            return point + (["--space=z"] if latent.space == "z" else [])
        case FileLatent():
            return [f"--{latent.space}={latent.path}"]
        case Moved() if not isinstance(latent.base, Moved):
            base, steps = _list_latent(latent.base, facts), [_name_step(step, facts) for step in latent.steps]
            return None if base is None or None in steps else [*base, *(f"--direction={step}" for step in steps)]
    return None


def _name_step(step: Step, facts: ModelFacts) -> str | None:
    """Return a step as --direction takes it, with nine decimals; None for one of layers that the model lacks."""
    direction: Direction = step.direction
    source = direction.path if direction.kind == "file" else direction.kind
    first, last = direction.first, min(direction.last, facts.config.num_ws - 1)
    if first > last:
        return None
    are_all = direction.kind != "closed-form" and (first, last) == (0, facts.config.num_ws - 1)
    layers = "" if are_all or (first, direction.last) == (0, MOST_LAYERS - 1) else f":{first}-{last}"
    strength = f"{step.strength:.9f}".rstrip("0").rstrip(".")
    return f"{source}:{direction.index}:{strength}{layers}"


def _list_noise(request: PictureRequest, facts: ModelFacts) -> list[str] | None:
    noise = request.noise
    if noise == STORED or not facts.config.noise_inputs:
        return []
    if noise.mode == "none":
        return ["--noise-mode=none"]
    if noise.mode != "random" or noise.strength != SETTLED or noise.scales or not noise.seed.is_integer():
        return None
    return ["--noise-mode=random", f"--noise-seed={int(noise.seed)}"]


def _list_label(request: PictureRequest, facts: ModelFacts) -> list[str] | None:
    count = facts.config.c_dim
    if not count:
        return []
    if find_kind(request.label_kind, facts) == "class":
        return [f"--class={request.label}"]
    if not request.vector:
        return [] if facts.label_mean is not None else None
    return [f"--label={','.join(map(_number, request.vector))}"] if len(request.vector) == count else None


def _name_model(path: str) -> str:
    """Return a bundled model's name, or the path."""
    return next((model.name for model in list_bundled() if model.path == path), path)


def _number(value: float) -> str:
    """Return a number that reads back as the same one."""
    text = repr(float(value))
    return text.removesuffix(".0")
