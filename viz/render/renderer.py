# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Render a PictureRequest to a RenderResult: cached models, cached w's, synthesis, pixels; and any layer's maps.

Each cache is keyed by everything its content depends on: models by (path, time, size, device), w's and the weights that
they modulate by model and latent, pictures by w's and the input's motion, maps by picture and layer. So dragging a
picture repeats synthesis only, and a model that cannot move repeats nothing. Rendering never changes a network: layers
are read by iterating over them, without hooks.
"""

import time
from collections.abc import Hashable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import NamedTuple

import torch

from gan.checkpoints import checkpoint
from gan.devices import check_device, threads_for
from gan.networks.generator import Generator
from gan.networks.input_transform import forward_matrix
from gan.networks.labels import Label
from gan.networks.precision import FULL_PRECISION, configure_backends
from gan.networks.synthesis import Prepared, SynthesisOptions, Weights
from viz.core.labels import choose_label
from viz.core.latent import OtherModel
from viz.core.noise import STORED
from viz.core.request import PictureRequest, RenderRequest
from viz.core.result import PICTURE, ModelFacts, RenderResult, describe_error
from viz.loading.lru_cache import LRUCache
from viz.loading.model_cache import ModelCache, ModelKey, default_limit
from viz.loading.model_info import read_facts
from viz.render.cuda_graphs import CudaBackend, Learned, Motion, SynthesisInputs
from viz.render.directions import Directions, Subject
from viz.render.latents import SEEDS_KEPT, LatentMapper, LatentMisfit, Move
from viz.render.model_keys import ask_other, find_key, find_other, make_key, make_keys
from viz.render.noise import PLANES_BYTES, Planes, make_planes
from viz.render.postprocess import ImageFacts, RenderedImage, measure_input, to_rgba8, unpack_input
from viz.render.precision import choose_precision, measure_float16_psnr

MAPS_BYTES = 2**28  # of layers' maps; the newest two stay whatever their size
MAPS_KEPT = 4  # of them at most: both slots' layers and pictures
# Of a model's weights in the form of gan.networks.conv_autotune, modulated and before, to its own bytes, at most.
MODULATED_RATIO = 8
NO_FOURIER_INPUT = (
    "StyleGAN2 starts from a learned constant: with no Fourier input (rung B on) it cannot be moved, turned or scaled."
)
NO_LEARNED_TRANSFORM = "Rung {rung} has no learned transform to replace: w moves the input from rung H on."
NO_CONSTANT = "Rung {rung} has no learned constant to average: only rung A starts from one."
OTHER_MAPPING = "The two models' mapping networks differ, so a w that is mixed in means something else to this one."
AT_REST = (0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0)

FollowedMotion = tuple[Motion | None, bool, Learned | None, bool]  # motion, untransform, learned, mean_constant


@dataclass
class _Model:
    generator: Generator
    facts: ModelFacts
    version: tuple[int, int]  # viz.core.result

    @cached_property
    def noise_strength(self) -> float:
        """The largest of the layers' learned strengths of noise, 0 without noise inputs."""
        found = tuple(p for name, p in self.generator.named_parameters() if name.endswith(".noise_strength"))
        return float(torch.stack(found).abs().max()) if found else 0.0

    @cached_property
    def float16_psnr(self) -> float:
        return measure_float16_psnr(self.generator)


class RenderPlan(NamedTuple):
    """The inputs of a picture and of every layer's maps."""

    model: _Model
    inputs: SynthesisInputs
    label: Label
    notices: list[str]
    computed: set[str]


class Renderer:
    """Renders requests one after the other; keep one per thread.

    `own_thread`: the calling thread does nothing else, so torch's threads may be set for it. `enlarge`: small pictures
    in memory also come enlarged, for display.
    """

    def __init__(self, model_bytes: float | None = None, *, own_thread: bool = False, enlarge: bool = True) -> None:
        self._own_thread, self._enlarge = own_thread, enlarge
        limit = default_limit if model_bytes is None else lambda device: model_bytes
        self.models: ModelCache[_Model] = ModelCache(limit)
        self._seeds: LRUCache[torch.Tensor] = LRUCache(SEEDS_KEPT)  # w's of seeds, not truncated
        self.directions = Directions()
        self._ws: LRUCache[torch.Tensor] = LRUCache(64)
        self._same: LRUCache[bool] = LRUCache(8)  # whether two models' mappings are the same
        self._planes: LRUCache[torch.Tensor] = LRUCache(PLANES_BYTES)  # of noise, by seed
        self._noise: LRUCache[Planes | None] = LRUCache(2)
        self._prepared: LRUCache[Prepared] = LRUCache(2)  # weights before modulation: while w moves, they stay
        self._weights: LRUCache[Weights] = LRUCache(2)  # modulated: while only the input moves, they stay
        self._gpu = CudaBackend()
        self._images: LRUCache[RenderedImage] = LRUCache(4)
        self._maps: LRUCache[torch.Tensor] = LRUCache(MAPS_BYTES, keep=2)

    def render(self, request: PictureRequest, keep: Sequence[str] = ()) -> RenderResult:
        """Return the picture, or why there is none: an error that a user can cause is one sentence in `error`.

        The maps of the layers named in `keep` are kept for `maps`, if that costs no time.
        """
        result = self.start(request, keep)
        return result if result.pending is None else result.pending()

    def start(self, request: PictureRequest, keep: Sequence[str] = ()) -> RenderResult:
        """Render without waiting for a GPU: call the result's `pending`, if there is one, before looking at it."""
        try:
            with torch.inference_mode(), on_device(request.device):
                result, drawn = self._render(request, keep)
        except Exception as problem:
            return _fail(request, problem)
        if drawn.waits:
            return replace(result, pending=lambda: _complete(result, drawn))
        return _complete(result, drawn)

    def memory(self, device: str) -> tuple[float, float]:
        """Return (bytes that models take on a device, bytes that they may take)."""
        return self.models.used(device), self.models.limit(device)

    def pin_models(self, request: RenderRequest) -> None:
        """Keep the models of a request, which is on screen: they do not make room for others."""
        shown = [picture for picture in (request.left, request.right) if picture is not None]
        self.models.held = frozenset(key for key in map(find_key, shown) if key is not None)

    def maps(self, request: PictureRequest, layer: str) -> torch.Tensor:
        """Return [1, C, H, W], the output of a layer (one of the generator's `layer_names`, or PICTURE) for a request.

        Runs no further than that layer. Raises what `describe_error` describes.
        """
        with torch.inference_mode(), on_device(request.device):
            plan = self.plan(request)
            return self._maps.get((plan.inputs.key, layer), lambda: self._capture(plan, layer))[0]

    def find_ws(self, request: PictureRequest) -> torch.Tensor:
        """Return a request's w's [1, num_ws, w_dim], truncated. Raises what `describe_error` describes."""
        with torch.inference_mode(), on_device(request.device):
            return self.plan(request).inputs.ws

    def render_apart(self, request: PictureRequest, move: Move | None = None) -> torch.Tensor:
        """Return [1, C, H, W], the request's picture in float32, each z [z_dim] moved by `move`.

        Neither the picture nor its modulated weights are kept: those of the pictures on screen stay.
        """
        with torch.inference_mode(), on_device(request.device):
            plan = self.plan(request)
            inputs = plan.inputs._replace(precision=FULL_PRECISION)
            if move is not None:
                inputs = inputs._replace(ws=self._map_moved(plan, request, move))
            weights = inputs.synthesis.modulate(inputs.ws, FULL_PRECISION, self._prepare(inputs))
            return inputs.synthesis(inputs.ws, inputs.options(weights))

    def generator(self, request: PictureRequest) -> tuple[Generator, ModelFacts]:
        """Return the loaded model of a request. It may be run, and must not be changed."""
        with on_device(request.device):
            model = self.plan(request).model
        return model.generator, model.facts

    def subject(self, request: PictureRequest) -> Subject:
        """Return the loaded model of a request as `directions` takes it."""
        key = make_key(request)
        with on_device(request.device):
            model = self._model(key)[0]
        return Subject(key, model.generator, model.facts)

    def vector(self, request: PictureRequest) -> Label | None:
        """Return the label of a request if it is a vector.

        Instruments that draw many pictures give it to all: random classes are none that such a model has seen.
        """
        label = choose_label(request, self.generator(request)[1])[0]
        return label if isinstance(label, tuple) else None

    def noise_options(self, request: PictureRequest) -> SynthesisOptions:
        """Return a request's noise as options of its model's network, for instruments that draw other pictures."""
        with torch.inference_mode(), on_device(request.device):
            inputs = self.plan(request).inputs
        return SynthesisOptions(noise=inputs.noise_mode, planes=inputs.planes)

    def plan(self, request: PictureRequest) -> RenderPlan:
        key = make_key(request)
        model, loaded = self._model(key)
        facts = model.facts
        label, notice = choose_label(request, facts)
        other = find_other(request)
        ws_key = (key, request.latent, request.psi, request.cutoff, label, make_keys(request)[1:])
        mapper = self._mapper(model, key, request, label)
        ws, mapped = self._ws.get(ws_key, lambda: (mapper.map(request.latent), 1.0))
        if self._own_thread:
            torch.set_num_threads(threads_for(facts.config.resolution))
        motion, remarks = _follow(request, facts)
        precision, remark = choose_precision(request.precision, key.device, lambda: model.float16_psnr)
        noise = request.noise if facts.config.noise_inputs else STORED
        synthesis = model.generator.synthesis
        planes, _ = self._noise.get((key, noise), lambda: (make_planes(synthesis, noise, self._planes), 1.0))
        inputs = SynthesisInputs(key, synthesis, precision, ws_key, ws, *motion, noise, planes)
        computed = {name for name, done in (("load", loaded), ("mapping", mapped)) if done}
        return RenderPlan(
            model,
            inputs,
            label,
            [*remarks, *filter(None, [notice, remark, self._compare(model, key, other)])],
            computed,
        )

    def _compare(self, model: _Model, key: ModelKey, other: PictureRequest | None) -> str | None:
        """Return a remark where w's of another model are mixed in and its mapping is not this model's."""
        if other is None:
            return None
        theirs_key = make_key(other)
        theirs = self._model(theirs_key)[0].generator.mapping
        same, _ = self._same.get((key, theirs_key), lambda: (_is_same(model.generator.mapping, theirs), 1.0))
        return None if same else OTHER_MAPPING

    def _mapper(
        self, model: _Model, key: Hashable, request: PictureRequest, label: Label, move: Move | None = None
    ) -> LatentMapper:
        def map_other(latent: OtherModel) -> torch.Tensor:
            other = ask_other(latent, request.device)
            plan = self.plan(other)
            return plan.inputs.ws if move is None else self._map_moved(plan, other, move)

        unit = partial(self.directions.unit, Subject(key, model.generator, model.facts))
        mapping = request.psi, request.cutoff, move, map_other
        return LatentMapper(model.generator, key, self._seeds, unit, label, *mapping)

    def _map_moved(self, plan: RenderPlan, request: PictureRequest, move: Move) -> torch.Tensor:
        """Return a planned request's w's with each z moved."""
        return self._mapper(plan.model, plan.inputs.model, request, plan.label, move).map(request.latent)

    def _model(self, key: ModelKey) -> tuple[_Model, bool]:
        facts: list[ModelFacts] = []

        def cost() -> float:
            check_device(key.device)
            facts.append(read_facts(key.path))
            return float(facts[0].bytes) * (1 + MODULATED_RATIO)

        def load() -> _Model:
            self._weights.retain(lambda key: key[0][0] in self.models)
            self._prepared.retain(lambda key: key[0] in self.models)
            self._gpu.retain(lambda key: key in self.models)
            generator = checkpoint.load_generator(key.path, device=key.device)[0]
            if generator.config != facts[0].config:
                name = Path(key.path).name
                raise checkpoint.TransientError(f"{name} was changed while it was opened: open it again.")
            return _Model(generator, facts[0], (key.written_ns, key.size))

        return self.models.get(key, cost, load)

    def _run_layers(self, inputs: SynthesisInputs) -> Iterator[tuple[str, torch.Tensor]]:
        """Yield each layer's name and maps, and at the end PICTURE and the picture."""
        synthesis, precision, ws = inputs.synthesis, inputs.precision, inputs.ws
        prepared, key = self._prepare(inputs), (inputs.ws_key, precision)
        weights, _ = self._weights.get(key, lambda: (synthesis.modulate(ws, precision, prepared), 1.0))
        x = ws
        for name, x in synthesis.steps(ws, inputs.options(weights)):
            yield name, x
        yield PICTURE, x.float() * synthesis.output_scale

    def _prepare(self, inputs: SynthesisInputs) -> Prepared:
        """Return the weights of the inputs' model as they are before they are modulated, made once a model."""
        key = inputs.model, inputs.precision
        return self._prepared.get(key, lambda: (inputs.synthesis.prepare(inputs.precision), 1.0))[0]

    def _capture(self, plan: RenderPlan, layer: str) -> tuple[torch.Tensor, float]:
        for name, x in self._run_layers(plan.inputs):
            if name == layer:
                return _with_cost(x.float())
        names = ", ".join((*plan.model.generator.layer_names, PICTURE))
        raise ValueError(f"{Path(plan.model.facts.path).name} has no layer {layer!r}: choose one of {names}.")

    def _render(self, request: PictureRequest, keep: Sequence[str]) -> tuple[RenderResult, RenderedImage]:
        started = time.perf_counter()
        plan = self.plan(request)
        begun = time.perf_counter() if "load" in plan.computed else started
        draw = self._render_on_cuda if plan.inputs.ws.is_cuda else self._render_to_host
        drawn, anew = self._images.get(plan.inputs.key, lambda: (draw(plan.inputs, keep, begun), 1.0))
        result = RenderResult(
            request,
            picture=drawn.picture,
            enlarged=drawn.enlarged,
            facts=plan.model.facts,
            notice=" ".join(plan.notices) or None,
            computed=frozenset(plan.computed | ({"synthesis"} if anew else set())),
            how=drawn.how,
            noise=plan.model.noise_strength,
            version=plan.model.version,
            half=plan.inputs.precision.num_fp16_res,
        )
        return result, drawn

    def _render_to_host(self, inputs: SynthesisInputs, keep: Sequence[str], begun: float) -> RenderedImage:
        for name, x in self._run_layers(inputs):
            if name in keep:
                self._maps.get((inputs.key, name), lambda x=x: _with_cost(x))  # type: ignore[misc]
        facts = measure_input(inputs.synthesis, inputs.ws, inputs.transform, inputs.overrides)
        learned, kept = unpack_input(facts.cpu())  # also waits for devices that are not CUDA's
        rendered = time.perf_counter()
        back = forward_matrix(*inputs.motion) if inputs.motion is not None and inputs.untransform else None
        image, enlarged = to_rgba8(x, back, enlarge=self._enlarge)
        picture, smooth = image.cpu().numpy(), None if enlarged is None else enlarged.cpu().numpy()
        read = ImageFacts(1e3 * (rendered - begun), 1e3 * (time.perf_counter() - rendered), learned, kept)
        return RenderedImage(picture, smooth, lambda: read, how="float32.")

    def _render_on_cuda(self, inputs: SynthesisInputs, keep: Sequence[str], begun: float) -> RenderedImage:
        return self._gpu.render(inputs)


def on_device(device: str) -> AbstractContextManager[object]:
    """Direct calls of CUDA to this device, whose convolutions are set up."""
    if not device.startswith("cuda"):
        return nullcontext()
    check_device(device)
    configure_backends(device)
    return torch.cuda.device(device)


def _fail(request: PictureRequest, problem: Exception) -> RenderResult:
    """Return the error as a result; raise it if only a mistake in the program can cause it."""
    error = describe_error(problem)
    if error is None:
        raise problem
    return RenderResult(request, error=error, misfit=problem.name if isinstance(problem, LatentMisfit) else "")


def _complete(result: RenderResult, drawn: RenderedImage) -> RenderResult:
    """Wait until the picture is drawn and fill in the rest."""
    try:
        read = drawn.read()
    except Exception as problem:
        return _fail(result.request, problem)
    if "synthesis" not in result.computed:  # it took that before
        read = read._replace(model_ms=0.0, post_ms=0.0)
    return replace(result, **read._asdict(), pending=None)


def _with_cost(maps: torch.Tensor) -> tuple[torch.Tensor, float]:
    return maps, max(float(maps.nbytes), MAPS_BYTES / MAPS_KEPT)


def _is_same(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    """Return whether two networks hold the very same numbers."""
    first, second = one.state_dict(), other.state_dict()
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def _follow(request: PictureRequest, facts: ModelFacts) -> tuple[FollowedMotion, list[str]]:
    """Return what the model can follow of the request, for SynthesisInputs, and a sentence for each other part."""
    tx, ty = request.tx, request.ty
    if request.snap:
        tx, ty = (round(t * facts.config.resolution) / facts.config.resolution for t in (tx, ty))
    deform = request.stretch, request.shear + 0.0, float(request.mirror)
    motion = (tx + 0.0, ty + 0.0, request.degrees + 0.0, request.scale, *deform)  # + 0.0 makes -0.0 plain zero
    learned, mean_constant, remarks = request.learned, request.mean_constant, []
    if motion != AT_REST and not facts.config.movable:
        motion = AT_REST
        remarks.append(NO_FOURIER_INPUT)
    if learned is not None and not facts.learned_transform:
        learned = None
        remarks.append(NO_LEARNED_TRANSFORM.format(rung=facts.config.rung))
    if mean_constant and facts.config.movable:
        mean_constant = False
        remarks.append(NO_CONSTANT.format(rung=facts.config.rung))
    untransform = request.untransform and motion != AT_REST
    return (motion if facts.config.movable else None, untransform, learned, mean_constant), remarks
