"""Handlers of databroker 1.x by their old path; they live in area-detector-handlers now."""

from __future__ import annotations

from typing import Any

from ..errors import MissingExtra

_SUCCESSORS = "area_detector_handlers.handlers"


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    import importlib

    try:
        return getattr(importlib.import_module(_SUCCESSORS), name)
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"The handler {name!r} lives in the package area-detector-handlers now: "
            "pip install area-detector-handlers"
        ) from error
    except AttributeError as error:
        raise AttributeError(
            f"There is no handler {name!r} in area-detector-handlers, where the handlers of "
            "databroker 1.x live now."
        ) from error
