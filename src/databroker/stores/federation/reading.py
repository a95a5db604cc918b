"""Many runs of several stores, read in the order asked for: each store is asked for its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from ..contents import StoredRun
from ..many import PAGE_RUNS, RunsPage
from ..rows import Extent
from .member import MemberStore

if TYPE_CHECKING:
    from ...columns import Selection
    from .ownership import Ownership

_FIRST = 16
"""So many runs make the first page: how large they are is known then."""

_PAGE_BYTES = 8 * 2**20

ByMember = dict[MemberStore, list[str]]


def grouped(owners: Ownership, uids: Iterable[str]) -> tuple[list[str], ByMember]:
    """Return those of some runs that are there, and which store has which, in the order given."""
    wanted = list(uids)
    owner_of = owners.owners(wanted)
    groups: ByMember = {}
    for uid in wanted:
        if uid in owner_of:
            groups.setdefault(owner_of[uid], []).append(uid)
    return wanted, groups


def marked(extent: Extent, member: MemberStore) -> Extent:
    """Return where rows are among several stores."""
    return replace(extent, token=(member.name, extent.token))


def read_runs(owners: Ownership, uids: Iterable[str]) -> Iterator[StoredRun]:
    """Yield what `Store.read_runs` does."""
    left = iter(uids)
    while some := list(islice(left, PAGE_RUNS)):
        wanted, groups = grouped(owners, some)
        yield from _in_order(wanted, [_marked_runs(*group) for group in groups.items()])


def _marked_runs(member: MemberStore, uids: list[str]) -> Iterator[StoredRun]:
    for run in member.read_runs(uids):
        extents = {
            owner: [marked(each, member) for each in found] for owner, found in run.extents.items()
        }
        yield replace(run, extents=extents)


def _in_order(uids: list[str], streams: list[Iterator[StoredRun]]) -> Iterator[StoredRun]:
    """Yield runs from streams that have them in this order, each some of them."""
    heads = {run.uid: (run, stream) for stream in streams for run in islice(stream, 1)}
    for uid in uids:
        if uid in heads:
            run, stream = heads.pop(uid)
            yield run
            heads.update((after.uid, (after, stream)) for after in islice(stream, 1))


def read_many(
    owners: Ownership, runs: Iterable[str], stream: str, selection: Selection | None
) -> Iterator[RunsPage]:
    """Yield what `Store.read_many` does, pages that grow while they are small."""
    left = iter(runs)
    size = _FIRST
    while some := list(islice(left, size)):
        wanted, groups = grouped(owners, some)
        pages = [
            page
            for member, uids in groups.items()
            for page in member.read_many(uids, stream, selection)
        ]
        alike = [each for page in pages for each in page.alike]
        yield RunsPage(wanted, alike, [uid for page in pages for uid in page.apart])
        taken = sum(each.batch.nbytes for each in alike if each.batch is not None)
        size = min(2 * size, PAGE_RUNS) if taken < _PAGE_BYTES else max(size // 2, 1)
