"""The C++ tests, one here for each test_<topic>.cpp."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

TOPICS = [*sorted(path.stem.removeprefix("test_") for path in Path(__file__).parent.glob("test_*.cpp")), "sweep_math"]


@pytest.fixture(scope="module")
def runs(request, tools, cpp_tests) -> dict[str, Future[str]]:
    """All those that were chosen, two at a time."""
    chosen = [item.callspec.params["topic"] for item in request.session.items if item.path == request.path]
    with ThreadPoolExecutor(2) as pool:
        command = (tools.ctest, "--test-dir", cpp_tests, "--no-tests=error", "--output-on-failure", "-R")
        yield {topic: pool.submit(tools.run, *command, f"^{topic}$") for topic in chosen}


@pytest.mark.parametrize("topic", TOPICS)
def test_cpp(runs, topic):
    runs[topic].result()
