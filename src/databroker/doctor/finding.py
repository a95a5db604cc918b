"""One thing that was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["good", "note", "bad"]


@dataclass(frozen=True)
class Diagnosis:
    """What was found, and how it is mended.

    Attributes
    ----------
    state
        'good'; 'note', of what may be meant so; 'bad', of what does not work.
    about
        What was looked at, in a word or two.
    found
        What was found.
    mend
        What to do, if anything.

    Examples
    --------
    >>> Diagnosis("bad", "root map", "/data is not there", "mount it").ok
    False
    """

    state: State
    about: str
    found: str
    mend: str = ""

    @property
    def ok(self) -> bool:
        """Whether it works."""
        return self.state != "bad"
