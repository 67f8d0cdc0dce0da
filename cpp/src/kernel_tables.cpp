// The tables of the instruction set in use: one function a table, each in a section of its own, which the linker leaves out of
// programs that do not call it, and with it the kernels that the table names.
#include "kernels/table.hpp"

namespace fanin {

#ifdef FANIN_HAVE_x86_64_v3
#define FANIN_OF_V3(name) &x86_64_v3::name
#else
#define FANIN_OF_V3(name) nullptr
#endif
#ifdef FANIN_HAVE_x86_64_v4
#define FANIN_OF_V4(name) &x86_64_v4::name
#else
#define FANIN_OF_V4(name) nullptr
#endif

// In the order of KernelTable::index.
#define FANIN_DEFINE_ACTIVE(type, name)                                                              \
    template <>                                                                                      \
    const type& active<type>() {                                                                     \
        static constexpr const type* all[] = {&generic::name, FANIN_OF_V3(name), FANIN_OF_V4(name)}; \
        return *all[kernel_table().index];                                                           \
    }
FANIN_EACH_TABLE(FANIN_DEFINE_ACTIVE)

}  // namespace fanin
