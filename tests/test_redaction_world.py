"""What everybody knows stays: public figures, brands, questions about the world. Private people go."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vault.redaction.engine import Engine
from vault.redaction.findings import Finding, Ground
from vault.redaction.learning import lists
from vault.redaction.names import Names, model
from vault.redaction.settings import Redaction
from vault.redaction.worldly import is_worldly


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


def named(text: str, *names: str, entity: str = "PERSON", score: float = 0.5) -> list[Finding]:
    return [
        Finding(entity, text.index(name), text.index(name) + len(name), score, "names", Ground.MODEL)
        for name in names
    ]


@pytest.mark.parametrize(
    "text",
    [
        "tell me a joke about Kevin Costner",
        "my teacher says that Rudolf Virchow was wrong about cells",
        "i love Miriam Makeba, play me something like her",
        "my favourite song by Cesária Évora is Sodade",
        "which of her films did Pedro Almodóvar make with Penélope Cruz?",
        "was Fanny Blankers-Koen faster than Wilma Rudolph over 200 metres",
    ],
)
def test_whom_everybody_knows_by_this_very_name_stays(engine: Engine, text: str) -> None:
    assert engine.redact_text(text).text == text


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("hi, this is Lauren James from flat 4, my tap leaks again, when can you come?", "Lauren James"),
        ("my landlord Philip Johnson keeps my deposit, what can i do", "Philip Johnson"),
        ("Please tell Aaron Hernandez in payroll that my hours of last week are missing", "Aaron Hernandez"),
    ],
)
def test_who_only_has_the_name_of_somebody_famous_goes(engine: Engine, text: str, name: str) -> None:
    assert name not in engine.redact_text(text).text


def test_a_denied_name_goes_however_famous() -> None:
    engine = Engine(Redaction.of({"deny": ["Miriam Makeba"]}))
    assert "Makeba" not in engine.redact_text("i love Miriam Makeba, play me something like her").text


def test_in_high_recall_nobody_is_too_famous() -> None:
    text = "did Ignaz Semmelweis ever meet Rudolf Virchow?"
    names = Names("high-recall")
    names.thresholds, names.look = np.zeros_like(names.thresholds), np.float32(-np.inf)
    famous = [one for one in names.find(text) if "Semmelweis" in text[one.start : one.end]]
    assert famous


def test_as_many_are_known_by_their_names_as_readme_says() -> None:
    famous = model.loaded().table.famous
    assert len(famous) >= 19_000
    assert {"kevin costner", "miriam makeba", "sherlock holmes"} <= famous


def test_one_word_is_famous_only_where_it_names_nobody_else(tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "figures.txt").write_text("Kevin Costner, Voltaire,\nRosa, Jean-Luc Picard\n")
    (tmp_path / "lists" / "brands.txt").write_text("Opel Astra, klarna, Paris, Apple\n")
    (tmp_path / "lists" / "kin.txt").write_text("great aunt\n")
    kinds = {"rosa": lists.FIRST, "paris": lists.CITY, "apple": lists.COMMON, "costner": lists.PUBLIC}
    assert lists.famous(tmp_path, kinds) == {
        "kevin costner",
        "voltaire",
        "jean luc picard",
        "opel astra",
        "klarna",
    }


def judged(verdict: float) -> Callable[[str], float]:
    return lambda _text: verdict


PUBLIC = judged(-5)


def test_a_doubted_name_in_a_question_about_the_world_is_nobodys() -> None:
    text = "where did the surname Featherstone rank in the census of 1881?"
    assert is_worldly(text, named(text, "Featherstone"), PUBLIC)
    assert not is_worldly(text, named(text, "Featherstone", score=0.95), PUBLIC)


@pytest.mark.parametrize(
    "text",
    [
        "did my friend Featherstone call about the boiler on Monday?",
        "when does our neighbour Featherstone come back from the clinic?",
        "Featherstone drops the parcels off behind the shed after lunch",
        "who is Featherstone?",
    ],
)
def test_a_doubted_name_stays_a_name_beside_any_word_of_a_life(text: str) -> None:
    assert not is_worldly(text, named(text, "Featherstone"), PUBLIC)


def test_what_a_pattern_proves_is_never_of_the_world() -> None:
    text = "which bank has the number 4111 1111 1111 1111 as its example?"
    [proven] = named(text, "4111 1111 1111 1111", entity="CREDIT_CARD")
    proven = Finding("CREDIT_CARD", proven.start, proven.end, 0.5, "cards", Ground.CHECKSUM)
    assert not is_worldly(text, [proven], PUBLIC)


@pytest.mark.parametrize(
    "text",
    [
        "What are the best books about Alexander the Great, who died at 32?",
        "is it true that Mozart wrote his first symphony when he was eight",
        "Was Napoleon really born on 15 August 1769 or did he change it to be French?",
        "Did Shakespeare really die on his birthday, 23 April?",
        "is a 1982 bordeaux that's now over 40 years old still drinkable or is it vinegar",
        "Does the British Museum still use Great Russell Street, London WC1B 3DG as the group entrance?",
    ],
)
def test_ages_births_and_addresses_that_all_the_world_knows_stay(engine: Engine, text: str) -> None:
    assert engine.redact_text(text).text == text


@pytest.mark.parametrize(
    "text",
    [
        "Recommend a skincare routine. Age: 49. Skin: dry, rosacea. Budget: low",
        "I was born 11.11.1977 at 11.11 am, on Cologne carnival day, what does that mean",
        "my son is 6, which museum of London has dinosaurs?",
        "born 3 May 1991, which star sign is that?",
    ],
)
def test_p1_ages_and_births_of_anybody_else_go(engine: Engine, text: str) -> None:
    kinds = {one.entity for one in engine.find(text)}
    assert kinds & {"AGE", "DATE_OF_BIRTH"}


def test_ages_are_the_worlds_by_the_judgement_of_the_message() -> None:
    text = "who died at 32?"
    found = named(text, "32", entity="AGE")
    assert is_worldly(text, found, judged(-2.1))
    assert not is_worldly(text, found, judged(-1.9))
    own = "i was three sizes in three shops, at 32"
    assert is_worldly(own, named(own, "32", entity="AGE"), judged(-3.1))
    assert not is_worldly(own, named(own, "32", entity="AGE"), judged(-2.9))
    assert not is_worldly(own, named(own, "32", entity="DATE_OF_BIRTH"), judged(-9))
    field = "a gift, age: 32?"
    assert not is_worldly(field, named(field, "32", entity="AGE"), judged(-9))


@pytest.mark.parametrize(
    ("text", "is_so"),
    [
        ("is the Louvre museum at 1 Kelp Street or not?", True),
        ("my flat by the museum is at 1 Kelp Street, right?", False),
        ("is the shop at 1 Kelp Street or not?", False),
        ("the museum moved to 1 Kelp Street", False),
        ("is there a library near 1 Kelp Street?", False),
        ("how far is the airport from 1 Kelp Street?", False),
        ("is 1 Kelp Street the address of the library?", False),
    ],
)
def test_an_address_is_the_worlds_where_everybody_goes(text: str, is_so: bool) -> None:  # noqa: FBT001
    assert is_worldly(text, named(text, "1 Kelp Street", entity="ADDRESS"), PUBLIC) is is_so


def test_nothing_found_is_nobodys() -> None:
    assert not is_worldly("who died at 32?", [], PUBLIC)


class Ages:
    def find(self, text: str) -> list[Finding]:
        return named(text, "32", entity="AGE")


@pytest.mark.parametrize(
    "engine",
    [Engine(Redaction.of({"deny": {"AGE": ["32"]}})), Engine(recognizers=[Ages()])],
    ids=["denied", "own"],
)
def test_p1_what_is_denied_or_found_by_a_recognizer_of_ones_own_is_never_the_worlds(engine: Engine) -> None:
    text = "What are the best books about Alexander the Great, who died at 32?"
    assert "32" not in engine.redact_text(text).text
