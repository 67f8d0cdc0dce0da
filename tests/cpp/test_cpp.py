"""The C++ tests, one here for each test_<topic>.cpp."""

from __future__ import annotations

from pathlib import Path

import pytest

TOPICS = sorted(path.stem.removeprefix("test_") for path in Path(__file__).parent.glob("test_*.cpp"))


@pytest.mark.parametrize("topic", TOPICS)
def test_cpp(tools, cpp_build, topic):
    tools.run(tools.ctest, "--test-dir", cpp_build, "-R", f"^{topic}$", "--no-tests=error", "--output-on-failure")
