// The same network as others write it: [16, 32, 32, 4], tanh, biases.
#pragma once

#include <functional>
#include <memory>
#include <vector>

struct PeerLayer {
    int n_in, n_out;
    std::vector<float> w, b;  // (n_out, n_in) in C order
};

// A plain loop: a product, the bias, std::tanh.
void plain_predict(const std::vector<PeerLayer>& layers, const float* x, float* out);

// Eigen, whose sizes are known when the program is compiled (the faster of its ways) or when it runs.
class EigenNetwork {
 public:
    EigenNetwork(const std::vector<PeerLayer>& layers, bool fixed);
    ~EigenNetwork();
    void predict(const float* x, float* out);
    static bool available();

 private:
    struct State;
    std::unique_ptr<State> state_;
};

// RTNeural over each of its backends; a call reads its input from a multiple of 64 bytes.
using PeerCall = std::function<void(const float* x, float* out)>;
PeerCall rtneural_stl(const std::vector<PeerLayer>& layers);
PeerCall rtneural_eigen(const std::vector<PeerLayer>& layers);
PeerCall rtneural_xsimd(const std::vector<PeerLayer>& layers);
