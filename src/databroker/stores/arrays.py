"""Arrays that a store itself has, where others have the names of files."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .base import Store

if TYPE_CHECKING:
    import numpy as np

MIMETYPE = "application/vnd.databroker.array"
"""The mimetype of stream resources whose data the store has that gave the document.

Its `parameters` have the ``shape`` of all values together, the ``dtype`` as NumPy writes it, and
perhaps the ``chunks`` in which they are kept.
"""


class ArrayStore(Store):
    """A store that has the data of some stream resources (`MIMETYPE`), and reads parts of them."""

    @abstractmethod
    def read_array(
        self, document: Mapping[str, Any], place: Sequence[slice]
    ) -> np.ndarray[Any, Any]:
        """Return a part of the data of a stream resource.

        Parameters
        ----------
        document
            The stream resource, as this store gave it.
        place
            A slice that goes forwards, for each of the first dimensions.

        Raises
        ------
        ExternalDataMissing
            They are not in this store, or cannot be read there.
        """
