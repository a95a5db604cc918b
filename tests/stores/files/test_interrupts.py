"""An insert, or a look at the files, that is interrupted anywhere leaves nothing wrong."""

import contextlib
import itertools

import pytest

from databroker._util.file_lock import try_lock
from databroker.stores.files import JSONLStore
from databroker.testing.conformance.base import descriptor, event, insert_all, start, whole_run
from databroker.testing.interrupting import interrupted_after
from databroker.testing.reference import read_rows
from helpers.run_files import encoded, few, seen_at_once, uids, write

pytestmark = [  # for one that strikes where Python can only tell of it, or as a file is opened
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


def test_no_row_is_cut_off_after_one_that_was_interrupted(lines):
    insert_all(lines, [("start", start()), ("descriptor", descriptor())])
    for place in itertools.count():
        row = event(2 * place)
        with (
            contextlib.suppress(KeyboardInterrupt),
            interrupted_after(place, KeyboardInterrupt) as struck,
        ):
            lines.insert("event", row)
        with lines._follower._home.path.with_suffix(".lock").open("a+b") as lock:
            assert try_lock(lock)  # nobody else is kept waiting
        insert_all(lines, [("event", row), ("event", event(2 * place + 1))])
        if not struck:
            break
    numbers = [row["seq_num"] for row in read_rows(lines, "event", "desc")]
    assert numbers == list(range(2 * place + 2))


def test_a_batch_for_two_files_that_was_interrupted_is_in_both_or_in_none(lines, folder):
    insert_all(lines, few("a")[:2] + few("b")[:2])
    for place in itertools.count():
        batch = [("event", event(place, owner)) for owner in ("a-desc", "b-desc")]
        with (
            contextlib.suppress(KeyboardInterrupt),
            interrupted_after(place, KeyboardInterrupt) as struck,
        ):
            lines.insert_many(batch)
        first, second = (len((folder / f"{uid}.jsonl").read_bytes().split(b"\n")) for uid in "ab")
        assert first == second
        if not struck:
            return


def _removed(path):
    path.unlink()


def _written_anew(path):
    other = path.with_suffix(".other")
    other.write_bytes(encoded(JSONLStore, few("another")))
    other.replace(path)


@pytest.mark.parametrize("happens", [_removed, _written_anew])
def test_a_look_that_was_interrupted_is_made_again(lines, folder, monkeypatch, happens):
    seen_at_once(monkeypatch)
    write(JSONLStore, folder, "kept", few("kept"))
    for place in itertools.count(step=7):
        path = write(JSONLStore, folder, "run", few("run"))
        assert uids(lines) == ["kept", "run"]
        happens(path)
        with (
            contextlib.suppress(KeyboardInterrupt),
            interrupted_after(place, KeyboardInterrupt) as struck,
        ):
            uids(lines)
        assert uids(lines) == (["kept"] if happens is _removed else ["another", "kept"])
        path.unlink(missing_ok=True)
        if not struck:
            return


def test_an_index_whose_making_was_interrupted_is_made_again(folder):
    with contextlib.closing(JSONLStore(folder)) as lines:
        insert_all(lines, whole_run("run"))
        for place in itertools.count(step=150):
            with (
                contextlib.suppress(KeyboardInterrupt),
                interrupted_after(place, KeyboardInterrupt) as struck,
            ):
                lines.check(mend_index=True)
            assert uids(lines) == ["run"]
            assert len(read_rows(lines, "event", "run-desc")) == 3
            if not struck:
                return
