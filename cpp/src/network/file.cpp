// Networks and the state of their optimizers in safetensors files. The metadata beside the tensors, all of it text; lists have
// commas:
//   fanin.version, fanin.algorithm_version
//   network.sizes, .activations (of the hidden layers), .loss, .bias (0 or 1), .seed, .epochs
//   network.weight_of    for each layer the one whose matrix it uses, where layers share one
//   optimizer.rule       its name, see optimizer.hpp; then .lr, .clip_norm and the hyper-parameters by name, .steps, .powers
// The arrays of an optimizer's state are tensors "optimizer.<array>.<parameter>", as "optimizer.velocity.0.weight".
#include <algorithm>
#include <charconv>
#include <cstring>
#include <type_traits>
#include <utility>

#include "fanin/arithmetic.hpp"
#include "fanin/version.hpp"
#include "message.hpp"
#include "network/state.hpp"

namespace fanin {
namespace {

template <class T>
constexpr std::string_view kDtype = std::is_same_v<T, float> ? "F32" : "F64";

template <class Range, class Text>
std::string joined(const Range& all, Text&& text) {
    std::string out;
    for (const auto& one : all) {
        if (!out.empty()) out += ',';
        out.append(text(one));
    }
    return out;
}

template <class N>
N number(const SafeTensors& file, const std::string& key, std::string_view text) {
    N value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size())
        detail::refuse({file.path(), " has a damaged '", key, "' in its metadata: '", text, "'"});
    return value;
}

void describe_optimizer(const Optimizer& optimizer, Metadata& out) {
    const auto put = [&](const char* name, const std::string& value) { out["optimizer." + std::string(name)] = value; };
    const auto number_of = [](double x) { return detail::text(x); };
    put("rule", std::string(optimizer_name(optimizer.rule())));
    put("lr", joined(optimizer.lr(), number_of));
    put("clip_norm", number_of(optimizer.clip_norm()));
    put("steps", std::to_string(optimizer.steps()));
    put("powers", joined(optimizer.powers(), number_of));
    for (const auto& [name, value] : hyper_parameters(optimizer.rule())) put(name.c_str(), number_of(value));
}

// The layers of the file: the names n of the tensors "n.weight", by their numbers; "01" is as good as "1", but not beside it.
std::vector<std::string> file_layers(const SafeTensors& file) {
    std::vector<std::pair<std::size_t, std::string>> found;
    for (const Tensor& tensor : file.tensors()) {
        const std::string_view name = tensor.name;
        std::size_t n = 0;
        const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), n);
        const std::string_view digits = name.substr(0, static_cast<std::size_t>(end - name.data()));
        if (error == std::errc() && name.substr(digits.size()) == ".weight") found.emplace_back(n, digits);
    }
    std::sort(found.begin(), found.end());
    for (std::size_t i = 1; i < found.size(); ++i)
        if (found[i].first == found[i - 1].first)
            detail::refuse({file.path(), ": tensors '", found[i - 1].second, ".weight' and '", found[i].second,
                            ".weight' have the same number"});
    std::vector<std::string> out;
    out.reserve(found.size());
    for (auto& [n, name] : found) out.push_back(std::move(name));
    return out;
}

template <class T>
void check_tensor(const SafeTensors& file, const Tensor& tensor, std::initializer_list<std::size_t> shape) {
    if (!std::equal(shape.begin(), shape.end(), tensor.shape.begin(), tensor.shape.end()))
        detail::refuse({file.path(), ": tensor '", tensor.name, "' must have shape ", detail::Term::shape(std::vector(shape)),
                        ", got ", detail::Term::shape(tensor.shape)});
    if (tensor.dtype != kDtype<T> && !(std::is_same_v<T, double> && tensor.dtype == "F32"))
        detail::refuse({file.path(), ": tensor '", tensor.name, "' must have dtype ", kDtype<T>, ", got ", tensor.dtype});
}

// A checked tensor into consecutive elements.
template <class T>
void copy_tensor(const Tensor& tensor, T* to) {
    const std::byte* from = tensor.bytes.data();
    if (tensor.bytes.empty()) return;
    if (tensor.dtype == kDtype<T>) {
        std::memcpy(to, from, tensor.bytes.size());
        return;
    }
    for (std::size_t i = 0; i < tensor.bytes.size() / sizeof(float); ++i) {
        float value;
        std::memcpy(&value, from + i * sizeof value, sizeof value);
        to[i] = static_cast<T>(value);
    }
}

}  // namespace

NetworkShape network_shape(const SafeTensors& file) {
    const StandardArithmetic arithmetic;
    const auto each = [](std::string_view list, auto&& take) {
        while (!list.empty()) {
            const std::size_t comma = std::min(list.find(','), list.size());
            take(list.substr(0, comma));
            list.remove_prefix(std::min(comma + 1, list.size()));
        }
    };
    const auto integers = [&](const std::string& key, std::string_view list) {
        std::vector<std::size_t> all;
        each(list, [&](std::string_view text) { all.push_back(number<std::size_t>(file, key, text)); });
        return all;
    };
    NetworkShape shape;
    shape.sizes = integers("network.sizes", file.text("network.sizes"));
    each(file.text("network.activations"),
         [&](std::string_view name) { shape.activations.push_back(activation_from_name(name)); });
    shape.loss = loss_from_name(file.text("network.loss"));
    shape.bias = number<int>(file, "network.bias", file.text("network.bias")) != 0;
    if (const auto owners = file.metadata().find("network.weight_of"); owners != file.metadata().end())
        shape.weight_of = integers(owners->first, owners->second);
    return shape;
}

template <class T>
Metadata Network<T>::State::describe() const {
    Metadata out;
    out["fanin.version"] = FANIN_VERSION;
    out["fanin.algorithm_version"] = std::to_string(kAlgorithmVersion);
    const auto count = [](std::size_t n) { return std::to_string(n); };
    out["network.sizes"] = joined(shape_.sizes, count);
    out["network.activations"] = joined(shape_.activations, [](Activation a) { return activation_name(a); });
    out["network.loss"] = loss_name(shape_.loss);
    out["network.bias"] = shape_.bias ? "1" : "0";
    out["network.seed"] = std::to_string(seed_);
    out["network.epochs"] = std::to_string(epochs_);
    if (!shape_.weight_of.empty()) out["network.weight_of"] = joined(shape_.weight_of, count);
    return out;
}

template <class T>
void Network<T>::State::save(const std::string& path, Optimizer* optimizer, TensorNames names, const Metadata& more) {
    const Busy busy(busy_);
    Metadata metadata = describe();
    metadata.insert(more.begin(), more.end());
    std::vector<Tensor> tensors;
    const auto put = [&](const std::string& prefix, T* all) {
        for (std::size_t l = 0; l < layers(); ++l) {
            const std::string layer = prefix + std::to_string(names == TensorNames::torch ? 2 * l : l);
            const MatrixView<T> w = weight_in(all, l);
            tensors.push_back({layer + ".weight",
                               std::string(kDtype<T>),
                               {w.rows, w.cols},
                               std::as_bytes(std::span(w.data, w.rows * w.cols))});
            const VectorView<T> b = bias_in(all, l);
            if (shape_.bias)
                tensors.push_back(
                    {layer + ".bias", std::string(kDtype<T>), {b.size}, std::as_bytes(std::span(b.data, b.size))});
        }
    };
    put("", parameters_.data());
    if (optimizer != nullptr) {
        optimizer->bind<T>(id_, layer_ends_);
        describe_optimizer(*optimizer, metadata);
        for (std::size_t i = 0; i < optimizer->state_names().size(); ++i)
            put("optimizer." + std::string(optimizer->state_names()[i]) + '.', optimizer->state<T>(i).data());
    }
    write_safetensors(path, tensors, metadata);
}

// Reads what stands beside the parameters under `prefix` into `all`, which is laid out like them.
template <class T>
void Network<T>::State::read_tensors(const SafeTensors& file, const std::string& prefix, T* all) const {
    const std::vector<std::string> names = file_layers(file);
    if (names.empty() && !file.tensors().empty())
        detail::refuse(
            {file.path(), " must name its tensors 'n.weight' and 'n.bias', got '", file.tensors().front().name, "'"});
    if (names.size() != layers())
        detail::refuse(
            {file.path(), " has the weights of ", names.size(), " layers (tensors 'n.weight'), the network has ", layers()});
    for (std::size_t l = 0; l < layers(); ++l) {
        const std::string name = prefix + names[l];
        const Tensor& weight = file.tensor(name + ".weight");
        const MatrixView<T> w = weight_in(all, l);
        check_tensor<T>(file, weight, {w.rows, w.cols});
        const std::size_t first = shape_.weight_of.empty() ? l : shape_.weight_of[l];
        if (first == l) copy_tensor(weight, w.data);
        else if (!std::ranges::equal(weight.bytes, file.tensor(prefix + names[first] + ".weight").bytes))
            detail::refuse(
                {file.path(), ": tensor '", weight.name, "' must be that of layer ", first, ", whose matrix it shares"});
        if (!shape_.bias && file.find(name + ".bias") != nullptr)
            detail::refuse({file.path(), " has tensor '", name, ".bias', the network has no biases"});
        if (!shape_.bias) continue;
        const Tensor& bias = file.tensor(name + ".bias");
        check_tensor<T>(file, bias, {layers_[l].n_out});
        copy_tensor(bias, bias_in(all, l).data);
    }
}

template <class T>
void Network<T>::State::load(const SafeTensors& file) {
    const Busy busy(busy_);
    detail::AlignedVector<T> read(parameters_.size());
    read_tensors(file, "", read.data());
    const auto epochs = file.metadata().find("network.epochs");
    if (epochs != file.metadata().end()) epochs_ = number<std::uint64_t>(file, epochs->first, epochs->second);
    std::copy(read.begin(), read.end(), parameters_.begin());
}

template <class T>
void Network<T>::State::load_optimizer(const SafeTensors& file, Optimizer& optimizer) {
    const Busy busy(busy_);
    if (file.text("optimizer.rule") != optimizer_name(optimizer.rule()))
        detail::refuse({"optimizer must be of the rule saved in ", file.path(), ", ", file.text("optimizer.rule"), ", got ",
                        optimizer_name(optimizer.rule())});
    const auto steps = number<std::uint64_t>(file, "optimizer.steps", file.text("optimizer.steps"));
    const std::string_view powers = file.text("optimizer.powers");
    const std::size_t comma = std::min(powers.find(','), powers.size());
    const std::array<double, 2> both{
        number<double>(file, "optimizer.powers", powers.substr(0, comma)),
        number<double>(file, "optimizer.powers", powers.substr(std::min(comma + 1, powers.size())))};
    std::vector<detail::AlignedVector<T>> arrays;
    for (const std::string_view name : optimizer.state_names()) {
        arrays.emplace_back(parameters_.size());
        read_tensors(file, "optimizer." + std::string(name) + '.', arrays.back().data());
    }
    optimizer.restore<T>(id_, layer_ends_, steps, both);
    for (std::size_t i = 0; i < arrays.size(); ++i)
        std::copy(arrays[i].begin(), arrays[i].end(), optimizer.state<T>(i).begin());
}

}  // namespace fanin
