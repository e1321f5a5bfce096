# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""PictureRequest -> RenderResult: cached models, cached w's, synthesis, pixels; and any layer's maps on the way.

Caches are keyed by all that their content depends on: models by (path, time, size, device), w's and the weights that
they modulate by model and latent, pictures by w's and what drives the input, maps by picture and layer. Dragging a
picture therefore repeats synthesis only, and a model that cannot move repeats nothing. A network is never changed by
being rendered: layers are looked at by iterating over them, without hooks.
"""

import time
from collections.abc import Hashable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from gan.checkpoints import checkpoint
from gan.devices import check_device, threads_for
from gan.hub.resolve import missing
from gan.networks.generator import Generator, z_from_seed
from gan.networks.input_transform import InputOverrides, forward_matrix, learned_vector, user_matrix
from gan.networks.precision import PrecisionPolicy, prepare
from gan.networks.synthesis import SynthesisOptions, Weights
from viz.core.request import PictureRequest, RenderRequest
from viz.core.result import PICTURE, ModelFacts, RenderResult, describe_error
from viz.loading.lru_cache import LRUCache
from viz.loading.model_cache import ModelCache, ModelKey, default_limit
from viz.loading.model_info import read_facts
from viz.render.cuda_backend import CudaBackend, SynthesisInputs
from viz.render.cuda_graphs import copy_in
from viz.render.postprocess import ImageFacts, RenderedImage, measure_input, to_rgba8, unpack_input
from viz.render.precision import choose_precision, measure_float16_psnr

MAPS_BYTES = 2**28  # of layers' maps; the newest two stay whatever their size
MAPS_KEPT = 4  # of them at most: both slots' layers and pictures, for whoever looks at them next
MODULATED = (
    4  # times its own bytes that a model's modulated weights may take, in the form of gan.networks.conv_autotune
)
NO_FOURIER_INPUT = (
    "StyleGAN2 starts from a learned constant: with no Fourier input (rung B on) it cannot be moved, turned or scaled."
)
NO_LEARNED_TRANSFORM = "Rung {rung} has no learned transform to replace: w moves the input from rung H on."
NO_CONSTANT = "Rung {rung} has no learned constant to average: only rung A starts from one."
REST = (0.0, 0.0, 0.0, 1.0)


@dataclass
class _Model:
    generator: Generator
    facts: ModelFacts
    decibels: float | None = None  # measure_float16_psnr, once it was asked for


@dataclass(frozen=True)
class _InputMotion:
    """What a request does to one model's input, as far as the model can follow: equal ones give equal pictures."""

    motion: tuple[float, float, float, float]  # tx, ty, degrees, scale
    untransform: bool
    learned: tuple[float, float, float] | None
    mean_constant: bool

    def overrides(self) -> InputOverrides:
        return InputOverrides(None if self.learned is None else learned_vector(*self.learned), self.mean_constant)


@dataclass(frozen=True, eq=False)
class _RenderPlan:
    """What a picture and every layer's maps are computed from. Equal keys, equal pictures."""

    key: Hashable
    ws_key: tuple[Hashable, ...]  # the model's key first
    model: _Model
    ws: torch.Tensor  # [1, num_ws, w_dim]
    drive: _InputMotion
    precision: PrecisionPolicy
    label: int
    notices: tuple[str, ...]
    computed: frozenset[str]

    def transform(self) -> torch.Tensor | None:
        """What the Fourier input takes; None rather than the identity where there is none, which refuses any."""
        return user_matrix(*self.drive.motion).to(self.ws.device) if self.model.facts.movable else None


class Renderer:
    """Renders requests one after the other; keep one per thread.

    `own_thread` says that the calling thread renders and does nothing else, so that torch's threads may be set for it;
    `enlarge`, that small pictures in memory are drawn larger, too, for display.
    """

    def __init__(self, model_bytes: float | None = None, *, own_thread: bool = False, enlarge: bool = True) -> None:
        self._own_thread, self._enlarge = own_thread, enlarge
        limit = default_limit if model_bytes is None else lambda device: model_bytes
        self.models: ModelCache[_Model] = ModelCache(limit)
        self._ws: LRUCache[torch.Tensor] = LRUCache(64)
        self._weights: LRUCache[Weights] = LRUCache(2)  # modulated: while only the input moves, they stay
        self._gpu = CudaBackend()
        self._pixels: LRUCache[RenderedImage] = LRUCache(4)
        self._maps: LRUCache[torch.Tensor] = LRUCache(MAPS_BYTES, keep=2)

    def render(self, request: PictureRequest, keep: Sequence[str] = ()) -> RenderResult:
        """The picture, or why there is none: whatever the user can cause comes back as one sentence in `error`.

        The maps of the layers named in `keep` are kept as they come by, for `maps`, where that costs no time.
        """
        result = self.start(request, keep)
        return result if result.pending is None else result.pending()

    def start(self, request: PictureRequest, keep: Sequence[str] = ()) -> RenderResult:
        """`render`, but without waiting for a GPU: what is `pending` is not to be looked at before that is done."""
        try:
            with torch.inference_mode(), _on(request.device):
                result, drawn = self._render(request, keep)
        except Exception as problem:
            return _failed(request, problem)
        if drawn.waits:
            return replace(result, pending=lambda: _completed(result, drawn))
        return _completed(result, drawn)

    def memory(self, device: str) -> tuple[float, float]:
        """(bytes that models take on a device, bytes that they may take)."""
        return self.models.used(device), self.models.limit(device)

    def pin_models(self, request: RenderRequest) -> None:
        """Say what is on screen: these models do not make room for others."""
        shown = [picture for picture in (request.left, request.right) if picture is not None]
        self.models.held = frozenset(key for key in map(_key_if_there, shown) if key is not None)

    def maps(self, request: PictureRequest, layer: str) -> torch.Tensor:
        """[1, C, H, W], what a layer (one of the generator's `layer_names`, or PICTURE) puts out for a request.

        Runs no further than that layer. Raises what `describe_error` describes.
        """
        with torch.inference_mode(), _on(request.device):
            shot = self._plan(request)
            return self._maps.get((shot.key, layer), lambda: self._capture(shot, layer))[0]

    def render_latent(self, request: PictureRequest, z: np.ndarray) -> torch.Tensor:
        """[1, C, H, W]: the request's picture, but of latent z [z_dim]. Nothing of it is kept."""
        with torch.inference_mode(), _on(request.device):
            shot = self._plan(request)
            ws = _mapped(shot.model, request, z[None], shot.label)
            synthesis = shot.model.generator.synthesis
            return synthesis(ws, SynthesisOptions(transform=shot.transform(), overrides=shot.drive.overrides()))

    def generator(self, request: PictureRequest) -> tuple[Generator, ModelFacts]:
        """The loaded model of a request: to be run, never to be changed."""
        with _on(request.device):
            model = self._plan(request).model
        return model.generator, model.facts

    def _plan(self, request: PictureRequest) -> _RenderPlan:
        key = model_key(request)
        model, loaded = self._model(key)
        facts = model.facts
        if self._own_thread:
            torch.set_num_threads(threads_for(facts.resolution))
        computed = {"load"} if loaded else set()
        label, notices = _label(request, facts)
        ws_key = (key, request.seeds, request.psi, request.cutoff, label)
        ws, mapped = self._ws.get(ws_key, lambda: (_map(model, request, label), 1.0))
        computed |= {"mapping"} if mapped else set()
        drive, remarks = _drive(request, facts)
        precision, remark = choose_precision(request.precision, key.device, lambda: self._decibels(model, key.device))
        remarks += [remark] if remark else []
        return _RenderPlan(
            (ws_key, drive, precision),
            ws_key,
            model,
            ws,
            drive,
            precision,
            label,
            (*notices, *remarks),
            frozenset(computed),
        )

    @staticmethod
    def _decibels(model: _Model, device: str) -> float:
        if model.decibels is None:
            model.decibels = measure_float16_psnr(model.generator, device)
        return model.decibels

    def _model(self, key: ModelKey) -> tuple[_Model, bool]:
        facts: list[ModelFacts] = []

        def cost() -> float:
            check_device(key.device)
            facts.append(read_facts(key.path))
            return float(facts[0].bytes) * (1 + MODULATED)

        def load() -> _Model:
            self._weights.retain(lambda key: key[0][0] in self.models)
            self._gpu.retain(lambda key: key in self.models)
            generator = checkpoint.load_generator(key.path, device=key.device)[0]
            if generator.config != facts[0].config:
                raise checkpoint.PassingError(f"{Path(key.path).name} was changed while it was opened: open it again.")
            return _Model(generator, facts[0])

        return self.models.get(key, cost, load)

    def _steps(self, shot: _RenderPlan) -> Iterator[tuple[str, torch.Tensor]]:
        """Each layer's name and maps, and at the end PICTURE and the picture."""
        synthesis = shot.model.generator.synthesis
        key = (shot.ws_key, shot.precision)
        weights, _ = self._weights.get(key, lambda: (synthesis.modulate(shot.ws, shot.precision), 1.0))
        x = None
        steps = synthesis.steps(
            shot.ws,
            SynthesisOptions(
                transform=shot.transform(), weights=weights, overrides=shot.drive.overrides(), precision=shot.precision
            ),
        )
        for name, x in steps:
            yield name, x
        assert x is not None
        yield PICTURE, x.float() * synthesis.output_scale

    def _capture(self, shot: _RenderPlan, layer: str) -> tuple[torch.Tensor, float]:
        for name, x in self._steps(shot):
            if name == layer:
                return _costed(x.float())
        names = ", ".join((*shot.model.generator.layer_names, PICTURE))
        raise ValueError(f"{Path(shot.model.facts.path).name} has no layer {layer!r}: choose one of {names}.")

    def _render(self, request: PictureRequest, keep: Sequence[str]) -> tuple[RenderResult, RenderedImage]:
        started = time.perf_counter()
        shot = self._plan(request)
        begun = time.perf_counter() if "load" in shot.computed else started
        draw = self._on_gpu if shot.ws.is_cuda else self._in_memory
        drawn, anew = self._pixels.get(shot.key, lambda: (draw(shot, keep, begun), 1.0))
        computed = shot.computed | ({"synthesis"} if anew else set())
        notice = " ".join(shot.notices) or None
        result = RenderResult(
            request,
            picture=drawn.picture,
            enlarged=drawn.enlarged,
            facts=shot.model.facts,
            notice=notice,
            computed=computed,
            how=drawn.how,
            half=shot.precision.num_fp16_res,
        )
        return result, drawn

    def _in_memory(self, shot: _RenderPlan, keep: Sequence[str], begun: float) -> RenderedImage:
        for name, x in self._steps(shot):
            if name in keep:
                self._maps.get((shot.key, name), lambda x=x: _costed(x))  # type: ignore[misc]
        facts = measure_input(shot.model.generator.synthesis, shot.ws, shot.transform(), shot.drive.overrides())
        learned, kept = unpack_input(facts.cpu())  # also waits for devices that are not CUDA's
        rendered = time.perf_counter()
        back = forward_matrix(*shot.drive.motion) if shot.drive.untransform else None
        image, enlarged = to_rgba8(x, back, enlarge=self._enlarge)
        picture, smooth = image.cpu().numpy(), None if enlarged is None else enlarged.cpu().numpy()
        read = ImageFacts(1e3 * (rendered - begun), 1e3 * (time.perf_counter() - rendered), learned, kept)
        return RenderedImage(picture, smooth, lambda: read, how="float32.")

    def _on_gpu(self, shot: _RenderPlan, keep: Sequence[str], begun: float) -> RenderedImage:
        drive, facts = shot.drive, shot.model.facts
        inputs = SynthesisInputs(
            shot.ws_key[0],
            shot.model.generator.synthesis,
            shot.precision,
            shot.ws_key,
            shot.ws,
            drive.motion if facts.movable else None,
            drive.untransform,
            drive.learned,
            drive.mean_constant,
        )
        return self._gpu.render(inputs)


def _on(device: str) -> AbstractContextManager[object]:
    """Calls of CUDA go to this device, whose convolutions are set up."""
    if not device.startswith("cuda"):
        return nullcontext()
    check_device(device)
    prepare(device)
    return torch.cuda.device(device)


def _failed(request: PictureRequest, problem: Exception) -> RenderResult:
    """What the user is told; raises what only a mistake in the program can cause."""
    error = describe_error(problem)
    if error is None:
        raise problem
    return RenderResult(request, error=error)


def _completed(result: RenderResult, drawn: RenderedImage) -> RenderResult:
    """Waits until the picture is drawn."""
    try:
        read = drawn.read()
    except Exception as problem:
        return _failed(result.request, problem)
    if "synthesis" not in result.computed:  # it took that before
        read = read._replace(model_ms=0.0, post_ms=0.0)
    return replace(result, **read._asdict(), pending=None)


def _costed(maps: torch.Tensor) -> tuple[torch.Tensor, float]:
    return maps, max(float(maps.nbytes), MAPS_BYTES / MAPS_KEPT)


def model_key(request: PictureRequest) -> ModelKey:
    """The key of a request's model; FileNotFoundError."""
    path = Path(request.model)
    try:
        status = path.stat()
    except OSError:
        raise FileNotFoundError(missing(path)) from None
    if path.is_dir():
        raise FileNotFoundError(missing(path))
    return ModelKey(str(path), status.st_mtime_ns, status.st_size, request.device)


def _key_if_there(request: PictureRequest) -> ModelKey | None:
    try:
        return model_key(request)
    except (OSError, ValueError):
        return None


def _label(request: PictureRequest, facts: ModelFacts) -> tuple[int, list[str]]:
    if facts.c_dim == 0:
        return 0, []
    if request.label < facts.c_dim:
        return request.label, []
    last = facts.c_dim - 1
    return last, [f"This model has labels 0 to {last}, not {request.label}: {last} takes its place."]


def _map(model: _Model, request: PictureRequest, label: int) -> torch.Tensor:
    facts = model.facts
    z = sum(weight * z_from_seed(seed, facts.z_dim) for seed, weight in request.seeds)
    return _mapped(model, request, np.asarray(z), label)


def _mapped(model: _Model, request: PictureRequest, z: np.ndarray, label: int) -> torch.Tensor:
    """[1, num_ws, w_dim] of z [1, z_dim]."""
    facts, c = model.facts, None
    if facts.c_dim:
        c = torch.zeros(1, facts.c_dim, device=request.device)
        c[:, label : label + 1] = 1.0  # by a range: by two numbers it would be a copy from memory, which waits
    vector = torch.empty(z.shape, device=request.device)
    copy_in(torch.from_numpy(z), vector)
    return model.generator.mapping(vector, c, psi=request.psi, cutoff=request.cutoff)


def _drive(request: PictureRequest, facts: ModelFacts) -> tuple[_InputMotion, list[str]]:
    """What the model can follow, and a sentence for each thing that it cannot."""
    tx, ty = request.tx, request.ty
    if request.snap:
        tx, ty = (round(t * facts.resolution) / facts.resolution for t in (tx, ty))
    motion = (tx + 0.0, ty + 0.0, request.degrees + 0.0, request.scale)  # + 0.0 makes -0.0 plain zero
    learned, mean_constant, remarks = request.learned, request.mean_constant, []
    if motion != REST and not facts.movable:
        motion = REST
        remarks.append(NO_FOURIER_INPUT)
    if learned is not None and not facts.learned_transform:
        learned = None
        remarks.append(NO_LEARNED_TRANSFORM.format(rung=facts.rung))
    if mean_constant and facts.movable:
        mean_constant = False
        remarks.append(NO_CONSTANT.format(rung=facts.rung))
    return _InputMotion(motion, request.untransform and motion != REST, learned, mean_constant), remarks
