"""What theory is made of, part by part: pairs of inputs, Hermite coefficients, panels, roots, checks of the derivation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import digamma, polygamma

from fanin import theory
from fanin.theory import steps
from fanin.theory.integrals import quadrature
from fanin.theory.integrals.interpolate import Interpolant
from fanin.theory.integrals.root import root
from fanin.theory.integrals.scatter import Kernel, Pairs, at, evenly

LINE = np.array([0.0, 1.0, 0.0])  # of the identity: alpha_1^2
ONE = np.array([1.0, 0.0, 0.0])  # of its derivative
CURVE = np.array([0.0, 0.0, 1.0])  # of the second Hermite polynomial: c goes to c^2


def two(cosine: float, batch: int | None = None) -> Pairs:
    return Pairs(np.array([[2.0, 0.0], [3 * cosine, 3 * math.sqrt(1 - cosine**2)]]), batch)


# ------------------------------------------------------------------------------------------------ pairs of inputs


def test_pairs_are_weighed_beside_inputs_with_themselves():
    pairs = two(0.6)
    assert pairs.c == pytest.approx([0.6])
    assert pairs.weigh(3.0, np.array([1.0, 2.0])) == pytest.approx((3.0 + 1.5) / 2)
    assert two(0.6, 10).weigh(3.0, np.array([1.0, 2.0])) == pytest.approx(0.1 * 3.0 + 0.9 * 1.5)
    assert Pairs(np.ones((1, 4))).weigh(3.0, np.array([])) == 3
    assert Pairs(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 5.0]])).c == pytest.approx([0]), "an input of zeros has no angle"
    assert Pairs(np.ones((3, 2)) * [[1], [2], [-1]]).c == pytest.approx([1, -1, -1], abs=1e-15)


def test_a_covariance_of_pairs():
    """The mean of f is no part of it; without noise it is the power series in c."""
    assert two(0.6).covariance(np.array([5.0, 2.0, 3.0])) == pytest.approx((5 + 2 * 0.6 + 3 * 0.36) / 2)
    assert two(-1.0).covariance(LINE) == pytest.approx(0)


def test_width_adds_noise_to_an_angle():
    """After n units a cosine strays by (1 - c^2)^2 / n, which is carried on, and taken half above and half below."""
    pairs = two(0.6)
    pairs.activate(LINE, ONE, 100)
    spread = 0.64**2 / 100
    assert pairs.c == pytest.approx([0.6])
    assert pairs.covariance(CURVE) == pytest.approx((1 + 0.36 + spread) / 2, rel=1e-12)
    pairs.add_bias(0.5)
    assert pairs.c == pytest.approx([0.8])
    assert pairs.covariance(CURVE) == pytest.approx((1 + 0.64 + spread / 4) / 2, rel=1e-12)
    pairs.activate(2 * CURVE, np.array([0.0, 4.0]), 10)  # c to c^2, of slope 4 c / 2
    spread = spread / 4 * (4 * 0.8 / 2) ** 2 + (1 - 0.64**2) ** 2 / 10
    assert pairs.c == pytest.approx([0.64])
    assert pairs.covariance(CURVE) == pytest.approx((1 + 0.64**2 + spread) / 2, rel=1e-12)
    before = pairs.c.copy()
    pairs.activate(0 * LINE, ONE, 10)
    assert pairs.c == pytest.approx(before), "of activations of 0 nothing is known"


def test_noise_stays_within_what_an_angle_can_be():
    for cosine in (0.0, 0.6, -0.6):
        pairs = two(cosine)
        for _ in range(3):
            pairs.activate(LINE, ONE, 1)
        noise = [min(max(cosine + side, -1), 1) for side in (1.0, -1.0)]
        assert pairs.covariance(CURVE) == pytest.approx((1 + np.mean(np.square(noise))) / 2, rel=1e-12)


def test_rows_that_stand_for_a_batch():
    x = np.arange(200)[:, None]
    assert evenly(x)[:, 0].tolist() == np.linspace(0, 199, 64).astype(int).tolist()
    assert evenly(x[:5])[:, 0].tolist() == [0, 1, 2, 3, 4]
    assert evenly(x, 3)[:, 0].tolist() == [0, 99, 199]
    few = x[:5]
    assert evenly(few) is not few


@pytest.mark.parametrize("q", [1e-4, 1.0, 2.5, 1e6])
def test_powers_of_hermite_polynomials(q):
    """Of z q = alpha_1^2; of z^2 q^2 and 2 q^2; the last one holds what is left."""
    kernel = Kernel(theory.Activation("identity"), q)
    assert kernel.mean(np.ones_like(kernel.z)) == pytest.approx(1, rel=1e-13)
    line, square = kernel.powers(kernel.z) / q, kernel.powers(kernel.z**2) / q**2
    assert len(line) == 24 + 2
    assert line == pytest.approx(np.eye(26)[1], abs=1e-12)
    assert square == pytest.approx(np.eye(26)[0] + 2 * np.eye(26)[2], abs=1e-11)
    assert at(square, np.array([0.5, 1.0])) == pytest.approx([1 + 2 * 0.25, 3])
    tanh = Kernel(theory.Activation("tanh"), q)
    powers = tanh.powers(tanh.value)
    assert powers.sum() == pytest.approx(float(theory.second_moment("tanh", q)), rel=1e-9)
    assert tanh.mean(tanh.slope**2) == pytest.approx(float(theory.chi("tanh", q)), rel=1e-7)
    assert powers[::2][:-1] == pytest.approx(0, abs=1e-20), "an odd function has odd terms alone"
    relu = Kernel(theory.Activation("relu"), q)
    assert relu.powers(relu.value)[:3] / q == pytest.approx([1 / (2 * math.pi), 1 / 4, 1 / (4 * math.pi)], rel=1e-10)
    assert at(relu.powers(relu.slope), np.array([0.3])) == pytest.approx(float(theory.arc_cosine(0.3, 0)) / 2, abs=1e-8)


# ------------------------------------------------------------------------------------------------ quadrature, roots


def test_panels_end_where_they_should():
    plain = quadrature.panels(np.array([[0.0]]), np.array([1.0]), -10.0, 10.0)
    assert np.unique(plain).tolist() == list(range(-10, 11, 2))
    one = quadrature.panels(np.array([[0.0]]), np.array([1.0]), 0.0, 38.0)
    assert np.unique(one).tolist() == [0, 2, 4, 6, 8, 10, 13, 18, 26, 38]
    own = np.unique(quadrature.panels(np.array([[0.5, 99.0]]), np.array([0.25]), -10.0, 10.0))
    ladder = {0.5 + side * 0.25 * 2**k for k in range(4) for side in (-1, 1)} | {0.5}
    assert set(own) == {*range(-10, 11, 2)} | {z for z in ladder if abs(z) < 10}


def test_an_integral_that_is_too_rough_keeps_its_error():
    """Panels are halved to a number; what is left counts with the difference of the rules."""
    rough = quadrature.integrate(lambda _, u: 1 + np.sign(np.sin(1e6 * u)), np.array([[0.0, 1.0]]), 1e-10)
    assert rough.value == pytest.approx(1, abs=0.01)
    assert rough.scale == pytest.approx(1, abs=0.01)
    assert 1e-6 < rough.error[0] < 1
    smooth = quadrature.integrate(lambda owner, u: (owner[:, None] + 1) * u**2, np.array([[0.0, 1.0], [0.0, 3.0]]), 1e-10)
    assert smooth.value == pytest.approx([1 / 3, 18], rel=1e-14)
    assert np.all(smooth.error < 1e-13)
    broken = quadrature.integrate(lambda _, u: np.where(u > 0.5, np.nan, u), np.array([[0.0, 1.0]]), 1e-10)
    assert np.isnan(broken.value[0])


def test_problems_that_weigh_little_need_less():
    def rough(owner, u):
        return np.sqrt(np.abs(u - 1 / 3)) * (1 + 0 * owner[:, None])

    edges = np.array([[0.0, 1.0], [0.0, 1.0]])
    exact = 2 / 3 * ((1 / 3) ** 1.5 + (2 / 3) ** 1.5)
    plain = quadrature.integrate(rough, edges, 1e-10)
    weighed = quadrature.integrate(rough, edges, 1e-10, np.array([1.0, 1e-8]))
    assert plain.value == pytest.approx([exact] * 2, rel=1e-10)
    assert weighed.value[0] == pytest.approx(exact, rel=1e-10)
    assert weighed.error[0] == pytest.approx(plain.error[0])
    assert plain.error[1] < weighed.error[1] < 0.1


@pytest.mark.parametrize(
    ("f", "low", "high", "exact"),
    [
        (lambda x: x**2 - 2, 0.0, 2.0, math.sqrt(2)),
        (lambda x: 2 - x**2, 0.0, 2.0, math.sqrt(2)),
        (lambda x: x**9 - 1e-9, 0.0, 10.0, 0.1),
        (lambda x: math.exp(x) - 5, 0.0, 3.0, math.log(5)),
        (lambda x: math.atan(x - 1e6), 0.0, 1e9, 1e6),
        (lambda x: x - 1, 0.0, 2.0, 1.0),
    ],
)
def test_roots(f, low, high, exact):
    asked = []

    def counted(x):
        asked.append(x)
        return f(x)

    assert root(counted, low, high) == pytest.approx(exact, rel=1e-14)
    assert len(asked) < 120
    assert all(low <= x <= high for x in asked)


def test_a_function_of_too_much_detail_is_refused(said):
    words = "ValueError: no interpolant on +-57 has fewer than 20000 panels; give derivative="
    assert said(lambda: theory.chi(lambda z: np.floor(1e4 * z) / 1e4, 1.0)) == words


def test_an_interpolant_of_kinks_and_jumps():
    found = Interpolant(lambda z: np.where(z > 0.3, 2 + z, np.abs(z + 0.7)), 2.0, ())
    assert found.kinks == pytest.approx((-0.7, 0.3), abs=1e-8)
    assert set(np.round(found.jumps, 8)) == {0.3}
    assert found.slope(np.array([-1.5, -0.5, 0.1, 0.4, 1.9])) == pytest.approx([-1, 1, 1, 1, 1], abs=1e-9)
    told = Interpolant(np.abs, 2.0, (0.0, 5.0))
    assert (told.kinks, told.jumps) == ((), ())
    wave = Interpolant(np.sin, 20.0, ())
    z = np.linspace(-20, 20, 101)
    assert wave.slope(z) == pytest.approx(np.cos(z), abs=1e-11)
    assert (wave.kinks, wave.jumps) == ((), ())


@pytest.mark.parametrize("k", [-2.2, -0.7, 0.1, 1 / 3, 1.5, 5.1])
def test_a_kink_at_a_value_of_0_is_no_jump(k, said):
    """A shifted ReLU was refused; what jumps there, or has no bounded slope, is."""
    above = math.erfc(k / math.sqrt(2)) / 2  # the probability of z > k
    for g, expected in (
        (lambda z: np.maximum(z - k, 0), above),
        (lambda z: np.where(z > k, 1, 0.1) * (z - k), above + 0.01 * (1 - above)),
        (lambda z: np.abs(z - k), 1),
    ):
        assert theory.chi(g, 1.0) == pytest.approx(expected, abs=1e-11)
    for g in (lambda z: np.maximum(z - k, 0) + 1e-8 * (z > k), lambda z: np.cbrt(z - k), lambda z: np.sqrt(np.abs(z - k))):
        assert said(lambda g=g: theory.chi(g, 1.0)) == (
            f"ValueError: <lambda> jumps at {k:.6g}: the square of its derivative has no mean"
        )


# ------------------------------------------------------------------------------------------------ laws, checks


def test_scales_of_linear_layers_add_up():
    law = theory.finite_width([4, 6], "identity")
    assert law.log_mean == pytest.approx(sum(digamma(n / 2) + math.log(2 / n) for n in (4, 6)), rel=1e-12)
    assert law.log_var == pytest.approx(sum(polygamma(1, n / 2) for n in (4, 6)), rel=1e-12)
    assert law.median == pytest.approx(math.exp(law.log_mean))


def test_checks_of_a_sample():
    """Four standard errors: of a mean sqrt(var / n), of a variance sqrt((m4 - var^2) / n)."""
    values = np.array([1.0, 3.0, 5.0, 7.0])
    assert steps._averaged("it", 2.5, values) == steps.Check("it", 2.5, 4.0, 4 * math.sqrt(20 / 3) / 2)
    assert steps._sampled("it", 2.5, values) == steps.Check("it", 2.5, 5.0, pytest.approx(4 * math.sqrt(41 - 25) / 2))


@pytest.mark.parametrize(
    ("predicted", "measured", "error", "holds"),
    [
        (1.0, 1.5, 0.5, True),
        (1.0, 0.5, 0.5, True),
        (1.0, 1.51, 0.5, False),
        (1.0, 0.49, 0.5, False),
        (-1e12, -1e12 - 0.9, 0.0, True),
        (1.0, 1.0 + 1e-11, 0.0, False),
        (math.nan, 1.0, 0.5, False),
    ],
)
def test_when_a_check_holds(predicted, measured, error, holds):
    check = steps.Check("it", predicted, measured, error)
    other = steps.Check("that", 1.0, 1.0, 0.0)
    assert check.holds == holds
    assert steps.Step(1, "so", "f", (other, check)).holds == holds
    assert steps.Step(1, "so", "f", (other,), (check,)).holds == (not holds)
    assert not steps.Step(1, "so", "f", (other,), (check, other)).holds
    assert steps.Derivation((steps.Step(1, "so", "f", (other,)), steps.Step(2, "so", "f", (check,)))).holds == holds


def test_a_step_reads_as_its_formula_and_its_checks():
    check, not_so = steps.Check("it", 1 / 3, 0.25, 0.123), steps.Check("that", 1.0, 2.0, 0.0)
    chain = steps.Derivation((steps.Step(4, "So it is.", "x = y", (check,), (not_so,)),))
    assert str(chain) == (
        "4. So it is.\n   x = y\n   it: 0.33333, measured 0.25 +- 0.12\n   not so for that: the formula says 1, it is 2"
    )
    with pytest.raises(KeyError, match="there are steps 1 to 1, got 1"):
        chain[1]
