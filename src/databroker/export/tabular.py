"""What formats of tables have in common: a stream is a table, in batches of rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..external.fields.filling import external_fields
from ..runs.stream.fields import mapping
from ..times.zones import resolve_zone
from . import losses
from .format import Choice, Format, OnMissing, check_on_missing, units_of

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from ..runs.run import Run
    from ..runs.stream.stream import Stream


class Tabular(Format):
    """A format whose files are tables of events.

    Parameters
    ----------
    fill
        Whether numbers that are in external files are read from there. What is larger than a
        number is left out, and told.
    on_missing
        What is done where such a number cannot be had: 'raise' the error, or 'mask' it.
    timezone
        The name of the zone in which times are written.

    Raises
    ------
    InvalidConfiguration
        There is no such zone.
    """

    def __init__(
        self, *, fill: bool = False, on_missing: OnMissing = "raise", timezone: str = "UTC"
    ) -> None:
        check_on_missing(on_missing)
        self.fill = fill
        self.on_missing = on_missing
        self.timezone = timezone
        self.zone = resolve_zone(timezone)

    def tables(self, run: Run, choice: Choice) -> Iterator[StreamTable]:
        """Yield the streams of a run that are chosen; none is read."""
        from ..runs.stream.many import share_fields

        for stream, fields in share_fields(choice.streams_of(run), choice.fields):
            selection = stream.select(fields)
            names = stream.fields if selection.data is None else selection.data
            external = external_fields(stream.descriptors)
            filled = [name for name in names if name in external and self._loads(stream, name)]
            left_out = [name for name in names if name in external and name not in filled]
            held = [name for name in names if name not in left_out]
            yield StreamTable(stream, [*held, *selection.extras], filled, left_out, self)

    def _loads(self, stream: Stream, name: str) -> bool:
        shapes = (mapping(doc["data_keys"].get(name)).get("shape") for doc in stream.descriptors)
        return self.fill and all(size == 1 for shape in shapes for size in shape or ())


@dataclass
class StreamTable:
    """The events of a stream, to be read in batches.

    Attributes
    ----------
    stream
        The stream.
    fields
        The names of the columns behind seq_num and time.
    filled
        Those of them that are read from external files.
    left_out
        External fields that are no columns.
    format
        How missing data and times are taken.
    """

    stream: Stream
    fields: Sequence[str]
    filled: Sequence[str]
    left_out: Sequence[str]
    format: Tabular
    _types: dict[str, set[type]] = field(default_factory=dict, repr=False)
    _escaped: dict[str, None] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """The name of the stream."""
        return self.stream.name

    @property
    def units(self) -> dict[str, str]:
        """The units of those columns that have any."""
        from ..runs.stream.dataset import variable_names

        units = units_of(self.stream)
        columns = variable_names(self.fields)
        return {columns[name]: units[name] for name in self.fields if name in units}

    def read(self) -> pa.RecordBatchReader:
        """Return the rows; all are read now, into a temporary file, so that types are known."""
        from ..runs.arrow_tables import reader_of

        pages = self.stream.pages(
            self.fields,
            fill=self.filled,
            on_missing=self.format.on_missing,
            timezone=self.format.timezone,
        )
        return reader_of(self._noted(pages))

    def losses(self, reader: pa.RecordBatchReader) -> Iterator[str]:
        """Yield what no table holds of the stream."""
        yield losses.TIMES
        yield from losses.of_fields("external data", self.left_out)
        texts = {each.name for each in reader.schema if str(each.type) == "string"}
        mixed = [name for name, types in self._types.items() if name in texts and types - {str}]
        yield from losses.of_fields("types of values, which are text instead", mixed)
        yield from losses.of_fields(losses.CHARACTERS, self._escaped)

    def _noted(self, pages: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        """Yield pages, and keep in mind what types of values their columns have."""
        from ..runs.stream.dataset import variable_names

        columns = variable_names(self.fields)
        for page in pages:
            for name in map(columns.__getitem__, self.filled):
                page[name] = [_number(value) for value in page[name]]
            for shown, column in page.items():
                found = set(map(type, column)) if column.dtype == object else {column.dtype.type}
                self._types.setdefault(str(shown), set()).update(found - {type(None)})
                if column.dtype == object and _has_half_characters(column):
                    self._escaped[str(shown)] = None
            yield page


def _has_half_characters(values: Iterable[Any]) -> bool:
    try:
        "".join(value for value in values if isinstance(value, str)).encode()
    except UnicodeEncodeError:
        return True
    return False


def flat(document: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the values of a document by their keys with dots.

    Examples
    --------
    >>> list(flat({"a": 1, "b": {"c": [2], "d": {}}}))
    [('a', 1), ('b.c', [2]), ('b.d', {})]
    """
    for key, value in document.items():
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _number(value: Any) -> Any:
    """Return a number that may be in an array of one."""
    return value.item() if getattr(value, "size", None) == 1 else value
