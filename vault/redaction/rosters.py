"""Lists of people in data: `["Anna Webb", "Omar Bauer"]` has no word around that says who they are.

A model reads sentences, and finds none. Where most strings of a list are a first name and a surname, all are
people; not where the whole is about what all the world knows, nor whom all the world knows.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from vault.redaction.findings import Finding, Ground
from vault.redaction.search import Shard
from vault.redaction.segments import Form
from vault.redaction.segments.labels import is_a_name

_String = tuple[Shard, int]  # a part of the text, and which piece of it
_SCORE: Final = 0.9
_FEWEST: Final = 2
_SHARE: Final = 2 / 3  # of the strings that are written as names
_SURE: Final = 1 / 2  # of those that the lists hold
_WORLDS: Final = -6.0  # the judgement of data about what all the world knows
_LETTERS: Final = re.compile(r"[^\W\d_]{3}")
_PUBLIC: Final = frozenset(
    [
        "actors", "album", "artist", "artists", "author", "authors", "band", "bands", "books",
        "brands", "cast", "characters", "composers", "directors", "drivers", "films", "founders",
        "laureates", "maintainers", "models", "movies", "players", "presidents", "products",
        "singers", "songs", "species", "stars", "teams", "title", "titles", "tracks", "winners",
        "writers"
    ]
)  # fmt: skip
_OURS: Final = frozenset(
    [
        "assignees", "attendees", "clients", "colleagues", "contacts", "customers", "employees",
        "guests", "invitees", "members", "participants", "patients", "people", "persons",
        "personen", "personas", "personnes", "pessoas", "recipients", "residents", "staff",
        "students", "teilnehmer", "tenants", "users"
    ]
)  # fmt: skip
"""Keys under which one name that the lists hold is enough."""


def call_roll(
    shard: Shard,
    judge: Callable[[], float] | None,
    is_wanted: Callable[[str, Finding], bool],
    *,
    spares_famous: bool,
) -> None:
    """Find the people of the lists in a text. `judge` tells, once, how much it is about somebody's life."""
    from vault.redaction.names import is_famous

    lists: defaultdict[str, list[_String]] = defaultdict(list)
    for part, at in _strings(shard):
        lists[part.pieces[at].label].append((part, at))
    told: float | None = None
    for label, strings in lists.items():
        people = _people(label, strings)
        # Under a name, where the world knows nobody, cities beside people are where they live.
        if people and judge is not None and not (is_a_name(label) and _are_unknown(people)):
            told = judge() if told is None else told
            if told < _WORLDS:
                continue
        for part, at in people:
            text = part.pieces[at].text
            if spares_famous and is_famous(text):
                continue
            if all(one.ground is Ground.MODEL for one in part.found[at]):
                start = len(text) - len(text.lstrip())
                person = Finding("PERSON", start, len(text.rstrip()), _SCORE, "lists of names", Ground.MODEL)
                if is_wanted(text, person):
                    part.found[at] = [person]


def _people(label: str, strings: Sequence[_String]) -> list[_String]:
    """Give the strings under a label that are names, where most of them are."""
    from vault.redaction.names import is_full_name, may_be_a_name

    if label.lower() in _PUBLIC:
        return []
    sure = sum(is_full_name(part.pieces[at].text) for part, at in strings)
    fewest = 1 if label.lower() in _OURS else _FEWEST
    people = [(part, at) for part, at in strings if may_be_a_name(part.pieces[at].text)]
    if sure < fewest or sure < _SURE * len(people) or len(people) < _SHARE * len(strings):
        return []
    return people


def _are_unknown(people: Sequence[_String]) -> bool:
    """Say whether the world knows nobody of a list."""
    from vault.redaction.names import is_famous

    return not any(is_famous(part.pieces[at].text) for part, at in people)


def _strings(shard: Shard) -> Iterator[_String]:
    """Give the strings of data that say something."""
    for at, (piece, inner) in enumerate(zip(shard.pieces, shard.inner, strict=True)):
        if inner is not None:
            yield from _strings(inner)
        elif piece.form is not Form.CODE and len(shard.pieces) > 1 and _LETTERS.search(piece.text):
            yield shard, at
