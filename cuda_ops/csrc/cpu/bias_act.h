// Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
// bias, leaky ReLU, gain and clamp in one pass over memory.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "jinc_cpu.h"
#include "lanes.h"

namespace JINC_VARIANT {

template <class T> INLINE T activate(T x, T slope, T gain, T clamp) {
    T y = (x < 0 ? x * slope : x) * gain;
    y = y < -clamp ? -clamp : y;
    return y > clamp ? clamp : y;
}

// `clamp` is NaN where there is none: nothing is beyond that.
template <class T> INLINE T derive(T dy, T y, T slope, T gain, T clamp) {
    const T dx = dy * (y > 0 ? gain : slope * gain);
    return (y < 0 ? -y : y) >= clamp ? T(0) : dx;
}

template <class T> static int bias_act(const JincBiasAct* arguments, const JincTeam* team) {
    constexpr int64_t CHUNK = 1 << 14;  // values a unit of work
    struct Work { const JincBiasAct& a; int64_t row, rows, step; };
    const JincBiasAct& a = *arguments;
    // inner > 1: rows of one channel each. inner == 1, channels last: rows of all channels. A gradient is one long row, cut.
    const int64_t row = a.result ? CHUNK : a.inner > 1 ? a.inner : a.c;
    const int64_t rows = a.result ? (a.inner + CHUNK - 1) / CHUNK : a.inner > 1 ? a.outer * a.c : a.outer;
    Work work{a, row, rows, std::max<int64_t>(1, CHUNK / std::max<int64_t>(row, 1))};
    team->run(a.threads, (rows + work.step - 1) / work.step, [](void* shared, int64_t i) {
        const Work& w = *static_cast<Work*>(shared);
        const T slope = T(w.a.slope), gain = T(w.a.gain), clamp = T(w.a.clamp), *bias = static_cast<const T*>(w.a.bias);
        for (int64_t r = i * w.step; r < std::min(w.rows, (i + 1) * w.step); r++) {
            const T* x = static_cast<const T*>(w.a.input) + r * w.row;
            T* y = static_cast<T*>(w.a.output) + r * w.row;
            if (w.a.result) {
                const T* result = static_cast<const T*>(w.a.result) + r * w.row;
                const T bound = std::isinf(clamp) ? std::numeric_limits<T>::quiet_NaN() : clamp;
                const int64_t count = std::min(w.row, w.a.inner - r * w.row);
                for (int64_t k = 0; k < count; k++) y[k] = derive(x[k], result[k], slope, gain, bound);
            } else if (w.a.inner > 1) {
                const T b = bias[r % w.a.c];
                for (int64_t k = 0; k < w.row; k++) y[k] = activate(x[k] + b, slope, gain, clamp);
            } else {
                for (int64_t k = 0; k < w.row; k++) y[k] = activate(x[k] + bias[k], slope, gain, clamp);
            }
        }
    }, &work);
    return 0;
}

}  // namespace JINC_VARIANT
