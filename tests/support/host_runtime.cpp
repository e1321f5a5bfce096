// Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
// The threads and the shared memory of host_shim.h.
#include <atomic>
#include <barrier>
#include <cstdint>
#include <limits>
#include <thread>
#include <vector>

struct Index { int x; };
thread_local Index threadIdx, blockIdx;
Index blockDim, gridDim;
float* shared_memory;
static std::barrier<>* everybody;

static std::atomic<bool> misaligned;

void check_alignment(const void* address, std::size_t alignment) {
    if (reinterpret_cast<std::uintptr_t>(address) % alignment) misaligned = true;
}

void __syncthreads() { everybody->arrive_and_wait(); }

// 1 if a block wrote beyond the shared memory that it was said to need, 2 if it used an address that no GPU would take. That
// memory starts as NaN in each block.
int run(void (*block)(void**), int grid, int threads, int bytes, void** arguments) {
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
    misaligned = false;
    const auto work = [&](int thread) {
        threadIdx.x = thread;
        for (int index = 0; index < grid; index++) {
            barrier.arrive_and_wait();
            if (thread == 0)
                for (std::size_t i = 0; i < floats; i++) shared_memory[i] = std::numeric_limits<float>::quiet_NaN();
            barrier.arrive_and_wait();
            blockIdx.x = index;
            block(arguments);
        }
    };
    std::vector<std::thread> others;
    for (int i = 1; i < threads; i++) others.emplace_back(work, i);
    work(0);
    for (auto& other : others) other.join();
    for (std::size_t i = 0; i < guard; i++)
        if (start[i] != mark || start[guard + floats + i] != mark) return 1;
    return misaligned ? 2 : 0;
}
