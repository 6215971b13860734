"""Threads and processes: every call works in a forked process, none holds up the interpreter, and all of them mean the
same by *all threads*."""

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import entropylaw
from entropylaw import EntropyLawError, _core, measuring, parameters, selecting, zip_py
from entropylaw.pool import load
from entropylaw.pool.schema import CALL, MESSAGE, SCHEMAS

LIMIT = 20
"""Seconds that a call may take in a forked process; it takes a fraction of one."""

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
# What Python says of any fork while there are threads.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")

TEXTS = [f"sample {n} says that {n} times {n} is {n * n}, and that the cat sat on mat {n % 7}" for n in range(300)]
SIZER = entropylaw.Sizer()
SIZER.append(" ".join(TEXTS[:20]).encode())


def in_a_fork(call: Callable[[], Any]) -> Any:
    """What ``call`` returns in a forked process, or the exception that it raises there."""
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        outcome: Any = None
        try:
            outcome = call()
        except BaseException as error:
            outcome = error
        finally:
            with os.fdopen(writing, "wb") as pipe:
                pickle.dump(outcome, pipe)
            os._exit(0)
    os.close(writing)
    timer = threading.Timer(LIMIT, os.kill, (child, signal.SIGKILL))
    timer.start()
    try:
        with os.fdopen(reading, "rb") as pipe:
            content = pipe.read()
        os.waitpid(child, 0)
    finally:
        timer.cancel()
    assert content, f"the call did not come back within {LIMIT} seconds"
    return pickle.loads(content)


def appended() -> list[int]:
    sizer = entropylaw.Sizer()
    for text in TEXTS:
        sizer.append(text.encode())
    return [len(sizer), sizer.size(), *sizer.probe([b"and more"]).tolist()]


READER = _core.RecordReader(schema=(SCHEMAS["text"].members, MESSAGE, CALL), group_by="source", numbers=())
COLUMN = SimpleNamespace(kind="text", valid=None, ints=None, floats=None, inside=())
COLUMN.ends = np.concatenate([[0], np.cumsum([len(text) for text in TEXTS])])
COLUMN.data = np.frombuffer("".join(TEXTS).encode(), dtype=np.uint8)
LINES = b"".join(b'{"text": "%s"}\n' % text.encode() for text in TEXTS)


@pytest.fixture
def lines(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "pool.jsonl").write_bytes(LINES)
    yield tmp_path / "pool.jsonl"


CALLS: dict[str, Callable[[Path], Any]] = {
    "Sizer.append": lambda _: appended(),
    "Sizer.probe": lambda _: SIZER.probe([text.encode() for text in TEXTS]).tolist(),
    "Sizer.probe, two threads": lambda _: SIZER.probe([text.encode() for text in TEXTS], threads=2).tolist(),
    "Sizer.probe, watched": lambda _: SIZER.probe([text.encode() * 40 for text in TEXTS]).tolist(),
    "Sizer.size": lambda _: [SIZER.size(), len(SIZER), repr(SIZER)],
    "RecordReader.lines": lambda _: READER.lines(LINES).data.tobytes(),
    "RecordReader.spans": lambda _: READER.spans(LINES, np.array([0]), np.array([LINES.index(b"\n")])).data.tobytes(),
    "RecordReader.rows": lambda _: READER.rows([("text", COLUMN)], len(TEXTS)).data.tobytes(),
    "select, zip": lambda path: entropylaw.select(path, budget=20, k1=60, k2=20, k3=5, threads=2).indices.tolist(),
    "select, reference": lambda path: entropylaw.select(path, budget=9, preset="reference", threads=2).indices.tolist(),
    "select, coverage": lambda path: entropylaw.select(path, budget=20, method="coverage").indices.tolist(),
    "select, anchor and bands": lambda path: entropylaw.select(
        path, budget=20, anchor=TEXTS[:5], ratio_band="0.1:2", dedupe=True
    ).indices.tolist(),
    "ratio": lambda path: entropylaw.ratio(path, codecs=["zlib", "zstd", "xz"], duplicates=True).by_codec,
    "score": lambda path: entropylaw.score(path, threads=2).first_gains.tolist(),
    "compare": lambda path: [version.novelty for version in entropylaw.compare(path, TEXTS[:99], threads=2).versions],
    "load": lambda path: load(path, threads=3).data.tobytes(),
}


@needs_fork
@pytest.mark.parametrize("name", CALLS)
def test_every_call_works_in_a_forked_process(lines: Path, name: str) -> None:
    expected = CALLS[name](lines)
    assert in_a_fork(lambda: CALLS[name](lines)) == expected
    # In a process forked from that one as well, and still in this one.
    assert in_a_fork(lambda: in_a_fork(lambda: CALLS[name](lines))) == expected
    assert CALLS[name](lines) == expected


@needs_fork
def test_every_call_works_in_a_process_forked_while_others_use_threads(lines: Path) -> None:
    """Forked while another thread of this process probes the same sizer."""
    candidates, done = [text.encode() * 20 for text in TEXTS], threading.Event()

    def probe() -> None:
        while not done.is_set():
            SIZER.probe(candidates, threads=2)

    expected = {name: CALLS[name](lines) for name in ("Sizer.probe", "Sizer.size", "RecordReader.lines")}
    other = threading.Thread(target=probe)
    other.start()
    try:
        for _ in range(4):
            assert in_a_fork(lambda: {name: CALLS[name](lines) for name in expected}) == expected

        def appending() -> int:
            SIZER.append(b"in the child")
            return len(SIZER)

        assert in_a_fork(appending) == len(SIZER) + 12
    finally:
        done.set()
        other.join()


@needs_fork
def test_a_sizer_that_was_being_appended_to_is_refused_in_a_forked_process() -> None:
    sizer = entropylaw.Sizer()
    text = np.random.default_rng(1).bytes(40_000_000)
    other = threading.Thread(target=sizer.append, args=(text,))
    other.start()
    time.sleep(0.1)
    refused = [in_a_fork(call) for call in (sizer.size, lambda: sizer.probe([b"a"]), lambda: sizer.append(b"a"))]
    assert other.is_alive(), "the append was over before the fork"
    other.join()
    for error in refused:
        assert isinstance(error, EntropyLawError)
        assert str(error) == (
            "another thread was appending to this sizer when the process forked, so here it is half done: make a new "
            "Sizer in this process"
        )
    assert len(sizer) == len(text)


def test_waiting_for_a_sizer_does_not_hold_up_the_interpreter() -> None:
    """While one thread appends for long, others that ask for length, size and probes leave the rest to go on."""
    sizer = entropylaw.Sizer()
    text = np.random.default_rng(1).bytes(30_000_000)
    appending = threading.Thread(target=sizer.append, args=(text,))
    appending.start()
    time.sleep(0.1)
    assert (len(sizer), repr(sizer)) == (0, "Sizer(codec='zlib', prefix=0 bytes)"), "what is not done does not count"
    others = [
        threading.Thread(target=call)
        for call in (sizer.size, lambda: sizer.probe([b"a"]), lambda: sizer.append(b"b"), lambda: len(sizer))
    ]
    for other in others:
        other.start()
    longest, ticks = 0.0, 0
    began = before = time.perf_counter()
    while appending.is_alive():
        time.sleep(0.001)
        now = time.perf_counter()
        longest, before, ticks = max(longest, now - before), now, ticks + 1
    for other in others:
        other.join()
    assert ticks > 20
    assert longest < (before - began) / 2, f"nothing else ran for {longest:.2f} s of {before - began:.2f} s"
    assert len(sizer) == len(text) + 1


def test_ctrl_c_ends_an_append_and_a_wait_for_one() -> None:
    sizer = entropylaw.Sizer()
    sizer.append(b"what was there")
    before = (len(sizer), sizer.size())
    text = np.random.default_rng(1).bytes(60_000_000)

    def interrupted(call: Callable[[], object]) -> float:
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
        began = time.perf_counter()
        with pytest.raises(KeyboardInterrupt):
            call()
        return time.perf_counter() - began

    assert interrupted(lambda: sizer.append(text)) < 1
    assert (len(sizer), sizer.size()) == before
    other = threading.Thread(target=sizer.append, args=(text,))
    other.start()
    time.sleep(0.05)
    waits = [interrupted(call) for call in (sizer.size, lambda: sizer.probe([b"a"]), lambda: sizer.append(b"a"))]
    assert other.is_alive()
    other.join()
    assert max(waits) < 1
    assert len(sizer) == before[0] + len(text)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="there is no affinity")
def test_all_threads_are_those_that_the_process_may_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By affinity (a quota of cgroups counts alike), wherever threads are counted."""
    asked: list[int] = []
    monkeypatch.setattr(measuring, "sizes", lambda jobs, threads, progress: asked.append(threads) or [1] * len(jobs))
    monkeypatch.setattr(selecting, "select", lambda *_, threads, **__: asked.append(threads) or 1 / 0)
    # What counts processors otherwise finds more.
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    pool = tmp_path / "pool.json"
    pool.write_text('[{"text": "a"}]')
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        asked += [_core.thread_count(), parameters.threads(None)]
        entropylaw.ratio(pool, codecs=["zstd"])
        with pytest.raises(ZeroDivisionError):
            zip_py.main(["--data_path", str(pool), "--save_path", str(tmp_path / "out.json"), "--budget", "1"])
    finally:
        os.sched_setaffinity(0, allowed)
    assert asked == [1, 1, 1, 1]
    assert 1 <= _core.thread_count() <= len(allowed)


def test_threads_are_whole_numbers_up_to_a_limit() -> None:
    assert (_core.thread_count(7), _core.thread_count(np.int64(7)), _core.thread_count(7.0)) == (7, 7, 7)  # type: ignore[arg-type]
    for wrong in (0, -1, 4097, 2**70, "2", True, 2.5, float("nan"), [2]):
        with pytest.raises(EntropyLawError, match=r"^threads is .*; it must be a whole number from 1 to 4096$"):
            _core.thread_count(wrong)  # type: ignore[arg-type]


def test_modules_need_nothing_that_windows_lacks() -> None:
    """Each of them is imported without the modules of the standard library that are of Unix alone."""
    lacking = ["fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty"]
    script = f"""
import importlib, pkgutil, sys
import numpy, pyarrow, pyarrow.dataset
for name in {lacking!r}:
    sys.modules[name] = None
import entropylaw
beside = ("entropylaw.integrations.", "entropylaw.report.", "entropylaw.law.", "entropylaw.__main__")
for module in pkgutil.walk_packages(entropylaw.__path__, "entropylaw."):
    if not module.name.startswith(beside):
        importlib.import_module(module.name)
        print(module.name)
"""
    pytest.importorskip("pyarrow")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "entropylaw.parts.part" in done.stdout.split()
