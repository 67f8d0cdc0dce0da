"""threadpoolctl sees and limits fanin's threads once this module is imported, or where it was imported before fanin."""

from __future__ import annotations

try:
    import threadpoolctl
except ImportError as error:
    raise ImportError("fanin.interop.threadpoolctl needs threadpoolctl: pip install threadpoolctl") from error

from fanin._core import __version__

__all__ = ["Controller"]


class Controller(threadpoolctl.LibController):  # type: ignore[misc]
    """fanin's thread pool as threadpoolctl's ``user_api="fanin"``."""

    user_api = "fanin"
    internal_api = "fanin"
    filename_prefixes = ("_core",)
    check_symbols = ("fanin_get_num_threads", "fanin_set_num_threads")

    def get_num_threads(self) -> int:
        """Return what `fanin.num_threads` does."""
        return int(self.dynlib.fanin_get_num_threads())

    def set_num_threads(self, num_threads: int) -> None:
        """Do what `fanin.set_num_threads` does."""
        self.dynlib.fanin_set_num_threads(num_threads)

    def get_version(self) -> str:
        """Return fanin's version."""
        return __version__


threadpoolctl.register(Controller)
