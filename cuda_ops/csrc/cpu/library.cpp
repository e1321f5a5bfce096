// Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
// The C ABI: chooses the best build of the kernels for this machine, and spreads work over threads.
#include <atomic>
#include <cstddef>
#include <cstring>
#include <thread>
#include <vector>

#include "jinc_cpu.h"

#if defined(_WIN32)
#define EXPORT extern "C" __declspec(dllexport)
#else
#define EXPORT extern "C" __attribute__((visibility("default")))
#endif

const JincKernels* jinc_kernels_baseline();
#ifdef JINC_HAVE_AVX2
const JincKernels* jinc_kernels_avx2();
#endif
#ifdef JINC_HAVE_AVX512
const JincKernels* jinc_kernels_avx512();
#endif

namespace {

// Best first; those that this machine cannot run are passed over.
const JincKernels* best(const char* wanted) {
    const JincKernels* found[3] = {};
    int count = 0;
#ifdef JINC_HAVE_AVX512
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma"))
        found[count++] = jinc_kernels_avx512();
#endif
#ifdef JINC_HAVE_AVX2
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) found[count++] = jinc_kernels_avx2();
#endif
    found[count++] = jinc_kernels_baseline();
    for (int i = 0; i < count; i++)
        if (!wanted || std::strcmp(found[i]->name, wanted) == 0) return found[i];
    return nullptr;
}

std::atomic<const JincKernels*> chosen{best(nullptr)};

// GOMP_parallel(function, data, threads, flags), of the OpenMP library that torch has loaded.
using GompParallel = void (*)(void (*)(void*), void*, unsigned, unsigned);
std::atomic<GompParallel> team_of_torch{nullptr};

struct Share {
    int64_t count;
    void (*work)(void*, int64_t);
    void* arg;
    std::atomic<int64_t> next{0};
};

void take_part(void* shared) {
    Share& s = *static_cast<Share*>(shared);
    for (int64_t i; (i = s.next.fetch_add(1)) < s.count;) s.work(s.arg, i);
}

void run(int threads, int64_t count, void (*work)(void*, int64_t), void* arg) {
    Share share{count, work, arg};
    if (threads > count) threads = int(count);
    if (threads <= 1) return take_part(&share);
    // torch's own threads: they spin after each convolution, and a second pool would compete with them.
    if (GompParallel parallel = team_of_torch) return parallel(take_part, &share, unsigned(threads), 0);
    std::vector<std::thread> others;
    try {
        for (int i = 1; i < threads; i++) others.emplace_back(take_part, &share);
    } catch (...) {  // no more threads can be started: those that run do the work
    }
    take_part(&share);
    for (auto& thread : others) thread.join();
}

const JincTeam team = {run};

}  // namespace

EXPORT int jinc_abi(void) { return JINC_ABI; }
EXPORT const char* jinc_variant(void) { return chosen.load()->name; }

// Another variant than the best; returns 0, and changes nothing, where it cannot run.
EXPORT int jinc_use_variant(const char* name) {
    const JincKernels* wanted = best(name);
    if (wanted) chosen = wanted;
    return wanted != nullptr;
}

EXPORT void jinc_use_team(void* gomp_parallel) { team_of_torch = reinterpret_cast<GompParallel>(gomp_parallel); }
EXPORT int jinc_filter(const JincFilter* arguments) { return chosen.load()->filter(arguments, &team); }
EXPORT int jinc_bias_act(const JincBiasAct* arguments) { return chosen.load()->bias_act(arguments, &team); }
EXPORT int jinc_winograd(const JincWinograd* arguments) { return chosen.load()->winograd(arguments, &team); }
EXPORT int jinc_scale(const JincScale* arguments) { return chosen.load()->scale(arguments, &team); }
