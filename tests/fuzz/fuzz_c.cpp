// The C API: null where something must be, words that are none, numbers that are no dtype, sizes beyond memory.
#include <algorithm>
#include <filesystem>

#include "fanin/fanin.h"
#include "source.hpp"

namespace fuzz {
namespace {

// Memory of exactly n elements of 8 bytes at most, or null seldom. Kept while one call lasts.
class Room {
 public:
    explicit Room(Source& source) : s_(source) {}
    void* of(std::size_t bytes) {
        if (s_.one_in(40)) return nullptr;
        auto& block = blocks_.emplace_back(new unsigned char[bytes]);
        const std::size_t different = std::min<std::size_t>(bytes / 8, 16);
        for (std::size_t i = 0; i < different; ++i) {
            const std::uint64_t word = s_.one_in(2) ? s_.bits() : 0x3f0000003f000000u;
            std::memcpy(block.get() + 8 * i, &word, 8);
        }
        std::fill(block.get() + 8 * different, block.get() + bytes, static_cast<unsigned char>(0x3e));
        return block.get();
    }
    const char* text(std::string words) {
        if (s_.one_in(40)) return nullptr;
        return words_.emplace_back(std::make_unique<std::string>(std::move(words)))->c_str();
    }

 private:
    Source& s_;
    std::vector<std::unique_ptr<unsigned char[]>> blocks_;
    std::vector<std::unique_ptr<std::string>> words_;
};

fanin_dtype some_dtype(Source& s, std::size_t usual) {
    return static_cast<fanin_dtype>(s.one_in(30) ? s.bits() & 0x7fffffff : s.below(usual));
}

fanin_status after(const char* name, fanin_status status) {
    Tally& tally = tallies[name];
    ++tally.calls;
    if (status == FANIN_OK) return status;
    ++tally.refused;
    current = name;
    if (fanin_last_error() == nullptr || *fanin_last_error() == '\0') found("a refusal without words");
    if (status != FANIN_INVALID_ARGUMENT && status != FANIN_SYSTEM_ERROR)
        found(std::string("another status: ") + std::to_string(status) + ", " + fanin_last_error());
    return status;
}
#define CALLED(name, ...) (current = #name, after(#name, name(__VA_ARGS__)))

std::size_t bytes_of(fanin_dtype dtype) { return dtype == FANIN_FLOAT64 ? 8 : dtype == FANIN_FLOAT32 ? 4 : 2; }

void fills(Source& s) {
    Room room(s);
    const fanin_dtype dtype = some_dtype(s, 4);
    std::size_t shape[40] = {}, whole[40] = {}, offset[40] = {};
    std::ptrdiff_t strides[40] = {}, step = 1;
    std::size_t rank = s.one_in(30) ? s.below(40) : s.below(4), n = 1;
    for (std::size_t i = 0; i < rank; ++i) {
        shape[i] = rank > 6 ? 1 : s.size(16);
        offset[i] = s.one_in(30) ? s.bits() : s.below(4);
        whole[i] = s.one_in(30) ? s.bits() : shape[i] + offset[i] + s.below(3);
        n *= shape[i];
    }
    for (std::size_t i = rank; i-- > 0;) {
        strides[i] = step;
        step *= static_cast<std::ptrdiff_t>(shape[i] == 0 ? 1 : shape[i]);
    }
    void* out = room.of(n * bytes_of(dtype));
    const std::string words = s.text(kLaws);
    for (std::size_t i = 0; i < rank; ++i)
        if (needs_whole(words)) whole[i] = shape[i] + (offset[i] %= rank > 6 ? 1 : 4);
    if (rank != 0 && rank < 4 && s.one_in(30)) {  // more than memory: refused, or of no elements
        for (std::size_t i = 0; i < rank; ++i) shape[i] = (std::size_t{1} << 61) + s.below(3);
        if (s.one_in(3)) shape[s.below(rank)] = 0;
    }
    const char* law = room.text(words);
    const bool part = s.one_in(2);
    const std::size_t* shaped = s.one_in(60) ? nullptr : shape;
    if (s.one_in(2)) CALLED(fanin_fill, dtype, out, shaped, rank, law, s.bits(), s.bits());
    else
        CALLED(fanin_fill_part, dtype, out, shaped, s.one_in(3) ? nullptr : strides, rank, law, s.bits(), s.bits(),
               part ? whole : nullptr, part != s.one_in(20) ? offset : nullptr);
}

void layers(Source& s) {
    Room room(s);
    const fanin_dtype dtype = some_dtype(s, 2);
    const std::size_t e = bytes_of(dtype), batch = s.size(12), n_in = s.size(12), n_out = s.size(12);
    const char* g = room.text(s.text(kActivations));
    void *x = room.of(batch * n_in * e), *w = room.of(n_out * n_in * e), *b = room.of(n_out * e);
    void *a = room.of(batch * n_out * e), *z = room.of(batch * n_out * e), *dx = room.of(batch * n_in * e);
    void *dw = room.of(n_out * n_in * e), *db = room.of(n_out * e);
    const auto or_null = [&](void* p) { return s.one_in(4) ? nullptr : p; };
    const std::size_t rows = s.one_in(40) ? (std::size_t{1} << 60) + s.below(9) : batch;
    if (rows != batch && (n_in == 0 || n_out == 0)) return;  // rows of nothing are as many as one likes
    if (s.one_in(2))
        CALLED(fanin_dense_forward, dtype, rows, n_in, n_out, x, w, or_null(b), g, n_out <= n_in && s.one_in(20) ? x : a,
               or_null(z));
    else CALLED(fanin_dense_backward, dtype, rows, n_in, n_out, a, x, w, or_null(z), g, or_null(dx), or_null(dw), or_null(db));
}

void elementwise(Source& s) {
    Room room(s);
    const fanin_dtype dtype = some_dtype(s, 2);
    const std::size_t n = s.size(400);
    const char* g = room.text(s.text(kActivations));
    void *z = room.of(n * bytes_of(dtype)), *out = s.one_in(3) ? z : room.of(n * bytes_of(dtype));
    switch (s.below(5)) {
        case 0:
            CALLED(fanin_activate, dtype, g, n, z, out);
            break;
        case 1:
            CALLED(fanin_activation_derivative, dtype, g, n, z, out);
            break;
        case 2:
            CALLED(fanin_gain, g, static_cast<double*>(room.of(8)));
            break;
        case 3:
            CALLED(fanin_stream_id, g, static_cast<std::uint64_t*>(room.of(8)));
            break;
        default:
            CALLED(fanin_summarize, dtype, n, z, static_cast<fanin_summary*>(room.of(sizeof(fanin_summary))),
                   s.one_in(2) ? nullptr : static_cast<std::uint64_t*>(room.of(513 * 8)));
    }
}

void process(Source& s) {
    Room room(s);
    static constexpr std::string_view kNames[] = {"generic", "x86_64_v3", "x86_64_v4", "neon", ""};
    CALLED(fanin_set_isa, room.text(s.text(kNames)));
    CALLED(fanin_set_num_threads, s.one_in(4) ? s.bits() : s.below(4));
    current = "the process";
    if (*fanin_active_isa() == '\0' || fanin_num_threads() == 0 || *fanin_version() == '\0') found("no answer");
    if (s.one_in(200)) CALLED(fanin_shutdown_threads);
}

// A network, or null; calls on it and on what is made of it.
void networks(Source& s, const std::string& folder) {
    Room room(s);
    static constexpr std::string_view kLosses[] = {"cross_entropy", "binary_cross_entropy", "mean_squared_error", "hinge", ""};
    static constexpr std::string_view kRules[] = {"sgd", "rmsprop", "adam", "adagrad", "lion"};
    static constexpr std::string_view kNames[] = {"momentum", "nesterov", "alpha", "eps", "beta1", "beta2", "weight_decay"};
    const fanin_dtype dtype = some_dtype(s, 2);
    const std::size_t e = bytes_of(dtype), n = s.one_in(30) ? s.below(3) : 2 + s.below(3);
    std::vector<std::size_t> sizes(n);
    for (std::size_t& size : sizes) size = 1 + s.below(6);
    if (n != 0 && s.one_in(30)) sizes[s.below(n)] = s.one_in(2) ? 0 : std::size_t{1} << 62;
    std::vector<const char*> activations(n < 2 ? 0 : n - 2);
    for (const char*& g : activations) g = s.one_in(20) ? room.text(s.text(kActivations)) : "tanh";
    const std::string loss = s.one_in(20) ? s.text(kLosses) : std::string(s.of(kLosses));
    fanin_network* net = nullptr;
    CALLED(fanin_network_create, dtype, s.one_in(60) ? nullptr : sizes.data(), n, s.one_in(60) ? nullptr : activations.data(),
           room.text(loss), s.one_in(2), s.bits(), s.one_in(60) ? nullptr : &net);
    fanin_optimizer* optimizer = nullptr;
    std::vector<const char*> names(s.one_in(2) ? 0 : s.below(3));
    std::vector<double> values(names.size());
    for (std::size_t i = 0; i < names.size(); ++i) names[i] = room.text(s.text(kNames)), values[i] = s.number();
    CALLED(fanin_optimizer_create, room.text(s.text(kRules)), s.one_in(8) ? s.number() : 0.1, names.data(), values.data(),
           names.size(), s.one_in(8) ? s.number() : 0, &optimizer);
    if (optimizer != nullptr || s.one_in(8)) CALLED(fanin_optimizer_set_lr, optimizer, s.one_in(2) ? s.number() : 0.1);
    fanin_predictor* predictor = nullptr;
    if (net != nullptr || s.one_in(8)) {
        const std::size_t rows = s.size(20), in = fanin_network_inputs(net), out = fanin_network_outputs(net);
        void *x = room.of(rows * in * e), *logits = room.of(rows * out * e), *y = room.of(rows * out * e);
        std::vector<std::int64_t> labels(rows);
        for (auto& label : labels) label = s.one_in(100) ? static_cast<std::int64_t>(s.bits()) : s.below(2);
        const std::int64_t* given = loss == "cross_entropy" && !s.one_in(20) ? labels.data() : nullptr;
        const void* wanted = given == nullptr || s.one_in(20) ? y : nullptr;
        double cost = 0;
        void *w = nullptr, *b = nullptr;
        std::size_t some_rows = 0, cols = 0;
        CALLED(fanin_network_draw, net, room.text(s.text(kLaws)));
        if (CALLED(fanin_network_parameters, net, s.below(5), &w, s.one_in(4) ? nullptr : &b, &some_rows, &cols) == FANIN_OK)
            std::memset(w, 0, some_rows * cols * e);
        CALLED(fanin_network_forward, net, x, rows, logits);
        CALLED(fanin_network_predict, net, x, rows, s.one_in(40) ? nullptr : labels.data());
        for (auto& label : labels) label = s.below(2);
        CALLED(fanin_network_loss, net, x, rows, given, wanted, s.one_in(40) ? nullptr : &cost);
        CALLED(fanin_network_step, net, x, rows, given, wanted, optimizer, s.one_in(2) ? nullptr : &cost);
        CALLED(fanin_predictor_create, net, s.one_in(60) ? nullptr : &predictor);
        if (predictor != nullptr || s.one_in(4)) {
            const std::size_t needed = predictor == nullptr ? 0 : fanin_predictor_workspace(predictor, rows);
            const std::size_t space = s.one_in(2) ? 0 : s.one_in(8) ? s.below(30) : needed;
            void* workspace = space == 0 ? nullptr : room.of(space * e);
            CALLED(fanin_predictor_predict, predictor, x, rows, logits, workspace, workspace == nullptr ? 0 : space);
        }
        if (net != nullptr && s.one_in(400)) {
            const std::string path = folder + "/c";
            CALLED(fanin_network_save, net, s.one_in(8) ? "/" : path.c_str());
        }
    }
    if (s.one_in(20)) {
        const std::string path = folder + (s.one_in(8) ? "/none" : s.one_in(2) ? "/c" : "/fuzzed");
        fanin_network* loaded = nullptr;
        CALLED(fanin_network_load, room.text(path), some_dtype(s, 2), &loaded);
        fanin_network_free(loaded);
        fanin_predictor* from_file = nullptr;
        CALLED(fanin_predictor_load, room.text(path), some_dtype(s, 2), &from_file);
        fanin_predictor_free(from_file);
    }
    fanin_predictor_free(predictor);
    fanin_optimizer_free(optimizer);
    fanin_network_free(net);
}

}  // namespace

void c_api(Source& s, const std::string& folder) {
    switch (s.below(8)) {
        case 0:
        case 1:
            return fills(s);
        case 2:
        case 3:
            return layers(s);
        case 4:
        case 5:
            return elementwise(s);
        case 6:
            return process(s);
        default:
            return networks(s, folder);
    }
}

}  // namespace fuzz
