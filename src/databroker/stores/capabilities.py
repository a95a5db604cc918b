"""What a store can do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a store can do beyond reading; asked for, never tried.

    Attributes
    ----------
    writable
        New documents can be inserted.
    shared
        Other processes see what is inserted, and this one sees theirs.
    exact
        Whether documents come out identical ('exact'), or as JSON keeps them ('json': arrays
        as lists, ...).
    live
        What is inserted can be read at once, also of a run that has not ended.
    backup
        All that is stored can be copied into a file as it is at one moment.
    external
        External data are read where they are (`Store.read_external`), so that whoever asks need
        not reach the files.
    """

    writable: bool = False
    shared: bool = False
    exact: Literal["exact", "json"] = "json"
    live: bool = False
    backup: bool = False
    external: bool = False
