"""What several tests of stores need."""

import pytest

LIMITS = {
    "series.TAIL_ROWS": 3,
    "blocks.SEGMENT_BYTES": 300,
    "blocks._FAN": 2,
    "leaves.MAX_ARRAY": 2,
    "leaves.MAX_LEAVES": 8,
    "leaves.MAX_TEXT": 4,
    "leaves.MAX_WORDS": 3,
}


@pytest.fixture
def small_limits(monkeypatch):
    """Let the limits of the SQLite store be met by a few small documents.

    Rows move into blocks, and blocks into larger ones, after a few events;
    little is indexed, and the remainder is looked up in the documents.
    """
    for name, limit in LIMITS.items():
        monkeypatch.setattr(f"databroker.stores.sql.{name}", limit)
