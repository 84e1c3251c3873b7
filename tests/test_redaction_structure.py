"""What of a message is redacted, and what ties its parts together and stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from vault import Message, Vault


def test_a_message_stays_a_message(tmp_path: Path) -> None:
    with Vault.open(tmp_path / "v") as vault:
        stored = vault.transcript("u", "s").append(Message("user", "hello", {"run": 7, "ok": None}))
        assert vault.transcript("u", "s").messages() == [stored]
        assert stored.metadata == {"run": 7, "ok": None}


def test_p1_an_id_beside_the_content_stays_and_what_was_said_under_its_key_does_not(tmp_path: Path) -> None:
    ids = {"id": "msg_345b559ca96c4d69bba5fd65143871bb", "tool_call_id": "call_4111111111111111"}
    usage = {"input_tokens": 4111111111111111, "output_tokens": 12}
    said = {"detail": "Ask anastasia@petrova-mail.org", "status": {"note": "anastasia@petrova-mail.org"}}
    with Vault.open(tmp_path / "v") as vault:
        given = Message("tool", "Done.", {}, {**ids, "usage": usage, "error": said})
        found = vault.transcript("u", "s").append(given)
    assert found.extra == {
        **ids,
        "usage": usage,
        "error": {"detail": "Ask <EMAIL_ADDRESS_1>", "status": {"note": "<EMAIL_ADDRESS_1>"}},
    }


@pytest.mark.parametrize("name", ["Anna Kowalski", "Anna_Kowalski", "maria", "anastasia@petrova-mail.org"])
def test_p1_the_name_of_a_user_is_a_persons_and_that_of_a_function_is_not(tmp_path: Path, name: str) -> None:
    with Vault.open(tmp_path / "v") as vault:
        chat = vault.transcript("u", "s")
        (found,) = chat.append({"role": "user", "content": "Hello", "name": name}).extra.values()
        assert found in {"PERSON_1", "EMAIL_ADDRESS_1"}  # an API takes no name with < in it
        agents = ("user", "example_user", "researcher", "SQLAgent", "math_expert")
        for role, said in (*(("user", agent) for agent in agents), ("assistant", name), ("tool", name)):
            assert chat.append({"role": role, "content": "Hello", "name": said}).extra == {"name": said}


def test_p1_what_redaction_replaced_is_not_told_again_token_by_token(tmp_path: Path) -> None:
    tokens = [{"token": "anast", "logprob": -0.1}, {"token": "asia@petrova-mail"}, {"token": ".org"}]
    with Vault.open(tmp_path / "v") as vault:
        chat = vault.transcript("u", "s")
        part = {"type": "output_text", "text": "anastasia@petrova-mail.org", "logprobs": tokens}
        found = chat.append(Message("assistant", [part], {}, {"logprobs": {"content": tokens}}))
        assert found.content == [{"type": "output_text", "text": "<EMAIL_ADDRESS_1>", "logprobs": []}]
        assert found.extra == {"logprobs": None}
        kept = chat.append(
            Message("assistant", [{"type": "output_text", "text": "Yes", "logprobs": tokens[:1]}])
        )
        assert kept.content == [{"type": "output_text", "text": "Yes", "logprobs": tokens[:1]}]
