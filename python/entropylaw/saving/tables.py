"""Writing columns of equal length as a table: JSON Lines, CSV, Parquet, Arrow, and the plainest forms of one column."""

import csv
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from entropylaw.errors import EntropyLawError
from entropylaw.pool.arrow import need_arrow
from entropylaw.saving.endings import ending, is_array, is_packed, written_format

_ROWS = 1 << 16
"""Rows turned into text at a time."""

_ENDINGS = ".jsonl, .json, .csv, .tsv, .parquet, .arrow"
_ENDINGS_OF_ONE = f".txt, .npy, {_ENDINGS}"
"""Of names for one column alone."""


class Coded(NamedTuple):
    """A column of few distinct texts."""

    codes: NDArray[np.uint32]
    """Position of each row's text in ``texts``."""
    texts: Sequence[str]

    def written(self) -> list[str]:
        """The texts as UTF-8 can hold them: with ``?`` for lone surrogates."""
        return [text.encode(errors="replace").decode() for text in self.texts]


Column = NDArray[Any] | Coded


def format_of(path: str | os.PathLike[str]) -> str | None:
    """The format that a file's name stands for; None if it stands for none that is known."""
    end = ending(path).lower()
    return end[1:] if end in (".npy", ".txt") else written_format(path)


def is_text(path: str | os.PathLike[str]) -> bool:
    """Whether equal content makes equal files of that name, whatever library writes them."""
    return not is_packed(path) and format_of(path) not in ("parquet", "arrow")


def check_format(path: str | os.PathLike[str], names: Sequence[str]) -> str:
    """The format of a table of these columns; finds out before the work whether it can be written.

    Raises
    ------
    EntropyLawError
        If the name of ``path`` stands for no format, for one that can't hold the table, or for one that needs a
        package that is missing.
    """
    kind = format_of(path)
    if kind is None:
        endings = _ENDINGS if len(names) > 1 else _ENDINGS_OF_ONE
        raise EntropyLawError(f"{os.fspath(path)}: the name must end in one of {endings}")
    if kind in ("npy", "txt") and len(names) > 1:
        raise EntropyLawError(f"{os.fspath(path)}: holds one column, not several; name a .csv or .jsonl file")
    if kind in ("parquet", "arrow"):
        if is_packed(path):
            raise EntropyLawError(
                f"{os.fspath(path)}: {kind} files are compressed inside; name one without .gz or .zst"
            )
        need_arrow(f"{os.fspath(path)}: writing {kind}")
    return kind


def write(file: IO[bytes], path: str | os.PathLike[str], columns: Mapping[str, Column]) -> None:
    """Writes columns to a file in the format that the name of ``path`` stands for; see ``check_format``."""
    kind = check_format(path, list(columns))
    _WRITERS["array" if kind == "json" and is_array(path) else kind](file, columns)


def _rows(columns: Mapping[str, Column]) -> Iterator[tuple[Any, ...]]:
    """The rows, as Python objects."""
    length = max(len(column.codes if isinstance(column, Coded) else column) for column in columns.values())
    for start in range(0, length, _ROWS):
        part = slice(start, start + _ROWS)
        yield from zip(*(_values(column, part) for column in columns.values()), strict=True)


def _values(column: Column, part: slice) -> list[Any]:
    if isinstance(column, Coded):
        texts = column.written()
        return [texts[code] for code in column.codes[part].tolist()]
    values: list[Any] = column[part].tolist()
    return values


def _write_jsonl(file: IO[bytes], columns: Mapping[str, Column]) -> None:
    for row in _rows(columns):
        file.write(json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False).encode() + b"\n")


def _write_array(file: IO[bytes], columns: Mapping[str, Column]) -> None:
    before = b"[\n"
    for row in _rows(columns):
        file.write(before + json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False).encode())
        before = b",\n"
    file.write(b"\n]\n" if before == b",\n" else b"[]\n")


def _write_separated(file: IO[bytes], columns: Mapping[str, Column], separator: str) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=False)
    writer = csv.writer(text, delimiter=separator, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(_rows(columns))
    text.flush()
    text.detach()


def _write_npy(file: IO[bytes], columns: Mapping[str, Column]) -> None:
    (column,) = columns.values()
    np.save(file, np.asarray(column), allow_pickle=False)


def _write_txt(file: IO[bytes], columns: Mapping[str, Column]) -> None:
    for (value,) in _rows(columns):
        file.write(f"{value}\n".encode())


def _write_arrow(file: IO[bytes], columns: Mapping[str, Column], kind: Literal["parquet", "arrow"]) -> None:
    import pyarrow as pa

    from entropylaw.row_files import write_rows

    def array(column: Column) -> Any:
        if isinstance(column, Coded):
            return pa.DictionaryArray.from_arrays(pa.array(column.codes.astype(np.int32)), pa.array(column.written()))
        return pa.array(column)

    table = pa.table({name: array(column) for name, column in columns.items()})
    write_rows(file, kind, table.schema, table.to_batches(max_chunksize=_ROWS))


_WRITERS: dict[str, Callable[[IO[bytes], Mapping[str, Column]], None]] = {
    "json": _write_jsonl,
    "array": _write_array,
    "csv": lambda file, columns: _write_separated(file, columns, ","),
    "tsv": lambda file, columns: _write_separated(file, columns, "\t"),
    "parquet": lambda file, columns: _write_arrow(file, columns, "parquet"),
    "arrow": lambda file, columns: _write_arrow(file, columns, "arrow"),
    "npy": _write_npy,
    "txt": _write_txt,
}
