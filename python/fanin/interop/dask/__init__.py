"""fanin on Dask: laws as arrays whose chunks are drawn where they live, and summaries that merge.

`fanin.sweep` and `fanin.compare` run on a cluster by ``executor=client.get_executor()``.
"""

from __future__ import annotations

try:
    import dask.array  # noqa: F401
    import distributed  # noqa: F401
except ImportError as error:
    raise ImportError("fanin.interop.dask needs Dask: pip install 'fanin[dask]'") from error

from fanin.interop.dask.arrays import array, digest
from fanin.interop.dask.summary import summarize

__all__ = ["array", "digest", "summarize"]
