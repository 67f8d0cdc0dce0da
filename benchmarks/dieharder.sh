#!/usr/bin/env bash
# A subset of dieharder's tests on the raw words of a stream: benchmarks/dieharder.sh [seed] [stream] [test ...]
# Needs dieharder (Debian: apt-get install dieharder) and an installed fanin. A quarter of an hour; a WEAK in a hundred
# p-values is what a good generator gives, a FAILED is not.
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
# runs, craps, Marsaglia and Tsang's gcd, monobit, runs, serial; then with the tuple that dieharder wants stated: bit
# distribution, minimum distance, permutations, lagged sums; Kolmogorov and Smirnov. A test is number or number,tuple; each
# reads blocks of its own, 2^40 apart.
all="0 1 2 3 4 8 9 10 11 12 13 15 16 17 100 101 102 200,1 200,4 200,8 200,12 201,2 201,5 202,2 202,5 203,0 203,8 203,32 204"
for test in ${*:-$all}; do
  number=${test%,*} tuple=${test#"${test%,*}"} tuple=${tuple#,}
  { words "$((tuple ? number * 64 + tuple : number))" || true; } |
    dieharder -g 200 -d "$number" ${tuple:+-n "$tuple"} | grep -E 'PASSED|WEAK|FAILED' || echo "test $test gave no result"
done
