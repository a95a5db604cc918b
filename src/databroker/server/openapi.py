"""The OpenAPI description of the interface, made of the table of calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from ..query.wire import json_schemas
from ..stores.wire.calls import JSON, MESSAGEPACK, VERSION, Call
from ..stores.wire.codecs import SCHEMAS, SELECTION_SCHEMA
from ..stores.wire.problems import OF_DATA, codes_of
from .live.endpoints import STREAMS

_RESPONSES = "#/components/responses"
_ASKED = {
    "cursor": {"type": "string", "description": "The id of an event, as JSON."},
    "heartbeat": {"type": "number", "minimum": 0.1, "maximum": 60},
    "fields": {"type": "string", "description": "Names, with commas between them."},
    "stream": {"type": "string"},
}


def openapi(calls: Iterable[Call], version: str) -> dict[str, Any]:
    """Return the OpenAPI document.

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
        "servers": [{"url": "..", "description": "The source that this describes."}],
        "paths": {
            f"/{VERSION}/about": {"get": _told("about", "What the source can do.")},
            f"/{VERSION}/openapi.json": {"get": _told("describe", "This description.")},
            **{
                f"/{VERSION}/{path.replace(':path', '')}": {
                    "get": _stream(path, tell.__doc__ or "")
                }
                for path, tell in STREAMS.items()
            },
            **{f"/{VERSION}/{call.name}": {"post": _operation(call)} for call in calls},
        },
        "components": {
            "schemas": json_schemas(SCHEMAS) | {"Selection": SELECTION_SCHEMA},
            "responses": {
                str(status): _error(status, codes) for status, codes in codes_of().items()
            },
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


def _error(status: int, codes: list[str]) -> dict[str, Any]:
    needed = {"code": {"enum": codes}, "message": {"type": "string"}}
    more = {key: {"type": "string"} for key in OF_DATA}
    schema = {"type": "object", "required": list(needed), "properties": needed | more}
    return {
        "description": f"{HTTPStatus(status).phrase}: a code that stays the same, and a message.",
        "content": {JSON: {"schema": schema}},
    }


def _told(name: str, summary: str) -> dict[str, Any]:
    answer = {"description": summary, "content": {JSON: {"schema": {"type": "object"}}}}
    return {"operationId": name, "summary": summary, "responses": _responses(answer)}


def _stream(path: str, summary: str) -> dict[str, Any]:
    of_run = ("fields", "stream") if "{uid" in path else ()
    asked = [
        {"name": each, "in": "query", "schema": _ASKED[each]}
        for each in ("cursor", "heartbeat", *of_run)
    ]
    uid = {"name": "uid", "in": "path", "required": True, "schema": {"type": "string"}}
    answer = {
        "description": "Server-sent events; the id of each is a cursor from which one can go on.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
    return {
        "operationId": f"follow {path}",
        "summary": summary,
        "parameters": [*asked, uid] if of_run else asked,
        "responses": _responses(answer) | {"204": {"description": "There is no more."}},
    }


def _operation(call: Call) -> dict[str, Any]:
    arguments = {
        "type": "object",
        "properties": {
            name: {"description": codec.description, **codec.schema}
            for name, codec in call.takes.items()
        },
        "required": call.needed,
        "additionalProperties": False,
    }
    many = "A sequence of MessagePack values, each a list of one item; then a dictionary with "
    what = f"{many}'end' or 'error'. An item is " if call.yields else ""
    answer = {
        "description": f"{what}{call.gives.description}.",
        "content": {MESSAGEPACK: {"schema": {} if call.yields else call.gives.schema}},
    }
    return {
        "operationId": call.name,
        "summary": call.says,
        "requestBody": {
            "required": bool(call.needed),
            "content": {kind: {"schema": arguments} for kind in (JSON, MESSAGEPACK)},
        },
        "responses": _responses(answer),
    }


def _responses(answer: Mapping[str, Any]) -> dict[str, Any]:
    errors = {str(status): {"$ref": f"{_RESPONSES}/{status}"} for status in codes_of()}
    return {"200": answer, **errors}
