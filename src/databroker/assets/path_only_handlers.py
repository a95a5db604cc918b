"""The import path of databroker 1.x for handlers that open nothing."""

from ..v1.handlers import AreaDetectorTiffPathOnlyHandler as AreaDetectorTiffPathOnlyHandler
from ..v1.handlers import RawHandler as RawHandler
