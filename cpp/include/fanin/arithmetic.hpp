// The arithmetic that the promises need, whatever the host has set: round to nearest, nothing flushed to zero, no traps.
//
// A processor keeps the rounding mode, two flags that flush subnormals and the masks of its traps in a control word, one a
// thread. Hosts change it: anything linked with -ffast-math, audio hosts, torch.set_flush_denormal, fesetround. Every public
// call of this library that computes, and every task of its threads, runs inside a StandardArithmetic; so the bits are the
// same whatever word the caller has.
#pragma once

#include <cstdint>

#if defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>
#endif

#include "fanin/export.hpp"

namespace fanin FANIN_PUBLIC {

// While alive, this thread computes as IEEE 754 has it by default; then the word that was there is back, on exceptions too.
// Nested ones cost a read: the word is written only where it differs. Where a word was written and put back, exceptions that
// were raised between are forgotten with it. Architectures other than x86 and aarch64 keep what they have.
//
// A compiler takes arithmetic for free of the control word and may move it past a guard: not what is read from memory, nor
// across a call, but what is done with arguments in registers and the result returned. Hence the constructor is given the
// arguments that are computed with, and `done` the result.
class StandardArithmetic {
 public:
    template <class... Arguments>
    explicit StandardArithmetic(Arguments&... arguments) : found_(read()) {
        if ((found_ & kDecides) != kStandard) write((found_ & ~kDecides) | kStandard);
        (settle(arguments), ...);
    }
    ~StandardArithmetic() {
        if ((found_ & kDecides) != kStandard) write(found_);
    }
    // x, computed before the guard ends.
    template <class T>
    T done(T x) const {
        settle(x);
        return x;
    }
    StandardArithmetic(const StandardArithmetic&) = delete;
    StandardArithmetic& operator=(const StandardArithmetic&) = delete;

 private:
#if defined(_MSC_VER) && !defined(__clang__)
    template <class T>
    static void settle(T&) {
        _ReadWriteBarrier();
    }
#else
    template <class T>
    static void settle(T& x) {
        __asm__ volatile("" : "+m"(x) : : "memory");
    }
#endif

#if defined(__x86_64__) || defined(_M_X64) || defined(__SSE__)
    using Word = std::uint32_t;
    // MXCSR: rounding (bits 13, 14), flush to zero (15), denormals are zeros (6), masks of the exceptions (7 to 12).
    static constexpr Word kStandard = 0x1f80, kDecides = 0x6000 | 0x8000 | 0x0040 | kStandard;
#if defined(_MSC_VER) && !defined(__clang__)
    static Word read() { return _mm_getcsr(); }
    static void write(Word word) { _mm_setcsr(word); }
#else
    static Word read() {
        Word word;
        __asm__ volatile("stmxcsr %0" : "=m"(word) : : "memory");
        return word;
    }
    static void write(Word word) { __asm__ volatile("ldmxcsr %0" : : "m"(word) : "memory"); }
#endif
#elif defined(__aarch64__) && !defined(_MSC_VER)
    using Word = std::uint64_t;
    // FPCR: FIZ, AH, NEP (bits 0 to 2), traps (8 to 12, 15), FZ16 (19), rounding (22, 23), FZ (24), DN (25), AHP (26: float16
    // without infinities); all 0.
    static constexpr Word kStandard = 0, kDecides = 0x07c89f07;
    static Word read() {
        Word word;
        __asm__ volatile("mrs %0, fpcr" : "=r"(word) : : "memory");
        return word;
    }
    static void write(Word word) { __asm__ volatile("msr fpcr, %0" : : "r"(word) : "memory"); }
#else
    using Word = std::uint32_t;
    static constexpr Word kStandard = 0, kDecides = 0;
    static Word read() { return 0; }
    static void write(Word) {}
#endif
    Word found_;
};

}  // namespace fanin FANIN_PUBLIC
