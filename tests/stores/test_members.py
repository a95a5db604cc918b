"""The members of a federation: what is asked of which, and what is done while one is away."""

import json
import pickle
import random
import threading
import warnings
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from databroker import Broker
from databroker._util.polling import wait_until
from databroker.errors import (
    InvalidConfiguration,
    NoSuchRun,
    SpillWarning,
    StoreAway,
    StoreIsReadOnly,
    StoreUnavailable,
    TooFarBack,
    UnavailableWarning,
)
from databroker.query.nodes import Equals, Everything, Path, UidPrefix
from databroker.stores.federation import FederatedStore
from databroker.stores.federation.copies import Copies
from databroker.stores.memory import MemoryStore
from databroker.stores.spill.store import SpillStore
from databroker.stores.sql import SQLiteStore
from databroker.testing import difference
from databroker.testing.conformance.base import insert_all, quick, start, stop, whole_run
from databroker.testing.reference import answers
from helpers.away import MayBeAway
from helpers.federation import by_owner, spread


class Away(MayBeAway):
    """A store that cannot be read while its server is away, even when it was begun."""

    def find(self, query, *, limit=None, after=None):
        self.reach()
        for run in super().find(query, limit=limit, after=after):
            self.reach()
            yield run

    def record(self, uid):
        self.reach()
        return super().record(uid)

    def count(self, query):
        self.reach()
        return super().count(query)

    def newest_mark(self):
        self.reach()
        return super().newest_mark()


def runs_of(*uids, time=1.5e9):
    return [("start", start(uid, time + number)) for number, uid in enumerate(uids)]


def uids(store, query=None, **how):
    return [run.uid for run in store.find(Everything() if query is None else query, **how)]


@pytest.fixture
def away():
    """A store that may be away, with some runs."""
    store = Away()
    insert_all(store, runs_of("a", "c", "e"))
    return store


@pytest.fixture
def here():
    """A store that is there, with runs between those of the other."""
    store = MemoryStore()
    insert_all(store, runs_of("b", "d", "f", time=1.5e9 + 0.5))
    return store


# -- one is away -----------------------------------------------------------


def test_an_error_names_the_member_that_is_away(here, away):
    store = FederatedStore({"here": here, "there": away})
    away.is_away = True
    for ask in (uids, lambda store: store.count(Everything()), lambda store: store.record("x")):
        with pytest.raises(StoreAway, match=r"^'there' of several sources: the server is away"):
            ask(store)
    away.is_away = False
    assert uids(store) == ["f", "e", "d", "c", "b", "a"]


def test_a_member_that_goes_away_amid_an_iteration_is_named_and_the_next_one_works(here, away):
    store = FederatedStore({"here": here, "there": away})
    insert_all(away, runs_of(*(f"{number:02}" for number in range(40)), time=1.4e9))
    found = store.find(Everything())
    begun = [next(found).uid for _ in range(2)]
    away.is_away = True
    with pytest.raises(StoreAway, match="'there'"):
        begun += [run.uid for run in found]
    away.is_away = False
    assert begun == uids(store)[: len(begun)]


def test_it_is_left_out_where_that_is_wanted_said_once_and_comes_back(here, away, monkeypatch):
    for name in ("REST", "_LONGER"):
        monkeypatch.setattr(f"databroker.stores.federation.member.{name}", 0)
    store = FederatedStore({"there": away, "here": here}, skip_unavailable=True)
    for _ in range(2):
        away.is_away = True
        with pytest.warns(UnavailableWarning, match=r"'there'.*left out until it is back"):
            assert uids(store) == ["f", "d", "b"]
        assert store.count(Everything()) == 3  # and a second warning would be an error
        assert store.record("a") is None
        assert uids(store, limit=1) == ["f"]
        away.is_away = False
        assert uids(store) == ["f", "e", "d", "c", "b", "a"]
        assert store.count(Everything()) == 6


def test_old_runs_of_one_that_was_away_are_not_new_when_it_is_back(here, away, monkeypatch):
    for name in ("REST", "_LONGER"):
        monkeypatch.setattr(f"databroker.stores.federation.member.{name}", 0)
    store = FederatedStore({"there": away, "here": here}, skip_unavailable=True)
    away.is_away = True
    with pytest.warns(UnavailableWarning):
        mark = store.newest_mark()
    away.is_away = False
    here.insert("start", start("g", 7.0))
    found, mark = store.uids_since(mark)
    assert found == ["g"]
    away.insert("start", start("h", 8.0))
    assert store.uids_since(mark)[0] == ["h"]


def test_a_member_that_is_away_is_not_asked_again_at_once(here, away):
    store = FederatedStore({"there": away, "here": here}, skip_unavailable=True)
    away.is_away = True
    with pytest.warns(UnavailableWarning):
        uids(store)
    before = away.asked
    for _ in range(10):
        assert uids(store) == ["f", "d", "b"]
    assert away.asked == before


def test_where_a_run_is_not_found_those_that_were_left_out_are_named(here, away):
    inner = FederatedStore({"there": away}, skip_unavailable=True)
    store = FederatedStore({"archive": inner, "here": here}, skip_unavailable=True)
    with Broker(store) as db:
        for key in ("a" * 40, 10**6):
            with pytest.raises(NoSuchRun, match=r"The newest run is uid 'f'\.$"):
                db[key]
        away.is_away = True
        keys = {"a": NoSuchRun, "a" * 40: NoSuchRun, 10**6: NoSuchRun, -9: TooFarBack}
        with pytest.warns(UnavailableWarning):
            db[-1]
        for key, kind in keys.items():
            with pytest.raises(kind, match="Not looked at, as they are away: 'archive/there'"):
                db[key]


def test_rows_of_a_run_are_never_left_out(here, away, monkeypatch):
    store = FederatedStore({"there": away, "here": here}, skip_unavailable=True)
    insert_all(away, whole_run("run"))
    (extent,) = store.extents("event", "run-desc")
    monkeypatch.setattr(away, "read", lambda *_: away.reach())
    away.is_away = True
    from databroker.columns import ALL

    with pytest.raises(StoreAway, match="'there'"):
        list(store.read("event", extent, ALL))


def test_one_that_cannot_be_opened_is_named_or_left_out_and_opened_later(tmp_path, here):
    path = tmp_path / "later" / "runs.db"

    def make():
        if not path.parent.exists():
            raise StoreUnavailable("nothing is mounted there.")
        return SQLiteStore(path)

    with pytest.raises(StoreUnavailable, match="'there' of several sources: nothing is mounted"):
        FederatedStore({"there": make, "here": here})
    with pytest.warns(UnavailableWarning, match="'there'"):
        store = FederatedStore({"there": make, "here": here}, skip_unavailable=True)
    assert str(store).startswith("2 sources: there (away), here (")
    store.stale_after = 7.0
    path.parent.mkdir()
    store.members["there"].is_back()
    assert store.members["there"].behind.stale_after == 7.0
    assert uids(store) == ["f", "d", "b"]
    store.close()


# -- one in a server -------------------------------------------------------


def test_a_real_server_that_is_killed_amid_an_iteration(postgresql, new_schema, here):
    from databroker.stores.sql.engine.limits import Limits
    from databroker.stores.sql.postgresql import PostgreSQLStore
    from helpers.proxy import line_to

    with line_to(postgresql) as (line, uri):
        server = PostgreSQLStore(uri, schema=new_schema(), limits=Limits(outage=0.2))
        server.insert_many(runs_of(*(f"run {number:03}" for number in range(300))))
        store = FederatedStore({"here": here, "server": server})
        found = store.find(Everything())
        begun = [next(found).uid for _ in range(5)]
        line.cut()
        with pytest.raises(StoreUnavailable, match="'server'"):
            begun += [run.uid for run in found]
        with pytest.raises(StoreUnavailable, match="'server'"):
            store.count(Everything())
        line.restore()
        assert uids(store)[: len(begun)] == begun
        assert store.count(Everything()) == 303
        store.close()


# -- writing ---------------------------------------------------------------


def test_nothing_is_written_unless_a_member_is_named_for_it(here, away):
    store = FederatedStore({"here": here, "there": away})
    assert not store.capabilities.writable
    with pytest.raises(StoreIsReadOnly, match=r"here, there.*'write_to'"):
        store.insert("start", start("x"))
    store = FederatedStore({"here": here, "there": away}, write_to="there")
    assert store.capabilities.writable
    store.insert("start", start("x"))
    assert away.record("x") is not None
    assert here.record("x") is None


def test_what_is_written_to_must_be_a_member(here):
    with pytest.raises(InvalidConfiguration, match=r"'hree'.*Did you mean 'here'"):
        FederatedStore({"here": here}, write_to="hree")


def test_a_run_of_another_member_is_not_ended(here, away):
    store = FederatedStore({"here": here, "there": away}, write_to="here")
    with pytest.raises(StoreIsReadOnly, match=r"'a' is in 'there'.*goes to 'here'"):
        store.insert("stop", stop("a"))
    store.insert("stop", stop("b"))
    store.insert("stop", stop("not there yet"))
    assert store.record("b").stop == stop("b")


@pytest.mark.parametrize("n", range(1, 6))
def test_nothing_is_added_to_a_run_of_another_member(here, n):
    run = [pair for pair in whole_run("run") if "run_start" in pair[1] or pair[0] == "start"]
    there = MemoryStore()
    insert_all(there, run[:1])
    store = FederatedStore({"here": here, "there": there}, write_to="here")
    for insert in (lambda: store.insert(*run[n]), lambda: store.insert_many(run[n : n + 1])):
        with pytest.raises(StoreIsReadOnly, match="'there'"):
            insert()
    store.insert_many(whole_run("another"))
    assert store.record("another").stop is not None


def test_documents_wait_for_the_member_that_is_written_to(here, tmp_path):
    behind = Away()
    spilling = SpillStore(behind, tmp_path / "spill", after=60)
    store = FederatedStore({"here": here, "there": spilling}, write_to="there")
    run = whole_run("run")
    insert_all(store, run[:3])
    behind.is_away = True
    with pytest.warns(SpillWarning, match="Documents wait"):
        store.insert(*run[3])
    insert_all(store, run[4:])  # the stop among them
    assert store.waiting().documents == len(run) - 3
    assert store.is_waiting("run")
    behind.is_away = False
    spilling._courier.wake()
    assert wait_until(lambda: not store.waiting(), 60)
    assert difference(answers(store, run)["rows"], answers(behind, run)["rows"]) is None
    assert store.record("run").stop == run[-1][1]
    assert store.send_waiting() == 0
    store.close()


def test_an_archive_that_is_away_holds_up_no_experiment(here, away):
    store = FederatedStore({"archive": away, "here": here}, write_to="here")
    away.is_away = True
    insert_all(store, whole_run("run"))
    store.insert("stop", stop("not there yet"))
    assert here.record("run").stop is not None


# -- runs that several have ------------------------------------------------


def test_the_first_member_counts_and_before_it_one_that_has_the_stop():
    first, second, third = MemoryStore(), MemoryStore(), MemoryStore()
    for store in (first, second, third):
        insert_all(store, [("start", start("run"))])
    store = FederatedStore({"first": first, "second": second, "third": third})
    assert store.record("run").source == ("first",)
    second.insert("stop", stop("run"))
    third.insert("stop", stop("run"))
    for found in (store.record("run"), *store.find(Everything())):
        assert found.source == ("second",)
        assert found.stop == stop("run")
    without = Equals(Path("uid", "stop"), None)
    assert (uids(store, without), store.count(without)) == ([], 0)


def test_a_member_that_is_a_federation_names_its_own():
    inner = FederatedStore({"a": MemoryStore(), "b": MemoryStore()}, write_to="b")
    outer = FederatedStore({"inner": inner, "c": MemoryStore()}, write_to="inner")
    insert_all(outer, whole_run("run"))
    (run,) = outer.find(Everything())
    assert run.source == ("inner", "b")
    assert answers(outer, whole_run("run")) == answers(inner, whole_run("run"))
    assert uids(outer, after=json.loads(json.dumps(run.cursor))) == []


times = st.sampled_from([1.0, 1.0, 2.5, 3, 9.0])


@given(st.lists(st.tuples(times, st.booleans()), max_size=30), st.integers(1, 4), st.booleans())
@quick(60)
def test_two_that_share_some_runs_answer_as_one_that_has_them_all(runs, page, is_known):
    documents, owners = [], {}
    for number, (time, has_stop) in enumerate(runs):
        run = whole_run(f"run {number:02}")
        run[0][1]["time"] = time
        documents += run if has_stop else run[:-1]
        owners.update((id(doc), f"run {number:02}") for _, doc in run)
    run_of = lambda kind, doc: owners[id(doc)]  # noqa: E731
    one, members = MemoryStore(), {"here": MemoryStore(), "there": MemoryStore()}
    insert_all(one, by_owner(documents, run_of))
    for name, some in spread(documents, run_of).items():
        insert_all(members[name], some)
    store = FederatedStore(members)
    if is_known:
        store.distinct(Path("uid"), Everything())
    wanted = list(one.find(Everything()))
    found, after = [], None
    while some := list(store.find(Everything(), limit=page, after=after)):
        found += some
        after = json.loads(json.dumps(some[-1].cursor))
    assert found == wanted
    assert list(store.find(Everything())) == wanted
    assert store.resolve("run 1", 3) == one.resolve("run 1", 3)
    paths = [Path("time"), Path("uid"), Path("exit_status", "stop")]
    for how in (None, page, 200):
        assert list(store.select(Everything(), paths, how)) == list(
            one.select(Everything(), paths, how)
        )
    asked = [*(run.uid for run in wanted[::-1]), "none"]
    assert store.outlines(asked) == one.outlines(asked)
    assert [run.uid for run in store.read_runs(asked)] == asked[:-1]
    assert difference(answers(store, documents), answers(one, documents)) is None


def test_what_came_to_files_is_taken_in_without_comparing_all_again(tmp_path, monkeypatch):
    chance, lost = random.Random(1), set()
    compare, compared = Copies._compare, []
    monkeypatch.setattr(Copies, "_compare", lambda self: compared.append(self) or compare(self))
    members = {name: SQLiteStore(tmp_path / f"{name}.db") for name in ("here", "there")}
    for store in members.values():
        insert_all(store, runs_of("first"))
    with closing(FederatedStore(members)) as store:
        begun = store._ownership.copies()
        for _ in range(60):
            member, number = members[chance.choice(["here", "there"])], chance.randrange(12)
            uid = f"run {number}"
            is_there = member.record(uid) is not None
            member.insert(*(("stop", stop(uid)) if is_there else ("start", start(uid, number))))
            known = store._ownership.copies()
            lost.update(known[0])
            assert known == FederatedStore(members)._ownership.copies()
        assert lost
        assert begun == {0: frozenset(), 1: {"first"}}
        assert len([one for one in compared if one is store._ownership._copies]) == 1


def test_a_file_in_the_place_of_another_one_is_not_what_came_since(tmp_path):
    marks = []
    for name in "ab":
        with closing(SQLiteStore(tmp_path / f"{name}.db")) as store:
            insert_all(store, runs_of(f"{name}1", f"{name}2"))
            marks.append(store.uids_since(None)[1])
            insert_all(store, runs_of(f"{name}3", time=1.0))
            assert store.uids_since(marks[-1])[0] == [f"{name}3"]
    with closing(SQLiteStore(tmp_path / "b.db")) as store:
        assert store.uids_since(marks[0]) is None
    with closing(SQLiteStore(tmp_path / "new.db")) as store:
        assert store.uids_since(marks[0]) is None


def test_what_came_since_does_not_come_in_a_later_page():
    members = {"first": MemoryStore(), "second": MemoryStore()}
    insert_all(members["first"], [("start", start("a", 1.0)), ("start", start("b", 3.0))])
    insert_all(members["second"], [("start", start("c", 2.0)), ("start", start("d", 2.0))])
    store = FederatedStore(members)
    page = list(store.find(Everything(), limit=2))
    assert [run.uid for run in page] == ["b", "d"]
    for name, time in (("first", 9.0), ("first", 2.0), ("second", 9.0), ("second", 2.0)):
        members[name].insert("start", start(f"new {name} {time}", time))
    assert uids(store, after=page[-1].cursor) == ["c", "a"]
    assert uids(store, after=store.record("d").cursor) == ["c", "a"]


def test_rows_that_two_members_have_come_once():
    here, there = MemoryStore(), MemoryStore()
    insert_all(here, whole_run("run")[:-5])
    insert_all(there, whole_run("run"))
    store = FederatedStore({"here": here, "there": there})
    assert difference(answers(store, whole_run()), answers(there, whole_run())) is None


def test_a_search_needs_no_more_of_each_member_than_its_newest(monkeypatch):
    seen = []

    class Counting(MemoryStore):
        def find(self, query, *, limit=None, after=None):
            for run in super().find(query, limit=limit, after=after):
                seen.append(run.uid)
                yield run

    members = {name: Counting() for name in "ab"}
    for name, store in members.items():
        insert_all(store, runs_of(*(f"{name}{number:03}" for number in range(300))))
    store = FederatedStore(members)
    assert uids(store, limit=1) == ["a299"]
    assert len(seen) == 2
    found = store.find(Everything())
    assert [next(found).uid for _ in range(3)] == ["a299", "b299", "a298"]
    assert len(seen) < 30
    assert [run.uid for run in store.find(UidPrefix("b00"), limit=11)][-1] == "b000"


def test_the_newest_run_is_found_at_once_where_an_archive_has_only_copies():
    seen = []

    class Counting(MemoryStore):
        def find(self, query, *, limit=None, after=None):
            for run in super().find(query, limit=limit, after=after):
                seen.append(run.uid)
                yield run

    members = {name: Counting() for name in ("csx", "archive")}
    for store in members.values():
        insert_all(store, runs_of(*(f"{number:03}" for number in range(300))))
    store = FederatedStore(members)
    for _ in range(2):  # before and after it is known which runs both have
        seen.clear()
        assert uids(store, limit=1) == ["299"]
        assert len(seen) < 5
        assert store.count(Everything()) == 300
        assert uids(store, limit=40) == [f"{number:03}" for number in range(299, 259, -1)]


# -- the rest --------------------------------------------------------------


def test_threads_may_ask_at_once(tmp_path):
    stores = {name: SQLiteStore(tmp_path / f"{name}.db") for name in "ab"}
    for name, store in stores.items():
        insert_all(store, runs_of(*(f"{name}{number}" for number in range(20))))
    store = FederatedStore(stores, write_to="a")
    found = []

    def ask(number):
        store.insert("start", start(f"new {number}"))
        found.append(store.distinct(Path("uid"), Everything()) and store.count(Everything()))

    threads = [threading.Thread(target=ask, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(found) == store.count(Everything()) == 44
    store.close()


def test_what_it_pickles_to_holds_no_password_of_what_opens_it(here, tmp_path):
    secret = "swordfish"

    def make(password):
        raise StoreUnavailable("away")

    import functools

    members = {"file": SQLiteStore(tmp_path / "a.db"), "away": functools.partial(make, secret)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnavailableWarning)
        store = FederatedStore(members, skip_unavailable=True)
    pickled = pickle.dumps(store)
    assert secret.encode() not in pickled
    again = pickle.loads(pickled)
    assert list(again.members) == ["file"]
    assert str(again).startswith("1 source: file (")
    again.close()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnavailableWarning)
        writing = FederatedStore(members, write_to="away", skip_unavailable=True)
    with pytest.raises(StoreIsReadOnly):
        pickle.loads(pickle.dumps(writing)).insert("start", start("x"))
    store.close()


def test_a_check_says_in_which_member_something_is_wrong(tmp_path, here):
    path = tmp_path / "runs.db"
    with_damage = SQLiteStore(path)
    insert_all(with_damage, whole_run())
    with_damage.close()
    import sqlite3

    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE documents SET body = zeroblob(20)")
    raw.close()
    store = FederatedStore({"here": here, "file": SQLiteStore(path)})
    report = store.check()
    assert not report
    assert all(each.text.startswith("file: ") for each in report.findings)
    assert report.checked["runs"] == 4
    store.close()


def test_what_members_say_of_themselves_is_put_together(tmp_path, here, away):
    file = SQLiteStore(tmp_path / "runs.db")
    assert FederatedStore({"file": file}).size() == file.size()
    assert FederatedStore({"file": file, "here": here}).size() is None
    assert FederatedStore({"file": file}).capabilities.shared
    assert not FederatedStore({"file": file, "here": here}).capabilities.shared
    store = FederatedStore({"there": away, "file": file}, write_to="file")
    before = store.state()
    away.insert("start", start("new"))
    assert store.wait_for_changes(before, 10.0)
    assert set(store.keys(9)) == {"uid", "time"}
    file.close()
