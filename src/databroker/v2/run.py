"""One run as a mapping of its streams."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

from .._util.user_warnings import warn_user
from ..errors import NoSuchStream, NotSupported
from ..external.fields.filling import WORDS
from ..runs.run import Run, RunFace
from .paging import paged
from .stream import BlueskyEventStream, description


class BlueskyRun(RunFace):
    """One run: its metadata, and its streams as items and as attributes.

    It passes for a `Header` in ``isinstance``, having `start`, `stop` and `documents`.

    Parameters
    ----------
    header
        The same run as a broker gives it.
    catalog
        The catalog that it came from.

    Examples
    --------
    >>> import databroker
    >>> db = databroker.temp()
    >>> db.insert("start", {"uid": "b2c1", "time": 1.0})
    >>> run = db.v2["b2c1"]
    >>> run.metadata["start"]["uid"], run.metadata["stop"], list(run)
    ('b2c1', None, [])
    """

    # Any: the module of catalogs imports this one.
    def __init__(self, header: Run, catalog: Any) -> None:
        self.header = header
        self._catalog = catalog

    @property
    def metadata(self) -> dict[str, Any]:
        """The start document, and the stop document (None while there is none)."""
        return {"start": self.start, "stop": self.stop}

    @property
    def start(self) -> dict[str, Any]:
        """The start document."""
        return self.header.start

    @property
    def stop(self) -> dict[str, Any] | None:
        """The stop document; None while there is none."""
        return self.header.stop or None

    @property
    def name(self) -> str:
        """The uid of the run, under which the catalog has it."""
        return self.header.uid

    @property
    def cat(self) -> Any:
        """The catalog that it came from."""
        return self._catalog

    def describe(self) -> dict[str, Any]:
        """Return what the run is, in the words of a catalog's entry."""
        return description(self.name, "catalog", "bluesky-run", type(self), self.metadata)

    def __iter__(self) -> Iterator[str]:
        return iter(self.header.stream_names)

    def __len__(self) -> int:
        return len(self.header.stream_names)

    def __contains__(self, name: object) -> bool:
        return name in self.header.stream_names

    def __getitem__(self, name: str) -> BlueskyEventStream:
        return BlueskyEventStream(self, self.header.streams[name])

    def __getattr__(self, name: str) -> BlueskyEventStream:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self[name]
        except NoSuchStream as error:
            raise AttributeError(str(error)) from error

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BlueskyRun) and self.header == other.header

    def __hash__(self) -> int:
        return hash(self.name)

    def __dir__(self) -> list[str]:
        streams = (name for name in self if name.isidentifier())
        return sorted({*super().__dir__(), *streams})

    def keys(self) -> list[str]:
        """Return the names of the streams."""
        return list(self)

    def values(self) -> list[BlueskyEventStream]:
        """Return the streams."""
        return [self[name] for name in self]

    def items(self) -> list[tuple[str, BlueskyEventStream]]:
        """Return (name, stream) for each stream."""
        return [(name, self[name]) for name in self]

    def __call__(self) -> BlueskyRun:
        """Return the run itself."""
        return self

    def get(self) -> BlueskyRun:
        """Return the run itself."""
        return self

    def documents(
        self, *, fill: str | None = None, strict_order: bool = True
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield (name, document) for the run, its events and datum documents in pages.

        Parameters
        ----------
        fill
            'yes' to load external data, 'no' to leave what refers to them, 'delayed' for
            dask arrays, which read their files when they are computed. Without a word,
            the documents come one by one, as `Header.documents` gives them.
        strict_order
            Without effect: documents always come in order.

        Raises
        ------
        ValueError
            `fill` is something else.
        """
        if fill is None:
            return self.header.documents()
        if fill not in WORDS:
            raise ValueError(f"fill must be 'yes', 'no' or 'delayed', not {fill!r}.")
        return paged(self.header.documents(fill=fill))

    def canonical(
        self, *, fill: str, strict_order: bool = True
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield what `documents` yields: its old name."""
        warn_user("canonical is now called documents.")
        return self.documents(fill=fill, strict_order=strict_order)

    def read_canonical(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield what ``documents(fill='yes')`` yields: its old name."""
        warn_user("read_canonical is now called documents.")
        return self.documents(fill="yes")

    def get_file_list(self, resource: Any) -> list[str]:
        """Return the files of a resource, whether they are there or not.

        Parameters
        ----------
        resource
            The resource or stream resource document.

        Raises
        ------
        NoHandler, ExternalDataMissing
            It cannot be found out.
        """
        from ..external.files.listing import resource_files, run_resources

        uid, session = self.header.uid, self.header.session
        referred = run_resources(session.store, uid, session.transforms)
        known = {doc["uid"]: doc for doc in referred.resources}
        document = known.get(resource["uid"], resource)
        found = resource_files(session.store, session.registry, document, referred, uid)
        if found.error is not None and not isinstance(found.error, FileNotFoundError):
            raise found.error
        return found.paths

    def read(self) -> NoReturn:
        """Raise: a run is read stream by stream."""
        names = ", ".join(map(repr, self)) or "none"
        raise NotSupported(
            f"A run is read stream by stream: run['primary'].read(). This one has: {names}."
        )

    to_dask = read

    def __repr__(self) -> str:
        return f"<BlueskyRun uid={self.header.uid!r}>"

    def __str__(self) -> str:
        return str(self.header)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        return self.header._repr_html_()

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)
