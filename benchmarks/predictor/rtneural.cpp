// RTNeural's model of static sizes (the faster of its ways) over one of its backends. Each is a library of its own that shows
// one function: a backend is chosen for a whole file, and RTNeural brings a version of Eigen that shares its names with any
// other.
#include <RTNeural/RTNeural.h>

#include "peers.hpp"

namespace {

using namespace RTNEURAL_NAMESPACE;
using Static = ModelT<float, 16, 4, DenseT<float, 16, 32>, TanhActivationT<float, 32>, DenseT<float, 32, 32>,
                      TanhActivationT<float, 32>, DenseT<float, 32, 4>>;

template <class Dense>
void set(Dense& dense, const PeerLayer& layer) {
    std::vector<std::vector<float>> rows;
    for (int i = 0; i < layer.n_out; ++i) {
        const auto row = layer.w.begin() + i * layer.n_in;
        rows.emplace_back(row, row + layer.n_in);
    }
    dense.setWeights(rows);
    dense.setBias(layer.b.data());
}

}  // namespace

[[gnu::visibility("default")]] PeerCall BENCH_FUNCTION(const std::vector<PeerLayer>& layers) {
    auto model = std::make_shared<Static>();
    set(model->get<0>(), layers[0]);
    set(model->get<2>(), layers[1]);
    set(model->get<4>(), layers[2]);
    model->reset();
    return [model](const float* x, float* out) {
        model->forward(x);
        std::copy_n(model->getOutputs(), 4, out);
    };
}
