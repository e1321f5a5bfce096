# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""bias_act: bias, activation, gain and clamp. The reference below *is* the operator's definition."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from cuda_ops import cpu_kernels

# Name, function of (x, alpha), default alpha, default gain: sqrt(2) keeps the variance of one-sided activations.
ACTIVATIONS: tuple[tuple[str, Callable[[Tensor, float], Tensor], float, float], ...] = (
    ("linear", lambda x, alpha: x, 0.0, 1.0),
    ("relu", lambda x, alpha: F.relu(x), 0.0, 2**0.5),
    ("lrelu", lambda x, alpha: F.leaky_relu(x, alpha), 0.2, 2**0.5),
    ("tanh", lambda x, alpha: torch.tanh(x), 0.0, 1.0),
    ("sigmoid", lambda x, alpha: torch.sigmoid(x), 0.0, 1.0),
    ("elu", lambda x, alpha: F.elu(x), 0.0, 1.0),
    ("selu", lambda x, alpha: F.selu(x), 0.0, 1.0),
    ("softplus", lambda x, alpha: F.softplus(x), 0.0, 1.0),
    ("swish", lambda x, alpha: x * torch.sigmoid(x), 0.0, 2**0.5),
)
_BY_NAME = {name: (function, alpha, gain) for name, function, alpha, gain in ACTIVATIONS}


def bias_act_reference(
    x: Tensor, b: Tensor, dim: int, act: str, alpha: float, gain: float, clamp: float | None
) -> Tensor:
    """The definition, in differentiable torch functions; arguments as in `bias_act`."""
    shape = [1] * x.ndim
    shape[dim] = -1
    y = _BY_NAME[act][0](x + b.to(x.dtype).reshape(shape), alpha) * gain
    return y if clamp is None else y.clamp(-clamp, clamp)


@torch.library.custom_op("jinc::bias_act", mutates_args=())
def _bias_act(x: Tensor, b: Tensor, dim: int, act: str, alpha: float, gain: float, clamp: float | None) -> Tensor:
    return bias_act_reference(x, b, dim, act, alpha, gain, clamp)


@_bias_act.register_kernel("cpu")
def _(x: Tensor, b: Tensor, dim: int, act: str, alpha: float, gain: float, clamp: float | None) -> Tensor:
    slope = {"lrelu": alpha, "linear": 1.0}.get(act)
    y = None if slope is None else cpu_kernels.bias_act(x, b, dim, slope, gain, clamp)
    return bias_act_reference(x, b, dim, act, alpha, gain, clamp) if y is None else y


@_bias_act.register_fake
def _(x: Tensor, b: Tensor, dim: int, act: str, alpha: float, gain: float, clamp: float | None) -> Tensor:
    return torch.empty_like(x)


def _setup_context(ctx, inputs, output) -> None:  # type: ignore[no-untyped-def]
    x, b, *ctx.options = inputs
    ctx.save_for_backward(x, b)


def _backward(ctx, dy: Tensor):  # type: ignore[no-untyped-def]
    """The gradient by differentiating the reference, which keeps it differentiable when a graph is being made."""
    x, b = ctx.saved_tensors
    create_graph = torch.is_grad_enabled()
    dim, *options = ctx.options
    shape = [1] * x.ndim
    shape[dim] = -1
    with torch.enable_grad():
        shifted = x + b.to(x.dtype).reshape(shape)
        if not create_graph or not shifted.requires_grad:
            shifted = shifted.detach().requires_grad_()
        y = bias_act_reference(shifted, b.new_zeros(b.shape), dim, *options)
        dx = torch.autograd.grad(y, shifted, dy, create_graph=create_graph)[0]
    others = [axis for axis in range(x.ndim) if axis != dim]
    db = dx.sum(others, dtype=b.dtype) if ctx.needs_input_grad[1] else None
    return dx, db, None, None, None, None, None


_bias_act.register_autograd(_backward, setup_context=_setup_context)


def bias_act(
    x: Tensor,
    b: Tensor | None = None,
    dim: int = 1,
    act: str = "linear",
    alpha: float | None = None,
    gain: float | None = None,
    clamp: float | None = None,
) -> Tensor:
    """clamp(gain act(x + b), -clamp, clamp).

    Args:
        x: any shape.
        b: [x.shape[dim]] bias, or None.
        dim: the axis that the bias belongs to.
        act: one of linear, relu, lrelu, tanh, sigmoid, elu, selu, softplus, swish.
        alpha: lrelu's slope (default 0.2).
        gain: default sqrt(2) for relu, lrelu and swish, else 1.
        clamp: limit of the absolute value, or None.

    Returns:
        A tensor like x, twice differentiable in x and b.
    """
    if act not in _BY_NAME:
        raise ValueError(f"There is no activation {act!r}: choose one of {', '.join(_BY_NAME)}.")
    dim = dim % x.ndim
    if b is None:
        b = x.new_zeros(x.shape[dim])
    elif b.shape != x.shape[dim : dim + 1]:
        raise ValueError(f"The bias has shape {tuple(b.shape)} for axis {dim} of {tuple(x.shape)}.")
    _, default_alpha, default_gain = _BY_NAME[act]
    alpha = default_alpha if alpha is None else float(alpha)
    return _bias_act(x, b, dim, act, alpha, default_gain if gain is None else float(gain), clamp)
