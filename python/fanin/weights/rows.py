"""The rows of a survey, and how they print."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from fanin.common import jsonable
from fanin.common.text import number, table
from fanin.weights.formats.tensors import Tensor

_MOST_NAME = 48


@dataclass(frozen=True)
class Row:
    """What was measured of one tensor.

    Attributes
    ----------
    name, kind, dtype, shape
        `kind` is "matrix", "bias", "convolution", "embedding", "attention", "norm", ..., as far as names and shapes tell.
    n_in, n_out : int or None
        The fans of a matrix or kernel.
    mean, std, min, max, kurtosis : float or None
        Of the finite elements, as `fanin.summarize` has them. None where the type is not read.
    n_var : float or None
        n_in Var(w): the factor by which a linear layer multiplies the mean square of the signal.
    law : str or None
        The law whose scale that is: see `fanin.weights.scale.law`.
    zeros, nans, infs : int or None
        Counts.
    largest : float or None
        The largest distance from the mean, in standard deviations.
    outliers : int or None
        Elements more than 6 standard deviations from the mean.
    copies : int or None
        Units with the very weights of an earlier unit. None where units are no rows of the file.
    rank : float or None
        The effective rank tr(C)^2 / tr(C^2) of C = w w.T, of matrices where it is cheap; independent weights have about
        n_in n_out / (n_in + n_out).
    """

    name: str
    kind: str
    dtype: str
    shape: tuple[int, ...]
    n_in: int | None = None
    n_out: int | None = None
    mean: float | None = None
    std: float | None = None
    min: float | None = None
    max: float | None = None
    kurtosis: float | None = None
    n_var: float | None = None
    law: str | None = None
    zeros: int | None = None
    nans: int | None = None
    infs: int | None = None
    largest: float | None = None
    outliers: int | None = None
    copies: int | None = None
    rank: float | None = None

    @classmethod
    def unread(cls, tensor: Tensor, kind: str) -> Row:
        """Return the row of a tensor of a type that is not read."""
        return cls(tensor.name, kind, tensor.dtype, tensor.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def remarks(self) -> str:
        """What deserves a look, in words."""
        if self.mean is None:
            return f"not read: {self.dtype}"
        found = []
        for count, word in ((self.nans, "NaN"), (self.infs, "infinite")):
            found += [f"{count} {word}"] if count else []
        if self.zeros and self.zeros != self.size:
            found.append(f"{100 * self.zeros / self.size:.3g} % zeros")
        found += [f"{self.outliers} beyond 6 std"] if self.outliers else []
        found += [f"{self.copies} of {self.shape[0]} units are copies"] if self.copies else []
        return ", ".join(found)


@dataclass(frozen=True)
class Survey:
    """What `survey` found: prints as a table."""

    path: str
    format: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        head = ("tensor", "kind", "type", "shape", "n_in", "n_out", "std", "n_in Var(w)", "law", "largest", "rank", "remarks")
        lines = table(head, [_cells(row) for row in self.rows], right={4, 5, 6, 7, 9, 10})
        elements = sum(row.size for row in self.rows)
        lines.append(
            f"{len(self.rows)} tensors of {self.format}, {elements:,} elements. largest: distance from the mean in std"
        )
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return {
            "path": self.path,
            "format": self.format,
            "tensors": [asdict(row) for row in self.rows],
            "notes": list(self.notes),
        }

    def to_json(self, path: str | None = None) -> str:
        """Return the survey as JSON, and write it if a path is given."""
        text = jsonable.dumps("weights", self.to_dict())
        if path is not None:
            jsonable.write(text, path)
        return text


def _cells(row: Row) -> tuple[str, ...]:
    name = _printable(row.name)
    if len(name) > _MOST_NAME:
        name = f"{name[: _MOST_NAME // 2 - 2]}...{name[-(_MOST_NAME // 2 - 1) :]}"
    return (
        name,
        row.kind,
        row.dtype,
        "x".join(map(str, row.shape)) or "()",
        *("-" if n is None else str(n) for n in (row.n_in, row.n_out)),
        *(number(value, 0) for value in (row.std, row.n_var)),
        row.law or "-",
        "-" if row.largest is None else f"{row.largest:.3g}",
        "-" if row.rank is None else f"{row.rank:.3g}",
        row.remarks,
    )


def _printable(name: str) -> str:
    """A name of one line that a terminal shows as it is."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in name)
