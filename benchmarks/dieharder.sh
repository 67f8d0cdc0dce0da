#!/usr/bin/env bash
# A subset of dieharder's tests on the raw words of a stream: benchmarks/dieharder.sh [seed] [stream] [test ...]
# Needs dieharder (Debian: apt-get install dieharder) and an installed fanin. Half an hour; a WEAK in a hundred p-values is
# what a good generator gives, a FAILED is not.
set -euo pipefail
seed=${1:-7} stream=${2:-0}
shift $(($# < 2 ? $# : 2))
words() {
  "${PYTHON:-python3}" -c '
import sys
import fanin as fi
seed, stream, block, n = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) << 40, 1 << 22
try:
    while True:
        sys.stdout.buffer.write(fi.random.words(n, seed=seed, stream=stream, first_block=block).tobytes())
        block += n // 4
except BrokenPipeError:
    sys.stderr.close()
' "$seed" "$stream" "$1"
}
# Birthdays, overlapping permutations, ranks of binary matrices, bit streams, counts of ones, parking lot, spheres, squeeze,
# runs, craps, Marsaglia and Tsang's gcd, monobit, runs, serial, bit distribution, minimum distance, permutations,
# lagged sums, Kolmogorov and Smirnov.
# Each test reads blocks of its own, 2^40 apart.
for test in ${*:-0 2 3 4 8 9 10 11 12 13 15 16 17 100 101 102 200 201 202 203 204}; do
  { words "$test" || true; } | dieharder -g 200 -d "$test" | grep -E 'PASSED|WEAK|FAILED' || echo "test $test gave no result"
done
