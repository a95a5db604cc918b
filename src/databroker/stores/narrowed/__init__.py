"""A store of which only the runs are there that match a query: whatever it is asked.

`NarrowedStore` is no `DelegatingStore`: what it does not answer itself, the contract makes of what
it does. So a question that is new in the contract cannot pass it by.
"""

from __future__ import annotations

from .store import NarrowedStore as NarrowedStore
from .writing import is_of_start as is_of_start

__all__ = ["NarrowedStore", "is_of_start"]
