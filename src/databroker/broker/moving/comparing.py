"""Whether a run is the same in two stores: at one look, by its digest, or document by document."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from ...columns import to_rows
from ...columns.digest import RowsDigest
from ...documents.encode import encode, same
from ...documents.identity import conflict, is_provisional, same_row
from ...documents.kinds import IDENTITY
from ...stores.contents import Outline, Owner, StoredRun
from .sending import batches_of

if TYPE_CHECKING:
    from ...stores.base import Store

Doc = dict[str, Any]
Digests = dict[Owner, RowsDigest]
Like = tuple[StoredRun, Digests]


def has_all(there: Outline, wanted: Outline) -> bool:
    """Tell whether a store has all of a run, as far as outlines can tell.

    A run that ended has all that was sent before its stop, which is sent last; what came
    to the source later shows in the number of rows.

    Raises
    ------
    ConflictingDocument
        Its start or its stop differ from those of the run.
    """
    if not same(there.start, wanted.start):
        raise conflict("start", there.start, wanted.start)
    if there.stop is None or wanted.stop is None:
        ended = wanted.stop is None
    elif same(there.stop, wanted.stop):
        ended = True
    elif is_provisional(there.stop):
        ended = False
    else:
        raise conflict("stop", there.stop, wanted.stop)
    return ended and all(there.rows.get(owner, -1) >= rows for owner, rows in wanted.rows.items())


def rows_digests(store: Store, run: StoredRun, like: Like | None = None) -> Digests:
    """Return the digests of the rows of a run, all of which are read for it.

    Rows at hand that are the same as those of a run whose digests are known need none.
    """
    digests: Digests = {}
    for owner in run.extents:
        if like is not None and _are_equal(run, like[0], owner):
            digests[owner] = like[1][owner]
            continue
        digests[owner] = RowsDigest()
        for batch in batches_of(store, run, owner):
            digests[owner].add(batch)
    return digests


def _are_equal(run: StoredRun, other: StoredRun, owner: Owner) -> bool:
    if run.batches is None or other.batches is None or owner not in other.batches:
        return False
    one, two = run.batches[owner], other.batches[owner]
    return len(one) == len(two) and all(
        batch.equals(same_batch, check_metadata=True)
        for batch, same_batch in zip(one, two, strict=True)
    )


def run_digest(run: StoredRun, rows: Digests) -> str:
    """Return the digest of a run whose rows have been read; it is that in any store."""
    whole = hashlib.sha256(encode([run.start, run.stop]))
    for kind, doc in sorted(run.linked, key=lambda each: (each[0], each[1]["uid"])):
        whole.update(encode([kind, doc]))
    for owner in sorted(run.extents):
        whole.update(encode(list(owner)))
        whole.update(rows[owner].digest())
    return whole.hexdigest()


def difference(source: Store, run: StoredRun, target: Store, there: StoredRun) -> str | None:
    """Return in what a run is not in another store as it is at the source; None if it is.

    There may be more of it there, in another order, or in another form that counts as equal.
    """
    if not same(run.start, there.start):
        return "its start document differs"
    if run.stop is not None and not same(run.stop, there.stop):
        return "its stop document differs, or is missing"
    linked = {(kind, doc["uid"]): doc for kind, doc in there.linked}
    for kind, doc in run.linked:
        if not same(doc, linked.get((kind, doc["uid"]))):
            return f"the {kind.replace('_', ' ')} {doc['uid']!r} differs, or is missing"
    for owner in run.extents:
        if (identity := _other_row(source, run, target, there, owner)) is not None:
            return f"the {owner[0].replace('_', ' ')} {identity!r} differs, or is missing"
    return None


def _other_row(
    source: Store, run: StoredRun, target: Store, there: StoredRun, owner: Owner
) -> str | None:
    """Return the identity of the first row of an owner that is not there as it is at the source."""
    kind, uid = owner
    key = IDENTITY[kind]
    known: dict[str, Doc] = {}
    for batch in batches_of(target, there, owner):
        known.update((row[key], row) for row in to_rows(kind, uid, batch))
    for batch in batches_of(source, run, owner):
        for row in to_rows(kind, uid, batch):
            if row[key] not in known or not same_row(known[row[key]], row):
                identity: str = row[key]
                return identity
    return None
