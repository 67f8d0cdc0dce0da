// Laws as texts, read.
#include <charconv>
#include <stdexcept>

#include "definitions.hpp"
#include "fanin/arithmetic.hpp"

namespace fanin {

Law law_from_text(std::string_view text) {
    const StandardArithmetic arithmetic;
    const auto trim = [](std::string_view s) {
        while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
        while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
        return s;
    };
    // Every failure of the form shows the two forms; those of names and values come from the constructor.
    const auto malformed = [&](const std::string& hint) {
        return std::invalid_argument("law must look like 'he_normal' or 'normal(std=0.01)', got '" + std::string(text) + "'" +
                                     hint);
    };
    const std::string_view all = trim(text);
    const std::size_t open = all.find('(');
    if (all.empty() || (open == std::string_view::npos) != (all.back() != ')')) throw malformed("");
    const std::string_view name = trim(all.substr(0, open));
    if (open == std::string_view::npos) return Law(name);
    detail::definition_of(name);  // an unknown name is the first thing to say

    std::vector<Argument> arguments;
    std::string_view rest = trim(all.substr(open + 1, all.size() - open - 2));
    while (!rest.empty()) {
        const std::size_t comma = rest.find(',');
        const std::string_view item = trim(rest.substr(0, comma));
        rest = comma == std::string_view::npos ? "" : trim(rest.substr(comma + 1));
        const std::size_t equals = item.find('=');
        if (equals == std::string_view::npos) {
            const auto& parameters = detail::definitions()[detail::definition_of(name)].parameters;
            throw malformed(
                parameters.empty() ? "" : ": parameters have names, as " + parameters.back().name + "=" + std::string(item));
        }
        std::string_view value = trim(item.substr(equals + 1));
        const bool quoted =
            value.size() >= 2 && (value.front() == '\'' || value.front() == '"') && value.back() == value.front();
        if (quoted) value = value.substr(1, value.size() - 2);
        double number = 0;
        const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
        const bool is_number = !quoted && error == std::errc() && end == value.data() + value.size();
        // A call, as leaky_relu(0.2), is read by who takes it.
        const std::string_view word = value.ends_with(')') ? value.substr(0, value.find('(')) : value;
        if (word.empty() || word.find_first_of("()='\" ") != std::string_view::npos) throw malformed("");
        if (value == "True" || value == "False") value = value == "True" ? "true" : "false";
        arguments.push_back(
            {std::string(trim(item.substr(0, equals))), is_number ? detail::Value(number) : detail::Value(std::string(value))});
    }
    return Law(name, std::move(arguments));
}

}  // namespace fanin
