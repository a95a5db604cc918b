"""Saying what could not be read, once, by the names of files and the places in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..._util.printable import printable
from ..._util.user_warnings import warn_user
from ...errors import DamageWarning

_NAMED = 3
"""Faults that one warning names."""


class FaultNotices:
    """Warns of what could not be read.

    Parameters
    ----------
    place
        What the place of a document is called.
    """

    def __init__(self, place: str) -> None:
        self._place = place
        self._told: set[tuple[str, int]] = set()

    def saw(self, files: Iterable[tuple[str, Sequence[tuple[int, str]]]]) -> None:
        """Say what could not be read in some files, given as paths and faults, unless it was."""
        new = [
            f"{path}, {self._place} {number}: {text.rstrip('.')}"
            for path, faults in files
            for number, text in faults
            if self._is_new(path, number)
        ]
        if new:
            more = f"; and {len(new) - _NAMED} more" if len(new) > _NAMED else ""
            shown = "; ".join(map(printable, new[:_NAMED]))
            warn_user(
                f"What could not be read is left out: {shown}{more}. See 'Damage' in the "
                "documentation, and 'databroker check' (in Python, db.check()).",
                DamageWarning,
            )

    def cannot_open(self, path: str, error: OSError) -> None:
        """Say that a whole file could not be read, unless it was said."""
        if self._is_new(path, 0):
            warn_user(f"{path} is left out, as it cannot be read: {error}", DamageWarning)

    def cannot_list(self, folders: Iterable[str]) -> None:
        """Say in which folders nobody may look, unless it was said."""
        new = [folder for folder in sorted(folders) if self._is_new(folder, 0)]
        if new:
            more = f"; and {len(new) - _NAMED} more" if len(new) > _NAMED else ""
            warn_user(
                "What is in folders that may not be read is left out: "
                f"{'; '.join(new[:_NAMED])}{more}. Ask for the right to read them, or give a "
                "pattern that does not lead there.",
                DamageWarning,
            )

    def _is_new(self, path: str, number: int) -> bool:
        if (path, number) in self._told:
            return False
        self._told.add((path, number))
        return True
