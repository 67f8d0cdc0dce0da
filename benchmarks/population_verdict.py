"""Hold `fanin.diagnose` against what training does: a population of random networks, their outcomes, and the table of both.

Each seed makes one network of 1 to 20 hidden layers, one data set and, in two thirds of the cases, one defect. The outcome
comes from SGD at six rates, batches of 32: "trains" where the best rate comes within ten points of accuracy (regression: within
twice the cost) of the same architecture begun by the rule for its activation, in as many steps; "slow" where it has half of the
reference's gain over the best constant prediction; else "stuck". One run decides little near these limits, so both are trained
five times, with the rows in five orders and five draws of the rule, and the outcome is what most of these say. Architectures
that neither start trains are counted apart. The diagnosis sees rows of its own, and a third of the steps.

    python benchmarks/population_verdict.py outcomes 0 250 --steps 300
    python benchmarks/population_verdict.py outcomes 0 100 --repeats 0 10 --all
    python benchmarks/population_verdict.py again 0 100 --steps 300           # do ten repeats, five and five, say the same?
    python benchmarks/population_verdict.py score 0 250 --steps 300           # develop on these seeds
    python benchmarks/population_verdict.py score 10000 10250 --steps 300     # scored once
    python benchmarks/population_verdict.py times 3
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections import Counter
from pathlib import Path

import numpy as np

import fanin as fi

RATES = (0.001, 0.01, 0.03, 0.1, 0.3, 1.0)
ACTIVATIONS = ("tanh", "relu", "sigmoid", "leaky_relu", "elu", "selu", "gelu", "softplus")
LAWS = (
    "zeros",
    "constant(value=0.1)",
    "normal(std=0.01)",
    "normal(std=1)",
    "fan_in_uniform",
    "xavier_normal",
    "he_normal",
    "glorot_uniform",
    "orthogonal",
    "xavier_normal(gain=0.5)",
)
DEFECTS = (
    "last zero",
    "last x 100",
    "layer / 1000",
    "layer x 1000",
    "biases -3",
    "1e-4 and 1e4",
    # our own
    "layer dead",
    "layer of copies",
    "first x 30",
    "biases normal(std=3)",
    "layer of rank 1",
    "last / 100",
    "layer zero",
    "biases +3",
)
INPUTS, CLASSES, ROWS = 20, 4, 1000


Repeats = list[tuple[list[float], list[float]]]  # the scores of each rate, of the network and of the reference


def rule(activation: str) -> str:
    return {"relu": "he_normal", "selu": "lecun_normal"}.get(activation, f"xavier_normal(gain={activation})")


class Case:
    """The network of a seed, its reference, and two sets of rows."""

    def __init__(self, seed: int) -> None:
        self.rng = rng = np.random.default_rng([14, seed])
        self.seed = seed
        self.depth, self.width = int(rng.integers(1, 21)), int(rng.choice([10, 30, 100]))
        self.activation, self.law = str(rng.choice(ACTIVATIONS)), str(rng.choice(LAWS))
        self.defect = str(rng.choice(DEFECTS)) if rng.random() < 2 / 3 else "none"
        if self.defect != "none" and self.law in LAWS[:4]:
            self.law = str(rng.choice([rule(self.activation), *LAWS[4:]]))
        self.regression = bool(rng.random() < 0.2)
        self.inputs = str(rng.choice(["plain", "standardized", "x 255"], p=[0.35, 0.45, 0.2]))
        x, y = self._data(2 * ROWS)
        self.x, self.y, self.other_x, self.other_y = x[:ROWS], y[:ROWS], x[ROWS:], y[ROWS:]

    def _data(self, n: int):
        """Clusters in [0, 1]^20, three a class; regression: a smooth function of them with noise."""
        rng = self.rng
        centres = rng.standard_normal((3 * CLASSES, INPUTS))
        which = rng.integers(0, len(centres), n)
        x = centres[which] + 0.7 * rng.standard_normal((n, INPUTS))
        if self.regression:
            a, b = rng.standard_normal((INPUTS, 8)) / INPUTS**0.5, rng.standard_normal((8, 1)) / 8**0.5
            y = np.tanh(1.5 * x @ a) @ b
            y = (y - y.mean()) / y.std() + 0.3 * rng.standard_normal(y.shape)
        else:
            y = which % CLASSES
        if self.inputs != "standardized":
            x = (x - x.min()) / (x.max() - x.min()) * (255 if self.inputs == "x 255" else 1)
        return x.astype(np.float32), y.astype(np.float32) if self.regression else y

    def make(self, law: str, seed: int) -> fi.Network:
        loss = "mean_squared_error" if self.regression else "cross_entropy"
        sizes = [INPUTS, *[self.width] * self.depth, 1 if self.regression else CLASSES]
        return fi.Network(sizes, self.activation, law, loss, seed=seed)

    def network(self) -> fi.Network:
        net = self.make(self.law, self.seed)
        damage(net, self.defect, np.random.default_rng([15, self.seed]))
        return net

    def constant(self) -> float:
        """The score of the best constant prediction."""
        if self.regression:
            return float(np.var(self.y))
        return float(np.bincount(self.y.astype(int)).max() / len(self.y))

    def train(self, net: fi.Network, steps: tuple[int, ...], repeat: int = 0) -> dict[str, list[float]]:
        """Return the score of each rate after so many steps; each repeat takes the rows in another order."""
        out: dict[str, list[float]] = {str(n): [] for n in steps}
        epoch_rows = 32 * (ROWS // 32)
        order = np.random.default_rng([16, self.seed, repeat]).permutation(ROWS)[:epoch_rows]
        x, y = self.x[order], self.y[order]
        for rate in RATES:
            one, done, optimizer, failed = net.copy(), 0, fi.SGD(lr=rate), False
            for n in steps:
                if not failed:
                    every = epoch_rows // 32
                    whole, rest = divmod(n - done, every)
                    for epochs, rows in ((whole, epoch_rows), (1 if rest else 0, 32 * rest)):
                        if epochs and not failed:
                            with warnings.catch_warnings(), np.errstate(all="ignore"):
                                warnings.simplefilter("ignore")
                                h = one.fit(x[:rows], y[:rows], epochs=epochs, batch_size=32, optimizer=optimizer)
                            failed = h.diverged
                    done = n
                out[str(n)].append(float("nan") if failed else self.score(one))
        return out

    def score(self, net: fi.Network) -> float:
        with np.errstate(all="ignore"):
            if self.regression:
                return float(net.loss(self.x, self.y))
            return float(np.mean(net.predict(self.x) == self.y))

    def best(self, scores: list[float]) -> float:
        found = [s for s in scores if np.isfinite(s)]
        if not found:
            return self.constant()
        return min([*found, self.constant()]) if self.regression else max(found)

    def outcome(self, mine: float, reference: float) -> str:
        """What a best score is beside the reference's."""
        constant = self.constant()
        if self.regression:
            if min(mine, reference) > 0.5 * constant:  # twice its cost is the constant's
                return "no start trains"
            if mine <= 2 * reference:
                return "trains"
            return "slow" if constant - mine >= 0.5 * (constant - reference) else "stuck"
        if max(mine, reference) < constant + 0.2:  # ten points below it would be near the constant's
            return "no start trains"
        if mine >= reference - 0.1:
            return "trains"
        return "slow" if mine - constant >= 0.5 * (reference - constant) else "stuck"

    def settled(self, repeats: Repeats, planned: int) -> bool:
        """Whether over half of the planned repeats say the same of well or ill: the others cannot change that."""
        kinds = Counter(kind(self.outcome(self.best(mine), self.best(reference))) for mine, reference in repeats)
        return bool(kinds) and max(kinds.values()) > planned / 2

    def measured(self, repeats: Repeats) -> tuple[str, bool]:
        """Return what most repeats say, of well or ill first, and whether it is clear: the first half and one more agree.

        Where as many say one as another, the medians of their scores decide.
        """
        scores = [(self.best(mine), self.best(reference)) for mine, reference in repeats]
        each = [self.outcome(*one) for one in scores]
        middle = self.outcome(*np.median(scores, axis=0))
        kinds = Counter([kind(one) for one in each])
        most = max(kinds, key=lambda one: (kinds[one], one == kind(middle)))
        among = Counter([one for one in each if kind(one) == most])
        found = max(among, key=lambda one: (among[one], one == middle))
        return found, len({kind(one) for one in each[: len(each) // 2 + 1]}) == 1


def damage(net: fi.Network, defect: str, rng: np.random.Generator) -> None:
    w, b = net.weights, net.biases
    layer = int(rng.integers(0, len(w) - 1))  # a hidden one
    if defect == "last zero":
        w[-1][...] = 0
    elif defect == "last x 100":
        w[-1][...] *= 100
    elif defect == "last / 100":
        w[-1][...] /= 100
    elif defect == "layer / 1000":
        w[layer][...] /= 1000
    elif defect == "layer x 1000":
        w[layer][...] *= 1000
    elif defect == "biases -3":
        for one in b[:-1]:
            one[...] = -3
    elif defect == "biases +3":
        for one in b[:-1]:
            one[...] = 3
    elif defect == "1e-4 and 1e4":
        first, second = sorted(rng.choice(len(w), 2, replace=False))
        w[first][...] *= 1e-4
        w[second][...] *= 1e4
    elif defect == "layer dead":
        b[layer][: -(-9 * len(b[layer]) // 10)] = -1e4
    elif defect == "layer of copies":
        w[layer][...] = w[layer][:1]
    elif defect == "first x 30":
        w[0][...] *= 30
    elif defect == "biases normal(std=3)":
        for one in b[:-1]:
            one[...] = 3 * rng.standard_normal(one.shape)
    elif defect == "layer of rank 1":
        u, s, v = np.linalg.svd(w[layer].astype(np.float64), full_matrices=False)
        w[layer][...] = np.linalg.norm(s) * np.outer(u[:, 0], v[0])
    elif defect == "layer zero":
        w[layer][...] = 0


def kind(outcome: str) -> str:
    return "ill" if outcome in ("slow", "stuck") else outcome


def outcomes(first: int, last: int, steps: tuple[int, ...], cache: Path, repeats: range, early: bool) -> None:
    known = load(cache)
    for seed in range(first, last):
        case, made = Case(seed), {n: dict(known.get((seed, n), {})) for n in steps}
        for repeat in repeats:
            if all(repeat in one or (early and case.settled(list(one.values()), len(repeats))) for one in made.values()):
                continue
            found = {"seed": seed, "repeat": repeat, "mine": case.train(case.network(), steps, repeat)}
            begun = case.make(rule(case.activation), 10**6 + 1000 * seed + repeat)
            found["reference"] = case.train(begun, steps, repeat)
            for n, one in made.items():
                one[repeat] = found["mine"][str(n)], found["reference"][str(n)]
            with cache.open("a") as file:
                file.write(json.dumps(found) + "\n")


def load(cache: Path) -> dict[tuple[int, int], dict[int, tuple[list[float], list[float]]]]:
    """Return by seed and steps, for each repeat, the scores of the network and of the reference."""
    known: dict[tuple[int, int], dict[int, tuple[list[float], list[float]]]] = {}
    for line in cache.read_text().splitlines() if cache.exists() else []:
        one = json.loads(line)
        for n, mine in one["mine"].items():
            known.setdefault((one["seed"], int(n)), {})[one["repeat"]] = mine, one["reference"][n]
    return known


def again(first: int, last: int, steps: int, cache: Path) -> None:
    """Print how often one half of the repeats says what the other half does: the outcome's own certainty."""
    known, same = load(cache), Counter()
    for seed in range(first, last):
        case, repeats = Case(seed), list(known[seed, steps].values())
        half = len(repeats) // 2
        one, two = (kind(case.measured(part)[0]) for part in (repeats[:half], repeats[half : 2 * half]))
        if {one, two} != {"no start trains"}:
            same["no start trains in one" if "no start trains" in (one, two) else one == two] += 1
    total = same[True] + same[False]
    print(f"{steps} steps, {half} repeats and {half} others: well or ill agrees for {same[True]} of {total}", end=" = ")
    print(f"{same[True] / total:.1%}; {same['no start trains in one']} are counted apart in one half alone")


def score(first: int, last: int, steps: int, cache: Path, trial: bool, fixes: bool) -> None:
    """Print the table outlook by outcome, and the figures of agreement."""
    known, table, clear_table, fixed = load(cache), Counter(), Counter(), Counter()
    for seed in range(first, last):
        case = Case(seed)
        repeats = known[seed, steps]
        result, clear = case.measured(list(repeats.values()))
        net = case.network()
        d = fi.diagnose(net, case.other_x, case.other_y, trial=steps // 3 if trial else False)
        said = str(d.outlook)
        table[said, result] += 1
        clear_table[said, result] += clear
        if fixes and result in ("slow", "stuck") and said != "trains":
            after, became = d.apply(net), []
            for i, (_, reference) in repeats.items():
                if not case.settled(became, len(repeats)):
                    became.append((case.train(after, (steps,), i)[str(steps)], reference))
            fixed[case.measured(became)[0]] += 1
    results = ("trains", "slow", "stuck", "no start trains")
    print(f"seeds {first} to {last - 1}, {steps} steps, {'trial of ' + str(steps // 3) if trial else 'signals alone'}")
    print(f"{'outlook':<10}" + "".join(f"{one:>18}" for one in results))
    for said in sorted({one for one, _ in table}):
        print(f"{said:<10}" + "".join(f"{table[said, one]:>18}" for one in results))
    figures("all", table)
    figures("those whose repeats agree", clear_table)
    if fixes:
        print(f"after d.apply(net), of those ill and called ill: {dict(fixed)}")


def figures(name: str, table: Counter) -> None:
    """Print agreement, missed and false illness of a table outlook by outcome."""
    count = {(well, fine): 0 for well in (True, False) for fine in (True, False)}
    for (said, result), n in table.items():
        if result != "no start trains":
            count[said == "trains", result == "trains"] += n
    total = sum(count.values())
    bad, good = count[True, False] + count[False, False], count[True, True] + count[False, True]
    agree = count[True, True] + count[False, False]
    print(f"{name}: agreement {agree} of {total} = {agree / total:.1%}", end="; ")
    print(f'"trains" said of {count[True, False]} of {bad} that do not', end=" ")
    print(f"({table['trains', 'stuck']} of them stuck), ill of {count[False, True]} of {good} that train")


def times(rounds: int) -> None:
    """Print how long a diagnosis with its trial takes: [64, 300 x 4, 10] on 1000 digits, by defect, the rounds interleaved."""
    x, y = (one[:1000] for one in fi.datasets.digits())
    found: dict[str, list[tuple[float, float, str]]] = {}
    for _ in range(rounds):
        for defect in ("none", *DEFECTS):
            for activation in ("tanh", "relu"):
                net = fi.Network([64, *[300] * 4, 10], activation, rule(activation), seed=1)
                damage(net, defect, np.random.default_rng(1))
                wall, cpu = time.perf_counter(), time.process_time()
                outlook = fi.diagnose(net, x, y).outlook
                took = time.perf_counter() - wall, (time.process_time() - cpu) / fi.num_threads()
                found.setdefault(f"{activation}, {defect}", []).append((*took, str(outlook)))
    print(f"{fi.num_threads()} threads; seconds of the wall, of the process over the threads; medians of {rounds}")
    middle = {name: (*np.median([one[:2] for one in all_], axis=0), all_[0][2]) for name, all_ in found.items()}
    for name, (wall, cpu, outlook) in middle.items():
        print(f"{name:<28}{wall:>8.2f}{cpu:>8.2f}  {outlook}")
    for well in (True, False):
        wall, cpu = np.median([one[:2] for one in middle.values() if (one[2] == "trains") == well], axis=0)
        print(f"{'those that train' if well else 'ill ones':<28}{wall:>8.2f}{cpu:>8.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["outcomes", "again", "score", "times"])
    parser.add_argument("first", type=int, help="seed; of times, how many rounds")
    parser.add_argument("last", type=int, nargs="?", default=0)
    parser.add_argument("--steps", type=int, nargs="+", default=[300])
    parser.add_argument("--repeats", type=int, nargs=2, default=[0, 5], help="the first, and one past the last")
    parser.add_argument("--all", action="store_true", help="all repeats, even where the first half and one more agree")
    parser.add_argument("--cache", type=Path, default=Path("population_verdict.jsonl"))
    parser.add_argument("--signals", action="store_true", help="judge without a trial")
    parser.add_argument("--fixes", action="store_true", help="train what the advice makes, too")
    given = parser.parse_args()
    if given.what == "times":
        times(given.first)
        raise SystemExit
    fi.set_num_threads(1)
    if given.what == "outcomes":
        outcomes(given.first, given.last, tuple(given.steps), given.cache, range(*given.repeats), not given.all)
    else:
        for one in given.steps:
            if given.what == "again":
                again(given.first, given.last, one, given.cache)
            else:
                score(given.first, given.last, one, given.cache, not given.signals, given.fixes)
