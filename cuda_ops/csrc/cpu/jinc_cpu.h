// Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
// The C interface of the CPU kernels: raw pointers and sizes, no torch and no Python. cuda_ops/cpu/bindings.py mirrors the structs.
#pragma once

#include <cstdint>

#define JINC_ABI 3

// Operation on each value of the upsampled signal; as in shapes.py.
enum JincMode : int32_t {
    JINC_LINEAR = 0,   // nothing: plain resampling
    JINC_FORWARD = 1,  // leaky ReLU and clamp
    JINC_ENCODE = 2,   // the same, and its two bits are stored
    JINC_DECODE = 3,   // multiplied by the derivative that stored bits stand for
};

// One axis: pad, upsample by zero insertion, filter; [the middle signal]; pad, filter, decimate. Negative padding crops.
struct JincAxis {
    int64_t in, mid, out;                   // samples
    int32_t up, down, up_taps, down_taps;
    int32_t pad_up, pad_down;               // before the first sample
    const void* up_filter;                  // [up_taps]; unused with a 2-D filter
    const void* down_filter;                // [down_taps]
};

// y = D(f(U(x + bias))), all of [n, c, h, w] in one pass.
struct JincFilter {
    JincAxis x, y;
    const void* up_filter_2d;    // [y.up_taps][x.up_taps], or null: separable
    const void* down_filter_2d;  // [y.down_taps][x.down_taps], or null
    const void* input;
    void* output;
    const void* bias;            // [c] or null
    uint8_t* codes;              // [n, 2 ceil(c / 8), y.mid, x.mid]: per 8 channels a plane of sign bits, one of clamp bits
    int64_t n, c;
    int32_t channels_last;       // of input and output
    int32_t mode;
    double gain;                 // of the upsampling
    double slope, clamp;         // clamp is infinite where there is none
    int32_t convolve;            // 1: filters are flipped, 0: correlated as they are
    int32_t is_double, threads;
};

// y = clamp(gain act(x + bias)) over [outer, c, inner], act being leaky ReLU (slope 1: linear). With `result`, the y of
// such a call, instead the gradient: input times the derivative there; bias is not read.
struct JincBiasAct {
    const void* input;
    void* output;
    const void* bias;
    const void* result;
    int64_t outer, c, inner;
    double slope, gain, clamp;
    int32_t is_double, threads;
};

// What a pass of Winograd's convolution does (winograd.h).
enum JincWinogradPass : int32_t {
    JINC_READ_INPUT = 0,     // B^T d B of the 6x6 pixels that a tile reads
    JINC_WRITE_OUTPUT = 1,   // A^T m A, to the tile's 4x4 pixels
    JINC_READ_GRADIENT = 2,  // A y A^T of the tile's 4x4 pixels, what the gradient of the weights takes
};

// A range of the 4x4 tiles of channels-last images, numbered row by row, image by image, from or to `tiles`: [36][count][c].
struct JincWinograd {
    float* images;                             // [n][height][width][c]
    float* tiles;
    int64_t c, height, width;                  // c is at least 16
    int64_t columns, in_image, first, count;   // tiles in a row of them, in an image, the first one, how many
    int64_t padding;                           // zeros around an image that is read
    int32_t pass, threads;
};

// output = input * factors over channels-last images [n][pixels][c], factors [n][c]. With `other`, also the sums of
// input * other over the pixels of each of the `bands` parts of an image: sums [n][bands][c].
struct JincScale {
    const float* input;
    const float* other;    // like input, or null
    const float* factors;
    float* output;
    float* sums;
    int64_t n, pixels, c, bands;
    int32_t threads;
};

// Runs work(arg, i) for every i below count, each exactly once, on any thread.
struct JincTeam {
    void (*run)(int threads, int64_t count, void (*work)(void*, int64_t), void* arg);
};

// What every instruction set's build of kernels.cpp provides. 0: done; 1: out of memory.
struct JincKernels {
    const char* name;
    int (*filter)(const JincFilter*, const JincTeam*);
    int (*bias_act)(const JincBiasAct*, const JincTeam*);
    int (*winograd)(const JincWinograd*, const JincTeam*);
    int (*scale)(const JincScale*, const JincTeam*);
};
