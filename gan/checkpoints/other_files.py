# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Say what a file is that holds no generator of ours: latents, directions, encoders, other networks, statistics.

Each sentence is a predicate whose subject is the file's name (RefusedError), and ends with a way on.
"""

import re
from collections.abc import Iterable
from typing import Any

from gan.checkpoints.pickle_stubs import NumpyArray, PickledObject, Placeholder, StoredTensor

MAX_SEEN = 2000  # names that are looked at
OPEN_MODEL = "open the checkpoint of a StyleGAN2 or StyleGAN3 generator"
LATENTS = f"holds latents (points of z or w), not a model: {OPEN_MODEL}, the one that they were made with"
DIRECTIONS = (
    f"holds directions in w (SeFa's, or a boundary), not a model: {OPEN_MODEL}, the one that they were found in"
)
STATISTICS = f"holds statistics of features, as metrics keep them, not a model: {OPEN_MODEL}"
ARRAY = (
    "is a numpy array ({}), as latents, centroids of w and directions (boundaries) are kept, not a model: "
    f"{OPEN_MODEL}, the one that it belongs to"
)
OTHER = "{} and cannot be opened here: " + OPEN_MODEL
ENCODER = (
    "holds an encoder alone, which finds latents of photographs and draws nothing: "
    "open a file that has its generator, too (decoder), or the generator itself"
)
OPTIMIZER = f"holds an optimiser's state, not a network: {OPEN_MODEL}"

LATENT_NAMES = {
    "w",
    "w_plus",
    "wp",
    "ws",
    "z",
    "latent",
    "latents",
    "dlatent",
    "dlatents",
    "projected_w",
    "img",
    "noise",
}
LATENT_NAMES |= {"latent_avg", "w_avg", "dlatent_avg", "mean_latent"}
DIRECTION_NAMES = {"eigvec", "eigvecs", "eigenvectors", "boundary", "boundaries", "direction", "directions"}
STATISTIC_NAMES = {"mu", "mean", "sigma", "cov", "raw_mean", "raw_cov", "num_items", "num_features", "all_features"}
MARKS = {"mu", "sigma", "cov", "raw_mean", "raw_cov", "all_features"}  # of which statistics have one
# What the names of parameters tell: the first pattern that is found in one of them.
BY_NAME = (
    (r"(^|\.)(model\.diffusion_model|first_stage_model|cond_stage_model)\.", "holds a diffusion model"),
    (r"(^|\.)(down_blocks\.\d+\.|time_embed(ding)?\.|unet\.|lora_(unet|te|up|down))", "holds a diffusion model"),
    (
        r"(^|\.)(backbone\.(mapping|synthesis)\.|superresolution\.|triplane|renderer\.)",
        "holds an EG3D (three-dimensional)",
    ),
    (r"(^|\.)mapping\.(clip|text_encoder)\.", "holds a StyleGAN-T, which draws from texts"),
    (
        r"(^|\.)(visual\.transformer\.|token_embedding\.|positional_embedding|logit_scale)",
        "holds CLIP, which judges pictures",
    ),
    (r"(^|\.)Mixed_[5-7][a-e]\.|(^|\.)Conv2d_[1-4][ab]_\dx\d\.", "holds an Inception network, which judges pictures"),
    (r"(^|\.)lins?\.?\d\.model\.|(^|\.)net\.slice\d\.", "holds LPIPS, which compares pictures"),
    (r"^(module\.)?features\.\d+\.(weight|bias)$", "holds a VGG network, which judges pictures"),
    (r"(^|\.)(g_synthesis\.blocks|style_mod|progression\.\d)", "holds a StyleGAN1"),
    (r"^(GAN\.)?(SE|GE|S|G|D)\.(net|to_logit|initial_conv|initial_block|blocks)\.", "holds a StyleGAN2 of lucidrains'"),
)
BY_CLASS = (
    (r"TriPlane|EG3D|OSGDecoder", "holds an EG3D (three-dimensional)"),
    (r"(?i)fastgan", "holds a FastGAN"),
    (r"UNet|Diffusion|DDPM|EDMPrecond|AutoencoderKL", "holds a diffusion model"),
    (r"Inception|VGG|LPIPS|CLIP|ResNet", "holds a network that judges pictures"),
)
ENCODER_MARK = re.compile(r"^(module\.)?(encoder|mapper|psp_encoder|e4e)\.")
FACE_MARK = re.compile(
    r"^(module\.)?(input_layer\.0\.weight|output_layer\.\d\.weight|body\.\d+\.(res_layer|shortcut_layer)\.)"
)


def describe_names(found: Iterable[str]) -> str:
    """Return what parameters of these names are, "" where that is not known."""
    names = [name for name, _ in zip(found, range(MAX_SEEN), strict=False)]
    lower = {name.lower() for name in names}
    if names and lower <= LATENT_NAMES:
        return LATENTS
    if lower & DIRECTION_NAMES and len(names) <= 8:
        return DIRECTIONS
    if lower & MARKS and lower <= STATISTIC_NAMES:
        return STATISTICS
    for pattern, what in BY_NAME:
        if any(re.search(pattern, name) for name in names):
            return OTHER.format(what)
    if any(ENCODER_MARK.match(name) or FACE_MARK.match(name) for name in names):
        return ENCODER
    return ""


def describe_class(*class_names: str) -> str:
    """Return what a network of these classes, its own and its parts', is, "" where that is not known."""
    known = (what for name in class_names for pattern, what in BY_CLASS if re.search(pattern, name))
    return next((OTHER.format(what) for what in known), "")


def describe_data(data: Any) -> str:
    """Return what a file of this data is, "" where that is not known."""
    if isinstance(data, StoredTensor):
        return LATENTS if len(data.shape) in (1, 2, 3) else ""
    if isinstance(data, NumpyArray):
        shape = data.tensor.shape if data.tensor is not None else ()
        return ARRAY.format(list(shape))
    if isinstance(data, list | tuple):
        return LATENTS if data and all(isinstance(item, StoredTensor | NumpyArray) for item in data) else ""
    if not isinstance(data, dict):
        return ""
    if "GAN" in data and "version" in data:
        return OTHER.format("holds a StyleGAN2 of lucidrains'")
    if STATISTIC_NAMES & set(data) and MARKS & set(data):
        return STATISTICS
    for key, value in data.items():
        if isinstance(value, dict):
            said = describe_names(name for name in value if isinstance(name, str))
        elif isinstance(value, Placeholder | PickledObject):
            said = describe_class(value.title if isinstance(value, Placeholder) else value.class_name)
        else:
            said = ""
        if said:
            return said
        if key in ("param_groups", "optimizer", "g_optim", "d_optim") and not any(
            isinstance(item, StoredTensor) for item in data.values()
        ):
            return OPTIMIZER
    plain = [
        key for key, value in data.items() if isinstance(key, str) and isinstance(value, StoredTensor | NumpyArray)
    ]
    return describe_names(plain)
