"""What a record's text is: the schemas of training data, detected or forced, and their rendering.

``text``, the default rendering, is what a model reads: the turns of a conversation or the fields of an instruction,
joined by line breaks, without ids, roles or keys.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Render = str | Callable[[Any], str | bytes]
"""How a record becomes a sample: its text (``"text"``), the record as it is stored (``"json"``), what a Jinja template
makes of it (``"{{ question }} {{ answer }}"``, or a file that ends in ``.jinja``, ``.jinja2`` or ``.j2``), or what a
function makes of the parsed record."""


class RecordError(Exception):
    """Why a record can't be rendered; who calls knows where the record is.

    ``remedy`` is what to do about it, where mending or skipping the record is not what helps.
    """

    def __init__(self, reason: str, remedy: str | None = None) -> None:
        super().__init__(reason)
        self.remedy = remedy


@dataclass(frozen=True)
class Schema:
    """A form of record."""

    name: str
    keys: str
    """The keys by which people know it."""
    reads: tuple[str, ...]
    """The keys that its text is made of."""
    matches: Callable[[Any], bool]
    text: Callable[[Any], str]


def kind(value: object) -> str:
    """What a JSON value is called."""
    if value is None:
        return "null"
    names = {bool: "a boolean", int: "a number", float: "a number", str: "text", list: "a list", dict: "an object"}
    return names.get(type(value), type(value).__name__)


def _text(value: object, field: str) -> str:
    if isinstance(value, str):
        return value
    raise RecordError(f"{field!r} is {kind(value)}, not text")


def _content(value: object, field: str) -> str:
    """A message's content: text, nothing (a tool call), or parts of which some are text."""
    if value is None:
        return ""
    if isinstance(value, list):
        parts = [part.get("text") if isinstance(part, dict) else part for part in value]
        return "\n".join(part for part in parts if isinstance(part, str))
    return _text(value, field)


def _turns(value: object, field: str) -> list[str]:
    if not isinstance(value, list):
        raise RecordError(f"{field!r} is {kind(value)}, not a list of turns")
    texts = []
    for number, turn in enumerate(value):
        if not isinstance(turn, dict) or not ("value" in turn or "content" in turn):
            found = f"the keys {', '.join(map(repr, turn))}" if isinstance(turn, dict) else kind(turn)
            raise RecordError(f"turn {number} of {field!r} has no 'value' or 'content': found {found}")
        key = "value" if "value" in turn else "content"
        texts.append(_content(turn[key], f"{field}[{number}].{key}"))
    return texts


def _turns_or_text(value: object, field: str) -> list[str]:
    return _turns(value, field) if isinstance(value, list) else [_text(value, field)]


def _joined(texts: list[str]) -> str:
    return "\n".join(text for text in texts if text)


def _sharegpt(record: dict[str, Any]) -> str:
    system = record.get("system")
    return _joined([system if isinstance(system, str) else "", *_turns(record["conversations"], "conversations")])


def _openai(record: dict[str, Any]) -> str:
    return _joined(_turns(record["messages"], "messages"))


def _alpaca(record: dict[str, Any]) -> str:
    optional = record.get("input")
    return _joined(
        [
            _text(record["instruction"], "instruction"),
            "" if optional is None else _text(optional, "input"),
            _text(record["output"], "output"),
        ]
    )


def _completion(record: dict[str, Any]) -> str:
    return _joined([*_turns_or_text(record["prompt"], "prompt"), *_turns_or_text(record["completion"], "completion")])


def _preference(record: dict[str, Any]) -> str:
    """Prompt, chosen and rejected answer; of an answer, not the turns or lines that it begins with like the others."""
    if isinstance(record["chosen"], str) and record.get("prompt") is None and record.get("conversations") is None:
        chosen, rejected = record["chosen"], _text(record["rejected"], "rejected")
        return _joined([chosen, "\n".join(_after(chosen.split("\n"), rejected.split("\n")))])
    known: list[str] = []
    for field in ("prompt", "conversations"):
        if record.get(field) is not None:
            known += _turns_or_text(record[field], field)
    chosen_turns = _after(known, _answer(record["chosen"], "chosen"))
    rejected_turns = _after(known + chosen_turns, _answer(record["rejected"], "rejected"))
    return _joined([*known, *chosen_turns, *rejected_turns])


def _answer(value: object, field: str) -> list[str]:
    """An answer: text, a list of turns, or one turn."""
    return _turns([value], field) if isinstance(value, dict) else _turns_or_text(value, field)


def _after(known: list[str], texts: list[str]) -> list[str]:
    """``texts`` from the first on that differs from ``known``."""
    same = 0
    while same < min(len(known), len(texts)) and known[same] == texts[same]:
        same += 1
    return texts[same:]


def _with_keys(name: str, text: Callable[[Any], str], *keys: str, optional: tuple[str, ...] = ()) -> Schema:
    """The schema of objects that have all of ``keys``."""

    def matches(record: Any) -> bool:
        return isinstance(record, dict) and all(key in record for key in keys)

    return Schema(name, ", ".join(keys), (*keys, *optional), matches, text)


COMPILED = frozenset(("sharegpt", "openai", "alpaca", "completion", "preference", "text", "string"))
"""The schemas that the compiled core has a copy of."""

SCHEMAS: Mapping[str, Schema] = {
    schema.name: schema
    for schema in (
        _with_keys("preference", _preference, "chosen", "rejected", optional=("prompt", "conversations")),
        _with_keys("sharegpt", _sharegpt, "conversations", optional=("system",)),
        _with_keys("openai", _openai, "messages"),
        _with_keys("alpaca", _alpaca, "instruction", "output", optional=("input",)),
        _with_keys("completion", _completion, "prompt", "completion"),
        _with_keys("text", lambda record: _text(record["text"], "text"), "text"),
        Schema("string", "a bare string", (), lambda record: isinstance(record, str), str),
    )
}
"""The schemas by name, in the order in which they are tried."""


def field_schema(field: str) -> Schema:
    """The schema of records whose text is one field, ``a.b`` for ``b`` inside ``a``: text, or a list of turns."""

    def matches(record: Any) -> bool:
        try:
            find(record, field)
        except KeyError:
            return False
        return True

    return Schema(
        f"field {field}", field, (field,), matches, lambda record: _joined(_turns_or_text(find(record, field), field))
    )


def find(record: Any, field: str) -> Any:
    """A field of a record, ``a.b`` for ``b`` inside ``a``; raises KeyError if there is none."""
    if isinstance(record, dict) and field in record:
        return record[field]
    for key in field.split("."):
        if not isinstance(record, dict) or key not in record:
            raise KeyError(field)
        record = record[key]
    return record


def detect(record: object) -> Schema | None:
    """The first schema that a record has the keys of."""
    return next((schema for schema in SCHEMAS.values() if schema.matches(record)), None)


def missing(record: object, schema: Schema, what: str = "the record") -> str:
    """Why a record does not have a schema."""
    found = f"the keys {', '.join(map(repr, record))}" if isinstance(record, dict) and record else kind(record)
    if other := detect(record):
        found += f" (schema {other.name})"
    return f"{what} does not have the schema {schema.name} ({schema.keys}): found {found}"
