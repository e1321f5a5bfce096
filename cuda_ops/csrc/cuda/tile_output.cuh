// Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
// The last step, from C to the output: see layout.cuh.
#pragma once
#include "tile_input.cuh"

DEVICE constexpr int fold(int i, int taps) { return i < taps - 1 - i ? i : taps - 1 - i; }

// -- down along x, or in both directions, and output ------------------------------------------------------------------------
// N neighbouring outputs of channel k, at (y, x) of the tile: to global memory, or channels-last to where they wait.
template <int N> DEVICE void put(const Call& a, const Tile& t, float* waiting, int k, int y, int x, const float (&v)[N]) {
    if constexpr (LAST) {
#pragma unroll
        for (int i = 0; i < N; i++) waiting[k * OUT_PLANE + y * TILE_W + x + i] = v[i];
        return;
    }
    if (t.channel + k >= a.c || t.y0 + y >= a.out_h) return;
    Number* to = t.y + (k * a.y_c + (t.y0 + y) * a.y_h + (t.x0 + x) * a.y_w);
    if constexpr (N == 4)
        if (a.wide_y) {
            if (t.x0 + x < a.out_w) *wide<Four>(to) = {stored(v[0]), stored(v[1]), stored(v[2]), stored(v[3])};
            return;
        }
#pragma unroll
    for (int i = 0; i < N; i++)
        if (t.x0 + x + i < a.out_w) to[i * a.y_w] = stored(v[i]);
}

DEVICE void down_rows(const Call& a, const Tile& t, const Taps& f, const float* C, float* waiting) {
    float taps[DOWN_TAPS];
#pragma unroll
    for (int i = 0; i < DOWN_TAPS; i++) taps[i] = f.down[i];
    constexpr int ACROSS_TILE = TILE_W / X;
    EACH(i, CHANNELS * TILE_H * ACROSS_TILE) {
        // Two rows side by side, see C_STRIDE.
        const int pair = i / 2, x = pair % ACROSS_TILE * X, y = 2 * (pair / ACROSS_TILE % (TILE_H / 2)) + i % 2;
        const int k = i / (ACROSS_TILE * TILE_H);
        float in[REACH], out[X] = {};
        read<4>(C + k * C_PLANE + y * C_STRIDE + x * DOWN, in);
#pragma unroll
        for (int j = 0; j < DOWN_TAPS; j++)
#pragma unroll
            for (int o = 0; o < X; o++) out[o] += taps[j] * in[o * DOWN + j + OFFSET_X];
        put(a, t, waiting, k, y, x, out);
    }
}

constexpr int PLANE_X = 2, PLANE_Y = TILE_H % 7 == 0 ? 7 : TILE_H % 8 == 0 ? 8 : 2;  // outputs of a task
constexpr int HALF_DOWN = (DOWN_TAPS + 1) / 2;
constexpr int PLANE_READS = round_up((PLANE_X - 1) * DOWN + DOWN_TAPS + OFFSET_X, 4);

// A 2-D filter that is its own mirror image: what meets the same tap in a row is added first, once for all outputs.
DEVICE void down_plane_mirrored(const Call& a, const Tile& t, const Taps& f, const float* C, float* waiting) {
    float taps[HALF_DOWN * HALF_DOWN];
#pragma unroll
    for (int i = 0; i < HALF_DOWN * HALF_DOWN; i++) taps[i] = f.down[i / HALF_DOWN * DOWN_TAPS + i % HALF_DOWN];
    EACH(i, CHANNELS * (TILE_H / PLANE_Y) * (TILE_W / PLANE_X)) {
        const int x = i % (TILE_W / PLANE_X) * PLANE_X, y0 = i / (TILE_W / PLANE_X) % (TILE_H / PLANE_Y) * PLANE_Y;
        const int k = i / (TILE_W / PLANE_X) / (TILE_H / PLANE_Y);
        const float* from = C + k * C_PLANE + y0 * DOWN * C_STRIDE + x * DOWN;
        float out[PLANE_Y][PLANE_X] = {};
#pragma unroll
        for (int row = 0; row < (PLANE_Y - 1) * DOWN + DOWN_TAPS; row++) {
            float in[PLANE_READS];
            read<4>(from + row * C_STRIDE, in);
#pragma unroll
            for (int o = 0; o < PLANE_X; o++)
#pragma unroll
                for (int j = 0; j < HALF_DOWN; j++) {
                    const int near = o * DOWN + j + OFFSET_X, far = o * DOWN + DOWN_TAPS - 1 - j + OFFSET_X;
                    const float both = near == far ? in[near] : in[near] + in[far];
#pragma unroll
                    for (int y = 0; y < PLANE_Y; y++)
                        if (row - DOWN * y >= 0 && row - DOWN * y < DOWN_TAPS)
                            out[y][o] += taps[fold(row - DOWN * y, DOWN_TAPS) * HALF_DOWN + j] * both;
                }
        }
#pragma unroll
        for (int y = 0; y < PLANE_Y; y++) put(a, t, waiting, k, y0 + y, x, out[y]);
    }
}

// Any other 2-D filter. The models have none.
DEVICE void down_plane(const Call& a, const Tile& t, const Taps& f, const float* C, float* waiting) {
    EACH(i, CHANNELS * TILE_H * TILE_W) {
        const int x = i % TILE_W, y = i / TILE_W % TILE_H, k = i / TILE_W / TILE_H;
        const float* from = C + k * C_PLANE + y * DOWN * C_STRIDE + x * DOWN + OFFSET_X;
        float out[1] = {};
#pragma unroll 1
        for (int row = 0; row < DOWN_TAPS; row++)
#pragma unroll 4
            for (int j = 0; j < DOWN_TAPS; j++) out[0] += f.down[row * DOWN_TAPS + j] * from[row * C_STRIDE + j];
        put(a, t, waiting, k, y, x, out);
    }
}

DEVICE void write_pixels(const Call& a, const Tile& t, const float* waiting) {
    EACH(i, TILE_H * TILE_W) {
        const int x = t.x0 + i % TILE_W, y = t.y0 + i / TILE_W;
        if (x >= a.out_w || y >= a.out_h) continue;
        Number* pixel = t.y + (y * a.y_h + x * a.y_w);
        Eight v;
#pragma unroll
        for (int k = 0; k < 8; k++) v.v[k] = stored(waiting[k * OUT_PLANE + i]);
        if (a.wide_y) {
            *wide<Eight>(pixel) = v;
        } else {
#pragma unroll
            for (int k = 0; k < 8; k++)
                if (t.channel + k < a.c) pixel[k] = v.v[k];
        }
    }
}
