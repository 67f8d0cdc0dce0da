// Reference of `network`: a whole batch through all layers and back, and the updates that follow.
#pragma once

#include <vector>

#include "dense.hpp"
#include "fanin/network.hpp"
#include "loss.hpp"
#include "optimizer.hpp"

namespace fanin::reference {

// The network as plain arrays; the parameters start at 0 and are set from outside.
template <class T>
struct Network {
    NetworkShape shape;
    std::vector<std::vector<T>> w, b, dw, db;  // one a layer; b is 0 and stays 0 without biases
    std::vector<std::vector<ParameterState<T>>> state_w, state_b;
    std::uint64_t steps = 0;

    std::size_t layers() const { return shape.sizes.size() - 1; }
    Activation activation(std::size_t l) const { return l + 1 == layers() ? Activation::identity : shape.activations[l]; }

    explicit Network(const NetworkShape& of) : shape(of) {
        for (std::size_t l = 0; l < layers(); ++l) {
            w.emplace_back(shape.sizes[l] * shape.sizes[l + 1]);
            b.emplace_back(shape.sizes[l + 1]);
        }
        state_w.resize(layers());
        state_b.resize(layers());
    }

    // Returns the mean cost of `batch` rows in C order; leaves the gradients in dw and db.
    double gradients(std::size_t batch, const T* x, Targets<T> y) {
        std::vector<std::vector<T>> a{std::vector<T>(x, x + batch * shape.sizes[0])}, z{{}};  // a[l], z[l]: after l layers
        for (std::size_t l = 0; l < layers(); ++l) {
            const std::size_t n_in = shape.sizes[l], n_out = shape.sizes[l + 1];
            z.emplace_back(batch * n_out);
            a.emplace_back(batch * n_out);
            std::optional<VectorView<const T>> bias;
            if (shape.bias) bias = VectorView<const T>{b[l].data(), n_out, 1};
            dense_forward<T>(matrix_view<const T>(a[l].data(), batch, n_in), matrix_view<const T>(w[l].data(), n_out, n_in),
                             bias, activation(l), matrix_view(z[l + 1].data(), batch, n_out),
                             matrix_view(a[l + 1].data(), batch, n_out));
        }
        const std::size_t outputs = shape.sizes.back();
        std::vector<T> da(batch * outputs);
        double cost = 0;
        switch (shape.loss) {
            case Loss::cross_entropy:
                cost = cross_entropy(batch, outputs, a.back().data(), y.labels.data(), da.data());
                break;
            case Loss::binary_cross_entropy:
                cost = binary_cross_entropy(batch, a.back().data(), y.values.data(), da.data());
                break;
            case Loss::mean_squared_error:
                cost = mean_squared_error(batch * outputs, a.back().data(), y.values.data(), da.data());
                break;
            case Loss::hinge:
                cost = hinge(batch, a.back().data(), y.values.data(), da.data());
                break;
        }
        dw = std::vector<std::vector<T>>(layers());
        db = dw;
        for (std::size_t l = layers(); l-- > 0;) {
            const std::size_t n_in = shape.sizes[l], n_out = shape.sizes[l + 1];
            dw[l].resize(n_in * n_out);
            db[l].resize(n_out);
            std::vector<T> dx(batch * n_in), dz(batch * n_out);
            dense_backward<T>(matrix_view<const T>(da.data(), batch, n_out), matrix_view<const T>(a[l].data(), batch, n_in),
                              matrix_view<const T>(w[l].data(), n_out, n_in),
                              matrix_view<const T>(z[l + 1].data(), batch, n_out), activation(l),
                              matrix_view(dz.data(), batch, n_out), matrix_view(dx.data(), batch, n_in),
                              matrix_view(dw[l].data(), n_out, n_in), VectorView<T>{db[l].data(), n_out, 1});
            da = dx;
        }
        return cost;
    }

    // Begins anew with the state of an optimizer.
    void forget() {
        for (auto* states : {&state_w, &state_b})
            for (auto& one : *states) one.clear();
        steps = 0;
    }

    // lr: one, or one for each layer. clip_norm: 0 for none.
    template <class Rule>
    double step(std::size_t batch, const T* x, Targets<T> y, const Rule& rule, std::vector<double> lr, double clip_norm = 0) {
        const double cost = gradients(batch, x, y);
        ++steps;
        const T scale = clip_scale<T>(clip_norm == 0 ? 0 : gradient_norm(all_gradients()), clip_norm);
        const auto update_all = [&](const std::vector<T>& g, std::vector<ParameterState<T>>& states, std::vector<T>& p,
                                    double rate) {
            states.resize(p.size());
            for (std::size_t i = 0; i < p.size(); ++i) update(rule, rate, steps, g[i] * scale, states[i], p[i]);
        };
        for (std::size_t l = 0; l < layers(); ++l) {
            const double rate = lr.size() == 1 ? lr[0] : lr[l];
            update_all(dw[l], state_w[l], w[l], rate);
            if (shape.bias) update_all(db[l], state_b[l], b[l], rate);
        }
        return cost;
    }

    // Every array rounded up to whole cache lines with zeros, weights before biases, layer after layer.
    std::vector<T> all_gradients() const {
        std::vector<T> all;
        const auto add = [&](const std::vector<T>& g) {
            all.insert(all.end(), g.begin(), g.end());
            while (all.size() % (64 / sizeof(T)) != 0) all.push_back(T(0));
        };
        for (std::size_t l = 0; l < layers(); ++l) {
            add(dw[l]);
            if (shape.bias) add(db[l]);
        }
        return all;
    }
};

}  // namespace fanin::reference
