"""Whether the records of a pool can be written, found out before some of them are chosen."""

import logging
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from entropylaw.errors import EntropyLawError
from entropylaw.pool.records import Records
from entropylaw.saving.content import RowFormat

if TYPE_CHECKING:
    import pyarrow as pa

_LOOKED_AT = 1000
"""Records of JSON, of each file, that are looked at before the selection."""

_log = logging.getLogger("entropylaw")


def check_records(records: Records, kind: RowFormat | None, added: Sequence[str]) -> None:
    """Finds out before the work whether records can be written in a format; ``None`` for lines of JSON.

    Raises
    ------
    EntropyLawError
        If a column of a table can't be held, has types that don't go together in different files, or has the name of an
        ``added`` one; the message names file, column and type. Of records of JSON, if the first of them all have lists
        or objects where the format can hold none.
    """
    tables = records.tables()
    for name, schema in tables:
        for column in added:
            if column in schema.names:
                raise EntropyLawError(
                    f"{name}: the records have a column {column!r} already; don't add it, or rename that one"
                )
        if kind is None:
            _check_json(name, schema)
        else:
            from entropylaw.row_files import check_columns

            check_columns(kind, schema, name)
    if kind is None:
        return
    records.schema()
    if kind in ("csv", "tsv"):
        for name, objects in records.first_objects(_LOOKED_AT):
            for column in _nested(record for _, record in objects):
                raise EntropyLawError(
                    f"{name}: column {column!r} holds lists or objects, which {kind.upper()} can't hold; "
                    "write Parquet, Arrow or JSON Lines"
                )


def tell(records: Records, kind: RowFormat, schema: "pa.Schema") -> None:
    """Logs which columns are written otherwise than as they are."""
    from pyarrow.types import is_null

    from entropylaw.pool.arrow_types import takeable
    from entropylaw.pool.row_values import holds_json
    from entropylaw.row_files import held_schema

    stored = {field.name for _, table in records.tables() for field in table if holds_json(field.type)}
    mixed = [field.name for field in schema if holds_json(field.type) and field.name not in stored]
    if mixed:
        _log.info(
            "columns written as JSON (arrow.json), for their objects have different keys or values different kinds: %s",
            ", ".join(map(repr, mixed)),
        )
    widened = set()
    for name, table in records.tables():
        for field in table:
            after = schema.field(field.name).type
            if is_null(field.type) or takeable(field.type) == takeable(after) or field.name in widened:
                continue
            # Other files may be like the first that is.
            widened.add(field.name)
            _log.info("column %r is %s in %s, and %s in the output", field.name, field.type, name, after)
    if kind in ("parquet", "arrow"):
        for before, after in zip(schema, held_schema(kind, schema), strict=True):
            if before.type != after.type:
                _log.info("column %r is %s; %s holds it as %s", before.name, before.type, kind.title(), after.type)


def _check_json(name: str, schema: "pa.Schema") -> None:
    import pyarrow as pa

    from entropylaw.pool.arrow import reason
    from entropylaw.pool.row_values import check_values

    for field in schema:
        try:
            check_values(field.type)
        except pa.ArrowException as error:
            raise EntropyLawError(
                f"{name}: column {field.name!r} is {field.type}, which can't be written as JSON: {reason(error)}; "
                "write Parquet or Arrow"
            ) from None


def _nested(records: Iterable[Any]) -> list[str]:
    """The members that are lists or objects in all records."""
    everywhere: list[str] | None = None
    for record in records:
        row = record if isinstance(record, dict) else {}
        names = row if everywhere is None else everywhere
        everywhere = [name for name in names if isinstance(row.get(name), list | dict | tuple)]
        if not everywhere:
            break
    return everywhere or []
