// The one table of laws: what texts, checks, numbers, bindings and tests know of each.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "distribution.hpp"
#include "fanin/init.hpp"

namespace fanin::detail {

using Value = std::variant<double, std::string>;

// What a parameter takes. scale, gain: at least 0; positive: above 0; gains also take an activation's name; share: in [0, 1];
// sigmas: may be infinite; count: a whole number from 1 on; the rest: words.
enum class Kind { number, scale, positive, gain, any_gain, share, sigmas, count, mode, distribution, flag };

struct Parameter {
    std::string name;
    Kind kind;
    std::optional<Value> preset;  // none: must be stated
};

struct Definition {
    std::string name;
    Family family;
    std::vector<Parameter> parameters;
    double k = 0;           // std, or bound of a uniform law, = gain * sqrt(k / fan); 0: no fans
    std::string mode{};     // the fan, where it is no parameter
    std::string stated{};   // values for an example, where a parameter must be stated: "value=-0.3"
    std::string instead{};  // what may have been meant where it was not
};

// All laws, in the order of law_names().
const std::vector<Definition>& definitions();

// The place of a law in the table; std::invalid_argument with `unknown_law` for a name that is none.
std::size_t definition_of(std::string_view name);

// The law as a text that draws, parameters without a default stated: "uniform(low=-1, high=3)".
std::string example(const Definition& law);

// The words that a parameter takes; none where it takes numbers, or a gain's word.
const std::vector<std::string>& words(Kind kind);

// std::invalid_argument for a name that is no parameter of the law, with the one that was probably meant.
[[noreturn]] void unknown_parameter(const Definition& law, std::string_view name);

// A number, or the gain of the activation that a word names.
double resolved(const Value& value);

// As it stands in the text of a law.
std::string value_text(const Value& value);

}  // namespace fanin::detail
