// Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
// The kernels for one instruction set: compiled once for each, with JINC_VARIANT as its name. library.cpp chooses.
#include "bias_act.h"
#include "filter.h"
#include "scale.h"
#include "winograd.h"

namespace JINC_VARIANT {

template <class T, int MODE> static int filter(const JincFilter* a, const JincTeam* team) {
    Call<T, MODE> call(*a);
    T* taps = static_cast<T*>(std::malloc(call.tap_room() * sizeof(T)));
    if (!taps) return 1;
    call.prepare(taps);
    team->run(a->threads, call.count(), [](void* shared, int64_t i) {
        static thread_local Arena arena;
        auto& c = *static_cast<Call<T, MODE>*>(shared);
        if (!run_tile(c, i, arena)) c.failed = true;
    }, &call);
    std::free(taps);
    return call.failed ? 1 : 0;
}

template <class T> static int filter(const JincFilter* a, const JincTeam* team) {
    switch (a->mode) {
        case JINC_LINEAR: return filter<T, JINC_LINEAR>(a, team);
        case JINC_FORWARD: return filter<T, JINC_FORWARD>(a, team);
        case JINC_ENCODE: return filter<T, JINC_ENCODE>(a, team);
        default: return filter<T, JINC_DECODE>(a, team);
    }
}

static int filter(const JincFilter* a, const JincTeam* team) { return a->is_double ? filter<double>(a, team) : filter<float>(a, team); }

static int bias_act(const JincBiasAct* a, const JincTeam* team) {
    return a->is_double ? bias_act<double>(a, team) : bias_act<float>(a, team);
}

}  // namespace JINC_VARIANT

#define JOIN(a, b) a##b
#define NAME(variant) JOIN(jinc_kernels_, variant)
#define TEXT(a) #a
#define AS_TEXT(a) TEXT(a)

const JincKernels* NAME(JINC_VARIANT)() {
    using namespace JINC_VARIANT;
    static const JincKernels kernels = {AS_TEXT(JINC_VARIANT), filter, bias_act, winograd, scale};
    return &kernels;
}
