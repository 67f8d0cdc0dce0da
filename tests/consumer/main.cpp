// Draws He weights for a layer of 784 -> 300, carries one batch through it, and prints a digest of the result: the FNV-1a
// hash of the bytes of a. Python computes the same digest from the same lines (test_consumer.py).
#include <cstdint>
#include <cstdio>
#include <fanin/fanin.hpp>
#include <span>
#include <vector>

int main() {
    constexpr std::size_t kBatch = 32, kIn = 784, kOut = 300;
    std::vector<float> x(kBatch * kIn), w(kOut * kIn), b(kOut), a(kBatch * kOut);

    fanin::fill_normal<float>(x, {.seed = 7, .stream = fanin::stream_id("x")}, 0, 0.0f, 1.0f);
    const fanin::MatrixView<float> weights{w.data(), kOut, kIn, kIn, 1};
    fanin::fill(weights, fanin::Law("he_normal"), {.seed = 7, .stream = fanin::stream_id("0.weight")});
    fanin::dense_forward<float>({x.data(), kBatch, kIn, kIn, 1}, {w.data(), kOut, kIn, kIn, 1},
                                fanin::VectorView<const float>{b.data(), kOut, 1}, fanin::Activation::relu,
                                {a.data(), kBatch, kOut, kOut, 1});

    std::uint64_t hash = 0xcbf29ce484222325u;
    for (const std::byte byte : std::as_bytes(std::span(a))) hash = (hash ^ static_cast<std::uint64_t>(byte)) * 0x100000001b3u;
    std::printf("%016llx\n", static_cast<unsigned long long>(hash));
}
