"""What ``db[...]`` means."""

from __future__ import annotations

import decimal
import math
import numbers
import re
import uuid
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from .._util.printable import shown
from ..errors import AmbiguousPrefix, InvalidKey, KeyOfWrongType, NoSuchRun, TooFarBack
from ..query.nodes import Equals, Everything, Path, UidPrefix
from ..query.values import thaw
from .run import Run, RunFace

if TYPE_CHECKING:
    from ..stores.base import RunRecord
    from .session import StoreView

T = TypeVar("T")

_INTEGER = re.compile(r"\s*[+-]?\d+\s*", re.ASCII)
_MOST_DIGITS = 1_000
_NEAR = 500
_SHOWN = 10
_WHOLE_UID = 32  # letters of a uid, which is looked for as it is


def look_up(runs: StoreView, key: Any) -> Any:
    """Return the run of a single key, or a list of runs for a slice or a collection.

    ================  ==========================================================
    key               gives
    ================  ==========================================================
    ``-n``            the n-th newest run
    ``n``             the newest run whose scan_id is n
    text              the run whose uid is this, or begins with it; a number in
                      text is first taken as a number
    header, v2 run    that run
    slice             a list, newest first: ``[-5:]``
    list, set, ...    a list, key by key
    ================  ==========================================================
    """
    key = thaw(key)
    if isinstance(key, slice):
        return _slice(runs, key)
    if isinstance(key, str | uuid.UUID):
        return _by_text(runs, str(key))
    if (uid := _uid_of(key)) is not None:
        if (record := runs.record(uid)) is None:
            raise NoSuchRun(f"The run {uid[:8]!r} is not among these.{_newest(runs)}")
        return record
    if isinstance(key, bytes | bytearray | memoryview | Mapping):
        # Item by item, these would be numbers and names that nobody meant.
        what = "db[doc['uid']]" if isinstance(key, Mapping) else "a uid as text"
        raise KeyOfWrongType(f"{shown(key)} is not a run; give {what}.")
    if isinstance(key, Iterable):
        return [look_up(runs, item) for item in key]
    return _by_number(runs, _whole(key))


def _uid_of(key: object) -> str | None:
    """Return the uid of a run, or of what stands for one; None for anything else."""
    run = key.header if isinstance(key, RunFace) else key
    return run.uid if isinstance(run, Run) else None


def _whole(key: Any) -> int:
    """Return a key that is a whole number, however it is written."""
    if isinstance(key, bool):
        raise InvalidKey(f"{key} is neither a scan_id nor an index; give a number, or a uid.")
    if not isinstance(key, numbers.Real | decimal.Decimal):
        raise KeyOfWrongType(
            f"{shown(key)} is not a run; give a uid, a scan_id, a negative index or a header."
        )
    try:
        whole = int(key) if isinstance(key, numbers.Integral) else math.trunc(key)
    except (OverflowError, ValueError):  # of an infinity, and of what is no number
        whole = None
    if whole is None or whole != key:
        raise InvalidKey(f"{shown(key)} is no whole number, as scan_ids and indices are.")
    return int(whole)


def _by_text(runs: StoreView, text: str) -> RunRecord:
    missing = None
    if len(text) < _MOST_DIGITS and _INTEGER.fullmatch(text):
        try:
            return _by_number(runs, int(text))
        except NoSuchRun as error:
            missing = error
    found = _by_uid(runs, text)
    if found is None:
        raise missing or NoSuchRun(
            f"There is no run whose uid is or begins with {text!r}.{_newest(runs)}"
        )
    return found


def _by_uid(runs: StoreView, prefix: str) -> RunRecord | None:
    if len(prefix) >= _WHOLE_UID and (whole := runs.record(prefix)) is not None:
        return whole
    found = list(runs.find(UidPrefix(prefix), limit=_SHOWN + 1))
    record = next((run for run in found if run.uid == prefix), None)
    if record is None and len(found) > _SHOWN:
        record = runs.record(prefix)
    if record is not None or len(found) < 2:
        return record or next(iter(found), None)
    uids = runs.resolve(prefix, _SHOWN + 1)
    listed = "\n".join(f"    {uid}" for uid in uids[:_SHOWN])
    more = "\n    ..." if len(uids) > _SHOWN else ""
    raise AmbiguousPrefix(
        f"Several runs have a uid that begins with {prefix!r}; give more of it:\n{listed}{more}"
    )


def _by_number(runs: StoreView, number: int) -> RunRecord:
    if number < 0:
        return _newest_runs(runs, range(number, number - 1, -1))[0]
    record = next(runs.find(Equals(Path("scan_id"), number), limit=1), None)
    if record is None:
        raise NoSuchRun(f"There is no run with scan_id {shown(number)}.{_newest(runs)}")
    return record


def _slice(runs: StoreView, key: slice) -> list[RunRecord]:
    for part in (key.start, key.stop, key.step):
        if part is not None and not hasattr(part, "__index__"):
            raise InvalidKey(
                f"A slice counts runs back from the newest, such as -5:; not {shown(part)}."
            )
    if key.start is None or key.start >= 0:
        raise InvalidKey(
            "A slice must begin with a negative number, such as -5: for the five newest runs; "
            "otherwise it could be any number of runs. All are those of a search without a "
            "condition: for header in db(): ..."
        )
    if key.stop is not None and key.stop > 0:
        raise InvalidKey("A slice must end with a negative number or nothing, such as -5:-2.")
    step = 1 if key.step is None else key.step
    if step == 0:
        raise InvalidKey("The step of a slice cannot be 0.")
    places = range(key.start, key.stop or 0, step)
    if not places:
        return []
    found = _newest_runs(runs, places if step < 0 else places[::-1])
    return found[::-1] if step < 0 else found


def _newest_runs(runs: StoreView, places: range) -> list[RunRecord]:
    """Return runs by their negative places, given from the newest to the oldest."""
    oldest = -places[-1]
    if oldest > _NEAR and oldest > (there := runs.count(Everything())):
        raise _too_far_back(runs, there, oldest)
    if oldest <= _NEAR:
        found = _at(places, runs.find(Everything(), limit=oldest))
    else:  # far back, documents are only read of the runs that are wanted
        uids = runs.select(Everything(), [Path("uid")], oldest)
        found = [_read(runs, uid) for (uid,) in _at(places, uids)]
    if len(found) < len(places):
        raise _too_far_back(runs, runs.count(Everything()), oldest)
    return found


def _at(places: range, newest: Iterable[T]) -> list[T]:
    """Return what is at some negative places, given the newest first."""
    return [each for place, each in enumerate(newest, 1) if -place in places]


def _too_far_back(runs: StoreView, there: int, wanted: int) -> TooFarBack:
    if not there:
        return TooFarBack(
            f"There are no runs here yet, so none is {shown(-wanted)}.{_left_out(runs)}"
        )
    return TooFarBack(
        f"There {'is' if there == 1 else 'are'} only {there} run{'' if there == 1 else 's'} "
        f"here; {shown(-wanted)} reaches too far back.{_left_out(runs)}"
    )


def _read(runs: StoreView, uid: str) -> RunRecord:
    record = runs.record(uid)
    if record is None:
        raise NoSuchRun(f"Run {uid!r} was removed just now.")
    return record


def _newest(runs: StoreView) -> str:
    newest = next(runs.find(Everything(), limit=1), None)
    if newest is None:
        return f" There are no runs here yet.{_left_out(runs)}"
    scan_id = newest.start.get("scan_id")
    named = "" if scan_id is None else f"scan_id {shown(scan_id)}, "
    return f" The newest run is {named}uid {newest.uid[:8]!r}.{_left_out(runs)}"


def _left_out(runs: StoreView) -> str:
    """Return a sentence about the sources that are away, in which a run may be."""
    away = ", ".join(map(repr, runs.store.left_out))
    return f" Not looked at, as they are away: {away}." if away else ""
