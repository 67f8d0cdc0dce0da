"""Colours of verdicts and laws can be read on every paper that they stand on."""

from __future__ import annotations

import pytest

from fanin.reports import palette
from fanin.reports.pages.shell import asset

LEAST = 4.5  # WCAG 2.1, success criterion 1.4.3


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    for colour in (*palette.VERDICTS.values(), *palette.LAWS):
        assert min(contrast(colour.light, paper) for paper in ("#ffffff", "#f7f6f2")) >= LEAST
        assert min(contrast(colour.dark, paper) for paper in ("#14181d", "#1c2128")) >= LEAST
    for text in palette.NOTEBOOK.values():
        assert min(contrast(text, paper) for paper in ("#ffffff", "#000000")) >= LEAST


def test_the_papers_are_those_of_the_page():
    style = asset("page.css")
    for paper in ("--paper: #f7f6f2; --card: #ffffff", "--paper: #14181d; --card: #1c2128"):
        assert paper in style


def test_kinds():
    kinds = {"healthy": "good", "healthy, gradients vanishing": "fair", "vanishing, learns late": "fair", "dead": "bad"}
    kinds |= {"healthy: trains at 0.1": "good", "healthy: trains 2.9 times as slowly at 0.1": "fair"}
    assert {verdict: palette.kind(verdict) for verdict in kinds} == kinds
