// A whole product of any size from the kernels of `dense`: what is packed when, and who computes which part of it.
//
// Columns are cut into groups and k into chunks (multiples of kSumBlock) whose packed b fits the workspace; inside, tasks
// are rectangles of the output. A few rows, or (turned around) a few columns, are multiplied without packing. No cut and no
// turn changes a bit: r stands in c between chunks, and fma(x, w, s) = fma(w, x, s).
#pragma once

#include <algorithm>
#include <cstddef>
#include <type_traits>

#include "division.hpp"
#include "fanin/dense.hpp"
#include "fanin/threads.hpp"
#include "kernels/table.hpp"

namespace fanin::detail {

// What set the numbers below. Measured figures are of float32 with AVX-512, the others are estimates from
// sizes of caches and from the rate of one core, some 50 multiply-adds a nanosecond. No number changes a bit, so that each may
// be tuned alone.

// The largest packed b: 2 MiB of float32 or 4 of float64, a part of the outer cache.
inline constexpr std::size_t kPackedElements = std::size_t{1} << 19;
// The longest chunk of k. Each chunk but the first reads and writes c once more: with 2048 multiply-adds between, that is
// lost in the product. A multiple of kSumBlock, so that a chunk ends where a chain does.
inline constexpr std::size_t kChunkK = 4 * kSumBlock;
// Columns of one task: with a block of k, 512 KiB of packed float32, which stays in the inner cache.
inline constexpr std::size_t kTaskCols = 256;
// Multiply-adds of one task, at most: some milliseconds, since an interrupt is seen between tasks only.
inline constexpr std::size_t kTaskWork = std::size_t{1} << 26;
// Multiply-adds from which threads pay: some 20 us.
inline constexpr std::size_t kParallelWork = std::size_t{1} << 20;
// Elements of a band of whole rows: 128 KiB of z and as many of a in float32, which stay in an inner cache of 1 or 2 MiB
// beside the packed b until they have been measured. The number is no fine one: on one thread (AVX-512, least user time of
// 3 x 10 interleaved runs) a layer of 4096 x 512 -> 512 with relu and both summaries takes 24.8, 24.5, 24.7 and 24.6 ms with
// 2^12, 2^14, 2^15 and 2^18, one of 4096 x 64 -> 512 takes 7.6, 7.6, 7.6 and 7.5 ms.
inline constexpr std::size_t kBandElements = std::size_t{1} << 15;
// Elements of c that stay in the caches until all are there: bands are then made of what is complete, since tasks of whole
// rows each read all of the packed b, which moves back and forth between the threads' caches. Measured: with two threads the
// moments of a layer cost 5 % of it this way and 10 % with bands (commit 352dd0c).
inline constexpr std::size_t kWholeElements = std::size_t{1} << 17;
// Elements that one task packs: 128 KiB of float32, some 10 us, the least that a task should last (threads.hpp).
inline constexpr std::size_t kPackTask = std::size_t{1} << 15;
// The least k of a thin product. Measured on one core of a busy machine (best of 60, n = 256, everything cached), thin over
// packed: one row 0.92 at k = 8, 0.83 at 16, 0.65 at 32; two rows 1.28, 1.07, 0.83. So 16 is about where one and two rows
// break even. Four and eight rows stay behind at this size (1.34 and 1.90 at k = 64). So they do while b fits
// an inner cache (least user time of 60 interleaved runs, n x k = 512 x 512: 0.80 for one row, 0.98 for three, 1.29 for four,
// 1.88 for eight); they break even at 1024 x 1024 (0.56, 0.75, 0.93, 1.25), and win where packing writes all of b to memory
// (4096 x 1024: 0.57, 0.48, 0.56, 0.80). The latter is what kThinRows = 8 of dense_thin.inl is set for.
inline constexpr std::size_t kThinK = 16;
// The least k of a product that is turned for the sake of packing: storing c^T takes the time of some 16 k. Measured likewise,
// turned over not turned: m x n = 32 x 512: 1.00 at k = 64, 0.89 at 128, 0.84 at 256; 64 x 256: 1.09, 1.00, 0.96; 128 x 512:
// 1.11, 1.05 and, at 192, 0.99. So 128 is where the middle one breaks even.
inline constexpr std::size_t kTurnK = 128;
// Elements of b from which many rows read it packed: 4 MiB of float32. Measured (AVX-512, 128 rows), packed over in place: 1.06
// for n = k = 1024, 0.84 for 2000.
inline constexpr std::size_t kInPlaceElements = std::size_t{1} << 20;
// Elements of b that one task of a thin product reads, and from which threads pay: there reading b takes the time. 128 KiB
// and 1 MiB of float32: some 10 us and some 100 us at 10 GB/s.
inline constexpr std::size_t kThinTask = std::size_t{1} << 15, kThinParallel = std::size_t{1} << 18;

// Elements of workspace that product() may use for such a shape, whatever the strides and the instruction set: for b, and
// where k is small for a instead. It grows with m, n and k.
inline std::size_t product_workspace(std::size_t m, std::size_t n, std::size_t k) {
    constexpr std::size_t kMostLanes = 16;
    const auto packed = [](std::size_t rows, std::size_t cols) {
        return cols > kPackedElements ? kPackedElements : std::min(kPackedElements, rows * (cols + kMostLanes - 1));
    };
    return std::max(packed(std::min(k, kChunkK), n), packed(std::min(k, kThinK), m));
}

// The rectangle of c (and what belongs to it of a, b and init) from row i and column j on.
template <class T>
Product<T> part(Product<T> p, std::size_t i, std::size_t m, std::size_t j, std::size_t n) {
    const auto row = static_cast<std::ptrdiff_t>(i), col = static_cast<std::ptrdiff_t>(j);
    p.a.data += row * p.a.row;
    p.b.data += col * p.b.col;
    if (p.init.data != nullptr) p.init.data += row * p.init.row + col * p.init.col;
    p.c.data += row * p.c.row + col * p.c.col;
    p.m = m;
    p.n = n;
    return p;
}

// Chunk [first, first + k) of the sum; from the second on r stands in c.
template <class T>
Product<T> chunk(Product<T> p, std::size_t first, std::size_t k) {
    p.a.data += static_cast<std::ptrdiff_t>(first) * p.a.col;
    p.b.data += static_cast<std::ptrdiff_t>(first) * p.b.row;
    p.k = k;
    if (first != 0) {
        p.init = {.data = p.c.data, .row = p.c.row, .col = p.c.col};
    }
    return p;
}

// c = init where there is nothing to sum (k = 0), on the calling thread.
template <class T>
void copy_init(const Product<T>& p) {
    for (std::size_t i = 0; i < p.m; ++i)
        for (std::size_t j = 0; j < p.n; ++j) {
            const auto row = static_cast<std::ptrdiff_t>(i), col = static_cast<std::ptrdiff_t>(j);
            p.c.data[row * p.c.row + col * p.c.col] =
                p.init.data == nullptr ? T(0) : p.init.data[row * p.init.row + col * p.init.col];
        }
}

// The same sums with the parts of a and b exchanged: c^T = b^T a^T. Each fma(x, w, s) becomes fma(w, x, s), the same bits.
template <class T>
Product<T> turned(const Product<T>& p) {
    const auto turned = [](const auto& operand) {
        return std::decay_t<decltype(operand)>{operand.data, operand.col, operand.row};
    };
    return {.m = p.n,
            .n = p.m,
            .k = p.k,
            .a = turned(p.b),
            .b = turned(p.a),
            .init = turned(p.init),
            .c = turned(p.c),
            .halves = p.halves};
}

// What a product calls with what is complete, on the thread that completed it: finish(i, m, j, n) once for each rectangle
// of c, then rows_done(i, m) once for each band of whole rows. Bands begin at multiples of `band`; 0: none are wanted.
template <class Finish, class RowsDone>
struct Callbacks {
    Finish finish;
    std::size_t band;
    RowsDone rows_done;
    bool turned = false;  // the product computes c^T

    void finish_part(std::size_t i, std::size_t m, std::size_t j, std::size_t n) const {
        turned ? finish(j, n, i, m) : finish(i, m, j, n);
    }
};
template <class Finish, class RowsDone>
Callbacks(Finish, std::size_t, RowsDone) -> Callbacks<Finish, RowsDone>;  // Clang before 17 finds no guide of its own
struct Nothing {
    template <class... Arguments>
    void operator()(Arguments...) const {}
};

// Whether p is multiplied without packing; below kThinK setting up takes longer than it saves.
template <class T>
bool is_thin(const Product<T>& p, const DenseKernels<T>& kernel) {
    return p.m <= kernel.thin_rows && p.b.row == 1 && p.k >= kThinK;
}

// Whether c^T takes less than c: few rows, whole tiles of them, where it lies side by side; few columns where b' then needs no
// packing, or lies side by side, or c^T does; or few rows, where a is the smaller one to pack and b is read where it stands.
template <class T>
bool turning_pays(const Product<T>& p, const DenseKernels<T>& kernel) {
    if (is_thin(p, kernel)) return false;
    if (p.m <= p.n && p.c.row == 1 && p.m % kernel.tile_cols == 0) return true;
    if (p.m <= p.n) return p.b.row == 1 && p.c.col == 1 && 2 * p.m <= p.n && p.m % kernel.lanes == 0 && p.k >= kTurnK;
    if (is_thin(turned(p), kernel)) return true;
    return (p.a.row == 1 || (p.c.row == 1 && p.k < kThinK)) && p.n < kernel.lanes && p.n * ceil_div(p.m, kernel.lanes) < p.m;
}

// rows_done for rows [0, m) of n columns that are complete already: tasks of about kPackTask elements that begin at multiples
// of call.band. Does nothing where no bands are wanted.
template <class C>
void all_rows_done(std::size_t m, std::size_t n, const C& call) {
    if (call.band == 0) return;
    const std::size_t rows = ceil_div(std::max<std::size_t>(kPackTask / std::max<std::size_t>(n, 1), 1), call.band) * call.band;
    fanin::parallel_for(ceil_div(m, rows),
                        [&](std::size_t task) { call.rows_done(task * rows, std::min(rows, m - task * rows)); });
}

// A product for which is_thin() holds, in tasks of whole columns; a sum is never divided. b is read once and never packed.
// Calls finish_part for each task; bands are the caller's.
template <class T, class C>
void thin_product(const Product<T>& p, const DenseKernels<T>& kernel, const C& call) {
    const bool parallel = p.n * p.k >= kThinParallel;
    const std::size_t unit = 4 * kernel.lanes, cols = parallel ? ceil_div(ceil_div(kThinTask, p.k), unit) * unit : p.n;
    fanin::parallel_for(ceil_div(p.n, cols), [&](std::size_t task) {
        const std::size_t j = task * cols, n = std::min(cols, p.n - j);
        kernel.multiply_thin(part(p, 0, p.m, j, n));
        call.finish_part(0, p.m, j, n);
    });
}

// [begin, end) of piece `index` of `pieces`: units (the last one cut at `size`) dealt out evenly, since one unit more on one
// thread is what the others then wait for.
struct Piece {
    std::size_t begin, end;
    Piece(std::size_t first, std::size_t last) : begin(first), end(last) {}
    Piece(std::size_t index, std::size_t pieces, std::size_t unit, std::size_t size) {
        const std::size_t units = ceil_div(size, unit);
        begin = std::min(index * units / pieces * unit, size);
        end = std::min((index + 1) * units / pieces * unit, size);
    }
    std::size_t size() const { return end - begin; }
};

// One group of columns and one chunk of k: what compute_chunk() is given.
template <class T>
struct Chunk {
    Product<T> product;
    const T* packed;        // its b as the kernel packs it; null: b is read in place, and b.col is 1
    std::size_t first_col;  // of the group, in the whole c
    bool last_k;            // c is complete after this chunk
    bool last_group;        // and with it the rows, since the groups before it are
};

// Computes one chunk in tasks that are rectangles of its c, cut at multiples of the register tile, each with all of the
// chunk's k: no sum is divided. After the last chunk of k it calls finish_part for each rectangle, and after the last group,
// where bands are wanted, rows_done. product() calls it, chunk after chunk, since r stands in c between them.
template <class T, class C>
void compute_chunk(const Chunk<T>& chunk, const DenseKernels<T>& kernel, const C& call) {
    const Product<T>& p = chunk.product;
    const auto compute = [&](const Piece& i, const Piece& j) {
        kernel.multiply(part(p, i.begin, i.size(), j.begin, j.size()),
                        chunk.packed == nullptr ? nullptr : chunk.packed + j.begin * p.k);
        if (chunk.last_k) call.finish_part(i.begin, i.size(), chunk.first_col + j.begin, j.size());
    };
    const std::size_t work = p.m * p.n * p.k;
    const bool bands = call.band != 0 && chunk.last_k && chunk.last_group;
    // Columns first; rows so that no task is long and each thread has at least four; where there are too few rows for
    // that, columns again. Where bands of rows are wanted, one task takes all columns of its rows.
    const bool parallel = work >= kParallelWork || (p.m <= kernel.thin_rows && p.n * p.k >= kThinParallel);
    if (!parallel) {
        compute({0, p.m}, {0, p.n});
        if (bands) call.rows_done(0, p.m);
        return;
    }
    const std::size_t threads = num_threads(), unit = bands ? call.band : kernel.tile_rows;
    std::size_t across = ceil_div(p.n, kTaskCols);
    const std::size_t beside = bands ? 1 : across;
    std::size_t down = std::max(ceil_div(work, beside * kTaskWork), ceil_div(4 * threads, beside));
    if (bands) down = std::max(down, ceil_div(p.m * p.n, kBandElements));
    down = std::min(down, ceil_div(p.m, unit));
    if (!bands && threads > 1)
        across = std::max(across, std::min(ceil_div(p.n, kernel.tile_cols), ceil_div(2 * threads, down)));
    const std::size_t tasks_across = bands ? 1 : across;
    fanin::parallel_for(tasks_across * down, [&](std::size_t task) {
        const Piece i(task / tasks_across, down, unit, p.m);
        if (!bands) return compute(i, Piece(task % across, across, kernel.tile_cols, p.n));
        for (std::size_t q = 0; q < across; ++q) compute(i, Piece(q, across, kernel.tile_cols, p.n));
        call.rows_done(i.begin, i.size());
    });
}

// Packs p.b (p.k rows, p.n columns) into `to`, in tasks of whole panels; k * (n rounded up to lanes) elements are written.
// product() calls it before compute_chunk() reads them.
template <class T>
void pack_chunk(const Product<T>& p, T* to, const DenseKernels<T>& kernel) {
    const bool parallel = p.m * p.n * p.k >= kParallelWork;
    const std::size_t unit = kernel.tile_cols, cols = parallel ? std::max<std::size_t>(kPackTask / p.k / unit, 1) * unit : p.n;
    fanin::parallel_for(ceil_div(p.n, cols), [&](std::size_t task) {
        const std::size_t j = task * cols;
        kernel.pack(p.k, std::min(cols, p.n - j), p.b.data + static_cast<std::ptrdiff_t>(j) * p.b.col, p.b.row, p.b.col,
                    to + j * p.k);
    });
}

// Computes p. `packed` is the whole of b as the kernel packs it, or null: then it is packed into `workspace`, as far as that
// pays.
template <class T, class C>
void product(const Product<T>& p, const DenseKernels<T>& kernel, const std::type_identity_t<T>* packed, T* workspace,
             const C& call) {
    if (p.m == 0 || p.n == 0) return;
    if (p.k == 0) {
        copy_init(p);
        call.finish_part(0, p.m, 0, p.n);
        return all_rows_done(p.m, p.n, call);
    }
    if (call.band != 0 && p.m * p.n <= kWholeElements) {
        C without = call;
        without.band = 0;
        product<T>(p, kernel, packed, workspace, without);
        return all_rows_done(p.m, p.n, call);
    }
    if (packed != nullptr) {
        const Chunk<T> whole{.product = p, .packed = packed, .first_col = 0, .last_k = true, .last_group = true};
        return compute_chunk(whole, kernel, call);
    }
    if (!call.turned && turning_pays(p, kernel)) {
        C turned_call = call;
        turned_call.turned = true;
        turned_call.band = 0;
        product<T>(turned(p), kernel, nullptr, workspace, turned_call);
        return all_rows_done(p.m, p.n, call);
    }
    if (is_thin(p, kernel)) {
        thin_product(p, kernel, call);
        return all_rows_done(p.m, p.n, call);
    }
    // Packing pays from the second row tile on; where columns are neighbours, later, but for a b that leaves the caches.
    const bool few = p.m <= 3 * kernel.tile_rows || (p.m <= kernel.in_place_rows && p.n * p.k <= kInPlaceElements);
    const bool in_place = p.b.col == 1 && few;
    const std::size_t chunk_k = std::min(p.k, kChunkK);
    std::size_t group = p.n;
    if (chunk_k * (p.n + kernel.lanes) > kPackedElements)
        group = std::min(p.n, kPackedElements / chunk_k / kernel.tile_cols * kernel.tile_cols);
    for (std::size_t first_col = 0; first_col < p.n; first_col += group) {
        const std::size_t cols = std::min(group, p.n - first_col);
        for (std::size_t first_k = 0; first_k < p.k; first_k += chunk_k) {
            const std::size_t k = std::min(chunk_k, p.k - first_k);
            const Chunk<T> now{.product = chunk(part(p, 0, p.m, first_col, cols), first_k, k),
                               .packed = in_place ? nullptr : workspace,
                               .first_col = first_col,
                               .last_k = first_k + k == p.k,
                               .last_group = first_col + cols == p.n};
            if (!in_place) pack_chunk(now.product, workspace, kernel);
            compute_chunk(now, kernel, call);
        }
    }
}

}  // namespace fanin::detail
