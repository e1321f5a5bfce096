# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The kernels' tests that need no GPU, on the GPU: the same cases, inputs and tolerances, another `host` (conftest)."""

from test_cuda_host import (  # noqa: F401  (each runs as a test of this file)
    test_activations_without_a_kernel_take_the_reference,
    test_bias_act_equals_its_definition,
    test_filtered_lrelu_equals_its_definition,
    test_filtered_lrelu_in_lower_precision,
    test_gradients_and_second_gradients,
    test_strided_images_and_empty_batches,
    test_the_gradient_of_bias_act_hides_nothing,
    test_upfirdn2d_equals_its_definition,
    test_what_is_not_finite_reaches_just_the_outputs_whose_taps_touch_it,
)


def test_the_kernels_run_here_and_not_the_references():
    """What all that follows rests on."""
    import torch

    import cuda_ops
    from cuda_ops.cuda import loader as cuda

    rows = cuda_ops.status("cuda")
    assert [row.implementation for row in rows] == [f"CUDA (sm_{cuda.architecture('cuda')})"] * 3, rows
    assert rows[0].reason.startswith("CUDA kernels run, compiled for sm_")
    assert torch.cuda.get_device_capability()[0] * 10 <= cuda.architecture("cuda")
