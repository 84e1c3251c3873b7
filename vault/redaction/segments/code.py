"""Code: fenced, inline, and lines that no prose looks like."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from vault.redaction.segments.pieces import Form, Taken, plain, value

FENCE = re.compile(r"^[ \t>]{0,20}+(`{3,}+|~{3,}+)([^\n`]*+)$", re.MULTILINE)
_ATTRIBUTES = re.compile(r"[={\[:]")
_TICKS = re.compile(r"`++")
_TICKS_FAR = 1_000  # characters that inline code holds at most
_CAPITAL = r"[^\W\d_a-z][^\W\d_]*+(?:['\u2019.-][^\W\d_]++)*+"
_WORDS = r"[\w'\u2019+@.-]++"
_NO_CODE = re.compile(
    rf"(?:{_CAPITAL}\.? ){{1,3}}{_CAPITAL}"  # a name
    r"|\+?[\d(][\d ()./-]{5,24}\d"  # a number
    r"|(?=\D*\d)(?=[^A-Z]*[A-Z])[A-Z\d]{1,8}(?:[ -][A-Z\d]{1,8}){1,4}"  # a plate
    r"|\d{1,5}[a-z]?,? [A-Z][\w'.-]*+(?:,? [\w'.-]++){1,9}"  # a street
    r"|(?=(?:.*? )?(?:my|your|our|his|her|i|i'm|is|are|am|the|we|you|dear|hi|hello|please)[ ,])"
    rf"{_WORDS}(?:[,:!?]? {_WORDS}){{3,80}}[!?]?",  # a sentence
)
"""What nobody writes in a program, and letters and answers set apart by backticks all the same."""

_STOP = re.compile('[`.!?,;()"\\n]')
_BEFORE_LENGTH = 60
_BEFORE_WORDS = 5

_LINE = re.compile(
    r"""
    ^(?=[^\n]{1,1000}+$)(?:>>>\ |\$\ |[ \t]*+)(?!["{\[<|]|\(['"\d-])(?:
        (?:async\ )?(?:def|function|func|fn|fun)\ [\w.]++(?:<[^>\n]{0,40}>)?\(
        | (?:export\ |public\ |abstract\ |final\ |pub\ )*+(?:class|interface|struct|enum|trait|impl|namespace)
            \ \w.*[{:(][ \t\r]*+$
        | from\ [\w.]++\ import\ \S | import\ [\w.]++[ \t\r]*+$
        | import\ [\w.{*"'].*(?:;|\ from\ ["'].*|\ as\ \w++)[ \t\r]*+$
        | \#include\ *+[<"] | \#!/ | package\ [\w.]++;?[ \t\r]*+$ | using\ [\w.:\ ]++;
        | (?:const|let|var|val|final|static|public|private|protected
            |int|float|double|char|bool|string|auto|void|long)
            \ [\w<>\[\]*&,\ ]++(?:[(=]|;[ \t\r]*+$|:.*=)
        | (?:if|elif|for|while|with|switch|match|catch|except)\b
            [^\n()=<>\[\]._]*+[()=<>\[\]._].*[:{][ \t\r]*+$
        | (?:\}[ \t]*+)?(?:else|try|finally|do|except)[ \t]*+[:{][ \t\r]*+$
        | (?:return|yield|raise|throw|await|assert|print|echo|puts)\b(?:;[ \t\r]*+$|[^\n(\[=;{_]*+[(\[=;{_])
        | (?:SELECT|INSERT\ INTO|UPDATE|DELETE\ FROM|CREATE\ TABLE|ALTER\ TABLE|DROP\ TABLE)\b
        | [\w.\[\]'"$*]++(?:\ ?:\ ?[\w\[\],|.]++)?+\ (?:[-+*/|&:]|\*\*)?=\ (?:
            .*[\w)\]]\( | .*[\[{;"'] | -?[\d.]++[ \t\r]*+$ | [\w.]++[ \t\r]*+$ )
        | (?:await\ )?[\w$]++(?:\.[\w$]++)*+\((?!\+?\d[\d\ ()/-]{6,}\)).*\)[ \t]*+[;,{]?[ \t\r]*+$
        | [^\n=(]*+(?:=|(?<!\ )\().*[)\]"'\w];[ \t\r]*+$ | [\w.>-]++\ \(.*\);[ \t\r]*+$
        | .*[)\w>]\ ?\{[ \t\r]*+$(?!\s*+(?:"[^"\n]{0,100}+"|'[^'\n]{0,100}+')[ \t]*+:)
        | .*(?:\)|["'\]]|[=(,]\ ?[\w$]++)\ ?=>[ \t]*+[\w({\[]
        | (?=[}\]]*+[);])[)}\]]++[;,)]++[ \t\r]*+$ | @[\w.]++\(.*\)[ \t\r]*+$
    )
    """,
    re.MULTILINE | re.VERBOSE,
)
"""What opens a bracket before a key in quotes is data, and what only closes some and goes on may be."""

_BETWEEN = re.compile(
    r"(?:[ \t\r]*+\n|[ \t]++\S.*+\n|[)\]}]+[;,]?[ \t\r]*+\n|(?:\#|//|/\*|\*|--)[^\n]*+\n|end[ \t\r]*+\n)*+"
)
_INDENTED = re.compile(r"(?:\ {4}|\t)")
_ENOUGH = 2  # lines


class Fence(NamedTuple):
    """A fenced block: all of it, what is inside, and the word that names its language."""

    start: int
    end: int
    inside: tuple[int, int]
    language: str


def fences(text: str) -> Iterator[Fence]:
    """Find the fenced blocks; one that nothing closes goes on to the end."""
    opening: re.Match[str] | None = None
    for found in FENCE.finditer(text):
        if opening is None:
            opening = found
        elif found[1].startswith(opening[1]) and not found[2].strip():
            yield _fence(opening, found.start(), found.end())
            opening = None
    if opening:
        yield _fence(opening, len(text), len(text))


def _fence(opening: re.Match[str], last: int, end: int) -> Fence:
    words = opening[2].split(maxsplit=1)
    inside = min(opening.end() + 1, last)
    # A sentence behind the signs names no language; attributes stand there.
    is_named = len(words) == 1 or (words and _ATTRIBUTES.search(words[1]))
    return Fence(opening.start(), end, (inside, last), words[0].lower() if is_named else "")


def inline_code(text: str, start: int, end: int) -> Iterator[Taken]:
    """Find code between backticks; the words before it on its line are its label, as they may name it."""
    runs = [found.span() for found in _TICKS.finditer(text, start, end)]
    closers = _next_of_same_length(runs)
    index = 0
    while index < len(runs):
        closer = closers[index]
        first = runs[index][1]
        if closer < 0 or runs[closer][0] - first > _TICKS_FAR or "\n\n" in text[first : runs[closer][0]]:
            index += 1
            continue
        last = runs[closer][0]
        said = text[first:last]
        label = _words_before(text, start, runs[index][0]) if said.strip() else ""
        form = Form.PROSE if _NO_CODE.fullmatch(said) else Form.CODE
        piece = value(first, last, said, label, _between_ticks, form)
        yield Taken(runs[index][0], runs[closer][1], piece)
        index = closer + 1


def _words_before(text: str, start: int, end: int) -> str:
    part = _STOP.split(text[max(start, end - _BEFORE_LENGTH) : end])[-1]
    return " ".join(part.split()[-_BEFORE_WORDS:]).rstrip(" :")


def _next_of_same_length(runs: list[tuple[int, int]]) -> list[int]:
    nearest: dict[int, int] = {}
    closers = [-1] * len(runs)
    for index in range(len(runs) - 1, -1, -1):
        length = runs[index][1] - runs[index][0]
        closers[index] = nearest.get(length, -1)
        nearest[length] = index
    return closers


def _between_ticks(text: str) -> str:
    return text.replace("`", "'")


def code_lines(text: str, start: int, end: int) -> Iterator[Taken]:
    """Find runs of lines that are code: two at least that could be nothing else, and what they enclose."""
    first = last = count = 0
    for found in _LINE.finditer(text, start, end):
        if found.start() < start or (found.start() and text[found.start() - 1] != "\n"):
            continue
        stop = text.find("\n", found.start(), end)
        stop = end if stop < 0 else stop
        if (
            count
            and (between := _BETWEEN.match(text, last, found.start()))
            and between.end() == found.start()
        ):
            count += 1
        else:
            if _is_code(text, first, count):
                yield _taken(text, first, last, end)
            first, count = found.start(), 1
        last = min(stop + 1, end)
    if _is_code(text, first, count):
        yield _taken(text, first, last, end)


def _is_code(text: str, first: int, count: int) -> bool:
    return count >= _ENOUGH or (count == 1 and _INDENTED.match(text, first) is not None)


def _taken(text: str, first: int, last: int, end: int) -> Taken:
    """Take the run with the indented lines that end it."""
    tail = _BETWEEN.match(text, last, end)
    if tail and (found := text[last : tail.end()].rstrip()):
        last += len(found)
    return Taken(first, last, list(plain(text, first, last, Form.CODE)))
