// SSE2 on x86-64, NEON on aarch64: what every CPU of the architecture has.
#define FANIN_ISA generic
#define FANIN_ISA_INDEX 0
#define FANIN_VECTOR_BYTES 16
#include "kernels.inl"
