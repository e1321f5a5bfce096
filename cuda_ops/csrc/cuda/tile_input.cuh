// Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
// The parameters of a call and of its tiles, wide reads of shared memory, and the step that fills A: see layout.cuh.
#pragma once
#include "layout.cuh"

struct Call {
    const Number* x;
    Number* y;
    const Number* bias;
    Byte* codes;
    int c, in_h, in_w, mid_h, mid_w, out_h, out_w, pad_up_y, pad_up_x, pad_down_y, pad_down_x;
    Long x_n, y_n;
    int x_c, x_h, x_w, y_c, y_h, y_w;  // no image has 2^31 values
    float slope, clamp;
    int wide_x, wide_y;  // whether groups of values may be read and written at once
};

// Where the tile is: first output, first upsampled value, first input; its image and first channel.
struct Tile {
    int y0, x0, t_y, t_x, h, w, channel;
    Long n;
    const Number* x;  // of the first channel
    Number* y;
};

struct Taps {
    const float *up, *down;
    float gain;
};

struct alignas(16) Quad { float v[4]; };

#define EACH(i, count) for (int i = threadIdx.x; i < (count); i += blockDim.x)

struct alignas(8) Pair { float v[2]; };

// Load N floats, an even number of them, from an address that is a multiple of ALIGNED floats.
template <int ALIGNED, int N> DEVICE void read(const float* from, float (&to)[N]) {
    if constexpr (ALIGNED % 4 == 0 && N % 4 == 0) {
#pragma unroll
        for (int i = 0; i < N; i += 4) {
            const Quad q = *wide<const Quad>(from + i);
#pragma unroll
            for (int k = 0; k < 4; k++) to[i + k] = q.v[k];
        }
    } else {
        static_assert(ALIGNED % 2 == 0 && N % 2 == 0, "pairs at least");
#pragma unroll
        for (int i = 0; i < N; i += 2) {
            const Pair q = *wide<const Pair>(from + i);
            to[i] = q.v[0], to[i + 1] = q.v[1];
        }
    }
}

// -- input ----------------------------------------------------------------------------------------------------------------
// The bias is not added to the zeros around the image.
DEVICE float biased(Number v, float bias, bool inside) {
    const float shifted = MODE == FORWARD || MODE == ENCODE ? load(v) + bias : load(v);
    return inside ? shifted : 0.0f;
}

DEVICE float bias_of(const Call& a, int channel) {
    return (MODE == FORWARD || MODE == ENCODE) && channel < a.c ? load(a.bias[channel]) : 0.0f;
}

DEVICE void fill_planar(const Call& a, const Tile& t, float* A) {
    float bias[CHANNELS];
#pragma unroll
    for (int k = 0; k < CHANNELS; k++) bias[k] = bias_of(a, t.channel + k);
    if (ALIGNED && a.wide_x) {
        constexpr int FOURS = (IN_W + SHIFT + 3) / 4;
        EACH(i, IN_H * FOURS) {
            const int four = i % FOURS, row = i / FOURS, h = t.h + row, w = t.w - SHIFT + 4 * four;
            // The width is a multiple of four here: four neighbours are all inside or all outside.
            const bool inside = h >= 0 && h < a.in_h && w >= 0 && w < a.in_w;
            const Number* from = t.x + (inside ? h * a.x_h + w : 0);
            Four v[CHANNELS] = {};
#pragma unroll
            for (int k = 0; k < CHANNELS; k++)
                if (inside && t.channel + k < a.c) v[k] = *wide<const Four>(from + k * a.x_c);
#pragma unroll
            for (int k = 0; k < CHANNELS; k++) {
                Quad q;
#pragma unroll
                for (int j = 0; j < 4; j++) q.v[j] = biased(v[k].v[j], bias[k], inside);
                *wide<Quad>(A + k * A_PLANE + row * A_STRIDE + 4 * four) = q;
            }
        }
        return;
    }
    EACH(i, IN_H * IN_W) {
        const int column = i % IN_W, row = i / IN_W, h = t.h + row, w = t.w + column;
        const bool inside = h >= 0 && h < a.in_h && w >= 0 && w < a.in_w;
        const Number* from = t.x + (inside ? h * a.x_h + w * a.x_w : 0);
#pragma unroll
        for (int k = 0; k < CHANNELS; k++) {
            const Number v = inside && t.channel + k < a.c ? from[k * a.x_c] : Number(0);
            A[k * A_PLANE + row * A_STRIDE + column + SHIFT] = biased(v, bias[k], inside);
        }
    }
}

// Channels-last: the eight channels of a pixel are neighbours.
DEVICE void fill_pixels(const Call& a, const Tile& t, float* A) {
    float bias[PLANES];
#pragma unroll
    for (int k = 0; k < PLANES; k++) bias[k] = bias_of(a, t.channel + k);
    EACH(i, IN_H * IN_W) {
        const int column = i % IN_W, row = i / IN_W, h = t.h + row, w = t.w + column;
        const bool inside = h >= 0 && h < a.in_h && w >= 0 && w < a.in_w;
        Eight v = {};
        const Number* pixel = t.x + (inside ? h * a.x_h + w * a.x_w : 0);
        if (inside && a.wide_x) {
            v = *wide<const Eight>(pixel);
        } else if (inside) {
#pragma unroll
            for (int k = 0; k < PLANES; k++)
                if (t.channel + k < a.c) v.v[k] = pixel[k];
        }
#pragma unroll
        for (int k = 0; k < PLANES; k++)
            A[k * A_PLANE + row * A_STRIDE + column] = biased(v.v[k], bias[k], inside);
    }
}
