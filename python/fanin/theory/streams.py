"""The expected spread in networks whose layers are no chain: residual streams, with or without norms, on the user's batch.

Streams add up: where the last weights of a branch are independent and of mean 0, the mean square of a sum is the sum of the
mean squares (Yang and Schoenholz, "Mean Field Residual Networks: On the Edge of Chaos", NeurIPS 2017, section 3), so that
He's law doubles a stream at every block (Zhang, Dauphin and Ma, "Fixup Initialization", ICLR 2019, section 2).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np

from fanin.theory.expected import ExpectedLayer, LayerScale, grouped
from fanin.theory.integrals.function import Activation
from fanin.theory.integrals.moments import chi, mean, second_moment
from fanin.theory.integrals.quadrature import Array

BATCH = -1  # as the place of a read: the batch itself


class Read(NamedTuple):
    """What a node takes: the node at a place, or the batch; before or after that node's activation."""

    place: int
    activated: bool


class Node(NamedTuple):
    """A dense layer, a norm over units or a sum, after those that it reads.

    `scale` holds its activation and widths; of a layer n_in E[w^2] and E[b^2], of a norm the mean squares of scale and shift.
    """

    name: str
    kind: Literal["dense", "norm", "sum"]
    reads: tuple[Read, ...]
    scale: LayerScale


def expect_streams(squares: Array, nodes: Sequence[Node]) -> tuple[ExpectedLayer, ...]:
    """Return what theory expects of every node, from the mean squares of the batch's rows.

    Parameters
    ----------
    squares : array, shape (rows,)
        The rows' mean squares.
    nodes : sequence of Node
        In an order of execution. Layers and norms read one node, sums two, as they are before their activations; the last layer
        is the output.

    Returns
    -------
    tuple of ExpectedLayer
        For wide layers of independent weights of mean 0. Errors and cosines are NaN: nothing here follows pairs of rows.

    Raises
    ------
    ValueError
        If a sum reads what an activation made, whose mean is not 0.
    """
    signal = grouped(squares)
    q = _forward(signal, nodes)
    return _records(nodes, q, *_backward(nodes, q))


def _forward(signal: Array, nodes: Sequence[Node]) -> list[Array]:
    """Follow the mean squares of the rows."""
    q: list[Array] = []

    def taken(read: Read) -> Array:
        if read.place == BATCH:
            return signal
        g = Activation(nodes[read.place].scale.activation)
        return np.asarray(second_moment(g, q[read.place])) if read.activated else q[read.place]

    for node in nodes:
        if node.kind == "sum":
            if any(read.activated for read in node.reads):
                raise ValueError(f"{node.name} must add streams before their activations")
            q.append(np.sum([taken(read) for read in node.reads], axis=0))
        elif node.kind == "norm":
            q.append(np.full_like(signal, node.scale.n_var_w + node.scale.var_b))
        else:
            q.append(node.scale.n_var_w * taken(node.reads[0]) + node.scale.var_b)
    return q


def _backward(nodes: Sequence[Node], q: list[Array]) -> tuple[list[Array], list[Array]]:
    """Follow the mean squares of the gradients, 1 at the output's z: those of each node before and after its activation.

    The gradient of a node is the sum of what its readers send back, taken as independent.
    """
    before, after = [np.zeros_like(q[0]) for _ in nodes], [np.zeros_like(q[0]) for _ in nodes]
    output = max(i for i, node in enumerate(nodes) if node.kind == "dense")
    before[output] += 1.0
    for place in reversed(range(len(nodes))):
        node, activated = nodes[place], after[place]
        if activated.any():
            before[place] = before[place] + activated * np.asarray(chi(Activation(node.scale.activation), q[place]))
        for read in node.reads:
            if read.place == BATCH:
                continue
            sent = before[place]
            if node.kind == "dense":
                sent = sent * node.scale.n_var_w / node.scale.n_in * node.scale.n_out
            elif node.kind == "norm":  # the derivative of x / rms(x), but for the one direction that it takes away
                with np.errstate(divide="ignore", invalid="ignore"):
                    sent = sent * node.scale.n_var_w / q[read.place]
            (after if read.activated else before)[read.place] += sent
    return before, after


def _records(nodes: Sequence[Node], q: list[Array], before: list[Array], after: list[Array]) -> tuple[ExpectedLayer, ...]:
    used = {read for node in nodes for read in node.reads}
    hidden = [place for place, node in enumerate(nodes) if node.kind == "dense"][:-1]
    sizes = [math.sqrt(float((after if Read(place, True) in used else before)[place].mean())) for place in range(len(nodes))]
    ratios = {a: sizes[a] / sizes[b] if sizes[b] > 0 else math.nan for a, b in pairwise(hidden)}
    found = []
    for place, node in enumerate(nodes):
        activated = Read(place, True) in used
        g = Activation(node.scale.activation if activated else "identity")
        centre = float(np.mean(mean(g, q[place])))
        square = float(np.mean(second_moment(g, q[place])))
        found.append(
            ExpectedLayer(
                name=node.name,
                activation=str(g),
                n_in=node.scale.n_in,
                n_out=node.scale.n_out,
                n_var_w=node.scale.n_var_w,
                var_b=node.scale.var_b,
                z_std=math.sqrt(float(q[place].mean())),
                z_cosine=math.nan,
                a_mean=centre,
                a_rms=math.sqrt(square),
                a_std=math.sqrt(max(square - centre**2, 0.0)),
                a_error=math.nan,
                da_rms=sizes[place],
                da_error=math.nan,
                backward_ratio=ratios.get(place),
            )
        )
    return tuple(found)
