"""Other people's programs, each tried on runs that a RunEngine made; run by `run.py`.

Each function below is one trial: it uses a program as its users do and checks what
came out. It returns a remark, or nothing, and raises where something is wrong.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass
class Lab:
    """What a trial works on: a broker with runs, and an empty folder."""

    db: Any
    folder: Path

    @property
    def scan(self) -> Any:
        """A scan of a motor with a detector, and a baseline."""
        return next(iter(self.db(plan_name="scan")))

    @property
    def images(self) -> Any:
        """A run whose images are in files."""
        return next(iter(self.db(purpose="images")))


def record(folder: Path) -> Any:
    """Return a broker with some runs, which a RunEngine made."""
    import bluesky.plans as bp
    from bluesky import RunEngine
    from bluesky.preprocessors import SupplementalData
    from ophyd.sim import hw

    from databroker import Broker

    (folder / "images").mkdir()
    devices = hw(save_path=str(folder / "images"))
    devices.img.save_path = str(folder / "images")
    db = Broker.from_config({"driver": "sqlite", "path": str(folder / "runs.db")}, name="lab")
    RE = RunEngine({"operator": "Ana"})
    RE.preprocessors.append(SupplementalData(baseline=[devices.motor1]))
    RE.subscribe(db.insert)
    RE(bp.count([devices.det], num=3), sample="Ni")
    RE(bp.scan([devices.det, devices.det1], devices.motor, -1, 1, 5), purpose="alignment")
    RE(bp.count([devices.img], num=2), purpose="images")
    return db


# -- the suitcases ---------------------------------------------------------------


def written(lab: Lab, name: str, documents: Any, **options: Any) -> list[Path]:
    """Return the files that a suitcase wrote."""
    suitcase = importlib.import_module(f"suitcase.{name}")
    artifacts = suitcase.export(documents, str(lab.folder), **options)
    files = [Path(file) for files in artifacts.values() for file in files]
    assert files
    assert all(file.stat().st_size for file in files)
    return files


def suitcase_csv(lab: Lab) -> str:
    """suitcase-csv: a scan"""
    import pandas as pd

    files = written(lab, "csv", lab.scan.documents(fill="yes"))
    (primary,) = [file for file in files if "primary" in file.name]
    table = pd.read_csv(primary)
    assert table["motor"].tolist() == lab.scan.table()["motor"].tolist()
    return f"{len(files)} files"


def suitcase_jsonl(lab: Lab) -> None:
    """suitcase-jsonl: a scan, and back"""
    (file,) = written(lab, "jsonl", lab.scan.documents())
    inserted_again(lab, map(json.loads, file.read_text().splitlines()))


def suitcase_msgpack(lab: Lab) -> None:
    """suitcase-msgpack: a scan, and back"""
    import msgpack

    (file,) = written(lab, "msgpack", lab.scan.documents())
    with file.open("rb") as opened:
        inserted_again(lab, list(msgpack.Unpacker(opened)))


def inserted_again(lab: Lab, documents: Any) -> None:
    from databroker import temp

    other = temp()
    for name, document in documents:
        other.insert(name, document)
    assert other[-1].table().equals(lab.scan.table())


def suitcase_specfile(lab: Lab) -> None:
    """suitcase-specfile: a scan"""
    (file,) = written(lab, "specfile", lab.scan.documents())
    assert len([line for line in file.read_text().splitlines() if line[:1] not in "#"]) >= 5


def suitcase_json_metadata(lab: Lab) -> None:
    """suitcase-json-metadata: a scan"""
    (file,) = written(lab, "json_metadata", lab.scan.documents())
    assert json.loads(file.read_text())["metadata"]["start"]["uid"] == lab.scan.uid


def suitcase_tiff(lab: Lab) -> None:
    """suitcase-tiff: images that are in files, filled"""
    import numpy as np
    import tifffile

    files = written(lab, "tiff_stack", lab.images.documents(fill="yes"), astype="float64")
    stack = np.stack(list(lab.images.data("img")))
    assert np.array_equal(tifffile.imread(files[0]).reshape(stack.shape), stack)


# -- apstools ----------------------------------------------------------------------


def apstools_listruns(lab: Lab) -> None:
    """apstools: listruns"""
    from apstools.utils import listruns

    for catalog in (lab.db, lab.db.v2):
        assert str(lab.scan.start["scan_id"]) in str(listruns(cat=catalog))
        assert "Ni" in str(listruns(cat=catalog, keys="scan_id sample", sample="Ni"))


def apstools_reading(lab: Lab) -> None:
    """apstools: getRunData, getRunDataValue, getStreamValues, listRunKeys"""
    from apstools import utils

    scan_id = lab.scan.start["scan_id"]
    for use_v1 in (True, False):
        table = utils.getRunData(scan_id, db=lab.db.v2, use_v1=use_v1)
        assert table["motor"].tolist() == lab.scan.table()["motor"].tolist()
        assert "det" in utils.listRunKeys(scan_id, db=lab.db.v2, use_v1=use_v1)
    assert len(utils.getStreamValues(scan_id, "motor1", db=lab.db.v2))
    assert isinstance(utils.getRunDataValue(scan_id, "det", db=lab.db.v2), float)


def apstools_db_query(lab: Lab) -> None:
    """apstools: db_query, and the newest run of what it found"""
    from apstools.utils import db_query

    found = db_query(lab.db.v2, {"plan_name": "scan", "since": "2020", "until": "2100"})
    assert list(found) == [lab.scan.uid]
    assert found.v1[-1].uid == lab.scan.uid


def apstools_replay(lab: Lab) -> None:
    """apstools: replay of a header, and of a run of a catalog"""
    from apstools.utils import replay

    for given in (lab.scan, lab.db.v2[lab.scan.uid]):
        seen: list[str] = []
        replay(given, lambda name, document, seen=seen: seen.append(name))
        assert seen.count("event") == 7


def apstools_specwriter(lab: Lab) -> None:
    """apstools: SpecWriterCallback2"""
    from apstools.callbacks import SpecWriterCallback2
    from apstools.utils import replay

    writer = SpecWriterCallback2()
    writer.newfile(lab.folder / "scans.dat")
    replay(lab.scan, writer.receiver)
    assert "#S" in (lab.folder / "scans.dat").read_text()


def apstools_nxwriter(lab: Lab) -> None:
    """apstools: NXWriter"""
    import h5py
    from apstools.callbacks import NXWriter

    writer = NXWriter()
    writer.file_name = lab.folder / "scan.hdf"
    writer.warn_on_missing_content = False
    for name, document in lab.scan.documents():
        writer.receiver(name, document)
    writer.wait_writer()
    with h5py.File(writer.file_name) as file:
        found = file["/entry/instrument/bluesky/streams/primary/motor/value"][()]
    assert found.tolist() == lab.scan.table()["motor"].tolist()


# -- bluesky, event-model, nslsii ------------------------------------------------------


def bluesky_best_effort(lab: Lab) -> None:
    """bluesky: BestEffortCallback through db.process"""
    from bluesky.callbacks.best_effort import BestEffortCallback

    shown = BestEffortCallback()
    shown.disable_plots()
    lab.db.process(lab.scan, shown)


def event_model_router(lab: Lab) -> None:
    """event-model: RunRouter, filling"""
    from event_model import RunRouter

    from databroker.core import discover_handlers

    pages: list[Any] = []

    def factory(name: str, start: Any) -> Any:
        return [lambda name, doc: pages.append(doc) if name == "event_page" else None], []

    router = RunRouter([factory], handler_registry=discover_handlers(), fill_or_fail=True)
    for name, document in lab.images.documents():
        router(name, document)
    shapes = [image.shape for page in pages for image in page["data"].get("img", [])]
    assert shapes == [image.shape for image in lab.images.data("img")]


def event_model_filler(lab: Lab) -> None:
    """event-model: every document is valid"""
    from event_model import schema_validators

    for header in lab.db():
        for name, document in header.documents():
            kind = next(kind for kind in schema_validators if kind.name == name)
            schema_validators[kind].validate(json.loads(json.dumps(document, default=list)))


def nslsii_configure_base(lab: Lab) -> None:
    """nslsii: configure_base with the name of a configuration"""
    import bluesky.plans as bp
    import nslsii
    from ophyd.sim import det

    namespace: dict[str, Any] = {}
    nslsii.configure_base(
        namespace, "temp", magics=False, mpl=False, bec=False, pbar=False,
        configure_logging=False, ipython_logging=False,
    )  # fmt: skip
    (uid,) = namespace["RE"](bp.count([det]))
    assert namespace["db"][uid].start["plan_name"] == "count"


# -- databroker-pack ---------------------------------------------------------------------


def pack(lab: Lab) -> str:
    """databroker-pack: packs a catalog with its files; what was packed, inserted again"""
    import msgpack

    from databroker import temp

    packed = packed_catalog(lab)
    other = temp()
    for file in (packed / "documents").glob("*.msgpack"):
        with file.open("rb") as opened:
            for name, document in msgpack.Unpacker(opened):
                other.insert(name, document)
    for folder in (packed / "external_files").iterdir():
        other.reg.root_map[folder.name] = str(folder)
    assert list(other.v2) == list(lab.db.v2)
    again, before = (list(db[lab.images.uid].data("img")) for db in (other, lab.db))
    assert all((a == b).all() for a, b in zip(again, before, strict=True))
    return f"{len(other.v2)} runs"


def unpack(lab: Lab) -> str:
    """databroker-unpack: its catalog is listed, and opens"""
    import databroker

    packed = packed_catalog(lab)
    called("databroker-unpack", "inplace", str(packed), "unpacked")
    assert "unpacked" in list(databroker.catalog)
    assert len(databroker.catalog["unpacked"]) == len(lab.db.v2)
    return ""


def packed_catalog(lab: Lab) -> Path:
    """Return the folder that databroker-pack wrote."""
    configurations = lab.folder / "configurations"
    configurations.mkdir()
    path = json.dumps(lab.db.get_config()["path"])
    (configurations / "lab.yml").write_text(f"driver: sqlite\npath: {path}\n")
    packed = lab.folder / "packed"
    called(
        "databroker-pack", "lab", "--all", "--copy-external", str(packed),
        DATABROKER_PATH=str(configurations),
    )  # fmt: skip
    return packed


def called(command: str, *arguments: str, **environment: str) -> None:
    """Call a command of this environment."""
    done = subprocess.run(
        [str(Path(sys.executable).parent / command), *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-500:]


# -- windows, diffractometers ----------------------------------------------------------------


def bluesky_widgets_lines(lab: Lab) -> None:
    """bluesky-widgets: AutoLines draws a run"""
    from bluesky_widgets.headless.figures import HeadlessFigures
    from bluesky_widgets.models.auto_plot_builders import AutoLines

    lines = AutoLines(max_runs=3)
    view = HeadlessFigures(lines.figures)
    lines.add_run(lab.db.v2[lab.scan.uid])
    assert lines.figures[0].axes[0].artists
    view.close()


def bluesky_widgets_search(lab: Lab) -> None:
    """bluesky-widgets: Search finds runs"""
    from bluesky_widgets.models.search import Search

    search = Search(lab.db.v2, columns=(["uid"], lambda run: (run.metadata["start"]["uid"],)))
    results = search.run_search.search_results
    # As its input does; that one fails with tzlocal 5 whatever the catalog is.
    results.catalog = search.root_catalog.search({"operator": "Ana"})
    assert [results.get_data(row, 0) for row in range(len(results.catalog))] == list(lab.db.v2)
    results.active_row = 1
    assert results.active_run == lab.db.v2[-2]


def hklpy_orientation(lab: Lab) -> None:
    """hklpy: list_orientation_runs"""
    from hkl.util import list_orientation_runs

    assert len(list_orientation_runs(lab.db)) == 0


TRIALS: tuple[Callable[[Lab], str | None], ...] = (
    suitcase_csv,
    suitcase_jsonl,
    suitcase_msgpack,
    suitcase_specfile,
    suitcase_json_metadata,
    suitcase_tiff,
    apstools_listruns,
    apstools_reading,
    apstools_db_query,
    apstools_replay,
    apstools_specwriter,
    apstools_nxwriter,
    bluesky_best_effort,
    event_model_router,
    event_model_filler,
    nslsii_configure_base,
    pack,
    unpack,
    bluesky_widgets_lines,
    bluesky_widgets_search,
    hklpy_orientation,
)


def results(names: list[str]) -> Iterator[dict[str, str]]:
    """Yield what came of each trial (or of those that are named)."""
    from databroker.errors import InvalidConfiguration

    with tempfile.TemporaryDirectory() as folder:
        db = record(Path(folder))
        for trial in TRIALS:
            if names and trial.__name__ not in names:
                continue
            inner = Path(folder, trial.__name__)
            inner.mkdir()
            state, remark = "works", ""
            try:
                remark = trial(Lab(db, inner)) or ""
            except ImportError as error:
                state, remark = "not tried", f"cannot be imported here: {error}"
            except Exception as error:  # whatever goes wrong in somebody else's program
                state, remark = "fails", f"{type(error).__name__}: {error}"
                if not isinstance(error, InvalidConfiguration):
                    traceback.print_exc()
            package, _, what = (trial.__doc__ or "").strip().partition(": ")
            yield {
                "package": package,
                "what": what,
                "version": version_of(package),
                "state": state,
                "remark": " ".join(remark.split())[:200],
            }


def version_of(package: str) -> str:
    name = package.replace("databroker-unpack", "databroker-pack")
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    Path(sys.argv[1]).write_text(json.dumps(list(results(sys.argv[2:]))))
