// Sampling, laws, activations, layers, losses, statistics, conversion and the process's settings.
#include <cmath>

#include "fanin/fanin.hpp"
#include "source.hpp"

namespace fuzz {
namespace {

using fanin::Activation;

template <class T>
void draws(Source& s) {
    current = "fill_normal, fill_uniform, fill_truncated_normal";
    Arrays<T> arrays(s);
    const std::span<T> out = arrays.row(s.size(700), true);
    const fanin::Key key{s.bits(), s.bits()};
    const std::uint64_t first = s.one_in(4) ? s.bits() : s.below(1000);
    const T a = s.value<T>(), b = s.value<T>();
    const double low = s.number(), high = s.number();
    const std::size_t which = s.below(3);
    arrays.call([&] {
        if (which == 0) fanin::fill_normal<T>(out, key, first, a, b);
        else if (which == 1) fanin::fill_uniform<T>(out, key, first, a, b);
        else fanin::fill_truncated_normal<T>(out, key, first, a, b, low, high);
    });
}

void words(Source& s) {
    if (s.one_in(2)) {
        current = "philox_words";
        Arrays<std::uint32_t> arrays(s);
        const std::span<std::uint32_t> out = arrays.row(s.size(700), true);
        const std::uint64_t first = s.bits();
        arrays.call([&] { fanin::philox_words(out, {first, ~first}, first); });
    } else {
        current = "permutation";
        Arrays<std::int64_t> arrays(s);
        const std::span<std::int64_t> out = arrays.row(s.size(300), true);
        const std::uint64_t round = s.one_in(3) ? s.bits() : s.below(10);
        arrays.call([&] { fanin::permutation(out, {1, 2}, round); });
    }
}

std::vector<std::size_t> some_shape(Source& s, std::size_t longest) {
    std::vector<std::size_t> shape(s.one_in(20) ? s.below(7) : s.below(4));
    std::size_t n = 1;
    for (std::size_t& extent : shape) {
        extent = n > 2000 ? s.below(3) : s.size(longest);
        n *= extent == 0 ? 1 : extent;
    }
    return shape;
}

fanin::Axes some_axes(Source& s) {
    fanin::Axes axes;
    if (!s.one_in(4)) return axes;
    const auto axis = [&] { return static_cast<std::ptrdiff_t>(s.below(8)) - 4; };
    axes.in = {axis()};
    axes.out = {axis()};
    if (s.one_in(4)) axes.in.push_back(axis());
    if (s.one_in(4)) axes.batch.push_back(axis());
    if (s.one_in(8)) axes.out.clear();
    return axes;
}

void texts(Source& s) {
    const std::string text = s.one_in(2) ? s.text(kLaws) : s.text(kActivations);
    current = "law_from_text";
    call([&] {
        const fanin::Law law = fanin::law_from_text(text);
        if (!(fanin::law_from_text(law.text()) == law)) found("another law is read back: " + law.text());
    });
    current = "activation_from_name";
    call([&] {
        const Activation g = fanin::activation_from_name(text);
        if (!(fanin::activation_from_name(fanin::activation_name(g)) == g)) found("another activation is read back");
        (void)fanin::gain(g);
        (void)fanin::activation_traits(g);
    });
    current = "names";
    call([&] { (void)fanin::stream_id(text); });
    call([&] { (void)fanin::stream_id(s.bits()); });
    call([&] { (void)fanin::loss_from_name(text); });
    call([&] { (void)fanin::histogram_kind_from_name(text); });
    call([&] { (void)fanin::law_traits(text); });
    (void)fanin::unknown_law(text);
    current = "describe";
    const std::vector<std::size_t> shape =
        s.one_in(8) ? std::vector<std::size_t>{s.bits(), s.bits() >> s.below(64), 0} : some_shape(s, 40);
    const fanin::Axes axes = some_axes(s);
    call([&] { (void)fanin::fans(shape, axes); });
    call([&] { (void)fanin::describe(fanin::law_from_text(text), shape, axes); });
}

template <class T>
void laws(Source& s) {
    current = "fill";
    const std::string text = s.text(kLaws);
    Arrays<T> arrays(s);
    std::vector<std::size_t> shape = some_shape(s, 30);
    if (!s.one_in(4)) shape = {s.size(30), s.size(30)};
    const fanin::ArrayView<T> out = arrays.array(shape, true);
    std::vector<std::size_t> whole, offset;
    const bool of_whole = needs_whole(text);
    if (s.one_in(3))
        for (const std::size_t n : shape) {
            offset.push_back(!of_whole && s.one_in(50) ? s.bits() : s.below(of_whole ? 3 : 50));
            whole.push_back(!of_whole && s.one_in(50) ? s.bits() : n + offset.back() + s.below(3));
        }
    if (s.one_in(20)) offset.push_back(0);
    const fanin::Axes axes = some_axes(s);
    const std::uint64_t seed = s.bits();
    arrays.call([&] { fanin::fill<T>(out, fanin::law_from_text(text), {seed, seed}, {whole, offset}, axes); });
}

template <class T>
void activations(Source& s) {
    Arrays<T> arrays(s);
    const std::vector<std::size_t> shape = some_shape(s, 60);
    const Activation g = s.one_in(10) ? Activation(Activation::elu, static_cast<double>(s.below(5)))
                                      : Activation::Kind(s.below(Activation::kKinds));
    const fanin::ArrayView<T> z = arrays.array(shape, false);
    const bool in_place = s.one_in(4);
    const fanin::ArrayView<T> out = in_place ? z : arrays.array(s.one_in(16) ? some_shape(s, 60) : shape, true);
    if (in_place) arrays.also_written(z.data);
    const std::size_t which = s.below(4);
    current = which < 2 ? "activate, activation_derivative" : "softmax, log_softmax";
    const fanin::ArrayView<const T> in{z.data, z.shape, z.strides};
    arrays.call([&] {
        if (which == 0) fanin::activate<T>(g, in, out);
        else if (which == 1) fanin::activation_derivative<T>(g, in, out);
        else if (which == 2) fanin::softmax<T>(in, out);
        else fanin::log_softmax<T>(in, out);
    });
}

template <class T>
using In = fanin::MatrixView<const T>;

// Sizes that fit each other, mostly.
std::size_t like(Source& s, std::size_t n) { return s.one_in(60) ? s.size(20) : n; }

template <class T>
std::optional<fanin::MatrixView<T>> maybe(Source& s, Arrays<T>& arrays, std::size_t rows, std::size_t cols) {
    if (s.one_in(3)) return std::nullopt;
    return arrays.matrix(like(s, rows), like(s, cols), true);
}

fanin::SummaryOptions some_options(Source& s) {
    fanin::SummaryOptions options;
    options.moments_only = s.one_in(3);
    options.histogram = fanin::HistogramKind(s.below(3));
    options.bins = s.one_in(20) ? s.size(20) : 1 + s.below(20);
    options.low = s.one_in(20) ? s.number() : -2;
    options.high = s.one_in(20) ? s.number() : 3;
    options.saturation = s.one_in(3);
    options.saturation_low = s.one_in(20) ? s.number() : -1;
    options.saturation_high = s.one_in(20) ? s.number() : 1;
    return options;
}

template <class T>
void forward(Source& s) {
    current = "dense_forward";
    const std::size_t batch = s.size(20), n_in = s.one_in(20) ? s.below(1200) : s.size(20), n_out = s.size(20);
    const Activation g = Activation::Kind(s.below(Activation::kKinds));
    Arrays<T> arrays(s);
    const In<T> x = arrays.matrix(batch, n_in, false), w = arrays.matrix(like(s, n_out), like(s, n_in), false);
    std::optional<fanin::VectorView<const T>> b;
    if (s.one_in(2)) b = arrays.vector(like(s, n_out), false);
    const fanin::MatrixView<T> a = arrays.matrix(like(s, batch), like(s, n_out), true);
    const auto z = maybe(s, arrays, batch, n_out);
    std::span<T> workspace;
    if (s.one_in(4)) workspace = arrays.row(s.one_in(4) ? s.size(50) : fanin::dense_workspace<T>({batch, n_in, n_out}), true);
    fanin::DenseStats stats{some_options(s), some_options(s), {}, {}};
    fanin::DenseStats* const measured = s.one_in(4) ? &stats : nullptr;
    const bool packed = s.one_in(3);
    arrays.call([&] {
        if (packed) fanin::dense_forward<T>(x, fanin::PackedWeight<T>(w), b, g, a, z, measured);
        else fanin::dense_forward<T>(x, w, b, g, a, z, workspace, measured);
    });
}

template <class T>
void backward(Source& s) {
    current = "dense_backward";
    const std::size_t batch = s.one_in(20) ? s.below(1200) : s.size(20), n_in = s.size(20), n_out = s.size(20);
    const Activation g = Activation::Kind(s.below(Activation::kKinds));
    Arrays<T> arrays(s);
    const fanin::MatrixView<T> da = arrays.matrix(batch, n_out, false);
    const In<T> x = arrays.matrix(like(s, batch), n_in, false), w = arrays.matrix(like(s, n_out), like(s, n_in), false);
    std::optional<In<T>> z;
    if (!s.one_in(10)) z = arrays.matrix(like(s, batch), like(s, n_out), false);
    fanin::DenseGradients<T> out;
    out.out_dx = maybe(s, arrays, batch, n_in);
    out.out_dw = maybe(s, arrays, n_out, n_in);
    if (s.one_in(2)) out.out_db = arrays.vector(like(s, n_out), true);
    out.out_dz = maybe(s, arrays, batch, n_out);
    if (s.one_in(6)) {
        out.out_dz = da;
        arrays.also_written(da.data);
    }
    std::span<T> workspace;
    if (s.one_in(4)) workspace = arrays.row(s.one_in(4) ? s.size(50) : fanin::dense_workspace<T>({batch, n_in, n_out}), true);
    const bool accumulate = s.one_in(3);
    arrays.call([&] { fanin::dense_backward<T>(da, x, w, z, g, out, accumulate, workspace); });
}

template <class T>
void losses(Source& s) {
    current = "evaluate_loss";
    const auto loss = fanin::Loss(s.below(4));
    const bool one = loss == fanin::Loss::binary_cross_entropy || loss == fanin::Loss::hinge;
    const std::size_t batch = s.size(20), outputs = one && !s.one_in(8) ? 1 : s.size(12);
    Arrays<T> arrays(s);
    Arrays<std::int64_t> whole(s);
    const std::span<T> z = arrays.row(batch * outputs, false), values = arrays.row(like(s, batch * outputs), false);
    const std::span<std::int64_t> labels = whole.row(like(s, batch), false);
    if (!s.one_in(8)) {
        for (std::int64_t& label : labels) label = static_cast<std::int64_t>(s.below(outputs + 1)) - (s.one_in(20) ? 1 : 0);
        for (std::int64_t& label : labels)
            label = outputs != 0 && !s.one_in(40) ? label % static_cast<std::int64_t>(outputs) : label;
        for (T& value : values) value = T(s.below(2) == 0 ? (loss == fanin::Loss::hinge ? -1 : 0) : 1);
    }
    fanin::Targets<T> y{labels, values, {}};
    if (!s.one_in(8)) (loss == fanin::Loss::cross_entropy ? y.values = {} : (y.labels = {}, y.values));
    if (s.one_in(4)) {
        const std::span<T> weights = arrays.row(like(s, batch), false);
        for (T& weight : weights) weight = s.one_in(50) ? s.value<T>() : T(s.below(3));
        y.weights = weights;
    }
    const std::span<T> dz = arrays.row(like(s, batch * outputs), true);
    arrays.call([&] { (void)fanin::evaluate_loss<T>(loss, batch, outputs, z, y, dz); });
}

template <class T>
void statistics(Source& s) {
    current = "summarize";
    Arrays<T> arrays(s);
    const fanin::ArrayView<T> x = arrays.array(s.one_in(8) ? std::vector{s.size(9000)} : some_shape(s, 60), false);
    const fanin::ArrayView<const T> in{x.data, x.shape, x.strides};
    const fanin::SummaryOptions options = some_options(s);
    std::vector<std::size_t> axes;
    for (std::size_t axis = 0; axis < x.shape.size(); ++axis)
        if (s.one_in(2)) axes.push_back(axis);
    if (s.one_in(20)) axes.push_back(s.below(4));
    const double q = s.one_in(20) ? s.number() : 0.25;
    arrays.call([&] {
        const fanin::Summary of_all = fanin::summarize<T>(in, options);
        if (of_all.nans + of_all.infs + of_all.zeros + of_all.subnormals > of_all.count) found("more than there are");
        fanin::Summarizer pieces(options);
        pieces.update<T>(in);
        if (!(pieces.summary() == of_all)) found("one piece is another summary");
        (void)fanin::merge(of_all, of_all);
        (void)of_all.kurtosis();
        (void)of_all.histogram.edges();
        (void)fanin::summarize<T>(in, axes, options);
        (void)fanin::quantile(of_all, q);
    });
}

template <class T>
void halves(Source& s) {
    current = "round_to";
    Arrays<float> from(s);
    Arrays<T> to(s);
    const std::span<float> x = from.row(s.size(100), false);
    const std::span<T> out = to.row(like(s, x.size()), true);
    to.call([&] { fanin::round_to(x, out); });
}

// On a thread of its own now and then; in descending order.
void run_tasks(void*, std::size_t n, void (*task)(void*, std::size_t), void* body) {
    while (n-- > 0) task(body, n);
}

void process(Source& s) {
    current = "the process";
    static constexpr std::string_view kNames[] = {"generic", "x86_64_v3", "x86_64_v4", "neon", ""};
    const std::string name = s.text(kNames);
    call([&] { fanin::set_isa(name); });
    call([&] { fanin::set_num_threads(s.one_in(4) ? s.bits() : s.below(4)); });
    if (s.one_in(200)) call([] { fanin::shutdown_threads(); });
    if (s.one_in(50)) call([&] { fanin::set_executor(s.one_in(2) ? run_tasks : nullptr); });
    // A call that is cut into tasks, whoever runs them.
    if (s.one_in(50)) {
        Arrays<float> arrays(s);
        const std::span<float> out = arrays.row(1 << 17, true);
        arrays.call([&] { fanin::fill_normal<float>(out, {1, 2}, 0, 0, 1); });
    }
}

template <class T>
void of_one_type(Source& s) {
    switch (s.below(8)) {
        case 0:
            return draws<T>(s);
        case 1:
            return laws<T>(s);
        case 2:
            return activations<T>(s);
        case 3:
            return forward<T>(s);
        case 4:
        case 5:
            return backward<T>(s);
        case 6:
            return losses<T>(s);
        default:
            return statistics<T>(s);
    }
}

}  // namespace

void core(Source& s) {
    switch (s.below(24)) {
        case 0:
            return words(s);
        case 1:
            return texts(s);
        case 2:
            return process(s);
        case 3:
            return laws<fanin::Float16>(s);
        case 4:
            return laws<fanin::BFloat16>(s);
        case 5:
            return s.one_in(2) ? halves<fanin::Float16>(s) : halves<fanin::BFloat16>(s);
        case 6:
            return s.one_in(2) ? statistics<std::int8_t>(s) : statistics<std::uint64_t>(s);
        case 7:
            return s.one_in(2) ? statistics<fanin::Float16>(s) : statistics<fanin::BFloat16>(s);
        case 8:
            return s.one_in(2) ? statistics<std::int32_t>(s) : statistics<std::uint16_t>(s);
        default:
            return s.one_in(2) ? of_one_type<float>(s) : of_one_type<double>(s);
    }
}

}  // namespace fuzz
