"""The import path of databroker 1.x for handlers."""

from ..v1.handlers import XS3_XRF_DATA_KEY as XS3_XRF_DATA_KEY
from ..v1.handlers import DummyAreaDetectorHandler as DummyAreaDetectorHandler
from ..v1.handlers import HandlerBase as HandlerBase
from ..v1.handlers import ImageStack as ImageStack
from ..v1.handlers import IntegrityError as IntegrityError
from ..v1.handlers import find_handler

__getattr__ = find_handler
