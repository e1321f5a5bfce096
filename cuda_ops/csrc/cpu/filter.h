// Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
// upsample -> middle -> downsample, streamed: eight channels of a tile go from input to output row by row, and only the rows
// that a filter still needs are kept, so that everything in between stays in the caches.
//
// Upsampled index t belongs to group g: t = pad + 1 + up (g - 1) + q with 0 <= q < up, and reads inputs g, g + 1, ... All
// outputs of a group read the same inputs; output q meets taps up - 1 - q, 2 up - 1 - q, ...
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <utility>

#include "fir.h"

namespace JINC_VARIANT {

constexpr int64_t TILE = 256;        // most outputs of a tile along x
constexpr int64_t MIN_ROWS = 24;     // fewest outputs of a tile along y: the rows above it are computed twice
constexpr int64_t TILES_A_THREAD = 2;
constexpr int64_t TOGETHER = 2;      // channels-last: 2 x 8 float32 channels share a cache line

INLINE int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }
INLINE int64_t group_of(const JincAxis& axis, int64_t t) { return floor_div(t - axis.pad_up - 1, axis.up) + 1; }
INLINE int64_t start_of(const JincAxis& axis, int64_t g) { return axis.pad_up + 1 + axis.up * (g - 1); }

// A thread's working memory: grows, and stays for the next call.
struct Arena {
    char* memory = nullptr;
    size_t size = 0;
    ~Arena() { std::free(memory); }
    char* get(size_t wanted) {
        if (wanted > size) {
            std::free(memory);
            memory = static_cast<char*>(std::malloc(wanted + 64));
            size = memory ? wanted : 0;
        }
        return memory ? memory + (64 - reinterpret_cast<uintptr_t>(memory) % 64) % 64 : nullptr;
    }
};

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
    double reach;  // the largest |upsampled| value for inputs up to 1
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
        if constexpr (sizeof(T) == sizeof(float)) choose_made();  // float64 is for checking: the plain loops will do
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
        reach = 1.001 * (a.up_filter_2d ? strongest(up_plane_taps, a.x.up * a.y.up, ux.k * uy.k)
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

// One tile in the making.
template <class T, int MODE> struct Tile {
    const Call<T, MODE>& call;
    const JincFilter& a;
    int64_t n, first_channel, x0, x1, y0, y1;
    int lanes;
    int64_t first_group, groups, origin;  // along x: first group, how many, the index t where it starts
    int64_t begin, end;                // along x: the t that outputs read
    int64_t in_width, mid_width, out_width;
    int64_t in_slots, mid_slots;
    int64_t next_input, next_mid, current_group;
    T *in_ring, *nothing, *rows_up, *mid_ring, *row, *out, bias[L];
    uint8_t *sign, *beyond;
    bool may_clamp = false;

    // Tile `index` of the call, `member` of its group of blocks.
    Tile(const Call<T, MODE>& c, int64_t index, int64_t member) : call(c), a(c.a) {
        const int64_t strip = index % c.columns, band = index / c.columns % c.rows, group = index / (c.columns * c.rows) % c.groups;
        n = index / (c.columns * c.rows * c.groups);
        first_channel = (group * c.together + member) * L;
        lanes = int(std::min<int64_t>(L, a.c - first_channel));
        x0 = a.x.out * strip / c.columns, x1 = a.x.out * (strip + 1) / c.columns;
        y0 = a.y.out * band / c.rows, y1 = a.y.out * (band + 1) / c.rows;
        begin = a.x.down * x0 - a.x.pad_down;
        end = a.x.down * (x1 - 1) - a.x.pad_down + a.x.down_taps;
        if (MODE == JINC_ENCODE) end = std::max(end, x1 == a.x.out ? a.x.mid : a.x.down * x1);
        first_group = group_of(a.x, begin);
        groups = group_of(a.x, end - 1) - first_group + 1;
        origin = start_of(a.x, first_group);
        in_width = groups + c.ux.k + SLACK;
        mid_width = (groups + SLACK) * a.x.up + SLACK * a.x.down;
        out_width = x1 - x0 + SLACK;
        in_slots = c.uy.k + 1;
        mid_slots = a.y.down_taps + a.y.down + 1;
    }

    bool down_in_plane() const { return a.down_filter_2d != nullptr; }

    int64_t widest() const { return std::max({in_width, mid_width, out_width}); }
    int64_t mid_ring_width() const { return down_in_plane() ? mid_width : out_width; }

    size_t bytes() const {
        const int64_t vectors = (in_slots + a.y.up) * in_width + widest() + mid_slots * mid_ring_width() + mid_width + 2 * out_width;
        return (size_t(vectors * L) * sizeof(T) + size_t(2 * mid_width) + 63) / 64 * 64;
    }

    void place(char* memory) {
        T* p = reinterpret_cast<T*>(memory);
        auto take = [&](int64_t vectors) { return std::exchange(p, p + vectors * L); };
        in_ring = take(in_slots * in_width);
        nothing = take(widest());
        std::memset(memory, 0, size_t(reinterpret_cast<char*>(p) - memory));  // borders stay zero, rows are written between them
        rows_up = take(a.y.up * in_width);
        mid_ring = take(mid_slots * mid_ring_width());
        row = take(mid_width);
        out = take(2 * out_width);
        sign = reinterpret_cast<uint8_t*>(p);
        beyond = sign + mid_width;
    }

    T* input_row(int64_t h) const { return h < 0 || h >= a.y.in ? nothing : in_ring + h % in_slots * in_width * L; }
    T* mid_row(int64_t t) const { return mid_ring + t % mid_slots * mid_ring_width() * L; }

    void load_row(int64_t h) {
        const int64_t first = std::max<int64_t>(first_group, 0), last = std::min(first_group + groups + call.ux.k, a.x.in);
        if (first >= last) return;
        T* to = input_row(h) + (first - first_group) * L;
        const int count = int(last - first);
        const T* from = static_cast<const T*>(a.input);
        if (!a.channels_last) {
            from += ((n * a.c + first_channel) * a.y.in + h) * a.x.in + first;
            planes_to_lanes(from, a.y.in * a.x.in, lanes, count, bias, to);
            return;
        }
        from += ((n * a.y.in + h) * a.x.in + first) * a.c + first_channel;
        if (lanes == L) {
            const Vec<T> b = load(bias);
            for (int i = 0; i < count; i++) store(to + i * L, load(from + i * a.c) + b);
        } else {
            for (int i = 0; i < count; i++)
                for (int lane = 0; lane < lanes; lane++) to[i * L + lane] = from[i * a.c + lane] + bias[lane];
        }
    }

    // No value of the upsampled signal exceeds `reach` times the largest input: mostly that is below the clamp, which then
    // costs nothing.
    void note_largest(int64_t h) {
        const T* row_in = input_row(h);
        Vec<T> least = zero<T>(), most = zero<T>();
        for (int64_t i = 0; i < (groups + call.ux.k) * L; i += L) widen(least, most, load(row_in + i));
        T low[L], high[L];
        store(low, least), store(high, most);
        for (int i = 0; i < L; i++) may_clamp |= std::max(-low[i], high[i]) * call.reach > a.clamp;
    }

    void store_row(const T* from, int64_t y) {
        T* to = static_cast<T*>(a.output);
        const int count = int(x1 - x0);
        if (!a.channels_last) {
            to += ((n * a.c + first_channel) * a.y.out + y) * a.x.out + x0;
            lanes_to_planes(from, count, to, a.y.out * a.x.out, lanes);
            return;
        }
        to += ((n * a.y.out + y) * a.x.out + x0) * a.c + first_channel;
        if (lanes == L) {
            for (int i = 0; i < count; i++) store(to + i * a.c, load(from + i * L));
        } else {
            for (int i = 0; i < count; i++)
                for (int lane = 0; lane < lanes; lane++) to[i * a.c + lane] = from[i * L + lane];
        }
    }

    // The stored bytes of a row: a plane of signs and one of clamps for each 8 channels.
    uint8_t* codes_at(int64_t t, int64_t plane) const {
        return a.codes + (((n * call.blocks + first_channel / L) * 2 + plane) * a.y.mid + t) * a.x.mid;
    }

    void read_codes(int64_t t) {
        const int64_t first = std::max<int64_t>(begin, 0), last = std::min(end, a.x.mid);
        if (first >= last) return;
        std::memcpy(sign + (first - origin), codes_at(t, 0) + first, size_t(last - first));
        std::memcpy(beyond + (first - origin), codes_at(t, 1) + first, size_t(last - first));
    }

    // Neighbouring tiles compute the same values at their seam; each writes only its own.
    void write_codes(int64_t t) {
        const int64_t top = y0 ? a.y.down * y0 : 0, bottom = y1 == a.y.out ? a.y.mid : a.y.down * y1;
        const int64_t first = x0 ? a.x.down * x0 : 0, last = x1 == a.x.out ? a.x.mid : a.x.down * x1;
        if (t < top || t >= bottom) return;
        std::memcpy(codes_at(t, 0) + first, sign + (first - origin), size_t(last - first));
        std::memcpy(codes_at(t, 1) + first, beyond + (first - origin), size_t(last - first));
    }

    void enter_group(int64_t g) {
        current_group = g;
        next_input = std::max(next_input, std::max<int64_t>(g, 0));
        for (const int64_t last = std::min(g + call.uy.k, a.y.in); next_input < last; next_input++) {
            load_row(next_input);
            if (call.has_clamp) note_largest(next_input);
        }
        if (a.up_filter_2d) return;
        const T* rows[MAX_TAPS + MAX_FACTOR];
        T* outs[MAX_FACTOR];
        for (int m = 0; m < call.uy.k; m++) rows[m] = input_row(g + m);
        for (int q = 0; q < a.y.up; q++) outs[q] = rows_up + q * in_width * L;
        call.along_up(rows, outs, groups + call.ux.k + 8, Phases<T>{a.y.up, call.uy.k, call.uy.taps, call.uy.count});
    }

    // Row t of the upsampled signal, through the middle and, where the filter is separable, down along x.
    void make_mid(int64_t t) {
        const int64_t g = group_of(a.y, t), q = t - start_of(a.y, g);
        if (g != current_group) enter_group(g);
        T* u = down_in_plane() ? mid_row(t) : row;
        if (MODE == JINC_DECODE) read_codes(t);
        const Middle<T, MODE> middle{T(a.slope), T(a.clamp), may_clamp, a.slope > 0 && a.slope <= 1,
                                      uint8_t((1 << lanes) - 1), sign, beyond};
        if (a.up_filter_2d) {
            const T* rows[MAX_TAPS + MAX_FACTOR];
            for (int m = 0; m < call.uy.k; m++) rows[m] = m < call.uy.count[q] ? input_row(g + m) : nothing;
            const T* taps = call.up_plane_taps + q * a.x.up * call.uy.k * call.ux.k;
            call.plane_up(rows, u, groups, a.x.up, call.ux.k, call.uy.k, taps, call.ux.count, middle);
        } else {
            call.across_up(rows_up + q * in_width * L, u, groups, Phases<T>{a.x.up, call.ux.k, call.ux.taps, call.ux.count}, middle);
        }
        if (MODE == JINC_ENCODE) write_codes(t);
        const int64_t size = groups * a.x.up;  // beyond its borders the middle signal is zero
        if (origin < 0) std::memset(u, 0, size_t(std::min(-origin, size) * L) * sizeof(T));
        if (a.x.mid - origin < size) {
            const int64_t from = std::max<int64_t>(a.x.mid - origin, 0);
            std::memset(u + from * L, 0, size_t((size - from) * L) * sizeof(T));
        }
        if (!down_in_plane())
            call.across_down(u + (begin - origin) * L, mid_row(t), x1 - x0, a.x.down_taps, a.x.down, call.down_x);
    }

    void make_until(int64_t t) {
        for (t = std::min(t, a.y.mid - 1); next_mid <= t; next_mid++) make_mid(next_mid);
    }

    void start(char* memory) {
        place(memory);
        for (int i = 0; i < L; i++) bias[i] = a.bias && i < lanes ? static_cast<const T*>(a.bias)[first_channel + i] : T(0);
        next_input = 0, current_group = INT64_MIN;
        next_mid = std::max<int64_t>(0, a.y.down * y0 - a.y.pad_down);
    }

    // Output rows y and, within the tile, y + 1.
    void two_rows(int64_t y) {
        T* outs[2] = {out, out + out_width * L};
        const int count = y + 1 < y1 ? 2 : 1;
        const int64_t first = a.y.down * y - a.y.pad_down, last = first + a.y.down_taps + (count - 1) * a.y.down;
        make_until(last - 1);
        const T* rows[MAX_TAPS + MAX_FACTOR];
        for (int64_t t = first; t < first + a.y.down_taps + a.y.down; t++)
            rows[t - first] = t >= 0 && t < std::min(last, a.y.mid) ? mid_row(t) : nothing;
        if (down_in_plane()) {
            for (int k = 0; k < a.y.down_taps + a.y.down; k++)
                if (rows[k] != nothing) rows[k] += (begin - origin) * L;
            for (int i = 0; i < count; i++)
                call.plane_down(rows + i * a.y.down, outs[i], x1 - x0, a.x.down_taps, a.y.down_taps, a.x.down,
                                call.down_plane_taps);
        } else {
            call.along_down(rows, outs, x1 - x0, a.y.down_taps, a.y.down, call.down_y);
        }
        for (int i = 0; i < count; i++) store_row(outs[i], y + i);
    }

    void finish() {
        if (MODE == JINC_ENCODE) make_until((y1 == a.y.out ? a.y.mid : a.y.down * y1) - 1);
    }
};

// The blocks of a group go through a tile row by row in turns: channels-last they share the memory that each row touches.
template <class T, int MODE> bool run_tile(const Call<T, MODE>& call, int64_t index, Arena& arena) {
    std::optional<Tile<T, MODE>> tiles[TOGETHER];
    const int64_t group = index / (call.columns * call.rows) % call.groups;
    const int64_t count = std::min(call.together, call.blocks - group * call.together);
    for (int64_t i = 0; i < count; i++) tiles[i].emplace(call, index, i);
    char* memory = arena.get(tiles[0]->bytes() * size_t(count));
    if (!memory) return false;
    for (int64_t i = 0; i < count; i++) tiles[i]->start(memory + size_t(i) * tiles[i]->bytes());
    for (int64_t y = tiles[0]->y0; y < tiles[0]->y1; y += 2)
        for (int64_t i = 0; i < count; i++) tiles[i]->two_rows(y);
    for (int64_t i = 0; i < count; i++) tiles[i]->finish();
    return true;
}

}  // namespace JINC_VARIANT
