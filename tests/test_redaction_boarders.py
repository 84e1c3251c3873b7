"""What a set of chat about lodgings showed: ages in words, schools by name, what is nobody, other numbers."""

from __future__ import annotations

import pytest

from vault.redaction.engine import Engine

ENGINE = Engine()


def _found(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in ENGINE.find(text):
        found.setdefault(one.entity, []).append(text[one.start : one.end])
    return found


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("minha filha Ana Vitória de doze anos quer ir num show", "doze anos"),
        ("mi hijo pequeño de doce años no come nada", "doce años"),
        ("ma fille Lou de seize ans sort trop", "seize ans"),
        ("El niño cumplió tres el domingo y ya dice barco", "tres"),
        ("mi nieta cumple siete en mayo", "siete"),
        ("meri beti pihu 6 saal ki hai", "6 saal"),
    ],
)
def test_an_age_in_words_behind_a_child_goes(text: str, age: str) -> None:
    assert age in _found(text).get("AGE", [])


@pytest.mark.parametrize(
    "text",
    [
        "un contrato de doce años con la empresa",
        "mi hijo lleva tres años de servicio",
        "una garantía de dos años",
        "la empresa cumplió tres objetivos el domingo",
    ],
)
def test_a_span_of_years_in_words_stays(text: str) -> None:
    assert "AGE" not in _found(text)


@pytest.mark.parametrize(
    ("text", "school"),
    [
        ("mein sohn wurde an der Geschwister-Scholl-Realschule gemobbt", "Geschwister-Scholl-Realschule"),
        ("meine Tochter geht auf die Anne-Frank-Gesamtschule", "Anne-Frank-Gesamtschule"),
        ("mój syn chodzi do Szkoła Podstawowa nr 7", "Szkoła Podstawowa nr 7"),
        ("mia figlia Ada fa il primo anno al Liceo Peano", "Liceo Peano"),
        ("meri beti sunshine public school me padhti hai", "sunshine public school"),
        ("mi hija Ana va al Colegio San Viator", "Colegio San Viator"),
    ],
)
def test_the_school_that_a_child_goes_to_goes(text: str, school: str) -> None:
    redacted = ENGINE.redact_text(text).text
    assert not any(part in redacted for part in school.split() if len(part) > 3), redacted


@pytest.mark.parametrize(
    "text",
    [
        "was ist der unterschied zwischen realschule und gesamtschule",
        "how do i apply to a public school in ohio",
        "che differenza c'è tra liceo classico e liceo scientifico",
        "what is a public school in england",
    ],
)
def test_kinds_of_schools_stay(text: str) -> None:
    assert ENGINE.redact_text(text).text == text


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("plate of the white van that clipped me SN21 KVL driver", "clipped me <"),
        ("A minha mãe, utente n.º 314 882 097, foi operada", "utente n.º <"),
        ("how do password managers store passwords, is bitwarden or 1password better", "1password"),
        ("IMO 9811000, which ship got stuck in the Suez canal in 2021", "IMO 9811000"),
        ("Feb 11 07:15:02 cron: job started pid=2217 user=torunn", "pid=2217"),
        (
            "curl -u orla:gr33nBus!9 https://api.example.com/v1/stops?limit=5",
            "https://api.example.com/v1/stops",
        ),
    ],
)
def test_words_beside_a_value_stay(text: str, kept: str) -> None:
    assert kept in ENGINE.redact_text(text).text


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Rosuvastatin 10 mg ou Amitriptyline le soir, ma mère Odile prend quoi", "Amitriptyline"),
        ("minha avó Iracema toma Metformina e Ramipril", "Ramipril"),
        ("ring dvla about my brother Osian, he lost his card", "dvla"),
        ("o inss negou o pedido da minha tia Zuleide", "inss"),
        ("Poštovani, moj sin Dragan je bolestan", "Poštovani"),
        ("ask maricarmen la de recepcion", " la de recepcion"),
        ("mera dost jaspreet hai aur wo delhi me hai", " hai aur"),
        ("meine karte hat ines um acht genommen", " um acht"),
    ],
)
def test_medicines_offices_greetings_and_words_behind_a_name_are_nobody(text: str, kept: str) -> None:
    assert kept in ENGINE.redact_text(text).text


@pytest.mark.parametrize("name", ["April Kowalski", "Avril Mbeki", "Constantin Popa"])
def test_who_is_called_almost_like_a_medicine_goes(name: str) -> None:
    assert name.partition(" ")[0] not in ENGINE.redact_text(f"my neighbour {name} rang again").text


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Seria to mo P6128307B, passport, renew it where", "mo <"),
        ("Widerspruch gegen den Bescheid, Aktenzeichen 22-8841/B, vom 4. März", "22-8841/B"),
    ],
)
def test_small_words_and_the_numbers_of_files_stay(text: str, kept: str) -> None:
    assert kept in ENGINE.redact_text(text).text
