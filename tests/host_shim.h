// Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
// What the kernels in cuda_ops/csrc need of CUDA, on a CPU: a thread for each thread of a block, a barrier, blocks in turn.
#pragma once

#include <barrier>
#include <cstdint>
#include <cstring>
#include <limits>
#include <thread>
#include <utility>
#include <vector>

#define DEVICE static inline
#define KERNEL static void
#define RESTRICT __restrict__
#define DYNAMIC_SHARED float* const dynamic_shared = shared_memory

struct Index { int x; };
static thread_local Index threadIdx, blockIdx;
static Index blockDim, gridDim;
static float* shared_memory;
static std::barrier<>* everybody;

static inline void __syncthreads() { everybody->arrive_and_wait(); }

template <class To, class From> static inline To bits_of(From v) {
    static_assert(sizeof(To) == sizeof(From));
    To to;
    std::memcpy(&to, &v, sizeof to);
    return to;
}
static inline float __uint_as_float(unsigned v) { return bits_of<float>(v); }
static inline unsigned __float_as_uint(float v) { return bits_of<unsigned>(v); }
#if TYPE == 1
static inline float half_to_float(unsigned short v) { return float(bits_of<_Float16>(v)); }
static inline unsigned short float_to_half(float v) { return bits_of<unsigned short>(_Float16(v)); }
#endif

template <class... A, std::size_t... I>
static void call(void (*kernel)(A...), void** arguments, std::index_sequence<I...>) {
    kernel(*static_cast<A*>(arguments[I])...);
}

// As cuLaunchKernel: pointers to the arguments. Shared memory starts as NaN, and must be as large as it was said to be.
template <class... A> static int launch(void (*kernel)(A...), int grid, int threads, int bytes, void** arguments) {
    const std::size_t floats = std::size_t(bytes) / 4, guard = 64;
    std::vector<float> memory(floats + 2 * guard + 4);
    float* start = memory.data();
    while (reinterpret_cast<std::uintptr_t>(start) % 16) start++;
    const float mark = -1234.5f;
    for (std::size_t i = 0; i < guard; i++) start[i] = start[guard + floats + i] = mark;
    shared_memory = start + guard;
    blockDim.x = threads, gridDim.x = grid;
    std::barrier<> barrier(threads);
    everybody = &barrier;
    auto work = [&](int thread) {
        threadIdx.x = thread;
        for (int block = 0; block < grid; block++) {
            barrier.arrive_and_wait();
            if (thread == 0)
                for (std::size_t i = 0; i < floats; i++) shared_memory[i] = std::numeric_limits<float>::quiet_NaN();
            barrier.arrive_and_wait();
            blockIdx.x = block;
            call(kernel, arguments, std::index_sequence_for<A...>());
        }
    };
    std::vector<std::thread> others;
    for (int i = 1; i < threads; i++) others.emplace_back(work, i);
    work(0);
    for (auto& other : others) other.join();
    for (std::size_t i = 0; i < guard; i++)
        if (start[i] != mark || start[guard + floats + i] != mark) return 1;
    return 0;
}

#define EXPORT(kernel) \
    extern "C" __attribute__((visibility("default"))) int launch_##kernel(int grid, int threads, int bytes, void** arguments) { \
        return launch(&kernel, grid, threads, bytes, arguments); \
    }
