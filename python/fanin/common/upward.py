"""The calls that lead up: the one place where a result asks a higher room to show it.

No module imports a room above its own. What a result shows of itself (`_repr_html_`, `plot`, `to_html`) is drawn in
`fanin.reports`, and a fit that keeps traces has them taken in `fanin.tracing`: these calls go through here, by name.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_ROOMS = {
    "html": "fanin.reports.notebook",
    "figure": "fanin.reports.figures",
    "page": "fanin.reports.pages.report",
    "tracer": "fanin.tracing.during_fit",
}


def html(kind: str, result: Any) -> str:
    """Return what a notebook shows of a "network", "trace", "diagnosis", "comparison", "sweep", "law" or "learning rates"."""
    return str(getattr(import_module(_ROOMS["html"]), kind.replace(" ", "_"))(result))


def figure(kind: str, result: Any) -> Any:
    """Return the Matplotlib figure of a result: "trace", "comparison", "sweep" or "learning rates"."""
    return import_module(_ROOMS["figure"]).FIGURES[kind](result)


def page(kind: str, result: Any, path: Any, title: str) -> None:
    """Write the page of a result, "comparison", "sweep" or "trace", to a path that ends with .html."""
    import_module(_ROOMS["page"]).save(kind, result, path, title)


def tracer(net: Any, every: int) -> Any:
    """Return what takes the traces of a fit: `fanin.tracing.during_fit.Tracer`."""
    return import_module(_ROOMS["tracer"]).Tracer(net, every)
