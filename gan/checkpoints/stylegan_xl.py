# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""StyleGAN-XL's generators: the official layout with super-resolution heads and a table of classes.

A head replaces the last layers of the network below it, so no formula gives the schedule: it is read from what each
layer's module says of itself, in the order of `layer_names`. Sizes come from the tensors' shapes.
"""

import math
import re
from collections.abc import Mapping
from typing import Any

from gan.checkpoints.derived import Network
from gan.checkpoints.official_arguments import generator_config
from gan.checkpoints.official_shapes import NOT_STANDARD, infer_arguments
from gan.checkpoints.pickle_stubs import NumpyArray, PickledObject, StoredTensor
from gan.checkpoints.read_limits import DAMAGED, RefusedError, require
from gan.networks.config import CONV_CLAMP, MAX_LAYERS, GeneratorConfig, ListedLayer
from gan.networks.describe import STYLEGAN_XL
from gan.networks.layer_plan import compute_padding

Shapes = Mapping[str, tuple[int, ...]]
FAMILY = "StyleGAN-XL"
SUPERRES = "SuperresGenerator"
LAYER = re.compile(r"synthesis\.L(\d{1,4})_\d{1,5}_\d{1,7}\.weight")
OTHER_NETWORK = (
    "holds {} of StyleGAN-XL's code, whose mapping looks classes up in a table: of that project's networks only those "
    "on StyleGAN3 can be opened here"
)


def is_stylegan_xl(kind: str, class_name: str, shapes: Shapes) -> bool:
    """Check if an official-looking network is one of StyleGAN-XL's. RefusedError for its other generators."""
    table = "mapping.embed.weight" in shapes and "mapping.embed.bias" not in shapes
    table |= "mapping.embed_proj.weight" in shapes or len(shapes.get("mapping.w_avg", ())) == 2
    if kind == "stylegan2.Generator" and table:
        if not class_name and "mapping.embed_proj.weight" not in shapes:  # perhaps TensorFlow's, with labels beside z
            raise RefusedError(NOT_STANDARD.format(2))
        raise RefusedError(OTHER_NETWORK.format("a StyleGAN2"))
    numbers = sorted(int(found[1]) for found in map(LAYER.fullmatch, shapes) if found)
    gaps = bool(numbers) and numbers != list(range(len(numbers)))
    return kind == "stylegan3.Generator" and (table or gaps or class_name == SUPERRES)


def describe_network(name: str, found: Any, tensors: Mapping[str, StoredTensor]) -> Network:
    """Describe a generator of StyleGAN-XL's, a module or bare weights, by our names. RefusedError, ConfigError."""
    module = found if isinstance(found, PickledObject) else None
    shapes = {key: tensor.shape for key, tensor in tensors.items()}
    mapping = _read_mapping(module, shapes)
    if module is None:
        fields = _infer_schedule(shapes, mapping)
    else:
        fields = _read_synthesis(module, shapes)
    config = GeneratorConfig(rung=STYLEGAN_XL, **fields, **mapping)
    if not config.embed_rows:  # without labels the table is there, but unused
        tensors = {key: tensor for key, tensor in tensors.items() if not key.startswith("mapping.embed")}
    return Network(name, module.class_name if module else "", config, tensors, family=FAMILY)


def _read_mapping(module: PickledObject | None, shapes: Shapes) -> dict[str, Any]:
    """Return the mapping network's fields of our configuration."""
    depth = sum(bool(re.fullmatch(r"mapping\.fc\d{1,3}\.weight", key)) for key in shapes)
    first, average = shapes.get("mapping.fc0.weight", ()), shapes.get("mapping.w_avg", ())
    require(len(first) == 2 and len(average) in (1, 2))
    table, projection = shapes.get("mapping.embed.weight", ()), shapes.get("mapping.embed_proj.weight", ())
    labels = module.state.get("c_dim", _child(module, "mapping").state.get("c_dim")) if module else None
    if type(labels) is not int:
        rows = average[0] if len(average) == 2 else table[0] if table else 0
        labels = rows if projection else 0
    fields = {"c_dim": labels, "w_dim": first[0], "mapping_layers": depth, "z_dim": first[1]}
    if len(average) == 2:
        fields["w_avg_rows"] = average[0]
    if labels > 0:
        require(len(table) == len(projection) == 2)
        fields |= {"embed_rows": table[0], "embed_dim": table[1], "z_dim": first[1] - projection[0]}
    return fields


def _infer_schedule(shapes: Shapes, mapping: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a network without a head, whose schedule its names and shapes give. RefusedError."""
    plain = {key: shape for key, shape in shapes.items() if key.startswith("synthesis.")}
    plain["mapping.fc0.weight"] = (mapping["w_dim"], mapping["z_dim"])
    inferred = generator_config("stylegan3.Generator", infer_arguments("stylegan3.Generator", plain)).to_json()
    fields = {key: value for key, value in inferred.items() if key not in ("rung", *mapping)}
    return fields | {"resample_filter": tuple(inferred["resample_filter"])}


def _read_synthesis(module: PickledObject, shapes: Shapes) -> dict[str, Any]:
    """Return the synthesis network's fields of our configuration, the list of its layers among them."""
    synthesis = _child(module, "synthesis")
    names = synthesis.state.get("layer_names")
    if not isinstance(names, list) or not 0 < len(names) <= MAX_LAYERS or any(type(name) is not str for name in names):
        raise RefusedError(
            "does not list its layers (layer_names), whose order is then not known: get a fresh copy of it"
        )
    modules = [_child(synthesis, name) for name in names]
    layers = tuple(
        _read_layer(name, layer, shapes, last=name == names[-1]) for name, layer in zip(names, modules, strict=True)
    )
    first, grid = _Attributes(names[0], modules[0]), _Attributes("the input", _child(synthesis, "input"))
    return {
        "resolution": layers[-1].out_size,
        "img_channels": layers[-1].out_channels,
        "schedule": "listed",
        "layers": layers,
        "num_layers": len(layers) - 1,
        "num_critical": sum(layer.is_critical for layer in layers[:-1]),
        "margin_size": max((layers[0].in_size - layers[0].in_rate) // 2, 0),
        "first_cutoff": grid.number("bandwidth"),
        "output_scale": _Attributes("synthesis", synthesis).number("output_scale", 0.25),
        "conv_kernel": layers[0].conv_kernel,
        "radial_filters": any(layer.radial_down for layer in layers),
        "filter_size": first.whole("filter_size", 6),
        "lrelu_upsampling": first.whole("lrelu_upsampling", 2),
        "magnitude_ema_beta": first.number("magnitude_ema_beta", 0.999),
    }


def _read_layer(name: str, module: PickledObject, shapes: Shapes, last: bool) -> ListedLayer:
    """Return a layer as its module describes it; channels, kernel and taps are those of its tensors."""
    said = _Attributes(name, module)
    weight = shapes.get(f"synthesis.{name}.weight", ())
    require(len(weight) == 4 and weight[2] == weight[3])
    up_filter, down_filter = (shapes.get(f"synthesis.{name}.{way}_filter", (1,)) for way in ("up", "down"))
    require(len(up_filter) == 1 and (len(down_filter) == 1 or down_filter == (down_filter[0],) * 2))
    require(said.flag("is_torgb", last) == last, f"draws a picture in its layer {name}, before the last: it is damaged")
    if weight[2] not in (1, 3):
        raise RefusedError(f"convolves with {weight[2]}x{weight[2]} kernels ({name}), as no layer here does")
    sizes = (said.size("in_size"), said.size("out_size"))
    resampling = (said.whole("up_factor"), said.whole("down_factor"), up_filter[0], down_filter[0])
    return ListedLayer(
        name=name,
        in_channels=weight[1],
        out_channels=weight[0],
        in_size=sizes[0],
        out_size=sizes[1],
        in_rate=said.whole("in_sampling_rate"),
        out_rate=said.whole("out_sampling_rate"),
        in_cutoff=said.number("in_cutoff"),
        out_cutoff=said.number("out_cutoff"),
        in_half_width=said.number("in_half_width"),
        out_half_width=said.number("out_half_width"),
        conv_kernel=weight[2],
        up=resampling[0],
        down=resampling[1],
        up_taps=up_filter[0],
        down_taps=down_filter[0],
        padding_before=said.padding(compute_padding(*sizes, weight[2], weight[2] - 1, *resampling)),
        radial_down=len(down_filter) == 2,
        is_critical=said.flag("is_critically_sampled", False),
        conv_clamp=None if module.state.get("conv_clamp", 0) is None else said.number("conv_clamp", CONV_CLAMP),
    )


def _child(module: PickledObject, name: str) -> PickledObject:
    children = module.state.get("_modules")
    found = children.get(name) if isinstance(children, dict) else None
    if not isinstance(found, PickledObject):
        raise RefusedError(f"has no module {name!r:.40} where its layers are listed: it is damaged, get a fresh copy")
    return found


class _Attributes:
    """The plain attributes of a module called `owner`, whose numbers may be numpy's. RefusedError for others."""

    def __init__(self, owner: str, module: PickledObject) -> None:
        self._owner, self._state = owner, module.state

    def _refuse(self, key: str) -> RefusedError:
        return RefusedError(
            f"does not say the {key} of {self._owner}, which no formula gives: save the whole network, not only weights"
        )

    def _values(self, key: str) -> list[Any]:
        """Return the numbers of an attribute, one or several."""
        value: Any = self._state.get(key)
        if isinstance(value, NumpyArray):
            value = value.values
        values = value if isinstance(value, list) else list(value) if isinstance(value, tuple) else [value]
        if not values or any(type(item) not in (int, float) or not math.isfinite(item) for item in values):
            raise self._refuse(key)
        return values

    def number(self, key: str, default: float | None = None) -> float:
        """Return a number."""
        if default is not None and self._state.get(key) is None:
            return default
        values = self._values(key)
        if len(values) != 1:
            raise self._refuse(key)
        return float(values[0])

    def whole(self, key: str, default: int | None = None) -> int:
        """Return a whole number."""
        value = self.number(key, default)
        if value != round(value):
            raise self._refuse(key)
        return int(value)

    def size(self, key: str) -> int:
        """Return a width, which must be the height, too."""
        values = self._values(key)
        if len(values) > 2 or any(value != round(value) for value in values):
            raise self._refuse(key)
        if values[0] != values[-1]:
            raise RefusedError("draws pictures that are not square: only square ones can be opened here")
        return int(values[0])

    def flag(self, key: str, default: bool) -> bool:
        """Return a truth value."""
        value = self._state.get(key, default)
        if type(value) not in (bool, int):
            raise self._refuse(key)
        return bool(value)

    def padding(self, computed: tuple[int, int]) -> int:
        """Return the padding before both axes. It and the one after must sum to what gives the layer's size."""
        if self._state.get("padding") is None:
            return computed[0]
        values = self._values("padding")
        if len(values) != 4 or values[:2] != values[2:] or any(type(value) is not int for value in values):
            raise self._refuse("padding")
        require(values[0] + values[1] == sum(computed), DAMAGED)
        return values[0]
