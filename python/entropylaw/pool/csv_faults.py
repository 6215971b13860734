"""What is wrong with CSV that can't be read, and the remedy that fits."""

from collections.abc import Sequence

from entropylaw.pool import charset
from entropylaw.pool.source import Source

_CONVERT = (
    "convert it: python -c "
    "\"import csv, sys; csv.writer(sys.stdout).writerows(csv.reader(sys.stdin, delimiter='%s'))\" < FILE > OUT.csv"
)


def parsing_fault(source: Source, delimiter: str, reason: str) -> str:
    """Why a file can't be read, where ``reason`` is what pyarrow says, and what to do."""
    if "UTF8" in reason and (found := charset.first_error(source.chunks())) is not None:
        line, byte, encoding = found
        return f"{source.name}:{line}: is not UTF-8: found byte 0x{byte:02x}; {charset.remedy(encoding)}"
    where = f"{source.name}: cannot be read as CSV"
    if "straddl" in reason:
        return f"{where}: a row has more than 16 MB; is a quote not closed?"
    _, row, counted = reason.partition("Row #")
    number, _, expected = counted.partition(": Expected ")
    wanted, _, got = expected.partition(" columns, got ")
    fields, _, text = got.partition(": ")
    if not (row and number.isdigit() and wanted.isdigit() and fields.isdigit()):
        return f"{where}: {reason}; is the file whole?"
    header = next(source.chunks(), b"").split(b"\n")[0].decode(errors="replace").strip()
    if wanted == "1" and (other := columns_remedy([header], delimiter)) is not None:
        remedy = other
    elif text.count('"') % 2:
        remedy = "close the quote, or double it if it is part of the text"
    elif int(fields) > int(wanted):
        remedy = "put quotes around fields that hold the delimiter"
    else:
        remedy = "add the fields that are missing, or remove the row"
    plural = "s" if fields != "1" else ""
    return f"{where}: row {int(number) - 1} has {fields} field{plural}, not {wanted}: {text[:80]!r}; {remedy}"


def columns_remedy(names: Sequence[str], delimiter: str) -> str | None:
    """What to do about a file with columns of these names, if they are not those that are looked for."""
    if names and names[0].startswith(("{", "[")):
        return "it is JSON; name the format (format='json', --format json)"
    if len(names) == 1:
        if "\t" in names[0]:
            return "it is TSV; name the format (format='tsv', --format tsv)"
        if "," in names[0]:
            return "it is CSV; name the format (format='csv', --format csv)"
        if other := next((sign for sign in ";|" if sign in names[0]), None):
            return f"fields are separated by {other!r}, not {delimiter!r}; " + _CONVERT % other
    if any(name != name.strip() for name in names):
        return "remove the spaces around the names in the first row"
    return None
