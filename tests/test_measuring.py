"""R under every codec, the distribution over samples, duplicates, and orders."""

import itertools
import json
import lzma
import shutil
import subprocess
import sysconfig
import threading
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

import entropylaw
from entropylaw.cli import main
from entropylaw.codecs import CODECS, Codec, sizing
from entropylaw.codecs.compressor import Compressor, Stream


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """1.6 MB of text, the first tenth of it a second time at the end, beyond zlib's window."""
    library = "".join(path.read_text() for path in sorted(Path(sysconfig.get_path("stdlib")).glob("[a-p]*.py")))
    texts = [library[start : start + 600] for start in range(0, 1_500_000, 600)]
    return texts + texts[:250]


def joined(texts: list[str]) -> bytes:
    return "".join(texts).encode()


@given(st.lists(st.text(max_size=40), min_size=1, max_size=20))
def test_r_is_that_of_the_compressors_themselves(texts: list[str]) -> None:
    raw = joined(texts)
    result = entropylaw.ratio([text.encode() for text in texts], codecs=["zlib", "xz:1", "zstd"])
    assert {key: part.compressed_bytes for key, part in result.by_codec.items()} == {
        "zlib": len(zlib.compress(raw, 9)),
        "xz:1": len(lzma.compress(raw, preset=1)),
        "zstd": zstd_size(raw),
    }
    assert result.ratio == len(raw) / len(zlib.compress(raw, 9))


def zstd_size(raw: bytes, level: int = 3) -> int:
    """In one call, where entropylaw streams."""
    window = max((max(len(raw), 1) - 1).bit_length(), 10)
    parameters = zstandard.ZstdCompressionParameters.from_level(
        level, source_size=len(raw), window_log=window, enable_ldm=True, job_size=1 << 24, threads=2
    )
    return len(zstandard.ZstdCompressor(compression_params=parameters).compress(raw))


@pytest.mark.parametrize("threads", [1, 3])
def test_large_sets_are_streamed_to_the_same_sizes(texts: list[str], threads: int) -> None:
    raw = joined(texts)
    result = entropylaw.ratio(
        [{"text": text, "source": text[:1]} for text in texts], codecs=["zlib", "zstd", "xz:1"], threads=threads
    )
    assert result.by_codec["zlib"].compressed_bytes == len(zlib.compress(raw, 9))
    assert result.by_codec["zstd"].compressed_bytes == zstd_size(raw)
    assert result.by_codec["xz:1"].compressed_bytes == len(lzma.compress(raw, preset=1))
    for name, part in result.by_source.items():
        own = joined([text for text in texts if text[:1] == name])
        assert part.compressed_bytes == len(zlib.compress(own, 9))
        assert part.by_codec["zstd"].compressed_bytes == zstd_size(own)
        assert part.by_codec["xz:1"].compressed_bytes == len(lzma.compress(own, preset=1))


def test_groups_are_measured_only_if_asked_for() -> None:
    records = [{"text": f"sample {n} of few words", "source": "ab"[n % 2]} for n in range(50)]
    with_groups = entropylaw.ratio(records, codecs=["zlib", "zstd"])
    without = entropylaw.ratio(records, codecs=["zlib", "zstd"], group_by=None)
    assert list(with_groups.by_source) == ["a", "b"] and not without.by_source
    assert with_groups.by_codec == without.by_codec


def test_a_long_window_sees_what_zlib_does_not(texts: list[str]) -> None:
    once = entropylaw.ratio(texts[:2500], codecs=["zlib", "zstd"])
    twice = entropylaw.ratio(texts, codecs=["zlib", "zstd"])
    growth = {key: twice.by_codec[key].ratio / once.by_codec[key].ratio for key in twice.by_codec}
    assert growth["zlib"] < 1.02
    assert growth["zstd"] > 1.05


def tool(name: str, raw: bytes, tmp_path: Path, *arguments: str) -> int:
    if not shutil.which(name):
        pytest.skip(f"{name} is not installed")
    (tmp_path / "raw").write_bytes(raw)
    return len(
        subprocess.run([name, "-c", "-q", *arguments, str(tmp_path / "raw")], check=True, capture_output=True).stdout
    )


def test_xz_is_what_its_tool_makes(texts: list[str], tmp_path: Path) -> None:
    raw = joined(texts)
    assert entropylaw.ratio(texts, codecs=["xz"]).compressed_bytes == tool("xz", raw, tmp_path, "-9", "-T1")


def test_zstd_is_what_its_tool_makes(texts: list[str], tmp_path: Path) -> None:
    raw = joined(texts)
    window = (len(raw) - 1).bit_length()
    made = tool("zstd", raw, tmp_path, "-3", f"--long={window}", "-B16MiB", "--no-check")
    ours = entropylaw.ratio(texts, codecs=["zstd"]).compressed_bytes
    said = subprocess.run(["zstd", "--version"], check=True, capture_output=True, text=True).stdout
    if ".".join(map(str, zstandard.ZSTD_VERSION)) in said:
        assert ours == made
    else:
        # Versions differ a little in what they make of the same parameters.
        assert abs(ours - made) < made / 50


def test_a_shuffled_order_does_not_depend_on_the_input_order(texts: list[str]) -> None:
    rng = np.random.default_rng(1)
    other = [texts[index] for index in rng.permutation(len(texts))]
    first, second = (entropylaw.ratio(data, codecs=["zlib", "zstd"], shuffle=7) for data in (texts, other))
    assert first == second
    assert first.order == "shuffled, seed 7"
    assert entropylaw.ratio(texts, shuffle=8).compressed_bytes != first.compressed_bytes
    assert entropylaw.ratio(texts).compressed_bytes != entropylaw.ratio(other).compressed_bytes
    assert first.raw_bytes == len(joined(texts))


def test_groups_are_shuffled_too(texts: list[str]) -> None:
    records = [{"text": text, "source": text[:1]} for text in texts]
    result = entropylaw.ratio(records, shuffle=7, codecs=["zlib", "zstd"])
    largest = max(result.by_source, key=lambda name: result.by_source[name].samples)
    own = [text for text in texts if text[:1] == largest]
    assert result.by_source[largest].by_codec == entropylaw.ratio(own, shuffle=7, codecs=["zlib", "zstd"]).by_codec


def test_every_sample_is_sized_alone(texts: list[str]) -> None:
    distribution = entropylaw.ratio([*texts, ""], distribution=True).distribution
    assert distribution is not None
    raws = [text.encode() for text in [*texts, ""]]
    expected = np.array([len(raw) / len(zlib.compress(raw, 9)) for raw in raws])
    assert distribution.ratios.tolist() == expected.tolist()
    assert distribution.lengths.tolist() == [len(raw) for raw in raws]
    assert distribution.lowest(2)[0] == len(texts)
    assert distribution.highest(1) == [int(expected.argmax())]
    quantiles = distribution.quantiles()
    assert quantiles[0.0] == 0 and quantiles[1.0] == expected.max()
    assert np.mean(expected <= quantiles[0.25]) >= 0.25 > np.mean(expected < quantiles[0.25])


def test_duplicates_are_those_of_a_naive_search() -> None:
    rng = np.random.default_rng(3)
    words = [f"w{number}" for number in range(2000)]
    texts = [" ".join(rng.choice(words, 60)) for _ in range(120)]
    for index in range(0, 60):
        changed = texts[index].split()
        for at in rng.choice(60, index % 6, replace=False):
            changed[at] = "changed"
        texts.append(" ".join(changed))
    duplicates = entropylaw.ratio(texts, duplicates=True).duplicates
    assert duplicates is not None
    assert duplicates.exact == len(texts) - len(set(texts))
    runs = [{tuple(words[at : at + 5]) for at in range(len(words) - 4)} for words in map(str.split, texts)]
    first = list(range(len(texts)))
    for index in range(120, len(texts)):
        other = index - 120
        if len(runs[index] & runs[other]) >= 0.8 * len(runs[index] | runs[other]):
            first[index] = other
    assert duplicates.first_near.tolist() == first
    assert duplicates.near == sum(index != own for index, own in enumerate(first)) > duplicates.exact
    assert duplicates.byte_share() == sum(len(texts[i]) for i in range(120, 180) if texts[i] == texts[i - 120]) / len(
        "".join(texts)
    )


@pytest.mark.parametrize("wrong", ["brotli", "zlib:6", "zstd:0", "zstd:23", "xz:x", "zstd:-1", ""])
def test_wrong_codecs_are_refused(wrong: str) -> None:
    with pytest.raises(entropylaw.EntropyLawError, match="codec"):
        Codec.parse(wrong)


def test_wrong_parameters_are_refused() -> None:
    for parameters in ({"codecs": []}, {"threads": 0}):
        with pytest.raises(entropylaw.EntropyLawError):
            entropylaw.ratio(["a"], **parameters)  # type: ignore[arg-type]


def test_progress_that_raises_ends_it(texts: list[str]) -> None:
    class EnoughError(Exception):
        pass

    def stop(now: object) -> None:
        raise EnoughError

    with pytest.raises(EnoughError):
        entropylaw.ratio(texts, codecs=["xz"], progress=stop)


def test_the_command_line_tells_all(texts: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in [*texts, "\x1b[2Jdanger\u202e"]))
    assert main(["ratio", str(path), "--codec", "zlib,zstd:1", "--shuffle", "0", "-q", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["by_codec"]["zstd:1"]["codec"].startswith("zstd ")
    assert found["duplicates"]["exact"]["samples"] >= 250
    assert len(found["distribution"]["ratios"]) == 9
    assert found["lowest"][0]["where"].startswith(str(path))
    assert main(["ratio", str(path), "-q", "--show", "3000"]) == 0
    said = capsys.readouterr().out
    assert "danger" in said and "\x1b" not in said and "\u202e" not in said
    assert "repeated" in said and "greatest" in said
    assert main(["ratio", str(path), "--codec", "rar"]) == 2


@pytest.mark.parametrize(
    ("memories", "most_at_once"),
    [([60, 40, 50, 30, 20], 2), ([101, 102, 103], 1), ([1] * 4, 4), ([200, 10, 10, 10], 3)],
    ids=["some fit", "none fits", "all fit", "one is alone"],
)
def test_streams_side_by_side_stay_within_the_memory(
    monkeypatch: pytest.MonkeyPatch, memories: list[int], most_at_once: int
) -> None:
    """As many at once as fit, or one alone; and not fewer."""
    monkeypatch.setattr(sizing, "MEMORY", 100)
    changed = threading.Condition()
    taken: dict[int, int] = {}
    seen: list[list[int]] = []

    class Streams:
        """In place of a codec: a stream takes so many bytes, until nobody has joined it for a while."""

        def __init__(self, number: int) -> None:
            self.number = number

        def memory(self, raw: int, threads: int) -> int:
            return memories[self.number]

        def size(self, raw: int, pieces: Iterable[bytes], threads: int) -> int:
            with changed:
                taken[self.number] = memories[self.number]
                seen.append(list(taken.values()))
                changed.notify_all()
                changed.wait_for(lambda: len(taken) >= most_at_once, timeout=0.2)
            with changed:
                del taken[self.number]
            return self.number + sum(map(len, pieces))

    jobs = [sizing.Job(Streams(n), 7, lambda: iter([b"abc", b"defg"])) for n in range(len(memories))]  # type: ignore[arg-type]
    assert sizing.sizes(jobs, threads=8) == [n + 7 for n in range(len(memories))]
    assert len(seen) == len(memories)
    assert all(sum(those) <= 100 or len(those) == 1 for those in seen), seen
    assert max(map(len, seen)) == most_at_once, seen


@pytest.mark.parametrize("name", ["zstd", "zstd:19", "xz", "xz:1"])
def test_what_a_stream_is_said_to_take_is_about_what_it_takes(name: str) -> None:
    """Not less than its window and its tables, nor without bounds."""
    parsed = Codec.parse(name)
    sizes = [parsed.memory(1 << power) for power in (10, 20, 30, 40)]
    assert sizes == sorted(sizes)
    if parsed.name == "xz":
        # What xz(1) says.
        assert set(sizes) == {{"xz": 674 << 20, "xz:1": 9 << 20}[name]}
    else:
        assert sizes[2] >= 1 << 30 and sizes[3] >= 2 << 30
        assert sizes[3] < 4 << 30
        assert parsed.memory(1 << 30, threads=8) == sizes[2] + 7 * 2 * (1 << 24)


class Runs(Compressor):
    """Counts runs of equal bytes."""

    name = "runs"
    levels = (1, 1, 2)
    about = "Runs of equal bytes."

    def described(self, level: int, raw: int) -> str:
        return f"runs level {level}"

    def stream(self, level: int, raw: int, threads: int) -> Stream:
        class Counting:
            def compress(self, data: bytes) -> bytes:
                return b"".join(key.to_bytes() for key, _ in itertools.groupby(data)) * level

            def flush(self) -> bytes:
                return b"end"

        return Counting()

    def memory(self, level: int, raw: int, threads: int) -> int:
        return 1


def test_a_compressor_is_one_file_and_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever measures or compares knows of one that is in the table, and reports say what it is."""
    monkeypatch.setitem(CODECS, "runs", Runs())  # type: ignore[arg-type]
    path = tmp_path / "pool.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in ("aab", "bcc", "aaa")))
    assert entropylaw.ratio(path, codecs=["runs"]).compressed_bytes == len("abca") + 3
    assert entropylaw.ratio(path, codecs=["runs:2"]).compressed_bytes == 2 * len("abca") + 3
    assert main(["ratio", str(path), "--codec", "runs,zlib", "-q", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["by_codec"]["runs"]["codec"] == "runs level 1"
    assert entropylaw.compare(path, path, codecs=["runs"]).versions[1].novelty is not None
    with pytest.raises(entropylaw.EntropyLawError, match="the codec is 'runs:3'; runs takes levels from 1 to 2"):
        entropylaw.ratio(path, codecs=["runs:3"])
