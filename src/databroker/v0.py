"""Gone: the first interface of databroker. Importing it says what to use."""

from .errors import RemovedModule

raise RemovedModule(
    "databroker.v0 of earlier databrokers is gone. Use databroker.Broker, which reads"
    " the configurations of the first databrokers, too."
)
