// The rows of the table. A scaled law is one line: family, parameters, k of gain sqrt(k / fan), the fan.
#include "definitions.hpp"

#include <iterator>

#include "fanin/activation.hpp"
#include "message.hpp"

namespace fanin::detail {
namespace {

// A row is data of the program, and made into a Definition once: code that made all of the strings would be 20 kB.
struct Preset {
    constexpr Preset() = default;
    constexpr Preset(double x) : stated(true), number(x) {}
    constexpr Preset(const char* text) : stated(true), word(text) {}
    bool stated = false;
    double number = 0;
    const char* word = nullptr;
};
struct RowParameter {
    const char* name;
    Kind kind;
    Preset preset;
};
struct Row {
    const char* name;
    Family family;
    RowParameter parameters[5];  // the first without a name ends them
    double k = 0;
    const char *mode = "", *stated = "", *instead = "";
};

// Sources and formulas stand in init.hpp. k is 3 times the factor of the variance where the law is uniform: U(-b, b) has
// variance b^2 / 3.
constexpr RowParameter kGain{"gain", Kind::gain, 1.0}, kMode{"mode", Kind::mode, "fan_in"};
constexpr Row kRows[] = {
    {"zeros", Family::constant, {}},
    {"ones", Family::constant, {}},
    {"constant", Family::constant, {{"value", Kind::number, {}}}, 0, "", "value=-0.3"},
    {"identity", Family::identity, {{"gain", Kind::any_gain, 1.0}}},
    {"dirac", Family::dirac, {{"groups", Kind::count, 1.0}}},
    {"orthogonal", Family::orthogonal, {kGain}},
    {"normal", Family::normal, {{"mean", Kind::number, 0.0}, {"std", Kind::scale, 1.0}}},
    {"uniform",
     Family::uniform,
     {{"low", Kind::number, {}}, {"high", Kind::number, {}}},
     0,
     "",
     "low=-1, high=3",
     "fan_in_uniform for bounds of 1 / sqrt(fan_in)"},
    {"truncated_normal",
     Family::truncated,
     {{"mean", Kind::number, 0.0},
      {"std", Kind::scale, 1.0},
      {"lower", Kind::sigmas, -2.0},
      {"upper", Kind::sigmas, 2.0},
      {"corrected", Kind::flag, "false"}}},
    {"sparse", Family::sparse, {{"sparsity", Kind::share, {}}, {"std", Kind::scale, 0.01}, kGain}, 0, "", "sparsity=0.8"},
    {"variance_scaling",
     Family::normal,
     {{"scale", Kind::scale, 1.0}, kGain, kMode, {"distribution", Kind::distribution, "normal"}},
     1},
    {"fan_in_uniform", Family::uniform, {kGain}, 1, "fan_in"},
    {"xavier_normal", Family::normal, {kGain, kMode}, 1},
    {"xavier_uniform", Family::uniform, {kGain, kMode}, 3},
    {"xavier_truncated", Family::truncated, {kGain, kMode}, 1},
    {"glorot_normal", Family::normal, {kGain}, 1, "fan_avg"},
    {"glorot_uniform", Family::uniform, {kGain}, 3, "fan_avg"},
    {"glorot_truncated", Family::truncated, {kGain}, 1, "fan_avg"},
    {"he_normal", Family::normal, {kGain, kMode}, 2},
    {"he_uniform", Family::uniform, {kGain, kMode}, 6},
    {"he_truncated", Family::truncated, {kGain, kMode}, 2},
    {"lecun_normal", Family::normal, {kGain}, 1, "fan_in"},
    {"lecun_uniform", Family::uniform, {kGain}, 3, "fan_in"},
    {"lecun_truncated", Family::truncated, {kGain}, 1, "fan_in"},
    {"siren_uniform", Family::uniform, {{"omega_0", Kind::positive, 30.0}, {"first", Kind::flag, "false"}}, 6, "fan_in"},
};

}  // namespace

const std::vector<Definition>& definitions() {
    static const std::vector<Definition> all = [] {
        std::vector<Definition> list;
        list.reserve(std::size(kRows));
        for (const Row& row : kRows) {
            Definition& d = list.emplace_back();
            d.name = row.name;
            d.family = row.family;
            d.k = row.k;
            d.mode = row.mode;
            d.stated = row.stated;
            d.instead = row.instead;
            for (const RowParameter& p : row.parameters) {
                if (p.name == nullptr) break;
                Parameter& parameter = d.parameters.emplace_back();
                parameter.name = p.name;
                parameter.kind = p.kind;
                if (p.preset.word != nullptr) parameter.preset = std::string(p.preset.word);
                else if (p.preset.stated) parameter.preset = p.preset.number;
            }
        }
        return list;
    }();
    return all;
}

std::size_t definition_of(std::string_view name) {
    const auto& all = definitions();
    for (std::size_t i = 0; i < all.size(); ++i)
        if (all[i].name == name) return i;
    refuse({unknown_law(name)});
}

std::string example(const Definition& law) { return law.stated.empty() ? law.name : law.name + "(" + law.stated + ")"; }

// One list a kind; gains take the names of activations besides numbers, which activation_from_text checks.
const std::vector<std::string>& words(Kind kind) {
    static const std::vector<std::string> modes{"fan_in", "fan_out", "fan_avg", "fan_geo_avg"};
    static const std::vector<std::string> distributions{"normal", "uniform", "truncated"}, flags{"true", "false"}, none;
    return kind == Kind::mode ? modes : kind == Kind::distribution ? distributions : kind == Kind::flag ? flags : none;
}

std::string value_text(const Value& value) {
    if (const double* number = std::get_if<double>(&value)) return detail::text(*number);
    return std::get<std::string>(value);
}

double resolved(const Value& value) {
    if (const double* number = std::get_if<double>(&value)) return *number;
    return gain(activation_from_name(std::get<std::string>(value)));
}

}  // namespace fanin::detail

namespace fanin {

const std::vector<std::string>& law_names() {
    static const std::vector<std::string> names = [] {
        std::vector<std::string> list;
        for (const detail::Definition& d : detail::definitions()) list.push_back(d.name);
        return list;
    }();
    return names;
}

LawTraits law_traits(std::string_view name) {
    const detail::Definition& law = detail::definitions()[detail::definition_of(name)];
    LawTraits traits{detail::example(law), law.k != 0, detail::has_shape(law.family), detail::is_whole(law.family), {}};
    for (const detail::Parameter& p : law.parameters)
        traits.parameters.push_back({p.name, !p.preset.has_value(), p.kind == detail::Kind::flag});
    return traits;
}

}  // namespace fanin
