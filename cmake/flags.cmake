option(FANIN_WERROR "Turn warnings into errors" OFF)

# Flags of every translation unit, the tests' and the reference's included. -ffp-contract=off: a product and a sum are
# fused where the source says so and nowhere else (docs/principles.md, one arithmetic). -fno-fast-math: also inside a project that
# is built with it.
add_library(fanin_flags INTERFACE)
target_compile_features(fanin_flags INTERFACE cxx_std_20)
target_compile_options(fanin_flags INTERFACE
  -fno-fast-math -ffp-contract=off -Wall -Wextra -Wconversion -Wno-sign-conversion -Wshadow -Wno-psabi $<$<BOOL:${FANIN_WERROR}>:-Werror>)
