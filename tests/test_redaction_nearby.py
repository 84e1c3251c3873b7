"""The words near a place are the same, whether a text is cut into tokens as a whole or only around it."""

from __future__ import annotations

import random

import pytest

from vault.redaction.nearby import Nearby

_SAID = [
    *(
        "the",
        "my",
        "of",
        "account",
        "number",
        "is",
        "was",
        "routing",
        "Konto",
        "ssn:",
        "passport:A12",
        "IBAN,",
    ),
    *(
        "(tax)",
        "don't",
        "e.g.",
        "U.S.",
        "be",
        "it's",
        "note:be",
        "user:the",
        "well-known",
        "12.50",
        "$40",
        "a/b",
    ),
    *(
        "http://x.example/the:y",
        "😀",
        "naïve",
        "Straße",
        "you're",
        "...and",
        "--",
        "!",
        "?",
        '"quoted"',
        "re:be",
    ),
    *(":)", "they'll", "I'm", "078-05-1120", "N°", "id=5"),
]
_SPACES = (" ", " ", " ", " ", " ", " ", "  ", "\n", "\n\n", " \n", "\t", "\xa0", " , ", ": ")


def text_of(chance: random.Random, *, joined: bool) -> str:
    """Make a text; where words are `joined`, little ones at a colon count all over it."""
    said = [word for word in _SAID if joined or not word.endswith((":the", ":be", ":y"))]
    words = chance.sample(said, chance.randint(3, len(said)))
    return "".join(
        chance.choice(words) + chance.choice(_SPACES[: chance.randint(4, len(_SPACES) - (not joined))])
        for _ in range(chance.randint(120, 700))
    )[:4000]


@pytest.mark.wide
@pytest.mark.parametrize("seed", range(60))
def test_a_window_tells_the_same_words_as_the_whole_text(seed: int) -> None:
    chance = random.Random(seed)
    text = text_of(chance, joined=seed % 4 == 0)
    whole = Nearby(text)
    whole._left = 0
    for place in chance.sample(range(len(text)), 25):
        assert Nearby(text)._around(place) == whole._around(place)


def test_of_a_long_text_only_what_stands_around_a_place_is_read() -> None:
    text = "Nothing else of this letter tells anything about the number. " * 30
    words = Nearby(text + "My passport no is X1234567." + text)
    assert words.has(["passport"], len(text) + 18, whole=True)
    assert not words.has(["passport"], 400, whole=True)
    assert words._whole is None


@pytest.mark.parametrize("where", ["before", "behind"])
def test_a_window_grows_where_its_words_say_little(where: str) -> None:
    little, much = "and it was of the ", "The quick answer about boats and harbours stands elsewhere. "
    text = (
        much * 12
        + "passport "
        + little * (30 if where == "before" else 2)
        + ("12345 " + little * 30 + much * 9)
    )
    place = text.index("12345") + (5 if where == "behind" else 0)
    whole = Nearby(text)
    whole._left = 0
    assert Nearby(text)._around(place) == whole._around(place)
    assert Nearby(text).has(["passport"], place, whole=True)
