// Summaries of arrays in files have the bits of those in memory, on every instruction set and number of threads; the first
// elements of units and the count of outliers are those of plain loops.
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <random>
#include <system_error>

#include "check.hpp"
#include "fanin/float16.hpp"
#include "fanin/stats.hpp"
#include "fanin/threads.hpp"
#include "sixteen_bits.hpp"

namespace {

using fanin::BFloat16;
using fanin::Float16;
using fanin::HistogramKind;
using fanin::StoredArray;
using fanin::StoredDetails;
using fanin::Summary;
using fanin::SummaryOptions;

const SummaryOptions kOptions[] = {{},
                                   {false, HistogramKind::none},
                                   {true, HistogramKind::linear, 64, -3, 3},
                                   {false, HistogramKind::none, 0, 0, 0, true, -0.5, 100}};

struct TemporaryFile {
    std::string path =
        (std::filesystem::temp_directory_path() / ("fanin-stored-" + std::to_string(std::random_device{}()))).string();
    void put(std::size_t before, const void* data, std::size_t size, std::size_t after) const {
        std::ofstream out(path, std::ios::binary);
        out << std::string(before, 'x');
        out.write(static_cast<const char*>(data), static_cast<std::streamsize>(size));
        out << std::string(after, 'y');
    }
    ~TemporaryFile() { std::filesystem::remove(path); }
};

template <class S>
S element(double x) {
    if constexpr (std::is_floating_point_v<S>) return static_cast<S>(x);
    else {
        const float wide = static_cast<float>(x);
        S narrow;
        fanin::round_to(std::span(&wide, 1), std::span(&narrow, 1));
        return narrow;
    }
}
double value(float x) { return x; }
double value(double x) { return x; }
double value(Float16 x) { return check::from_16_bits(x.bits, 5, 10); }
double value(BFloat16 x) { return std::bit_cast<float>(std::uint32_t{x.bits} << 16); }

// About one in 3000 elements lies far away; some are NaN, infinite or 0.
template <class S>
std::vector<S> elements(std::size_t n, std::mt19937& rng, bool all_finite) {
    std::normal_distribution<double> normal;
    std::vector<S> x;
    for (std::size_t i = 0; i < n; ++i) {
        const auto odd = rng() % 3000;
        double v = normal(rng);
        if (odd == 0) v *= 50;
        if (odd == 1) v = 0;
        if (!all_finite && odd == 2) v = NAN;
        if (!all_finite && odd == 3) v = -INFINITY;
        x.push_back(element<S>(v));
    }
    return x;
}

template <class S>
void same_as_in_memory(const char* dtype, std::span<const std::size_t> shape, std::size_t offset, std::mt19937& rng,
                       bool every_isa = false) {
    std::size_t n = 1;
    std::vector<std::ptrdiff_t> strides(shape.size());
    for (std::size_t axis = shape.size(); axis-- > 0; n *= shape[axis]) strides[axis] = static_cast<std::ptrdiff_t>(n);
    for (const bool all_finite : {true, false}) {
        const std::vector<S> x = elements<S>(n, rng, all_finite);
        const TemporaryFile file;
        file.put(offset, x.data(), n * sizeof(S), 5);
        const StoredArray stored{file.path, offset, dtype, shape};
        const auto compare = [&] {
            for (const SummaryOptions& options : kOptions)
                CHECK(fanin::summarize(stored, options) ==
                      fanin::summarize(fanin::ArrayView<const S>{x.data(), shape, strides}, options));

            const std::size_t units = shape.empty() || shape[0] == 0 ? 0 : shape[0];
            for (const std::size_t kept : {std::size_t{1}, std::size_t{8}}) {
                StoredDetails details;
                std::vector<S> heads(units * kept), expected(units * kept);
                if (units != 0 && n != 0) {
                    details.unit = n / units;
                    details.kept = kept;
                    details.heads = heads.data();
                    for (std::size_t u = 0; u < units; ++u)
                        std::copy_n(x.data() + u * details.unit, std::min(kept, details.unit), expected.data() + u * kept);
                }
                details.deviations = 6;
                const Summary found = fanin::summarize(stored, kOptions[1], &details);
                CHECK(heads.empty() || std::memcmp(heads.data(), expected.data(), heads.size() * sizeof(S)) == 0);
                const double low = found.mean - 6 * found.std(), high = found.mean + 6 * found.std();
                std::uint64_t outliers = 0;
                for (const S v : x) outliers += std::isfinite(value(v)) && (value(v) < low || value(v) > high);
                CHECK(details.outliers == outliers);
                if (n > 100000) CHECK(outliers > 0);
            }
        };
        every_isa ? check::each_isa(compare) : compare();
    }
}

template <class F>
bool refuses(F&& call, const char* words) {
    try {
        call();
    } catch (const std::invalid_argument& error) {
        return std::string(error.what()).find(words) != std::string::npos;
    }
    return false;
}

}  // namespace

int main() {
    std::mt19937 rng(1);
    // blocks of rows, pieces of rows, rows longer than a piece of a file, units whose first elements lie in several rows
    const std::vector<std::vector<std::size_t>> shapes = {
        {},      {0},     {3, 0},      {1},        {7},        {4095},    {4096},          {4097},
        {65536}, {65537}, {300, 1000}, {2, 70001}, {20000, 3}, {3, 8193}, {70, 3, 3, 100}, {3, 4096}};
    const std::size_t threads = fanin::num_threads();
    fanin::set_num_threads(3);
    for (const auto& shape : shapes) {
        same_as_in_memory<float>("F32", shape, 0, rng, true);
        same_as_in_memory<double>("F64", shape, 3, rng, true);
        same_as_in_memory<Float16>("F16", shape, 8, rng, true);
        same_as_in_memory<BFloat16>("BF16", shape, 1, rng, true);
    }
    fanin::set_num_threads(1);
    same_as_in_memory<float>("F32", shapes[10], 0, rng);
    fanin::set_num_threads(2);
    same_as_in_memory<BFloat16>("BF16", std::array<std::size_t, 2>{5000, 3001}, 1, rng);  // given back piece by piece
    fanin::set_num_threads(threads);

    const TemporaryFile file;
    const std::vector<float> x(70000, 1.0f);
    file.put(4, x.data(), x.size() * 4, 0);
    const std::size_t shape[1] = {70001}, fewer[1] = {70000}, huge[2] = {std::size_t{1} << 62, 2};
    const StoredArray beyond{file.path, 4, "F32", shape}, unknown{file.path, 4, "I32", fewer};
    CHECK(refuses([&] { fanin::summarize(beyond); }, "has 280004 bytes, too few for F32 of shape (70001,) from byte 4 on"));
    CHECK(refuses([&] { fanin::summarize(StoredArray{file.path, 4, "F32", huge}); }, "too few"));
    CHECK(refuses([&] { fanin::summarize(StoredArray{file.path, 280005, "F32", {}}); }, "too few"));
    CHECK(refuses([&] { fanin::summarize(unknown); }, "dtype must be F64, F32, F16 or BF16, got 'I32'"));
    const std::vector<std::size_t> many(fanin::kMaxRank + 1, 1);
    const StoredArray deep{file.path, 4, "F32", many};
    CHECK(refuses([&] { fanin::summarize(deep); }, "axes"));
    bool missing = false;
    try {
        fanin::summarize(StoredArray{file.path + "-not", 0, "F32", fewer});
    } catch (const std::system_error& error) {
        missing = error.code().value() == ENOENT;
    }
    CHECK(missing);
    return check::result();
}
