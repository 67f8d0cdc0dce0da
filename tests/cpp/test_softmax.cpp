// `softmax` and `log_softmax` against their reference, bit for bit, on every instruction set; special rows, strides, threads.
#include <limits>
#include <stdexcept>

#include "check.hpp"
#include "fanin/activation.hpp"
#include "fanin/threads.hpp"
#include "inputs.hpp"
#include "reference/softmax.hpp"

namespace {

template <class T>
void apply(bool logarithm, fanin::ArrayView<const T> z, fanin::ArrayView<T> out) {
    logarithm ? fanin::log_softmax<T>(z, out) : fanin::softmax<T>(z, out);
}
template <class T>
void reference_row(bool logarithm, std::size_t classes, const T* z, T* out) {
    logarithm ? fanin::reference::log_softmax(classes, z, out) : fanin::reference::softmax(classes, z, out);
}

// Rows of ordinary logits; some rows of any bits at all.
template <class T>
std::vector<T> logits(std::size_t rows, std::size_t classes) {
    const std::vector<T> any = check::inputs<T>(rows * classes + 1000);
    std::vector<T> z(rows * classes);
    for (std::size_t i = 0; i < z.size(); ++i) {
        const T wild = any[any.size() - 1 - i];
        z[i] = i / classes % 5 == 4 ? wild : T(std::fmod(double(i) * 7.31, 23.0) - 11);
    }
    return z;
}

template <class T>
void equal_reference() {
    for (const std::size_t classes : {1, 2, 3, 7, 8, 10, 15, 16, 17, 33, 100, 511, 512, 513, 1025, 4000})
        for (const std::size_t rows : {1, 2, 5, 40, 600}) {
            if (rows * classes > 100'000) continue;
            const std::vector<T> z = logits<T>(rows, classes);
            const std::size_t shape[] = {rows, classes};
            const std::ptrdiff_t strides[] = {std::ptrdiff_t(classes), 1};
            for (const bool logarithm : {false, true}) {
                std::vector<T> out(z.size()), in_place = z, expected(classes);
                apply<T>(logarithm, {z.data(), shape, strides}, {out.data(), shape, strides});
                apply<T>(logarithm, {in_place.data(), shape, strides}, {in_place.data(), shape, strides});
                for (std::size_t i = 0; i < rows; ++i) {
                    reference_row(logarithm, classes, z.data() + i * classes, expected.data());
                    for (std::size_t j = 0; j < classes; ++j) {
                        const std::string where =
                            std::to_string(i) + ", " + std::to_string(j) + " of " + std::to_string(classes);
                        CHECK_SAME(out[i * classes + j], expected[j], where);
                        CHECK_SAME(in_place[i * classes + j], expected[j], where);
                    }
                }
            }
        }
}

// (4, 5, 6) with the last axis far apart and turned around; the output in another order.
template <class T>
void strides() {
    const std::vector<T> z = logits<T>(1, 400);
    const std::size_t shape[] = {4, 5, 6};
    const std::ptrdiff_t from[] = {5, 1, -40}, to[] = {1, 4, 20};
    for (const bool logarithm : {false, true}) {
        std::vector<T> out(121, T(7));
        apply<T>(logarithm, {z.data() + 300, shape, from}, {out.data(), shape, to});
        for (int i = 0; i < 4; ++i)
            for (int j = 0; j < 5; ++j) {
                T row[6], expected[6];
                for (int k = 0; k < 6; ++k) row[k] = z[std::size_t(300 + 5 * i + j - 40 * k)];
                reference_row(logarithm, 6, row, expected);
                for (int k = 0; k < 6; ++k) CHECK_SAME(out[std::size_t(i + 4 * j + 20 * k)], expected[k], std::to_string(i));
            }
        CHECK(out[120] == 7);
    }
}

template <class T>
void special_rows() {
    constexpr T kInfinity = std::numeric_limits<T>::infinity(), kNaN = std::numeric_limits<T>::quiet_NaN();
    const auto row = [](bool logarithm, std::vector<T> z) {
        reference_row(logarithm, z.size(), std::vector<T>(z).data(), z.data());
        return z;
    };
    CHECK((row(false, {0, kInfinity, 5}) == std::vector<T>{0, 1, 0}));
    CHECK((row(true, {0, kInfinity, 5}) == std::vector<T>{-kInfinity, 0, -kInfinity}));
    CHECK((row(false, {-kInfinity, 3, -kInfinity}) == std::vector<T>{0, 1, 0}));
    CHECK((row(true, {-kInfinity, 3}) == std::vector<T>{-kInfinity, 0}));
    CHECK((row(false, {-kInfinity}) == std::vector<T>{1}) && (row(true, {kInfinity}) == std::vector<T>{0}));
    for (const bool logarithm : {false, true})
        for (const std::vector<T>& bad :
             {std::vector<T>{kNaN}, {kNaN, 1}, {1, kNaN, kInfinity}, {kInfinity, kInfinity, 0}, {-kInfinity, -kInfinity}})
            for (const T v : row(logarithm, bad)) CHECK(std::isnan(v));
    // The most probable class to its last place: -ln(1 + e^-50), where ln(softmax) is 0.
    const T sure = row(true, {50, 0})[0];
    CHECK(std::abs(sure + T(1.928749847963918e-22)) <= T(1e-21) * std::numeric_limits<T>::epsilon());
}

void same_bits_at_any_thread_count() {
    const std::vector<float> z = logits<float>(3001, 100);
    const std::size_t shape[] = {3001, 100};
    const std::ptrdiff_t strides[] = {100, 1};
    std::vector<float> one(z.size()), many(z.size());
    fanin::set_num_threads(1);
    fanin::softmax<float>({z.data(), shape, strides}, {one.data(), shape, strides});
    for (const std::size_t threads : {2, 5}) {
        fanin::set_num_threads(threads);
        fanin::softmax<float>({z.data(), shape, strides}, {many.data(), shape, strides});
        for (std::size_t i = 0; i < z.size(); ++i) CHECK_SAME(many[i], one[i], std::to_string(i));
    }
}

void bad_arguments() {
    float z[6] = {}, out[6] = {};
    const std::size_t two_three[] = {2, 3}, three_two[] = {3, 2};
    const std::ptrdiff_t rows[] = {3, 1}, same_row[] = {0, 1};
    using In = fanin::ArrayView<const float>;
    using Out = fanin::ArrayView<float>;
    CHECK_THROWS(fanin::softmax<float>(In{z, two_three, rows}, Out{out, three_two, rows}), std::invalid_argument);
    CHECK_THROWS(fanin::softmax<float>(In{z, two_three, rows}, Out{out, two_three, same_row}), std::invalid_argument);
    CHECK_THROWS(fanin::log_softmax<float>(In{z, {}, {}}, Out{out, {}, {}}), std::invalid_argument);
}

}  // namespace

int main() {
    check::each_isa([] {
        equal_reference<float>();
        equal_reference<double>();
        strides<float>();
        strides<double>();
        same_bits_at_any_thread_count();
    });
    special_rows<float>();
    special_rows<double>();
    bad_arguments();
    return check::result();
}
