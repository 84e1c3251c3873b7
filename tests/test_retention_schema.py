"""The JSON Schema and the reader say the same of every document."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from vault.errors import PolicyError
from vault.retention import SHIPPED, shipped
from vault.retention.json_schema import json_schema
from vault.retention.reading import Problems, read
from vault.retention.shape import POLICY, check

VALIDATOR = Draft202012Validator(json_schema())


class Dumper(yaml.SafeDumper):
    """Quotes the texts that YAML 1.2 takes for numbers; those of 1.1 are others (1e3)."""


Dumper.add_implicit_resolver("number", re.compile(r"[0-9]+[eE][0-9]+$|0o[0-7]+$"), list("0123456789"))


def reader_takes(path: Path) -> bool:
    """Say whether a file has the shape; what its classes mean together is no matter of a schema."""
    problems = Problems()
    try:
        check(read(path, problems), POLICY, problems)
        problems.end()
    except PolicyError:
        return False
    return True


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(json_schema())
    assert json_schema()["$schema"].endswith("2020-12/schema")


@pytest.mark.parametrize("name", SHIPPED)
def test_both_take_every_policy_that_comes_with_the_vault(name: str) -> None:
    assert reader_takes(shipped(name))
    VALIDATOR.validate(yaml.safe_load(shipped(name).read_text()))


def fields(schema: dict[str, Any]) -> list[dict[str, Any]]:
    below = [*schema.get("properties", {}).values(), *schema.get("anyOf", []), schema.get("items", {})]
    return [schema, *(deeper for one in below for deeper in fields(one))] if schema else []


def test_editors_get_a_description_for_every_key_and_examples_for_every_text() -> None:
    for schema in fields(json_schema()):
        assert all(one["description"] for one in schema.get("properties", {}).values())
        if "pattern" in schema:
            assert schema["examples"]
            assert all(Draft202012Validator(schema).is_valid(one) for one in schema["examples"])


# Values that are right somewhere, and wrong elsewhere.
WORDS = [
    *(
        "90d",
        "1y",
        "6mo",
        "P1Y2M3D",
        "PT36H",
        "0d",
        "6m",
        "-7d",
        "7 d",
        "7D",
        "P",
        "d",
        "",
        "erase",
        "keep-redacted",
    ),
    *(
        "user",
        "tool",
        "robot",
        "message",
        "last-message",
        "last_message",
        "UTC",
        "Europe/Berlin",
        "../etc",
        "20%",
    ),
    *(
        "100%",
        "101%",
        "20",
        "0 3 * * *",
        "*/5 1-5 * jan mon",
        "61 * * * *",
        "@daily",
        "a/*",
        "*",
        "a b",
        "NO",
        "yes",
    ),
    *("null", "~", "true", "1", "1.5", "1e3", "0x1F", "support-eu", "-x", "ä", "a/b"),
]
scalars = st.sampled_from([*WORDS, 0, 1, 2, -1, 90, 1.5, True, False, None])
keys = st.sampled_from(
    [
        "version",
        "policy",
        "schedule",
        "timezone",
        "limits",
        "classes",
        "originals",
        "redaction",
        "max_fraction",
        "name",
        "match",
        "keep",
        "then",
        "role",
        "namespace",
        "metadata",
        "session",
        "older_than",
        "at_least",
        "at_most",
        "count_from",
        "at_mots",
        "colour",
        "NO",
    ]
)
anything = st.recursive(
    scalars,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(keys, below, max_size=3),
    max_leaves=5,
)


def often(right: st.SearchStrategy[Any], wrong: st.SearchStrategy[Any] = anything) -> st.SearchStrategy[Any]:
    return st.integers(0, 40).flatmap(lambda number: wrong if number == 23 else right)


def one_or_many(right: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return often(right | st.lists(right, min_size=1, max_size=3))


DURATION = often(st.sampled_from(["90d", "1y", "6mo", "P1Y2M3D", "PT36H", "0d"]), scalars)
NAME = often(st.sampled_from(["a", "support-eu", "B.1"]), scalars)
LABELS = st.dictionaries(
    keys, one_or_many(often(scalars.filter(lambda one: one is not None))), min_size=1, max_size=2
)
MATCH: dict[str, st.SearchStrategy[Any]] = {
    "role": one_or_many(st.sampled_from(["user", "tool"])),
    "namespace": one_or_many(st.sampled_from(["a/*", "*"])),
    "metadata": often(LABELS),
    "session": often(st.fixed_dictionaries({"older_than": DURATION})),
}
KEEP: dict[str, st.SearchStrategy[Any]] = {
    "at_most": DURATION,
    "at_least": DURATION,
    "count_from": often(st.sampled_from(["message", "last-message", "session-start"]), scalars),
}
CLASS = st.fixed_dictionaries(
    {"name": NAME, "keep": often(st.fixed_dictionaries({}, optional=KEEP).filter(len))},
    optional={
        "match": often(st.fixed_dictionaries({}, optional=MATCH).filter(len)),
        "then": often(st.sampled_from(["erase", "keep-redacted"]), scalars),
    },
)
DOCUMENT = st.fixed_dictionaries(
    {
        "version": often(st.just(1)),
        "policy": NAME,
        "classes": often(st.lists(often(CLASS), min_size=1, max_size=3)),
    },
    optional={
        "schedule": often(st.sampled_from(["0 3 * * *", "*/5 1-5 * jan mon"]), scalars),
        "timezone": often(st.sampled_from(["UTC", "Europe/Berlin"]), scalars),
        "limits": often(st.fixed_dictionaries({"max_fraction": often(st.just("20%"), scalars)})),
        "originals": often(st.fixed_dictionaries({"keep": DURATION})),
        "redaction": often(st.dictionaries(keys, anything, max_size=2)),
    },
)


def damaged(document: Any, take: Callable[[st.SearchStrategy[Any]], Any]) -> Any:
    """Take a key out somewhere, or put one in that belongs elsewhere."""
    here = document
    while isinstance(here, dict | list) and here and take(st.integers(0, 2)):
        here = (
            here[take(st.sampled_from(list(here)))] if isinstance(here, dict) else take(st.sampled_from(here))
        )
    if isinstance(here, dict):
        if here and take(st.booleans()):
            del here[take(st.sampled_from(list(here)))]
        else:
            here[take(keys)] = take(anything)
    return document


@pytest.mark.wide
@given(st.data())
@settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)
def test_both_say_the_same_of_any_document(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    document = data.draw(often(DOCUMENT))
    if isinstance(document, dict) and data.draw(st.integers(0, 2)) == 0:
        document = damaged(document, data.draw)
    path = tmp_path_factory.getbasetemp() / "document.yaml"
    path.write_text(yaml.dump(document, Dumper=Dumper, allow_unicode=True))
    assert reader_takes(path) == VALIDATOR.is_valid(document), path.read_text()
