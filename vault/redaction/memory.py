"""What a session remembers of the values that were replaced in it: keyed hashes and numbers, never a value.

It is sealed with the session and dies with it. The same value gets the same number as long as the session
lives, in every process. What was found once is known again where nothing around tells what it is: the words
of a name, and a value that is one word and can be nothing else.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from typing import Final

from vault.redaction.folding import unbroken
from vault.redaction.writings import bare, dialled, normal, unified

Known = Mapping[bytes, tuple[str, int]]

HASH_BYTES = 16
WORD: Final = re.compile(r"[^\W\d_]+(?:['\u2019-](?![sS]\b)[^\W\d_]+)*")
_NUMBERED = re.compile(r"<([A-Z][A-Z0-9_]{1,39})_(\d{1,5})>")  # a higher number is never reached
_PART = 0  # the number of what is only to be known again: one word of a name, or a value
NAMES: Final = "PERSON"
_LEAST = 3  # letters; a shorter word is too often another one


class Memory:
    """The numbers of one session's placeholders: what is known of it, and what a message adds."""

    def __init__(self, key: bytes, known: Known) -> None:
        self._key = key
        self._before = dict(known)
        self._added: dict[bytes, tuple[str, int]] = {}
        self._counts: Counter[str] = Counter()
        self.knows_names = False
        self.values: set[str] = set()  # the kinds of values that are to be known again
        for entity, number in known.values():
            self._counts[entity] = max(self._counts[entity], number)
            if number == _PART:
                self.knows_names |= entity == NAMES
                self.values |= {entity} - {NAMES}

    @property
    def known(self) -> dict[bytes, tuple[str, int]]:
        """Give all that is to be remembered from now on."""
        return {**self._before, **self._added}

    @property
    def knows(self) -> bool:
        """Say whether there is anything to be known again."""
        return self.knows_names or bool(self.values)

    @property
    def size(self) -> int:
        """Give how much was added: as long as it is the same, the same text has the same names."""
        return len(self._added)

    @property
    def has_grown(self) -> bool:
        """Say whether there is anything new to remember."""
        return bool(self._added)

    def number(self, entity: str, value: str) -> int:
        """Give the number of a value: the one that it has, in whatever writing, or the next."""
        said, form = normal(value), unified(entity, value)
        found = self._known(self._hash(entity, said))  # as sessions remember it that were written before
        if found is None or form != said:
            mark = self._hash(entity, form)
            found = found or self._known(mark)
            if found is None:
                self._counts[entity] += 1
                found = entity, self._counts[entity]
            if self._known(mark) is None:
                self._added[mark] = found
        return found[1]

    def _known(self, mark: bytes) -> tuple[str, int] | None:
        return self._before.get(mark) or self._added.get(mark)

    @property
    def counts(self) -> dict[str, int]:
        """Give the highest number of each entity."""
        return {entity: number for entity, number in self._counts.items() if number}

    def reserve(self, entity: str, number: int) -> None:
        """Leave a number to a placeholder that came from elsewhere: no other value gets it."""
        if number > self._counts[entity]:
            self._counts[entity] = number
            self._added[self._hash("reserved", entity)] = entity, number

    def take(self, shown: Mapping[tuple[str, str], int]) -> None:
        """Give values, by entity and normal form, the numbers that a stream showed them under.

        Not where another writer has come that far meanwhile: those numbers are other values' by now.
        """
        before = Counter(self._counts)
        for (entity, value), number in shown.items():
            if number <= before[entity]:
                continue
            for form in {value: None, unified(entity, value): None}:
                mark = self._hash(entity, form)
                if mark not in self._before:
                    self._added[mark] = entity, number
                    self._counts[entity] = max(self._counts[entity], number)

    def leave(self, text: str) -> None:
        """Leave the numbers of the placeholders that a text came with to it: no value gets one of them."""
        if "<" in text:
            for entity, number in _NUMBERED.findall(text):
                self.reserve(entity, int(number))

    def keep(self, name: str) -> None:
        """Remember the words of a person's name, so that they are found wherever they stand."""
        for word in WORD.findall(unbroken(name).text):
            if len(word) >= _LEAST:
                self.keep_whole(word)

    def keep_whole(self, name: str) -> None:
        """Remember a person's name, or a word of it, as it is."""
        mark = self._hash("", normal(name))
        self.knows_names = True
        if mark not in self._before:
            self._added[mark] = NAMES, _PART

    def keep_value(self, entity: str, value: str) -> None:
        """Remember a value, so that it is found where nothing says what it is."""
        forms = [bare(value)]
        if entity == "PHONE_NUMBER" and (number := dialled(value)):
            forms.append(number)
        elif entity == "USERNAME":
            forms = [bare(unified(entity, value))]
        self.values.add(entity)
        for form in forms:
            mark = self._hash("value", form)
            if mark not in self._before:
                self._added.setdefault(mark, (entity, _PART))

    def known_as(self, value: str) -> str | None:
        """Say as what a value was found first; None where that is not known."""
        if not self.values:
            return None
        if found := self._known(self._hash("value", bare(value))):
            return found[0]
        if "USERNAME" in self.values and value[:1] in {"@", "u", "U", "/"}:
            form = bare(unified("USERNAME", value))
        elif "PHONE_NUMBER" in self.values and value[:1] in {"+", "0"}:
            form = dialled(value)
        else:
            return None
        found = self._known(self._hash("value", form))
        return found and found[0]

    def knows_word(self, word: str) -> bool:
        """Say whether a word is one of a name that was found in this session."""
        return len(word) >= _LEAST and self._known(self._hash("", normal(word))) is not None

    def knows_name(self, name: str) -> bool:
        """Say whether this is the whole name of somebody in this session, or a word of it."""
        return self.knows_word(name) or self._known(self._hash(NAMES, normal(name))) is not None

    def code(self, entity: str, value: str) -> bytes:
        """Give a keyed hash of a value, for what takes its place."""
        return self._hash("code:" + entity, normal(value))

    def _hash(self, entity: str, value: str) -> bytes:
        said = f"{entity}\0{value}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(said, key=self._key, digest_size=HASH_BYTES).digest()
