// A whole product of any size from the kernels of `dense`: what is packed when, and who computes which part of it.
//
// Columns are cut into groups and k into chunks (multiples of kSumBlock) whose packed b fits the workspace; inside, tasks
// are rectangles of the output. No cut changes a bit: r stands in c between chunks.
#pragma once

#include <algorithm>
#include <cstddef>

#include "fanin/dense.hpp"
#include "fanin/threads.hpp"
#include "kernels/table.hpp"

namespace fanin::detail {

// The largest packed b: 2 or 4 MiB, a part of the outer cache.
inline constexpr std::size_t kPackedElements = std::size_t{1} << 19;
// The longest chunk of k.
inline constexpr std::size_t kChunkK = 4 * kSumBlock;
// Columns of one task: with a block of k, 512 KiB of packed float32, which stays in the inner cache.
inline constexpr std::size_t kTaskCols = 256;
// Multiply-adds of one task, at most: some milliseconds.
inline constexpr std::size_t kTaskWork = std::size_t{1} << 26;
// Multiply-adds from which threads pay: some 20 us.
inline constexpr std::size_t kParallelWork = std::size_t{1} << 20;
// Elements that one task packs.
inline constexpr std::size_t kPackTask = std::size_t{1} << 15;

inline std::size_t ceil_div(std::size_t a, std::size_t b) { return (a + b - 1) / b; }

template <class T>
struct ProductPlan {
    bool in_place;               // b is read where it stands
    std::size_t chunk_k, group;  // of the packed part
};

template <class T>
ProductPlan<T> product_plan(const Product<T>& p) {
    const DenseKernels<T>& kernel = kernels<T>().dense;
    // Packing pays from the second row tile on; where columns are neighbours, from the fourth or so.
    const bool in_place = p.b_col == 1 && p.m <= 3 * kernel.tile_rows;
    const std::size_t chunk_k = std::min(p.k, kChunkK);
    if (chunk_k * (p.n + kernel.lanes) <= kPackedElements) return {in_place, chunk_k, p.n};
    const std::size_t fits = kPackedElements / chunk_k / kernel.tile_cols * kernel.tile_cols;
    return {in_place, chunk_k, std::min(p.n, fits)};
}

// Elements of workspace that product() may use for such a shape, whatever the strides and the instruction set. It grows
// with n and with k.
inline std::size_t product_workspace(std::size_t n, std::size_t k) {
    constexpr std::size_t kMostLanes = 16;
    const std::size_t rows = std::min(k, kChunkK);
    return n > kPackedElements ? kPackedElements : std::min(kPackedElements, rows * (n + kMostLanes - 1));
}

// The rectangle of c (and what belongs to it of a, b and init) from row i and column j on.
template <class T>
Product<T> part(Product<T> p, std::size_t i, std::size_t m, std::size_t j, std::size_t n) {
    const auto row = static_cast<std::ptrdiff_t>(i), col = static_cast<std::ptrdiff_t>(j);
    p.a += row * p.a_row;
    p.b += col * p.b_col;
    if (p.init != nullptr) p.init += row * p.init_row + col * p.init_col;
    p.c += row * p.c_row + col * p.c_col;
    p.m = m;
    p.n = n;
    return p;
}

// Chunk [first, first + k) of the sum; from the second on r stands in c.
template <class T>
Product<T> chunk(Product<T> p, std::size_t first, std::size_t k) {
    p.a += static_cast<std::ptrdiff_t>(first) * p.a_k;
    p.b += static_cast<std::ptrdiff_t>(first) * p.b_k;
    p.k = k;
    if (first != 0) {
        p.init = p.c;
        p.init_row = p.c_row;
        p.init_col = p.c_col;
    }
    return p;
}

// r = init where there is nothing to sum.
template <class T>
void copy_init(const Product<T>& p) {
    for (std::size_t i = 0; i < p.m; ++i)
        for (std::size_t j = 0; j < p.n; ++j) {
            const auto row = static_cast<std::ptrdiff_t>(i), col = static_cast<std::ptrdiff_t>(j);
            p.c[row * p.c_row + col * p.c_col] = p.init == nullptr ? T(0) : p.init[row * p.init_row + col * p.init_col];
        }
}

// Computes p; calls finish(i, m, j, n) once for each rectangle of c that is complete, on the thread that wrote it.
template <class T, class Finish>
void product(const Product<T>& p, T* workspace, Finish&& finish) {
    const DenseKernels<T>& kernel = kernels<T>().dense;
    if (p.m == 0 || p.n == 0) return;
    if (p.k == 0) {
        copy_init(p);
        finish(std::size_t{0}, p.m, std::size_t{0}, p.n);
        return;
    }
    const ProductPlan<T> plan = product_plan(p);
    for (std::size_t first_col = 0; first_col < p.n; first_col += plan.group) {
        const std::size_t group = std::min(plan.group, p.n - first_col);
        for (std::size_t first_k = 0; first_k < p.k; first_k += plan.chunk_k) {
            const std::size_t k = std::min(plan.chunk_k, p.k - first_k);
            const Product<T> now = chunk(part(p, 0, p.m, first_col, group), first_k, k);
            const bool last = first_k + k == p.k;
            const std::size_t work = p.m * group * k;
            const bool parallel = work >= kParallelWork;

            if (!plan.in_place) {
                auto pack = [&](std::size_t j, std::size_t n) {
                    kernel.pack(k, n, now.b + static_cast<std::ptrdiff_t>(j) * now.b_col, now.b_k, now.b_col,
                                workspace + j * k);
                };
                const std::size_t cols = std::max<std::size_t>(kPackTask / k / kernel.tile_cols, 1) * kernel.tile_cols;
                if (parallel)
                    fanin::parallel_for(ceil_div(group, cols),
                                        [&](std::size_t task) { pack(task * cols, std::min(cols, group - task * cols)); });
                else pack(0, group);
            }

            auto compute = [&](std::size_t i, std::size_t m, std::size_t j, std::size_t n) {
                kernel.multiply(part(now, i, m, j, n), plan.in_place ? nullptr : workspace + j * k);
                if (last) finish(i, m, first_col + j, n);
            };
            if (!parallel) {
                compute(0, p.m, 0, group);
                continue;
            }
            // Columns first; rows so that no task is long and each thread has at least two. Both are dealt out evenly in
            // whole tiles: one tile more on one thread is what the others then wait for.
            const std::size_t across = ceil_div(group, kTaskCols);
            const std::size_t tiles = ceil_div(p.m, kernel.tile_rows), panels = ceil_div(group, kernel.tile_cols);
            const std::size_t wanted = std::max(ceil_div(work, across * kTaskWork), ceil_div(2 * num_threads(), across));
            const std::size_t down = std::min(tiles, wanted);
            fanin::parallel_for(across * down, [&](std::size_t task) {
                const auto edge = [](std::size_t index, std::size_t of, std::size_t units, std::size_t unit, std::size_t end) {
                    return std::min(index * units / of * unit, end);
                };
                const std::size_t r = task / across, q = task % across;
                const std::size_t i = edge(r, down, tiles, kernel.tile_rows, p.m),
                                  j = edge(q, across, panels, kernel.tile_cols, group);
                compute(i, edge(r + 1, down, tiles, kernel.tile_rows, p.m) - i, j,
                        edge(q + 1, across, panels, kernel.tile_cols, group) - j);
            });
        }
    }
}

}  // namespace fanin::detail
