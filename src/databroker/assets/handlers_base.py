"""The import path of databroker 1.x for what users' own handlers are made from."""

from ..errors import DuplicateHandler as DuplicateHandler
from ..v1.handlers import HandlerBase as HandlerBase
