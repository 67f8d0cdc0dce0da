// The corpus: what every golden program computes, said once in terms that C, C++ and Python have alike.
//
// A case is drawn from 64-bit numbers of a counter (splitmix64), shapes from small ranges, values from the library's own draws,
// so that nothing but whole numbers goes into a case. A digest is a polynomial modulo 2^64 in the 64-bit words of all results
// of a section, the last word of an array filled with zeros: h = h * p + word.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace golden {

// Numbers of one section, reproducible anywhere.
class Numbers {
 public:
    explicit Numbers(std::uint64_t section) : state_(section) {}
    std::uint64_t next() {  // splitmix64: Steele, Lea, Flood 2014
        std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }
    std::size_t in(std::size_t low, std::size_t high) {  // low .. high
        return low + static_cast<std::size_t>(next() % (high - low + 1));
    }

 private:
    std::uint64_t state_;
};

class Digest {
 public:
    template <class T>
    void add(const T* values, std::size_t n) {
        const auto* bytes = reinterpret_cast<const unsigned char*>(values);
        const std::size_t size = n * sizeof(T);
        for (std::size_t i = 0; i < size; i += 8) {
            std::uint64_t word = 0;
            std::memcpy(&word, bytes + i, size - i < 8 ? size - i : 8);
            hash_ = hash_ * 0x100000001b3u + word;
        }
        values_ += n;
    }
    template <class T>
    void add(const std::vector<T>& values) {
        add(values.data(), values.size());
    }
    std::uint64_t hash() const { return hash_; }
    std::uint64_t values() const { return values_; }

 private:
    std::uint64_t hash_ = 0, values_ = 0;
};

constexpr const char* kLaws[] = {"he_normal",
                                 "glorot_uniform(gain=tanh)",
                                 "truncated_normal(std=0.02, corrected=true)",
                                 "lecun_truncated",
                                 "orthogonal(gain=relu)",
                                 "sparse(sparsity=0.9)",
                                 "normal(std=1e-40)",
                                 "variance_scaling(scale=0.1, mode=fan_avg, distribution=uniform)",
                                 "truncated_normal(lower=3, upper=4)",
                                 "uniform(low=-0.1, high=0.7)"};
constexpr const char* kActivations[] = {"identity", "relu",     "leaky_relu(0.1)", "elu(0.3)", "selu", "gelu",    "gelu_tanh",
                                        "silu",     "mish",     "softplus",        "softsign", "tanh", "sigmoid", "hardtanh",
                                        "relu6",    "hardswish"};
constexpr const char* kRules[] = {"sgd", "rmsprop", "adam", "adagrad"};
constexpr std::size_t kLawCount = 10, kActivationCount = 16, kRuleCount = 4;

}  // namespace golden
