// Laws as values: their names and parameters, their text form, and what is said of a name that is none.
#include "law.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <stdexcept>

#include "activation_kernel.hpp"
#include "fanin/arithmetic.hpp"
#include "message.hpp"

namespace fanin {
namespace {

using detail::Distribution;
using detail::Family;
using Value = std::variant<double, std::string>;

// scale, gain: at least 0; gains also take an activation's name; share: in [0, 1]; sigmas: may be infinite; the rest: words.
enum class Kind { number, scale, gain, any_gain, share, sigmas, mode, distribution, flag };

struct Parameter {
    std::string name;
    Kind kind;
    std::optional<Value> preset;  // none: must be stated
};

struct Definition {
    std::string name;
    Family family;
    std::vector<Parameter> parameters;
    double k = 0;        // std, or bound of a uniform law, = gain * sqrt(k / fan); 0: no fans
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
            {"truncated_normal",
             Family::truncated,
             {{"mean", Kind::number, 0.0},
              {"std", Kind::scale, 1.0},
              {"lower", Kind::sigmas, -2.0},
              {"upper", Kind::sigmas, 2.0},
              {"corrected", Kind::flag, "false"}}},
            {"sparse", Family::sparse, {{"sparsity", Kind::share, {}}, {"std", Kind::scale, 0.01}, gain}},
            {"variance_scaling",
             Family::normal,
             {{"scale", Kind::scale, 1.0}, gain, mode, {"distribution", Kind::distribution, "normal"}},
             1},
            {"fan_in_uniform", Family::uniform, {gain}, 1, "fan_in"},
            {"xavier_normal", Family::normal, {gain, mode}, 1},
            {"xavier_uniform", Family::uniform, {gain, mode}, 3},
            {"xavier_truncated", Family::truncated, {gain, mode}, 1},
            {"glorot_normal", Family::normal, {gain}, 1, "fan_avg"},
            {"glorot_uniform", Family::uniform, {gain}, 3, "fan_avg"},
            {"glorot_truncated", Family::truncated, {gain}, 1, "fan_avg"},
            {"he_normal", Family::normal, {gain, mode}, 2},
            {"he_uniform", Family::uniform, {gain, mode}, 6},
            {"he_truncated", Family::truncated, {gain, mode}, 2},
            {"lecun_normal", Family::normal, {gain}, 1, "fan_in"},
            {"lecun_uniform", Family::uniform, {gain}, 3, "fan_in"},
            {"lecun_truncated", Family::truncated, {gain}, 1, "fan_in"},
        };
    }();
    return all;
}

// The words that a parameter takes; none where it takes numbers.
const std::vector<std::string>& words(Kind kind) {
    static const std::vector<std::string> modes{"fan_in", "fan_out", "fan_avg", "fan_geo_avg"};
    static const std::vector<std::string> distributions{"normal", "uniform", "truncated"}, flags{"true", "false"}, none;
    return kind == Kind::mode ? modes : kind == Kind::distribution ? distributions : kind == Kind::flag ? flags : none;
}

// Names that other libraries and people use. `meant` is a law; where there is none, the note says so.
struct Synonym {
    std::string_view name, meant, note;
};
constexpr std::string_view kTwoXaviers =
    "xavier_* has variance 1 / fan_in; what PyTorch and Keras call Xavier or Glorot, 2 / (fan_in + fan_out), is glorot_*";
constexpr std::string_view kTorchXavier = "PyTorch's has variance 2 / (fan_in + fan_out); xavier_* here has 1 / fan_in";
constexpr std::string_view kTorchLinear =
    "the default of PyTorch's Linear, kaiming_uniform_ with a = sqrt(5), is fan_in_uniform";
constexpr std::string_view kTorchTruncated = "PyTorch's bounds a and b are values, lower and upper here count sigmas";
constexpr std::string_view kKerasTruncated =
    "its std is that of the parent, as truncated_normal's; corrected=True makes it the draw's";
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
    {"trunc_normal", "truncated_normal", kTorchTruncated},
    {"trunc_normal_", "truncated_normal", kTorchTruncated},
    {"random_truncated_normal", "truncated_normal", kKerasTruncated},
    {"kaiming_truncated", "he_truncated", ""},
    {"vs", "variance_scaling", ""},
    {"orthogonal_", "orthogonal", ""},
    {"haar", "orthogonal", ""},
    {"sparse_", "sparse", ""},
};
constexpr Synonym kParameterSynonyms[] = {
    {"stddev", "std", ""},   {"sigma", "std", ""},         {"scale", "std", ""},   {"mu", "mean", ""},
    {"loc", "mean", ""},     {"minval", "low", ""},        {"maxval", "high", ""}, {"a", "low", ""},
    {"b", "high", ""},       {"val", "value", ""},         {"fan", "mode", ""},    {"fill", "value", ""},
    {"c", "value", ""},      {"nonlinearity", "gain", ""}, {"a", "lower", ""},     {"b", "upper", ""},
    {"minval", "lower", ""}, {"maxval", "upper", ""},      {"low", "lower", ""},   {"high", "upper", ""},
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
    const auto meant = std::find_if(std::begin(kParameterSynonyms), std::end(kParameterSynonyms), [&](const Synonym& s) {
        return s.name == name && std::find(names.begin(), names.end(), s.meant) != names.end();
    });
    throw std::invalid_argument(detail::unknown_name("parameter of " + law.name, name, names,
                                                     meant == std::end(kParameterSynonyms) ? "" : meant->meant));
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
    if (const std::vector<std::string>& allowed = words(p.kind); !allowed.empty()) {
        if (!word || std::find(allowed.begin(), allowed.end(), std::get<std::string>(value)) == allowed.end())
            throw std::invalid_argument(detail::unknown_name(p.name, value_text(value), allowed));
        return;
    }
    const bool takes_word = p.kind == Kind::gain || p.kind == Kind::any_gain;
    if (word && !takes_word) throw std::invalid_argument(p.name + " must be a number, got '" + value_text(value) + "'");
    if (word) detail::activation_from_text(p.name + ", as a word,", value_text(value));
    const double x = resolve(value);
    const auto require = [&](bool ok, const char* what) {
        if (!ok) throw std::invalid_argument(p.name + " must be " + what + ", got " + value_text(value));
    };
    if (p.kind == Kind::sigmas) require(!std::isnan(x), "a number of sigmas");
    else if (p.kind == Kind::share) require(x >= 0 && x <= 1, "in [0, 1]");
    else if (p.kind == Kind::scale || p.kind == Kind::gain) require(std::isfinite(x) && x >= 0, "finite and at least 0");
    else require(std::isfinite(x), "finite");
}

// The example that an error shows where a parameter without a default is left out.
std::string example(const Definition& law) {
    if (law.name == "constant") return "constant(value=0.5)";
    if (law.name == "sparse") return "sparse(sparsity=0.9)";
    return "uniform(low=-0.1, high=0.1), or fan_in_uniform for bounds of 1 / sqrt(fan_in)";
}

// A scale derived from a stated parameter may overflow.
double require_finite(double scale, const char* parameter, double stated) {
    if (std::isfinite(scale)) return scale;
    throw std::invalid_argument(std::string(parameter) + " must give a finite scale, got " + detail::text(stated));
}

double fan_of(const Fans& fans, const std::string& mode) {
    const auto in = static_cast<double>(fans.in), out = static_cast<double>(fans.out);
    if (mode == "fan_in") return in;
    if (mode == "fan_out") return out;
    return mode == "fan_avg" ? (in + out) / 2 : std::sqrt(in * out);
}

Distribution scaled_distribution(const Definition& d, const Law& law, std::span<const std::size_t> shape, const Axes& axes) {
    const std::string& mode = d.mode.empty() ? law.word("mode") : d.mode;
    const double fan = fan_of(fans(shape, axes), mode);
    if (fan == 0)
        throw std::invalid_argument("shape must have " + mode + " > 0 for " + d.name + ", got " + detail::shape_text(shape));
    double k = d.k;
    Family family = d.family;
    if (d.name == "variance_scaling") {
        const std::string& distribution = law.word("distribution");
        family = distribution == "normal" ? Family::normal : distribution == "uniform" ? Family::uniform : Family::truncated;
        k = law.number("scale") * (family == Family::uniform ? 3 : 1);
    }
    const double gain = law.number("gain"), s = require_finite(gain * std::sqrt(k / fan), "gain", gain);
    if (family == Family::normal) return {family, 0.0, s};
    if (family == Family::uniform) return {family, 0.0 - s, s};
    static const double two_sigma = detail::truncated_std(-2, 2);  // the std of N(0, 1) cut at two sigmas, 0.8796
    return {family, 0.0, s / two_sigma, -2, 2};
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
    const StandardArithmetic arithmetic;
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
    const auto require_ordered = [&](const char* low, const char* high) {
        if (!(number(low) < number(high)))
            throw std::invalid_argument(std::string(low) + " must be less than " + high + ", got " + low + "=" +
                                        detail::text(number(low)) + " and " + high + "=" + detail::text(number(high)));
    };
    if (law.family == Family::uniform && law.k == 0) require_ordered("low", "high");
    if (law.family == Family::truncated && law.k == 0) require_ordered("lower", "upper");
}

std::string_view Law::name() const { return definitions()[definition_].name; }

double Law::number(std::string_view parameter) const {
    for (const Argument& a : arguments_)
        if (a.name == parameter && !detail::is_word(a.name)) return resolve(a.value);
    throw std::invalid_argument(std::string(name()) + " has no number '" + std::string(parameter) + "'");
}

const std::string& Law::word(std::string_view parameter) const {
    for (const Argument& a : arguments_)
        if (a.name == parameter && detail::is_word(a.name)) return std::get<std::string>(a.value);
    throw std::invalid_argument(std::string(name()) + " has no word '" + std::string(parameter) + "'");
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
    const StandardArithmetic arithmetic;
    if (a.definition_ != b.definition_) return false;
    for (std::size_t i = 0; i < a.arguments_.size(); ++i) {
        const Argument &x = a.arguments_[i], &y = b.arguments_[i];
        if (detail::is_word(x.name) ? x.value != y.value : resolve(x.value) != resolve(y.value)) return false;
    }
    return true;
}

Law law_from_text(std::string_view text) {
    const StandardArithmetic arithmetic;
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
        // A call, as leaky_relu(0.2), is read by who takes it.
        const std::string_view word = value.ends_with(')') ? value.substr(0, value.find('(')) : value;
        if (word.empty() || word.find_first_of("()='\" ") != std::string_view::npos) throw malformed("");
        if (value == "True" || value == "False") value = value == "True" ? "true" : "false";
        arguments.push_back({std::string(trim(item.substr(0, equals))), is_number ? Value(number) : Value(std::string(value))});
    }
    return Law(name, std::move(arguments));
}

bool detail::is_word(std::string_view parameter) {
    return parameter == "mode" || parameter == "distribution" || parameter == "corrected";
}

Distribution detail::distribution(const Law& law, std::span<const std::size_t> shape, const Axes& axes) {
    const Definition& d = definitions()[law.definition_];
    const auto number = [&](const char* parameter) { return law.number(parameter); };
    if (d.k != 0) return scaled_distribution(d, law, shape, axes);
    if ((d.family == Family::identity || d.family == Family::sparse) && shape.size() != 2)
        throw std::invalid_argument("shape must be (n_out, n_in) for " + d.name + ", got " + shape_text(shape));
    switch (d.family) {
        case Family::constant:
            return {d.family, d.name == "zeros" ? 0.0 : d.name == "ones" ? 1.0 : number("value")};
        case Family::identity:
            return {d.family, number("gain")};
        case Family::orthogonal:
            fans(shape, axes);  // refuses a shape or axes that make no matrix
            return {d.family, number("gain")};
        case Family::normal:
            return {d.family, number("mean"), number("std")};
        case Family::uniform:
            return {d.family, number("low"), number("high")};
        case Family::truncated: {
            const double lower = number("lower"), upper = number("upper");
            const double std = law.word("corrected") == "true" ? number("std") / truncated_std(lower, upper) : number("std");
            return {d.family, number("mean"), require_finite(std, "std", number("std")), lower, upper};
        }
        case Family::sparse: {
            const double std = number("gain") * number("std");
            Distribution r{d.family, 0.0, require_finite(std, "gain", number("gain"))};
            // PyTorch's count: the ceiling of the double product.
            r.zeros = static_cast<std::size_t>(std::ceil(number("sparsity") * static_cast<double>(shape[0])));
            return r;
        }
    }
    throw std::logic_error("a law without a family");
}

}  // namespace fanin
