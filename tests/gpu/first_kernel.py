# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""python -m gpu.first_kernel: how long the first operator call of a process takes, as one JSON object of seconds.

`imports` is torch and this package, `context` the device's own start, `kernel` from asking for the first kernel to its
result, the compiler included where nothing was kept; `operator` the first call of the operator that runs the kernel
again, most of it what torch's dispatcher imports; `next` the call after that.
"""

from time import perf_counter

BEGAN = perf_counter()

import json  # noqa: E402
from functools import partial  # noqa: E402
from itertools import pairwise  # noqa: E402

import click  # noqa: E402
import torch  # noqa: E402

from cuda_ops.cpu import bindings as cpu_kernels  # noqa: E402
from cuda_ops.cuda import bindings as cuda_kernels  # noqa: E402
from cuda_ops.filtered_lrelu import _filtered_lrelu, _filtered_lrelu_by  # noqa: E402

from .device import missing, wait  # noqa: E402

IMPORTED = perf_counter()


@click.command()
@click.option("--device", default="cuda", show_default=True)
def main(device: str) -> None:
    """Time the first kernel of this process, and the first call of the operator."""
    place = torch.device(device)
    if place.type == "cuda" and not torch.cuda.is_available():
        raise click.ClickException(missing() or "There is no GPU.")
    f, b = torch.ones(12, device=place) / 12, torch.zeros(8, device=place)
    arguments = (torch.ones(1, 8, 36, 36, device=place), f, f, b, 2, 2, [9, 8, 9, 8], 1.4, 0.2, 256.0, False, False)
    kernels = cuda_kernels if place.type == "cuda" else cpu_kernels
    wait(place)
    marks = [perf_counter()]
    with torch.inference_mode():
        for call in (partial(_filtered_lrelu_by, kernels), _filtered_lrelu, _filtered_lrelu):
            call(*arguments)
            wait(place)
            marks.append(perf_counter())
    if place.type == "cuda" and missing():
        raise click.ClickException(str(missing()))
    times = [BEGAN, IMPORTED, *marks]
    names = ("imports", "context", "kernel", "operator", "next")
    spent = (end - start for start, end in pairwise(times))
    click.echo(json.dumps(dict(zip(names, spent, strict=True))))


if __name__ == "__main__":
    main()
