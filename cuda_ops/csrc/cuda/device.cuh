// Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
// The kernels' vocabulary: numbers as they lie in memory (no header of the toolkit is needed), and arithmetic that
// keeps NaN. With JINC_HOST the same text is C++ for a CPU, where host_shim.h provides the rest of CUDA.
//
// TYPE: 0 float32, 1 float16, 2 bfloat16. Sums are float32 in all of them.
#pragma once

#ifdef JINC_HOST
#include "host_shim.h"
#else
#define DEVICE static __device__ __forceinline__
#define KERNEL extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS)
#define RESTRICT __restrict__
#define DYNAMIC_SHARED extern __shared__ float4 dynamic_shared[]
#endif

typedef long long Long;
typedef unsigned int Word;
typedef unsigned short Bits16;
typedef unsigned char Byte;

#if TYPE == 0
typedef float Number;
DEVICE float load(Number v) { return v; }
DEVICE Number stored(float v) { return v; }
#else
typedef Bits16 Number;
#endif

#if TYPE == 1
#ifdef JINC_HOST
DEVICE float load(Number v) { return half_to_float(v); }
DEVICE Number stored(float v) { return float_to_half(v); }
#else
DEVICE float load(Number v) {
    float f;
    asm("cvt.f32.f16 %0, %1;" : "=f"(f) : "h"(v));
    return f;
}
DEVICE Number stored(float v) {
    Number h;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(h) : "f"(v));
    return h;
}
#endif
#elif TYPE == 2
DEVICE float load(Number v) { return __uint_as_float(Word(v) << 16); }
DEVICE Number stored(float v) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    Number b;
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(b) : "f"(v));
    return b;
#else
    const Word w = __float_as_uint(v);
    if ((w & 0x7fffffffu) > 0x7f800000u) return Number((w >> 16) | 64u);  // NaN stays one
    return Number((w + 0x7fffu + ((w >> 16) & 1u)) >> 16);
#endif
}
#endif

// An address as that of several neighbours, which a GPU takes only if it is aligned to all of them.
template <class T, class U> DEVICE T* wide(U* address) {
#ifdef JINC_HOST
    check_alignment(address, alignof(T));
#endif
    return reinterpret_cast<T*>(address);
}

// Four or eight neighbours at once.
struct alignas(4 * sizeof(Number)) Four { Number v[4]; };
struct alignas(16) Eight { Number v[8]; };

DEVICE constexpr int round_up(int a, int b) { return (a + b - 1) / b * b; }
DEVICE constexpr int larger(int a, int b) { return a > b ? a : b; }
DEVICE constexpr int divisor(int a, int b) { return b == 0 ? a : divisor(b, a % b); }
DEVICE constexpr int multiple(int a, int b) { return a / divisor(a, b) * b; }

DEVICE int floor_div(int a, int b) { return a / b - (a % b < 0); }
DEVICE int ceil_div(int a, int b) { return -floor_div(-a, b); }

// Between -c and c; NaN stays NaN, as everywhere in torch, which min and max by themselves would hide.
DEVICE float limited(float v, float c) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    asm("min.NaN.f32 %0, %0, %1;" : "+f"(v) : "f"(c));
    asm("max.NaN.f32 %0, %0, %1;" : "+f"(v) : "f"(-c));
    return v;
#else
    v = v > c ? c : v;
    return v < -c ? -c : v;
#endif
}

DEVICE float leaky(float v, float slope) { return v < 0 ? v * slope : v; }
