// The specification: every public operation of the core in plain loops, never optimised. The kernels equal it bit for
// bit on every instruction set (the payload and the sign of NaN excepted).
#pragma once

#include "reference/activation.hpp"
#include "reference/dense.hpp"
#include "reference/float16.hpp"
#include "reference/init.hpp"
#include "reference/loss.hpp"
#include "reference/math.hpp"
#include "reference/network.hpp"
#include "reference/optimizer.hpp"
#include "reference/random.hpp"
#include "reference/random_truncated.hpp"
#include "reference/softmax.hpp"
#include "reference/stats.hpp"
