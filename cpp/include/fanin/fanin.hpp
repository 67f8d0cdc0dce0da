// The whole public API: one header a topic, each usable alone.
#pragma once

#include "fanin/activation.hpp"
#include "fanin/aligned.hpp"
#include "fanin/dense.hpp"
#include "fanin/float16.hpp"
#include "fanin/init.hpp"
#include "fanin/isa.hpp"
#include "fanin/loss.hpp"
#include "fanin/network.hpp"
#include "fanin/optimizer.hpp"
#include "fanin/random.hpp"
#include "fanin/safetensors.hpp"
#include "fanin/stats.hpp"
#include "fanin/threads.hpp"
#include "fanin/version.hpp"
#include "fanin/view.hpp"
