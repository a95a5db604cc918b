"""The table of calls: the methods of a store that can be called over the wire, with their codecs.

A call is a POST to ``v1/<method>``. The body is a dictionary of the arguments, in MessagePack or
JSON. One value is answered as MessagePack; several come as a sequence of MessagePack values
(`stores/wire/sequence.py`).
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import InvalidRequest
from ..base import Store
from . import batches as b
from . import codecs as c
from . import external as x
from .codecs import Codec, Plain
from .untrusted_rows import UNTRUSTED_BATCHES

VERSION = "v1"
"""Where the calls are, below the address of a source."""

MESSAGEPACK = "application/vnd.msgpack"
JSON = "application/json"
PROBLEM = JSON
"""Errors come as ``{"code": ..., "message": ...}``."""


@dataclass(frozen=True)
class Call:
    """A method of the contract that can be called over the wire.

    Attributes
    ----------
    name
        That of the method.
    takes
        The codec of each argument, by its name, in their order.
    gives
        The codec of what is returned or, of a method that yields, of each item.
    yields
        Whether several items come, one after the other.
    writes
        Whether it changes what is stored.
    """

    name: str
    takes: Mapping[str, Codec]
    gives: Codec
    yields: bool = False
    writes: bool = False

    @property
    def says(self) -> str:
        """What it does, in a sentence."""
        return (inspect.getdoc(getattr(Store, self.name)) or "").partition("\n")[0]

    @functools.cached_property
    def needed(self) -> list[str]:
        """The names of the arguments that must be given."""
        known = inspect.signature(getattr(Store, self.name)).parameters
        return [name for name in self.takes if known[name].default is inspect.Parameter.empty]

    def pack(self, *values: Any, **named: Any) -> Plain:
        """Return the arguments of a call as they travel."""
        given = dict(zip(self.takes, values, strict=False)) | named
        return {name: self.takes[name].pack(value) for name, value in given.items()}

    def unpack(self, body: Plain) -> dict[str, Any]:
        """Return the arguments of a call from what came.

        Raises
        ------
        InvalidRequest
            They are not what the call takes.
        InvalidQuery
            A query among them is none.
        """
        if not isinstance(body, dict):
            raise InvalidRequest(f"{self.name!r} takes a dictionary of arguments.")
        missing = [name for name in self.needed if name not in body]
        unknown = [name for name in body if name not in self.takes]
        if missing or unknown:
            wrong = f"lacks {missing}" if missing else f"does not take {unknown!r:.80}"
            raise InvalidRequest(f"{self.name!r} {wrong}; it takes {', '.join(self.takes)}.")
        return {name: self._argument(name, value) for name, value in body.items()}

    def _argument(self, name: str, value: Plain) -> Any:
        try:
            return self.takes[name].unpack(value)
        except InvalidRequest:
            raise
        except (TypeError, ValueError) as error:
            if type(error) not in (TypeError, ValueError):
                raise  # one of ours, which says more
            expected = self.takes[name].description
            raise InvalidRequest(
                f"The argument {name!r} of {self.name!r} must be {expected}: {error}"
            ) from error


_SEALED = c.optional(c.SEALED)
_UIDS = c.list_of(c.TEXT)
_LIMIT = c.optional(c.COUNT)

_CALLS = (
    # Finding runs.
    Call("find", {"query": c.QUERY, "limit": _LIMIT, "after": _SEALED}, c.RECORD, yields=True),
    Call("count", {"query": c.QUERY}, c.WHOLE),
    Call("record", {"uid": c.TEXT}, c.optional(c.RECORD)),
    Call("resolve", {"prefix": c.TEXT, "limit": c.COUNT}, _UIDS),
    Call(
        "select",
        {"query": c.QUERY, "paths": c.list_of(c.PATH), "limit": _LIMIT},
        c.VALUES,
        yields=True,
    ),
    Call("distinct", {"path": c.PATH, "query": c.QUERY}, c.COUNTED),
    Call("keys", {"most": c.COUNT}, _UIDS),
    # Reading a run.
    Call("documents", {"uid": c.TEXT, "kinds": c.list_of(c.KIND)}, c.PAIR, yields=True),
    Call("activity", {"uid": c.TEXT}, c.ACTIVITY),
    Call("extents", {"kind": c.ROW_KIND, "owner": c.TEXT}, b.ROWS),
    Call(
        "read",
        {
            "kind": c.ROW_KIND,
            "extent": c.EXTENT,
            "selection": c.SELECTION,
            "rows": c.optional(c.RANGE),
        },
        b.BATCH,
        yields=True,
    ),
    Call(
        "read_extents",
        {"kind": c.ROW_KIND, "extents": c.list_of(c.EXTENT), "selection": c.SELECTION},
        b.BATCHES,
        yields=True,
    ),
    Call(
        "read_many",
        {"runs": _UIDS, "stream": c.TEXT, "selection": c.optional(c.SELECTION)},
        b.RUNS_PAGE,
        yields=True,
    ),
    Call("outlines", {"uids": _UIDS}, c.OUTLINES),
    Call("read_runs", {"uids": _UIDS}, b.RUN, yields=True),
    Call("datum", {"datum_id": c.TEXT}, c.optional(c.DOCUMENT)),
    Call("resource", {"uid": c.TEXT}, c.optional(c.DOCUMENT)),
    Call("run_of", {"kind": c.ROW_KIND, "owner": c.TEXT}, c.optional(c.TEXT)),
    Call("see_external", {"values": x.VALUES, "cheaply": c.FLAG}, x.SEEN),
    Call("count_external", {"values": x.VALUES}, c.WHOLE),
    Call("list_external", {"uid": c.TEXT}, x.FILE, yields=True),
    Call("read_external", {"values": x.VALUES, "part": x.PART}, x.PIECE, yields=True),
    Call("size", {}, _LIMIT),
    # Noticing what is new.
    Call("state", {}, c.STATE),
    Call("newest_mark", {}, _SEALED),
    Call("uids_since", {"mark": _SEALED}, c.MARKED),
    # Writing. What comes twice changes nothing, so each may be sent again.
    Call("insert", {"kind": c.TEXT, "doc": c.DOCUMENT}, c.ANYTHING, writes=True),
    Call("insert_many", {"documents": c.list_of(c.PAIR)}, c.ANYTHING, writes=True),
    Call(
        "insert_batches",
        {"kind": c.ROW_KIND, "owner": c.TEXT, "batches": UNTRUSTED_BATCHES},
        c.ANYTHING,
        writes=True,
    ),
)

CALLS: Mapping[str, Call] = {call.name: call for call in _CALLS}
"""What can be called, by name."""
