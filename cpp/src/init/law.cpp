// Laws as values: their parameters checked, read and compared.
#include <algorithm>
#include <cmath>

#include "activation_kernel.hpp"
#include "definitions.hpp"
#include "fanin/arithmetic.hpp"
#include "message.hpp"

namespace fanin {
namespace {

using detail::Definition;
using detail::definitions;
using detail::Family;
using detail::Kind;
using detail::Parameter;
using detail::resolved;
using detail::Value;
using detail::value_text;
using detail::words;

// std::invalid_argument for a value that the parameter does not take.
void check_value(const Parameter& p, const Value& value) {
    const bool word = std::holds_alternative<std::string>(value);
    if (const std::vector<std::string>& allowed = words(p.kind); !allowed.empty()) {
        if (!word || std::find(allowed.begin(), allowed.end(), std::get<std::string>(value)) == allowed.end())
            detail::refuse({detail::unknown_name(p.name, value_text(value), allowed)});
        return;
    }
    // A word is refused as a number before it is looked up as an activation.
    const bool takes_word = p.kind == Kind::gain || p.kind == Kind::any_gain;
    if (word && !takes_word) detail::refuse({p.name, " must be a number, got '", value_text(value), "'"});
    if (word) detail::activation_from_text(p.name + ", as a word,", value_text(value));
    const double x = resolved(value);
    const auto require = [&](bool ok, const char* what) {
        if (!ok) detail::refuse({p.name, " must be ", what, ", got ", value_text(value)});
    };
    if (p.kind == Kind::sigmas) require(!std::isnan(x), "a number of sigmas");
    else if (p.kind == Kind::share) require(x >= 0 && x <= 1, "in [0, 1]");
    else if (p.kind == Kind::count) require(x >= 1 && x <= 0x1p53 && x == std::floor(x), "a whole number, at least 1");
    else if (p.kind == Kind::positive) require(std::isfinite(x) && x > 0, "finite and above 0");
    else if (p.kind == Kind::scale || p.kind == Kind::gain) require(std::isfinite(x) && x >= 0, "finite and at least 0");
    else require(std::isfinite(x), "finite");
}

// The value of a parameter of a law, if it has it and its values are words (numbers).
const Value* find(const Law& law, std::string_view parameter, bool word) {
    const std::vector<Parameter>& known = definitions()[detail::definition_of(law.name())].parameters;
    for (std::size_t i = 0; i < known.size(); ++i)
        if (known[i].name == parameter && words(known[i].kind).empty() != word) return &law.arguments()[i].value;
    return nullptr;
}

}  // namespace

Law::Law(std::string_view name, std::vector<Argument> arguments) : definition_(detail::definition_of(name)) {
    const StandardArithmetic arithmetic;
    const Definition& law = definitions()[definition_];
    for (const Argument& a : arguments) {
        const auto same = [&](const auto& other) { return other.name == a.name; };
        if (std::none_of(law.parameters.begin(), law.parameters.end(), same)) detail::unknown_parameter(law, a.name);
        if (std::count_if(arguments.begin(), arguments.end(), same) > 1) detail::refuse({law.name, " got ", a.name, " twice"});
    }
    // All parameters in the table's order, so that equal laws hold them alike whatever was stated.
    for (const Parameter& p : law.parameters) {
        const auto stated =
            std::find_if(arguments.begin(), arguments.end(), [&](const Argument& a) { return a.name == p.name; });
        if (stated == arguments.end() && !p.preset)
            detail::refuse(
                {law.name, " needs ", p.name, "=: write ", example(law), (law.instead.empty() ? "" : ", or " + law.instead)});
        arguments_.push_back({p.name, stated == arguments.end() ? *p.preset : stated->value});
        check_value(p, arguments_.back().value);
        if (double* number = std::get_if<double>(&arguments_.back().value)) *number += 0.0;  // -0 becomes 0
    }
    // Two parameters that bound an interval; scaled laws make theirs from one number.
    const auto require_ordered = [&](const char* low, const char* high) {
        if (!(number(low) < number(high)))
            detail::refuse(
                {low, " must be less than ", high, ", got ", low, "=", number(low), " and ", high, "=", number(high)});
    };
    if (law.family == Family::uniform && law.k == 0) require_ordered("low", "high");
    if (law.family == Family::truncated && law.k == 0) require_ordered("lower", "upper");
}

std::string_view Law::name() const { return definitions()[definition_].name; }

double Law::number(std::string_view parameter) const {
    if (const Value* value = find(*this, parameter, false)) return detail::resolved(*value);
    detail::refuse({name(), " has no number '", parameter, "'"});
}

const std::string& Law::word(std::string_view parameter) const {
    if (const Value* value = find(*this, parameter, true)) return std::get<std::string>(*value);
    detail::refuse({name(), " has no word '", parameter, "'"});
}

bool Law::needs_fans() const { return definitions()[definition_].k != 0; }

std::string Law::text() const {
    const Definition& law = definitions()[definition_];
    std::string list;
    for (std::size_t i = 0; i < arguments_.size(); ++i) {
        // As stated, not as resolved: gain=relu stays a word, though 1.4142135623730951 is the same law.
        if (law.parameters[i].preset == arguments_[i].value) continue;
        list += (list.empty() ? "" : ", ") + arguments_[i].name + "=" + value_text(arguments_[i].value);
    }
    return list.empty() ? law.name : law.name + "(" + list + ")";
}

std::vector<Argument> Law::resolved() const {
    std::vector<Argument> list = arguments_;
    const std::vector<Parameter>& known = definitions()[definition_].parameters;
    for (std::size_t i = 0; i < list.size(); ++i)
        if (words(known[i].kind).empty()) list[i].value = fanin::detail::resolved(list[i].value);
    return list;
}

bool operator==(const Law& a, const Law& b) {
    const StandardArithmetic arithmetic;
    if (a.definition_ != b.definition_) return false;
    const std::vector<Argument> x = a.resolved(), y = b.resolved();
    return std::equal(x.begin(), x.end(), y.begin(), [](const Argument& p, const Argument& q) { return p.value == q.value; });
}

}  // namespace fanin
