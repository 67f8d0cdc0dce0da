"""Self-contained HTML pages: the article alive (``fanin article``), and the frame that other reports can use.

`shell` assembles a page, `pack` stores its data, `playground`, `digits`, `linear` and `symmetry` each record one view with
fanin's own kernels. Everything the browser needs is in ``assets``, split by view, and in Bokeh's Python package.
"""

from fanin.page.shell import View, assemble

__all__ = ["View", "assemble"]
