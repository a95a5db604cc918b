"""Ids of tests, which have to be the same in each process that collects them."""

import re

import pytest

_ADDRESS = re.compile(r"0x[0-9a-f]{6,}")


def refuse_addresses(ids):
    """Fail if an id holds the address of an object, which differs from process to process."""
    found = [each for each in ids if _ADDRESS.search(each)]
    if found:
        raise pytest.UsageError(
            f"{len(found)} ids of tests hold the address of an object, as that of {found[0]!r}; "
            "give 'ids' to 'parametrize' that are the same in each process"
        )
