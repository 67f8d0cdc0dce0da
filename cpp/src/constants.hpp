// Constants that reach a bit, shared by the kernels and the reference. Coefficients, constant term first, come from
// scripts/minimax.py, which prints this form; the comment above each array is what it measured after rounding.
#pragma once

namespace fanin {

// Philox4x32 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11): multipliers from
// table 2; the key schedule adds the golden ratio and sqrt(3) - 1, as 32-bit fractions, each round.
inline constexpr unsigned kPhiloxMultiplier0 = 0xD2511F53u;
inline constexpr unsigned kPhiloxMultiplier1 = 0xCD9E8D57u;
inline constexpr unsigned kPhiloxWeyl0 = 0x9E3779B9u;
inline constexpr unsigned kPhiloxWeyl1 = 0xBB67AE85u;
inline constexpr int kPhiloxRounds = 10;

// ln 2, rounded.
inline constexpr float kLn2F32 = 0x1.62e430p-1F;
inline constexpr double kLn2F64 = 0x1.62e42fefa39efp-1;

// kRadius: -2 ln(1 + f) = f P(f), relative error; kSin: sin(pi/4 x) = x S(x^2); kCos: cos(pi/4 x) = C(x^2), x in [-1, 1].

// degree 8 on [-0.5, 0.0], error 2^-24.39
inline constexpr float kRadiusF32[] = {
    -0x1.000000p+1F,
    0x1.fffe20p-1F,
    -0x1.55b59ap-1F,
    0x1.f14438p-2F,
    -0x1.1413aep-1F,
    -0x1.a0caaap-2F,
    -0x1.41f272p+1F,
    -0x1.b21ba0p+1F,
    -0x1.70e9f0p+1F};

// degree 20 on [-0.5, 0.0], error 2^-56.07
inline constexpr double kRadiusF64[] = {
    -0x1.000000p+1,
    0x1.fffffffffff30p-1,
    -0x1.555555556402cp-1,
    0x1.fffffff2da174p-2,
    -0x1.99999cb6bba95p-2,
    0x1.5554e1fb47ba6p-2,
    -0x1.249d670eb301dp-2,
    0x1.fe7d9fa34dbdfp-3,
    -0x1.da4e884458704p-3,
    0x1.c42ad88eedcb1p-4,
    -0x1.acf36c1ad209bp-1,
    -0x1.c7144982c7460p+1,
    -0x1.0a1ff9dec7e10p+4,
    -0x1.c715a76daa2a4p+5,
    -0x1.33ab196caaca0p+7,
    -0x1.3f47bb24da5f3p+8,
    -0x1.f67926ba3ddbdp+8,
    -0x1.218e03de4d4aep+9,
    -0x1.cf3365a9c3112p+8,
    -0x1.ccbc26254a148p+7,
    -0x1.b331b33aad3f5p+5};

// degree 3 on [0.0, 1.0], error 2^-24.81
inline constexpr float kSinF32[] = {
    0x1.921fb6p-1F,
    -0x1.4abbbap-4F,
    0x1.465e92p-9F,
    -0x1.2d9302p-15F};

// degree 4 on [0.0, 1.0], error 2^-26.84
inline constexpr float kCosF32[] = {
    0x1.000000p+0F,
    -0x1.3bd3ccp-2F,
    0x1.03c1dap-6F,
    -0x1.55c4eap-12F,
    0x1.d99f54p-19F};

// degree 6 on [0.0, 1.0], error 2^-54.15
inline constexpr double kSinF64[] = {
    0x1.921fb54442d18p-1,
    -0x1.4abbce625be41p-4,
    0x1.466bc67758700p-9,
    -0x1.32d2cce2d5418p-15,
    0x1.50782fca4376cp-22,
    -0x1.e30063a95bdb2p-30,
    0x1.e3eed8c16e6f1p-38};

// degree 7 on [0.0, 1.0], error 2^-55.3
inline constexpr double kCosF64[] = {
    0x1.000000p+0,
    -0x1.3bd3cc9be45dep-2,
    0x1.03c1f081b5aaap-6,
    -0x1.55d3c7e3c8d5cp-12,
    0x1.e1f5068303f71p-19,
    -0x1.a6d1ec3d49c6ep-26,
    0x1.f9cc15d54fc27p-34,
    -0x1.b2586b69e2c0bp-42};

}  // namespace fanin
