"""The configurations of this machine as a mapping from names to catalogs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .._util.printable import printable
from .._util.secrets import hide_passwords
from ..config import list_configs, load, survey_configs
from ..errors import UnknownBrokerName
from ..v2.runs import Catalog
from .broker import Broker


class Catalogs(Mapping[str, Catalog]):
    """Every catalog by its name; each access opens it anew.

    Examples
    --------
    >>> "no-such-lab" in catalog
    False
    """

    def __getitem__(self, name: str) -> Catalog:
        try:
            load(name)
        except UnknownBrokerName as error:
            # As of any mapping, but what was given may be a URI.
            raise KeyError(hide_passwords(str(name))) from error
        return Broker.named(name).v2

    def __contains__(self, name: object) -> bool:
        return name in list(self)

    def __iter__(self) -> Iterator[str]:
        return iter(list_configs())

    def __len__(self) -> int:
        return len(list_configs())

    def __getattr__(self, name: str) -> Catalog:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError as error:
            raise AttributeError(str(error.__cause__)) from error

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *(name for name in self if name.isidentifier())})

    def __repr__(self) -> str:
        return printable(f"<Catalogs: {', '.join(self) or 'none'}>", lines=False)

    def _repr_html_(self) -> str:
        from ..display.html import catalogs_html

        rows = survey_configs().items()
        return catalogs_html([(name, each.description, each.fault) for name, each in rows])

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)

    def force_reload(self) -> None:
        """Do nothing: files are looked for whenever a name is."""


catalog = Catalogs()
"""The catalogs of this machine."""


def load_combo_catalog() -> Catalogs:
    """Return `databroker.catalog`: its old name."""
    return catalog


def temp() -> Catalog:
    """Make a new, empty catalog whose files are removed when it is no longer used.

    Examples
    --------
    >>> len(temp())
    0
    """
    return Broker.named("temp").v2
