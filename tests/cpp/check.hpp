// What the C++ tests are written with: CHECK and friends, and loops over instruction sets and sizes. No framework
// reaches every place where these tests must build, and forty lines do.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "fanin/isa.hpp"

namespace check {

// Whether the build watches every access, which takes ten times as long: sweeps are whole in the ordinary build.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

inline int failures = 0;
inline long checks = 0;

// Prints the first failures and counts the rest. Words are made where a check fails: most of the time that the tests take to
// compile went into those of checks that hold.
[[gnu::noinline, gnu::cold]] inline void failed(const char* file, int line, const std::string& what) {
    ++checks;
    if (++failures <= 20) std::printf("%s:%d: %s [%s]\n", file, line, what.c_str(), fanin::active_isa().c_str());
}
[[gnu::noinline, gnu::cold]] inline void failed(const char* file, int line, const char* what) {
    failed(file, line, std::string(what));
}
inline void report(bool ok, const char* file, int line, const char* what) { ok ? void(++checks) : failed(file, line, what); }
inline void report(bool ok, const char* file, int line, const std::string& what) {
    ok ? void(++checks) : failed(file, line, what);
}

inline std::string show(double x) {
    char text[64];
    std::snprintf(text, sizeof text, "%.17g (%a)", x, x);
    return text;
}

[[gnu::noinline, gnu::cold]] inline void differ(double got, double expected, const char* file, int line, const char* what,
                                                const std::string& where) {
    failed(file, line, std::string(what) + " = " + show(got) + ", expected " + show(expected) + " at " + where);
}

// Equal bits; any NaN equals any NaN.
template <class T>
bool same_bits(T a, T b) {
    if (a != a || b != b) return a != a && b != b;
    return std::memcmp(&a, &b, sizeof a) == 0;
}

template <class F>
void each_isa(F&& body) {
    for (const std::string& isa : fanin::available_isas()) {
        fanin::set_isa(isa);
        body();
    }
}

// Exit code of main: 0 if every check held.
inline int result() {
    std::printf("%ld checks, %d failures\n", checks, failures);
    return failures == 0 && checks > 0 ? 0 : 1;
}

}  // namespace check

#define CHECK(condition) check::report((condition), __FILE__, __LINE__, #condition)
#define CHECK_SAME(got, expected, where)                                                                   \
    do {                                                                                                   \
        const auto got_ = (got);                                                                           \
        const decltype(got_) expected_ = (expected);                                                       \
        if (check::same_bits(got_, expected_)) ++check::checks;                                            \
        else check::differ(double(got_), double(expected_), __FILE__, __LINE__, #got, std::string(where)); \
    } while (false)
#define CHECK_THROWS(expression, exception)                                            \
    do {                                                                               \
        bool thrown_ = false;                                                          \
        try {                                                                          \
            expression;                                                                \
        } catch (const exception&) {                                                   \
            thrown_ = true;                                                            \
        }                                                                              \
        check::report(thrown_, __FILE__, __LINE__, #expression " throws " #exception); \
    } while (false)
