"""SECURITY.md promises nothing that no test holds."""

import re
from pathlib import Path

import pytest
from shell_blocks import named

TOP = Path(__file__).parents[1]
SECURITY = (TOP / "SECURITY.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (P\d) \| .* \| (.*) \|$", SECURITY, re.MULTILINE)


@pytest.mark.parametrize(("promise", "held_by"), ROWS)
def test_every_promise_has_tests_that_carry_its_number_where_the_table_says(
    promise: str, held_by: str
) -> None:
    for pattern in held_by.split(", "):
        files = list((TOP / "tests").glob(pattern))
        assert files, pattern
        named = [name for file in files for name in re.findall(r"def (test_p\d)_", file.read_text("utf-8"))]
        assert f"test_{promise.lower()}" in named, (promise, pattern)


def test_the_table_names_the_promises_that_are_held() -> None:
    assert [promise for promise, _ in ROWS] == ["P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8"]


def test_the_tests_to_read_first_are_there() -> None:
    found = re.findall(r"`(test_\w+\.py)::(test_(p\d)_\w+)`", SECURITY)
    assert {number for _, _, number in found} == {promise.lower() for promise, _ in ROWS}
    for file, name, _ in found:
        assert f"def {name}(" in (TOP / "tests" / file).read_text("utf-8"), name


def test_every_command_that_security_names_exists() -> None:
    found = re.findall(r"`vault ([a-z][^`]*)`", SECURITY)
    assert len(found) > 10
    for words in found:
        assert named(words).help, words


def test_every_file_that_security_names_exists() -> None:
    found = {
        *re.findall(r"`((?:vault|tests)/[\w/.]+)`", SECURITY),
        *re.findall(r"\]\(([^)#]+)\)", SECURITY),
    }
    assert len(found) > 4
    for path in found:
        assert (TOP / path).exists(), path


def test_each_decision_says_why_and_what_was_rejected() -> None:
    decisions = SECURITY.partition("## Decisions")[2].partition("\n## ")[0].strip().split("\n\n")
    assert len(decisions) > 40
    for one in (one for one in decisions if not one.startswith("### ")):
        assert one.startswith("**"), one
        assert "Why:" in one, one
        assert "Rejected:" in one, one
