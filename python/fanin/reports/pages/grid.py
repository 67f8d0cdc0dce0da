"""The view of a sweep: the error of every point over one side of the grid, the best of each law, the table."""

from __future__ import annotations

from fanin.experiments.sweep_result import Sweep
from fanin.reports import grid
from fanin.reports.pages.markup import escaped, legend, settings, table
from fanin.reports.pages.shell import View
from fanin.reports.sweep_figure import WORDS

_ROWS = 2000  # of the table; a longer one is left to `Sweep.to_csv`


def sweep_view(result: Sweep) -> View:
    """Return the view."""
    percent = result.settings.get("loss") != "mean_squared_error"
    by = 100 if percent else 1
    what = "held-out error, %" if percent else "held-out cost"
    name, found = grid.axis(result), grid.curves(result)
    heads, rows = result.table()
    best = []
    for curve in found:
        own = result.where(law=curve.law)
        if curve.errors:
            chosen = own.best()
            error = f"{100 * (chosen.error or 0):.1f} %" if percent else f"{chosen.error:.4g}"
            place = [f"{one} {getattr(chosen, one)}" for one in ("activation", "depth", "width", "seed", "lr")]
            best.append([curve.law, error, ", ".join(place), chosen.words, str(curve.lost)])
        else:
            best.append([curve.law, "-", "-", "all diverged or failed", str(curve.lost)])
    of_best = ["law", what.replace(", %", ""), "at", "verdict at the start", "diverged or failed"]
    more = "" if len(rows) <= _ROWS else f'<p class="note">The first {_ROWS} of {len(rows)} points.</p>'
    return View(
        name="sweep",
        title="Sweep",
        html=f"""<h2>Which points learn?</h2>
<figure class="card"><h3>{escaped(what[0].upper() + what[1:])}</h3><div data-part="errors"></div>
{legend([curve.law for curve in found])}
<figcaption>Dots: points. Lines: medians over all points with the same {escaped(WORDS[name])}.</figcaption></figure>
<h2>The best point of each law</h2>
<div class="card">{table(of_best, best, label="Best points")}</div>
<h2>All points</h2>
{more}<div class="card">{table(heads, rows[:_ROWS], label="All points")}</div>
<h2>Settings</h2>
<div class="card">{settings(result.settings)}</div>""",
        data={
            "axis": WORDS[name],
            "log": name in ("lr", "width") and len(set(result.column(name))) > 2,
            "what": what,
            "runs": [
                {
                    "name": curve.law,
                    "at": curve.at,
                    "errors": [by * error for error in curve.errors],
                    "line": [[x for x, _ in curve.medians], [by * error for _, error in curve.medians]],
                }
                for curve in found
            ],
        },
        scripts=("decades.js", "sweep.js"),
        styles=("report.css",),
    )
