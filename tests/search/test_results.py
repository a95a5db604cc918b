"""What a search gives: lazy, in order, counted, sorted, limited; and what is shown of it."""

import datetime
import zoneinfo

import numpy as np
import pytest

from databroker import Header
from databroker.errors import InvalidQuery, NothingFoundWarning
from databroker.queries import Key, TimeBounds

NEW_YORK = zoneinfo.ZoneInfo("America/New_York")


@pytest.fixture
def runs(save):
    """Seven runs; their keys T are of all kinds."""
    values = [5, None, "b", 7.5, [1, 2], True, float("nan")]
    for number, value in enumerate(values):
        status = ["success", "fail"][number % 2] if number < 4 else None
        save(f"r{number}", float(number), status, T=value, plan_name=["scan", "count"][number % 2])
    save("r7", 7.0, plan_name="scan", tags=["a", "b", "a"], sample={"name": "Ni"})


def uids(results):
    return "".join(header.uid[-1] for header in results)


@pytest.mark.usefixtures("runs")
class TestRuns:
    def test_results_are_headers_newest_first_again_and_again(self, db):
        results = db(plan_name="scan")
        assert uids(results) == "76420"
        assert uids(results) == "76420"
        assert all(isinstance(header, Header) and header.db is db for header in results)

    def test_each_loop_is_a_fresh_search(self, db, save):
        results = db(plan_name="scan")
        assert uids(results) == "76420"
        save("r9", 9.0, plan_name="scan")
        assert uids(results) == "976420"
        assert results.count() == 6

    @pytest.mark.parametrize("key", [0, -1, slice(2), "r1"])
    def test_they_are_not_indexable(self, db, key):
        with pytest.raises(TypeError, match=r"does not support indexing.*list\(results\)\["):
            db()[key]

    def test_they_have_no_length(self, db):
        with pytest.raises(TypeError):
            len(db())

    def test_their_repr_is_python_s_own(self, db):
        assert repr(db()).startswith("<databroker.v1.Results object at 0x")

    def test_count(self, db):
        assert db().count() == 8
        assert db(plan_name="count").count() == 3
        assert db(plan_name="none").count() == 0

    def test_first_is_the_newest_or_none(self, db):
        assert db(plan_name="count").first().uid == "r5"
        assert db(plan_name="none").first() is None

    @pytest.mark.parametrize(("most", "wanted"), [(0, ""), (3, "765"), (100, "76543210")])
    def test_limit(self, db, most, wanted):
        results = db().limit(most)
        assert uids(results) == uids(results) == wanted
        assert results.count() == len(wanted)
        assert uids(db().limit(np.int64(most))) == wanted

    @pytest.mark.parametrize(
        ("most", "error"), [(-1, InvalidQuery), (2.5, TypeError), ("2", TypeError)]
    )
    def test_a_limit_is_a_whole_number(self, db, most, error):
        with pytest.raises(error):
            db().limit(most)

    def test_a_sort_is_by_kind_then_value_and_what_is_missing_comes_last(self, db):
        # numbers, text, bool, others; then null, NaN and missing, the newest first
        assert uids(db().sort("T")) == "03254761"
        assert uids(db().sort("T", descending=True)) == "45230761"

    def test_equal_ones_stay_newest_first(self, db):
        assert uids(db().sort("plan_name")) == "53176420"
        assert uids(db().sort("plan_name", descending=True)) == "76420531"

    def test_a_sort_may_be_by_time_by_the_stop_and_by_a_column_of_the_frame(self, db):
        assert uids(db().sort("time")) == "01234567"
        assert uids(db().sort("stop.exit_status")) == "31207654"
        assert uids(db().sort(Key("stop.exit_status"), descending=True)) == "20317654"
        assert uids(db().sort("status", descending=True)) == uids(db().sort("status", True))
        assert uids(db().sort("num_events")) == "76543210"

    def test_steps_are_taken_in_turn(self, db):
        assert uids(db().sort("time").limit(3)) == "012"
        assert uids(db().limit(3).sort("time")) == "567"
        assert uids(db().sort("time").limit(4).sort("plan_name").limit(3)) == "130"
        assert uids(db().limit(6).limit(2)) == uids(db().limit(2).limit(6)) == "76"
        assert db().sort("time").limit(3).count() == 3
        assert db().sort("time").first().uid == "r0"

    def test_steps_leave_the_results_that_they_are_taken_from_alone(self, db):
        results = db()
        results.limit(1)
        results.sort("time")
        assert uids(results) == "76543210"

    def test_a_sort_is_lazy(self, db, save):
        results = db().sort("time", descending=True)
        save("r8", 8.0)
        assert results.first().uid == "r8"

    def test_distinct_values_are_counted_the_most_frequent_first(self, db):
        assert list(db().distinct("plan_name").items()) == [("scan", 5), ("count", 3)]
        assert dict(db().distinct("tags")) == {"a": 1, "b": 1}
        assert dict(db().distinct(Key("stop.exit_status"))) == {"success": 2, "fail": 2}
        assert dict(db().distinct("sample.name")) == {"Ni": 1}
        with pytest.warns(NothingFoundWarning, match="no run has the key 'nothing'"):
            assert dict(db().distinct("nothing")) == {}

    def test_distinct_values_of_some_runs(self, db):
        assert dict(db(plan_name="count").distinct("stop.exit_status")) == {"fail": 2}
        assert dict(db(until=1.0).distinct("plan_name")) == {"scan": 1, "count": 1}
        assert dict(db().limit(2).distinct("plan_name")) == {"scan": 2}
        assert dict(db().sort("time").limit(3).distinct("plan_name")) == {"scan": 2, "count": 1}
        assert dict(db().distinct("status")) == {"success": 2, "fail": 2, "unknown": 4}
        assert dict(db().distinct("num_events")) == {5: 4, 0: 4}

    def test_distinct_values_keep_true_apart_from_one(self, db, save):
        save("one", T=1)
        save("also", T=1.0)
        counts = db().distinct("T")
        assert counts[1] == 2 + 1  # and in a list
        assert counts[True] == 1
        assert 5.0 in counts
        assert [1] not in counts


class TestBounds:
    def test_what_bounds_were_resolved_to_can_be_read_back(self, db):
        results = db(since="2015-03-05", until="2015-07-10 12:30")
        assert results.since == datetime.datetime(2015, 3, 5, tzinfo=NEW_YORK)
        assert results.since.utcoffset() == datetime.timedelta(hours=-5)
        assert results.until == datetime.datetime(2015, 7, 10, 12, 30, tzinfo=NEW_YORK)
        assert results.bounds == TimeBounds(1425531600.0, 1436545800.0)

    def test_without_bounds_there_are_none(self, db):
        results = db(plan_name="scan")
        assert (results.since, results.until) == (None, None)
        assert results.bounds == TimeBounds(None, None)

    def test_bounds_beyond_the_calendar_are_its_end(self, db):
        results = db(since=-1e300, until=1e300)
        assert results.since.year == 1
        assert results.until.year == 9999

    def test_a_filter_s_bounds_count(self, db):
        db.add_filter(since=100)
        assert db(until=200).bounds == TimeBounds(100.0, 200.0)
        assert db(since=150).bounds.since == 150.0

    def test_both_ends_belong_and_text_is_the_first_instant(self, db, save):
        day = 86400.0
        for number in range(4):
            save(f"d{number}", number * day + 5 * 3600)  # midnight in New York
        assert uids(db(since="1970-01-02", until="1970-01-03")) == "21"


class TestShown:
    def test_text_says_what_was_searched_for_and_what_to_do(self, db):
        said = str(db("good", plan_name="scan", since="2015-03-05"))
        assert "FullText('good') & (Key('plan_name') == 'scan')" in said or (
            "FullText('good') & Key('plan_name') == 'scan'" in said
        )
        assert "since 2015-03-05 00:00:00 EST" in said
        assert ".to_frame()" in said
        assert "any search" in str(db())

    def test_a_notebook_shows_the_newest_and_what_was_searched_for(self, db, save):
        for number in range(12):
            save(f"{number:08}", float(number), plan_name="scan", sample="<b>Ni</b>")
        page = db(plan_name="scan")._repr_html_()
        assert "Key(&#x27;plan_name&#x27;) == &#x27;scan&#x27;" in page
        assert "&lt;b&gt;Ni&lt;/b&gt;" in page
        assert "00000011" in page
        assert "00000002" in page
        assert "00000001" not in page
        assert "… and more" in page
        assert "more" not in db(plan_name="scan").limit(3)._repr_html_()
        assert "no runs" in db(plan_name="none")._repr_html_()


def test_runs_inserted_while_looping_are_neither_repeated_nor_do_they_hide_others(db, save):
    for number in range(700):
        save(f"{number:04}", 1000.0 + number, plan_name="scan", odd=number % 2)
    # By an index, by all runs, by the evaluator, and by an index with a test.
    questions = [Key("plan_name") == "scan", None, Key("odd").mod(2, 0), Key("odd").notin([1])]
    for turn, question in enumerate(questions):
        wanted = [header.uid for header in db(question)]
        found = []
        for number, header in enumerate(db(question)):
            found.append(header.uid)
            if number % 50 == 0:
                for place, time in enumerate([5000.0, 10.0, 1000.5 + number, header.start["time"]]):
                    save(f"new {turn} {number} {place}", time, plan_name="scan", odd=0)
        assert found == wanted
        assert len(set(found)) == len(found) >= 350


def test_a_loop_may_go_on_in_another_thread(db, save):
    import threading

    for number in range(200):
        save(f"{number:03}", float(number))
    headers = iter(db())
    found = [next(headers).uid]
    thread = threading.Thread(target=lambda: found.extend(header.uid for header in headers))
    thread.start()
    thread.join()
    assert found == [f"{number:03}" for number in range(199, -1, -1)]
