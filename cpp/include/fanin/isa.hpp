// Instruction sets: one kernel table each, chosen at run time. The choice never changes a result, only the time.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fanin/export.hpp"

namespace fanin FANIN_PUBLIC {

// Names of the instruction sets whose kernels were built *and* run on this CPU, slowest first: "generic" always, then
// "x86_64_v3" (AVX2, FMA) and "x86_64_v4" (AVX-512 F, BW, CD, DQ, VL), or "neon" on aarch64.
std::vector<std::string> available_isas();

// The instruction set in use: the one that FANIN_ISA names, otherwise the fastest available one. The first call reads
// the environment; throws std::invalid_argument where FANIN_ISA holds an unknown or unsupported name.
std::string active_isa();

// Makes `name` the instruction set of every later call in this process (for tests and comparisons). Throws
// std::invalid_argument, naming the available ones, where `name` is unknown or unsupported; nothing changes then.
void set_isa(std::string_view name);

}  // namespace fanin FANIN_PUBLIC
