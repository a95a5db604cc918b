"""What the parts of the conformance suite share."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any, ClassVar, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings

from ...documents.encode import same
from ...stores.base import Store
from ..difference import difference
from ..reference import Delivery, answers, expected

T = TypeVar("T")


def quick(examples: int) -> settings:
    """Return settings for tests that open a store for each example.

    The suite is inherited, so hypothesis sees one test run by several classes.
    """
    return settings(
        max_examples=examples,
        deadline=None,
        database=None,
        # Explaining a failure takes longer than finding it, when each try opens a store.
        phases=set(Phase) - {Phase.explain},
        suppress_health_check=[
            HealthCheck.differing_executors,
            HealthCheck.function_scoped_fixture,
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
        ],
    )


class Base:
    """How a store is opened for a test, and how documents are compared.

    Attributes
    ----------
    gaps
        What the store does not do yet: the name of a test, and the reason. Such a test is
        expected to fail, and it is an error once it does not.
    """

    gaps: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls) -> None:
        for name in cls.gaps:
            assert hasattr(cls, name.partition("[")[0]), f"there is no test {name!r}"

    # -- what each back end's test defines -------------------------------

    def open_store(self) -> Store:
        """Return a fresh, empty, writable store. To be defined by each back end's test."""
        raise NotImplementedError(f"{type(self).__name__} does not define open_store()")

    def second(self, store: Store) -> Store:
        """Return another opener of what a shared store holds; by default, what it pickles to."""
        again: Store = pickle.loads(pickle.dumps(store))
        return again

    def reopen(self, store: Store) -> Store:
        """Close a shared store, and return what it holds, opened anew."""
        pickled = pickle.dumps(store)
        store.close()
        again: Store = pickle.loads(pickled)
        return again

    def open_read_only(self, store: Store) -> Store | None:
        """Return an opener for reading only of what a store holds; None if there is none."""
        return None

    def many(self, number: int) -> int:
        """Return how many runs a test inserts where it wants so many, which may take long.

        A store that each document is a request for says fewer, and has its pages made small.
        """
        return number

    def many_rows(self, number: int) -> int:
        """Return how many rows of one owner a test inserts where it wants so many."""
        return number

    def some(self, questions: Sequence[T]) -> Sequence[T]:
        """Return which of many questions a test asks: all, unless each takes long."""
        return questions

    def raw(self, store: Store) -> set[str] | None:
        """Return the uids of the stored runs by looking past the store; None if that is not to be.

        So a store that keeps what it should write is found out.
        """
        return None

    # -- what tests are given --------------------------------------------

    @pytest.fixture(autouse=True)
    def _gap(self, request: pytest.FixtureRequest) -> None:
        names = (request.node.name, request.node.originalname)
        reason = next(filter(None, map(self.gaps.get, names)), None)
        if reason is not None:
            request.node.add_marker(pytest.mark.xfail(reason=reason, strict=True))

    @pytest.fixture
    def store(self) -> Iterator[Store]:
        """Give a test one store, and close it afterwards."""
        with closing(self.open_store()) as store:
            yield store

    @pytest.fixture
    def shared(self, store: Store) -> Store:
        """Give a test a store that other openers see; where there are none, leave it out."""
        if not store.capabilities.shared:
            pytest.skip(f"no other opener sees what is in it ({store})")
        return store

    @pytest.fixture
    def live(self, shared: Store) -> Store:
        """Give a test a shared store whose runs are seen while they are written."""
        if not shared.capabilities.live:
            pytest.skip(f"what is inserted is not seen at once ({shared})")
        return shared

    # -- how documents are compared --------------------------------------

    def assert_kept(self, found: Any, wanted: Any) -> None:
        """Fail unless what came out is what went in, as exactly as this store promises."""
        place = difference(found, wanted)
        if place is not None and not (same(found, wanted) and self._exactness() == "json"):
            raise AssertionError(f"found differs from expected at {place}")

    def _exactness(self) -> str:
        with closing(self.open_store()) as store:
            return store.capabilities.exact

    def assert_holds(self, store: Store, documents: Delivery) -> None:
        """Fail unless a store holds these documents, and answers with nothing else."""
        documents = list(documents)
        self.assert_kept(answers(store, documents), expected(documents))


def insert_all(store: Store, documents: Delivery) -> None:
    """Insert documents in the order given."""
    for kind, doc in documents:
        store.insert(kind, doc)


def start(uid: str = "run", time: Any = 1.5e9, **metadata: Any) -> dict[str, Any]:
    """Return a RunStart document."""
    return {"uid": uid, "time": time, **metadata}


def stop(run: str = "run", **metadata: Any) -> dict[str, Any]:
    """Return a RunStop document."""
    return {"uid": f"{run}-stop", "run_start": run, "time": 1.5e9 + 60, **metadata}


def descriptor(uid: str = "desc", run: str = "run", *fields: str) -> dict[str, Any]:
    """Return an event descriptor with these fields, or with 'x'."""
    keys = {field: {"source": "test", "dtype": "number", "shape": []} for field in fields or ("x",)}
    return {"uid": uid, "run_start": run, "time": 1.5e9, "name": "primary", "data_keys": keys}


def event(number: int, owner: str = "desc", **data: Any) -> dict[str, Any]:
    """Return the event of a seq_num."""
    data = data or {"x": number / 2}
    return {
        "descriptor": owner,
        "uid": f"{owner}-{number}",
        "time": 1.5e9 + number,
        "seq_num": number,
        "data": data,
        "timestamps": dict.fromkeys(data, 1.5e9 + number),
        "filled": {},
    }


def event_page(numbers: range, owner: str = "desc") -> dict[str, Any]:
    """Return events as a page."""
    events = [event(number, owner) for number in numbers]
    return {
        "descriptor": owner,
        **{key: [one[key] for one in events] for key in ("uid", "time", "seq_num")},
        "data": {"x": [one["data"]["x"] for one in events]},
        "timestamps": {"x": [one["timestamps"]["x"] for one in events]},
        "filled": {},
    }


def datum(number: int, owner: str = "res", prefix: str = "res/") -> dict[str, Any]:
    """Return a datum document."""
    return {"datum_id": f"{prefix}{number}", "resource": owner, "datum_kwargs": {"n": number}}


def resource(uid: str = "res", **more: Any) -> dict[str, Any]:
    """Return a resource document."""
    return {
        "uid": uid,
        "spec": "S",
        "root": "/",
        "resource_path": "p",
        "resource_kwargs": {},
        **more,
    }


def stream_datum(number: int, owner: str = "sres") -> dict[str, Any]:
    """Return a stream datum document."""
    return {
        "uid": f"{owner}/{number}",
        "stream_resource": owner,
        "descriptor": "desc",
        "indices": {"start": number, "stop": number + 1},
        "seq_nums": {"start": number + 1, "stop": number + 2},
    }


def whole_run(uid: str = "run") -> list[tuple[str, dict[str, Any]]]:
    """Return a small run with a document of every kind, each with an identity of its own."""
    owner, res, sres = f"{uid}-desc", f"{uid}-res", f"{uid}-sres"
    paged = f"{uid}-paged"
    return [
        ("start", start(uid, sample={"name": "Ni"}, shape=[3, 2])),
        ("descriptor", descriptor(owner, uid)),
        ("descriptor", descriptor(paged, uid) | {"name": "paged"}),
        ("resource", resource(res, run_start=uid)),
        ("datum", datum(0, res, f"{res}/")),
        ("datum_page", {"resource": res, "datum_id": [f"{res}/1", "x" + uid], "datum_kwargs": {}}),
        ("bulk_datum", {"resource": res, "datum_ids": [f"{res}/2"], "datum_kwarg_list": [{}]}),
        ("stream_resource", {"uid": sres, "run_start": uid, "uri": "file://localhost/a"}),
        ("stream_datum", stream_datum(0, sres)),
        ("event", event(1, owner)),
        ("event", event(2, owner)),
        ("event_page", event_page(range(1, 4), paged)),
        ("bulk_events", {"primary": [event(3, owner)], "paged": [event(4, paged)]}),
        ("stop", stop(uid, exit_status="success")),
    ]
