"""Arrays that a store itself has, where others have the names of files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import ExternalDataMissing

MIMETYPE = "application/vnd.databroker.array"
"""The mimetype of stream resources whose data the store has that gave the document.

Its `parameters` have the ``shape`` of all values together, the ``dtype`` as NumPy writes it, and
perhaps the ``chunks`` in which they are kept. `Store.read_array` reads them.
"""


def elsewhere(document: Mapping[str, Any]) -> ExternalDataMissing:
    """Return the error of a store that has the document, and not the data."""
    return ExternalDataMissing(
        f"Its data are at {document.get('uri')}, and this store has the documents alone. Open "
        "the run from the store that has the data."
    )
