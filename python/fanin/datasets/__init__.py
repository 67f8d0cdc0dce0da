"""Small data sets for experiments, and readers for data of your own.

NumPy only; scikit-learn or PyArrow where a function says so.

The four sets of the article's playground (`circle`, `moon`, `square`, `gauss`) are addressed by their seed: point i is drawn
from streams of the library's own and does not depend on the calls made before. The random numbers have the same bits on every
machine; circle and moon then take NumPy's cosine and sine, so their points are the same up to the last bit of those.

Every function returns ``Data(x, y)``: x of shape (n, features), y of shape (n,). `made` makes the sets, `files` reads IDX
and NPZ, `table` reads tables (`plain` and `delimited` text, `columnar` files and DataFrames) with one decision a column
(`decide`, `assembly`), and `splitting` holds rows out and scales
columns.
"""

from __future__ import annotations

from fanin.datasets.assembly import Table
from fanin.datasets.decide import Decision
from fanin.datasets.files import Data, load_idx, load_npz, mnist
from fanin.datasets.made import circle, coursework_circles, digits, gauss, moon, spirals, square
from fanin.datasets.splitting import Split, scaled, split
from fanin.datasets.table import load_csv, load_table

__all__ = [
    "Data",
    "Decision",
    "Split",
    "Table",
    "circle",
    "coursework_circles",
    "digits",
    "gauss",
    "load_csv",
    "load_idx",
    "load_npz",
    "load_table",
    "mnist",
    "moon",
    "scaled",
    "spirals",
    "split",
    "square",
]
