"""A task as tokens: what a model is asked, on any machine, without a tokenizer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from judge.data import Task, digest, size
from judge.encoding import Encoder


class Passage(NamedTuple):
    """Tokens to predict, after the separator: ``ids[:head]`` are the prompt's."""

    family: str
    ids: list[int]
    head: int
    bytes: int
    response_bytes: int


class Choice(NamedTuple):
    """A question: which of ``answers`` is likeliest after ``ids``? Number ``right`` is correct."""

    family: str
    ids: list[int]
    answers: list[list[int]]
    right: int


@dataclass(frozen=True)
class Exam:
    """What is measured."""

    passages: list[Passage]
    choices: list[Choice]
    weights: dict[str, float]
    separator: int
    digest: str
    """That of the task, and of how it became tokens."""

    @classmethod
    def of(cls, task: Task, encoder: Encoder) -> "Exam":
        """The exam that a task is for a model's tokenizer."""
        records = [record for family in task.heldout.values() for record in family]
        encoded = encoder.pairs([(record.head, record.response) for record in records])
        passages = [
            Passage(record.family, [*head, *tail], len(head), size(record.text), size(record.response))
            for record, (head, tail) in zip(records, encoded, strict=True)
        ]
        choices = []
        for question in task.questions:
            answers = encoder.encode(question.answers)
            shared = _shared(answers)
            (head,) = encoder.encode([question.head])
            ids = head + answers[0][:shared]
            choices.append(Choice(question.family, ids, [answer[shared:] for answer in answers], question.right))
        return cls(passages, choices, task.weights, encoder.separator, digest([task.digest, encoder.digest]))

    @classmethod
    def read(cls, stored: dict[str, Any]) -> "Exam":
        """An exam from what ``asdict`` and JSON made of it."""
        passages = [Passage(*found) for found in stored["passages"]]
        choices = [Choice(*found) for found in stored["choices"]]
        return cls(passages, choices, stored["weights"], stored["separator"], stored["digest"])

    def of_family(self, family: str) -> "Exam":
        """One family's passages alone, and no questions."""
        passages = [passage for passage in self.passages if passage.family == family]
        told = digest([self.digest, family])
        return replace(self, passages=passages, choices=[], weights={family: 1.0}, digest=told)


def _shared(answers: Sequence[Sequence[int]]) -> int:
    """How many tokens all answers begin with; each has one more at least."""
    longest = min(map(len, answers)) - 1
    for place in range(longest):
        if len({answer[place] for answer in answers}) > 1:
            return place
    return longest


def glimpse(exam: Exam) -> Exam:
    """The first passage of each family, and no questions: enough to see whether a model is the one expected."""
    first = {passage.family: passage for passage in reversed(exam.passages)}
    return replace(exam, passages=list(first.values()), choices=[])
