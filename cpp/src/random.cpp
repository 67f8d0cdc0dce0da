// Draws by position: names of streams, arguments checked, ranges handed to the kernels.
#include "fanin/random.hpp"

#include <cmath>
#include <random>
#include <string_view>
#include <type_traits>

#include "fanin/arithmetic.hpp"
#include "kernels/table.hpp"
#include "message.hpp"
#include "random_tasks.hpp"

namespace fanin {
namespace {

// Streams from names have it, numbers do not: no number collides with a name.
constexpr std::uint64_t kNameBit = std::uint64_t{1} << 63;

// FNV-1a, 64 bits (Fowler, Noll, Vo; offset basis and prime as in RFC 9923, section 5).
std::uint64_t fnv1a(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    return hash;
}

}  // namespace

std::uint64_t detail::own_stream(std::string_view name) { return kNameBit | fnv1a(name); }

std::uint64_t stream_id(std::uint64_t number) {
    if (number >= kNameBit) detail::refuse({"stream must be below 2^63, got ", number});
    return number;
}

std::uint64_t stream_id(std::string_view name) {
    if (name.empty()) detail::refuse({"stream must be a number or a non-empty name, got ''"});
    if (name.substr(0, 6) == "fanin/")
        detail::refuse({"stream must not begin with 'fanin/' (the library's own), got '", name, "'"});
    return detail::own_stream(name);
}

std::uint64_t fresh_seed() {
    std::random_device device;
    return static_cast<std::uint64_t>(device()) << 32 | device();
}

void philox_words(std::span<std::uint32_t> out, Key key, std::uint64_t first_block) {
    const auto kernel = active<WordKernels>().philox_words;
    detail::in_tasks(out.size(), [&](std::size_t begin, std::size_t n) {
        kernel(key.seed, key.stream, first_block + begin / 4, n, out.data() + begin);
    });
}

template <class T>
void fill_normal(std::span<T> out, Key key, std::uint64_t first_index, T mean, T std) {
    const StandardArithmetic arithmetic(mean, std);
    if (!std::isfinite(mean)) detail::refuse({"mean must be finite, got ", mean});
    if (!(std >= 0) || !std::isfinite(std)) detail::refuse({"std must be finite and at least 0, got ", std});
    const auto kernel = active<RandomKernels<T>>().fill_normal;
    detail::in_tasks(out.size(), [&](std::size_t begin, std::size_t n) {
        kernel(key.seed, key.stream, first_index + begin, n, mean, std, out.data() + begin);
    });
}

template <class T>
void fill_uniform(std::span<T> out, Key key, std::uint64_t first_index, T low, T high) {
    const StandardArithmetic arithmetic(low, high);
    const bool ordered = std::isfinite(low) && std::isfinite(high) && low < high;
    const T lowest = std::nextafter(low, high), highest = std::nextafter(high, low);
    if (!ordered || lowest > highest)
        detail::refuse({"low and high must be finite with low < high and a number between them, got ", low, " and ", high});
    const T mid = low / 2 + high / 2, half_width = high / 2 - low / 2;  // halves first: high - low may overflow
    const auto kernel = active<RandomKernels<T>>().fill_uniform;
    detail::in_tasks(out.size(), [&](std::size_t begin, std::size_t n) {
        kernel(key.seed, key.stream, first_index + begin, n, mid, half_width, lowest, highest, out.data() + begin);
    });
}

void permutation(std::span<std::int64_t> out, Key key, std::uint64_t round) {
    constexpr std::uint64_t kLimit = std::uint64_t{1} << 32;
    if (out.size() > kLimit || round >= kLimit) detail::refuse({"n must be at most 2^32 and round below 2^32"});
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::int64_t>(i);
    const auto kernel = active<WordKernels>().philox_words;
    constexpr std::size_t kChunk = 256;  // 64-bit numbers drawn at a time
    std::uint32_t words[2 * kChunk];
    // Fisher and Yates from the last place down, on one thread: place i swaps with floor(r_i (i + 1) / 2^64), r_i the number of
    // its own index, drawn by the chunk.
    for (std::size_t top = out.size(); top > 1;) {
        const std::size_t begin = (top - 1) / kChunk * kChunk;
        kernel(key.seed, key.stream, round * kLimit + begin / 2, 2 * kChunk, words);
        for (; top > begin && top > 1; --top) {
            const std::size_t i = top - 1;
            const std::uint64_t r = words[2 * (i - begin)] | static_cast<std::uint64_t>(words[2 * (i - begin) + 1]) << 32;
            const auto j = static_cast<std::size_t>(static_cast<unsigned __int128>(r) * (i + 1) >> 64);
            std::swap(out[i], out[j]);
        }
    }
}

template void fill_normal(std::span<float>, Key, std::uint64_t, float, float);
template void fill_normal(std::span<double>, Key, std::uint64_t, double, double);
template void fill_uniform(std::span<float>, Key, std::uint64_t, float, float);
template void fill_uniform(std::span<double>, Key, std::uint64_t, double, double);

}  // namespace fanin
