"""Selecting on Ray, on a cluster of three nodes; `make test-ray` runs this."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import entropylaw
from conftest import ROOT
from entropylaw import EntropyLawError
from entropylaw.cli import main

pytest.importorskip("ray", reason="`make test-ray` installs Ray")

import pyarrow as pa
import pyarrow.parquet as pq
import ray
import ray.data
from ray.cluster_utils import Cluster

from entropylaw.integrations.ray import RaySelection, select
from entropylaw.integrations.ray.actors import Actors
from entropylaw.integrations.ray.saving import check_output
from entropylaw.parts import pieces

NODES = 3
HOW: dict[str, dict[str, Any]] = {
    "zip": {"budget": 60, "method": "zip", "k1": 200, "k2": 40, "k3": 10},
    "coverage": {"budget": "8KB", "method": "coverage", "quota": "a<=60%"},
    "random": {"budget": "12%", "method": "random", "weight": "q", "dedupe": True},
}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Three nodes on this machine, each with a processor."""
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        for _ in range(NODES - 1):
            made.add_node(num_cpus=1)
        made.wait_for_nodes()
        ray.init(address=made.address, log_to_driver=False)
        yield made
    finally:
        ray.shutdown()
        made.shutdown()


@pytest.fixture
def pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Three files of records, two of which can't be read."""
    monkeypatch.setattr(pieces, "_SMALL", 1)
    random_ = random.Random(6)
    words = [f"w{random_.randrange(300)}" for _ in range(900)]
    lines = []
    for n in range(600):
        text = " ".join(random_.choice(words) for _ in range(random_.randrange(4, 60)))
        record = {"text": text, "source": "abc"[n % 3], "q": n % 5 + 1, "id": f"d{n}"}
        lines.append(json.dumps(record))
    for n in range(0, 90, 3):
        lines[n + 200] = lines[n]
    lines.insert(444, "{broken")
    lines.insert(120, "[]")
    paths = [tmp_path / f"{number}.jsonl" for number in range(3)]
    for path, (low, high) in zip(paths, [(0, 150), (150, 160), (160, 602)], strict=True):
        path.write_text("\n".join(lines[low:high]) + "\n")
    return [str(path) for path in paths]


def manifest(selection: Any) -> dict[str, Any]:
    """What a manifest says, but for the files."""
    summary = {key: value for key, value in selection.summary().items() if key not in ("seconds", "work")}
    # Nobody compresses a pool in parts as a whole.
    summary["pool"].pop("ratio", None)
    return summary


@pytest.mark.parametrize("method", HOW)
def test_picks_and_outputs_are_those_of_one_machine(
    method: str, cluster: Cluster, pool: list[str], tmp_path: Path
) -> None:
    how = {**HOW[method], "on_error": "skip", "id": "id"}
    wanted: Any = entropylaw.select(pool, **how)
    wanted.save(tmp_path / "local.jsonl", sort="input", columns=["rank"])
    seen: list[Any] = []
    with select(pool, partitions=4, progress=seen.append, **how) as found:
        assert found.indices.tolist() == wanted.indices.tolist()
        assert found.gains.tolist() == wanted.gains.tolist()
        assert found.rows.tolist() == wanted.rows.tolist()
        assert found.ids == wanted.ids
        assert manifest(found) == manifest(wanted)
        files = found.save(tmp_path / "out", columns=["rank"])
        assert b"".join(Path(file).read_bytes() for file in files) == (tmp_path / "local.jsonl").read_bytes()
        told = json.loads((tmp_path / "out" / "manifest.json").read_text())
        assert [file["bytes"] for file in told["output"]["files"]] == [Path(file).stat().st_size for file in files]
        assert {path.name for path in (tmp_path / "out").iterdir()} == {
            "manifest.json",
            "picks.npz",
            *(Path(file).name for file in files),
        }
        with pytest.raises(EntropyLawError, match=r"manifest.json: the file exists"):
            found.save(tmp_path / "out")
        found.save(tmp_path / "out", columns=["rank"], force=True)
        rows = found.dataset(columns=["rank"]).take_all()
        assert [row["id"] for row in rows] == wanted.ids
        assert [row["entropylaw_rank"] for row in rows] == list(range(1, len(wanted) + 1))
        again: Any = entropylaw.replay(tmp_path / "out" / "manifest.json", pool=pool)
        assert again.indices.tolist() == found.indices.tolist()
        replayed = ["replay", f"{tmp_path}/out/manifest.json", "--pool", *pool, "-o", f"{tmp_path}/again.jsonl"]
        assert main(replayed) == 0
        shards = sorted(tmp_path.glob("again-*.jsonl"))
        assert [path.read_bytes() for path in shards] == [Path(file).read_bytes() for file in files]
        assert len(found.stats.memory) == 4
        assert found.stats.round_trips > 0
    with pytest.raises(EntropyLawError, match="the parts of the pool are closed"):
        list(found.selection.records())
    assert found.indices.tolist() == wanted.indices.tolist()


def test_a_data_set_is_selected_from_in_its_order(cluster: Cluster, tmp_path: Path) -> None:
    random_ = random.Random(2)
    rows = [
        {"text": " ".join(random_.choice("abcdefg") * 3 for _ in range(20)), "id": n, "source": "xy"[n % 2]}
        for n in range(300)
    ]
    table = pa.Table.from_pylist(rows)
    dataset = ray.data.from_items(rows, override_num_blocks=7).map_batches(lambda batch: batch, batch_size=10)
    wanted: Any = entropylaw.select(table, budget=40, method="random", quota="x<=40%")
    with select(dataset, budget=40, method="random", quota="x<=40%") as found:
        assert found.indices.tolist() == wanted.indices.tolist()
        found.write_parquet(tmp_path / "parquet")
        found.write_json(tmp_path / "json")
        files = found.save(tmp_path / "out")
    chosen = {rows[index]["id"] for index in wanted.indices.tolist()}
    assert set(pq.read_table(tmp_path / "parquet")["id"].to_pylist()) == chosen
    lines = [line for path in (tmp_path / "json").glob("*.json") for line in path.read_text().splitlines()]
    assert {json.loads(line)["id"] for line in lines} == chosen
    saved = pa.concat_tables([pq.read_table(file) for file in files])
    assert saved["id"].to_pylist() == sorted(chosen)
    with select(dataset.limit(95), budget=10, method="random") as found:
        wanted = entropylaw.select(table.slice(0, 95), budget=10, method="random")
        assert found.indices.tolist() == wanted.indices.tolist()


def pid(actor: Any) -> int:
    found: int = ray.get(actor.__ray_call__.remote(lambda _: os.getpid()))
    return found


def node_of(actor: Any) -> str:
    found: str = ray.get(actor.__ray_call__.remote(lambda _: ray.get_runtime_context().get_node_id()))
    return found


@contextlib.contextmanager
def struck(phase: str, strike: Callable[[Actors], None], at: int = 1) -> Iterator[list[str]]:
    """Has something strike when a call of ``phase`` has been sent off, the ``at``-th; lists the calls before it."""
    calls: list[str] = []
    send = Actors._submitted
    struck_ = [False]

    def sent(self: Actors, number: int, method: str, given: Any) -> Any:
        ref = send(self, number, method, given)
        calls.append(method)
        if method == phase and number == len(self) - 1 and calls.count(method) >= at and not struck_[0]:
            struck_[0] = True
            strike(self)
        return ref

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Actors, "_submitted", sent)
        yield calls
    assert struck_[0], f"{phase} was not called: {calls}"


PHASES = ["settle", "load", "exclude", "meet", "count", "open", "answer", "lengths", "write"]


@pytest.mark.parametrize("phase", PHASES)
def test_an_actor_that_is_killed_changes_nothing(phase: str, cluster: Cluster, pool: list[str], tmp_path: Path) -> None:
    how = {**HOW["coverage"], "on_error": "skip"}
    wanted: Any = entropylaw.select(pool, **how)
    victims: dict[int, int] = {}

    def strike(actors: Actors) -> None:
        number = 0 if phase == "settle" else len(actors) - 1
        os.kill(victims[number], signal.SIGKILL)

    made = Actors._made

    def noted(self: Actors, number: int) -> Any:
        actor = made(self, number)
        victims[number] = pid(actor)
        return actor

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Actors, "_made", noted)
        with contextlib.ExitStack() as held:
            if phase != "settle":
                held.enter_context(struck(phase, strike, at=4 if phase == "answer" else 1))
            found = held.enter_context(select(pool, partitions=3, **how))
            if phase == "settle":
                strike(found._actors)
            files = found.save(tmp_path / "out")
            assert found.indices.tolist() == wanted.indices.tolist()
            assert found.gains.tolist() == wanted.gains.tolist()
            assert manifest(found) == manifest(wanted)
            assert found._actors.restarts == 1
            assert sum(len(Path(file).read_bytes().splitlines()) for file in files) == len(wanted)


def test_a_node_that_is_lost_changes_nothing(cluster: Cluster, pool: list[str]) -> None:
    how = {**HOW["zip"], "on_error": "skip"}
    wanted: Any = entropylaw.select(pool, **how)
    node = cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()

    def strike(actors: Actors) -> None:
        there = [pid(actor) for actor in actors._actors if node_of(actor) == node.node_id]
        assert there
        cluster.remove_node(node, allow_graceful=False)
        # A machine takes its processes with it; these are on this one, and would outlive it for a while.
        for each in there:
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)

    with struck("answer", strike, at=6), select(pool, partitions=NODES + 1, **how) as found:
        assert found.indices.tolist() == wanted.indices.tolist()
        assert found.stats.restarts >= 1


def test_a_part_that_is_lost_too_often_ends_it(cluster: Cluster, pool: list[str]) -> None:
    def strike(actors: Actors) -> None:
        for actor in actors._actors:
            os.kill(pid(actor), signal.SIGKILL)

    with (
        struck("answer", strike),
        pytest.raises(
            EntropyLawError,
            match=r"part \d of 2 was lost 1 times, the last: its worker process .*; look at its node's memory",
        ),
    ):
        select(pool, budget=10, method="random", on_error="skip", partitions=2, restarts=0)
    assert alive() == 0


def test_a_file_that_has_changed_is_not_read_again(cluster: Cluster, pool: list[str]) -> None:
    def strike(actors: Actors) -> None:
        with Path(pool[2]).open("a") as file:
            file.write('{"text":"more","source":"a","q":1}\n')
        os.kill(pid(actors._actors[-1]), signal.SIGKILL)

    with struck("answer", strike), pytest.raises(EntropyLawError, match=r"part 2 of 2 was read again, and its files"):
        select(pool, budget=10, method="random", on_error="skip", partitions=2)


def test_nothing_is_left_of_an_output_that_fails(cluster: Cluster, pool: list[str], tmp_path: Path) -> None:
    with select(pool, budget=300, method="random", on_error="skip", partitions=3) as found:
        Path(pool[2]).write_text('{"text":"other"}\n')
        with pytest.raises(EntropyLawError, match="the file has changed since it was read"):
            found.save(tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


STRANGE = {
    "part-00000-of-00002.parquet": "rows of another tool",
    "part-00000-of-00001.jsonl": '{"text": "lines of another tool"}',
    "picks.npz": "picks of somebody",
    "manifest.json": '{"name": "a page of the web", "output": {"files": []}}',
}


@pytest.mark.parametrize("name", STRANGE)
def test_what_no_manifest_names_is_not_replaced(name: str, tmp_path: Path) -> None:
    """Other tools call their files so, too."""
    (tmp_path / name).write_text(STRANGE[name])
    for force in (False, True):
        with pytest.raises(EntropyLawError, match=f"{name}: would be taken for a part of the output, and no manifest"):
            check_output(str(tmp_path), force, [])
    assert (tmp_path / name).read_text() == STRANGE[name]


def test_only_what_the_manifest_names_is_replaced(cluster: Cluster, pool: list[str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    with select(pool, budget=30, method="random", on_error="skip", partitions=2) as found:
        found.save(out)
        (out / "notes.txt").write_text("mine")
        (out / "part-00007-of-00009.parquet").write_text("mine too")
        with pytest.raises(EntropyLawError, match=r"part-00007-of-00009.parquet: would be taken for a part"):
            found.save(out, force=True)
        assert (out / "part-00007-of-00009.parquet").read_text() == "mine too"
        (out / "part-00007-of-00009.parquet").unlink()
        found.save(out, force=True)
        assert (out / "notes.txt").read_text() == "mine"


REFUSED = {
    "a column": (["--add-columns", "rank,ratio"], "the column 'ratio' is not added by parts, in a directory"),
    "a checkpoint there": (["--checkpoint", "out"], "out: the directory of the checkpoint holds"),
    "a report": (["--report", "r.html"], "a report looks at all samples"),
    "shards": (["--shards", "2"], "--shards does not go with a directory"),
    "indices": (["--indices-only"], "--indices-only does not go with a directory"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_options_are_refused_before_the_work(
    name: str, pool: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    begun = sys.modules["entropylaw.integrations.ray.select"]
    monkeypatch.setattr(begun, "begun", lambda *_, **__: pytest.fail("it has begun"))
    options, message = REFUSED[name]
    assert main(["select", *pool, "-o", "out/", "--budget", "9", "--method", "random", "--ray", *options]) == 2
    assert message in capsys.readouterr().err


def test_what_a_format_can_not_hold_is_refused_before_the_work(
    cluster: Cluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, lists in enumerate(([[1]] * 9, [[2, 3]] * 9)):
        table = pa.table({"text": [f"{number} {n}" for n in range(9)], "lists": lists, "entropylaw_rank": [1] * 9})
        pq.write_table(table, tmp_path / f"{number}.parquet")
    pool = [str(tmp_path / f"{number}.parquet") for number in range(2)]
    how = ["--budget", "5", "--method", "random", "--ray", cluster.address, "--partitions", "2"]
    for out, more, message in (
        ("out.csv", [], "0.parquet: column 'lists' is list<"),
        ("out/", ["--add-columns", "rank"], "0.parquet: the records have a column 'entropylaw_rank' already"),
    ):
        with struck("load", lambda _: None) as calls:
            assert main(["select", *pool, "-o", str(tmp_path / out) + "/" * out.endswith("/"), *how, *more]) == 2
        assert message in capsys.readouterr().err
        assert "begin" not in calls
    assert not (tmp_path / "out.csv").exists()


def test_shards_in_storage(cluster: Cluster, pool: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    moto = pytest.importorskip("moto.server")
    s3fs = pytest.importorskip("s3fs")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    try:
        options = {"endpoint_url": "http://{}:{}".format(*server.get_host_and_port()), "key": "k", "secret": "secret"}
        system = s3fs.S3FileSystem(**options)
        system.mkdir("box")
        for number, path in enumerate(pool):
            system.pipe(f"box/pool/{number}.jsonl", Path(path).read_bytes())
        how: dict[str, Any] = {"budget": 50, "method": "random", "on_error": "skip", "storage_options": options}
        wanted: Any = entropylaw.select("s3://box/pool/*.jsonl", **how)
        with select("s3://box/pool/*.jsonl", partitions=2, **how) as found:
            assert found.indices.tolist() == wanted.indices.tolist()
            assert found.manifest()["pool"] == wanted.summary()["pool"]
            files = found.save("s3://box/out", storage_options=options)
            lines = b"".join(system.cat(file) for file in files).splitlines()
            assert lines == list(wanted.pool.records.raw(sorted(wanted.indices.tolist())))
            assert len(system.ls("box/out")) == len(files) + 2
            with pytest.raises(EntropyLawError, match=r"box/out/manifest.json: the object exists"):
                found.save("s3://box/out", storage_options=options)
            system.pipe("box/pool/2.jsonl", b'{"text":"other"}\n')
            with pytest.raises(EntropyLawError, match="the object has changed since it was read"):
                found.save("s3://box/elsewhere", storage_options=options)
            assert not system.exists("box/elsewhere")
    finally:
        server.stop()


def alive() -> int:
    """Processes of parts that are there, after some seconds at most."""
    end = time.monotonic() + 5
    while True:
        there = 0
        for process in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                there += process.read_bytes().startswith(b"ray::_Actor")
        if not there or time.monotonic() > end:
            return there
        time.sleep(0.1)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "entropylaw", "select", *arguments]


@pytest.fixture
def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, [ROOT / "python", *sys.path]))}


def large_pool(path: Path, count: int) -> None:
    random_ = random.Random(9)
    words = [f"{random_.randrange(16**6):06x}" for _ in range(5000)]
    with path.open("w") as file:
        for n in range(count):
            text = " ".join(random_.choices(words, k=random_.randrange(20, 120)))
            file.write(json.dumps({"text": text, "n": n}) + "\n")


def test_the_command_writes_what_it_does_on_one_machine(
    cluster: Cluster, pool: list[str], tmp_path: Path, environment: dict[str, str]
) -> None:
    how = ["--budget", "8KB", "--method", "coverage", "--on-error", "skip"]
    at = ["--ray", cluster.address, "--partitions", "2"]
    one, two = tmp_path / "one" / "subset.jsonl", tmp_path / "two" / "subset.jsonl"
    for path, more in ((one, at), (two, [])):
        path.parent.mkdir()
        done = subprocess.run(
            command(*pool, "-o", str(path), *how, *more), env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert ("round trips" in done.stdout) == bool(more)
    for name in (path.name for path in two.parent.iterdir()):
        assert (one.parent / name).read_bytes() == (two.parent / name).read_bytes()
    done = subprocess.run(
        command(*pool, "-o", f"{tmp_path}/out/", *how, *at, "--json"), env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["ray"]["partitions"] == 2
    assert alive() == 0


def test_ctrl_c_ends_it_within_two_seconds(cluster: Cluster, tmp_path: Path, environment: dict[str, str]) -> None:
    large_pool(tmp_path / "pool.jsonl", 40_000)
    run = subprocess.Popen(
        command(str(tmp_path / "pool.jsonl"), "-o", f"{tmp_path}/out/", "--budget", "30000", "--ray", cluster.address),
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert run.stderr is not None
    for line in run.stderr:
        if "not in the samples" in line:
            break
    time.sleep(1.0)
    began = time.monotonic()
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=20)
    assert time.monotonic() - began < 2
    assert run.returncode == 130, said
    assert "interrupted; nothing was written" in said
    assert alive() == 0


@pytest.mark.parametrize("method", ["zip", "coverage"])
def test_a_driver_that_is_killed_goes_on(
    method: str, cluster: Cluster, tmp_path: Path, environment: dict[str, str]
) -> None:
    path = tmp_path / "pool.jsonl"
    large_pool(path, 12_000)
    how: dict[str, Any] = {"budget": 4000, "method": method}
    work = tmp_path / "work"
    begun = [
        *(str(path), "-o", f"{tmp_path}/out/", "--budget", "4000", "--method", method, "--checkpoint", str(work)),
        *("--ray", cluster.address, "--partitions", "3"),
    ]
    run = subprocess.Popen(command(*begun), env=environment, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 60
    while not ((work / "journal").exists() and (work / "journal").stat().st_size > 2_000):
        assert run.poll() is None and time.monotonic() < end
        time.sleep(0.02)
    run.kill()
    run.wait()
    wanted: Any = entropylaw.select(path, **how)
    with select(path, **how, checkpoint=work, resume=True, partitions=2) as found:
        assert found.indices.tolist() == wanted.indices.tolist()
        assert found.gains.tolist() == wanted.gains.tolist()
    with pytest.raises(EntropyLawError, match=r'method is "\w+ \(parts\)" there, and "\w+" now'):
        entropylaw.select(path, **how, checkpoint=work, resume=True)


def test_no_part_holds_more_than_its_text(cluster: Cluster, tmp_path: Path) -> None:
    path = tmp_path / "pool.jsonl"
    large_pool(path, 120_000)
    size = path.stat().st_size
    driver = _resident()
    with select(path, budget=200, method="random", partitions=4) as found:
        assert _resident() - driver < size / 4
        with select(path, budget=200, method="random", partitions=1) as whole:
            assert max(found.stats.memory) < whole.stats.memory[0] - size / 2
            assert whole.indices.tolist() == found.indices.tolist()


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def test_errors_are_one_line(cluster: Cluster, pool: list[str], tmp_path: Path) -> None:
    with pytest.raises(EntropyLawError, match=r"0.jsonl:121: .*"):
        select(pool, budget=10, method="random")
    with pytest.raises(EntropyLawError, match="method 'density' compares samples"):
        select(pool, budget=10, method="density")
    with pytest.raises(EntropyLawError, match="the pool is dict; on Ray it must be paths"):
        select({"text": "a"}, budget=10)
    with pytest.raises(EntropyLawError, match="there is no option 'wieght'"):
        select(pool, budget=10, method="random", wieght="q")
    assert alive() == 0


def test_selection_shows_itself(cluster: Cluster, pool: list[str]) -> None:
    with select(pool, budget=10, method="random", on_error="skip") as found:
        assert isinstance(found, RaySelection)
        assert "10 of 600 samples" in repr(found)
        with pytest.raises(EntropyLawError, match="column 'ratio' is not one"):
            found.dataset(columns=["ratio"])  # type: ignore[list-item]
