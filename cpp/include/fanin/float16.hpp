// The two 16-bit formats that weights are stored in. Nothing is computed in them: a draw is made in float32 and rounded
// once.
#pragma once

#include <cstdint>
#include <span>

#include "fanin/export.hpp"

namespace fanin FANIN_PUBLIC {

// IEEE binary16: 1 sign, 5 exponent, 10 fraction bits. Finite up to 65504.
struct Float16 {
    std::uint16_t bits = 0;
    friend bool operator==(Float16, Float16) = default;  // of the bits
};

// bfloat16, the upper half of a float32: 1 sign, 8 exponent, 7 fraction bits.
struct BFloat16 {
    std::uint16_t bits = 0;
    friend bool operator==(BFloat16, BFloat16) = default;  // of the bits
};

// out[i] = x[i] rounded to nearest, ties to even, subnormal results included; infinite beyond the largest number; a NaN
// stays a NaN, quiet, with the upper bits of its payload. Sizes must be equal, otherwise std::invalid_argument.
void round_to(std::span<const float> x, std::span<Float16> out);
void round_to(std::span<const float> x, std::span<BFloat16> out);

}  // namespace fanin FANIN_PUBLIC
