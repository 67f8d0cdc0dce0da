"""Statistical quality of the base draws, in one command: prints a table, exits with 1 where a bound does not hold.

python benchmarks/quality_random.py [--draws 30] [--laws normal ...] [--jobs N] [--write docs/sampling.md]

For each law and dtype, on 2^draws consecutive elements of one stream, standardised by the exact mean and variance:
mean, variance, skewness and kurtosis within 5 standard errors; chi-square over 1024 equiprobable bins; counts beyond 4, 4.5,
5, 5.5 and 6 sigma against the exact law; autocorrelation of z and of z^2 at lags 1 to 16; independence of the elements 2p
and 2p + 1 (chi-square over 32 x 32 equiprobable cells); Kolmogorov and Smirnov on the first 10^7. P-values must exceed 1e-6.
The laws are measured side by side, one process a core; at 2^30 each takes a minute.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from math import sqrt
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.special import ndtr
from scipy.stats import chi2, kstwobign, norm, poisson

import fanin as fi

CHUNK, LAGS, BINS, CELLS, KS = 1 << 15, 16, 1024, 32, 10**7
TAILS = (4.0, 4.5, 5.0, 5.5, 6.0)
SMALLEST_P, ERRORS = 1e-6, 5.0
LAWS = {"normal": "normal", "uniform": "uniform(low=-1, high=1)", "truncated": "truncated_normal(lower=-2, upper=2)"}
Array = NDArray[np.float64]


def exact_moments(law: str) -> dict[int, float]:
    """E x^k of the standardised law, k = 4, 6, 8."""
    if law == "normal":
        return {4: 3.0, 6: 15.0, 8: 105.0}
    if law == "uniform":
        return {k: 3 ** (k / 2) / (k + 1) for k in (4, 6, 8)}
    mass = ndtr(2) - ndtr(-2)
    raw = {k: quad(lambda z, k=k: z**k * norm.pdf(z) / mass, -2, 2, epsabs=1e-14)[0] for k in (2, 4, 6, 8)}
    return {k: raw[k] / raw[2] ** (k / 2) for k in (4, 6, 8)}


def probability(law: str, x: Array) -> Array:
    """The law's distribution function at draws x."""
    if law == "uniform":
        return (x + 1) / 2
    return ndtr(x) if law == "normal" else (ndtr(x) - ndtr(-2)) / (ndtr(2) - ndtr(-2))


def chunks(law: str, dtype: str, n: int) -> Iterator[Array]:
    drawn = fi.init.law(LAWS[law])
    for first in range(0, n, CHUNK):
        block = slice(first, min(n, first + CHUNK))
        yield drawn(n, seed=20240601, stream="quality", dtype=dtype, block=block).astype(np.float64)


@dataclass
class Quality:
    """Sums over the draws so far."""

    law: str
    n: int = 0
    powers: Array = field(default_factory=lambda: np.zeros(5))
    bins: NDArray[np.int64] = field(default_factory=lambda: np.zeros(BINS, np.int64))
    cells: NDArray[np.int64] = field(default_factory=lambda: np.zeros(CELLS * CELLS, np.int64))
    tails: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(TAILS), np.int64))
    lags: Array = field(default_factory=lambda: np.zeros((2, LAGS)))
    before: tuple[Array, Array] | None = None
    first: list[Array] = field(default_factory=list)
    largest: float = 0.0

    def add(self, raw: Array) -> None:
        m = fi.init.law(LAWS[self.law])
        x = (raw - m.mean) / sqrt(m.variance)
        square = x * x
        self.powers += [len(x), x.sum(), square.sum(), np.dot(square, x), np.dot(square, square)]
        self.largest = max(self.largest, float(np.abs(raw).max()))
        if not np.isfinite(raw).all():
            raise ValueError("a draw is not finite")
        p = probability(self.law, raw)
        self.bins += np.bincount(np.minimum((p * BINS).astype(np.int64), BINS - 1), minlength=BINS)
        part = np.minimum((p * CELLS).astype(np.int64), CELLS - 1)
        self.cells += np.bincount(part[0::2] * CELLS + part[1::2], minlength=CELLS * CELLS)
        far = np.sort(np.abs(x[square > TAILS[0] ** 2]))
        self.tails += len(far) - np.searchsorted(far, TAILS, side="right")
        for i, series in enumerate((x, square - 1)):
            joined = series if self.before is None else np.concatenate([self.before[i], series])
            start = 0 if self.before is None else LAGS
            for lag in range(1, LAGS + 1):
                a = joined[max(0, start - lag) : len(joined) - lag]
                self.lags[i, lag - 1] += np.dot(a, joined[max(0, start - lag) + lag :])
        self.before = (x[-LAGS:].copy(), square[-LAGS:] - 1)
        if self.n < KS:
            self.first.append(p[: KS - self.n])
        self.n += len(x)

    def rows(self) -> Iterator[tuple[str, str, bool]]:
        """Name, value, whether it holds."""
        m, n = exact_moments(self.law), self.n
        mean, var, skew, kurtosis = self.powers[1:] / n
        for name, value, target, error in (
            ("mean", mean, 0, 1),
            ("variance", var, 1, sqrt(m[4] - 1)),
            ("skewness", skew, 0, sqrt(m[6])),
            ("kurtosis", kurtosis, m[4], sqrt(m[8] - m[4] ** 2)),
        ):
            errors = (value - target) / error * sqrt(n)
            yield name, f"{value - target:+.2e} ({errors:+.1f} se)", abs(errors) <= ERRORS
        yield self._chi2("chi-square, 1024 bins", self.bins)
        yield self._chi2("chi-square, pairs, 32 x 32", self.cells)
        for lags, scale, name in zip(self.lags, (1, m[4] - 1), ("z", "z^2"), strict=True):
            worst = np.abs(lags / n / scale).max() * sqrt(n)
            yield f"autocorrelation of {name}, worst of 16 lags", f"{worst:.1f} se", worst <= ERRORS
        p = np.sort(np.concatenate(self.first))
        steps = np.arange(len(p)) / len(p)
        distance = max((p - steps).max(), (steps + 1 / len(p) - p).max())
        value = float(kstwobign.sf(distance * sqrt(len(p))))
        yield f"Kolmogorov-Smirnov, {len(p):.0e}", f"p = {value:.3g}", value > SMALLEST_P
        if self.law == "normal":
            for tail, count in zip(TAILS, self.tails, strict=True):
                expected = 2 * n * norm.sf(tail)
                value = min(1.0, 2 * min(poisson.cdf(count, expected), poisson.sf(count - 1, expected)))
                yield f"beyond {tail:g} sigma", f"{count}, expected {expected:.1f}, p = {value:.3g}", value > SMALLEST_P
        yield (
            "largest magnitude",
            f"{self.largest:.6f}",
            self.law == "normal" or (self.largest < 1 if self.law == "uniform" else self.largest <= 2),
        )

    def _chi2(self, name: str, counts: NDArray[np.int64]) -> tuple[str, str, bool]:
        expected = counts.sum() / len(counts)
        statistic = ((counts - expected) ** 2 / expected).sum()
        p = float(min(chi2.sf(statistic, len(counts) - 1), chi2.cdf(statistic, len(counts) - 1)))
        return name, f"{statistic:.0f}, p = {p:.3g}", p > SMALLEST_P


def measure(law: str, dtype: str, draws: int) -> tuple[list[tuple[str, str, bool]], float]:
    """The rows of one law in one dtype, and the seconds that it took."""
    start, quality = time.perf_counter(), Quality(law)
    for chunk in chunks(law, dtype, 1 << draws):
        quality.add(chunk)
    return list(quality.rows()), time.perf_counter() - start


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=30, help="2^DRAWS of each law")
    parser.add_argument("--laws", nargs="+", default=list(LAWS), choices=list(LAWS))
    parser.add_argument("--write", type=Path, help="put the table between the quality marks of this page")
    parser.add_argument("--jobs", type=int, help="processes; as many as CPUs if not given")
    args = parser.parse_args()
    columns, good = {}, True
    tasks = [(law, dtype, args.draws) for law in args.laws for dtype in ("float32", "float64")]
    with ProcessPoolExecutor(args.jobs, initializer=fi.set_num_threads, initargs=(1,)) as pool:
        for (law, dtype, _), (rows, took) in zip(tasks, pool.map(measure, *zip(*tasks, strict=True)), strict=True):
            columns[f"{law}, {dtype}"] = rows
            print(f"\n{law}, {dtype}: 2^{args.draws} draws, {took:.0f} s")
            for name, value, holds in rows:
                good = good and holds
                print(f"  {name:<42}{value}{'' if holds else '   FAILS'}")
            sys.stdout.flush()
    if args.write is not None:
        write(args.write, args.draws, columns)
    print("\nall bounds hold" if good else "\nSOME BOUNDS FAIL")
    return 0 if good else 1


def write(page: Path, draws: int, columns: dict[str, list[tuple[str, str, bool]]]) -> None:
    names = list(dict.fromkeys(name for rows in columns.values() for name, _, _ in rows))
    lines = [f"2^{draws} draws of each law.", "", "| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for name in names:
        values = [next((v for n, v, _ in rows if n == name), "") for rows in columns.values()]
        lines.append(f"| {name} | " + " | ".join(values) + " |")
    text = page.read_text()
    begin, end = "<!-- quality -->\n", "<!-- end of quality -->"
    before, after = text.index(begin) + len(begin), text.index(end)
    page.write_text(text[:before] + "\n".join(lines) + "\n" + text[after:])


if __name__ == "__main__":
    sys.exit(main())
