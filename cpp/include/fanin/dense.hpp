// One dense layer: z = x w^T + b, a = g(z), and its gradients, in one order of summation.
//
// Every inner product is r = init; for each kSumBlock consecutive k: s = +0, then s = fma(x[k], w[k], s) in ascending k,
// then r = r + s. In z, kLeastHalved to kMostHalved products that are left after the last whole block are two blocks: the first
// has half of them, rounded up to a multiple of 4. init is the bias (forward), the old value (backward, accumulating) or +0. So
// a row of z, a, dz or dx has the same bits in any batch, at any thread count and on any CPU; dw and db sum over the batch in
// that order, so that shards cut at multiples of kSumBlock and accumulated in order equal the whole. NaN's sign and payload are
// excepted.
//
// Views may have any strides, those of inputs also zero. Outputs must not overlap inputs or each other. Two views are
// taken to be apart if their address ranges are, or if their strides show it: interleaved columns, or column ranges of
// one matrix. An output must not meet itself either (a zero stride, a sliding window). Everything is checked, and
// std::invalid_argument thrown, before anything is written.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "fanin/activation.hpp"
#include "fanin/aligned.hpp"
#include "fanin/export.hpp"
#include "fanin/stats.hpp"
#include "fanin/view.hpp"

namespace fanin FANIN_PUBLIC {

template <class T>
struct DenseKernels;

// The length of a chain. It never depends on threads or instruction set, and has nothing to do with caches.
inline constexpr std::size_t kSumBlock = 512;
// One row of a small layer waits for each product (4 cycles on most processors), and half as long for two chains side by side:
// a row of [16, 32, 32, 4] takes .77 of the time. Fewer products wait little, and more have vectors of outputs beside them.
inline constexpr std::size_t kLeastHalved = 16, kMostHalved = 64;

struct DenseShape {
    std::size_t batch, n_in, n_out;
};

// The shape of the layer that w (n_out, n_in) makes of x (batch, n_in); std::invalid_argument if w does not fit x.
template <class T>
DenseShape dense_shape(MatrixView<const T> x, MatrixView<const T> w);

// Elements of workspace with which dense_forward and dense_backward of this shape, and of any smaller batch, allocate
// nothing. At most a few million, and (batch * n_out) for dz.
template <class T>
std::size_t dense_workspace(const DenseShape& shape);

// The weights of a layer, copied once into the order in which dense_forward reads them fastest; immutable, so that threads
// may share it. It belongs to the instruction set in use when it is made, and gives the same bits as the weights themselves.
// Pays for batches of a few rows, where packing takes longer than the product.
template <class T>
class PackedWeight {
 public:
    explicit PackedWeight(MatrixView<const T> w);  // (n_out, n_in), any strides
    std::size_t n_in() const { return n_in_; }
    std::size_t n_out() const { return n_out_; }
    // For dense_forward: w as `kernel` packs it.
    const T* data() const { return data_.data(); }
    const DenseKernels<T>& kernel() const { return *kernel_; }

 private:
    std::size_t n_in_, n_out_;
    const DenseKernels<T>* kernel_;
    detail::AlignedVector<T> data_;
};

// What dense_forward measures beside its results, while they are in the inner caches: the summaries that summarize() gives
// of out_z and out_a, bit for bit.
struct DenseStats {
    SummaryOptions options_z, options_a;
    Summary z, a;
};

// out_a = g(x w^T + b); out_z = x w^T + b.
//
// x        (batch, n_in); w (n_out, n_in); b (n_out), or nothing: no bias, r starts from +0.
// out_a    (batch, n_out). out_z: the same, or nothing.
// stats    null: nothing is measured. z is measured even where it is not kept.
// Any size may be zero; z is b where n_in is.
// workspace  at least dense_workspace(shape) elements, or empty: a buffer of the calling thread is used, which grows
//          when it has to and is kept. A packed weight needs none.
template <class T>
void dense_forward(MatrixView<const T> x, MatrixView<const T> w, std::optional<VectorView<const T>> b, Activation activation,
                   MatrixView<T> out_a, std::optional<MatrixView<T>> out_z = std::nullopt, std::span<T> workspace = {},
                   DenseStats* stats = nullptr);
template <class T>
void dense_forward(MatrixView<const T> x, const PackedWeight<T>& w, std::optional<VectorView<const T>> b, Activation activation,
                   MatrixView<T> out_a, std::optional<MatrixView<T>> out_z = std::nullopt, DenseStats* stats = nullptr);

// Where the gradients go; what is absent is not computed.
template <class T>
struct DenseGradients {
    std::optional<MatrixView<T>> out_dx;  // (batch, n_in)
    std::optional<MatrixView<T>> out_dw;  // (n_out, n_in)
    std::optional<VectorView<T>> out_db;  // (n_out)
    std::optional<MatrixView<T>> out_dz;  // (batch, n_out); may be da itself, the same view
};

// dz = da * g'(z), dx = dz w, dw = dz^T x, db = the sum of dz over the batch.
//
// da       (batch, n_out), the gradient of the cost with respect to a; z what dense_forward gave, needed unless the
//          activation is the identity.
// accumulate  adds to what dx, dw and db hold (r starts from it); dz is always overwritten.
// workspace  as above.
template <class T>
void dense_backward(MatrixView<const T> da, MatrixView<const T> x, MatrixView<const T> w, std::optional<MatrixView<const T>> z,
                    Activation activation, const DenseGradients<T>& out, bool accumulate = false, std::span<T> workspace = {});

}  // namespace fanin FANIN_PUBLIC
