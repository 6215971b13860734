"""Files that people sent, which lie beside the project: what is read of each, or what is said."""

# ruff: noqa: E501 - messages are given whole

import re
from pathlib import Path

import pytest

from entropylaw.pool import load
from files import message, samples

# The samples, or the message behind the path. A directory's are in the order of its files' names.
CASES: list[tuple[str, list[str] | str]] = [
    ("10-bom/a.jsonl", ["first", "second"]),
    ("10-bom/b.jsonl", ["third", "fourth"]),
    ("10-bom/c.csv", ['Say "hi"\nHi\r\nthere', "007\n1.50"]),
    ("10-bom/cat.jsonl", ["first", "second", "third", "fourth"]),
    ("11-empty-shards/d/part-0.jsonl", ["one one"]),
    ("11-empty-shards/d/part-2.jsonl", ": the pool is empty: there are no records"),
    ("11-empty-shards/d/part-3.jsonl", ["two two"]),
    ("11-empty-shards/d/part-4.jsonl.gz", ": the pool is empty: there are no records"),
    ("11-empty-shards/d/part-5.json", ": the pool is empty: there are no records"),
    ("11-empty-shards/e.csv", ": the pool is empty: there are no records"),
    ("11-empty-shards/h.csv", ": the pool is empty: there are no records"),
    ("11-empty-shards/nogroups.parquet", ": the pool is empty: there are no records"),
    ("11-empty-shards/p/0.parquet", ["a a"]),
    ("11-empty-shards/p/1.parquet", ": the pool is empty: there are no records"),
    ("11-empty-shards/p/2.parquet", ["b b"]),
    ("11-empty-shards/p0.parquet", ": the pool is empty: there are no records"),
    ("12-compressions-and-archives/a.jsonl", ["alpha alpha", "beta beta"]),
    ("12-compressions-and-archives/a.jsonl.bz2", ["alpha alpha", "beta beta"]),
    ("12-compressions-and-archives/a.jsonl.gz", ["alpha alpha", "beta beta"]),
    (
        "12-compressions-and-archives/a.jsonl.lz4",
        ": is compressed with lz4, which is not read here; unpack it, and name the unpacked file",
    ),
    ("12-compressions-and-archives/a.jsonl.xz", ["alpha alpha", "beta beta"]),
    (
        "12-compressions-and-archives/a.jsonl.zip",
        ": is a ZIP archive; unpack it, and name the files that are to be read",
    ),
    ("12-compressions-and-archives/a.tar", ": is a tar archive; unpack it, and name the files that are to be read"),
    ("12-compressions-and-archives/a.tar.gz", ": is a tar archive; unpack it, and name the files that are to be read"),
    ("12-compressions-and-archives/a.zip", ": is a ZIP archive; unpack it, and name the files that are to be read"),
    (
        "12-compressions-and-archives/c.csv.bz2",
        ": the table has none of the schemas ...: found the keys '{\"text\":\"alpha alpha\"}'; it is JSON; name the format (format='json', --format json)",
    ),
    (
        "12-compressions-and-archives/cut.jsonl.gz",
        ": the file is truncated: its compressed data end too soon; fetch it anew",
    ),
    ("12-compressions-and-archives/d/0.jsonl", ["alpha alpha", "beta beta"]),
    ("12-compressions-and-archives/d/1.jsonl.bz2", ["alpha alpha", "beta beta"]),
    ("12-compressions-and-archives/d/2.jsonl.xz", ["alpha alpha", "beta beta"]),
    ("12-compressions-and-archives/d/3.json.zst~", ["alpha alpha", "beta beta"]),
    ("12-compressions-and-archives/e/0.jsonl", ["alpha alpha", "beta beta"]),
    ("12-compressions-and-archives/e/1.JSONL", ["alpha alpha", "beta beta"]),
    ("12-compressions-and-archives/e/2.jsonlines", ["alpha alpha", "beta beta"]),
    ("12-compressions-and-archives/e/3.jl", ["alpha alpha", "beta beta"]),
    ("12-compressions-and-archives/e/4.txt", ["alpha alpha", "beta beta"]),
    (
        "12-compressions-and-archives/fake.jsonl.lz4",
        ": is compressed with lz4, which is not read here; unpack it, and name the unpacked file",
    ),
    ("12-compressions-and-archives/gz-named.jsonl", ["alpha alpha", "beta beta"]),
    ("12-compressions-and-archives/multi.jsonl.zst", ["alpha alpha", "beta beta"]),
    ("12-compressions-and-archives/plain-named.jsonl.gz", ["alpha alpha", "beta beta"]),
    (
        "12-compressions-and-archives/t.txt",
        ":1: is not JSON: found 'Hello world'; name the format if it is CSV (format='csv', --format csv), or make records of lines of text: jq -Rc '{text: .}' FILE > OUT.jsonl",
    ),
    (
        "12-compressions-and-archives/t2.txt",
        ":2: the record does not have the schema string (a bare string): found a number; PATH:1 decided for it; mend or remove the record, or skip such records (on_error='skip', --on-error skip)",
    ),
    (
        "12-compressions-and-archives/trail.jsonl.gz",
        ": its compressed data are corrupt: not a gzipped file (b'xx'); fetch or make it anew",
    ),
    (
        "12-compressions-and-archives/trail.jsonl.zst",
        ": its compressed data are corrupt: zstd decompressor error: Unknown frame descriptor; fetch or make it anew",
    ),
    ("12-compressions-and-archives/two.jsonl.gz", ["alpha alpha", "beta beta", "alpha alpha", "beta beta"]),
    ("12-compressions-and-archives/x.xlsx", ": is an Office document; export it as CSV"),
    (
        "13-json-layouts/array-trailing-comma.json",
        ":1: is not a JSON array: there is a comma after the last item; remove it",
    ),
    (
        "13-json-layouts/array-unclosed.json",
        ":4: is not a JSON array: it is not closed: found the end of the file; fetch it again if it was cut off, or close it with ]",
    ),
    ("13-json-layouts/array.jsonl", ["one one", "two two"]),
    (
        "13-json-layouts/arrays-cat.json",
        ":2: is not a JSON array: it is several arrays; put the items of all on lines: jq -c '.[]' FILE > OUT.jsonl",
    ),
    (
        "13-json-layouts/comment.jsonl",
        ":1: is not JSON: expecting value at column 1, found '// made by hand'; JSON has no comments: remove the line, or skip such records (on_error='skip', --on-error skip)",
    ),
    ("13-json-layouts/concat.jsonl", ":1: has several records on a line; put each on one: jq -c . FILE > OUT.jsonl"),
    (
        "13-json-layouts/cr.jsonl",
        ":1: ends its lines with carriage returns alone; convert them: tr '\\r' '\\n' < FILE > OUT.jsonl",
    ),
    ("13-json-layouts/crlf-array.json", ["a\r\nb", "c  d"]),
    (
        "13-json-layouts/dict-of-records.json",
        ":1: is one object of records; put them on lines: jq -c '.[]' FILE > OUT.jsonl",
    ),
    (
        "13-json-layouts/latin1.jsonl",
        ":1: is not UTF-8: found byte 0xe9 at byte 13; convert the file: iconv -f WINDOWS-1252 -t UTF-8 FILE > OUT, or skip such records (on_error='skip', --on-error skip)",
    ),
    (
        "13-json-layouts/listlines.jsonl",
        ":2: is not a JSON array: it is several arrays, each a conversation; name them: jq -c '{conversations: .}' FILE > OUT.jsonl",
    ),
    (
        "13-json-layouts/listoflists.json",
        ":1: is an array of conversations without a name; name them: jq -c '.[] | {conversations: .}' FILE > OUT.jsonl",
    ),
    ("13-json-layouts/nulchar.jsonl", ["a\x00b"]),
    (
        "13-json-layouts/nullline.jsonl",
        ":2: the record does not have the schema text (text): found null; PATH:1 decided for it; mend or remove the record, or skip such records (on_error='skip', --on-error skip)",
    ),
    (
        "13-json-layouts/nuls.jsonl",
        ":2: is not JSON: expecting value at column 1, found '\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00'; NUL bytes are what a crash or a full disk leaves: remove the line, or skip such records (on_error='skip', --on-error skip)",
    ),
    (
        "13-json-layouts/onelist-role.jsonl",
        ":1: is an array of turns: one conversation; name it: jq -c '{messages: .}' FILE > OUT.jsonl",
    ),
    (
        "13-json-layouts/pretty.jsonl",
        ":1: has records that go over several lines; put each on one: jq -c . FILE > OUT.jsonl",
    ),
    (
        "13-json-layouts/pyrepr.jsonl",
        ":1: has single quotes, as Python's repr writes them, and is not JSON; write the records with json.dumps",
    ),
    (
        "13-json-layouts/rawtab.jsonl",
        ":1: is not JSON: invalid control character at column 13, found '\\there\"}'; mend or remove the record, or skip such records (on_error='skip', --on-error skip)",
    ),
    (
        "13-json-layouts/seq.jsonl",
        ":1: is a JSON text sequence, with a separator (0x1e) before each record; remove them: tr -d '\\036' < FILE > OUT.jsonl",
    ),
    (
        "13-json-layouts/single-pretty.json",
        ":1: has records that go over several lines; put each on one: jq -c . FILE > OUT.jsonl",
    ),
    (
        "13-json-layouts/trailing-comma.jsonl",
        ":1: has commas between its lines; remove them: sed 's/,[[:space:]]*$//' FILE > OUT.jsonl",
    ),
    ("13-json-layouts/utf16.jsonl", ": is UTF-16, not UTF-8; convert the file: iconv -f UTF-16 -t UTF-8 FILE > OUT"),
    (
        "13-json-layouts/wrapped-pretty.json",
        ":1: is one object, whose member 'data' has the records; put them on lines: jq -c '.data[]' FILE > OUT.jsonl",
    ),
    (
        "13-json-layouts/wrapped.json",
        ":1: is one object, whose member 'data' has the records; put them on lines: jq -c '.data[]' FILE > OUT.jsonl",
    ),
    ("14-csv-quirks/backslash.csv", ['backslash \\"quoted\\"', 'esc \\q\\" x"']),
    ("14-csv-quirks/blanks.csv", ["a a", "b b"]),
    ("14-csv-quirks/crlf.csv", ["x"]),
    ("14-csv-quirks/dup.csv", ": has more than one column named 'text'; rename one of them"),
    (
        "14-csv-quirks/jsoncol.csv",
        ": row 1: 'messages' is text, not a list of turns; it is JSON as text: parse it (json.loads), and write the records anew, or skip such records (on_error='skip', --on-error skip)",
    ),
    (
        "14-csv-quirks/latin1.csv",
        ":2: is not UTF-8: found byte 0xe9; convert the file: iconv -f WINDOWS-1252 -t UTF-8 FILE > OUT",
    ),
    ("14-csv-quirks/newline.csv", ["line one\nline two", 'he said "x", ok']),
    ("14-csv-quirks/nulls.csv", ["a", "", ""]),
    ("14-csv-quirks/quote.tsv", ["Hello there\n2\tfoo\n3\tbar baz", "last"]),
    (
        "14-csv-quirks/ragged.csv",
        ": cannot be read as CSV: row 2 has 3 fields, not 2: 'b,2,extra'; put quotes around fields that hold the delimiter",
    ),
    (
        "14-csv-quirks/reprcol.csv",
        ": row 1: 'messages' is text, not a list of turns; it is Python's repr as text: parse it (ast.literal_eval), and write the records anew, or skip such records (on_error='skip', --on-error skip)",
    ),
    (
        "14-csv-quirks/semicolon.csv",
        ": the table has none of the schemas ...: found the keys 'instruction;output'; fields are separated by ';', not ','; convert it: python -c \"import csv, sys; csv.writer(sys.stdout).writerows(csv.reader(sys.stdin, delimiter=';'))\" < FILE > OUT.csv",
    ),
    (
        "14-csv-quirks/spaces.csv",
        ": the table has none of the schemas ...: found the keys ' text ', ' label '; remove the spaces around the names in the first row",
    ),
    ("14-csv-quirks/unnamed-index.csv", ["a a", "b b"]),
    (
        "14-csv-quirks/unterminated.csv",
        ": cannot be read as CSV: row 1 has 1 field, not 2: '\"unterminated,1'; close the quote, or double it if it is part of the text",
    ),
    ("19-files-and-pipes/p.parquet", ["one one", "two two"]),
    ("19-files-and-pipes/pool.jsonl", ["alpha alpha", "beta beta", "gamma"]),
    (
        "26-size-and-depth/deep.jsonl",
        ":1: is nested too deeply to be read as JSON; mend or remove the record, or skip such records (on_error='skip', --on-error skip)",
    ),
    ("26-size-and-depth/deep500.jsonl", ["a a", "b b"]),
    ("26-size-and-depth/deep500m.jsonl", ["a a"]),
    (
        "26-size-and-depth/digits.jsonl",
        ":1: has an integer of more digits than Python reads; mend or remove the record, or skip such records (on_error='skip', --on-error skip)",
    ),
    ("26-size-and-depth/dupkeys.jsonl", ["second value", "only second", "x"]),
    ("26-size-and-depth/nan.jsonl", ["a a", "b b", "c c"]),
    ("26-size-and-depth/noread/a.jsonl", ["x x"]),
    ("26-size-and-depth/noread/sub/a.jsonl", ["x x"]),
    ("26-size-and-depth/p.jsonl", ["x x"]),
    ("11-empty-shards/d", ["one one", "two two"]),
    ("11-empty-shards/p", ["a a", "b b"]),
    (
        "12-compressions-and-archives/d",
        ["alpha alpha", "beta beta", "alpha alpha", "beta beta", "alpha alpha", "beta beta"],
    ),
    (
        "12-compressions-and-archives/e",
        [
            "alpha alpha",
            "beta beta",
            "alpha alpha",
            "beta beta",
            "alpha alpha",
            "beta beta",
            "alpha alpha",
            "beta beta",
        ],
    ),
    ("32-hf-cache-and-saved-dirs/saved", ["one one", "two two", "three three"]),
    ("32-hf-cache-and-saved-dirs/pool.jsonl", ["one one", "two two", "three three"]),
]
FOLDERS = (
    "10-bom",
    "11-empty-shards",
    "12-compressions-and-archives",
    "13-json-layouts",
    "14-csv-quirks",
    "19-files-and-pipes",
    "26-size-and-depth",
)


@pytest.fixture(scope="session")
def cases(shared: Path) -> Path:
    if not (shared / "cases").is_dir():
        pytest.skip("the cases are not there")
    return shared / "cases"


@pytest.mark.parametrize(("name", "expected"), CASES, ids=[name for name, _ in CASES])
def test_cases(cases: Path, name: str, expected: list[str] | str) -> None:
    path = cases / name
    if isinstance(expected, list):
        assert samples(load([path], paths=True)) == expected
    else:
        # Which schemas there are is not what this is about.
        found = re.sub(r"(?<=schemas ).*(?=: found)", "...", message(path))
        assert found == f"{path}{expected.replace('PATH', str(path))}"


def test_every_file_is_in_the_table(cases: Path) -> None:
    files = {
        path.relative_to(cases).as_posix()
        for folder in FOLDERS
        for path in (cases / folder).rglob("*")
        if path.is_file()
    }
    assert files - {name for name, _ in CASES} == set()
