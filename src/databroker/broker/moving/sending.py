"""How a run travels: its documents one by one, and its rows as documents or as batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

from ...columns.batches import gathered
from ...stores.contents import Owner, StoredRun, owners_of
from ...stores.sizes import bytes_of

if TYPE_CHECKING:
    import pyarrow as pa

    from ...stores.base import Store

_BYTES = 8 * 2**20  # of a batch that is sent: each is one transaction
_FEW = 64  # rows that are sent as documents, with those of other runs

Doc = dict[str, Any]


def is_small(run: StoredRun) -> bool:
    """Tell whether it is worth while to send several such runs together."""
    return run.batches is not None or sum(run.outline.rows.values()) <= _FEW


def size_of(run: StoredRun) -> int:
    """Return about how many bytes a run is, as far as it has been read."""
    documents = [run.start, run.stop or {}, *(doc for _, doc in run.linked)]
    batches = chain.from_iterable((run.batches or {}).values())
    return sum(map(bytes_of, documents)) + sum(int(batch.nbytes) for batch in batches)


def batches_of(store: Store, run: StoredRun, owner: Owner) -> Iterator[pa.RecordBatch]:
    """Yield the rows of one owner, as far as they were there when the run was looked at."""
    from ...columns import ALL

    if run.batches is not None:
        yield from run.batches[owner]
        return
    for extent in run.extents[owner]:
        yield from store.read(owner[0], extent, ALL)


def documents_of(store: Store, run: StoredRun) -> Iterator[tuple[str, Doc]]:
    """Yield the documents of a run, which are read as they are asked for."""
    return run.documents(lambda owner: batches_of(store, run, owner))


def send(store: Store, run: StoredRun, target: Store) -> None:
    """Send a run by itself."""
    if is_small(run):
        target.insert_many(documents_of(store, run))
    else:
        send_large(store, run, target, lambda _, batches: batches)


def send_large(
    store: Store, run: StoredRun, target: Store, look: Callable[[Owner, Iterator[Any]], Any]
) -> None:
    """Send a run whose rows travel as batches; `look` is given those of each owner on their way."""
    target.insert_many([("start", run.start), *run.linked])
    for owner in owners_of(run.linked):
        batches = gathered(batches_of(store, run, owner), _BYTES)
        target.insert_batches(*owner, look(owner, batches))
    if run.stop is not None:
        target.insert_many([("stop", run.stop)])
