"""What a model knows of held-out text: bits a byte, and right answers."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch.nn import functional

from judge.exam import Choice, Exam
from judge.train import autocast

_TOKENS_AT_ONCE = {"cpu": 2_048, "cuda": 8_192}
_CONTEXT = 1_024
"""Tokens that are predicted in one go; what is longer begins anew."""


def evaluate(model: Any, exam: Exam, precision: str) -> dict[str, Any]:
    """The scores: see ``summed`` for the bits, ``accuracies`` for the answers."""
    model.eval()
    with torch.no_grad():
        return _bits(model, exam, precision) | {"accuracy": _accuracy(model, exam, precision)}


def _bits(model: Any, exam: Exam, precision: str) -> dict[str, Any]:
    pieces, owners = [], []
    for number, passage in enumerate(exam.passages):
        for start in range(0, len(passage.ids), _CONTEXT):
            pieces.append([exam.separator, *passage.ids[start : start + _CONTEXT]])
            owners.append((number, start))
    costs: list[list[float]] = [[0.0] * len(passage.ids) for passage in exam.passages]
    for at, logits, ids in _predicted(model, pieces, precision):
        nats = functional.cross_entropy(logits[:, :-1].transpose(1, 2), ids[:, 1:], reduction="none").cpu().tolist()
        for place, row in zip(at, nats, strict=True):
            number, start = owners[place]
            count = len(pieces[place]) - 1
            costs[number][start : start + count] = row[:count]
    whole: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    response: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for passage, cost in zip(exam.passages, costs, strict=True):
        for total, nats, size in (
            (whole, math.fsum(cost), passage.bytes),
            (response, math.fsum(cost[passage.head :]), passage.response_bytes),
        ):
            total[passage.family][0] += nats / math.log(2)
            total[passage.family][1] += size
    return {"text": summed(whole, exam.weights), "response": summed(response, exam.weights)}


def summed(bits: Mapping[str, Sequence[float]], weights: Mapping[str, float]) -> dict[str, Any]:
    """Bits a byte from (bits, bytes) of each family: *macro*, families alike; *micro*, by their bytes in the pool."""
    families = {family: spent / size for family, (spent, size) in sorted(bits.items())}
    return {
        "macro": math.fsum(families.values()) / len(families),
        "micro": math.fsum(weights[family] * value for family, value in families.items()),
        "families": families,
    }


def _accuracy(model: Any, exam: Exam, precision: str) -> dict[str, float]:
    pieces, owners = [], []
    for number, choice in enumerate(exam.choices):
        # One token tells the answers apart as a rule: then what stands before them is enough.
        for answer in [choice.answers[0]] if _is_short(choice) else choice.answers:
            pieces.append([exam.separator, *choice.ids, *answer])
            owners.append(number)
    scores: dict[int, dict[int, list[float]]] = defaultdict(dict)
    for at, logits, ids in _predicted(model, pieces, precision):
        for row, place in enumerate(at):
            choice = exam.choices[owners[place]]
            before = len(choice.ids)
            if _is_short(choice):
                scores[owners[place]][place] = logits[row, before, [answer[0] for answer in choice.answers]].tolist()
            else:
                end = len(pieces[place])
                known = functional.log_softmax(logits[row, before : end - 1], -1)
                picked = known.gather(1, ids[row, before + 1 : end, None])
                scores[owners[place]][place] = [float(picked.sum())]
    right: dict[str, list[bool]] = defaultdict(list)
    for number, choice in enumerate(exam.choices):
        found = [score for _, rows in sorted(scores[number].items()) for score in rows]
        right[choice.family].append(max(range(len(found)), key=found.__getitem__) == choice.right)
    return {family: sum(found) / len(found) for family, found in sorted(right.items())}


def _is_short(choice: Choice) -> bool:
    return all(len(answer) == 1 for answer in choice.answers)


def _predicted(
    model: Any, pieces: Sequence[Sequence[int]], precision: str
) -> Iterator[tuple[list[int], torch.Tensor, torch.Tensor]]:
    """Batches of pieces of like lengths: which they are, their logits in float32, and their tokens, zero-filled."""
    device = next(model.parameters()).device
    limit = _TOKENS_AT_ONCE[device.type]
    order = sorted(range(len(pieces)), key=lambda place: (len(pieces[place]), place))
    while order:
        # The longest first, and as many as fit when filled up to its length.
        count = max(1, limit // len(pieces[order[-1]]))
        at, order = order[-count:], order[:-count]
        width = max(len(pieces[place]) for place in at)
        ids = torch.zeros(len(at), width, dtype=torch.int64)
        for row, place in enumerate(at):
            ids[row, : len(pieces[place])] = torch.tensor(pieces[place])
        ids = ids.to(device)
        # Filled on the right under a causal mask: what is predicted sees none of it.
        with autocast(device, precision):
            logits = model(ids).logits
        yield at, logits.float(), ids
