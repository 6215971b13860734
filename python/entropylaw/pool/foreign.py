"""Files that are no pool, told by their first bytes, and what to do with each.

What is compressed in a way that is read here is unpacked before anything looks at it, so that a tar archive is found
inside a ``.tar.gz``.
"""

import msgspec

from entropylaw.errors import EntropyLawError
from entropylaw.pool import charset
from entropylaw.pool.compression import unpacker

_JSON_BEGINS = {b"", *(bytes([byte]) for byte in b'{["-0123456789tfn')}
_CONTROLS = bytes(set(range(0x20)) - set(b"\t\n\v\f\r\x1b\x1e"))

_UNPACK = "unpack it, and name the unpacked file"
_ARCHIVE = "unpack it, and name the files that are to be read"
_EXPORT = "export it as CSV"
_REWRITE = "read it in Python with the library that wrote it, and write JSON Lines or Parquet"

# Where the bytes are, the bytes, what the file is, and the remedy, of files that hold more than text.
_SIGNS: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"\x04\x22\x4d\x18", "is compressed with lz4, which is not read here", _UNPACK),
    (0, b"\x02\x21\x4c\x18", "is compressed with lz4, which is not read here", _UNPACK),
    (0, b"\xff\x06\x00\x00sNaPpY", "is compressed with snappy, which is not read here", _UNPACK),
    (0, b"\x1f\x9d", "is compressed with compress, which is not read here", _UNPACK),
    (0, b"LZIP", "is compressed with lzip, which is not read here", _UNPACK),
    (0, b"\x89LZO\x00\r\n\x1a\n", "is compressed with lzop, which is not read here", _UNPACK),
    (0, b"\x5d\x00\x00", "is compressed with lzma, which is not read here", _UNPACK),
    (0, b"PK\x03\x04", "is a ZIP archive", _ARCHIVE),
    (0, b"PK\x05\x06", "is a ZIP archive", _ARCHIVE),
    (0, b"7z\xbc\xaf\x27\x1c", "is a 7z archive", _ARCHIVE),
    (0, b"Rar!\x1a\x07", "is a RAR archive", _ARCHIVE),
    (257, b"ustar", "is a tar archive", _ARCHIVE),
    (0, b"!<arch>\n", "is an ar archive", _ARCHIVE),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is an old Office document", _EXPORT),
    (
        0,
        b"SQLite format 3\x00",
        "is an SQLite database",
        "export a table: sqlite3 -json FILE 'SELECT * FROM T' > OUT.json",
    ),
    (8, b"DUCK", "is a DuckDB database", "export a table: duckdb FILE \"COPY T TO 'OUT.parquet'\""),
    (0, b"\x89HDF\r\n\x1a\n", "is HDF5", _REWRITE),
    (0, b"\x93NUMPY", "is a NumPy array", _REWRITE),
    (0, b"Obj\x01", "is Avro", _REWRITE),
    (0, b"ORC", "is ORC", _REWRITE),
    (0, b"CDF", "is NetCDF", _REWRITE),
    # Protocols 2 to 5 of pickle begin with their number.
    *((0, bytes([0x80, protocol]), "is pickled", _REWRITE) for protocol in range(2, 6)),
)
_ZIPPED: tuple[tuple[bytes, str, str], ...] = (
    (b"xl/", "is an Excel workbook", _EXPORT),
    (b"opendocument.spreadsheet", "is an OpenDocument spreadsheet", _EXPORT),
    (b"word/", "is a Word document", "extract its text, and write JSON Lines"),
    (b"[Content_Types].xml", "is an Office document", _EXPORT),
    (b"data.pkl", "is a file of PyTorch", _REWRITE),
    (b".npy", "is an archive of NumPy arrays", _REWRITE),
)
# How text that is no data begins, in lower case.
_TEXTS: tuple[tuple[bytes, str, str], ...] = (
    (b"version https://git-lfs", "is a pointer of Git LFS, not the data", "fetch the data: git lfs pull"),
    (b"fea1", "is Feather version 1", "write it again as Feather version 2 or Parquet"),
    (b"%pdf-", "is a PDF document", "extract its text, and write JSON Lines"),
    (b"<!doctype html", "is a page of HTML, not the data", "fetch it again: did the server ask for a login?"),
    (b"<html", "is a page of HTML, not the data", "fetch it again: did the server ask for a login?"),
    (b"<?xml", "is XML", "convert it to JSON Lines"),
)


def foreign(head: bytes) -> tuple[str, str] | None:
    """What a file that begins with ``head`` is, and the remedy; None if nothing speaks against its being a pool."""
    if _has_controls(head):
        for at, sign, what, remedy in _SIGNS:
            if head.startswith(sign, at):
                zipped = _ZIPPED if what == "is a ZIP archive" else ()
                return next(((inside, mend) for part, inside, mend in zipped if part in head), (what, remedy))
    beginning = head[:256].lstrip().lower()
    return next(((what, remedy) for sign, what, remedy in _TEXTS if beginning.startswith(sign)), None)


def check_text(name: str, head: bytes) -> None:
    """Finds out whether content that begins with ``head`` is text at all; its records may be broken nevertheless.

    Raises
    ------
    EntropyLawError
        If it is not: with what it is, and the remedy. No record could be made of such a file, nor skipped.
    """
    if (found := foreign(head)) is not None:
        what, remedy = found
        raise EntropyLawError(f"{name}: {what}; {remedy}")
    if (encoding := charset.wide(head)) is not None:
        raise EntropyLawError(f"{name}: is {encoding}, not UTF-8; {charset.remedy(encoding)}")
    if unpacker(head) is not None:
        raise EntropyLawError(f"{name}: is compressed twice; unpack it once")
    for magic, what in ((b"PAR1", "Parquet"), (b"ARROW1", "Arrow")):
        if head.startswith(magic):
            raise EntropyLawError(f"{name}: is {what}, and compressed as a whole; unpack it")
    if _is_binary(head):
        shown = head[:12].hex(" ")
        raise EntropyLawError(
            f"{name}: is not text: it begins with the bytes {shown}; give JSON Lines, CSV, Parquet or Arrow"
        )


def _has_controls(head: bytes) -> bool:
    return len(head.translate(None, _CONTROLS)) < len(head)


def _is_binary(head: bytes) -> bool:
    if not _has_controls(head) or head.lstrip(b" \t\r\n\xef\xbb\xbf\x1e")[:1] in _JSON_BEGINS:
        return False
    return not any(map(_is_json, head.split(b"\n")[:-1]))


def _is_json(line: bytes) -> bool:
    try:
        msgspec.json.decode(line)
    except (msgspec.MsgspecError, RecursionError):
        return False
    return True
