"""Records as tokens: the same for counting, for training and for predicting."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from judge.data import Record, digest

_AT_ONCE = 2_000


@dataclass(frozen=True, eq=False)
class Tokens:
    """The tokens of records, each followed by the separator: ``ids[ends[i - 1] : ends[i]]`` are record ``i``'s."""

    ids: NDArray[np.uint32]
    ends: NDArray[np.int64]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each record, its separator included."""
        return np.diff(self.ends, prepend=0)

    def of(self, index: int) -> NDArray[np.uint32]:
        """Those of one record."""
        return self.ids[self.ends[index - 1] if index else 0 : self.ends[index]]

    def only(self, indices: Sequence[int]) -> "Tokens":
        """Those of some records."""
        pieces = [self.of(index) for index in indices]
        return Tokens(np.concatenate([*pieces, np.empty(0, np.uint32)]), np.cumsum([len(piece) for piece in pieces]))


class Encoder:
    """A model's tokenizer, and its separator."""

    def __init__(self, model: Path) -> None:
        from tokenizers import Tokenizer

        from judge.weights import separator

        path = Path(model, "tokenizer.json")
        if not path.exists():
            raise FileNotFoundError(f"{path}: a model needs its fast tokenizer here")
        self._tokenizer: Any = Tokenizer.from_file(str(path))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self.separator = separator(model, self._tokenizer)
        self.digest = digest([path.read_text(encoding="utf-8"), str(self.separator)])

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """The tokens of texts, none added."""
        clean = [text.encode(errors="replace").decode() for text in texts]
        return [found.ids for found in self._tokenizer.encode_batch(clean, add_special_tokens=False)]

    def pairs(self, texts: Sequence[tuple[str, str]]) -> Iterator[tuple[list[int], list[int]]]:
        """The tokens of heads and of what follows: encoded apart, so that none crosses the border."""
        for start in range(0, len(texts), _AT_ONCE):
            heads, tails = zip(*texts[start : start + _AT_ONCE], strict=True)
            yield from zip(self.encode(heads), self.encode(tails), strict=True)

    def records(self, records: Sequence[Record]) -> Tokens:
        """The tokens of a pool."""
        pieces, ends, end = [], [], 0
        for head, tail in self.pairs([(record.head, record.response) for record in records]):
            piece = np.array([*head, *tail, self.separator], np.uint32)
            pieces.append(piece)
            end += len(piece)
            ends.append(end)
        return Tokens(np.concatenate([*pieces, np.empty(0, np.uint32)]), np.array(ends, np.int64))

    def cached(self, records: Sequence[Record], pool: str, directory: Path) -> Tokens:
        """The tokens of a pool of that digest, made once."""
        path = directory / f"tokens-{digest([pool, self.digest])[:16]}.npz"
        if path.exists():
            with np.load(path) as stored:
                return Tokens(stored["ids"], stored["ends"])
        tokens = self.records(records)
        unfinished = path.with_suffix(".part.npz")
        np.savez(unfinished, ids=tokens.ids, ends=tokens.ends)
        unfinished.replace(path)
        return tokens
