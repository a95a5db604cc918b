"""A store as another package may bring it: documents one after the other in a file.

Whoever asks reads what others have added since, and answers from memory. It shows how little a
store needs, and that the suite is about more than the stores of this package.
"""

import contextlib
import fcntl
import os
import struct
from pathlib import Path

from databroker.documents.encode import decode, encode
from databroker.errors import StoreIsReadOnly, StoreUnavailable
from databroker.stores.base import LINKED, Capabilities, Store
from databroker.stores.memory import MemoryStore
from databroker.stores.registry import Driver, Option

_LENGTH = struct.Struct("<Q")

DRIVER = Driver(
    "journal",
    "journal_store:JournalStore",
    (Option("path", "path"), Option("read_only", "flag")),
    needs=(("path",),),
)


class JournalStore(Store):
    """Documents in a file to which they are only ever added."""

    def __init__(self, path, read_only=False):
        super().__init__()
        self.path = Path(path)
        self.capabilities = Capabilities(not read_only, shared=True, exact="exact", live=True)
        self._inner = MemoryStore()
        self._read = 0  # bytes that are in memory
        self._closed = False
        self.path.touch()

    def __reduce__(self):
        return JournalStore, (str(self.path), not self.capabilities.writable)

    def put(self, kind, doc):
        """Keep a document."""
        if not self.capabilities.writable:
            raise StoreIsReadOnly(f"{self.path} is open for reading only.")
        body = encode([kind, doc])
        with self._up_to_date() as file:
            self._inner.put(kind, doc)
            # What a writer left behind that was killed is no document.
            os.ftruncate(file, self._read)
            os.pwrite(file, _LENGTH.pack(len(body)) + body, self._read)
            self._read += _LENGTH.size + len(body)

    @contextlib.contextmanager
    def _up_to_date(self):
        """Keep all others out, and take in what they have added."""
        if self._closed:
            raise StoreUnavailable(f"{self.path} is closed.")
        # A file of its own keeps the other threads out, too.
        with self.path.open("r+b", buffering=0) as opened:
            file = opened.fileno()
            fcntl.flock(file, fcntl.LOCK_EX)
            try:
                self._take_in(file)
                yield file
            finally:
                fcntl.flock(file, fcntl.LOCK_UN)

    def _take_in(self, file):
        added = os.pread(file, os.fstat(file).st_size - self._read, self._read)
        first = 0
        while first + _LENGTH.size <= len(added):
            begin = first + _LENGTH.size
            (length,) = _LENGTH.unpack(added[first:begin])
            if begin + length > len(added):
                break
            self._inner.put(*decode(added[begin : begin + length]))
            first = begin + length
            self._read += _LENGTH.size + length

    def _now(self):
        with self._up_to_date():
            return self._inner

    def find(self, query, *, limit=None, after=None):
        """Yield runs."""
        return self._now().find(query, limit=limit, after=after)

    def documents(self, uid, kinds=LINKED):
        """Yield descriptors and resources."""
        return self._now().documents(uid, kinds)

    def extents(self, kind, owner):
        """Return where rows are."""
        return self._now().extents(kind, owner)

    def read(self, kind, extent, selection, rows=None):
        """Yield rows."""
        return self._now().read(kind, extent, selection, rows)

    def datum(self, datum_id):
        """Return a datum."""
        return self._now().datum(datum_id)

    def resource(self, uid):
        """Return a resource."""
        return self._now().resource(uid)

    def close(self):
        """Be closed."""
        self._closed = True
