"""MessagePack: each object in a file is a kind and a document, arrays as msgpack-numpy has them.

Integers beyond 64 bits, for which MessagePack has no form, are an extension of ours.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ..._util.lazy import lazy_module
from ..._util.signals import not_from_signal
from ..kinds import ACCEPTED
from .formats import (
    Doc,
    Fault,
    Format,
    Item,
    Parsed,
    checked_pair,
    is_plain,
    plain_document,
    reason,
)

if TYPE_CHECKING:
    import msgpack
    import msgspec
    import numpy as np
else:
    np = lazy_module("numpy")
    msgpack = lazy_module("msgpack")
    msgspec = lazy_module("msgspec")

_BIG_INTEGER = 1  # as in `documents.encode`
_MOST = 2**31 - 1  # bytes that an unpacker takes at once


class Packed(Format):
    """Objects of MessagePack, as suitcase-msgpack and databroker 1.x write them."""

    name: ClassVar[str] = "msgpack"
    suffix: ClassVar[str] = ".msgpack"
    place: ClassVar[str] = "document"
    exact: ClassVar[Literal["exact", "json"]] = "exact"
    has_lines: ClassVar[bool] = False

    def encode(self, kind: str, document: Doc) -> bytes:
        packed: bytes = msgpack.packb(
            [kind, document], default=_extend, unicode_errors="surrogatepass"
        )
        return packed

    def parse(
        self, data: bytes, before: int, without: Collection[str] = (), is_all: bool = True
    ) -> Parsed:
        unpacker = msgpack.Unpacker(max_buffer_size=min(max(len(data), 1), _MOST))
        unpacker.feed(data)
        found, view = Parsed(last=before), memoryview(data)
        try:
            while found.consumed < len(data):
                _take(unpacker, view, found, without)
        except msgpack.OutOfData:
            pass
        except not_from_signal(Exception) as error:  # damage may look like anything
            # Nothing says where the next document begins.
            text = f"{reason(error)}; what comes after it cannot be read"
            found.faults.append(Fault(found.last + 1, text))
            found.is_broken = True
        return found


def _take(unpacker: Any, data: memoryview, found: Parsed, without: Collection[str]) -> None:
    """Take the next document."""
    try:
        is_pair = unpacker.read_array_header() == 2
    except ValueError:
        is_pair = False
    if not is_pair:
        raise ValueError("it is not a kind and a document")
    kind, first = unpacker.unpack(), unpacker.tell()
    if kind not in without and kind not in ACCEPTED:
        raise ValueError(f"{kind!r:.80} is no kind of document")
    unpacker.skip()
    stop = unpacker.tell()
    if kind not in without:
        _take_document(kind, data[first:stop], found)
    found.last += 1
    found.consumed = stop


def _take_document(kind: str, data: memoryview, found: Parsed) -> None:
    number = found.last + 1
    try:
        found.items.append(Item(number, kind, _decode_plain()(data), True))
        return
    except (msgspec.MsgspecError, UnicodeDecodeError):
        document = _unpack(data)
    try:
        found.items.append(Item(number, *checked_pair([kind, document]), is_plain(document)))
    except ValueError as error:
        found.faults.append(Fault(number, str(error)))


@functools.cache
def _decode_plain() -> Callable[[memoryview], Doc]:
    """Return what decodes a document that has nothing but what JSON has, and refuses others."""
    decode: Callable[[memoryview], Doc] = msgspec.msgpack.Decoder(plain_document()).decode
    return decode


def _unpack(data: memoryview) -> Any:
    return msgpack.unpackb(
        data,
        unicode_errors="surrogatepass",
        strict_map_key=False,
        object_hook=_restored,
        ext_hook=_restored_integer,
    )


def _extend(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        kind, described = b"", value.dtype.str
        if value.dtype.kind == "V":
            kind, described = b"V", np.lib.format.dtype_to_descr(value.dtype)
        head = {b"nd": True, b"type": described, b"kind": kind, b"shape": value.shape}
        return {**head, b"data": value.tobytes()}
    if isinstance(value, int):
        return msgpack.ExtType(_BIG_INTEGER, hex(value).encode())
    raise TypeError(f"{type(value).__name__} is not a normalised value")


def _restored(found: dict[Any, Any]) -> Any:
    """Return what a map stands for; its values come restored."""
    if b"nd" in found:
        dtype = _dtype(found[b"type"])
        if dtype.hasobject:
            raise ValueError("it has an array of Python objects, which is not read")
        values = np.frombuffer(found[b"data"], dtype)
        return values.reshape(found[b"shape"]).copy() if found[b"nd"] else values[0]
    if b"complex" in found:
        return complex(_text(found[b"data"]))
    return found


def _dtype(described: Any) -> np.dtype[Any]:
    return np.lib.format.descr_to_dtype(_descr(described))


def _descr(described: Any) -> Any:
    """Return the description of a dtype as NumPy wants it: tuples in a list."""
    if isinstance(described, bytes | str):
        return _text(described)
    return [
        (_text(name), _descr(kind), *(tuple(shape) for shape in rest))
        for name, kind, *rest in described
    ]


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _restored_integer(code: int, data: bytes) -> int:
    if code != _BIG_INTEGER:
        raise ValueError(f"it has a value of a type ({code}) that is not known here")
    return int(data, 0)
