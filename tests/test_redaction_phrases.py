"""Passwords of several words, and what only says what a password must be."""

from __future__ import annotations

import pytest
from timing import quickest

from vault.redaction.engine import Engine
from vault.redaction.finder import Patterns

_SEED = "velvet ozone pigeon harbor math unfold crisp salad donkey lunar excite brave"


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


@pytest.mark.parametrize("phrase", ["gr33n tea leaves", "correct horse battery", "blueberry pie with cream"])
@pytest.mark.parametrize(
    "text",
    [
        'DB_PASSWORD="{}"',
        "SMTP_PASS='{}'",
        "MAIL_PASS={}\nPORT=587",
        "mysqldump --password='{}' shop",
        '```python\nconn = connect(host="db", password="{}")\n```',
        '{{"user": "dora", "password": "{}"}}',
        '<login user="dora" password="{}"/>',
        "<config><password>{}</password></config>",
        "user,password\ndora,{}\nomar,x7",
        'my password is "{}", is that good?',
        'mi contraseña es "{}"',
        "Mein Passwort lautet '{}'",
        'mon mot de passe : "{}"',
        "a senha é '{}'",
        'machine mail.acme.io login dora password "{}"',
    ],
)
def test_a_password_of_several_words_is_found_to_its_end(engine: Engine, text: str, phrase: str) -> None:
    now = engine.redact_text(text.format(phrase)).text
    assert not any(word in now for word in phrase.split() if word != "with")


@pytest.mark.parametrize(
    "text",
    [
        '{"errors": {"password": "must be at least 8 characters"}}',
        '{"password": "Enter your password", "submit": "Log in"}',
        '{"password": "Mot de passe oublié ?"}',
        '{"password": "debe tener ocho caracteres"}',
        'password: "must contain a digit"',
        "password: please reset it",
        'throw new Error("password " + "is too short")',
        'const rules = { password: "required | min 8" };',
        "the password must have one capital letter, an exclamation mark and no spaces",
        "my password is missing a capital letter",
        "we seed the data with random values before each run and then check that nothing is left",
    ],
)
def test_what_says_how_a_password_must_be_stays(engine: Engine, text: str) -> None:
    assert engine.redact_text(text).text == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "the password for the router is sunflower capital K forty two exclamation mark no spaces",
            "sunflower capital forty exclamation",
        ),
        ("my wifi password is tiger underscore seven seven capital B", "tiger underscore seven capital"),
        (
            "la contraseña es girasol K mayúscula cuarenta y dos signo de exclamación",
            "girasol cuarenta exclamación",
        ),
        ("das Passwort ist sonnenblume großes K zweiundvierzig Ausrufezeichen", "sonnenblume Ausrufezeichen"),
        ("le mot de passe est tournesol K majuscule point d'exclamation", "tournesol majuscule exclamation"),
        ("a senha é girassol K maiúsculo ponto de exclamação sem espaços", "girassol exclamação"),
        (f"the seed on the paper goes {_SEED} but it says", _SEED),
        ("use the app password hkqz wnvb tsoy pdle for the mailer", "hkqz wnvb tsoy pdle"),
    ],
)
def test_a_secret_that_is_said_word_by_word_is_found(engine: Engine, text: str, words: str) -> None:
    now = engine.redact_text(text).text
    assert not [word for word in words.split() if word in now]


@pytest.mark.parametrize(
    ("text", "now"),
    [
        ("my password : plum!crumble77 and then it hangs", "my password : <SECRET_1> and then it hangs"),
        ("mot de passe : plum!crumble77 et puis rien", "mot de passe : <SECRET_1> et puis rien"),
        ("login password: plum!crumble77 user: dora_x", "login password: <SECRET_1> user: <USERNAME_1>"),
        ("email password: the plum is tall", "email password: <SECRET_1>"),
    ],
)
def test_a_sentence_behind_a_strong_password_is_no_part_of_it(engine: Engine, text: str, now: str) -> None:
    assert engine.redact_text(text).text == now


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Security question: name of first pet? Answer: Momo", "Momo"),
        ("Sicherheitsfrage: Lieblingslehrer, Antwort: Huber", "Huber"),
        ("question secrète : animal de compagnie ? réponse : Caramel", "Caramel"),
        ("pergunta secreta: nome da escola, resposta: Monteiro Lobato", "Monteiro Lobato"),
        ("my first pet Momo and so on, these are my security questions", "Momo"),
        ("Security questions:\n1. First pet: Biscuit\n2. First car: Saxo", "Biscuit"),
    ],
)
def test_the_answer_to_a_security_question_is_found(engine: Engine, text: str, answer: str) -> None:
    assert answer not in engine.redact_text(text).text


@pytest.mark.parametrize(
    "text",
    [
        'are security questions like "first pet" or "mother\'s maiden name" still ok?',
        "which security question is the weakest: first pet, favorite teacher, street you grew up on?",
        "The security question field (pet name) is required, the secret answer was rejected.",
        "add a security question dropdown: pet, school, maiden name, favourite food",
        "my first pet was a hamster, what should the next one be",
    ],
)
def test_a_security_question_that_nobody_answers_stays(engine: Engine, text: str) -> None:
    assert engine.redact_text(text).text == text


@pytest.mark.wide
@pytest.mark.parametrize("said", ["first pet ", "pet: a ", "school answer ", "maiden name a b "])
def test_security_questions_take_linear_time(said: str) -> None:
    patterns, text = Patterns(), "security question " + said * 10_000
    patterns.find("security question")
    assert quickest(lambda: patterns.find(text), 2) < 4
