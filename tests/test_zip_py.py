"""The drop-in for the authors' script: the same bytes."""

import json
from pathlib import Path
from typing import Any

import pytest

import oracle
from entropylaw import zip_py


def records(size: int) -> list[dict[str, Any]]:
    text = Path(__file__).read_text() * 2
    return [
        {
            "id": n,
            "conversations": [
                {"from": "human", "value": text[n * 7 : n * 7 + n % 90]},
                {"from": "gpt", "value": "é\u2028😀"},
            ],
            "source": f"s{n % 2}",
            "score": 0.1 * n,
            "none": None,
        }
        for n in range(size)
    ]


def run(directory: Path, *options: str) -> int:
    return zip_py.main(
        ["--data_path", str(directory / "pool.json"), "--save_path", str(directory / "out.json"), *options]
    )


def test_the_file_is_the_scripts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pool = records(150)
    (tmp_path / "pool.json").write_text(json.dumps(pool, indent=2, ensure_ascii=False), encoding="utf-8")
    (tmp_path / "out.json").write_text("the script writes over what is there")
    assert run(tmp_path, "--budget", "25", "--k1", "100", "--k2", "20", "--k3", "10", "--n_jobs", "2") == 0
    chosen = oracle.reference(pool, 25, 100, 20, 10, oracle.libstdcxx_lowest)
    assert len(chosen) == 30, "whole rounds"
    with (tmp_path / "expected.json").open("w", encoding="utf-8") as file:
        json.dump([pool[index] for index in chosen], file)
    assert (tmp_path / "out.json").read_bytes() == (tmp_path / "expected.json").read_bytes()
    assert "selected 30" in capsys.readouterr().out


def test_what_fails_in_the_script_works(tmp_path: Path) -> None:
    """A pool smaller than k1, and records without `source`."""
    pool = [{"text": f"{n} " * n} for n in range(30)]
    (tmp_path / "pool.json").write_text(json.dumps(pool))
    assert run(tmp_path, "--budget", "5", "--k2", "10", "--k3", "5") == 0
    assert len(json.loads((tmp_path / "out.json").read_text())) == 5


def test_lone_surrogates_pass_through(tmp_path: Path) -> None:
    (tmp_path / "pool.json").write_text(r'[{"text": "\ud83d", "source": "x"}]')
    assert run(tmp_path, "--budget", "1", "--k1", "1", "--k2", "1", "--k3", "1") == 0
    assert (tmp_path / "out.json").read_text() == r'[{"text": "\ud83d", "source": "x"}]'


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "no such file"),
        (b"", "the file is empty"),
        (b"[]", "an empty array"),
        (b'{"a": 1}', "found one dict"),
        (b"[1]", "record 0 is int"),
        (b'[{"a": 1},\n{"a" 2}]', "pool.json:2: is not a JSON array"),
        (b'{"a": 1}\n{"a": 2}', "entropylaw select"),
        (b'[{"a": "\xff"}]', "is not UTF-8"),
        (b"[" * 200_000, "nested too deeply"),
    ],
)
def test_bad_pools(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, expected: str) -> None:
    if content is not None:
        (tmp_path / "pool.json").write_bytes(content)
    assert run(tmp_path, "--budget", "1") == 2
    assert expected in capsys.readouterr().err
    assert not (tmp_path / "out.json").exists()
