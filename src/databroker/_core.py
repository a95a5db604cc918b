"""An import path of databroker 1.x that programs reach for, private as it is."""

from .config import describe_configs as describe_configs
from .config import list_configs as list_configs
from .config import lookup_config as lookup_config
from .documents.kinds import LABELS
from .documents.readonly import ALL as ALL
from .v1.broker import Broker as Broker
from .v1.doct import wrap_in_deprecated_doct as wrap_in_deprecated_doct
from .v1.doct import wrap_in_doct as wrap_in_doct
from .v1.header import Header as Header
from .v1.header import Results as Results
from .v1.helpers import get_fields as get_fields
from .v1.helpers import temp_config as temp_config
from .v1.images import Images as Images
from .v1.settings import register_builtin_handlers as register_builtin_handlers

DOCT_NAMES = LABELS
