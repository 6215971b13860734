"""Storage behind servers on this machine: S3 (moto), the web, and the hub of Hugging Face.

``make test-storage`` runs all of it; what a server's package is not installed for is skipped.
"""

import http.server
import json
import re
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

pytest.importorskip("fsspec", reason="URLs are read by fsspec, the extra entropylaw[storage]")

import entropylaw
from entropylaw import EntropyLawError
from entropylaw.cli import main
from entropylaw.pool import load
from entropylaw.storage.objects import StoredObject
from entropylaw.storage.options import using
from entropylaw.storage.uploads import upload

RECORDS = [{"text": f"sample {n} says that {n} times {n} is {n * n}", "n": n} for n in range(60)]
LINES = b"".join(json.dumps(record).encode() + b"\n" for record in RECORDS)
SECRET = "hunter2-do-not-tell"


@pytest.fixture(autouse=True)
def spools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A directory of its own for temporary files, in which none is left."""
    directory = tmp_path / "spools"
    directory.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(directory))
    yield
    assert list(directory.iterdir()) == []


def refused(pool: Any, **options: Any) -> str:
    with pytest.raises(EntropyLawError) as raised:
        load(pool, paths=True, **options)
    assert "\n" not in str(raised.value)
    return str(raised.value)


# ---- S3


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    pytest.importorskip("s3fs", reason="s3:// needs s3fs: `make test-storage`")
    moto = pytest.importorskip("moto.server", reason="S3 is served by moto: `make test-storage`")
    served = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    served.start()
    host, port = served.get_host_and_port()
    yield f"http://{host}:{port}"
    served.stop()


@pytest.fixture
def options(server: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    return {"endpoint_url": server, "key": "testing", "secret": SECRET}


@pytest.fixture
def bucket(options: dict[str, Any]) -> Iterator[Any]:
    """An empty bucket ``box``."""
    import s3fs

    system = s3fs.S3FileSystem(**options)
    if system.exists("box"):
        system.rm("box", recursive=True)
    system.mkdir("box")
    system.pipe_file("box/pool.jsonl", LINES)
    yield system
    system.rm("box", recursive=True)


def stored(system: Any) -> dict[str, bytes]:
    system.invalidate_cache()
    return {path: system.cat_file(path) for path in system.find("box")}


@pytest.mark.parametrize("shards", [None, 3])
def test_s3_round_trip(bucket: Any, options: dict[str, Any], tmp_path: Path, shards: int | None) -> None:
    (tmp_path / "pool.jsonl").write_bytes(LINES)
    here = entropylaw.select(tmp_path / "pool.jsonl", budget=9)
    there = entropylaw.select("s3://box/pool.jsonl", budget=9, storage_options=options)
    assert there.indices.tolist() == here.indices.tolist()
    files = here.save(tmp_path / "out.jsonl", shards=shards)
    for force in (False, True):
        there.save("s3://box/new/out.jsonl", shards=shards, force=force, storage_options=options)
        found = stored(bucket)
        for file in files:
            assert found[f"box/new/{Path(file).name}"] == Path(file).read_bytes()
        assert len(found) == len(files) + 3, found.keys()
    manifest = "s3://box/new/out.jsonl.manifest.json"
    recorded = json.loads(found[manifest.removeprefix("s3://")])["pool"]["files"]
    assert recorded[0]["etag"] == bucket.info("box/pool.jsonl")["ETag"].strip('"')
    assert SECRET.encode() not in b"".join(found.values())
    assert entropylaw.replay(manifest, storage_options=options).indices.tolist() == here.indices.tolist()


def test_s3_by_the_command_line(bucket: Any, options: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    given = [word for name, value in options.items() for word in ("--storage-option", f"s3.{name}={value}")]
    assert main(["select", "s3://box/*.jsonl", "-o", "s3://box/o/out.jsonl.zst", "--budget", "5", *given]) == 0
    assert main(["replay", "s3://box/o/out.jsonl.zst.manifest.json", "-o", "s3://box/again.jsonl", *given]) == 0
    assert main(["select", "s3://box", "-o", "s3a://box/pool.jsonl", "--force", "--budget", "5", *given]) == 2
    said = capsys.readouterr()
    assert (
        "s3a://box/pool.jsonl: is a file of the pool, s3://box/pool.jsonl; name another file for the records"
        in said.err
    )
    assert SECRET not in said.out + said.err
    assert bucket.cat_file("box/pool.jsonl") == LINES


def test_s3_directories_and_odd_names(bucket: Any, options: dict[str, Any]) -> None:
    for name in ("d/train-0.jsonl", "d/e/train-1.jsonl", "d/.hidden.jsonl", "d/_tmp/x.jsonl", "d/README.md"):
        bucket.pipe_file(f"box/{name}", LINES)
    # What consoles make for a directory.
    bucket.pipe_file("box/d/", b"")
    pool = load("s3://box/d/", storage_options=options)
    assert [file.name for file in pool.records.files()] == ["s3://box/d/e/train-1.jsonl", "s3://box/d/train-0.jsonl"]
    assert pool.left_out == ("s3://box/d/README.md",)
    # As here: what begins with an underscore is left out of directories, and not of patterns.
    assert len(load("s3://box/d/**/*.jsonl", storage_options=options)) == 180
    for name in ("a::b.jsonl", "what?.jsonl", "x[1].jsonl", "a b+c%20.jsonl"):
        bucket.pipe_file(f"box/odd/{name}", LINES)
        pool = load(f"s3://box/odd/{name}", storage_options=options)
        assert [file.name for file in pool.records.files()] == [f"s3://box/odd/{name}"]


def test_s3_large_files_go_in_parts(
    bucket: Any, options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import s3fs.core

    monkeypatch.setattr(s3fs.core, "calculate_chunksize", lambda *_, **__: 5 << 20)
    content = b"".join(json.dumps({"text": f"{n} " * 200_000}).encode() + b"\n" for n in range(1, 25))
    (tmp_path / "pool.jsonl").write_bytes(content)
    selection = entropylaw.select(tmp_path / "pool.jsonl", budget=24, method="random")
    selection.save("s3://box/out.jsonl", sort="input", storage_options=options)
    assert "-" in bucket.info("box/out.jsonl")["ETag"], "in parts"
    assert bucket.cat_file("box/out.jsonl") == content
    assert load("s3://box/out.jsonl", storage_options=options).fingerprint == selection.pool.fingerprint


def test_s3_changes_are_noticed(bucket: Any, options: dict[str, Any], tmp_path: Path) -> None:
    """By the ETag: neither size nor, within a second, time tells."""
    selection = entropylaw.select("s3://box/pool.jsonl", budget=9, storage_options=options)
    selection.save("s3://box/out.jsonl", storage_options=options)
    bucket.pipe_file("box/pool.jsonl", LINES.replace(b"sample", b"simple"))
    with pytest.raises(EntropyLawError, match=r"^s3://box/pool.jsonl: the object has changed since it was read"):
        selection.save(tmp_path / "out.jsonl")
    with pytest.raises(EntropyLawError, match=r"s3://box/pool.jsonl is another object than then"):
        entropylaw.replay("s3://box/out.jsonl.manifest.json", storage_options=options)


def test_s3_itself_refuses_to_replace(
    bucket: Any, options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another run has written since this one looked stays as it is."""
    monkeypatch.setattr(StoredObject, "exists", lambda *_: False)
    bucket.pipe_file("box/out.csv", b"theirs")
    (tmp_path / "out.csv").write_bytes(b"ours")
    with pytest.raises(EntropyLawError, match=r"^s3://box/out.csv: exists; name another"), using(options):
        upload([(tmp_path / "out.csv", "s3://box/out.csv")], force=False)
    assert bucket.cat_file("box/out.csv") == b"theirs"


@pytest.mark.parametrize("force", [False, True])
def test_s3_faults_at_every_step(
    bucket: Any, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch, force: bool
) -> None:
    """Of all that is asked of S3 while a selection is written, each fails once."""
    import s3fs

    calls: list[str] = []
    fail_at: int | None = None
    ask = s3fs.S3FileSystem._call_s3

    async def asked(self: Any, method: str, *args: Any, **kwargs: Any) -> Any:
        calls.append(method)
        if len(calls) - 1 == fail_at:
            raise OSError("the line is dead")
        return await ask(self, method, *args, **kwargs)

    selection = entropylaw.select([record["text"] for record in RECORDS], budget=6)
    other = entropylaw.select([record["text"] for record in RECORDS], budget=5)

    def begin() -> None:
        bucket.invalidate_cache()
        bucket.rm("box", recursive=True)
        bucket.mkdir("box")
        bucket.pipe_file("box/beside", b"")
        if force:
            other.save("s3://box/out.jsonl", storage_options=options)

    begin()
    old = stored(bucket)
    monkeypatch.setattr(s3fs.S3FileSystem, "_call_s3", asked)
    calls.clear()
    selection.save("s3://box/out.jsonl", force=force, storage_options=options)
    count = len(calls)
    whole = stored(bucket)
    for step in range(count):
        fail_at = None
        begin()
        calls.clear()
        fail_at = step
        failed = True
        try:
            selection.save("s3://box/out.jsonl", force=force, storage_options=options)
            failed = False
        except EntropyLawError as error:
            assert str(error).startswith("s3://box/out.jsonl") and "the line is dead" in str(error)
        what = calls[step]
        fail_at = None
        found = stored(bucket)
        # What is not vital, such as to end a trial, or to remove a copy, may fail.
        found = {path: content for path, content in found.items() if not path.endswith(".tmp")}
        if not failed:
            assert found == whole, what
        elif not force:
            assert found == old, what
        for path, content in found.items():
            assert content in (old.get(path), whole.get(path)), (what, path)
        if "box/out.jsonl.manifest.json" in found:
            assert found in (old, whole), what


@pytest.mark.parametrize(
    ("url", "change", "message"),
    [
        ("s3://box/nix.jsonl", {}, "there is no such object; is the name right?"),
        ("s3://nix-box/nix.jsonl", {}, "there is no such object; is the name right?"),
        ("s3://nix-box/*.jsonl", {}, "no object matches"),
        ("s3://box/pool.jsonl", {"key": None, "secret": None}, "access is denied (unable to locate credentials); give"),
        ("s3://box/pool.jsonl", {"endpoint_url": "http://127.0.0.1:9"}, "cannot be reached (could not connect to the"),
        ("s3://box/pool.jsonl", {"colour": "red"}, "the storage does not take these options"),
    ],
)  # fmt: skip
def test_s3_cannot_be_read(
    bucket: Any, options: dict[str, Any], url: str, change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    said = refused(url, storage_options={**options, "config_kwargs": {"retries": {"max_attempts": 0}}, **change})
    assert said.startswith(f"{url}: {message}") and SECRET not in said


def test_s3_cannot_be_written(bucket: Any, options: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """Before the pool is read, which is not even there."""
    given = [word for name, value in options.items() for word in ("--storage-option", f"{name}={value}")]
    assert main(["score", "s3://box/nix.jsonl", "-o", "s3://nix-box/out.csv", *given]) == 2
    assert capsys.readouterr().err == (
        "entropylaw: s3://nix-box/out.csv: there is no such bucket or directory; is the name right?\n"
    )


# ---- the web


class _Web(http.server.BaseHTTPRequestHandler):
    """Serves ``LINES`` at any path that its query, or a user, opens; counts nothing, and lists nothing."""

    protocol_version = "HTTP/1.1"
    content = LINES
    tagged = True

    def log_message(self, *_: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(False)

    def do_GET(self) -> None:
        self._answer(True)

    def _answer(self, body: bool) -> None:
        url = urlsplit(self.path)
        status = {"/gone.jsonl": 404, "/locked.jsonl": 403, "/broken.jsonl": 500}.get(url.path, 200)
        if url.path == "/signed.jsonl" and parse_qs(url.query).get("sig") != [SECRET]:
            status = 403
        self.send_response(status)
        content = self.content if status == 200 else b"no"
        self.send_header("Content-Length", str(len(content)))
        if self.tagged:
            self.send_header("ETag", f'"{hash(content)}"')
        self.end_headers()
        if body:
            self.wfile.write(content)


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    pytest.importorskip("aiohttp", reason="https:// needs aiohttp: `make test-storage`")
    served = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Web)
    thread = threading.Thread(target=served.serve_forever)
    thread.start()
    monkeypatch.setattr(_Web, "content", LINES)
    yield f"http://127.0.0.1:{served.server_port}"
    served.shutdown()
    thread.join()
    served.server_close()


def test_the_web_is_read(web: str, tmp_path: Path) -> None:
    selection = entropylaw.select(f"{web}/pool.jsonl", budget=5)
    selection.save(tmp_path / "out.jsonl")
    assert entropylaw.replay(tmp_path / "out.jsonl.manifest.json").indices.tolist() == selection.indices.tolist()
    _Web.content = LINES.replace(b"sample", b"simple")
    with pytest.raises(EntropyLawError, match="the object has changed since it was read"):
        selection.save(tmp_path / "other.jsonl")


def test_signatures_are_told_nowhere(web: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"{web}/signed.jsonl?sig={SECRET}"
    output = str(tmp_path / "out.jsonl")
    assert main(["select", url, "-o", output, "--budget", "5"]) == 0
    (file,) = json.loads(Path(f"{output}.manifest.json").read_text())["pool"]["files"]
    assert file["name"] == f"{web}/signed.jsonl?..."
    assert main(["replay", f"{output}.manifest.json"]) == 2
    assert (
        "is a URL whose signature or password was not recorded; name the pool where it is now"
        in capsys.readouterr().err
    )
    assert main(["replay", f"{output}.manifest.json", "--pool", url]) == 0
    assert main(["ratio", f"{web}/signed.jsonl?sig={SECRET[:-1]}"]) == 2
    assert main(["ratio", url.replace("signed", "gone")]) == 2
    said = capsys.readouterr()
    assert "access is denied" in said.err
    text = (
        said.out
        + said.err
        + "".join(path.read_text() for path in tmp_path.glob("out.jsonl*") if "npz" not in path.name)
    )
    assert SECRET[:-1] not in text


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("gone.jsonl", "there is no such object; is the name right?"),
        ("locked.jsonl", "access is denied"),
        ("broken.jsonl", "cannot be read"),
    ],
)
def test_the_web_cannot_be_read(web: str, path: str, message: str) -> None:
    assert refused(f"{web}/{path}").startswith(f"{web}/{path}: {message}")


def test_nobody_answers(web: str) -> None:
    said = refused("http://127.0.0.1:9/x.jsonl")
    assert said.startswith("http://127.0.0.1:9/x.jsonl: cannot be reached")


# ---- the hub


class _Hub(http.server.BaseHTTPRequestHandler):
    """As much of the hub as it takes to read ``datasets/me/data``."""

    protocol_version = "HTTP/1.1"
    files: dict[str, bytes]

    def log_message(self, *_: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
        paths = json.loads(asked)["paths"] if asked.startswith("{") else parse_qs(asked)["paths"]
        self._json([entry for path in paths for entry in self._entries() if entry["path"] == path.strip("/")])

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if found := re.fullmatch(r"/datasets/me/data/resolve/\w+/(.*)", path):
            self._send(200, self.files[found[1]]) if found[1] in self.files else self._send(404, b"")
        elif found := re.fullmatch(r"/api/datasets/me/data/tree/\w+/?(.*)", path):
            depth = len(found[1].split("/")) if found[1] else 0
            inside = [
                entry
                for entry in self._entries()
                if entry["path"].startswith(f"{found[1]}/" if found[1] else "") and entry["path"].count("/") == depth
            ]
            self._json(inside) if inside else self._send(404, b"{}", {"X-Error-Code": "EntryNotFound"})
        elif re.fullmatch(r"/api/datasets/me/data(/revision/main)?", path):
            self._json({"id": "me/data", "sha": "0" * 40, "private": False, "siblings": [], "tags": [], "downloads": 0})
        else:
            self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"})

    def _entries(self) -> list[dict[str, Any]]:
        entries: dict[str, dict[str, Any]] = {}
        for path, content in self.files.items():
            for parent in Path(path).parents:
                if str(parent) != ".":
                    entries[str(parent)] = {"type": "directory", "oid": "0" * 40, "size": 0, "path": str(parent)}
            entries[path] = {
                "type": "file",
                "oid": f"{hash(content) & (1 << 63) - 1:040x}",
                "size": len(content),
                "path": path,
            }
        return list(entries.values())

    def _json(self, value: Any) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _send(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


@pytest.fixture
def hub() -> Iterator[dict[str, Any]]:
    if pytest.importorskip("huggingface_hub.constants", reason="hf:// needs huggingface_hub").HF_HUB_OFFLINE:
        pytest.skip("HF_HUB_OFFLINE is set: huggingface_hub asks no server")
    _Hub.files = {"train.jsonl": LINES, "more/a.jsonl": LINES, "README.md": b"#", ".gitattributes": b""}
    served = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Hub)
    thread = threading.Thread(target=served.serve_forever)
    thread.start()
    yield {"endpoint": f"http://127.0.0.1:{served.server_port}", "token": False}
    served.shutdown()
    thread.join()
    served.server_close()


def test_the_hub_is_read(hub: dict[str, Any], tmp_path: Path) -> None:
    url = "hf://datasets/me/data/train.jsonl"
    selection = entropylaw.select(url, budget=5, storage_options=hub)
    selection.save(tmp_path / "out.jsonl")
    (file,) = json.loads((tmp_path / "out.jsonl.manifest.json").read_text())["pool"]["files"]
    assert file["name"] == url and len(file["etag"]) == 40
    again = entropylaw.replay(tmp_path / "out.jsonl.manifest.json", storage_options=hub)
    assert again.indices.tolist() == selection.indices.tolist()
    whole = load("hf://datasets/me/data", storage_options=hub)
    assert [file.name for file in whole.records.files()] == ["hf://datasets/me/data/more/a.jsonl", url]
    assert len(load("hf://datasets/me/data/*/*.jsonl", storage_options=hub)) == 60
    _Hub.files["train.jsonl"] = LINES.replace(b"sample", b"simple")
    with pytest.raises(EntropyLawError, match="the object has changed since it was read"):
        selection.save(tmp_path / "other.jsonl")


def test_the_hub_has_none(hub: dict[str, Any]) -> None:
    for url in ("hf://datasets/me/data/nix.jsonl", "hf://datasets/me/nix/x.jsonl"):
        assert refused(url, storage_options=hub) == f"{url}: there is no such object; is the name right?"
