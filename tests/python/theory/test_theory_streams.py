"""Expectations of networks whose layers are no chain: against those of chains, and against sums that are written out."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fanin.theory.expected import LayerScale, expect
from fanin.theory.integrals.scatter import Pairs
from fanin.theory.streams import BATCH, Node, Read, expect_streams

X = np.random.default_rng(3).standard_normal((4, 20)) * [[0.5], [1.0], [1.5], [2.0]]
SQUARES = np.square(X).mean(axis=1)


def test_a_chain_is_a_stream():
    scales = [
        LayerScale("tanh", 20, 30, 1.3, 0.1),
        LayerScale("relu", 30, 40, 2.1, 0.2),
        LayerScale("identity", 40, 5, 0.9, 0.0),
    ]
    nodes = [Node(f"layer {i}", "dense", (Read(i - 1 if i else BATCH, bool(i)),), scale) for i, scale in enumerate(scales)]
    chain = expect(SQUARES, Pairs(X), scales).layers
    for ours, theirs in zip(expect_streams(SQUARES, nodes), chain, strict=True):
        for field in ("activation", "n_in", "n_out", "n_var_w", "var_b"):
            assert getattr(ours, field) == getattr(theirs, field)
        assert (ours.backward_ratio is None) == (theirs.backward_ratio is None)
        for field in ("z_std", "a_mean", "a_rms", "a_std", "da_rms", "backward_ratio"):
            if getattr(theirs, field) is None:
                continue
            assert getattr(ours, field) == pytest.approx(getattr(theirs, field), rel=1e-12), field
        assert all(math.isnan(getattr(ours, field)) for field in ("z_cosine", "a_error", "da_error"))
    assert [node.name for node in expect_streams(SQUARES, nodes)] == ["layer 0", "layer 1", "layer 2"]


BLOCK = [
    Node("stem", "dense", (Read(BATCH, False),), LayerScale("identity", 20, 32, 1.5, 0.1)),
    Node("norm", "norm", (Read(0, False),), LayerScale("identity", 32, 32, 0.8, 0.05)),
    Node("in", "dense", (Read(1, False),), LayerScale("relu", 32, 64, 2.0, 0.3)),
    Node("out", "dense", (Read(2, True),), LayerScale("identity", 64, 32, 1.0, 0.2)),
    Node("sum", "sum", (Read(0, False), Read(3, False)), LayerScale("identity", 32, 32, 1.0, 0.0)),
    Node("head", "dense", (Read(4, False),), LayerScale("identity", 32, 5, 0.7, 0.4)),
]


def test_a_block_of_a_residual_stream():
    """Forward the squares add up; backward each node has the sum of what its readers send, all of it by hand."""
    q0 = 1.5 * SQUARES + 0.1
    q1 = 0.85
    q2 = 2.0 * q1 + 0.3
    q3 = 1.0 * q2 / 2 + 0.2
    q4 = q0 + q3
    q5 = 0.7 * q4 + 0.4
    g4 = 0.7 / 32 * 5  # the gradients' squares, of the output's z 1
    a2 = g4 * 1.0 / 64 * 32
    g2 = a2 / 2
    g1 = g2 * 2.0 / 32 * 64
    g0 = g4 + g1 * 0.8 / q0
    found = expect_streams(SQUARES, BLOCK)
    squares = [float(np.mean(q)) for q in (q0, q1, q2, q3, q4, q5)]
    assert [layer.z_std for layer in found] == pytest.approx(np.sqrt(squares), rel=1e-12)
    gradients = np.sqrt([float(np.mean(g)) for g in (g0, g1, a2, g4, g4, 1.0)])
    assert [layer.da_rms for layer in found] == pytest.approx(gradients, rel=1e-12)
    assert [layer.activation for layer in found] == ["identity", "identity", "relu", "identity", "identity", "identity"]
    assert found[2].a_mean == pytest.approx(math.sqrt(q2 / (2 * math.pi)), rel=1e-12)
    assert found[2].a_rms == pytest.approx(math.sqrt(q2 / 2), rel=1e-12)
    assert found[2].a_std == pytest.approx(math.sqrt(q2 / 2 - q2 / (2 * math.pi)), rel=1e-12)
    ratios = [layer.backward_ratio for layer in found]
    assert ratios[0] == pytest.approx(gradients[0] / gradients[2], rel=1e-12)
    assert ratios[2] == pytest.approx(gradients[2] / gradients[3], rel=1e-12)
    assert [ratios[i] for i in (1, 3, 4, 5)] == [None] * 4


def test_a_norm_of_nothing():
    """The derivative of x / rms(x) at 0 has no bound, which is no reason to warn."""
    stem = BLOCK[0]._replace(scale=LayerScale("identity", 20, 32, 0.0, 0.0))
    found = expect_streams(SQUARES, [stem, *BLOCK[1:]])
    assert found[0].da_rms == math.inf
    silent = BLOCK[1]._replace(scale=LayerScale("identity", 32, 32, 0.0, 0.0))
    assert math.isnan(expect_streams(SQUARES, [stem, silent, *BLOCK[2:]])[0].da_rms)


def test_a_sum_of_activations_is_refused(said):
    after = BLOCK[4]._replace(reads=(Read(0, False), Read(2, True)))
    assert said(lambda: expect_streams(SQUARES, [*BLOCK[:4], after, BLOCK[5]])) == (
        "ValueError: sum must add streams before their activations"
    )
