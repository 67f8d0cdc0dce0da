// What fuzzed calls are made of: choices, numbers, texts, and arrays in storage of exactly their size, so that the address
// sanitizer sees the first byte beyond; and the record of what each entry made of its calls.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fanin/view.hpp"

namespace fuzz {

// Where choices come from: the bytes of a coverage-guided fuzzer, zeros after their end, or splitmix64 (Steele, Lea, Flood
// 2014).
class Source {
 public:
    explicit Source(std::uint64_t seed) : state_(seed) {}
    Source(const std::uint8_t* bytes, std::size_t n) : bytes_(bytes, n), guided_(true) {}

    std::uint64_t bits() {
        if (guided_) {
            std::uint64_t word = 0;
            const std::size_t n = bytes_.size() < 4 ? bytes_.size() : 4;
            if (n != 0) std::memcpy(&word, bytes_.data(), n);
            bytes_ = bytes_.subspan(n);
            return word * 0x9e3779b97f4a7c15u;
        }
        std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }
    std::size_t below(std::size_t n) { return static_cast<std::size_t>((bits() >> 32) % n); }
    bool one_in(std::size_t n) { return below(n) == 0; }
    std::size_t size(std::size_t usual) {  // small mostly, 0 and 1 often, now and then several times what is usual
        switch (below(12)) {
            case 0:
                return 0;
            case 1:
                return 1;
            case 2:
                return below(8 * usual);
            default:
                return below(usual);
        }
    }
    template <class C>
    const auto& of(const C& choices) {
        return choices[below(std::size(choices))];
    }
    double number() {  // anything that a double can be, the usual more often
        static constexpr double kOdd[] = {0.0,     -0.0,  1.0,    -1.0,     0.5,       1e-320, -1e-45,  3.4e38,
                                          1.7e308, 1e-38, -1e300, HUGE_VAL, -HUGE_VAL, NAN,    65504.0, 2147483648.0};
        switch (below(8)) {
            case 0:
                return of(kOdd);
            case 1:
                return std::bit_cast<double>(bits());
            default:
                return (static_cast<double>(bits() >> 11) * 0x1p-53 - 0.5) * 8;
        }
    }
    template <class T>
    T value() {
        if constexpr (std::is_same_v<T, double>) return number();
        else if constexpr (std::is_same_v<T, float>) {
            if (one_in(8)) return std::bit_cast<float>(static_cast<std::uint32_t>(bits() >> 32));
            const double x = number();
            return x > 3.4e38 ? HUGE_VALF : x < -3.4e38 ? -HUGE_VALF : static_cast<float>(x);
        } else {
            const std::uint64_t word = bits() >> (64 - 8 * sizeof(T));
            T x;
            std::memcpy(static_cast<void*>(&x), &word, sizeof x);
            return x;
        }
    }
    // One of `texts`, as it is or changed in some places.
    template <class C>
    std::string text(const C& texts) {
        std::string s(of(texts));
        if (!one_in(4)) return s;
        static constexpr std::string_view kSigns = "()=,. -+_'\"aeinrstuz0123456789\xc3\xa9\x01";
        for (std::size_t n = below(4); n != 0; --n) switch (below(5)) {
                case 0:
                    if (!s.empty()) s.erase(below(s.size()), 1 + below(3));
                    break;
                case 1:
                    s.insert(below(s.size() + 1), 1, kSigns[below(kSigns.size())]);
                    break;
                case 2:
                    if (!s.empty()) s[below(s.size())] = kSigns[below(kSigns.size())];
                    break;
                case 3:
                    s += std::string(of(texts));
                    break;
                default:
                    s.insert(below(s.size() + 1), std::to_string(number()));
            }
        return s;
    }

 private:
    std::uint64_t state_ = 0;
    std::span<const std::uint8_t> bytes_;
    bool guided_ = false;
};

// What came of the calls of one entry.
struct Tally {
    long calls = 0, refused = 0;
};
inline std::map<std::string, Tally> tallies;
inline std::string current;     // what is being called, for the last words
inline std::uint64_t turn = 0;  // and when: `fuzz 1 TURN` repeats it

[[noreturn]] inline void found(const std::string& what) {
    std::printf("finding in %s, turn %llu: %s\n", current.c_str(), static_cast<unsigned long long>(turn), what.c_str());
    std::fflush(stdout);
    std::abort();
}

// The arrays of T that one call gets. What it does not say that it writes must stay; after a refusal, everything must.
template <class T>
class Arrays {
 public:
    explicit Arrays(Source& source) : source_(source) {}

    // A view of `shape` with memory behind each element. Inputs may have zero strides and steps over one another. Outputs too,
    // seldom (they are refused); seldom, they lie in the memory of an earlier array.
    fanin::ArrayView<T> array(std::vector<std::size_t> shape, bool output) {
        Layout& layout = *layouts_.emplace_back(std::make_unique<Layout>());
        layout.shape = std::move(shape);
        const std::size_t rank = layout.shape.size();
        layout.strides.resize(rank);
        std::vector<std::size_t> order(rank);
        for (std::size_t i = 0; i < rank; ++i) order[i] = rank - 1 - i;
        if (source_.one_in(4))
            for (std::size_t i = rank; i > 1; --i) std::swap(order[i - 1], order[source_.below(i)]);
        const bool loose = !source_.one_in(3), odd = output ? source_.one_in(24) : source_.one_in(6);
        std::ptrdiff_t step = loose ? 1 : 1 + static_cast<std::ptrdiff_t>(source_.below(3)), low = 0, high = 0;
        bool empty = false;
        for (const std::size_t axis : order) {
            const auto n = static_cast<std::ptrdiff_t>(layout.shape[axis]);
            std::ptrdiff_t stride = step;
            if (odd) stride = static_cast<std::ptrdiff_t>(source_.below(5)) - 2;
            else if (source_.one_in(12)) stride = -stride;
            layout.strides[axis] = stride;
            if (n == 0) empty = true;
            else (stride < 0 ? low : high) += (n - 1) * stride;
            step *= n > 1 ? n : 1;
            if (!loose) step += static_cast<std::ptrdiff_t>(source_.below(3));
        }
        layout.empty = empty;
        const std::size_t extent = empty ? 0 : static_cast<std::size_t>(high - low) + 1;
        Storage* in = nullptr;
        if (output && source_.one_in(16))
            for (auto& storage : storages_)
                if (storage->n >= extent) in = storage.get();
        if (in == nullptr) in = &add(extent);
        layout.data = in->data.get() + source_.below(in->n - extent + 1) - low;
        layout.output = output;
        return {layout.data, layout.shape, layout.strides};
    }
    fanin::MatrixView<T> matrix(std::size_t rows, std::size_t cols, bool output) {
        const fanin::ArrayView<T> a = array({rows, cols}, output);
        return {a.data, rows, cols, a.strides[0], a.strides[1]};
    }
    fanin::VectorView<T> vector(std::size_t n, bool output) {
        const fanin::ArrayView<T> a = array({n}, output);
        return {a.data, n, a.strides[0]};
    }
    // In C order.
    std::span<T> row(std::size_t n, bool output) {
        Layout& layout = *layouts_.emplace_back(std::make_unique<Layout>());
        layout.shape = {n};
        layout.strides = {1};
        layout.empty = n == 0;
        layout.output = output;
        Storage* in = nullptr;
        if (output && source_.one_in(24))
            for (auto& storage : storages_)
                if (storage->n >= n) in = storage.get();
        if (in == nullptr) in = &add(n);
        layout.data = in->data.get() + source_.below(in->n - n + 1);
        return {layout.data, n};
    }
    // That an earlier view is written as well (dz that is da).
    void also_written(const T* data) {
        for (auto& layout : layouts_)
            if (layout->data == data) layout->output = true;
    }

    // The call itself; what it may throw is a refusal.
    template <class Call>
    bool call(Call&& body) {
        for (auto& storage : storages_) std::memcpy(storage->before.get(), storage->data.get(), storage->n * sizeof(T));
        bool done = true;
        Tally& tally = tallies[current];
        ++tally.calls;
        try {
            body();
        } catch (const std::invalid_argument& error) {
            if (*error.what() == '\0') found("a refusal without words");
            done = false;
            ++tally.refused;
        } catch (const std::exception& error) {
            found(std::string("another exception: ") + error.what());
        }
        if (done) mark();
        for (auto& storage : storages_)
            for (std::size_t i = 0; i < storage->n; ++i)
                if (!storage->written[i] && std::memcmp(&storage->data[i], &storage->before[i], sizeof(T)) != 0)
                    found(done ? "it wrote beside its outputs" : "it wrote and then refused");
        return done;
    }

 private:
    struct Storage {
        std::size_t n;
        std::unique_ptr<T[]> data, before;
        std::vector<bool> written;
    };
    struct Layout {
        T* data = nullptr;
        std::vector<std::size_t> shape;
        std::vector<std::ptrdiff_t> strides;
        bool empty = false, output = false;
    };
    Storage& add(std::size_t n) {
        auto made = std::make_unique<Storage>();
        made->n = n;
        made->data.reset(new T[n]);
        made->before.reset(new T[n]);
        made->written.resize(n);
        const std::size_t different = n < 64 ? n : 64;  // the rest repeats them, by odd steps
        for (std::size_t i = 0; i < different; ++i) made->data[i] = source_.template value<T>();
        for (std::size_t i = different; i < n; ++i) made->data[i] = made->data[i * 7 % different];
        storages_.push_back(std::move(made));
        return *storages_.back();
    }
    void mark() {
        for (auto& layout : layouts_) {
            if (!layout->output || layout->empty) continue;
            Storage* in = nullptr;
            for (auto& storage : storages_)
                if (!std::less<const T*>()(layout->data, storage->data.get()) &&
                    std::less<const T*>()(layout->data, storage->data.get() + storage->n))
                    in = storage.get();
            std::vector<std::size_t> at(layout->shape.size());
            for (bool more = true; more;) {
                std::ptrdiff_t offset = layout->data - in->data.get();
                for (std::size_t k = 0; k < at.size(); ++k) offset += static_cast<std::ptrdiff_t>(at[k]) * layout->strides[k];
                in->written[static_cast<std::size_t>(offset)] = true;
                more = false;
                for (std::size_t k = at.size(); k-- > 0 && !more;) {
                    more = ++at[k] < layout->shape[k];
                    if (!more) at[k] = 0;
                }
            }
        }
    }

    Source& source_;
    std::vector<std::unique_ptr<Storage>> storages_;
    std::vector<std::unique_ptr<Layout>> layouts_;
};

// A call that writes nothing of the caller's.
template <class Call>
bool call(Call&& body) {
    Tally& tally = tallies[current];
    ++tally.calls;
    try {
        body();
        return true;
    } catch (const std::invalid_argument& error) {
        if (*error.what() == '\0') found("a refusal without words");
    } catch (const std::exception& error) {
        found(std::string("another exception: ") + error.what());
    }
    ++tally.refused;
    return false;
}

// Each makes one call, or a few that belong together; fuzz_core.cpp, fuzz_network.cpp, fuzz_c.cpp.
void core(Source& source);
void network(Source& source);
void files(Source& source, const std::string& folder);
void c_api(Source& source, const std::string& folder);

inline void any(Source& source, const std::string& folder) {
    switch (source.below(16)) {
        case 0:
        case 1:
            return network(source);
        case 2:
            return files(source, folder);
        case 3:
        case 4:
        case 5:
        case 6:
        case 7:
            return c_api(source, folder);
        default:
            return core(source);
    }
}

inline constexpr std::string_view kActivations[] = {"identity",
                                                    "relu",
                                                    "leaky_relu",
                                                    "leaky_relu(0.2)",
                                                    "leaky_relu(slope=-3)",
                                                    "elu",
                                                    "elu(alpha=2)",
                                                    "selu",
                                                    "gelu",
                                                    "gelu_tanh",
                                                    "silu",
                                                    "mish",
                                                    "softplus",
                                                    "softsign",
                                                    "tanh",
                                                    "sigmoid",
                                                    "hardtanh",
                                                    "relu6",
                                                    "hardswish",
                                                    "sin",
                                                    "",
                                                    "swish",
                                                    "elu()"};
inline constexpr std::string_view kLaws[] = {"zeros",
                                             "ones",
                                             "constant(value=2)",
                                             "identity(gain=0.5)",
                                             "dirac(groups=2)",
                                             "orthogonal(gain=relu)",
                                             "normal(mean=1, std=0.1)",
                                             "uniform(low=-1, high=3)",
                                             "truncated_normal(std=0.02, lower=-1, upper=inf)",
                                             "truncated_normal(corrected=true)",
                                             "sparse(sparsity=0.5)",
                                             "variance_scaling(scale=2, mode=fan_avg, distribution=truncated)",
                                             "fan_in_uniform",
                                             "xavier_normal(gain=tanh, mode=fan_geo_avg)",
                                             "glorot_uniform",
                                             "he_normal(gain=2, mode=fan_out)",
                                             "lecun_truncated",
                                             "siren_uniform(omega_0=30, first=true)",
                                             "he_uniform(gain='leaky_relu(0.2)')",
                                             "normal(std=1e300)",
                                             "normal(std=nan)",
                                             "kaiming_normal_",
                                             ""};
// Whether a part of a parameter takes the memory of the whole, or of its axes: those are not made larger than memory. (The
// address sanitizer takes a request that cannot be met for a finding, where the library would say that it is out of memory.)
inline bool needs_whole(std::string_view law) { return law.find("orth") != law.npos || law.find("spars") != law.npos; }

}  // namespace fuzz
