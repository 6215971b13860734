"""How many tokens each sample has."""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from entropylaw import parameters
from entropylaw.errors import EntropyLawError
from entropylaw.places import is_file
from entropylaw.pool import Pool
from entropylaw.storage.objects import read_bytes
from entropylaw.storage.urls import is_url, shown

Counter = Callable[[list[str]], Sequence[int]]
"""Counts the tokens of each text."""

TIKTOKEN = "tiktoken:"
MOST_TOKENS = 2**32 - 1
"""Of a sample."""
_BATCH_SAMPLES = 1024
_BATCH_BYTES = 1 << 20


@dataclass(frozen=True)
class TokenizerFile:
    """A tokenizer's file, which counts tokens by what it held when it was read, whatever becomes of it."""

    name: str
    size: int
    """Bytes in it."""
    sha256: str
    content: bytes = field(repr=False)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """Reads the file at ``path``.

        Raises
        ------
        EntropyLawError
            If it can't be read.
        """
        name = shown(path)
        try:
            content = read_bytes(path)
        except EntropyLawError:
            raise
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise EntropyLawError(f"{name}: can't be read as a tokenizer: {reason}") from None
        return cls(name, len(content), hashlib.sha256(content).hexdigest(), content)

    def __fspath__(self) -> str:
        return self.name

    def __str__(self) -> str:
        return self.name


def is_tokenizer(tokens: object) -> bool:
    """Whether ``tokens`` counts tokens, rather than naming a field or holding the counts."""
    if isinstance(tokens, os.PathLike):
        return True
    if isinstance(tokens, str):
        return tokens.startswith(TIKTOKEN) or (tokens.endswith(".json") and (is_url(tokens) or is_file(tokens)))
    return counter_methods(tokens) is not None or callable(tokens)


def counter_methods(tokenizer: object) -> str | None:
    """The method by which a known tokenizer takes many texts."""
    methods = ("encode_ordinary_batch", "encode_batch_fast", "encode_batch")
    return next((method for method in methods if callable(getattr(tokenizer, method, None))), None)


def count_tokens(pool: Pool, tokenizer: Any) -> NDArray[np.int64]:
    """Tokens of each sample, special ones not included; shape ``(len(pool),)``.

    Parameters
    ----------
    tokenizer
        A ``tokenizers.Tokenizer`` or the path of its file, a ``tiktoken.Encoding`` or ``"tiktoken:NAME"``, a fast
        tokenizer of transformers, or a function from a list of texts to their numbers of tokens. A sample that is not
        UTF-8 is tokenised with U+FFFD in place of what is not.

    Raises
    ------
    EntropyLawError
        If the tokenizer can't be had, or returns something else.
    """
    count = _counter(tokenizer)
    counts = np.zeros(len(pool), dtype=np.int64)
    at = 0
    for texts in _batches(pool):
        counts[at : at + len(texts)] = _whole(count(texts), len(texts))
        at += len(texts)
    return counts


def _whole(found: Any, texts: int) -> NDArray[np.int64]:
    """What a tokenizer returned for so many texts."""
    if isinstance(found, str | bytes) or not hasattr(found, "__len__"):
        raise EntropyLawError(f"the tokenizer returned {parameters.shown(found)}, not a number for each text")
    if len(found) != texts:
        raise EntropyLawError(f"the tokenizer returned {len(found)} counts for {texts} texts")
    counts = [parameters.whole("a count of the tokenizer", count, 0, MOST_TOKENS) for count in found]
    return np.array(counts, dtype=np.int64)


def _batches(pool: Pool) -> Iterator[list[str]]:
    texts: list[str] = []
    size = 0
    for index in range(len(pool)):
        sample = pool.sample(index)
        texts.append(sample.decode(errors="replace"))
        size += len(sample)
        if len(texts) >= _BATCH_SAMPLES or size >= _BATCH_BYTES:
            yield texts
            texts, size = [], 0
    if texts:
        yield texts


def _counter(tokenizer: Any) -> Counter:
    if isinstance(tokenizer, str) and tokenizer.startswith(TIKTOKEN):
        tokenizer = _tiktoken(tokenizer.removeprefix(TIKTOKEN))
    elif isinstance(tokenizer, str | os.PathLike):
        tokenizer = _loaded(tokenizer if isinstance(tokenizer, TokenizerFile) else TokenizerFile.read(tokenizer))
    # A fast tokenizer of transformers has one of tokenizers inside.
    tokenizer = getattr(tokenizer, "backend_tokenizer", tokenizer)
    method = counter_methods(tokenizer)
    if method is None:
        count: Counter = tokenizer
        return count
    encode = getattr(_uncut(tokenizer), method)
    if method == "encode_ordinary_batch":
        return lambda texts: [len(tokens) for tokens in encode(texts)]
    return lambda texts: [len(encoding) for encoding in encode(texts, add_special_tokens=False)]


def _uncut(tokenizer: Any) -> Any:
    """The tokenizer without truncation and padding, which would change the counts; the user's own stays as it is."""
    if getattr(tokenizer, "truncation", None) is None and getattr(tokenizer, "padding", None) is None:
        return tokenizer
    copy = type(tokenizer).from_str(tokenizer.to_str())
    copy.no_truncation()
    copy.no_padding()
    return copy


def _tiktoken(name: str) -> Any:
    try:
        import tiktoken
    except ImportError:
        raise EntropyLawError(
            "counting tokens with tiktoken needs the package tiktoken: pip install tiktoken"
        ) from None
    try:
        return tiktoken.get_encoding(name)
    except Exception as error:
        raise EntropyLawError(f"tiktoken can't give the encoding {name!r}: {_line(error)}") from None


def _loaded(file: TokenizerFile) -> Any:
    try:
        import tokenizers
    except ImportError:
        raise EntropyLawError(
            f"{file}: reading a tokenizer's file needs the package tokenizers: pip install tokenizers"
        ) from None
    try:
        return tokenizers.Tokenizer.from_buffer(file.content)
    except Exception as error:
        raise EntropyLawError(f"{file}: can't be read as a tokenizer: {_line(error)}") from None


def _line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]
