"""Documents that are written into files: a run each, and one for what has no run yet."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence

from ...documents.encode import same
from ...documents.files.formats import CUT_SHORT, GZIP, Doc, Format
from ...documents.files.naming import file_name
from ...documents.identity import conflict, is_provisional, same_row, unknown_descriptor
from ...documents.kinds import IDENTITY, LISTS, OWNER, PAGES
from ...documents.pages import unpack
from ...errors import StoreDamaged, StoreIsReadOnly
from ..sql.file_index import FileIndex
from .following import Follower
from .places import Places
from .rows import RowCache


class Writer:
    """Writes documents; what is in the index and in files already is not written again."""

    def __init__(self, follower: Follower, rows: RowCache, format: Format, places: Places) -> None:
        self._follower = follower
        self.rows = rows
        self.format = format
        self.places = places

    def put(self, documents: Iterable[tuple[str, Doc]]) -> None:
        """Write documents, all or none."""
        with self._follower.exclusive() as index:
            batch = _Batch(self, index)
            for kind, document in documents:
                batch.add(kind, document)
            before: dict[str, int] = {}
            try:
                for path, data in batch.files.items():
                    self._append(path, b"".join(data), path in batch.new, before)
            except BaseException:
                _take_back(before, batch.new)
                raise
            self._follower.read_on(batch.files)

    def _append(self, path: str, data: bytes, is_new: bool, before: dict[str, int]) -> None:
        """Put bytes behind what a file has; note before that how many it had."""
        os.makedirs(os.path.dirname(path), exist_ok=True)
        state = None if is_new else self._follower.state(path)
        mode = os.O_EXCL if is_new else 0
        file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0) | mode, 0o666)
        try:
            size = before[path] = 0 if is_new else os.lseek(file, 0, os.SEEK_END)
            if state is not None and state.read_to < size:
                # What a writer left behind that was killed is cut off: it is no document.
                self._check_damage(path, state.faults)
                size = before[path] = state.read_to
                os.ftruncate(file, size)
            elif size and not self.format.ends(_last_byte(file, size)):
                data = b"\n" + data
            _write(file, data, size)
        finally:
            os.close(file)

    def _check_damage(self, path: str, faults: Sequence[tuple[int, str]]) -> None:
        damage = [text for _, text in faults if text != CUT_SHORT]
        if damage and not self.format.has_lines:
            raise StoreDamaged(
                f"Nothing can be added to {path}, as it is damaged: {damage[-1]}. Copy what can "
                "be read of it into another store."
            )


def _take_back(before: Mapping[str, int], new: Collection[str]) -> None:
    """Make files what they were."""
    for path, size in before.items():
        if path in new:
            os.unlink(path)
        else:
            os.truncate(path, size)


def _last_byte(file: int, size: int) -> bytes:
    os.lseek(file, size - 1, os.SEEK_SET)
    return os.read(file, 1)


def _write(file: int, data: bytes, size: int) -> None:
    os.lseek(file, size, os.SEEK_SET)
    left = memoryview(data)
    while left:
        left = left[os.write(file, left) :]


class _Batch:
    """Documents that are written together: what is new of them, and where it belongs."""

    def __init__(self, writer: Writer, index: FileIndex) -> None:
        self.files: dict[str, list[bytes]] = {}
        self.new: set[str] = set()
        self._writer = writer
        self._index = index
        self._documents: dict[tuple[str, str], Doc] = {}
        self._stops: dict[str, Doc] = {}  # by their runs
        self._rows: dict[tuple[str, str, str], Doc] = {}
        self._homes: dict[tuple[str, str], str] = {}  # of runs, and of the owners of rows

    def add(self, kind: str, document: Doc) -> None:
        """Add a document, or a page of them."""
        if kind in PAGES:
            self._add_rows(kind, document, list(unpack(kind, document)))
        elif kind in OWNER:
            self._add_rows(kind, document, [document])
        else:
            self._add_document(kind, document)

    # -- documents -------------------------------------------------------------

    def _add_document(self, kind: str, document: Doc) -> None:
        known = self._known(kind, document)
        if known is not None:
            if not same(known, document):
                raise conflict(kind, known, document)
            return
        uid = document["uid"]
        if kind == "start":
            path = self._homes["start", uid] = self._new_path(uid)
            self.new.add(path)
        else:
            run = document.get("run_start")
            path = self._home_of_run(run) if type(run) is str else self._loose
        if kind == "stop":
            self._stops[document["run_start"]] = document
        elif kind != "start":
            self._homes.setdefault((kind, uid), path)
        self._documents[kind, uid] = document
        self._append(path, kind, document)

    def _known(self, kind: str, document: Doc) -> Doc | None:
        """Return the document that is there in place of another one."""
        uid, index = document["uid"], self._index
        fresh = self._documents.get((kind, uid))
        if kind == "start":
            record = index.record(uid) if fresh is None else None
            return fresh if record is None else record.start
        if kind != "stop":
            return fresh or index.document(kind, uid)
        named = fresh or index.stop_named(uid)
        run = document["run_start"]
        current = self._stops.get(run) or self._stop_of(run)
        if named is not None and (current is None or current["uid"] == named["uid"]):
            return named
        return None if current is None or is_provisional(current) else current

    def _stop_of(self, run: str) -> Doc | None:
        record = self._index.record(run)
        return self._index.waiting_stop(run) if record is None else record.stop

    def _home_of_run(self, run: str) -> str:
        path = self._homes.get(("start", run)) or self._index.path_of_run(run)
        return path or self._loose

    # -- rows ------------------------------------------------------------------

    def _add_rows(self, kind: str, document: Doc, rows: list[Doc]) -> None:
        single = PAGES.get(kind, kind)
        homes = {row[OWNER[single]]: "" for row in rows}
        for owner in homes:
            homes[owner] = self._home_of_rows(single, owner)
        fresh: dict[tuple[str, str, str], Doc] = {}
        for row in rows:
            key = _key(single, row)
            known = fresh.get(key) or self._rows.get(key) or self._stored_row(single, row)
            if known is None:
                fresh[key] = row
            elif not same_row(known, row):
                raise conflict(single, known, row)
        self._rows.update(fresh)
        if kind in LISTS and len(fresh) == len(rows) and rows:
            self._append(homes[rows[0][OWNER[single]]], kind, document)
            return
        for row in fresh.values():
            self._append(homes[row[OWNER[single]]], single, row)

    def _home_of_rows(self, kind: str, owner: str) -> str:
        place = OWNER[kind], owner
        path = self._homes.get(place)
        if path is None:
            paths = self._index.paths_of(kind, owner)
            if not paths and kind == "event" and self._index.document(*place) is None:
                raise unknown_descriptor(owner)
            path = self._homes[place] = paths[0] if paths else self._loose
        return path

    def _stored_row(self, kind: str, row: Doc) -> Doc | None:
        if kind == "datum":
            return stored_datum(self._index, self._writer.rows, row["datum_id"], row["resource"])
        owner, identity = row[OWNER[kind]], row[IDENTITY[kind]]
        return stored_row(self._index, self._writer.rows, kind, owner, identity)

    # -- files -----------------------------------------------------------------

    @property
    def _loose(self) -> str:
        return os.path.join(self._folder, self._writer.places.loose)

    @property
    def _folder(self) -> str:
        folder = self._writer.places.folder
        assert folder is not None
        return folder

    def _new_path(self, uid: str) -> str:
        """Return where a new run is written: a file that has its uid for a name."""
        name = file_name(uid)
        for number in range(1, 1000):
            more = "" if number == 1 else f"-{number}"
            whole = f"{name}{more}{self._writer.format.suffix}"
            path = os.path.join(self._folder, whole)
            if not self._writer.places.is_seen(whole):
                raise StoreIsReadOnly(
                    f"A new run would be written to {path}, which is not one of the files at "
                    f"{self._writer.places.paths[0]}. Give the folder instead."
                )
            if path not in self.new and not os.path.lexists(path):
                return path
        raise StoreIsReadOnly(f"There are too many files named {name} in {self._folder}.")

    def _append(self, path: str, kind: str, document: Doc) -> None:
        if path.endswith(GZIP):
            raise StoreIsReadOnly(f"{path} is compressed, so nothing can be added to it.")
        self.files.setdefault(path, []).append(self._writer.format.encode(kind, document))


def _key(kind: str, row: Doc) -> tuple[str, str, str]:
    return kind, "" if kind == "datum" else row[OWNER[kind]], row[IDENTITY[kind]]


def stored_row(
    index: FileIndex, rows: RowCache, kind: str, owner: str, identity: str
) -> Doc | None:
    """Return a row of an owner, if it is in a file."""
    for path in index.paths_of(kind, owner):
        series = rows.series(path, kind, owner)
        found = None if series is None else series.row(owner, identity)
        if found is not None:
            return found
    return None


def stored_datum(
    index: FileIndex, rows: RowCache, datum_id: str, owner: str | None = None
) -> Doc | None:
    """Return a datum by its id, and perhaps a resource that it may belong to."""
    owners = [index.owner_of_datum(datum_id), datum_id.rpartition("/")[0], owner]
    for each in dict.fromkeys(filter(None, owners)):
        found = stored_row(index, rows, "datum", each, datum_id)
        if found is not None:
            return found
    return None
