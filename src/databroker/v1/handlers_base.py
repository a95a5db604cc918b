"""What users' own handlers are made from."""

from __future__ import annotations

from typing import Any, ClassVar

__all__ = ["HandlerBase"]


class HandlerBase:
    """Opens a resource; a subclass is called with a datum's arguments and gives its data.

    Attributes
    ----------
    specs
        Which kinds of resource it opens.

    Examples
    --------
    >>> class Numbers(HandlerBase):
    ...     specs = {"NUMBERS"}
    ...     def __init__(self, path, first): self.first = first
    ...     def __call__(self, n): return self.first + n
    >>> with Numbers("/data/numbers", first=5) as handler:
    ...     handler(n=1)
    6
    """

    specs: ClassVar[set[str]] = set()

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of what was opened; to be defined where something is."""
