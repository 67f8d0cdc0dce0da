#include "fanin/optimizer.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "fanin/threads.hpp"
#include "kernels/table.hpp"
#include "message.hpp"

namespace fanin {
namespace {

// Elements a task updates: some 10 us of memory traffic. One task needs no pool.
constexpr std::size_t kTaskElements = std::size_t{1} << 16;

void check_lr(double lr) {
    if (!(lr > 0) || !std::isfinite(lr)) throw std::invalid_argument("lr must be finite and above 0, got " + detail::text(lr));
}

}  // namespace

Optimizer::Optimizer(const Sgd& rule) : rule_(rule) {
    check_lr(rule.lr);
    if (!(rule.momentum >= 0 && rule.momentum < 1))
        throw std::invalid_argument("momentum must be in [0, 1), got " + detail::text(rule.momentum));
    if (rule.nesterov && rule.momentum == 0)
        throw std::invalid_argument("nesterov=True needs momentum above 0, got momentum=0");
}

void Optimizer::set_lr(double lr) {
    check_lr(lr);
    rule_.lr = lr;
}

void Optimizer::reset() {
    velocity_f32_.clear();
    velocity_f64_.clear();
    steps_ = 0;
    owner_.store(0);
}

template <class T>
std::vector<T>& Optimizer::velocity() {
    if constexpr (std::is_same_v<T, float>) return velocity_f32_;
    else return velocity_f64_;
}

template <class T>
void Optimizer::bind(std::uint64_t owner, std::size_t n) {
    std::uint64_t expected = 0;
    if (!owner_.compare_exchange_strong(expected, owner)) {
        if (expected == owner) return;
        throw std::invalid_argument(
            "optimizer must belong to one network, got a second one: give it a copy() of the optimizer, or call reset() first");
    }
    if (rule_.momentum != 0) velocity<T>().assign(n, T(0));
}

template <class T>
void Optimizer::update(std::span<const T> g, std::span<T> w) {
    const OptimizerKernels<T>& kernel = kernels<T>().optimizer;
    const T lr = static_cast<T>(rule_.lr), momentum = static_cast<T>(rule_.momentum);
    T* const v = velocity<T>().data();
    const bool first = steps_ == 0;
    const auto part = [&](std::size_t begin, std::size_t n) {
        if (rule_.momentum == 0) kernel.sgd(n, lr, g.data() + begin, w.data() + begin);
        else kernel.sgd_momentum(n, lr, momentum, rule_.nesterov, first, g.data() + begin, v + begin, w.data() + begin);
    };
    if (w.size() <= kTaskElements) {
        part(0, w.size());
    } else {
        const InterruptScope uninterrupted(nullptr);
        parallel_for((w.size() + kTaskElements - 1) / kTaskElements, [&](std::size_t task) {
            const std::size_t begin = task * kTaskElements;
            part(begin, std::min(kTaskElements, w.size() - begin));
        });
    }
    ++steps_;
}

template void Optimizer::bind<float>(std::uint64_t, std::size_t);
template void Optimizer::bind<double>(std::uint64_t, std::size_t);
template void Optimizer::update(std::span<const float>, std::span<float>);
template void Optimizer::update(std::span<const double>, std::span<double>);

}  // namespace fanin
