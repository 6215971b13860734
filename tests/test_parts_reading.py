"""A pool in parts: read as the whole is."""

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import entropylaw
from entropylaw import load
from entropylaw.parts import pieces
from entropylaw.parts.leading import reading_of
from entropylaw.parts.parts import Here, Layout
from entropylaw.parts.pieces import dealt, files_of
from parted import asked, assert_same, cut_small, in_parts, records


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small files are cut too."""
    cut_small(monkeypatch)


LINES = [
    '{"text":"one"}',
    '{"text":"two three"}',
    "",
    "  ",
    "{broken",
    '["a"]',
    '"bare"',
    '{"text":"é"}\r',
    '{"text":1}',
]


@given(lines=st.lists(st.sampled_from(LINES), min_size=1, max_size=25), parts=st.integers(1, 8), end=st.booleans())
@example(lines=['{"text":"one"}'] * 20, parts=7, end=False)
@example(lines=['{"text":"one"}', "{broken", *['{"text":"two"}'] * 9], parts=3, end=True)
def test_a_file_is_read_in_parts_as_in_whole(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], parts: int, end: bool
) -> None:
    path = tmp_path_factory.mktemp("pool") / "pool.jsonl"
    path.write_text("\n".join(['{"text":"first"}', *lines]) + "\n" * end)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "_SMALL", 1)
        patch.setattr(pieces, "HEAD", 1)
        shares = dealt(files_of([path]), parts)
    starts = [piece.lines for share in shares for piece in share]
    if parts > 1 and path.stat().st_size > parts:
        bounds = [bound for span in starts if span is not None for bound in span]
        assert bounds == sorted(bounds) and bounds[0] == 0 and bounds[-1] == path.stat().st_size
    whole = load(path, on_error="skip")
    reading = reading_of(asked(1, on_error="skip"))
    here = Here(parts)
    settled = next(filter(None, (here.one(n, "settle", share, reading) for n, share in enumerate(shares))), None)
    loaded = here.call("load", [(share, reading, settled, 1) for share in shares])
    assert [why for part in loaded for why in part.skipped] == list(whole.skipped)
    layout = Layout([part.samples for part in loaded])
    skips = [skip + first for part, first in zip(loaded, layout.firsts, strict=False) for skip in part.skips.tolist()]
    assert skips == whole.skips.tolist()
    places = [here.one(number, "where", at) for number, part in enumerate(loaded) for at in range(part.samples)]
    assert places == [whole.records.where(index) for index in range(len(whole))]
    for call, wanted in (
        ("raw", whole.records.raw(range(len(whole)))),
        ("samples", map(whole.sample, range(len(whole)))),
    ):
        found = here.call(call, [(np.arange(part.samples),) for part in loaded])
        assert [each for part in found for each in part] == list(wanted)


@given(sizes=st.lists(st.integers(0, 50), min_size=1, max_size=9), parts=st.integers(1, 9))
def test_files_are_dealt_in_order_and_each_byte_once(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], parts: int
) -> None:
    directory = tmp_path_factory.mktemp("files")
    paths = [directory / f"{number}.jsonl" for number in range(len(sizes))]
    for path, lines in zip(paths, sizes, strict=True):
        path.write_text('{"text":"some words"}\n' * lines)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "_SMALL", 1)
        patch.setattr(pieces, "HEAD", 1)
        shares = dealt(files_of(paths), parts)
    assert len(shares) == parts
    read = b""
    for piece in (piece for share in shares for piece in share):
        low, high = piece.lines or (0, None)
        content = Path(piece.path).read_bytes()[low:high]
        assert not content or content.endswith(b"\n")
        read += content
    assert read == b"".join(path.read_bytes() for path in paths)
    read_by = [sum(_size(piece) for piece in share) for share in shares]
    line = len('{"text":"some words"}\n')
    assert max(read_by) <= sum(sizes) * line / parts * 1.11 + line + 1


def _size(piece: pieces.Piece) -> int:
    return Path(piece.path).stat().st_size if piece.lines is None else piece.lines[1] - piece.lines[0]


def test_row_groups_are_dealt(tmp_path: Path, small: None) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    path = tmp_path / "pool.parquet"
    table = pa.Table.from_pylist(records(200))
    pq.write_table(table, path, row_group_size=11)
    how: dict[str, Any] = {"budget": 30, "method": "random", "id": "id", "quota": "a<=40%"}
    wanted: Any = entropylaw.select(path, **how)
    for parts in (2, 5, 30):
        shares = dealt(files_of([path]), parts)
        groups = [piece.groups for share in shares for piece in share if piece.groups is not None]
        assert [group for low, high in groups for group in range(low, high)] == list(range(19))
        found = in_parts([str(path)], Here(parts), **how)
        assert_same(found, wanted)
        assert [found.pool.records.where(index) for index in found.indices.tolist()] == [
            wanted.pool.records.where(index) for index in wanted.indices.tolist()
        ]
        rows = pa.Table.from_batches(found.pool.records.rows(found.indices.tolist()))
        assert rows.to_pylist() == pa.Table.from_batches(wanted.pool.records.rows(wanted.indices.tolist())).to_pylist()


@pytest.mark.parametrize("content", [b"[1, 2]", b'\xef\xbb\xbf[{"text":"a"}]', b"\x1f\x8b", b"PAR1"])
def test_what_has_no_lines_is_not_cut(content: bytes, tmp_path: Path, small: None) -> None:
    path = tmp_path / "pool.json"
    path.write_bytes(content * 50)
    shares = dealt(files_of([path]), 3)
    assert [piece.lines for share in shares for piece in share] == [None]


def test_records_of_json_have_the_columns_of_the_whole(tmp_path: Path, small: None) -> None:
    pa = pytest.importorskip("pyarrow")
    mixed: list[Any] = [1, None, 2.5, [1], [2.5], {"a": 1}, {"a": None}, {"b": 1}, "text", True, 2**60, [], {}]
    for seed in range(12):
        random_ = random.Random(seed)
        path = tmp_path / f"{seed}.jsonl"
        rows = [{"text": f"some words {n}", "x": random_.choice(mixed[: seed + 2])} for n in range(20)]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        wanted: Any = entropylaw.select(path, budget=12, method="random")
        found = in_parts([str(path)], Here(4), budget=12, method="random")
        assert found.pool.records.schema(found.indices) == wanted.pool.records.schema(wanted.indices)
        tables = [pa.Table.from_batches(each.pool.records.rows(each.indices.tolist())) for each in (found, wanted)]
        assert tables[0].to_pylist() == tables[1].to_pylist()
