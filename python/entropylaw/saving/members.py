"""Adding members to a JSON object without touching the rest of it."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from entropylaw.errors import EntropyLawError

_decode_keys = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def with_members(record: bytes, members: Mapping[str, Any], where: str) -> bytes:
    """The JSON object ``record`` with ``members`` before its closing brace; all else as it is, byte for byte.

    Raises
    ------
    EntropyLawError
        If the record is no object, or has one of these members already; ``where`` says which record it is.
    """
    body = record.rstrip(b" \t\r\n")
    if not body.endswith(b"}") or not record.lstrip(b" \t\r\n").startswith(b"{"):
        raise EntropyLawError(f"{where}: the record is not an object; columns can't be added to it")
    keys = _keys(body)
    for name in members:
        if name in keys:
            raise EntropyLawError(
                f"{where}: the record has a member {name!r} already; remove it, or don't add that one"
            )
    added = json.dumps(members)[1:-1].encode()
    return body[:-1] + (b", " if keys else b"") + added + b"}" + record[len(body) :]


def _keys(record: bytes) -> Mapping[str, Any]:
    try:
        return _decode_keys(record)
    except (msgspec.MsgspecError, RecursionError):
        # What Python's own parser takes beyond JSON: NaN, lone surrogates.
        keys: dict[str, Any] = json.loads(record)
        return keys
