"""Gone: where the first databrokers kept resources in MongoDB. Importing it says what to use."""

from ..errors import RemovedModule

raise RemovedModule(
    "databroker.assets.mongo of earlier databrokers is gone. Handlers and root maps "
    "belong to a broker: db.reg. Configurations that name classes of "
    "databroker.assets.mongo are read as before."
)
