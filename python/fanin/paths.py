"""Where an installation keeps its C++ side: for CMake (`get_cmake_dir`) and for other build systems (`get_include`)."""

from __future__ import annotations

from fanin import _core


def get_include() -> str:
    """Return the folder of the C++ headers: ``#include <fanin/random.hpp>`` with ``-I`` this folder.

    Raises
    ------
    FileNotFoundError
        If fanin runs from a source tree that was never installed.
    """
    return _installed("include", "fanin/version.hpp")


def get_cmake_dir() -> str:
    """Return the folder of the CMake package: ``cmake -Dfanin_DIR=$(python -c "import fanin; print(fanin.get_cmake_dir())")``.

    Then ``find_package(fanin CONFIG REQUIRED)`` gives the target ``fanin::fanin``, a static library.

    Raises
    ------
    FileNotFoundError
        If fanin runs from a source tree that was never installed.
    """
    return _installed("lib/cmake/fanin", "fanin-config.cmake")


def _installed(folder: str, file: str) -> str:
    from pathlib import Path  # not at the top: it costs `import fanin` milliseconds that few programs need

    # Beside the extension module and not beside this file: in an editable installation only the former is where headers are.
    path = Path(_core.__file__).resolve().parent / folder
    if not (path / file).is_file():
        raise FileNotFoundError(f"{path} holds no {file}: fanin is not installed, only imported from a source tree")
    return str(path)
