"""Habits of these tests."""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
MODULES = {str(path.relative_to(TESTS)): path for path in sorted(TESTS.rglob("*.py"))}


def imported(path):
    """Names of the modules that a file imports; relative ones begin with a dot."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


@pytest.mark.parametrize("name", [name for name in MODULES if not name.startswith("helpers/")])
def test_no_test_module_is_imported_by_another(name):
    """What is shared is a fixture in a conftest, or stands in tests/helpers."""
    folders = {path.name for path in TESTS.iterdir()} - {"helpers"}
    stems = {path.stem for path in MODULES.values()} - {"__init__"}
    wrong = [
        module
        for module in imported(MODULES[name])
        if module.startswith((".", "tests"))
        or module.partition(".")[0] in folders
        or module in stems
    ]
    assert not wrong
