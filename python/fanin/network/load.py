"""`fanin.load`: a network from a file, with its optimizer."""

from __future__ import annotations

import os
from typing import NamedTuple

from fanin.network.network import Network
from fanin.optimizer import Optimizer


class Checkpoint(NamedTuple):
    """What a file held: the network, and the optimizer with its state (None if none was saved)."""

    network: Network
    optimizer: Optimizer | None


def load(path: str | os.PathLike[str]) -> Checkpoint:
    """Read what `save` wrote.

    Training goes on with the bits of a run that never stopped: the same shuffles, the same state of the optimizer. A run that
    ended inside an epoch goes on with the next one.

    Raises
    ------
    ValueError
        If the file is damaged, cut short or no safetensors file, or has no description of a network.
    OSError
        If the file cannot be read.

    Warns
    -----
    RuntimeWarning
        If the file was written by another version of the algorithms: the weights are right, a resumed run may differ in bits.

    Examples
    --------
    >>> import os, tempfile
    >>> import fanin as fi
    >>> net, adam = fi.Network([2, 3, 2], seed=7), fi.Adam()
    >>> cost = net.step([[1, 2]], [0], optimizer=adam)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     net.save(os.path.join(folder, "net.safetensors"), adam)
    ...     net, adam = fi.load(os.path.join(folder, "net.safetensors"))
    >>> net
    Network([2, 3, 2], activation='tanh', init='xavier_normal', loss='cross_entropy', seed=7, dtype='float32')
    >>> adam.steps
    1
    """
    return Checkpoint(*Network._read(path))
