"""Whoever shares a name with all the world's Michael Jackson is known again, and Michael Jackson is not."""

from __future__ import annotations

import pytest
from told import told

from vault.redaction.engine import Engine
from vault.redaction.settings import Redaction


@pytest.mark.parametrize(
    ("first", "again"),
    [
        ("I'm Michael Berger", "Who was Michael Jackson?"),
        ("I'm Michael Berger", "Write a quiz about Michael Jordan and Michael Phelps"),
        ("My colleague Taylor Brooks is sick", "best songs by Taylor Swift and Garth Brooks"),
        ("I am Kim Lee", "Kim Kardashian or Bruce Lee movies"),
        ("This is Anna Kowalski", "Compare Anna Karenina and Madame Bovary"),
        ("This is Anna Kowalski", "anna karenina in one sentence"),
        ("My name is Carlos Santiago", "clima en Santiago de Chile"),
        ("Me llamo Pablo García, DNI 12345678Z", "¿Cuándo nació Pablo Neruda?"),
        ("Ich bin Anna Müller, 0171 2345678", "Anna Karenina von Tolstoi"),
        ("Je suis Marie Dupont, 06 12 34 56 78", "Qui était Marie Curie ?"),
        ("Sou o João Silva, CPF 529.982.247-25", "João Gilberto e Tom Jobim"),
        ("I'm Victoria, 34, from Leeds", "a trip to Victoria Falls and Lake Victoria"),
        ("I'm Victoria, 34, from Leeds", "cuánto mide el lago Victoria"),
        ("My name is Madison Rivers", "Madison, Wisconsin weather"),
        ("My name is Adam Fischer", "use the Adam optimizer"),
        ("I'm Lisa Simpson-Meyer, from Bonn", "the Mona Lisa"),
    ],
)
def test_a_longer_name_that_all_the_world_knows_stays_as_it_does_by_itself(first: str, again: str) -> None:
    said = told(first, again)
    assert said[0] != first
    assert said[1] == again


@pytest.mark.parametrize(
    ("first", "again", "shown"),
    [
        ("I'm Michael Berger", "Michael called", "<PERSON_2> called"),
        ("I'm Michael Berger", "how is Michael Bauer", "how is <PERSON_2> Bauer"),
        ("I'm Michael Berger, my wife is Anna Schumacher", "ask Michael Schumacher", "ask <PERSON_3>"),
        ("My uncle Sam Porter is ill", "uncle Sam called", "uncle <PERSON_2> called"),
        ("My name is Jude Miller", "Hey Jude, any news?", "Hey <PERSON_2>, any news?"),
        ("I'm Victoria, 34", "Victoria, Jordan and Kim came", "<PERSON_1>, Jordan and Kim came"),
        ("My name is Grace Kelly, call 020 7946 0018", "Grace Kelly rang", "<PERSON_1> rang"),
        ("My name is Will Smith, call 020 7946 0018", "Will Smith rang", "<PERSON_1> rang"),
        ("Je suis Marie Dupont, 06 12 34 56 78", "la maladie de Marie", "la maladie de <PERSON_2>"),
    ],
)
def test_p1_a_name_alone_and_a_name_that_the_session_knows_wholly_are_redacted(
    first: str, again: str, shown: str
) -> None:
    assert told(first, again)[1] == shown


def test_p1_nobody_is_spared_where_more_is_asked_than_balance() -> None:
    every = Engine(Redaction(mode="high-recall"))
    assert "Michael" not in told("I'm Michael Berger", "Who was Michael Jackson?", engine=every)[1]
