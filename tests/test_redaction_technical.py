"""Words of machines beside words for secrets: algorithms, products, files, images, ids of records."""

from __future__ import annotations

import time

import pytest

from vault.redaction.engine import Engine
from vault.redaction.technical import is_a_record, is_mentioned, is_technical


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


@pytest.mark.parametrize(
    "text",
    [
        "Should I hash passwords with argon2id or pbkdf2?",
        "How secure is a password with md5 vs sha256?",
        "password hash: sha-256 vs bcrypt?",
        "Which hashing should I use for passwords: bcrypt, scrypt or argon2id?",
        "password: bcrypt or argon2id?",
        "Ist ein Passwort mit SHA-256 sicher genug?",
        "¿La contraseña con SHA256 es segura?",
        "Faut-il hacher le mot de passe avec argon2id ou pbkdf2 ?",
        "Devo guardar a senha com argon2id ou sha512?",
        "Login via OAuth2 works but login with SAML2.0 fails.",
        "Is the secret in TLS1.3 derived with HKDF-SHA256?",
        "wifi with WPA3-Personal",
        "wifi with WPA2-PSK and AES-256",
        "vim -x encrypts with password using blowfish2",
    ],
)
def test_an_algorithm_or_a_protocol_is_no_secret(engine: Engine, text: str) -> None:
    assert engine.redact_text(text).text == text


@pytest.mark.parametrize(
    "text",
    [
        "SSH login on Ubuntu-22.04 is slow",
        "Our login screen uses React-18 and TypeScript-5.4",
        "Reset password for Windows-11?",
        "Passwort zurücksetzen unter Windows-11?",
        "Restablecer contraseña en Windows-11",
        "Réinitialiser le mot de passe sur Windows-11",
        "Redefinir a senha no Windows-11",
        "The token limit is 128k, GPT-4o costs $2.50/1M tokens",
        "wifi on my Fritz!Box 7590 is slow",
        "Login: 3 attempts/5min; password: 90-day rotation.",
        "Login took 2.31s on Chrome/124",
        "the login page in Firefox-115 is broken",
    ],
)
def test_a_product_and_its_version_are_no_secret_where_nothing_says_so(engine: Engine, text: str) -> None:
    assert engine.redact_text(text).text == text


@pytest.mark.parametrize(
    "text",
    [
        "docker run --rm -v $PWD:/src -w /src golang:1.22 go build ./...",
        "docker login, then docker pull python:3.12",
        "kubectl create secret generic db --from-file=password.txt",
        "kubectl create secret docker-registry regcred --docker-server=ghcr.io",
        "podman run --secret db_pass,type=env",
        "find / -name x | xargs grep -l password 2>/dev/null",
        "cat /etc/passwd 2>/dev/null",
        'level=warn msg="bad credentials" ua="Mozilla/5.0" path=/x',
        '"POST /login HTTP/1.1" 200 145 "-" "python-requests/2.31.0"',
        '"POST /login HTTP/1.1" 200 145 "-" "Mozilla/5.0"',
        '"GET /token HTTP/1.1" 200 145 "-" "kube-probe/1.29"',
        "here is the token card: BEGIN:VCARD VERSION:3.0",
    ],
)
def test_options_files_images_and_programs_are_no_secrets(engine: Engine, text: str) -> None:
    assert engine.redact_text(text).text == text


@pytest.mark.parametrize(
    "text",
    [
        "PWD=/srv/app2",
        "sudo: deploy : TTY=pts/0 ; PWD=/var/www ; USER=root ; COMMAND=/bin/ls",
        "PWD=/app node index.js",
        "docker run -v $PWD:/work alpine:3.19 ls",
    ],
)
def test_the_folder_where_one_is_is_no_password(engine: Engine, text: str) -> None:
    assert engine.redact_text(text).text == text


def test_whose_folder_it_is_is_found(engine: Engine) -> None:
    text = engine.redact_text(
        "sudo: user NOT in sudoers ; TTY=pts/2 ; PWD=/home/ettore ; COMMAND=/bin/rm"
    ).text
    assert "ettore" not in text
    assert "PWD=/home/" in text


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("my password is Windows-11", "Windows-11"),
        ("login: Ubuntu-22.04", "Ubuntu-22.04"),
        ("the printer password again, its Bazinga-4471 btw", "Bazinga-4471"),
        ("character of your password\nMe: its Wombat-1975 so m", "Wombat-1975"),
        ("pass is same on both (leekSoup-2020), he says", "leekSoup-2020"),
        ("asks for a passphrase, I have quietgeese/41 saved", "quietgeese/41"),
        ("changed the wifi password to Tiger-77", "Tiger-77"),
        ("habe das Passwort auf Tiger-77 geändert", "Tiger-77"),
        ("cambié la contraseña a Tiger-77", "Tiger-77"),
        ("login on Ubuntu-22.04 with Kestrel!77", "Kestrel!77"),
        ("my login's tulipan_rosso, been with you", "tulipan_rosso"),
        ("PWD=Kestrel77 ./run", "Kestrel77"),
        ('curl --user-agent "curl/8.5.0" --password hunter2x', "hunter2x"),
        ("password: sha256rocks!", "sha256rocks!"),
        ('pw:"pbkdf2$260000$q8Kz$7dPqL"', "pbkdf2$260000$q8Kz$7dPqL"),
    ],
)
def test_what_is_told_to_be_a_secret_is_one_whatever_it_looks_like(
    engine: Engine, text: str, secret: str
) -> None:
    assert secret not in engine.redact_text(text).text


def test_what_a_server_answers_is_no_pin(engine: Engine) -> None:
    for text in ("I send this token and it says 401: unauthorized", "this token gives 403. why"):
        assert engine.redact_text(text).text == text
    assert "4821" not in engine.redact_text("the token on my phone says 4821").text


@pytest.mark.parametrize(
    "text",
    [
        '{"id": "evt_1NG8Du2eZvKYlo2CUI79vXWy", "type": "charge.succeeded"}',
        '{"id": "pi_3MtwBwLkdIwHu7ix28a3tqPa", "object": "payment_intent"}',
        "stripe event evt_1NG8Du2eZvKYlo2CUI79vXWy failed for sub_1MowQVLkdIwHu7ixeRlqHVzs",
        "ch_3MmlLrLkdIwHu7ix0snN0B15 was refunded",
        "run_abc123XYZ456def is stuck, see msg_abc123XYZ456def789",
    ],
)
def test_the_id_of_a_record_is_no_secret(engine: Engine, text: str) -> None:
    assert engine.redact_text(text).text == text


@pytest.mark.parametrize(
    "text",
    [
        "kind: Secret\ntype: Opaque",
        "apiVersion: v1\nkind: Secret\ntype: Opaque",
        "INFO o.s.b.w.embedded.tomcat.TomcatWebServer - started on port 8080",
    ],
)
def test_a_type_and_a_logger_are_nobody(engine: Engine, text: str) -> None:
    assert engine.redact_text(text).text == text


def test_a_logger_is_nobody_where_only_a_part_of_it_looks_like_a_user(engine: Engine) -> None:
    text = (
        "12:00:01,233 INFO  [main] o.s.b.w.embedded.tomcat.TomcatWebServer - Tomcat started on port 8080\n"
        "12:00:01,240 INFO  [main] com.acme.Application - Started Application in 3.456 seconds\n"
        "12:00:05,871 WARN  [exec-1] c.zaxxer.hikari.pool.HikariPool - Connection is not available"
    )
    assert engine.redact_text(text).text == text


def test_words_are_judged_in_linear_time() -> None:
    def lasts(value: str) -> float:
        began = time.perf_counter()
        for judge in (is_technical, is_mentioned, is_a_record):
            judge(value)
        return time.perf_counter() - began

    for seed in ("hmac_a", "a_", "a-", "a.", "a/", "sha256/", "x:1", "aes-a1", "evt_a"):
        assert lasts(seed * 20_000 + "!") < 1.0, seed


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Message-ID: <20240611081530.77c1@relay2>", "20240611081530.77c1@relay2"),
        ("Message-ID: <20251014091244.7A3F1@mail.telford.com>", "<20251014091244.7A3F1@mail.telford.com>"),
        (
            "From: a\nReferences: <CA+xk29fQz1@mail.gmail.com>\n <4F2A1C0.90@mx.kellerwald.de>\n",
            "<CA+xk29fQz1@mail.gmail.com>\n <4F2A1C0.90@mx.kellerwald.de>",
        ),
        ("The garage door is 2125 x 2400, too small", "2125 x 2400"),
        ("sshd login pin=8046\ncrond[1832]: session opened", "crond[1832]: session opened"),
        ("the slot is booked, centre code 0417", "centre code 0417"),
        ("Agent: Are you in a safe place?\nCaller: Yes, behind the barrier", "Caller: Yes, behind"),
        ("Call dropped. Are you in a safe place?\nMe: nope, still on the road", "Me: nope, still"),
    ],
)
def test_ids_of_mail_measures_processes_and_answers_are_no_secrets(
    engine: Engine, text: str, left: str
) -> None:
    assert left in engine.redact_text(text).text


@pytest.mark.parametrize(
    "text",
    [
        "i'm one of those who never cook",
        "Is the SSN 000-00-0000 ever given to anybody?",
        "what does a CPF look like? 000.000.000-00 with a check digit?",
        "Depot: DE0007164600 and US0378331005, both since May",
        '{"resolvers": ["2606:4700:4700::1111", "2620:fe::fe"]}',
        "The car seat is order (#HD-30517), not here yet",
        'transaction SU01, profile SAP_NEW. User type "Dialog" or "System"?',
        "i can't pick a username either",
        "my form shows username as the placeholder, why?",
    ],
)
def test_what_stands_for_nobody_stays(engine: Engine, text: str) -> None:
    assert engine.redact_text(text).text == text


@pytest.mark.parametrize("text", ["his SSN is 219-09-9999", "server at 2a02:810d:8bc0:5a04::2 is mine"])
def test_what_is_like_it_and_somebodys_is_found(engine: Engine, text: str) -> None:
    assert engine.redact_text(text).text != text
