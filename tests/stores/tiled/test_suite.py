"""The Tiled store passes what of the conformance suite asks about reading.

Its tests fill the store themselves, with Tiled's own writer behind `insert`. Those that try the
keeping of documents stay out, as this store keeps none; so do those that fill it with hundreds of
runs, each of which is a request to the server (`test_questions` has its own), and what the writer
does not keep is in `test_gaps`.
"""

from typing import ClassVar

import pytest

from databroker.stores.tiled import runs
from databroker.testing.conformance.base import Base
from databroker.testing.conformance.finding import Finding
from databroker.testing.conformance.rows import Rows
from databroker.testing.conformance.searching import Searching
from helpers.tiled_server import writing_store


def _of(part, *names):
    """Return a class with some of the tests of a part of the suite."""
    return type(part.__name__, (Base,), {name: getattr(part, name) for name in names})


_FINDING = _of(
    Finding,
    "test_an_empty_store_answers",
    "test_a_record_shows_the_run_as_it_is_now",
    "test_a_record_needs_the_whole_uid",
    "test_a_prefix_gives_no_more_than_asked_for",
    "test_each_search_is_a_fresh_one",
    "test_no_more_runs_are_found_than_asked_for",
    "test_pages_of_a_search_follow_each_other",
    "test_a_run_that_is_looked_up_has_the_cursor_of_one_that_is_found",
    "test_runs_that_come_between_two_pages_are_in_the_next_one_if_they_are_older",
    "test_odd_times_are_ordered_exactly",
    "test_uids_are_resolved_by_code_point",
)
_ROWS = _of(
    Rows,
    "test_rows_come_in_order_of_arrival",
    "test_no_columns_at_all_still_count_the_rows",
    "test_any_range_within_an_extent_can_be_read",
)
_ROWS.assert_extents_fit = Rows.assert_extents_fit
_SEARCHING = _of(
    Searching,
    "test_a_descriptor_that_comes_later_is_found",
    "test_a_stop_that_comes_later_is_found",
    "test_it_names_the_keys_that_runs_have",
)


class TestTiledStore(_FINDING, _ROWS, _SEARCHING):
    gaps: ClassVar = {
        "test_odd_times_are_ordered_exactly": "the writer cuts large times to 53 bits, as integers",
        "test_uids_are_resolved_by_code_point": "paths of a server take no slash and no NUL",
    }

    @pytest.fixture(autouse=True)
    def _server(self, server, client, key, monkeypatch):
        monkeypatch.setattr(runs, "_PAGE", 5)
        self.server, self.client = server, client

    def open_store(self):
        uri = self.server.new_catalog()
        return writing_store(self.client[uri.rpartition("/")[2]], uri)

    def assert_kept(self, found, wanted):
        super().assert_kept(_kept(found), _kept(wanted))


def _kept(value):
    """Return rows without what the writer does not keep of them."""
    if isinstance(value, list):
        return [_kept(each) for each in value]
    if isinstance(value, dict) and "seq_num" in value:
        return {key: value[key] for key in sorted(value) if key not in ("uid", "filled")}
    return value
