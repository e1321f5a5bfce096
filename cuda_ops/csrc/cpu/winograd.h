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

// A y: what the output's transform reads of it, transposed.
INLINE void transform_gradient(const Lanes (&y)[4], Lanes (&m)[6]) {
    constexpr float p = P * P, q = Q * Q;
    const Lanes even_p = y[0] + p * y[2], odd_p = P * (y[1] + p * y[3]);
    const Lanes even_q = y[0] + q * y[2], odd_q = Q * (y[1] + q * y[3]);
    m[0] = y[0], m[5] = y[3];
    m[1] = even_p + odd_p, m[2] = even_p - odd_p;
    m[3] = even_q + odd_q, m[4] = even_q - odd_q;
}

// A tile's READ x READ pixels of H x 8 channels from `pixel` on, zero beyond the image's borders, to 36 rows of channels.
template <int READ, int H, class Transform>
INLINE void read_block(const JincWinograd& a, const float* image, int64_t y, int64_t x, int64_t c, float* v, Transform transform) {
    const int64_t step = a.count * a.c;
    const bool whole = y >= 0 && x >= 0 && y + READ <= a.height && x + READ <= a.width;
    Lanes half[H][6][READ];  // [row transformed][column]
    for (int j = 0; j < READ; j++) {
        const float* from = image + (y * a.width + x + j) * a.c + c;
        const bool inside = x + j >= 0 && x + j < a.width;
        UNROLL for (int h = 0; h < H; h++) {
            Lanes d[READ], t[6];
            if (whole) {
                UNROLL for (int i = 0; i < READ; i++) d[i] = load(from + i * a.width * a.c + h * L);
            } else {
                UNROLL for (int i = 0; i < READ; i++) {
                    const bool there = inside && y + i >= 0 && y + i < a.height;
                    d[i] = there ? load(from + i * a.width * a.c + h * L) : zero<float>();
                }
            }
            transform(d, t);
            UNROLL for (int i = 0; i < 6; i++) half[h][i][j] = t[i];
        }
    }
    for (int i = 0; i < 6; i++) {
        Lanes out[H][6];
        UNROLL for (int h = 0; h < H; h++) transform(half[h][i], out[h]);
        UNROLL for (int j = 0; j < 6; j++)
            UNROLL for (int h = 0; h < H; h++) store(v + (6 * i + j) * step + c + h * L, out[h][j]);
    }
}

// And back: 36 rows of channels to the four rows and columns of the image from (y, x) on, as far as there are any.
template <int H> INLINE void write_block(const JincWinograd& a, float* image, int64_t y, int64_t x, int64_t c, const float* m) {
    const int64_t step = a.count * a.c;
    const int rows = int(std::min<int64_t>(4, a.height - y)), columns = int(std::min<int64_t>(4, a.width - x));
    Lanes half[H][4][6];
    for (int j = 0; j < 6; j++)
        UNROLL for (int h = 0; h < H; h++) {
            Lanes d[6], t[4];
            UNROLL for (int i = 0; i < 6; i++) d[i] = load(m + (6 * i + j) * step + c + h * L);
            transform_output(d, t);
            UNROLL for (int i = 0; i < 4; i++) half[h][i][j] = t[i];
        }
    for (int i = 0; i < rows; i++) {
        Lanes out[H][4];
        UNROLL for (int h = 0; h < H; h++) transform_output(half[h][i], out[h]);
        float* to = image + ((y + i) * a.width + x) * a.c + c;
        for (int j = 0; j < columns; j++)
            UNROLL for (int h = 0; h < H; h++) store(to + j * a.c + h * L, out[h][j]);
    }
}

template <int H> INLINE void winograd_block(const JincWinograd& a, float* image, int64_t y, int64_t x, int64_t c, float* v) {
    if (a.pass == JINC_READ_INPUT)
        read_block<6, H>(a, image, y - a.padding, x - a.padding, c, v, [](const Lanes (&d)[6], Lanes (&t)[6]) __attribute__((always_inline)) { transform_input(d, t); });
    else if (a.pass == JINC_WRITE_OUTPUT)
        write_block<H>(a, image, y, x, c, v);
    else
        read_block<4, H>(a, image, y, x, c, v, [](const Lanes (&d)[4], Lanes (&t)[6]) __attribute__((always_inline)) { transform_gradient(d, t); });
}

static int winograd(const JincWinograd* arguments, const JincTeam* team) {
    team->run(arguments->threads, (arguments->count + TILES - 1) / TILES, [](void* shared, int64_t unit) {
        const JincWinograd& a = *static_cast<const JincWinograd*>(shared);
        for (int64_t i = unit * TILES; i < std::min(a.count, (unit + 1) * TILES); i++) {
            const int64_t number = (a.first + i) % a.in_image, y = number / a.columns * 4, x = number % a.columns * 4;
            float *image = a.images + (a.first + i) / a.in_image * a.height * a.width * a.c, *v = a.tiles + i * a.c;
            // What is left at the end starts early and repeats channels of the block before, in place of a remainder.
            int64_t c = 0;
            for (; c + WIDE <= a.c; c += WIDE) winograd_block<2>(a, image, y, x, c, v);
            if (c + L < a.c) winograd_block<2>(a, image, y, x, a.c - WIDE, v);
            else if (c < a.c) winograd_block<1>(a, image, y, x, a.c - L, v);
        }
    }, const_cast<JincWinograd*>(arguments));
    return 0;
}

}  // namespace JINC_VARIANT
