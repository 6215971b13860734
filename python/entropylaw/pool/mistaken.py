"""What would be read as something else than is meant: open files, names of files, and lines of JSON, as texts."""

import json
import logging
import os
from collections.abc import Sequence
from itertools import islice
from typing import Any

from entropylaw.errors import EntropyLawError
from entropylaw.places import is_directory, is_file
from entropylaw.pool.formats import named_format
from entropylaw.pool.model import Pool
from entropylaw.storage.urls import WEB, is_url, protocol_of, shown

_LOOKED_AT = 1000
"""Items of a list that are looked at."""
_LONGEST = 4096
"""Characters that the name of a file has at most."""
_SHOWN = 60
"""Characters of a text that a message shows."""
_PARSED = 8
"""Texts that are looked at for JSON."""

_log = logging.getLogger("entropylaw")


def check_no_open_file(pool: Any) -> None:
    """Raises EntropyLawError if it is an open file: its lines would be texts, whatever they hold."""
    if not callable(getattr(pool, "readline", None)):
        return
    name = getattr(pool, "name", None)
    path = f", {os.fsdecode(name)!r}" if isinstance(name, str | bytes) and is_file(os.fsdecode(name)) else ""
    raise EntropyLawError(
        f"the pool is an open file ({type(pool).__name__}), whose lines would be taken for texts; give its path{path}, "
        "or '-' for standard input, or the records on its lines: map(json.loads, FILE)"
    )


def check_no_names(texts: Sequence[Any]) -> None:
    """Raises EntropyLawError if a list that is to be read as texts holds names of files.

    It does if one of them, which ends like data, is there, or if each leads somewhere: to a file, to a directory, or to
    storage.
    """
    first = list(islice(texts, _LOOKED_AT))
    if not first or not all(isinstance(item, str) for item in first):
        return
    data = next((item for item in first if named_format(item) is not None and _is_there(item)), None)
    if data is None and not all(_is_there(item) or _is_stored(item) for item in first):
        return
    name = first[0] if data is None else data
    others = (item for item in first if item != name and named_format(item) is None)
    other = "" if (found := next(others, None)) is None else f", and {found[:_SHOWN]!r} ends like no data file"
    kind = "a URL" if is_url(name) else "a directory" if is_directory(name) else "a file"
    remedy = "give a URL that ends like no data file alone" if is_url(name) else "give paths as pathlib.Path"
    raise EntropyLawError(
        f"the pool is a list of str, of which {shown(name)!r} is {kind}{other}; {remedy}, and texts as records: "
        "{'text': ...}"
    )


def _is_there(name: str) -> bool:
    # Of names without a letter, such as "." and "", each leads somewhere.
    return len(name) <= _LONGEST and any(map(str.isalnum, name)) and (is_file(name) or is_directory(name))


def _is_stored(name: str) -> bool:
    """Whether it is a URL of storage; those of the web are texts as often."""
    return is_url(name) and protocol_of(name) not in WEB and not any(map(str.isspace, name))


def note_records_as_text(pool: Pool) -> None:
    """Warns of texts that are lines of JSON: what stands around their words would be sized as well."""
    first = [pool.sample(index) for index in range(min(_PARSED, len(pool)))]
    if first and all(map(_is_object, first)):
        _log.warning(
            "the texts are objects of JSON, and are read as they are; if they are records, parse them: "
            "map(json.loads, TEXTS)"
        )


def _is_object(text: bytes) -> bool:
    if not text.lstrip().startswith(b"{"):
        return False
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
