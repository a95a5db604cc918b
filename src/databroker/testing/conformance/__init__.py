"""The conformance suite: what every store must do, as tests to inherit."""

from __future__ import annotations

from .changes import Changes
from .concurrency import Sharing
from .external import External
from .finding import Finding
from .hostile_values import OddInput
from .identity import Identity
from .late_parents import Orphans
from .many_runs import ManyRuns
from .moving import Moving
from .openers import Openers
from .other_processes import OtherProcesses
from .processes import Processes
from .roundtrip import Keeping
from .rows import Rows
from .searching import Searching

__all__ = ["StoreConformance"]


class StoreConformance(
    Keeping,
    Rows,
    ManyRuns,
    External,
    Finding,
    Searching,
    Identity,
    Orphans,
    OddInput,
    Sharing,
    Changes,
    Processes,
    Openers,
    OtherProcesses,
    Moving,
):
    """All tests that a store must pass; inherit and define ``open_store``.

    Documents must come out as exactly as the store's `capabilities` say.
    """
