"""Flipped bits, swapped pages, lost rows, cut files: each is found, or changes no answer.

What a checksum covers is found by whoever reads it; what an index answers, by `Store.check`,
which each file is asked for whose answers are others.
"""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from databroker.columns import Selection
from databroker.errors import DamageWarning, DatabrokerError
from databroker.query.nodes import Compare, Equals, Everything, FullText, Node, TimeBounds
from databroker.query.nodes import Path as Key
from databroker.stores.sql import SQLiteStore
from databroker.testing import difference, read_rows
from databroker.testing.conformance.base import descriptor, event, event_page, start, stop

from .damage import KINDS
from .outcome import ROWS_OF, Offered, Outcome
from .scenes import small_runs
from .workers import worker

Question = Callable[[SQLiteStore], Any]

BY_INDEX = ("find", "count", "select", "distinct", "resolve", "record")
"""Questions that an index answers, which has no checksums (see `docs/damage.md`).

That one of them is answered otherwise must be found by a check of the file; anything else must
be found at once.
"""

FOUND_BY_CHECK = "changed what an index answers, all found by a check"
MENDED = "were mended wholly"

_CHUNK = 25
"""So many damaged files are looked at by one process."""


def run(count: int, seed: int = 0) -> Outcome:
    """Damage a file so many times, and ask everything of what is left."""
    outcome, random = Outcome(), Random(seed)
    checked: Counter[str] = Counter()
    notes: list[str] = []
    with tempfile.TemporaryDirectory(prefix="promises-") as folder:
        whole = Path(folder) / "whole.db"
        runs = _runs()
        with closing(SQLiteStore(whole)) as store:
            for kind, doc in runs:
                store.insert(kind, doc)
        done = 0
        while done < count:
            seeds = [random.getrandbits(32) for _ in range(min(_CHUNK, count - done))]
            found, more, said = _looked_at(whole, runs, list(enumerate(seeds, done)))
            outcome += found
            checked += more
            notes += said
            done += len(seeds)
    told = ", ".join(f"{count} {what}" for what, count in sorted(checked.items()))
    outcome.note = "; ".join([*([told] if told else []), *notes])
    return outcome


def _looked_at(
    whole: Path, runs: Offered, trials: list[tuple[int, int]]
) -> tuple[Outcome, Counter[str], list[str]]:
    """Let a process look at damaged files; after a crash or a loop, another one goes on."""
    outcome = Outcome()
    checked: Counter[str] = Counter()
    notes: list[str] = []
    while trials:
        with worker(_look, whole, runs, trials) as looking:
            try:
                while trials:
                    wrong, found = looking.next()
                    trials = trials[1:]
                    outcome += Outcome(tried=1, wrong=bool(wrong))
                    checked += Counter(found)
                    notes += [wrong] if wrong else []
            except EOFError as error:
                outcome += Outcome(tried=1, wrong=1)
                notes.append(f"a crash, seed {trials[0]}: {error}")
                trials = trials[1:]
            except TimeoutError as error:
                outcome += Outcome(tried=1, stuck=1)
                notes.append(f"a loop, seed {trials[0]}: {error}")
                trials = trials[1:]
    return outcome, checked, notes


def _look(telling: Connection, whole: Path, runs: Offered, trials: list[tuple[int, int]]) -> None:
    questions = dict(_questions(runs))
    with closing(SQLiteStore(whole)) as store:
        right = {name: ask(store) for name, ask in questions.items()}
    for number, seed in trials:
        path = whole.with_name(f"{number}.db")
        shutil.copy(whole, path)
        done = KINDS[number % len(KINDS)](path, Random(seed))
        wrong = dict(_wrong_answers(path, questions, right))
        missed = [name for name in wrong if name.startswith(BY_INDEX)]
        worse = [f"{name}: {why}" for name, why in wrong.items() if name not in missed]
        checked = _checked(path)
        found = [FOUND_BY_CHECK] if missed and checked == "damaged" else []
        if missed and checked == "whole":
            worse.append(f"no check finds that another answer is given to {missed[:3]}")
        if checked == "damaged":
            mended, why = _mended(path, questions, right, wrong)
            found += [mended] if mended else []
            worse += [why] if why else []
        elif checked not in ("whole", "refused"):
            worse.append(f"check: {checked}")
        said = "; ".join(worse)
        telling.send((said and f"[{done}: {said:.300}]", found))
        for each in path.parent.glob(f"{path.name}*"):
            each.unlink()


def _checked(path: Path) -> str:
    """Return what a check says of a file: 'whole', 'damaged', 'refused' or something foreign."""
    try:
        with closing(SQLiteStore(path)) as store:
            return "whole" if store.check() else "damaged"
    except DatabrokerError:
        return "refused"
    except Exception as error:
        return f"{error!r:.200}"


def _mended(
    path: Path, questions: dict[str, Question], right: dict[str, Any], before: dict[str, str]
) -> tuple[str, str]:
    """Mend the index of a file; return what came of it, and what is wrong with that.

    No answer may be worse for it, and none may be wrong if all is said to be mended.
    """
    try:
        with closing(SQLiteStore(path)) as store:
            ok = bool(store.check(mend_index=True)) and bool(store.check())
    except DatabrokerError:
        return "", ""
    except Exception as error:
        return "", f"mending: {error!r:.200}"
    after = dict(_wrong_answers(path, questions, right))
    if ok:
        return MENDED, f"after all was mended, {list(after)[:3]} are wrong" if after else ""
    worse = after.keys() - before.keys()
    return "", f"mending spoiled {sorted(worse)[:3]}" if worse else ""


def _wrong_answers(
    path: Path, questions: dict[str, Question], right: dict[str, Any]
) -> Iterator[tuple[str, str]]:
    """Yield the questions whose answers are neither right, nor said to be damaged."""
    try:
        store = SQLiteStore(path)
    except DatabrokerError:
        return
    except Exception as error:
        yield "opening", repr(error)
        return
    with closing(store):
        for name, ask in questions.items():
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always")
                try:
                    found = ask(store)
                except DatabrokerError:
                    continue
                except Exception as error:
                    yield f"error of {name}", f"{error!r:.200}"
                    continue
            told = any(issubclass(each.category, DamageWarning) for each in said)
            place = None if told else difference(found, right[name])
            if place is not None:
                yield name, place


def _questions(runs: Offered) -> Iterator[tuple[str, Question]]:
    """Yield everything that a store can be asked, by name."""
    queries: list[Node] = [
        Everything(),
        *(Equals(Key("scan_id"), number) for number in range(12)),
        *(Equals(Key("sample.name"), name) for name in ("Ni foil", "Fe foil", "none")),
        Compare(Key("scan_id"), "gt", 5),
        Equals(Key("exit_status", "stop"), "success"),
        FullText(("foil",)),
        FullText(("note",)),
        TimeBounds(1.5e9 + 2, 1.5e9 + 7),
    ]
    for query in queries:
        yield (
            f"find {query!r:.60}",
            lambda store, q=query: [[run.uid, run.start, run.stop] for run in store.find(q)],
        )
        yield f"count {query!r:.60}", lambda store, q=query: store.count(q)
    paths = [Key("uid"), Key("scan_id"), Key("sample.name"), Key("exit_status", "stop")]
    yield "select", lambda store: list(map(list, store.select(Everything(), paths)))
    for path in paths:
        yield (
            f"distinct {path.text}",
            lambda store, p=path: sorted(map(list, store.distinct(p, Everything())), key=repr),
        )
    for kind, doc in runs:
        if kind == "start":
            yield from _of_a_run(doc["uid"])
        elif kind in ROWS_OF:
            yield from _of_rows(ROWS_OF[kind], doc["uid"])
        elif kind == "datum":
            yield f"datum {doc['datum_id']}", lambda store, i=doc["datum_id"]: store.datum(i)


def _of_a_run(uid: str) -> Iterator[tuple[str, Question]]:
    def record(store: SQLiteStore) -> Any:
        run = store.record(uid)
        return run and [run.uid, run.start, run.stop]

    yield f"record {uid}", record
    yield f"resolve {uid}", lambda store: store.resolve(uid, 5)
    yield f"documents {uid}", lambda store: list(map(list, store.documents(uid)))


def _of_rows(kind: str, owner: str) -> Iterator[tuple[str, Question]]:
    yield f"rows of {owner}", lambda store: read_rows(store, kind, owner)
    if kind == "event":
        some = Selection(frozenset("x"))
        yield f"columns of {owner}", lambda store: read_rows(store, kind, owner, selection=some)


def _runs() -> Offered:
    """Runs whose documents are in tails, small blocks, large blocks and chains of segments."""
    found = small_runs("small", 4)
    for number in range(10):
        uid, owner = f"run{number}", f"run{number}-d"
        metal = ("Ni", "Fe")[number % 2]
        metadata = {"scan_id": number, "sample": {"name": f"{metal} foil"}, "note": "a note " * 20}
        found += [("start", start(uid, 1.5e9 + number, **metadata))]
        found += [("descriptor", descriptor(owner, uid))]
        found += [("event", event(n, owner)) for n in range(5 + 40 * number)]
        if number > 6:
            image = np.arange(9_000.0)
            found += [("event", event(n, owner, x=image + n)) for n in range(900, 925)]
            found += [("event_page", event_page(range(1000, 3000), owner))]
        if number % 5:
            found += [("stop", stop(uid, exit_status="success" if number % 2 else "abort"))]
    return found


if __name__ == "__main__":
    print(run(200))
