"""Searching runs: every node means what the evaluator says it means."""

from __future__ import annotations

from collections import Counter
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pytest

from ...documents.encode import same
from ...query import nodes as n
from ...query.evaluate import RunView, matches
from ...query.projection import value_at
from ...query.text import parse_text
from ...stores.base import Store
from .base import Base, descriptor, insert_all, start, stop


def _is_node(thing: object) -> bool:
    return isinstance(thing, type) and issubclass(thing, n.Node)


STARTS: list[dict[str, Any]] = [
    {"scan_id": 1, "plan_name": "scan", "motors": ["eta", "phi"], "purpose": "Good sample, Ni"},
    {"scan_id": 1.0, "plan_name": "count", "motors": [], "purpose": "good for nothing"},
    {"scan_id": True, "plan_name": "Scan", "sample": {"name": "Ni", "T": 4.2, "tags": ["a", "b"]}},
    {"scan_id": "1", "sample": {"name": "Cu", "T": 300, "size": {"x": 1, "y": 2}}},
    {"scan_id": None, "sample": {"name": None}, "purpose": "Zürich sample good"},
    {"sample": "Ni", "list": [1, [2, 3], {"name": "Ni"}], "purpose": "goo"},
    {"scan_id": [1, 2, 2, "x", None], "plan_name": ["scan", "count"], "sample": {}},
    {"scan_id": 2**53 + 1, "T": float("nan"), "a.b": 1, "text": "x" * 5000 + "end"},
    {"scan_id": 2**53, "T": float("inf"), "a": {"b": 1}, "text": "x" * 5000},
    {"scan_id": 2**64, "T": -0.0, "long": list(range(400)), "flag": False},
    {"scan_id": 10**40, "T": 0, "long": [0], "flag": 0, "": "empty key", "ü\x00": "nul\x00 text"},
    {"scan_id": -1, "T": -5, "nothing": None, "empty": "", "deep": [[{"a": [{"b": 5}]}]]},
]
KEYS = [
    "scan_id",
    "plan_name",
    "motors",
    "purpose",
    "sample",
    "sample.name",
    "sample.T",
    "sample.tags",
    "sample.size",
    "sample.size.x",
    "list",
    "list.0",
    "list.1",
    "list.name",
    "list.2.name",
    "T",
    "a.b",
    "text",
    "long",
    "long.399",
    "flag",
    "ü\x00",
    "nothing",
    "empty",
    "deep.a.b",
    "missing",
    "missing.key",
    "uid",
    "time",
]
VALUES: list[Any] = [
    1,
    True,
    False,
    "1",
    None,
    "scan",
    "Ni",
    0,
    -1,
    2,
    5,
    399,
    2**53,
    2**53 + 1,
    float(2**53),
    2**64,
    10**40,
    4.2,
    float("inf"),
    "",
    "x" * 5000,
    "x" * 5000 + "end",
    "nul\x00 text",
    [1, [2, 3], {"name": "Ni"}],
    [2, 3],
    [],
    {},
    {"y": 2, "x": 1},
    "eta",
]
DISTINCT: dict[str, list[tuple[Any, int]]] = {
    "plan_name": [("scan", 2), ("count", 2), ("Scan", 1)],
    "motors": [("eta", 1), ("phi", 1)],
    "sample.name": [("Ni", 1), ("Cu", 1), (None, 1)],
    "flag": [(False, 1), (0, 1)],
    "missing": [],
    "sample": [("Ni", 1)],
}
SELECTED: list[n.Node] = [
    n.Everything(),
    n.Equals(n.Path("plan_name"), "scan"),
    n.Exists(n.Path("sample")),
    n.DataKey("det"),
    parse_text("good"),
    ~n.Everything(),
]
NODES = [name for name in n.__all__ if name != "Node" and _is_node(getattr(n, name))]
"""The kinds of questions."""


def _questions() -> list[n.Node]:
    found: list[n.Node] = [n.Everything(), ~n.Everything(), n.And(), n.Or()]
    for key in [*KEYS, ""]:
        path = n.Path(key)
        found += [n.Equals(path, value) for value in VALUES]
        found += [
            n.Exists(path),
            n.Exists(path, False),
            n.In(path, (1, "Ni", None)),
            n.Size(path, 2),
        ]
        found += [n.In(path, ()), n.ContainsAll(path, (1, 2)), n.ContainsAll(path, ())]
        for operator in ("gt", "gte", "lt", "lte"):
            found += [n.Compare(path, operator, value) for value in (0, 1.0, "Ni", 2**53, True)]
        found += [n.Matches(path, "^N", "i"), n.Matches(path, "end$"), n.Mod(path, 2, 1)]
    found += [
        n.Equals(n.Path("exit_status", "stop"), status) for status in ("success", "fail", None)
    ]
    found += [n.Exists(n.Path("num_events.primary", "stop")), n.DataKey("det"), n.DataKey("d")]
    status, counted = n.Path("status", "run"), n.Path("num_events", "run")
    found += [n.Equals(status, one) for one in ("success", "fail", "unknown", "running", None, 1)]
    found += [n.In(status, ("fail", "unknown")), n.Matches(status, "^u"), n.Exists(status)]
    found += [n.Equals(counted, number) for number in (0, 1, 1.0, True, "1", None)]
    found += [n.In(counted, (1, 2)), n.Compare(counted, "lt", 1), n.HasType(counted, "int")]
    for name in ("Ni", "Cu", None):
        inner = n.Equals(n.Path("name", "element"), name)
        found += [n.ElemMatch(n.Path(key), inner) for key in ("list", "sample", "deep", "missing")]
        found += [~n.ElemMatch(n.Path("list"), inner), ~n.Equals(n.Path("sample.name"), name)]
    found += [n.HasType(n.Path(key), kind) for key in KEYS for kind in ("string", "int", "null")]
    found += [n.DataKey("a.b"), n.UidPrefix("run"), n.UidPrefix("run 1"), n.UidPrefix("RUN")]
    bounds: list[float | None] = [None, 1e9, 1e9 + 3, 1e9 + 3.5, 1e9 + 99]
    found += [n.TimeBounds(since, until) for since in bounds for until in bounds]
    texts = ("good", "goo", "GOOD sample", '"good sample"', "good -sample", "zurich", "-good", "ni")
    found += [parse_text(text) for text in (*texts, "nul text", "name", '"sample good"')]
    simple = [n.Equals(n.Path("plan_name"), "scan"), n.DataKey("det"), parse_text("good")]
    simple += [n.Equals(n.Path("sample.name"), "Ni"), n.TimeBounds(1e9 + 2, None)]
    found += [one & other for one in simple for other in simple]
    found += [one | ~other for one in simple for other in simple]
    return found


def _fill(store: Store) -> list[tuple[str, RunView]]:
    """Insert the runs above; return them newest first, as the evaluator sees them."""
    views = []
    for number, metadata in enumerate(STARTS):
        begun = start(f"run {number}", 1e9 + number, **metadata)
        store.insert("start", begun)
        fields = {"det", "a.b"} if number % 3 == 0 else set()
        if fields:
            store.insert("descriptor", descriptor(f"d {number}", f"run {number}", *sorted(fields)))
        ended = stop(f"run {number}", exit_status="fail", num_events={"primary": 1})
        if number % 2:
            store.insert("stop", ended)
        # One that has not ended is long silent, and has no events.
        facts = {"status": "fail", "num_events": 1} if number % 2 else {"status": "unknown"}
        fact = partial({"num_events": 0, **facts}.get)
        view = RunView(begun, ended if number % 2 else None, partial(set, fields), fact)
        views.append((f"run {number}", view))
    return views[::-1]


def _number(value: Any) -> Any:
    """Return a number that may come as another one that is equal as a float."""
    return float(value) if type(value) is int else value


class Searching(Base):
    """``find``, ``count``, ``select`` and ``distinct`` with questions."""

    @pytest.mark.parametrize("kind", NODES)
    def test_every_question_is_answered_as_the_evaluator_answers_it(
        self, store: Store, kind: str
    ) -> None:
        views = _fill(store)
        questions = self.some([each for each in _questions() if type(each).__name__ == kind])
        assert questions
        for question in questions:
            wanted = [uid for uid, view in views if matches(question, view)]
            found = [run.uid for run in store.find(question)]
            assert found == wanted, f"{question!r} finds {found} instead of {wanted}"
            assert store.count(question) == len(wanted), f"count of {question!r}"

    def test_the_questions_tell_runs_apart(self, store: Store) -> None:
        """Guard the test above: questions that all answer alike would test nothing."""
        views = _fill(store)
        sizes = Counter(
            sum(matches(question, view) for _, view in views) for question in _questions()
        )
        assert len(sizes) > 8

    @pytest.mark.parametrize("wanted", [[1, 2], np.array([1, 2])], ids=["list", "array"])
    @pytest.mark.parametrize("inside", [False, True], ids=["alone", "in a list"])
    def test_arrays_are_found_by_arrays_and_lists(
        self, store: Store, wanted: Any, inside: bool
    ) -> None:
        for uid, kept in [("a", np.array([1, 2])), ("b", [1, 2]), ("c", [1, 3]), ("d", [])]:
            store.insert("start", start(uid, value=[kept] if inside else kept))
        question = n.Equals(n.Path("value"), [wanted] if inside else wanted)
        assert [run.uid for run in store.find(question)] == ["b", "a"]

    def test_matches_far_apart_are_found(self, store: Store) -> None:
        count = self.many(1000)
        rare = [count // 8 + part * count // 4 for part in range(4)]
        for number in range(count):
            sample = {"name": "rare" if number in rare else "common"}
            store.insert("start", start(f"{number:04}", 1e9 + number, sample=sample))
        wanted = [f"{number:04}" for number in reversed(rare)]
        for question in (n.Equals(n.Path("sample.name"), "rare"), parse_text("rare")):
            assert [run.uid for run in store.find(question)] == wanted
            assert store.count(question) == 4
            assert store.count(~question) == count - 4

    def test_a_descriptor_that_comes_later_is_found(self, store: Store) -> None:
        insert_all(store, [("start", start("a")), ("start", start("b"))])
        assert list(store.find(n.DataKey("det"))) == []
        store.insert("descriptor", descriptor("d", "a", "det"))
        assert [run.uid for run in store.find(n.DataKey("det"))] == ["a"]

    def test_a_stop_that_comes_later_is_found(self, store: Store) -> None:
        failed = n.Equals(n.Path("exit_status", "stop"), "fail")
        insert_all(store, [("start", start("a")), ("start", start("b"))])
        assert store.count(failed) == 0
        store.insert("stop", stop("a", exit_status="fail"))
        assert [run.uid for run in store.find(failed)] == ["a"]

    def test_distinct_values_are_counted_once_a_run(self, store: Store) -> None:
        _fill(store)
        for key, wanted in DISTINCT.items():
            found = store.distinct(n.Path(key), n.Everything())
            typed = [(type(value), value, count) for value, count in found]
            assert Counter(typed) == Counter((type(value), value, count) for value, count in wanted)
            assert [count for _, count in found] == sorted((c for _, c in found), reverse=True)

    def test_selected_values_are_those_of_the_documents(self, store: Store) -> None:
        every = [view for _, view in _fill(store)]
        paths = [*map(n.Path, KEYS), n.Path("exit_status", "stop"), n.Path("num_events", "stop")]
        columns = self.some([paths, *([path] for path in paths), []])
        for question, some in product(SELECTED, columns):
            views = [view for view in every if matches(question, view)]
            found = list(store.select(question, some))
            wanted = [[value_at(view.start, view.stop, path) for path in some] for view in views]
            assert len(found) == len(wanted)
            for row, values in zip(found, wanted, strict=True):
                assert same(list(row), values), f"{question}, {some}: {row}, not {values}"
                assert list(map(type, map(_number, row))) == list(map(type, map(_number, values)))

    def test_arrays_are_selected_as_lists_of_what_is_in_them(self, store: Store) -> None:
        kinds = {
            "c16": [1j, 2],
            "M8[D]": ["2026-11-28", "NaT"],
            "m8[ms]": [5],
            "M8[s]": ["2026-11-28"],
        }
        arrays = {f"of_{kind}": np.array(values, kind) for kind, values in kinds.items()}
        store.insert("start", start("a", **arrays, nested={"array": arrays["of_c16"]}))
        found = store.record("a")
        assert found is not None
        paths = [*map(n.Path, arrays), n.Path("nested.array")]
        wanted = tuple(value_at(found.start, None, path) for path in paths)
        assert repr(list(store.select(n.Everything(), paths))) == repr([wanted])

    def test_no_more_values_are_selected_than_asked_for(self, store: Store) -> None:
        uids = [(uid,) for uid, _ in _fill(store)]
        for limit in (None, 0, 1, 3, 99):
            assert list(store.select(n.Everything(), [n.Path("uid")], limit)) == uids[:limit]

    def test_values_selected_of_many_runs_come_newest_first(self, store: Store) -> None:
        count = self.many(1200)
        for number in range(count):
            time = 1e9 + (number * 7) % (count // 4)  # ties, and times out of order
            store.insert("start", start(f"{number:04}", time, scan_id=number, odd=number % 2))
        paths = [n.Path("scan_id"), n.Path("missing"), n.Path("time")]
        odd = n.Equals(n.Path("odd"), 1)
        wanted = [(run.start["scan_id"], None, run.start["time"]) for run in store.find(odd)]
        assert len(wanted) == count // 2
        assert list(store.select(odd, paths)) == wanted
        assert list(store.select(odd, paths, 50)) == wanted[:50]

    def test_it_names_the_keys_that_runs_have(self, store: Store) -> None:
        assert store.keys(100) == []
        store.insert("start", start("a", sample={"name": "Ni"}, scan_id=5))
        assert {"uid", "time", "sample", "sample.name", "scan_id"} <= set(store.keys(100))
        assert not any(key.startswith("stop") for key in store.keys(100))
        store.insert("stop", stop("a", exit_status="success"))
        assert {"sample.name", "stop.exit_status"} <= set(store.keys(100))
        assert len(store.keys(2)) == 2

    def test_distinct_values_of_some_runs(self, store: Store) -> None:
        _fill(store)
        scans = n.Equals(n.Path("plan_name"), "scan")
        found = store.distinct(n.Path("scan_id"), scans)
        assert sorted(found, key=repr) == sorted([("x", 1), (1, 2), (2, 1), (None, 1)], key=repr)

    def test_distinct_values_of_the_stop(self, store: Store) -> None:
        _fill(store)
        found = store.distinct(n.Path("exit_status", "stop"), n.Everything())
        assert found == [("fail", len(STARTS) // 2)]
