// What an embedding program draws and computes, a line each: a name and a digest of the bytes. Python computes
// the same digests from the same lines (test_consumer.py).
#include <cstdint>
#include <cstdio>
#include <fanin/fanin.hpp>
#include <span>
#include <string>
#include <vector>

namespace {

constexpr std::size_t kBatch = 32, kIn = 391, kOut = 150;

template <class T>
void print_digest(const char* name, const std::vector<T>& values) {
    std::uint64_t hash = 0;  // a polynomial in an odd number, the bytes its coefficients: each byte counts at its place
    for (const std::byte byte : std::as_bytes(std::span(values)))
        hash = hash * 0x100000001b3u + static_cast<std::uint64_t>(byte);
    std::printf("%s %016llx\n", name, static_cast<unsigned long long>(hash));
}

template <class T>
std::vector<T> drawn(const std::string& law) {
    std::vector<T> w(kOut * kIn);
    const std::size_t shape[] = {kOut, kIn};
    fanin::fill(std::span(w), shape, fanin::law_from_text(law), {.seed = 7, .stream = fanin::stream_id("0.weight")});
    return w;
}

}  // namespace

int main() {
    // Laws of every kind, as texts, in every number type.
    for (const char* law : {"he_normal", "glorot_uniform(gain=tanh)", "truncated_normal(std=0.02, corrected=true)",
                            "lecun_truncated", "truncated_normal(lower=3, upper=4)", "orthogonal(gain=relu)",
                            "sparse(sparsity=0.9)", "variance_scaling(scale=2, mode=fan_avg, distribution=uniform)"}) {
        print_digest((std::string(law) + " float32").c_str(), drawn<float>(law));
        print_digest((std::string(law) + " float64").c_str(), drawn<double>(law));
        print_digest((std::string(law) + " float16").c_str(), drawn<fanin::Float16>(law));
    }

    // A block of a matrix, and one batch through a layer.
    std::vector<float> block(64 * 100);
    const std::size_t whole[] = {kOut, kIn}, offset[] = {80, 280}, shape[] = {64, 100};
    const std::ptrdiff_t strides[] = {100, 1};
    fanin::fill(fanin::ArrayView<float>{block.data(), shape, strides}, fanin::Law("he_normal"),
                {.seed = 7, .stream = fanin::stream_id("0.weight")}, fanin::Part{whole, offset});
    print_digest("block", block);

    std::vector<float> x(kBatch * kIn), w = drawn<float>("he_normal"), b(kOut), a(kBatch * kOut);
    fanin::fill_normal<float>(x, {.seed = 7, .stream = fanin::stream_id("x")}, 0, 0.0f, 1.0f);
    fanin::dense_forward<float>({x.data(), kBatch, kIn, kIn, 1}, {w.data(), kOut, kIn, kIn, 1},
                                fanin::VectorView<const float>{b.data(), kOut, 1}, fanin::Activation::relu,
                                {a.data(), kBatch, kOut, kOut, 1});
    print_digest("layer", a);
}
