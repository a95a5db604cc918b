"""The description of the interface for programs, in the form of OpenAPI, made of the calls."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..stores.wire.calls import JSON, MESSAGEPACK, VERSION, Call

_ERROR = {
    "description": "What is wrong: a code that stays the same, and a message for people.",
    "content": {
        JSON: {
            "schema": {
                "type": "object",
                "required": ["code", "message"],
                "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
            }
        }
    },
}


def description(calls: Iterable[Call], version: str) -> dict[str, Any]:
    """Return the description.

    Parameters
    ----------
    calls
        What can be asked.
    version
        That of the package.
    """
    return {
        "openapi": "3.1.0",
        "info": {"title": "databroker", "version": version},
        "paths": {f"/{VERSION}/{call.name}": {"post": _operation(call)} for call in calls},
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        "security": [{"token": []}],
    }


def _operation(call: Call) -> dict[str, Any]:
    arguments = {
        "type": "object",
        "properties": {
            name: {"description": form.words, **form.schema} for name, form in call.takes.items()
        },
        "required": call.needed,
        "additionalProperties": False,
    }
    many = "A sequence of MessagePack values, each a list of one item; then a dictionary with "
    what = f"{many}'end' or 'error'. An item is " if call.yields else ""
    return {
        "operationId": call.name,
        "summary": call.says,
        "requestBody": {
            "required": bool(call.needed),
            "content": {kind: {"schema": arguments} for kind in (JSON, MESSAGEPACK)},
        },
        "responses": {
            "200": {
                "description": f"{what}{call.gives.words}.",
                "content": {MESSAGEPACK: {"schema": {} if call.yields else call.gives.schema}},
            },
            "default": _ERROR,
        },
    }
