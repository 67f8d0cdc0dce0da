// The version of fanin, the one place where it stands (the build reads it from here).
#pragma once

#define FANIN_VERSION_MAJOR 0
#define FANIN_VERSION_MINOR 1
#define FANIN_VERSION_PATCH 0
#define FANIN_VERSION "0.1.0"

namespace fanin {

// The version of every algorithm that decides a bit of what is drawn or computed. It changes only when bits change, and
// the changelog then says which (heading "Reproducibility").
inline constexpr int kAlgorithmVersion = 2;

}  // namespace fanin
