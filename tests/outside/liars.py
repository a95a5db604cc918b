"""Stores that keep all in dictionaries of their process, and claim to be shared."""

from databroker.stores.base import Capabilities
from databroker.stores.memory import MemoryStore

SHARED = Capabilities(writable=True, shared=True, exact="exact", live=True)


class ForgetfulStore(MemoryStore):
    """Each opener has a dictionary of its own."""

    capabilities = SHARED

    def __reduce__(self):
        return ForgetfulStore, ()


class LocalStore(MemoryStore):
    """All openers in one process have the same dictionaries, and other processes have others."""

    capabilities = SHARED
    stores = {}  # noqa: RUF012

    def __init__(self, name=None):
        super().__init__()
        self.name = name or str(id(self))
        vars(self).update(vars(self.stores.setdefault(self.name, self)))

    def __reduce__(self):
        return LocalStore, (self.name,)
