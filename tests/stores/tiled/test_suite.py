"""The Tiled store passes what of the conformance suite asks about reading."""

from typing import ClassVar

import pytest

from databroker.stores.tiled import runs
from databroker.testing.conformance.finding import Finding
from databroker.testing.conformance.many_runs import ManyRuns
from databroker.testing.conformance.rows import Rows
from databroker.testing.conformance.searching import Searching
from helpers.tiled_server import writing_store

INTEGERS = "the writer cuts integers to 53 bits, and whole floats beyond that"
SCAN_ID = "a server is asked for `scan_id` as the event model has it: one integer"
PATHS = "paths of a server take no slash, no NUL, and nothing that is no UTF-8"
ONE_TYPE = "a column has one type, and the writer stops"
COLUMNS = "columns have 64 bits, and the writer stops"
WHOSE = "of descriptors of one time, nothing tells which an event has"


@pytest.mark.filterwarnings("ignore:The document type 'bulk")
class TestTiledStore(Finding, Rows, Searching, ManyRuns):
    gaps: ClassVar = {
        "test_every_question_is_answered_as_the_evaluator_answers_it[Compare]": SCAN_ID,
        "test_every_question_is_answered_as_the_evaluator_answers_it[Equals]": SCAN_ID,
        "test_every_question_is_answered_as_the_evaluator_answers_it[Mod]": INTEGERS,
        "test_selected_values_are_those_of_the_documents": INTEGERS,
        "test_a_search_is_lazy_and_bounded_by_what_existed": "no entry tells when it was made",
        "test_odd_times_are_ordered_exactly": INTEGERS,
        "test_the_activity_of_a_run_at_an_odd_time_is_known[-1e+300]": INTEGERS,
        "test_the_activity_of_a_run_at_an_odd_time_is_known[9223372036854775808]": COLUMNS,
        "test_the_activity_of_a_run_at_an_odd_time_is_known[1180591620717411303424]": COLUMNS,
        "test_a_search_left_open_does_not_block_writing": (
            "the writer stops at a stream datum whose descriptor there is not"
        ),
        "test_uids_are_resolved_by_code_point": PATHS,
        "test_extents_may_have_been_elsewhere_when_they_are_read": PATHS,
        "test_a_start_that_comes_again_keeps_its_place": "the writer takes a start once",
        "test_documents_of_each_kind_come_in_order_of_arrival": (
            "the writer makes stream resources of resources, or drops them"
        ),
        "test_a_page_without_rows_leaves_nothing": "the writer takes no page without rows",
        "test_unlike_runs_and_those_in_many_parts": "the writer takes a start before all else",
        "test_columns_can_be_read_alone": ONE_TYPE,
        "test_a_column_may_change_its_type_among_thousands_of_rows": ONE_TYPE,
        "test_rows_with_hundreds_of_columns_are_kept": (
            "the writer sorts the columns where they are more than 1,024"
        ),
        "test_wide_rows_are_kept": "the writer takes no big-endian arrays",
        "test_equal_event_uids_under_two_descriptors_are_two_events": WHOSE,
        "test_owners_and_uids_are_not_mixed_up": WHOSE,
        "test_an_owner_says_its_run": "the writer stops at a stream datum without a descriptor",
    }

    # The writer stops at most values of any run; what it loses of them is in `test_gaps`.
    test_any_column_of_any_run_can_be_read_alone = None
    test_any_runs_read_at_once = None
    test_arrays_of_every_dtype_are_kept = None
    test_arrays_are_selected_as_lists_of_what_is_in_them = None

    @pytest.fixture(autouse=True)
    def _server(self, server, client, key, filled, monkeypatch):
        monkeypatch.setattr(runs, "_PAGE", 5)
        self.server, self.client, self.filled = server, client, filled

    def open_store(self):
        return writing_store(self.server, self.client, self.filled)

    def many(self, number):
        return min(number // 3, 6)

    def some(self, questions):
        return questions[:: 1 + len(questions) // 3]

    def assert_kept(self, found, wanted):
        super().assert_kept(_kept(found), _kept(wanted))


def _kept(value):
    """Return rows without what the writer does not keep of them."""
    if isinstance(value, list):
        return [_kept(each) for each in value]
    if isinstance(value, dict) and "seq_num" in value:
        return {key: value[key] for key in sorted(value) if key not in ("uid", "filled")}
    return value
