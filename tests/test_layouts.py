"""JSON and CSV that are laid out otherwise than they are read: each fault with the remedy that fits it."""

# ruff: noqa: E501 - messages are given whole

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from entropylaw.pool import load
from files import BOM, LINES, MEND, ONE, SKIP, TWO, message, samples

# JSON laid out otherwise than it is read. The remedy is one of the file, which skipping is not, or of a record; where it
# is a command, it is run.

UTF16 = '{"text":"one one"}\n{"text":"two two"}\n'.encode("utf-16-le")

LAYOUTS: list[tuple[str, bytes, str, str, list[str]]] = [
    (
        "pretty.jsonl",
        b'{\n  "text": "one one"\n}\n{\n  "text": "two two"\n}\n',
        ":1: has records that go over several lines; put each on one: ",
        "jq -c . FILE > OUT.jsonl",
        ["one one", "two two"],
    ),
    (
        "one.json",
        b'{\r\n  "text": "one one",\r\n  "id": 1\r\n}\r\n',
        ":1: has records that go over several lines; put each on one: ",
        "jq -c . FILE > OUT.jsonl",
        ["one one"],
    ),
    (
        "concatenated.json",
        ONE + TWO,
        ":1: has several records on a line; put each on one: ",
        "jq -c . FILE > OUT.jsonl",
        ["one one", "two two"],
    ),
    (
        "wrapped.json",
        b'{"version":"1.0","data":[' + ONE + b"," + TWO + b"]}\n",
        ":1: is one object, whose member 'data' has the records; put them on lines: ",
        "jq -c '.data[]' FILE > OUT.jsonl",
        ["one one", "two two"],
    ),
    (
        "wrapped-pretty.json",
        b'{\n "version":"1.0",\n "my data":[\n  ' + ONE + b",\n  " + TWO + b"]\n}\n",
        ":1: is one object, whose member 'my data' has the records; put them on lines: ",
        "jq -c '.[\"my data\"][]' FILE > OUT.jsonl",
        ["one one", "two two"],
    ),
    (
        "object-of-records.json",
        b'{"0":' + ONE + b',"1":' + TWO + b"}\n",
        ":1: is one object of records; put them on lines: ",
        "jq -c '.[]' FILE > OUT.jsonl",
        ["one one", "two two"],
    ),
    (
        "arrays.json",
        b"[" + ONE + b"]\n[" + TWO + b"]\n",
        ":2: is not a JSON array: it is several arrays; put the items of all on lines: ",
        "jq -c '.[]' FILE > OUT.jsonl",
        ["one one", "two two"],
    ),
    (
        "list-a-line.jsonl",
        b'[{"from":"human","value":"foo"},{"from":"gpt","value":"bar"}]\n[{"from":"human","value":"baz"}]\n',
        ":2: is not a JSON array: it is several arrays, each a conversation; name them: ",
        "jq -c '{conversations: .}' FILE > OUT.jsonl",
        ["foo\nbar", "baz"],
    ),
    (
        "one-list.jsonl",
        b'[{"role":"user","content":"foo"},{"role":"assistant","content":"bar"}]\n',
        ":1: is an array of turns: one conversation; name it: ",
        "jq -c '{messages: .}' FILE > OUT.jsonl",
        ["foo\nbar"],
    ),
    (
        "list-of-lists.json",
        b'[[{"from":"human","value":"foo"},{"from":"gpt","value":"bar"}],[{"from":"human","value":"baz"}]]',
        ":1: is an array of conversations without a name; name them: ",
        "jq -c '.[] | {conversations: .}' FILE > OUT.jsonl",
        ["foo\nbar", "baz"],
    ),
    (
        "returns.jsonl",
        ONE + b"\r" + TWO + b"\r",
        ":1: ends its lines with carriage returns alone; convert them: ",
        r"tr '\r' '\n' < FILE > OUT.jsonl",
        ["one one", "two two"],
    ),
    (
        "separators.jsonl",
        b"\x1e" + ONE + b"\n\x1e" + TWO + b"\n",
        ":1: is a JSON text sequence, with a separator (0x1e) before each record; remove them: ",
        r"tr -d '\036' < FILE > OUT.jsonl",
        ["one one", "two two"],
    ),
    (
        "commas.jsonl",
        ONE + b",\n" + TWO + b",\n",
        ":1: has commas between its lines; remove them: ",
        "sed 's/,[[:space:]]*$//' FILE > OUT.jsonl",
        ["one one", "two two"],
    ),
    (
        "utf16.jsonl",
        b"\xff\xfe" + UTF16,
        ": is UTF-16, not UTF-8; convert the file: ",
        "iconv -f UTF-16 -t UTF-8 FILE > OUT",
        ["one one", "two two"],
    ),
    (
        "utf16-without-mark.jsonl",
        UTF16,
        ": is UTF-16LE, not UTF-8; convert the file: ",
        "iconv -f UTF-16LE -t UTF-8 FILE > OUT",
        ["one one", "two two"],
    ),
    (
        "utf32.jsonl",
        LINES.decode().encode("utf-32"),
        ": is UTF-32, not UTF-8; convert the file: ",
        "iconv -f UTF-32 -t UTF-8 FILE > OUT",
        ["one one", "two two"],
    ),
    (
        "utf16.csv",
        "text\none one\n".encode("utf-16"),
        ": is UTF-16, not UTF-8; convert the file: ",
        "iconv -f UTF-16 -t UTF-8 FILE > OUT",
        ["one one"],
    ),
    (
        "latin1-array.json",
        '[{"text":"café","n":NaN}]'.encode("latin-1"),
        ":1: is not UTF-8: found byte 0xe9; convert the file: ",
        "iconv -f WINDOWS-1252 -t UTF-8 FILE > OUT",
        ["café"],
    ),
    (
        "latin1.csv",
        "text,label\ncafé au lait,1\n".encode("latin-1"),
        ":2: is not UTF-8: found byte 0xe9; convert the file: ",
        "iconv -f WINDOWS-1252 -t UTF-8 FILE > OUT",
        ["café au lait"],
    ),
    (
        "prose.txt",
        b"one one\ntwo two\n",
        ":1: is not JSON: found 'one one'; name the format if it is CSV (format='csv', --format csv), or make records of "
        "lines of text: ",
        "jq -Rc '{text: .}' FILE > OUT.jsonl",
        ["one one", "two two"],
    ),
    (
        "semicolons.csv",
        b"instruction;output\nSay hi;Hi there\n",
        ": the table has none of the schemas ...: found the keys 'instruction;output'; fields are separated by ';', not ','; convert it: ",
        "python -c \"import csv, sys; csv.writer(sys.stdout).writerows(csv.reader(sys.stdin, delimiter=';'))\" "
        "< FILE > OUT.csv",
        ["Say hi\nHi there"],
    ),
    (
        "semicolons-and-commas.csv",
        b'instruction;output\nSay hi;"Hi, there"\n',
        ": cannot be read as CSV: row 1 has 2 fields, not 1: 'Say hi;\"Hi, there\"'; fields are separated by ';', not ','; "
        "convert it: ",
        "python -c \"import csv, sys; csv.writer(sys.stdout).writerows(csv.reader(sys.stdin, delimiter=';'))\" "
        "< FILE > OUT.csv",
        ["Say hi\nHi, there"],
    ),
    ("quotes.jsonl", b"{'text':'one one'}\n", ":1: has single quotes, as Python's repr writes them, and is not JSON; write the records with json.dumps", "", []),
    ("header.jsonl", b"text,n\none one,1\n", ":1: is not JSON: found 'text,n'; if it is CSV, name the format (format='csv', --format csv)", "", []),
    ("tabs.jsonl", b"text\tn\none one\t1\n", r":1: is not JSON: found 'text\tn'; if it is TSV, name the format (format='tsv', --format tsv)", "", []),
    ("comma.json", b"[" + ONE + b"," + TWO + b",\n]", ":2: is not a JSON array: there is a comma after the last item; remove it", "", []),
    ("open.json", b"[\n" + ONE + b",\n" + TWO + b"\n", ":4: is not a JSON array: it is not closed: found the end of the file; fetch it again if it was cut off, or close it with ]", "", []),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "expected", "remedy", "texts"), LAYOUTS, ids=[row[0] for row in LAYOUTS])
@pytest.mark.parametrize("on_error", ["raise", "skip"])
def test_a_fault_of_the_file_has_a_remedy_of_the_file(
    tmp_path: Path, name: str, content: bytes, expected: str, remedy: str, texts: list[str], on_error: Any
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    found = message(path, on_error=on_error)
    assert re.sub(r"(?<=schemas ).*(?=: found)", "...", found) == re.sub(
        r"(?<=schemas ).*(?=: found)", "...", f"{path}{expected}{remedy}"
    )
    if not texts or shutil.which(remedy.split()[0].replace("python", "sh")) is None:
        return
    out = tmp_path / f"mended{path.suffix if remedy.startswith('iconv') else '.csv' if 'csv' in remedy else '.jsonl'}"
    command = remedy.replace("FILE", str(path)).replace("python", sys.executable)
    subprocess.run(["sh", "-c", re.sub(r"OUT\S*", str(out), command)], check=True)
    assert samples(load(out)) == texts


RECORDS: list[tuple[bytes, str]] = [
    (b"// made by hand", "is not JSON: expecting value at column 1, found '// made by hand'; JSON has no comments: remove the line, " + SKIP),
    (b"# made by hand", "is not JSON: expecting value at column 1, found '# made by hand'; JSON has no comments: remove the line, " + SKIP),
    (b"\0\0\0", r"is not JSON: expecting value at column 1, found '\x00\x00\x00'; NUL bytes are what a crash or a full disk leaves: remove the line, " + SKIP),
    (b'{"text":"caf\xe9"}', f"is not UTF-8: found byte 0xe9 at byte 13; convert the file: iconv -f WINDOWS-1252 -t UTF-8 FILE > OUT, {SKIP}"),
    (b"{'text':'a'}", f"is not JSON: expecting property name enclosed in double quotes at column 2, found \"'text':'a'}}\"; it has single quotes, as Python's repr writes them: write it with json.dumps, {SKIP}"),
    (ONE + b",", f"is not JSON: extra data at column 19, found ','; remove the comma at its end, {SKIP}"),
    (ONE + TWO, f"is not JSON: extra data at column 19, found '{TWO.decode()}'; it is several records: break the line between them, {SKIP}"),
    (ONE + BOM + TWO, f"is not JSON: extra data at column 19, found '\\ufeff{TWO.decode()}'; a byte-order mark inside a line is what `cat` leaves of files without a final line break: break the line before it, {SKIP}"),
    (b'{"text":"tab\there"}', f"is not JSON: invalid control character at column 13, found '\\there\"}}'; {MEND}"),
    (b'{"text": "a", ', f"is not JSON: expecting property name enclosed in double quotes at column 15, found the end of the record; {MEND}"),
    (b"null", f"the record does not have the schema text (text): found null; PATH:1 decided for it; {MEND}"),
]  # fmt: skip


@pytest.mark.parametrize(("broken", "expected"), RECORDS, ids=[f"{n}" for n in range(len(RECORDS))])
def test_a_fault_of_a_record_has_a_remedy_of_the_record(tmp_path: Path, broken: bytes, expected: str) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_bytes(broken + b"\n" + LINES)
    if broken != b"null":
        # In the first line, too, as long as those below are records.
        assert message(path) == f"{path}:1: {expected}"
        assert samples(load(path, on_error="skip")) == ["one one", "two two"]
    path.write_bytes(ONE + b"\n" + broken + b"\n" + TWO + b"\n")
    assert message(path) == f"{path}:2: {expected.replace('PATH', str(path))}"
    pool = load(path, on_error="skip")
    assert (samples(pool), len(pool.skipped)) == (["one one", "two two"], 1)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("été à l'école, déjà vu", "cp1252"),
        ("Größe über alles", "cp1252"),
        ("привет, как дела", "cp1251"),
        ("你好世界 这是一个例子", "gb18030"),
    ],
)
def test_the_encoding_is_guessed(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "pool.jsonl"
    path.write_bytes(f'{{"text":"{text}"}}\n'.encode(encoding))
    named = {"cp1252": "WINDOWS-1252", "cp1251": "WINDOWS-1251", "gb18030": "GB18030"}[encoding]
    assert f"convert the file: iconv -f {named} -t UTF-8 FILE > OUT" in message(path)


@pytest.mark.parametrize(
    "text",
    [
        "你好世界，这是一个例子".encode() + "断".encode()[:2],
        "привет".encode() + b"\xff",
        "déjà vu & été".encode() + b"\xc3",
        b"a half \xed\xa0\x80 of a character",
        b"\xed\xa0\xbd\xed\xb8\x80 is CESU-8",
        b"NUL as Java writes it: \xc0\x80",
    ],
)
@pytest.mark.parametrize("name", ["pool.jsonl", "pool.json", "pool.csv"])
def test_what_is_nearly_utf_8_is_no_other_encoding(tmp_path: Path, text: bytes, name: str) -> None:
    """Converting it from another would spoil all that is right in it."""
    path = tmp_path / name
    record = b'{"text":"' + text + b'"}'
    path.write_bytes(
        {"pool.jsonl": record + b"\n", "pool.json": b"[" + record + b"]"}.get(name, b"text\n" + text + b"\n")
    )
    said = message(path)
    assert "some of its bytes are damaged: mend them, or drop them: iconv -c -f UTF-8 -t UTF-8 FILE > OUT" in said
    command = said.partition("drop them: ")[2].partition(", or")[0].replace("FILE", str(path)).replace("OUT", "mended")
    if shutil.which("iconv") is not None:
        # It says by its exit code that it has dropped something.
        subprocess.run(["sh", "-c", command], cwd=tmp_path, check=False)
        (tmp_path / "mended").rename(path)
        assert len(samples(load(path))) == 1


# CSV.

CSV: list[tuple[str, bytes, list[dict[str, str]]]] = [
    ("quoted.csv", b'text,n\n"a, ""b""",1\n', [{"text": 'a, "b"', "n": "1"}]),
    ("breaks.csv", b'text,n\n"line one\nline two",007\n', [{"text": "line one\nline two", "n": "007"}]),
    ("crlf.csv", b'"text","n"\r\n"x","1.50"\r\n\r\n', [{"text": "x", "n": "1.50"}]),
    ("nulls.csv", b'text,n\na,\n"",NA\n', [{"text": "a", "n": ""}, {"text": "", "n": "NA"}]),
    ("index.csv", b",text\n0,a a\n", [{"": "0", "text": "a a"}]),
    ("backslash.csv", b'text,n\nb \\"q\\",1\n', [{"text": 'b \\"q\\"', "n": "1"}]),
]
CSV_FAULTS: list[tuple[str, bytes, str]] = [
    ("ragged.csv", b"text,n\na,1\nb,2,extra\n", ": cannot be read as CSV: row 2 has 3 fields, not 2: 'b,2,extra'; put quotes around fields that hold the delimiter"),
    ("short.csv", b"text,n\na,1\nb\n", ": cannot be read as CSV: row 2 has 1 field, not 2: 'b'; add the fields that are missing, or remove the row"),
    ("open.csv", b'text,n\n"open,1\nb,2\n', ": cannot be read as CSV: row 1 has 1 field, not 2: '\"open,1'; close the quote, or double it if it is part of the text"),
    ("twice.csv", b"text,text\na,b\n", ": has more than one column named 'text'; rename one of them"),
    ("spaces.csv", b" text , n \na, 1\n", ": the table has none of the schemas ...: found the keys ' text ', ' n '; remove the spaces around the names in the first row"),
    ("tabs.csv", b"text\tn\na\t1\n", r": the table has none of the schemas ...: found the keys 'text\tn'; it is TSV; name the format (format='tsv', --format tsv)"),
    ("commas.tsv", b"text,n\na,1\n", ": the table has none of the schemas ...: found the keys 'text,n'; it is CSV; name the format (format='csv', --format csv)"),
    ("lines.csv", LINES, ": the table has none of the schemas ...: found the keys '{\"text\":\"one one\"}'; it is JSON; name the format (format='json', --format json)"),
    ("json.csv", b'messages\n"[{""role"":""user"",""content"":""Hi""}]"\n', f": row 1: 'messages' is text, not a list of turns; it is JSON as text: parse it (json.loads), and write the records anew, {SKIP}"),
    ("repr.csv", b"messages\n\"[{'role': 'user', 'content': 'Hi'}]\"\n", f": row 1: 'messages' is text, not a list of turns; it is Python's repr as text: parse it (ast.literal_eval), and write the records anew, {SKIP}"),
    ("long.csv", b'text,n\n"' + b"a\n" * (1 << 14), ": cannot be read as CSV: a row has more than 16 MB; is a quote not closed?"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "rows"), CSV, ids=[row[0] for row in CSV])
def test_values_of_csv(tmp_path: Path, name: str, content: bytes, rows: list[dict[str, str]]) -> None:
    pytest.importorskip("pyarrow", reason="about CSV")
    path = tmp_path / name
    path.write_bytes(content)
    pool = load(path)
    assert samples(pool) == [row["text"] for row in rows]
    assert [json.loads(raw) for raw in pool.records.raw(range(len(rows)))] == rows


@pytest.mark.parametrize(("name", "content", "expected"), CSV_FAULTS, ids=[row[0] for row in CSV_FAULTS])
def test_faults_of_csv(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, expected: str
) -> None:
    pytest.importorskip("pyarrow", reason="about CSV")
    monkeypatch.setattr("entropylaw.pool.csv_table._BLOCK", 1 << 12)
    path = tmp_path / name
    path.write_bytes(content)
    assert re.sub(r"(?<=schemas ).*(?=: found)", "...", message(path)) == f"{path}{expected}"


def test_a_quote_that_swallows_rows_of_tsv_is_noted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("pyarrow", reason="about TSV")
    path = tmp_path / "pool.tsv"
    path.write_bytes(b'id\ttext\n0\tzero\n1\t"Hello\n2\tfoo\n3\tbar" baz\n')
    pool = load(path)
    assert samples(pool) == ["zero", "Hello\n2\tfoo\n3\tbar baz"]
    assert [json.loads(raw)["id"] for raw in pool.records.raw([1])] == ["1"]
    assert caplog.messages == [
        f"{path}: row 2: 'text' holds tabs and line breaks, read as one field because it begins with a quote; if they are "
        "several rows, double the quote and put quotes around the field"
    ]


@pytest.mark.parametrize(("value", "found"), [(4, "a number"), (0.5, "a number"), (True, "a boolean")])
def test_a_number_where_text_should_be_is_no_fault_of_its_record_alone(
    tmp_path: Path, value: object, found: str
) -> None:
    pa = pytest.importorskip("pyarrow", reason="about Parquet")
    import pyarrow.parquet

    rows = [{"instruction": "q", "output": value, "source": 1}] * 2
    lines, table = tmp_path / "pool.jsonl", tmp_path / "pool.parquet"
    lines.write_text("".join(json.dumps(row) + "\n" for row in rows))
    pyarrow.parquet.write_table(pa.Table.from_pylist(rows), table)
    for path, where in ((lines, ":1"), (table, ": row 1")):
        assert message(path) == (
            f"{path}{where}: 'output' is {found}, not text; write it as text, or write down what the text is as a "
            f"template (render=, --render '{{{{ q }}}} {{{{ a }}}}'), {SKIP}"
        )
