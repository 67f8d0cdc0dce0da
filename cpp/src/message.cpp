#include "message.hpp"

#include <algorithm>
#include <stdexcept>
#include <vector>

namespace fanin::detail {

std::string shape_text(std::span<const std::size_t> shape) {
    std::string out = "(";
    for (std::size_t i = 0; i < shape.size(); ++i) out += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
    return out + (shape.size() == 1 ? ",)" : ")");
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
    auto fold = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c == '-' ? '_' : c; };
    std::vector<std::size_t> before(b.size() + 1), previous(b.size() + 1), row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        before.swap(previous);
        previous.swap(row);
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const char x = fold(a[i - 1]), y = fold(b[j - 1]);
            row[j] = std::min({previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (x == y ? 0 : 1)});
            if (i > 1 && j > 1 && x == fold(b[j - 2]) && y == fold(a[i - 2])) row[j] = std::min(row[j], before[j - 2] + 1);
        }
    }
    return row[b.size()];
}

std::string_view nearest(std::string_view wrong, std::span<const std::string> names) {
    std::string_view best;
    std::size_t best_distance = 0;
    for (const std::string& name : names) {
        const std::size_t distance = edit_distance(wrong.substr(0, 64), name);
        if (distance > std::max<std::size_t>(2, name.size() / 3) || distance >= name.size()) continue;
        if (best.empty() || distance < best_distance) {
            best = name;
            best_distance = distance;
        }
    }
    return best;
}

std::string unknown_name(std::string_view argument, std::string_view got, std::span<const std::string> names,
                         std::string_view meant) {
    std::string out = std::string(argument) + " must be one of ";
    for (std::size_t i = 0; i < names.size(); ++i) out += (i == 0 ? "" : ", ") + names[i];
    out += ", got '" + std::string(got) + "'";
    const std::string_view guess = meant.empty() ? nearest(got, names) : meant;
    if (!guess.empty()) out += ": did you mean '" + std::string(guess) + "'?";
    return out;
}

void Term::append_to(std::string& message) const {
    switch (kind_) {
        case Kind::words:
            message.append(static_cast<const char*>(data_), size_);
            break;
        case Kind::integer:
            message += text(integer_);
            break;
        case Kind::negative:
            message += text(static_cast<long long>(integer_));
            break;
        case Kind::single:
            message += text(single_);
            break;
        case Kind::number:
            message += text(number_);
            break;
        case Kind::shape:
            message += shape_text({static_cast<const std::size_t*>(data_), size_});
            break;
    }
}

void refuse(std::initializer_list<Term> terms) {
    std::string message;
    for (const Term& term : terms) term.append_to(message);
    throw std::invalid_argument(message);
}

}  // namespace fanin::detail
