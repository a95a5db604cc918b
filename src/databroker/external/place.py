"""Where a file is, and how that was found."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Place"]


@dataclass(frozen=True)
class Place:
    """Where a file is, and how that was found."""

    path: str  # where it is sought
    recorded: str  # where it was when it was written
    root: str = ""  # the part of `recorded` that its document calls the root; '' if none
    mapped: tuple[str, str] | None = None  # the entry of the root map that was applied
    # Whether `recorded` is a path of Windows, where upper and lower case are the same.
    windows: bool = False

    def history(self) -> str:
        """Return how the path came about, in words; '' if it is just as recorded."""
        if self.mapped is None:
            return ""
        return f"(recorded as {self.recorded}; root_map {{{self.mapped[0]!r}: {self.mapped[1]!r}}})"
