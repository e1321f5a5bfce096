// Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
// Upsample, nonlinearity, downsample in one pass over memory: filtered_lrelu forward (FORWARD, or ENCODE, which writes
// codes), its gradient and second gradient (DECODE, which applies stored codes) and resampling alone (LINEAR).
// layout.cuh has the plan and the macros.
#include "tile_input.cuh"
#include "tile_output.cuh"

// -- up along x -----------------------------------------------------------------------------------------------------------
DEVICE void up_rows(const Taps& f, const float* A, float* B) {
    float taps[UP_TAPS];
#pragma unroll
    for (int i = 0; i < UP_TAPS; i++) taps[i] = f.up[i] * f.gain;
    EACH(i, CHANNELS * IN_H * (GROUPS / P)) {
        const int group = i % (GROUPS / P), row = i / (GROUPS / P) % IN_H, k = i / (GROUPS / P) / IN_H;
        float in[A_READS], out[P * UP];
        read<P>(A + k * A_PLANE + row * A_STRIDE + P * group, in);
#pragma unroll
        for (int p = 0; p < P; p++)
#pragma unroll
            for (int q = 0; q < UP; q++) {
                float sum = 0;
#pragma unroll
                for (int m = 0; m < K; m++)
                    if (UP - 1 - q + UP * m < UP_TAPS) sum += taps[UP - 1 - q + UP * m] * in[p + m + SHIFT];
                out[p * UP + q] = sum;
            }
        Quad* to = wide<Quad>(B + k * B_PLANE + row * C_STRIDE + P * UP * group);
#pragma unroll
        for (int j = 0; j < P * UP / 4; j++) to[j] = {out[4 * j], out[4 * j + 1], out[4 * j + 2], out[4 * j + 3]};
    }
}

// -- the middle -------------------------------------------------------------------------------------------------------------
// One value of the upsampled signal, and its two bits at position `bit` of their words.
DEVICE float middle(float u, const Call& a, int bit, Word& negative, Word& beyond) {
    if constexpr (MODE == LINEAR) return u;
    if constexpr (MODE == DECODE) {
        const float v = negative >> bit & 1 ? u * a.slope : u;
        return beyond >> bit & 1 ? 0.0f : v;  // by selection: 0 times NaN is not 0
    }
    if constexpr (MODE == ENCODE) negative |= Word(a.slope > 0 ? u < 0 : u <= 0) << bit;
    const float v = leaky(u, a.slope);
    if constexpr (MODE == ENCODE) beyond |= Word((v < 0 ? -v : v) > a.clamp) << bit;
    return limited(v, a.clamp);
}

// Codes between global memory, where a byte holds eight channels of one position, and words of 32 positions of one channel.
DEVICE Byte* codes_at(const Call& a, const Tile& t, int plane) {
    const Long planes = 2 * ((a.c + 7) / 8);
    return a.codes + (t.n * planes + 2 * (t.channel / 8) + plane) * a.mid_h * a.mid_w;
}

DEVICE void load_codes(const Call& a, const Tile& t, Word* words) {
    EACH(i, 2 * WORDS * MID_W) {
        const int s = i % MID_W, word = i / MID_W % WORDS, plane = i / MID_W / WORDS, column = t.t_x + s;
        const Byte* from = codes_at(a, t, plane);
        Word bits[PLANES] = {};
        for (int bit = 0; bit < 32; bit++) {
            const int row = t.t_y + 32 * word + bit;
            const bool inside = row >= 0 && row < a.mid_h && column >= 0 && column < a.mid_w;
            // What lies outside of the upsampled signal is zero: as if it were clamped.
            const Word code = inside ? from[Long(row) * a.mid_w + column] : plane ? 255 : 0;
#pragma unroll
            for (int k = 0; k < PLANES; k++) bits[k] |= (code >> (t.channel % 8 + k) & 1) << bit;
        }
#pragma unroll
        for (int k = 0; k < PLANES; k++) words[((plane * PLANES + k) * WORDS + word) * MID_W + s] = bits[k];
    }
}

// Neighbouring tiles compute the same values at their seam; each writes only its own.
DEVICE void store_codes(const Call& a, const Tile& t, const Word* words) {
    const int rows = t.y0 + TILE_H >= a.out_h ? a.mid_h - t.t_y : TILE_H * DOWN;
    const int columns = t.x0 + TILE_W >= a.out_w ? a.mid_w - t.t_x : TILE_W * DOWN;
    const Word real = a.c - t.channel >= 8 ? 255u : (1u << (a.c - t.channel)) - 1;
    EACH(i, 2 * MID_H * MID_W) {
        const int s = i % MID_W, row = i / MID_W % MID_H, plane = i / MID_W / MID_H;
        if (row >= rows || s >= columns) continue;
        Word code = 0;
#pragma unroll
        for (int k = 0; k < 8; k++)
            code |= (words[((plane * 8 + k) * WORDS + row / 32) * MID_W + s] >> (row % 32) & 1) << k;
        codes_at(a, t, plane)[Long(t.t_y + row) * a.mid_w + t.t_x + s] = Byte(code & real);
    }
}

// -- columns: up along y (or, 2-D, in both directions), the middle, down along y -----------------------------------------------
constexpr int ACROSS = UP_PLANE ? UP : 1;    // neighbouring columns that a task makes
constexpr int WIDE = UP_PLANE ? K : 1;       // and what it reads for them, in a row
constexpr int HALF_UP = (UP_TAPS + 1) / 2;
constexpr int KEPT = UP_PLANE ? HALF_UP * HALF_UP : UP_TAPS;  // taps in registers

// MIRRORED: a 2-D filter that is its own mirror image in both directions, a quarter of which is kept in registers.
template <bool MIRRORED> DEVICE float up_tap(const float (&kept)[KEPT], const Taps& f, int y, int x) {
    if constexpr (!UP_PLANE) return kept[y];
    else if constexpr (MIRRORED) return kept[fold(y, UP_TAPS) * HALF_UP + fold(x, UP_TAPS)];
    else return f.up[y * UP_TAPS + x];
}

template <bool MIRRORED>
DEVICE void column(const Call& a, const Taps& f, const float (&kept)[KEPT], const float (&down)[D_TAPS], const float* from,
                   float* to, Word* words, int across, int segment) {
    constexpr int STRIDE = UP_PLANE ? A_STRIDE : C_STRIDE;
    constexpr int WORD_PLANE = PLANES * WORDS * MID_W;
    float window[ROWS][WIDE], open[ACROSS][OPEN] = {};
    Word negative[ACROSS] = {}, beyond[ACROSS] = {};
    from += segment * (SEGMENT / UP) * STRIDE;
#pragma unroll
    for (int m = 0; m < ROWS - M / UP; m++)
#pragma unroll
        for (int x = 0; x < WIDE; x++) window[m][x] = from[m * STRIDE + x];
    from += (ROWS - M / UP) * STRIDE;

#pragma unroll(MIRRORED || !UP_PLANE ? UNROLL : 1)
    for (int step = 0; step < STEPS; step++) {
#pragma unroll
        for (int m = 0; m < M / UP; m++, from += STRIDE)
#pragma unroll
            for (int x = 0; x < WIDE; x++) window[ROWS - M / UP + m][x] = from[x];
#pragma unroll
        for (int r = 0; r < M; r++) {
            const int s = segment * SEGMENT + step * M + r, bit = s % 32;
#pragma unroll
            for (int c = 0; c < ACROSS; c++) {
                const int place = s / 32 * MID_W + across + c;
                const bool counts = !UP_PLANE || (across + c >= 0 && across + c < MID_W);
                if constexpr (MODE == DECODE)
                    if (bit == 0 || (step == 0 && r == 0)) {
                        negative[c] = counts ? words[place] : 0;
                        beyond[c] = counts ? words[WORD_PLANE + place] : 0;
                    }
                const int group = (r + OFFSET_Y) / UP, first = UP - 1 - (r + OFFSET_Y) % UP;
                float u = 0;
#pragma unroll
                for (int m = 0; m < K; m++)
#pragma unroll
                    for (int x = 0; x < WIDE; x++) {
                        const int y_tap = first + UP * m, x_tap = UP_PLANE ? UP - 1 - c + UP * x : 0;
                        if (y_tap < UP_TAPS && x_tap < UP_TAPS)
                            u += up_tap<MIRRORED>(kept, f, y_tap, x_tap) * window[group + m][x];
                    }
                const float v = middle(u, a, bit, negative[c], beyond[c]);
                if constexpr (MODE == ENCODE)
                    if (bit == 31 || (step == STEPS - 1 && r == M - 1)) {
                        if (counts) words[place] = negative[c], words[WORD_PLANE + place] = beyond[c];
                        negative[c] = 0, beyond[c] = 0;
                    }
                if constexpr (DOWN_PLANE) {
                    to[s * C_STRIDE + c] = v;
                } else {
#pragma unroll
                    for (int o = 0; o < OPEN; o++)
                        if (r % D + D * o < D_TAPS) open[c][o] += down[r % D + D * o] * v;
                    if (r % D == D - 1) {  // output y has met all its taps
                        const int y = step * (M / D) + r / D - (OPEN - 1);
                        if (y >= 0 && y < TILE_H) to[y * C_STRIDE + c] = open[c][OPEN - 1];
#pragma unroll
                        for (int o = OPEN - 1; o > 0; o--) open[c][o] = open[c][o - 1];
                        open[c][0] = 0;
                    }
                }
            }
        }
#pragma unroll
        for (int m = 0; m < ROWS - M / UP; m++)
#pragma unroll
            for (int x = 0; x < WIDE; x++) window[m][x] = window[m + M / UP][x];
    }
}

template <bool MIRRORED> DEVICE void columns(const Call& a, const Taps& f, const float* from, float* C, Word* words) {
    float kept[KEPT], down[D_TAPS];
#pragma unroll
    for (int i = 0; i < KEPT; i++)
        kept[i] = UP_PLANE ? (MIRRORED ? f.up[i / HALF_UP * UP_TAPS + i % HALF_UP] * f.gain : 0.0f) : f.up[i];
#pragma unroll
    for (int i = 0; i < D_TAPS; i++) down[i] = DOWN_PLANE ? 1.0f : f.down[i];
    constexpr int TASKS = UP_PLANE ? (MID_W - 1 + OFFSET_X) / UP + 1 : MID_W;
    EACH(i, CHANNELS * SEGMENTS * TASKS) {
        const int task = i % TASKS, segment = i / TASKS % SEGMENTS, k = i / TASKS / SEGMENTS;
        const int across = UP_PLANE ? task * UP - OFFSET_X : task;  // the column's place in the upsampled signal
        const float* source = from + (UP_PLANE ? k * A_PLANE + task + SHIFT : k * B_PLANE + task + OFFSET_X);
        column<MIRRORED>(a, f, kept, down, source, C + k * C_PLANE + across + OFFSET_X, words + k * WORDS * MID_W, across,
                         segment);
    }
}

// -- all of it ----------------------------------------------------------------------------------------------------------------
// Clears a flag where a filter is not its own mirror image.
DEVICE void compare(const float* f, int taps, float* flag) {
    EACH(i, taps * taps) {
        const int y = i / taps, x = i % taps;
        if (f[i] != f[(taps - 1 - y) * taps + x] || f[i] != f[y * taps + taps - 1 - x]) *flag = 0;
    }
}

DEVICE void load_taps(const float* from, float* to, int count, int convolve) {
    EACH(i, count) to[i] = from[convolve ? count - 1 - i : i];
}

// fu, fd: filters in float32, [taps] or [taps, taps]. convolve: they are to be flipped. The grid is one block a tile, the
// tiles of an image's eight or fewer channels next to each other. Strides in elements.
KERNEL resample(const Number* RESTRICT x, Number* RESTRICT y, const Number* RESTRICT bias, Byte* RESTRICT codes,
                const float* RESTRICT fu, const float* RESTRICT fd, int c, int in_h, int in_w, int mid_h, int mid_w, int out_h,
                int out_w, int pad_up_y, int pad_up_x, int pad_down_y, int pad_down_x, Long x_n, Long y_n, int x_c, int x_h,
                int x_w, int y_c, int y_h, int y_w, int wide_x, int wide_y, int convolve, float gain, float slope,
                float clamp) {
    DYNAMIC_SHARED;
    float *const first = reinterpret_cast<float*>(dynamic_shared), *const B = first + FIRST;
    float* const C = REUSED ? first : B + SECOND;
    Word* const words = reinterpret_cast<Word*>(B + SECOND + THIRD);
    float* const taps = B + SECOND + THIRD + round_up(CODES, 4);
    const Taps f{taps, taps + round_up(UP_COUNT, 4), gain};
    float* const flags = taps + TAPS - 4;

    const Call a{x, y, bias, codes, c, in_h, in_w, mid_h, mid_w, out_h, out_w, pad_up_y, pad_up_x, pad_down_y, pad_down_x,
                 x_n, y_n, x_c, x_h, x_w, y_c, y_h, y_w, slope, clamp, wide_x, wide_y};
    const int across = (out_w + TILE_W - 1) / TILE_W, along = (out_h + TILE_H - 1) / TILE_H;
    const int parts = (c + PLANES - 1) / PLANES;
    Tile t;
    t.x0 = blockIdx.x % across * TILE_W, t.y0 = blockIdx.x / across % along * TILE_H;
    t.channel = blockIdx.x / across / along % parts * PLANES, t.n = blockIdx.x / across / along / parts;
    t.t_y = t.y0 * DOWN - pad_down_y, t.t_x = t.x0 * DOWN - pad_down_x;
    t.x = x + t.n * x_n + Long(t.channel) * x_c, t.y = y + t.n * y_n + Long(t.channel) * y_c;
    t.h = ceil_div(t.t_y - pad_up_y, UP), t.w = ceil_div(t.t_x - pad_up_x, UP);

    load_taps(fu, taps, UP_COUNT, convolve);
    load_taps(fd, taps + round_up(UP_COUNT, 4), DOWN_COUNT, convolve);
    EACH(i, 2) flags[i] = 1;
    if constexpr (LAST) fill_pixels(a, t, first);
    if constexpr (MODE == DECODE) load_codes(a, t, words);
    __syncthreads();
    if constexpr (UP_PLANE) compare(f.up, UP_TAPS, flags);
    if constexpr (DOWN_PLANE) compare(f.down, DOWN_TAPS, flags + 1);
    if constexpr (UP_PLANE) {
        __syncthreads();
        if (flags[0] == 0) EACH(i, UP_COUNT) taps[i] *= gain;
    }

#pragma unroll 1
    for (int k = 0; k < PLANES && t.channel < c; k += CHANNELS, t.channel += CHANNELS) {
        if constexpr (!LAST) t.x = x + t.n * x_n + Long(t.channel) * x_c, t.y = y + t.n * y_n + Long(t.channel) * y_c;
        float* const A = LAST ? first + k * A_PLANE : first;
        if constexpr (!LAST) fill_planar(a, t, A);
        __syncthreads();
        if constexpr (UP_PLANE) {
            if (flags[0] != 0) columns<true>(a, f, A, C, words + k * WORDS * MID_W);
            else columns<false>(a, f, A, C, words + k * WORDS * MID_W);
        } else {
            up_rows(f, A, B);
            __syncthreads();
            columns<true>(a, f, B, C, words + k * WORDS * MID_W);
        }
        __syncthreads();
        if constexpr (DOWN_PLANE) {
            if (flags[1] != 0) down_plane_mirrored(a, t, f, C, A);
            else down_plane(a, t, f, C, A);
        } else {
            down_rows(a, t, f, C, A);
        }
        __syncthreads();
    }
    t.channel -= t.channel % PLANES == 0 ? PLANES : t.channel % PLANES;
    if constexpr (MODE == ENCODE) store_codes(a, t, words);
    if constexpr (LAST) write_pixels(a, t, first);
}
