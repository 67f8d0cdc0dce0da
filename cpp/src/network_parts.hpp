// What the sources of `network` share.
#pragma once

#include <stdexcept>
#include <string>

#include "fanin/network.hpp"
#include "message.hpp"

namespace fanin {
namespace detail {

template <class T>
void check_no_nan(MatrixView<const T> x, std::size_t first_row) {
    for (std::size_t i = 0; i < x.rows; ++i) {
        const MatrixView<const T> row{&x(i, 0), 1, x.cols, 0, x.col_stride};
        int nans = 0;
        if (x.col_stride == 1)
            for (std::size_t j = 0; j < x.cols; ++j) nans |= row.data[j] != row.data[j];
        else
            for (std::size_t j = 0; j < x.cols; ++j) nans |= row(0, j) != row(0, j);
        if (nans != 0) throw std::invalid_argument("x must not hold NaN, got one at row " + std::to_string(first_row + i));
    }
}

template <class T>
MatrixView<const T> rows_of(MatrixView<const T> x, std::size_t begin, std::size_t n) {
    x.data += static_cast<std::ptrdiff_t>(begin) * x.row_stride;
    x.rows = n;
    return x;
}

}  // namespace detail

// Held while a call is at work.
template <class T>
struct Network<T>::Busy {
    explicit Busy(std::atomic_flag& flag_of_network) : flag(flag_of_network) {
        if (flag.test_and_set(std::memory_order_acquire))
            throw std::runtime_error("this network is at work in another call; give each thread a copy() of its own");
    }
    ~Busy() { flag.clear(std::memory_order_release); }
    std::atomic_flag& flag;
};

}  // namespace fanin
