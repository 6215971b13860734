"""Versions side by side, and what each adds."""

import json
import sysconfig
from pathlib import Path
from typing import Any

import pytest
import zstandard

import entropylaw
from entropylaw.cli import main
from entropylaw.pool import Pool, load


@pytest.fixture(scope="module")
def texts() -> list[str]:
    library = "".join(path.read_text() for path in sorted(Path(sysconfig.get_path("stdlib")).glob("[a-d]*.py")))
    return [library[start : start + 500] for start in range(0, 400_000, 500)]


def zstd(texts: list[str]) -> int:
    raw = "".join(texts).encode()
    parameters = zstandard.ZstdCompressionParameters.from_level(
        3,
        source_size=len(raw),
        window_log=(len(raw) - 1).bit_length(),
        enable_ldm=True,
        job_size=1 << 24,
        threads=1,
    )
    return len(zstandard.ZstdCompressor(compression_params=parameters).compress(raw))


def new_ngrams(before: list[str], texts: list[str]) -> float:
    """By the definition."""
    holders: dict[bytes, set[int]] = {}
    contexts: dict[bytes, set[bytes]] = {}
    for number, text in enumerate(map(str.encode, texts)):
        for at in range(len(text) - 4):
            gram = text[at : at + 5]
            holders.setdefault(gram, set()).add(number)
            contexts.setdefault(gram, set()).add(text[max(at - 4, 0) : at])
    recurring = {gram for gram in holders if len(holders[gram]) > 1 and len(contexts[gram]) > 1}
    known = {text[at : at + 5] for text in map(str.encode, before) for at in range(len(text) - 4)}
    return len(recurring - known) / len(recurring)


def test_novelty_is_what_it_is_defined_as(texts: list[str]) -> None:
    versions = [texts[:400], texts[:500], texts[300:600] + texts[700:]]
    result = entropylaw.compare(*versions, names=["a", "b", "c"])
    assert [version.name for version in result.versions] == ["a", "b", "c"]
    assert result.versions[0].novelty is None
    before: list[str] = []
    for texts_of, version in zip(versions, result.versions, strict=True):
        assert version.ratio.by_codec == entropylaw.ratio(texts_of, codecs=["zlib", "zstd"]).by_codec
        if novelty := version.novelty:
            size = len("".join(texts_of).encode())
            assert novelty.samples_seen == sum(text in before for text in texts_of)
            assert novelty.bits == {"zstd": 8 * (zstd(before + texts_of) - zstd(before)) / size}
            assert novelty.ngrams == pytest.approx(new_ngrams(before, texts_of), abs=1e-9)
        before += texts_of


def test_what_was_there_adds_nothing(texts: list[str]) -> None:
    result = entropylaw.compare(texts, texts[::2], shuffle=0, codecs=["zlib", "zstd", "xz:1"])
    novelty = result.versions[1].novelty
    assert novelty is not None
    assert novelty.samples_seen == len(texts[::2]) and novelty.ngrams == 0
    for codec in ("zstd", "xz:1"):
        assert novelty.bits[codec] < 0.3 * result.versions[1].bits(codec)
    assert result.order == "shuffled, seed 0"


def test_the_order_of_samples_does_not_count_when_shuffled(texts: list[str]) -> None:
    tables = [entropylaw.compare(data, texts[200:], shuffle=3).table() for data in (texts[:300], texts[:300][::-1])]
    assert tables[0] == tables[1]


def test_the_command_line(texts: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, part in (("old", texts[:200]), ("new", texts[:300])):
        rows = [{"text": text, "source": f"{name[0]}\x1b[1m" if n % 2 else "both"} for n, text in enumerate(part)]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    paths = [str(tmp_path / "old.jsonl"), str(tmp_path / "new.jsonl")]
    assert main(["compare", *paths, "-q"]) == 0
    said = capsys.readouterr().out
    assert "\x1b" not in said
    rows = {line[:26].strip(): line[26:].split() for line in said.splitlines()}
    assert rows[""] == ["old.jsonl", "new.jsonl"] or "old.jsonl" in said.splitlines()[0]
    assert rows["samples"] == ["200", "300"]
    assert rows["in a version before"] == ["66.7%"]
    assert rows["both"][0] == "50.0%"
    assert main(["compare", *paths, "-q", "--json", "--codec", "zlib"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in found] == ["old.jsonl", "new.jsonl"]
    assert found[1]["novelty"]["samples_seen"] == 200 and found[1]["novelty"]["bits_per_byte"] == {}
    assert main(["compare", paths[0]]) == 2
    assert "two or more" in capsys.readouterr().err


def test_versions_share_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [tmp_path / f"v{n}.jsonl" for n in range(4)]
    for path in paths:
        path.write_text('"a sample"\n')
    limits: list[int] = []

    def watched(*data: Any, memory: int, **options: Any) -> Pool:
        limits.append(memory)
        return load(*data, memory=memory, **options)

    monkeypatch.setattr("entropylaw.comparing.load", watched)
    entropylaw.compare(*paths, memory="4MB")
    assert main(["compare", *map(str, paths), "--memory", "4MB", "-q"]) == 0
    assert limits == [1_000_000] * 8


def test_wrong_parameters_are_refused(texts: list[str]) -> None:
    with pytest.raises(entropylaw.EntropyLawError, match="two or more"):
        entropylaw.compare(texts)
    with pytest.raises(entropylaw.EntropyLawError, match="one for each"):
        entropylaw.compare(texts, texts, names=["one"])
