"""Which fields the records of a table have, told from the types of its columns."""

from typing import Any

import pyarrow as pa

from entropylaw.pool.arrow_types import is_extension, is_json, is_list, is_text


class _Anything(dict[str, Any]):
    """An object of which only the rows tell what members it has."""

    def __contains__(self, key: object) -> bool:
        return True

    def __missing__(self, key: str) -> "_Anything":
        return self


def outline(schema: pa.Schema) -> dict[str, Any]:
    """A record with all members that the rows have.

    Their values tell what types can: None for nothing but nulls, an empty list for lists of texts, objects for objects,
    True for everything else.
    """
    return {field.name: _members(field.type) for field in schema}


def _members(kind: pa.DataType) -> Any:
    if pa.types.is_null(kind):
        return None
    if pa.types.is_struct(kind):
        return {part.name: _members(part.type) for part in kind}
    if is_list(kind) and is_text(kind.value_type):
        return []
    return _Anything() if is_json(kind) or pa.types.is_map(kind) else True


def type_of(schema: pa.Schema, field: str) -> pa.DataType | None:
    """The type of a field, ``a.b`` for ``b`` inside ``a``; None if the columns don't tell."""
    name, *inside = [field] if schema.get_field_index(field) >= 0 else field.split(".")
    kind = schema.field(name).type if schema.get_field_index(name) >= 0 else None
    for key in inside:
        if kind is None or not pa.types.is_struct(kind) or kind.get_field_index(key) < 0:
            return None
        kind = kind.field(key).type
    while kind is not None and (pa.types.is_dictionary(kind) or is_extension(kind)):
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind.storage_type
    return kind
