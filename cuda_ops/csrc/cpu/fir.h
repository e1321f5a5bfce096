// Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
// The filters themselves, on rows of vectors of channels. Taps and factors are template arguments where models use them, so
// that a block of outputs keeps its sums in registers and loads each input once; 0 stands for "given at run time".
#pragma once

#include "jinc_cpu.h"
#include "lanes.h"

namespace JINC_VARIANT {

// Rows may be read and written this many vectors beyond their end: a block of outputs is never cut.
constexpr int SLACK = 16;
constexpr int MAX_FACTOR = 16, MAX_TAPS = 256;  // beyond them the caller takes the reference

// The operation on a value of the upsampled signal, and its two bits a channel: `sign` and `beyond` hold a row's bytes.
template <class T, int MODE> struct Middle {
    T slope, clamp;
    bool clamps;  // whether any value may reach the clamp
    bool gentle;  // 0 < slope <= 1
    uint8_t real;  // bits of the lanes that are channels
    uint8_t *sign, *beyond;

    MEMBER Vec<T> operator()(Vec<T> u, int64_t t) const {
        if constexpr (MODE == JINC_LINEAR) return u;
        if constexpr (MODE == JINC_DECODE) {
            Vec<T> v = u, f = factors(sign[t], slope);
            UNROLL for (int i = 0; i < PARTS<T>; i++) v.part[i] *= f.part[i];
            if (beyond[t]) {  // rare; by selection, because 0 times NaN is not 0
                alignas(64) T lane[L];
                store(lane, v);
                for (int i = 0; i < L; i++)
                    if (beyond[t] >> i & 1) lane[i] = 0;
                v = load(lane);
            }
            return v;
        }
        const Vec<T> v = gentle ? leaky_max(u, slope) : leaky(u, slope);
        if constexpr (MODE == JINC_ENCODE) {
            sign[t] = negative_bits(u, slope == 0) & real;
            beyond[t] = clamps ? beyond_bits(v, clamp) & real : 0;
        }
        return clamps ? limited(v, clamp) : v;
    }
};

// Taps of an up-filter by phase: taps[q * k + m] meets input g + m for output up * g + q; count[q] of them exist.
template <class T> struct Phases {
    int up, k;
    const T* taps;
    const int* count;
};

// One row, along x: u[up * g + q] = middle(sum_m taps[q][m] in[g + m]).
template <class T, int K, int UP, int MODE>
static void up_across(const T* in, T* u, int64_t groups, const Phases<T>& f, const Middle<T, MODE>& middle) {
    if constexpr (K == 0) {
        for (int64_t g = 0; g < groups; g++)
            for (int q = 0; q < f.up; q++) {
                Vec<T> sum = zero<T>();
                for (int m = 0; m < f.count[q]; m++) add(sum, f.taps[q * f.k + m], load(in + (g + m) * L));
                store(u + (g * f.up + q) * L, middle(sum, g * f.up + q));
            }
    } else {
        constexpr int POS = UP > 2 ? 2 : UP == 2 ? 4 : 8;
        const Middle<T, MODE> local = middle;  // a copy that no store can alias
        T taps[UP * K];
        for (int i = 0; i < UP * K; i++) taps[i] = f.taps[i];
        for (int64_t g = 0; g < groups; g += POS) {
            Vec<T> sum[POS][UP];
            UNROLL for (int j = 0; j < K + POS - 1; j++) {
                const Vec<T> x = load(in + (g + j) * L);
                UNROLL for (int p = 0; p < POS; p++)
                    UNROLL for (int q = 0; q < UP; q++) {
                        if (j == p) sum[p][q] = taps[q * K] * x;
                        else if (j > p && j - p < K) add(sum[p][q], taps[q * K + j - p], x);
                    }
            }
            UNROLL for (int p = 0; p < POS; p++)
                UNROLL for (int q = 0; q < UP; q++)
                    store(u + ((g + p) * UP + q) * L, local(sum[p][q], (g + p) * UP + q));
        }
    }
}

// Along y: out[q][x] = sum_m taps[q][m] rows[m][x] for the up rows of one group.
template <class T, int K, int UP>
static void up_along(const T* const* rows, T* const* out, int64_t width, const Phases<T>& f) {
    if constexpr (K == 0) {
        for (int q = 0; q < f.up; q++)
            for (int64_t x = 0; x < width; x++) {
                Vec<T> sum = zero<T>();
                for (int m = 0; m < f.count[q]; m++) add(sum, f.taps[q * f.k + m], load(rows[m] + x * L));
                store(out[q] + x * L, sum);
            }
    } else {
        T taps[UP * K];
        const T* row[K];
        T* to[UP];
        for (int i = 0; i < UP * K; i++) taps[i] = f.taps[i];
        for (int m = 0; m < K; m++) row[m] = rows[m];
        for (int q = 0; q < UP; q++) to[q] = out[q];
        for (int64_t x = 0; x < width * L; x += L) {
            Vec<T> sum[UP];
            UNROLL for (int m = 0; m < K; m++) {
                const Vec<T> v = load(row[m] + x);
                UNROLL for (int q = 0; q < UP; q++) {
                    if (m == 0) sum[q] = taps[q * K] * v;
                    else add(sum[q], taps[q * K + m], v);
                }
            }
            UNROLL for (int q = 0; q < UP; q++) store(to[q] + x, sum[q]);
        }
    }
}

// A 2-D up-filter, one row of outputs: taps[qx][my * kx + mx] of this row's phase.
template <class T, int K, int UP, int MODE>
static void up_plane(const T* const* rows, T* u, int64_t groups, int up, int kx, int ky, const T* taps, const int* count,
                     const Middle<T, MODE>& middle) {
    if constexpr (K == 0) {
        for (int64_t g = 0; g < groups; g++)
            for (int q = 0; q < up; q++) {
                Vec<T> sum = zero<T>();
                for (int y = 0; y < ky; y++)
                    for (int m = 0; m < count[q]; m++)
                        add(sum, taps[(q * ky + y) * kx + m], load(rows[y] + (g + m) * L));
                store(u + (g * up + q) * L, middle(sum, g * up + q));
            }
    } else {
        constexpr int POS = 4;
        const Middle<T, MODE> local = middle;
        for (int64_t g = 0; g < groups; g += POS) {
            Vec<T> sum[POS][UP];
            UNROLL for (int p = 0; p < POS; p++)
                UNROLL for (int q = 0; q < UP; q++) sum[p][q] = zero<T>();
            for (int y = 0; y < K; y++) {
                const T* row = rows[y] + g * L;
                UNROLL for (int j = 0; j < K + POS - 1; j++) {
                    const Vec<T> x = load(row + j * L);
                    UNROLL for (int p = 0; p < POS; p++)
                        UNROLL for (int q = 0; q < UP; q++)
                            if (j >= p && j - p < K) add(sum[p][q], taps[(q * K + y) * K + j - p], x);
                }
            }
            UNROLL for (int p = 0; p < POS; p++)
                UNROLL for (int q = 0; q < UP; q++)
                    store(u + ((g + p) * UP + q) * L, local(sum[p][q], (g + p) * UP + q));
        }
    }
}

// One row, along x: out[x] = sum_k taps[k] u[down * x + k]. FOLD: the filter is its own mirror image, so what meets the same
// tap is added before it is multiplied, half the multiplications; processors that add beside multiplying take half the time.
template <class T, int K, int DOWN, bool FOLD>
static void down_across(const T* u, T* out, int64_t width, int k, int down, const T* f) {
    if constexpr (K == 0) {
        for (int64_t x = 0; x < width; x++) {
            Vec<T> sum = zero<T>();
            for (int j = 0; j < k; j++) add(sum, f[j], load(u + (x * down + j) * L));
            store(out + x * L, sum);
        }
    } else {
        constexpr int POS = 4, WINDOW = K + (POS - 1) * DOWN;
        T taps[K];
        for (int j = 0; j < K; j++) taps[j] = f[j];
        for (int64_t x = 0; x < width; x += POS) {
            Vec<T> sum[POS], v[WINDOW];
            UNROLL for (int j = 0; j < WINDOW; j++) {
                v[j] = load(u + (x * DOWN + j) * L);
                UNROLL for (int p = 0; p < POS; p++) {
                    const int tap = j - p * DOWN, mirror = p * DOWN + K - 1 - tap;
                    if (tap < 0 || tap >= K || (FOLD && mirror > j)) continue;
                    const Vec<T> both = FOLD && mirror < j ? v[j] + v[mirror] : v[j];
                    if (tap == (FOLD ? K / 2 : 0)) sum[p] = taps[tap] * both;
                    else add(sum[p], taps[tap], both);
                }
            }
            UNROLL for (int p = 0; p < POS; p++) store(out + (x + p) * L, sum[p]);
        }
    }
}

// Along y, two output rows at once: out[r][x] = sum_k taps[k] rows[down * r + k][x]. FOLD as above.
template <class T, int K, int DOWN, bool FOLD>
static void down_along(const T* const* rows, T* const* out, int64_t width, int k, int down, const T* f) {
    if constexpr (K == 0) {
        for (int r = 0; r < 2; r++)
            for (int64_t x = 0; x < width; x++) {
                Vec<T> sum = zero<T>();
                for (int j = 0; j < k; j++) add(sum, f[j], load(rows[r * down + j] + x * L));
                store(out[r] + x * L, sum);
            }
    } else {
        T taps[K];
        const T* row[K + DOWN];
        T* to[2] = {out[0], out[1]};
        for (int j = 0; j < K; j++) taps[j] = f[j];
        for (int j = 0; j < K + DOWN; j++) row[j] = rows[j];
        for (int64_t x = 0; x < width * L; x += L) {
            Vec<T> sum[2], v[K + DOWN];
            UNROLL for (int j = 0; j < K + DOWN; j++) {
                v[j] = load(row[j] + x);
                UNROLL for (int r = 0; r < 2; r++) {
                    const int tap = j - r * DOWN, mirror = r * DOWN + K - 1 - tap;
                    if (tap < 0 || tap >= K || (FOLD && mirror > j)) continue;
                    const Vec<T> both = FOLD && mirror < j ? v[j] + v[mirror] : v[j];
                    if (tap == (FOLD ? K / 2 : 0)) sum[r] = taps[tap] * both;
                    else add(sum[r], taps[tap], both);
                }
            }
            store(to[0] + x, sum[0]);
            store(to[1] + x, sum[1]);
        }
    }
}

// A 2-D down-filter, one row of outputs. FOLD: the filter equals its mirror image in y (radial filters do), so rows k and
// K - 1 - k are added before they are multiplied.
template <class T, int K, int DOWN, bool FOLD>
static void down_plane(const T* const* rows, T* out, int64_t width, int kx, int ky, int down, const T* taps) {
    if constexpr (K == 0) {
        for (int64_t x = 0; x < width; x++) {
            Vec<T> sum = zero<T>();
            for (int y = 0; y < ky; y++)
                for (int j = 0; j < kx; j++) add(sum, taps[y * kx + j], load(rows[y] + (x * down + j) * L));
            store(out + x * L, sum);
        }
    } else {
        constexpr int POS = 6, WINDOW = K + (POS - 1) * DOWN;
        for (int64_t x = 0; x < width; x += POS) {
            Vec<T> sum[POS];
            UNROLL for (int p = 0; p < POS; p++) sum[p] = zero<T>();
            for (int y = 0; y < (FOLD ? K / 2 : K); y++) {
                const T *row = rows[y] + x * DOWN * L, *mirror = rows[K - 1 - y] + x * DOWN * L;
                Vec<T> window[WINDOW];
                UNROLL for (int j = 0; j < WINDOW; j++) {
                    window[j] = load(row + j * L);
                    if (FOLD) window[j] = window[j] + load(mirror + j * L);
                }
                UNROLL for (int j = 0; j < K; j++)
                    UNROLL for (int p = 0; p < POS; p++) add(sum[p], taps[y * K + j], window[p * DOWN + j]);
            }
            UNROLL for (int p = 0; p < POS; p++) store(out + (x + p) * L, sum[p]);
        }
    }
}

}  // namespace JINC_VARIANT
