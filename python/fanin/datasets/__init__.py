"""Small data sets for experiments, and readers for data of your own. NumPy only; scikit-learn where a function says so.

The four sets of the article's playground (`circle`, `moon`, `square`, `gauss`) are addressed by their seed: point i is drawn
from streams of the library's own and does not depend on the calls made before. The random numbers have the same bits on every
machine; circle and moon then take NumPy's cosine and sine, so their points are the same up to the last bit of those.

Every function returns ``Data(x, y)``: x of shape (n, features), y of shape (n,). `made` makes the sets, `files` reads IDX, CSV
and NPZ, `splitting` holds rows out.
"""

from __future__ import annotations

from fanin.datasets.files import Data, load_csv, load_idx, load_npz, mnist
from fanin.datasets.made import circle, coursework_circles, digits, gauss, moon, spirals, square
from fanin.datasets.splitting import Split, split

__all__ = [
    "Data",
    "Split",
    "circle",
    "coursework_circles",
    "digits",
    "gauss",
    "load_csv",
    "load_idx",
    "load_npz",
    "mnist",
    "moon",
    "spirals",
    "split",
    "square",
]
