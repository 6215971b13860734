"""Pools of instruction records, and what is held out of them to judge subsets by. Needs no PyTorch."""

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

_SHARE = 0.05
_LONGEST = 4_000
"""Bytes of the longest record that is predicted, so that no single one decides a family's score."""
_TARGET = 30_000
"""Bytes of samples of what a subset is for."""
_CHOICES = ("adapters/boolq", "adapters/ARC-Easy", "adapters/ARC-Challenge", "adapters/openbookqa")
_FORMAT = re.compile(r"Answer format: (\S+(?:/\S+)+)\s*\Z")


class Record(NamedTuple):
    """A prompt, the response to it, and where they are from."""

    prompt: str
    response: str
    family: str

    @property
    def head(self) -> str:
        """What stands before the response."""
        return f"{self.prompt}\n"

    @property
    def text(self) -> str:
        """What a model is trained on, and what ``entropylaw`` makes of the record."""
        return self.head + self.response


class Question(NamedTuple):
    """A multiple-choice record: the likeliest of ``answers`` is the model's, number ``right`` is the record's."""

    family: str
    head: str
    answers: list[str]
    right: int


@dataclass(frozen=True)
class Task:
    """What a model is judged by."""

    heldout: dict[str, list[Record]]
    """Of each family, about as many bytes."""
    weights: dict[str, float]
    """Each family's share of the pool's bytes, among these families."""
    questions: list[Question]
    unmeasured: list[str]
    """Families of which too little is held out."""
    targets: dict[str, list[Record]]
    """Of each family, held-out records that nothing is measured on: samples of what a subset may be for."""

    @property
    def digest(self) -> str:
        """SHA-256 of all of it."""
        return digest([json.dumps([self.heldout, self.weights, self.questions], sort_keys=True)])


def digest(texts: Iterable[str]) -> str:
    """SHA-256 of texts, in order; where one ends matters."""
    state = hashlib.sha256()
    for text in texts:
        data = text.encode(errors="surrogatepass")
        state.update(len(data).to_bytes(8, "big") + data)
    return state.hexdigest()


def size(text: str) -> int:
    """Bytes of a text."""
    return len(text.encode(errors="surrogatepass"))


def family_of(source: str) -> str:
    """The first part of a source, and the second one where the first only says who collected the sets."""
    first, *rest = source.split("/")
    return "/".join([first, *rest[:1]]) if first == "adapters" else first


def record_of(record: dict[str, Any]) -> Record | None:
    """The record's prompt and response; None if either is empty.

    Raises
    ------
    ValueError
        If it is neither ShareGPT nor Alpaca.
    """
    if "conversations" in record:
        *before, last = (turn["value"] for turn in record["conversations"])
        prompt = "\n".join(before)
    elif "instruction" in record:
        prompt = "\n".join(filter(None, (record["instruction"], record.get("input"))))
        last = record["output"]
    else:
        raise ValueError(f"a record with neither conversations nor an instruction: {', '.join(record)}")
    return Record(prompt, last, family_of(record.get("source", ""))) if prompt.strip() and last.strip() else None


def read(paths: Sequence[str | Path], every: int = 1) -> list[Record]:
    """The records of all files, or every so many-th of them."""
    from entropylaw.pool import load

    pool = load([str(path) for path in paths], paths=True)
    found = (record_of(json.loads(raw)) for raw in pool.records.raw(range(0, len(pool), every)))
    return [record for record in found if record is not None]


def _rank(*parts: str) -> str:
    return digest(["judge", *parts])


def is_held_out(prompt: str) -> bool:
    """Whether a prompt, whatever its case and spaces, is one of the 5 % that no subset may hold."""
    return int(_rank(" ".join(prompt.split()).casefold())[:16], 16) < _SHARE * 16**16


def split(records: Sequence[Record], *, heldout: int = 11_000, questions: int = 100) -> tuple[list[Record], Task]:
    """The pool to select from, and the task: up to ``heldout`` bytes and ``questions`` questions of a family.

    Only a prompt decides whether it is held out, so that neither another answer to it nor another source's copy of it
    can be selected. Of a prompt, one record is predicted. Families with less than a third of ``heldout`` are not.
    """
    pool, aside = [], defaultdict(list)
    total: dict[str, int] = defaultdict(int)
    for record in records:
        total[record.family] += size(record.text)
        if is_held_out(record.prompt):
            aside[record.family].append(record)
        else:
            pool.append(record)
    measured: dict[str, list[Record]] = {}
    targets: dict[str, list[Record]] = {}
    asked: list[Question] = []
    for family in sorted(total):
        ranked = sorted(aside[family], key=lambda record: _rank(record.prompt, record.response))
        once = list({record.prompt: record for record in reversed(ranked)}.values())[::-1]
        chosen = list(_up_to(once, heldout))
        if sum(size(record.text) for record in chosen) >= heldout / 3:
            measured[family] = chosen
            examined = {record.prompt for record in chosen}
            targets[family] = list(_up_to((record for record in once if record.prompt not in examined), _TARGET))
        if family in _CHOICES:
            asked += [found for found in map(question_of, once) if found][:questions]
    weight = sum(total[family] for family in measured)
    task = Task(
        heldout=measured,
        weights={family: total[family] / weight for family in measured},
        questions=asked,
        unmeasured=sorted(set(total) - set(measured)),
        targets=targets,
    )
    return pool, task


def _up_to(records: Iterable[Record], limit: int) -> Iterator[Record]:
    spent = 0
    for record in records:
        if spent >= limit:
            return
        if size(record.text) <= _LONGEST:
            spent += size(record.text)
            yield record


def question_of(record: Record) -> Question | None:
    """The question that a record asks, if its prompt ends in the choices and its response in one of them."""
    found = _FORMAT.search(record.prompt)
    if not found:
        return None
    choices = found[1].split("/")
    stem, _, answer = record.response.strip().rpartition(" ")
    if answer not in choices or not stem:
        return None
    return Question(record.family, record.head, [f"{stem} {choice}" for choice in choices], choices.index(answer))


def write(records: Iterable[Record], path: Path) -> None:
    """Writes a pool as JSON Lines for ``entropylaw``, with ``family`` as a field to group by."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for record in records:
            turns = [{"from": "human", "value": record.prompt}, {"from": "gpt", "value": record.response}]
            file.write(json.dumps({"conversations": turns, "source": record.family, "family": record.family}) + "\n")
