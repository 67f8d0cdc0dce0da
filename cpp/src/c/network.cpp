// The C API of networks, optimizers and predictors.
#include "fanin/network.hpp"

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "c/guarded.hpp"
#include "fanin/predictor.hpp"
#include "message.hpp"

using namespace fanin;
using c::elements;
using c::guarded;
using c::over_float;
using c::require;

struct fanin_network {
    std::variant<std::unique_ptr<Network<float>>, std::unique_ptr<Network<double>>> core;
};
struct fanin_optimizer {
    Optimizer core;
};
struct fanin_predictor {
    std::variant<Predictor<float>, Predictor<double>> core;
};

namespace {

// body(network) for a network of float or double.
template <class Body>
auto with(const fanin_network* network, Body&& body) {
    return std::visit([&](const auto& core) { return body(*core); }, network->core);
}

template <class T>
MatrixView<const T> rows_of(const Network<T>& network, const void* x, std::size_t rows) {
    const std::size_t n_in = network.shape().sizes.front();
    require(x, "x", elements(rows, n_in));
    return matrix_view(static_cast<const T*>(x), rows, n_in);
}

template <class T>
Targets<T> targets_of(const Network<T>& network, std::size_t rows, const std::int64_t* labels, const void* values) {
    if (network.shape().loss == Loss::cross_entropy) {
        require(labels, "labels", rows);
        return {{labels, rows}, {}};
    }
    const std::size_t n = elements(rows, network.shape().sizes.back());
    require(values, "values", n);
    return {{}, {static_cast<const T*>(values), n}};
}

}  // namespace

fanin_status fanin_network_create(fanin_dtype dtype, const size_t* sizes, size_t n_sizes, const char* const* activations,
                                  const char* loss, int bias, uint64_t seed, fanin_network** network) {
    return guarded([=] {
        require(network, "network");
        require(sizes, "sizes", n_sizes);
        require(loss, "loss");
        NetworkShape shape;
        shape.sizes.assign(sizes, sizes + n_sizes);
        const std::size_t hidden = n_sizes < 2 ? 0 : n_sizes - 2;
        require(activations, "activations", hidden);
        for (std::size_t l = 0; l < hidden; ++l) {
            require(activations[l], "activations");
            shape.activations.push_back(activation_from_name(activations[l]));
        }
        shape.loss = loss_from_name(loss);
        shape.bias = bias != 0;
        over_float(dtype,
                   [&]<class T>(T) { *network = new fanin_network{std::make_unique<Network<T>>(std::move(shape), seed)}; });
    });
}
fanin_status fanin_network_load(const char* path, fanin_dtype dtype, fanin_network** network) {
    return guarded([=] {
        require(path, "path");
        require(network, "network");
        const SafeTensors file{std::string(path)};
        over_float(dtype, [&]<class T>(T) {
            auto core = std::make_unique<Network<T>>(network_shape(file), 0);
            core->load(file);
            *network = new fanin_network{std::move(core)};
        });
    });
}
fanin_status fanin_network_save(fanin_network* network, const char* path) {
    return guarded([=] {
        require(network, "network");
        require(path, "path");
        with(network, [&](auto& core) { core.save(path); });
    });
}
void fanin_network_free(fanin_network* network) { delete network; }
size_t fanin_network_layers(const fanin_network* network) {
    return network == nullptr ? 0 : with(network, [](const auto& core) { return core.layers(); });
}
size_t fanin_network_inputs(const fanin_network* network) {
    return network == nullptr ? 0 : with(network, [](const auto& core) { return core.shape().sizes.front(); });
}
size_t fanin_network_outputs(const fanin_network* network) {
    return network == nullptr ? 0 : with(network, [](const auto& core) { return core.shape().sizes.back(); });
}
fanin_status fanin_network_parameters(fanin_network* network, size_t layer, void** w, void** b, size_t* rows, size_t* cols) {
    return guarded([=] {
        require(network, "network");
        with(network, [&](auto& core) {
            if (layer >= core.layers()) detail::refuse({"layer must be below ", core.layers(), ", got ", layer});
            const auto weight = core.weight(layer);
            const auto bias = core.bias(layer);
            if (w != nullptr) *w = weight.data;
            if (b != nullptr) *b = bias.size == 0 ? nullptr : bias.data;
            if (rows != nullptr) *rows = weight.rows;
            if (cols != nullptr) *cols = weight.cols;
        });
    });
}
fanin_status fanin_network_draw(fanin_network* network, const char* law) {
    return guarded([=] {
        require(network, "network");
        require(law, "law");
        with(network, [&](auto& core) { core.draw_weights(law_from_text(law)); });
    });
}
fanin_status fanin_network_forward(fanin_network* network, const void* x, size_t rows, void* logits) {
    return guarded([=] {
        require(network, "network");
        with(network, [&]<class T>(Network<T>& core) {
            const std::size_t n = elements(rows, core.shape().sizes.back());
            require(logits, "logits", n);
            core.forward(rows_of(core, x, rows), {static_cast<T*>(logits), n});
        });
    });
}
fanin_status fanin_network_predict(fanin_network* network, const void* x, size_t rows, int64_t* labels) {
    return guarded([=] {
        require(network, "network");
        require(labels, "labels", rows);
        with(network, [&]<class T>(Network<T>& core) { core.predict(rows_of(core, x, rows), {labels, rows}); });
    });
}
fanin_status fanin_network_loss(fanin_network* network, const void* x, size_t rows, const int64_t* labels, const void* values,
                                double* cost) {
    return guarded([=] {
        require(network, "network");
        require(cost, "cost");
        with(network, [&]<class T>(Network<T>& core) {
            *cost = core.loss(rows_of(core, x, rows), targets_of(core, rows, labels, values));
        });
    });
}
fanin_status fanin_network_step(fanin_network* network, const void* x, size_t rows, const int64_t* labels, const void* values,
                                fanin_optimizer* optimizer, double* cost) {
    return guarded([=] {
        require(network, "network");
        require(optimizer, "optimizer");
        with(network, [&]<class T>(Network<T>& core) {
            const double before = core.step(rows_of(core, x, rows), targets_of(core, rows, labels, values), optimizer->core);
            if (cost != nullptr) *cost = before;
        });
    });
}

fanin_status fanin_optimizer_create(const char* rule, double lr, const char* const* names, const double* values, size_t n,
                                    double clip_norm, fanin_optimizer** optimizer) {
    return guarded([=] {
        require(rule, "rule");
        require(names, "names", n);
        require(values, "values", n);
        require(optimizer, "optimizer");
        HyperParameters stated;
        for (std::size_t i = 0; i < n; ++i) {
            require(names[i], "names");
            stated.emplace_back(names[i], values[i]);
        }
        *optimizer = new fanin_optimizer{Optimizer(optimizer_rule(rule, stated), lr, clip_norm)};
    });
}
fanin_status fanin_optimizer_set_lr(fanin_optimizer* optimizer, double lr) {
    return guarded([=] {
        require(optimizer, "optimizer");
        optimizer->core.set_lr({lr});
    });
}
void fanin_optimizer_free(fanin_optimizer* optimizer) { delete optimizer; }

fanin_status fanin_predictor_create(const fanin_network* network, fanin_predictor** predictor) {
    return guarded([=] {
        require(network, "network");
        require(predictor, "predictor");
        with(network, [&]<class T>(const Network<T>& core) { *predictor = new fanin_predictor{Predictor<T>(core)}; });
    });
}
fanin_status fanin_predictor_load(const char* path, fanin_dtype dtype, fanin_predictor** predictor) {
    return guarded([=] {
        require(path, "path");
        require(predictor, "predictor");
        over_float(dtype, [&]<class T>(T) { *predictor = new fanin_predictor{Predictor<T>(std::string(path))}; });
    });
}
void fanin_predictor_free(fanin_predictor* predictor) { delete predictor; }
size_t fanin_predictor_inputs(const fanin_predictor* predictor) {
    return predictor == nullptr ? 0 : std::visit([](const auto& core) { return core.inputs(); }, predictor->core);
}
size_t fanin_predictor_outputs(const fanin_predictor* predictor) {
    return predictor == nullptr ? 0 : std::visit([](const auto& core) { return core.outputs(); }, predictor->core);
}
size_t fanin_predictor_workspace(const fanin_predictor* predictor, size_t rows) {
    return predictor == nullptr ? 0 : std::visit([=](const auto& core) { return core.workspace(rows); }, predictor->core);
}
fanin_status fanin_predictor_predict(const fanin_predictor* predictor, const void* x, size_t rows, void* logits,
                                     void* workspace, size_t workspace_size) {
    return guarded([=] {
        require(predictor, "predictor");
        std::visit(
            [&]<class T>(const Predictor<T>& core) {
                require(x, "x");
                require(logits, "logits");
                core.predict(matrix_view(static_cast<const T*>(x), rows, core.inputs()),
                             {static_cast<T*>(logits), elements(rows, core.outputs())},
                             {static_cast<T*>(workspace), workspace == nullptr ? 0 : workspace_size});
            },
            predictor->core);
    });
}
