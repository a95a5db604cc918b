"""The import path of databroker 1.x for handlers."""

from ..v1.handlers import (
    XS3_XRF_DATA_KEY,
    DummyAreaDetectorHandler,
    HandlerBase,
    ImageStack,
    IntegrityError,
    handlers_of,
)

__all__ = [
    "XS3_XRF_DATA_KEY",
    "DummyAreaDetectorHandler",
    "HandlerBase",
    "ImageStack",
    "IntegrityError",
]

__getattr__ = handlers_of(__name__)
