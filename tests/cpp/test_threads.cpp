// The thread pool: every task once, errors passed on, nested and busy calls alone, forked children, interrupts.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>

#include "check.hpp"
#include "fanin/threads.hpp"

namespace {

bool every_task_once(std::size_t n) {
    std::vector<std::atomic<int>> hits(n);
    fanin::parallel_for(n, [&](std::size_t i) { hits[i].fetch_add(1); });
    for (const auto& h : hits)
        if (h != 1) return false;
    return true;
}

void tasks() {
    for (const std::size_t threads : {1, 2, 3, 8}) {
        fanin::set_num_threads(threads);
        for (const std::size_t n : {0, 1, 2, 7, 1000}) CHECK(every_task_once(n));
    }
    for (int i = 0; i < 2000; ++i) CHECK(every_task_once(3));
}

void errors_are_passed_on() {
    for (const std::size_t threads : {1, 4}) {
        fanin::set_num_threads(threads);
        CHECK_THROWS(fanin::parallel_for(100,
                                         [](std::size_t i) {
                                             if (i == 50) throw std::logic_error("50");
                                         }),
                     std::logic_error);
        CHECK(every_task_once(100));
    }
}

// The thread that asked for it, and no other.
void a_thread_computes_alone() {
    CHECK(!fanin::compute_alone(true));
    CHECK(fanin::num_threads() == 1);
    const std::thread::id here = std::this_thread::get_id();
    std::atomic<int> elsewhere{0};
    fanin::parallel_for(1000, [&](std::size_t) { elsewhere += std::this_thread::get_id() != here; });
    CHECK(elsewhere == 0);
    std::size_t of_another = 0;
    std::thread([&] { of_another = fanin::num_threads(); }).join();
    CHECK(fanin::compute_alone(false));
    CHECK(of_another == fanin::num_threads());
}

void nested_and_busy_calls_compute_alone() {
    fanin::set_num_threads(4);
    std::atomic<int> inner{0};
    fanin::parallel_for(8, [&](std::size_t) { fanin::parallel_for(8, [&](std::size_t) { ++inner; }); });
    CHECK(inner == 64);
    std::vector<std::thread> callers;
    std::atomic<int> good{0};
    for (int t = 0; t < 4; ++t)
        callers.emplace_back([&] {
            for (int i = 0; i < 200; ++i) good += every_task_once(50);
        });
    for (auto& t : callers) t.join();
    CHECK(good == 800);
}

void a_forked_child_computes() {
    fanin::set_num_threads(2);
    CHECK(every_task_once(100));
    for (int i = 0; i < 200; ++i) {
        const pid_t child = fork();
        if (child == 0) _exit(every_task_once(100) ? 0 : 1);
        int status = -1;
        waitpid(child, &status, 0);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    CHECK(every_task_once(100));
}

void a_check_that_answers_true_interrupts() {
    for (const std::size_t threads : {1, 2}) {
        fanin::set_num_threads(threads);
        const fanin::InterruptScope scope([](void*) { return true; });
        std::atomic<int> done{0};
        CHECK_THROWS(fanin::parallel_for(10'000,
                                         [&](std::size_t) {
                                             ++done;
                                             std::this_thread::sleep_for(std::chrono::milliseconds(1));
                                         }),
                     fanin::Interrupted);
        CHECK(done < 10'000);
    }
}

// Threads of this process; 0 where the system does not say.
std::size_t threads_alive() {
    std::error_code error;
    std::size_t n = 0;
    for (std::filesystem::directory_iterator one("/proc/self/task", error), end; !error && one != end; one.increment(error))
        ++n;
    return n;
}

// Whether there are n threads, at once or soon: the system takes a moment to forget one that has ended.
bool alive(std::size_t n) {
    for (int i = 0; i < 2000 && threads_alive() != n; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return threads_alive() == n;
}

void threads_come_with_the_first_large_call_and_go_when_told() {
    std::thread([] {}).join();  // a sanitizer has a thread of its own from the first one on
    const std::size_t before = threads_alive();
    fanin::set_num_threads(4);
    CHECK(every_task_once(1));
    CHECK(threads_alive() == before);
    fanin::shutdown_threads();  // of nothing
    for (int i = 0; i < 50; ++i) {
        CHECK(every_task_once(100));
        if (before != 0) CHECK(alive(before + 3));
        fanin::shutdown_threads();
        CHECK(alive(before));
    }
    std::atomic<bool> stop{false};
    std::atomic<int> wrong{0};
    std::thread caller([&] {
        while (!stop) wrong += !every_task_once(50);
    });
    for (int i = 0; i < 50; ++i) fanin::shutdown_threads();  // beside a caller
    stop = true;
    caller.join();
    CHECK(wrong == 0);
    fanin::shutdown_threads();
    CHECK(alive(before));
}

// An executor of two fresh threads a call, in descending order.
struct Counted {
    std::atomic<int> calls{0}, tasks{0};
    static void run(void* context, std::size_t n, void (*task)(void*, std::size_t), void* body) {
        Counted& self = *static_cast<Counted*>(context);
        ++self.calls;
        std::thread odd([&] {
            for (std::size_t i = n; i-- > 0;)
                if (i % 2 == 1) task(body, i), ++self.tasks;
        });
        for (std::size_t i = n; i-- > 0;)
            if (i % 2 == 0) task(body, i), ++self.tasks;
        odd.join();
    }
};

void an_executor_runs_every_task() {
    const std::size_t before = threads_alive();
    Counted counted;
    fanin::set_num_threads(4);
    fanin::set_executor(Counted::run, &counted);
    CHECK(every_task_once(100));
    CHECK(counted.calls == 1 && counted.tasks == 100);
    CHECK(every_task_once(1));  // a plain call
    CHECK(counted.calls == 1);
    CHECK_THROWS(fanin::parallel_for(100,
                                     [](std::size_t i) {
                                         if (i == 50) throw std::logic_error("50");
                                     }),
                 std::logic_error);
    CHECK(counted.calls == 2);
    std::atomic<int> inner{0};
    fanin::parallel_for(8, [&](std::size_t) { fanin::parallel_for(8, [&](std::size_t) { ++inner; }); });
    CHECK(inner == 64 && counted.calls == 3);  // nested ones compute alone
    CHECK(alive(before));
    const pid_t child = fork();
    if (child == 0) _exit(every_task_once(100) && counted.calls == 3 ? 0 : 1);
    int status = -1;
    waitpid(child, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    fanin::set_num_threads(1);
    CHECK(every_task_once(100));
    CHECK(counted.calls == 3);
    fanin::set_num_threads(4);
    fanin::set_executor(nullptr);
    CHECK(every_task_once(100));
    CHECK(counted.calls == 3);
}

void bad_arguments() {
    CHECK_THROWS(fanin::set_num_threads(0), std::invalid_argument);
    CHECK_THROWS(fanin::set_num_threads(1025), std::invalid_argument);
    CHECK_THROWS(fanin::set_isa("avx9"), std::invalid_argument);
    CHECK_THROWS(fanin::set_isa("neon"), std::invalid_argument);
}

}  // namespace

int main() {
    threads_come_with_the_first_large_call_and_go_when_told();
    an_executor_runs_every_task();
    tasks();
    errors_are_passed_on();
    a_thread_computes_alone();
    nested_and_busy_calls_compute_alone();
    a_forked_child_computes();
    a_check_that_answers_true_interrupts();
    bad_arguments();
    return check::result();
}
