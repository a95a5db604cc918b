"""SQL is written in one room: the others say what they want as data, and call functions."""

import ast
import re
from pathlib import Path

import databroker

PACKAGE = Path(databroker.__file__).parent
SQL = re.compile(
    r"\b(SELECT\s.*|SELECT$|INSERT\s+(OR\s+\w+\s+)?INTO|DELETE\s+FROM|UPDATE\s+\w+\s+SET"
    r"|(CREATE|DROP|ALTER)\s+TABLE|PRAGMA\s|FROM\s+\w+\s+WHERE|ORDER\s+BY|BETWEEN\s+\?)"
)


def _texts(tree):
    """Yield the strings of a module, with their lines, but for docstrings."""
    spoken = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in spoken
        ):
            yield node.value, node.lineno


def test_sql_stands_only_where_statements_are():
    found = [
        f"{path.relative_to(PACKAGE)}:{line}: {text}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if "stores/sql/engine" not in path.as_posix()
        for text, line in _texts(ast.parse(path.read_text(encoding="utf-8")))
        if SQL.search(text)
    ]
    assert not found


def test_the_room_has_sql():
    engine = PACKAGE / "stores" / "sql" / "engine"
    texts = [
        text
        for path in engine.rglob("*.py")
        for text, _ in _texts(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert sum(bool(SQL.search(text)) for text in texts) > 40
