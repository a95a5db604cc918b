"""A plugin for the tests of databroker 1.2.5: the runs on which those of catalogs work."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

DETECTORS = {"scalar": "det", "image": "direct_img", "external image": "img"}


@pytest.fixture(scope="module")
def hw() -> Any:
    """Simulated devices."""
    from ophyd.sim import hw

    return hw()


@pytest.fixture(scope="module")
def RE() -> Any:
    """A RunEngine."""
    from bluesky import RunEngine

    return RunEngine({})


@pytest.fixture(scope="module", params=DETECTORS)
def bundle(
    request: Any, hw: Any, RE: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SimpleNamespace]:
    """A scan in two catalogs, one of which transforms documents; and its documents."""
    from bluesky.plans import scan
    from bluesky.preprocessors import SupplementalData
    from event_model import sanitize_doc

    from databroker import Broker

    def opened(**more: Any) -> Any:
        handlers = {"NPY_SEQ": "ophyd.sim.NumpySeqHandler"}
        return Broker.from_config({**config, "handlers": handlers, **more}, name="xyz")

    config = {"driver": "sqlite", "path": str(tmp_path_factory.mktemp("runs") / "runs.db")}
    documents: list[Any] = []
    RE.preprocessors[:] = [SupplementalData(baseline=[hw.motor])]
    (uid,) = RE(
        scan([getattr(hw, DETECTORS[request.param])], hw.motor, -1, 1, 20),
        lambda name, document: documents.append((name, sanitize_doc(document))),
    )
    db = opened()
    for name, document in documents:
        db.insert(name, document)
    kinds = ("start", "stop", "resource", "descriptor")
    transformed = opened(transforms=dict.fromkeys(kinds, "transform:transform"))
    yield SimpleNamespace(
        cat={"xyz": db.v2, "xyz_with_transforms": transformed.v2},
        uid=uid,
        docs=documents,
        remote=False,
        serializer_partial=lambda: db.insert,
    )
    db.close()
    transformed.close()
