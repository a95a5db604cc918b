"""What ``db[...]`` means."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from ..errors import AmbiguousPrefix, InvalidKey, NoSuchRun, TooFarBack
from ..query.nodes import Equals, Everything, Path

if TYPE_CHECKING:
    from ..stores.contract import RunRecord, Store

_INTEGER = re.compile(r"\s*[+-]?\d+\s*", re.ASCII)
_MOST_DIGITS = 1_000
_NEAR = 500
_SHOWN = 10


def look_up(store: Store, key: Any) -> Any:
    """Return the run of a single key, or a list of runs for a slice or a collection.

    ================  ==========================================================
    key               gives
    ================  ==========================================================
    ``-n``            the n-th newest run
    ``n``             the newest run whose scan_id is n
    text              the run whose uid is this, or begins with it; a number in
                      text is first taken as a number
    slice             a list, newest first: ``[-5:]``
    list, set, ...    a list, key by key
    ================  ==========================================================

    Raises
    ------
    NoSuchRun, AmbiguousPrefix, TooFarBack, InvalidKey
    """
    if isinstance(key, slice):
        return _slice(store, key)
    if isinstance(key, str):
        return _by_text(store, key)
    if isinstance(key, Iterable):
        return [look_up(store, item) for item in key]
    if key is None:
        raise TypeError("None is not a run; give a uid, a scan_id or a negative index.")
    return _by_number(store, int(key))


def _by_text(store: Store, text: str) -> RunRecord:
    if len(text) < _MOST_DIGITS and _INTEGER.fullmatch(text):
        try:
            return _by_number(store, int(text))
        except NoSuchRun as error:
            found = _by_uid(store, text)
            if found is None:
                raise error
            return found
    found = _by_uid(store, text)
    if found is None:
        raise NoSuchRun(f"There is no run whose uid is or begins with {text!r}.{_newest(store)}")
    return found


def _by_uid(store: Store, prefix: str) -> RunRecord | None:
    record = store.record(prefix)
    if record is not None:
        return record
    uids = store.resolve(prefix, _SHOWN + 1)
    if not uids:
        return None
    if len(uids) == 1:
        return store.record(uids[0])
    listed = "\n".join(f"    {uid}" for uid in uids[:_SHOWN])
    more = "\n    ..." if len(uids) > _SHOWN else ""
    raise AmbiguousPrefix(
        f"Several runs have a uid that begins with {prefix!r}; give more of it:\n{listed}{more}"
    )


def _by_number(store: Store, number: int) -> RunRecord:
    if number < 0:
        return _newest_runs(store, [number])[0]
    record = next(store.find(Equals(Path("scan_id"), number)), None)
    if record is None:
        raise NoSuchRun(f"There is no run with scan_id {number}.{_newest(store)}")
    return record


def _slice(store: Store, key: slice) -> list[RunRecord]:
    for part in (key.start, key.stop, key.step):
        if part is not None and not hasattr(part, "__index__"):
            raise InvalidKey(
                f"A slice counts runs back from the newest, such as db[-5:]; not {part!r}."
            )
    if key.start is None or key.start >= 0:
        raise InvalidKey(
            "A slice must begin with a negative number, such as db[-5:], the five newest runs; "
            "otherwise it could be any number of runs. To loop over all: for header in db(): ..."
        )
    if key.stop is not None and key.stop > 0:
        raise InvalidKey("A slice must end with a negative number or nothing, such as db[-5:-2].")
    step = 1 if key.step is None else key.step
    if step == 0:
        raise InvalidKey("The step of a slice cannot be 0.")
    places = list(range(key.start, key.stop or 0, step)) if step > 0 else []
    return _newest_runs(store, places[::-1]) if places else []


def _newest_runs(store: Store, places: list[int]) -> list[RunRecord]:
    """Return runs by their negative places, given from the newest to the oldest."""
    wanted = set(places)
    runs = _newest_first(store, -min(places))
    found = [run() for place, run in enumerate(runs, 1) if -place in wanted]
    if len(found) < len(places):
        there = store.count(Everything())
        raise TooFarBack(
            f"There {'is' if there == 1 else 'are'} only {there} run{'' if there == 1 else 's'} "
            f"here; {min(places)} reaches too far back."
        )
    return found


def _newest_first(store: Store, number: int) -> Iterator[Callable[[], RunRecord]]:
    """Yield functions that return the newest runs; far back, documents are only read by these."""
    if number <= _NEAR:
        return (partial(_the, run) for run in islice(store.find(Everything()), number))
    uids = store.select(Everything(), [Path("uid")], number)
    return (partial(_read, store, uid) for (uid,) in uids)


def _the(run: RunRecord) -> RunRecord:
    return run


def _read(store: Store, uid: str) -> RunRecord:
    record = store.record(uid)
    if record is None:
        raise NoSuchRun(f"Run {uid!r} was removed just now.")
    return record


def _newest(store: Store) -> str:
    newest = next(store.find(Everything()), None)
    if newest is None:
        return " There are no runs here yet."
    scan_id = newest.start.get("scan_id")
    named = "" if scan_id is None else f"scan_id {scan_id}, "
    return f" The newest run is {named}uid {newest.uid[:8]!r}."
