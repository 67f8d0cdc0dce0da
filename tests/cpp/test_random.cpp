// `random` against published known answers and against the reference, bit for bit, on every instruction set.
#include <limits>
#include <stdexcept>

#include "check.hpp"
#include "fanin/random.hpp"
#include "fanin/threads.hpp"
#include "reference/random.hpp"

namespace {

using fanin::Key;

// Random123's kat_vectors for philox4x32-10 (Salmon et al.): counters and keys of zeros, ones and digits of pi.
void known_answers() {
    struct Row {
        std::uint64_t block, stream, seed;
        std::uint32_t words[4];
    };
    const Row rows[] = {
        {0, 0, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {~0ull, ~0ull, ~0ull, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {0x85a308d3243f6a88, 0x0370734413198a2e, 0x299f31d0a4093822, {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (const Row& row : rows) {
        std::uint32_t words[4];
        fanin::philox_words(words, {row.seed, row.stream}, row.block);
        const fanin::reference::Words reference = fanin::reference::philox({row.seed, row.stream}, row.block);
        for (int i = 0; i < 4; ++i) {
            CHECK(words[i] == row.words[i]);
            CHECK(reference[i] == row.words[i]);
        }
    }
}

// Sizes around the vector lengths, starts that are not aligned to a block, ranges in which the upper half of the block number
// changes (float: element 2^34, double: 2^33), a start where the block number needs 64 bits.
template <class T>
void draws_equal_reference() {
    const Key key{0x0123456789abcdefull, 0xfedcba9876543210ull};
    for (const std::uint64_t first :
         {0ull, 1ull, 2ull, 3ull, 5ull, 30ull, (1ull << 33) - 7, (1ull << 34) - 7, (1ull << 34) - 700, (1ull << 62) - 3}) {
        for (const std::size_t n : {0, 1, 2, 3, 4, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 129, 1000}) {
            std::vector<T> normal(n + 1, T(42)), uniform(n + 1, T(42));  // one more: nothing is written past the end
            fanin::fill_normal<T>({normal.data(), n}, key, first, T(0.5), T(2));
            fanin::fill_uniform<T>({uniform.data(), n}, key, first, T(-1.25), T(3));
            for (std::size_t i = 0; i < n; ++i) {
                CHECK_SAME(normal[i], fanin::reference::normal(key, first + i, T(0.5), T(2)), std::to_string(first + i));
                CHECK_SAME(uniform[i], fanin::reference::uniform(key, first + i, T(-1.25), T(3)), std::to_string(first + i));
            }
            CHECK(normal[n] == T(42) && uniform[n] == T(42));
        }
    }
}

void words_equal_reference() {
    const Key key{0x0123456789abcdefull, 0xfedcba9876543210ull};
    for (const std::uint64_t first : {0ull, (1ull << 32) - 5, (1ull << 32) - 64, ~0ull - 300}) {
        std::vector<std::uint32_t> words(1001);
        fanin::philox_words(words, key, first);
        for (std::size_t i = 0; i < words.size(); ++i) CHECK(words[i] == fanin::reference::philox(key, first + i / 4)[i % 4]);
    }
}

// The ends of the radius and every eighth of a turn: the words where a formula changes.
void words_at_the_seams() {
    float largest = 0;
    for (const std::uint32_t w : {0u, 1u, 0x7fffffffu, 0x80000000u, 0xfffffffeu, 0xffffffffu}) {
        const float r = fanin::reference::radius(w);
        const double exact = std::sqrt(-2 * std::log((w + 0.5) * 0x1p-32));
        CHECK(std::abs(r - exact) <= 2e-7 * exact);
        largest = std::max(largest, r);
    }
    CHECK(largest > 6.6f && largest < 6.77f);
    for (std::uint32_t eighth = 0; eighth < 8; ++eighth)
        for (const std::int32_t step : {-1, 0, 1}) {
            const std::uint32_t w = (eighth << 29) + static_cast<std::uint32_t>(step);
            const auto [c, s] = fanin::reference::cos_sin(w);
            const double angle = 6.283185307179586476925 * w * 0x1p-32;
            CHECK(std::abs(c - std::cos(angle)) < 1.2e-7 && std::abs(s - std::sin(angle)) < 1.2e-7);
        }
}

// A uniform draw never equals a bound, also where the interval has a single number inside.
void uniform_stays_inside() {
    const float low = 1.0f, high = std::nextafter(std::nextafter(low, 2.0f), 2.0f);
    std::vector<float> x(1000);
    fanin::fill_uniform<float>(x, {1, 2}, 0, low, high);
    for (const float v : x) CHECK(v > low && v < high);
    const float big = std::numeric_limits<float>::max();
    fanin::fill_uniform<float>(x, {1, 2}, 0, -big, big);
    for (const float v : x) CHECK(std::isfinite(v));
    CHECK_THROWS(fanin::fill_uniform<float>(x, {1, 2}, 0, low, std::nextafter(low, 2.0f)), std::invalid_argument);
}

void same_bits_at_any_thread_count() {
    std::vector<float> one(300'001), many(one.size());
    fanin::set_num_threads(1);
    fanin::fill_normal<float>(one, {3, 4}, 5, 0, 1);
    for (const std::size_t threads : {2, 3, 8}) {
        fanin::set_num_threads(threads);
        fanin::fill_normal<float>(many, {3, 4}, 5, 0, 1);
        CHECK(one == many);
    }
}

void permutations() {
    for (const std::size_t n : {0, 1, 2, 3, 255, 256, 257, 1000})
        for (const std::uint64_t round : {0, 1, 9}) {
            std::vector<std::int64_t> p(n);
            fanin::permutation(p, {11, 12}, round);
            CHECK(p == fanin::reference::permutation(n, {11, 12}, round));
        }
}

void bad_arguments() {
    std::vector<float> x(4);
    CHECK_THROWS(fanin::fill_normal<float>(x, {}, 0, 0, -1), std::invalid_argument);
    CHECK_THROWS(fanin::fill_normal<float>(x, {}, 0, NAN, 1), std::invalid_argument);
    CHECK_THROWS(fanin::fill_uniform<float>(x, {}, 0, 1, 1), std::invalid_argument);
    CHECK_THROWS(fanin::fill_uniform<float>(x, {}, 0, 0, INFINITY), std::invalid_argument);
    CHECK_THROWS(fanin::stream_id(1ull << 63), std::invalid_argument);
    CHECK_THROWS(fanin::stream_id("fanin/shuffle"), std::invalid_argument);
    CHECK_THROWS(fanin::stream_id(""), std::invalid_argument);
    CHECK(fanin::stream_id("a") == 0xaf63dc4c8601ec8cull);  // FNV-1a of "a" as published, its top bit already set
}

}  // namespace

int main() {
    check::each_isa([] {
        known_answers();
        draws_equal_reference<float>();
        draws_equal_reference<double>();
        words_equal_reference();
        uniform_stays_inside();
        same_bits_at_any_thread_count();
        permutations();
    });
    words_at_the_seams();
    bad_arguments();
    return check::result();
}
