// A network that only answers: packed once, never changed, shared by any number of threads.
//
// For loops that score a few rows at a time and must not wait: a call allocates nothing, takes no lock, starts no thread and,
// after the checks of its arguments, throws nothing. Results have the bits of Network::forward, at any number of rows.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "fanin/export.hpp"
#include "fanin/network.hpp"
#include "fanin/safetensors.hpp"
#include "fanin/view.hpp"

namespace fanin FANIN_PUBLIC {

// The most rows of one call.
inline constexpr std::size_t kPredictRows = 64;
// Bytes of its stack that a call without a workspace uses for it.
inline constexpr std::size_t kPredictStack = std::size_t{1} << 16;

// It belongs to the instruction set in use when it is made. Copies share the weights.
template <class T>
class Predictor {
 public:
    // Takes a copy of the parameters: later changes of the network are not seen.
    explicit Predictor(const Network<T>& network);
    // The network that Network::save wrote, with or without an optimizer; a Predictor<double> takes float32 files too.
    // std::invalid_argument where the file does not describe one (network.hpp, network_shape).
    explicit Predictor(const SafeTensors& file);
    explicit Predictor(const std::string& path) : Predictor(SafeTensors(path)) {}
    // The tensors "n.weight" and "n.bias" of any writer, in a network of that shape: errors as Network::load.
    Predictor(const NetworkShape& shape, const SafeTensors& file);

    std::size_t inputs() const noexcept { return inputs_; }    // columns of x
    std::size_t outputs() const noexcept { return outputs_; }  // columns of out
    // Elements that a call of so many rows (at most kPredictRows) works in; 0 for a network of one layer.
    std::size_t workspace(std::size_t rows) const noexcept;

    // Writes the logits of each row, (rows, outputs()) in C order.
    //
    // x          (rows, inputs()), 1 to kPredictRows rows, any strides. It is not looked at: NaN comes out as IEEE arithmetic
    //            carries it.
    // out        rows * outputs() elements; overlaps neither x nor the workspace.
    // workspace  at least workspace(rows) elements of any alignment, faster where they begin at a cache line. Empty: the
    //            stack serves, kPredictStack bytes, a few rows at a time where all do not fit.
    // std::invalid_argument, before anything is written, where a size is another, or where no workspace is given and not even
    // one row fits the stack.
    void predict(MatrixView<const T> x, std::span<T> out, std::span<T> workspace = {}) const;
    // The same with x in C order; rows is x.size() / inputs().
    void predict(std::span<const T> x, std::span<T> out, std::span<T> workspace = {}) const;

 private:
    struct State;
    std::shared_ptr<const State> state_;
    std::size_t inputs_ = 0, outputs_ = 0;
};

}  // namespace fanin FANIN_PUBLIC
