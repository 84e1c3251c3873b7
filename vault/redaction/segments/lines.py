"""Lines that say `key: value` or `key=value`, and lines of logs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vault.redaction.segments.labels import is_key, names_the_next
from vault.redaction.segments.literals import decoded, escaped, quoted
from vault.redaction.segments.pieces import Piece, Taken, Writer, as_it_is, value

_MARK = r"(?:[-*+•>][ \t]++|\d{1,2}[.)][ \t]++|export[ \t]++)?+"
KEYED = re.compile(
    rf"^(?=[^\n])[ \t]*+{_MARK}(?:"
    rf"[*_\"']{{0,3}}+([^\W\d][^\n:=*]{{0,59}}?)[*_\"']{{0,3}}[ \t]*+([:=])[*_]{{0,2}}+[ \t]++(?=\S)"
    rf"|([^\W\d][\w.-]{{0,59}}+)([:=])(?=[^\s:/=]))",
    re.MULTILINE,
)
_LEVEL = r"TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|CRITICAL|FATAL"
_CLOCK = r"\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d{1,9})?(?:Z|[ ]?[+-]\d\d:?\d\d)?"
_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_LOGGED = re.compile(
    rf"^(?=[\[\dA-Za-z])(?:\[?\d{{4}}[-/]\d\d[-/]\d\d[T ]{_CLOCK}\]?(?:[ ]+[\[(]?(?:{_LEVEL})[\])]?:?)?"
    rf"|(?:{_MONTHS})[ ]+\d{{1,2}} {_CLOCK}"
    rf"|\[(?:{_LEVEL})\](?:[ ]+\[?\d{{4}}-\d\d-\d\d[T ]{_CLOCK}\]?)?|(?:{_LEVEL}):)(?=[ \t])",
    re.MULTILINE | re.IGNORECASE,
)
_HUNK = re.compile(r"^@@ -\d{1,9}(?:,\d{1,9})? \+\d{1,9}(?:,\d{1,9})? @@", re.MULTILINE)
_BOUNDARY = re.compile(
    r"^--(?=\S*\d)(?=\S*[A-Za-z=])([\w'()+,./:=?-]{6,70})[ \t]*\r?\n(?=Content-[A-Za-z-]{1,40}:)",
    re.MULTILINE,
)
_MOST_BOUNDARIES = 20
_ANCHOR = re.compile(r"(?<!\S)&([A-Za-z][\w-]{0,60}+)(?=[ \t\r\n])")
_ALIAS = re.compile(r"(?:(?<=[:,-][ \t])|(?<=[\[{]))\*([A-Za-z][\w-]{0,60}+)(?=[ \t]*+(?:[,\]}\r\n]|\Z))")
_PLAIN_YAML = re.compile(r"(?![\[{}&*!|>%@`\"'#,?-])(?!.*(?::\s| #|[\n\r]))(?s:.)*+(?<!:)")
_YAML = re.compile(  # what an alias or a reader needs, the value, a comment
    r"((?:[&!]\S*+[ \t]++)*+)(\"(?:[^\"\\]|\\.)*+\"|'(?:[^']|'')*+'|.*?)((?:(?<![ \t])[ \t]++#.*)?)",
    re.DOTALL,
)
_ESCAPED = re.compile(r'"[^"\\\n]*+\\(?:[^"\\\n]|\\.)*+"[ \t\r]*+$', re.MULTILINE)  # a string, and no prose
_VCARD = re.compile(r"^BEGIN:VCARD\r?\n(?:(?!END:VCARD)[^\n]*+\n){1,400}", re.MULTILINE | re.IGNORECASE)
_PROPERTY = re.compile(r"^(?:item\d{1,2}\.)?([A-Za-z-]{1,40})(?:;[^:\n]{0,200})?:([^\r\n]*+)", re.MULTILINE)
_PARTS = re.compile(r"()([^;,\r\n]++)")
_NAMES_OF_CARDS = {"n": "last name", "fn": "full name", "nickname": "nickname"}
_OF_CARDS = frozenset({"begin", "version", "prodid", "rev", "uid", "kind", "photo", "sort-string"})
_TIME = r"\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?"
_NO_STRING = re.compile(  # a number, a day or a time as TOML writes them
    r"[+-]?\d[\d_]*+(?:\.\d[\d_]*+)?(?:[eE][+-]?\d++)?"
    rf"|\d{{4}}-\d\d-\d\d(?:[Tt ]{_TIME}(?:[Zz]|[+-]\d\d:\d\d)?)?|{_TIME}"
)
_NAMING = r"""(?<![\w.-])(?:[\w-][\w.-]{0,59}+|"[^"\n]{1,60}+")[ \t]*+=[ \t]*+"""
_STRING = r"""(?:"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
_DIGITS = r"[+-]?\d[\w:.+-]*+"
_NOTE = r"#[^\n]*+"
_SIGNS = re.compile(rf"({_NAMING})|({_STRING})|({_DIGITS})|({_NOTE})")
_INLINE = re.compile(
    rf"(?=[{{\[])(?:[\s,{{}}\[\]]++|{_NAMING}|{_STRING}|{_DIGITS}|(?:true|false)\b|{_NOTE})++"
)
"""A table or a list of TOML."""

_STRINGS = re.compile(rf"^[\w.-]{{1,60}} = {_STRING}[ \t]*$", re.MULTILINE)
_NEAR = 300

_OPENS = re.compile(rf"^[ \t]*+(?:{_NAMING})(?=[{{\[])", re.MULTILINE)
_BRACKET = re.compile(rf"{_STRING}|{_NOTE}|[{{}}\[\]]")
_LINE_ENDS = re.compile(r"[ \t]*+(?:#[^\n]*+)?\r?(?:\n|\Z)")

_IN_BRACES = re.compile(r",\s*+(?:[\w.-]{1,60}: |[\w.-]{1,60}:\Z)|[\]}]\s*+,?\Z")
"""The line goes on with another key, or a bracket closes: quotes around all of it would be no YAML."""

_BARE_ENV = re.compile(r"[^\s#\"'$`\\]*+")


def one_line(text: str) -> str:
    """Write a value that no quotes stand around, on its line."""
    return " ".join(text.splitlines())


def _in_double(text: str) -> str:
    return escaped(text, '"')


def _in_single(text: str) -> str:
    return one_line(text).replace("'", "\u2019")


def _in_single_yaml(text: str) -> str:
    return one_line(text).replace("'", "''")


def _as_yaml(text: str) -> str:
    return text if _PLAIN_YAML.fullmatch(text) else f'"{_in_double(text)}"'


def _beside_key(text: str) -> str:
    """Write a value as it is, but for stars, which YAML takes for the name of another value."""
    return f'"{_in_double(text)}"' if text[:1] == "*" else one_line(text)


def _as_env(text: str) -> str:
    return text if _BARE_ENV.fullmatch(text) else f'"{_in_double(text)}"'


def keyed_lines(text: str, start: int, end: int, *, sure: bool = False) -> Iterator[Taken]:
    """Find the values that keys name; where the stretch is `sure` to be settings, any key will do.

    Elsewhere a line whose first words name no field stays prose as a whole: they may be somebody's name.
    """
    named, behind = "", -1  # what the line before names
    for found in KEYED.finditer(text, start, end):
        label, sign = (found[1], found[2]) if found[1] else (found[3], found[4])
        if label == "value" and found.start() == behind and named:
            label, named = named, ""
        elif label == "name" and sign == ":":
            behind = text.find("\n", found.end(), end) + 1
            named = names_the_next(label, text[found.end() : behind].strip(" \r\n\"'"))
        is_string = _ESCAPED.match(text, found.end(), end) is not None and " " not in label
        if found.start() < start or not (sure or is_string or is_key(label.rstrip(), sign)):
            continue
        stop = text.find("\n", found.end(), end)
        last = end if stop < 0 else stop
        raw = text[found.end() : last].rstrip()
        if raw:
            read = _yaml if sure and sign == ":" else _value
            if sign == "=" and found[1] and (sure or _is_toml(text, found.start(), last)):
                read = (
                    _bare
                    if _NO_STRING.fullmatch(raw)
                    else _inline
                    if sure and _INLINE.fullmatch(raw)
                    else read
                )
            yield Taken(found.start(), last, read(found.end(), raw, label.rstrip(), sign))


def _is_toml(text: str, start: int, end: int) -> bool:
    """Say whether settings near by are strings of TOML, beside which no bare word may stand."""
    return _STRINGS.search(text, max(0, start - _NEAR), end + _NEAR) is not None


def _yaml(start: int, raw: str, label: str, _sign: str) -> list[Piece]:
    """Read a value whose anchor, tag and comment are no part of it."""
    found = _YAML.fullmatch(raw)
    if not found:
        return value(start, start + len(raw), raw, label, _as_yaml)
    first, last = start + found.start(2), start + found.end(2)
    said = found[2]
    if said[:1] == '"' and len(said) > 1 and said[-1] == '"':
        pieces = value(first + 1, last - 1, decoded(said[1:-1]), label, _in_double)
    elif said[:1] == "'" and len(said) > 1 and said[-1] == "'":
        pieces = value(first + 1, last - 1, said[1:-1].replace("''", "'"), label, _in_single_yaml)
    else:
        goes_on = said[:1] in {'"', "'"} or _IN_BRACES.search(said) is not None  # also in the next line
        write = one_line if goes_on else _as_yaml
        pieces = value(first, last, said, label, write)
    return pieces + value(last, start + len(raw), found[3], "", one_line)


def _bare(start: int, raw: str, label: str, _sign: str) -> list[Piece]:
    """Read a number or a day of TOML, in whose place a string may stand, and no bare word."""
    return value(start, start + len(raw), raw, label, quoted)


def inline_tables(text: str, start: int, end: int) -> Iterator[Taken]:
    """Find tables of TOML that stand behind a key, or in a list there: lists of strings may be in them."""
    at = start
    while found := _OPENS.search(text, at, end):
        opens, at = found.end(), _closed(text, found.end(), end)
        raw = text[opens:at]
        if ("=" in raw or raw[0] == "[") and _INLINE.fullmatch(raw) and _LINE_ENDS.match(text, at, end):
            label = found[0].strip().rstrip("= \t").strip('"')
            yield Taken(found.start(), at, _inline(opens, raw, label, "="))


def _closed(text: str, at: int, end: int) -> int:
    """Say behind which bracket the one at a place is closed; the end, where none closes it."""
    depth = 0
    for one in _BRACKET.finditer(text, at, end):
        depth += (one[0] in {"{", "["}) - (one[0] in {"}", "]"})
        if not depth:
            return one.end()
    return end


def _inline(start: int, raw: str, label: str, _sign: str) -> list[Piece]:
    """Read the values of a table or a list of TOML."""
    pieces: list[Piece] = []
    for found in _SIGNS.finditer(raw):
        key, said, number, note = found.groups()
        first, last = start + found.start(), start + found.end()
        if key:
            label = key.rstrip("= \t").strip('"')
        elif said and said[0] == '"':
            pieces += value(first + 1, last - 1, decoded(said[1:-1]), label, _in_double)
        elif said:
            pieces += value(first + 1, last - 1, said[1:-1], label, _in_single)
        elif number:
            pieces += value(first, last, number, label, quoted)
        elif note:
            pieces += value(first, last, note, "", one_line)
    return pieces


def _value(start: int, raw: str, label: str, sign: str) -> list[Piece]:
    end = start + len(raw)
    quote = raw[0]
    if (
        len(raw) > 1
        and quote in "\"'"
        and raw[-1] == quote
        and quote not in raw[1:-1].replace(f"\\{quote}", "")
    ):
        if quote == '"':
            return value(start + 1, end - 1, decoded(raw[1:-1]), label, _in_double)
        write: Writer = _in_single_yaml if sign == ":" else _in_single
        return value(start + 1, end - 1, raw[1:-1], label, write)
    if sign == "=" and _BARE_ENV.fullmatch(raw):
        return value(start, end, raw, label, _as_env)
    is_yaml = sign == ":" and label[:1].islower() and " " not in label and not _IN_BRACES.search(raw)
    return value(start, end, raw, label, _beside_key if is_yaml and raw[0] not in "\"'[{*" else one_line)


def cards(text: str, start: int, end: int) -> Iterator[Taken]:
    """Find the lines of vCards, whose properties name what stands behind them and are no part of it."""
    for card in _VCARD.finditer(text, start, end):
        for found in _PROPERTY.finditer(text, *card.span()):
            label = _NAMES_OF_CARDS.get(found[1].lower(), found[1].lower())
            parts = _PARTS.finditer(text, *found.span(2)) if label.endswith(" name") else [found]
            pieces = [
                piece
                for part in parts
                if label not in _OF_CARDS
                for piece in value(*part.span(2), part[2], label, as_it_is)
            ]
            yield Taken(found.start(), found.end(2), pieces)


def hunks(text: str, start: int, end: int) -> Iterator[Taken]:
    """Find where a patch counts its lines: it applies no more with another word there."""
    for found in _HUNK.finditer(text, start, end):
        if found.start() >= start:
            yield Taken(found.start(), found.end(), [])


def aliases(text: str, start: int, end: int) -> Iterator[Taken]:
    """Find where YAML says again what an anchor names: it has no other names."""
    names = {found[1] for found in _ANCHOR.finditer(text, start, end)}
    for found in _ALIAS.finditer(text, start, end) if names else ():
        if found[1] in names:
            yield Taken(found.start(), found.end(), [])


def boundaries(text: str, start: int, end: int) -> Iterator[Taken]:
    """Find what stands between the parts of a mail or of a form, and where their head names it."""
    if text.find("\nContent-", start, end) < 0:
        return
    signs = dict.fromkeys(found[1] for found in _BOUNDARY.finditer(text, start, end))
    if not signs:
        return
    some = "|".join(re.escape(sign) for sign in [*signs][:_MOST_BOUNDARIES])
    said = re.compile(rf"(?:^--|\bboundary=\"?)(?:{some})(?:--)?(?=[\s\";]|\Z)", re.MULTILINE)
    for found in said.finditer(text, start, end):
        yield Taken(found.start(), found.end(), [])


def logged_lines(text: str, start: int, end: int) -> Iterator[Taken]:
    """Find the time and level that lines of a log begin with; the rest of the line is prose."""
    for found in _LOGGED.finditer(text, start, end):
        if found.start() >= start:
            yield Taken(found.start(), found.end(), [])
