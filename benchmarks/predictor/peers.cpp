#include "peers.hpp"

#include <cmath>
#include <utility>

#ifdef BENCH_EIGEN
#include <Eigen/Dense>
#endif

void plain_predict(const std::vector<PeerLayer>& layers, const float* x, float* out) {
    float buffers[2][64];
    for (std::size_t l = 0; l < layers.size(); ++l) {
        const PeerLayer& layer = layers[l];
        const bool last = l + 1 == layers.size();
        float* to = last ? out : buffers[l % 2];
        for (int i = 0; i < layer.n_out; ++i) {
            float sum = layer.b[static_cast<std::size_t>(i)];
            const float* w = layer.w.data() + i * layer.n_in;
            for (int j = 0; j < layer.n_in; ++j) sum += x[j] * w[j];
            to[i] = last ? sum : std::tanh(sum);
        }
        x = to;
    }
}

#ifdef BENCH_EIGEN
namespace {

template <int rows, int cols>
struct Dense {
    Eigen::Matrix<float, rows, cols> w;
    Eigen::Matrix<float, rows, 1> b;
    explicit Dense(const PeerLayer& layer)
        : w(Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(layer.w.data(), layer.n_out,
                                                                                                    layer.n_in)),
          b(Eigen::Map<const Eigen::VectorXf>(layer.b.data(), layer.n_out)) {}
};

}  // namespace

struct EigenNetwork::State {
    Dense<32, 16> first;
    Dense<32, 32> second;
    Dense<4, 32> third;
    Dense<Eigen::Dynamic, Eigen::Dynamic> one, two, three;
    Eigen::VectorXf a, c;
    bool fixed;
};

EigenNetwork::EigenNetwork(const std::vector<PeerLayer>& l, bool fixed)
    : state_(new State{Dense<32, 16>(l[0]), Dense<32, 32>(l[1]), Dense<4, 32>(l[2]),
                       Dense<Eigen::Dynamic, Eigen::Dynamic>(l[0]), Dense<Eigen::Dynamic, Eigen::Dynamic>(l[1]),
                       Dense<Eigen::Dynamic, Eigen::Dynamic>(l[2]), Eigen::VectorXf(32), Eigen::VectorXf(32), fixed}) {}
EigenNetwork::~EigenNetwork() = default;

void EigenNetwork::predict(const float* x, float* out) {
    State& s = *state_;
    if (s.fixed) {
        Eigen::Map<const Eigen::Matrix<float, 16, 1>> input(x);
        Eigen::Map<Eigen::Matrix<float, 4, 1>> result(out);
        const Eigen::Matrix<float, 32, 1> a = (s.first.w * input + s.first.b).array().tanh();
        const Eigen::Matrix<float, 32, 1> c = (s.second.w * a + s.second.b).array().tanh();
        result.noalias() = s.third.w * c + s.third.b;
        return;
    }
    Eigen::Map<const Eigen::VectorXf> input(x, 16);
    Eigen::Map<Eigen::VectorXf> result(out, 4);
    s.a.noalias() = s.one.w * input;
    s.a = (s.a + s.one.b).array().tanh();
    s.c.noalias() = s.two.w * s.a;
    s.c = (s.c + s.two.b).array().tanh();
    result.noalias() = s.three.w * s.c;
    result += s.three.b;
}
bool EigenNetwork::available() { return true; }
#else
struct EigenNetwork::State {};
EigenNetwork::EigenNetwork(const std::vector<PeerLayer>&, bool) {}
EigenNetwork::~EigenNetwork() = default;
void EigenNetwork::predict(const float*, float*) {}
bool EigenNetwork::available() { return false; }
#endif
