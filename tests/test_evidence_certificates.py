"""P6: a certificate is checked with the public key alone, and nothing in it can be changed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from faces import Clock
from logs import ANNA, BEN, DAY, fill, made, talk

from vault.errors import TamperedError, UsageError
from vault.evidence.certificate import Certificate, Status, sealed_text
from vault.evidence.checking import check_certificate, check_certificates, read_key
from vault.evidence.notes import Signer, Verifier, encode64


def given_out(where: Path, *, final: bool) -> tuple[Certificate, Verifier]:
    with made(where) as vault:
        talk(vault, ANNA, BEN)
        vault.forget_user(BEN)
        fill(vault, 20)
        found = vault.forget_user(ANNA, reason="request 881", actor="the officer", now=final)
        return found, Verifier.parse(vault.log.public_key())


@pytest.fixture(scope="module", params=[True, False], ids=["final", "provisional"])
def certified(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return given_out(tmp_path_factory.mktemp("c") / "v", final=request.param)


def test_p6_a_certificate_says_all_there_is_to_say(certified: tuple[Certificate, Verifier]) -> None:
    found, key = certified
    assert check_certificate(found.to_json(), key) == found
    assert (found.kind, found.sessions, found.messages) == ("forget-user", 1, 1)
    assert (found.reason, found.actor) == ("request 881", "the officer")
    assert found.retired
    assert found.due_at
    assert (found.status is Status.FINAL) == bool(found.final_at) == bool(found.receipt)
    assert found.proof
    assert found.proof.hashes


def test_p6_a_certificate_that_is_read_again_is_the_same_whatever_came_after(tmp_path: Path) -> None:
    clock = Clock()
    with made(tmp_path / "v", clock=clock) as vault:
        talk(vault, ANNA, BEN)
        first = vault.forget_user(ANNA)
        fill(vault, 700)
        vault.forget_user(BEN)
        assert vault.forget_user(ANNA) == first
        assert first in vault.certificates()
        clock.now += 8 * DAY
        final = {one.id: one for one in vault.destroy_due()}
        again = vault.certificates()
        assert {one.id: one for one in again} == final
        key = Verifier.parse(vault.log.public_key())
        assert check_certificates(json.dumps([json.loads(one.to_json()) for one in again]), key) == again
        assert check_certificate(first.to_json(), key) == first  # what was true then was signed then


# -- changes ---------------------------------------------------------------------------------------------


def flips(value: Any) -> Iterator[Any]:
    """Change a value by one bit, in every place that can be: of a text, the last bit of each character."""
    if isinstance(value, bool) or value is None:
        yield "x"
    elif isinstance(value, int):
        yield from (value ^ 1 << bit for bit in range(8))
    elif isinstance(value, str):
        for at, character in enumerate(value):
            for bit in range(7):
                yield value[:at] + chr(ord(character) ^ 1 << bit) + value[at + 1 :]
        yield value + "x"
        yield value[:-1]
    elif isinstance(value, list):
        for at, one in enumerate(value):
            for other in flips(one):
                yield [*value[:at], other, *value[at + 1 :]]
        yield value[1:]
        yield [*value, value[0]]


REASONS = {
    "format": r"form that this release|^format:",
    "id": r"^act:|^id:",
    "vault": "^vault:",
    "kind": "^kind:",
    "pseudonym": "^subject:|^pseudonym:",
    "status": "^status:",
    "sessions": "^sessions:",
    "messages": "^messages:",
    "reason": "^reason:",
    "actor": "^actor:",
    "requested_at": "^requested_at:",
    "cut_at": "^cut_at:",
    "due_at": "^due_at:",
    "final_at": "^final_at:",
    "retired": "^retired:",
    "receipt": "^receipt:",
    "key": "^key:|names another key",
    "signature": "^signature:",
}


@pytest.mark.wide
@pytest.mark.parametrize("field", REASONS)
def test_p6_no_field_can_be_changed_by_a_bit(certified: tuple[Certificate, Verifier], field: str) -> None:
    found, key = certified
    document = json.loads(found.to_json())
    reasons, number = set(), 0
    for changed in flips(document[field]):
        number += 1
        with pytest.raises(TamperedError) as raised:
            check_certificate(json.dumps(document | {field: changed}), key)
        reasons.add(str(raised.value))
    assert number
    wrong = {one for one in reasons if not re.search(REASONS[field] + "|^signature:", one)}
    assert wrong == set()
    assert any(re.search(REASONS[field], one) for one in reasons) or document[field] is None


@pytest.mark.wide
@pytest.mark.parametrize(
    ("field", "reason"),
    [
        ("index", "^proof:|index:"),
        ("hashes", "^hashes:|^proof:|proof.hashes"),
        ("checkpoint", "^checkpoint:"),
        ("entry", "entry"),
    ],
)
def test_p6_no_part_of_the_proof_can_be_changed_by_a_bit(
    certified: tuple[Certificate, Verifier], field: str, reason: str
) -> None:
    found, key = certified
    document = json.loads(found.to_json())
    for changed in flips(document["proof"][field]):
        proof = document["proof"] | {field: changed}
        with pytest.raises(TamperedError, match=reason):
            check_certificate(json.dumps(document | {"proof": proof}), key)


@pytest.mark.wide
def test_p6_no_bit_of_the_file_can_be_changed(certified: tuple[Certificate, Verifier]) -> None:
    found, key = certified
    data = found.to_json().encode()
    for at in range(0, len(data), 3):
        for bit in (0, 2, 5, 7):
            flipped = data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]
            with pytest.raises(TamperedError):
                check_certificate(flipped, key)


def forged(document: dict[str, Any]) -> dict[str, Callable[[], dict[str, Any]]]:
    """What a forger might try who has no key."""
    own = Signer(document["proof"]["checkpoint"].partition("\n")[0], bytes(32))

    def signed_anew() -> dict[str, Any]:
        changed = document | {"key": str(own.verifier)}
        return changed | {"signature": encode64(own.signature(sealed_text(changed)))}

    def entry_too() -> dict[str, Any]:
        entry = document["proof"]["entry"].replace("request 881", "request 882")
        return document | {"reason": "request 882", "proof": document["proof"] | {"entry": entry}}

    return {
        "signed by another": signed_anew,
        "with the entry": entry_too,
        "without proof": lambda: document | {"proof": None},
        "without signature": lambda: document | {"signature": None},
        "without key": lambda: document | {"key": None},
        "with more": lambda: document | {"note": "x"},
        "with less": lambda: {name: one for name, one in document.items() if name != "id"},
        "of another form": lambda: document | {"format": "transcript-vault erasure 2"},
        "other checkpoint": lambda: (
            document | {"proof": document["proof"] | {"checkpoint": own.sign("x\n1\n")}}
        ),
    }


FORGERIES = (
    "signed by another",
    "with the entry",
    "without proof",
    "without signature",
    "without key",
    "with more",
    "with less",
    "of another form",
    "other checkpoint",
)


@pytest.mark.parametrize("how", FORGERIES)
def test_p6_a_forged_certificate_does_not_hold(certified: tuple[Certificate, Verifier], how: str) -> None:
    found, key = certified
    with pytest.raises(TamperedError):
        check_certificate(json.dumps(forged(json.loads(found.to_json()))[how]()), key)


def test_p6_a_certificate_of_another_vault_does_not_hold(
    certified: tuple[Certificate, Verifier], tmp_path: Path
) -> None:
    found, key = certified
    with made(tmp_path / "w") as other, pytest.raises(TamperedError, match="another key"):
        check_certificate(found.to_json(), Verifier.parse(other.log.public_key()))
    same_name = Signer(key.name, bytes(32)).verifier
    with pytest.raises(TamperedError, match="another key"):
        check_certificate(found.to_json(), same_name)


NONE = [b"", b"{}", b"[]", b"7", b"\xff", b"null", b"[null]", b'{"a": 1, "a": 2}', b"NaN", b"[1e999]"]
DEEP = [b"[" * 200_000, b'[{"x":' * 50_000, b"[" * 50_000 + b"]" * 50_000, b"9" * 5000]


@pytest.mark.parametrize("text", [*NONE, *DEEP], ids=range(len(NONE + DEEP)))
def test_p6_what_is_no_certificate_is_said_to_be_none(
    certified: tuple[Certificate, Verifier], text: bytes
) -> None:
    with pytest.raises(TamperedError, match="certificate"):
        check_certificates(text, certified[1])


def places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give the ways to all values within one."""
    yield way
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inside:
        yield from places(one, (*way, name))


def changed(document: Any, way: tuple[Any, ...], change: Callable[[Any], Any]) -> Any:
    if not way:
        return change(document)
    copy = dict(document) if isinstance(document, dict) else list(document)
    copy[way[0]] = changed(document[way[0]], way[1:], change)
    return copy


ODD: dict[str, Callable[[Any], Any]] = {
    "a surrogate before it": lambda value: f"\ud800{value}",
    "one behind it": lambda value: f"{value}\udfff",
    "one in a field more": lambda value: {**value, "more": "\ud800"} if isinstance(value, dict) else "\ud800",
    "one as a name": lambda value: {**value, "\ud800": 1} if isinstance(value, dict) else {"\ud800": 1},
    "a huge number": lambda _: 10**30,
    "a number below 0": lambda _: -1,
    "one with a fraction": lambda _: 0.5,
    "nothing": lambda _: None,
    "a list": lambda value: [value],
    "control characters": lambda value: f"\x00{value}\x1b",
}


@pytest.mark.parametrize("how", ODD)
def test_p6_whatever_stands_anywhere_in_it_is_called_tampered_with_and_no_fault_of_the_program(
    certified: tuple[Certificate, Verifier], how: str
) -> None:
    found, key = certified
    document = json.loads(found.to_json())
    for way in places(document):
        other = changed(document, way, ODD[how])
        if other != document:
            with pytest.raises(TamperedError):
                check_certificate(json.dumps(other), key)


def test_p6_a_surrogate_before_the_blank_line_of_a_note_is_no_note(
    certified: tuple[Certificate, Verifier],
) -> None:
    found, key = certified
    assert found.proof
    for note in (found.proof.checkpoint.replace("\n\n", "\ud800\n\n"), "\ud800" + found.proof.checkpoint):
        with pytest.raises(TamperedError, match="not a signed note"):
            key.open(note)
    with pytest.raises(UsageError):
        Verifier.parse("\udcff+00000000+AQ==")


def test_p6_a_field_that_is_there_twice_is_refused(certified: tuple[Certificate, Verifier]) -> None:
    found, key = certified
    twice = found.to_json().replace('{\n  "format"', '{\n  "status": "final",\n  "format"', 1)
    assert twice != found.to_json()
    with pytest.raises(TamperedError, match="not a certificate"):
        check_certificate(twice, key)


# -- keys ------------------------------------------------------------------------------------------------


def test_p6_a_key_is_given_as_it_is_or_in_a_file(
    certified: tuple[Certificate, Verifier], tmp_path: Path
) -> None:
    _, key = certified
    (tmp_path / "pub").write_text(f"{key}\n")
    assert read_key(str(key)) == read_key(str(tmp_path / "pub")) == key
    (tmp_path / "bad").write_bytes(b"\xff")
    for wrong in (str(tmp_path / "bad"), str(key)[:-1], "a+b+c"):
        with pytest.raises(UsageError, match="not a public key"):
            read_key(wrong)


@pytest.mark.wide
def test_p6_a_certificate_is_checked_without_a_database_or_its_library(
    certified: tuple[Certificate, Verifier], tmp_path: Path
) -> None:
    found, key = certified
    (tmp_path / "c.json").write_text(found.to_json())
    program = (
        "import sys; sys.modules['sqlalchemy'] = None;"
        f"sys.argv = ['vault', 'certificate', 'verify', {str(tmp_path / 'c.json')!r}, '--key', {str(key)!r}];"
        "from vault.__main__ import main; main()"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert f"certificate {found.id} holds" in ran.stdout
