"""The suite finds out stores that do not do what they say."""

import inspect
from contextlib import closing

import pytest

from databroker.query.nodes import Everything
from databroker.stores.base import Store
from databroker.stores.memory import MemoryStore
from databroker.testing import StoreConformance
from databroker.testing.conformance.base import Base
from databroker.testing.conformance.openers import Openers
from databroker.testing.conformance.other_processes import OtherProcesses

STORES = [["shared"], ["live"]]  # what such tests are given


def failures(part, liar):
    """The names of the tests of a part of the suite that a store fails."""

    class Suite(StoreConformance):
        def open_store(self):
            return liar()

    failed = set()
    for name, test in vars(part).items():
        if name.startswith("test_") and list(inspect.signature(test).parameters)[1:] in STORES:
            with closing(liar()) as store:
                try:
                    test(Suite(), store)
                except pytest.skip.Exception:
                    pass
                except (Exception, pytest.fail.Exception):
                    failed.add(name)
    return failed


def test_a_store_that_forgets_fails_when_it_is_opened_again():
    import liars

    assert failures(Openers, liars.ForgetfulStore) >= {
        "test_identities_are_known_when_it_is_opened_again",
        "test_runs_stay_in_their_order_when_it_is_opened_again",
        "test_a_second_opener_sees_each_document_at_its_next_look",
    }


def test_a_store_that_other_processes_do_not_see_fails():
    import liars

    assert failures(OtherProcesses, liars.LocalStore) >= {
        "test_another_process_sees_a_run_in_progress_at_its_next_look",
        "test_this_process_sees_what_another_one_writes",
        "test_two_processes_write_one_stream",
    }


class Counting(Base):
    def test_no_run_is_counted(self, store):
        assert store.count(Everything()) == 0

    def test_no_run_is_found(self, store):
        assert list(store.find(Everything())) == []


class TestGaps(Counting):
    """What a store cannot do yet is expected to fail, and all else is not."""

    gaps = {"test_no_run_is_counted": "it cannot count"}  # noqa: RUF012

    def open_store(self):
        store = MemoryStore()
        store.count = lambda query: -1
        return store


def test_a_gap_names_a_test_that_there_is():
    with pytest.raises(AssertionError, match="no test 'test_nothing'"):

        class _(StoreConformance):
            gaps = {"test_nothing": "it is a slip of the pen"}  # noqa: RUF012


def test_a_store_has_as_few_methods_to_define_as_is_said():
    assert len(Store.__abstractmethods__) == 8
