"""An import path of databroker 1.x for the error of a second handler."""

from ..errors import DuplicateHandler as DuplicateHandler
