// The words of error messages: numbers and shapes as a person would type them, and the name that was probably meant.
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace fanin::detail {

// The shortest text that reads back as x.
template <class T>
std::string text(T x) {
    char buffer[64];
    const auto result = std::to_chars(buffer, buffer + sizeof buffer, x);
    return std::string(buffer, result.ptr);
}

// (10, 784), (3,), ()
std::string shape_text(std::span<const std::size_t> shape);

// A part of a message: text that lives until the message is made, a number, or a shape. What is written out where a message is
// needed is numbers and addresses alone; a sum of strings is five times the code, most of it never run.
class Term {
 public:
    Term(const char* words) : Term(std::string_view(words)) {}
    Term(const std::string& words) : Term(std::string_view(words)) {}
    Term(std::string_view words) : kind_(Kind::words), data_(words.data()), size_(words.size()) {}
    Term(std::signed_integral auto n) : kind_(Kind::negative), integer_(static_cast<unsigned long long>(n)) {
        if (n >= 0) kind_ = Kind::integer;
    }
    Term(std::unsigned_integral auto n) : kind_(Kind::integer), integer_(n) {}
    Term(float x) : kind_(Kind::single), single_(x) {}
    Term(double x) : kind_(Kind::number), number_(x) {}
    static Term shape(std::span<const std::size_t> lengths) {
        Term term(std::string_view{});
        term.kind_ = Kind::shape;
        term.data_ = lengths.data();
        term.size_ = lengths.size();
        return term;
    }
    static Term shape(std::initializer_list<std::size_t> lengths) { return shape(std::span(lengths.begin(), lengths.size())); }
    void append_to(std::string& message) const;

 private:
    enum class Kind : char { words, integer, negative, single, number, shape } kind_;
    union {
        const void* data_;
        unsigned long long integer_;
        float single_;
        double number_;
    };
    std::size_t size_ = 0;
};

// Throws std::invalid_argument of the terms, one after the other.
[[noreturn]] void refuse(std::initializer_list<Term> terms);

// Edits that turn a into b: insertions, deletions, substitutions and exchanges of neighbours (the optimal string
// alignment distance), upper case and '-' read as lower case and '_'.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The name nearest to `wrong`, the first of equals; empty where more than a third of its letters (at least two) differ.
std::string_view nearest(std::string_view wrong, std::span<const std::string> names);

// activation must be one of identity, relu, tanh, sigmoid, got 'tahn': did you mean 'tanh'?
// `meant` replaces the guess where the caller knows better (another library's word for the same thing).
std::string unknown_name(std::string_view argument, std::string_view got, std::span<const std::string> names,
                         std::string_view meant = {});

}  // namespace fanin::detail
