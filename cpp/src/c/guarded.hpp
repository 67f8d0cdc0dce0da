// What every function of the C API stands in: exceptions become a status and words.
#pragma once

#include <cstddef>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>

#include "fanin/fanin.h"

namespace fanin::c {

// Keeps the words for fanin_last_error() of this thread, cut where they are too long for its buffer.
void keep_error(const char* words) noexcept;

// body(), its exceptions caught.
template <class Body>
fanin_status guarded(Body&& body) noexcept {
    try {
        body();
        return FANIN_OK;
    } catch (const std::invalid_argument& error) {
        return keep_error(error.what()), FANIN_INVALID_ARGUMENT;
    } catch (const std::bad_alloc&) {
        return keep_error("out of memory"), FANIN_OUT_OF_MEMORY;
    } catch (const std::length_error& error) {
        return keep_error(error.what()), FANIN_OUT_OF_MEMORY;
    } catch (const std::system_error& error) {
        return keep_error(error.what()), FANIN_SYSTEM_ERROR;
    } catch (const std::runtime_error& error) {
        return keep_error(error.what()), FANIN_BUSY;
    } catch (const std::exception& error) {
        return keep_error(error.what()), FANIN_INTERNAL_ERROR;
    } catch (...) {
        return keep_error("unknown error"), FANIN_INTERNAL_ERROR;
    }
}

// `pointer` must not be null; not even where it points to nothing.
inline void require(const void* pointer, const char* name) {
    if (pointer == nullptr) throw std::invalid_argument(std::string(name) + " must not be null");
}
// Null is allowed where there are no elements.
inline void require(const void* pointer, const char* name, std::size_t elements) {
    if (elements != 0) require(pointer, name);
}
// The product of two sizes, as many elements as memory can hold.
inline std::size_t elements(std::size_t rows, std::size_t cols) {
    std::size_t n = 0;
    if (__builtin_mul_overflow(rows, cols, &n) || n >> 60 != 0)
        throw std::invalid_argument("shape must be below 2^60 elements");
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
            throw std::invalid_argument("dtype must be FANIN_FLOAT32 or FANIN_FLOAT64, got " +
                                        std::to_string(static_cast<int>(dtype)));
    }
}

}  // namespace fanin::c
