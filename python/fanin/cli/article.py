"""``fanin article``: the article alive, as one page for the browser."""

from __future__ import annotations

import argparse
from typing import Any

from fanin.cli import output
from fanin.cli.parser import Help
from fanin.common.progress import bars

_ARTICLE = """\
Write one HTML page that needs no network: a small network that learns from weights of four scales (the playground), a deep
one on handwritten digits from four initializations, the linear network of nine hidden layers, and what equal weights do.
Every run is computed by fanin while the page is written."""


def add(commands: Any) -> None:
    """Add the command to the parser's."""
    parser = commands.add_parser(
        "article", help="the article alive, as one page for the browser", description=_ARTICLE, formatter_class=Help
    )
    parser.add_argument("--out", default="article.html", metavar="PATH", help="the page (default: article.html here)")
    parser.add_argument(
        "--mnist", metavar="DIR", help="folder with MNIST's IDX files (default: the 1797 digits inside scikit-learn)"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of points and weights (default: 0)")
    output.shared(parser)
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> None:
    from fanin.article.page import VIEWS, article
    from fanin.reports.pages.shell import check_path, write

    said = output.Said(args)
    check_path(args.out)
    with bars(VIEWS, shown=said.notes) as progress:
        page = article(seed=args.seed, mnist=args.mnist, progress=progress)
    write(args.out, page)
    said.page(args.out, f" ({len(page.encode()) / 1e6:.1f} MB)")
    said.json("article", {"path": args.out, "bytes": len(page.encode()), "seed": args.seed, "views": list(VIEWS)})
