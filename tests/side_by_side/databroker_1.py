"""Run by databroker 1.2.5: writes documents into files, or prints those that are in files.

    python databroker_1.py write FORMAT FOLDER < DOCUMENTS
    python databroker_1.py read FORMAT PATTERN
    python databroker_1.py read-catalog FILE

Documents are JSON: a list of pairs of a kind and a document. An array is {"array": list}.
"""

from __future__ import annotations

import json
import sys
import warnings
from typing import Any

warnings.simplefilter("ignore")

import event_model  # noqa: E402
import numpy as np  # noqa: E402


def opened(form: str, paths: str) -> Any:
    """Return a catalog of files."""
    if form == "jsonl":
        from databroker._drivers.jsonl import BlueskyJSONLCatalog as Catalog
    else:
        from databroker._drivers.msgpack import BlueskyMsgpackCatalog as Catalog
    return Catalog(paths)


def write(form: str, folder: str) -> None:
    """Insert what comes."""
    broker = opened(form, f"{folder}/*.{form}").v1
    for kind, document in json.load(sys.stdin, object_hook=restored):
        broker.insert(kind, document)


def read(catalog: Any) -> None:
    """Print all documents of a catalog."""
    found: list[tuple[str, Any]] = []
    for uid in list(catalog):
        for kind, document in catalog[uid].canonical(fill="no"):
            if kind == "event_page":
                found += [("event", one) for one in event_model.unpack_event_page(document)]
            elif kind == "datum_page":
                found += [("datum", one) for one in event_model.unpack_datum_page(document)]
            else:
                found.append((kind, document))
    json.dump(found, sys.stdout, default=plain)


def restored(found: dict[str, Any]) -> Any:
    """Return the array that a dictionary stands for, or the dictionary."""
    return np.array(found["array"]) if set(found) == {"array"} else found


def plain(value: Any) -> Any:
    """Return what stands for something that JSON does not know."""
    if isinstance(value, np.ndarray):
        return {"array": value.tolist()}
    return value.item() if isinstance(value, np.generic) else dict(value)


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    if what == "write":
        write(*arguments)
    elif what == "read":
        read(opened(*arguments))
    else:
        import intake

        (catalog,) = intake.open_catalog(arguments[0]).values()
        read(catalog())
