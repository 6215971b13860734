"""What is wrong with JSON that can't be read, and the remedy that fits.

A record may be broken; then it can be mended or skipped. Or the whole file is laid out otherwise than as records one a
line, or in one array: then no record of it could be read, skipping them would lose all, and the file has to be
converted.
"""

import json
from typing import Any, NamedTuple

from entropylaw.pool import charset
from entropylaw.pool.schema import detect

BOM = b"\xef\xbb\xbf"

SKIP = "skip such records (on_error='skip', --on-error skip)"
RECORD_REMEDY = f"mend or remove the record, or {SKIP}"
_RECORD_BEGINS = ("{", "[", '"')
_LOOKED_AT = 1 << 16
"""Characters of a text that are looked at to tell whether it is CSV."""


class Fault(NamedTuple):
    """What a file is instead of what is read here, and what to do."""

    what: str
    remedy: str


_BLANKS = " \t\r\n"


def _jq(what: str, program: str) -> str:
    shown = program if program == "." else f"'{program}'"
    return f"{what}: jq -c {shown} FILE > OUT.jsonl"


_PRETTY = Fault("has records that go over several lines", _jq("put each on one", "."))


def record_remedy(raw: bytes) -> str:
    """What to do about a record that can't be read, when the fault is its own."""
    try:
        raw.decode()
    except UnicodeDecodeError:
        return f"{charset.remedy(charset.likely(raw))}, or {SKIP}"
    text = raw.strip()
    if not text.strip(b"\0"):
        return f"NUL bytes are what a crash or a full disk leaves: remove the line, or {SKIP}"
    if text.startswith((b"//", b"#")):
        return f"JSON has no comments: remove the line, or {SKIP}"
    if text.startswith((b"{'", b"['")):
        return f"it has single quotes, as Python's repr writes them: write it with json.dumps, or {SKIP}"
    if text.startswith(b"{") and text.endswith(b"},"):
        return f"remove the comma at its end, or {SKIP}"
    if _is_several(raw.decode()):
        return f"it is several records: break the line between them, or {SKIP}"
    if BOM in text:
        return (
            "a byte-order mark inside a line is what `cat` leaves of files without a final line break: "
            f"break the line before it, or {SKIP}"
        )
    return RECORD_REMEDY


def _is_several(text: str) -> bool:
    try:
        _, end = json.JSONDecoder().raw_decode(text.strip(_BLANKS))
    except (ValueError, RecursionError):
        return False
    return text.strip(_BLANKS)[end:].lstrip(_BLANKS).startswith(_RECORD_BEGINS)


def lines_fault(rest: bytes) -> Fault | None:
    """What a file is whose first record can't be read; ``rest`` is the file from there on, or its first megabytes.

    None if the fault is the record's own.
    """
    try:
        text = rest.decode(errors="surrogateescape")
    except UnicodeDecodeError:
        return None
    text = text.lstrip(_BLANKS)
    line, _, below = text.partition("\n")
    line = line.strip(_BLANKS)
    if _is_json(below.lstrip(_BLANKS).partition("\n")[0]):
        # The next line is a record, so this one is broken.
        return None
    if line.startswith("\x1e"):
        return Fault(
            "is a JSON text sequence, with a separator (0x1e) before each record",
            r"remove them: tr -d '\036' < FILE > OUT.jsonl",
        )
    if line.startswith(("{'", "['")):
        return Fault(
            "has single quotes, as Python's repr writes them, and is not JSON", "write the records with json.dumps"
        )
    if not line.startswith(_RECORD_BEGINS):
        return None if _is_json(line) else _text_fault(text)
    try:
        value, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        # What follows may be cut off here; two lines will do.
        pretty = line == "{" and below.lstrip().startswith('"')
        return _PRETTY if pretty else None
    after, broken = text[end:], "\n" in text[:end]
    if not after.strip() and (fault := _wrapped(value, sure=broken)) is not None:
        return fault
    if broken:
        return _PRETTY
    then = after.partition("\n")[0]
    if then.startswith("\r") and then.strip().startswith(_RECORD_BEGINS):
        return Fault("ends its lines with carriage returns alone", r"convert them: tr '\r' '\n' < FILE > OUT.jsonl")
    if then.strip() == ",":
        return Fault("has commas between its lines", r"remove them: sed 's/,[[:space:]]*$//' FILE > OUT.jsonl")
    if then.strip().startswith(_RECORD_BEGINS):
        return Fault("has several records on a line", _jq("put each on one", "."))
    return None


def array_fault(text: str, at: int) -> Fault | None:
    """What is wrong with an array, which Python's parser read up to ``at``; None if an item is broken."""
    before, after = text[:at].rstrip(), text[at:].lstrip()
    if (after.startswith("]") and before.endswith(",")) or (after[:1] == "," and after[1:].lstrip().startswith("]")):
        return Fault("there is a comma after the last item", "remove it")
    if not after:
        return Fault(
            "it is not closed: found the end of the file", "fetch it again if it was cut off, or close it with ]"
        )
    if before.endswith("]") and after.startswith("["):
        try:
            items, _ = json.JSONDecoder().raw_decode(text[text.index("[") :])
        except (ValueError, RecursionError):
            return None
        if turns := _turns(items):
            return Fault("it is several arrays, each a conversation", _jq("name them", f"{{{turns}: .}}"))
        return Fault("it is several arrays", _jq("put the items of all on lines", ".[]"))
    return None


def stand_in(item: bytes) -> bytes:
    """A short item in place of the first one of an array, of which ``array_fault`` says the same."""
    try:
        turns = _turns([json.loads(item)])
    except (ValueError, RecursionError):
        turns = None
    return {"conversations": b'{"from":0,"value":0}', "messages": b'{"role":0,"content":0}'}.get(turns or "", b"0")


def items_fault(value: Any) -> Fault | None:
    """What an array is whose first item can't be read as a record."""
    if turns := _turns([value]):
        return Fault("is an array of turns: one conversation", _jq("name it", f"{{{turns}: .}}"))
    if turns := _turns(value):
        return Fault("is an array of conversations without a name", _jq("name them", f".[] | {{{turns}: .}}"))
    return None


def _turns(items: Any) -> str | None:
    """The name under which trainers read a list of turns like these; None if they are none."""
    if isinstance(items, list) and items and isinstance(items[0], dict):
        for role, text, name in (("from", "value", "conversations"), ("role", "content", "messages")):
            if role in items[0] and text in items[0]:
                return name
    return None


def _wrapped(value: Any, sure: bool) -> Fault | None:
    """What a file is that is this one object; ``sure`` if it can't be a record, because it goes over lines."""
    if not isinstance(value, dict) or not value or detect(value) is not None:
        return None
    members = list(value.values())
    if all(isinstance(member, dict) for member in members) and (sure or detect(members[0])):
        return Fault("is one object of records", _jq("put them on lines", ".[]"))
    lists = {key: items for key, items in value.items() if isinstance(items, list)}
    key = max(lists, key=lambda name: len(lists[name]), default="")
    items = lists.get(key)
    if not items or not isinstance(items[0], dict) or _turns(items) or not (sure or detect(items[0])):
        return None
    path = f".{key}[]" if key.isidentifier() and key.isascii() else f".[{json.dumps(key)}][]"
    return Fault(f"is one object, whose member {key!r} has the records", _jq("put them on lines", path))


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _text_fault(text: str) -> Fault | None:
    """What a file is whose first line is no JSON; None if lines below may be."""
    lines = [line for line in text[:_LOOKED_AT].split("\n")[:6] if line.strip()]
    if any(line.lstrip("\ufeff \t").startswith(_RECORD_BEGINS) for line in lines) or not lines[0][0].isprintable():
        return None
    found = f"is not JSON: found {lines[0].rstrip()[:40]!r}"
    for delimiter, kind in ((",", "csv"), ("\t", "tsv")):
        names = lines[0].split(delimiter)
        if len(names) > 1 and all(name.strip() for name in names) and len(lines) > 1 and delimiter in lines[1]:
            return Fault(found, f"if it is {kind.upper()}, name the format (format='{kind}', --format {kind})")
    return Fault(
        found,
        "name the format if it is CSV (format='csv', --format csv), or make records of lines of text: "
        "jq -Rc '{text: .}' FILE > OUT.jsonl",
    )
