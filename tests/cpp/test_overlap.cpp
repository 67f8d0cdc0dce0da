// Overlap of views of any rank against marking every byte; same place or none; places of an output's own elements; views
// without elements.
#include <functional>
#include <limits>
#include <random>
#include <stdexcept>

#include "check.hpp"
#include "fanin/activation.hpp"
#include "fanin/init.hpp"
#include "fanin/stats.hpp"
#include "overlap.hpp"

namespace {

constexpr std::size_t kMost = 4;  // axes

struct Random {
    std::mt19937 generator{7};
    std::size_t below(std::size_t n) { return generator() % n; }
};

// A view of up to kMost axes inside memory[0, 400), strides of either sign, many of them shared with those of other views.
struct Layout {
    std::size_t rank, shape[kMost];
    std::ptrdiff_t strides[kMost], start;

    Layout(Random& random, bool related) : rank(random.below(kMost + 1)) {
        static constexpr std::ptrdiff_t kNested[] = {1, 2, 6, 24, 48, 12, 3, 5, 60};
        std::ptrdiff_t low = 0, high = 0;
        for (std::size_t i = 0; i < rank; ++i) {
            shape[i] = random.below(5) + (random.below(20) != 0);
            strides[i] = related ? kNested[random.below(9)] : static_cast<std::ptrdiff_t>(random.below(40));
            if (random.below(2) == 0) strides[i] = -strides[i];
            if (shape[i] > 0) (strides[i] < 0 ? low : high) += strides[i] * std::ptrdiff_t(shape[i] - 1);
        }
        start = std::ptrdiff_t(random.below(60)) - low + 500;
    }
    fanin::ArrayView<float> view(float* memory) const { return {memory + start, {shape, rank}, {strides, rank}}; }
    // How often the most used element is used.
    void count(std::vector<int>& uses) const {
        std::size_t size = 1;
        for (std::size_t i = 0; i < rank; ++i) size *= shape[i];
        for (std::size_t at = 0; at < size; ++at) {
            std::size_t rest = at;
            std::ptrdiff_t place = start;
            for (std::size_t i = rank; i-- > 0; rest /= shape[i]) place += std::ptrdiff_t(rest % shape[i]) * strides[i];
            ++uses[std::size_t(place)];
        }
    }
};

// Exact in both directions: no shared element is missed, and no view is refused that shares none.
void exact() {
    Random random;
    std::vector<float> memory(2000);
    int sharing = 0, apart_in_one_range = 0, cases = 0;
    for (int round = 0; round < 40'000; ++round) {
        const Layout a(random, round % 2 == 0), b(random, round % 2 == 0);
        std::vector<int> in_a(memory.size()), in_b(memory.size());
        a.count(in_a);
        b.count(in_b);
        bool shared = false;
        for (std::size_t i = 0; i < memory.size(); ++i) shared |= in_a[i] > 0 && in_b[i] > 0;
        const fanin::detail::Extent x = fanin::detail::extent(a.view(memory.data())),
                                    y = fanin::detail::extent(b.view(memory.data()));
        CHECK(fanin::detail::may_overlap(x, y) == shared);
        CHECK(fanin::detail::may_overlap(y, x) == shared);
        sharing += shared;
        apart_in_one_range += !shared && x.low < y.high && y.low < x.high;
        bool twice = false;
        for (const int uses : in_a) twice |= uses > 1;
        bool refused = false;
        try {
            fanin::detail::require_distinct(a.view(memory.data()), "out");
        } catch (const std::invalid_argument&) {
            refused = true;
        }
        CHECK(refused || !twice);  // may refuse entangled strides that meet nowhere
        ++cases;
    }
    CHECK(sharing > cases / 20 && apart_in_one_range > cases / 20);  // the cases are not all of one kind
}

// A work limit, not exactness: 32 axes of entangled strides are answered at once.
void gives_up() {
    std::vector<std::size_t> shape(fanin::kMaxRank, 2);
    std::vector<std::ptrdiff_t> strides;
    for (std::size_t i = 0; i < shape.size(); ++i) strides.push_back(std::ptrdiff_t(2 * (1000003 + 7919 * i)));
    std::vector<float> memory(2);
    const fanin::ArrayView<float> a{memory.data(), shape, strides}, b{memory.data() + 1, shape, strides};
    fanin::detail::may_overlap(fanin::detail::extent(a), fanin::detail::extent(b));  // never read: only addresses
}

// What activate, activation_derivative and the softmaxes refuse of their output.
void outputs() {
    std::vector<double> z(24);
    for (std::size_t i = 0; i < z.size(); ++i) z[i] = double(i) / 8;
    const std::vector<double> before = z;
    using In = fanin::ArrayView<const double>;
    using Out = fanin::ArrayView<double>;
    const std::size_t shape[] = {3, 4};
    const std::ptrdiff_t rows[] = {4, 1}, back[] = {-4, 1}, meeting[] = {2, 1}, pairs[] = {8, 2};
    const auto refuses = [&](Out out, const char* end) {
        const auto g = fanin::Activation::tanh;
        int refused = 0;
        for (const auto& call : std::initializer_list<std::function<void()>>{
                 [&] { fanin::activate<double>(g, In{z.data(), shape, rows}, out); },
                 [&] { fanin::activation_derivative<double>(g, In{z.data(), shape, rows}, out); },
                 [&] { fanin::softmax<double>(In{z.data(), shape, rows}, out); },
                 [&] { fanin::log_softmax<double>(In{z.data(), shape, rows}, out); }})
            try {
                call();
            } catch (const std::invalid_argument& error) {
                refused += std::string(error.what()).ends_with(end);
            }
        CHECK(refused == 4);
        CHECK(z == before);
    };
    refuses(Out{z.data() + 1, shape, rows}, "out must be z itself or share no memory with it, got an overlapping view");
    refuses(Out{z.data() + 8, shape, back}, "got an overlapping view");
    refuses(Out{z.data() + 12, shape, meeting}, "out must have a place for each element, got elements that overlap");
    fanin::activate<double>(fanin::Activation::relu, In{z.data(), shape, pairs}, Out{z.data() + 1, shape, pairs});
    for (std::size_t i = 0; i < z.size(); i += 2) CHECK(z[i] == before[i] && z[i + 1] == before[i]);
    CHECK_THROWS(fanin::activate<double>(fanin::Activation::tanh, std::span<const double>(z.data(), 4),
                                         std::span<double>(z.data() + 2, 4)),
                 std::invalid_argument);
}

// The strides of what has no elements are nobody's: no sum or product of them is formed, which could overflow.
void no_elements() {
    constexpr std::ptrdiff_t kHuge = std::numeric_limits<std::ptrdiff_t>::max(), kLeast = -kHuge - 1;
    const std::ptrdiff_t strides[] = {kHuge, kHuge / 2 + 1, kLeast, kHuge};
    const fanin::Law law = fanin::law_from_text("normal(std=1)");
    for (const std::size_t empty : {0, 1, 2, 3}) {
        std::size_t shape[] = {2, 3, 2, 3};
        shape[empty] = 0;
        const fanin::ArrayView<const double> in{nullptr, shape, strides};
        const fanin::ArrayView<double> out{nullptr, shape, strides};
        CHECK(fanin::summarize<double>(in).count == 0);
        const std::size_t axes[] = {empty == 1 ? std::size_t{2} : std::size_t{1}};
        for (const fanin::Summary& one : fanin::summarize<double>(in, axes, {})) CHECK(one.count == 0);
        fanin::activate<double>(fanin::Activation::tanh, in, out);
        fanin::softmax<double>(in, out);
        fanin::fill<double>(out, law, {});
    }
}

}  // namespace

int main() {
    exact();
    gives_up();
    outputs();
    no_elements();
    return check::result();
}
