"""What a record's text is: the schemas of training data, as data.

``text``, the default rendering, is everything of a record that a trainer shows the model: system texts, tool
definitions, history, all turns with their reasoning and calls, prompts and answers; joined by line breaks, without ids,
roles or keys.

A :class:`Schema` says which members of a record are its text, and in which order; ``MESSAGE`` and ``CALL`` say the
same of the objects inside. This one definition has two interpreters. The compiled core reads JSON and columns of Arrow.
``text.py`` reads Python's own objects, and says in words what is wrong with a record. Tests hold them to each other.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

Render = str | Callable[[Any], str | bytes]
"""How a record becomes a sample: its text (``"text"``), the record as it is stored (``"json"``), what a Jinja template
makes of it (``"{{ question }} {{ answer }}"``, or a file that ends in ``.jinja``, ``.jinja2`` or ``.j2``), or what a
function makes of the parsed record."""

Kind = Literal["text", "texts", "speech", "call", "value", "values", "turns", "either", "history", "prompt", "answer"]
"""How a value is read:

``text``
    A text, and nothing else.
``texts``
    A text, or a list of texts.
``speech``
    What somebody says: a text; an object, read by ``MESSAGE``; or a list of both, such as text between images. Numbers
    and the like are no text, and left out.
``call``
    A call of a function, or a list of calls: an object is read by ``CALL``, everything else as ``speech``.
``value``
    Any JSON: a text as it is, everything else written by ``text.json_text``.
``values``
    The same, each item of a list a text of its own.
``turns``
    A list of turns. A turn is a text, or an object that has a member of ``MESSAGE``.
``either``
    A text, a list of turns, or one turn; an object with ``messages`` is a request of its own, with its tools.
``history``
    A list of turns, or of exchanges, which are lists of texts.
``prompt``, ``answer``
    As ``either``, from the first turn on that does not repeat what was read before: answers that are compared often
    begin with the prompt. Two answers that are text, with nothing before them, are compared line by line. Of the second
    answer at least the last turn or line is read: which of two answers goes on where the other ends has to show.
"""


class Member(NamedTuple):
    """A member of an object that is read."""

    names: tuple[str, ...]
    """What it may be called. The first that is there, and not null, is read; the others are left unread."""
    kind: Kind
    optional: bool = True
    """Whether it may be missing or null."""
    beside: tuple[str, ...] = ()
    """It is read only in objects that have one of these, too."""


def _optional(*names: str, kind: Kind = "speech", beside: tuple[str, ...] = ()) -> Member:
    return Member(names, kind, True, beside)


def _required(*names: str, kind: Kind) -> Member:
    return Member(names, kind, False)


MESSAGE = (
    _optional("reasoning_content", "reasoning", "thinking"),
    _optional("content", "value", "text"),
    _optional("refusal"),
    _optional("tool_calls", kind="call"),
    _optional("function_call", kind="call"),
    # A part of a message may itself be a call (``tool_use``) or what it returned.
    _optional("name", beside=("arguments", "input")),
    _optional("arguments", "input", kind="value"),
    _optional("output"),
)
"""What is read of a turn, or of a part of one."""

CALL = (
    _optional("function", kind="call"),
    _optional("name"),
    _optional("arguments", "input", kind="value"),
)
"""What is read of a call."""

_SYSTEM = _optional("system", "system_prompt")
_TOOLS = _optional("tools", "functions", kind="values")
_HISTORY = _optional("history", kind="history")


class RecordError(Exception):
    """Why a record can't be rendered; who calls knows where the record is.

    ``remedy`` is what to do about it, where mending or skipping the record is not what helps.
    """

    def __init__(self, reason: str, remedy: str | None = None) -> None:
        super().__init__(reason)
        self.remedy = remedy


@dataclass(frozen=True)
class Schema:
    """A form of record. Its text is that of ``members``, one after the other; without members, it is a bare text."""

    name: str
    members: tuple[Member, ...]
    field: str | None = None
    """The field that a user has named, ``a.b`` for ``b`` inside ``a``, which is the text instead: ``either``."""

    @property
    def keys(self) -> str:
        """The keys by which people know it."""
        if self.field is not None:
            return self.field
        return ", ".join(member.names[0] for member in self.members if not member.optional) or "a bare string"

    @property
    def reads(self) -> tuple[str, ...]:
        """The keys that its text is made of."""
        if self.field is not None:
            return (self.field,)
        return tuple(name for member in self.members for name in member.names)

    def matches(self, record: Any, given: Callable[[Any], bool] = lambda value: True) -> bool:
        """Whether a record has the keys, with values for which ``given`` holds."""
        if self.field is not None:
            try:
                find(record, self.field)
            except KeyError:
                return False
            return True
        if not self.members:
            return isinstance(record, str)
        return isinstance(record, dict) and all(
            any(name in record and given(record[name]) for name in member.names)
            for member in self.members
            if not member.optional
        )


SCHEMAS: Mapping[str, Schema] = {
    name: Schema(name, members)
    for name, members in {
        "preference": (
            _SYSTEM,
            _TOOLS,
            _HISTORY,
            *(_optional(name, kind="prompt") for name in ("prompt", "conversations", "messages")),
            *(_optional(name, kind="prompt") for name in ("instruction", "input", "question")),
            _required("chosen", "preferred_output", kind="answer"),
            _required("rejected", "non_preferred_output", kind="answer"),
        ),
        "sharegpt": (_SYSTEM, _TOOLS, _required("conversations", "conversation", kind="turns")),
        "openai": (_SYSTEM, _TOOLS, _required("messages", kind="turns")),
        "alpaca": (
            _SYSTEM,
            _TOOLS,
            _HISTORY,
            _required("instruction", kind="text"),
            _optional("input", "context", kind="text"),
            _required("output", "response", kind="texts"),
        ),
        "completion": (
            _SYSTEM,
            _TOOLS,
            _HISTORY,
            _optional("context", kind="text"),
            _required("prompt", "question", "query", kind="either"),
            _required("completion", "answer", "response", kind="either"),
        ),
        "text": (_required("text", kind="text"),),
        "dialogue": (_required("data", kind="turns"),),
        "string": (),
    }.items()
}
"""The schemas by name, in the order in which they are tried."""


def field_schema(field: str) -> Schema:
    """The schema of records whose text is one field, ``a.b`` for ``b`` inside ``a``: text, or a list of turns."""
    return Schema(f"field {field}", (), field)


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
    """The first schema that a record has the keys of; with values that are not null, if there is one."""
    for given in (lambda value: value is not None, lambda value: True):
        for schema in SCHEMAS.values():
            if schema.matches(record, given) and (schema.name != "dialogue" or _is_dialogue(record)):
                return schema
    return None


def _is_dialogue(record: Any) -> bool:
    """Whether ``data`` holds texts that take turns: too common a name to go by."""
    data = record["data"]
    return isinstance(data, list) and all(isinstance(turn, str) for turn in data)


def kind(value: object) -> str:
    """What a JSON value is called."""
    if value is None:
        return "null"
    names = {bool: "a boolean", int: "a number", float: "a number", str: "text", list: "a list", dict: "an object"}
    return names.get(type(value), type(value).__name__)


def missing(record: object, schema: Schema, what: str = "the record") -> str:
    """Why a record does not have a schema."""
    found = f"the keys {', '.join(map(repr, record))}" if isinstance(record, dict) and record else kind(record)
    if other := detect(record):
        found += f" (schema {other.name})"
    wanted = f"does not have the schema {schema.name} ({schema.keys})"
    if schema.field is not None:
        wanted = f"has no field {schema.field!r}"
    return f"{what} {wanted}: found {found}"
