"""What a network takes for people and births, and the words around it say otherwise."""

from __future__ import annotations

import pytest

from vault.redaction.engine import Engine
from vault.redaction.names.nobody import is_a_locale, is_no_birth, is_no_person, is_no_user
from vault.redaction.names.plausible import plausible


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
CLEAN = [
    "Month,Sales\n" + "".join(f"{name},{10 + at}\n" for at, name in enumerate(MONTHS)),
    "Month\tSales\n" + "".join(f"{name}\t{10 + at}\n" for at, name in enumerate(MONTHS)),
    "| Month | Sales |\n|---|---|\n" + "".join(f"| {name} | {20 + at} |\n" for at, name in enumerate(MONTHS)),
    " ".join(MONTHS),
    str(MONTHS).replace("'", '"'),
    "Average temperature: Jan 3, Feb 4, Mar 8, Apr 12, May 17",
    "Supported locales: en_US, de_DE, fr_FR, it_IT, es_ES, pt_BR, ja_JP, ko_KR, zh_CN, nl_NL, sv_SE, pl_PL",
    '{"locale": "pt_BR"}',
    'for ((i=0; i < COMP_CWORD; i++)); do\n    echo "${COMP_WORDS[i]}"\ndone',
    "Mark this as read",
    "Sue them!",
    "Chase the dog away",
    "may I ask something",
    "Will you marry me",
    "Thanks Claude!",
    "Claude, write a poem",
    "ask Siri",
    "Jenkins failed",
    "GRANT SELECT ON t TO app;",
    "Luke 15:11-32",
    "Apaga la luz de la cocina a las diez.",
    "Enciende la luz del salón",
    "Allume la télé",
    "Liga a luz da sala",
    "soy nuevo aquí",
    "sha256=zuuue4knoyJ-UwPPXg8fezS7VCrXJQrAP7zeNuwvFQg",
]


@pytest.mark.wide
@pytest.mark.parametrize("text", CLEAN)
def test_what_is_nobodys_stays(engine: Engine, text: str) -> None:
    assert engine.redact_text(text).text == text


@pytest.mark.parametrize("month", MONTHS)
def test_the_day_on_which_something_was_said_or_ordered_stays(engine: Engine, month: str) -> None:
    said = engine.redact_text(
        f"On Mon, {month} 4, 2024 at 10:22 AM Peter Novak <peter@corp.com> wrote:\n> hi"
    ).text
    assert said.startswith(f"On Mon, {month} 4, 2024 at 10:22 AM <PERSON_1> <")
    text = f"I'm Laura Chen, I ordered on {month} 4 and it hasn't arrived by {month} 19."
    assert engine.redact_text(text).text == text.replace("Laura Chen", "<PERSON_1>")


@pytest.mark.parametrize(
    "text",
    [
        "my birthday is on Mar 5",
        "born Mar 5 1988",
        "DOB: 03/05",
        "geb. 5. März",
        "Ana Lopez, 12.03.1985, Madrid",
    ],
)
def test_births_are_found_as_before(engine: Engine, text: str) -> None:
    assert "DATE_OF_BIRTH" in {one.entity for one in engine.find(text)}


@pytest.mark.parametrize(
    ("value", "before", "after", "is_none"),
    [
        ("Feb", "", "", True),
        ("April", "since ", "", True),
        ("April", "ask ", " about it", False),
        ("May", "", ",22", True),
        ("June", "", " said so", False),
        ("Monday", "", "", False),
        ("Mark", "", " this as read", True),
        ("Mark", "", " said so", False),
        ("Mark", "ask ", " this", False),
        ("Sue Miller", "", " them", False),
        ("Claude", "my friend ", " called", False),
        ("Claude", "hi ", ", my boss", True),
        ("luz", "enciende la ", "", True),
        ("Luz", "pregunta a ", "", False),
        ("May", "", " I", True),
        ("Luke", "see ", " 10:30", False),
    ],
)
def test_words_of_the_calendar_and_verbs(value: str, before: str, after: str, *, is_none: bool) -> None:
    assert is_no_person(value, before, after) is is_none


def test_a_day_without_a_year_is_a_birth_only_where_a_birth_is_spoken_of() -> None:
    assert is_no_birth("Jan 19", "it has not come by Jan 19", "", 0.3)
    assert not is_no_birth("Jan 19", "his birthday is Jan 19", "", 0.3)
    assert not is_no_birth("19 Jan 1980", "it has not come by", "", 0.3)
    assert not is_no_birth("Jan 19", "it has not come by Jan 19", "", 0.9)
    assert is_no_birth("Dec 4, 2024", "on Mon, Dec 4, 2024 at 10:22 AM", " at 10:22 AM", 0.9)


def test_constants_calls_and_locales_are_no_users() -> None:
    assert is_no_user("COMP_CWORD", "", "")
    assert is_no_user("AutoTokenizer", "", ".from_pretrained(x)")
    assert not is_no_user("dark_lord", "", " said")
    assert not is_no_user("john.doe", "", "(at)example.com")
    assert is_no_user("_compat", "click/", ".py,sha256=")
    assert not is_no_user("jdoe", "github.com/", ". Bye")
    assert is_a_locale("pt_BR")
    assert not is_a_locale("jo_Anna")


@pytest.mark.parametrize(
    "text",
    [
        "I'm learning Julia and Ruby after Haskell; also Ada and Pascal",
        "Is Julia or Python better for plots?",
        'ssh-keygen -t ed25519 -C "your_email@example.com"',
        "In the tutorial they use john.doe@example.com as the sender.",
        'Is "21 Jump Street" funnier than "22 Jump Street"?',
        "10 Cloverfield Lane and 221B Baker Street, which films are set there?",
    ],
)
def test_languages_examples_and_films_are_nobody(engine: Engine, text: str) -> None:
    assert engine.redact_text(text).text == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Julia writes Python and Tom does not", "Julia"),
        ("write to anna.webb@example.com please", "anna.webb"),
        ("I live at 23 Jump Street, Leeds", "23 Jump Street"),
    ],
)
def test_what_is_like_them_is_found(engine: Engine, text: str, value: str) -> None:
    assert value not in engine.redact_text(text).text


def test_the_name_of_a_user_ends_with_its_sentence(engine: Engine) -> None:
    text = "connected as admin_ngozi. Ngozi don travel"
    assert "admin_ngozi" in {text[one.start : one.end] for one in engine.find(text)}
    assert "Ngozi" not in engine.redact_text(text).text


def test_a_number_below_another_heading_is_not_read_by_it(engine: Engine) -> None:
    text = "| Emp | Name | Dept | ID | Start |\n| 104231 | x | IT | none | soon |"
    assert engine.redact_text(text).text == text
    text = "| ID | Name |\n| 104231 | x |"
    assert "104231" not in engine.redact_text(text).text
    text = "| ID | 104231 |"
    assert "104231" not in engine.redact_text(text).text


@pytest.mark.wide
def test_a_value_takes_no_rule_of_a_table_with_it(engine: Engine) -> None:
    text = (
        "can you sort this by start date?\n\n| Emp | Name | Dept | SSN | Start |\n"
        "| 1042377 | Anna Webb | IT | 536-22-8871 | 2020-01-01 |\n"
        "| 1042477 | Tom Reed | HR | 536-22-8872 | 2021-01-01 |"
    )
    assert engine.redact_text(text).text.count("|") == text.count("|")


@pytest.mark.parametrize(
    "text",
    [
        "4821 doesn't work",
        "4821 n'est pas bon",
        "K2Cr2O7 in water",
        "select user0_.id as id1_0_, user0_.email as email2_0_ from users user0_ where user0_.email=?",
    ],
)
def test_a_number_a_formula_and_a_column_of_a_program_are_nobody(engine: Engine, text: str) -> None:
    assert engine.find(text) == []


def test_what_a_person_is_called_has_a_letter_and_is_no_formula() -> None:
    assert not any(plausible("PERSON", value) for value in ("4821", "48-21", "Na2SO4", "K2Cr2O7", "H2O"))
    assert all(plausible("PERSON", value) for value in ("Bo", "O", "Ana2", "X Æ A-12", "Li Na", "田中"))
    assert plausible("LICENSE_PLATE", "B12CON")
    assert is_no_user("user0", "", "_.email=?")
    assert not is_no_user("user0_", "my name is ", " there")
    assert not is_no_user("anna12_3", "", " wrote")


@pytest.mark.parametrize(
    "text",
    [
        "late on 3, 9 and 17 October, his DOB is missing",
        "absent on 9 and 17 October; date of birth unknown",
    ],
)
def test_days_in_a_row_are_nobodys_birth(engine: Engine, text: str) -> None:
    assert "DATE_OF_BIRTH" not in {one.entity for one in engine.find(text)}


def test_the_number_of_a_row_is_no_birth(engine: Engine) -> None:
    text = "nr;name;dob\n1;Rewi Paki;1958-04-30\n2;Efua Mensima;1990-12-02"
    births = [text[one.start : one.end] for one in engine.find(text) if one.entity == "DATE_OF_BIRTH"]
    assert births == ["1958-04-30", "1990-12-02"]
    assert is_no_birth("1", "nr;name;dob", ";Rewi Paki", 0.9)
    assert not is_no_birth("1", "my birthday, day", " of May", 0.9)


@pytest.mark.parametrize("text", ["since KB5034441 the user cannot print", "user lost vpn after KB5034441"])
def test_an_update_of_a_system_is_no_id(engine: Engine, text: str) -> None:
    assert engine.redact_text(text).text == text


@pytest.mark.parametrize(
    ("verb", "after"),
    [
        ("mejora", " el texto"),
        ("redacta", " una carta"),
        ("reformule", " mon mail"),
        ("rédige", " un mail"),
        ("reescreve", " o email"),
        ("melhora", " meu texto"),
        ("formuliere", " eine Antwort"),
        ("correggi", " il testo"),
        ("scrivi", " la lettera"),
        ("herschrijf", " de mail"),
        ("maak", " een tabel"),
    ],
)
def test_what_one_is_told_to_do_is_nobody(verb: str, after: str) -> None:
    for before in ("", "it is done. ", "two faults\n", "the list, "):
        assert is_no_person(verb, before, after)
    assert not is_no_person(verb.title(), "my friend ", after)


@pytest.mark.wide
@pytest.mark.parametrize(
    "text",
    [
        "j'habite ici il y a 3 ans",
        "moro aqui há 3 anos",
        "vivo qui da 3 anni",
        "è successo 7 anni fa",
        "dat was 7 jaar geleden",
        "mi perro tiene 9 años",
        "il mio cane Argo ha 9 anni",
    ],
)
def test_years_since_something_and_those_of_a_beast_are_nobodys_age(engine: Engine, text: str) -> None:
    assert "AGE" not in {one.entity for one in engine.find(text)}


@pytest.mark.parametrize(
    "text", ["mia zia ha 38 anni", "mi hija tiene 9 años", "my son is called Ben, he's 4"]
)
def test_years_of_somebody_are_found(engine: Engine, text: str) -> None:
    assert "AGE" in {one.entity for one in engine.find(text)}


@pytest.mark.parametrize(
    "text",
    [
        "de buurvrouw en de leraar nemen niet op, mijn huisbaas zegt nee",
        "die ärztin und der elektriker waren da, mein anwalt sagt nein",
        "o vizinho e a enfermeira não respondem, a câmara também não",
        "il cugino e la portinaia, il mio idraulico dice di no",
        "le mari de la voisine, la mairie ne répond pas",
        "el sobrino no responde, el amigo tampoco",
    ],
)
def test_what_people_are_to_each_other_is_no_name(engine: Engine, text: str) -> None:
    assert engine.redact_text(text).text == text


@pytest.mark.parametrize("name", ["mari", "tia", "mann"])
def test_what_is_a_name_too_is_one_without_an_article(name: str) -> None:
    assert is_no_person(name, "c'est mon ", " qui dit")
    assert not is_no_person(name, "hi i'm ", " from leeds")
    assert not is_no_person(name.title(), "mon ", " qui dit")
    assert not is_no_person(f"{name} quispe", "la ", " dice")


def test_an_aunt_whose_name_follows_is_somebody() -> None:
    assert not is_no_person("tante", "list:\n", " Solange;oui")
    assert is_no_person("tante", "my list:\n", " meint")


@pytest.mark.parametrize(
    "word",
    [
        "felicitación",
        "decision",
        "reclamações",
        "universidad",
        "wohnung",
        "krankheit",
        "situazione",
        "station",
    ],
)
def test_what_is_done_and_how_it_is_are_nobody(word: str) -> None:
    assert is_no_person(word, "una ", " para")
    assert not is_no_person(word.title(), "una ", " para")


@pytest.mark.parametrize(
    "name", ["concepción", "concepcion", "encarnación", "asuncion", "trinidad", "cheung", "siôn", "natividad"]
)
def test_people_whose_names_end_like_that_are_somebody(name: str) -> None:
    assert not is_no_person(name, "soy ", " de")
