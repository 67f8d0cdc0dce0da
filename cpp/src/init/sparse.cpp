// The zeros of the sparse law: which rows of a column, and writing them.
#include "sparse.hpp"

#include <algorithm>
#include <utility>

#include "division.hpp"
#include "fanin/float16.hpp"
#include "fanin/threads.hpp"
#include "kernels/table.hpp"

namespace fanin {
namespace {

// Steps of Fisher and Yates that a task takes, of all its columns: some 60 us at the 7 ns that one was measured to take.
constexpr std::size_t kTaskSteps = std::size_t{1} << 13;
constexpr std::size_t kChunk = 256;                            // 64-bit numbers drawn at a time
constexpr std::uint64_t kPlacesFrom = std::uint64_t{1} << 63;  // blocks of the places; elements stay below 2^62

// Fisher and Yates from the last place down, as `permutation`, but only as far as the smaller of the two sets reaches:
// the number of place i of a column is number column * rows + i of the blocks from 2^63 on. Calls zero(row).
template <class Zero>
void zero_rows(Key key, std::size_t rows, std::size_t column, std::size_t zeros, std::vector<std::size_t>& places,
               Zero&& zero) {
    const std::size_t steps = std::min(zeros, rows - zeros);
    places.resize(rows);
    for (std::size_t i = 0; i < rows; ++i) places[i] = i;
    const auto kernel = active<WordKernels>().philox_words;
    std::uint32_t words[2 * (kChunk + 1)];
    const std::uint64_t first = static_cast<std::uint64_t>(column) * rows;
    for (std::size_t top = rows; top > rows - steps;) {
        const std::size_t begin = std::max(rows - steps, top - std::min(top, kChunk));
        const std::uint64_t block = (first + begin) / 2;  // holds numbers 2 block and 2 block + 1
        kernel(key.seed, key.stream, kPlacesFrom + block, 2 * (first + top - 2 * block), words);
        for (; top > begin; --top) {
            const std::size_t i = top - 1, at = 2 * (first + i - 2 * block);
            const std::uint64_t r = words[at] | static_cast<std::uint64_t>(words[at + 1]) << 32;
            std::swap(places[i], places[static_cast<std::size_t>(static_cast<unsigned __int128>(r) * (i + 1) >> 64)]);
        }
    }
    const bool chosen = zeros <= rows - zeros;  // the places drawn are the zeros, or the others are
    for (std::size_t i = chosen ? rows - steps : 0; i < (chosen ? rows : rows - steps); ++i) zero(places[i]);
}

}  // namespace

template <class T>
void detail::write_zeros(ArrayView<T> out, std::span<const std::size_t> shape, const std::size_t* offset, Key key,
                         std::size_t zeros) {
    const std::size_t rows = shape[0], cols = out.shape[1], first_row = offset[0], n_rows = out.shape[0];
    if (n_rows == 0 || cols == 0 || zeros == 0) return;
    const std::size_t per_task = std::max<std::size_t>(1, kTaskSteps / rows);
    fanin::parallel_for(detail::ceil_div(cols, per_task), [&](std::size_t task) {
        std::vector<std::size_t> places;
        for (std::size_t j = task * per_task; j < std::min(cols, (task + 1) * per_task); ++j) {
            T* column = out.data + static_cast<std::ptrdiff_t>(j) * out.strides[1];
            zero_rows(key, rows, offset[1] + j, zeros, places, [&](std::size_t row) {
                if (row >= first_row && row - first_row < n_rows)
                    column[static_cast<std::ptrdiff_t>(row - first_row) * out.strides[0]] = T{};
            });
        }
    });
}

template void detail::write_zeros(ArrayView<float>, std::span<const std::size_t>, const std::size_t*, Key, std::size_t);
template void detail::write_zeros(ArrayView<double>, std::span<const std::size_t>, const std::size_t*, Key, std::size_t);
template void detail::write_zeros(ArrayView<Float16>, std::span<const std::size_t>, const std::size_t*, Key, std::size_t);
template void detail::write_zeros(ArrayView<BFloat16>, std::span<const std::size_t>, const std::size_t*, Key, std::size_t);

}  // namespace fanin
