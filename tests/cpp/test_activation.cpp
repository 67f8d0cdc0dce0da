// `activation` against its reference, bit for bit, on every instruction set; strides, threads, names, gains, bad input.
#include <limits>
#include <stdexcept>

#include "activation_kernel.hpp"
#include "check.hpp"
#include "fanin/activation.hpp"
#include "fanin/threads.hpp"
#include "inputs.hpp"
#include "reference/activation.hpp"

namespace {

using fanin::Activation;

// Every kind, and those with a parameter once more with another.
const std::vector<Activation>& all_activations() {
    static const std::vector<Activation> all = [] {
        std::vector<Activation> list{{Activation::leaky_relu, 0.2},
                                     {Activation::leaky_relu, -3},
                                     {Activation::leaky_relu, 0},
                                     {Activation::elu, 0.7},
                                     {Activation::elu, -1e6}};
        for (std::size_t kind = 0; kind < fanin::kActivations; ++kind) list.push_back(static_cast<Activation::Kind>(kind));
        return list;
    }();
    return all;
}

template <class T>
void equal_reference() {
    const std::vector<T> z = check::inputs<T>(100'000);
    std::vector<T> a(z.size()), d(z.size()), dz(z.size()), da(z.size());
    for (std::size_t i = 0; i < z.size(); ++i) da[i] = z[z.size() - 1 - i];  // infinities, NaNs and subnormals flow back too
    for (const Activation g : all_activations()) {
        const std::string name = fanin::activation_name(g);
        fanin::activate<T>(g, std::span<const T>(z), std::span<T>(a));
        fanin::activation_derivative<T>(g, std::span<const T>(z), std::span<T>(d));
        fanin::detail::backward_kernel<T>(g)(z.size(), z.data(), da.data(), dz.data());
        for (std::size_t i = 0; i < z.size(); ++i) {
            const auto where = [&] { return name + " at " + check::show(double(z[i])); };  // for a failure alone
            CHECK_SAME(a[i], fanin::reference::activate(g, z[i]), where());
            CHECK_SAME(d[i], fanin::reference::activation_derivative(g, z[i]), where());
            CHECK_SAME(dz[i], fanin::reference::activation_backward(g, z[i], da[i]), where());
        }
    }
}

// The backward kernel at every length, in place.
template <class T>
void backward_sizes() {
    const std::vector<T> z = check::inputs<T>(100);
    for (const Activation g : all_activations())
        for (std::size_t n = 0; n < 70; ++n) {
            std::vector<T> da(n + 1, T(3));
            fanin::detail::backward_kernel<T>(g)(n, z.data(), da.data(), da.data());
            for (std::size_t i = 0; i < n; ++i)
                CHECK_SAME(da[i], fanin::reference::activation_backward(g, z[i], T(3)), std::to_string(n));
            CHECK(da[n] == T(3));
        }
}

template <class T>
void kinks_and_special_values() {
    constexpr T kInfinity = std::numeric_limits<T>::infinity(), kNaN = std::numeric_limits<T>::quiet_NaN();
    namespace ref = fanin::reference;
    CHECK_SAME(ref::activate(Activation::relu, T(-0.0)), T(0), "relu(-0)");
    CHECK(ref::activation_derivative(Activation::relu, T(0)) == 0);
    CHECK(ref::activation_derivative(Activation::relu, std::numeric_limits<T>::denorm_min()) == 1);
    const Activation leaky(Activation::leaky_relu, 0.25), elu(Activation::elu, 0.5);
    CHECK(ref::activation_derivative(leaky, T(0)) == T(0.25) && ref::activation_derivative(elu, T(-0.0)) == T(0.5));
    CHECK(ref::activation_derivative(Activation::selu, T(0)) == T(fanin::kSeluLambdaAlpha));
    for (const T edge : {T(1), T(-1), kInfinity}) CHECK(ref::activation_derivative(Activation::hardtanh, edge) == 0);
    CHECK(ref::activation_derivative(Activation::hardtanh, std::nextafter(T(1), T(0))) == 1);

    // g(-inf), g(+inf), g'(-inf), g'(+inf): the limits.
    struct Limits {
        Activation g;
        T left, right, left_slope, right_slope;
    };
    const T minus_lambda_alpha = -T(fanin::kSeluLambdaAlpha), lambda = T(fanin::kSeluLambda), zero = T(-0.0);
    for (const Limits& l : std::initializer_list<Limits>{{Activation::identity, -kInfinity, kInfinity, 1, 1},
                                                         {Activation::relu, 0, kInfinity, 0, 1},
                                                         {leaky, -kInfinity, kInfinity, T(0.25), 1},
                                                         {elu, T(-0.5), kInfinity, 0, 1},
                                                         {Activation::selu, minus_lambda_alpha, kInfinity, 0, lambda},
                                                         {Activation::gelu, zero, kInfinity, zero, 1},
                                                         {Activation::gelu_tanh, zero, kInfinity, zero, 1},
                                                         {Activation::silu, zero, kInfinity, zero, 1},
                                                         {Activation::mish, zero, kInfinity, zero, 1},
                                                         {Activation::softplus, 0, kInfinity, 0, 1},
                                                         {Activation::softsign, -1, 1, 0, 0},
                                                         {Activation::tanh, -1, 1, 0, 0},
                                                         {Activation::sigmoid, 0, 1, 0, 0},
                                                         {Activation::hardtanh, -1, 1, 0, 0}}) {
        const std::string name = fanin::activation_name(l.g);
        CHECK_SAME(ref::activate(l.g, -kInfinity), l.left, name);
        CHECK_SAME(ref::activate(l.g, kInfinity), l.right, name);
        CHECK_SAME(ref::activation_derivative(l.g, -kInfinity), l.left_slope, name);
        CHECK_SAME(ref::activation_derivative(l.g, kInfinity), l.right_slope, name);
        const T at_zero = ref::activate(l.g, T(0)), at_minus_zero = ref::activate(l.g, zero);
        if (at_zero == 0) CHECK_SAME(at_minus_zero, l.g == Activation::relu ? T(0) : zero, name);
        else CHECK(at_zero == at_minus_zero);
    }
    for (const Activation g : all_activations()) {
        CHECK(std::isnan(ref::activate(g, kNaN)));
        CHECK(std::isnan(ref::activation_derivative(g, kNaN)) == (g != Activation::identity));
    }
    CHECK(std::isnan(ref::activation_backward(Activation::relu, T(-1), kInfinity)));  // the plain product 0 inf
    CHECK(ref::activation_backward(Activation::identity, kNaN, T(2)) == 2);
}

// A 5 x 7 x 6 block inside larger arrays, every axis order and direction, input and output apart; then one array that is
// its own output, over more than one task.
template <class T>
void strides() {
    constexpr std::size_t kShape[] = {5, 7, 6};
    const std::vector<T> source = check::inputs<T>(4000);
    const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (const auto& in_order : orders)
        for (const auto& out_order : orders)
            for (int flips = 0; flips < 64; flips += 7) {
                std::ptrdiff_t in_strides[3], out_strides[3], in_start = 0, out_start = 0, in_step = flips % 3 + 1,
                                                              out_step = 1;
                for (int k = 2; k >= 0; --k) {
                    const int i = in_order[k], o = out_order[k];
                    in_strides[i] = flips >> k & 1 ? -in_step : in_step;
                    out_strides[o] = flips >> (3 + k) & 1 ? -out_step : out_step;
                    if (in_strides[i] < 0) in_start -= in_strides[i] * std::ptrdiff_t(kShape[i] - 1);
                    if (out_strides[o] < 0) out_start -= out_strides[o] * std::ptrdiff_t(kShape[o] - 1);
                    in_step *= std::ptrdiff_t(kShape[i]);
                    out_step *= std::ptrdiff_t(kShape[o]) + (k == 1);
                }
                std::vector<T> out(std::size_t(out_step), T(7));
                fanin::activate<T>(Activation::tanh, {source.data() + in_start, kShape, in_strides},
                                   {out.data() + out_start, kShape, out_strides});
                std::vector<T> expected(out.size(), T(7));
                for (std::ptrdiff_t i = 0; i < 5; ++i)
                    for (std::ptrdiff_t j = 0; j < 7; ++j)
                        for (std::ptrdiff_t k = 0; k < 6; ++k)
                            expected[std::size_t(out_start + i * out_strides[0] + j * out_strides[1] + k * out_strides[2])] =
                                fanin::reference::tanh(
                                    source[std::size_t(in_start + i * in_strides[0] + j * in_strides[1] + k * in_strides[2])]);
                for (std::size_t i = 0; i < out.size(); ++i) CHECK_SAME(out[i], expected[i], std::to_string(i));
            }

    std::vector<T> z = check::inputs<T>(300'000);
    const std::vector<T> before = z;
    const std::size_t shape[] = {300, 500};
    const std::ptrdiff_t every_other[] = {1000, 2};
    fanin::activate<T>(Activation::sigmoid, {z.data(), shape, every_other}, {z.data(), shape, every_other});
    for (std::size_t i = 0; i < z.size(); ++i)
        CHECK_SAME(z[i], i % 2 == 0 ? fanin::reference::sigmoid(before[i]) : before[i], std::to_string(i));
}

void same_bits_at_any_thread_count() {
    const std::vector<float> z = check::inputs<float>(200'003);
    std::vector<float> one(z.size()), many(z.size());
    fanin::set_num_threads(1);
    fanin::activate<float>(Activation::tanh, z, std::span<float>(one));
    for (const std::size_t threads : {2, 3, 8}) {
        fanin::set_num_threads(threads);
        fanin::activate<float>(Activation::tanh, z, std::span<float>(many));
        CHECK(std::memcmp(one.data(), many.data(), one.size() * sizeof(float)) == 0);
    }
}

void names_and_gains() {
    CHECK(fanin::activation_names().size() == fanin::kActivations);
    for (const Activation g : all_activations()) CHECK(fanin::activation_from_name(fanin::activation_name(g)) == g);
    CHECK(fanin::activation_name(Activation::leaky_relu) == "leaky_relu");
    CHECK(fanin::activation_name({Activation::leaky_relu, 0.2}) == "leaky_relu(0.2)");
    CHECK(fanin::activation_name({Activation::leaky_relu, 0.01}) == "leaky_relu");
    CHECK(fanin::activation_from_name("leaky_relu( slope = 0.2 )") == Activation(Activation::leaky_relu, 0.2));
    CHECK(fanin::activation_from_name("elu(alpha=1)") == Activation::elu);
    CHECK(Activation(Activation::leaky_relu, 0.2) != Activation::leaky_relu);
    CHECK(fanin::gain(Activation::identity) == 1.0);
    CHECK(fanin::gain(Activation::relu) == std::sqrt(2.0));
    CHECK(fanin::gain({Activation::leaky_relu, 0}) == std::sqrt(2.0) && fanin::gain({Activation::leaky_relu, -1}) == 1);
    CHECK(fanin::gain(Activation::selu) == 1 && fanin::gain(Activation::elu) == 0x1.3ec550da8b57dp+0);
    CHECK(fanin::gain(Activation::tanh) == 0x1.97b088475da43p+0);
    CHECK(fanin::gain(Activation::sigmoid) == 0x1.d8a26f172bc44p+0);
    const auto message = [](const char* name) -> std::string {
        try {
            fanin::activation_from_name(name);
        } catch (const std::invalid_argument& error) {
            return error.what();
        }
        return "";
    };
    CHECK(message("tahn").ends_with(fanin::activation_names().back() + ", got 'tahn': did you mean 'tanh'?"));
    CHECK(message("Swish").ends_with("got 'Swish': did you mean 'silu'?"));
    CHECK(message("logistic(2)").ends_with("got 'logistic': did you mean 'sigmoid'?"));
    CHECK(message("tanh(2)") == "activation must look like 'tanh' (it takes no parameter), got 'tanh(2)'");
    for (const char* wrong : {"leaky_relu(", "leaky_relu()", "leaky_relu(a)", "leaky_relu(0.1, 0.2)", "leaky_relu(alpha=0.1)"})
        CHECK(message(wrong) == "activation must look like 'leaky_relu(0.01)', got '" + std::string(wrong) + "'");
    CHECK(message("leaky_relu(nan)") == "slope of leaky_relu must be in [-1e6, 1e6], got nan");
    CHECK_THROWS(Activation(Activation::tanh, 1), std::invalid_argument);
    CHECK_THROWS(Activation(Activation::elu, 2e6), std::invalid_argument);
}

void bad_arguments() {
    float z[6] = {}, a[6] = {};
    const std::size_t two_three[] = {2, 3}, three_two[] = {3, 2};
    const std::ptrdiff_t rows[] = {3, 1}, same_row[] = {0, 1};
    using In = fanin::ArrayView<const float>;
    using Out = fanin::ArrayView<float>;
    CHECK_THROWS(fanin::activate<float>(Activation::tanh, In{z, two_three, rows}, Out{a, three_two, rows}),
                 std::invalid_argument);
    CHECK_THROWS(fanin::activate<float>(Activation::tanh, In{z, two_three, rows}, Out{a, two_three, same_row}),
                 std::invalid_argument);
    CHECK_THROWS(fanin::activation_derivative<float>(Activation::tanh, std::span<const float>(z, 5), std::span<float>(a, 6)),
                 std::invalid_argument);
    const std::vector<std::size_t> deep(fanin::kMaxRank + 1, 1);
    const std::vector<std::ptrdiff_t> ones(deep.size(), 1);
    CHECK_THROWS(fanin::activate<float>(Activation::tanh, In{z, deep, ones}, Out{a, deep, ones}), std::invalid_argument);
}

}  // namespace

int main() {
    check::each_isa([] {
        equal_reference<float>();
        equal_reference<double>();
        backward_sizes<float>();
        backward_sizes<double>();
        strides<float>();
        strides<double>();
        same_bits_at_any_thread_count();
    });
    kinks_and_special_values<float>();
    kinks_and_special_values<double>();
    names_and_gains();
    bad_arguments();
    return check::result();
}
