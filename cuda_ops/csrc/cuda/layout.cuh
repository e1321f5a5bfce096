// Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
// One tile of the fused kernel in numbers: what it reads, what it keeps, where that lies in shared memory.
//
// A block makes TILE_H x TILE_W outputs of PLANES channels, CHANNELS in a pass, in these steps, each as many small tasks as
// there are:
//
//   A  input, with a border              -> B  filtered up along x          (a 2-D up-filter has no such step)
//   B  down the columns: up along y, the nonlinearity in registers, down along y   -> C
//   C  down along x                      -> output
//
// so a separable filter's upsampled signal never leaves the registers. A 2-D up-filter goes from A to C in one step. A 2-D
// down-filter cannot: there C holds the upsampled signal, and the last step filters in both directions.
//
// Position s of the upsampled signal in the tile belongs to group (s + OFFSET) / UP, whose UP members read the same inputs:
// group, group + 1, ..., and meet taps UP - 1 - q, 2 UP - 1 - q, ... (q: which member). OFFSET is the same in all tiles.
//
// UP, DOWN, UP_TAPS, DOWN_TAPS, UP_PLANE, DOWN_PLANE: the filters. MODE: see below. OFFSET_X, OFFSET_Y: see above.
// LEAD: first input column of a tile, modulo four. TILE_W, TILE_H, CHANNELS, THREADS, BLOCKS: the tile, the block. LAST:
// channels-last. cuda/tiling.py chooses them.
#pragma once
#include "device.cuh"

constexpr int LINEAR = 0, FORWARD = 1, ENCODE = 2, DECODE = 3;  // as in shapes.py

constexpr bool HAS_CODES = MODE == ENCODE || MODE == DECODE;
constexpr int PLANES = LAST || MODE == ENCODE ? 8 : CHANNELS;  // a byte of codes has eight channels, so has a wide access
static_assert(PLANES % CHANNELS == 0 && 8 % CHANNELS == 0, "passes of the same size");

constexpr int K = (UP_TAPS + UP - 1) / UP;  // inputs that an upsampled value reads, along an axis
constexpr int EXTRA = MODE == ENCODE ? DOWN - 1 : 0;  // codes reach as far beyond the last output's taps
constexpr int MID_W = (TILE_W - 1) * DOWN + DOWN_TAPS + EXTRA, MID_H = (TILE_H - 1) * DOWN + DOWN_TAPS + EXTRA;
static_assert(TILE_W * DOWN % UP == 0 && TILE_H * DOWN % UP == 0, "all tiles need the same offset");

// -- along x: P groups a task ----------------------------------------------------------------------------------------
constexpr int P = UP >= 4 && UP % 2 == 0 ? 2 : 4;
constexpr int GROUPS = round_up((MID_W - 1 + OFFSET_X) / UP + 1, P);
constexpr int IN_W = (MID_W - 1 + OFFSET_X) / UP + K;       // inputs that matter
// Planar images are read four neighbours at a time, so a tile begins up to three columns early, where that is always so many.
constexpr bool ALIGNED = !LAST && TILE_W * DOWN / UP % 4 == 0;
constexpr int SHIFT = ALIGNED ? LEAD : 0;
constexpr int A_READS = round_up(P + K - 1 + SHIFT, P);     // by a task, a few of them not used
constexpr int A_STRIDE = round_up(larger(GROUPS - P + A_READS, IN_W + SHIFT), 4);
constexpr int X = 4;                                        // outputs a task of the last step makes, if separable
constexpr int REACH = round_up((X - 1) * DOWN + DOWN_TAPS + OFFSET_X, 4);
constexpr int C_READS = larger(GROUPS * UP, (TILE_W - X) * DOWN + REACH);
// Rows four words apart modulo eight: neighbouring threads take neighbouring rows, and their 16-byte reads hit all banks.
constexpr int C_STRIDE = round_up(C_READS - 4, 8) + 4;

// -- along y: a column in steps of M upsampled values -----------------------------------------------------------------
constexpr int D = DOWN_PLANE ? 1 : DOWN, D_TAPS = DOWN_PLANE ? 1 : DOWN_TAPS;  // of this step
constexpr int M = multiple(UP, D);
constexpr int OPEN = (D_TAPS + D - 1) / D;                  // outputs that are being summed at any time
// Upsampled values of a task. Where C holds them, tasks are short, and words of codes are not shared.
constexpr int SEGMENT = !DOWN_PLANE ? round_up(larger(MID_H, D * (TILE_H + OPEN - 1)), M)
                        : HAS_CODES ? round_up(32, M) : round_up((MID_H + 2) / 3, M);
constexpr int SEGMENTS = (MID_H + SEGMENT - 1) / SEGMENT;
constexpr int STEPS = SEGMENT / M;
constexpr int ROWS = (M - 1 + OFFSET_Y) / UP + K;           // inputs that a step reads
// So many steps rename registers instead of moving them; a 2-D up-filter's window is wide, and its steps are long.
constexpr int UNROLL = UP_PLANE ? larger(6 / (M / UP), 1) : 6;
constexpr int IN_H = (SEGMENTS * SEGMENT - M) / UP + ROWS;
constexpr int C_ROWS = DOWN_PLANE ? SEGMENTS * SEGMENT : TILE_H;
static_assert(!DOWN_PLANE || DOWN % 2 == 0, "two outputs of a 2-D filter are read from an address aligned to 16 bytes");
static_assert(!HAS_CODES || SEGMENT % 32 == 0 || SEGMENTS == 1, "words of codes belong to one task");

// -- codes: a word holds the bits of 32 values of a column -------------------------------------------------------------
constexpr int WORDS = (SEGMENTS * SEGMENT + 31) / 32;
constexpr int CODES = HAS_CODES ? 2 * PLANES * WORDS * MID_W : 0;

// -- shared memory, in floats -------------------------------------------------------------------------------------------
// Channels-last, A holds all channels, and the outputs of each take its place there until all can be written together.
constexpr int A_PLANE = round_up(larger(IN_H * A_STRIDE, LAST ? TILE_H * TILE_W : 0), 4), OUT_PLANE = A_PLANE;
constexpr int B_PLANE = UP_PLANE ? 0 : IN_H * C_STRIDE, C_PLANE = C_ROWS * C_STRIDE;
constexpr bool REUSED = !LAST && !UP_PLANE;  // C takes the place of A: B lies between them
constexpr int FIRST = REUSED ? CHANNELS * larger(A_PLANE, C_PLANE) : (LAST ? PLANES : CHANNELS) * A_PLANE;
constexpr int SECOND = CHANNELS * B_PLANE, THIRD = REUSED ? 0 : CHANNELS * C_PLANE;
constexpr int UP_COUNT = UP_PLANE ? UP_TAPS * UP_TAPS : UP_TAPS, DOWN_COUNT = DOWN_PLANE ? DOWN_TAPS * DOWN_TAPS : DOWN_TAPS;
constexpr int TAPS = round_up(UP_COUNT, 4) + round_up(DOWN_COUNT, 4) + 4;
constexpr int SHARED_BYTES = 4 * (FIRST + SECOND + THIRD + round_up(CODES, 4) + TAPS);
static_assert(SHARED_BYTES == SHARED, "cuda/tiling.py must compute the same");
