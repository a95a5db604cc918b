"""Whether all that a broker has stored is as it was written."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..stores.base import Store
    from ..stores.checking import CheckReport

__all__ = ["Checking"]


class Checking:
    """The part of a broker that checks what is stored.

    Examples
    --------
    >>> import databroker
    >>> db = databroker.temp()
    >>> db.insert("start", {"uid": "a", "time": 1.0})
    >>> db.check()
    1 runs, 2 index entries checked: all is as it was written.
    """

    @property
    def store(self) -> Store:
        """Where the documents are."""
        raise NotImplementedError

    def check(
        self,
        progress: Callable[[int, int], None] | None = None,
        *,
        mend_index: bool = False,
    ) -> CheckReport:
        """Read all that is stored once, and say what is not as it was written.

        Documents and rows are compared with their checksums, and the indexes by
        which searches find runs with the documents that they are made of. Others
        may write meanwhile. Data in external files is not looked at.

        Parameters
        ----------
        progress
            Called again and again with how much is checked, and how much there is.
        mend_index
            Whether to set right what differs in the indexes. Nothing else is
            changed: a damaged document or row stays as it is, and so does what
            the index knows of it.

        Returns
        -------
        CheckReport
            True if all is right; print it to see what is not. `findings` has each, with
            the uid of its run.

        Raises
        ------
        StoreIsReadOnly
            There is something to be mended where nothing may be written.

        Examples
        --------
        >>> import databroker
        >>> db = databroker.temp()
        >>> db.insert("start", {"uid": "a", "time": 1.0})
        >>> if not (report := db.check()):
        ...     print(report)
        """
        return self.store.check(progress, mend_index)
