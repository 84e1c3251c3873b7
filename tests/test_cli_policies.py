"""`policy check` and `policy schema`."""

import json
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest
from commands import on_terminal, run, spawn

from vault import Vault
from vault.errors import ConfigError
from vault.retention import SHIPPED, shipped
from vault.retention.json_schema import json_schema

GOOD = "version: 1\npolicy: mine\nclasses:\n  - {name: all, keep: {at_least: 1d, at_most: 90d}}\n"


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD)
    return path


def test_check_lists_the_classes_of_all_files_and_needs_no_vault(good: Path) -> None:
    said = run("policy", "check", good, shipped("short-lived"))
    assert said.code == 0
    assert said.out.splitlines()[0] == f"mine/all\t1d\t90d\tmessage\terase\t{good}:4"
    assert len(said.out.splitlines()) == 3
    assert said.err == "mine: 1 rule, run at 0 3 * * * (UTC)\nshort-lived: 2 rules, run at 15 * * * * (UTC)\n"


def test_check_says_the_same_in_json(good: Path) -> None:
    found = run("policy", "check", "--json", good).json
    assert found["problems"] == []
    [one] = found["policies"]
    assert (one["policy"], one["file"], one["timezone"], one["max_fraction"]) == (
        "mine",
        str(good),
        "UTC",
        0.2,
    )
    assert one["classes"] == [
        {
            "class": "mine/all",
            "line": 4,
            "at_least": "1d",
            "at_most": "90d",
            "count_from": "message",
            "then": "erase",
        }
    ]


def test_check_says_all_that_is_wrong_with_place_and_hint(good: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(
        GOOD.replace("at_most: 90d", "at_mots: 90d").replace("policy: mine", "policy: mine\njurisdiction: NO")
    )
    said = run("policy", "check", good, bad)
    assert (said.code, said.out) == (2, "")
    assert said.err.splitlines()[0] == f"error: {bad}:3:1: “jurisdiction” is no known key"
    assert f"error: {bad}:5:38: “at_mots” is no known key\nhint: did you mean at_most?" in said.err
    problems = run("policy", "check", "--json", bad)
    assert problems.code == 2
    assert problems.err == ""
    assert [(one["line"], one["column"]) for one in problems.json["problems"]] == [(3, 1), (5, 38)]
    assert problems.json["problems"][1]["hint"].startswith("did you mean at_most?")


@pytest.mark.parametrize(
    ("block", "place", "says"),
    [
        ("{allow: [fine, '/(/']}", "5:27", "allow, term 2: the pattern is refused: it is no regular"),
        ("{deny: ['/a*/']}", "5:20", "deny, term 1: the pattern is refused: it matches the empty"),
        (
            "{deny: {STAFF_ID: ['/(a{1,9}){1,9}b/']}}",
            "5:31",
            "deny, STAFF_ID, term 1: the pattern is refused",
        ),
        ("{allow: ['\u200b']}", "5:21", "allow, term 1: the term is empty"),
        ("{namespaces: {a/*: {deny: ['/(/']}}}", "5:39", "deny, term 1: the pattern is refused"),
        ("{models: [nope]}", "5:22", "a model is named as spacy:NAME"),
        ("{deny: {EMAIL_ADDRESS: [x]}, entities: {EMAIL_ADDRESS: keep}}", "3:1", "EMAIL_ADDRESS is kept"),
    ],
)
def test_what_no_redaction_could_work_with_is_refused_with_its_place(
    good: Path, block: str, place: str, says: str
) -> None:
    good.write_text(f"{GOOD}redaction: {block}\n")
    said = run("policy", "check", good)
    assert said.code == 2
    assert said.err.startswith(f"error: {good}:{place}: ")
    assert says in said.err
    with pytest.raises(ConfigError, match=f"{good}:{place}: "):
        Vault.open(good.parent / "v", policies=good)


def test_policies_that_contradict_each_other_about_redaction_are_refused(good: Path, tmp_path: Path) -> None:
    good.write_text(GOOD + "redaction: {blobs: drop}\n")
    other = tmp_path / "other.yaml"
    other.write_text(GOOD.replace("mine", "other") + "redaction: {blobs: keep}\n")
    said = run("policy", "check", good, other)
    assert said.code == 2
    assert "two policies redact everything, each in its own way" in said.err


@pytest.mark.parametrize(
    ("block", "place"),
    [
        ("{models: [spacy:not_here_at_all]}", "5:22"),
        ("{namespaces: {de/*: {models: ['spacy:not_here_at_all']}}}", "5:42"),
    ],
)
def test_a_model_that_is_not_installed_here_is_a_warning(
    good: Path, block: str, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    good.write_text(f"{GOOD}redaction: {block}\n")
    monkeypatch.setitem(sys.modules, "spacy", ModuleType("spacy"))  # installed, and never loaded
    sys.modules["spacy"].__spec__ = ModuleSpec("spacy", None)
    said = run("policy", "check", good)
    assert said.code == 0
    assert (
        f"warning: on this machine, {good}:{place}: a spaCy model is named that is not installed" in said.err
    )
    [told] = run("policy", "check", "--json", good).json["warnings"]
    assert (f"{told['line']}:{told['column']}", told["hint"][:11]) == (place, "pip install")
    monkeypatch.setitem(sys.modules, "spacy", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert "transcript-vault[spacy]" in run("policy", "check", good).err


def test_check_takes_the_policies_that_come_with_the_vault_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("policy", "check", *SHIPPED).code == 0
    (tmp_path / "gdpr").write_text("version: 2")
    assert run("policy", "check", "gdpr").code == 2  # a file of that name comes first
    missing = run("policy", "check", "gdrp")
    assert missing.code == 2
    assert "error: gdrp:1:1: the file can't be read: No such file or directory" in missing.err


def test_check_wants_a_file() -> None:
    assert run("policy", "check").code == 2


@pytest.mark.wide
def test_a_file_drives_no_terminal(good: Path) -> None:
    good.write_text('version: 1\npolicy: mine\n"\\e[2Jx": 1\nclasses: ["\\e]0;x\\a"]\n')
    assert "\x1b" not in on_terminal("policy", "check", good, NO_COLOR="1").out


@pytest.mark.wide
def test_schema_prints_the_schema() -> None:
    assert run("policy", "schema").json == json_schema()
    said = spawn("policy", "schema", "--json")
    assert (said.code, json.loads(said.out)) == (0, json_schema())
