"""Runs and their external files written into one folder or zip."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml

from .. import __version__
from ..broker.export import all_documents
from ..broker.moving.external import referred
from ..broker.moving.progress import Meter, Report
from ..documents.files.jsonl import JSONLines
from ..documents.files.naming import file_name
from ..documents.files.packed import Packed
from ..errors import CopyRefused, NoSuchRun, NotSupported
from ..external.files.atomic_copy import blocks
from ..external.files.listing import run_files
from ..external.files.packing import PackedFiles
from ..runs.results import Results
from ..runs.run import Run, each_run
from .report import PackReport
from .sums import SUMS
from .writing import Writer, writing

if TYPE_CHECKING:
    from ..documents.files.formats import Format

MANIFEST = "manifest.json"
CATALOG = "catalog.yml"

_FORMATS: dict[str, Format] = {each.name: each for each in (Packed(), JSONLines())}
_BLOCK = 2**20


def pack(
    runs: Run | Iterable[Run],
    path: str | os.PathLike[str],
    *,
    format: Literal["msgpack", "jsonl"] = "msgpack",
    files: bool = True,
    on_missing: Literal["raise", "skip"] = "raise",
    overwrite: bool = False,
    progress: Report | None = None,
) -> PackReport:
    """Write runs and their external files into one folder or zip, to be opened anywhere.

    `databroker.open` opens it where it is, on any machine; `databroker.copy` and ``databroker
    import`` copy runs out of it. Documents are in it exactly as they are read; they go on calling
    files what they called them, and the root map of the pack says where these are in it. It has
    the layout of databroker-pack, which databroker 1.2 reads, and a list of checksums that
    `verify_pack`, or ``sha256sum --check SHA256SUMS``, compares.

    Parameters
    ----------
    runs
        A run, several, or the results of a search, of which one is held at a time.
    path
        What is made: a zip if the name ends with ``.zip``, else a folder. It gets its name when it
        is whole.
    format
        What the files of documents are: 'msgpack', which is exact, or 'jsonl', which is text.
    files
        Whether external files go along.
    on_missing
        What becomes of an external file that is not there: it is an error ('raise'), or is left
        out, and named in the report and in the manifest ('skip').
    overwrite
        Whether a file, or a pack, that has this name may go.
    progress
        Is called a few times a second with a `Progress`: runs, bytes, time left.

    Returns
    -------
    PackReport
        How many runs and files are in it, and which files are missing.

    Raises
    ------
    CopyRefused
        Something has this name already, or two different files are recorded as one.
    NoSuchRun
        There are no runs.
    ExternalDataMissing
        An external file is not there, or may not be read.
    CopyDiffers
        A file changed while it was read.
    NotSupported
        There is no such format.
    OSError
        It cannot be written: the disk is full, say. Nothing is left of it.

    Examples
    --------
    >>> import databroker, tempfile
    >>> db = databroker.temp()
    >>> db.insert("start", {"uid": "a", "time": 1.0})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     report = databroker.pack(db(), f"{folder}/july")
    ...     with databroker.open(f"{folder}/july") as packed:
    ...         packed[-1].uid
    'a'
    """
    if format not in _FORMATS:
        raise NotSupported(f"A pack is in 'msgpack' or in 'jsonl', not in {format!r}.")
    if on_missing not in ("raise", "skip"):
        raise ValueError(f"on_missing is 'raise' or 'skip', not {on_missing!r}.")
    target = Path(path).expanduser().absolute()
    carried = PackedFiles(str(target), on_missing == "skip") if files else None
    with _new(target, overwrite) as writer:
        packing = _Packing(writer, _FORMATS[format], carried, Meter(progress, _number_of(runs)))
        for run in each_run(runs):
            packing.add(run)
        return packing.end(target)


@contextmanager
def _new(target: Path, overwrite: bool) -> Iterator[Writer]:
    """Begin a pack, if there is a place for it."""
    if overwrite and target.is_dir() and any(target.iterdir()) and not (target / SUMS).exists():
        raise CopyRefused(f"{target} is a folder, and no pack: it is not overwritten.")
    try:
        with writing(target, overwrite=overwrite) as writer:
            yield writer
    except FileExistsError as error:
        if isinstance(error, CopyRefused):
            raise
        raise CopyRefused(
            f"{error} Choose another name, or have it overwritten: by overwrite=True, or "
            "--overwrite in a terminal."
        ) from None


def _number_of(runs: Run | Iterable[Run]) -> int | None:
    if isinstance(runs, Results):
        return runs.count()
    if isinstance(runs, Run):
        return 1
    return len(runs) if isinstance(runs, Sequence) else None


class _Packing:
    """A pack that is being made."""

    def __init__(
        self, writer: Writer, format: Format, carried: PackedFiles | None, meter: Meter
    ) -> None:
        self._writer, self._format = writer, format
        self._carried, self._meter = carried, meter
        self._uids: dict[str, None] = {}
        self._files = 0

    def add(self, run: Run) -> None:
        """Add a run, once, and its files."""
        if run.uid in self._uids:
            return
        self._uids[run.uid] = None
        name = f"documents/{file_name(run.uid)}{self._format.suffix}"
        encoded = (self._format.encode(kind, doc) for kind, doc in all_documents(run))
        self._write(name, _gathered(encoded))
        for new, old in self._files_of(run):
            self._write(new, blocks(old))
            self._files += 1
        self._meter.done()

    def end(self, target: Path) -> PackReport:
        """Write what tells of all the rest."""
        if not self._uids:
            raise NoSuchRun("There are no runs to be packed.")
        missing = self._carried.missing if self._carried else []
        self._writer.put(CATALOG, yaml.safe_dump(self._catalog(), sort_keys=False).encode())
        self._writer.put(MANIFEST, json.dumps(self._manifest(missing), indent=1).encode())
        self._meter.end()
        size, seconds = self._writer.bytes, self._meter.seconds
        return PackReport(target, len(self._uids), self._files, size, seconds, missing)

    def _write(self, name: str, data: Iterable[bytes]) -> None:
        for written in self._writer.add(name, data):
            self._meter.sent(0, written)

    def _files_of(self, run: Run) -> Iterator[tuple[str, str]]:
        if self._carried is None:
            return
        session = run.session
        resources = run_files(session.store, session.registry, run.uid, referred(session, run.uid))
        yield from self._carried.of(run.uid, session.registry, resources)

    def _catalog(self) -> dict[str, Any]:
        """Return what tells readers, those of databroker 1.x too, what is where."""
        documents = f"documents/*{self._format.suffix}"
        arguments: dict[str, Any] = {"paths": [f"{{{{ CATALOG_DIR }}}}/{documents}"]}
        if self._carried is not None and self._carried.root_map:
            arguments["root_map"] = self._carried.root_map
        made_by = {"library": "databroker", "version": __version__}
        source = {
            "driver": f"bluesky-{self._format.name}-catalog",
            "args": arguments,
            "metadata": {"generated_by": made_by, "relative_paths": [f"./{documents}"]},
        }
        return {"sources": {"packed_catalog": source}}

    def _manifest(self, missing: Sequence[tuple[str, str]]) -> dict[str, Any]:
        return {
            "made_by": f"databroker {__version__}",
            "made": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "format": self._format.name,
            "runs": list(self._uids),
            "external_files": self._files if self._carried is not None else None,
            "missing": [{"run": run, "path": path} for run, path in missing],
            "checksums": SUMS,
        }


def _gathered(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield small pieces of bytes as larger ones."""
    block = bytearray()
    for piece in pieces:
        block += piece
        if len(block) >= _BLOCK:
            yield bytes(block)
            block.clear()
    yield bytes(block)
