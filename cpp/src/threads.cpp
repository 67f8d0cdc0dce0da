#include "fanin/threads.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "fanin/arithmetic.hpp"
#include "message.hpp"

#if defined(__linux__)
#include <sched.h>
#endif
#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

namespace fanin {
namespace {

constexpr std::size_t kMaxThreads = 1024;
constexpr auto kInterruptPeriod = std::chrono::milliseconds(50);
// A worker that has nothing to do looks again this often before it sleeps: some 100 us, about twice the cost of waking it.
[[maybe_unused]] constexpr int kSpins = 5000;
// Then it gives way this often, some milliseconds, before it sleeps: a worker that has been put on its caller's CPU is moved
// to an idle one by the system only if it is found waiting for that CPU, and one that sleeps at once never is.
[[maybe_unused]] constexpr int kYields = 5000;

std::size_t cpus_of_this_process() {
#if defined(__linux__)
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) return static_cast<std::size_t>(CPU_COUNT(&set));
#endif
    const unsigned n = std::thread::hardware_concurrency();
    return n == 0 ? 1 : n;
}

std::size_t threads_from_environment() {
    const char* text = std::getenv("FANIN_NUM_THREADS");
    if (text == nullptr || *text == '\0') return std::min(cpus_of_this_process(), kMaxThreads);
    char* end = nullptr;
    const long value = std::strtol(text, &end, 10);
    if (*end != '\0' || value < 1 || value > static_cast<long>(kMaxThreads))
        detail::refuse({"FANIN_NUM_THREADS must be an integer in 1 .. 1024, got '", text, "'"});
    return static_cast<std::size_t>(value);
}

#if !defined(FANIN_NO_THREADS)
// The CPU that this thread runs on, or -1 where the system does not say.
int this_cpu() {
#if defined(__linux__)
    return sched_getcpu();
#else
    return -1;
#endif
}

// Moves this thread to another CPU than `cpu`, if it may run on one, and leaves it free to run on all as before.
void move_away_from(int cpu) {
#if defined(__linux__)
    cpu_set_t all;
    if (cpu < 0 || cpu >= CPU_SETSIZE || sched_getaffinity(0, sizeof all, &all) != 0) return;
    cpu_set_t others = all;
    CPU_CLR(cpu, &others);
    if (CPU_COUNT(&others) == 0 || sched_setaffinity(0, sizeof others, &others) != 0) return;
    sched_setaffinity(0, sizeof all, &all);
#else
    (void)cpu;
#endif
}

// Tells the core that this thread only waits: another hardware thread on it then gets its units.
void relax() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#else
    std::this_thread::yield();
#endif
}
#endif

std::atomic<std::size_t> g_num_threads{0};  // 0: not read yet

// One parallel call: the threads take the next index until none is left.
struct Job {
    void (*task)(void*, std::size_t);
    void* body;
    std::size_t n_tasks;
    std::atomic<std::size_t> next{0};
    std::atomic<bool> stop{false};
    std::mutex error_lock;
    std::exception_ptr error;

    // Keeps the first exception for the caller; the others are dropped.
    void fail() {
        const std::lock_guard guard(error_lock);
        if (!error) error = std::current_exception();
        stop.store(true, std::memory_order_relaxed);
    }

    // One index on a thread of the embedder's; throws nothing.
    static void run_one(void* job, std::size_t index) {
        Job& self = *static_cast<Job*>(job);
        const StandardArithmetic arithmetic;
        if (self.stop.load(std::memory_order_relaxed)) return;
        try {
            self.task(self.body, index);
        } catch (...) {
            self.fail();
        }
    }

    // Takes indices until none is left or the job is stopped; throws nothing. The caller alone asks for an interrupt, since
    // the check belongs to its thread.
    void work(bool caller) {
        const StandardArithmetic arithmetic;
        try {
            for (;;) {
                if (stop.load(std::memory_order_relaxed)) return;
                const std::size_t index = next.fetch_add(1, std::memory_order_relaxed);
                if (index >= n_tasks) return;
                task(body, index);
                if (caller) check_interrupt();
            }
        } catch (...) {
            fail();
        }
    }
};

// Workers that share jobs, one job at a time. `state_` says which job is open and who is in it, in one word:
//
//     generation (47 bits) | open (1 bit) | workers inside (16 bits)
//
// The pool, as its caller moves it (run):
//
//      +--------+  new generation, open = 1   +------+  no index left: open = 0   +----------+
//      |  idle  | --------------------------> | open | -------------------------> | draining |
//      +--------+                             +------+                            +----------+
//          ^                                   inside: +1 by each worker that enters,   |
//          +------------------ inside = 0 ------------ -1 by each that leaves ----------+
//
// A worker (serve):
//
//                    a job opened that it has not seen
//      +----------+ ------------------------------------> +----------+  open: count itself in  +--------+
//      | spinning |     kSpins, then kYields looks:       | entering | ----------------------> | inside |
//      +----------+ ---> +----------+ ---- woken -------> +----------+                         +--------+
//          ^  ^          | sleeping |                          |                                    |
//          |  |          +----------+         closed meanwhile |             no index left, or stop |
//          |  +------------------------------------------------+                                    |
//          +----------------------------------- counts itself out ----------------------------------+
//
// What always holds:
//  1. One caller at a time: it holds g_busy, which nobody waits for. Whoever finds it taken computes alone.
//  2. job_, wanted_ and cpu_ are written while the pool is idle and read by workers inside only. The store that opens the job
//     publishes them (a worker enters with an acquiring exchange on the same word).
//  3. A worker enters while `open` is set, in the same exchange that counts it. Once the caller has cleared the bit the count
//     only falls, and at 0 nobody holds a pointer into the job: it may leave the caller's stack.
//  4. The caller waits for workers inside, never for one asleep: work that is over before a worker wakes was done without it.
//  5. No wake-up is lost. A worker counts itself in sleepers_, then looks at state_; the caller opens the job in state_, then
//     looks at sleepers_. All four are sequentially consistent, so that one of the two sees the other; wake() passes through
//     lock_, which a worker holds between its look and its sleep.
//  6. A generation is seen once by a worker: it runs no job twice. One that starts late has seen the one before its birth.
//  7. Each index is taken once (Job::next). After an error or an interrupt (Job::stop) no further one is begun.
#if defined(FANIN_NO_THREADS)
// Of a build without threads: the caller does everything.
class Pool {
 public:
    void run(Job& job, std::size_t) { job.work(true); }
    void end() {}
};
#else
class Pool {
 public:
    // Runs the job on the caller and on up to `helpers` workers. Returns when all that entered have left it.
    void run(Job& job, std::size_t helpers) {
        grow(helpers);
        job_ = &job;
        wanted_ = helpers;
        cpu_ = this_cpu();
        const std::uint64_t generation = state_.load(std::memory_order_relaxed) / kGeneration + 1;
        state_.store(generation * kGeneration + kOpen);  // sequentially consistent, as are the next line and serve()'s two
        if (sleepers_.load() != 0) {
            wake();
        }
        job.work(true);
        state_.fetch_and(~kOpen, std::memory_order_relaxed);
        for (int spin = 0; state_.load(std::memory_order_acquire) % kOpen != 0; ++spin)
            if (spin < kSpins) relax();
            else std::this_thread::yield();
    }

    // Waits until every worker is gone. Called while the pool is idle; nothing runs on it afterwards.
    void end() {
        ending_.store(true);
        wake();
        for (std::thread& worker : workers_) worker.join();
    }

 private:
    // One that has just decided to sleep holds the lock until it does (invariant 5).
    void wake() {
        lock_.lock();
        lock_.unlock();
        wake_.notify_all();
    }

    static constexpr std::uint64_t kOpen = 1 << 16, kGeneration = kOpen << 1;  // below kOpen: a count, at most kMaxThreads

    // Starts workers until there are n; there are never fewer afterwards. Called while the pool is idle.
    void grow(std::size_t n) {
        while (workers_.size() < n) workers_.emplace_back(&Pool::serve, this, workers_.size(), state_.load() / kGeneration);
    }

    // A job opened that this worker has not seen, or the end.
    bool news(std::uint64_t seen, std::memory_order order) const {
        const std::uint64_t state = state_.load(order);
        return (state / kGeneration != seen && (state & kOpen) != 0) || ending_.load(order);
    }

    // A worker's life, which ends with the process or with end(). `seen`: the generation that was the last when it started.
    void serve(std::size_t id, std::uint64_t seen) {
        for (;;) {
            for (int spin = 0; spin < kSpins && !news(seen, std::memory_order_relaxed); ++spin) relax();
            for (int i = 0; i < kYields && !news(seen, std::memory_order_relaxed); ++i) std::this_thread::yield();
            if (!news(seen, std::memory_order_relaxed)) {
                std::unique_lock guard(lock_);
                sleepers_.fetch_add(1);
                wake_.wait(guard, [&] { return news(seen, std::memory_order_seq_cst); });
                sleepers_.fetch_sub(1);
            }
            if (ending_.load(std::memory_order_acquire)) return;
            std::uint64_t state = state_.load(std::memory_order_acquire);
            while ((state & kOpen) != 0 && !state_.compare_exchange_weak(state, state + 1, std::memory_order_acquire)) {
            }
            if ((state & kOpen) == 0) continue;  // closed before this worker was there
            seen = state / kGeneration;
            if (id < wanted_) {
                if (cpu_ >= 0 && this_cpu() == cpu_) move_away_from(cpu_);
                job_->work(false);
            }
            state_.fetch_sub(1, std::memory_order_release);
        }
    }

    std::mutex lock_;  // of the sleepers
    std::condition_variable wake_;
    std::atomic<std::size_t> sleepers_{0};
    std::atomic<std::uint64_t> state_{0};
    std::atomic<bool> ending_{false};
    // Written while no job is open, read by those inside.
    Job* job_ = nullptr;
    std::size_t wanted_ = 0;
    int cpu_ = -1;                      // the caller's
    std::vector<std::thread> workers_;  // touched by the caller that holds the pool only
};
#endif

// The embedder's threads. Those set before live on: a call may still be looking at them.
struct Handover {
    Executor run;
    void* context;
    const Handover* before;  // the one that it replaced
};

// The pool lives until shutdown_threads(), or as long as the process: it is not destroyed at exit, which so waits for nobody.
std::atomic<Pool*> g_pool{nullptr};
std::atomic<const Handover*> g_executor{nullptr};
std::atomic_flag g_busy = ATOMIC_FLAG_INIT;  // held by the caller whose job the pool runs; never waited for

#if defined(__unix__) || defined(__APPLE__)
// A forked child has the parent's memory and none of its workers: it leaks the old pool and starts without one.
void forget_pool_in_child() {
    g_pool.store(nullptr);
    g_executor.store(nullptr);
    g_busy.clear();
}
void prepare_for_forks() {
    static const int registered = pthread_atfork(nullptr, nullptr, forget_pool_in_child);
    (void)registered;
}
#else
void prepare_for_forks() {}
#endif

Pool& pool() {
    Pool* existing = g_pool.load(std::memory_order_acquire);
    if (existing == nullptr) {
        prepare_for_forks();
        existing = new Pool;
        g_pool.store(existing, std::memory_order_release);
    }
    return *existing;
}

thread_local InterruptScope::Check t_check = nullptr;
thread_local void* t_context = nullptr;
thread_local bool t_alone = false;
constinit thread_local std::chrono::steady_clock::time_point t_last_check;  // NOLINT(bugprone-throwing-static-initialization)

// Every task in order on this thread; its exceptions pass through.
void run_alone(std::size_t n_tasks, void (*task)(void*, std::size_t), void* body) {
    const StandardArithmetic arithmetic;
    for (std::size_t i = 0; i < n_tasks; ++i) {
        task(body, i);
        check_interrupt();
    }
}

}  // namespace

bool compute_alone(bool alone) { return std::exchange(t_alone, alone); }

std::size_t num_threads() {
#if defined(FANIN_NO_THREADS)
    if (g_executor.load(std::memory_order_relaxed) == nullptr) return 1;
#endif
    if (t_alone) return 1;
    std::size_t n = g_num_threads.load(std::memory_order_relaxed);
    if (n == 0) {
        n = threads_from_environment();
        g_num_threads.store(n, std::memory_order_relaxed);
    }
    return n;
}

void set_num_threads(std::size_t n) {
    if (n < 1 || n > kMaxThreads) detail::refuse({"n must be in 1 .. 1024, got ", n});
    g_num_threads.store(n, std::memory_order_relaxed);
}

InterruptScope::InterruptScope(Check check, void* context) : previous_check_(t_check), previous_context_(t_context) {
    t_check = check;
    t_context = context;
    if (check != nullptr) t_last_check = std::chrono::steady_clock::now();  // a null scope leaves the outer one's clock alone
}

InterruptScope::~InterruptScope() {
    t_check = previous_check_;
    t_context = previous_context_;
}

void check_interrupt() {
    if (t_check == nullptr) return;
    const auto now = std::chrono::steady_clock::now();
    if (now - t_last_check < kInterruptPeriod) return;
    t_last_check = now;
    if (t_check(t_context)) throw Interrupted();
}

void detail::parallel_for(std::size_t n_tasks, void (*task)(void*, std::size_t), void* body) {
    if (n_tasks == 1) return task(body, 0);  // small work pays for neither pool nor clock
    const std::size_t threads = std::min(num_threads(), n_tasks);
    if (threads <= 1 || g_busy.test_and_set(std::memory_order_acquire)) {
        run_alone(n_tasks, task, body);
        return;
    }
    struct Release {
        ~Release() { g_busy.clear(std::memory_order_release); }
    } release;
    Job job{task, body, n_tasks, {}, {}, {}, {}};
    if (const Handover* given = g_executor.load(std::memory_order_acquire))
        given->run(given->context, n_tasks, Job::run_one, &job);
    else pool().run(job, threads - 1);
    if (job.error) std::rethrow_exception(job.error);
}

void set_executor(Executor run, void* context) {
    prepare_for_forks();
    if (run == nullptr) return g_executor.store(nullptr, std::memory_order_release);
    // A call under way may still read an earlier one: all are kept, each holding the one before.
    static std::atomic<const Handover*> last{nullptr};
    auto* given = new Handover{run, context, last.load(std::memory_order_relaxed)};
    while (!last.compare_exchange_weak(given->before, given, std::memory_order_relaxed)) {
    }
    g_executor.store(given, std::memory_order_release);
}

void shutdown_threads() {
    while (g_busy.test_and_set(std::memory_order_acquire)) std::this_thread::yield();
    if (Pool* ended = g_pool.exchange(nullptr)) {
        ended->end();
        delete ended;
    }
    g_busy.clear(std::memory_order_release);
}

}  // namespace fanin
