"""Where the limits of a course of costs lie, and what is said of a history beside its traces."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

import fanin as fi
from fanin.diagnosis import course

X = fi.init.normal((60, 6), seed=2, stream="x", dtype="float64")
Y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)


def word(costs, constant=None) -> str | None:
    found = course.judge(np.array(costs, dtype=float), constant)
    return None if found is None else found[0]


def waves(centre: float, n: int, size: float = 0.1) -> list[float]:
    return [centre + size * (-1) ** i for i in range(n)]


@pytest.mark.parametrize(
    ("costs", "constant", "expected"),
    [
        # ten steps say something of a plateau, nine do not
        ([1.5] * 10, None, "plateau"),
        ([1.5] * 9, None, None),
        # a peak of more than ten times the first cost that leaves more than nine tenths of it behind
        ([1.0, 10.0, *[0.95] * 20], None, "plateau"),
        ([1.0, 10.1, *[0.95] * 20], None, "diverged"),
        ([1.0, 10.1, *[0.9] * 20], None, "plateau"),
        # an end of more than ten times the first costs
        ([1.0, 1.0, *[10.0] * 20], None, "plateau"),
        ([1.0, 1.0, *[10.1] * 20], None, "diverged"),
        ([2.0, 0.5, *[12.5] * 20], None, "plateau"),
        ([2.0, 0.5, *[12.6] * 20], None, "diverged"),
        ([0.0, 0.0, *[0.1] * 20], None, "diverged"),
        # an end of more than ten times the best cost, and half of the first
        ([2.0, 1.5, *[0.15] * 10, *[1.5] * 10], None, None),
        ([2.0, 1.5, *[0.14] * 10, *[1.5] * 10], None, "diverged"),
        ([4.0, 1.5, *[0.14] * 10, *[2.0] * 10], None, None),
        # half of the constant prediction's cost is an end, 98 % of it is chance
        ([50.0] * 20, 100.0, "plateau"),
        ([49.9] * 20, 100.0, None),
        ([150.0, *[98.0] * 39], 100.0, "plateau"),
        ([150.0, *[97.9] * 39], 100.0, None),
        ([150.0, *[97.9] * 39], None, None),
        # it fell within the first tenth, by more than a tenth and eight times what scatters then
        ([1.2, *[1.0] * 39], None, None),
        ([1.12, *[1.0] * 39], None, None),
        ([1.11, *[1.0] * 39], None, "plateau"),
        ([1.3, *[1.2, 1.0] * 20], None, "plateau"),
        ([1.7, 1.0, *waves(1, 18)], None, "plateau"),
        ([1.9, 1.0, *waves(1, 18)], None, None),
        # a fall of a thousandth of the cost
        ([*[1.0] * 35, *[0.9985] * 4], None, None),
        ([*[1.0] * 35, *[0.9995] * 4], None, "plateau"),
        # a fall of twice the noise of the batches: with a scatter of .1 in 4 steps .141, in 2 steps .2
        ([*waves(1, 36), *waves(0.87, 4)], None, "plateau"),
        ([*waves(1, 36), *waves(0.85, 4)], None, None),
        ([*waves(1, 18), *waves(0.81, 2)], None, "plateau"),
        ([*waves(1, 18), *waves(0.79, 2)], None, None),
    ],
)
def test_limits_of_a_course(costs, constant, expected):
    assert word(costs, constant) == expected


def test_the_step_at_which_a_cost_is_not_finite():
    for costs, step in (([math.nan], 1), ([2.5, math.inf, math.nan], 2), ([2.5, 1, 1, math.nan, 1], 4)):
        first = "nan" if step == 1 else "2.5"
        assert course.judge(np.array(costs), 1.0) == (
            "diverged",
            f"cost not finite at step {step}, after {first} at the first",
        )


def test_spikes_and_falls_at_their_limits():
    assert not course.spiked(np.array([2.0, 20.0, 1.0]))
    assert course.spiked(np.array([2.0, 20.1, 1.0]))
    assert course.came_down(np.array([4.1, 2.0]), 2.0)
    assert not course.came_down(np.array([4.0, 1.0]), 2.0), "twice the constant prediction's cost is not far"
    assert not course.came_down(np.array([5.0, 2.5]), 2.0), "half is not less than half"


# ------------------------------------------------------------------------------------------------ histories


def trained(law: str = "xavier_normal") -> fi.History:
    net = fi.Network((6, 20, 20, 3), "tanh", law, seed=4, dtype="float64")
    net.fit(X, Y, epochs=2, batch_size=20, optimizer=fi.SGD(lr=0.1), trace_every=2)
    return net.history


def test_what_training_said_of_infinite_values_is_the_verdict():
    """Costs may be finite to the last: a gradient or parameter was not."""
    words = "the gradient of w of hidden 2 is not finite at step 3"
    for costs in ([2.0, 1.0], np.full(40, 1.5), np.linspace(2, 1, 40)):
        d = fi.diagnose(fi.History(costs=np.array(costs), nonfinite=words))
        assert (d.verdict, d.course) == ("diverged", (words,))
        assert d.reasons == (words,)
        assert d.advice.startswith("a smaller learning rate. First ")
    d = fi.diagnose(fi.History(costs=np.array([2.0, math.inf]), nonfinite=words))
    assert d.course == ("cost not finite at step 2, after 2 at the first",), "the cost is named first"


def test_a_history_is_judged_with_its_last_trace():
    history = trained()
    first, last = history.traces[0][1], history.traces[-1][1]
    alone = fi.diagnose(last)
    d = fi.diagnose(history)
    assert (d, d.trace is last, d.course) == (alone, True, ())
    flat = fi.diagnose(dataclasses.replace(history, costs=np.full(40, 1.5), constant_cost=None))
    assert (flat.verdict, flat.forward, flat.backward) == ("plateau", alone.forward, alone.backward)
    assert flat.trace is last
    assert flat.reasons == ("cost 1.5 over the first steps, 1.5 over the last of 40", *alone.reasons)
    assert first is not last


def test_a_history_of_traces_alone():
    history = trained()
    d = fi.diagnose(dataclasses.replace(history, costs=np.empty(0)))
    assert d == fi.diagnose(history.traces[-1][1])


@pytest.mark.parametrize(
    ("costs", "constant", "rate"),
    [
        ([1.5] * 40, None, "a larger learning rate"),
        ([1.5, 16.0, *[1.0] * 40], 1.0, "a smaller learning rate"),  # it spiked
        ([5.0, *[1.0] * 40], 1.0, "the learning rate that fi.find_lr(net, x, y) finds"),  # it came down, to chance
        ([1.9, *[1.0] * 40], 1.0, "a larger learning rate"),
        ([1.0, 1.0, *[20.0] * 40], 1.0, "a smaller learning rate"),
    ],
)
def test_the_rate_that_a_history_calls_for(costs, constant, rate):
    blank = fi.History(costs=np.array(costs), constant_cost=constant)
    wait = (
        "First ask fi.diagnose(net, x, y) about the network as it was before training. "
        "If it was not healthy, follow that advice instead"
    )
    assert fi.diagnose(blank).advice == f"{rate}. {wait}"
    traced = dataclasses.replace(blank, traces=trained().traces)
    assert fi.diagnose(traced).advice == (
        f"the network was healthy at the first trace: the learning rate is at fault, not the initialization; {rate}"
    )


def test_nine_steps_are_not_called_a_course():
    for steps, course_ in ((9, ()), (10, ("the cost falls",))):
        d = fi.diagnose(fi.History(costs=np.linspace(2, 1, steps)))
        assert (d.verdict, d.course, d.advice, d.trace, d.trial) == ("healthy", course_, "", None, None)
        assert (d.findings, d.notes, d.evidence, d.signal, d.reasons) == ((), (), (), "healthy", course_)
        kept = d.to_dict()
        assert (kept["reasons"], kept["trial"], kept["fix"], kept["layers"]) == (list(course_), None, None, [])
