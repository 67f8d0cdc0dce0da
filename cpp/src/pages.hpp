// Memory that was never written to has no pages yet: the system gives them one by one, as each is first written to.
#pragma once

#include <cstddef>

namespace fanin::detail {

// Has the whole pages between begin and begin + bytes given at once, where the first of them is missing and the system can
// (Linux 5.14 and later). What is there keeps its values. Where nothing can be done, nothing is: they come one by one then.
void populate(void* begin, std::size_t bytes) noexcept;

}  // namespace fanin::detail
