"""What a session remembers of the values that were replaced in it: keyed hashes and numbers, never a value.

It is sealed with the session and dies with it. The same value gets the same number as long as the session
lives, in every process. What was found once is known again where nothing around tells what it is: the words
of a name, and a value that is one word and can be nothing else.
"""

from __future__ import annotations

import bisect
import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping

from vault.redaction.everyday import is_written_as_a_name
from vault.redaction.findings import Finding, Ground
from vault.redaction.folding import unbroken

Known = Mapping[bytes, tuple[str, int]]

HASH_BYTES = 16
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-](?![sS]\b)[^\W\d_]+)*")
_NUMBERED = re.compile(r"<([A-Z][A-Z0-9_]{1,39})_(\d{1,5})>")  # a higher number is never reached
_PART = 0  # the number of what is only to be known again: one word of a name, or a value
_PARTS = "PERSON"
_LEAST = 3  # letters; a shorter word is too often another one
_SIGNS = r"[^\s\"'`<>()\[\]{},;|\u2018-\u201e]"
_NUMBERED_VALUE = rf"(?<![\w@./-])(?=[^\s\d]{{0,63}}\d){_SIGNS}{{6,64}}"
_NUMBERS = re.compile(_NUMBERED_VALUE)
_NUMBERS_AND_WORDS = re.compile(rf"{_NUMBERED_VALUE}|(?<![\w@./-]){_SIGNS}{{10,64}}")
_VALUE = re.compile(rf"{_SIGNS}{{6,64}}")
_BETWEEN = str.maketrans("", "", " .-/")
_AFTER = ".,:;!?*_~"
_DIGITS = 4  # that a value has at least, or it is a word
_SECRET = 10  # letters of a password that are no word by chance
# What is told by the words around it, or is a word like others.
_UNTOLD = frozenset(
    {"PERSON", "LOCATION", "ORGANIZATION", "ADDRESS", "AGE", "DATE_OF_BIRTH", "DENIED", "URL"}
)


def normal(value: str) -> str:
    """Give the form in which two writings of a value are the same."""
    return " ".join(unicodedata.normalize("NFKC", unbroken(value).text).casefold().split())


class Memory:
    """The numbers of one session's placeholders: what is known of it, and what a message adds."""

    def __init__(self, key: bytes, known: Known) -> None:
        self._key = key
        self._before = dict(known)
        self._added: dict[bytes, tuple[str, int]] = {}
        self._counts: Counter[str] = Counter()
        self._knows_names = self._knows_values = self._knows_words = False
        for entity, number in known.values():
            self._counts[entity] = max(self._counts[entity], number)
            self._knows_names |= number == _PART and entity == _PARTS
            self._knows_values |= number == _PART and entity != _PARTS
            self._knows_words |= number == _PART and entity == "SECRET"

    @property
    def known(self) -> dict[bytes, tuple[str, int]]:
        """Give all that is to be remembered from now on."""
        return {**self._before, **self._added}

    @property
    def knows(self) -> bool:
        """Say whether there is anything to be known again."""
        return self._knows_names or self._knows_values

    @property
    def size(self) -> int:
        """Give how much was added: as long as it is the same, the same text has the same names."""
        return len(self._added)

    @property
    def has_grown(self) -> bool:
        """Say whether there is anything new to remember."""
        return bool(self._added)

    def number(self, entity: str, value: str) -> int:
        """Give the number of a value: the one that it has, or the next."""
        mark = self._hash(entity, normal(value))
        found = self._before.get(mark) or self._added.get(mark)
        if found is None:
            self._counts[entity] += 1
            found = self._added[mark] = entity, self._counts[entity]
        return found[1]

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
            mark = self._hash(entity, value)
            if number > before[entity] and mark not in self._before:
                self._added[mark] = entity, number
                self._counts[entity] = max(self._counts[entity], number)

    def leave(self, text: str) -> None:
        """Leave the numbers of the placeholders that a text came with to it: no value gets one of them."""
        if "<" in text:
            for entity, number in _NUMBERED.findall(text):
                self.reserve(entity, int(number))

    def keep(self, name: str) -> None:
        """Remember the words of a person's name, so that they are found wherever they stand."""
        for word in _WORD.findall(unbroken(name).text):
            if len(word) >= _LEAST:
                mark = self._hash("", normal(word))
                self._knows_names = True
                if mark not in self._before:
                    self._added[mark] = _PARTS, _PART

    def keep_value(self, entity: str, value: str) -> None:
        """Remember a value, so that it is found where nothing says what it is; not a mere word."""
        if entity not in _UNTOLD and _tells(entity, value):
            mark = self._hash("value", _bare(value))
            self._knows_values = True
            self._knows_words |= not any(map(str.isdigit, value))
            if mark not in self._before:
                self._added.setdefault(mark, (entity, _PART))

    def known_as(self, value: str) -> str | None:
        """Say as what a value was found first; None where that is not known."""
        if not self._knows_values:
            return None
        mark = self._hash("value", _bare(value))
        found = self._before.get(mark) or self._added.get(mark)
        return found and found[0]

    def recall(self, text: str, found: Iterable[Finding]) -> list[Finding]:
        """Find what this session knows, where nothing is found already; findings are disjoint."""
        taken = sorted((one.start, one.end) for one in found)
        values = self._recall_values(text, taken) if self._knows_values else []
        if not self._knows_names:
            return values
        if values:
            taken = sorted([*taken, *((one.start, one.end) for one in values)])
        return [*values, *self._recall_names(text, taken)]

    def _recall_values(self, text: str, taken: list[tuple[int, int]]) -> list[Finding]:
        starts = [start for start, _ in taken]
        values: list[Finding] = []
        plain = unbroken(text)
        like = _NUMBERS_AND_WORDS if self._knows_words else _NUMBERS
        for match in like.finditer(plain.text):
            said = match[0].rstrip(_AFTER)
            entity = self.known_as(said) if _tells("SECRET", said) else None
            if entity is None:
                continue
            start, end = plain.span(match.start(), match.start() + len(said))
            before = bisect.bisect_left(starts, end) - 1
            if before < 0 or taken[before][1] <= start:
                values.append(Finding(entity, start, end, 1.0, "memory", Ground.PATTERN))
        return values

    def _recall_names(self, text: str, taken: list[tuple[int, int]]) -> list[Finding]:
        starts = [start for start, _ in taken]
        marks: dict[str, bool] = {}
        names: list[Finding] = []
        plain = unbroken(text)
        for match in _WORD.finditer(plain.text):
            word, (start, end) = match[0], plain.span(*match.span())
            if len(word) < _LEAST:
                continue
            if word not in marks:
                mark = self._hash("", normal(word))
                marks[word] = mark in self._before or mark in self._added
            if not marks[word] or not is_written_as_a_name(plain.text, *match.span()):
                continue
            before = bisect.bisect_left(starts, end) - 1  # the last finding that begins before the word's end
            if before >= 0 and taken[before][1] > start:
                continue
            if names and start - names[-1].end <= 1 and not text[names[-1].end : start].strip(" "):
                start = names.pop().start
            names.append(Finding(_PARTS, start, end, 1.0, "memory", Ground.PATTERN))
        return names

    def code(self, entity: str, value: str) -> bytes:
        """Give a keyed hash of a value, for what takes its place."""
        return self._hash("code:" + entity, normal(value))

    def _hash(self, entity: str, value: str) -> bytes:
        said = f"{entity}\0{value}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(said, key=self._key, digest_size=HASH_BYTES).digest()


def _bare(value: str) -> str:
    """Give the form in which two writings of a number, too, are the same."""
    return normal(value.strip(_AFTER)).translate(_BETWEEN)


def _tells(entity: str, value: str) -> bool:
    """Say whether a value is one word, and none that could stand there by itself."""
    bare = value.strip(_AFTER)
    if _VALUE.fullmatch(bare) is None:
        return False
    digits = sum(map(str.isdigit, bare))
    if digits >= _DIGITS or (digits and not bare.isalnum()):
        return True
    return entity == "SECRET" and len(bare) >= _SECRET
