"""What has been inserted and waits for the server of its store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..display.counting import counted


@dataclass(frozen=True, slots=True)
class Waiting:
    """Documents that wait on this machine until they can be sent to a store.

    Attributes
    ----------
    documents, bytes
        How many, and how many bytes they take.
    files
        Where they are.
    reason
        Why those of this process wait, if there are any.
    refused
        What the server refused for good, and why, in words; it is kept in ``kept``.
    kept
        The files with what was refused, and those that are damaged. Nobody but you removes them.
    elsewhere
        Files beside these, in which documents wait for other stores, or for other addresses.

    Examples
    --------
    >>> print(Waiting())
    nothing waits
    >>> print(Waiting(2, 317, ("/home/ann/spill/1.spill",), "the server is away"))
    2 documents wait (317 bytes): the server is away
    """

    documents: int = 0
    bytes: int = 0
    files: tuple[str, ...] = ()
    reason: str | None = None
    refused: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()

    @classmethod
    def of_all(cls, several: Sequence[Waiting]) -> Waiting:
        """Return what waits for several stores together; the first reason stands for all.

        Examples
        --------
        >>> print(Waiting.of_all([Waiting(2, 317), Waiting(1, 100)]))
        3 documents wait (417 bytes)
        """
        files = tuple(file for each in several for file in each.files)
        others = dict.fromkeys(file for each in several for file in each.elsewhere)
        return cls(
            sum(each.documents for each in several),
            sum(each.bytes for each in several),
            files,
            next((each.reason for each in several if each.reason), None),
            tuple(refused for each in several for refused in each.refused),
            tuple(kept for each in several for kept in each.kept),
            tuple(file for file in others if file not in files),
        )

    def __bool__(self) -> bool:
        return bool(self.documents or self.kept)

    def __str__(self) -> str:
        if not self.documents:
            return "nothing waits"
        said = f"{counted(self.documents, 'document')} wait{'s' * (self.documents == 1)}"
        return f"{said} ({self.bytes:,} bytes){f': {self.reason}' if self.reason else ''}"
