"""Where the response to an instruction begins in each sample, and how much the instruction tells of it."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entropylaw import _core
from entropylaw.errors import EntropyLawError
from entropylaw.pool import Pool
from entropylaw.pool.schema import SCHEMAS, Member, RecordError, Schema
from entropylaw.pool.text import text_of

_CONTAINER = 6
"""Bytes of zlib's header and checksum, which no text is in."""
_ASKS = frozenset({"user", "human", "system", "prompter", "tool", "function", "ipython", "observation"})
"""Roles whose turn is no response."""


def alignment(
    pool: Pool, threads: int | None = None, progress: Callable[[_core.Progress], object] | None = None
) -> NDArray[np.float64]:
    """How many bits of each byte of a sample's response its instruction tells; shape ``(len(pool),)``.

    ``8 * (C(r) - (C(ir) - C(i))) / len(r)``: C is the length under zlib, level 9, without header and checksum, ``r``
    the response and ``i`` all text before it. It is 0 for a sample without a response or without anything before it,
    and where the instruction tells nothing. After the instruction-response alignment of FedDQC (arXiv 2410.11540),
    which takes the losses of a language model.

    Raises
    ------
    EntropyLawError
        If the records have no form in which a response is known.
    """
    starts = pool.offsets[:-1]
    middles = pool.offsets[1:] - responses(pool)
    # Instruction, response, instruction, response, and so on, which lie side by side.
    parts = np.empty(2 * len(pool) + 1, dtype=np.int64)
    parts[0:-1:2], parts[1::2], parts[-1] = starts, middles, pool.offsets[-1]
    alone = _core.measure_each(pool.data, parts, threads=threads, progress=progress)
    together = _core.measure_each(pool.data, pool.offsets, threads=threads, progress=progress)
    asked, answered = alone[0::2], alone[1::2] - _CONTAINER
    lengths = pool.offsets[1:] - middles
    told = 8 * (answered - (together - asked)) / np.maximum(lengths, 1)
    found: NDArray[np.float64] = np.where((lengths > 0) & (middles > starts), np.maximum(told, 0), 0.0)
    return found


def responses(pool: Pool) -> NDArray[np.int64]:
    """Bytes of the response that ends each sample, 0 without one; shape ``(len(pool),)``.

    The response is the output of an instruction, the completion of a prompt, or the last turn, unless its role says
    that it is another one's.

    Raises
    ------
    EntropyLawError
        If the records have no form in which a response is known.
    """
    schema = SCHEMAS.get(pool.schema or "")
    last = None if schema is None or not schema.members else schema.members[-1]
    if pool.options.get("render") != "text" or last is None or schema is None or schema.name in ("text", "preference"):
        found = "another rendering" if pool.options.get("render") != "text" else f"the schema {pool.schema}"
        raise EntropyLawError(
            f"alignment is of instructions and responses, and the pool has {found}: it takes the text of records with "
            "a prompt and a completion, an instruction and an output, or turns"
        )
    of_response = Schema(schema.name, (last,))
    sizes = np.zeros(len(pool), dtype=np.int64)
    for index, record in enumerate(pool.records.objects(range(len(pool)))):
        answer = _response(record, last)
        if answer is not None:
            try:
                sizes[index] = len(text_of(answer, of_response)[0].encode())
            except RecordError as error:
                raise EntropyLawError(f"{pool.records.where(index)}: {error}") from None
    return sizes


def _response(record: Mapping[str, Any], member: Member) -> dict[str, Any] | None:
    """The record with nothing but its response, if it has one."""
    name, value = next((name, value) for name in member.names if (value := record.get(name)) is not None)
    if member.kind != "turns":
        return {name: value}
    if not value or (isinstance(value[-1], dict) and _role(value[-1]) in _ASKS):
        return None
    return {name: value[-1:]}


def _role(turn: Mapping[str, Any]) -> str:
    return str(turn.get("role") or turn.get("from") or "").lower()
