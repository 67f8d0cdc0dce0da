// A fully connected network: forward, cost, gradients and whole training steps on buffers that it owns.
//
// Layer l computes z = x w^T + b, a = g(z); the last layer's activation is the identity, its z are the logits that the loss
// takes. All sums are those of dense.hpp and loss.hpp (the gradient of a shared matrix adds up from the last of its layers to
// the first, for each piece of kPieceRows rows in turn), so costs, gradients and weights have the same bits on every
// instruction set and at any thread count, and a batch of any size is worked through in pieces of kPieceRows rows without
// changing one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "fanin/activation.hpp"
#include "fanin/export.hpp"
#include "fanin/init.hpp"
#include "fanin/loss.hpp"
#include "fanin/optimizer.hpp"
#include "fanin/safetensors.hpp"
#include "fanin/stats.hpp"
#include "fanin/view.hpp"

namespace fanin FANIN_PUBLIC {

// Rows that are in the buffers at a time, a multiple of kSumBlock.
inline constexpr std::size_t kPieceRows = 2048;

struct NetworkShape {
    std::vector<std::size_t> sizes;       // widths, the input's first: at least two, each at least 1
    std::vector<Activation> activations;  // of the hidden layers: sizes.size() - 2
    Loss loss = Loss::cross_entropy;
    bool bias = true;
    // Empty: every layer has a matrix of its own. Otherwise for each layer the one whose matrix it uses, itself or an earlier
    // one of the same shape that uses its own: {0, 1, 1, 1, 4}. Gradients of a shared matrix add up.
    std::vector<std::size_t> weight_of = {};
};

struct FitOptions {
    std::size_t epochs = 1;
    std::size_t batch_size = 0;  // 0: all rows; the last batch of an epoch may be short
    bool shuffle = true;
    bool stop_at_nonfinite = true;  // before the update that would carry it into the parameters
};

// Where training met an infinity or NaN first.
struct Nonfinite {
    enum class What { nothing, cost, gradient, parameter };
    What what = What::nothing;
    // cost: the first layer whose z is not finite, the number of layers where all are; gradient: the first on the way back;
    // parameter: the first, the update of that step having overflowed.
    std::size_t layer = 0;
    std::size_t step = 0;  // from 1
};

// How far a fit has come.
struct FitState {
    std::size_t steps = 0, epochs = 0;  // costs written, of steps and of whole epochs
    Nonfinite nonfinite;
    bool stopped = false;
    // Inside an epoch: the next row, the round of its shuffle, the weighted sum of its costs and the weights'.
    std::size_t row = 0;
    std::uint64_t round = 0;
    double sum = 0, weight = 0;
};

// What an observed step of a fit did in one layer: the summaries that summarize() gives of these arrays, bit for bit where the
// batch has at most kPieceRows rows, and merged from pieces of so many rows beyond. Gradients are of the mean cost.
struct LayerSummaries {
    Summary z, a, da, dz;  // (batch, n_out)
    Summary w, dw;         // (n_out, n_in); dw is this layer's own, also where the matrix is shared
    Summary b, db;         // (n_out); of no element without biases
    std::size_t dead = 0;  // units whose a is 0 in every row
};

// Looks at steps of a fit, each after its gradients are known and before its update. The parameters are those that the step
// began with. What it does costs and parameters nothing: they have the bits of a fit without observer.
template <class T>
class StepObserver {
 public:
    virtual ~StepObserver() = default;
    // Of the steps 1, 1 + every, 1 + 2 every, ... of the fit.
    std::size_t every = 1;
    // How arrays are summarized; activations: options of each layer's a.
    SummaryOptions options;
    std::vector<SummaryOptions> activations;

    struct Step {
        std::size_t number;                  // from 1
        std::span<const std::int64_t> rows;  // the rows of x in the batch, in order; empty: first_row and those after it
        std::size_t first_row, batch;
        double cost;  // mean over the batch
        Summary x;
        std::span<const LayerSummaries> layers;
        std::span<const MatrixView<const T>> dw;  // of each layer, valid during the call
    };
    // Called in the thread of the fit, which ends with what it throws.
    virtual void see(const Step& step) = 0;
};

// Names of the tensors of layer l: "l.weight" and "l.bias", or those of PyTorch's
// Sequential(Linear, activation, Linear, activation, ..., Linear): "2l.weight" and "2l.bias". Both keep (n_out, n_in).
enum class TensorNames { fanin, torch };

// What Network::save wrote of a network beside its parameters. std::invalid_argument where the file has no such description
// ("network.sizes" and what belongs to it), or a damaged one.
NetworkShape network_shape(const SafeTensors& file);

// Every call but the accessors refuses (std::runtime_error) to run beside another call on the same network; arguments are
// checked before anything changes. A row of x or y that holds NaN is an error that names it; infinities pass.
template <class T>
class Network {
 public:
    // All parameters 0. std::invalid_argument where the shape is impossible or the loss takes another last width.
    Network(NetworkShape shape, std::uint64_t seed);
    // Parameters, seed and the count of epochs; an identity of its own, so an optimizer of `other` is not one of the copy.
    Network(const Network& other);
    Network& operator=(const Network&) = delete;
    ~Network();

    const NetworkShape& shape() const;
    std::size_t layers() const;
    // Of layer l: its activation, and live views of w (n_out, n_in) and b (n_out; empty without biases).
    Activation activation(std::size_t l) const;
    MatrixView<T> weight(std::size_t l);
    VectorView<T> bias(std::size_t l);
    MatrixView<const T> weight(std::size_t l) const;
    VectorView<const T> bias(std::size_t l) const;
    // Draws every weight from `law`, that of layer l from (seed, stream_id("l.weight")); biases stay. std::invalid_argument,
    // before anything is written, where the law does not suit a layer (init.hpp).
    void draw_weights(const Law& law);
    // The same with a law for each layer, and for its biases from the stream "l.bias"; a layer without one keeps what it has,
    // and a layer that shares an earlier one's matrix has none. Each span has layers() entries, or none.
    void draw(std::span<const std::optional<Law>> weights, std::span<const std::optional<Law>> biases);
    std::uint64_t seed() const;
    // Epochs that fit has begun: the round of the next shuffle.
    std::uint64_t epochs() const;
    void set_epochs(std::uint64_t epochs);  // of a network that goes on elsewhere

    // x, in C order, was looked at and holds no NaN, and stays as it is while this network is used: calls on its rows do not
    // look again.
    void trust(MatrixView<const T> x);

    // Writes the logits, (batch, n_out of the last layer) in C order. x: (batch, n_in of the first), any strides. first_row is
    // what errors call the first row.
    void forward(MatrixView<const T> x, std::span<T> logits, std::size_t first_row = 0);
    // Writes a label for each row: the first largest logit, NaN being larger than any; of one output 0 or 1
    // (binary_cross_entropy), -1 or 1 (hinge), by the logit's sign, NaN counting as negative. std::invalid_argument for
    // mean_squared_error: its values are what forward() writes.
    void predict(MatrixView<const T> x, std::span<std::int64_t> labels, std::size_t first_row = 0);
    // The mean cost; batch >= 1.
    double loss(MatrixView<const T> x, Targets<T> y);
    // The mean cost; writes its gradients, those that step() uses: out_dw[l] like weight(l), out_db[l] like bias(l) (no
    // out_db without biases).
    double gradients(MatrixView<const T> x, Targets<T> y, std::span<const MatrixView<T>> out_dw,
                     std::span<const VectorView<T>> out_db);
    // One update; returns the cost before it. Nothing is allocated after the first step of a batch size. An interrupt
    // (threads.hpp) leaves the parameters as they were. An infinite or NaN cost or gradient is carried on: see nonfinite().
    double step(MatrixView<const T> x, Targets<T> y, Optimizer& optimizer);
    // Of the last step(): its cost, its gradient or what it left (as step 1).
    const Nonfinite& nonfinite() const;
    // Steps over all rows, epoch by epoch: in order, or by the permutation of (seed, "fanin/shuffle", round = epochs()).
    // Writes the cost of each step (steps_per_epoch * epochs of them) and of each epoch: the mean over its rows of the costs
    // before each update. Ends at the first cost, gradient or (looked at after each epoch, and at the end) parameter that is
    // not finite, if so asked. An interrupt ends it between steps; what was learned stays, and `state` says how far it came.
    //
    // An observer is shown the steps that it asks for.
    //
    // Given its own state again, with the same arguments, it goes on where it was; it ends after max_steps more steps.
    void fit(MatrixView<const T> x, Targets<T> y, const FitOptions& options, Optimizer& optimizer, std::span<double> costs,
             std::span<double> epoch_costs, FitState& state, std::size_t max_steps = SIZE_MAX,
             StepObserver<T>* observer = nullptr);
    FitState fit(MatrixView<const T> x, Targets<T> y, const FitOptions& options, Optimizer& optimizer, std::span<double> costs,
                 std::span<double> epoch_costs) {
        FitState state;
        fit(x, y, options, optimizer, costs, epoch_costs, state);
        return state;
    }
    static std::size_t steps_per_epoch(std::size_t rows, std::size_t batch_size);

    // Writes a safetensors file: the parameters under `names`, the state of `optimizer` if there is one, and in the metadata
    // what they belong to (cpp/src/network/file.cpp lists it), and `more` beside it. Errors: safetensors.hpp, and
    // std::invalid_argument where `optimizer` belongs to another network; a fresh one becomes this network's.
    void save(const std::string& path, Optimizer* optimizer = nullptr, TensorNames names = TensorNames::fanin,
              const Metadata& more = {});
    // Takes the parameters of a file, of any writer: tensors "n.weight" and "n.bias" for ascending n, as many as there are
    // layers, of the network's dtype or, for double, float32; and the count of epochs where the file has one. Other tensors
    // pass. std::invalid_argument, before anything changes, where a tensor is missing or of another shape or dtype.
    void load(const SafeTensors& file);
    // Gives a fresh `optimizer` of the saved one's rule its state and makes it this network's: steps go on, bit for bit, as if
    // nothing had come between. std::invalid_argument, before anything changes, where the file has no such state.
    void load_optimizer(const SafeTensors& file, Optimizer& optimizer);

 private:
    struct State;  // cpp/src/network/state.hpp
    std::unique_ptr<State> state_;
};

}  // namespace fanin FANIN_PUBLIC
