"""From records to samples."""

import copy
import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from entropylaw import _core
from entropylaw.errors import EntropyLawError, json_reason
from entropylaw.pool.encode import as_json
from entropylaw.pool.printable import printable
from entropylaw.pool.schema import (
    CALL,
    MESSAGE,
    SCHEMAS,
    Member,
    RecordError,
    Render,
    Schema,
    detect,
    field_schema,
    kind,
    missing,
)
from entropylaw.pool.template import compiled as template_function
from entropylaw.pool.template import template_text
from entropylaw.pool.text import text_of

_fast_decode = msgspec.json.Decoder().decode


class Compiled(NamedTuple):
    """How ``_core.RecordReader`` is to render."""

    schema: tuple[tuple[Member, ...], tuple[Member, ...], tuple[Member, ...]] | None = None
    field: str | None = None
    printable: bytes | None = None
    template: str | None = None


class Sample(NamedTuple):
    """A record, rendered."""

    content: bytes
    unread: Mapping[str, int]
    """The members of the record that are not in it, with the bytes of text in each."""


_NOTHING: Mapping[str, int] = {}


class Renderer:
    """Parses records and makes samples of them, one way for a whole pool.

    Parameters
    ----------
    render : {"text", "json", "repr"}, str or callable
        ``text``: the record's text. ``json``: the record as it is stored. ``repr``: Python's ``repr`` of the record.
        Other texts are templates, or files of one. A callable takes the parsed record and returns str or bytes.
    schema : str, optional
        Name of the schema, for ``text``; by default the first record decides.
    field : str, optional
        The field that holds the text, instead of a schema.

    Raises
    ------
    EntropyLawError
        If these don't go together.
    """

    def __init__(self, render: Render = "text", schema: str | None = None, field: str | None = None) -> None:
        if schema is not None and field is not None:
            raise EntropyLawError("give a schema or a field, not both: a field is a schema of its own")
        if render != "text" and (schema is not None or field is not None):
            raise EntropyLawError("a schema or a field says where the text is; it goes with the rendering 'text' only")
        if schema is not None and schema not in SCHEMAS:
            raise EntropyLawError(f"there is no schema {schema!r}; there are {', '.join(SCHEMAS)}")
        make: Callable[[Any], str | bytes] | None
        if callable(render):
            make, name = render, "function"
        elif render in _MAKERS:
            make, name = _MAKERS[render], render
        elif isinstance(render, str) and (template := template_text(render)) is not None:
            render, make, name = template, template_function(template), "template"
        else:
            raise EntropyLawError(
                f"there is no rendering {render!r}; there are 'text', 'json', any function, templates such as "
                "'{{ question }} {{ answer }}', and files of one, which end in .jinja"
            )
        self.schema: Schema | None = SCHEMAS[schema] if schema else field_schema(field) if field else None
        self.field = field
        self.schema_from: str | None = None
        """Where the record is that decided the schema."""
        self.given = render
        """The rendering; a template as it reads, wherever it was."""
        self.name = name
        """``text``, ``json`` or ``repr``; ``template`` or ``function``, whatever it is called."""
        self._make = make
        self._template = render if isinstance(render, str) and name == "template" else None
        self._template_keys = _core.RecordReader.template_keys(self._template) if self._template else None
        # The reference's samples show numbers as Python's own parser reads them.
        self._decode = json.loads if render == "repr" else _fast_decode

    def parse(self, raw: bytes) -> Any:
        """The record stored as ``raw``; see the function ``parse``."""
        return parse(raw, self._decode)

    def compiled(self) -> Compiled | None:
        """What ``_core.RecordReader`` has to know to render as this does; None if it can't, or not yet."""
        if self.name == "json":
            return Compiled()
        if self.name == "repr":
            return Compiled(printable=printable())
        if self._template_keys is not None:
            return Compiled(template=self._template)
        if self.name != "text" or self.schema is None:
            return None
        return Compiled(schema=(self.schema.members, MESSAGE, CALL), field=self.field)

    @property
    def reads(self) -> tuple[str, ...]:
        """The fields that samples are made of, as far as that is known."""
        return self.schema.reads if self.schema else tuple(self._template_keys or ())

    def columns(self, outline: Mapping[str, Any], where: str, remedy: str | None = None) -> tuple[str, ...] | None:
        """The fields that rendering a table takes, whose records are like ``outline``; None for all.

        ``remedy`` is what to do about a table without them, if the caller knows.

        Raises
        ------
        EntropyLawError
            If the table does not have the pool's schema.
        """
        if self.name != "text":
            return None
        try:
            return self._settled(dict(outline), where, "the table").reads
        except RecordError as error:
            mend = remedy or error.remedy
            raise EntropyLawError(f"{where}: {error}" + (f"; {mend}" if mend else "")) from None

    def render(self, record: Any, where: str, raw: bytes | None = None, own: bool = False) -> Sample:
        """The sample of a record, of which ``raw`` is how it is stored, if it is; ``own`` if it may be changed.

        Raises
        ------
        RecordError
            If the record does not have the pool's schema, or its text can't be written as UTF-8.
        """
        unread = _NOTHING
        sample: object
        if self.name == "json" and raw is not None:
            return Sample(raw, unread)
        if self._make is not None:
            # Nobody's records are changed, whatever a template or a function does with what it is given.
            sample = self._make(record if own or self.name in _READING else copy.deepcopy(record))
        elif isinstance(record, bytes | bytearray):
            sample = bytes(record)
        else:
            sample, unread = text_of(record, self._settled(record, where, "the record"))
        if isinstance(sample, bytes):
            return Sample(sample, unread)
        if not isinstance(sample, str):
            raise RecordError(f"the rendering returned {kind(sample)}, not str or bytes")
        try:
            return Sample(sample.encode(), unread)
        except UnicodeEncodeError as error:
            found = f"U+{ord(sample[error.start]):04X}"
            raise RecordError(f"its text has the lone surrogate {found}, which no valid Unicode text has") from None

    def _settled(self, record: Any, where: str, what: str) -> Schema:
        """The pool's schema, which the first record decides; raises RecordError if ``record`` does not have it."""
        if self.schema is None:
            self.schema = detect(record)
            self.schema_from = where
        if self.schema is None:
            found = f"the keys {', '.join(map(repr, record))}" if isinstance(record, dict) and record else kind(record)
            raise RecordError(
                f"{what} has none of the schemas {', '.join(SCHEMAS)}: found {found}",
                "name the field that holds its text (field=, --field), or write down what its text is as a template "
                "(render=, --render '{{ question }} {{ answer }}')",
            )
        if not self.schema.matches(record):
            since = f"; {self.schema_from} decided for it" if self.schema_from else ""
            raise RecordError(missing(record, self.schema, what) + since)
        return self.schema


_MAKERS: dict[str, Callable[[Any], str | bytes] | None] = {"text": None, "json": as_json, "repr": repr}
"""What makes a sample of a record, by rendering; for ``text`` that depends on the schema."""
_READING = frozenset(_MAKERS)
"""Renderings that change no record."""


def parse(raw: bytes, decode: Callable[[bytes], Any] = _fast_decode) -> Any:
    """The record stored as ``raw``.

    Raises
    ------
    RecordError
        If it is not JSON.
    """
    try:
        return decode(raw)
    except (ValueError, msgspec.MsgspecError, RecursionError):
        # Python's own parser takes a little more (NaN, lone surrogates), and says better where it fails.
        return _parse_with_reasons(raw)


def _parse_with_reasons(raw: bytes) -> Any:
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise RecordError(f"is not UTF-8: found byte 0x{raw[error.start]:02x} at byte {error.start + 1}") from None
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise RecordError(f"is not JSON: {json_reason(error, error.pos + 1, 'record')}") from None
    except RecursionError:
        raise RecordError("is nested too deeply to be read as JSON") from None
    except ValueError:
        raise RecordError("has an integer of more digits than Python reads") from None
