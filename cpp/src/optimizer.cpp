#include "fanin/optimizer.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <string_view>
#include <utility>

#include "division.hpp"
#include "fanin/arithmetic.hpp"
#include "fanin/threads.hpp"
#include "kernels/table.hpp"
#include "message.hpp"

namespace fanin {
namespace {

// Elements a task updates: some 10 us of memory traffic. One task needs no pool.
constexpr std::size_t kOptimizerTask = std::size_t{1} << 16;

void check_in(const char* name, double value, const char* expected, bool holds) {
    if (!holds || !std::isfinite(value)) detail::refuse({name, " must be ", expected, ", got ", value});
}
void check_fraction(const char* name, double value) { check_in(name, value, "in [0, 1)", value >= 0 && value < 1); }
void check_not_negative(const char* name, double value) { check_in(name, value, "finite and not negative", value >= 0); }

// ------------------------------------------------------------------------------------------------ the rules by name

// What a hyper-parameter may be.
enum class Range { fraction, not_negative };

// Of each rule its name, the arrays of its state, and its hyper-parameters: visit(name, member, range), or visit(name, flag).
template <class Rule>
constexpr std::string_view kName = "";
template <>
constexpr std::string_view kName<Sgd> = "sgd";
template <>
constexpr std::string_view kName<RmsProp> = "rmsprop";
template <>
constexpr std::string_view kName<Adam> = "adam";
template <>
constexpr std::string_view kName<AdaGrad> = "adagrad";

constexpr std::string_view kSgdStates[] = {"velocity"}, kRmsPropStates[] = {"square", "velocity"},
                           kAdamStates[] = {"mean", "square"}, kAdaGradStates[] = {"square"};
std::span<const std::string_view> states(const Sgd& rule) { return std::span(kSgdStates, rule.momentum != 0 ? 1 : 0); }
std::span<const std::string_view> states(const RmsProp& rule) { return std::span(kRmsPropStates, rule.momentum != 0 ? 2 : 1); }
std::span<const std::string_view> states(const Adam&) { return kAdamStates; }
std::span<const std::string_view> states(const AdaGrad&) { return kAdaGradStates; }

template <class Visit>
void each(Sgd& rule, Visit&& visit) {
    visit("momentum", rule.momentum, Range::fraction);
    visit("nesterov", rule.nesterov);
}
template <class Visit>
void each(RmsProp& rule, Visit&& visit) {
    visit("alpha", rule.alpha, Range::fraction);
    visit("eps", rule.eps, Range::not_negative);
    visit("momentum", rule.momentum, Range::fraction);
}
template <class Visit>
void each(Adam& rule, Visit&& visit) {
    visit("beta1", rule.beta1, Range::fraction);
    visit("beta2", rule.beta2, Range::fraction);
    visit("eps", rule.eps, Range::not_negative);
    visit("weight_decay", rule.weight_decay, Range::not_negative);
}
template <class Visit>
void each(AdaGrad& rule, Visit&& visit) {
    visit("eps", rule.eps, Range::not_negative);
}

// Calls back with a rule's hyper-parameters; the rule is a copy, which they may change.
template <class... Visits>
void each_parameter(OptimizerRule& rule, Visits&&... visits) {
    struct Overloaded : Visits... {
        using Visits::operator()...;
    };
    Overloaded visit{std::forward<Visits>(visits)...};
    std::visit([&](auto& one) { each(one, visit); }, rule);
}

void check_rule(OptimizerRule rule) {
    each_parameter(
        rule,
        [](const char* name, double value, Range range) {
            range == Range::fraction ? check_fraction(name, value) : check_not_negative(name, value);
        },
        [](const char*, bool) {});
    const Sgd* sgd = std::get_if<Sgd>(&rule);
    if (sgd && sgd->nesterov && sgd->momentum == 0) detail::refuse({"nesterov=True needs momentum above 0, got momentum=0"});
}

// The rule at position I of OptimizerRule, or one after it, that bears a name.
template <std::size_t I = 0>
OptimizerRule rule_named(std::string_view name) {
    if constexpr (I == std::variant_size_v<OptimizerRule>) {
        detail::refuse({"optimizer must be one of sgd, rmsprop, adam, adagrad, got '", name, "'"});
    } else {
        using Rule = std::variant_alternative_t<I, OptimizerRule>;
        if (kName<Rule> == name) return Rule{};
        return rule_named<I + 1>(name);
    }
}

void check_lr(const std::vector<double>& all) {
    if (all.empty()) detail::refuse({"lr must be a number, or one for each layer, got none"});
    for (const double lr : all) check_in("lr", lr, "finite and above 0", lr > 0);
}

template <class Body>
void in_tasks(std::size_t begin, std::size_t end, Body&& body) {
    const InterruptScope uninterrupted(nullptr);
    parallel_for(detail::ceil_div(end - begin, kOptimizerTask), [&](std::size_t task) {
        const std::size_t first = begin + task * kOptimizerTask;
        body(first, std::min(kOptimizerTask, end - first));
    });
}

}  // namespace

std::string_view optimizer_name(const OptimizerRule& rule) {
    return std::visit([]<class Rule>(const Rule&) { return kName<Rule>; }, rule);
}

HyperParameters hyper_parameters(const OptimizerRule& rule) {
    HyperParameters found;
    OptimizerRule copy = rule;
    each_parameter(
        copy, [&](const char* name, double value, Range) { found.emplace_back(name, value); },
        [&](const char* name, bool flag) { found.emplace_back(name, flag ? 1.0 : 0.0); });
    return found;
}

OptimizerRule optimizer_rule(std::string_view name, const HyperParameters& stated) {
    const StandardArithmetic arithmetic;
    OptimizerRule rule = rule_named(name);
    for (const auto& [parameter, value] : stated) {
        bool known = false;
        each_parameter(
            rule,
            [&, &parameter = parameter, &value = value](const char* one, double& member, Range) {
                if (parameter == one) member = value, known = true;
            },
            [&, &parameter = parameter, &value = value](const char* one, bool& member) {
                if (parameter == one) member = value != 0, known = true;
            });
        if (!known) detail::refuse({name, " has no hyper-parameter '", parameter, "'"});
    }
    return rule;
}

Optimizer::Optimizer(const OptimizerRule& rule, std::vector<double> lr, double clip_norm)
    : rule_(rule), lr_(std::move(lr)), clip_norm_(clip_norm) {
    const StandardArithmetic arithmetic(clip_norm);
    check_lr(lr_);
    check_rule(rule_);
    check_not_negative("clip_norm", clip_norm);
}

void Optimizer::check_layers(const std::vector<double>& lr, std::size_t layers) const {
    if (lr.size() != 1 && lr.size() != layers)
        detail::refuse({"lr must be one number, or one for each of the ", layers, " layers, got ", lr.size()});
}

void Optimizer::set_lr(std::vector<double> lr) {
    const StandardArithmetic arithmetic;
    check_lr(lr);
    if (bound()) check_layers(lr, layer_ends_.size());
    lr_ = std::move(lr);
}

void Optimizer::reset() {
    for (auto& array : state_f32_) array.clear();
    for (auto& array : state_f64_) array.clear();
    layer_ends_.clear();
    steps_ = 0;
    power1_ = power2_ = 1;
    norm_ = 0;
    owner_.store(0);
}

std::span<const std::string_view> Optimizer::state_names() const {
    return std::visit([](const auto& one) { return states(one); }, rule_);
}

template <class T>
void Optimizer::bind(std::uint64_t owner, std::span<const std::size_t> layer_ends) {
    if (owner_.load() == owner) return;
    check_layers(lr_, layer_ends.size());
    std::uint64_t expected = 0;
    if (!owner_.compare_exchange_strong(expected, owner))
        detail::refuse(
            {"optimizer must belong to one network, got a second one: give it a copy() of the optimizer, or call reset() "
             "first"});
    layer_ends_.assign(layer_ends.begin(), layer_ends.end());
    const std::size_t n = layer_ends.empty() ? 0 : layer_ends.back();
    for (std::size_t i = 0; i < state_names().size(); ++i) arrays_of<T>()[i].assign(n, T(0));
    if (clip_norm_ != 0) partial_.resize(detail::ceil_div(n, kNormBlock));
}

template <class T>
void Optimizer::restore(std::uint64_t owner, std::span<const std::size_t> layer_ends, std::uint64_t steps,
                        std::array<double, 2> powers) {
    const StandardArithmetic arithmetic;
    if (bound()) detail::refuse({"optimizer must be fresh to take the state of a file, got one that has stepped"});
    for (const double power : powers) check_in("powers", power, "in [0, 1]", power >= 0 && power <= 1);
    bind<T>(owner, layer_ends);
    steps_ = steps;
    power1_ = powers[0];
    power2_ = powers[1];
}

// Blocks add up in ascending order, whoever measured them.
template <class T>
double Optimizer::norm_of(std::span<const T> g) {
    static_assert(kOptimizerTask % kNormBlock == 0);
    in_tasks(0, g.size(), [&](std::size_t begin, std::size_t n) {
        for (std::size_t i = begin; i < begin + n; i += kNormBlock)
            partial_[i / kNormBlock] =
                active<OptimizerKernels<T>>().sum_squares(std::min(kNormBlock, begin + n - i), g.data() + i);
    });
    double sum = 0;
    for (const double block : partial_) sum = sum + block;
    return std::sqrt(sum);
}

// n elements, the first of them number `begin` of the parameters. Whether all are finite.
template <class T>
bool Optimizer::apply(double lr, T scale, std::size_t begin, std::size_t n, const T* g, T* w) {
    const OptimizerKernels<T>& kernel = active<OptimizerKernels<T>>();
    T *const s0 = arrays_of<T>()[0].data() + begin, *const s1 = arrays_of<T>()[1].data() + begin;
    const T step = static_cast<T>(lr);
    if (const Sgd* rule = std::get_if<Sgd>(&rule_)) {
        const SgdStep<T> s{step, static_cast<T>(rule->momentum), scale, rule->nesterov, steps_ == 0};
        return rule->momentum == 0 ? kernel.sgd(n, s, g, w) : kernel.sgd_momentum(n, s, g, s0, w);
    }
    if (const RmsProp* rms = std::get_if<RmsProp>(&rule_)) {
        const RmsPropStep<T> s{step,
                               static_cast<T>(rms->alpha),
                               static_cast<T>(1 - rms->alpha),
                               static_cast<T>(rms->eps),
                               static_cast<T>(rms->momentum),
                               scale};
        return rms->momentum == 0 ? kernel.rmsprop(n, s, g, s0, w) : kernel.rmsprop_momentum(n, s, g, s0, s1, w);
    }
    if (const AdaGrad* adagrad = std::get_if<AdaGrad>(&rule_))
        return kernel.adagrad(n, {step, static_cast<T>(adagrad->eps), scale}, g, s0, w);
    const Adam& adam = std::get<Adam>(rule_);
    const double power1 = power1_ * adam.beta1, power2 = power2_ * adam.beta2;
    const AdamStep<T> s{static_cast<T>(lr / (1 - power1)),
                        static_cast<T>(1 - adam.beta1),
                        static_cast<T>(adam.beta2),
                        static_cast<T>(1 - adam.beta2),
                        static_cast<T>(1 / std::sqrt(1 - power2)),
                        static_cast<T>(adam.eps),
                        static_cast<T>(1 - lr * adam.weight_decay),
                        scale};
    return kernel.adam(n, s, g, s0, s1, w);
}

template <class T>
bool Optimizer::update(std::span<const T> g, std::span<T> w) {
    const StandardArithmetic arithmetic;
    std::atomic<bool> finite{true};
    T scale = 1;
    if (clip_norm_ != 0) {
        norm_ = norm_of<T>(g);
        scale = static_cast<T>(std::min(1.0, clip_norm_ / (norm_ + 1e-6)));
    }
    for (std::size_t l = 0; l < lr_.size(); ++l)
        in_tasks(l == 0 ? 0 : layer_ends_[l - 1], lr_.size() == 1 ? w.size() : layer_ends_[l],
                 [&](std::size_t i, std::size_t n) {
                     if (!apply<T>(lr_[l], scale, i, n, &g[i], &w[i])) finite.store(false, std::memory_order_relaxed);
                 });
    finish_update();
    return finite.load();
}

template <class T>
bool Optimizer::update_part(std::size_t layer, std::size_t begin, std::span<const T> g, T* w) {
    const StandardArithmetic arithmetic;
    return apply<T>(lr_[lr_.size() == 1 ? 0 : layer], T(1), begin, g.size(), g.data(), w);
}

void Optimizer::finish_update() {
    const StandardArithmetic arithmetic;
    if (const Adam* adam = std::get_if<Adam>(&rule_)) {
        power1_ *= adam->beta1;
        power2_ *= adam->beta2;
    }
    ++steps_;
}

template void Optimizer::bind<float>(std::uint64_t, std::span<const std::size_t>);
template void Optimizer::bind<double>(std::uint64_t, std::span<const std::size_t>);
template void Optimizer::restore<float>(std::uint64_t, std::span<const std::size_t>, std::uint64_t, std::array<double, 2>);
template void Optimizer::restore<double>(std::uint64_t, std::span<const std::size_t>, std::uint64_t, std::array<double, 2>);
template bool Optimizer::update(std::span<const float>, std::span<float>);
template bool Optimizer::update(std::span<const double>, std::span<double>);
template bool Optimizer::update_part(std::size_t, std::size_t, std::span<const float>, float*);
template bool Optimizer::update_part(std::size_t, std::size_t, std::span<const double>, double*);

}  // namespace fanin
