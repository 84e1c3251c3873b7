"""Words of a text, and what can be said of each word without its neighbours. Pure functions."""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Container, Iterable, Mapping
from itertools import accumulate
from typing import Final

LONGEST: Final = 48
"""Letters or digits of one token at most: what is longer is no name, and is cut."""

BUCKETS: Final = 49157
"""Rows of the table that features are hashed into."""

_MARKS = "\u0300-\u036f"
_TOKEN: Final = re.compile(
    rf" ?(?:[^\W\d_]{{1,{LONGEST}}}+(?!\d)"
    rf"(?:(?:[{_MARKS}]{{1,8}}|['’](?![sS]\b))[^\W\d_]{{1,{LONGEST}}}){{0,4}}"  # noqa: RUF001
    rf"|[^\W_]{{1,{LONGEST}}}|[^\w\s]|_)|\s+"
)
_FEW: Final = 4
_KEPT: Final = 6
"""A token of letters and digits up to this length keeps its letters: 34yo, 3pm, mp3."""

_DAYS: Final = 31
_DIGITS: Final = re.compile(r"\d+")
_RUNS: Final = re.compile(r"7+|a+|A+|x+|X+|\D")
_HEX: Final = frozenset("0123456789abcdefABCDEF")


def tokens(text: str) -> list[str]:
    """Cut a text into tokens that make it up again when joined; a word carries the one space before it."""
    return _TOKEN.findall(text)


def ends(words: Iterable[str]) -> list[int]:
    """Say where each token ends in the text."""
    return list(accumulate(map(len, words)))


def folded(word: str) -> str:
    """Lower a word and take its accents off."""
    low = word.lower()
    if low.isascii():
        return low
    return "".join(c for c in unicodedata.normalize("NFKD", low) if not unicodedata.combining(c)) or low


def phrase(words: Iterable[str]) -> str:
    """Give the words among some tokens, folded."""
    bare = (word.strip() for word in words)
    return " ".join(folded(word) for word in bare if word[:1].isalnum())


def shape(word: str) -> str:  # noqa: PLR0911 (one for each way)
    """Say how a word is written: its case, its digits, or the sign itself."""
    if word.isdigit():
        return f"d{min(len(word), 20)}"
    if is_mixed(word):
        return "m"
    if not word.isalpha() and not word[0].isalpha():
        return "\n" if "\n" in word else word[:1]
    if word.islower():
        return "x"
    if word.isupper():
        return "X" if len(word) == 1 else "XX"
    if word[0].isupper() and word[1:].islower():
        return "Xx"
    if word[0].isupper():
        return "XxX"
    return "xX"


def is_mixed(word: str) -> bool:
    """Say whether a token holds both letters and digits."""
    return len(word) > 1 and not word.isdigit() and not word.isalpha() and word.isalnum()


def number(digits: str) -> str:
    """Reduce a number to what it may be: a day, a year, one with a leading zero, of so many digits."""
    size = len(digits)
    if size == _FEW and digits[:2] in {"19", "20"}:
        return "1999" if digits[0] == "1" else "2022" if digits[2:3] == "2" else "2010"
    if size > 1 and digits[0] == "0":
        return "0" + "7" * (size - 1)
    if size == 2 and digits.isdecimal() and int(digits) <= _DAYS:  # noqa: PLR2004 (two digits)
        return "27"
    return "7" * size


def blurred(word: str) -> str:
    """Reduce a token of letters and digits: short to its letters, long to how it is written."""
    if len(word) <= _KEPT:
        return _DIGITS.sub(lambda run: "7" * len(run[0]), word)
    small, great = ("a", "A") if _HEX.issuperset(word) else ("x", "X")
    return "".join("7" if c.isdigit() else great if c.isupper() else small for c in word)


def key(token: str) -> str:
    """Reduce tokens that mean the same to one: long runs of white space, numbers, codes written alike."""
    if token.isspace():
        return "\n" * min(token.count("\n"), 2) or "  "
    if token.isalpha():
        return token
    bare = token.lstrip(" ")
    space = token[: len(token) - len(bare)]
    if bare.isdigit():
        return space + number(bare)
    return space + blurred(bare) if is_mixed(bare) else token


def features(token: str, kinds: Mapping[str, int]) -> list[str]:
    """Name the features of a token. `kinds` says, as bits, which lists a folded word stands in."""
    glued = token[:1] != " "
    word = token if token.isspace() else token[1:] if token[:1] == " " else token
    how = shape(word)
    plain = folded(word)
    out = [f"s{how}", f"w{plain}", f"g{glued}{how}"]
    if how == "m":
        return out + _written(word)
    if not plain[0].isalpha():
        return out
    found = kinds.get(plain, 0)
    if not found and "'" in plain:
        found = kinds.get(plain.replace("'", ""), 0)
    out.append(f"k{found}{how}")
    out.extend(f"b{bit}{how}" for bit in range(16) if found >> bit & 1)
    out.extend(f"b{bit}" for bit in range(16) if found >> bit & 1)
    out.append(f"l{min(len(plain), 12)}{how}")
    low = word.lower()
    if low != plain:
        out.append(f"W{low}")
        out.extend(f"a{c}" for c in low if ord(c) > 127)  # noqa: PLR2004 (beyond ASCII)
    edged = f"<{plain}>"
    for size in (3, 4, 5):
        out.extend(f"n{edged[i : i + size]}" for i in range(len(edged) - size + 1))
    out.extend((f"p{plain[:2]}{how}", f"f{plain[-2:]}{how}", f"f{plain[-3:]}{how}"))
    return out


def _written(word: str) -> list[str]:
    """Name the features of a token of letters and digits, reduced."""
    runs = _RUNS.findall(word)
    digits = word.count("7")
    signs = (run[0] if run[0] in "7aAxX" else "x" if run.islower() else "X" for run in runs)
    classes = "".join(sorted(set(signs)))
    pattern = "".join(f"{run[0]}{min(len(run), 9)}" for run in runs[:12])
    return [
        f"ml{min(len(word), 40)}",
        f"md{min(digits, 12)}l{min(len(word) - digits, 12)}",
        f"mc{classes}{min(len(runs), 8)}",
        f"mr{pattern}",
        f"mp{word[:2]}",
        f"mP{word[:3]}",
        f"mf{word[-2:]}",
        f"mF{word[-3:]}",
        f"mn{min(len(runs), 12)}",
    ]


def hashed(names: Iterable[str]) -> list[int]:
    """Give each feature its row."""
    return [zlib.crc32(name.encode("utf-8", "surrogatepass")) % BUCKETS for name in names]


def may_name(token: str, plain: Container[str]) -> bool:
    """Say whether a token could be a name or a value, or the word of one that tells it."""
    word = token.strip()
    return word[:1].isalnum() and word not in plain
