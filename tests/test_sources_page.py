"""The page on what sources cannot do says what the marks in their tests say."""

import importlib.util
from pathlib import Path

from databroker.stores.registry import DRIVERS

DOCS = Path(__file__).parents[1] / "docs"


def made():
    spec = importlib.util.spec_from_file_location("sources_page", DOCS / "sources_page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_made_from_the_marks():
    again = "make it again: python docs/sources_page.py"
    assert (DOCS / "sources.md").read_text(encoding="utf-8") == made().page(), again


def test_every_source_is_on_it():
    page = made()
    assert {*page.SUITES, *page.ONLY_READ} == set(DRIVERS)
    assert {driver for driver, *_ in made().rows()} == set(DRIVERS)


def test_marks_are_read_whether_they_name_a_reason_or_say_it():
    gaps = made().gaps("stores/test_federation.py", "TestRunsAreSplit")
    assert len(gaps) > 1
    assert all(test.startswith("test_") and reason for test, reason in gaps.items())
