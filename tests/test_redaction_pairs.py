"""User names and passwords in one breath, and passwords that fail or stand in commands: plain words all."""

from __future__ import annotations

import re

import pytest

from vault.redaction.engine import Engine


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


def _left(engine: Engine, marked: str) -> list[str]:
    """Give the values in brackets that are still there."""
    wanted = re.findall(r"\[([^\]]*)\]", marked)
    now = engine.redact_text(marked.replace("[", "").replace("]", "")).text
    return [value for value in wanted if value in now]


@pytest.mark.parametrize(
    "marked",
    [
        "login [fernbottle] password [gooseberry], it only says error",
        "username [otto] password [buttercup] thanks",
        "user: [fernbottle] password: [gooseberry]",
        "user [cellar2] pw [gooseberry] thats the one by the till",
        "my login is [fernbottle] and the password is [gooseberry]",
        "account [fernbottle] password [gooseberry]. still locked out",
        "email [nell@quayside-mail.org] password [gooseberry]",
        "[nell@quayside-mail.org] pw [gooseberry]",
        "usuario [fernandita] contraseña [almendra] y no entra",
        "mon identifiant est [fernande] et le mot de passe [noisette]",
        "benutzername [fernhild] passwort [stachelbeere], geht nicht",
        "log in as [fernbottle] / [gooseberry] and look at the rota",
        "credentials for staging: [fernbottle] / [gooseberry]",
        "pass porridge77, user [lampshade], cant get in",
        "the password is porridge77, user is [lampshade]",
        "wachtwoord havermout77 gebruiker [lampion], werkt niet",
        "passwort vom nas ist haferbrei77 benutzer [kellerlampe], geht nicht",
        "id [4471-kd] pass [gooseberry] for the rota site",
        "hulu login [nell@quayside-mail.org], [mosslantern]",
        "netflix: [nell@quayside-mail.org] [mosslantern]",
    ],
)
def test_a_user_and_a_password_go_together(engine: Engine, marked: str) -> None:
    assert _left(engine, marked) == []


@pytest.mark.parametrize(
    "marked",
    [
        "my password isn't working its [gooseberry]",
        "the portal password is not accepted, it's [gooseberry], i checked twice",
        "forgot my password, i think it was [gooseberry]",
        "password? its [gooseberry]",
        "the wifi password doesnt work i typed [gooseberry] and nothing",
        "my password is [butterfly]",
        "the wifi password is [pudding]",
        "le mot de passe c'est [noisette]",
        "j'ai oublié mon mot de passe, je crois que c'est [noisette]",
        "passwort vergessen, ich glaube es war [stachelbeere]",
        "esqueci a senha, acho que era [groselha]",
        "WiFi name Seaview, code [mosslantern]",
        "wifi: Seaview / [mosslantern]",
        "the answer to the security question is [gooseberry]",
        "the kids tablet unlocks with [112358]",
    ],
)
def test_a_password_is_told_where_it_fails(engine: Engine, marked: str) -> None:
    assert _left(engine, marked) == []


@pytest.mark.parametrize(
    "marked",
    [
        "docker run -e POSTGRES_PASSWORD=[gooseberry] -p 5432:5432 postgres:16\nit stops at once",
        "podman run --env MARIADB_ROOT_PASSWORD=[gooseberry] mariadb",
        "```dockerfile\nENV ADMIN_PASS=[gooseberry]\nEXPOSE 80\n```",
        "vault-tool login --user amelie --password [gooseberry]",
        "./export --db-password [gooseberry] --out /tmp/a",
    ],
)
def test_a_password_of_a_command_may_be_a_word(engine: Engine, marked: str) -> None:
    assert _left(engine, marked) == []


@pytest.mark.parametrize(
    "text",
    [
        "user forgot password again",
        "with password v2, user accounts are safe",
        "username and password required",
        "login page password field is missing",
        "the user enters the password twice",
        "account manager password reset",
        "user password policy and login password prompt",
        "email address password reset link",
        "id card pass for the pool",
        "the user id pass through the proxy",
        "log in as teacher / student",
        "sign in with google / facebook",
        "login with username / email",
        "my password isn't working, it's annoying",
        "the password is wrong and it's monday",
        "password not accepted, i put capitals and numbers",
        "password? it's required",
        "my password is expiring",
        "le mot de passe c'est quoi",
        "docker run -e POSTGRES_PASSWORD=mysecretpassword postgres",
        "docker run -e MYSQL_PASSWORD=changeme -d mysql",
        "the answer to the security question is wrong",
        "wifi: free / paid",
        "wifi calling, key features",
        "my phone opens 4000 files",
        "the --password option is deprecated",
        "use the --password flag",
        "myprog --user USER --password PASSWORD",
    ],
)
def test_what_tells_of_passwords_in_general_stays(engine: Engine, text: str) -> None:
    assert engine.redact_text(text).text == text
