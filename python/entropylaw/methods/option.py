"""Options of a method: fields of its dataclass that say what they may be and what they are for.

A method declares each option once. Keywords of ``select``, flags of the command line, keys of ``--config``, members of
a manifest and the documentation are made of these declarations.
"""

import dataclasses
import textwrap
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from entropylaw import parameters
from entropylaw.errors import EntropyLawError

_NUMBERS = (int, float, bool)
_DOC_WIDTH = 108
_ANY = 2**53
"""A greater bound only keeps a number what the core can hold: nothing to tell a reader."""


@dataclasses.dataclass(frozen=True)
class _Declared:
    """What ``option`` was told."""

    what: str
    doc: str
    shown: str
    low: float | None
    high: float | None
    is_data: bool


def option(
    default: Any,
    what: str,
    *,
    doc: str = "",
    shown: str = "",
    low: float | None = None,
    high: float | None = None,
    data: bool = False,
) -> Any:
    """A field of a method's dataclass that is an option of it; its annotation says of which type.

    Types are ``int``, ``float``, ``bool``, ``str`` and ``Literal`` of texts, and any of these ``| None``. ``float |
    Literal["auto"]`` is a number or a word.

    Parameters
    ----------
    default
        What it is unless it is given.
    what
        What it is for, in some words, for ``--help``.
    doc
        The same at length, for the documentation.
    shown
        The default as ``--help`` shows it, where it depends on something.
    low, high : float, optional
        The least and the greatest number.
    data
        Whether it is something to read, as a pool is: anything that ``entropylaw.load`` takes. When the method runs, it
        is a ``Pool``.
    """
    return dataclasses.field(
        default=default, metadata={_Declared: _Declared(what, doc or what, shown, low, high, data)}
    )


class Option(NamedTuple):
    """An option of a method, as it was declared."""

    name: str
    kind: type | None
    """``int``, ``float``, ``bool`` or ``str``; None for data."""
    words: tuple[str, ...]
    """Texts that it may be: all of them if ``kind`` is str, besides numbers otherwise."""
    default: Any
    what: str
    doc: str
    shown: str
    """The default, as ``--help`` shows it."""
    low: Any
    high: Any
    is_data: bool
    type: Any
    """The annotation."""

    def checked(self, value: Any) -> Any:
        """The value as it has to be.

        Raises
        ------
        EntropyLawError
            If it can't be: with the option's name, what was found, and what it must be.
        """
        if self.is_data or (value is None and NoneType in get_args(self.type)):
            return value
        if isinstance(value, str) and value in self.words:
            return str(value)
        if self.kind is int:
            return parameters.whole(self.name, value, self.low, self.high)
        if self.kind is float:
            return parameters.real(self.name, value, self.low, self.high)
        if self.kind is bool:
            return parameters.flag(self.name, value)
        if self.words:
            return parameters.named(self.name, value, self.words)
        return parameters.text(self.name, value)


@cache
def options_of(method: type) -> tuple[Option, ...]:
    """The options of a method, in the order of its fields.

    Raises
    ------
    EntropyLawError
        If a field was not made by ``option``, or is of another type than options are: a mistake of the method's author.
    """
    if not dataclasses.is_dataclass(method):
        raise EntropyLawError(f"the method {method.__name__} is no dataclass, as a method has to be")
    hints = get_type_hints(method)
    return tuple(_option(method, field, hints[field.name]) for field in dataclasses.fields(method))


def _option(method: type, field: "dataclasses.Field[Any]", hint: Any) -> Option:
    declared = field.metadata.get(_Declared)
    if declared is None:
        raise EntropyLawError(f"{method.__name__}.{field.name} is no option: declare it with entropylaw.methods.option")
    parts = _parts(hint)
    literals = [part for part in parts if get_origin(part) is Literal]
    words = tuple(word for part in literals for word in get_args(part))
    kinds = [part for part in parts if part in _NUMBERS or part is str]
    if not declared.is_data and (len(kinds) + len(literals) < 1 or len(kinds) > 1):
        raise EntropyLawError(f"{method.__name__}.{field.name} is of {hint}, which no option can be")
    return Option(
        name=field.name,
        kind=None if declared.is_data else kinds[0] if kinds else str,
        words=words,
        default=field.default,
        what=declared.what,
        doc=declared.doc,
        shown=_shown(declared, field.default),
        low=declared.low,
        high=declared.high,
        is_data=declared.is_data,
        type=hint,
    )


def documented(name: str, hint: Any, field: "dataclasses.Field[Any]") -> list[str]:
    """An option's lines in the docstring of its method."""
    declared: _Declared = field.metadata[_Declared]
    shown = _shown(declared, field.default)
    high = None if declared.high is None or declared.high > _ANY else declared.high
    span = parameters.span(declared.low, high).removeprefix(",").strip()
    notes = [note for note in (span, f"by default {shown}" if shown else "") if note]
    text = "; ".join([declared.doc, *notes])
    lines = textwrap.wrap(f"{text[0].upper()}{text[1:]}.", _DOC_WIDTH)
    return [f"{name} : {'data' if declared.is_data else _described(hint)}", *(f"    {line}" for line in lines)]


def _shown(declared: _Declared, default: Any) -> str:
    """A default, as people see it; empty if there is none."""
    return declared.shown or ("" if default is None else str(default))


def _parts(hint: Any) -> tuple[Any, ...]:
    """The types that a value may be of."""
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def _described(hint: Any) -> str:
    """A type, as a docstring names it."""
    if isinstance(hint, str):
        return hint
    named = [
        " or ".join(f'"{word}"' for word in get_args(part)) if get_origin(part) is Literal else part.__name__
        for part in _parts(hint)
        if part is not NoneType
    ]
    return " or ".join(named)
