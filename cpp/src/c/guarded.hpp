// What every function of the C API stands in: exceptions become a status and words.
#pragma once

#include <cstddef>

#include "fanin/fanin.h"
#include "message.hpp"

namespace fanin::c {

// The status of the exception in flight; its words are kept for fanin_last_error() of this thread, cut where they are too long
// for its buffer. To be called where it was caught.
fanin_status caught() noexcept;

// body(), its exceptions caught.
template <class Body>
fanin_status guarded(Body&& body) noexcept {
    try {
        body();
        return FANIN_OK;
    } catch (...) {
        return caught();
    }
}

// `pointer` must not be null; not even where it points to nothing.
inline void require(const void* pointer, const char* name) {
    if (pointer == nullptr) detail::refuse({name, " must not be null"});
}
// Null is allowed where there are no elements.
inline void require(const void* pointer, const char* name, std::size_t elements) {
    if (elements != 0) require(pointer, name);
}
// The product of two sizes, as many elements as memory can hold.
inline std::size_t elements(std::size_t rows, std::size_t cols) {
    std::size_t n = 0;
    if (__builtin_mul_overflow(rows, cols, &n) || n >> 60 != 0) detail::refuse({"shape must be below 2^60 elements"});
    return n;
}

// body(T()) for the type of `dtype`, float or double.
template <class Body>
void over_float(fanin_dtype dtype, Body&& body) {
    switch (dtype) {
        case FANIN_FLOAT32:
            return body(float());
        case FANIN_FLOAT64:
            return body(double());
        default:
            detail::refuse({"dtype must be FANIN_FLOAT32 or FANIN_FLOAT64, got ", static_cast<int>(dtype)});
    }
}

}  // namespace fanin::c
