"""The C++ tests, one here for each test_<topic>.cpp."""

from __future__ import annotations

from pathlib import Path

import pytest

TOPICS = [*sorted(path.stem.removeprefix("test_") for path in Path(__file__).parent.glob("test_*.cpp")), "sweep_math"]


@pytest.mark.parametrize("topic", TOPICS)
def test_cpp(cpp_run, topic):
    cpp_run.result()
