#include <algorithm>

#include "division.hpp"
#include "fanin/arithmetic.hpp"
#include "fanin/dense.hpp"
#include "fanin/threads.hpp"
#include "kernels/table.hpp"

namespace fanin {

// One task packs one panel of tile_cols columns: panels lie one after the other, each n_in * tile_cols elements.
template <class T>
PackedWeight<T>::PackedWeight(MatrixView<const T> w) : n_in_(w.cols), n_out_(w.rows), kernel_(&active<DenseKernels<T>>()) {
    const StandardArithmetic arithmetic;
    data_.resize(n_in_ * detail::round_up(n_out_, kernel_->lanes));
    if (data_.empty()) return;
    const std::size_t cols = kernel_->tile_cols;
    parallel_for(detail::ceil_div(n_out_, cols), [&](std::size_t panel) {
        const std::size_t j = panel * cols;
        kernel_->pack(n_in_, std::min(cols, n_out_ - j), &w(j, 0), w.col_stride, w.row_stride, data_.data() + j * n_in_);
    });
}

template class PackedWeight<float>;
template class PackedWeight<double>;

}  // namespace fanin
