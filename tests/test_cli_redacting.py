"""`vault redact`: a filter."""

from __future__ import annotations

from pathlib import Path

from commands import run, spawn

SAID = "Call Anna Kowalski on 020 7946 0018, or anna@kowalski-mail.org\n"


def test_redact_is_a_filter_that_needs_no_vault() -> None:
    done = run("redact", stdin=SAID)
    assert (done.code, done.err) == (0, "")
    assert done.out == "Call <PERSON_1> on <PHONE_NUMBER_1>, or <EMAIL_ADDRESS_1>\n"


def test_redact_tells_what_it_found_and_where() -> None:
    found = run("redact", "--json", stdin=SAID).json
    assert found["text"].startswith("Call <PERSON_1>")
    places = {one["entity"]: SAID[one["start"] : one["end"]] for one in found["findings"]}
    assert places["EMAIL_ADDRESS"] == "anna@kowalski-mail.org"
    assert all(one["by"] and 0 < one["score"] <= 1 for one in found["findings"])


def test_redact_explains_on_stderr() -> None:
    done = run("redact", "--explain", stdin=SAID)
    assert "EMAIL_ADDRESS" in done.err
    assert "'anna@kowalski-mail.org'" in done.err
    assert run("redact", "--explain", stdin="what is 2 + 2?").err == "nothing was found\n"


def test_redact_takes_the_settings_of_a_vault(tmp_path: Path) -> None:
    assert run("init", tmp_path / "v").code == 0
    with (tmp_path / "v" / "vault.toml").open("a") as file:
        file.write('[redaction.entities]\nEMAIL_ADDRESS = "drop"\n')
    assert run("--vault", tmp_path / "v", "redact", stdin="at x@first-mail.org!").out == "at !"


def test_redact_refuses_what_is_no_text_without_repeating_it() -> None:
    done = run("redact", stdin=b"anna \xff")
    assert done.code == 2
    assert "UTF-8" in done.err
    assert "anna" not in done.err


def test_redact_works_in_a_process_of_its_own() -> None:
    assert spawn("redact", stdin="x@first-mail.org").out == "<EMAIL_ADDRESS_1>"
