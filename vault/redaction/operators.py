"""What takes the place of a finding."""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Callable
from typing import Final

from vault.redaction.findings import Finding
from vault.redaction.memory import Memory

_DAY: Final = re.compile(r"\d{4}([-/.])\d\d?\1\d\d?|\d\d?([-/.])\d\d?\2\d{4}")
_NUMBER: Final = re.compile(r"\d+")

Operator = Callable[[Finding, str, Memory], str]

_SHOWN = 4  # characters that a mask leaves of a long number, as on a receipt
_LONG = 12
# fmt: off
_FIRST = [
    "Ada", "Alma", "Anouk", "Aron", "Bela", "Carl", "Dara", "Edda", "Elif", "Emil", "Enzo", "Faye",
    "Finn", "Gil", "Hana", "Ida", "Ilse", "Ines", "Ivo", "Jana", "Jon", "Juno", "Kai", "Kim",
    "Lars", "Lea", "Lina", "Lou", "Luca", "Mara", "Mika", "Milo", "Nia", "Nils", "Noa", "Nora",
    "Ola", "Pia", "Remy", "Rhea", "Romy", "Sami", "Sina", "Suri", "Tara", "Timo", "Uma", "Vera",
    "Wim", "Yara", "Zoe",
]
# fmt: on
# fmt: off
_LAST = [
    "Adler", "Baird", "Beck", "Berg", "Bloom", "Boyd", "Brandt", "Carver", "Cole", "Dahl", "Dean",
    "Ellis", "Falk", "Flint", "Frost", "Gale", "Grant", "Hale", "Hart", "Holm", "Hunt", "Keller",
    "Kerr", "Kline", "Lake", "Lang", "Lowe", "Marsh", "Moss", "Nash", "Noble", "Nord", "Park",
    "Pike", "Quill", "Reed", "Rowe", "Sand", "Shaw", "Snow", "Stone", "Strand", "Thorn", "Vale",
    "Voss", "Wade", "Ward", "West", "Wolf", "York",
]
# fmt: on


def placeholder(finding: Finding, value: str, memory: Memory) -> str:
    """`<PERSON_1>`: the same for the same value all through a session."""
    return f"<{finding.entity}_{memory.number(finding.entity, value)}>"


def _says_something(finding: Finding, character: str) -> bool:
    """Say whether a sign is part of the value: many scripts have marks for vowels, passwords any sign."""
    if finding.entity == "SECRET":
        return not character.isspace()
    return character.isalnum() or (not character.isascii() and unicodedata.category(character)[0] == "M")


def mask(finding: Finding, value: str, memory: Memory) -> str:  # noqa: ARG001 (an operator's signature)
    """Cover every letter and digit, of a secret every sign; of a long number the last four digits stay."""
    digits = sum(character.isdigit() for character in value)
    shown = _SHOWN if digits >= _LONG and finding.entity != "SECRET" else 0
    covered = []
    for character in value:
        if not _says_something(finding, character):
            covered.append(character)
            continue
        digits -= character.isdigit()
        covered.append(character if character.isdigit() and digits < shown else "*")
    return "".join(covered)


def hashed(finding: Finding, value: str, memory: Memory) -> str:
    """`<PERSON:9f86d081>`: a keyed hash, which nobody can try names against."""
    return f"<{finding.entity}:{memory.code(finding.entity, value).hex()[:12]}>"


def drop(finding: Finding, value: str, memory: Memory) -> str:  # noqa: ARG001 (an operator's signature)
    """Leave nothing."""
    return ""


def surrogate(finding: Finding, value: str, memory: Memory) -> str:
    """Put an invented value of the same kind there, the same for the same value."""
    code = memory.code(finding.entity, value)
    if finding.entity == "PERSON":
        first = _FIRST[code[0] % len(_FIRST)]
        return f"{first} {_LAST[code[1] % len(_LAST)]}" if " " in value.strip() else first
    if finding.entity == "EMAIL_ADDRESS":
        return f"user-{code.hex()[:8]}@example.com"
    drawn = iter(code * (len(value) // len(code) + 1))
    if finding.entity == "DATE_OF_BIRTH" and _DAY.fullmatch(value):
        return _NUMBER.sub(lambda found: _another_part(found[0], next(drawn)), value)
    return "".join(
        _another(character, next(drawn)) if _says_something(finding, character) else character
        for character in value
    )


def _another_part(part: str, drawn: int) -> str:
    """Give another year, or a day that may as well be a month: what was a date is one."""
    number = 1930 + drawn % 70 if len(part) > 2 else 1 + drawn % (12 if len(part) > 1 else 9)  # noqa: PLR2004
    return f"{number:0{len(part)}}"


def _another(character: str, drawn: int) -> str:
    if character.isdigit():
        return str(drawn % 10)
    letters = string.ascii_uppercase if character.isupper() else string.ascii_lowercase
    return letters[drawn % len(letters)]


def keep(finding: Finding, value: str, memory: Memory) -> str:  # noqa: ARG001 (an operator's signature)
    """Leave it as it is."""
    return value


OPERATORS: dict[str, Operator] = {
    "placeholder": placeholder,
    "mask": mask,
    "hash": hashed,
    "drop": drop,
    "surrogate": surrogate,
    "keep": keep,
}
# What these write tells which value it stands for. Stars could be anybody's.
TELLING = frozenset({"placeholder", "hash", "surrogate"})
