"""Gives the same messages other people and places, so that contexts are learned and not names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from vault.redaction.learning import kinds, lists
from vault.redaction.learning.corpora import Message, marked
from vault.redaction.names.network import VALUES

_WORD: Final = re.compile(r"[^\W\d_]{2,}")
_NAME: Final = re.compile(r"[^\W\d_][^\W_]*(?:-[^\W\d_]+)*")
_SLOT: Final = re.compile(r"\{([a-z_]+)\}(?!\})")
_LATIN: Final = re.compile(r"[A-Za-z\u00c0-\u02af\u1e00-\u1eff' -]+")


@dataclass(frozen=True, slots=True)
class Stock:
    """Names to draw from."""

    firsts: tuple[tuple[str, ...], ...]  # by locale
    lasts: tuple[tuple[str, ...], ...]
    cities: tuple[str, ...]
    odds: np.ndarray[tuple[int], np.dtype[np.float64]]
    countries: tuple[str, ...]
    public: tuple[str, ...]
    things: tuple[str, ...]
    organised: tuple[str, ...]
    templates: tuple[str, ...]
    folder: Path

    @classmethod
    def gathered(cls, folder: Path) -> Stock:
        """Take what the lists hold; cities by the root of their inhabitants."""
        own: dict[int, tuple[str, ...]] = {}
        for bit, names in lists.own(folder):
            own[bit] = tuple(sorted({*names}))
        for bit, names in lists.wider(folder):  # of its single words many are everyday ones
            own[bit] = tuple(sorted({*own.get(bit, ()), *(name for name in names if " " in name)}))
        firsts, lasts = lists.people()
        both = sorted(set(firsts) & set(lasts))
        latin = [
            (one, two)
            for one, two in (
                (
                    [n for n in firsts[locale] if _LATIN.fullmatch(n)],
                    [n for n in lasts[locale] if _LATIN.fullmatch(n)],
                )
                for locale in both
            )
            if len(one) > 20 and len(two) > 20
        ]
        cities, countries = lists.places()
        path = folder / "lists" / "templates.txt"
        known = [(name, people) for name, people in cities if _LATIN.fullmatch(name)]
        odds = np.sqrt(np.array([people + 1 for _, people in known], np.float64))
        return cls(
            tuple(tuple(one) for one, _ in latin),
            tuple(tuple(two) for _, two in latin),
            tuple(name for name, _ in known),
            np.cumsum(odds / odds.sum()),
            tuple(countries),
            own.get(lists.PUBLIC, ()),
            own.get(lists.THING, ()),
            own.get(lists.ORGANISED, ()),
            tuple(path.read_text("utf-8").splitlines()) if path.exists() else (),
            folder,
        )

    @property
    def source(self) -> kinds.Source:
        """What values of other kinds are drawn from."""
        return kinds.Source.gathered(self.folder, self.person, self.city)

    def person(self, rng: np.random.Generator) -> tuple[str, str]:
        """Draw a first name and a surname of the same country."""
        locale = int(rng.integers(len(self.firsts)))
        one, two = self.firsts[locale], self.lasts[locale]
        return one[int(rng.integers(len(one)))], two[int(rng.integers(len(two)))]

    def city(self, rng: np.random.Generator) -> str:
        """Draw a city, the great ones more often."""
        return self.cities[min(int(np.searchsorted(self.odds, rng.random())), len(self.cities) - 1)]


def _one(names: Sequence[str], rng: np.random.Generator) -> str:
    return names[int(rng.integers(len(names)))]


def known(slot: str, stock: Stock, rng: np.random.Generator) -> str:
    """Draw what stands in a slot: someone or something that everybody knows, or a name."""
    if slot == "public":
        return " ".join(stock.person(rng)) if rng.random() < 0.45 else _one(stock.public, rng)
    if slot in {"country", "thing"}:
        return _one(stock.countries if slot == "country" else stock.things, rng)
    if slot == "city":
        return stock.city(rng)
    if slot == "year":
        return str(int(rng.integers(1400, 2025)))
    first, last = stock.person(rng)
    if slot == "org":
        kind = _one(stock.organised, rng).title()
        owner = _one((last, first, stock.city(rng), f"{last} & {stock.person(rng)[1]}", f"St {first}"), rng)
        return f"{kind} {owner}" if rng.random() < 0.2 else f"{owner} {kind}"
    return {"first": first, "last": last}.get(slot, f"{first} {last}")


def filled(stock: Stock, rng: np.random.Generator) -> Message:
    """Make a message of one to three templates."""
    joint = _one((" ", ". ", "\n", ", "), rng)
    source = joint.join(
        _one(stock.templates, rng) for _ in range(1 + int(rng.random() < 0.35) + int(rng.random() < 0.1))
    )
    source = _SLOT.sub(lambda slot: known(slot[1], stock, rng), source)
    message = marked(source)
    return lowered(message) if rng.random() < 0.4 else message


def valued(stock: Stock, source: kinds.Source, rng: np.random.Generator) -> Message:
    """Make a message of values: in a frame or two, or with their labels."""
    if rng.random() < 0.5:
        text = kinds.labelled(source, rng)
    else:

        def drawn(slot: re.Match[str]) -> str:
            kind = slot[1].upper()
            if kind == "EXPIRY":
                return f"{int(rng.integers(1, 13)):02}/{int(rng.integers(24, 34))}"
            if kind == "PUBDATE":
                return kinds.date(source, rng, 1500, 2000)
            other = kind in OTHERS
            if other or kind in VALUED:
                return kinds.written(f"-{kind}" if other else kind, kinds.value(kind, source, rng))
            return known(slot[1], stock, rng)

        joint = _one((" ", ". ", "\n", ", "), rng)
        text = joint.join(
            _SLOT.sub(drawn, _one(source.frames, rng)) for _ in range(1 + int(rng.random() < 0.3))
        )
    message = marked(text)
    return lowered(message) if rng.random() < 0.35 else message


class Swapper:
    """Puts other public figures, countries and things into clean messages: the question is what counts."""

    def __init__(self, stock: Stock) -> None:
        self.stock = stock
        self.source = stock.source
        self.slots: dict[str, str] = {}
        for slot, names in (
            ("city", stock.cities),
            ("thing", stock.things),
            ("public", stock.public),
            ("country", stock.countries),
        ):
            self.slots.update((name, slot) for name in names if len(name) > 3 and name[0].isupper())
        self.found: dict[str, list[tuple[int, int, str]]] = {}

    def _places(self, text: str) -> list[tuple[int, int, str]]:
        if text not in self.found:
            words = [(m.start(), m.end()) for m in _NAME.finditer(text)]
            places, index = [], 0
            while index < len(words):
                for size in (3, 2, 1):
                    end = words[min(index + size, len(words)) - 1][1]
                    slot = self.slots.get(text[words[index][0] : end])
                    if slot is not None:
                        places.append((words[index][0], end, slot))
                        index += size - 1
                        break
                index += 1
            self.found[text] = places
        return self.found[text]

    def swapped(self, message: Message, rng: np.random.Generator) -> Message:
        """Change what is known into others of its kind; the same into the same."""
        text, at, given = "", 0, dict[str, str]()
        for start, end, slot in self._places(message.text):
            value = message.text[start:end]
            if value not in given:
                given[value] = known(slot, self.stock, rng)
            text += message.text[at:start] + given[value]
            at = end
        return Message(text + message.text[at:], (), message.chat)


VALUED: Final = {*VALUES, "SSN"}
OTHERS: Final = {
    *(
        "ORDER",
        "FLIGHT",
        "ROOM",
        "MODEL",
        "VERSION",
        "PRICE",
        "ISBN",
        "HASH",
        "ERROR",
        "AMOUNT",
        "DATE",
        "TIME",
    ),
    "WORD",
}
_REDRAWN: Final = VALUED - {"AGE", "URL", "EMAIL"}


def redrawn(message: Message, source: kinds.Source, rng: np.random.Generator) -> Message:
    """Put other values of the same kind into a message; short ones, which may be parts, stay."""
    if not source.labels:
        return message
    text, spans, at = "", [], 0
    for start, end, kind in sorted(message.spans):
        if start < at:
            continue
        text += message.text[at:start]
        value = message.text[start:end]
        if kind in _REDRAWN and end - start > 4 and "\n" not in value and rng.random() < 0.6:
            drawn = kinds.value(kind, source, rng)
            value = drawn if "@" not in (value[0], drawn[0]) else value
        spans.append((len(text), len(text) + len(value), kind))
        text += value
        at = end
    return Message(text + message.text[at:], tuple(spans), message.chat)


def _cased(name: str, like: str) -> str:
    if like.islower():
        return name.lower()
    if like.isupper() and len(like) > 1:
        return name.upper()
    return name


def _other(value: str, kind: str, stock: Stock, rng: np.random.Generator, given: dict[str, str]) -> str:
    if value in given:
        return given[value]
    words = list(_WORD.finditer(value))
    if kind == "LOCATION":
        given[value] = _cased(stock.city(rng), value) if len(words) <= 2 and rng.random() < 0.6 else value
        return given[value]
    if kind != "PERSON" or not words:
        return value
    first, last = stock.person(rng)
    out, at = "", 0
    for index, word in enumerate(words):
        out += value[at : word.start()]
        key = word[0].lower()
        if key not in given:
            particle = word[0] in {
                "van",
                "der",
                "de",
                "da",
                "al",
                "bin",
                "von",
                "di",
                "dos",
                "the",
                "and",
                "y",
            }
            drawn = first if index == 0 else last if index == 1 else stock.person(rng)[1]
            given[key] = word[0] if particle and len(words) > 1 else drawn
        out += _cased(given[key], word[0])
        at = word.end()
    return out + value[at:]


def renamed(message: Message, stock: Stock, rng: np.random.Generator, *, places: bool = True) -> Message:
    """Put other people into a message, the same one for the same, and other places."""
    text, spans, at, given = "", [], 0, dict[str, str]()
    for start, end, kind in sorted(message.spans):
        if start < at:
            continue
        text += message.text[at:start]
        value = message.text[start:end]
        if places or kind == "PERSON":
            value = _other(value, kind, stock, rng, given)
        spans.append((len(text), len(text) + len(value), kind))
        text += value
        at = end
    return Message(text + message.text[at:], tuple(spans), message.chat)


def lowered(message: Message) -> Message:
    """Write a message small, as people type; one whose length that changes stays."""
    low = message.text.lower()
    return Message(low, message.spans, message.chat) if len(low) == len(message.text) else message


def shouted(message: Message, *, title: bool) -> Message:
    """Write a message in capitals, or each word with one."""
    loud = re.sub(r"\b[a-z]", lambda m: m[0].upper(), message.text) if title else message.text.upper()
    return Message(loud, message.spans, message.chat) if len(loud) == len(message.text) else message


RENAMED: Final = 0.35
"""How often the people of a sentence from a corpus are others: it has few of them, and again and again."""


def varied(message: Message, swapper: Swapper, rng: np.random.Generator) -> Message:
    """Give one epoch's form of a message."""
    draw, stock = rng.random(3), swapper.stock
    if message.chat and not message.spans and draw[0] < 0.6:
        message = swapper.swapped(message, rng)
    if message.chat and message.spans and draw[0] < 0.65:
        message = redrawn(renamed(message, stock, rng), swapper.source, rng)
    elif not message.chat and draw[0] < RENAMED:
        message = renamed(message, stock, rng, places=False)
    if draw[1] < (0.2 if message.chat else 0.08):
        message = lowered(message)
    elif message.chat and draw[2] < 0.06:
        message = shouted(message, title=draw[2] < 0.02)
    return message
