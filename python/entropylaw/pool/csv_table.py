"""Files of CSV and TSV as tables."""

import logging
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from entropylaw.errors import EntropyLawError
from entropylaw.pool.arrow import reason
from entropylaw.pool.csv_faults import columns_remedy, parsing_fault
from entropylaw.pool.foreign import check_text
from entropylaw.pool.source import HEAD, Source
from entropylaw.pool.tables import Table

if TYPE_CHECKING:
    from pyarrow import csv

_log = logging.getLogger("entropylaw")

_BLOCK = 1 << 24
"""Bytes that are parsed at a time; no row may have more."""


class CsvTable(Table):
    """A CSV or TSV file, plain or compressed, with the names of the columns in its first row; all columns are text."""

    def __init__(self, source: Source, delimiter: str) -> None:
        from pyarrow import csv

        self._csv = csv
        self._path = source
        self._delimiter = delimiter
        self._noted = False
        check_text(source.name, next(source.chunks(), b"")[:HEAD])
        try:
            with self._opened(None) as reader:
                names = reader.schema.names
                self._has_rows = any(batch.num_rows for batch in reader)
        except (pa.ArrowException, OSError) as error:
            if "Empty CSV file" not in str(error):
                raise self._fault(error) from None
            # A header without a line break, and nothing else.
            names, self._has_rows = [], False
        super().__init__(source.name, pa.schema([(name, pa.string()) for name in names]), source)

    def _opened(self, names: Sequence[str] | None) -> "csv.CSVStreamingReader":
        # Types are not guessed: "007" and "1.50" stay what they are.
        text = None if names is None else dict.fromkeys(names, pa.string())
        return self._csv.open_csv(
            self._path.content(),
            # One thread: only then do errors tell the row.
            read_options=self._csv.ReadOptions(use_threads=False, block_size=_BLOCK),
            parse_options=self._csv.ParseOptions(delimiter=self._delimiter, newlines_in_values=True),
            convert_options=self._csv.ConvertOptions(column_types=text, strings_can_be_null=False, null_values=[]),
        )

    def _read(self, columns: Sequence[str] | None) -> Iterator[pa.RecordBatch]:
        rows = 0
        with self._opened(self.schema.names) as reader:
            for batch in reader:
                self._check_header(batch, rows)
                self._note_quotes(batch, rows)
                rows += batch.num_rows
                yield batch

    def _check_header(self, batch: pa.RecordBatch, before: int) -> None:
        """Raises EntropyLawError if a row is the header once more, which ``cat`` leaves where one file follows another.

        In a file of one column it may be a text like others.
        """
        names = batch.schema.names
        if len(names) < 2:
            return
        first = np.flatnonzero(pc.equal(pc.utf8_ltrim(batch.column(0), "\ufeff"), names[0]).to_numpy(False))
        for row in first.tolist():
            if all(batch.column(n)[row].as_py() == name for n, name in enumerate(names) if n):
                raise EntropyLawError(
                    f"{self.name}: row {before + row + 1} is the header once more, as where files are joined; remove it"
                )

    def _note_quotes(self, batch: pa.RecordBatch, before: int) -> None:
        """Says so, once, if a field of TSV holds tabs and line breaks, and so perhaps rows: not all of them quote."""
        if self._delimiter != "\t" or self._noted:
            return
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            both = pc.and_(pc.match_substring(column, "\t"), pc.match_substring(column, "\n"))
            if (row := pc.index(both, True).as_py()) >= 0:
                self._noted = True
                _log.warning(
                    "%s: row %d: %r holds tabs and line breaks, read as one field because it begins with a quote; if "
                    "they are several rows, double the quote and put quotes around the field",
                    *(self.name, before + row + 1, name),
                )
                return

    def has_rows(self) -> bool:
        return self._has_rows

    def columns_remedy(self) -> str | None:
        return columns_remedy(self.schema.names, self._delimiter)

    def _unreadable(self, error: BaseException) -> EntropyLawError:
        return self._fault(error)

    def _fault(self, error: BaseException) -> EntropyLawError:
        return EntropyLawError(parsing_fault(self._path, self._delimiter, reason(error)))
