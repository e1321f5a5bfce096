// Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
// upsample -> middle -> downsample, streamed: eight channels of a tile go from input to output row by row, and only the rows
// that a filter still needs are kept, so that everything in between stays in the caches.
#pragma once

#include <optional>
#include <utility>

#include "call.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

namespace JINC_VARIANT {

#ifdef __SANITIZE_ADDRESS__
constexpr int64_t GAP = 8;  // vectors between two buffers, never accessed
#else
constexpr int64_t GAP = 0;
#endif

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
        const int64_t vectors = 6 * GAP + (in_slots + a.y.up) * in_width + widest() + mid_slots * mid_ring_width() + mid_width + 2 * out_width;
        return (size_t(vectors * L) * sizeof(T) + size_t(2 * mid_width) + 63) / 64 * 64;
    }

    void place(char* memory) {
        T* p = reinterpret_cast<T*>(memory);
        auto take = [&](int64_t vectors) {
            T* start = std::exchange(p, p + (vectors + GAP) * L);
#ifdef __SANITIZE_ADDRESS__
            ASAN_POISON_MEMORY_REGION(start + vectors * L, size_t(GAP * L) * sizeof(T));
#endif
            return start;
        };
        in_ring = take(in_slots * in_width);
        nothing = take(widest());
        // Borders stay zero, rows are written between them.
        std::memset(in_ring, 0, size_t(in_slots * in_width * L) * sizeof(T));
        std::memset(nothing, 0, size_t(widest() * L) * sizeof(T));
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
#ifdef __SANITIZE_ADDRESS__
    ASAN_UNPOISON_MEMORY_REGION(memory, tiles[0]->bytes() * size_t(count));
#endif
    for (int64_t i = 0; i < count; i++) tiles[i]->start(memory + size_t(i) * tiles[i]->bytes());
    for (int64_t y = tiles[0]->y0; y < tiles[0]->y1; y += 2)
        for (int64_t i = 0; i < count; i++) tiles[i]->two_rows(y);
    for (int64_t i = 0; i < count; i++) tiles[i]->finish();
    return true;
}

}  // namespace JINC_VARIANT
