// AVX-512.
#define FANIN_ISA x86_64_v4
#define FANIN_ISA_INDEX 2
#define FANIN_VECTOR_BYTES 64
#include "kernels.inl"
