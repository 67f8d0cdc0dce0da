// The orthogonal law: gain times a Haar-distributed matrix.
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>

#include "fanin/init.hpp"

namespace fanin::detail {

// Reflections that are applied together, as three matrix products. It fixes the order of summation, so it is part of the
// law.
inline constexpr std::size_t kReflectionBlock = 96;

// Partial sums of the square of a norm, in double: element k of the vector goes to sum k % 16; then the upper half of the
// sums is added to the lower half until one is left.
inline constexpr std::size_t kNormSums = 16;

// Draws the part of a parameter of shape `shape` that begins at `offset` into `out`. The parameter, its axes.out flattened
// to rows and all others to columns (both in C order), is gain * Q: Q is uniformly distributed over the matrices with
// orthonormal rows (at most as many rows as columns) or orthonormal columns (otherwise); a tall Q is the transpose of the
// wide one of the same key. Each index of axes.batch (C order, number b) is a matrix of its own, whose draws begin at b n m.
// The 16-bit types are the float draw, rounded once.
//
// The wide n x m matrix is P = D [I 0] H_{n-1} ... H_1 H_0 (Stewart 1980): H_j reflects the vector x_j of length m - j to a
// multiple of its first axis, x_j being the standard normal draw of the indices j m + j ... j m + m - 1, and D holds the
// signs that make this the Q of a Gaussian matrix whose R has a positive diagonal (Mezzadri, math-ph/0609050, section 5).
// So row 0 is x_0 / |x_0|. kReflectionBlock reflections at a time are I - V T V^T (Schreiber and Van Loan 1989; T by its
// inverse, Puglisi 1992); reference/orthogonal.hpp states each sum.
//
// A row of P depends on the reflections up to its own alone: a part costs the rows of P that it meets, and the vectors
// before them. Memory: those rows, unless `out` can hold them, and a few blocks of vectors. Arguments are checked.
template <class T>
void fill_orthogonal(ArrayView<T> out, std::span<const std::size_t> shape, std::span<const std::size_t> offset,
                     const Axes& axes, std::conditional_t<std::is_same_v<T, double>, double, float> gain, Key key);

}  // namespace fanin::detail
