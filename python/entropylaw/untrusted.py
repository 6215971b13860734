"""Files that anybody may have written: read as what they should be, or refused in one line."""

import json
import math
import os
from typing import Any, TypeVar

import msgspec

from entropylaw.errors import EntropyLawError, clause
from entropylaw.storage.objects import read_bytes
from entropylaw.storage.urls import shown

MOST_BYTES = 1 << 26
"""Bytes that such a file may have: ours have some kilobytes."""
_MOST_CHARACTERS = 300

T = TypeVar("T")


class Strict(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An object that has these members and no others."""


def read_json(path: str | os.PathLike[str], what: str, remedy: str) -> Any:
    """The JSON value in a file that should be ``what``, such as "a law".

    Raises
    ------
    EntropyLawError
        If the file can't be read, is larger than any such file, is not JSON, or has a number that is not finite.
    """
    where = shown(path)
    try:
        content = read_bytes(path, MOST_BYTES + 1)
    except EntropyLawError:
        raise
    except (OSError, ValueError) as error:
        raise EntropyLawError(f"{where}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(content) > MOST_BYTES:
        raise EntropyLawError(f"{where}: is not {what}: it has more than {MOST_BYTES:,} bytes; {remedy}")
    try:
        return json.loads(content, parse_constant=_not_finite, parse_float=_finite)
    except (ValueError, RecursionError):
        raise EntropyLawError(f"{where}: is not {what}: it is not JSON; {remedy}") from None


def fitted(value: Any, kind: type[T]) -> T:
    """``value`` as the type that it should have.

    Raises
    ------
    EntropyLawError
        With why it has not, to be completed by where it is.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        reason = str(error)
    except UnicodeEncodeError:
        # msgspec can't tell of a key that is no text.
        reason = "Object contains an unknown field"
    raise EntropyLawError(brief(clause(reason)))


def brief(text: str) -> str:
    """Text out of such a file, cut and on one line, to be shown."""
    line = "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)
    return line if len(line) <= _MOST_CHARACTERS else line[: _MOST_CHARACTERS - 3] + "..."


def _not_finite(constant: str) -> float:
    raise ValueError(f"{constant} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text} is no finite number")
    return number
