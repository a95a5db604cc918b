"""A server that lets in by every way there is."""

from contextlib import closing

import pytest

from helpers.door import Door


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    """A server for the tests of a module."""
    with closing(Door(tmp_path_factory.mktemp("door"))) as door:
        yield door
