"""Looking at everything that may be wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .brokers import look_at_broker
from .configurations import look_at_configurations
from .finding import Diagnosis
from .installation import look_at_installation


def examine(names: Sequence[str]) -> Iterator[Diagnosis]:
    """Look at the installation, the configurations, and the brokers of these names.

    Parameters
    ----------
    names
        Of the configurations that are opened.

    Yields
    ------
    Diagnosis
        One after another, as things are looked at.

    Examples
    --------
    >>> [finding.about for finding in examine([])][:2]
    ['databroker', 'Python']
    """
    yield from look_at_installation()
    yield from look_at_configurations()
    for name in names:
        yield from look_at_broker(name)
