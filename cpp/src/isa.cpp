// Which instruction sets this build has and this CPU runs, and which of them is in use.
#include "fanin/isa.hpp"

#include <atomic>
#include <cstdlib>
#include <iterator>

#include "kernels/isas.hpp"
#include "kernels/table.hpp"
#include "message.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#if __has_include(<sys/platform/x86.h>) && !defined(__clang__)  // glibc's header says _Bool, which Clang has in C alone
#include <sys/platform/x86.h>
#pragma weak __x86_get_cpuid_feature_leaf  // glibc 2.33 has it; a program may run on an older one
#define FANIN_GLIBC_KNOWS_CPU 1
#endif
#endif

namespace fanin {
namespace {

// What CPUID reports and the operating system saves (XCR0), as the x86-64 psABI groups it into levels.
struct CpuFeatures {
    bool v3 = false;
    bool v4 = false;
};

#if defined(__x86_64__)

// Whether all of these bits are set.
bool has(unsigned value, unsigned bits) { return (value & bits) == bits; }

#if defined(FANIN_GLIBC_KNOWS_CPU)
// What glibc found as the program was loaded: each CPUID of a virtual machine takes some microseconds of the first call.
CpuFeatures known_to_glibc() {
    CpuFeatures found;
    if (&__x86_get_cpuid_feature_leaf == nullptr) return found;
    found.v3 = CPU_FEATURE_ACTIVE(FMA) && CPU_FEATURE_ACTIVE(MOVBE) && CPU_FEATURE_ACTIVE(AVX) && CPU_FEATURE_ACTIVE(F16C) &&
               CPU_FEATURE_ACTIVE(LZCNT) && CPU_FEATURE_ACTIVE(BMI1) && CPU_FEATURE_ACTIVE(AVX2) && CPU_FEATURE_ACTIVE(BMI2);
    found.v4 = found.v3 && CPU_FEATURE_ACTIVE(AVX512F) && CPU_FEATURE_ACTIVE(AVX512BW) && CPU_FEATURE_ACTIVE(AVX512CD) &&
               CPU_FEATURE_ACTIVE(AVX512DQ) && CPU_FEATURE_ACTIVE(AVX512VL);
    return found;
}
#else
CpuFeatures known_to_glibc() { return {}; }
#endif

CpuFeatures detect() {
    CpuFeatures found = known_to_glibc();
    if (found.v3) return found;
    unsigned a = 0, b = 0, c = 0, d = 0;
    // The ranges are asked for once; the leaf 0x80000001 is on every CPU of 64 bits.
    if (__get_cpuid_max(0, nullptr) < 7) return found;
    __cpuid(1, a, b, c, d);
    constexpr unsigned kLeaf1 = bit_FMA | bit_MOVBE | bit_OSXSAVE | bit_AVX | bit_F16C;
    if (!has(c, kLeaf1)) return found;
    unsigned xcr0_low = 0, xcr0_high = 0;
    __asm__("xgetbv" : "=a"(xcr0_low), "=d"(xcr0_high) : "c"(0));
    constexpr unsigned kYmmSaved = 0x06;  // XMM and YMM state
    constexpr unsigned kZmmSaved = 0xe6;  // and opmask, ZMM0-15 upper halves, ZMM16-31
    if (!has(xcr0_low, kYmmSaved)) return found;
    unsigned extended_c = 0;
    __cpuid(0x80000001, a, b, extended_c, d);
    if (!has(extended_c, bit_LZCNT)) return found;
    __cpuid_count(7, 0, a, b, c, d);
    found.v3 = has(b, bit_BMI | bit_AVX2 | bit_BMI2);
    constexpr unsigned kAvx512 = bit_AVX512F | bit_AVX512BW | bit_AVX512CD | bit_AVX512DQ | bit_AVX512VL;
    found.v4 = found.v3 && has(xcr0_low, kZmmSaved) && has(b, kAvx512);
    return found;
}

#else

CpuFeatures detect() { return {}; }

#endif

#if defined(__aarch64__)
constexpr bool kAarch64 = true;
#else
constexpr bool kAarch64 = false;
#endif

// Every name that FANIN_ISA may hold, slowest first, and whether a CPU has it. Those that CMakeLists.txt builds are among them.
struct Known {
    std::string_view name;
    bool (*supported)(const CpuFeatures&);
};
constexpr Known kKnown[] = {
    {"generic", [](const CpuFeatures&) { return true; }},
    {"neon", [](const CpuFeatures&) { return kAarch64; }},  // part of the architecture
    {"x86_64_v3", [](const CpuFeatures& cpu) { return cpu.v3; }},
    {"x86_64_v4", [](const CpuFeatures& cpu) { return cpu.v4; }},
};

#define FANIN_BUILT(name) #name,
constexpr std::string_view kBuilt[] = {FANIN_BUILT_ISAS(FANIN_BUILT)};
#undef FANIN_BUILT

constexpr bool all_known() {
    for (const std::string_view built : kBuilt) {
        bool known = false;
        for (const Known& k : kKnown) known |= k.name == built;
        if (!known) return false;
    }
    return true;
}
static_assert(all_known(), "kKnown must say which CPUs have each instruction set that CMakeLists.txt builds");

struct Entry {
    std::string_view name;
    KernelTable table;
    bool built, supported;
};

// kKnown with the tables of this build; the CPU is asked once.
const std::vector<Entry>& entries() {
    static const std::vector<Entry> all = [] {
        const CpuFeatures cpu = detect();
        std::vector<Entry> list;
        for (const Known& known : kKnown) {
            list.push_back({known.name, {}, false, known.supported(cpu)});
            for (std::size_t i = 0; i < std::size(kBuilt); ++i)
                if (kBuilt[i] == known.name) list.back().table.index = i, list.back().built = true;
        }
        return list;
    }();
    return all;
}

// Whether its kernels were built, and this CPU runs them.
bool usable(const Entry& entry) { return entry.built && entry.supported; }

// Names, separated by commas: of the instruction sets that are usable, or of all.
std::string names(bool all) {
    std::string list;
    for (const Entry& entry : entries())
        if (all || usable(entry)) list += (list.empty() ? "" : ", ") + std::string(entry.name);
    return list;
}

// The usable entry of that name; std::invalid_argument, naming `argument` and what is available, for others.
const Entry& find(std::string_view argument, std::string_view name) {
    for (const Entry& entry : entries()) {
        if (name != entry.name) continue;
        if (usable(entry)) return entry;
        detail::refuse({argument, " must be an instruction set that this build and this CPU support (", names(false),
                        "), got '", name, "'"});
    }
    detail::refuse({argument, " must be one of ", names(true), " (available here: ", names(false), "), got '", name, "'"});
}

// What FANIN_ISA names, otherwise the last, fastest usable one.
const Entry& choose() {
    if (const char* forced = std::getenv("FANIN_ISA"); forced != nullptr && *forced != '\0') return find("FANIN_ISA", forced);
    const Entry* best = nullptr;
    for (const Entry& entry : entries())
        if (usable(entry)) best = &entry;
    return *best;
}

// Null until the first use. Threads that come first together choose the same.
std::atomic<const Entry*> g_active{nullptr};

const Entry& active() {
    const Entry* entry = g_active.load(std::memory_order_acquire);
    if (entry == nullptr) {
        entry = &choose();
        g_active.store(entry, std::memory_order_release);
    }
    return *entry;
}

}  // namespace

std::vector<std::string> available_isas() {
    std::vector<std::string> names;
    for (const Entry& entry : entries())
        if (usable(entry)) names.emplace_back(entry.name);
    return names;
}

std::string active_isa() { return std::string(active().name); }

void set_isa(std::string_view name) { g_active.store(&find("name", name), std::memory_order_release); }

const KernelTable& kernel_table() { return active().table; }

}  // namespace fanin
