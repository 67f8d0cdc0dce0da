// The software fused multiply-add (kernels/fma.hpp) against the hardware's: 25 million float and 5 million double inputs (four
// times as many among the slow tests), spread over exponents, cancellation, subnormals, overflow, halfway cases and special
// values; on scalars and on vectors.
#define FANIN_ISA fma_under_test
#include <cstdlib>
#include <limits>

#include "check.hpp"
#include "kernels/fma.hpp"
#include "kernels/table.hpp"

#if FANIN_HARDWARE_FMA && defined(__x86_64__)
#error "compile this test for an instruction set without fused multiply-add"
#endif

namespace {

template <class T>
struct Format;
template <>
struct Format<float> {
    using Bits = std::uint32_t;
    static constexpr int mantissa = 23, bias = 127, exponents = 256;
};
template <>
struct Format<double> {
    using Bits = std::uint64_t;
    static constexpr int mantissa = 52, bias = 1023, exponents = 2048;
};

// splitmix64 (Steele, Lea, Flood, OOPSLA 2014).
struct Random {
    std::uint64_t state;
    std::uint64_t operator()() {
        std::uint64_t x = state += 0x9e3779b97f4a7c15u;
        x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
        x = (x ^ x >> 27) * 0x94d049bb133111ebu;
        return x ^ x >> 31;
    }
    int below(int n) { return static_cast<int>(((*this)() >> 32) * static_cast<std::uint64_t>(n) >> 32); }
};

// A number with random sign and fraction and the biased exponent e, kept in range; `kept` leading bits of the fraction.
template <class T>
T number(Random& random, int e, int kept = Format<T>::mantissa) {
    using F = Format<T>;
    using Bits = typename F::Bits;
    const std::uint64_t r = random();
    e = e < 0 ? 0 : e > F::exponents - 2 ? F::exponents - 2 : e;
    const int dropped = F::mantissa - kept;
    const Bits fraction = static_cast<Bits>(r & ((std::uint64_t{1} << F::mantissa) - 1)) >> dropped << dropped;
    return std::bit_cast<T>(static_cast<Bits>(static_cast<Bits>(r >> 63) << (F::mantissa + (sizeof(T) == 4 ? 8 : 11)) |
                                              static_cast<Bits>(e) << F::mantissa | fraction));
}

template <class T>
void inputs(Random& random, T& a, T& b, T& c) {
    using F = Format<T>;
    constexpr int kBias = F::bias, kDigits = F::mantissa + 1, kMiddle = F::exponents / 2;
    const auto any = [&] { return random.below(F::exponents); };
    const auto about = [&](int e, int spread) { return e - spread + random.below(2 * spread + 1); };
    const T special[] = {0,
                         T(-0.0),
                         1,
                         -1,
                         std::numeric_limits<T>::infinity(),
                         -std::numeric_limits<T>::infinity(),
                         std::numeric_limits<T>::quiet_NaN(),
                         std::numeric_limits<T>::max(),
                         -std::numeric_limits<T>::max(),
                         std::numeric_limits<T>::min(),
                         std::numeric_limits<T>::denorm_min(),
                         -std::numeric_limits<T>::denorm_min(),
                         std::nextafter(T(1), T(2)),
                         std::nextafter(T(1), T(0)),
                         std::nextafter(std::numeric_limits<T>::min(), T(0)),
                         3};
    switch (random.below(8)) {
        case 0:  // any exponents
            a = number<T>(random, any()), b = number<T>(random, any()), c = number<T>(random, any());
            break;
        case 1: {  // the sum overlaps the product
            const int ea = about(kBias, kMiddle / 2 - kDigits), eb = about(kBias, kMiddle / 2 - kDigits);
            a = number<T>(random, ea), b = number<T>(random, eb),
            c = number<T>(random, about(ea + eb - kBias, 2 * kDigits + 3));
            break;
        }
        case 2: {  // cancellation down to the last places
            const int ea = any();
            a = number<T>(random, ea), b = number<T>(random, about(2 * kBias - ea, kMiddle / 2));
            c = -(a * b);
            if (const int step = random.below(5) - 2; step != 0 && c - c == 0)
                c = std::bit_cast<T>(std::bit_cast<typename F::Bits>(c) + step);
            break;
        }
        case 3: {  // results about the smallest numbers
            const int ea = any();
            a = number<T>(random, ea), b = number<T>(random, about(kBias - ea, kDigits + 4));
            c = random.below(4) == 0 ? number<T>(random, 0) : number<T>(random, random.below(2 * kDigits));
            break;
        }
        case 4: {  // results about the largest
            const int ea = any();
            a = number<T>(random, ea), b = number<T>(random, about(3 * kBias - ea, 2)),
            c = number<T>(random, F::exponents - 2 - random.below(2 * kDigits));
            break;
        }
        case 5: {  // the product is half a last place of c, or nearly
            const int ec = any(), ea = about(kBias, kMiddle / 4);
            c = number<T>(random, ec), a = number<T>(random, ea, random.below(2) == 0 ? 0 : F::mantissa);
            b = number<T>(random, ec - kDigits + kBias - ea, 0);
            break;
        }
        case 6: {  // few digits: exact ties, exact zeros
            const int e = any();
            const int ea = about(kBias, kDigits);
            a = number<T>(random, ea, 2), b = number<T>(random, about(e - ea + kBias, 2), 2),
            c = number<T>(random, about(e, kDigits + 2), 3);
            break;
        }
        default:
            a = random.below(2) == 0 ? special[random.below(16)] : number<T>(random, any());
            b = random.below(2) == 0 ? special[random.below(16)] : number<T>(random, any());
            c = random.below(2) == 0 ? special[random.below(16)] : number<T>(random, any());
    }
}

template <class T>
void compare(std::size_t total) {
    // The hardware: the first table that has one; elsewhere the C library's function, which is exact too.
    void (*hardware)(std::size_t, const T*, const T*, const T*, T*) = nullptr;
    for (const std::string& isa : fanin::available_isas())
        if (isa != "generic") {
            fanin::set_isa(isa);
            hardware = fanin::kernels<T>().math.fma;
        }
    fanin::set_isa("generic");
    const auto generic = fanin::kernels<T>().math.fma;
    constexpr std::size_t kBatch = 4096;
    static T a[kBatch], b[kBatch], c[kBatch], expected[kBatch], vector[kBatch], scalar[kBatch];
    Random random{20240229};
    for (std::size_t done = 0; done < total; done += kBatch) {
        for (std::size_t i = 0; i < kBatch; ++i) inputs(random, a[i], b[i], c[i]);
        if (hardware != nullptr) hardware(kBatch, a, b, c, expected);
        else
            for (std::size_t i = 0; i < kBatch; ++i) expected[i] = std::fma(a[i], b[i], c[i]);
        generic(kBatch, a, b, c, vector);
        for (std::size_t i = 0; i < kBatch; ++i) scalar[i] = fanin::fma_under_test::fma_software(a[i], b[i], c[i]);
        for (std::size_t i = 0; i < kBatch; ++i) {
            if (check::same_bits(vector[i], expected[i]) && check::same_bits(scalar[i], expected[i])) {
                ++check::checks;
                continue;
            }
            const std::string where =
                check::show(double(a[i])) + ", " + check::show(double(b[i])) + ", " + check::show(double(c[i]));
            CHECK_SAME(vector[i], expected[i], where);
            CHECK_SAME(scalar[i], expected[i], where);
        }
    }
}

// (1 + e)(1 - e) - 1 = -e^2, which two roundings lose: every instruction set, whole vectors and the rest of one.
template <class T>
void rounds_once() {
    constexpr T e = std::numeric_limits<T>::epsilon();
    for (std::size_t n = 1; n < 70; ++n) {
        const std::vector<T> a(n, 1 + e), b(n, 1 - e), c(n, -1);
        std::vector<T> y(n + 1, 42);
        fanin::kernels<T>().math.fma(n, a.data(), b.data(), c.data(), y.data());
        for (std::size_t i = 0; i < n; ++i) CHECK_SAME(y[i], -(e * e), std::to_string(n));
        CHECK(y[n] == 42);
    }
}

}  // namespace

// test_fma [FACTOR]: so many times the inputs.
int main(int n, char** arguments) {
    check::each_isa([] {
        rounds_once<float>();
        rounds_once<double>();
    });
    constexpr std::size_t kShare = check::kSanitized ? 20 : 1;  // sanitizers look for other mistakes than this test
    const std::size_t factor = n > 1 ? std::strtoul(arguments[1], nullptr, 10) : 1;
    compare<float>(factor * 25'000'000 / kShare);
    compare<double>(factor * 5'000'000 / kShare);
    return check::result();
}
