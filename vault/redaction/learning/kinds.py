"""Draws values of the kinds that are no names, and what only looks like them."""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

Rng = np.random.Generator
Person = Callable[[Rng], tuple[str, str]]

MARKS: Final = {
    "#": string.digits,
    "@": string.ascii_uppercase,
    "%": string.ascii_lowercase,
    "*": string.ascii_uppercase + string.digits,
    "&": "0123456789abcdef",
}
"""Signs of a shape, and what each is drawn from."""

CALLED: Final = {"PHONE", "CARD", "PLATE", "MEDICAL_ID", "NATIONAL_ID", "BANK_ACCOUNT", "SSN", "PASSPORT"}
"""Kinds that are said on the telephone."""


@dataclass(frozen=True, slots=True)
class Source:
    """What values are drawn from: shapes by kind, labels by kind, frames; names and cities."""

    shapes: dict[str, tuple[str, ...]]
    labels: tuple[tuple[str, str, tuple[str, ...]], ...]  # kind, language, labels
    frames: tuple[str, ...]
    ways: dict[str, tuple[str, ...]]  # of writing: dates, streets, sentences, words
    person: Person
    city: Callable[[Rng], str]

    @property
    def said(self) -> frozenset[str]:
        """Words that say a number or a letter: alone they tell nothing; they may be a whole value."""
        words = [word for name in ("SPOKEN", "NATO", "SAID") for word in self.ways.get(name, ())]
        return frozenset(form for word in words for form in (word, word.lower(), word.title()))

    @classmethod
    def gathered(cls, folder: Path, person: Person, city: Callable[[Rng], str]) -> Source:
        """Read the lists; without them there is nothing to draw from."""

        def lines(name: str) -> list[str]:
            path = folder / "lists" / f"{name}.txt"
            return path.read_text("utf-8").splitlines() if path.exists() else []

        def table(name: str) -> dict[str, tuple[str, ...]]:
            rows = ([part.strip() for part in line.split(" | ")] for line in lines(name))
            return {row[0]: tuple(part.replace("\\n", "\n") for part in row[1:]) for row in rows}

        labels = []
        for line in lines("labels"):
            head, _, tail = line.partition(" | ")
            kind, _, language = head.partition(".")
            labels.append((kind, language, tuple(one.strip() for one in tail.split(","))))
        frames = tuple(line.replace("\\n", "\n") for line in lines("frames"))
        return cls(table("shapes"), tuple(labels), frames, table("ways"), person, city)


def one(choices: Sequence[str], rng: Rng) -> str:
    """Draw one of some."""
    return choices[int(rng.integers(len(choices)))]


def shaped(shape: str, rng: Rng) -> str:
    """Fill a shape."""
    return "".join(one(MARKS[sign], rng) if sign in MARKS else sign for sign in shape)


def date(source: Source, rng: Rng, first: int, last: int) -> str:
    """Draw a date, written in one of many ways."""
    year, month, day = (int(rng.integers(a, b)) for a, b in ((first, last), (1, 13), (1, 29)))
    names = [row.split()[month - 1] for row in source.ways["MONTHS"]]
    ending = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd"}.get(day, "th")
    if rng.random() < 0.04:
        number = source.ways["SPOKEN"]
        ordinal = one(source.ways["ORDINALS"], rng)
        spoken = f"{one(('nineteen', 'twenty'), rng)} {one(number[20:], rng)} {one(number[1:10], rng)}"
        return one((f"{ordinal} of {names[0]} {spoken}", f"{names[0]} {ordinal} {spoken}"), rng)
    text = one(source.ways["DATES"], rng).format(
        d=day, m=month, y=year, s=year % 100, th=ending, M=names[int(rng.integers(2))], M3=names[0][:3],
        Mde=names[2], Mes=names[3], Mfr=names[4], Mpt=names[5],
    )  # fmt: skip
    return text.lower() if rng.random() < 0.25 else text


def age(source: Source, rng: Rng) -> str:
    """Draw an age."""
    number = int(rng.integers(1, 100)) if rng.random() < 0.4 else int(rng.integers(14, 70))
    tens, ones = divmod(number, 10)
    spoken = source.ways["SPOKEN"]
    word = spoken[number] if number < 20 else spoken[18 + tens] + (f"-{spoken[ones]}" if ones else "")
    return one(source.ways["AGES"], rng).format(n=number, w=word)


def said(text: str, source: Source, rng: Rng) -> str:
    """Say a value letter by letter and digit by digit, as on the telephone."""
    nato = {word[0].lower(): word for word in source.ways["NATO"]} if rng.random() < 0.5 else {}
    digits = source.ways["SPOKEN"]
    zero = one(("oh", "zero"), rng)
    out: list[str] = []
    for sign in text:
        if sign.isdigit():
            word = zero if sign == "0" else digits[int(sign)]
            if out and out[-1] == word:
                out[-1] = f"double {word}"
                continue
        elif sign.isalpha():
            word = nato.get(sign.lower(), sign)
        elif sign in "-/ " and out and rng.random() < 0.4:
            if sign != " ":
                out.append({"-": "dash", "/": "slash"}[sign])
            else:
                out[-1] = out[-1].rstrip(",") + ","
            continue
        else:
            continue
        out.append(word)
    return " ".join(out).rstrip(",") or text


def address(source: Source, rng: Rng) -> str:
    """Draw an address."""
    first, last = source.person(rng)
    ways, draw = source.ways, rng.integers
    forms = {form: one(ways[f"WAYS.{form}"], rng) for form in ("en", "de", "es", "fr", "pt")}
    british = ("@@# #@@", "@@## #@@", "@# #@@", "@## #@@", "@@##@@", "@#@ #@#")
    text = one(ways["STREETS"], rng).format(
        n=int(draw(1, 10 ** int(draw(1, 5)))),
        a=int(draw(1, 60)),
        l=one("abcAB", rng),
        B=one("ABCD", rng),
        name=one((last, last, one(ways["WORDS"], rng).title(), source.city(rng)), rng),
        name2=first,
        city=source.city(rng),
        zip=shaped(one(("#####", "#####", "####", "######"), rng), rng),
        ST=shaped("@@", rng),
        cep=shaped(one(("#####-###", "####-###"), rng), rng),
        uk=shaped(one(british, rng), rng),
        **forms,
    )
    return text.lower() if rng.random() < 0.2 else text


def handle(source: Source, rng: Rng) -> str:
    """Draw a user name."""
    first, last = (name.lower().replace(" ", "").replace("'", "") for name in source.person(rng))
    word, other = one(source.ways["WORDS"], rng), one(source.ways["WORDS"], rng)
    digits = str(int(rng.integers(1, 10 ** int(rng.integers(1, 5)))))
    text = one(
        (
            f"{first}_{last}",
            f"{first}.{last}",
            f"{first}{digits}",
            f"{first[:1]}{last}",
            f"{first}_{digits}",
            f"{last}{digits}",
            f"{word}_{other}",
            f"{word}{other}{digits}",
            f"{word}.{first}",
            f"{first}.{word}_{digits}",
            f"xX_{word}_Xx",
            f"{word}{digits}",
            *(
                f"{word.title()}{other.title()}",
                f"{word.title()}{other.title()}{digits}",
                f"{first}_the_{word}",
                f"{first[0]}.{last}",
            ),
            f"{first}{last[:1]}",
            f"the_{word}_{other}",
            f"{word}_{digits}",
            f"real{first}",
            f"{first}__{word}",
            f"{first}-{word}",
            first,
            word + other,
        ),
        rng,
    )
    return f"@{text}" if rng.random() < 0.2 else text


def secret(source: Source, rng: Rng) -> str:
    """Draw a password, a PIN, a key."""
    draw = rng.random()
    word, other = one(source.ways["WORDS"], rng), one(source.ways["WORDS"], rng)
    if draw < 0.2:
        return shaped(one(("####", "####", "######", "#####", "### ###", "#-#-#-#"), rng), rng)
    if draw < 0.3:
        size = int(rng.integers(8, 41))
        alphabet = string.ascii_letters + string.digits
        head = one(
            ("", "", "sk-", "sk_live_", "ghp_", "AKIA", "xoxb-", "tok_", "pk_test_", "glpat-", "eyJ"), rng
        )
        return head + "".join(one(alphabet, rng) for _ in range(size))
    if draw < 0.34:
        return " ".join(one(source.ways["WORDS"], rng) for _ in range(int(rng.integers(4, 13))))
    sign = one(("!", "!", "#", "$", "_", "-", "?", "@", "*", ".", "!!", "", ""), rng)
    digits = str(int(rng.integers(1, 10 ** int(rng.integers(1, 5)))))
    swapped = word.replace("a", "4").replace("e", "3") if rng.random() < 0.3 else word.replace("o", "0")
    return one(
        (
            *(
                f"{word.title()}{digits}{sign}",
                f"{word.title()}{sign}{digits}",
                f"{word}{digits}",
                f"{swapped.title()}{sign}{digits}",
            ),
            *(
                f"{word.title()}{other.title()}{digits}",
                f"{word}-{other}-{digits}",
                f"{word}_{other}{sign}",
                f"{word.title()}_{digits}{sign}",
            ),
            *(
                f"{word}{other}",
                f"{digits}{word.title()}{sign}{other.title()}",
                shaped("@%#%@#%#", rng),
                shaped("%%%-###-%%%", rng),
                word,
                shaped("@@%%##!%", rng),
            ),
        ),
        rng,
    )


def mail(source: Source, rng: Rng) -> str:
    """Draw an address of mail, now and then as it is spoken."""
    name, server = handle(source, rng).lstrip("@").lower(), one(source.ways["SERVERS"], rng)
    if rng.random() < 0.2:
        return f"{name} at {server.replace('.', ' dot ')}"
    return f"{name} @ {server}" if rng.random() < 0.1 else f"{name}@{server}"


def site(source: Source, rng: Rng) -> str:
    """Draw the address of somebody's page."""
    ending = one(("com", "net", "de", "me", "example", "io", "fr", "com.br"), rng)
    head, tail = one(("", "https://", "www.", "http://www."), rng), one(("", "", "/", "/about", "/cv"), rng)
    return f"{head}{handle(source, rng).lstrip('@').lower()}.{ending}{tail}"


def value(kind: str, source: Source, rng: Rng) -> str:  # noqa: C901, PLR0911 (one for each kind)
    """Draw a value of a kind."""
    match kind:
        case "DOB":
            return date(source, rng, 1935, 2018)
        case "DATE":
            first, last = (2018, 2028) if rng.random() < 0.8 else (1400, 2018)
            return date(source, rng, first, last)
        case "AGE":
            return age(source, rng)
        case "ADDRESS":
            return address(source, rng)
        case "USERNAME":
            return handle(source, rng)
        case "SECRET":
            return secret(source, rng)
        case "EMAIL":
            return mail(source, rng)
        case "URL":
            return site(source, rng)
        case "WORD":
            return one(source.ways["WORDS"], rng)
    text = shaped(one(source.shapes[kind], rng), rng)
    if kind in CALLED and rng.random() < 0.06:
        return said(text, source, rng)
    return text.lower() if rng.random() < 0.25 else text


def written(kind: str, text: str) -> str:
    """Mark a value, if its kind is personal."""
    return text if kind[:1] == "-" or kind == "DATE" else f"[[{kind} {text}]]"


FIELDS: Final = (
    "{}: {}",
    "{}: {}",
    "{}: {}",
    "{} {}",
    "{} = {}",
    "{}={}",
    '"{}": "{}"',
    "{} is {}",
    "{}:{}",
    "{} - {}",
    "- {}: {}",
    "**{}:** {}",
    "{}\n{}",
    "| {} | {} |",
    "{} # {}",
)


def _styled(label: str, rng: Rng) -> str:
    """Write a label as people do, or as programs do."""
    draw = rng.random()
    if draw < 0.5:
        return label
    if draw < 0.65:
        return label.title()
    if draw < 0.75:
        return label.upper()
    return label.replace(" ", "_").lower() if draw < 0.9 else label.lower()


def labelled(source: Source, rng: Rng) -> str:
    """Make a few values with the words that tell what they are: a form, or sentences."""
    weights = rng.random() < 0.6  # more private than not, or the other way round
    count = 1 + int(rng.random() < 0.4) * int(rng.integers(1, 5))
    form = rng.random() < 0.5
    frame = one(FIELDS, rng)
    private = [row for row in source.labels if row[0][0] != "-"]
    others = [row for row in source.labels if row[0][0] == "-"]
    language = one(("en", "en", "en", "de", "es", "fr", "pt"), rng)
    parts = []
    for _ in range(count):
        rows = private if (rng.random() < 0.85) == weights else others
        spoken = [row for row in rows if row[1] == language] or rows
        kind, tongue, labels = spoken[int(rng.integers(len(spoken)))]
        label = one(labels, rng)
        how = frame if form else one(source.ways[f"SENTENCES.{tongue}"], rng)
        drawn = written(kind, value(kind.lstrip("-"), source, rng))
        parts.append(how.format(_styled(label, rng) if form else label, drawn))
    return one(("\n", ", ") if form else (" ", ". ", "\n", ", "), rng).join(parts)


__all__ = ["Source", "labelled", "value", "written"]
