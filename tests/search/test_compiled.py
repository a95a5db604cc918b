"""How questions are split: what SQLite's indexes are asked, and what the evaluator is left with.

Each line of the tables below is a question, the condition it is compiled to,
and the remainder. Where a condition changes, look whether it still says no
more than the question (else runs would be lost), and whether it says less
than it could (else the evaluator is asked in vain).
"""

import re

import pytest

from databroker.queries import (
    DataKey,
    Everything,
    FullText,
    Item,
    Key,
    Motor,
    Status,
    TimeBounds,
    TimeRange,
    UidPrefix,
)
from databroker.query.nodes import Path
from databroker.stores.sql import SQLiteStore
from databroker.stores.sql.search import index_terms
from databroker.stores.sql.search.conditions import (
    ALL,
    NOTHING,
    Both,
    Either,
    KeyRange,
    Lookup,
    Unless,
)

KINDS = ("NULL", "FALSE_TRUE", "NUMBER", "NAN", "TEXT", "LONG_TEXT", "OBJECT", "ARRAY")
DOCUMENTS = ("", "stop:", "data keys", "runs:")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = SQLiteStore(tmp_path_factory.mktemp("compiled") / "runs.db")
    for number in range(20):
        doc = {"uid": f"u{number}", "time": float(number), "scan_id": number, "plan_name": "scan"}
        doc |= {"motors": ["eta"], "sample": {"name": f"Ni_{number % 3}", "T": number / 2}}
        doc |= {"layers": [{"nm": number}], "flag": True, "text": f"point {number}"}
        doc["many"] = f"value {number}" + "x" * (300 if number == 7 else 0)
        store.insert("start", doc | ({"long": list(range(300))} if number == 5 else {}))
        data_keys = {"det": {"source": "", "dtype": "number", "shape": []}}
        ids = {"uid": f"d{number}", "run_start": f"u{number}"}
        store.insert("descriptor", ids | {"data_keys": data_keys})
        ids = {"uid": f"s{number}", "run_start": f"u{number}", "time": 99.0}
        store.insert("stop", ids | {"exit_status": "fail"})
    for number in range(300):
        store.insert("start", {"uid": f"v{number}", "time": 100.0 + number, "free": f"n {number}"})
    yield store
    store.close()


class Shown:
    """Conditions as text, with the names of paths and kinds."""

    def __init__(self, store):
        rows = store._connections.get().execute("SELECT id, document, path FROM paths")
        self._paths = {str(i): DOCUMENTS[document] + path for i, document, path in rows}

    def __call__(self, condition):
        if condition in (ALL, NOTHING):
            return "all" if condition == ALL else "none"
        if isinstance(condition, Both | Either):
            word = " and " if isinstance(condition, Both) else " or "
            return f"({word.join(map(self, condition.parts))})"
        if isinstance(condition, Unless):
            return f"not {self(condition.part)}"
        if isinstance(condition, KeyRange):
            low = "" if condition.low < -(2**62) else f"{condition.low / 1e9:g} <= "
            high = "" if condition.high > 2**62 else f" <= {condition.high / 1e9:g}"
            return f"[{low}time{high}]"
        return self._lookup(condition)

    def _lookup(self, lookup):
        assert isinstance(lookup, Lookup)
        text = re.sub(r"x\.path = (\d+) AND ", lambda m: self._paths[m[1]] + ": ", lookup.where)
        for number, kind in enumerate(KINDS):
            text = text.replace(f"x.kind = {number}", kind)
        text = text.replace(f"x.kind < {index_terms.UNINDEXED}", "ANY").replace("x.", "")
        for value in lookup.values:
            text = text.replace("?", repr(value), 1)
        table = "" if lookup.table == "leaves" else f"{lookup.table}: "
        return f"<{table}{text}>" if lookup.ordered else f"{{{table}{text}}}"


K = Key
EXACT = [
    # <...> can be followed in the order of runs, {...} cannot
    (Everything(), "all"),
    (K("plan_name") == "scan", "<plan_name: TEXT AND value = 'scan'>"),
    (K("sample.name") == "Ni_1", "<sample.name: TEXT AND value = 'Ni_1'>"),
    (K("scan_id") == 5, "<scan_id: NUMBER AND value = 5>"),
    (K("scan_id") == 5.0, "<scan_id: NUMBER AND value = 5.0>"),
    (K("flag") == True, "<flag: FALSE_TRUE AND value = 1>"),  # noqa: E712
    (K("scan_id") == float("nan"), "<scan_id: NAN AND value = 0>"),
    (K("missing") == 5, "none"),
    (K("uid") == "u5", "{runs: uid IN ('u5')}"),
    (K("uid") == 5, "none"),
    (K("time") == 5, "[5 <= time <= 5]"),
    (K("time") == "5", "none"),
    (K("stop.exit_status") == "fail", "<stop:exit_status: TEXT AND value = 'fail'>"),
    (Status("fail"), "<stop:exit_status: TEXT AND value = 'fail'>"),
    (
        K("stop.uid") == "s5",
        "({runs: stop_uid IN ('s5')} and <runs:ended: OBJECT AND value = 0>)",
    ),
    (K("stop.uid").exists(), "<runs:ended: OBJECT AND value = 0>"),
    (~K("stop.uid").exists(), "not <runs:ended: OBJECT AND value = 0>"),
    (
        K("plan_name").isin(["scan", "count"]),
        "(<plan_name: TEXT AND value = 'scan'> or <plan_name: TEXT AND value = 'count'>)",
    ),
    (
        K("scan_id").isin([1, "x"]),
        "(<scan_id: NUMBER AND value = 1> or <scan_id: TEXT AND value = 'x'>)",
    ),
    (K("scan_id").isin([]), "none"),
    (
        Motor("eta"),
        "<motors: TEXT AND value = 'eta'>",
    ),
    (
        K("motors").contains_all(["eta", "phi"]),
        "(<motors: TEXT AND value = 'eta'> and <motors: TEXT AND value = 'phi'>)",
    ),
    (K("scan_id") > 5, "{scan_id: NUMBER AND value > 5}"),
    (K("scan_id") <= 5.5, "{scan_id: NUMBER AND value <= 5.5}"),
    (K("flag") >= False, "{flag: FALSE_TRUE AND value >= 0}"),
    (K("scan_id") > float("nan"), "none"),
    (
        K("plan_name") < "t",
        "({plan_name: TEXT AND value < 't'} or {plan_name: LONG_TEXT AND value < 't'})",
    ),
    (
        K("plan_name") > "s",
        "({plan_name: TEXT AND value > 's'} or {plan_name: LONG_TEXT AND value >= 's'})",
    ),
    (TimeBounds(2, 3), "[2 <= time <= 3]"),
    (TimeBounds(None, float("nan")), "none"),
    (TimeBounds(), "all"),
    (TimeRange(2, 3.5).to_node(), "[2 <= time];[time <= 3.5]"),
    (K("time") > 2.5, "[2.5 <= time]"),
    (K("sample").exists(), "{sample: ANY}"),
    (K("sample").exists(False), "not {sample: ANY}"),
    (K("uid").exists(), "all"),
    (K("missing").exists(), "none"),
    (
        K("operator") == None,  # noqa: E711
        "all",
    ),
    (
        K("scan_id") == None,  # noqa: E711
        "(not {scan_id: ANY} or <scan_id: NULL AND value = 0>)",
    ),
    (K("sample").has_type(dict), "<sample: OBJECT AND value = 0>"),
    (K("motors").has_type(list), "<motors: ARRAY AND value = 0>"),
    (K("scan_id").has_type("number"), "{scan_id: kind IN (2, 3)}"),
    (K("plan_name").has_type(str), "{plan_name: kind IN (4, 5)}"),
    (DataKey("det"), "<data keys: TEXT AND value = 'det'>"),
    (UidPrefix("u1"), "{runs: uid >= 'u1' AND uid < 'u2'}"),
    (UidPrefix(""), "all"),
    (FullText("point"), "<words: word = 'point'>"),
    (
        FullText("point eta -scan"),
        "(<words: word = 'point'> and <words: word = 'eta'> and not <words: word = 'scan'>)",
    ),
    # Few different texts are tried; those that fit are looked up.
    (K("plan_name").matches("^sc"), "<plan_name: TEXT AND value = 'scan'>"),
    (K("plan_name").matches("zz"), "none"),
    (
        ~((K("scan_id") > 5) | (K("plan_name") == "scan")),
        "(not {scan_id: NUMBER AND value > 5} and not <plan_name: TEXT AND value = 'scan'>)",
    ),
]
WITH_REMAINDER = [
    (K("scan_id").mod(2, 0), "{scan_id: NUMBER}"),
    (K("motors").size(1), "<motors: ARRAY AND value = 0>"),
    (K("scan_id").has_type(int), "{scan_id: kind IN (2)}"),
    (K("scan_id") == 2**60, f"<scan_id: NUMBER AND value = {float(2**60)!r}>"),
    (K("scan_id") > 2**60, f"{{scan_id: NUMBER AND value >= {float(2**60)!r}}}"),
    (K("plan_name") == "x" * 300, f"<plan_name: LONG_TEXT AND value = {'x' * 256!r}>"),
    (
        K("motors") == ["eta"],
        "(<motors: ARRAY AND value = 0> and <motors: TEXT AND value = 'eta'>)",
    ),
    (
        K("sample") == {"name": "Ni_1", "T": 1.5},
        "(<sample: OBJECT AND value = 0> and <sample.name: TEXT AND value = 'Ni_1'>"
        " and <sample.T: NUMBER AND value = 1.5>)",
    ),
    # An array of dictionaries: some may have what others have not.
    (
        K("layers.nm") == None,  # noqa: E711
        "(not {layers.nm: ANY} or <layers.nm: NULL AND value = 0>"
        " or <layers: ARRAY AND value = 0>)",
    ),
    (
        K("layers").elem_match((K("nm") > 5) & (K("nm") != 7)),
        "(<layers: ARRAY AND value = 0> and {layers.nm: NUMBER AND value > 5})",
    ),
    (
        K("motors").elem_match(Item == "eta"),
        "(<motors: ARRAY AND value = 0> and <motors: TEXT AND value = 'eta'>)",
    ),
    (K("layers.0.nm") == 5, "<layers.nm: NUMBER AND value = 5>"),
    # An array that is not indexed is looked at.
    (K("long") == 5, "(<long: NUMBER AND value = 5> or <long: kind = 8 AND value = 0>)"),
    (
        K("free").matches("^n 1.*0$"),
        "{free: kind IN (4, 5) AND value >= 'n 1' AND value < 'n 2'}",
    ),
    (K("free").matches("1"), "{free: kind IN (4, 5)}"),
    (
        K("many").matches("3$"),
        "(<many: TEXT AND value = 'value 13'>"
        " or <many: TEXT AND value = 'value 3'> or {many: LONG_TEXT})",
    ),
    (
        FullText('"point eta"'),
        "(<words: word = 'point'> and <words: word = 'eta'>)",
    ),
    (~K("scan_id").mod(2, 0), "all"),
    (TimeBounds(2.0, 10**20), "[2 <= time]"),
    (K("time") < 5.0, "[time <= 5]"),  # a run of just this time makes it inexact
]


@pytest.mark.parametrize(("question", "wanted"), EXACT, ids=lambda each: repr(each)[:60])
def test_the_indexes_answer(store, question, wanted):
    search = store._search(question)
    assert ";".join(Shown(store)(part.condition) for part in search.parts) == wanted
    assert search.remainder is None


@pytest.mark.parametrize(("question", "wanted"), WITH_REMAINDER, ids=lambda each: repr(each)[:60])
def test_the_indexes_narrow_and_the_evaluator_decides(store, question, wanted):
    search = store._search(question)
    assert ";".join(Shown(store)(part.condition) for part in search.parts) == wanted
    assert search.remainder == question


def test_only_the_parts_that_the_indexes_leave_open_remain(store):
    question = (K("plan_name") == "scan") & K("scan_id").mod(2, 0) & TimeBounds(2, 12.5)
    question &= K("scan_id").mod(3, 0)
    assert store._search(question).remainder == K("scan_id").mod(2, 0) & K("scan_id").mod(3, 0)
    assert [run.uid for run in store.find(question)] == ["u12", "u6"]


def test_a_remainder_inside_an_alternative_keeps_the_alternative(store):
    question = (K("plan_name") == "none") | (K("scan_id").mod(2, 0) & (K("scan_id") > 15))
    search = store._search(question)
    assert search.remainder == question
    assert Shown(store)(search.parts[0].condition) == (
        "(<plan_name: TEXT AND value = 'none'> or "
        "({scan_id: NUMBER} and {scan_id: NUMBER AND value > 15}))"
    )


def test_large_lists_are_few_statements(store):
    (part,) = store._search(K("scan_id").isin(list(range(1_200)))).parts
    assert part.exact
    assert [len(each.values) for each in part.condition.parts] == [500, 500, 200]
    (part,) = store._search(K("uid").isin([f"u{n}" for n in range(1_200)])).parts
    assert [len(each.values) for each in part.condition.parts] == [500, 500, 200]


# -- plans of statements ----------------------------------------------------------


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """Enough runs that an index is chosen for its order, not because it has few entries."""
    store = SQLiteStore(tmp_path_factory.mktemp("plans") / "runs.db")
    for number in range(2_500):
        doc = {"uid": f"u{number:04}", "time": float(number), "scan_id": number, "common": "yes"}
        doc |= {"half": number % 2, "old": number < 1_200, "text": "good sample"}
        store.insert("start", doc)
    yield store
    store.close()


SELECTIVE = [
    K("common") == "yes",
    K("scan_id") == 1_234,
    (K("common") == "yes") & (K("half") == 1),
    (K("half") == 1) & ~(K("old") == True),  # noqa: E712
    (K("common") == "yes") & (K("scan_id") < 20),
    (K("half") == 1) & TimeBounds(100, 200),
    K("half").isin([0, 1]),
    FullText("good sample"),
    UidPrefix("u12"),
    K("scan_id").isin(list(range(100))),
    Everything(),
]


def _statements(store, work):
    """Return the statements that some work makes, and the plan of each."""
    made = []
    connection = store._connections.get()
    connection.driver.set_trace_callback(made.append)
    try:
        work()
    finally:
        connection.driver.set_trace_callback(None)
    return {
        sql: " | ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}"))
        for sql in made
    }


@pytest.mark.parametrize("question", SELECTIVE, ids=repr)
def test_no_table_is_read_as_a_whole(large, question):
    plans = _statements(large, lambda: [next(large.find(question)), large.count(question)])
    assert plans
    for sql, plan in plans.items():
        tables = re.sub(r"SCAN (k|\(subquery-\d+\)|CONSTANT ROW|step)", "", plan)
        # Of the runs themselves only the newest arrival is looked at, in an index.
        assert "SCAN" not in tables or "max(arrival)" in sql, (sql, plan)


def test_the_newest_of_a_common_value_is_met_first_without_sorting(large):
    plans = _statements(large, lambda: next(large.find(K("common") == "yes")))
    scan = next(
        sql for sql in plans if "ORDER BY" in sql and "leaves" in sql and "OFFSET" not in sql
    )
    assert "path=? AND kind=? AND value=? AND run>? AND run<?" in plans[scan]
    inner = plans[scan].split("SCAN k")[0]
    assert "TEMP B-TREE" not in inner


def test_the_rarer_of_two_values_is_followed(large):
    plan = large._search((K("common") == "yes") & (K("scan_id") == 3)).candidates.plan
    assert [scan.values for scan in plan.scans] == [(3,)]
    # Both have more entries than are counted; the second has none among the newest.
    plan = large._search((K("common") == "yes") & (K("old") == True)).candidates.plan  # noqa: E712
    assert [scan.values for scan in plan.scans] == [(1,)]


def test_a_window_in_the_past_is_not_reached_through_all_that_came_later(large):
    question = (K("common") == "yes") & TimeBounds(100.0, 110.0)
    plans = _statements(large, lambda: list(large.find(question)))
    bounded = [sql for sql in plans if "100000000000" in sql and "110" in sql]
    assert len(bounded) >= 2
    assert [run.uid for run in large.find(question)] == [f"u{n:04}" for n in range(110, 99, -1)]


def test_what_few_of_many_candidates_fit_is_found_through_sets(large):
    """Ranges cannot be tested run by run; after some disappointments they are read as a whole."""
    question = (K("common") == "yes") & (K("scan_id") >= 0) & (K("scan_id") < 1_050)
    plans = _statements(large, lambda: next(large.find(question)))
    assert any("group_concat" in sql for sql in plans)
    assert [run.uid for run in large.find(question)] == [f"u{n:04}" for n in range(1_049, -1, -1)]
    assert large.count(question) == 1_050


def test_distinct_values_are_counted_in_the_index(large):
    plans = _statements(large, lambda: large.distinct(Path("half"), Everything()))
    assert any("GROUP BY" in sql for sql in plans)
    assert not any("start" in sql for sql in plans)
