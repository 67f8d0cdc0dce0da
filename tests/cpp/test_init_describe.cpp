// Fans of shapes, and what `describe` says of a law's draws.
#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "check.hpp"
#include "fanin/init.hpp"

namespace {

using fanin::Law;
using fanin::law_from_text;
using Sizes = std::vector<std::size_t>;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

void fans_and_descriptions() {
    const auto same = [](fanin::Fans f, std::size_t in, std::size_t out) { return f.in == in && f.out == out; };
    CHECK(same(fanin::fans(Sizes{300, 784}), 784, 300));
    CHECK(same(fanin::fans(Sizes{64, 3, 4, 4}), 48, 1024));
    CHECK(same(fanin::fans(Sizes{3, 3, 16, 32}, {{-2}, {-1}}), 144, 288));
    CHECK(same(fanin::fans(Sizes{8, 4, 16}, {{0, 1}, {2}}), 32, 16));
    CHECK(same(fanin::fans(Sizes{128}, {{0}, {}}), 128, 1));
    CHECK(same(fanin::fans(Sizes{12, 64, 512}, {{2}, {1}, {0}}), 512, 64));
    CHECK(same(fanin::fans(Sizes{512, 12, 64}, {{0}, {-1, 1}}), 512, 768));
    CHECK_THROWS(fanin::fans(Sizes{12, 64, 512}, {{2}, {1}, {1}}), std::invalid_argument);
    CHECK_THROWS(fanin::fans(Sizes{12, 64, 512}, {{2}, {1}, {3}}), std::invalid_argument);
    CHECK(same(fanin::fans(Sizes{}, {{}, {}}), 1, 1));
    CHECK_THROWS(fanin::fans(Sizes{128}), std::invalid_argument);
    CHECK_THROWS(fanin::fans(Sizes{}), std::invalid_argument);
    CHECK_THROWS(fanin::fans(Sizes{3, 4}, {{2}, {0}}), std::invalid_argument);
    CHECK_THROWS(fanin::fans(Sizes{3, 4}, {{-2}, {0}}), std::invalid_argument);
    CHECK_THROWS(fanin::fans(Sizes{std::size_t{1} << 32, std::size_t{1} << 31}), std::invalid_argument);
    CHECK_THROWS(fanin::fans(Sizes{0, std::size_t{1} << 32, std::size_t{1} << 31}), std::invalid_argument);
    const fanin::Description d = fanin::describe(Law("glorot_uniform"), Sizes{300, 784});
    CHECK(d.bound == std::sqrt(6.0 / 1084) && d.mean == 0);
    CHECK(std::abs(*d.n_in_var - 2 * 784 / 1084.0) < 1e-15 && std::abs(*d.n_out_var - 2 * 300 / 1084.0) < 1e-15);
    CHECK(!fanin::describe(Law("zeros"), Sizes{5}).fans);
    const fanin::Description t = fanin::describe(Law("he_truncated"), Sizes{300, 784});
    CHECK(std::abs(t.variance * 784 / 2 - 1) < 1e-15 && std::abs(t.bound / (2.27369430 * std::sqrt(2 / 784.0)) - 1) < 1e-7);
    const fanin::Description s = fanin::describe(law_from_text("sparse(sparsity=0.25, std=2)"), Sizes{8, 5});
    CHECK(s.mean == 0 && s.variance == 3 && s.bound == kInfinity);
}

}  // namespace

int main() {
    fans_and_descriptions();
    return check::result();
}
