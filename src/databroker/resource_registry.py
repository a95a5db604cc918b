"""Gone: where the first databrokers kept resources. Importing it says what to use."""

from .errors import RemovedModule

raise RemovedModule(
    "databroker.resource_registry of earlier databrokers is gone. Handlers and root "
    "maps belong to a broker: db.reg. Resources are saved by Broker.insert."
)
