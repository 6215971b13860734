"""Types of Arrow: which of them rows can be taken from, and arrays from one type to another of the same values.

Views, run-end encoded columns and dictionaries are encodings: they hold the values that plain columns hold. Arrow can't
take rows from all of them, so a table is read in plain types and brought back to its own when it is written.
"""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from entropylaw.pool.arrow import mapped


def is_json(kind: pa.DataType) -> bool:
    """Whether values are JSON, stored as text."""
    return is_extension(kind) and kind.extension_name == "arrow.json"


def is_extension(kind: pa.DataType) -> bool:
    """Whether a type is another one with a meaning of its own."""
    return isinstance(kind, pa.BaseExtensionType)


def is_list(kind: pa.DataType) -> bool:
    """Whether values are lists, of whatever layout."""
    types = pa.types
    return bool(
        types.is_list(kind)
        or types.is_large_list(kind)
        or types.is_fixed_size_list(kind)
        or types.is_list_view(kind)
        or types.is_large_list_view(kind)
    )


def is_list_view(kind: pa.DataType) -> bool:
    """Whether values are lists whose places among the values are free."""
    return bool(pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind))


def is_text(kind: pa.DataType) -> bool:
    """Whether values are text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def is_binary(kind: pa.DataType) -> bool:
    """Whether values are bytes."""
    types = pa.types
    return bool(
        types.is_binary(kind)
        or types.is_large_binary(kind)
        or types.is_binary_view(kind)
        or types.is_fixed_size_binary(kind)
    )


def holds(kind: pa.DataType, wanted: Any) -> bool:
    """Whether a type is, or has inside it, one for which ``wanted`` holds."""
    if wanted(kind):
        return True
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        return holds(kind.value_type, wanted)
    if is_extension(kind):
        return holds(kind.storage_type, wanted)
    return any(holds(kind.field(n).type, wanted) for n in range(kind.num_fields))


def takeable(kind: pa.DataType) -> pa.DataType:
    """The type with encodings that rows can't be taken from replaced by plain ones."""
    return mapped(kind, _plain)


def _plain(kind: pa.DataType) -> pa.DataType | None:
    if pa.types.is_string_view(kind):
        return pa.large_string()
    if pa.types.is_binary_view(kind):
        return pa.large_binary()
    if is_list_view(kind):
        make = pa.list_ if pa.types.is_list_view(kind) else pa.large_list
        return make(kind.value_field.with_type(takeable(kind.value_type)))
    if pa.types.is_run_end_encoded(kind):
        return takeable(kind.value_type)
    if pa.types.is_dictionary(kind):
        values = takeable(kind.value_type)
        return None if values == kind.value_type else pa.dictionary(kind.index_type, values, kind.ordered)
    if is_extension(kind):
        storage = takeable(kind.storage_type)
        if storage == kind.storage_type:
            return None
        return pa.json_(storage) if is_json(kind) else storage
    return None


def converted(array: pa.Array, kind: pa.DataType) -> pa.Array:
    """The same values in another type, which need not be an encoding: numbers are widened, say.

    Raises
    ------
    pyarrow.ArrowException
        If a value does not fit the type, or values of such types never do.
    """
    have = array.type
    if have == kind:
        return array
    if is_extension(kind):
        storage = array.storage if is_extension(have) else array
        return pa.ExtensionArray.from_storage(kind, converted(storage, kind.storage_type))
    if is_extension(have):
        return converted(array.storage, kind)
    if pa.types.is_run_end_encoded(have):
        return converted(decoded(array), kind)
    if pa.types.is_run_end_encoded(kind):
        plain = converted(array, takeable(kind.value_type))
        try:
            runs = pc.run_end_encode(plain, run_end_type=kind.run_end_type)
            ends, values = runs.run_ends, runs.values
        except pa.ArrowNotImplementedError:
            ends, values = pa.array(np.arange(1, len(plain) + 1), kind.run_end_type), plain
        return pa.RunEndEncodedArray.from_arrays(ends, converted(values, kind.value_type))
    if pa.types.is_dictionary(have):
        if pa.types.is_dictionary(kind):
            values = converted(array.dictionary, kind.value_type)
            return pa.DictionaryArray.from_arrays(array.indices.cast(kind.index_type), values, ordered=kind.ordered)
        return converted(decoded(array), kind)
    if pa.types.is_dictionary(kind):
        coded = converted(array, takeable(kind.value_type)).dictionary_encode()
        return converted(coded, kind)
    # Arrow's own cast of views of lists loses values.
    if not holds(have, is_list_view):
        try:
            return array.cast(kind)
        except pa.ArrowNotImplementedError:
            pass
    return _rebuilt(array, kind)


def decoded(array: pa.Array) -> pa.Array:
    """The values of a column with a dictionary, or of one that is run-end encoded."""
    if pa.types.is_dictionary(array.type):
        values, places = array.dictionary, array.indices
    else:
        start = array.find_physical_offset()
        values = array.values.slice(start, array.find_physical_length())
        ends = array.run_ends.to_numpy()[start : start + len(values)]
        places = pa.array(np.searchsorted(ends, np.arange(len(array)) + array.offset, side="right"))
    return converted(values, takeable(values.type)).take(places)


def _rebuilt(array: pa.Array, kind: pa.DataType) -> pa.Array:
    """What Arrow has no cast for: nested values, one level at a time."""
    have = array.type
    if pa.types.is_struct(have) and pa.types.is_struct(kind):
        names = [kind.field(n).name for n in range(kind.num_fields)]
        if sorted(names) == sorted(have.field(n).name for n in range(have.num_fields)):
            parts = [converted(array.field(name), kind.field(n).type) for n, name in enumerate(names)]
            fields = [kind.field(n) for n in range(kind.num_fields)]
            return pa.StructArray.from_arrays(parts, fields=fields, mask=array.is_null())
    if pa.types.is_map(have) and pa.types.is_map(kind):
        ends, entries = list_parts(array)
        keys = converted(pc.struct_field(entries, 0), kind.key_type)
        items = converted(pc.struct_field(entries, 1), kind.item_type)
        return pa.MapArray.from_arrays(pa.array(ends, pa.int32()), keys, items, type=kind, mask=array.is_null())
    if pa.types.is_fixed_size_list(have) and pa.types.is_fixed_size_list(kind):
        size = have.list_size
        inner = converted(array.values.slice(array.offset * size, len(array) * size), kind.value_type)
        return pa.FixedSizeListArray.from_arrays(inner, type=kind, mask=array.is_null())
    if is_list(have) and is_list(kind):
        ends, inner = list_parts(array)
        return _listed(ends, converted(inner, kind.value_type), kind, array.is_null())
    raise pa.ArrowNotImplementedError(f"{have} can't become {kind}")


def list_parts(array: pa.Array) -> tuple[np.ndarray[Any, np.dtype[np.int64]], pa.Array]:
    """Where each list of a column begins and ends among its values, shape ``(len(array) + 1,)``, and these values.

    The list of a null is empty, whatever lies there. The values of a map are its entries.
    """
    kind = array.type
    if pa.types.is_map(kind):
        ends = array.offsets.to_numpy().astype(np.int64)
        keys, items = (part.slice(ends[0], ends[-1] - ends[0]) for part in (array.keys, array.items))
        fields = [kind.key_field, kind.item_field]
        return ends - ends[0], pa.StructArray.from_arrays([keys, items], fields=fields)
    if not is_list_view(kind):
        sizes = pc.fill_null(pc.list_value_length(array), 0).to_numpy()
        return np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]), array.flatten()
    starts = array.offsets.to_numpy().astype(np.int64)
    sizes = np.where(array.is_valid().to_numpy(zero_copy_only=False), array.sizes.to_numpy(), 0)
    ends = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
    places = np.repeat(starts - ends[:-1], sizes) + np.arange(ends[-1])
    return ends, converted(array.values, takeable(kind.value_type)).take(pa.array(places))


def _listed(ends: Any, values: pa.Array, kind: pa.DataType, missing: pa.Array) -> pa.Array:
    types = pa.types
    large = types.is_large_list(kind) or types.is_large_list_view(kind)
    offsets = pa.array(ends, pa.int64() if large else pa.int32())
    if types.is_list(kind) or types.is_large_list(kind):
        build = pa.LargeListArray if large else pa.ListArray
        return build.from_arrays(offsets, values, type=kind, mask=missing)
    sizes = pa.array(np.diff(ends), offsets.type)
    view = pa.LargeListViewArray if large else pa.ListViewArray
    return view.from_arrays(offsets[:-1], sizes, values, type=kind, mask=missing)
