"""A few runs of the campaign of mistakes; `make abuse` makes hundreds."""

import pytest

import abuse


def test_a_few_mistakes(capsys: pytest.CaptureFixture[str]) -> None:
    failed = abuse.campaign(6, seed=17)
    assert failed == 0, capsys.readouterr().out


def test_the_campaign_finds_what_it_looks_for(tmp_path: "abuse.Path") -> None:
    """Each fault that it knows, made by hand."""
    here = tmp_path
    (here / "pool.jsonl").write_text("pool")
    (here / "other").write_text("other")
    before = abuse.contents(here)
    run = abuse.Run(["select"], ["pool.jsonl"], ["out.jsonl", "out.jsonl.manifest.json"], "out.jsonl")
    assert list(abuse.found_faults(run, here, before, 2, "entropylaw: refused")) == []
    assert list(abuse.found_faults(run, here, before, 1, "Traceback (most recent call last)")) == [
        "ends with 1",
        "shows a traceback",
    ]
    (here / "pool.jsonl").write_text("gone")
    (here / "other").unlink()
    (here / "made").write_text("made")
    (here / "out.jsonl").write_text("records")
    assert list(abuse.found_faults(run, here, before, 0, "")) == [
        "changed its input pool.jsonl",
        "changed pool.jsonl, which it was not told to write",
        "changed other, which it was not told to write",
        "made made",
        "made pool.jsonl",
        "ended well without a manifest",
        "left out.jsonl without a manifest",
    ]
    (here / "out.jsonl.manifest.json").write_text('{"output": {"files": [{"name": "x", "sha256": ""}]}}')
    assert list(abuse.found_faults(run, here, abuse.contents(here) | {"out.jsonl": ""}, 2, "")) == [
        "its manifest names x, which is another file",
        "left out.jsonl, which its manifest does not name",
    ]
