"""What results have in common: plain data, text files of it, and the ways to the pages and pictures of it."""

from __future__ import annotations

import os
from abc import abstractmethod
from typing import IO, TYPE_CHECKING, Any, ClassVar

from fanin.common import jsonable, upward
from fanin.common.text import write_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Result:
    """Plain data that writes, draws and shows itself. `Trace`, `Comparison`, `Sweep` and `LearningRates` are results."""

    _kind: ClassVar[str]  # which page and which figure: see `fanin.common.upward`
    _json: ClassVar[str]  # "kind" of the JSON

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers, strings, lists and dictionaries."""

    @abstractmethod
    def to_rows(self) -> list[dict[str, Any]]:
        """Return a flat dictionary for each row, all with the same keys: what `to_csv` writes and a DataFrame takes."""

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return `to_dict` as JSON, and write it to a path if one is given.

        Before the keys of `to_dict` stand ``"fanin"`` (the version), ``"kind"`` and ``"format": 1``. A number that is not
        finite becomes the string "NaN", "Infinity" or "-Infinity", which Python's ``float`` reads. The same result gives the
        same text; `docs/reports.md` lists the keys.
        """
        written = jsonable.dumps(self._json, self.to_dict())
        if path is not None:
            jsonable.write(written, path)
        return written

    def to_csv(self, file: str | os.PathLike[str] | IO[str]) -> None:
        """Write `to_rows` as comma-separated values, below a line of their keys.

        Parameters
        ----------
        file : path or text file
            A path is written anew. None is left empty; a list, such as a learning rate for each layer, is written "0.1 0.2".
        """
        write_rows(self.to_rows(), file)

    def plot(self, file: str | os.PathLike[str] | None = None) -> Figure:
        """Draw the result with Matplotlib, which the extra ``fanin[report]`` installs.

        Parameters
        ----------
        file : path, optional
            Where to save the figure; the ending chooses the format.

        Returns
        -------
        matplotlib.figure.Figure
        """
        drawn: Figure = upward.figure(self._kind, self)
        if file is not None:
            drawn.savefig(file, dpi=150)
        return drawn

    def _page(self, path: str | os.PathLike[str], title: str) -> None:
        upward.page(self._kind, self, path, title)

    def _repr_html_(self) -> str:
        return upward.html(self._kind, self)
