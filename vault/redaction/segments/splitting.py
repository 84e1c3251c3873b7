"""Which kinds of structure are looked for in a text, in which order, and when none needs to be."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from vault.redaction.segments.bodies import bodies
from vault.redaction.segments.code import Fence, code_lines, fences, inline_code
from vault.redaction.segments.labels import is_key
from vault.redaction.segments.lines import (
    aliases,
    boundaries,
    cards,
    hunks,
    inline_tables,
    keyed_lines,
    logged_lines,
)
from vault.redaction.segments.literals import documents, is_literal, is_string, literals
from vault.redaction.segments.mails import encoded_parts, form_fields, mail_ids, may_hold_mail
from vault.redaction.segments.markup import is_markup, markup
from vault.redaction.segments.pieces import Check, Form, Piece, Taken, may_hold_blob, plain, unhurried
from vault.redaction.segments.sections import SECTION
from vault.redaction.segments.statements import code_and_statements, copies, statements
from vault.redaction.segments.tables import markdown_tables, separated_values

_Find = Callable[[str, int, int], Iterable[Taken]]
_Stretch = tuple[int, int]

_LITERAL = frozenset({"json", "jsonc", "json5", "jsonl", "ndjson", "geojson"})
_MARKED = frozenset({"html", "xml", "xhtml", "svg", "vue"})
_SEPARATED = frozenset({"csv", "tsv"})
_SETTINGS = frozenset({"yaml", "yml", "toml", "ini", "env", "dotenv", "properties", "conf", "cfg", "http"})
_WORDS = frozenset({"text", "txt", "plain", "plaintext", "md", "markdown", "log", "logs", "output", "email"})
_LANGUAGE = re.compile(r"[ \t>]*+[`~]++[ \t]*+(?:[A-Za-z][A-Za-z+#-]{0,19}\d{0,2})?\s*+")
_WORD = re.compile(r"\w")
_FURTHEST_COLON = 64  # a key is shorter
_MOST_COLONS = 20
_OFTEN = 1_000  # parts found, and the time is looked at


def split(text: str, check: Check = unhurried, *, numbers: bool = False) -> list[Piece]:
    """Give the pieces to search, disjoint and in order; what lies between them is never searched nor changed.

    A piece's text is decoded and its label says what names it. Strings that hold JSON, cells that hold JSON
    and the like are one piece: where `nested` says so, split that piece's text again. Bare `numbers` that
    nothing names are pieces where they are asked for. `check` is called now and then: it raises when the time
    is over.
    """
    if _is_plain(text):
        return [Piece(0, len(text), text, Form.PROSE)] if text else []
    whole = _whole(text, 0, len(text), check)
    taken = whole if whole is not None else _mixed(text, check)
    check()
    return [piece for part in taken for piece in part.pieces if numbers or piece.form is not Form.NUMBER]


def _is_plain(text: str) -> bool:
    """Tell in microseconds that a text is prose and nothing else."""
    if "{" in text or "[" in text or "`" in text or "<" in text or "|" in text or "\t" in text or "=" in text:
        return False
    if (
        text[:1] == '"'
        or text[-1:] == '"'
        or "~~~" in text
        or "@@ -" in text
        or ("\\" in text and '"' in text)
    ):
        return False
    if "\n" in text:
        if "(" in text or ";" in text or "\n    " in text:
            return False
        if ',"' in text or '",' in text:
            return False
        if "," in text:
            commas = [line.count(",") for line in text.split("\n")]
            if any(few and few == next_few for few, next_few in itertools.pairwise(commas)):
                return False
    return not _may_have_key(text) and not may_hold_blob(text) and not may_hold_mail(text, 0, len(text))


def _may_have_key(text: str) -> bool:
    if ":" not in text:
        return False
    at = -1
    for _ in range(_MOST_COLONS):
        at = text.find(":", at + 1)
        if at < 0:
            return False
        line = text.rfind("\n", max(0, at - _FURTHEST_COLON), at) + 1
        if line or at <= _FURTHEST_COLON:
            words = text[line:at].strip(" -*+•>_\"'\r0123456789.)")
            if not words or text[line].isdigit() or is_key(words, ":") or words.isupper():
                return True
    return True


def _checked(found: Iterable[Taken], check: Check) -> Iterator[Taken]:
    for number, one in enumerate(found):
        if not number % _OFTEN:
            check()
        yield one


def _whole(text: str, start: int, end: int, check: Check = unhurried) -> list[Taken] | None:
    """Read a stretch that is one kind of structure from its first sign to its last; else give None."""
    stripped = text[start:end].strip()
    if stripped[:1] in {"{", "["}:
        return is_literal(text, start + text[start:end].index(stripped[0]), end)
    if stripped[:1] == "<" and is_markup(text, start, end):
        return list(_checked(markup(text, start, end, whole=True), check))
    if stripped[:1] == '"':
        return is_string(text, start + text[start:end].index('"'), end)
    return None


def _mixed(text: str, check: Check) -> list[Taken]:
    """Read a text in which structure stands among prose."""
    fenced = (
        Taken(fence.start, fence.end, [*_beside_fence(text, fence), *_within_fence(text, fence, check)])
        for fence in fences(text)
    )
    found = list(_checked(fenced, check))
    return sorted(_rest(text, [(0, len(text))], found, check=check), key=_place)


def _beside_fence(text: str, fence: Fence) -> Iterator[Piece]:
    """Read what stands on the line that opens a fence: a language, or anything that somebody wrote there."""
    start, end = fence.start, fence.inside[0]
    if not _LANGUAGE.fullmatch(text, start, end):
        yield from plain(text, start, end)


def _within_fence(text: str, fence: Fence, check: Check) -> Iterator[Piece]:
    if _WORD.search(text, *fence.inside):
        yield from _fenced(text, *fence.inside, fence.language, check)


def _fenced(text: str, start: int, end: int, language: str, check: Check) -> Iterator[Piece]:
    taken: Iterable[Taken] | None = None
    if language in _LITERAL or not language:
        taken = _whole(text, start, end, check)
    if language in _MARKED:
        taken = _checked(markup(text, start, end, whole=True), check)
    elif taken is None and language in _READ:
        taken = _prose(text, start, end, _READ[language], check)
    elif not language:
        taken = taken or _covering(text, start, end, partial(separated_values, check=check))
    if not language and taken is None:
        taken = _unnamed(text, start, end, check)
    if taken is None:
        yield from code_and_statements(text, start, end)
    else:
        for part in taken:
            yield from part.pieces


def _unnamed(text: str, start: int, end: int, check: Check) -> list[Taken] | None:
    """Read what stands in a fence without a language: settings, a letter, a log; None where it is code."""
    taken = _covering(text, start, end, bodies) or _covering(text, start, end, keyed_lines)
    if taken is None:
        left = _left([(start, end)], list(documents(text, start, end)))
        if not any(next(code_lines(text, *stretch), None) for stretch in left):
            return _prose(text, start, end, _ALL, check)
    return taken


def _covering(text: str, start: int, end: int, find: _Find) -> list[Taken] | None:
    """Give what is found, if it leaves nothing over."""
    taken = list(find(text, start, end))
    left = _left([(start, end)], taken)
    return taken if taken and not any(text[first:last].strip() for first, last in left) else None


def _settings(text: str, start: int, end: int) -> Iterator[Taken]:
    return keyed_lines(text, start, end, sure=True)


_SET: tuple[_Find, ...] = (aliases, inline_tables, literals, _settings)


def _sectioned(text: str, start: int, end: int) -> Iterator[Taken]:
    """Find settings under the names of sections, as TOML and INI have them: they look like code."""
    for found in SECTION.finditer(text, start, end):
        first, last = found.span()
        if "=" in found[0] and (not first or text[first - 1] == "\n"):
            pieces = [piece for part in _prose(text, first, last, _SET) for piece in part.pieces]
            yield Taken(first, last, pieces)


_ALL: tuple[_Find, ...] = (
    boundaries,
    encoded_parts,
    form_fields,
    mail_ids,
    hunks,
    aliases,
    documents,
    cards,
    _sectioned,
    bodies,
    copies,
    statements,
    code_lines,
    markdown_tables,
    separated_values,
    literals,
    markup,
    logged_lines,
    inline_code,
    keyed_lines,
)


_READ: dict[str, tuple[_Find, ...]] = (
    dict.fromkeys(_LITERAL, (literals,))
    | dict.fromkeys(_SEPARATED, (separated_values,))
    | dict.fromkeys(_SETTINGS, _SET)
    | dict.fromkeys(_WORDS, _ALL)
    | {"http": (boundaries, form_fields, literals, bodies, _settings)}
)
"""What is looked for in a fence, by its language."""


def _prose(
    text: str, start: int, end: int, finds: tuple[_Find, ...], check: Check = unhurried
) -> list[Taken]:
    return sorted(_rest(text, [(start, end)], [], finds, check), key=_place)


def _rest(
    text: str,
    stretches: list[_Stretch],
    taken: list[Taken],
    finds: tuple[_Find, ...] = _ALL,
    check: Check = unhurried,
) -> Iterator[Taken]:
    """Let each kind of structure take its part of what those before it left; prose is what remains."""
    yield from taken
    stretches = [one for one in _left(stretches, taken) if _WORD.search(text, *one)]  # else it says nothing
    for each in finds:
        check()
        find = partial(separated_values, check=check) if each is separated_values else each
        every = (part for start, end in stretches for part in find(text, start, end))
        new = list(_checked(every, check))
        yield from new
        stretches = _left(stretches, new)
    for start, end in stretches:
        yield Taken(start, end, list(plain(text, start, end)))


def _place(part: Taken) -> int:
    return part.start


def _left(stretches: list[_Stretch], taken: list[Taken]) -> list[_Stretch]:
    """Give what the taken parts, in order, leave of the stretches."""
    left = []
    parts = iter(taken)
    part = next(parts, None)
    for start, end in stretches:
        at = start
        while part and part.start < end:
            if part.start > at:
                left.append((at, part.start))
            at = part.end
            part = next(parts, None)
        if at < end:
            left.append((at, end))
    return left
