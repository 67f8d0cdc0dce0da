// The tables of the instruction set in use: one function a table, each in a section of its own, which the linker leaves out of
// programs that do not call it, and with it the kernels that the table names.
#include "kernels/isas.hpp"
#include "kernels/table.hpp"

namespace fanin {

FANIN_BUILT_ISAS(FANIN_DECLARE_ISA)

#define FANIN_ADDRESS(isa, name) &isa::name,
// In the order of KernelTable::index.
#define FANIN_DEFINE_ACTIVE(type, name)                                                    \
    template <>                                                                            \
    const type& active<type>() {                                                           \
        static constexpr const type* all[] = {FANIN_BUILT_ISAS_WITH(FANIN_ADDRESS, name)}; \
        return *all[kernel_table().index];                                                 \
    }
FANIN_EACH_TABLE(FANIN_DEFINE_ACTIVE)

}  // namespace fanin
