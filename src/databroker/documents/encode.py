"""Documents as bytes and back, exactly; and what it means for two to be equal.

The form is MessagePack with two extension types: integers beyond 64 bits (as
hexadecimal digits, which Python reads and writes whatever their number; once as
decimal ones) and NumPy arrays (a header that says dtype and shape, then the
elements). Text may hold anything that a Python string can, lone surrogates
too. Key order, None, NaN and infinities survive.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

import msgpack

from .._util.lazy import lazy_module

if TYPE_CHECKING:
    import msgspec
    import numpy as np
else:
    msgspec = lazy_module("msgspec")
    np = lazy_module("numpy")

_BIG_INTEGER = 1
_ARRAY = 2
_SIZE = 4  # bytes that say how long the header of an array is

LONGEST_DTYPE = 2**16
"""Characters of a described dtype: it is read as Python is, which takes far more memory than it."""


def encode(value: Any) -> bytes:
    """Return the exact encoding of a normalised value.

    Examples
    --------
    >>> decode(encode({"a": [1, 2.0, None, 2**80]}))
    {'a': [1, 2.0, None, 1208925819614629174706176]}
    """
    try:  # of several times the speed, for all but extensions and lone surrogates
        return msgspec.msgpack.encode(value)
    except (TypeError, OverflowError, UnicodeEncodeError, RecursionError):
        packed: bytes = msgpack.packb(value, default=_extend, unicode_errors="surrogatepass")
        return packed


def decode(
    data: bytes | bytearray | memoryview,
    *,
    container: Callable[[Any], Any] | None = None,
    longest: int | None = None,
    text_keys: bool = False,
) -> Any:
    """Return the value that :func:`encode` was given.

    Parameters
    ----------
    data
        What it gave.
    container
        Called with each list and dictionary as soon as it is made; it returns what stands for it.
    longest
        How many items each of them has at most; by default as many as there are bytes.
    text_keys
        Whether other keys are refused.
    """
    most = -1 if longest is None else longest
    try:
        return msgpack.unpackb(
            data,
            unicode_errors="surrogatepass",
            strict_map_key=text_keys,
            ext_hook=_restore,
            list_hook=container,
            object_hook=container,
            max_array_len=most,
            max_map_len=most,
        )
    except (msgpack.UnpackException, SyntaxError, TypeError, KeyError, MemoryError) as error:
        raise ValueError(f"these bytes are not an encoded document: {error}") from error


def decoder() -> msgpack.Unpacker:
    """Return what decodes values that come one after the other, in pieces.

    Examples
    --------
    >>> pieces = decoder()
    >>> pieces.feed(encode("a") + encode(2**80)[:3])
    >>> list(pieces)
    ['a']
    >>> pieces.feed(encode(2**80)[3:])
    >>> list(pieces)
    [1208925819614629174706176]
    """
    return msgpack.Unpacker(
        max_buffer_size=0,  # as large as MessagePack allows
        unicode_errors="surrogatepass",
        strict_map_key=False,
        ext_hook=_restore,
    )


def members(data: bytes | memoryview, keys: Collection[str]) -> dict[str, bytes]:
    r"""Return the encodings of some values of an encoded dictionary; others are passed over.

    Examples
    --------
    >>> members(encode({"a": [1, 2], "b": "long", "c": 3}), {"a", "c"})
    {'a': b'\x92\x01\x02', 'c': b'\x03'}
    """
    unpacker = msgpack.Unpacker(
        max_buffer_size=len(data), unicode_errors="surrogatepass", strict_map_key=False
    )
    unpacker.feed(data)
    found = {}
    for _ in range(unpacker.read_map_header()):
        key, first = unpacker.unpack(), unpacker.tell()
        unpacker.skip()
        if key in keys:
            found[key] = bytes(data[first : unpacker.tell()])
    return found


def describe_dtype(dtype: np.dtype[Any]) -> str:
    """Return a dtype as text from which :func:`restore_dtype` makes it again.

    Examples
    --------
    >>> restore_dtype(describe_dtype(np.dtype([("x", "<f8"), ("n", "<i4")])))
    dtype([('x', '<f8'), ('n', '<i4')])
    """
    if dtype.names is not None:
        return repr(np.lib.format.dtype_to_descr(dtype))
    # The same without a warning of what h5py notes beside a dtype.
    return repr("|O" if dtype.hasobject else dtype.str)


@functools.lru_cache(maxsize=256)
def restore_dtype(text: str) -> np.dtype[Any]:
    """Return the dtype that :func:`describe_dtype` described.

    Raises
    ------
    ValueError
        It is too long for one: what describes a dtype may come from anywhere.
    SyntaxError, TypeError
        It describes none.
    """
    if len(text) > LONGEST_DTYPE:
        raise ValueError(f"a dtype is described in {LONGEST_DTYPE} characters at most")
    dtype: np.dtype[Any] = np.lib.format.descr_to_dtype(ast.literal_eval(text))
    return dtype


def _extend(value: Any) -> msgpack.ExtType:
    # msgpack calls this for what it cannot hold itself.
    if isinstance(value, int):
        return msgpack.ExtType(_BIG_INTEGER, hex(value).encode())
    if isinstance(value, np.ndarray):
        header = msgpack.packb([describe_dtype(value.dtype), value.shape])
        size = len(header).to_bytes(_SIZE, "little")
        return msgpack.ExtType(_ARRAY, size + header + value.tobytes())
    raise TypeError(f"{type(value).__name__} is not a normalised value")


def _restore(code: int, data: bytes) -> Any:
    if code == _BIG_INTEGER:
        return int(data, 0)
    if code == _ARRAY:
        start = _SIZE + int.from_bytes(data[:_SIZE], "little")
        description, shape = msgpack.unpackb(data[_SIZE:start])
        array = np.frombuffer(data, restore_dtype(description), offset=start)
        return array.reshape(shape).copy()
    raise ValueError(f"extension type {code} is not ours")


def same(one: Any, other: Any) -> bool:
    """Tell whether two normalised values are equal.

    As ``==``, with two differences: NaN equals NaN, and an array equals the
    list of its elements (a store of JSON files hands out lists for arrays, and
    copying a run back must change nothing).

    Examples
    --------
    >>> same({"a": float("nan"), "b": np.arange(2)}, {"b": [0, 1], "a": float("nan")})
    True
    >>> same({"a": 1}, {"a": 2})
    False
    """
    return _encoded_alike(one, other) or _same(one, other)


def _encoded_alike(one: Any, other: Any) -> bool:
    """Tell whether two documents are the same to the letter, which most are: that is seen fast."""
    if not (isinstance(one, dict) and isinstance(other, dict) and len(one) == len(other)):
        return False
    try:
        return encode(one) == encode(other)
    except (TypeError, ValueError, OverflowError, RecursionError):  # not normalised
        return False


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        if isinstance(other, np.ndarray) and one.dtype.hasobject is False and one.shape:
            if one.shape != other.shape:
                return False
            return bool(one.dtype == other.dtype and one.tobytes() == other.tobytes()) or _same(
                one.tolist(), other.tolist()
            )
        one = one.tolist()
    if isinstance(other, np.ndarray):
        other = other.tolist()
    if isinstance(one, dict):
        return (
            isinstance(other, dict)
            and one.keys() == other.keys()
            and all(_same(value, other[key]) for key, value in one.items())
        )
    if isinstance(one, list | tuple):
        return (
            isinstance(other, list | tuple)
            and len(one) == len(other)
            and all(map(_same, one, other))
        )
    return bool(one == other) or (one != one and other != other)
