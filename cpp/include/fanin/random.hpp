// Addressable random numbers: element i of a stream is a function of (seed, stream, i) and of nothing else.
//
// Generator: Philox4x32-10 (Salmon et al., SC'11). The key is the seed (low word, high word), the counter is (block low,
// block high, stream low, stream high). Element i of a float32 draw uses word i % 4 of block i / 4; a float64 element uses
// two words, so block i / 2. Same bits on every instruction set, at any thread count, and for any split of a range.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "fanin/export.hpp"

namespace fanin FANIN_PUBLIC {

// Whose numbers are drawn: the seed of the model, the stream of the parameter.
struct Key {
    std::uint64_t seed = 0;
    std::uint64_t stream = 0;
};

// The stream of a number, itself: below 2^63, otherwise std::invalid_argument.
std::uint64_t stream_id(std::uint64_t number);

// The stream of a name: 2^63 | (the low 63 bits of the 64-bit FNV-1a hash of its UTF-8 bytes). Names that begin with
// "fanin/" belong to the library (shuffling, data sets); std::invalid_argument for them and for the empty name.
std::uint64_t stream_id(std::string_view name);

// 64 bits of fresh entropy from the operating system.
std::uint64_t fresh_seed();

// Writes the raw words: out[4 b + j] is word j of block first_block + b; the last block may be cut. In parallel.
void philox_words(std::span<std::uint32_t> out, Key key, std::uint64_t first_block = 0);

// Writes out[j] = mean + std * g(key, first_index + j), rounded once, with g standard normal by Box-Muller:
// r = sqrt(-2 ln u), u = (word + 1/2) 2^-32 (float64: 2^-53 of 53 bits), and elements (2p, 2p + 1) are r cos, r sin of
// 2 pi (next word) 2^-32. |g| <= 6.77 (float64: 8.65). mean and std are finite, std >= 0; otherwise
// std::invalid_argument. In parallel.
template <class T>
void fill_normal(std::span<T> out, Key key, std::uint64_t first_index, T mean, T std);

// Writes out[j] = mid + half_width * v(key, first_index + j), v uniform on the odd multiples of 2^-24 (float64: 2^-53)
// inside (-1, 1), kept inside [nextafter(low, high), nextafter(high, low)]: never a bound. low < high, both finite,
// with at least one number between them; otherwise std::invalid_argument. In parallel.
template <class T>
void fill_uniform(std::span<T> out, Key key, std::uint64_t first_index, T low, T high);

// Writes out[j] = mean + std * t(key, first_index + j), rounded once, t standard normal restricted to [lower, upper] by
// inversion of one word's uniform number: no rejection, so element i is still a function of (key, i), and no draw leaves
// [mean + std lower, mean + std upper] (bounds rounded inward; bounds count sigmas). lower < upper, either may be infinite;
// mean and std as above; otherwise std::invalid_argument. |error| of the inversion <= 1e-6 sigma (float64: 1e-13). In parallel.
template <class T>
void fill_truncated_normal(std::span<T> out, Key key, std::uint64_t first_index, T mean, T std, double lower, double upper);

// A permutation of 0 .. n - 1: Fisher and Yates from the last place down, place i exchanged with place
// floor(r_i (i + 1) / 2^64), r_i the i-th 64-bit number of `round` (blocks round 2^32 + i / 2). n <= 2^32, round < 2^32.
void permutation(std::span<std::int64_t> out, Key key, std::uint64_t round = 0);

namespace detail {
// The library's own streams ("fanin/shuffle", ...), which stream_id refuses to hand out.
std::uint64_t own_stream(std::string_view name);
}  // namespace detail

}  // namespace fanin FANIN_PUBLIC
