"""The course of one fit: its costs, its scores on held-out rows, the best network so far, and how long nothing got better."""

from __future__ import annotations

import math
from typing import Any

from numpy.typing import NDArray

from fanin.network.network import Network


class Course:
    """Notes every epoch; counts those that brought no improvement of more than `tol`."""

    def __init__(self, by_score: bool) -> None:
        self.by_score = by_score
        self.costs: list[float] = []
        self.scores: list[float] = []
        self.best_cost, self.best_score = math.inf, -math.inf
        self.idle, self.rounds = 0, 0
        self.converged = False
        self._best: list[NDArray[Any]] = []

    def begin(self) -> None:
        """Begin another fit of the same network: the costs go on, the count of epochs starts again."""
        self.rounds, self.idle, self.converged = 0, 0, False

    def note(self, cost: float, score: float | None, tol: float, net: Network) -> int:
        """Take down one epoch; returns the epochs without improvement."""
        self.rounds += 1
        self.costs.append(cost)
        if score is not None:
            self.scores.append(score)
            better = score >= self.best_score + tol
            if score > self.best_score:
                self.best_score = score
                self._best = [array.copy() for array in (*net.weights, *net.biases)]
        else:
            better = cost <= self.best_cost - tol
            self.best_cost = min(self.best_cost, cost)
        self.idle = 0 if better else self.idle + 1
        return self.idle

    def restore(self, net: Network) -> None:
        """Give the network the parameters of its best score."""
        for array, best in zip((*net.weights, *net.biases), self._best, strict=bool(self._best)):
            array[...] = best
        self._best = []
