"""Writes sources.md, the page on what each source cannot do, from the marks in its tests."""

from __future__ import annotations

import ast
from pathlib import Path

HERE = Path(__file__).parent
TESTS = HERE.parent / "tests"

INTRODUCTION = """\
# What each source cannot do

All sources of runs pass one suite of tests (`databroker.testing.StoreConformance`): it tries every
question on the same documents, and compares the answers with those of the simplest store. What
a source does not do is marked in its tests with the reason. Such a mark is an error as soon as
the source does it. This table is made from the marks.

Of `tiled`, the parts of the suite about finding and reading are tried, with fewer runs, after
Tiled's own writer wrote the documents. What the writer does to them is among the gaps.

Of `http`, two servers are tried over real connections, with fewer documents: one process with
SQLite files, and two processes with a PostgreSQL database.

Besides, files of JSON lines, and MongoDB, keep arrays as lists.

<!-- Made by `python docs/sources_page.py` from the tests; do not edit. -->

| driver | what it does not do | why |
| --- | --- | --- |
"""

SUITES: dict[str, tuple[str, str]] = {
    "memory": ("stores/test_memory.py", "TestMemoryStore"),
    "sqlite": ("stores/test_sqlite.py", "TestSQLiteStore"),
    "postgresql": ("stores/test_postgresql_store.py", "TestPostgreSQLStore"),
    "jsonl": ("stores/files/test_suite.py", "TestJSONLStore"),
    "msgpack": ("stores/files/test_suite.py", "TestMsgpackStore"),
    "mongo-normalized": ("stores/mongo/test_suite.py", "TestMongoNormalizedStore"),
    "tiled": ("stores/tiled/test_suite.py", "TestTiledStore"),
    "http": ("stores/http/test_suite.py", "TestHTTPStore"),
    "federation": ("stores/test_federation.py", "TestRunsAreSplit"),
}
"""The suite of each driver, or that of what it does beside others."""

BESIDE = {"mongo-normalized": ("stores/mongo/test_mongoeco.py", "TestOnMongoEco")}
"""What another server shows than that of the suite."""

ONLY_READ = {
    "mongo-embedded": "databroker 1.x wrote it no other way",
    "tiled": "Tiled's own writer fills it",
}
"""Sources that have tests of their own, and why they are only read."""

LOSSES = {
    "tiled": {
        "it does not keep": "stores/tiled/test_gaps.py",
        "of runs that databroker 2 serves, it does not give": "stores/tiled/test_mongo_adapter.py",
    }
}
"""What is lost before a source is read: modules whose REASONS say it, beside their tests."""


def gaps(path: str, name: str) -> dict[str, str]:
    """Return the marks of a class of tests: names of tests, and reasons."""
    tree = ast.parse((TESTS / path).read_text(encoding="utf-8"))
    texts = {
        ast.unparse(node.targets[0]): node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
    }
    (suite,) = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)
    for node in suite.body:
        target = (
            node.target if isinstance(node, ast.AnnAssign) else getattr(node, "targets", [0])[0]
        )
        if isinstance(target, ast.Name) and target.id == "gaps":
            return {
                key.value: value.value if isinstance(value, ast.Constant) else texts[value.id]
                for key, value in zip(node.value.keys, node.value.values, strict=True)
            }
    return {}


def losses(path: str) -> dict[str, str]:
    """Return what a module says is lost, and why."""
    for node in ast.parse((TESTS / path).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "REASONS":
            return dict(ast.literal_eval(node.value))
    raise LookupError(path)


def rows() -> list[tuple[str, str, str]]:
    """Return driver, what it does not do, and why."""
    found = []
    for driver in dict.fromkeys([*SUITES, *ONLY_READ]):
        marks = gaps(*SUITES[driver]) if driver in SUITES else {}
        marks |= gaps(*BESIDE[driver]) if driver in BESIDE else {}
        mine = [(driver, _words(test), reason) for test, reason in marks.items()]
        for verb, path in LOSSES.get(driver, {}).items():
            mine += [(driver, f"{verb} {what}", why) for what, why in losses(path).items()]
        if driver in ONLY_READ:
            mine.insert(0, (driver, "it is only read", ONLY_READ[driver]))
        found += mine or [(driver, "nothing is missing", "")]
    return found


def _words(test: str) -> str:
    return test.removeprefix("test_").replace("_", " ")


def page() -> str:
    """Return the page."""
    lines = [f"| `{driver}` | {gap} | {reason} |" for driver, gap, reason in rows()]
    return INTRODUCTION + "\n".join(lines) + "\n"


if __name__ == "__main__":
    (HERE / "sources.md").write_text(page(), encoding="utf-8")
