"""Self-contained HTML pages: `shell` assembles one, `pack` stores its data, `report` makes those of results.

Everything the browser needs is in ``assets``, split by view, and in Bokeh's Python package.
"""
