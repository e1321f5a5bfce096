// Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
// upfirdn2d for any filter, factors that differ by axis included: each thread sums one output at a time, straight from
// global memory. The models' own filters run in resample.cuh; this one is general, not fast.
//
// UP_X, UP_Y, DOWN_X, DOWN_Y: factors. PLANE: whether the filter is 2-D, or 1-D on both axes.
#include "device.cuh"

// f: in float32, [taps_y, taps_x] or [taps]. Sizes and strides in elements; padding before the first sample.
KERNEL upfirdn2d(const Number* RESTRICT x, const float* RESTRICT f, Number* RESTRICT y, Long count, int c, int in_h, int in_w,
                 int out_h, int out_w, int taps_y, int taps_x, int pad_y, int pad_x, Long x_n, Long x_c, Long x_h, Long x_w,
                 Long y_n, Long y_c, Long y_h, Long y_w, int channels_first, int convolve, float gain) {
    const Long step = Long(gridDim.x) * blockDim.x;
    for (Long i = Long(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
        Long rest = i;  // neighbouring threads write neighbouring values
        int channel = 0;
        if (!channels_first) channel = int(rest % c), rest /= c;
        const int column = int(rest % out_w);
        rest /= out_w;
        const int row = int(rest % out_h);
        rest /= out_h;
        if (channels_first) channel = int(rest % c), rest /= c;
        const Number* image = x + rest * x_n + channel * x_c;
        const int t_y = row * DOWN_Y - pad_y, t_x = column * DOWN_X - pad_x;
        const int h0 = ceil_div(t_y, UP_Y), w0 = ceil_div(t_x, UP_X);
        float sum = 0;
        for (int h = larger(h0, 0); h < in_h && h * UP_Y - t_y < taps_y; h++) {
            const int k = h * UP_Y - t_y, at_y = convolve ? taps_y - 1 - k : k;
            float line = 0;
            for (int w = larger(w0, 0); w < in_w && w * UP_X - t_x < taps_x; w++) {
                const int j = w * UP_X - t_x, at_x = convolve ? taps_x - 1 - j : j;
                line += f[PLANE ? at_y * taps_x + at_x : at_x] * load(image[h * x_h + w * x_w]);
            }
            sum += PLANE ? line : f[at_y] * line;
        }
        y[rest * y_n + channel * y_c + row * y_h + column * y_w] = stored(sum * gain);
    }
}
