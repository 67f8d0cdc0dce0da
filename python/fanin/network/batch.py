"""One batch of finite rows for a network: what traces and expectations take."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from fanin.common import require
from fanin.network.network import Network
from fanin.network.targets import converted


def batch(net: Any, x: ArrayLike, dtype: DTypeLike | None = None) -> NDArray[Any]:
    """Check and convert rows of finite numbers for a network, to its dtype unless another is asked for."""
    if not isinstance(net, Network):
        raise TypeError(f"net must be a fanin.Network, got {net!r}")
    data = converted("x", require.array("x", x), net.dtype if dtype is None else np.dtype(dtype))
    if data.ndim != 2 or data.shape[1] != net.sizes[0] or data.shape[0] == 0:
        raise ValueError(f"x must have shape (batch, n_in) = (1 or more, {net.sizes[0]}), got {data.shape}")
    require.finite("x", data)
    return data
