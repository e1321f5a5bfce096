// Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
// Channels times factors, and for the gradient the factors' own sums in the same pass over memory.
#pragma once

#include "jinc_cpu.h"
#include "lanes.h"

namespace JINC_VARIANT {

// H x 8 channels of a band of pixels; `at` is the first pixel's first channel.
template <int H> INLINE void scale_block(const JincScale& a, int64_t at, int64_t count, const float* factors, float* sums) {
    typename Native<float>::type f[H][PARTS<float>];
    Vec<float> sum[H];
    UNROLL for (int h = 0; h < H; h++) {
        const Vec<float> v = load(factors + h * L);
        UNROLL for (int i = 0; i < PARTS<float>; i++) f[h][i] = v.part[i];
        sum[h] = zero<float>();
    }
    for (int64_t p = 0; p < count; p++, at += a.c)
        UNROLL for (int h = 0; h < H; h++) {
            const Vec<float> x = load(a.input + at + h * L);
            Vec<float> y;
            UNROLL for (int i = 0; i < PARTS<float>; i++) y.part[i] = x.part[i] * f[h][i];
            store(a.output + at + h * L, y);
            if (!a.other) continue;
            const Vec<float> o = load(a.other + at + h * L);
            UNROLL for (int i = 0; i < PARTS<float>; i++) sum[h].part[i] += x.part[i] * o.part[i];
        }
    if (a.other) UNROLL for (int h = 0; h < H; h++) store(sums + h * L, sum[h]);
}

static int scale(const JincScale* arguments, const JincTeam* team) {
    team->run(arguments->threads, arguments->n * arguments->bands, [](void* shared, int64_t unit) {
        const JincScale& a = *static_cast<const JincScale*>(shared);
        const int64_t n = unit / a.bands, band = unit % a.bands;
        const int64_t first = a.pixels * band / a.bands, count = a.pixels * (band + 1) / a.bands - first;
        const int64_t at = (n * a.pixels + first) * a.c;
        const float* factors = a.factors + n * a.c;
        float* sums = a.sums + unit * a.c;
        int64_t c = 0;
        for (; c + 2 * L <= a.c; c += 2 * L) scale_block<2>(a, at + c, count, factors + c, sums + c);
        for (; c + L <= a.c; c += L) scale_block<1>(a, at + c, count, factors + c, sums + c);
        for (; c < a.c; c++) {
            float sum = 0;
            for (int64_t i = at + c; i < at + c + count * a.c; i += a.c) {
                a.output[i] = a.input[i] * factors[c];
                if (a.other) sum += a.input[i] * a.other[i];
            }
            if (a.other) sums[c] = sum;
        }
    }, const_cast<JincScale*>(arguments));
    return 0;
}

}  // namespace JINC_VARIANT
