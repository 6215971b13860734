"""Manifests are what anybody may have written: what they may say, and what becomes of all else."""

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import entropylaw
from entropylaw import EntropyLawError
from entropylaw.cli import main
from entropylaw.pool import load

MANIFEST = Path("out.jsonl.manifest.json")
PICKS = Path("out.jsonl.picks.npz")
N = 40
Change = Callable[[dict[str, Any]], object]


def write(path: str, numbers: range = range(N), **extra: Any) -> str:
    lines = [
        json.dumps({"text": f"the cat {number * number} sat on {number}", "n": 1 + number % 5, **extra})
        for number in numbers
    ]
    Path(path).write_text("".join(line + "\n" for line in lines))
    return path


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A selection from ``pool.jsonl`` with arrays and an anchor, saved as ``out.jsonl`` in the current directory."""
    monkeypatch.chdir(tmp_path)
    write("known.jsonl", range(100, 107))
    entropylaw.select(
        write("pool.jsonl"),
        budget=9,
        method="coverage",
        weight=[1 + n % 4 for n in range(N)],
        group_by=[f"g{n % 2}" for n in range(N)],
        quota="*>=20%",
        anchor="known.jsonl",
    ).save("out.jsonl")


def edit(change: Change) -> None:
    content = json.loads(MANIFEST.read_text())
    change(content)
    MANIFEST.write_text(json.dumps(content))


def everything() -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in Path().rglob("*") if path.is_file()}


def refused(message: str) -> None:
    """Replaying is refused in one line, by the library and the command, and no file is touched."""
    before = everything()
    with pytest.raises(EntropyLawError) as error:
        entropylaw.replay(MANIFEST)
    assert str(error.value) == message
    assert main(["replay", str(MANIFEST), "-q"]) == 2
    assert everything() == before


def test_a_manifest_has_a_format_and_only_known_members() -> None:
    content = json.loads(MANIFEST.read_text())
    assert content["manifest"] == 1
    assert content["parameters"]["weight"] == {
        "type": "array",
        "dtype": "<f8",
        "length": N,
        "sha256": hashlib.sha256(np.array([1.0 + n % 4 for n in range(N)]).tobytes()).hexdigest(),
    }
    samples, size, digest = load("known.jsonl").fingerprint
    assert content["parameters"]["anchor"] == {
        "type": "data",
        "files": [{"name": "known.jsonl", "bytes": Path("known.jsonl").stat().st_size}],
        "samples": samples,
        "bytes": size,
        "sha256": digest,
    }
    assert set(content["fingerprints"]) == {"groups", "quotas", "weights"}


@pytest.mark.parametrize(
    "name", ["checkpoint", "resume", "memory", "threads", "progress", "pool", "method", "initial_subset", "numbers"]
)
def test_only_what_is_on_the_list_goes_to_select(name: str) -> None:
    Path("victim").mkdir()
    Path("victim/journal").write_text("mine")
    edit(lambda content: content["parameters"].update({name: "victim"}))
    refused(f"{MANIFEST}: is not a manifest that can be replayed: object contains unknown field `{name}`")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.update(manifest=2), "is a manifest of format 2, this version reads format 1; select anew"),
        (lambda c: c.update(manifest="1"), "is a manifest of format '1', this version reads format 1; select anew"),
        (lambda c: c.update(manifest=True), "is a manifest of format True, this version reads format 1; select anew"),
        (
            lambda c: c.pop("manifest"),
            "is not a manifest of a selection: it has no 'manifest'; name the manifest, OUT.manifest.json",
        ),
        (lambda c: c.update(extra=1), "object contains unknown field `extra`"),
        (lambda c: c.pop("output"), "object missing required field `output`"),
        (lambda c: c["output"].update(path="x"), "object contains unknown field `path` - at `$.output`"),
        (lambda c: c["output"].update(sort="up"), "invalid enum value 'up' - at `$.output.sort`"),
        (lambda c: c["parameters"].update(budget=None), "expected `int | str`, got `null` - at `$.budget`"),
        (lambda c: c["parameters"].update(gamma="x"), "expected `float`, got `str` - at `$.gamma`"),
        (lambda c: c["parameters"].pop("gamma"), "object missing required field `gamma`"),
        (lambda c: c["parameters"].update(k1=3), "object contains unknown field `k1`"),
        (
            lambda c: c["parameters"].update(length_band=[1, 2, 3]),
            "expected `array` of length 2, got 3 - at `$.length_band`",
        ),
        (
            lambda c: c["parameters"].update(anchor=["known.jsonl"]),
            "expected `object | null`, got `array` - at `$.anchor`",
        ),
        (
            lambda c: c["parameters"].update(weight={"array": N}),
            "object contains unknown field `array` - at `$.weight`",
        ),
        (lambda c: c["parameters"].update(weight={"type": "zip"}), "invalid value 'zip' - at `$.weight.type`"),
        (
            lambda c: c["parameters"]["weight"].update(dtype="|O"),
            "weight is an array of '|O'; it must be of '<f8'",
        ),
        (lambda c: c["parameters"]["weight"].update(length=N - 1), f"weight has {N - 1} values, the pool {N} samples"),
        (
            lambda c: c["parameters"].update(render="how.jinja"),
            "render is 'how.jinja'; it must be 'text', 'json', or the text of a template",
        ),
        (
            lambda c: c["parameters"].update(render="/etc/passwd"),
            "render is '/etc/passwd'; it must be 'text', 'json', or the text of a template",
        ),
        (
            lambda c: c["parameters"].update(tokens="how.json"),
            "tokens is the field 'how.json', but there is a file of that name here",
        ),
        (
            lambda c: c.update(method="magic"),
            "there is no method 'magic'; there are 'zip', 'coverage', 'random', 'top', 'dsir', 'zipfit' and 'density'",
        ),
        *(
            (
                lambda c, name=name: c["picks"].update(name=name),
                f"{name!r} is not the name of a file beside the manifest - at `$.picks`",
            )
            for name in ("../x.npz", "/etc/passwd", "a/b", "..", ".", "", "a\0b")
        ),
        (
            lambda c: c["output"]["files"][0].update(name="../../x"),
            "'../../x' is not the name of a file beside the manifest - at `$.output.files[0]`",
        ),
        (
            lambda c: c["selection"].update(samples=10**12),
            "it says that 1000000000000 of 40 samples were selected",
        ),
    ],
)
def test_what_a_manifest_may_not_say(change: Change, message: str) -> None:
    Path("how.jinja").write_text("{{ text }}")
    Path("how.json").write_text("{}")
    edit(change)
    whole = message.startswith(("is a manifest", "is not a manifest"))
    refused(f"{MANIFEST}: {'' if whole else 'is not a manifest that can be replayed: '}{message}")


@pytest.mark.parametrize(
    "content", [b"", b"[1]", b'"manifest"', b"null", b'{"manifest": NaN}', b'{"manifest": 1e999}', b"\xff{}"]
)
def test_files_that_are_no_manifests(content: bytes) -> None:
    MANIFEST.write_bytes(content)
    why = "it has no 'manifest'" if content in (b"[1]", b'"manifest"', b"null") else "it is not JSON"
    refused(f"{MANIFEST}: is not a manifest of a selection: {why}; name the manifest, OUT.manifest.json")


def test_a_manifest_is_not_read_to_the_end_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("entropylaw.untrusted.MOST_BYTES", MANIFEST.stat().st_size - 1)
    refused(
        f"{MANIFEST}: is not a manifest of a selection: it has more than {MANIFEST.stat().st_size - 1:,} bytes; name "
        "the manifest, OUT.manifest.json"
    )


def npz(arrays: dict[str, Any], compression: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            if isinstance(array, bytes):
                content.write(array)
            else:
                np.lib.format.write_array(content, array)
            archive.writestr(f"{name}.npy", content.getvalue())
    return file.getvalue()


def header(shape: str, descr: str = "'<f8'") -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def arrays() -> dict[str, Any]:
    with np.load(PICKS) as archive:
        return {name: archive[name] for name in archive.files}


def put(archive: bytes) -> None:
    """An archive that the manifest names, hash and all."""
    PICKS.write_bytes(archive)
    edit(lambda c: c["picks"].update(bytes=len(archive), sha256=hashlib.sha256(archive).hexdigest()))


class Trap:
    def __reduce__(self) -> Any:
        return (os.mkdir, ("trapped",))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a.pop("indices"), "does not fit the manifest: it has no array 'indices'"),
        (lambda a: a.pop("parameter_weight"), "does not fit the manifest: it has no array 'parameter_weight'"),
        (
            lambda a: a.update(indices=a["indices"].astype("<i4")),
            "does not fit the manifest: its array 'indices' is of int32, shape (9,); it should be of int64, shape (9,)",
        ),
        (
            lambda a: a.update(indices=a["indices"][:5]),
            "does not fit the manifest: its array 'indices' is of int64, shape (5,); it should be of int64, shape (9,)",
        ),
        (
            lambda a: a.update(parameter_weight=a["parameter_weight"].reshape(2, -1)),
            "does not fit the manifest: its array 'parameter_weight' is of float64, shape (2, 20); it should be of "
            "float64, shape (40,)",
        ),
        (
            lambda a: a.update(parameter_weight=a["parameter_weight"] + 1),
            "does not fit the manifest: the hash of its array 'parameter_weight' differs",
        ),
        (
            lambda a: a.update(indices=a["indices"] + N),
            "does not fit the manifest: its indices are not those of samples, each once",
        ),
        (
            lambda a: a.update(indices=a["indices"] * 0),
            "does not fit the manifest: its indices are not those of samples, each once",
        ),
        (
            lambda a: a.update(indices=header("(10**15,)")),
            "is not a NumPy archive: malformed node or string on line 1: ",
        ),
        (
            lambda a: a.update(indices=header("(1000000000000000,)", "'<i8'")),
            "does not fit the manifest: its array 'indices' is of int64, shape (1000000000000000,); it should be of "
            "int64, shape (9,)",
        ),
        (
            lambda a: a.update(indices=header("(9,)", "'<i8'") + b"12345678"),
            "does not fit the manifest: its array 'indices' is cut off",
        ),
        (
            lambda a: a.update(parameter_group_by=header(f"({N},)", "'<U500000000'")),
            "does not fit the manifest: its array 'parameter_group_by' is cut off",
        ),
        (
            lambda a: a.update(indices=header("(9,)", "'|O'") + b"\x80\x04."),
            "does not fit the manifest: its array 'indices' is of object, shape (9,); it should be of int64, shape "
            "(9,)",
        ),
        (lambda a: a.update(indices=b"no array"), "is not a NumPy archive: "),
        (
            lambda a: a.update(indices=b"\x93NUMPY\x03\x00" + header("(9,)", "'<i8'")[8:]),
            "does not fit the manifest: an array in it has version (3, 0), as none that we write has",
        ),
    ],
)
def test_archives_are_checked_before_their_arrays_are_read(change: Change, message: str) -> None:
    found = arrays()
    change(found)
    put(npz(found))
    before = everything()
    with pytest.raises(EntropyLawError) as error:
        entropylaw.replay(MANIFEST)
    said = str(error.value)
    assert said == f"{PICKS}: {message}" or (message.endswith(": ") and said.startswith(f"{PICKS}: {message}"))
    assert everything() == before


def test_pickles_are_not_loaded() -> None:
    found = arrays()
    traps = np.array([Trap()] * 9, dtype=object)
    file = io.BytesIO()
    np.save(file, traps, allow_pickle=True)
    put(npz({**found, "indices": file.getvalue()}))
    refused(
        f"{PICKS}: does not fit the manifest: its array 'indices' is of object, shape (9,); it should be of int64, "
        "shape (9,)"
    )
    assert not Path("trapped").exists()


def test_a_decompression_bomb_is_not_unpacked() -> None:
    bomb = header("(9,)", "'<i8'") + bytes(1 << 26)
    found = {name: array for name, array in arrays().items() if name != "parameter_group_by"}
    put(npz({"parameter_group_by": bomb, **found}, zipfile.ZIP_DEFLATED))
    assert PICKS.stat().st_size < 1 << 17
    refused(
        f"{PICKS}: does not fit the manifest: its array 'parameter_group_by' is compressed, as none that we write is"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            lambda old: old[:-1],
            "is not the file that the manifest was written with: it has {less:,} bytes, not {size:,}",
        ),
        (
            lambda old: old[:-1] + b"x",
            "is not the file that the manifest was written with: its hash differs",
        ),
    ],
)
def test_another_archive_is_refused(content: Callable[[bytes], bytes], message: str) -> None:
    old = PICKS.read_bytes()
    PICKS.write_bytes(content(old))
    refused(f"{PICKS}: {message.format(less=len(old) - 1, size=len(old))}")


def test_an_archive_that_is_none_or_no_file() -> None:
    put(b"not a zip")
    refused(f"{PICKS}: is not a NumPy archive: File is not a zip file")
    PICKS.unlink()
    refused(f"{PICKS}: cannot be read: No such file or directory; it goes with the manifest")
    os.mkfifo(PICKS)
    with pytest.raises(EntropyLawError, match=r"picks\.npz: is not a regular file; it goes with the manifest"):
        entropylaw.replay(MANIFEST)


def swap(path: str) -> None:
    """Other content of the same size, with the times of the old."""
    file = Path(path)
    was = file.stat()
    old = file.read_text()
    file.write_text(old.replace("cat", "dog"))
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))
    assert file.stat().st_size == was.st_size
    assert file.stat().st_mtime_ns == was.st_mtime_ns


@pytest.mark.parametrize(("what", "path"), [("pool", "pool.jsonl"), ("anchor", "known.jsonl")])
def test_content_decides_not_the_size(what: str, path: str) -> None:
    moved = Path(path).read_text()
    swap(path)
    refused(
        f"the {what} is not the one of {MANIFEST}: it has as many samples and bytes, but other content or another "
        f"order; name the one of then ({what}=, --{what})"
    )
    Path("moved.jsonl").write_text(moved)
    assert len(entropylaw.replay(MANIFEST, **{what: "moved.jsonl"})) == 9
    assert main(["replay", str(MANIFEST), f"--{what}", "moved.jsonl", "-q"]) == 0


@pytest.mark.parametrize(("what", "path"), [("pool", "pool.jsonl"), ("anchor", "known.jsonl")])
def test_another_size_is_named_but_does_not_decide(what: str, path: str) -> None:
    size = Path(path).stat().st_size
    with Path(path).open("a") as file:
        file.write("\n")
    assert len(entropylaw.replay(MANIFEST)) == 9, "the samples are the same"
    with Path(path).open("a") as file:
        file.write('{"text": "one more"}\n')
    now = load(path).fingerprint
    refused(
        f"the {what} is not the one of {MANIFEST}: it has {now.samples} samples, not {now.samples - 1} and "
        f"{now.bytes:,} bytes, not {now.bytes - 8:,}; {path} has {Path(path).stat().st_size:,} bytes, and had {size:,} "
        f"then; name the one of then ({what}=, --{what})"
    )


@pytest.mark.parametrize(("what", "path"), [("pool", "pool.jsonl"), ("anchor", "known.jsonl")])
def test_files_that_are_gone_or_no_files_are_named(what: str, path: str) -> None:
    Path(path).unlink()
    remedy = f"name the {what} where it is now ({what}=, --{what})"
    refused(f"{path}: cannot be read: No such file or directory; {remedy}")
    os.mkfifo(path)  # Reading it would wait for ever.
    with pytest.raises(EntropyLawError) as error:
        entropylaw.replay(MANIFEST)
    assert str(error.value) == f"{path}: is not a regular file; {remedy}"


@pytest.mark.parametrize("name", ["-", "standard input"])
def test_standard_input_is_not_read_because_a_manifest_names_it(name: str) -> None:
    Path(name).write_text(Path("pool.jsonl").read_text())
    edit(lambda c: c["pool"]["files"][0].update(name=name))
    refused(f"{MANIFEST}: the pool was not read from files; name one (pool=, --pool)")


def test_other_values_in_a_field_are_named() -> None:
    for method in ("zip", "coverage"):
        entropylaw.select("pool.jsonl", budget=9, method=method, weight="n", min_score="n>=2").save(
            "out.jsonl", force=True
        )
        write("pool.jsonl", n=3)
        refused(
            f"the controls do not come to what they did for {MANIFEST}: other candidates, weights; the records have "
            "the same text, but other values in the fields that controls read; name the pool of then (pool=, --pool)"
        )
        write("pool.jsonl")
        assert len(entropylaw.replay(MANIFEST)) == 9


def test_what_was_not_there_can_not_be_given() -> None:
    entropylaw.select("pool.jsonl", budget=9, anchor=[1, 2]).save("out.jsonl", force=True)
    with pytest.raises(EntropyLawError) as error:
        entropylaw.replay(MANIFEST, anchor="known.jsonl")
    assert str(error.value) == f"{MANIFEST}: the selection was made without an anchor from elsewhere; give none"
    with pytest.raises(EntropyLawError) as error:
        entropylaw.replay(MANIFEST, tokens="tokenizer.json")
    assert str(error.value) == f"{MANIFEST}: the selection was made without a tokenizer's file; give none"


def tokenizer(path: str, word: str = "the") -> str:
    tokenizers = pytest.importorskip("tokenizers", reason="an optional package")
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel({"[UNK]": 0, word: 1}, unk_token="[UNK]"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    made.save(path)
    return path


def test_a_tokenizers_file_is_read_only_if_it_is_the_one_of_then(monkeypatch: pytest.MonkeyPatch) -> None:
    entropylaw.select("pool.jsonl", budget="40 tokens", tokens=tokenizer("tokenizer.json")).save(
        "out.jsonl", force=True
    )
    remedy = "name the one of then (tokens=, --tokens)"
    picked = len(entropylaw.replay(MANIFEST))
    Path("tokenizer.json").rename("moved.json")
    refused(f"tokenizer.json: cannot be read: No such file or directory; {remedy}")
    assert len(entropylaw.replay(MANIFEST, tokens="moved.json")) == picked
    assert main(["replay", str(MANIFEST), "--tokens", "moved.json", "-q"]) == 0
    monkeypatch.setattr("entropylaw.controls.tokens._loaded", lambda file: pytest.fail("reads it"))
    tokenizer("tokenizer.json", "cat")
    refused(f"tokenizer.json: is not the tokenizer of {MANIFEST}: it has as many bytes, but other content; {remedy}")
    size = Path("tokenizer.json").stat().st_size
    with Path("tokenizer.json").open("a") as file:
        file.write(" ")
    refused(f"tokenizer.json: is not the tokenizer of {MANIFEST}: it has {size + 1:,} bytes, not {size:,}; {remedy}")


def test_a_name_that_is_no_utf8_comes_back(tmp_path: Path) -> None:
    name = os.fsdecode(b"p\xffool.jsonl")
    try:
        Path(name).write_text(Path("pool.jsonl").read_text())
    except OSError:
        pytest.skip("this file system has no such names")
    entropylaw.select(name, budget=9).save("out.jsonl", force=True)
    assert json.loads(MANIFEST.read_bytes())["pool"]["files"][0]["name"] == name
    assert len(entropylaw.replay(MANIFEST)) == 9


def test_a_template_that_never_ends_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("minijinja", reason="an optional package")
    monkeypatch.setattr("entropylaw.pool.template._STEPS", 100_000)
    endless = "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}"
    edit(lambda c: c["parameters"].update(render=endless))
    refused(
        "pool.jsonl:1: the template can't be rendered: engine ran out of fuel (in the template's line 1); mend or "
        "remove the record, or skip such records (on_error='skip', --on-error skip)"
    )
