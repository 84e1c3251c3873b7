"""IBANs and cards of which a digit is wrong are taken by their form; births in words of other tongues."""

from __future__ import annotations

import re

import pattern_finding
import pytest
from pattern_finding import found

from vault.redaction.finder import Patterns

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


patterns = pattern_finding.patterns

MARKED = [
    # In the groups of an IBAN, or behind its name.
    "mi cuenta es [ES27 2100 3391 4402 0087 5513] y nada",
    "the rent goes to [BE57 0017 4482 9035]. Why",
    "IBAN [DE38660501010108774329] und BIC",
    "serial DE38660501010108774329 of the pump",
    "key ES27-2100-ABCD, code FR76 10278",
    # In the fours of a card, where the text speaks of one.
    "which card did i report? [4550 1182 7734 0925] or [4550-1182-7734-0933]",
    "tracking 4550 1182 7734 0925 is late",
    "is [5294 07** **** 6318] mine or his",
    # Births.
    "TTL: Klaten, [5 Mei 1989], pindah",
    "Batu, nac.: [12-05-2016], y ya",
    "Müge, doğum: [7 Mart 1988], ofis",
    "Borys, ur. [27.11.2013], klasa 4b",
    "Sinta lahir [9 Agu 2012] di sini",
]


@pytest.mark.parametrize("marked", MARKED)
def test_what_is_mistyped_is_found_by_its_form(patterns: Patterns, marked: str) -> None:
    text = marked.replace("[", "").replace("]", "")
    assert [value.strip() for value in found(patterns, text)] == re.findall(r"\[([^\]]*)\]", marked)
