"""One table in one file: the events or the metadata of many runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from .._util.printable import shown
from .._util.whole_files import whole_file
from ..errors import NotSupported
from .format import Losses
from .losses import of_fields

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    Table: TypeAlias = pd.DataFrame | pa.Table | pa.RecordBatchReader

Writer = Callable[["pa.RecordBatchReader", Path], Losses]


def export_table(
    table: Table | Callable[[], Table],
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
) -> list[str]:
    """Write a table into a file, which is there when it is whole.

    Parameters
    ----------
    table
        The table, or what makes it, which is not asked if the file cannot be.
    path
        The file; its name ends with .csv, .xlsx, .parquet or .arrow.
    overwrite
        Write it anew if it is there.

    Returns
    -------
    list of str
        What the file cannot hold.

    Raises
    ------
    NotSupported
        The name ends with something else, or the table has too many columns for the format.
    FileExistsError
        The file is there.
    MissingExtra
        For .xlsx, XlsxWriter is not installed.
    OSError
        It cannot be written.

    Examples
    --------
    >>> import databroker, tempfile
    >>> db = databroker.temp()
    >>> db.insert("start", {"uid": "5ae1f0c2-4d", "time": 1e9, "sample": "=Ni"})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     losses = export_table(db().to_frame(["uid", "sample"]), f"{folder}/runs.csv")
    ...     print(Path(folder, "runs.csv").read_text())
    uid,sample
    5ae1f0c2-4d,'=Ni
    <BLANKLINE>
    """
    target = Path(path).expanduser()
    write = writer_of(target)
    with whole_file(target, overwrite=overwrite) as begun:
        return list(write(_reader(table() if callable(table) else table), begun))


def writer_of(path: Path) -> Writer:
    """Return what writes tables into a file of this name.

    Raises
    ------
    NotSupported
        Its name ends with nothing that is known.
    """
    write = WRITERS.get(path.suffix.lower())
    if write is None:
        raise NotSupported(
            f"Tables go into files that end with {', '.join(WRITERS)}, not {shown(path.name)}."
        )
    return write


def _reader(table: Table) -> pa.RecordBatchReader:
    import pyarrow as pa

    from ..runs.arrow_tables import as_arrow

    if isinstance(table, pa.RecordBatchReader):
        return table
    return (table if isinstance(table, pa.Table) else as_arrow(table)).to_reader()


def _write_csv(reader: pa.RecordBatchReader, path: Path) -> Losses:
    from .csv import write_csv

    return write_csv(reader, path)


def _write_excel(reader: pa.RecordBatchReader, path: Path) -> Losses:
    from .xlsx import workbook

    zones = {str(each.type.tz) for each in reader.schema if getattr(each.type, "tz", None)}
    with workbook(path) as book:
        return [*of_fields("the zone of times", zones), *book.add("runs", reader)]


def _write_parquet(reader: pa.RecordBatchReader, path: Path) -> Losses:
    from ..runs.arrow_tables import write_parquet

    write_parquet(reader, path)
    return ()


def _write_arrow(reader: pa.RecordBatchReader, path: Path) -> Losses:
    import pyarrow as pa

    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, reader.schema) as writer:
        for batch in reader:
            writer.write_batch(batch)
    return ()


WRITERS: Mapping[str, Writer] = {
    ".csv": _write_csv,
    ".xlsx": _write_excel,
    ".parquet": _write_parquet,
    ".arrow": _write_arrow,
}
"""What writes a table, by how the name of the file ends."""
