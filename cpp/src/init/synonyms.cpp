// What is said of a name that is no law or no parameter: other libraries' names, and what they are called here.
#include <algorithm>
#include <span>

#include "definitions.hpp"
#include "message.hpp"

namespace fanin {
namespace {

// Names that other libraries and people use. `meant` is a law; where there is none, the note says so.
struct Synonym {
    std::string_view name, meant, note;
};
// Notes where a name means something else elsewhere, so that a program that was carried over is not wrong in silence.
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
    {"dirac_", "dirac", ""},
    {"siren", "siren_uniform", ""},
    {"delta_orthogonal", "", "its kernels are zero but at the centre, where they are orthogonal; no law here draws that"},
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
// A name may stand twice: the meaning that the law at hand has a parameter for is taken.
constexpr Synonym kParameterSynonyms[] = {
    {"stddev", "std", ""},    {"sigma", "std", ""},         {"scale", "std", ""},      {"mu", "mean", ""},
    {"loc", "mean", ""},      {"minval", "low", ""},        {"maxval", "high", ""},    {"a", "low", ""},
    {"b", "high", ""},        {"val", "value", ""},         {"fan", "mode", ""},       {"fill", "value", ""},
    {"c", "value", ""},       {"nonlinearity", "gain", ""}, {"a", "lower", ""},        {"b", "upper", ""},
    {"minval", "lower", ""},  {"maxval", "upper", ""},      {"low", "lower", ""},      {"high", "upper", ""},
    {"omega", "omega_0", ""}, {"w0", "omega_0", ""},        {"is_first", "first", ""},
};

// The first synonym of that name, or null.
const Synonym* find(std::span<const Synonym> synonyms, std::string_view name) {
    const auto at = std::find_if(synonyms.begin(), synonyms.end(), [&](const Synonym& s) { return s.name == name; });
    return at == synonyms.end() ? nullptr : &*at;
}

}  // namespace

std::string unknown_law(std::string_view name) {
    const Synonym* synonym = find(kLawSynonyms, name);
    if (synonym == nullptr) return detail::unknown_name("law", name, law_names());
    // A name without a counterpart gets the list and the note, and no guess.
    std::string out = detail::unknown_name("law", name, law_names(), synonym->meant.empty() ? "?" : synonym->meant);
    if (synonym->meant.empty()) out.resize(out.rfind(": did you mean"));
    return synonym->note.empty() ? out : out + " (" + std::string(synonym->note) + ")";
}

void detail::unknown_parameter(const Definition& law, std::string_view name) {
    if (law.parameters.empty()) detail::refuse({law.name, " takes no parameters, got '", name, "'"});
    std::vector<std::string> names;
    names.reserve(law.parameters.size());
    for (const Parameter& p : law.parameters) names.push_back(p.name);
    const auto meant = std::find_if(std::begin(kParameterSynonyms), std::end(kParameterSynonyms), [&](const Synonym& s) {
        return s.name == name && std::find(names.begin(), names.end(), s.meant) != names.end();
    });
    detail::refuse({detail::unknown_name("parameter of " + law.name, name, names,
                                         meant == std::end(kParameterSynonyms) ? "" : meant->meant)});
}

}  // namespace fanin
