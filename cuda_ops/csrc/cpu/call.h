// Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
// One call of the filter kernel: its taps in the order of use, the loops made for them, and how it is cut into tiles.
//
// Upsampled index t belongs to group g: t = pad + 1 + up (g - 1) + q with 0 <= q < up, and reads inputs g, g + 1, ... All
// outputs of a group read the same inputs; output q meets taps up - 1 - q, 2 up - 1 - q, ...
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>

#include "fir.h"

namespace JINC_VARIANT {

constexpr int64_t TILE = 256;        // most outputs of a tile along x
constexpr int64_t MIN_ROWS = 24;     // fewest outputs of a tile along y: the rows above it are computed twice
constexpr int64_t TILES_A_THREAD = 2;
constexpr int64_t TOGETHER = 2;      // channels-last: 2 x 8 float32 channels share a cache line

INLINE int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }
INLINE int64_t group_of(const JincAxis& axis, int64_t t) { return floor_div(t - axis.pad_up - 1, axis.up) + 1; }
INLINE int64_t start_of(const JincAxis& axis, int64_t g) { return axis.pad_up + 1 + axis.up * (g - 1); }

// A filter in the order of correlation.
template <class T> struct Taps {
    const T* f;
    int64_t taps, convolve;
    T operator[](int64_t i) const { return f[convolve ? taps - 1 - i : i]; }
};

// An axis's up-filter by phase.
template <class T> struct UpTaps {
    int k;
    int count[MAX_FACTOR];
    T* taps;  // [up][k]

    // With a 2-D filter only the counts matter, `f` is null.
    void fill(const JincAxis& axis, Taps<T> f, double gain, T* room) {
        k = (axis.up_taps + axis.up - 1) / axis.up;
        taps = room;
        for (int q = 0; q < axis.up; q++) {
            const int first = axis.up - 1 - q;
            count[q] = axis.up_taps > first ? (axis.up_taps - first + axis.up - 1) / axis.up : 0;
            for (int m = 0; m < k; m++) taps[q * k + m] = m < count[q] && f.f ? T(f[first + axis.up * m] * gain) : T(0);
        }
    }
};

template <class T, int MODE> struct Call {
    using AcrossUp = void (*)(const T*, T*, int64_t, const Phases<T>&, const Middle<T, MODE>&);
    using AlongUp = void (*)(const T* const*, T* const*, int64_t, const Phases<T>&);
    using PlaneUp = void (*)(const T* const*, T*, int64_t, int, int, int, const T*, const int*, const Middle<T, MODE>&);
    using AcrossDown = void (*)(const T*, T*, int64_t, int, int, const T*);
    using AlongDown = void (*)(const T* const*, T* const*, int64_t, int, int, const T*);
    using PlaneDown = void (*)(const T* const*, T*, int64_t, int, int, int, const T*);

    const JincFilter& a;
    UpTaps<T> ux, uy;
    T* up_plane_taps = nullptr;  // [qy][qx][ky][kx]
    const T *down_x, *down_y, *down_plane_taps;
    bool has_clamp;
    double reach;  // the largest value, before the clamp, for inputs up to 1
    AcrossUp across_up;
    AlongUp along_up;
    PlaneUp plane_up;
    AcrossDown across_down;
    AlongDown along_down;
    PlaneDown plane_down;
    int64_t blocks, together;       // blocks of 8 channels, and how many of them a thread takes through a tile side by side
    int64_t groups, rows, columns;  // tiles of an image: such groups of blocks, bands of rows, strips of columns
    std::atomic<bool> failed{false};

    explicit Call(const JincFilter& arguments) : a(arguments) {
        blocks = (a.c + L - 1) / L;
        together = a.channels_last ? std::min<int64_t>(blocks, TOGETHER) : 1;
        groups = (blocks + together - 1) / together;
        columns = (a.x.out + TILE - 1) / TILE;
        const int64_t tiles = a.n * groups * columns;
        rows = a.threads < 2 ? 1 : (TILES_A_THREAD * a.threads + tiles - 1) / tiles;
        rows = std::max<int64_t>(1, std::min(rows, a.y.out / MIN_ROWS));
        choose();
    }

    int64_t count() const { return a.n * groups * columns * rows; }

    // A square, all-phases-alike filter with these taps and factor runs in the function made for it.
    static bool is(const JincAxis& x, const JincAxis& y, int k, int up) {
        return x.up == up && y.up == up && x.up_taps == k * up && y.up_taps == k * up;
    }
    static bool is_down(const JincAxis& x, const JincAxis& y, int k, int down) {
        return x.down == down && y.down == down && x.down_taps == k && y.down_taps == k;
    }

    // Whether reversing the rows (of `row` values) of a filter leaves it as it is.
    static bool mirrored(const void* filter, int row, int count) {
        const T* f = static_cast<const T*>(filter);
        for (int i = 0; f && i < count * row; i++)
            if (f[i] != f[(count - 1 - i / row) * row + i % row]) return false;
        return f != nullptr;
    }

    template <int K, int UP> void choose_up() {
        if (!is(a.x, a.y, K, UP)) return;
        across_up = up_across<T, K, UP, MODE>, along_up = up_along<T, K, UP>;
        if constexpr (UP == 2 && K >= 4) plane_up = up_plane<T, K, UP, MODE>;
    }

    template <int K, int DOWN> void choose_down() {
        if (!is_down(a.x, a.y, K, DOWN)) return;
        // Even and longer than 1, these filters have a mirror image without a middle.
        constexpr bool EVEN = K % 2 == 0;
        across_down = EVEN && mirrored(a.x.down_filter, 1, K) ? down_across<T, K, DOWN, EVEN> : down_across<T, K, DOWN, false>;
        along_down = EVEN && mirrored(a.y.down_filter, 1, K) ? down_along<T, K, DOWN, EVEN> : down_along<T, K, DOWN, false>;
        if constexpr (DOWN == 2 && K >= 8)
            plane_down = mirrored(a.down_filter_2d, K, K) ? down_plane<T, K, DOWN, true> : down_plane<T, K, DOWN, false>;
    }

    void choose() {
        across_up = up_across<T, 0, 0, MODE>, along_up = up_along<T, 0, 0>, plane_up = up_plane<T, 0, 0, MODE>;
        across_down = down_across<T, 0, 0, false>, along_down = down_along<T, 0, 0, false>, plane_down = down_plane<T, 0, 0, false>;
        if constexpr (sizeof(T) == sizeof(float)) choose_made();  // float64 is for checking: the plain loops suffice
    }

    // What models use: StyleGAN3's n = 6 at factors 2 and 4, StyleGAN2's [1, 3, 3, 1], and no filter at all.
    void choose_made() {
        choose_up<1, 1>(), choose_down<1, 1>();
        if constexpr (MODE == JINC_LINEAR) {
            choose_up<4, 1>(), choose_up<2, 2>(), choose_down<4, 1>(), choose_down<4, 2>();
        } else {
            choose_up<6, 2>(), choose_up<6, 4>(), choose_down<12, 2>(), choose_down<24, 4>();
        }
    }

    Taps<T> taps(const void* f, int64_t count) const { return {static_cast<const T*>(f), count, a.convolve}; }

    // The largest sum of absolute taps of any phase.
    static double strongest(const T* taps, int phases, int count) {
        double most = 0;
        for (int q = 0; q < phases; q++) {
            double sum = 0;
            for (int i = 0; i < count; i++) sum += std::fabs(double(taps[q * count + i]));
            most = std::max(most, sum);
        }
        return most;
    }

    // Filters in the order of use, into `room` of tap_room() values.
    void prepare(T* room) {
        ux.fill(a.x, taps(a.up_filter_2d ? nullptr : a.x.up_filter, a.x.up_taps), a.gain, room), room += a.x.up * ux.k;
        uy.fill(a.y, taps(a.up_filter_2d ? nullptr : a.y.up_filter, a.y.up_taps), 1, room), room += a.y.up * uy.k;
        if (a.up_filter_2d) {
            const Taps<T> f = taps(a.up_filter_2d, a.y.up_taps * a.x.up_taps);
            up_plane_taps = room;
            for (int qy = 0; qy < a.y.up; qy++)
                for (int qx = 0; qx < a.x.up; qx++)
                    for (int my = 0; my < uy.k; my++)
                        for (int mx = 0; mx < ux.k; mx++) {
                            const bool there = my < uy.count[qy] && mx < ux.count[qx];
                            const int64_t y = a.y.up - 1 - qy + a.y.up * my, x = a.x.up - 1 - qx + a.x.up * mx;
                            *room++ = there ? T(f[y * a.x.up_taps + x] * a.gain) : T(0);
                        }
        }
        has_clamp = (MODE == JINC_FORWARD || MODE == JINC_ENCODE) && a.clamp < 1e300;
        reach = 1.001 * std::max(1.0, a.slope) * (a.up_filter_2d ? strongest(up_plane_taps, a.x.up * a.y.up, ux.k * uy.k)
                                        : strongest(ux.taps, a.x.up, ux.k) * strongest(uy.taps, a.y.up, uy.k));
        down_x = down_y = down_plane_taps = room;
        if (a.down_filter_2d) {
            const Taps<T> f = taps(a.down_filter_2d, a.y.down_taps * a.x.down_taps);
            for (int64_t i = 0; i < f.taps; i++) *room++ = f[i];
        } else {
            const Taps<T> x = taps(a.x.down_filter, a.x.down_taps), y = taps(a.y.down_filter, a.y.down_taps);
            for (int64_t i = 0; i < x.taps; i++) *room++ = x[i];
            down_y = room;
            for (int64_t i = 0; i < y.taps; i++) *room++ = y[i];
        }
    }

    size_t tap_room() const {
        const size_t x = size_t(a.x.up_taps + a.x.up), y = size_t(a.y.up_taps + a.y.up), dx = size_t(a.x.down_taps), dy = size_t(a.y.down_taps);
        return x + y + (a.up_filter_2d ? x * y : 0) + (a.down_filter_2d ? dx * dy : dx + dy);
    }
};

}  // namespace JINC_VARIANT
