"""Where what the network found begins and ends, what belongs together of it, and what it cannot be."""

from __future__ import annotations

from itertools import accumulate

import numpy as np
import pytest

from vault.redaction.names import features, plausible, regions, spans


def found(marked: str, entity: str) -> list[str]:
    """What comes of a text in which the network is sure of all that stands in brackets."""
    pieces = marked.replace("[", "\0").replace("]", "\0").split("\0")
    text, sure = "".join(pieces), list[tuple[int, int]]()
    at = 0
    for number, piece in enumerate(pieces):
        if number % 2:
            sure.append((at, at + len(piece)))
        at += len(piece)
    words = features.tokens(text)
    odds = np.zeros((len(words), len(spans.ENTITIES) + 1), np.float32)
    kind = spans.ENTITIES.index(entity)
    for index, stop in enumerate(accumulate(map(len, words))):
        start = stop - len(words[index].lstrip(" "))
        for first, last in sure:
            if first <= start and stop <= last:
                odds[index, kind] = 1
                if start == first:
                    odds[index, -1] = 1
    bounds = np.full(len(spans.ENTITIES), 0.5, np.float32)
    return [text[one.start : one.end] for one, _, _ in spans.spans(words, odds, bounds, 0, 0, len(words))]


@pytest.mark.parametrize(
    ("marked", "entity", "wanted"),
    [
        ("de [Cayenne à] Limoges", "LOCATION", ["Cayenne"]),
        ("moved from [Peoria to] Racine", "LOCATION", ["Peoria"]),
        ("drove to [Detroit via] Ohio", "LOCATION", ["Detroit"]),
        ("[brightside dental in] tamworth", "ORGANIZATION", ["brightside dental"]),
        ("to one [Kiprono of] Kericho", "PERSON", ["Kiprono"]),
        ("the [West Bank of the] river", "LOCATION", ["West Bank"]),
        ("[Marta y] su madre, [Jonas und] ich", "PERSON", ["Marta", "Jonas"]),
        ("[Lyon de] nuit, [Ulm zu] eng", "LOCATION", ["Lyon", "Ulm"]),
        ("[from Leeds] to there", "LOCATION", ["Leeds"]),
        ("[and Tunde] left, [mit Wiebke] dort", "PERSON", ["Tunde", "Wiebke"]),
        # A name that has such a word in it, or is one.
        ("[de la Cruz] and [von Trapp]", "PERSON", ["de la Cruz", "von Trapp"]),
        ("[van der Berg] came", "PERSON", ["van der Berg"]),
        ("[The Hague] or [the hague]", "LOCATION", ["The Hague", "the hague"]),
        ("[la paz] and [el paso]", "LOCATION", ["la paz", "el paso"]),
        ("the [Santa Casa de] Sobral", "ORGANIZATION", ["Santa Casa de"]),
        ("[Isle of Man] is far", "LOCATION", ["Isle of Man"]),
        ("[a.j.] said so, [J. R.] too", "PERSON", ["a.j.", "J. R."]),
        ("so a.[j.] left, and J.R.[R.] came", "PERSON", ["a.j.", "J.R.R."]),
        ("he ended at B. [Lind] is here", "PERSON", ["Lind"]),
        ("ask [An To] and [Linh Do]", "PERSON", ["An To", "Linh Do"]),
        ("ask [minh do] or [hoang le]", "PERSON", ["minh do", "hoang le"]),
        ("[of] and [Shaz n]", "PERSON", ["of", "Shaz n"]),
    ],
)
def test_words_that_join_a_sentence_are_no_part_of_a_name(
    marked: str, entity: str, wanted: list[str]
) -> None:
    assert found(marked, entity) == wanted


@pytest.mark.parametrize(
    ("marked", "wanted"),
    [
        ("thanks, [Fred] [Gregory]!", ["Fred Gregory"]),
        ("by [V] [K] [Choudhry], 2019", ["V K Choudhry"]),
        ('"[Gregory], [Fred]" <fred@kelp.example>', ["Gregory, Fred"]),
        ('To: "[Lind], [Ada Marie]" <ada@kelp.example>', ["Lind, Ada Marie"]),
        # Two persons.
        ("[Fred], [Gregory] and [Ann]", ["Fred", "Gregory", "Ann"]),
        ("ask [fred] [gregory]", ["fred", "gregory"]),
        ("[Shaz n] [Dazza], [Bo'n] [Ann]", ["Shaz n", "Dazza", "Bo'n Ann"]),
        ("[Fred]\n[Gregory]", ["Fred", "Gregory"]),
        ("[Fred]  [Gregory]", ["Fred", "Gregory"]),
        ('he said "[Fred], [Gregory]" and left', ["Fred", "Gregory"]),
        ("see [Dr.] [Gregory] now, [J.] [Lind]", ["Gregory", "J. Lind"]),
        ("[Fred Gregory] [Ann]", ["Fred Gregory Ann"]),
    ],
)
def test_a_name_in_two_parts_is_one(marked: str, wanted: list[str]) -> None:
    assert found(marked, "PERSON") == wanted


@pytest.mark.parametrize(
    ("marked", "entity", "wanted"),
    [
        ("nickname shows [as falcon_h97] now", "USERNAME", ["falcon_h97"]),
        ("i'm the [streamer BigWetSocks] here", "USERNAME", ["BigWetSocks"]),
        ("it is [user named kelp.77]", "USERNAME", ["kelp.77"]),
        ("my tag is [Dark Wolf 88] ok", "USERNAME", ["Dark Wolf 88"]),
        ("she is [moon child] there", "USERNAME", ["moon child"]),
        ("seats [house, 17 Tiverton Rd]", "ADDRESS", ["17 Tiverton Rd"]),
        ("the [shop, 88 Mill Street]", "ADDRESS", ["88 Mill Street"]),
        ("[flat 3, 12 Elm Road]", "ADDRESS", ["flat 3, 12 Elm Road"]),
        ("[Haus Sonne, Dorfstr. 9]", "ADDRESS", ["Haus Sonne, Dorfstr. 9"]),
    ],
)
def test_words_before_a_value_are_no_part_of_it(marked: str, entity: str, wanted: list[str]) -> None:
    assert found(marked, entity) == wanted


@pytest.mark.parametrize(
    ("marked", "entity"),
    [
        ("my case is big, [110x55x50] cm", "PASSPORT"),
        ("box [30 x 20 x 10]", "MEDICAL_ID"),
        ("plate [60x40]", "LICENSE_PLATE"),
        ("tape [110*55*50]", "NATIONAL_ID"),
        ("Astra 1.7, code [P0401], egr cleaned", "SECRET"),
        ("dtc [U0100] and p0301", "SECRET"),
        ("fault codes P0401 and [P0300]", "SECRET"),
        ('inscription is "Pilar [8-8-09]"', "MEDICAL_ID"),
        ("engraved [12.03.1984] inside", "PASSPORT"),
        ("a [50th] anniversary", "AGE"),
        ("now [2nd] yr nanotech", "AGE"),
        ("Cashier: [17.]85, here", "AGE"),
        ("in the [3rd] round", "AGE"),
        ("Ich kann am [14]. nicht", "AGE"),
        ("wir sind vom [3.] bis Montag weg", "AGE"),
        ("report him, match id [7719204418]", "MEDICAL_ID"),
        ("the lobby ID: [88213377] is full", "NATIONAL_ID"),
        ("meter is [8508 9414], the card I gave", "CREDIT_CARD"),
    ],
)
def test_what_it_took_for_a_value_is_none(marked: str, entity: str) -> None:
    assert found(marked, entity) == []


@pytest.mark.parametrize(
    ("marked", "entity", "wanted"),
    [
        ("the gate code [C1234] please", "SECRET", ["C1234"]),
        ("password [P0401]", "SECRET", ["P0401"]),
        ("the alarm code is [B2204]", "SECRET", ["B2204"]),
        ("mrn [20-14-53-9]", "MEDICAL_ID", ["20-14-53-9"]),
        ("sort code [20-14-53]", "BANK_ACCOUNT", ["20-14-53"]),
        ("my [18th] in may", "AGE", ["18th"]),
        ("turning the big [50th] birthday", "AGE", ["50th"]),
        ("her [40th] give me jokes", "AGE", ["40th"]),
        ("she is [34] and 5", "AGE", ["34"]),
        ("yes, I am [34]. and you?", "AGE", ["34"]),
        ("die Oma wird bald, ab [50]. Danach", "AGE", ["50"]),
        ("morgen zum [50]. Geburtstag", "AGE", ["50"]),
        ("my member id [7719204418]", "MEDICAL_ID", ["7719204418"]),
        ("she is [17.] 85 others", "AGE", ["17."]),
        ("card ending [4417]", "CREDIT_CARD", ["4417"]),
        ("card [4539 11** **** 9021]", "CREDIT_CARD", ["4539 11** **** 9021"]),
    ],
)
def test_what_is_a_value_stays_one(marked: str, entity: str, wanted: list[str]) -> None:
    assert found(marked, entity) == wanted


@pytest.mark.parametrize("value", ["thread1", "node12", "item3"])
def test_one_of_several_is_no_organisation(value: str) -> None:
    assert not plausible.plausible("ORGANIZATION", value)


@pytest.mark.parametrize("value", ["Studio54", "4chan", "o2", "motel one"])
def test_a_name_with_digits_may_be_one(value: str) -> None:
    assert plausible.plausible("ORGANIZATION", value)


@pytest.mark.parametrize(
    ("marked", "wanted"),
    [
        ("geboren am zwölften [Dezember 2021] in Husum", "zwölften Dezember 2021"),
        ("nasceu em dois de [fevereiro de 1940] e", "dois de fevereiro de 1940"),
        ("born in late [december 2021] here", "december 2021"),
    ],
)
def test_a_day_in_words_belongs_to_its_date(marked: str, wanted: str) -> None:
    assert found(marked, "DATE_OF_BIRTH") == [wanted]


@pytest.mark.parametrize(
    ("said", "parts"),
    [
        ("San Rafael Ca", ["San Rafael", "Ca"]),
        ("miramar florida", ["miramar", "florida"]),
        ("Birmingham UK", ["Birmingham", "UK"]),
        ("Fargo North Dakota", ["Fargo", "North Dakota"]),
        ("New York New York", ["New York", "New York"]),
        ("West Virginia", ["West Virginia"]),
        ("Northern Ireland", ["Northern Ireland"]),
        ("South Korea", ["South Korea"]),
        ("Gulf of Mexico", ["Gulf of Mexico"]),
        ("Washington DC", ["Washington DC"]),
        ("come in", ["come in"]),
        ("France", ["France"]),
    ],
)
def test_a_town_is_parted_from_the_region_behind_it(said: str, parts: list[str]) -> None:
    words = features.tokens(said)
    region = regions.behind_town(words, 0, len(words) - 1)
    found = [said] if region is None else ["".join(words[:region]), "".join(words[region:]).strip()]
    assert found == parts


@pytest.mark.parametrize(
    ("entity", "value"),
    [
        ("PERSON", "Dr."),
        ("PERSON", "mrs"),
        ("PERSON", "x"),
        ("PERSON", "thread1"),
        ("LOCATION", "City"),
        ("LOCATION", "S."),
    ],
)
def test_a_title_and_a_sort_of_place_are_no_names(entity: str, value: str) -> None:
    assert not plausible.plausible(entity, value)
    assert plausible.plausible(entity, f"{value} Adeyemi")


@pytest.mark.parametrize("entity", ["MEDICAL_ID", "DRIVER_LICENSE", "LICENSE_PLATE", "NATIONAL_ID"])
def test_the_case_of_a_court_is_nobodys_number(entity: str) -> None:
    assert not any(plausible.plausible(entity, value) for value in ("24-cv-00912", "2:21-CR-00118-ABC"))
    assert plausible.plausible(entity, "24-KL-00912")
