"""pyarrow, which is optional."""

from typing import TYPE_CHECKING, Any

from entropylaw.errors import EntropyLawError

if TYPE_CHECKING:
    import pyarrow as pa


def need_arrow(what: str) -> None:
    """Explains what to install if pyarrow is missing.

    Raises
    ------
    EntropyLawError
        If it is; ``what`` begins the message.
    """
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise EntropyLawError(f"{what} needs pyarrow; install it with: pip install 'entropylaw[arrow]'") from None


def reason(error: BaseException) -> str:
    """What pyarrow says went wrong, on one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else type(error).__name__


def bytes_of(batch: "pa.RecordBatch") -> int:
    """What the rows of a batch take in memory."""
    import pyarrow as pa

    try:
        return int(batch.nbytes)
    except (pa.ArrowException, TypeError):
        # Of views, older versions of pyarrow can't tell which bytes are theirs.
        return int(batch.get_total_buffer_size())


def mapped(kind: "pa.DataType", replace: Any) -> "pa.DataType":
    """The type with its leaves, or lists, replaced by what ``replace`` returns for them, or kept where that is None."""
    rebuilt = _rebuilt(kind, replace)
    # Rebuilding loses names that don't count, such as that of a map's entries.
    return kind if rebuilt == kind else rebuilt


def _rebuilt(kind: "pa.DataType", replace: Any) -> "pa.DataType":
    import pyarrow as pa

    def inside(field: "pa.Field") -> "pa.Field":
        return field.with_type(mapped(field.type, replace))

    types = pa.types
    if types.is_struct(kind):
        return pa.struct([inside(kind.field(n)) for n in range(kind.num_fields)])
    if types.is_map(kind):
        return pa.map_(inside(kind.key_field), inside(kind.item_field), keys_sorted=kind.keys_sorted)
    if types.is_fixed_size_list(kind):
        return pa.list_(inside(kind.value_field), kind.list_size)
    if (replaced := replace(kind)) is not None:
        return replaced
    if types.is_large_list(kind):
        return pa.large_list(inside(kind.value_field))
    if types.is_list(kind):
        return pa.list_(inside(kind.value_field))
    if types.is_list_view(kind):
        return pa.list_view(inside(kind.value_field))
    return pa.large_list_view(inside(kind.value_field)) if types.is_large_list_view(kind) else kind
