"""Our own table of gains, to 1e-9, from quadrature with 34 digits; what others published stands in the tests of their works.

Activations that the core has are taken by name, all of them also as NumPy functions.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import erf, expit

import fanin as fi
from fanin import theory

# E g, E g^2, forward gain, gain for the variance, E g'^2, backward gain
TABLE = {
    "identity": (0.0, 1.0, 1.0, 1.0, 1.0, 1.0),
    "relu": (0.3989422804, 0.5, 1.4142135624, 1.7128585504, 0.5, 1.4142135624),
    "leaky_relu_0.01": (0.3949528576, 0.50005, 1.4141428570, 1.7048316272, 0.50005, 1.4141428570),
    "leaky_relu_0.1": (0.3590480524, 0.505, 1.4071950895, 1.6306369716, 0.505, 1.4071950895),
    "leaky_relu_0.2": (0.3191538243, 0.52, 1.3867504906, 1.5464600604, 0.52, 1.3867504906),
    "prelu_0.25": (0.2992067103, 0.53125, 1.3719886811, 1.5046096432, 0.53125, 1.3719886811),
    "tanh": (0.0, 0.3942944904, 1.5925374197, 1.5925374197, 0.4644029024, 1.4674135916),
    "sigmoid": (0.5, 0.2933790359, 1.8462285453, 4.8013133720, 0.0448362414, 4.7226460859),
    "softsign": (0.0, 0.1830140213, 2.3375333631, 2.3375333631, 0.2276713404, 2.0957806089),
    "selu": (0.0, 1.0, 1.0, 1.0, 1.0715749925, 0.9660257770),
    "elu": (0.1605205723, 0.6449454175, 1.2451983007, 1.2708434179, 0.6681020012, 1.2234285576),
    "gelu": (0.2820947918, 0.4252214826, 1.5335304412, 1.7009262434, 0.4558508656, 1.4811144127),
    "gelu_tanh": (0.2820385881, 0.4251937110, 1.5335805217, 1.7009165617, 0.4558178460, 1.4811680581),
    "silu": (0.2066209641, 0.3557755198, 1.6765324703, 1.7871872221, 0.3794823516, 1.6233202580),
    "softplus": (0.8060591833, 0.9212459089, 1.0418668355, 1.9191259801, 0.2933790359, 1.8462285453),
    "mish": (0.2404038884, 0.4523421924, 1.4868475813, 1.5920253811, 0.4790837584, 1.4447552325),
    "sin": (0.0, 0.4323323584, 1.5208666232, 1.5208666232, 0.5676676416, 1.3272506003),
    "sin_30": (0.0, 0.5, 1.4142135624, 1.4142135624, 450.0, 0.0471404521),
    "erf": (0.0, 0.4645590544, 1.4671669505, 1.4671669505, 0.5694100347, 1.3252183529),
    "relu6": (0.3989422802, 0.4999999981, 1.4142135651, 1.7128585550, 0.4999999990, 1.4142135638),
    "hardtanh": (0.0, 0.5160585510, 1.3920361404, 1.3920361404, 0.6826894921, 1.2102870624),
    "lecun_tanh_1.7159": (0.0, 0.7504302763, 1.1543694540, 1.1543694540, 0.8039891133, 1.1152568925),
}


def leaky(slope):
    return lambda z: np.where(z > 0, z, slope * z)


FUNCTIONS = {
    "identity": lambda z: z,
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu_0.01": leaky(0.01),
    "leaky_relu_0.1": leaky(0.1),
    "leaky_relu_0.2": leaky(0.2),
    "prelu_0.25": leaky(0.25),
    "tanh": np.tanh,
    "sigmoid": expit,
    "softsign": lambda z: z / (1 + np.abs(z)),
    "selu": theory.selu,
    "elu": lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
    "gelu": lambda z: z * (1 + erf(z / np.sqrt(2))) / 2,
    "gelu_tanh": lambda z: z * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))) / 2,
    "silu": lambda z: z * expit(z),
    "softplus": lambda z: np.logaddexp(0, z),
    "mish": lambda z: z * np.tanh(np.logaddexp(0, z)),
    "sin": np.sin,
    "sin_30": lambda z: np.sin(30 * z),
    "erf": erf,
    "relu6": lambda z: np.clip(z, 0, 6),
    "hardtanh": lambda z: np.clip(z, -1, 1),
    "lecun_tanh_1.7159": lambda z: 1.7159 * np.tanh(2 * z / 3),
}
NAMED = [name for name in fi.activation.names() if name in TABLE]


def check_gains(literature, activation, name):
    _, _, forward, centred, _, backward = TABLE[name]
    literature.check(f"gain of {name}, forward", theory.gain(activation), computed=forward, within=1e-9)
    literature.check(f"gain of {name}, backward", theory.gain(activation, "backward"), computed=backward, within=1e-9)
    variance = theory.gain(activation, convention="variance")
    literature.check(f"gain of {name}, for the variance", variance, computed=centred, within=1e-9)


@pytest.mark.parametrize("name", NAMED)
def test_gains_of_names(literature, name):
    check_gains(literature, name, name)


@pytest.mark.parametrize("name", TABLE)
def test_gains_of_functions(literature, name):
    check_gains(literature, FUNCTIONS[name], name)


@pytest.mark.parametrize("name", TABLE)
def test_moments_of_functions(name):
    mean, square, _, _, slope, _ = TABLE[name]
    assert theory.mean(FUNCTIONS[name], 1.0) == pytest.approx(mean, abs=1e-10)
    assert theory.second_moment(FUNCTIONS[name], 1.0) == pytest.approx(square, abs=1e-10)
    assert theory.chi(FUNCTIONS[name], 1.0) == pytest.approx(slope, rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("name", NAMED)
def test_kernels_over_ten_million_normals(literature, name):
    """The mean of N values has the standard error of its own sample; 5 of them."""
    squares, slopes = [], []
    for part in range(10):
        z = fi.init.normal((1_000_000,), seed=3, stream=part, dtype="float32")
        squares.append(np.square(fi.activation.evaluate(name, z), dtype=np.float64))
        slopes.append(np.square(fi.activation.derivative(name, z), dtype=np.float64))
    for what, values, computed in (("E g^2", squares, TABLE[name][1]), ("E g'^2", slopes, TABLE[name][4])):
        values = np.concatenate(values)
        within = 5 * values.std() / np.sqrt(values.size) + 1e-6  # float32
        literature.check(f"{what} of {name} over 1e7 normals", values.mean(), computed=computed, within=within)


def test_siren():
    """Hidden weights U(+-sqrt(6 / n) / omega): q* = 0.7968121300 = 1 - e^(-2 q*), chi_1 = 1 + e^(-2 q*)."""
    p = theory.fixed_point(np.sin, sigma_w=np.sqrt(2), derivative=np.cos)
    assert (p.q, p.chi_1) == (pytest.approx(0.7968121300, abs=1e-10), pytest.approx(1.2031878700, abs=1e-10))
    assert theory.second_moment(np.sin, p.q) == pytest.approx(0.3984060650, abs=1e-10)
