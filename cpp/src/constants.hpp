// Constants that reach a bit, shared by the kernels and the reference. Coefficients, constant term first, come from
// scripts/minimax.py, which prints this form; the comment above each array is what it measured after rounding. The arrays
// are not inline: that would make weak symbols of them, and kernel objects hold none (tests/packaging/test_objects.py).
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

// ln 2 = high + low: the first 15 (42) bits, so that high times an exponent is exact, and the rest, rounded.
inline constexpr float kLn2HighF32 = 0x1.62e400p-1F;
inline constexpr float kLn2LowF32 = 0x1.7f7d1cp-20F;
inline constexpr double kLn2HighF64 = 0x1.62e42fefa3800p-1;
inline constexpr double kLn2LowF64 = 0x1.ef35793c76730p-45;

// 1 / ln 2, rounded.
inline constexpr float kLog2EF32 = 0x1.715476p+0F;
inline constexpr double kLog2EF64 = 0x1.71547652b82fep+0;

// The bits of sqrt(1/2), rounded: mantissas of logarithms are taken from [sqrt(1/2), sqrt 2).
inline constexpr unsigned kRootHalfBitsF32 = 0x3f3504f3u;
inline constexpr unsigned long long kRootHalfBitsF64 = 0x3fe6a09e667f3bcdull;

// kRadius: -2 ln(1 + f) = f P(f), relative error; kSin: sin(pi/4 x) = x S(x^2); kCos: cos(pi/4 x) = C(x^2), x in [-1, 1].

// degree 8 on [-0.5, 0.0], error 2^-24.39
constexpr float kRadiusF32[] = {-0x1.000000p+1F, 0x1.fffe20p-1F,  -0x1.55b59ap-1F, 0x1.f14438p-2F, -0x1.1413aep-1F,
                                -0x1.a0caaap-2F, -0x1.41f272p+1F, -0x1.b21ba0p+1F, -0x1.70e9f0p+1F};

// degree 20 on [-0.5, 0.0], error 2^-56.07
constexpr double kRadiusF64[] = {-0x1.000000p+1,        0x1.fffffffffff30p-1,  -0x1.555555556402cp-1, 0x1.fffffff2da174p-2,
                                 -0x1.99999cb6bba95p-2, 0x1.5554e1fb47ba6p-2,  -0x1.249d670eb301dp-2, 0x1.fe7d9fa34dbdfp-3,
                                 -0x1.da4e884458704p-3, 0x1.c42ad88eedcb1p-4,  -0x1.acf36c1ad209bp-1, -0x1.c7144982c7460p+1,
                                 -0x1.0a1ff9dec7e10p+4, -0x1.c715a76daa2a4p+5, -0x1.33ab196caaca0p+7, -0x1.3f47bb24da5f3p+8,
                                 -0x1.f67926ba3ddbdp+8, -0x1.218e03de4d4aep+9, -0x1.cf3365a9c3112p+8, -0x1.ccbc26254a148p+7,
                                 -0x1.b331b33aad3f5p+5};

// degree 3 on [0.0, 1.0], error 2^-24.81
constexpr float kSinF32[] = {0x1.921fb6p-1F, -0x1.4abbbap-4F, 0x1.465e92p-9F, -0x1.2d9302p-15F};

// degree 4 on [0.0, 1.0], error 2^-26.84
constexpr float kCosF32[] = {0x1.000000p+0F, -0x1.3bd3ccp-2F, 0x1.03c1dap-6F, -0x1.55c4eap-12F, 0x1.d99f54p-19F};

// degree 6 on [0.0, 1.0], error 2^-54.15
constexpr double kSinF64[] = {0x1.921fb54442d18p-1,  -0x1.4abbce625be41p-4,  0x1.466bc67758700p-9, -0x1.32d2cce2d5418p-15,
                              0x1.50782fca4376cp-22, -0x1.e30063a95bdb2p-30, 0x1.e3eed8c16e6f1p-38};

// degree 7 on [0.0, 1.0], error 2^-55.3
constexpr double kCosF64[] = {0x1.000000p+0,         -0x1.3bd3cc9be45dep-2,  0x1.03c1f081b5aaap-6,  -0x1.55d3c7e3c8d5cp-12,
                              0x1.e1f5068303f71p-19, -0x1.a6d1ec3d49c6ep-26, 0x1.f9cc15d54fc27p-34, -0x1.b2586b69e2c0bp-42};

// Sine and cosine of an angle in radians. Reduction: pi / 2 as the sum of three numbers, and 2 / pi, a word of zeros before
// 1216 bits of its fraction. The last window of 192 bits that a double needs starts at bit 970.
inline constexpr float kTwoOverPiF32 = 0x1.45f306p-1F;
inline constexpr float kHalfPi1F32 = 0x1.921fb6p+0F;
inline constexpr float kHalfPi2F32 = -0x1.777a5cp-25F;
inline constexpr float kHalfPi3F32 = -0x1.ee59dap-50F;
inline constexpr double kTwoOverPiF64 = 0x1.45f306dc9c883p-1;
inline constexpr double kHalfPi1F64 = 0x1.921fb54442d18p+0;
inline constexpr double kHalfPi2F64 = 0x1.1a62633145c07p-54;
inline constexpr double kHalfPi3F64 = -0x1.f1976b7ed8fbcp-110;
constexpr unsigned long long kTwoOverPi[] = {0x0000000000000000, 0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041,
                                             0xfe5163abdebbc561, 0xb7246e3a424dd2e0, 0x06492eea09d1921c, 0xfe1deb1cb129a73e,
                                             0xe88235f52ebb4484, 0xe99c7026b45f7e41, 0x3991d639835339f4, 0x9c845f8bbdf9283b,
                                             0x1ff897ffde05980f, 0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7, 0x4f463f669e5fea2d,
                                             0x7527bac7ebe5f17b, 0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab};

// kSine: sin r = r + r^3 S(r^2); kCosine: cos r = 1 - r^2 / 2 + r^4 C(r^2); relative, |r| <= 0.79.

// degree 2 on [0.0, 0.6241], error 2^-27.19
constexpr float kSineF32[] = {-0x1.555544p-3F, 0x1.110700p-7F, -0x1.992f5ap-13F};

// degree 5 on [0.0, 0.6241], error 2^-56.14
constexpr double kSineF64[] = {-0x1.5555555555547p-3, 0x1.111111110f64ap-7,   -0x1.a01a019bcb73cp-13,
                               0x1.71de353abb6ffp-19, -0x1.ae5e365230715p-26, 0x1.5d850f45bea12p-33};

// degree 2 on [0.0625, 0.6241], error 2^-30.92
constexpr float kCosineF32[] = {0x1.55554ap-5F, -0x1.6c0bf2p-10F, 0x1.99d8dcp-16F};

// degree 5 on [0.0625, 0.6241], error 2^-61.24
constexpr double kCosineF64[] = {0x1.555555555554ap-5,   -0x1.6c16c16c14dcfp-10, 0x1.a01a019c5772fp-16,
                                 -0x1.27e4f7c9bedb1p-22, 0x1.1ee9c0dc303b7p-29,  -0x1.8f98931dc5b4ep-37};

// With r in [-ln 2 / 2, ln 2 / 2] and f in [sqrt(1/2) - 1, sqrt 2 - 1]: e^r = 1 + r + r^2 E(r), relative to e^r - 1;
// e^(2 s) = 1 + 2 (s + s^2 T(s)), the same with s = r / 2; tanh x = x + x^3 R(x^2) for |x| <= 13/32 and
// ln(1 + f) = f + f^2 Q(f), both relative.

// degree 4 on [-0.346584, 0.346584], error 2^-25.82
constexpr float kExpF32[] = {0x1.fffffep-2F, 0x1.5554b0p-3F, 0x1.555674p-5F, 0x1.12276ep-7F, 0x1.6bebd6p-10F};

// degree 10 on [-0.346584, 0.346584], error 2^-59.93
constexpr double kExpF64[] = {0x1.0000000000000p-1,  0x1.5555555555559p-3,  0x1.555555555553fp-5,  0x1.111111110f6ddp-7,
                              0x1.6c16c16c1f05bp-10, 0x1.a01a01afd24bfp-13, 0x1.a01a017bcbfffp-16, 0x1.71ddf8832ba07p-19,
                              0x1.27e5362629cbcp-22, 0x1.af5e6c8b36cdap-26, 0x1.1ee88966b817dp-29};

// degree 4 on [-0.173292, 0.173292], error 2^-25.82
constexpr float kTanhF32[] = {0x1.fffffep-1F, 0x1.5554b0p-1F, 0x1.555674p-2F, 0x1.12276ep-3F, 0x1.6bebd6p-5F};

// degree 10 on [-0.173292, 0.173292], error 2^-59.93
constexpr double kTanhF64[] = {0x1.0000000000000p+0,  0x1.5555555555559p-1,  0x1.555555555553fp-2, 0x1.111111110f6ddp-3,
                               0x1.6c16c16c1f05bp-5,  0x1.a01a01afd24bfp-7,  0x1.a01a017bcbfffp-9, 0x1.71ddf8832ba07p-11,
                               0x1.27e5362629cbcp-13, 0x1.af5e6c8b36cdap-16, 0x1.1ee88966b817dp-18};

// degree 3 on [0.0, 0.165039], error 2^-27.9
constexpr float kTanhSmallF32[] = {-0x1.55553cp-2F, 0x1.1104eep-3F, -0x1.b694bep-5F, 0x1.31a6e4p-6F};

// degree 8 on [0.0, 0.165039], error 2^-58.19
constexpr double kTanhSmallF64[] = {-0x1.5555555555538p-2,  0x1.111111110d90dp-3,  -0x1.ba1ba1b582ffbp-5,
                                    0x1.664f470773649p-6,   -0x1.226df008c0c1fp-7, 0x1.d6c4731a8e286p-9,
                                    -0x1.7c951aca09b77p-10, 0x1.2a02342437340p-11, -0x1.6a9fa49807c55p-13};

// degree 8 on [-0.292893, 0.414214], error 2^-27.54
constexpr float kLogF32[] = {-0x1.fffff8p-2F, 0x1.555550p-2F,  -0x1.000426p-2F, 0x1.99a3f2p-3F, -0x1.54276ep-3F,
                             0x1.22719ap-3F,  -0x1.0f375ap-3F, 0x1.084872p-3F,  -0x1.383080p-4F};

// degree 20 on [-0.292893, 0.414214], error 2^-56.2
constexpr double kLogF64[] = {-0x1.0000000000000p-1, 0x1.5555555555571p-2, -0x1.ffffffffffd4ap-3, 0x1.9999999994055p-3,
                              -0x1.5555555573478p-3, 0x1.24924927b1f24p-3, -0x1.fffffff068526p-4, 0x1.c71c700bc6b81p-4,
                              -0x1.99999af23ac14p-4, 0x1.745d5cd5e7066p-4, -0x1.5555738432728p-4, 0x1.3b0d30b7c7450p-4,
                              -0x1.2489376774955p-4, 0x1.116cf7e7f2f62p-4, -0x1.00d2e74d15d71p-4, 0x1.dc76560ad9990p-5,
                              -0x1.b421f7ec18059p-5, 0x1.bbf478526b4f3p-5, -0x1.016e3372d5b2ep-4, 0x1.d2df56f51b001p-5,
                              -0x1.8d038636c3068p-6};

// ------------------------------------------------------------------------------------------------ normal law, activations

// All relative. kErf: erf x = x + x P(x^2), |x| <= 1. kPhi: Phi(x) = 1/2 + x P(x^2), |x| <= 1. kUpperTail: e^(t^2 / 2) Phi(-t)
// = P(1 - 8 / (t + 4)) / (t + 4), t in [1, 15.75] and [1, 40.5]. kGeluSlope: Phi(-t) - t phi(t) = -d P(d), d = t minus the
// root, t in [0, 5/4].

// degree 6 on [0.0, 1.0], error 2^-27.75
constexpr float kErfF32[] = {0x1.06eba8p-3F, -0x1.81273ep-2F,  0x1.ce2cf8p-4F, -0x1.b7f90cp-6F,
                             0x1.5405b0p-8F, -0x1.a3f6f0p-11F, 0x1.496a02p-14F};

// degree 12 on [0.0, 1.0], error 2^-56.3
constexpr double kErfF64[] = {0x1.06eba8214db69p-3,  -0x1.812746b0379e6p-2,  0x1.ce2f21a042b20p-4,  -0x1.b82ce3128499cp-6,
                              0x1.565bcd0db02c7p-8,  -0x1.c02db3d8ecdbep-11, 0x1.f9a321a116d34p-14, -0x1.f4d1df38db4aep-17,
                              0x1.b9def1995c1e6p-20, -0x1.5f1d36a3432d6p-23, 0x1.f7a4112daf135p-27, -0x1.386abe81bc097p-30,
                              0x1.0579a69d4bb26p-34};

// degree 6 on [0.0, 1.0], error 2^-25.07
constexpr float kPhiF32[] = {0x1.988454p-2F,  -0x1.105838p-4F,  0x1.46d034p-7F, -0x1.373d8cp-10F,
                             0x1.e3af2ep-14F, -0x1.3727b4p-17F, 0x1.2037c6p-21F};

// degree 12 on [0.0, 1.0], error 2^-53.34
constexpr double kPhiF64[] = {0x1.9884533d43651p-2,  -0x1.1058377e2cee0p-4,  0x1.46d04297691dap-7,  -0x1.37403f6ba10f3p-10,
                              0x1.e42b0d52165e5p-14, -0x1.3ce8fac13cabep-17, 0x1.658a216e93ea0p-21, -0x1.622268a0528e9p-25,
                              0x1.387882c2bf23fp-29, -0x1.f0feaec245e39p-34, 0x1.6737e4f4f4087p-38, -0x1.d3539a8c21518p-43,
                              0x1.d13a888785a31p-48};

// degree 8 on [-0.6, 0.594937], error 2^-24.77
constexpr float kUpperTailF32[] = {0x1.82b4bcp-1F,  -0x1.373e38p-1F, 0x1.8c6dd2p-2F,  -0x1.7e0152p-3F, 0x1.eebc70p-5F,
                                   -0x1.eb5356p-8F, -0x1.c5bdc6p-9F, 0x1.7f3470p-10F, 0x1.c3cbe4p-14F};

// degree 19 on [-0.6, 0.820225], error 2^-53.21
constexpr double kUpperTailF64[] = {
    0x1.82b4bb8c94dcep-1,   -0x1.373e3a893c28bp-1, 0x1.8c6dbf2cfc275p-2,   -0x1.7dff2bff6809dp-3,  0x1.eec4cc3e5599dp-5,
    -0x1.ee276105a2752p-8,  -0x1.c81719e2e78a4p-9, 0x1.ab8260274fc0cp-10,  0x1.17a4b8dd9a000p-13,  -0x1.e4a44cc0b75b9p-13,
    -0x1.003009658a34cp-19, 0x1.26d5103d85163p-15, 0x1.81a03afbf8adcp-21,  -0x1.8de882a50aad6p-18, -0x1.52d457ea5f813p-21,
    0x1.18ad48a739ebfp-20,  0x1.1c8b5fc697cc6p-22, -0x1.97d6b463bdaa9p-23, -0x1.13a4b2ff56525p-24, 0x1.31c2d6f687c7ep-25};

// degree 9 on [-0.751792, 0.498208], error 2^-25.56
constexpr float kGeluSlopeF32[] = {0x1.b9d990p-2F,  -0x1.8d9a96p-2F, -0x1.2a2f10p-6F, 0x1.d2fb16p-4F,   -0x1.e40400p-7F,
                                   -0x1.3e5aacp-6F, 0x1.290024p-8F,  0x1.2b02d8p-9F,  -0x1.6fd744p-11F, -0x1.04d4fap-12F};

// degree 17 on [-0.751792, 0.498208], error 2^-53.76
constexpr double kGeluSlopeF64[] = {
    0x1.b9d98fa5a3215p-2,  -0x1.8d9a941de3ac5p-2,  -0x1.2a2ef9bb8644fp-6,  0x1.d2fa4c17c7e5ep-4,   -0x1.e408824505337p-7,
    -0x1.3e346def41977p-6, 0x1.297b9d7297517p-8,   0x1.258a6d86f15cep-9,   -0x1.8680f86b08aa0p-11, -0x1.86c866a1ff097p-13,
    0x1.69614b2d83309p-14, 0x1.784ce07b8ae89p-17,  -0x1.04071bc5e3592p-17, -0x1.d237f38830a1cp-22, 0x1.33294a18a7613p-21,
    0x1.6d8b2bdf8f240p-28, -0x1.35eff500ea3c4p-25, -0x1.6ccf11acfb682p-29};

// That root = value + low; 1 / sqrt(2 pi) = value + low; sqrt 2.
inline constexpr float kGeluRootF32 = 0x1.80ead2p-1F, kGeluRootLowF32 = -0x1.a03fd4p-27F;
inline constexpr double kGeluRootF64 = 0x1.80ead197f00b4p-1, kGeluRootLowF64 = -0x1.13e74c58cada8p-56;
inline constexpr float kNormalDensityF32 = 0x1.988454p-2F, kNormalDensityLowF32 = -0x1.857936p-27F;
inline constexpr double kNormalDensityF64 = 0x1.9884533d43651p-2, kNormalDensityLowF64 = -0x1.cbc0d30ebfd15p-56;
inline constexpr float kSqrt2F32 = 0x1.6a09e6p+0F;
inline constexpr double kSqrt2F64 = 0x1.6a09e667f3bcdp+0;

// GELU, tanh form: 2 sqrt(2 / pi), and 0.044715 times that, both value + low (Hendrycks and Gimpel, "Gaussian error linear
// units", 2016, section 2).
inline constexpr float kGeluLinearF32 = 0x1.988454p+0F, kGeluLinearLowF32 = -0x1.857936p-25F;
inline constexpr double kGeluLinearF64 = 0x1.9884533d43651p+0, kGeluLinearLowF64 = -0x1.cbc0d30ebfd15p-54;
inline constexpr float kGeluCubicF32 = 0x1.2444f2p-4F, kGeluCubicLowF32 = 0x1.49b16ap-29F;
inline constexpr double kGeluCubicF64 = 0x1.2444f2a4d8b4bp-4, kGeluCubicLowF64 = -0x1.6c843a29d1c70p-61;

// SELU: lambda = 1.0507009873554805 and lambda alpha, alpha = 1.6732632423543772 (Klambauer, Unterthiner, Mayr, Hochreiter,
// "Self-normalizing neural networks", NIPS 2017, equation 14), rounded to double; float32 rounds these once more.
inline constexpr double kSeluLambda = 0x1.0cfabd6a91132p+0;
inline constexpr double kSeluLambdaAlpha = 0x1.c212cc640f031p+0;

// ------------------------------------------------------------------------------------------------ inverse normal

// z = x P(-2 ln(1 - x^2)) = sqrt 2 erfinv(x) while |z| <= 2.5, and -2 ln(1 + f) = f P(f) for it: errors of z and of the
// logarithm, both absolute.
// degree 7 on [0.0, 7.42], error 2^-22.87
inline constexpr float kInverseCentralF32[] = {0x1.40d926p+0F,   0x1.5000a0p-3F,  0x1.0ae2d8p-8F,   -0x1.a63486p-12F,
                                               -0x1.10bdaap-16F, 0x1.c91332p-19F, -0x1.4f54dep-23F, 0x1.1c5f7ap-29F};

// degree 6 on [-0.5, 0.0], error 2^-21.11
inline constexpr float kInverseLogF32[] = {-0x1.000208p+1F, 0x1.fe7d86p-1F,  -0x1.6d73b2p-1F, 0x1.314398p-3F,
                                           -0x1.c156bcp+0F, -0x1.2e7756p+1F, -0x1.506cdcp+1F};

// Quantiles of the normal law: Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied
// Statistics 37(3), 1988, routine PPND16 (relative error about 1e-16), in three regions of the probability p.
// |p - 1/2| <= 0.425: (p - 1/2) A(r) / B(r), r = 0.425^2 - (p - 1/2)^2
inline constexpr double kInverseA[] = {3.3871328727963666080e0,  1.3314166789178437745e+2, 1.9715909503065514427e+3,
                                       1.3731693765509461125e+4, 4.5921953931549871457e+4, 6.7265770927008700853e+4,
                                       3.3430575583588128105e+4, 2.5090809287301226727e+3};
inline constexpr double kInverseB[] = {1.0,
                                       4.2313330701600911252e+1,
                                       6.8718700749205790830e+2,
                                       5.3941960214247511077e+3,
                                       2.1213794301586595867e+4,
                                       3.9307895800092710610e+4,
                                       2.8729085735721942674e+4,
                                       5.2264952788528545610e+3};
// otherwise with r = sqrt(-ln tail): r <= 5: C(r - 1.6) / D(r - 1.6)
inline constexpr double kInverseC[] = {1.42343711074968357734e0,  4.63033784615654529590e0, 5.76949722146069140550e0,
                                       3.64784832476320460504e0,  1.27045825245236838258e0, 2.41780725177450611770e-1,
                                       2.27238449892691845833e-2, 7.74545014278341407640e-4};
inline constexpr double kInverseD[] = {1.0,
                                       2.05319162663775882187e0,
                                       1.67638483018380384940e0,
                                       6.89767334985100004550e-1,
                                       1.48103976427480074590e-1,
                                       1.51986665636164571966e-2,
                                       5.47593808499534494600e-4,
                                       1.05075007164441684324e-9};
// and beyond: E(r - 5) / F(r - 5)
inline constexpr double kInverseE[] = {6.65790464350110377720e0,  5.46378491116411436990e0,  1.78482653991729133580e0,
                                       2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                       2.71155556874348757815e-5, 2.01033439929228813265e-7};
inline constexpr double kInverseF[] = {1.0,
                                       5.99832206555887937690e-1,
                                       1.36929880922735805310e-1,
                                       1.48753612908506148525e-2,
                                       7.86869131145613259100e-4,
                                       1.84631831751005468180e-5,
                                       1.42151175831644588870e-7,
                                       2.04426310338993978564e-15};

// ln(z Q(z) / phi(z)) = ln(1 + S(1 / z^2)), the asymptotic series of Mills' ratio (Abramowitz and Stegun 26.2.12); from
// z = 30 on the first term left out is below 2e-12 and its effect on z below 1e-13.
inline constexpr double kMillsSeries[] = {1.0, -1.0, 3.0, -15.0, 105.0};
inline constexpr double kFarTail = 30.0;

}  // namespace fanin
