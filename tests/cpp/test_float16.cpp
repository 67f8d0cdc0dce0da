// Rounding to the 16-bit formats against the reference, on every instruction set.
#include <bit>
#include <limits>
#include <stdexcept>

#include "check.hpp"
#include "fanin/float16.hpp"
#include "reference/float16.hpp"

namespace {

template <class T>
std::uint16_t expected(float x) {
    if constexpr (std::is_same_v<T, fanin::Float16>) return fanin::reference::to_float16(x);
    else return fanin::reference::to_bfloat16(x);
}

template <class T>
void equals_reference(const std::vector<float>& x) {
    std::vector<T> out(x.size());
    fanin::round_to(x, std::span<T>(out));
    for (std::size_t i = 0; i < x.size(); ++i)
        if (out[i].bits != expected<T>(x[i])) {
            CHECK(out[i].bits == expected<T>(x[i]));
            std::printf("%s -> %04x, not %04x\n", check::show(x[i]).c_str(), out[i].bits, expected<T>(x[i]));
        }
}

// Where rounding turns: every 16-bit number, the points half way between them, and the floats around both.
std::vector<float> turning_points() {
    std::vector<float> x;
    const auto around = [&](std::uint32_t bits) {
        for (const std::uint32_t b : {bits - 1, bits, bits + 1}) x.push_back(std::bit_cast<float>(b));
    };
    for (std::uint32_t upper = 0; upper < 0x10000; ++upper) {
        around(upper << 16);                                                    // bfloat16
        around(upper << 16 | 0x8000u);                                          // and half way
        for (const std::uint32_t lower : {0x1000u, 0x2000u, 0x3000u, 0xf000u})  // float16: places of 2^13, half of it
            around(upper << 16 | lower);
    }
    for (int k = 0; k <= 4096; ++k) around(std::bit_cast<std::uint32_t>(static_cast<float>(k) * 0x1p-26f));  // subnormals
    return x;
}

std::vector<float> all_over() {
    std::vector<float> x;
    for (std::uint64_t bits = 0; bits < (std::uint64_t{1} << 32); bits += 4093)
        x.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    return x;
}

void known_values() {
    using fanin::reference::to_bfloat16;
    using fanin::reference::to_float16;
    CHECK(to_float16(1.0f) == 0x3c00 && to_float16(-2.0f) == 0xc000 && to_float16(0.1f) == 0x2e66);
    CHECK(to_float16(65504.0f) == 0x7bff && to_float16(65519.99f) == 0x7bff && to_float16(65520.0f) == 0x7c00);
    CHECK(to_float16(0x1p-24f) == 1 && to_float16(0x1p-25f) == 0 && to_float16(0x1.8p-24f) == 2 && to_float16(-0.0f) == 0x8000);
    CHECK(to_float16(0x1.ffep-15f) == 0x0400);  // half way between the largest subnormal and the smallest normal: even
    CHECK(to_bfloat16(1.0f) == 0x3f80 && to_bfloat16(0.1f) == 0x3dcd && to_bfloat16(0x1.01p0f) == 0x3f80);
    CHECK(to_bfloat16(0x1.03p0f) == 0x3f82 && to_bfloat16(0x1.ffp127f) == 0x7f80);
    CHECK(to_float16(std::numeric_limits<float>::quiet_NaN()) == 0x7e00);
}

void sizes_and_refusals() {
    for (std::size_t n = 0; n <= 70; ++n) {
        std::vector<float> x(n);
        for (std::size_t i = 0; i < n; ++i) x[i] = 0.1f * static_cast<float>(i) - 2;
        std::vector<fanin::BFloat16> out(n + 1, fanin::BFloat16{42});
        fanin::round_to(x, std::span(out).first(n));
        for (std::size_t i = 0; i < n; ++i) CHECK(out[i].bits == fanin::reference::to_bfloat16(x[i]));
        CHECK(out[n].bits == 42);
    }
    std::vector<float> x(3);
    std::vector<fanin::Float16> out(4);
    CHECK_THROWS(fanin::round_to(x, std::span(out)), std::invalid_argument);
}

}  // namespace

int main() {
    known_values();
    const std::vector<float> points = turning_points(), spread = all_over();
    check::each_isa([&] {
        for (const std::vector<float>* x : {&points, &spread}) {
            equals_reference<fanin::Float16>(*x);
            equals_reference<fanin::BFloat16>(*x);
        }
        sizes_and_refusals();
    });
    return check::result();
}
