"""Makes texts full of ids, valid and nearly valid, of every recognizer that Presidio has. Nobody has them."""

from __future__ import annotations

import random
import re
import string
from typing import Any

_PARSER: Any = re._parser  # type: ignore[attr-defined]
_OTHER_DIGITS = ("٠١٢٣٤٥٦٧٨٩", "０１２３４５６７８９", "०१२३४५६७८९", "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗")
_NOISE = "éßſKİıñ中文я\u200b\u00a0\u3000\u0301²½–—’„…\u202e\ufeff😀\ud800\x00\x1f\x0b_"
_WORDS = [
    *(
        "my",
        "the",
        "is",
        "was",
        "number",
        "card",
        "call",
        "please",
        "order",
        "ssn",
        "passport",
        "dob",
        "born",
        "iban",
    ),
    *(
        "bank",
        "account",
        "member",
        "license",
        "plate",
        "driver",
        "tax",
        "id",
        "phone",
        "email",
        "medical",
        "policy",
    ),
    *(
        "insurance",
        "dni",
        "nif",
        "nie",
        "pesel",
        "nhs",
        "nino",
        "aadhaar",
        "pan",
        "voter",
        "company",
        "date",
        "social",
    ),
    *(
        "security",
        "routing",
        "aba",
        "kennzeichen",
        "führerschein",
        "steuer",
        "reisepass",
        "krankenkasse",
        "plaka",
    ),
    *("주민등록번호", "여권", "ประชาชน", "hetu", "the:x", "a:b", "don't", "u.s.", "12:30", "be", "-PRON-"),
]
_SEPARATORS = [
    " ",
    " ",
    " ",
    " ",
    "\n",
    ", ",
    ": ",
    ". ",
    "",
    "-",
    "\t",
    "(",
    ")",
    "'",
    '"',
    "/",
    "@",
    "\u00a0",
]


class Texts:
    """An endless source of texts, the same for the same seed."""

    def __init__(self, patterns: list[str], seed: int = 7) -> None:
        self.random = random.Random(seed)
        self.trees: list[Any] = []
        for pattern in patterns:
            try:
                self.trees.append(_PARSER.parse(_plain(pattern)))
            except (re.error, RecursionError):
                continue

    def text(self) -> str:
        """One text: words, values that match a pattern or nearly do, and noise."""
        pieces: list[str] = []
        for _ in range(self.random.randint(2, 9)):
            kind = self.random.random()
            if kind < 0.45:
                pieces.append(self.random.choice(_WORDS))
            elif kind < 0.93:
                pieces.append(self._disturbed(self._some(self.random.choice(self.trees))))
            else:
                pieces.append(self.random.choice(_NOISE))
            pieces.append(self.random.choice(_SEPARATORS))
        return "".join(pieces)

    def _disturbed(self, value: str) -> str:
        chance = self.random.random()
        if value and chance < 0.12:
            at = self.random.randrange(len(value))
            instead = self.random.choice(
                [self.random.choice(_NOISE), self.random.choice(string.printable), ""]
            )
            return value[:at] + instead + value[at + 1 :]
        if chance < 0.2:
            digits = self.random.choice(_OTHER_DIGITS)
            return "".join(digits[int(c)] if c.isascii() and c.isdigit() else c for c in value)
        if chance < 0.26:
            return value.swapcase()
        return value

    def _some(self, tree: Any) -> str:
        return "".join(self._one(str(operation), value) for operation, value in tree)

    def _one(self, operation: str, value: Any) -> str:
        pick = self.random
        match operation:
            case "LITERAL":
                return chr(value)
            case "NOT_LITERAL" | "ANY":
                return pick.choice("a7 -")
            case "IN":
                return self._of_class(value)
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                least, most, body = value
                times = pick.randint(least, min(int(most), least + 3))
                return "".join(self._some(body) for _ in range(times))
            case "SUBPATTERN":
                return self._some(value[3])
            case "ATOMIC_GROUP":
                return self._some(value)
            case "BRANCH":
                return self._some(pick.choice(value[1]))
            case _:
                return ""

    def _of_class(self, members: Any) -> str:
        pick = self.random
        operation, value = str(members[0][0]), members[0][1]
        if operation == "NEGATE":
            return pick.choice("ab1.")
        operation, value = pick.choice([(str(o), v) for o, v in members])
        if operation == "LITERAL":
            return chr(value)
        if operation == "RANGE":
            return chr(pick.randint(*value))
        named = {"CATEGORY_DIGIT": string.digits, "CATEGORY_SPACE": " \n\u00a0"}
        return pick.choice(named.get(str(value), "abz9_é"))


def _plain(pattern: str) -> str:
    """What Python's parser can read of a pattern: its look-behinds become text that stands before it."""
    flags = pattern.startswith("(?i)")
    body = pattern.removeprefix("(?i)").replace("(?<=", "(?:")
    return f"(?i){body}" if flags else body
