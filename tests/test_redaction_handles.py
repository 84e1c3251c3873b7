"""User names that are plain words: only what stands around them says that somebody goes by them."""

from __future__ import annotations

import pytest

from vault.redaction.engine import Engine


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


@pytest.mark.parametrize("name", ["penguin", "lampshade", "candlewick"])
@pytest.mark.parametrize(
    "text",
    [
        "my roblox user is {}",
        "my steam id is {}, add me",
        "her insta handle: {}",
        "find me as {} on snapchat",
        "username {}: locked",
        "username {} -> disabled",
        "identifiant {} : bloqué",
        "mi usuario es {}, bloqueado",
        "you can add me under {} on discord!",
        "How to reach me:\nInsta: {}\nTikTok: {}",
        "My socials:\n- kik: someone_else7\n- twitch: {}",
    ],
)
def test_a_plain_word_that_somebody_goes_by_is_found(engine: Engine, text: str, name: str) -> None:
    assert name not in engine.redact_text(text.replace("{}", name)).text


@pytest.mark.parametrize(
    "text",
    [
        "my steam name is taken",
        "my xbox tag is missing",
        "add me as friend on snapchat",
        "add me as admin on discord",
        "Twitter: unavailable",
        "GitHub: private",
        "- instagram: reels\n- tiktok: videos",
        "Discord: offline\nSteam: updating",
        "Where we advertise:\n- Instagram: cartoons\n- Twitter: giveaways",
        "my discord handle is the same everywhere",
        "username field: locked, username validation: active",
        "user session: expired, user account: locked",
        "el usuario final no entiende nada, un usuario nuevo tampoco",
        "usuario o contraseña incorrectos",
        "usuário inválido, o usuário comum não vê o botão",
        "mot de passe ou identifiant incorrect",
        "Benutzername oder Passwort falsch, der Benutzername ist vergeben",
    ],
)
def test_what_only_says_how_an_account_is_stays(engine: Engine, text: str) -> None:
    assert engine.redact_text(text).text == text
