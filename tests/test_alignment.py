"""How much an instruction tells of the response: sizes as zlib has them, in every form that has a response."""

import csv
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import entropylaw
from entropylaw import EntropyLawError
from entropylaw.alignment import responses
from entropylaw.cli import main
from entropylaw.pool import load

ASKED = "Tell me, in one line, what a cat does on a mat, and what a dog does."
SAID = "A cat sits on a mat; what a dog does is to run off with the mat."
PAIRS = [(ASKED, SAID), (ASKED, "été 日本 " * 9), ("", SAID), (ASKED, ""), (ASKED, SAID * 30), (SAID, SAID)]


def size(text: str) -> int:
    """Bytes under zlib but for its header and checksum."""
    return len(zlib.compress(text.encode(), 9)) - 6


def expected(before: str, response: str) -> float:
    if not before or not response:
        return 0.0
    told = size(response) - (size(before + response) - size(before))
    return max(0.0, 8 * told / len(response.encode()))


def turns(*said: tuple[str, str]) -> list[dict[str, str]]:
    return [{"from": role, "value": text} for role, text in said]


FORMS = {
    "alpaca": lambda asked, said: {"instruction": asked, "input": "", "output": said},
    "alpaca, input": lambda asked, said: {"instruction": "Answer.", "input": asked, "output": said},
    "completion": lambda asked, said: {"prompt": asked, "completion": said},
    "sharegpt": lambda asked, said: {"conversations": turns(("human", asked), ("gpt", said))},
    "system": lambda asked, said: {
        "system": "Be kind.",
        "conversations": turns(("human", "Hello!"), ("gpt", "Hi."), ("human", asked), ("gpt", said)),
    },
    "openai": lambda asked, said: {
        "messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": [{"text": said}]}]
    },
    "dialogue": lambda asked, said: {"data": [asked, said]},
}


@pytest.mark.parametrize("form", FORMS)
def test_alignment_is_that_of_zlib(form: str) -> None:
    records = [FORMS[form](asked, said) for asked, said in PAIRS]
    scores = entropylaw.score(records, alignment=True, threads=2)
    texts = [scores.pool.sample(index).decode() for index in range(len(records))]
    cuts = [len(text) - len(said) for text, (_, said) in zip(texts, PAIRS, strict=True)]
    assert all(text[cut:] == said for text, cut, (_, said) in zip(texts, cuts, PAIRS, strict=True))
    assert scores.alignment is not None
    found = scores.alignment.tolist()
    assert found == [expected(text[:cut], text[cut:]) for text, cut in zip(texts, cuts, strict=True)]
    assert found[5] > found[0] > 0
    alone = entropylaw.score(records, alignment=True, threads=1).alignment
    assert alone is not None and alone.tolist() == found


@pytest.mark.parametrize(
    ("record", "response"),
    [
        ({"conversations": turns(("human", ASKED), ("gpt", SAID), ("human", "Thanks."))}, ""),
        ({"conversations": turns(("human", ASKED), ("tool", SAID))}, ""),
        ({"conversations": []}, ""),
        ({"conversations": turns(("human", ASKED), ("gpt", SAID), ("gpt", "More."))}, "More."),
        ({"conversations": [{"value": ASKED}, {"value": SAID}]}, SAID),
        (
            {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "reasoning": "r", "content": "a"}]},
            "r\na",
        ),
    ],
)
def test_a_response_is_the_last_turn_of_who_answers(record: Any, response: str) -> None:
    assert responses(load([record])).tolist() == [len(response)]


@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz", ".csv", ".parquet"])
def test_wherever_records_are_from(tmp_path: Path, suffix: str) -> None:
    pa = pytest.importorskip("pyarrow", reason="tables are optional")
    records = [FORMS["alpaca"](asked or "x", said or "y") for asked, said in PAIRS]
    path = tmp_path / f"pool{suffix}"
    if suffix == ".parquet":
        import pyarrow.parquet as pq

        pq.write_table(pa.Table.from_pylist(records), path)
    elif suffix == ".csv":
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(records[0]))
            writer.writeheader()
            writer.writerows(records)
    else:
        import gzip

        lines = "".join(json.dumps(record) + "\n" for record in records).encode()
        path.write_bytes(gzip.compress(lines) if suffix.endswith(".gz") else lines)
    of_files, of_objects = (entropylaw.score(pool, alignment=True).alignment for pool in (path, records))
    assert of_files is not None and of_objects is not None
    assert of_files.tolist() == of_objects.tolist()


def test_it_may_be_a_weight() -> None:
    records = [FORMS["completion"](asked, said) for asked, said in PAIRS]
    weights = entropylaw.score(records, alignment=True).alignment
    assert weights is not None
    top = entropylaw.select(records, method="top", weight=weights, budget=2)
    assert top.indices.tolist() == np.argsort(-weights, kind="stable")[:2].tolist()


@pytest.mark.parametrize(
    ("pool", "how", "found"),
    [
        (["a text"], {}, "the schema string"),
        ([{"text": "a text"}], {}, "the schema text"),
        ([{"prompt": "p", "chosen": "a", "rejected": "b"}], {}, "the schema preference"),
        ([FORMS["alpaca"](ASKED, SAID)], {"field": "output"}, "the schema field output"),
        ([FORMS["alpaca"](ASKED, SAID)], {"render": "json"}, "another rendering"),
        ([FORMS["alpaca"](ASKED, SAID)], {"render": "{{ output }}"}, "another rendering"),
    ],
)
def test_where_no_response_is_known(pool: Any, how: Any, found: str) -> None:
    if "{" in str(how.get("render")):
        pytest.importorskip("minijinja", reason="templates are optional")
    with pytest.raises(EntropyLawError) as error:
        entropylaw.score(pool, alignment=True, **how)
    assert str(error.value) == (
        f"alignment is of instructions and responses, and the pool has {found}: it takes the text of records with a "
        "prompt and a completion, an instruction and an output, or turns"
    )


def test_the_command_writes_the_column(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pool, out = tmp_path / "pool.jsonl", tmp_path / "scores.csv"
    pool.write_text("".join(json.dumps(FORMS["sharegpt"](asked, said)) + "\n" for asked, said in PAIRS))
    assert main(["score", str(pool), "-o", str(out), "--alignment", "-q"]) == 0
    assert "\nalignment 0 to " in capsys.readouterr().out
    scores = entropylaw.score(pool, alignment=True)
    assert scores.alignment is not None
    with out.open() as file:
        assert [float(row["alignment"]) for row in csv.DictReader(file)] == scores.alignment.tolist()
    assert main(["score", str(pool), "-o", str(out), "--force", "-q"]) == 0
    assert out.read_text().splitlines()[0] == "index,source,bytes,ratio,first_gain"
