// The process's thread pool: lazy, fork-safe, interruptible, and never needed for a result.
//
// Scope: one pattern, `parallel_for` over independent tasks that write to disjoint places. Threads change the time and
// never a bit. A call from inside a task, or while another caller has the pool, computes alone on the calling thread.
// A forked child starts with no threads and builds its own pool when it first needs one. Tasks run in standard arithmetic
// (arithmetic.hpp), on whichever thread; a single one, a plain call, in its caller's.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <type_traits>

#include "fanin/export.hpp"

namespace fanin FANIN_PUBLIC {

// Threads that a parallel call may use, the caller included: FANIN_NUM_THREADS, otherwise the CPUs that this process
// may run on. The first call reads the environment; throws std::invalid_argument where it is no integer in 1 .. 1024.
std::size_t num_threads();

// Sets what num_threads() returns; 1 .. 1024, otherwise std::invalid_argument. More threads than CPUs are allowed.
void set_num_threads(std::size_t n);

// The threads of an embedding program: `run` calls task(body, i) once for each i < n_tasks, on any threads and in any order,
// the caller's among them, and returns when all are done. Tasks throw nothing, and start no others.
using Executor = void (*)(void* context, std::size_t n_tasks, void (*task)(void* body, std::size_t index), void* body);

// From now on large calls go to `run`, one at a time, and the library starts no thread; null: its own threads again. They are
// still cut for num_threads(), and at 1 stay on the calling thread. A forked child is without the executor. An interrupt is
// not asked for inside such a call. Each call with a function keeps some bytes for good.
void set_executor(Executor run, void* context = nullptr);

// Ends the library's threads and returns when they are gone; a call that uses them is waited for. The next large call starts
// new ones. For programs that unload the library, or must be single-threaded before they fork. Not from inside a task.
void shutdown_threads();

// Thrown out of a long call when the interrupt check answered true. What was being written is then unspecified.
struct Interrupted : std::runtime_error {
    Interrupted() : std::runtime_error("interrupted") {}
};

// While alive, long calls of this thread ask `check(context)` now and then (at most every 50 ms, between tasks), and
// throw Interrupted when it answers true. The Python bindings check for Ctrl-C here; scopes nest, and one with a null
// check keeps what is inside it from being interrupted.
class InterruptScope {
 public:
    using Check = bool (*)(void* context);
    explicit InterruptScope(Check check, void* context = nullptr);
    ~InterruptScope();
    InterruptScope(const InterruptScope&) = delete;
    InterruptScope& operator=(const InterruptScope&) = delete;

 private:
    Check previous_check_;
    void* previous_context_;
};

// Asks the innermost InterruptScope of this thread, if 50 ms have passed since the last question; throws Interrupted.
void check_interrupt();

// Whether calls of this thread compute on it alone, so that num_threads() is 1 here: for threads that are many themselves.
// Returns what was set before.
bool compute_alone(bool alone);

namespace detail {
void parallel_for(std::size_t n_tasks, void (*task)(void* body, std::size_t index), void* body);
}

// Calls body(i) for every i in [0, n_tasks), each once, on up to num_threads() threads, in no stated order. The first
// exception is rethrown here after the other threads have stopped; tasks not yet begun are then skipped. Tasks should
// last between 10 us and 10 ms: shorter ones cost more than they give, longer ones delay an interrupt. A single task is a
// plain call, after which nobody asks for an interrupt: loops over small work call check_interrupt() themselves.
template <class Body>
void parallel_for(std::size_t n_tasks, Body&& body) {
    auto call = [](void* context, std::size_t index) { (*static_cast<std::remove_reference_t<Body>*>(context))(index); };
    detail::parallel_for(n_tasks, call, &body);
}

}  // namespace fanin FANIN_PUBLIC
