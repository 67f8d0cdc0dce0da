"""Theory of signals at initialization: what to expect of every layer before anything is trained.

In a wide layer of independent weights the pre-activations of one input are normal with mean 0 and variance q; what a layer does
to a signal, to the angle between two signals and to a gradient is then an integral over normal variables. The topics, from one
layer to whole networks:

- `gain`, `mean`, `second_moment`, `variance_map`, `chi`, `relative_fluctuation`: one layer, one signal;
- `correlation_map`, `correlation_slope`, `arc_cosine`: one layer, two signals;
- `fixed_point`, `edge_of_chaos`, `depth_scale`: where depth leads;
- `mean_variance_map`, `selu_map`, `selu_jacobian`: activations that normalize themselves;
- `predict_variance`, `classify`: the article's product form;
- `finite_width`, `dead_fraction`: what finite width adds, and how many ReLU units no input of a batch reaches;
- `jacobian_moments`, `jacobian_variance`, `largest_eigenvalue`: the spectrum of the Jacobian;
- `expected_trace`: all of it for a network and a batch;
- `derivation`: the article's derivation, step by step, each step checked.

An activation is a name that `fanin.activation.names` lists, any elementwise function of a float64 array, or an `Activation`
made of one. Every function states its source.
"""

from __future__ import annotations

from fanin.theory.correlation import arc_cosine, correlation_map, correlation_slope
from fanin.theory.dead import dead_fraction
from fanin.theory.edge import EdgeOfChaos, edge_of_chaos
from fanin.theory.equilibrium import FixedPoint, depth_scale, fixed_point
from fanin.theory.expected import ExpectedLayer, ExpectedTrace, expected_trace
from fanin.theory.integrals.function import Activation, Estimate
from fanin.theory.integrals.moments import chi, gain, mean, relative_fluctuation, second_moment, variance_map
from fanin.theory.jacobian import JacobianMoments, jacobian_moments, jacobian_variance, largest_eigenvalue
from fanin.theory.mean_variance import MeanVariance, mean_variance_map, selu, selu_jacobian, selu_map
from fanin.theory.product import PredictedVariance, classify, predict_variance
from fanin.theory.steps import Check, Derivation, Step, derivation
from fanin.theory.width import FiniteWidth, finite_width

__all__ = [
    "Activation",
    "Check",
    "Derivation",
    "EdgeOfChaos",
    "Estimate",
    "ExpectedLayer",
    "ExpectedTrace",
    "FiniteWidth",
    "FixedPoint",
    "JacobianMoments",
    "MeanVariance",
    "PredictedVariance",
    "Step",
    "arc_cosine",
    "chi",
    "classify",
    "correlation_map",
    "correlation_slope",
    "dead_fraction",
    "depth_scale",
    "derivation",
    "edge_of_chaos",
    "expected_trace",
    "finite_width",
    "fixed_point",
    "gain",
    "jacobian_moments",
    "jacobian_variance",
    "largest_eigenvalue",
    "mean",
    "mean_variance_map",
    "predict_variance",
    "relative_fluctuation",
    "second_moment",
    "selu",
    "selu_jacobian",
    "selu_map",
    "variance_map",
]
