// Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
// Channels times factors, and for the gradient the factors' own sums in the same pass over memory.
#pragma once

#include <cstring>

#include "jinc_cpu.h"
#include "lanes.h"

namespace JINC_VARIANT {

constexpr int64_t PIXELS = 4;  // at a time, pixel after pixel as they lie in memory: sums stay in the first cache

// PIXELS or single pixels of all channels; SUMS: with sums over them.
template <int COUNT, bool SUMS>
INLINE void scale_pixels(const float* __restrict x, const float* __restrict other, const float* __restrict factors, float* __restrict y,
                         float* __restrict sums, int64_t channels) {
    for (int64_t c = 0; c < channels; c++) {
        const float f = factors[c];
        float sum = SUMS ? sums[c] : 0;
        UNROLL for (int k = 0; k < COUNT; k++) {
            const float value = x[k * channels + c];
            y[k * channels + c] = value * f;
            if (SUMS) sum += value * other[k * channels + c];
        }
        if (SUMS) sums[c] = sum;
    }
}

template <bool SUMS> INLINE void scale_band(const JincScale& a, int64_t at, int64_t count, const float* factors, float* sums) {
    const float* other = SUMS ? a.other + at : nullptr;
    if (SUMS) std::memset(sums, 0, size_t(a.c) * sizeof(float));
    int64_t p = 0;
    for (; p + PIXELS <= count; p += PIXELS)
        scale_pixels<PIXELS, SUMS>(a.input + at + p * a.c, SUMS ? other + p * a.c : nullptr, factors, a.output + at + p * a.c, sums, a.c);
    for (; p < count; p++)
        scale_pixels<1, SUMS>(a.input + at + p * a.c, SUMS ? other + p * a.c : nullptr, factors, a.output + at + p * a.c, sums, a.c);
}

static int scale(const JincScale* arguments, const JincTeam* team) {
    team->run(arguments->threads, arguments->n * arguments->bands, [](void* shared, int64_t unit) {
        const JincScale& a = *static_cast<const JincScale*>(shared);
        const int64_t n = unit / a.bands, band = unit % a.bands;
        const int64_t first = a.pixels * band / a.bands, count = a.pixels * (band + 1) / a.bands - first;
        const int64_t at = (n * a.pixels + first) * a.c;
        const float* factors = a.factors + n * a.c;
        if (a.other) scale_band<true>(a, at, count, factors, a.sums + unit * a.c);
        else scale_band<false>(a, at, count, factors, nullptr);
    }, const_cast<JincScale*>(arguments));
    return 0;
}

}  // namespace JINC_VARIANT
