"""The text of records that are Python objects: the interpreter of ``schema.py`` that says what is wrong in words.

The compiled core has the other one. Where both render a record, they render it alike and leave the same unread.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from entropylaw.pool.encode import plain
from entropylaw.pool.layouts import SKIP
from entropylaw.pool.schema import CALL, MESSAGE, Kind, Member, RecordError, Schema, find, kind

_WHOLE = 1e15
"""Below this, a float without a fraction is written as the integer that it equals."""
_TEMPLATE = "write down what the text is as a template (render=, --render '{{ q }} {{ a }}')"
_NUMBER_REMEDY = f"write it as text, or {_TEMPLATE}, or {SKIP}"
_MISSING_REMEDY = f"if NaN is what pandas has where text is missing, write null (None), or give the frame; or {SKIP}"
_MEMBERS = frozenset(name for member in MESSAGE for name in member.names)
_CONTENT = next(member for member in MESSAGE if "content" in member.names)


def text_of(record: Any, schema: Schema) -> tuple[str, dict[str, int]]:
    """The text of a record that has the keys of ``schema``, and what it leaves unread: members of the record, such as
    ``messages[].name``, with the bytes of text in each.

    Raises
    ------
    RecordError
        If a value is not what its member takes.
    """
    reader = _Reader()
    try:
        if schema.field is not None:
            texts = reader.either(find(record, schema.field), schema.field)
            outermost = schema.field if schema.field in record else schema.field.partition(".")[0]
            reader.leave({name: value for name, value in record.items() if name != outermost}, "")
        elif not schema.members:
            texts = [record]
        else:
            texts = reader.record(record, schema)
    except RecursionError:
        raise RecordError("is nested too deeply to be read as text") from None
    return _joined(texts), reader.unread


def json_text(value: Any) -> str:
    """A JSON value as the text that stands for it: equal values, equal texts, however they are stored.

    Keys are sorted, members that are null left out, and floats without a fraction written as integers: tables give the
    members of objects an order and a type, and hold null for a member that is not there.

    Raises
    ------
    RecordError
        If JSON can't hold the value.
    """
    try:
        return json.dumps(_canonical(value), ensure_ascii=False, default=lambda part: _canonical(plain(part)))
    except (TypeError, ValueError) as error:
        raise RecordError(f"can't be written as JSON: {error}") from None


def _canonical(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _canonical(value[key]) for key in sorted(value, key=str) if value[key] is not None}
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in value]
    if isinstance(value, float) and math.isfinite(value) and value.is_integer() and abs(value) < _WHOLE:
        return int(value)
    return value


class _Reader:
    """Reads one record. ``where`` is the member that a value is, with ``[]`` for the items of a list."""

    def __init__(self) -> None:
        self.unread: dict[str, int] = {}
        self._first: str | None = None
        """The first answer, if it is a text with nothing before it."""
        self._answered = False

    def record(self, record: Mapping[str, Any], schema: Schema) -> list[str]:
        texts: list[str] = []
        said: list[str] = []
        read = set()
        for member in schema.members:
            name, value = _found(record, member)
            if name is None:
                if member.optional:
                    continue
                # It is there, and null: who reads it says what it has to be.
                name = next(name for name in member.names if name in record)
            read.add(name)
            if member.kind in ("prompt", "answer"):
                new = self._compared(member.kind, value, name, said)
                said += new
            else:
                new = self._read(member.kind, value, name)
            texts += new
        self.leave({name: value for name, value in record.items() if name not in read}, "")
        return texts

    def _read(self, kind: Kind, value: Any, where: str) -> list[str]:
        match kind:
            case "text":
                return [_text(value, where)]
            case "texts":
                return _texts(value, where) if isinstance(value, list) else [_text(value, where)]
            case "values":
                return [_value(item) for item in (value if isinstance(value, list) else [value])]
            case "turns":
                return self._turns(value, where)
            case "either":
                return self.either(value, where)
            case "history":
                return self._history(value, where)
            case _:
                return [self._speech(_said(value, where), where, MESSAGE)]

    def either(self, value: Any, where: str) -> list[str]:
        if isinstance(value, list):
            return self._turns(value, where)
        if not isinstance(value, dict):
            return [_text(value, where)]
        if value.get("messages") is None:
            return [self._turn(value, where, 0, where)]
        rest = {name: part for name, part in value.items() if name not in ("messages", "tools")}
        self.leave(rest, f"{where}.")
        tools = [] if value.get("tools") is None else self._read("values", value["tools"], where)
        return [*tools, *self._turns(value["messages"], f"{where}.messages")]

    def _turns(self, value: Any, where: str) -> list[str]:
        if not isinstance(value, list):
            raise RecordError(f"{where!r} is {kind(value)}, not a list of turns", _unwritten(value))
        return [self._turn(turn, where, number, f"{where}[]") for number, turn in enumerate(value)]

    def _turn(self, turn: Any, where: str, number: int, inside: str) -> str:
        if isinstance(turn, str):
            return turn
        if not isinstance(turn, dict) or _MEMBERS.isdisjoint(turn):
            found = f"the keys {', '.join(map(repr, turn))}" if isinstance(turn, dict) and turn else kind(turn)
            raise RecordError(f"turn {number} of {where!r} has no 'value' or 'content': found {found}")
        name, content = _found(turn, _CONTENT)
        if name is not None:
            _said(content, f"{where}[{number}].{name}")
        return self._object(turn, MESSAGE, inside)

    def _history(self, value: Any, where: str) -> list[str]:
        if not isinstance(value, list):
            raise RecordError(f"{where!r} is {kind(value)}, not a list of turns", _unwritten(value))
        texts = []
        for number, turn in enumerate(value):
            if isinstance(turn, list):
                texts += _texts(turn, f"{where}[{number}]")
            else:
                texts.append(self._turn(turn, where, number, f"{where}[]"))
        return texts

    def _compared(self, kind: Kind, value: Any, where: str, said: list[str]) -> list[str]:
        """The texts of a prompt or an answer that do not repeat what prompts and answers before it ``said``."""
        texts = self.either(value, where)
        if isinstance(value, str) and kind == "prompt":
            return texts
        if isinstance(value, str) and self._first is not None:
            return ["\n".join(_after(self._first.split("\n"), value.split("\n"), 1))]
        if isinstance(value, str) and not any(said):
            self._first = value
        least = int(self._answered)
        self._answered = kind == "answer"
        return _after(said, texts, least)

    def _speech(self, value: Any, where: str, form: Sequence[Member]) -> str:
        if isinstance(value, str):
            return value
        if isinstance(value, list):
            return _joined(self._speech(item, f"{where}[]", form) for item in value)
        if isinstance(value, dict):
            return self._object(value, form, where)
        if value is not None:
            self.leave({"": value}, where)
        return ""

    def _object(self, value: Mapping[str, Any], form: Sequence[Member], where: str) -> str:
        texts = []
        read = set()
        for member in form:
            if member.beside and all(value.get(name) is None for name in member.beside):
                continue
            name, part = _found(value, member)
            if name is None:
                continue
            read.add(name)
            if member.kind == "value":
                texts.append(_value(part))
            else:
                texts.append(self._speech(part, f"{where}.{name}", CALL if member.kind == "call" else MESSAGE))
        self.leave({name: part for name, part in value.items() if name not in read}, f"{where}.")
        return _joined(texts)

    def leave(self, members: Mapping[str, Any], where: str) -> None:
        """Members that are not read; those that are null are not there."""
        for name, value in members.items():
            if value is not None:
                path = f"{where}{name}"
                self.unread[path] = self.unread.get(path, 0) + _text_bytes(value)


def _found(value: Mapping[str, Any], member: Member) -> tuple[str | None, Any]:
    """The name under which a member is there, and its value; None if it isn't, or is null."""
    for name in member.names:
        if (part := value.get(name)) is not None:
            return name, part
    return None, None


def _text(value: object, where: str) -> str:
    if isinstance(value, str):
        return value
    # Where one record has a number, the others will.
    remedy = _NUMBER_REMEDY if isinstance(value, bool | int | float) else None
    if isinstance(value, float) and math.isnan(value):
        remedy = _MISSING_REMEDY
    raise RecordError(f"{where!r} is {kind(value)}, not text", remedy)


def _unwritten(value: object) -> str | None:
    """What to do about a list or an object that is written down as text; None if it is no such text."""
    text = value.strip() if isinstance(value, str) else ""
    if text[:2] not in ("[{", '{"', '["', "{'", "['"):
        return None
    written, parse = ("JSON", "json.loads") if '"' in text[:3] else ("Python's repr", "ast.literal_eval")
    return f"it is {written} as text: parse it ({parse}), and write the records anew, or {SKIP}"


def _texts(values: list[object], where: str) -> list[str]:
    return [_text(value, f"{where}[{number}]") for number, value in enumerate(values) if value is not None]


def _said(value: Any, where: str) -> Any:
    """Speech where a number is a mistake."""
    if isinstance(value, str | list | dict):
        return value
    raise RecordError(f"{where!r} is {kind(value)}, not text")


def _value(value: Any) -> str:
    """A text as it is, everything else as ``json_text`` writes it; nothing for null."""
    return value if isinstance(value, str) else "" if value is None else json_text(value)


def _joined(texts: Iterable[str]) -> str:
    return "\n".join(filter(None, texts))


def _after(known: list[str], texts: list[str], least: int) -> list[str]:
    """``texts`` from the first on that differs from ``known``, and no less than the last ``least`` of them."""
    same = 0
    while same < min(len(known), len(texts)) and known[same] == texts[same]:
        same += 1
    return texts[min(same, max(len(texts) - least, 0)) :]


def _text_bytes(value: Any) -> int:
    """Bytes of text in a value."""
    if isinstance(value, str):
        return len(value.encode(errors="surrogatepass"))
    parts: Iterable[Any] = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return sum(map(_text_bytes, parts))
