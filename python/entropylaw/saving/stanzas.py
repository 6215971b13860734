"""Ready-made entries for the data configuration of trainers.

LLaMA-Factory: an entry of ``dataset_info.json`` (its ``data/README.md`` and ``data/parser.py`` say what it may hold).
Axolotl: an item of ``datasets:`` (its ``docs/dataset-formats`` and ``docs/dataset_loading``).

What is in an entry depends on the records: the fields that they have, the names of their roles.
"""

import json
import logging
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec

from entropylaw.display import display
from entropylaw.errors import EntropyLawError
from entropylaw.output import json_bytes
from entropylaw.pool.formats import named_format
from entropylaw.pool.schema import detect
from entropylaw.storage.urls import is_url, joined

Trainer = Literal["llamafactory", "axolotl"]

TRAINERS: Mapping[str, str] = {"llamafactory": "dataset_info.json", "axolotl": "axolotl.yml"}
"""The trainers, and the end of the names of the files that their entries are written to."""

_TURNS = {"sharegpt": ("conversations", "conversation"), "openai": ("messages",)}
"""The schemas whose text is a list of turns, and the names of its member."""
# What each of them calls a role, and the names under which data sets have it.
_ROLES = {
    "user": ("human", "user"),
    "assistant": ("gpt", "assistant", "model", "chatgpt", "bing", "bard"),
    "system": ("system",),
    "observation": ("observation", "tool"),
    "function": ("function_call",),
}
_AXOLOTL_KNOWS = {"human", "user", "gpt", "assistant", "system", "tool"}
_ASKED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "alpaca": {"prompt": ("instruction",), "response": ("output", "response")},
    "completion": {"prompt": ("prompt", "question", "query"), "response": ("completion", "answer", "response")},
    "preference": {
        "prompt": ("prompt", "instruction", "question"),
        "chosen": ("chosen", "preferred_output"),
        "rejected": ("rejected", "non_preferred_output"),
    },
}
"""What trainers call the columns of the schemas that ask and answer, and the names under which records have them."""
_LABELS = ("kto_tag", "label")
"""The names under which records have KTO's label: whether an answer is wanted."""
_PLAIN = re.compile(r"[A-Za-z/][\w./-]*")
_YAML_WORDS = ("true", "false", "null", "yes", "no", "on", "off", "y", "n")

_log = logging.getLogger("entropylaw")
_decode_keys = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_turns = msgspec.json.Decoder(list[dict[str, Any]]).decode


def check_stanza(trainer: str, path: str) -> None:
    """Finds out before the work whether a trainer reads files of that name.

    Raises
    ------
    EntropyLawError
        If there is no such trainer here, or it doesn't.
    """
    if trainer not in TRAINERS:
        raise EntropyLawError(f"there is no stanza for {trainer!r}; there are {', '.join(map(repr, TRAINERS))}")
    endings = (".json", ".jsonl", ".csv", ".parquet", ".arrow")
    if trainer == "llamafactory" and not path.endswith(endings):
        raise EntropyLawError(f"{path}: LLaMA-Factory reads {', '.join(endings)}; name one of these")


@dataclass
class Fields:
    """What the chosen records have."""

    schema: str
    names: set[str] = field(default_factory=set)
    """Their members, but for those that are null."""
    texts: set[str] = field(default_factory=set)
    """Of these, those that are text."""
    labels: set[str] = field(default_factory=set)
    """The members that are true or false in all records."""
    turn_keys: set[str] = field(default_factory=set)
    """The members of their turns."""
    roles: Counter[str] = field(default_factory=Counter)
    """The roles of their turns."""

    @classmethod
    def of(cls, records: Iterable[bytes], schema: str) -> "Fields":
        """Looks at all records, as lines of JSON. The first says what they are, which need not be what was sized: the
        pool's ``schema`` only counts for records of no other."""
        fields = None
        for record in records:
            if fields is None:
                found = detect(json.loads(record))
                fields = cls(found.name if found else schema, labels=set(_LABELS))
            fields._add(record)
        return fields or cls(schema)

    def _add(self, record: bytes) -> None:
        try:
            members = _decode_keys(record)
        except msgspec.MsgspecError:
            found = json.loads(record)
            if not isinstance(found, dict):
                return
            members = {name: msgspec.Raw(json.dumps(value).encode()) for name, value in found.items()}
        self.names.update(name for name, value in members.items() if bytes(value) != b"null")
        self.texts.update(name for name, value in members.items() if bytes(value).startswith(b'"'))
        self.labels = {name for name in self.labels if bytes(members.get(name, b"")) in (b"true", b"false")}
        for name in _TURNS.get(self.schema, ()):
            for turn in _decode_turns(members.get(name, b"[]")):
                self.turn_keys.update(turn)
                self.roles[str(turn.get("from", turn.get("role")))] += 1

    def keys(self) -> tuple[str, str]:
        """The members of a turn that hold its role and its text."""
        return "from" if "from" in self.turn_keys else "role", "value" if "value" in self.turn_keys else "content"

    def text(self) -> str | None:
        """The one member that is the text, if the schema is of that kind."""
        name = self.schema.removeprefix("field ")
        return name if name in self.texts and (name == "text" or name != self.schema) else None

    def columns(self, **wanted: tuple[str, ...]) -> dict[str, str] | None:
        """For each thing wanted the first of its names that the records have as text; None if one has none.

        Prompts and answers may also be lists of turns, which trainers don't take so.
        """
        found = {thing: next((name for name in names if name in self.texts), None) for thing, names in wanted.items()}
        return {thing: name for thing, name in found.items() if name} if all(found.values()) else None

    def turns(self) -> str:
        """The member that holds the turns."""
        return next((name for name in _TURNS[self.schema] if name in self.names), _TURNS[self.schema][0])


def stanza(trainer: Trainer, path: str, files: Sequence[str], fields: Fields) -> tuple[bytes, str]:
    """An entry, in UTF-8, for the records in ``files``, and where it goes: beside the output ``path``.

    Raises
    ------
    EntropyLawError
        If there is none for records like these.
    """
    if trainer == "llamafactory":
        content = json_bytes(_llamafactory(files, fields), indent=2)
    else:
        content = _yaml({"datasets": [_axolotl(path, files, fields)]}).encode()
    return content, stanza_path(trainer, path)


def stanza_path(trainer: str, path: str | os.PathLike[str]) -> str:
    """Where the entry for an output goes."""
    return f"{os.fspath(path)}.{TRAINERS[trainer]}"


def _llamafactory(files: Sequence[str], fields: Fields) -> dict[str, Any]:
    """An entry for each file: the trainer reads whole directories or one file, and ``dataset:`` takes several names."""
    entry: dict[str, Any] = {}
    if fields.schema in _TURNS:
        role, text = fields.keys()
        calls = "tool_calls" in fields.turn_keys
        # Its own format "openai" knows tool calls; what it calls "sharegpt" is any list of turns.
        entry["formatting"] = (
            "openai" if calls or (fields.schema == "openai" and "tool" in fields.roles) else "sharegpt"
        )
        entry["columns"] = {"messages": fields.turns()} | _present(fields, "system", "tools")
        names = {name: _named(fields, name) for name in _ROLES}
        entry["tags"] = {"role_tag": role, "content_tag": text}
        entry["tags"] |= {f"{name}_tag": known for name, known in names.items()}
        if others := sorted(fields.roles.keys() - set(names.values())):
            _log.warning(
                "LLaMA-Factory knows one name for each role, and skips records with %s", display(", ".join(others))
            )
    elif fields.schema in _ASKED and (columns := fields.columns(**_ASKED[fields.schema])):
        query = next((name for name in ("input", "context") if name in fields.names), None)
        entry |= {"ranking": True} if fields.schema == "preference" else {}
        entry["columns"] = columns | ({"query": query} if query else {})
        entry["columns"] |= _present(fields, "system", "tools", "history")
    elif text_field := fields.text():
        entry["columns"] = {"prompt": text_field}
    else:
        raise _none("LLaMA-Factory", fields)
    if label := _kto_label(fields):
        entry["columns"]["kto_tag"] = label
    return {re.sub(r"[^\w-]+", "_", Path(file).stem): {"file_name": Path(file).name, **entry} for file in files}


def _axolotl(path: str, files: Sequence[str], fields: Fields) -> dict[str, Any]:
    ds_type = {"csv": "csv", "tsv": "csv", "parquet": "parquet", "arrow": "arrow"}.get(named_format(path) or "", "json")
    entry: dict[str, Any] = {"path": files[0], "ds_type": ds_type}
    if len(files) > 1:
        entry["path"] = joined(path, "").rstrip("/") if is_url(path) else str(Path(path).parent)
        entry["data_files"] = [Path(file).name for file in files]
    if fields.schema in _TURNS:
        role, text = fields.keys()
        entry |= {"type": "chat_template", "field_messages": fields.turns()}
        entry["message_property_mappings"] = {"role": role, "content": text}
        if not fields.roles.keys() <= _AXOLOTL_KNOWS:
            targets = {"user": "user", "assistant": "assistant", "system": "system", "tool": "observation"}
            entry["roles"] = {target: list(_ROLES[name]) for target, name in targets.items()}
    elif fields.schema == "alpaca" and {"instruction", "output"} <= fields.texts:
        entry["type"] = "alpaca"
    elif fields.schema in ("alpaca", "completion") and (columns := fields.columns(**_ASKED[fields.schema])):
        query = next((name for name in ("input", "context") if name in fields.texts), None)
        entry["type"] = {"field_instruction": columns["prompt"]} | ({"field_input": query} if query else {})
        entry["type"] |= {"field_output": columns["response"]}
        entry["type"] |= {"format": "{instruction}\n{input}" if query else "{instruction}"}
        entry["type"] |= {"no_input_format": "{instruction}"}
    elif text_field := fields.text():
        entry |= {"type": "completion", "field": text_field}
    else:
        raise _none("Axolotl", fields)
    if label := _kto_label(fields):
        _log.warning("the entry for Axolotl is for fine-tuning: it takes unwanted answers, too, not heeding %r", label)
    return entry


def _kto_label(fields: Fields) -> str | None:
    return next((name for name in _LABELS if name in fields.labels), None)


def _named(fields: Fields, role: str) -> str:
    """What the records call a role most often; its first name if they don't have it."""
    names = _ROLES[role] if fields.schema == "sharegpt" else tuple(reversed(_ROLES[role][:2]))
    return max(names, key=lambda name: fields.roles[name])


def _present(fields: Fields, *names: str) -> dict[str, str]:
    known = {"system": ("system", "system_prompt"), "tools": ("tools", "functions")}
    columns = {name: next((key for key in known.get(name, (name,)) if key in fields.names), None) for name in names}
    return {name: key for name, key in columns.items() if key}


def _none(trainer: str, fields: Fields) -> EntropyLawError:
    schema = fields.schema or "unknown"
    return EntropyLawError(
        f"there is no ready-made stanza for {trainer} and records of schema {schema!r}; leave out the stanza, or use "
        f"records of {', '.join((*_TURNS, 'alpaca', 'completion', 'text'))}"
    )


def _yaml(value: Any, indent: str = "") -> str:
    lines = []
    for key, item in value.items():
        if isinstance(item, dict):
            lines.append(f"{indent}{key}:\n{_yaml(item, indent + '  ')}")
        elif isinstance(item, list) and item and isinstance(item[0], dict):
            blocks = (_yaml(part, indent + "    ") for part in item)
            lines.append(f"{indent}{key}:\n" + "".join(f"{indent}  - {block.lstrip()}" for block in blocks))
        elif isinstance(item, list):
            lines.append(f"{indent}{key}:\n" + "".join(f"{indent}  - {_scalar(part)}\n" for part in item))
        else:
            lines.append(f"{indent}{key}: {_scalar(item)}\n")
    return "".join(lines)


def _scalar(text: str) -> str:
    """A text, in quotes where YAML needs them; those of JSON are YAML too."""
    plain = _PLAIN.fullmatch(text) and text.lower() not in _YAML_WORDS and text.isascii()
    return text if plain else json.dumps(text)
