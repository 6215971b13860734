"""Budgets in tokens, counted by whatever counts them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import entropylaw
from entropylaw import EntropyLawError
from entropylaw.controls.tokens import count_tokens
from entropylaw.pool import load

TEXTS = ["the cat sat", "a dog", "the dog ran and ran", "", "é ü the", "cat"]
WORDS = [3, 2, 5, 0, 3, 1]


def by_words(texts: list[str]) -> list[int]:
    return [len(text.split()) for text in texts]


@pytest.fixture
def tokenizer() -> Any:
    tokenizers = pytest.importorskip("tokenizers", reason="an optional package")
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel({"[UNK]": 0, "the": 1}, unk_token="[UNK]"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    made.post_processor = tokenizers.processors.TemplateProcessing("[UNK] $A", special_tokens=[("[UNK]", 0)])
    made.enable_truncation(2)
    made.enable_padding()
    return made


def test_a_function_counts() -> None:
    assert count_tokens(load(TEXTS), by_words).tolist() == WORDS


@pytest.mark.parametrize("kind", [int, float, np.int64, np.uint8, np.float32])
def test_whole_numbers_of_any_kind_are_counts(kind: Any) -> None:
    assert count_tokens(load(TEXTS), lambda texts: [kind(count) for count in by_words(texts)]).tolist() == WORDS
    assert count_tokens(load(TEXTS), lambda texts: np.array(by_words(texts), dtype=kind)).tolist() == WORDS


def test_many_samples_are_counted_in_batches() -> None:
    sizes = []

    def count(texts: list[str]) -> list[int]:
        sizes.append(len(texts))
        return by_words(texts)

    pool = load(["a b"] * 5000 + ["x " * 400_000] * 4)
    assert count_tokens(pool, count).tolist() == [2] * 5000 + [400_000] * 4
    assert max(sizes) <= 1024
    assert len(sizes) < 12


def test_a_tokenizer_counts_whole_texts_without_special_tokens(tokenizer: Any, tmp_path: Path) -> None:
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    pool = load(TEXTS)
    for tokens in (tokenizer, tmp_path / "tokenizer.json", str(tmp_path / "tokenizer.json")):
        assert count_tokens(pool, tokens).tolist() == WORDS
    assert tokenizer.truncation["max_length"] == 2, "the user's own is as it was"
    inside = type("Fast", (), {"backend_tokenizer": tokenizer, "__call__": lambda *_: None})()
    assert count_tokens(pool, inside).tolist() == WORDS


def test_an_encoding_of_tiktoken_counts() -> None:
    tiktoken = pytest.importorskip("tiktoken", reason="an optional package")
    ranks = {bytes([byte]): byte for byte in range(256)} | {b"th": 256, b"the": 257}
    encoding = tiktoken.Encoding("test", pat_str=r"\w+|\s+", mergeable_ranks=ranks, special_tokens={"<|x|>": 300})
    pool = load(["the cat", "<|x|>", b"\xff the"])
    counts = count_tokens(pool, encoding)
    assert counts.tolist() == [len(encoding.encode_ordinary(text)) for text in ("the cat", "<|x|>", "\ufffd the")]
    assert counts[0] == 5


@pytest.mark.parametrize("method", ["zip", "coverage", "random"])
def test_every_way_to_count_selects_alike(method: Any, tokenizer: Any, tmp_path: Path) -> None:
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    records = [{"text": text, "n": count} for text, count in zip(TEXTS, WORDS, strict=True)]
    runs = [
        entropylaw.select(records, budget="8 tokens", method=method, tokens=tokens)
        for tokens in ("n", WORDS, by_words, tokenizer, str(tmp_path / "tokenizer.json"))
    ]
    for run in runs:
        assert run.indices.tolist() == runs[0].indices.tolist()
        assert run.controls["budget"] == runs[0].controls["budget"]
    assert sum(WORDS[index] for index in runs[0].indices) == runs[0].controls["budget"]["selected"] <= 8


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (lambda texts: [1], "the tokenizer returned 1 counts for 6 texts"),
        (
            lambda texts: [2.9] * 6,
            r"a count of the tokenizer is 2.9; it must be a whole number from 0 to 4,294,967,295$",
        ),
        (
            lambda texts: np.array([1, 2, 3, 4, 5, 0.5]),
            r"the tokenizer is np.float64\(0.5\); it must be a whole",
        ),
        (lambda texts: [1, 2, 3, 4, 5, -1], "a count of the tokenizer is -1; it must be a whole number from 0 to"),
        (lambda texts: [2**32] * 6, "a count of the tokenizer is 4294967296; it must be a whole number from 0 to"),
        (lambda texts: [float("nan")] * 6, "a count of the tokenizer is nan; it must be a whole number"),
        (lambda texts: [None] * 6, "a count of the tokenizer is None; it must be a whole number"),
        (lambda texts: [True] * 6, "a count of the tokenizer is True; it must be a whole number"),
        (lambda texts: ["1"] * 6, "a count of the tokenizer is '1'; it must be a whole number"),
        (lambda texts: [[1], [2]] * 3, r"a count of the tokenizer is \[1\]; it must be a whole number"),
        (lambda texts: "123456", "the tokenizer returned '123456', not a number for each text"),
        (lambda texts: 6, "the tokenizer returned 6, not a number for each text"),
        (
            lambda texts: iter([1] * 6),
            "the tokenizer returned <list_iterator .*>, not a number for each text",
        ),
        ("tiktoken:no-such-encoding", "tiktoken can't give the encoding 'no-such-encoding': Unknown encoding"),
    ],
)
def test_counters_that_do_not_work(tokens: Any, message: str) -> None:
    if isinstance(tokens, str):
        pytest.importorskip("tiktoken", reason="an optional package")
    with pytest.raises(EntropyLawError, match=message):
        entropylaw.select(TEXTS, budget="8 tokens", tokens=tokens)


def test_a_file_that_is_no_tokenizer_is_told(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers", reason="an optional package")
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(EntropyLawError, match=r"tokenizer\.json: can't be read as a tokenizer"):
        entropylaw.select(TEXTS, budget="8 tokens", tokens=tmp_path / "tokenizer.json")
    with pytest.raises(EntropyLawError, match=r"missing\.json: can't be read as a tokenizer: No such file"):
        entropylaw.select(TEXTS, budget="8 tokens", tokens=tmp_path / "missing.json")
