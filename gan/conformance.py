# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Compare this implementation with reference vectors: `python -m gan.conformance FOLDER`.

Each .safetensors file is one case (its metadata key "config" says which). A row is printed for each; the exit status is
non-zero when one fails, is unknown, or there are none. A case may name a checkpoint of another project, beside it: then
what we draw from that file is compared. Files named refused_* must be refused, and their sentence is printed.
"""

import json
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

import cuda_ops
from gan.analysis import image_warp
from gan.augment.config import AugmentConfig
from gan.augment.pipeline import augment
from gan.checkpoints.checkpoint import CheckpointError, load_discriminator, load_generator
from gan.checkpoints.official_arguments import discriminator_config, generator_config
from gan.cli.path_types import UserPath
from gan.metrics.frechet import FeatureStats, frechet_distance
from gan.metrics.inception_score import inception_score
from gan.metrics.kernel_distance import kernel_distance, kernel_distance_of_subsets
from gan.metrics.path_length import mean_path_length, slerp, squared_distances
from gan.metrics.precision_recall import precision_and_recall
from gan.networks.discriminator import Discriminator
from gan.networks.generator import Generator
from gan.networks.synthesis import SynthesisOptions


class NotCoveredError(Exception):
    """A case of a known kind that cannot be compared yet; the message may say why."""


Tensors = dict[str, Tensor]
Errors = Iterator[tuple[str, float]]
NETWORK_TOLERANCE = 1e-4  # of the largest reference value (docs/references.md, [V])
OPERATOR_TOLERANCE = 1e-5
METRIC_TOLERANCE, FLOAT32_METRIC_TOLERANCE = 1e-6, 1e-4  # the latter of KID and the inception score
RESAMPLING = ("integer_translation", "fractional_translation", "fractional_rotation", "fractional_pseudo_rotation")
REFUSED, CHECKPOINTS = "refused_", (".pkl", ".pt", ".pth")  # foreign checkpoints, by their files' names
# Filters are stored in the vectors too, though they follow from the configuration.
COMPUTED = ("resample_filter", "up_filter", "down_filter")


def relative_error(found: Tensor, expected: Tensor) -> float:
    """Return max |found - expected| / max |expected|; infinite if shapes differ or a value is not finite."""
    if found.shape != expected.shape:
        return float("inf")
    if expected.numel() == 0:
        return 0.0
    found, expected = found.detach().double(), expected.detach().double()
    error = (found - expected).abs().max() / expected.abs().max().clamp(min=1e-30)
    return float(error) if torch.isfinite(error) else float("inf")


def _under(tensors: Tensors, prefix: str) -> Tensors:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _load_state(network: nn.Module, state: Tensors) -> Errors:
    """Load parameters by name; compare the filters, but keep our own."""
    own = network.state_dict()
    if set(own) != set(state):
        differing = sorted(set(own) ^ set(state))
        raise ValueError(f"parameter names differ: {', '.join(differing[:4])}")
    for name, tensor in state.items():
        if name.endswith(COMPUTED):
            yield name, relative_error(own[name], tensor)
    network.load_state_dict({name: own[name] if name.endswith(COMPUTED) else state[name] for name in own})


def generator_errors(config: dict[str, Any], tensors: Tensors) -> Errors:
    """Compare every output of a generator's case: w, truncation, images, transforms, features, gradients."""
    generator = Generator(generator_config(config.pop("kind"), config))
    yield from _load_state(generator, _under(tensors, "state/"))
    yield from generator_output_errors(generator, tensors)


def generator_output_errors(generator: Generator, tensors: Tensors) -> Errors:
    """Compare the outputs of a generator that has the case's parameters."""
    z, c = tensors["in/z"], tensors.get("in/c")
    outputs = _under(tensors, "out/")
    features = {f"synthesis.{name}": x for name, x in generator.synthesis.steps(generator.mapping(z, c))}
    gradients = _under(outputs, "grad/")
    image = generator(z, c)
    parameters = dict(generator.named_parameters())
    computed = torch.autograd.grad(image.square().mean(), [parameters[name] for name in gradients])
    by_name = dict(zip(gradients, computed, strict=True))
    with torch.no_grad():
        for name, expected in outputs.items():
            if name.startswith("grad/"):
                found = by_name[name.removeprefix("grad/")]
            elif name.startswith("feature/"):
                found = features[name.removeprefix("feature/")]
            elif name.startswith("img_transform"):
                matrix = tensors["in/matrix" + name.removeprefix("img_transform")]
                found = generator(z, c, transform=matrix)
            elif name == "img_nonoise":
                found = generator(z, c, noise="none")
            elif name == "img":
                found = image
            elif name.startswith("w_psi"):
                psi, _, cutoff = name.removeprefix("w_psi").partition("_cutoff")
                found = generator.mapping(z, c, psi=float(psi), cutoff=int(cutoff) if cutoff else None)
            elif name == "w":
                found = generator.mapping(z, c)
            else:
                raise ValueError(f"unknown output {name}")
            yield name, relative_error(found, expected)


def discriminator_errors(config: dict[str, Any], tensors: Tensors) -> Errors:
    """Compare logits, the R1 gradient of the images, and the R1 penalty's gradient of the parameters."""
    config.pop("kind")
    discriminator = Discriminator(discriminator_config(config))
    yield from _load_state(discriminator, _under(tensors, "state/"))
    yield from discriminator_output_errors(discriminator, tensors)


def discriminator_output_errors(discriminator: Discriminator, tensors: Tensors) -> Errors:
    """Compare the outputs of a discriminator that has the case's parameters; the penalty takes a double backward."""
    img = tensors["in/img"].requires_grad_()
    logits = discriminator(img, tensors.get("in/c"))
    (r1_grad,) = torch.autograd.grad(logits.sum(), img, create_graph=True)
    expected = _under(tensors, "out/r1_param_grad/")
    parameters = dict(discriminator.named_parameters())
    penalty = r1_grad.square().sum(dim=[1, 2, 3]).mean()
    computed = torch.autograd.grad(penalty, [parameters[name] for name in expected])
    yield "logits", relative_error(logits, tensors["out/logits"])
    yield "r1_grad", relative_error(r1_grad, tensors["out/r1_grad"])
    for (name, reference), found in zip(expected.items(), computed, strict=True):
        yield f"r1_param_grad/{name}", relative_error(found, reference)


def operator_errors(config: list[dict[str, Any]], tensors: Tensors) -> Errors:
    """Compare each call's output and gradients."""
    for i, call in enumerate(config):
        arguments = dict(call)
        name = arguments.pop("op")
        given = _under(tensors, f"{i}/in/")
        dy = given.pop("dy")
        x = given.pop("x").requires_grad_()
        inputs = {"dx": x} | ({"db": given["b"].requires_grad_()} if "b" in given else {})
        if name not in ("filtered_lrelu", "upfirdn2d", "bias_act"):
            raise ValueError(f"unknown operator {name}")
        if name == "upfirdn2d":
            given.setdefault("f", torch.ones(1))
        y = getattr(cuda_ops, name)(x, **given, **arguments)
        yield f"{i} {name} y", relative_error(y, tensors[f"{i}/out/y"])
        gradients = torch.autograd.grad(y, list(inputs.values()), dy)
        for key, gradient in zip(inputs, gradients, strict=True):
            yield f"{i} {name} {key}", relative_error(gradient, tensors[f"{i}/out/{key}"])


def resampling_errors(calls: list[list[Any]], tensors: Tensors) -> Errors:
    """Compare the moved pictures and the masks of the equivariance metrics' operators."""
    for i, (name, arguments) in enumerate(calls):
        if name not in RESAMPLING:
            raise ValueError(f"unknown operator {name}")
        moved, mask = getattr(image_warp, name)(tensors["in/img"], *arguments)
        yield f"{i} {name}", relative_error(moved, tensors[f"out/{i}/img"])
        yield f"{i} {name} mask", relative_error(mask.expand_as(moved), tensors[f"out/{i}/mask"])


def augmentation_errors(calls: list[dict[str, Any]], tensors: Tensors) -> Errors:
    """Compare the pictures that the augmentation pipeline makes with a percentile in place of its random numbers."""
    for i, call in enumerate(calls):
        config = AugmentConfig.from_json(call["kwargs"])
        found = augment(tensors["in/img"], config, 1.0, percentile=call["debug_percentile"])
        yield f"{i} {call['group']} {call['debug_percentile']}", relative_error(found, tensors[f"out/{i}/img"])


def metric_errors(config: dict[str, Any], tensors: Tensors) -> Errors:
    """Compare the metrics of clouds of features. What the published code computes in float32 may differ by more."""
    given = {name: tensor.numpy() for name, tensor in _under(tensors, "in/").items()}
    fake, real = given["fake"], given["real"]
    stats = {name: FeatureStats(features.shape[1]) for name, features in (("fake", fake), ("real", real))}
    for name, one in stats.items():
        one.add(given[name])
    subsets = kernel_distance_of_subsets(fake, real, given["kid_subsets_fake"], given["kid_subsets_real"])
    precision, recall = precision_and_recall(tensors["in/fake"], tensors["in/real"], config["k"])
    distances = squared_distances(given["ppl_features_0"], given["ppl_features_1"], config["ppl_epsilon"])
    found: dict[str, Any] = {
        "fid": frechet_distance(stats["fake"], stats["real"]),
        "kid_full": kernel_distance(fake, real),
        "kid_subsets": subsets.mean(),
        "kid_first_500_of_each": kernel_distance(fake[:500], real[:500]),
        "precision": precision,
        "recall": recall,
        "ppl_distances": distances,
        "ppl": mean_path_length(distances),
        "slerp": slerp(given["slerp_a"], given["slerp_b"], given["slerp_t"]),
    }
    for splits in config["is_splits"]:
        found[f"is_{splits}_splits"] = inception_score(given["probs"], splits)
    for name, expected in _under(tensors, "out/").items():
        if name not in found:
            raise ValueError(f"unknown output {name}")
        error = relative_error(torch.as_tensor(np.asarray(found[name])), expected)
        in_float32 = name.startswith(("is_", "kid_")) and name != "kid_full"
        yield name, error * METRIC_TOLERANCE / FLOAT32_METRIC_TOLERANCE if in_float32 else error


@torch.no_grad()
def foreign_errors(folder: Path, config: dict[str, Any], tensors: Tensors) -> Errors:
    """Compare w, pictures and logits of another project's checkpoint in `folder` with those of its own code.

    CheckpointError where it is refused; NotCoveredError if that is because its pictures are not square.
    """
    path = folder / Path(str(config["file"])).name
    try:
        generator, _ = load_generator(path)
    except CheckpointError as error:
        if len(set(config.get("height_width", ()))) > 1:
            raise NotCoveredError(str(error)) from error
        raise
    z, c = tensors["in/z"], tensors.get("in/c")
    for name, expected in _under(tensors, "out/").items():
        kind, _, psi = name.partition("_psi")
        if kind == "logits":
            img = tensors["in/img"]
            labels = None if c is None else c[torch.arange(len(img)) % len(c)]
            found = load_discriminator(path)(img, labels)
        elif kind in ("w", "img"):
            found = generator.mapping(z, c, psi=float(psi or 1))
            found = found if kind == "w" else generator.synthesis(found, SynthesisOptions())
        else:
            raise ValueError(f"unknown output {name}")
        yield name, relative_error(found, expected)


def find_case(path: Path, config: Any) -> tuple[Callable[[Any, Tensors], Errors], float]:
    """Return the comparison for a case and its tolerance. ValueError for a kind that is unknown."""
    if isinstance(config, dict):
        if "file" in config:
            return partial(foreign_errors, path.parent), NETWORK_TOLERANCE
        if config.get("kind") == "metrics":
            return metric_errors, METRIC_TOLERANCE
        if str(config.get("kind", "")).endswith(".Generator"):
            return generator_errors, NETWORK_TOLERANCE
        if str(config.get("kind", "")).endswith(".Discriminator"):
            return discriminator_errors, NETWORK_TOLERANCE
    elif isinstance(config, list) and config and all(isinstance(call, dict) and "op" in call for call in config):
        return operator_errors, OPERATOR_TOLERANCE
    elif isinstance(config, list) and config and all("debug_percentile" in call for call in config):
        return augmentation_errors, NETWORK_TOLERANCE
    elif isinstance(config, list) and config and all(isinstance(call, list) and len(call) == 2 for call in config):
        return resampling_errors, OPERATOR_TOLERANCE
    raise ValueError("unknown kind of case")


def run_case(path: Path) -> tuple[str, str]:
    """Run the case of a file; return (verdict, details), the verdict "pass", "FAIL" or "not covered yet"."""
    if path.name.startswith(REFUSED):
        return check_refused(path)
    try:
        with safe_open(path, framework="pt") as file:
            config = json.loads((file.metadata() or {})["config"])
            compare, tolerance = find_case(path, config)
            tensors = {name: file.get_tensor(name) for name in file.keys()}
        errors = list(compare(config, tensors))
    except NotCoveredError as error:
        return "not covered yet", str(error)
    except CheckpointError as error:
        return "FAIL", str(error)
    except (ValueError, KeyError, TypeError, RuntimeError, OSError, SafetensorError) as error:
        return "FAIL", f"{type(error).__name__}: {error}"
    if not errors:
        return "FAIL", "the case compares nothing"
    name, worst = max(errors, key=lambda item: item[1])
    details = f"{worst:.1e} ({name}, {len(errors)} comparisons, limit {tolerance:.0e})"
    return "pass" if worst <= tolerance else "FAIL", details


def check_refused(path: Path) -> tuple[str, str]:
    """Check that a checkpoint is refused; return the verdict and its sentence."""
    try:
        load_generator(path)
    except CheckpointError as error:
        return "pass", f"refused: {error}"
    return "FAIL", "it must be refused, and was opened"


def find_paths(folder: Path) -> list[Path]:
    """Return the cases of a folder: reference vectors, and checkpoints that have none, which must be refused."""
    found = sorted(folder.glob("*.safetensors"))
    return found + sorted(path for path in folder.glob(f"{REFUSED}*") if path.suffix in CHECKPOINTS)


@click.command()
@click.argument("folder", type=UserPath())
def main(folder: Path) -> None:
    """Run every case in FOLDER, a folder of reference vectors, and print a row for each.

    Example: python -m gan.conformance tests/data/conformance
    """
    paths = find_paths(folder)
    if not paths:
        raise click.ClickException(f"There are no cases (.safetensors files) in {folder}: name a folder that has some.")
    verdicts = []
    for path in paths:
        verdict, details = run_case(path)
        verdicts.append(verdict)
        click.echo(f"{path.stem:40} {verdict:16} {details}")
    failed = verdicts.count("FAIL")
    click.echo(f"{verdicts.count('pass')} passed, {failed} failed, {verdicts.count('not covered yet')} not covered yet")
    sys.exit(1 if failed or "pass" not in verdicts else 0)


if __name__ == "__main__":
    main()
