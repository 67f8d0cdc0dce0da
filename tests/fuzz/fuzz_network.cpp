// Networks, optimizers, predictors; files that were cut, changed or made up.
#include <cmath>
#include <filesystem>
#include <fstream>

#include "fanin/fanin.hpp"
#include "source.hpp"

namespace fuzz {
namespace {

using fanin::Activation;

template <class T>
struct Case {
    fanin::NetworkShape shape;
    std::size_t inputs = 1, outputs = 1;
};

template <class T>
Case<T> some_network(Source& s) {
    Case<T> made;
    made.shape.loss = fanin::Loss(s.below(4));
    made.inputs = s.size(8), made.outputs = s.one_in(2) ? 1 : s.size(5);
    if (made.shape.loss == fanin::Loss::cross_entropy && made.outputs < 2 && !s.one_in(20)) made.outputs = 3;
    made.shape.sizes = {made.inputs};
    for (std::size_t hidden = s.below(4); hidden != 0; --hidden) {
        made.shape.sizes.push_back(s.size(12));
        made.shape.activations.push_back(Activation::Kind(s.below(Activation::kKinds)));
    }
    made.shape.sizes.push_back(made.outputs);
    if (s.one_in(40)) made.shape.sizes.push_back(s.bits());
    if (s.one_in(40)) made.shape.activations.clear();
    made.shape.bias = !s.one_in(4);
    if (s.one_in(6))
        for (std::size_t l = 0; l + 1 < made.shape.sizes.size(); ++l) made.shape.weight_of.push_back(s.below(l + 2));
    return made;
}

fanin::HyperParameters some_parameters(Source& s) {
    static constexpr std::string_view kNames[] = {"momentum", "nesterov", "alpha", "eps", "beta1", "beta2", "weight_decay"};
    fanin::HyperParameters stated;
    for (std::size_t n = s.one_in(2) ? 0 : s.below(3); n != 0; --n)
        stated.emplace_back(s.text(kNames), s.one_in(2) ? s.number() : 0.5);
    return stated;
}

// A network of so many weights at most; larger ones take memory, not checks.
bool small(const fanin::NetworkShape& shape) {
    for (const std::size_t n : shape.sizes)
        if (n > 1000 && n < (std::size_t{1} << 49)) return false;
    return true;
}

template <class T>
void work(Source& s, fanin::Network<T>& net, const Case<T>& made) {
    static constexpr std::string_view kRules[] = {"sgd", "rmsprop", "adam", "adagrad"};
    Arrays<T> arrays(s);
    const std::size_t rows = s.size(20), outputs = made.outputs;
    const auto x_of = arrays.matrix(rows, s.one_in(30) ? s.size(9) : made.inputs, false);
    for (std::size_t i = 0; i < x_of.rows; ++i)  // NaN is refused: seldom one
        for (std::size_t j = 0; j < x_of.cols; ++j)
            if (!s.one_in(200) && std::isnan(x_of(i, j))) x_of(i, j) = T(0.5);
    const fanin::MatrixView<const T> x = x_of;
    std::vector<std::int64_t> labels(s.one_in(30) ? s.size(20) : rows);
    for (auto& label : labels)
        label = s.one_in(200) ? static_cast<std::int64_t>(s.bits()) : s.below(outputs == 0 ? 1 : outputs);
    const std::span<T> values = arrays.row(s.one_in(30) ? s.size(30) : rows * outputs, false);
    for (T& value : values)
        if (!s.one_in(200)) value = T(made.shape.loss == fanin::Loss::hinge && s.one_in(2) ? -1 : 1);
    fanin::Targets<T> y{{}, values, {}};
    if (made.shape.loss == fanin::Loss::cross_entropy || s.one_in(60)) y = {labels, {}, {}};

    const std::string law = s.text(kLaws);
    current = "Network::draw_weights";
    call([&] { net.draw_weights(fanin::law_from_text(law)); });
    const std::span<T> logits = arrays.row(s.one_in(20) ? s.size(40) : rows * outputs, true);
    current = "Network::forward";
    arrays.call([&] { net.forward(x, logits); });
    std::vector<std::int64_t> predicted(s.one_in(20) ? s.size(20) : rows);
    current = "Network::predict";
    arrays.call([&] { net.predict(x, predicted); });
    current = "Network::loss";
    arrays.call([&] { (void)net.loss(x, y); });
    if (s.one_in(3)) {
        current = "Network::gradients";
        std::vector<fanin::MatrixView<T>> dw;
        std::vector<fanin::VectorView<T>> db;
        for (std::size_t l = 0; l < net.layers(); ++l) {
            dw.push_back(arrays.matrix(net.weight(l).rows, s.one_in(60) ? s.size(9) : net.weight(l).cols, true));
            if (net.shape().bias) db.push_back(arrays.vector(net.weight(l).rows, true));
        }
        if (s.one_in(30)) dw.pop_back();
        arrays.call([&] { (void)net.gradients(x, y, dw, db); });
    }
    current = "Optimizer";
    call([&] {
        const fanin::OptimizerRule rule = fanin::optimizer_rule(s.text(kRules), some_parameters(s));
        fanin::Optimizer optimizer(rule, s.one_in(8) ? s.number() : 0.1, s.one_in(8) ? s.number() : 0.0);
        current = "Network::step";
        arrays.call([&] { (void)net.step(x, y, optimizer); });
        current = "Network::fit";
        fanin::FitOptions options;
        options.epochs = s.size(3);
        options.batch_size = s.size(12);
        options.shuffle = s.one_in(2);
        options.stop_at_nonfinite = s.one_in(2);
        std::size_t steps = 0;
        if (rows != 0) steps = fanin::Network<T>::steps_per_epoch(rows, options.batch_size) * options.epochs;
        std::vector<double> costs(s.one_in(20) ? s.below(9) : steps), epochs(s.one_in(20) ? s.below(9) : options.epochs);
        arrays.call([&] { (void)net.fit(x, y, options, optimizer, costs, epochs); });
    });
    current = "Predictor::predict";
    const fanin::Predictor<T> predictor(net);
    const std::span<T> workspace = arrays.row(s.one_in(2) ? 0 : s.one_in(8) ? s.size(40) : predictor.workspace(rows), true);
    arrays.call([&] { predictor.predict(x, logits, workspace); });
}

template <class T>
void of_type(Source& s) {
    const Case<T> made = some_network<T>(s);
    if (!small(made.shape)) return;
    current = "Network";
    std::unique_ptr<fanin::Network<T>> net;
    if (call([&] { net = std::make_unique<fanin::Network<T>>(made.shape, s.bits()); })) work(s, *net, made);
}

void whole(const std::string& path, std::span<const char> bytes) {
    std::ofstream out(path, std::ios::binary);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (!out) found("cannot write " + path);
}

std::string read(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

// Files that the library wrote, one of a kind; they are written once.
const std::vector<std::string>& sound_files(const std::string& folder) {
    static const std::vector<std::string> files = [&] {
        std::vector<std::string> made;
        const std::string path = folder + "/sound";
        for (const bool bias : {true, false}) {
            const fanin::NetworkShape shape{{3, 4, 2}, {Activation::tanh}, fanin::Loss::cross_entropy, bias};
            fanin::Network<float> net(shape, 1);
            net.draw_weights(fanin::Law("he_normal"));
            fanin::Optimizer adam(fanin::Adam{}, 0.1);
            const float x[] = {1, 2, 3};
            const std::int64_t label[] = {1};
            net.step(fanin::matrix_view(x, 1, 3), {label, {}, {}}, adam);
            net.save(path, &adam, bias ? fanin::TensorNames::fanin : fanin::TensorNames::torch, {{"more", "\"of\" it\n"}});
            made.push_back(read(path));
            fanin::Network<double> wide(shape, 1);
            wide.save(path);
            made.push_back(read(path));
        }
        std::filesystem::remove(path);
        return made;
    }();
    return files;
}

// A part of the file as an array.
void stored(Source& s, const std::string& path, std::size_t bytes) {
    current = "summarize in a file";
    static constexpr std::string_view kDtypes[] = {"F64", "F32", "F16", "BF16", "I32"};
    std::vector<std::size_t> shape(s.below(4));
    for (std::size_t& n : shape) n = s.one_in(30) ? s.bits() : s.size(12);
    const fanin::StoredArray array{path, s.one_in(20) ? s.bits() : s.below(bytes + 2), s.of(kDtypes), shape};
    fanin::StoredDetails details;
    std::size_t size = 1;
    for (const std::size_t n : shape) size *= n;
    const std::size_t units = shape.empty() ? 1 : shape[0];
    details.kept = s.below(10);
    std::vector<double> heads(size <= bytes && units != 0 && units <= bytes ? units * details.kept
                                                                            : 0);  // of the largest elements
    if (!heads.empty()) {
        details.unit = size / units;
        details.heads = heads.data();
    }
    details.deviations = s.one_in(2) ? 0 : s.number();
    call([&] {
        const fanin::Summary whole = fanin::summarize(array, {}, &details);
        if (details.outliers > whole.count) found("more outliers than elements");
    });
}

}  // namespace

void network(Source& s) { s.one_in(2) ? of_type<float>(s) : of_type<double>(s); }

void files(Source& s, const std::string& folder) {
    std::string bytes = s.of(sound_files(folder));
    static constexpr std::string_view kPieces[] = {"{",       "}",
                                                   "[",       "]",
                                                   ",",       ":",
                                                   "\"",      "\\u0000",
                                                   "\\",      "0",
                                                   "9",       "-1",
                                                   "1e9",     "18446744073709551615",
                                                   "\"F32\"", "\"F64\"",
                                                   "null",    " ",
                                                   "\xff",    "__metadata__",
                                                   "\\ud800", "0.weight"};
    const auto fix_length = [&] {  // that of the header, so that it is read to its end
        if (bytes.size() < 8) return;
        const std::size_t end = bytes.find("}", bytes.rfind("data_offsets"));
        const std::uint64_t length = end == bytes.npos ? bytes.size() - 8 : std::min(bytes.size() - 8, end + 2 - 8);
        std::memcpy(bytes.data(), &length, 8);
    };
    for (std::size_t n = s.below(4); n != 0; --n) {
        const std::size_t header = std::min<std::size_t>(bytes.size(), 900);
        switch (s.below(7)) {
            case 0:
                bytes.resize(s.below(bytes.size() + 1));
                break;
            case 1:
                if (!bytes.empty()) bytes[s.below(bytes.size())] = static_cast<char>(s.bits() >> 40);
                break;
            case 2:
                bytes.insert(s.below(header + 1), std::string(s.of(kPieces)));
                fix_length();
                break;
            case 3:
                bytes.erase(s.below(header + 1), s.below(12));
                fix_length();
                break;
            case 4: {
                const std::string_view piece = s.of(kPieces);
                if (header > 8 + piece.size()) bytes.replace(8 + s.below(header - 8 - piece.size()), piece.size(), piece);
                break;
            }
            case 5:
                if (bytes.size() >= 8) bytes[s.below(8)] = static_cast<char>(s.bits() >> 40);
                break;
            default:
                bytes.append(s.below(20), '\1');
        }
    }
    const std::string path = folder + "/fuzzed";
    whole(path, bytes);
    current = "SafeTensors";
    call([&] {
        const fanin::SafeTensors file(path);
        std::size_t total = 0;
        for (const fanin::Tensor& tensor : file.tensors()) {
            for (const std::byte b : tensor.bytes) total += static_cast<std::size_t>(b);
            (void)file.tensor(tensor.name);
        }
        if (total == 1) (void)file.find("");
        current = "network_shape";
        fanin::NetworkShape shape{{3, 4, 2}, {Activation::tanh}};
        call([&] { shape = fanin::network_shape(file); });
        if (!small(shape)) return;
        current = "Predictor of a file";
        call([&] { (void)fanin::Predictor<float>(file); });
        call([&] { (void)fanin::Predictor<double>(file); });
        current = "Network::load";
        call([&] {
            fanin::Network<float> net(shape, 0);
            net.load(file);
            current = "Network::load_optimizer";
            fanin::Optimizer adam(fanin::Adam{}, 0.1);
            net.load_optimizer(file, adam);
        });
    });
    stored(s, path, bytes.size());
}

}  // namespace fuzz
