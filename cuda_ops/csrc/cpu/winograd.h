// Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
// The two transforms of a 3x3 convolution by Winograd's F(4x4, 3x3): 6x6 inputs make 4x4 outputs, from 36 products a channel
// pair where the plain sum takes 144. The products are cuda_ops/winograd.py's, as 36 matrix products.
//
// The interpolation points are 0, +-P, +-Q and infinity. The 1 and 2 that textbooks have round four times as coarsely.
#pragma once

#include <algorithm>

#include "jinc_cpu.h"
#include "lanes.h"

namespace JINC_VARIANT {

constexpr float P = 0.625f, Q = 1.5f;  // and their squares: exact in float32
constexpr int64_t WIDE = 2 * L;        // channels at a time: a cache line, so that none is written in two halves
constexpr int64_t TILES = 8;           // a unit of work

using Lanes = Vec<float>;

INLINE Lanes operator-(const Lanes& a, const Lanes& b) { return a + -1.0f * b; }

// B^T d.
INLINE void transform_input(const Lanes (&d)[6], Lanes (&v)[6]) {
    constexpr float p = P * P, q = Q * Q;
    v[0] = p * q * d[0] - (p + q) * d[2] + d[4];
    v[5] = p * q * d[1] - (p + q) * d[3] + d[5];
    const Lanes even_p = d[4] - q * d[2], odd_p = P * (d[3] - q * d[1]);
    const Lanes even_q = d[4] - p * d[2], odd_q = Q * (d[3] - p * d[1]);
    v[1] = even_p + odd_p, v[2] = even_p - odd_p;
    v[3] = even_q + odd_q, v[4] = even_q - odd_q;
}

// A^T m.
INLINE void transform_output(const Lanes (&m)[6], Lanes (&y)[4]) {
    constexpr float p = P * P, q = Q * Q;
    const Lanes sum_p = m[1] + m[2], sum_q = m[3] + m[4], odd_p = P * (m[1] - m[2]), odd_q = Q * (m[3] - m[4]);
    y[0] = m[0] + sum_p + sum_q;
    y[1] = odd_p + odd_q;
    y[2] = p * sum_p + q * sum_q;
    y[3] = p * odd_p + q * odd_q + m[5];
}

// One tile: six rows and columns of the image from (y, x) on, zero beyond its borders, to 36 rows of channels.
INLINE void input_tile(const JincWinograd& a, int64_t y, int64_t x, float* v) {
    const int64_t step = a.count * a.c;
    // The last block starts early and repeats channels of the one before, in place of a remainder.
    for (int64_t block = 0; block < a.c; block += WIDE) {
        const int64_t c = std::min(block, a.c - WIDE);
        Lanes half[2][6][6];  // [column][row transformed]
        for (int j = 0; j < 6; j++) {
            const float* from = a.image + (y * a.width + x + j) * a.c + c;
            const bool inside = x + j >= 0 && x + j < a.width;
            UNROLL for (int h = 0; h < 2; h++) {
                Lanes d[6];
                UNROLL for (int i = 0; i < 6; i++) {
                    const bool there = inside && y + i >= 0 && y + i < a.height;
                    d[i] = there ? load(from + i * a.width * a.c + h * L) : zero<float>();
                }
                transform_input(d, half[h][j]);
            }
        }
        for (int i = 0; i < 6; i++) {
            Lanes out[2][6];
            UNROLL for (int h = 0; h < 2; h++) {
                Lanes d[6];
                UNROLL for (int j = 0; j < 6; j++) d[j] = half[h][j][i];
                transform_input(d, out[h]);
            }
            UNROLL for (int j = 0; j < 6; j++)
                UNROLL for (int h = 0; h < 2; h++) store(v + (6 * i + j) * step + c + h * L, out[h][j]);
        }
    }
}

// And back: 36 rows of channels to the four rows and columns of the image from (y, x) on, as far as there are any.
INLINE void output_tile(const JincWinograd& a, int64_t y, int64_t x, const float* m) {
    const int64_t step = a.count * a.c;
    const int rows = int(std::min<int64_t>(4, a.height - y)), columns = int(std::min<int64_t>(4, a.width - x));
    for (int64_t block = 0; block < a.c; block += WIDE) {
        const int64_t c = std::min(block, a.c - WIDE);
        Lanes half[2][6][4];
        for (int j = 0; j < 6; j++)
            UNROLL for (int h = 0; h < 2; h++) {
                Lanes d[6];
                UNROLL for (int i = 0; i < 6; i++) d[i] = load(m + (6 * i + j) * step + c + h * L);
                transform_output(d, half[h][j]);
            }
        for (int i = 0; i < rows; i++) {
            Lanes out[2][4];
            UNROLL for (int h = 0; h < 2; h++) {
                Lanes d[6];
                UNROLL for (int j = 0; j < 6; j++) d[j] = half[h][j][i];
                transform_output(d, out[h]);
            }
            float* to = a.image + ((y + i) * a.width + x) * a.c + c;
            for (int j = 0; j < columns; j++)
                UNROLL for (int h = 0; h < 2; h++) store(to + j * a.c + h * L, out[h][j]);
        }
    }
}

static int winograd(const JincWinograd* arguments, const JincTeam* team) {
    team->run(arguments->threads, (arguments->count + TILES - 1) / TILES, [](void* shared, int64_t unit) {
        const JincWinograd& a = *static_cast<const JincWinograd*>(shared);
        for (int64_t i = unit * TILES; i < std::min(a.count, (unit + 1) * TILES); i++) {
            const int64_t y = (a.first + i) / a.columns * 4, x = (a.first + i) % a.columns * 4;
            if (a.back) output_tile(a, y, x, a.tiles + i * a.c);
            else input_tile(a, y - a.padding, x - a.padding, a.tiles + i * a.c);
        }
    }, const_cast<JincWinograd*>(arguments));
    return 0;
}

}  // namespace JINC_VARIANT
