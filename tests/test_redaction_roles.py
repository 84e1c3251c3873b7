"""People who are named for a role: nothing else in such a text says that it is about somebody."""

from __future__ import annotations

import re

import pytest

from vault.redaction.engine import Engine

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


def people(engine: Engine, text: str) -> list[str]:
    return [text[one.start : one.end] for one in engine.find(text) if one.entity == "PERSON"]


@pytest.mark.parametrize(
    "marked",
    [
        "The will names [Beatrix Holloway] and [Ned Farr] as executors. Can one act alone?",
        "The trust appoints [Beatrix Holloway], [Ned Farr] and [Alma Treadwell] as its joint trustees.",
        "The lease names [Orla Finnegan] & [Tom Sloan] as guarantors",
        "[Wendeline Kruger] is named as respondent",
        "[Beatrix Holloway] and [Ned Farr] are the executors",
        "Executors: [Beatrix Holloway], [Ned Farr]",
        "The executors are [Beatrix O'Dowd] and [Ned van der Farr]",
        "next of kin [Huw] 07700 900772",
        "next of kin: [Zurab], (01970) 555 018",
        "guarantor [Femke], +31 6 44182077",
        "El testamento nombra a [Remedios Balmaseda] como albacea",
    ],
)
def test_p1_who_is_named_for_a_role_is_found(engine: Engine, marked: str) -> None:
    wanted = re.findall(r"\[([^\]]*)\]", marked)
    assert people(engine, marked.replace("[", "").replace("]", "")) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "defendants are Apple Inc and Google LLC",
        "My guarantor is The Royal Bank",
        "Executors: The Bank Trust",
        "The constitution names the President as its guardian",
        "The treaty names Angela Merkel as a witness",
        "Next of kin phone 07700 900772, tenant Unit 4418 2077, guarantor Tel 07700 900772",
        "What must an executor do, and are Limited Partners beneficiaries?",
    ],
)
def test_what_holds_a_role_and_is_nobody_or_famous_stays(engine: Engine, text: str) -> None:
    assert people(engine, text) == []
