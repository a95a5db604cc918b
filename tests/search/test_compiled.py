"""How questions are split: what the indexes are asked, and what the evaluator is left with.

`compiled.txt` has each question below, the condition that it is compiled to, and the SQL that
scans and tests of this are. Where a condition changes, look whether it still says no more than
the question (else runs would be lost), and whether it says less than it could (else the
evaluator is asked in vain); then write the file anew: pytest --refresh tests/search
"""

import re
from pathlib import Path as FilePath

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
from databroker.stores.sql.engine import render
from databroker.stores.sql.engine.conditions import (
    ALL,
    NOTHING,
    Both,
    Either,
    KeyRange,
    Lookup,
    Unless,
)

KINDS = ("NULL", "FALSE_TRUE", "NUMBER", "NAN", "TEXT", "LONG_TEXT", "OBJECT", "ARRAY")
KINDS += ("UNINDEXED", "DOTTED")
SNAPSHOT = FilePath(__file__).with_name("compiled.txt")
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
        rows = store._connections.get().execute("SELECT id, document, path, kind FROM paths")
        self._paths = {i: f"{DOCUMENTS[doc]}{path}: {KINDS[kind]}" for i, doc, path, kind in rows}

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
        where = f"runs: {lookup.path}" if lookup.index == "runs" else self._paths[lookup.path]
        values = [
            each.decode("utf-8", "backslashreplace") if isinstance(each, bytes) else each
            for each in lookup.values
        ]
        operand = "" if lookup.op == "any" else f" {lookup.op} {', '.join(map(repr, values))}"
        return f"<{where}{operand}>" if lookup.ordered else f"{{{where}{operand}}}"


def _sql(condition):
    """Yield the SQL of the look-ups in a condition, and of its test."""
    if isinstance(condition, Lookup):
        yield f"scan {render.entries(condition)[0]}"
    for part in getattr(condition, "parts", [getattr(condition, "part", None)]):
        yield from () if part is None else _sql(part)


def _described(store, question):
    """Return how a question is compiled, as text."""
    search = store._search(question)
    lines = [f"{question!r:.200}"]
    for part in search.parts:
        lines.append(f"    {'is' if part.exact else 'within'} {Shown(store)(part.condition)}")
        test = render.test_of(part.condition)
        lines += [f"    {sql}" for sql in dict.fromkeys(_sql(part.condition))]
        lines += [] if test is None else [f"    test {test[0]}"]
    return "\n".join(lines)


K = Key
EXACT = [
    # <...> can be followed in the order of runs, {...} cannot
    Everything(),
    K("plan_name") == "scan",
    K("sample.name") == "Ni_1",
    K("scan_id") == 5,
    K("scan_id") == 5.0,
    K("flag") == True,  # noqa: E712
    K("scan_id") == float("nan"),
    K("missing") == 5,
    K("uid") == "u5",
    K("uid") == 5,
    K("time") == 5,
    K("time") == "5",
    K("stop.exit_status") == "fail",
    Status("fail"),
    K("stop.uid") == "s5",
    K("stop.uid").exists(),
    ~K("stop.uid").exists(),
    K("plan_name").isin(["scan", "count"]),
    K("scan_id").isin([1, "x"]),
    K("scan_id").isin([]),
    Motor("eta"),
    K("motors").contains_all(["eta", "phi"]),
    K("scan_id") > 5,
    K("scan_id") <= 5.5,
    K("flag") >= False,
    K("scan_id") > float("nan"),
    K("plan_name") < "t",
    K("plan_name") > "s",
    TimeBounds(2, 3),
    TimeBounds(None, float("nan")),
    TimeBounds(),
    TimeRange(2, 3.5).to_node(),
    K("time") > 2.5,
    K("sample").exists(),
    K("sample").exists(False),
    K("uid").exists(),
    K("missing").exists(),
    K("operator") == None,  # noqa: E711
    K("scan_id") == None,  # noqa: E711
    K("sample").has_type(dict),
    K("motors").has_type(list),
    K("scan_id").has_type("number"),
    K("plan_name").has_type(str),
    DataKey("det"),
    UidPrefix("u1"),
    UidPrefix(""),
    FullText("point"),
    FullText("point eta -scan"),
    K("plan_name").matches("^sc"),
    K("plan_name").matches("zz"),
    ~((K("scan_id") > 5) | (K("plan_name") == "scan")),
]
WITH_REMAINDER = [
    K("scan_id").mod(2, 0),
    K("motors").size(1),
    K("scan_id").has_type(int),
    K("scan_id") == 2**60,
    K("scan_id") > 2**60,
    K("plan_name") == "x" * 300,
    K("motors") == ["eta"],
    K("sample") == {"name": "Ni_1", "T": 1.5},
    K("layers.nm") == None,  # noqa: E711
    K("layers").elem_match((K("nm") > 5) & (K("nm") != 7)),
    K("motors").elem_match(Item == "eta"),
    K("layers.0.nm") == 5,
    K("long") == 5,
    K("free").matches("^n 1.*0$"),
    K("free").matches("1"),
    K("many").matches("3$"),
    FullText('"point eta"'),
    ~K("scan_id").mod(2, 0),
    TimeBounds(2.0, 10**20),
    K("time") < 5.0,
]


@pytest.mark.parametrize("question", EXACT, ids=lambda each: repr(each)[:60])
def test_the_indexes_answer(store, question):
    assert store._search(question).remainder is None


@pytest.mark.parametrize("question", WITH_REMAINDER, ids=lambda each: repr(each)[:60])
def test_the_indexes_narrow_and_the_evaluator_decides(store, question):
    assert store._search(question).remainder == question


def test_conditions_and_their_sql_are_as_before(store, request):
    text = "\n\n".join(_described(store, question) for question in (*EXACT, *WITH_REMAINDER))
    if request.config.getoption("--refresh"):
        SNAPSHOT.write_text(text + "\n", encoding="utf-8")
    assert (text + "\n") == SNAPSHOT.read_text(encoding="utf-8")


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
        "(<plan_name: TEXT eq 'none'> or ({scan_id: NUMBER} and {scan_id: NUMBER gt 15}))"
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
        tables = re.sub(r"SCAN (k|branch|met|\(subquery-\d+\)|CONSTANT ROW|step|few)", "", plan)
        # Of the runs themselves only the newest arrival is looked at, in an index.
        assert "SCAN" not in tables or "max(arrival)" in sql, (sql, plan)


def test_the_newest_of_a_common_value_is_met_first_without_sorting(large):
    plans = _statements(large, lambda: next(large.find(K("common") == "yes")))
    scan = next(
        sql for sql in plans if "ORDER BY" in sql and "FROM texts" in sql and "OFFSET" not in sql
    )
    assert "path=? AND value=? AND run>? AND run<?" in plans[scan]
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
    assert bounded == [sql for sql in plans if "FROM texts" in sql]
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
