"""Whether a row may be stored already is told of one identity as of many together."""

import uuid

import pytest

from databroker.stores.sql.uid_filter import UidFilter, hashes_of

UUIDS = [str(uuid.UUID(int=n * 0x1234567890ABCDEF1234567890ABCDEF >> 3)) for n in range(1, 9)]
OTHERS = [
    "text",
    "",
    "x" * 36,
    "0" * 36,
    str(uuid.uuid5(uuid.NAMESPACE_DNS, "x")).upper(),
    UUIDS[2].replace("-", " "),
    "é" * 36,
]


@pytest.mark.parametrize("first", [UUIDS, OTHERS, UUIDS + OTHERS], ids=["uuids", "others", "both"])
@pytest.mark.parametrize("then", [UUIDS, OTHERS, UUIDS + OTHERS], ids=["uuids", "others", "both"])
def test_what_was_added_is_known_with_whatever_it_came_and_comes(first, then):
    known = UidFilter()
    known.add(hashes_of(first))
    common = set(first) & set(then)
    assert all(map(known.might_contain, first))
    assert known.might_contain_any(hashes_of(then)) == bool(common)
    assert [one for one in then if known.might_contain(one)] == [
        one for one in then if one in common
    ]
