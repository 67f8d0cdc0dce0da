// Sixteen threads call at once: draws, layers, statistics, shared predictors, networks of their own, while the executor, the
// number of threads and the pool itself change. The bits are those of one thread alone. Also meant for the thread sanitizer.
#include <atomic>
#include <functional>
#include <thread>

#include "check.hpp"
#include "fanin/fanin.hpp"

namespace {

constexpr std::size_t kCallers = 16, kRows = 24, kInputs = 40, kOutputs = 24;

// A polynomial in the bytes of what was computed.
class Digest {
 public:
    template <class T>
    void add(std::span<const T> values) {
        const auto bytes = std::as_bytes(values);
        for (const std::byte b : bytes) h_ = h_ * 0x100000001b3u + static_cast<std::uint64_t>(b);
    }
    template <class T>
    void add(const std::vector<T>& values) {
        add(std::span<const T>(values));
    }
    std::uint64_t value() const { return h_; }

 private:
    std::uint64_t h_ = 0;
};

template <class T>
std::vector<T> drawn(std::size_t n, std::uint64_t stream) {
    std::vector<T> out(n);
    fanin::fill_normal<T>(out, {11, stream}, 0, 0, T(0.3));
    return out;
}

template <class T>
std::uint64_t samples() {  // long enough to be cut into tasks
    Digest digest;
    std::vector<T> out(std::size_t{1} << 16);
    fanin::fill<T>(std::span(out), fanin::Law("normal"), {7, 1});
    digest.add(out);
    const std::size_t shape[] = {30, 20};
    for (const char* law : {"orthogonal", "sparse(sparsity=0.5)", "truncated_normal(std=0.1)"}) {
        std::vector<T> w(600);
        fanin::fill<T>(std::span(w), shape, fanin::law_from_text(law), {7, 2});
        digest.add(w);
    }
    return digest.value();
}

template <class T>
std::uint64_t passes() {
    Digest digest;
    const auto x = drawn<T>(kRows * kInputs, 1), w = drawn<T>(kOutputs * kInputs, 2), b = drawn<T>(kOutputs, 3);
    std::vector<T> a(kRows * kOutputs), z(a.size()), dx(x.size()), dw(w.size()), db(b.size());
    const auto of = [](auto& v, std::size_t rows) { return fanin::matrix_view(v.data(), rows, v.size() / rows); };
    fanin::dense_forward<T>(of(x, kRows), of(w, kOutputs), fanin::VectorView<const T>{b.data(), kOutputs, 1},
                            fanin::Activation::gelu, of(a, kRows), of(z, kRows));
    fanin::dense_backward<T>(of(std::as_const(a), kRows), of(x, kRows), of(w, kOutputs), of(std::as_const(z), kRows),
                             fanin::Activation::gelu,
                             {of(dx, kRows), of(dw, kOutputs), fanin::VectorView<T>{db.data(), kOutputs, 1}, std::nullopt});
    for (const auto* v : {&a, &z, &dx, &dw, &db}) digest.add(*v);
    return digest.value();
}

template <class T>
std::uint64_t statistics() {
    static const std::vector<T> x = drawn<T>(std::size_t{1} << 16, 4);  // shared
    const fanin::Summary s = fanin::summarize<T>(fanin::VectorView<const T>{x.data(), x.size(), 1});
    Digest digest;
    const double moments[] = {s.mean, s.m2, s.m3, s.m4, s.min, s.max};
    digest.add(std::span<const double>(moments));
    digest.add(s.histogram.counts);
    return digest.value();
}

template <class T>
fanin::Network<T> small_network() {
    fanin::Network<T> net({{kInputs, 16, 5}, {fanin::Activation::tanh}}, 3);
    net.draw_weights(fanin::Law("xavier_normal"));
    return net;
}

template <class T>
std::uint64_t predictions() {
    static const fanin::Predictor<T> shared(small_network<T>());
    const auto x = drawn<T>(kRows * kInputs, 5);
    std::vector<T> out(kRows * 5);
    shared.predict(std::span<const T>(x), out);
    Digest digest;
    digest.add(out);
    return digest.value();
}

template <class T>
std::uint64_t training() {
    fanin::Network<T> net = small_network<T>();
    fanin::Optimizer adam(fanin::Adam{}, 0.01);
    const auto x = drawn<T>(kRows * kInputs, 6);
    std::vector<std::int64_t> y(kRows);
    for (std::size_t i = 0; i < kRows; ++i) y[i] = static_cast<std::int64_t>(i % 5);
    Digest digest;
    for (int i = 0; i < 3; ++i) {
        const double cost = net.step(fanin::matrix_view(x.data(), kRows, kInputs), {y, {}, {}}, adam);
        digest.add(std::span(&cost, 1));
    }
    return digest.value();
}

void run_backwards(void*, std::size_t n, void (*task)(void*, std::size_t), void* body) {
    std::thread odd([&] {
        for (std::size_t i = n; i-- > 0;)
            if (i % 2 == 1) task(body, i);
    });
    for (std::size_t i = n; i-- > 0;)
        if (i % 2 == 0) task(body, i);
    odd.join();
}

void all_at_once() {
    const std::function<std::uint64_t()> jobs[] = {
        samples<float>,     samples<double>,    passes<float>,       passes<double>,  statistics<float>,
        statistics<double>, predictions<float>, predictions<double>, training<float>, training<double>};
    constexpr std::size_t kJobs = std::size(jobs);
    std::uint64_t expected[kJobs];
    fanin::set_num_threads(1);
    for (std::size_t i = 0; i < kJobs; ++i) expected[i] = jobs[i]();
    fanin::set_num_threads(3);
    std::atomic<std::size_t> wrong{0}, ready{0};
    std::atomic<bool> done{false};
    std::vector<std::thread> callers;
    for (std::size_t t = 0; t < kCallers; ++t)
        callers.emplace_back([&, t] {
            ++ready;
            while (ready < kCallers) std::this_thread::yield();
            for (std::size_t turn = 0; turn < 3 * kJobs; ++turn) {
                const std::size_t job = (t * 7 + turn) % kJobs;
                wrong += jobs[job]() != expected[job];
            }
        });
    std::thread host([&] {  // what an embedding program may do meanwhile
        for (std::size_t turn = 0; !done; ++turn) {
            fanin::set_executor(turn % 3 == 0 ? run_backwards : nullptr);
            fanin::set_num_threads(1 + turn % 4);
            if (turn % 5 == 0) fanin::shutdown_threads();
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        }
    });
    for (auto& caller : callers) caller.join();
    done = true;
    host.join();
    fanin::set_executor(nullptr);
    CHECK(wrong == 0);
}

// One network, one call at a time: the others are told so, and nothing is torn.
void one_network_serves_one_caller() {
    fanin::Network<float> net = small_network<float>();
    const auto x = drawn<float>(kRows * kInputs, 7);
    std::vector<float> expected(kRows * 5);
    net.forward(fanin::matrix_view(x.data(), kRows, kInputs), expected);
    std::atomic<int> wrong{0}, served{0};
    std::vector<std::thread> callers;
    for (std::size_t t = 0; t < kCallers; ++t)
        callers.emplace_back([&] {
            std::vector<float> logits(kRows * 5);
            for (int i = 0; i < 50; ++i) {
                try {
                    net.forward(fanin::matrix_view(x.data(), kRows, kInputs), logits);
                    ++served;
                    wrong += logits != expected;
                } catch (const std::runtime_error&) {  // busy
                }
            }
        });
    for (auto& caller : callers) caller.join();
    CHECK(served > 0);
    CHECK(wrong == 0);
}

}  // namespace

int main() {
    check::each_isa(all_at_once);
    one_network_serves_one_caller();
    return check::result();
}
