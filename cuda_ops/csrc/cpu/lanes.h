// Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
// Eight channels side by side: the vector that every loop works on. With channels as lanes a filter along x reads whole,
// aligned vectors, neighbouring outputs share their loads, and no phase has to be taken apart.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif

// GCC's vector extensions, which Clang has too.
#define INLINE static inline __attribute__((always_inline))
#define MEMBER inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 64")

namespace JINC_VARIANT {

constexpr int L = 8;

#if defined(__AVX__)
constexpr int NATIVE_BYTES = 32;
#else
constexpr int NATIVE_BYTES = 16;
#endif

template <class T> struct Native { typedef T type __attribute__((vector_size(NATIVE_BYTES))); };
template <class T> constexpr int PARTS = L * int(sizeof(T)) / NATIVE_BYTES;

template <class T> struct alignas(NATIVE_BYTES) Vec {
    typename Native<T>::type part[PARTS<T>];
};

template <class T> INLINE Vec<T> load(const T* p) {
    Vec<T> v;
    std::memcpy(&v, p, sizeof v);
    return v;
}

template <class T> INLINE void store(T* p, const Vec<T>& v) { std::memcpy(p, &v, sizeof v); }

template <class T> INLINE Vec<T> zero() {
    Vec<T> v;
    std::memset(&v, 0, sizeof v);
    return v;
}

template <class T> INLINE Vec<T> operator+(const Vec<T>& a, const Vec<T>& b) {
    Vec<T> v;
    UNROLL for (int i = 0; i < PARTS<T>; i++) v.part[i] = a.part[i] + b.part[i];
    return v;
}

template <class T> INLINE Vec<T> operator*(T a, const Vec<T>& b) {
    Vec<T> v;
    UNROLL for (int i = 0; i < PARTS<T>; i++) v.part[i] = a * b.part[i];
    return v;
}

// acc + a x; contracted to one rounding where the machine can.
template <class T> INLINE void add(Vec<T>& acc, T a, const Vec<T>& x) {
    UNROLL for (int i = 0; i < PARTS<T>; i++) acc.part[i] += a * x.part[i];
}

// Lane by lane; a comparison with NaN is false, so NaN stays NaN.
template <class T> INLINE Vec<T> leaky(const Vec<T>& x, T slope) {
    Vec<T> v;
    UNROLL for (int i = 0; i < PARTS<T>; i++) v.part[i] = x.part[i] < typename Native<T>::type{} ? slope * x.part[i] : x.part[i];
    return v;
}

// The same for 0 < slope <= 1, one instruction less.
template <class T> INLINE Vec<T> leaky_max(const Vec<T>& x, T slope) {
    Vec<T> v;
    UNROLL for (int i = 0; i < PARTS<T>; i++) {
        const auto scaled = slope * x.part[i];
        v.part[i] = x.part[i] > scaled ? x.part[i] : scaled;
    }
    return v;
}

template <class T> INLINE Vec<T> limited(const Vec<T>& x, T limit) {
    typename Native<T>::type most = limit + typename Native<T>::type{}, least = -most;
    Vec<T> v;
    UNROLL for (int i = 0; i < PARTS<T>; i++) {
        auto low = x.part[i] < least ? least : x.part[i];
        v.part[i] = low > most ? most : low;
    }
    return v;
}

// Widens [least, most] to hold x; ignores NaN.
template <class T> INLINE void widen(Vec<T>& least, Vec<T>& most, const Vec<T>& x) {
    UNROLL for (int i = 0; i < PARTS<T>; i++) {
        least.part[i] = x.part[i] < least.part[i] ? x.part[i] : least.part[i];
        most.part[i] = x.part[i] > most.part[i] ? x.part[i] : most.part[i];
    }
}

// One bit a lane, channel 0 lowest: x < 0, or x <= 0 if `or_zero` (slope 0, where zero's derivative is zero too).
template <class T> INLINE uint8_t negative_bits(const Vec<T>& x, bool or_zero) {
    alignas(64) T lane[L];
    store(lane, x);
    unsigned bits = 0;
    UNROLL for (int i = 0; i < L; i++) bits |= unsigned(lane[i] < T(0) || (or_zero && lane[i] == T(0))) << i;
    return uint8_t(bits);
}

template <class T> INLINE uint8_t beyond_bits(const Vec<T>& x, T limit) {
    alignas(64) T lane[L];
    store(lane, x);
    unsigned bits = 0;
    UNROLL for (int i = 0; i < L; i++) bits |= unsigned(lane[i] > limit || lane[i] < -limit) << i;
    return uint8_t(bits);
}

#if defined(__AVX__)
INLINE uint8_t negative_bits(const Vec<float>& x, bool or_zero) {
    const __m256 nought = _mm256_setzero_ps(), v = (__m256)x.part[0];
    return uint8_t(_mm256_movemask_ps(or_zero ? _mm256_cmp_ps(v, nought, _CMP_LE_OQ) : _mm256_cmp_ps(v, nought, _CMP_LT_OQ)));
}

INLINE uint8_t beyond_bits(const Vec<float>& x, float limit) {
    const __m256 size = _mm256_andnot_ps(_mm256_set1_ps(-0.0f), (__m256)x.part[0]);
    return uint8_t(_mm256_movemask_ps(_mm256_cmp_ps(size, _mm256_set1_ps(limit), _CMP_GT_OQ)));
}
#endif

// One factor a lane: 1 where the bit is clear, `other` where it is set.
template <class T> INLINE Vec<T> factors(unsigned bits, T other) {
    alignas(64) T lane[L];
    UNROLL for (int i = 0; i < L; i++) lane[i] = bits >> i & 1 ? other : T(1);
    return load(lane);
}

#if defined(__AVX2__)
INLINE Vec<float> factors(unsigned bits, float other) {
    const __m256i lane = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    const __m256i set = _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32(int(bits)), lane), lane);
    Vec<float> v;
    v.part[0] = (Native<float>::type)_mm256_blendv_ps(_mm256_set1_ps(1), _mm256_set1_ps(other), _mm256_castsi256_ps(set));
    return v;
}
#endif

// Rows of 8 planes to lanes and back: from[lane * stride + i] <-> to[i * L + lane], for i below count and lane below lanes.
template <class T> INLINE void planes_to_lanes(const T* from, int64_t stride, int lanes, int count, const T* bias, T* to) {
    for (int i = 0; i < count; i++)
        for (int lane = 0; lane < lanes; lane++) to[i * L + lane] = from[lane * stride + i] + bias[lane];
}

template <class T> INLINE void lanes_to_planes(const T* from, int count, T* to, int64_t stride, int lanes) {
    for (int lane = 0; lane < lanes; lane++)
        for (int i = 0; i < count; i++) to[lane * stride + i] = from[i * L + lane];
}

typedef float Four __attribute__((vector_size(16)));
#if defined(__clang__)
#define SHUFFLE(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
typedef int FourInts __attribute__((vector_size(16)));
#define SHUFFLE(a, b, i, j, k, l) __builtin_shuffle(a, b, FourInts{i, j, k, l})
#endif

// A 4x4 block, transposed: from[row * from_stride + column] + bias[row] to to[column * to_stride + row].
INLINE void transpose4(const float* from, int64_t from_stride, float* to, int64_t to_stride, const float* bias) {
    Four r[4];
    UNROLL for (int i = 0; i < 4; i++) {
        std::memcpy(&r[i], from + i * from_stride, sizeof r[i]);
        if (bias) r[i] = r[i] + bias[i];
    }
    const Four a = SHUFFLE(r[0], r[1], 0, 4, 1, 5), b = SHUFFLE(r[2], r[3], 0, 4, 1, 5);
    const Four c = SHUFFLE(r[0], r[1], 2, 6, 3, 7), d = SHUFFLE(r[2], r[3], 2, 6, 3, 7);
    r[0] = SHUFFLE(a, b, 0, 1, 4, 5), r[1] = SHUFFLE(a, b, 2, 3, 6, 7);
    r[2] = SHUFFLE(c, d, 0, 1, 4, 5), r[3] = SHUFFLE(c, d, 2, 3, 6, 7);
    UNROLL for (int i = 0; i < 4; i++) std::memcpy(to + i * to_stride, &r[i], sizeof r[i]);
}

INLINE void planes_to_lanes(const float* from, int64_t stride, int lanes, int count, const float* bias, float* to) {
    int done = 0;
    if (lanes == L)
        for (; done + 4 <= count; done += 4) {
            transpose4(from + done, stride, to + done * L, L, bias);
            transpose4(from + done + 4 * stride, stride, to + done * L + 4, L, bias + 4);
        }
    for (int i = done; i < count; i++)
        for (int lane = 0; lane < lanes; lane++) to[i * L + lane] = from[lane * stride + i] + bias[lane];
}

INLINE void lanes_to_planes(const float* from, int count, float* to, int64_t stride, int lanes) {
    int done = 0;
    if (lanes == L)
        for (; done + 4 <= count; done += 4) {
            transpose4(from + done * L, L, to + done, stride, nullptr);
            transpose4(from + done * L + 4, L, to + done + 4 * stride, stride, nullptr);
        }
    for (int lane = 0; lane < lanes; lane++)
        for (int i = done; i < count; i++) to[lane * stride + i] = from[i * L + lane];
}

}  // namespace JINC_VARIANT
