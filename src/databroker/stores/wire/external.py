"""Values of external fields on their way: which, what they are like, and their bytes."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..._util.lazy import lazy_module
from ...documents.encode import describe_dtype, restore_dtype
from ..external import Buffer, ExternalFile, ExternalValues, Head, Part, Seen, Stretch
from .codecs import COUNT, SLICES, TEXT, WHOLE, Codec, Plain, array_of, list_of, optional

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
else:
    pa = lazy_module("pyarrow")

LARGEST_PIECE = 2**27
"""How many bytes a compressed piece has at most, once it is none."""

_NAME = optional(TEXT)
_SHAPE = list_of(COUNT)
_TEXTS = list_of(TEXT)
_STRETCHES = {"type": "array", "items": array_of(TEXT.schema, COUNT.schema, COUNT.schema)}


def _pack_values(values: ExternalValues) -> Plain:
    return {
        "references": [each if isinstance(each, str) else list(each) for each in values.references],
        "run": values.run,
        "field": values.field,
        "descriptor": values.descriptor,
    }


def _values(
    references: Plain, run: Plain = None, field: Plain = None, descriptor: Plain = None
) -> ExternalValues:
    if not isinstance(references, list):
        raise ValueError(f"references are a list, not {references!r:.80}")
    is_text = isinstance(references[0], str) if references else True
    found = [TEXT.unpack(each) if is_text else _stretch(*each) for each in references]
    return ExternalValues(found, *map(_NAME.unpack, (run, field, descriptor)))


def _stretch(uid: Plain, first: Plain, stop: Plain) -> Stretch:
    first, stop = COUNT.unpack(first), COUNT.unpack(stop)
    if first > stop:
        raise ValueError(f"a stretch goes forwards, not from {first} to {stop}")
    return TEXT.unpack(uid), first, stop


def _dtype(text: Plain) -> np.dtype[Any]:
    try:
        return restore_dtype(TEXT.unpack(text))
    except (SyntaxError, TypeError, ValueError, KeyError, MemoryError) as error:
        raise ValueError(f"{text!r:.80} is no dtype of NumPy") from error


def _shape(plain: Plain) -> tuple[int, ...]:
    shape = tuple(_SHAPE.unpack(plain))
    if len(shape) > 32:
        raise ValueError(f"{plain!r:.80} is no shape")
    return shape


def _pack_seen(seen: Seen) -> Plain:
    return [list(seen.shape), describe_dtype(seen.dtype), *seen[2:]]


def _seen(shape: Plain, dtype: Plain, rows: Plain, inner: Plain, kept: Plain) -> Seen:
    blocks = None if inner is None else _shape(inner)
    return Seen(_shape(shape), _dtype(dtype), WHOLE.unpack(rows), blocks, bool(kept))


def _pack_part(part: Part) -> Plain:
    return [list(part.shape), describe_dtype(part.dtype), SLICES.pack(part.inner)]


def _part(shape: Plain, dtype: Plain, inner: Plain) -> Part:
    sizes, slices = _shape(shape), SLICES.unpack(inner)
    if len(slices) > len(sizes) or any(each.step is not None and each.step < 1 for each in slices):
        raise ValueError("a part has a slice that goes forwards for each dimension")
    return Part(sizes, _dtype(dtype), tuple(slices))


def _pack_piece(piece: Head | Buffer) -> Plain:
    if isinstance(piece, Head):
        return [list(piece.shape), describe_dtype(piece.dtype), piece.is_array]
    return piece


def _pack_compressed(piece: Head | Buffer) -> Plain:
    if isinstance(piece, Head):
        return _pack_piece(piece)
    return [len(piece), pa.compress(piece, "zstd", asbytes=True)]


def _piece(plain: Plain) -> Head | Buffer:
    if isinstance(plain, bytes):
        return plain
    first, *rest = plain
    if isinstance(first, list):
        dtype, is_array = rest
        return Head(_shape(first), _dtype(dtype), bool(is_array))
    if not 0 <= WHOLE.unpack(first) <= LARGEST_PIECE:
        raise ValueError("a piece of data is too large")
    return memoryview(pa.decompress(rest[0], first, "zstd"))


def _file(fields: Plain, **more: Plain) -> ExternalFile:
    return ExternalFile(fields=tuple(_TEXTS.unpack(fields)), **more)


_BYTES = {"type": "string", "format": "binary"}

VALUES = Codec(
    "values of a field: references (ids of datums; or uid, first and stop of stream resources), "
    "run, field, descriptor",
    {
        "type": "object",
        "properties": {
            "references": {"anyOf": [list_of(TEXT).schema, _STRETCHES]},
            **dict.fromkeys(("run", "field", "descriptor"), _NAME.schema),
        },
        "required": ["references"],
        "additionalProperties": False,
    },
    _pack_values,
    lambda given: _values(**given),
)
SEEN = optional(
    Codec(
        "what values are like: shape, dtype, rows stored together, blocks, whether these are kept",
        {"type": "array"},
        _pack_seen,
        lambda parts: _seen(*parts),
    )
)
PART = optional(
    Codec(
        "what is wanted of each value: its shape, the dtype, slices",
        array_of(_SHAPE.schema, TEXT.schema, SLICES.schema),
        _pack_part,
        lambda parts: _part(*parts),
    )
)
PIECE = Codec(
    "bytes; or what stands before those of one value: shape, dtype, whether it is an array",
    {"anyOf": [_BYTES, {"type": "array"}]},
    _pack_piece,
    _piece,
    compressed=Codec(
        "how many bytes, and these, compressed; or what stands before those of one value",
        {"type": "array"},
        _pack_compressed,
        _piece,
    ),
)
FILE = Codec(
    "a file: path, whether it exists, size, fields, run, resource, spec, recorded, problem",
    {"type": "object"},
    lambda file: asdict(file) | {"fields": list(file.fields)},
    lambda plain: _file(**plain),
)
