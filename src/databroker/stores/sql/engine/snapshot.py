"""Several looks at a database as if they were one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from .connection import Connection


@contextlib.contextmanager
def snapshot(connection: Connection) -> Iterator[None]:
    """See the database as it is now in all looks within, whatever others write meanwhile.

    It must be short: the log cannot be emptied before it ends. Within a
    transaction, which is such a view already, it does nothing.
    """
    if connection.in_transaction:
        yield
        return
    try:
        connection.execute("BEGIN")
        yield
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
