"""No framework is imported before its module is; without it, the module says what to install."""

import subprocess
import sys

import pytest

MODULES = {
    "sklearn": ("sklearn", "fanin[sklearn]"),
    "jax": ("jax", "fanin[jax]"),
    "keras": ("keras", "fanin[keras]"),
    "ray": ("ray", "pip install ray"),
    "dask": ("distributed", "fanin[dask]"),
    "threadpoolctl": ("threadpoolctl", "threadpoolctl"),
}


@pytest.mark.parametrize("module", MODULES)
def test_it_says_what_to_install(module):
    library, install = MODULES[module]
    code = f"""
import sys
sys.modules[{library!r}] = None
import fanin.interop
try:
    import fanin.interop.{module}
except ImportError as error:
    assert {install!r} in str(error) and "pip install" in str(error), error
else:
    raise AssertionError("imported without its library")
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_nothing_is_imported_before():
    code = f"""
import sys
import fanin, fanin.interop, fanin.init, fanin.experiments.sweep
fanin.trace, fanin.sweep, fanin.compare
found = {{one for one, _ in {list(MODULES.values())!r}}} & set(sys.modules)
assert not found, found
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
