"""What a dataset of a stream is made of: variables as declared, and as their data turn out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ...columns import Selection, from_rows
from ...columns.assemble import ValueKind
from ...columns.names import nested
from ...columns.to_numpy import ArraySpec, array_spec, cast_lossless, dense, value_kinds
from ...external.fields.reader import PAGE_BYTES
from ...external.readers.base import Declared, declared_dtype
from .fields import Doc, mapping
from .layout import Array, Chunk, EventSource, Layout, index_of, joint_order
from .times import SECONDS

if TYPE_CHECKING:
    from .external_fields import ExternalFields

_LOOKED_AT = 8 * PAGE_BYTES  # bytes of a field that are looked through to find its form
_SAMPLES = 4  # pages that are looked at where a field has more
NARROW = 64  # bytes a row, up to which fields are looked at, and read, together
_DECLARED = {"number": "f8", "integer": "f8", "boolean": "?", "array": "f8"}
_ATTRIBUTES = ("units", "precision", "source")


@dataclass(frozen=True, eq=False)
class Variable:
    """A variable of a dataset that is stored with the events."""

    name: str  # of the field
    section: str  # 'data' or 'timestamps'
    keys: tuple[Doc, ...]  # what the descriptors say of it
    attrs: Doc  # what the dataset says of it

    @property
    def column(self) -> str:
        """The stored column."""
        return nested(self.section, self.name)

    @property
    def stamps(self) -> bool:
        """Whether the values are times."""
        return self.section == "timestamps"

    @property
    def key(self) -> Doc:
        """What the first descriptor says of it."""
        return self.keys[0] if self.keys else {}

    @property
    def declared(self) -> ArraySpec:
        """The form that the first descriptor announces."""
        return ArraySpec(declared_dtype(self.key) or _usual(self.key), self.shape or ())

    @property
    def shape(self) -> tuple[int, ...] | None:
        """The announced shape of one value; None where descriptors differ, or leave it open."""
        shapes = {Declared.by(key).shape for key in self.keys}
        return shapes.pop() if len(shapes) == 1 else None


@dataclass(frozen=True)
class Constant:
    """A variable with one value for each descriptor, repeated for its events."""

    name: str
    values: Mapping[str, Any]  # by the uid of the descriptor, if that has one
    keys: tuple[Doc, ...] = ()  # what is declared of it
    attrs: Doc = field(default_factory=dict)
    stamps: bool = False  # whether the values are times

    def table(self, owners: Sequence[str]) -> Array:
        """Return the value of each descriptor, as an array."""
        if not owners:
            return np.empty(0, object)
        batch = from_rows("event", [{"data": {"x": self.values.get(owner)}} for owner in owners])
        form = array_spec(value_kinds([batch], ["data/x"])["data/x"])
        assert form is not None
        return _as_declared(dense([batch], {"data/x": form})["data/x"], self.keys)


@dataclass(frozen=True)
class Request:
    """What a dataset is to be made of: the events of some descriptors, and constants."""

    store: EventSource
    owners: Sequence[str]
    variables: Sequence[Variable]
    constants: Sequence[Constant]
    attrs: Doc
    outside: ExternalFields | None = None  # to load external fields

    def external_of(self, variable: Variable, dtype: np.dtype[Any]) -> ExternalFields | None:
        """Return what loads a variable that is stored as `dtype`; None if it is all there."""
        if self.outside is None or variable.stamps or variable.name not in self.outside.filled:
            return None
        # Filled documents that were inserted again hold arrays, not references.
        return self.outside if dtype == np.dtype(object) else None

    @property
    def fields(self) -> list[Variable | Constant]:
        """All that it is to be made of."""
        return [*self.variables, *self.constants]

    @property
    def names(self) -> list[str]:
        """The names of all fields."""
        return [field.name for field in self.fields]


def variables(descriptors: Sequence[Doc], names: Iterable[str], section: str) -> list[Variable]:
    """Return the variables for some fields of a stream."""
    devices = [_devices(descriptor) for descriptor in descriptors]
    return [_variable(descriptors, devices, name, section) for name in names]


def columns_of(variables: Sequence[Variable]) -> Selection:
    """Return the columns that hold some variables, which are all of one section."""
    names = frozenset(variable.name for variable in variables)
    stamps = bool(variables) and variables[0].stamps
    return Selection(timestamps=names) if stamps else Selection(data=names)


def _variable(
    descriptors: Sequence[Doc], devices: Sequence[Doc], name: str, section: str
) -> Variable:
    holders = [doc for doc in descriptors if name in doc["data_keys"]]
    keys = tuple(mapping(doc["data_keys"][name]) for doc in holders)
    attrs: dict[str, Any] = {}
    if section == "timestamps":
        keys = ({"dtype": "number", "shape": []},)
        attrs["units"] = SECONDS
    else:
        attrs |= attributes(keys)
    device = next(filter(None, (each.get(name) for each in devices)), None)
    if device:
        attrs["object"] = device
    return Variable(name, section, keys, attrs)


def attributes(keys: Iterable[Doc]) -> dict[str, Any]:
    """Return what data keys say of a field that a dataset repeats."""
    attrs: dict[str, Any] = {}
    for key in keys:
        for attribute in _ATTRIBUTES:
            if key.get(attribute) is not None:
                attrs.setdefault(attribute, key[attribute])
    return attrs


def attributes_of_run(start: Doc, stop: Doc, stream: str) -> dict[str, Any]:
    """Return what a dataset of a stream says of its run."""
    attrs = {name: start.get(name) for name in ("uid", "scan_id", "plan_name")}
    attrs |= {"stream": stream, "start_time": start.get("time")}
    attrs |= {"stop_time": stop.get("time"), "exit_status": stop.get("exit_status")}
    return {name: value for name, value in attrs.items() if value is not None}


def _devices(descriptor: Doc) -> dict[str, Any]:
    """Return the device of each data key, as far as one is named."""
    devices: dict[str, Any] = {
        name: mapping(key).get("object_name") for name, key in descriptor["data_keys"].items()
    }
    taken: set[str] = set()
    for device, fields in mapping(descriptor.get("object_keys")).items():
        for name in fields if isinstance(fields, list | tuple) else ():
            if isinstance(name, str) and name in devices and name not in taken:
                taken.add(name)
                devices[name] = device
    return devices


def _usual(key: Doc) -> np.dtype[Any]:
    if key.get("external"):
        return np.dtype(object)
    return np.dtype(_DECLARED.get(str(key.get("dtype")), object))


@dataclass(frozen=True)
class Gathered:
    """Columns in the order of the events."""

    time: Array
    seq_num: Array
    values: list[tuple[Variable | Constant, Array]]
    layout: Layout
    codes: Array  # which of the layout's `owners` each event has


def gather(request: Request) -> Gathered:
    """Read what is requested into memory, once."""
    layout = Layout.of(request.store, request.owners)
    chunks = list(layout.whole(request.store, columns_of(request.variables)))
    order = joint_order(chunks)
    numbers = {owner: number for number, owner in enumerate(layout.owners)}
    codes = np.concatenate([chunk.codes(numbers) for chunk in chunks] or [np.empty(0, np.intp)])
    time, seq_num = index_of(chunks)
    batches = [batch for chunk in chunks for batch in chunk.batches]
    found = value_kinds(batches, [variable.column for variable in request.variables])
    forms = {
        variable.column: array_spec(found[variable.column]) or variable.declared
        for variable in request.variables
    }
    if batches:
        arrays = dense(batches, forms)
    else:
        arrays = {name: np.empty((0, *form.shape), form.dtype) for name, form in forms.items()}
    values: list[tuple[Variable | Constant, Array]] = []
    for variable in request.variables:
        array = arrays.pop(variable.column)
        if order is not None:
            array = array[order]
        values.append((variable, _as_declared(array, variable.keys)))
    for constant in request.constants:
        values.append((constant, constant.table(layout.owners)[codes]))
    return Gathered(time, seq_num, values, layout, codes)


def _as_declared(values: Array, keys: Sequence[Doc]) -> Array:
    """Return values in the NumPy dtype that is declared for them, if that changes none."""
    dtype = declared_dtype(keys[0]) if keys else None
    cast = None if dtype is None else cast_lossless(values, dtype)
    return values if cast is None else cast


@dataclass(frozen=True)
class FieldSchema:
    """What is known of a variable's values."""

    form: ArraySpec  # as they are stored
    dtype: np.dtype[Any]  # as they are given: a declared NumPy dtype, if that changes no value
    row_bytes: float  # about how many bytes a row takes


def infer_schema(
    store: EventSource, layout: Layout, wanted: Sequence[Variable]
) -> dict[str, FieldSchema]:
    """Find out what the values of some fields are, without loading them all.

    Fields of one number are looked through; of large ones only some pages are
    read, one at a time. What the data do not tell is taken as declared.
    """
    narrow = [variable for variable in wanted if _declared_bytes(variable) <= NARROW]
    wide = [[variable] for variable in wanted if variable not in narrow]
    schemas: dict[str, FieldSchema] = {}
    for group in filter(None, [narrow, *wide]):
        schemas |= _look(store, layout, group)
    return schemas


class _Finding:
    """What pages of a variable tell, one after the other."""

    def __init__(self, variable: Variable) -> None:
        self._variable = variable
        self._seen: set[ValueKind] = set()
        self._row_bytes = 0.0
        self._cast = declared_dtype(variable.key)

    def add(self, found: set[ValueKind], row_bytes: float) -> None:
        self._seen |= found
        self._row_bytes = max(self._row_bytes, row_bytes)

    def to_cast(self, found: set[ValueKind]) -> ArraySpec | None:
        """Return the form of values that might not fit the declared dtype; None if all do."""
        form = array_spec(found)
        return form if self._cast is not None and form and form.dtype != self._cast else None

    def cast(self, values: Array) -> None:
        """See whether values fit the declared dtype."""
        if self._cast is not None and cast_lossless(values, self._cast) is None:
            self._cast = None

    def known(self) -> FieldSchema:
        form = array_spec(self._seen) or self._variable.declared
        row_bytes = self._row_bytes or _declared_bytes(self._variable)
        return FieldSchema(form, self._dtype(form), row_bytes)

    def _dtype(self, form: ArraySpec) -> np.dtype[Any]:
        cast = self._cast
        if cast is None:
            return form.dtype
        if form.dtype == np.dtype(object):  # text, or integers that no int64 holds
            return cast if self._seen <= {"other", "int"} and cast.kind in "Uu" else form.dtype
        both = form.dtype.kind + cast.kind
        return cast if set(both) <= set("biuf") or both == "UU" else form.dtype


def _look(store: EventSource, layout: Layout, group: Sequence[Variable]) -> dict[str, FieldSchema]:
    row_bytes = sum(map(_declared_bytes, group))
    pages = layout.pages(row_bytes)
    if layout.rows * row_bytes > _LOOKED_AT and row_bytes > NARROW * len(group):
        places = np.linspace(0, len(pages) - 1, _SAMPLES).astype(int)
        pages = [pages[place] for place in np.unique(places)]
    findings = {variable: _Finding(variable) for variable in group}
    for page in pages:
        chunk = layout.read(store, page, columns_of(group))
        kinds = value_kinds(chunk.batches, [variable.column for variable in group])
        sizes = _stored_bytes(chunk)
        forms: dict[str, ArraySpec] = {}
        for variable, finding in findings.items():
            column = variable.column
            finding.add(kinds[column], sizes.get(column, 0.0))
            if (form := finding.to_cast(kinds[column])) is not None:
                forms[column] = form
        values = dense(chunk.batches, forms) if forms else {}
        for variable, finding in findings.items():
            if variable.column in values:
                finding.cast(values.pop(variable.column))
    return {variable.name: finding.known() for variable, finding in findings.items()}


def _declared_bytes(variable: Variable) -> float:
    if variable.key.get("external"):
        return NARROW
    declared = variable.declared
    shape = variable.key.get("shape") or ()
    sizes = [min(size, 2**40) for size in shape if type(size) is int and size > 0]
    return float(np.prod(sizes, dtype=float)) * max(declared.dtype.itemsize, 8)


def _stored_bytes(chunk: Chunk) -> dict[str, float]:
    """Return how many bytes a row of each column takes as it is stored."""
    sizes: dict[str, float] = {}
    for batch in chunk.batches:
        for name, array in zip(batch.schema.names, batch.columns, strict=True):
            column = name.removeprefix("!")
            sizes[column] = sizes.get(column, 0.0) + array.nbytes / chunk.rows
    return sizes
