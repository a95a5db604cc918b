"""The tree of a broker, as the configuration of a Tiled server names it."""

from __future__ import annotations

import importlib
import importlib.util

from tiled.media_type_registration import default_serialization_registry

from ..broker.broker import Broker
from ..broker.whatever import open_together
from .catalog import Runs
from .documents import SEQUENCE, documents_of
from .names import SPEC

_QUERIES = "bluesky_tiled_plugins"
"""What has the questions that only catalogs of runs are asked, such as one for scan_ids."""


def tree(name: str | Broker) -> Runs:
    """Return the runs of a broker as a tree for a Tiled server.

    In the server's configuration:

    .. code-block:: yaml

        trees:
          - path: /
            tree: databroker.tiled:tree
            args: {name: csx}

    Parameters
    ----------
    name
        The name of a configuration, the path of what has runs, or a broker. A broker is left
        open when the server ends; what is opened here is closed.

    Returns
    -------
    Runs
        What Tiled calls an adapter, of a catalog of Bluesky runs.

    Raises
    ------
    UnknownBrokerName, InvalidConfiguration, StoreUnavailable
        It cannot be opened.

    Examples
    --------
    >>> import databroker
    >>> db = databroker.temp()
    >>> db.insert("start", {"uid": "a1b2", "time": 1.0, "plan_name": "scan"})
    >>> runs = tree(db)
    >>> runs.child("a1b2").metadata()["start"]["plan_name"]
    'scan'
    """
    if importlib.util.find_spec(_QUERIES) is not None:
        importlib.import_module(f"{_QUERIES}.queries")  # Tiled lists what it can be asked once
    default_serialization_registry.register(SPEC, SEQUENCE, documents_of)
    if isinstance(name, Broker):
        return Runs(name)
    broker = open_together([name], Broker.opened)
    runs = Runs(broker)
    runs.shutdown_tasks.append(runs.close)
    return runs
