"""Leading a selection from a pool in parts: what ``select`` does, with the samples elsewhere."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entropylaw import _core
from entropylaw.asked import Asked
from entropylaw.errors import EntropyLawError
from entropylaw.methods.method import Method, Task
from entropylaw.parts.candidates import PartedCandidates
from entropylaw.parts.parts import Parts, Traffic
from entropylaw.parts.pieces import Listed
from entropylaw.parts.pool import PartedPool
from entropylaw.parts.reading import Reading, Settled
from entropylaw.pool import Pool
from entropylaw.pool.model import Fingerprint
from entropylaw.pool.records import Records
from entropylaw.pool.render import Renderer
from entropylaw.results import Selection
from entropylaw.runs.checkpoint import identity
from entropylaw.storage.options import in_use

METHODS = ("zip", "coverage", "random", "dsir", "top")
"""The methods whose leader sees samples through what parts answer alone."""
_HASHES = 1 << 20
"""Hashes of samples that are fetched at a time."""


@dataclass(frozen=True, eq=False)
class PartedTask(Task):
    """A task whose samples are in parts."""

    parts: Parts = field(kw_only=True)

    @property
    def is_parted(self) -> bool:
        """Whether the samples are elsewhere."""
        return True

    @property
    def _candidates(self) -> PartedCandidates:
        assert isinstance(self.candidates, PartedCandidates)
        return self.candidates

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Bytes of each candidate: an array as long as the pool."""
        return np.concatenate(self.parts.all("candidate_lengths"))

    @property
    def size(self) -> int:
        """Bytes of all candidates."""
        return sum(self.parts.all("candidate_bytes"))

    def sample(self, index: int) -> bytes:
        """A candidate, as it is sized."""
        return self.pool.sample(int(self.candidates.positions(np.array([index]))[0]))

    def core(
        self, method: str, options: dict[str, Any], *, multiple: int = 1, with_journal: bool = False
    ) -> _core.Picks:
        """What a method of the core picks, which sees the candidates through what their parts answer."""
        candidates = self._candidates
        given = cut_weights(candidates) if method == "top" else [None] * len(self.parts)
        firsts = candidates.layout.firsts[:-1].tolist()
        self.parts.call("open", list(zip(firsts, given, strict=True)))
        known = candidates.known
        picks = _core.select_parts(
            method,
            self.parts.ask,
            options,
            parts=len(self.parts),
            budget=-(-candidates.amount // multiple) * multiple,
            unit=candidates.budget.unit,
            quotas=candidates.quotas,
            shares=candidates.shares,
            known_data=known.data if isinstance(known, Pool) else None,
            known_offsets=known.offsets if isinstance(known, Pool) else None,
            journal=self.journal if with_journal else None,
            progress=self.progress,
        )
        if not len(picks.indices):
            raise EntropyLawError(candidates.nothing_fits())
        return picks


def cut_weights(candidates: PartedCandidates) -> list[Any]:
    """The weights as they were given, for each part: a field, or its own of an array."""
    given = candidates.parameters["weight"]
    if not isinstance(given, np.ndarray):
        return [given] * len(candidates.parts)
    pool = candidates.pool
    assert isinstance(pool, PartedPool)
    return np.split(given, pool.layout.firsts[1:-1])


def check_method(method: Method) -> None:
    """Raises EntropyLawError unless the method can select from a pool in parts."""
    if method.name not in METHODS:
        able = ", ".join(METHODS[:-1]) + f" or {METHODS[-1]}"
        raise EntropyLawError(
            f"method {method.name!r} compares samples that are in different parts, which can't see each other; "
            f"select by {able}, or on one machine"
        )


def reading_of(asked: Asked) -> Reading:
    """How the parts read their records."""
    given = asked.given
    render = asked.method.rendering(given["render"], given["schema"], given["field"])
    # A template's file is read here: there may be none of that name elsewhere.
    return Reading(
        render=Renderer(render, given["schema"], given["field"]).given,
        schema=given["schema"],
        field=given["field"],
        on_error=given["on_error"],
        group_by=asked.controls.group_field,
        format=given["format"],
        numbers=asked.controls.numbers,
        memory=given["memory"],
    )


def lead(
    parts: Parts,
    data: Sequence[Any],
    files: Sequence[Listed],
    asked: Asked,
    *,
    left_out: Sequence[str] = (),
    threads: Sequence[int | None],
    progress: Callable[[Any], object] | None = None,
    stages: dict[str, Traffic] | None = None,
    check: Callable[[Records], object] | None = None,
) -> Selection:
    """Selects from the pool that parts read.

    Parameters
    ----------
    parts
        What is to read ``data``, and then to be asked.
    data
        What each part reads: pieces of files, or rows.
    files
        The files of the pool, for the manifest.
    asked
        What is asked of the selection, with its data.
    left_out
        Files beside them that are not read.
    threads
        How many each part uses.
    progress
        Called with a ``Progress``.
    stages
        Takes what each stage took.
    check
        Called with the records once they are read; what it raises ends it.

    Raises
    ------
    EntropyLawError
        If the pool can't be used, or nothing can be selected.
    """
    stages = {} if stages is None else stages
    reading = reading_of(asked)
    check_method(asked.method)
    before = parts.traffic
    if options := in_use():
        parts.all("use", options)
    settled = _settled(parts, data, reading)
    loaded = parts.call("load", [(each, reading, *more) for each, *more in zip(data, settled, threads, strict=True)])
    pool = PartedPool.of(parts, loaded, files, reading, left_out)
    if check is not None:
        check(pool.records)
    stages["read"] = parts.traffic.since(before)
    before = parts.traffic
    target = asked.target
    candidates = PartedCandidates.in_parts(
        pool, parts, asked.budget, asked.controls, asked.method.dedupes, target if isinstance(target, Pool) else None
    )
    stages["controls"] = parts.traffic.since(before)
    before = parts.traffic
    task = PartedTask(candidates, None, progress, parts=parts)
    selection = asked.run(task, _identity(asked.method, candidates, parts) if asked.checkpoint else {})
    stages["select"] = parts.traffic.since(before)
    return selection


def _settled(parts: Parts, data: Sequence[Any], reading: Reading) -> list[Settled | None]:
    """For each part the schema that the first record of the pool decides, if that is in a part before it: the others
    meet it where whoever reads the whole does, and so say the same of records before it that have none."""
    settled: list[Settled | None] = [None] * len(data)
    renderer = reading.renderer()
    if renderer.name != "text" or renderer.schema is not None:
        return settled
    for number, each in enumerate(data):
        found: Settled | None = parts.one(number, "settle", each, reading)
        if found is not None:
            settled[number + 1 :] = [found] * (len(data) - number - 1)
            break
    return settled


def _identity(method: Method, candidates: PartedCandidates, parts: Parts) -> Mapping[str, Any]:
    """The identity of a selection in parts, whatever the parts are; see ``checkpoint.identity``.

    It has a hash of the samples' hashes, because that of all text is one of a stream that passes through one place.
    """
    pool = candidates.pool
    assert isinstance(pool, PartedPool)
    digest = hashlib.sha256()
    for number, part in enumerate(pool.loaded):
        for start in range(0, part.samples, _HASHES):
            digest.update(parts.one(number, "sample_hashes", start, start + _HASHES))
    found = identity(method, candidates, Fingerprint(len(pool), pool.size, digest.hexdigest()))
    # Its journal is not that of a selection on one machine.
    return found | {"method": f"{method.name} (parts)"}
