"""Habits of these tests."""

import ast
from pathlib import Path

import pytest

from helpers.ids import refuse_addresses

TESTS = Path(__file__).parent


def imported(path):
    """Names of the modules that a file imports; relative ones begin with a dot."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def is_a_test_module(name):
    parts = name.split(".")
    return parts[0] in ("", "tests") or any(p == "conftest" or p.startswith("test_") for p in parts)


def test_no_test_module_is_imported():
    """What is shared is a fixture in a conftest, or stands in tests/helpers."""
    assert not [
        (str(path), name)
        for path in TESTS.rglob("*.py")
        if path.parent.name != "helpers"
        for name in imported(path)
        if is_a_test_module(name)
    ]


def test_an_id_that_another_process_would_not_have_is_refused():
    """Before any test is run: in several processes, pytest says no more than that they differ."""
    refuse_addresses(["test_a[1]", "test_a[0xff]"])
    with pytest.raises(pytest.UsageError, match=r"^1 ids .*'test_b\[<object object at 0x"):
        refuse_addresses(["test_a[1]", f"test_b[{object()!r}]"])
