"""Types for records of JSON that become rows of a table.

Values stay what they are: a column has a type of Arrow's if all its values fit that type as they stand. If they do not,
at the deepest place where objects have different keys, or values different kinds, it has the type JSON (``arrow.json``,
which ``datasets`` calls ``Json``). Nothing is padded with nulls, and no number changes.
"""

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import pyarrow as pa

from entropylaw.errors import EntropyLawError
from entropylaw.pool.arrow import mapped, reason
from entropylaw.pool.arrow_types import converted, holds, is_extension, is_json, is_list
from entropylaw.pool.encode import json_value
from entropylaw.pool.render import parse
from entropylaw.pool.schema import RecordError

_DEPTH = 32
"""Levels of values that have types; what is below is JSON."""
_EXACT = 2**53
"""Up to here, a float holds every whole number."""
_REMEDY = "write JSON Lines, which needs no types"


def exactly(raw: bytes) -> Any:
    """A record of JSON; a number beyond a float's range stays the text that it is."""
    return parse(raw, _decode)


def _decode(raw: bytes) -> Any:
    try:
        return _fast_decode(raw)
    except (ValueError, msgspec.MsgspecError, RecursionError):
        return json.loads(raw, parse_float=_number)


_fast_decode = msgspec.json.Decoder().decode


def _number(text: str) -> Any:
    value = float(text)
    return value if math.isfinite(value) else msgspec.Raw(text.encode())


class Shape:
    """What the values of a column, or of a place inside one, have in common."""

    def __init__(self, depth: int = 0) -> None:
        self._depth = depth
        self._kind = ""
        self._members: dict[str, Shape] = {}
        self._items: Shape | None = None
        self._least = self._most = 0
        self._whole = self._exact = True
        self._other: Any = None

    def add(self, value: Any) -> None:
        """One more value; raises RecordError if it has no form in a table."""
        if value is None or self._kind == "json":
            return
        kind = _kind(value)
        if not self._kind:
            self._kind = kind
            if kind == "object":
                self._members = {key: Shape(self._depth + 1) for key in value}
            elif kind == "list":
                self._items = Shape(self._depth + 1)
        if kind != self._kind or self._depth > _DEPTH:
            if "other" in (kind, self._kind):
                raise RecordError(f"is {type(value).__name__} here and something else elsewhere")
            self._kind = "json"
        elif kind == "object":
            if not value or value.keys() != self._members.keys():
                self._kind = "json"
                return
            for key, part in value.items():
                self._members[key].add(part)
        elif kind == "list" and self._items is not None:
            for part in value:
                self._items.add(part)
        elif kind == "number":
            self._add_number(value)
        elif kind == "other":
            self._add_other(value)

    def _add_number(self, value: int | float) -> None:
        if isinstance(value, float):
            self._whole = False
            return
        self._least, self._most = min(self._least, value), max(self._most, value)
        self._exact = self._exact and abs(value) <= _EXACT

    def _add_other(self, value: Any) -> None:
        try:
            self._add_kind(_type_of(value))
        except (pa.ArrowException, OverflowError, ValueError, TypeError) as error:
            raise RecordError(reason(error)) from None

    def _add_kind(self, kind: pa.DataType) -> None:
        if self._other is not None and kind != self._other:
            both = [pa.schema([("x", self._other)]), pa.schema([("x", kind)])]
            kind = pa.unify_schemas(both, promote_options="permissive").field(0).type
        self._other = kind

    def join(self, other: "Shape") -> None:
        """The values of another one, after its own; raises RecordError if they don't go together."""
        if not other._kind or self._kind == "json":
            return
        if not self._kind:
            self.__dict__.update(other.__dict__)
        elif self._kind != other._kind:
            if "other" in (self._kind, other._kind) and other._kind != "json":
                raise RecordError("is of one type here and something else elsewhere")
            self._kind = "json"
        elif self._kind == "object":
            if self._members.keys() != other._members.keys():
                self._kind = "json"
                return
            for key, member in other._members.items():
                self._members[key].join(member)
        elif self._items is not None and other._items is not None:
            self._items.join(other._items)
        elif self._kind == "number":
            self._least, self._most = min(self._least, other._least), max(self._most, other._most)
            self._whole, self._exact = self._whole and other._whole, self._exact and other._exact
        elif self._kind == "other":
            self._add_kind(other._other)

    def type(self) -> pa.DataType:
        """The type that all values fit as they are."""
        if self._kind == "object":
            return pa.struct([(key, member.type()) for key, member in self._members.items()])
        if self._kind == "list" and self._items is not None:
            return pa.list_(self._items.type())
        if self._kind == "number":
            return self._number_type()
        return {
            "": pa.null(),
            "boolean": pa.bool_(),
            "text": pa.string(),
            "bytes": pa.binary(),
            "json": pa.json_(),
            "other": self._other,
        }[self._kind]

    def _number_type(self) -> pa.DataType:
        if not self._whole:
            return pa.float64() if self._exact else pa.json_()
        if self._least >= -(2**63) and self._most < 2**63:
            return pa.int64()
        return pa.uint64() if self._least >= 0 and self._most < 2**64 else pa.json_()


def _kind(value: Any) -> str:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            # A lone surrogate: Arrow's text can't hold it, an escape can.
            return "json"
        return "text"
    if isinstance(value, dict):
        # A key that is no text has no form in JSON either, which whoever writes it says.
        return "object" if all(map(_is_name, value)) else "json"
    if isinstance(value, list):
        return "list"
    for kinds, name in ((bool, "boolean"), ((int, float), "number"), ((bytes, bytearray), "bytes")):
        if isinstance(value, kinds):
            return name
    return "json" if isinstance(value, msgspec.Raw) else "other"


def _type_of(value: Any) -> pa.DataType:
    """The type that Arrow has for a value; of a time of pandas with nanoseconds, which Arrow takes for one of Python,
    one that has them."""
    kind = pa.array([value]).type
    if pa.types.is_timestamp(kind) and getattr(value, "nanosecond", 0):
        return pa.timestamp("ns", kind.tz)
    if pa.types.is_duration(kind) and getattr(value, "nanoseconds", 0):
        return pa.duration("ns")
    return kind


def _is_name(key: Any) -> bool:
    """Whether a member of an object in a table can be called so."""
    try:
        return isinstance(key, str) and key.encode() is not None
    except UnicodeEncodeError:
        return False


def schema_of(records: Iterable[tuple[str, Any]]) -> pa.Schema:
    """The columns and types of records, each with where it is; a bare text is the column ``text``.

    Raises
    ------
    EntropyLawError
        If a value has no form in a table.
    """
    return schema_from(shapes_of(records))


def shapes_of(records: Iterable[tuple[str, Any]]) -> dict[str, Shape]:
    """What the values of each column have in common; see ``schema_of``."""
    columns: dict[str, Shape] = {}
    for where, record in records:
        for name, value in as_row(record).items():
            try:
                if not _is_name(name):
                    raise RecordError("a column can't have such a name")
                columns.setdefault(name, Shape()).add(value)
            except RecordError as error:
                raise EntropyLawError(f"{where}: {name!r} does not fit one column: {error}; {_REMEDY}") from None
    return columns


def joined(parts: Iterable[dict[str, Shape]]) -> dict[str, Shape]:
    """What the values of each column have in common over several parts of the records.

    Raises
    ------
    EntropyLawError
        If a column has values that don't go together.
    """
    columns: dict[str, Shape] = {}
    for part in parts:
        for name, shape in part.items():
            try:
                columns.setdefault(name, Shape()).join(shape)
            except RecordError as error:
                raise EntropyLawError(f"{name!r} does not fit one column: {error}; {_REMEDY}") from None
    return columns


def schema_from(columns: dict[str, Shape]) -> pa.Schema:
    """The columns and their types."""
    if not columns:
        return pa.schema([("text", pa.null())])
    return pa.schema([(name, shape.type()) for name, shape in columns.items()])


def as_row(record: Any) -> dict[str, Any]:
    """The members of a record, which are its columns."""
    if isinstance(record, dict):
        return record
    return {"text": bytes(record) if isinstance(record, bytearray) else record}


def batch_of(records: Sequence[tuple[str, Any]], schema: pa.Schema) -> pa.RecordBatch:
    """Records, each with where it is, as rows of the type ``schema``, which holds their types.

    Raises
    ------
    EntropyLawError
        If a value does not fit.
    """
    rows = [as_row(record) for _, record in records]
    columns = []
    for field in schema:
        try:
            columns.append(array_of([row.get(field.name) for row in rows], field.type))
        except (pa.ArrowException, OverflowError, ValueError, TypeError, RecordError) as error:
            raise EntropyLawError(
                f"{records[0][0]} and the {len(records) - 1} after it: {field.name!r} does not fit {field.type}: "
                f"{reason(error)}; {_REMEDY}"
            ) from None
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def array_of(values: list[Any], kind: pa.DataType) -> pa.Array:
    """Python objects as a column of the type ``kind``, with JSON in place of what is JSON in that type.

    Raises
    ------
    RecordError, pyarrow.ArrowException, OverflowError, ValueError, TypeError
        If a value does not fit.
    """
    stored = mapped(kind, lambda part: part.storage_type if is_extension(part) else None)
    if holds(kind, is_json):
        values = [_encoded(value, kind) for value in values]
    return converted(pa.array(values, stored, from_pandas=False), kind)


def _encoded(value: Any, kind: pa.DataType) -> Any:
    """A value with text in place of what is JSON in its type."""
    if value is None:
        return None
    if is_json(kind):
        return json_value(value)
    if pa.types.is_struct(kind) and isinstance(value, dict):
        return {key: _encoded(part, kind.field(key).type) for key, part in value.items()}
    if is_list(kind) and isinstance(value, list):
        return [_encoded(part, kind.value_type) for part in value]
    return value
