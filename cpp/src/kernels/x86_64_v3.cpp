// AVX2 and FMA.
#define FANIN_ISA x86_64_v3
#define FANIN_ISA_INDEX 1
#define FANIN_VECTOR_BYTES 32
#include "kernels.inl"
