// What this machine can do at most: multiply-adds that stay in registers, and memory that is written, read and copied. Prints
// a line for each number of threads: threads, flop/s, bytes/s written, read, copied. Best of several rounds.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace {

#if defined(__AVX512F__)
constexpr std::size_t kBytes = 64;
#elif defined(__AVX__)
constexpr std::size_t kBytes = 32;
#else
constexpr std::size_t kBytes = 16;
#endif
typedef float Vec __attribute__((vector_size(kBytes)));
constexpr std::size_t kLanes = kBytes / sizeof(float), kChains = 12;  // more chains than a multiply-add takes cycles, twice

double seconds_since(std::chrono::steady_clock::time_point begin) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// Calls work(thread) on so many threads at once; the seconds until all are done.
template <class Work>
double timed(int threads, const Work& work) {
    const auto begin = std::chrono::steady_clock::now();
    std::vector<std::thread> others;
    for (int t = 1; t < threads; ++t) others.emplace_back(work, t);
    work(0);
    for (std::thread& other : others) other.join();
    return seconds_since(begin);
}

constexpr long kSteps = 4'000'000;

void multiply_adds(int thread, std::vector<float>& sink) {
    Vec x[kChains], factor, term;
    for (std::size_t l = 0; l < kLanes; ++l) factor[l] = 0.999f, term[l] = 1e-3f * static_cast<float>(thread + 1);
    for (Vec& chain : x) chain = term;
    for (long i = 0; i < kSteps; ++i)
        for (Vec& chain : x) chain = chain * factor + term;
    Vec sum = x[0];
    for (std::size_t c = 1; c < kChains; ++c) sum += x[c];
    for (std::size_t l = 0; l < kLanes; ++l) sink[static_cast<std::size_t>(thread)] += sum[l];
}

}  // namespace

int main(int argc, char** argv) {
    const int most = argc > 1 ? std::stoi(argv[1]) : 2;
    constexpr std::size_t kSize = std::size_t{1} << 28, kRounds = 5;  // 256 MB: far beyond every cache
    std::vector<unsigned char> from(kSize, 1), to(kSize, 2);
    std::vector<float> sink(static_cast<std::size_t>(most));
    std::vector<unsigned long> sums(static_cast<std::size_t>(most));
    for (int threads = 1; threads <= most; ++threads) {
        const std::size_t part = kSize / static_cast<std::size_t>(threads);
        double flop = 0, written = 0, read = 0, copied = 0;
        for (std::size_t round = 0; round < kRounds; ++round) {
            const double flops = 2.0 * kSteps * kChains * kLanes * threads, bytes = static_cast<double>(part) * threads;
            const auto begin = [&](int t) { return static_cast<std::size_t>(t) * part; };
            flop = std::max(flop, flops / timed(threads, [&](int t) { multiply_adds(t, sink); }));
            written = std::max(written, bytes / timed(threads, [&](int t) { std::memset(&to[begin(t)], int(round), part); }));
            read = std::max(read, bytes / timed(threads, [&](int t) {
                                      unsigned long sum = 0, word;
                                      for (std::size_t i = begin(t); i + sizeof word <= begin(t) + part; i += sizeof word) {
                                          std::memcpy(&word, &from[i], sizeof word);
                                          sum += word;
                                      }
                                      sums[static_cast<std::size_t>(t)] = sum;
                                  }));
            // Copying n bytes reads and writes n: 2 n.
            copied =
                std::max(copied, 2 * bytes / timed(threads, [&](int t) { std::memcpy(&to[begin(t)], &from[begin(t)], part); }));
        }
        std::printf("%d %.6g %.6g %.6g %.6g\n", threads, flop, written, read, copied);
    }
    float used = 0;
    for (const float one : sink) used += one;
    for (const unsigned long one : sums) used += static_cast<float>(one % 2);
    std::fprintf(stderr, "%g\n", static_cast<double>(used));  // so that nothing is left out
}
