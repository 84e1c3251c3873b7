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
        "mijn gebruikersnaam is {} en ik kan er niet in",
        "gebruikersnaam {}, inloggen lukt niet",
        "il mio nome utente è {}",
        "nome utente {}, non entro più",
        "nom d'utilisateur {}, bloqué",
        "anmeldename {}, seit heute gesperrt",
        "inlognaam: {}",
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
        "nom d'utilisateur ou mot de passe incorrect, nom d'utilisateur oublié",
        "Anmeldename vergessen, der Anmeldename ist falsch",
    ],
)
def test_what_only_says_how_an_account_is_stays(engine: Engine, text: str) -> None:
    assert engine.redact_text(text).text == text


@pytest.mark.parametrize(
    "text",
    [
        "gebruiker {} kan niet inloggen",
        "utente {} bloccato da ieri",
        "benutzer {} kommt nicht rein",
    ],
)
def test_a_made_up_name_behind_user_is_found_in_other_languages(engine: Engine, text: str) -> None:
    assert "s.elfassi" not in engine.redact_text(text.replace("{}", "s.elfassi")).text
    assert "gattonero77" not in engine.redact_text(text.replace("{}", "gattonero77")).text


@pytest.mark.parametrize(
    "text",
    [
        "gebruikersnaam of wachtwoord onjuist, gebruikersnaam vergeten, de gebruikersnaam is onbekend",
        "nome utente o password errati, nome utente perso, il nome utente non è valido",
        "elke gebruiker krijgt een mail, de gebruiker moet akkoord geven",
        "ogni utente riceve una mail, l'utente deve accettare",
        "inloggen met een passkey, inloggen als DigiD-gebruiker, die gebruiker bestaat al",
    ],
)
def test_what_is_said_of_a_user_in_other_languages_is_no_user_name(engine: Engine, text: str) -> None:
    assert "USERNAME" not in {one.entity for one in engine.find(text)}
