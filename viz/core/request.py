# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Turn the state into a frozen, hashable request. Equal requests mean equal pictures: nothing is rendered twice."""

from dataclasses import dataclass

from viz.core.latent import Latent, OtherModel, SeedPoint
from viz.core.noise import STORED, Noise
from viz.core.state import SLOTS, AppState, Slot


@dataclass(frozen=True)
class PictureRequest:
    """Everything one slot's picture depends on, apart from the checkpoint's own bytes.

    `latent` says where the w's come from (viz.core.latent); `cutoff` None truncates every w; class `label` or `vector`
    is the model's label as `label_kind` says (viz.core.labels); tx and ty are image widths (positive: right, down),
    `degrees` counter-clockwise, `scale` enlarges, and the rest up to `mirror` is as in input_transform.forward_matrix;
    `snap` rounds tx and ty to the model's pixels; `untransform`
    moves the finished picture back; `noise` is for models that have it. `learned` is (tx, ty, degrees) in place of what
    w makes of the input, None leaves it to w; `mean_constant` renders rung A from its constant's mean. `precision` is
    "float32", "float16" (in the highest resolutions), or "auto": float16 on GPUs, where the picture stays the same.
    """

    model: str
    latent: Latent = SeedPoint()
    psi: float = 1.0
    cutoff: int | None = None
    label: int = 0
    label_kind: str = "auto"
    vector: tuple[float, ...] = ()
    tx: float = 0.0
    ty: float = 0.0
    degrees: float = 0.0
    scale: float = 1.0
    stretch: float = 1.0
    shear: float = 0.0
    mirror: bool = False
    snap: bool = False
    untransform: bool = False
    noise: Noise = STORED
    learned: tuple[float, float, float] | None = None
    mean_constant: bool = False
    device: str = "cpu"
    precision: str = "auto"


@dataclass(frozen=True)
class RenderRequest:
    """The requested pictures of both slots; None for an empty slot."""

    left: PictureRequest | None = None
    right: PictureRequest | None = None

    def slot(self, name: Slot) -> PictureRequest | None:
        return self.left if name == "left" else self.right


def snap_degrees(degrees: float, step: float) -> float:
    """Return the nearest multiple of `step` degrees in [-180, 180); 0 leaves the angle as it is."""
    return degrees if step == 0.0 else (round(degrees / step) * step + 180.0) % 360.0 - 180.0


def build_request(state: AppState) -> RenderRequest:
    """Build the request that `state` asks for. Pure: the same state gives an equal request."""
    return RenderRequest(left=_picture(state, "left"), right=_picture(state, "right"))


def _latent(state: AppState, slot: Slot) -> Latent:
    """Return a slot's latent, with w's of the other slot where they are mixed in: those shown there, but for ours."""
    own, other = state.latent_of(slot), SLOTS[slot == SLOTS[0]]
    path, theirs = state.slot(other).path, state.latent_of(other)
    if own.mix_with == "second" or not own.mixed or not path:
        return own.latent()
    label = theirs.label, theirs.label_kind, tuple(theirs.vector)
    shown = theirs.base() if state.linked else theirs.latent()  # linked, the steps along directions are the mixture's
    return own.mix(OtherModel(path, shown, theirs.psi, theirs.cutoff or None, *label))


def _picture(state: AppState, slot: Slot) -> PictureRequest | None:
    path = state.slot(slot).path
    if not path:
        return None
    latent, transform = state.latent_of(slot), state.transform_of(slot)
    chosen = (transform.learned_tx, transform.learned_ty, transform.learned_degrees)
    return PictureRequest(
        model=path,
        latent=_latent(state, slot),
        psi=latent.psi,
        cutoff=latent.cutoff or None,
        label=latent.label,
        label_kind=latent.label_kind,
        vector=tuple(latent.vector),
        tx=transform.tx,
        ty=transform.ty,
        degrees=snap_degrees(transform.degrees, transform.snap_degrees),
        scale=transform.scale,
        stretch=transform.stretch,
        shear=transform.shear,
        mirror=transform.mirror,
        snap=transform.snap,
        untransform=transform.untransform,
        noise=state.noise.noise(),
        learned=chosen if transform.learned == "set" else None,
        mean_constant=transform.mean_constant,
        device=state.display.device,
        precision=state.display.precision,
    )
