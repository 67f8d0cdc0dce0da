#include "fanin/isa.hpp"

#include <atomic>
#include <cstdlib>
#include <stdexcept>

#include "kernels/table.hpp"

#if defined(FANIN_HAVE_x86_64_v3) || defined(FANIN_HAVE_x86_64_v4)
#include <cpuid.h>
#endif

namespace fanin {
namespace {

#if defined(FANIN_HAVE_x86_64_v3) || defined(FANIN_HAVE_x86_64_v4)

// What CPUID reports and the operating system saves (XCR0), as the x86-64 psABI groups it into levels.
struct CpuFeatures {
    bool v3 = false;
    bool v4 = false;
};

bool has(unsigned value, unsigned bits) { return (value & bits) == bits; }

CpuFeatures detect() {
    CpuFeatures found;
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (!__get_cpuid(1, &a, &b, &c, &d)) return found;
    constexpr unsigned kLeaf1 = bit_FMA | bit_MOVBE | bit_OSXSAVE | bit_AVX | bit_F16C;
    if (!has(c, kLeaf1)) return found;
    unsigned xcr0_low = 0, xcr0_high = 0;
    __asm__("xgetbv" : "=a"(xcr0_low), "=d"(xcr0_high) : "c"(0));
    constexpr unsigned kYmmSaved = 0x06;  // XMM and YMM state
    constexpr unsigned kZmmSaved = 0xe6;  // and opmask, ZMM0-15 upper halves, ZMM16-31
    if (!has(xcr0_low, kYmmSaved)) return found;
    unsigned extended_c = 0;
    if (!__get_cpuid(0x80000001, &a, &b, &extended_c, &d) || !has(extended_c, bit_LZCNT)) return found;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return found;
    found.v3 = has(b, bit_BMI | bit_AVX2 | bit_BMI2);
    constexpr unsigned kAvx512 = bit_AVX512F | bit_AVX512BW | bit_AVX512CD | bit_AVX512DQ | bit_AVX512VL;
    found.v4 = found.v3 && has(xcr0_low, kZmmSaved) && has(b, kAvx512);
    return found;
}

#endif

struct Entry {
    const char* name;
    const KernelTable* table;  // null where it was not built
    bool supported;
};

// Every name that FANIN_ISA may hold, slowest first.
const std::vector<Entry>& entries() {
    static const std::vector<Entry> all = [] {
        std::vector<Entry> list{{"generic", &generic::table, true}};
        const KernelTable* v3 = nullptr;
        const KernelTable* v4 = nullptr;
        bool v3_supported = false, v4_supported = false;
#if defined(FANIN_HAVE_x86_64_v3) || defined(FANIN_HAVE_x86_64_v4)
        const CpuFeatures cpu = detect();
#endif
#ifdef FANIN_HAVE_x86_64_v3
        v3 = &x86_64_v3::table;
        v3_supported = cpu.v3;
#endif
#ifdef FANIN_HAVE_x86_64_v4
        v4 = &x86_64_v4::table;
        v4_supported = cpu.v4;
#endif
        list.push_back({"neon", nullptr, false});  // aarch64 builds generic for now
        list.push_back({"x86_64_v3", v3, v3_supported});
        list.push_back({"x86_64_v4", v4, v4_supported});
        return list;
    }();
    return all;
}

bool usable(const Entry& entry) { return entry.table != nullptr && entry.supported; }

std::string names_of_available() {
    std::string names;
    for (const Entry& entry : entries())
        if (usable(entry)) names += (names.empty() ? "" : ", ") + std::string(entry.name);
    return names;
}

const Entry& find(std::string_view argument, std::string_view name) {
    for (const Entry& entry : entries()) {
        if (name != entry.name) continue;
        if (usable(entry)) return entry;
        throw std::invalid_argument(std::string(argument) +
                                    " must be an instruction set that this build and this CPU support (" +
                                    names_of_available() + "), got '" + std::string(name) + "'");
    }
    throw std::invalid_argument(std::string(argument) +
                                " must be one of generic, neon, x86_64_v3, x86_64_v4 (available here: " + names_of_available() +
                                "), got '" + std::string(name) + "'");
}

const Entry& choose() {
    if (const char* forced = std::getenv("FANIN_ISA"); forced != nullptr && *forced != '\0') return find("FANIN_ISA", forced);
    const Entry* best = nullptr;
    for (const Entry& entry : entries())
        if (usable(entry)) best = &entry;
    return *best;
}

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

std::string active_isa() { return active().name; }

void set_isa(std::string_view name) { g_active.store(&find("name", name), std::memory_order_release); }

const KernelTable& kernel_table() { return *active().table; }

}  // namespace fanin
