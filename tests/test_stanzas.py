"""Entries for the data configuration of trainers, read as the trainers read them."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest

import entropylaw
from entropylaw import EntropyLawError
from entropylaw.cli import main
from entropylaw.saving.stanzas import _yaml

USER, GPT = {"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}
SYSTEM, TOOL = {"from": "system", "value": "s"}, {"from": "observation", "value": "o"}


def chat(*roles: str) -> dict[str, Any]:
    return {"messages": [{"role": role, "content": f"{role} says"} for role in roles]}


def sharegpt_tags(**other: str) -> dict[str, str]:
    return {
        "role_tag": "from",
        "content_tag": "value",
        "user_tag": "human",
        "assistant_tag": "gpt",
        "system_tag": "system",
        "observation_tag": "observation",
        "function_tag": "function_call",
    } | other


def openai_tags() -> dict[str, str]:
    names = {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant"}
    return sharegpt_tags(**names, observation_tag="tool")


def sharegpt(*turns: dict[str, str], **more: Any) -> dict[str, Any]:
    return {"conversations": list(turns), **more}


CASES: dict[str, tuple[list[dict[str, Any]], dict[str, Any], dict[str, Any]]] = {
    "sharegpt": (
        [sharegpt(SYSTEM, USER, GPT), sharegpt(USER, GPT, TOOL, GPT)],
        {"formatting": "sharegpt", "columns": {"messages": "conversations"}, "tags": sharegpt_tags()},
        {
            "type": "chat_template",
            "field_messages": "conversations",
            "message_property_mappings": {"role": "from", "content": "value"},
            "roles": {
                "user": ["human", "user"],
                "assistant": ["gpt", "assistant", "model", "chatgpt", "bing", "bard"],
                "system": ["system"],
                "tool": ["observation", "tool"],
            },
        },
    ),
    "sharegpt with a system prompt beside": (
        [sharegpt(USER, GPT, system=None), sharegpt(USER, GPT, system="be kind", tools="[]")],
        {
            "formatting": "sharegpt",
            "columns": {"messages": "conversations", "system": "system", "tools": "tools"},
            "tags": sharegpt_tags(),
        },
        {
            "type": "chat_template",
            "field_messages": "conversations",
            "message_property_mappings": {"role": "from", "content": "value"},
        },
    ),
    "sharegpt with other names": (
        [sharegpt({"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}, system=None)],
        {
            "formatting": "sharegpt",
            "columns": {"messages": "conversations"},
            "tags": openai_tags() | {"observation_tag": "observation"},
        },
        {
            "type": "chat_template",
            "field_messages": "conversations",
            "message_property_mappings": {"role": "role", "content": "content"},
        },
    ),
    "openai": (
        [chat("system", "user", "assistant")],
        {"formatting": "sharegpt", "columns": {"messages": "messages"}, "tags": openai_tags()},
        {
            "type": "chat_template",
            "field_messages": "messages",
            "message_property_mappings": {"role": "role", "content": "content"},
        },
    ),
    "openai with tools": (
        [chat("user", "assistant", "tool", "assistant")],
        {"formatting": "openai", "columns": {"messages": "messages"}, "tags": openai_tags()},
        {
            "type": "chat_template",
            "field_messages": "messages",
            "message_property_mappings": {"role": "role", "content": "content"},
        },
    ),
    "alpaca": (
        [{"instruction": "i", "input": "", "output": "o"}, {"instruction": "j", "output": "p"}],
        {"columns": {"prompt": "instruction", "query": "input", "response": "output"}},
        {"type": "alpaca"},
    ),
    "alpaca without input": (
        [{"instruction": "i", "output": "o", "system": "s", "history": [["q", "a"]]}],
        {"columns": {"prompt": "instruction", "response": "output", "system": "system", "history": "history"}},
        {"type": "alpaca"},
    ),
    "completion": (
        [{"prompt": "p", "completion": "c"}],
        {"columns": {"prompt": "prompt", "response": "completion"}},
        {
            "type": {
                "field_instruction": "prompt",
                "field_output": "completion",
                "format": "{instruction}",
                "no_input_format": "{instruction}",
            }
        },
    ),
    "KTO": (
        [{"prompt": "p", "completion": "c", "label": True}, {"prompt": "q", "completion": "d", "label": False}],
        {"columns": {"prompt": "prompt", "response": "completion", "kto_tag": "label"}},
        {
            "type": {
                "field_instruction": "prompt",
                "field_output": "completion",
                "format": "{instruction}",
                "no_input_format": "{instruction}",
            }
        },
    ),
    "KTO in turns": (
        [chat("user", "assistant") | {"label": True}],
        {
            "formatting": "sharegpt",
            "columns": {"messages": "messages", "kto_tag": "label"},
            "tags": openai_tags() | {"observation_tag": "tool"},
        },
        {
            "type": "chat_template",
            "field_messages": "messages",
            "message_property_mappings": {"role": "role", "content": "content"},
        },
    ),
    "labels that are not KTO's": (
        [{"instruction": "i", "output": "o", "label": True}, {"instruction": "i", "output": "o", "label": 2}],
        {"columns": {"prompt": "instruction", "response": "output"}},
        {"type": "alpaca"},
    ),
    "text": ([{"text": "t", "no": 1}], {"columns": {"prompt": "text"}}, {"type": "completion", "field": "text"}),
}


@pytest.mark.parametrize("name", CASES)
def test_entries(name: str, tmp_path: Path) -> None:
    yaml = pytest.importorskip("yaml", reason="reads what Axolotl reads")
    records, factory, axolotl = CASES[name]
    # The records say what they are, whatever was sized of them.
    selection = entropylaw.select(records, budget=len(records), render="json")
    selection.save(tmp_path / "my data.jsonl", stanza="llamafactory")
    entries = json.loads((tmp_path / "my data.jsonl.dataset_info.json").read_text())
    assert entries == {"my_data": {"file_name": "my data.jsonl", **factory}}
    selection.save(tmp_path / "out.jsonl", stanza="axolotl")
    found = yaml.safe_load((tmp_path / "out.jsonl.axolotl.yml").read_text())
    assert found == {"datasets": [{"path": str(tmp_path / "out.jsonl"), "ds_type": "json", **axolotl}]}


def test_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    yaml = pytest.importorskip("yaml", reason="reads what Axolotl reads")
    monkeypatch.chdir(tmp_path)
    selection = entropylaw.select([{"text": "a"}, {"text": "b"}], budget=2)
    Path("data").mkdir()
    selection.save("data/out.jsonl", shards=2, stanza="axolotl")
    (entry,) = yaml.safe_load(Path("data/out.jsonl.axolotl.yml").read_text())["datasets"]
    names = ["out-00000-of-00002.jsonl", "out-00001-of-00002.jsonl"]
    assert entry == {"path": "data", "ds_type": "json", "data_files": names, "type": "completion", "field": "text"}
    selection.save("data/out.jsonl", shards=2, stanza="llamafactory", force=True)
    entries = json.loads(Path("data/out.jsonl.dataset_info.json").read_text())
    assert {name: entry["file_name"] for name, entry in entries.items()} == {name[:-6]: name for name in names}


@pytest.mark.parametrize(
    ("records", "name", "options", "message"),
    [
        ([{"prompt": [USER], "completion": [GPT]}], "out.jsonl", {}, "no ready-made stanza .* schema 'completion'"),
        (["bare"], "out.jsonl", {}, "no ready-made stanza .* schema 'string'"),
        ([{"a": {"b": "c"}}], "out.jsonl", {"field": "a.b"}, "no ready-made stanza .* schema 'field a.b'"),
        ([{"text": "t"}], "out.jsonl.gz", {}, "out.jsonl.gz: LLaMA-Factory reads .json, .jsonl"),
    ],
)
def test_records_without_an_entry(
    tmp_path: Path, records: list[Any], name: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(EntropyLawError, match=message):
        entropylaw.select(records, budget=1, **options).save(tmp_path / name, stanza="llamafactory")
    assert not list(tmp_path.iterdir())


def test_a_field_of_its_own_is_a_text(tmp_path: Path) -> None:
    selection = entropylaw.select([{"body": "b"}], budget=1, field="body")
    selection.save(tmp_path / "out.jsonl", stanza="llamafactory")
    entries = json.loads((tmp_path / "out.jsonl.dataset_info.json").read_text())
    assert entries["out"]["columns"] == {"prompt": "body"}


def test_preferences(tmp_path: Path) -> None:
    selection = entropylaw.select([{"prompt": "p", "chosen": "c", "rejected": "r"}], budget=1)
    selection.save(tmp_path / "out.jsonl", stanza="llamafactory")
    entries = json.loads((tmp_path / "out.jsonl.dataset_info.json").read_text())
    columns = {"prompt": "prompt", "chosen": "chosen", "rejected": "rejected"}
    assert entries == {"out": {"file_name": "out.jsonl", "ranking": True, "columns": columns}}


def test_roles_of_two_names_are_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    records = [sharegpt(USER, GPT), sharegpt({"from": "user", "value": "q"}, GPT), sharegpt(USER, GPT)]
    with caplog.at_level(logging.WARNING, logger="entropylaw"):
        entropylaw.select(records, budget=3).save(tmp_path / "out.jsonl", stanza="llamafactory")
    assert "knows one name for each role, and skips records with user" in caplog.text


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pool, output = tmp_path / "pool.jsonl", tmp_path / "out.jsonl"
    pool.write_text('{"text": "a"}\n{"text": "b"}\n')
    assert main(["select", str(pool), "-o", str(output), "--budget", "1", "--stanza", "axolotl", "-q"]) == 0
    said = capsys.readouterr().out
    assert said.endswith(Path(f"{output}.axolotl.yml").read_text() + "\n")
    assert main(["replay", f"{output}.manifest.json", "-o", str(tmp_path / "again.jsonl"), "-q"]) == 0
    assert Path(f"{tmp_path}/again.jsonl.axolotl.yml").exists()
    assert (
        main(["select", str(pool), "-o", f"{output}2", "--budget", "1", "--stanza", "axolotl", "--indices-only"]) == 2
    )


@pytest.mark.parametrize("text", ["yes", "No", "1", "a: b", "- x", "é", "", "a#b", "null", "{x}", "a b", "~", "1e3"])
def test_texts_come_back_from_yaml(text: str) -> None:
    yaml = pytest.importorskip("yaml", reason="reads what Axolotl reads")
    value = {"a": text, "b": [text, "x"], "c": {"d": text}, "e": [{"f": text, "g": text}, {"h": {"i": text}}]}
    assert yaml.safe_load(_yaml(value)) == value


def test_axolotl_is_told_to_take_unwanted_answers_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    records = [{"prompt": "p", "completion": "c", "label": True}, {"prompt": "q", "completion": "d", "label": False}]
    entropylaw.select(records, budget=1).save(tmp_path / "out.jsonl", stanza="axolotl")
    assert "unwanted answers, too, not heeding 'label'" in caplog.text
