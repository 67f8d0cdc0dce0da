// The words of error messages: numbers and shapes as a person would type them.
#pragma once

#include <charconv>
#include <cstddef>
#include <span>
#include <string>

namespace fanin::detail {

// The shortest text that reads back as x.
template <class T>
std::string text(T x) {
    char buffer[64];
    const auto result = std::to_chars(buffer, buffer + sizeof buffer, x);
    return std::string(buffer, result.ptr);
}

// (10, 784), (3,), ()
inline std::string shape_text(std::span<const std::size_t> shape) {
    std::string out = "(";
    for (std::size_t i = 0; i < shape.size(); ++i) out += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
    return out + (shape.size() == 1 ? ",)" : ")");
}

}  // namespace fanin::detail
