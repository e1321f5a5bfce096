// Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
// Bias, leaky ReLU (slope 1: none), gain and clamp in one pass over memory, and their gradient from the result.
//
// THREADS, BLOCKS: of a block, of a multiprocessor. VECTOR: values a thread takes at once, 16 bytes or 1.
#include "device.cuh"

struct alignas(VECTOR * sizeof(Number)) Values { Number v[VECTOR]; };

// x, y: count values, dense in the same order; value i belongs to channel i / inner % c. Clamp infinite: none.
KERNEL bias_act(const Number* RESTRICT x, const Number* RESTRICT bias, Number* RESTRICT y, Long count, int c, Long inner,
                float slope, float gain, float clamp) {
    const Long step = Long(gridDim.x) * blockDim.x;
    for (Long i = Long(blockIdx.x) * blockDim.x + threadIdx.x; i < count / VECTOR; i += step) {
        Values v = wide<const Values>(x)[i];
#pragma unroll
        for (int k = 0; k < VECTOR; k++) {
            // Rounded as the definition's own sum is, whose sign decides the slope.
            const float shifted = load(stored(load(v.v[k]) + load(bias[(i * VECTOR + k) / inner % c])));
            v.v[k] = stored(limited(leaky(shifted, slope) * gain, clamp));
        }
        wide<Values>(y)[i] = v;
    }
}

// dy times the derivative where the result was y. `clamp` is NaN where there is none: nothing is beyond that.
KERNEL bias_act_gradient(const Number* RESTRICT dy, const Number* RESTRICT y, Number* RESTRICT dx, Long count, float slope,
                         float gain, float clamp) {
    const Long step = Long(gridDim.x) * blockDim.x;
    const float below = slope * gain, limit = load(stored(clamp));  // as the values that were clamped
    for (Long i = Long(blockIdx.x) * blockDim.x + threadIdx.x; i < count / VECTOR; i += step) {
        Values v = wide<const Values>(dy)[i];
        const Values result = wide<const Values>(y)[i];
#pragma unroll
        for (int k = 0; k < VECTOR; k++) {
            const float r = load(result.v[k]);
            v.v[k] = stored((r < 0 ? -r : r) >= limit ? 0.0f : load(v.v[k]) * (r > 0 ? gain : below));
        }
        wide<Values>(dx)[i] = v;
    }
}
