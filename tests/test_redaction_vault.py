"""Redaction inside the vault: what is stored, what a session remembers, originals, streams."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from databases import Databases

from vault import AsyncVault, Vault
from vault.errors import (
    ConfigError,
    InputError,
    RedactionError,
    TamperedError,
    UsageError,
    UserForgottenError,
)
from vault.redaction.engine import Engine
from vault.redaction.findings import Finding
from vault.redaction.settings import Redaction

SAID = "Hi, I am Anastasia Petrova, write to anastasia@petrova-mail.org"


def contents(vault: Vault, user: str = "u", session: str = "s", **how: Any) -> list[Any]:
    return [message.content for message in vault.transcript(user, session).messages(**how)]


def opened(database: Databases, root: Path, engine: Engine | None = None) -> Vault:
    return Vault.open(
        database.transcripts,
        keyring=database.keyring,
        root=f"file:{root}",
        redactor=Engine() if engine is None else engine,
    )


def test_p1_a_vault_redacts_unless_it_is_told_not_to(tmp_path: Path) -> None:
    with Vault.open(tmp_path / "v") as vault:
        given = vault.transcript("u", "s").append("user", SAID)
        assert given.content == "Hi, I am <PERSON_1>, write to <EMAIL_ADDRESS_1>"
        assert contents(vault) == [given.content]


def test_p1_nothing_that_was_redacted_is_in_any_row_that_opens(tmp_path: Path) -> None:
    with Vault.open(tmp_path / "v") as vault:
        vault.transcript("u", "s").append(
            {
                "role": "assistant",
                "content": [{"type": "text", "text": SAID}],
                "tool_calls": [
                    {"id": "call_1", "function": {"name": "send", "arguments": f'{{"to": "{SAID}"}}'}}
                ],
                "metadata": {"note": SAID},
            }
        )
        found = vault.transcript("u", "s").messages()[0]
        assert "nastasia" not in repr(found)
        assert found.extra["tool_calls"][0]["function"]["name"] == "send"
        assert found.extra["tool_calls"][0]["id"] == "call_1"


def test_placeholders_hold_over_restarts_and_both_faces(database: Databases, tmp_path: Path) -> None:
    root = tmp_path / "root.key"
    with opened(database, root) as vault:
        vault.transcript("u", "s").append("user", SAID)
    with opened(database, root) as vault:
        vault.transcript("u", "s").append(
            "user", "Is anastasia@petrova-mail.org or ben@petrova-mail.org right?"
        )
        assert contents(vault)[1] == "Is <EMAIL_ADDRESS_1> or <EMAIL_ADDRESS_2> right?"

    async def other_face() -> str:
        async with await AsyncVault.open(
            database.transcripts, keyring=database.keyring, root=f"file:{root}", redactor=Engine()
        ) as vault:
            given = await vault.transcript("u", "s").append(
                "user", "ben@petrova-mail.org, said Anastasia Petrova"
            )
            return str(given.content)

    assert asyncio.run(other_face()) == "<EMAIL_ADDRESS_2>, said <PERSON_1>"


def test_placeholders_are_of_a_session_and_another_counts_for_itself(tmp_path: Path) -> None:
    with Vault.open(tmp_path / "v") as vault:
        vault.transcript("u", "s").append("user", "one@first-mail.org two@first-mail.org")
        vault.transcript("u", "t").append("user", "two@first-mail.org")
        assert contents(vault, session="t") == ["<EMAIL_ADDRESS_1>"]


def test_a_name_that_was_found_once_is_redacted_wherever_it_stands_later(tmp_path: Path) -> None:
    with Vault.open(tmp_path / "v") as vault:
        vault.transcript("u", "s").append("user", "My name is Zbigniewa Quarterstone.")
        vault.transcript("u", "s").append("assistant", "quarterstone? so it is zbigniewa")
        assert "zbigniewa" not in contents(vault)[1]
        assert "quarterstone" not in contents(vault)[1]


@pytest.mark.wide
def test_many_writers_of_one_session_agree_on_its_numbers(database: Databases, tmp_path: Path) -> None:
    root = tmp_path / "root.key"
    addresses = [f"person-{number}@many-mail.org" for number in range(6)]
    failures: list[BaseException] = []

    def write(start: int) -> None:
        try:
            with opened(database, root) as vault:
                for number in range(6):
                    vault.transcript("u", "s").append("user", addresses[(start + number) % 6])
        except BaseException as error:  # noqa: BLE001 (shown below)
            failures.append(error)

    opened(database, root).close()
    threads = [threading.Thread(target=write, args=(start,)) for start in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with opened(database, root) as vault:
        said = contents(vault)
        assert len(said) == 18
        assert sorted(set(said)) == sorted(f"<EMAIL_ADDRESS_{number}>" for number in range(1, 7))
        assert all(said.count(one) == 3 for one in said)


def test_p8_an_idempotency_key_adds_one_message_and_one_number(tmp_path: Path) -> None:
    with Vault.open(tmp_path / "v") as vault:
        chat = vault.transcript("u", "s")
        first = chat.append("user", "a@first-mail.org", key="k")
        assert chat.append("user", "a@first-mail.org", key="k") == first
        assert chat.append("user", "b@first-mail.org").content == "<EMAIL_ADDRESS_2>"


def test_popping_and_clearing_go_on_with_placeholders(tmp_path: Path) -> None:
    with Vault.open(tmp_path / "v") as vault:
        chat = vault.transcript("u", "s")
        chat.append("user", "a@first-mail.org")
        popped = chat.pop()
        assert popped is not None
        assert popped.content == "<EMAIL_ADDRESS_1>"
        assert chat.append("user", "b@first-mail.org").content == "<EMAIL_ADDRESS_2>"
        chat.clear()
        assert chat.append("user", "b@first-mail.org").content == "<EMAIL_ADDRESS_1>"


# -- failing ---------------------------------------------------------------------------------------------


class Failing:
    """A recognizer that fails on one word."""

    def find(self, text: str) -> list[Finding]:
        if "poison" in text:
            raise ValueError(text)
        return []


def test_p1_an_engine_that_fails_writes_nothing_and_repeats_nothing(tmp_path: Path) -> None:
    with Vault.open(tmp_path / "v", redactor=Engine(recognizers=[Failing()])) as vault:
        with pytest.raises(RedactionError) as caught:
            vault.transcript("u", "s").extend(
                [{"role": "user", "content": "fine"}, {"role": "user", "content": "poison of Anna"}]
            )
        assert "poison" not in str(caught.value)
        assert caught.value.__cause__ is None
        assert contents(vault) == []
        assert list(vault.users()) == []


def test_p1_a_policy_may_have_the_whole_text_replaced_instead(tmp_path: Path) -> None:
    engine = Engine(Redaction.of({"failure": "replace"}), recognizers=[Failing()])
    with Vault.open(tmp_path / "v", redactor=engine) as vault:
        vault.transcript("u", "s").append("user", "poison of Anna")
        assert contents(vault) == ["<REDACTED>"]


def test_p1_what_runs_over_its_budget_is_not_written(tmp_path: Path) -> None:
    ticks = iter(range(0, 10_000_000, 100))
    with (
        Vault.open(tmp_path / "v", redactor=Engine(clock=lambda: float(next(ticks)))) as vault,
        pytest.raises(RedactionError, match="budget"),
    ):
        vault.transcript("u", "s").append("user", "hello")


def test_bad_input_makes_no_session(tmp_path: Path) -> None:
    with Vault.open(tmp_path / "v") as vault:
        with pytest.raises(InputError):
            vault.transcript("u", "s").append("user", "lone \ud800 surrogate")
        assert list(vault.users()) == []


# -- policy ----------------------------------------------------------------------------------------------


class CustomerNumbers:
    """The ten lines of a user's own recognizer."""

    def find(self, text: str) -> list[Finding]:
        start = text.find("KD-")
        return [Finding("CUSTOMER_NO", start, start + 9, 1.0, "customers")] if start >= 0 else []


def test_a_recognizer_of_ones_own_plugs_in(tmp_path: Path) -> None:
    with Vault.open(tmp_path / "v", redactor=Engine(recognizers=[CustomerNumbers()])) as vault:
        assert vault.redact("it is KD-123456, yes").text == "it is <CUSTOMER_NO_1>, yes"


def test_a_wrong_term_is_refused_when_the_vault_is_opened(tmp_path: Path) -> None:
    with Vault.open(tmp_path / "v", redactor=None):
        pass
    with (tmp_path / "v" / "vault.toml").open("a") as file:
        file.write('[redaction.namespaces."a/*"]\ndeny = ["/(a+)+b/"]\n')
    with pytest.raises(ConfigError, match="deny"):
        Vault.open(tmp_path / "v")


def test_what_is_no_recognizer_is_refused() -> None:
    with pytest.raises(ConfigError, match="recognizer"):
        Engine(recognizers=[object()])


def test_places_alone_are_redacted_only_where_somebody_is_spoken_of(tmp_path: Path) -> None:
    with Vault.open(tmp_path / "v") as vault:
        assert vault.redact("Is the passport card enough for flying to Canada?").text.endswith("to Canada?")
        assert "Canada" not in vault.redact("My sister and I moved to Canada in May, to Calgary").text
        assert "Calgary" not in vault.redact("in Calgary, Canada").text  # an answer, to whoever asked


def test_vault_toml_says_how_it_is_redacted(tmp_path: Path) -> None:
    with Vault.open(tmp_path / "v", redactor=None):
        pass
    settings = tmp_path / "v" / "vault.toml"
    plain = settings.read_text()
    settings.write_text(
        plain
        + '[redaction]\nallow = ["Ada Lovelace"]\ndeny = ["Project Falcon"]\nroles = {system = "keep"}\n'
        + '[redaction.entities]\nEMAIL_ADDRESS = "drop"\n'
        + '[redaction.namespaces."raw/*".entities]\nEMAIL_ADDRESS = "keep"\n'
    )
    with Vault.open(tmp_path / "v") as vault:
        assert vault.redact("ask x@first-mail.org about project falcon").text == "ask  about <DENIED_1>"
        chat = vault.transcript("u", "s")
        assert (
            chat.append("system", "You are Anna, anna@first-mail.org").content
            == "You are Anna, anna@first-mail.org"
        )
        there = vault.transcript("u", "r", namespace="raw/a")
        assert there.append("user", "anna@first-mail.org").content == "anna@first-mail.org"
    settings.write_text(plain + '[redaction]\nmod = "balanced"\n')
    with pytest.raises(ConfigError, match="mod"):
        Vault.open(tmp_path / "v")


@pytest.mark.parametrize("blobs", ["keep", "drop"])
@pytest.mark.parametrize("value", ["4539148803436467", "anna@kowalski-mail.org", "DE89370400440532013000"])
def test_p1_a_long_list_without_spaces_is_no_blob(tmp_path: Path, value: str, blobs: str) -> None:
    listed = "\n".join([value] * 60)
    with Vault.open(tmp_path / "v", redactor=Engine(Redaction.of({"blobs": blobs}))) as vault:
        stored = vault.transcript("u", "s").append("user", listed).content
        assert isinstance(stored, str)
        assert value not in stored
        assert stored.count("\n") == 59


def test_a_blob_amid_a_text_is_dropped_too(tmp_path: Path) -> None:
    said = f"see ![x](data:image/png;base64,{'QUJD' * 300}) of Anna Kowalski"
    with Vault.open(tmp_path / "v", redactor=Engine(Redaction.of({"blobs": "drop"}))) as vault:
        assert vault.transcript("u", "s").append("user", said).content == "see ![x]() of <PERSON_1>"
        content = [{"type": "input_audio", "data": b"RIFF"}, {"type": "text", "text": said}]
        stored = vault.transcript("u", "s").append({"role": "user", "content": content}).content
        assert stored == [
            {"type": "input_audio", "data": b""},
            {"type": "text", "text": "see ![x]() of <PERSON_1>"},
        ]


@pytest.mark.wide
def test_a_blob_is_kept_or_dropped_and_never_searched(tmp_path: Path) -> None:
    image = "data:image/png;base64," + "QUJD" * 500_000
    message = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": image}}]}
    with Vault.open(tmp_path / "v") as vault:
        vault.transcript("u", "s").append(message)
        assert contents(vault)[0] == message["content"]
    with Vault.open(tmp_path / "v", redactor=Engine(Redaction.of({"blobs": "drop"}))) as vault:
        vault.transcript("u", "t").append(message)
        assert contents(vault, session="t")[0][0]["image_url"] == {"url": ""}


# -- originals -------------------------------------------------------------------------------------------


@pytest.fixture
def keeping(tmp_path: Path) -> Iterator[Vault]:
    with Vault.open(tmp_path / "v", redactor=Engine(Redaction.of({"originals": True}))) as vault:
        yield vault


def test_originals_are_read_for_a_purpose(keeping: Vault) -> None:
    chat = keeping.transcript("u", "s")
    chat.append("user", "clean")
    chat.append("user", SAID)
    assert contents(keeping, reveal=True, purpose="request 881") == ["clean", SAID]
    assert contents(keeping, last=1, reveal=True, purpose="request 881") == [SAID]
    assert "nastasia" not in repr(contents(keeping))
    with pytest.raises(UsageError, match="purpose"):
        chat.messages(reveal=True)


def test_originals_are_put_back_into_a_reply(keeping: Vault) -> None:
    chat = keeping.transcript("u", "s")
    chat.append("user", SAID)
    reply = "Dear <PERSON_1>, I wrote to <EMAIL_ADDRESS_1> and <EMAIL_ADDRESS_12>"
    assert chat.restore(reply, purpose="reply") == (
        "Dear Anastasia Petrova, I wrote to anastasia@petrova-mail.org and <EMAIL_ADDRESS_12>"
    )


def test_a_placeholder_that_somebody_typed_is_nobodys(keeping: Vault) -> None:
    chat = keeping.transcript("u", "s")
    stored = chat.append("user", f"I paste <PERSON_1> here. {SAID}")
    assert "<PERSON_1> here. " in str(stored.content)
    assert chat.restore("<PERSON_1>, <PERSON_2>", purpose="reply") == "<PERSON_1>, Anastasia Petrova"
    assert (
        keeping.redact(f"<PERSON_3> {SAID}").restore("<PERSON_3> <PERSON_4>")
        == "<PERSON_3> Anastasia Petrova"
    )


def test_p1_a_mask_is_put_back_for_nobody(tmp_path: Path) -> None:
    with Vault.open(tmp_path / "v", redactor=Engine(Redaction.of({"operator": "mask"}))) as vault:
        redacted = vault.redact("I am Anna Kowalski. I'm 34 years old")
        assert redacted.restore("so **that** is ** ***** ***") == "so **that** is ** ***** ***"


def test_p1_originals_are_not_stored_unless_the_policy_keeps_them(tmp_path: Path) -> None:
    with Vault.open(tmp_path / "v") as vault:
        vault.transcript("u", "s").append("user", SAID)
        assert "nastasia" not in repr(contents(vault, reveal=True, purpose="look"))


@pytest.mark.wide
@pytest.mark.parametrize(
    "theft",
    [
        "UPDATE messages SET originals = NULL WHERE seq = 0",
        "UPDATE messages SET originals = NULL, originals_chapter_id = NULL WHERE seq = 0",
        "UPDATE messages SET originals_chapter_id = 99 WHERE seq = 0",
        "UPDATE messages SET originals_chapter_id = chapter_id WHERE seq = 0",
        "UPDATE messages SET originals = body WHERE seq = 0",
        "UPDATE messages SET originals = (SELECT originals FROM messages WHERE seq = 1) WHERE seq = 0",
    ],
)
def test_p2_originals_that_were_taken_moved_or_swapped_are_noticed(
    keeping: Vault, tmp_path: Path, theft: str
) -> None:
    chat = keeping.transcript("u", "s")
    chat.append("user", SAID)
    chat.append("user", "or was it ben@first-mail.org?")
    assert len(contents(keeping, reveal=True, purpose="look")) == 2
    with closing(sqlite3.connect(tmp_path / "v" / "transcripts.db")) as thief, thief:
        thief.execute(theft)
    with pytest.raises(TamperedError):
        chat.messages(reveal=True, purpose="look")
    assert len(contents(keeping)) == 2


def test_p3_originals_go_with_their_user(keeping: Vault) -> None:
    keeping.transcript("u", "s").append("user", SAID)
    keeping.forget_user("u", now=True)
    with pytest.raises(UserForgottenError):
        contents(keeping, reveal=True, purpose="look")


# -- without storing, and streaming ----------------------------------------------------------------------


def test_a_text_is_redacted_and_a_reply_restored_without_storing_anything(tmp_path: Path) -> None:
    with Vault.open(tmp_path / "v") as vault:
        redacted = vault.redact(SAID)
        assert [(one.entity, SAID[one.start : one.end]) for one in redacted.findings] == [
            ("PERSON", "Anastasia Petrova"),
            ("EMAIL_ADDRESS", "anastasia@petrova-mail.org"),
        ]
        assert redacted.restore("Dear <PERSON_1>") == "Dear Anastasia Petrova"
        assert "nastasia" not in repr(redacted)
        assert list(vault.users()) == []


def test_a_stream_gives_safe_text_on_and_stores_the_whole(tmp_path: Path) -> None:
    with Vault.open(tmp_path / "v") as vault:
        chat = vault.transcript("u", "s")
        chat.append("user", SAID)
        tokens = [SAID[start : start + 3] for start in range(0, len(SAID), 3)]
        assert "".join(chat.stream("assistant", tokens)) == contents(vault)[0]
        assert contents(vault)[1] == contents(vault)[0]


@pytest.mark.parametrize("size", [1, 4, 17, 400])
def test_p1_a_stream_knows_the_names_and_numbers_that_the_whole_message_has(
    tmp_path: Path, size: int
) -> None:
    gap = "and then we all sat down in the garden and had a long talk about it. "
    said = f"Anastasia Petrova came, {gap}Anastasia left. {gap}<PERSON_1> and <PERSON_9> wrote to Karl. {gap}"
    with Vault.open(tmp_path / "v") as vault:
        chat = vault.transcript("u", "s")
        tokens = [said[start : start + size] for start in range(0, len(said), size)]
        safe = "".join(chat.stream("assistant", tokens))
        assert "Anastasia" not in safe
        assert safe == chat.messages()[0].content
        assert "<PERSON_10>" in str(chat.append("user", "I am Maria Lindqvist").content)


def test_a_stream_that_breaks_off_stores_nothing(tmp_path: Path) -> None:
    def tokens() -> Iterator[str]:
        yield "Hello "
        raise OSError

    with Vault.open(tmp_path / "v") as vault:
        with pytest.raises(OSError):  # noqa: PT011 (the model's own)
            list(vault.transcript("u", "s").stream("assistant", tokens()))
        assert contents(vault) == []


def test_a_stream_under_a_role_that_is_none_is_refused_before_anything_goes_out(tmp_path: Path) -> None:
    async def tokens() -> AsyncIterator[str]:
        yield "Hello "

    async def test() -> None:
        async with await AsyncVault.open(tmp_path / "v") as vault:
            await anext(vault.transcript("u", "s").stream("bot", tokens()))

    with Vault.open(tmp_path / "v") as vault, pytest.raises(InputError, match="not a role"):
        next(vault.transcript("u", "s").stream("bot", iter(["Hello " * 99])))
    with pytest.raises(InputError, match="not a role"):
        asyncio.run(test())


def test_the_async_face_streams_restores_and_reveals(tmp_path: Path) -> None:
    async def tokens() -> AsyncIterator[str]:
        for word in SAID.split(" "):
            yield word + " "

    async def test() -> None:
        engine = Engine(Redaction.of({"originals": True}))
        async with await AsyncVault.open(tmp_path / "v", redactor=engine) as vault:
            chat = vault.transcript("u", "s")
            safe = "".join([token async for token in chat.stream("assistant", tokens())])
            stored = await chat.messages()
            assert safe == stored[0].content
            revealed = await chat.messages(reveal=True, purpose="look")
            assert revealed[0].content == SAID + " "
            assert await chat.restore("<PERSON_1>", purpose="reply") == "Anastasia Petrova"
            assert vault.redact("x@first-mail.org").text == "<EMAIL_ADDRESS_1>"

    asyncio.run(test())


class Waits:
    """A recognizer that finds nothing before somebody else was served."""

    def __init__(self) -> None:
        self.served = threading.Event()

    def find(self, text: str) -> list[Finding]:
        assert "slow" not in text or self.served.wait(10), "nobody else was served"
        return []


def test_the_loop_goes_on_while_a_long_message_is_redacted(tmp_path: Path) -> None:
    async def test() -> None:
        waits = Waits()
        async with await AsyncVault.open(tmp_path / "v", redactor=Engine(recognizers=[waits])) as vault:
            slow = asyncio.ensure_future(vault.transcript("u", "s").append("user", "slow"))
            await asyncio.sleep(0)
            await vault.transcript("u", "t").append("user", "quick")
            waits.served.set()
            assert (await slow).content == "slow"

    asyncio.run(test())
