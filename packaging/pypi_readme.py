"""The README as a package index shows it: away from the repository, where relative links lead nowhere.

With the `address` of the public repository in pyproject.toml, links lead to the files of the release there, and pictures are
its pictures; of a picture in two forms the one for white paper, which an index has. While there is none, a link becomes its
words, and a picture is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LINK = re.compile(r"(!?)\[([^]]*)\]\((?!https?://|mailto:)([^)\s]+)\)")

PICTURE = re.compile(r'<picture>.*?<img ([^>]*)src="(?!https?://)([^"]+)"([^>]*)>.*?</picture>', re.DOTALL)


def page(text: str, address: str, version: str) -> str:
    """The text with its links made absolute, or with none that are relative.

    Parameters
    ----------
    text : str
        Markdown.
    address : str
        Of the repository, as "https://host/owner/name"; empty for none.
    version : str
        The files linked to are those of the tag "v<version>".
    """

    def absolute(link: re.Match[str]) -> str:
        picture, words, path = link.groups()
        if not address:
            return "" if picture else words
        return f"{picture}[{words}]({address.rstrip('/')}/{'raw' if picture else 'blob'}/v{version}/{path})"

    def white(picture: re.Match[str]) -> str:
        before, path, after = picture.groups()
        return f'<img {before}src="{address.rstrip("/")}/raw/v{version}/{path}"{after}>' if address else ""

    parts = re.split(r"(^```.*?^```$)", text, flags=re.MULTILINE | re.DOTALL)  # every second one is code
    parts[::2] = [LINK.sub(absolute, PICTURE.sub(white, part)) for part in parts[::2]]
    return re.sub(r"\n{3,}", "\n\n", "".join(parts))


def dynamic_metadata(settings: Mapping[str, Any], project: Mapping[str, Any]) -> dict[str, Any]:
    """What scikit-build-core asks for."""
    text = page(Path("README.md").read_text(encoding="utf-8"), settings["address"], project["version"])
    return {"readme": {"text": text, "content-type": "text/markdown"}}
