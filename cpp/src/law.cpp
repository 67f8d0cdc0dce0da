// Laws as values: their names and parameters, their text form, and what is said of a name that is none.
#include "law.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <stdexcept>

#include "fanin/activation.hpp"
#include "message.hpp"

namespace fanin {
namespace {

using detail::Distribution;
using detail::Family;
using Value = std::variant<double, std::string>;

enum class Kind { number, scale, gain, any_gain, mode };  // scale, gain: at least 0; gains also take an activation's name

struct Parameter {
    std::string name;
    Kind kind;
    std::optional<Value> preset;  // none: must be stated
};

struct Definition {
    std::string name;
    Family family;
    std::vector<Parameter> parameters;
    double k = 0;        // std or bound = gain * sqrt(k / fan); 0: no fans
    std::string mode{};  // the fan, where it is no parameter
};

const std::vector<Definition>& definitions() {
    static const std::vector<Definition> all = [] {
        const Parameter gain{"gain", Kind::gain, 1.0}, mode{"mode", Kind::mode, "fan_in"};
        return std::vector<Definition>{
            {"zeros", Family::constant, {}},
            {"ones", Family::constant, {}},
            {"constant", Family::constant, {{"value", Kind::number, {}}}},
            {"identity", Family::identity, {{"gain", Kind::any_gain, 1.0}}},
            {"orthogonal", Family::orthogonal, {gain}},
            {"normal", Family::normal, {{"mean", Kind::number, 0.0}, {"std", Kind::scale, 1.0}}},
            {"uniform", Family::uniform, {{"low", Kind::number, {}}, {"high", Kind::number, {}}}},
            {"fan_in_uniform", Family::uniform, {gain}, 1, "fan_in"},
            {"xavier_normal", Family::normal, {gain, mode}, 1},
            {"xavier_uniform", Family::uniform, {gain, mode}, 3},
            {"glorot_normal", Family::normal, {gain}, 1, "fan_avg"},
            {"glorot_uniform", Family::uniform, {gain}, 3, "fan_avg"},
            {"he_normal", Family::normal, {gain, mode}, 2},
            {"he_uniform", Family::uniform, {gain, mode}, 6},
            {"lecun_normal", Family::normal, {gain}, 1, "fan_in"},
            {"lecun_uniform", Family::uniform, {gain}, 3, "fan_in"},
        };
    }();
    return all;
}

const std::vector<std::string> kModes{"fan_in", "fan_out", "fan_avg"};

// Names that other libraries and people use. `meant` is a law; where there is none, the note says so.
struct Synonym {
    std::string_view name, meant, note;
};
constexpr std::string_view kTwoXaviers =
    "xavier_* has variance 1 / fan_in; what PyTorch and Keras call Xavier or Glorot, 2 / (fan_in + fan_out), is glorot_*";
constexpr std::string_view kTorchXavier = "PyTorch's has variance 2 / (fan_in + fan_out); xavier_* here has 1 / fan_in";
constexpr std::string_view kTorchLinear =
    "the default of PyTorch's Linear, kaiming_uniform_ with a = sqrt(5), is fan_in_uniform";
constexpr std::string_view kNoTruncated = "this version has no truncated laws";
constexpr Synonym kLawSynonyms[] = {
    {"kaiming_normal", "he_normal", ""},
    {"kaiming_normal_", "he_normal", ""},
    {"kaiming_uniform", "he_uniform", kTorchLinear},
    {"kaiming_uniform_", "he_uniform", kTorchLinear},
    {"kaiming", "he_normal", ""},
    {"msra", "he_normal", ""},
    {"he", "he_normal", ""},
    {"xavier", "xavier_normal", kTwoXaviers},
    {"xavier_normal_", "glorot_normal", kTorchXavier},
    {"xavier_uniform_", "glorot_uniform", kTorchXavier},
    {"glorot", "glorot_normal", ""},
    {"lecun", "lecun_normal", ""},
    {"zero", "zeros", ""},
    {"one", "ones", ""},
    {"const", "constant", ""},
    {"full", "constant", ""},
    {"eye", "identity", ""},
    {"dirac", "", "kernels with a receptive field have no identity here; identity takes a matrix"},
    {"standard_normal", "normal", ""},
    {"random_normal", "normal", ""},
    {"gaussian", "normal", ""},
    {"randn", "normal", ""},
    {"random_uniform", "uniform", ""},
    {"rand", "uniform", ""},
    {"default", "fan_in_uniform", "the default of PyTorch's Linear"},
    {"trunc_normal", "", kNoTruncated},
    {"trunc_normal_", "", kNoTruncated},
    {"truncated_normal", "", kNoTruncated},
    {"xavier_truncated", "", kNoTruncated},
    {"glorot_truncated", "", kNoTruncated},
    {"he_truncated", "", kNoTruncated},
    {"lecun_truncated", "", kNoTruncated},
    {"variance_scaling", "", "write he_*, xavier_*, glorot_* or lecun_* with gain= and mode="},
    {"orthogonal_", "orthogonal", ""},
    {"haar", "orthogonal", ""},
    {"sparse", "", "this version has no sparse law"},
    {"sparse_", "", "this version has no sparse law"},
};
constexpr Synonym kParameterSynonyms[] = {
    {"stddev", "std", ""}, {"sigma", "std", ""},         {"scale", "std", ""},   {"mu", "mean", ""},
    {"loc", "mean", ""},   {"minval", "low", ""},        {"maxval", "high", ""}, {"a", "low", ""},
    {"b", "high", ""},     {"val", "value", ""},         {"fan", "mode", ""},    {"fill", "value", ""},
    {"c", "value", ""},    {"nonlinearity", "gain", ""},
};

const Synonym* find(std::span<const Synonym> synonyms, std::string_view name) {
    const auto at = std::find_if(synonyms.begin(), synonyms.end(), [&](const Synonym& s) { return s.name == name; });
    return at == synonyms.end() ? nullptr : &*at;
}

std::size_t definition_of(std::string_view name) {
    const auto& all = definitions();
    for (std::size_t i = 0; i < all.size(); ++i)
        if (all[i].name == name) return i;
    throw std::invalid_argument(unknown_law(name));
}

[[noreturn]] void unknown_parameter(const Definition& law, std::string_view name) {
    if (law.parameters.empty()) throw std::invalid_argument(law.name + " takes no parameters, got '" + std::string(name) + "'");
    std::vector<std::string> names;
    for (const Parameter& p : law.parameters) names.push_back(p.name);
    const Synonym* synonym = find(kParameterSynonyms, name);
    const bool has = synonym != nullptr && std::find(names.begin(), names.end(), synonym->meant) != names.end();
    throw std::invalid_argument(detail::unknown_name("parameter of " + law.name, name, names, has ? synonym->meant : ""));
}

std::string value_text(const Value& value) {
    if (const double* number = std::get_if<double>(&value)) return detail::text(*number);
    return std::get<std::string>(value);
}

// A number, or the gain of an activation.
double resolve(const Value& value) {
    if (const double* number = std::get_if<double>(&value)) return *number;
    return gain(activation_from_name(std::get<std::string>(value)));
}

void check_value(const Parameter& p, const Value& value) {
    const bool word = std::holds_alternative<std::string>(value);
    if (p.kind == Kind::mode) {
        if (!word || std::find(kModes.begin(), kModes.end(), std::get<std::string>(value)) == kModes.end())
            throw std::invalid_argument(detail::unknown_name(p.name, value_text(value), kModes));
        return;
    }
    const bool takes_word = p.kind == Kind::gain || p.kind == Kind::any_gain;
    if (word && !takes_word) throw std::invalid_argument(p.name + " must be a number, got '" + value_text(value) + "'");
    if (word && std::find(activation_names().begin(), activation_names().end(), std::get<std::string>(value)) ==
                    activation_names().end())
        throw std::invalid_argument(detail::unknown_name(p.name + ", as a word,", value_text(value), activation_names()));
    const bool signless = p.kind == Kind::scale || p.kind == Kind::gain;
    const double x = resolve(value);
    if (!std::isfinite(x) || (signless && x < 0))
        throw std::invalid_argument(p.name + " must be finite" + (signless ? " and at least 0" : "") + ", got " +
                                    value_text(value));
}

// The example that an error shows where a parameter without a default is left out.
std::string example(const Definition& law) {
    if (law.name == "constant") return "constant(value=0.5)";
    return "uniform(low=-0.1, high=0.1), or fan_in_uniform for bounds of 1 / sqrt(fan_in)";
}

}  // namespace

const std::vector<std::string>& law_names() {
    static const std::vector<std::string> names = [] {
        std::vector<std::string> list;
        for (const Definition& d : definitions()) list.push_back(d.name);
        return list;
    }();
    return names;
}

std::string unknown_law(std::string_view name) {
    const Synonym* synonym = find(kLawSynonyms, name);
    if (synonym == nullptr) return detail::unknown_name("law", name, law_names());
    std::string out = detail::unknown_name("law", name, law_names(), synonym->meant.empty() ? "?" : synonym->meant);
    if (synonym->meant.empty()) out.resize(out.rfind(": did you mean"));
    return synonym->note.empty() ? out : out + " (" + std::string(synonym->note) + ")";
}

Law::Law(std::string_view name, std::vector<Argument> arguments) : definition_(definition_of(name)) {
    const Definition& law = definitions()[definition_];
    for (const Argument& a : arguments) {
        const auto same = [&](const auto& other) { return other.name == a.name; };
        if (std::none_of(law.parameters.begin(), law.parameters.end(), same)) unknown_parameter(law, a.name);
        if (std::count_if(arguments.begin(), arguments.end(), same) > 1)
            throw std::invalid_argument(law.name + " got " + a.name + " twice");
    }
    for (const Parameter& p : law.parameters) {
        const auto stated =
            std::find_if(arguments.begin(), arguments.end(), [&](const Argument& a) { return a.name == p.name; });
        if (stated == arguments.end() && !p.preset)
            throw std::invalid_argument(law.name + " needs " + p.name + "=: write " + example(law));
        arguments_.push_back({p.name, stated == arguments.end() ? *p.preset : std::move(stated->value)});
        check_value(p, arguments_.back().value);
        if (double* number = std::get_if<double>(&arguments_.back().value)) *number += 0.0;  // -0 becomes 0
    }
    if (law.name == "uniform" && !(number("low") < number("high")))
        throw std::invalid_argument("low must be less than high, got low=" + detail::text(number("low")) +
                                    " and high=" + detail::text(number("high")));
}

std::string_view Law::name() const { return definitions()[definition_].name; }

double Law::number(std::string_view parameter) const {
    for (const Argument& a : arguments_)
        if (a.name == parameter && a.name != "mode") return resolve(a.value);
    throw std::invalid_argument(std::string(name()) + " has no number '" + std::string(parameter) + "'");
}

bool Law::needs_fans() const { return definitions()[definition_].k != 0; }

std::string Law::text() const {
    const Definition& law = definitions()[definition_];
    std::string list;
    for (std::size_t i = 0; i < arguments_.size(); ++i) {
        if (law.parameters[i].preset == arguments_[i].value) continue;
        list += (list.empty() ? "" : ", ") + arguments_[i].name + "=" + value_text(arguments_[i].value);
    }
    return list.empty() ? law.name : law.name + "(" + list + ")";
}

bool operator==(const Law& a, const Law& b) {
    if (a.definition_ != b.definition_) return false;
    for (std::size_t i = 0; i < a.arguments_.size(); ++i) {
        const Argument &x = a.arguments_[i], &y = b.arguments_[i];
        if (x.name == "mode" ? x.value != y.value : resolve(x.value) != resolve(y.value)) return false;
    }
    return true;
}

Law law_from_text(std::string_view text) {
    const auto trim = [](std::string_view s) {
        while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
        while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
        return s;
    };
    const auto malformed = [&](const std::string& hint) {
        return std::invalid_argument("law must look like 'he_normal' or 'normal(std=0.01)', got '" + std::string(text) + "'" +
                                     hint);
    };
    const std::string_view all = trim(text);
    const std::size_t open = all.find('(');
    if (all.empty() || (open == std::string_view::npos) != (all.back() != ')')) throw malformed("");
    const std::string_view name = trim(all.substr(0, open));
    if (open == std::string_view::npos) return Law(name);
    definition_of(name);  // an unknown name is the first thing to say

    std::vector<Argument> arguments;
    std::string_view rest = trim(all.substr(open + 1, all.size() - open - 2));
    while (!rest.empty()) {
        const std::size_t comma = rest.find(',');
        const std::string_view item = trim(rest.substr(0, comma));
        rest = comma == std::string_view::npos ? "" : trim(rest.substr(comma + 1));
        const std::size_t equals = item.find('=');
        if (equals == std::string_view::npos) {
            const auto& parameters = definitions()[definition_of(name)].parameters;
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
        if (value.empty() || value.find_first_of("()='\" ") != std::string_view::npos) throw malformed("");
        arguments.push_back({std::string(trim(item.substr(0, equals))), is_number ? Value(number) : Value(std::string(value))});
    }
    return Law(name, std::move(arguments));
}

Distribution detail::distribution(const Law& law, std::span<const std::size_t> shape, const Axes& axes) {
    const Definition& d = definitions()[definition_of(law.name())];
    if (d.k == 0) {
        if (d.name == "zeros") return {d.family, 0.0};
        if (d.name == "ones") return {d.family, 1.0};
        if (d.family == Family::identity && shape.size() != 2)
            throw std::invalid_argument("shape must be (n_out, n_in) for identity, got " + shape_text(shape));
        if (d.family == Family::orthogonal) fans(shape, axes);  // refuses a shape or axes that make no matrix
        const auto& parameters = d.parameters;                  // in the order of Distribution's numbers
        return {d.family, law.number(parameters[0].name), parameters.size() == 1 ? 0.0 : law.number(parameters[1].name)};
    }
    const Fans f = fans(shape, axes);
    const std::string& mode = d.mode.empty() ? std::get<std::string>(law.arguments().back().value) : d.mode;
    const auto in = static_cast<double>(f.in), out = static_cast<double>(f.out);
    const double fan = mode == "fan_in" ? in : mode == "fan_out" ? out : (in + out) / 2;
    if (fan == 0) throw std::invalid_argument("shape must have " + mode + " > 0 for " + d.name + ", got " + shape_text(shape));
    const double s = law.number("gain") * std::sqrt(d.k / fan);
    if (!std::isfinite(s))
        throw std::invalid_argument("gain must give a finite scale, got " + detail::text(law.number("gain")));
    return d.family == Family::normal ? Distribution{d.family, 0.0, s} : Distribution{d.family, 0.0 - s, s};
}

}  // namespace fanin
