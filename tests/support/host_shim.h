// Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
// What the kernels in cuda_ops/csrc need of CUDA, on a CPU: a thread for each thread of a block, a barrier, blocks in turn.
// The threads are made by host_runtime.cpp, which is compiled once: the standard library's headers take longer than we do.
#pragma once

#include <utility>

#define DEVICE static inline
#define KERNEL static void
#define RESTRICT __restrict__
#define DYNAMIC_SHARED float* const dynamic_shared = shared_memory

struct Index { int x; };
extern thread_local Index threadIdx, blockIdx;
extern Index blockDim, gridDim;
extern float* shared_memory;
void __syncthreads();
void check_alignment(const void* address, std::size_t alignment);
int run(void (*block)(void**), int grid, int threads, int bytes, void** arguments);

template <class To, class From> static inline To bits_of(From v) {
    static_assert(sizeof(To) == sizeof(From));
    To to;
    __builtin_memcpy(&to, &v, sizeof to);
    return to;
}
static inline float __uint_as_float(unsigned v) { return bits_of<float>(v); }
static inline unsigned __float_as_uint(float v) { return bits_of<unsigned>(v); }
#if TYPE == 1
static inline float half_to_float(unsigned short v) { return float(bits_of<_Float16>(v)); }
static inline unsigned short float_to_half(float v) { return bits_of<unsigned short>(_Float16(v)); }
#endif

// A kernel called with pointers to its arguments, as cuLaunchKernel takes them.
template <class... A, std::size_t... I>
static void call(void (*kernel)(A...), void** arguments, std::index_sequence<I...>) {
    kernel(*static_cast<A*>(arguments[I])...);
}
template <class... A> static void call(void (*kernel)(A...), void** arguments) {
    call(kernel, arguments, std::index_sequence_for<A...>());
}

#define EXPORT(kernel) \
    extern "C" __attribute__((visibility("default"))) int launch_##kernel(int grid, int threads, int bytes, void** arguments) { \
        return run([](void** given) { call(&kernel, given); }, grid, threads, bytes, arguments); \
    }
