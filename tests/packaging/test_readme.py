"""The README as a package index shows it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RELATIVE = re.compile(r"""\]\((?!https?://|mailto:)|(?:src|srcset|href)="(?!https?://|mailto:)""")


@pytest.fixture
def made():
    spec = importlib.util.spec_from_file_location("pypi_readme", ROOT / "packaging" / "pypi_readme.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_with_an_address_every_link_is_absolute(made):
    text = made.page((ROOT / "README.md").read_text(), "https://example.org/owner/fanin/", "1.2.3")
    assert not RELATIVE.search(text)
    assert re.findall(r'<img src="([^"]*)" width="640" alt="One tanh network from four starts[^"]*">', text) == [
        "https://example.org/owner/fanin/raw/v1.2.3/docs/start.png"
    ]
    assert "<picture>" not in text, "an index is white"
    assert "[tutorial](https://example.org/owner/fanin/blob/v1.2.3/docs/tutorial.md)" in text
    assert "docs/embedding.md#c-and-what-calls-c)" in text


def test_without_one_links_become_words(made):
    readme = (ROOT / "README.md").read_text()
    text = made.page(readme, "", "1.2.3")
    assert not RELATIVE.search(text)
    assert "start" not in text.partition("## Try it")[0].replace("starts", "")
    assert "<img" not in text
    assert "the tutorial takes ten minutes" in text
    assert re.findall(r"^```.*?^```$", text, re.M | re.S) == re.findall(r"^```.*?^```$", readme, re.M | re.S)  # code stays


def test_the_installed_description_has_no_relative_link():
    try:
        text = importlib.metadata.metadata("fanin").get_payload() or importlib.metadata.metadata("fanin")["Description"]
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("fanin is not installed here: it runs from the source tree")
    assert "# fanin" in text
    assert not RELATIVE.search(text)
