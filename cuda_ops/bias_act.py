# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""bias_act: bias, activation, gain and clamp. The reference below *is* the operator's definition.

The result of a leaky ReLU determines the derivative, so its gradient is a small linear operator of its own,
`jinc::bias_act_gradient`, which is also its own gradient. Other activations differentiate the reference.
"""

import math
from collections.abc import Callable
from types import ModuleType

import torch
import torch.nn.functional as F
from torch import Tensor

from cuda_ops.registration import define_operator, differentiate
from cuda_ops.shapes import memory_format

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
    """Define the operator in differentiable torch functions; arguments as in `bias_act`."""
    shape = [1] * x.ndim
    shape[dim] = -1
    y = _BY_NAME[act][0](x + b.to(x.dtype).reshape(shape), alpha) * gain
    y = y if clamp is None else y.clamp(-clamp, clamp)
    return y.contiguous(memory_format=memory_format(x))


def _bias_act_by(
    kernels: ModuleType, x: Tensor, b: Tensor, dim: int, act: str, alpha: float, gain: float, clamp: float | None
) -> Tensor | None:
    """Compute the operator by kernels; None where they do not support the call."""
    if act not in ("linear", "lrelu"):
        return None
    if x.is_contiguous():
        inner = math.prod(x.shape[dim + 1 :])
    elif dim == 1 and x.ndim == 4 and x.is_contiguous(memory_format=torch.channels_last):
        inner = 1
    else:
        return None
    return kernels.bias_act(x, b, inner, alpha if act == "lrelu" else 1.0, gain, clamp)


def _fake(x: Tensor, *_: object) -> Tensor:
    return torch.empty_like(x, memory_format=memory_format(x))


_bias_act = define_operator(bias_act_reference, _bias_act_by, _fake)


def bias_act_gradient_reference(dy: Tensor, y: Tensor, alpha: float, gain: float, clamp: float | None) -> Tensor:
    """Return dy times the derivative of a leaky ReLU of this slope, gain and clamp whose result was y."""
    dx = dy * torch.where(y > 0, gain, alpha * gain).to(dy.dtype)
    dx = dx if clamp is None else dx.masked_fill(y.abs() >= clamp, 0)
    return dx.contiguous(memory_format=memory_format(y))


def _bias_act_gradient_by(
    kernels: ModuleType, dy: Tensor, y: Tensor, alpha: float, gain: float, clamp: float | None
) -> Tensor | None:
    layout = memory_format(y)
    dy, y = dy.contiguous(memory_format=layout), y.contiguous(memory_format=layout)
    return kernels.bias_act_gradient(dy, y, alpha, gain, clamp) if dy.dtype == y.dtype else None


def _fake_gradient(dy: Tensor, y: Tensor, *_: object) -> Tensor:
    return torch.empty_like(y, memory_format=memory_format(y))


_bias_act_gradient = define_operator(bias_act_gradient_reference, _bias_act_gradient_by, _fake_gradient)


def _setup_context_gradient(ctx, inputs, output) -> None:  # type: ignore[no-untyped-def]
    _, y, *ctx.options = inputs
    ctx.save_for_backward(y)


def _backward_gradient(ctx, ddx: Tensor):  # type: ignore[no-untyped-def]
    # Linear in dy, and flat in y: a piecewise linear function has no second derivative.
    return _bias_act_gradient(ddx, ctx.saved_tensors[0], *ctx.options), None, None, None, None


differentiate(_bias_act_gradient, _backward_gradient, _setup_context_gradient)


def _is_leaky(act: str, alpha: float, gain: float) -> bool:
    """Return whether the result alone determines the derivative."""
    return gain > 0 and (act == "linear" or (act == "lrelu" and alpha >= 0))


def _setup_context(ctx, inputs, output) -> None:  # type: ignore[no-untyped-def]
    x, b, ctx.dim, ctx.act, ctx.alpha, ctx.gain, ctx.clamp = inputs
    ctx.bias_dtype = b.dtype
    ctx.save_for_backward(*((output,) if _is_leaky(ctx.act, ctx.alpha, ctx.gain) else (x, b)))


def _backward(ctx, dy: Tensor):  # type: ignore[no-untyped-def]
    if _is_leaky(ctx.act, ctx.alpha, ctx.gain):
        slope = 1.0 if ctx.act == "linear" else ctx.alpha
        dx = _bias_act_gradient(dy, ctx.saved_tensors[0], slope, ctx.gain, ctx.clamp)
    else:
        dx = _differentiate_reference(ctx, dy)
    others = [axis for axis in range(dx.ndim) if axis != ctx.dim]
    db = dx.sum(others, dtype=ctx.bias_dtype) if ctx.needs_input_grad[1] else None
    return dx, db, None, None, None, None, None


def _differentiate_reference(ctx, dy: Tensor) -> Tensor:  # type: ignore[no-untyped-def]
    """Differentiate the reference, so that the gradient is differentiable too when a graph is being made."""
    x, b = ctx.saved_tensors
    create_graph = torch.is_grad_enabled()
    shape = [1] * x.ndim
    shape[ctx.dim] = -1
    with torch.enable_grad():
        shifted = x + b.to(x.dtype).reshape(shape)
        if not create_graph or not shifted.requires_grad:
            shifted = shifted.detach().requires_grad_()
        y = bias_act_reference(shifted, b.new_zeros(b.shape), ctx.dim, ctx.act, ctx.alpha, ctx.gain, ctx.clamp)
        return torch.autograd.grad(y, shifted, dy, create_graph=create_graph)[0]


differentiate(_bias_act, _backward, _setup_context)


def bias_act(
    x: Tensor,
    b: Tensor | None = None,
    dim: int = 1,
    act: str = "linear",
    alpha: float | None = None,
    gain: float | None = None,
    clamp: float | None = None,
) -> Tensor:
    """Compute clamp(gain act(x + b), -clamp, clamp).

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
