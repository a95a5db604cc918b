"""Apache Parquet: a file a stream, with types, units and metadata."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..documents.files.jsonl import JSONLines
from ..runs.stream.dataset import variable_names
from ..runs.stream.fields import mapping
from .format import Choice, Losses, Part
from .tabular import StreamTable, Tabular

if TYPE_CHECKING:
    import pyarrow as pa

    from ..runs.run import Run


class Parquet(Tabular):
    """A Parquet file for each stream.

    Its schema has the documents ``start``, ``stop`` and ``descriptors`` as JSON in its metadata,
    and each field its ``data_key``, and ``units`` as text. pandas makes ``seq_num`` the index.
    """

    suffix = ".parquet"
    about = "a typed table for each stream, with units and metadata, for programs"

    def parts(self, run: Run, choice: Choice) -> Iterator[Part]:
        """Return a file for each stream."""
        for table in self.tables(run, choice):
            yield Part(partial(_write, run, table), {"stream": table.name})


def _write(run: Run, table: StreamTable, path: Path) -> Losses:
    import pyarrow as pa

    from ..runs.arrow_tables import write_parquet

    reader = table.read()
    losses = list(table.losses(reader))
    schema = _described(reader.schema, run, table)
    batches = (pa.RecordBatch.from_arrays(batch.columns, schema=schema) for batch in reader)
    write_parquet(pa.RecordBatchReader.from_batches(schema, batches), path)
    return losses


def _described(schema: pa.Schema, run: Run, table: StreamTable) -> pa.Schema:
    """Return a schema that says what the documents say of the run and of each field."""
    import pyarrow as pa

    keys: dict[str, Any] = {}
    for descriptor in reversed(table.stream.descriptors):  # what the first one says, stands
        keys |= descriptor["data_keys"]
    columns = {shown: name for name, shown in variable_names(table.fields).items()}
    fields = [_with_key(each, keys.get(columns.get(each.name, ""))) for each in schema]
    index = schema.empty_table().to_pandas().set_index("seq_num")
    documents = {
        "start": dict(run.start),
        "stop": dict(run.stored_stop()) or None,
        "descriptors": table.stream.descriptors,
    }
    described = {name: _as_json(document) for name, document in documents.items()}
    known = pa.Schema.from_pandas(index, preserve_index=True).metadata
    return pa.schema(fields, {**known, **described})


def _with_key(column: pa.Field, key: Any) -> pa.Field:
    if key is None:
        return column
    units = mapping(key).get("units")
    about = {"data_key": _as_json(key)} | ({"units": units} if isinstance(units, str) else {})
    return column.with_metadata(about)


def _as_json(document: Any) -> str:
    """Return what documents have as JSON, in the form that files of JSON lines have it."""
    return json.dumps(json.loads(JSONLines().encode("", document))[1])
