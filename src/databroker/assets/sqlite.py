"""Gone: where the first databrokers kept resources in SQLite. Importing it says what to use."""

from ..errors import RemovedModule

raise RemovedModule(
    "databroker.assets.sqlite of earlier databrokers is gone. Handlers and root maps "
    "belong to a broker: db.reg. For runs in an SQLite file, use "
    'Broker.from_config({"driver": "sqlite", "path": ...}).'
)
