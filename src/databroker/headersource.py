"""Gone: where the first databrokers read headers from. Importing it says what to use."""

from .errors import RemovedModule

raise RemovedModule(
    "databroker.headersource of earlier databrokers is gone. Runs are saved by "
    "Broker.insert and found by Broker.__call__; a configuration says where they are:"
    " Broker.named(name). Configurations that name classes of databroker.headersource"
    " are read as before."
)
