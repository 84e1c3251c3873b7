"""JSON and Python literals: each string is a piece named by its key, in one pass and without recursion."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from vault.redaction.segments.labels import is_password, may_number_a_person, names_the_next
from vault.redaction.segments.pieces import LONGEST_LABEL, Form, Piece, Taken, Writer, value

_DEEPEST = 200_000  # a list's entry each: deeper is no data, and costs memory
_LONG_NUMBER = 7  # digits from which a number that nothing names may be somebody's
_MOMENT = re.compile(r"1[0-9]{9}(?:[0-9]{3})?")  # seconds or milliseconds since 1970
_CARDS = (15, 16)  # digits of a number that may prove itself to be a card, whatever it is called
_DOUBLE = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_SINGLE = r"'[^'\\]*+(?:\\.[^'\\]*+)*+'"
_OPENING = re.compile(
    r"""\{(?=\s*+(?:["']|[A-Za-z_$][\w$]{0,99}+\s*+:))"""
    r"""|\[(?=\s*+(?:["'{\[(]|-?\d|(?:true|false|null|None|True|False|NaN)\b))"""
)
_DOCUMENT = re.compile(
    r"""^([^\n"'`=(){}\[\];:]{1,400}+:\ ?)?+([{\[])(?=\s*+(?:"|[{\[]\s*+["{\[]))""",
    re.MULTILINE | re.VERBOSE,
)
_ENDS_LINE = re.compile(r"[;,.]?[ \t\r]*+(?:\n|\Z)")
_KEY = re.compile(rf"\s*+(?:({_DOUBLE}|{_SINGLE})|[A-Za-z_$][\w$-]*+|-?\d[\d.]*+)\s*+:", re.DOTALL)
_VALUE = re.compile(
    rf"\s*+(?:([bB]?(?:{_DOUBLE}|{_SINGLE}))|(-?\d[\w.+-]*+)|(?:true|false|null|None|True|False|NaN|-?Infinity)\b"
    rf"|((?:\[\s*+)++|[{{(])|((?:\]\s*+)++|[}})]))\s*+(,?)",
    re.DOTALL,
)
_NUMBER = re.compile(r"-?(?:0[xXbBoO]\w+|\d[\d_]*+(?:\.\d*+)?(?:[eE][+-]?\d+)?[jJnL]?)")
_SPACE = re.compile(r"\s++")
_CUT = re.compile(r"\s*+\Z")
_WHOLE_STRING = re.compile(rf"({_DOUBLE})\s*+\Z", re.DOTALL)
_CUT_OFF = re.compile(r"""\s*+["']""")
_NEAR = 400  # characters of a tag before a literal
_TAG_BEFORE = re.compile(r"<[A-Za-z][\w:.-]*+(?:\s[^<>]*+)?>\s*+\Z")
_TAG_BEHIND = re.compile(r"\s*+</[A-Za-z]")
_ATTRIBUTE_BEFORE = re.compile(r"<[A-Za-z][\w:.-]*+\s[^<>]*=\s?([\"'])\Z")
_VALUES = frozenset({"value", "Value", "val"})
_CLOSING = {"{": "}", "[": "]", "(": ")"}
_BRACKETS = {closing: opening for opening, closing in _CLOSING.items()}
_OPEN = 16  # brackets, the innermost of which tell what a part is
_PART = re.compile(r"""\s*+(?:["'].*+|[\w.+-]{0,100}+)\Z""", re.DOTALL)
"""A part of a literal that has not ended: a string, or what may become a key or a number."""

ESCAPE = re.compile(
    r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|U([0-9a-fA-F]{8})|([0-7]{1,3})|(\r?\n)|(.))", re.DOTALL
)
_NAMED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "a": "\a", "v": "\v"}
_SURROGATE = re.compile("[\ud800-\udfff]")
_UNWRITABLE = re.compile("[\\\\\"'\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_SHELL_QUOTE = "'\\''"  # how a shell writes one in an argument of single quotes
_LAST_CODE_POINT = 0x10FFFF


def _unescaped(found: re.Match[str]) -> str:
    code = found[1] or found[2] or found[3]
    number = int(code, 16) if code else int(found[4], 8) if found[4] else -1
    if number > _LAST_CODE_POINT:
        return found[0]
    if number >= 0:
        return chr(number)
    if found[5]:
        return ""
    return _NAMED.get(found[6], found[6] if found[6] in "\"'\\/" else found[0])


def decoded(raw: str) -> str:
    """Give what the inside of a JSON or Python string says; what is no escape stays as it is."""
    if "\\" not in raw:
        return raw
    text = ESCAPE.sub(_unescaped, raw)
    if _SURROGATE.search(text):  # JSON writes one character as two surrogates
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return text


def escaped(text: str, quote: str) -> str:
    """Write a text for the inside of a string, in escapes that JSON and Python read alike."""

    def escape(found: re.Match[str]) -> str:
        letter = found[0]
        if letter in "\"'":
            return "\\" + letter if letter == quote else letter
        return "\\\\" if letter == "\\" else "\\n" if letter == "\n" else f"\\u{ord(letter):04x}"

    return _UNWRITABLE.sub(escape, text)


def _in_double(text: str) -> str:
    return escaped(text, '"')


def _in_single(text: str) -> str:
    return escaped(text, "'")


def _in_bytes(text: str) -> str:
    return "".join(
        chr(byte) if " " <= chr(byte) <= "~" and chr(byte) not in "\"'\\" else f"\\x{byte:02x}"
        for byte in text.encode("utf-8", "surrogatepass")
    )


def _in_shell(text: str) -> str:
    return _in_double(text).replace("'", _SHELL_QUOTE)


def writer(quote: str) -> Writer:
    """Give the writer for the inside of a string in these quotes."""
    return _in_double if quote == '"' else _in_single


def quoted(text: str) -> str:
    """Write a text as a whole JSON string, where a number stood."""
    return json.dumps(text)


_SCHEMAS = frozenset({"$id", "$schema", "$ref", "$vocabulary", "@context", "xmlns", "targetNamespace"})
_NET = re.compile(r"(?:https?|urn):\S*\Z")
"""Under those, what names a schema, and is asked for nobody."""


def string(text: str, start: int, end: int, label: str) -> list[Piece]:
    """Make the piece of the string whose quotes are text[start] and text[end - 1]."""
    write = writer(text[start])
    if text[start] in "bB":
        start += 1
        write = _in_bytes
    raw = text[start + 1 : end - 1]
    if _SHELL_QUOTE in raw and text[start] == '"':
        raw, write = raw.replace(_SHELL_QUOTE, "'"), _in_shell
    said = decoded(raw)
    form = Form.CODE if label in _SCHEMAS and _NET.match(said) else Form.PROSE
    return value(start + 1, end - 1, said, label, write, form)


def _number(text: str, start: int, end: int, label: str) -> list[Piece]:
    if not _NUMBER.fullmatch(text, start, end):  # a date, an address of the net, an id
        return value(start, end, text[start:end], label, quoted)
    if end - start in _CARDS and not may_number_a_person(label):
        return value(start, end, text[start:end], label, quoted, Form.CODE)
    is_moment = not label and _MOMENT.fullmatch(text, start, end)
    if not is_moment and (label or end - start >= _LONG_NUMBER) and may_number_a_person(label):
        return value(start, end, text[start:end], label, quoted)
    return [Piece(start, end, text[start:end], Form.NUMBER, label, quoted)]


def _option(quoted_text: str) -> str:
    """Give the option that is set to a password by the next string of a list of arguments."""
    name = quoted_text[1:-1].lstrip("-")
    return name if len(name) <= LONGEST_LABEL and is_password(name) else ""


class _Scan(NamedTuple):
    """What a scan came to: where it stopped, whether all brackets closed, whether it saw a key.

    Where they did not, the brackets that are still open say which sign closes them and what names them.
    """

    end: int
    closed: bool
    keys: bool
    label: str
    pieces: list[Piece]
    opened: list[tuple[str, str]]
    part: int  # where the pair or the entry of a list begins that it stopped in


def _scan(text: str, start: int, end: int) -> _Scan:  # noqa: C901 (one loop: calls would cost the time)
    """Read one object or array from its bracket on."""
    pieces: list[Piece] = []
    opened: list[tuple[str, str]] = [(_CLOSING[text[start]], "")]
    at, label, keys = start + 1, "", False
    option = named = ""  # what names the next string of a list, and of a pair
    loose, before = -1, 0  # a number that no comma follows, and the pieces before it
    while True:
        part = at
        key = _KEY.match(text, at, end) if opened[-1][0] == "}" else None
        if key:
            keys = True
            label = (decoded(key[1][1:-1]) if key[1] else key[0].strip(": \t\r\n"))[-LONGEST_LABEL:]
            at = key.end()
            label = named if named and label in _VALUES else label
        found = _VALUE.match(text, at, end)
        if loose >= 0 and not (key or (found[4] if found else _CUT.match(text, at, end))):  # a card goes on
            at = loose
            del pieces[before:]
            break
        if not found:
            break
        quotes, number, opening, closing, comma = found.groups()
        loose, before = (found.start(2) if number and not comma else -1), len(pieces)
        if quotes:
            in_list = opened[-1][0] != "}"
            pieces += string(text, found.start(1), found.end(1), (in_list and option) or label)
            option = _option(quotes) if in_list and quotes[1] == "-" else ""
            named = (names_the_next(label, quotes[1:-1]) if key else "") or named
        elif number:
            pieces += _number(text, found.start(2), found.end(2), label)
        elif opening:
            named = ""
            fault = comma or (opened[-1][0] == "}" and not key)
            opened += [(_CLOSING[opening[0]], label)] * (opening.count("[") or 1)
            if fault or len(opened) > _DEEPEST:
                at = found.end()  # brackets read once are not read again, or many would take quadratic time
                break
        elif closing:
            count = closing.count("]") or 1
            if any(pair[0] != closing[0] for pair in opened[-count:]):
                break
            if count >= len(opened):  # what follows the last bracket is not ours
                last = found.start(4) - 1
                for _ in opened:
                    last = text.index(closing[0], last + 1)
                return _Scan(last + 1, True, keys, label, pieces, [], last + 1)
            label, named = opened[-count][1], ""
            del opened[-count:]
        at = found.end()
    return _Scan(at, False, keys, label, pieces, opened, part)


def _cut_off(text: str, scan: _Scan, end: int) -> Taken | None:
    """Take what a text that was cut off in a string has of that string, as part of it."""
    found = _CUT_OFF.match(text, scan.end, end)
    if not found:
        return None
    start = found.end()
    return Taken(
        scan.end, end, value(start, end, decoded(text[start:end]), scan.label, writer(text[start - 1]))
    )


def is_literal(text: str, start: int, end: int) -> list[Taken] | None:
    """Read a stretch that is JSON, JSON lines or a Python literal from its first bracket to its last."""
    taken: list[Taken] = []
    while start < end:
        if space := _SPACE.match(text, start, end):
            start = space.end()
            continue
        if text[start] not in _CLOSING or text[start] == "(":
            return None
        scan = _scan(text, start, end)
        if not scan.closed:
            return None
        taken.append(Taken(start, scan.end, scan.pieces))
        start = scan.end
    return taken


def is_string(text: str, start: int, end: int) -> list[Taken] | None:
    """Read a stretch that is one JSON string and nothing else."""
    found = _WHOLE_STRING.match(text, start, end)
    return [Taken(start, found.end(), string(text, start, found.end(1), ""))] if found else None


def _is_of_element(text: str, start: int, end: int) -> bool:
    """Say whether a literal is all that an element or an attribute of XML says: it is written otherwise."""
    first = max(0, start - _NEAR)
    sign = text[first:start].rstrip()[-1:]
    if sign == ">":
        return bool(_TAG_BEHIND.match(text, end) and _TAG_BEFORE.search(text, first, start))
    attribute = _ATTRIBUTE_BEFORE.search(text, first, start) if sign in {'"', "'"} else None
    return attribute is not None and text[end : end + 1] == attribute[1]


def documents(text: str, start: int, end: int) -> Iterator[Taken]:
    """Find JSON of several lines that begins a line, or ends a sentence there.

    Its lines of brackets look like those of code, and what stands between them like what code encloses.
    """
    at = start
    while found := _DOCUMENT.search(text, at, end):
        begin = found.start(2)
        is_amid = found.start() and text[found.start() - 1] != "\n"  # the stretch begins amid a line
        if is_amid or (found[1] and " " not in found[1].strip()):  # a key of code
            at = found.end()
            continue
        scan = _scan(text, begin, end)
        at = scan.end
        if not scan.keys or "\n" not in text[begin : scan.end]:
            continue
        if scan.closed:
            if _ENDS_LINE.match(text, scan.end, end) and not _is_of_element(text, begin, scan.end):
                yield Taken(begin, scan.end, scan.pieces)
        elif _CUT.match(text, scan.end, end):
            yield Taken(begin, scan.end, scan.pieces)
        elif rest := _cut_off(text, scan, end):
            yield Taken(begin, scan.end, scan.pieces)
            yield rest
            return


def literals(text: str, start: int, end: int) -> Iterator[Taken]:
    """Find JSON and Python literals among other words; of one that is cut off, what stands before the fault.

    Brackets around words or numbers alone are prose, unless they hold a key or whole strings.
    """
    while found := _OPENING.search(text, start, end):
        scan = _scan(text, found.start(), end)
        start = scan.end
        if scan.closed and _is_of_element(text, found.start(), scan.end):
            continue
        if scan.keys or (scan.closed and any(piece.write is not quoted for piece in scan.pieces)):
            yield Taken(found.start(), scan.end, scan.pieces)
            if not scan.closed and (rest := _cut_off(text, scan, end)):
                yield rest
                return


def open_at_end(text: str) -> tuple[str, int] | None:
    """Give what opens the literal that may go on behind the text, and where the part of it begins that does.

    What opens it is its first line as far as its first bracket, and what names the brackets within.
    """
    start = 0
    while found := _OPENING.search(text, start):
        scan = _scan(text, found.start(), len(text))
        start = scan.end
        if scan.opened and _PART.match(text, scan.end):
            line = max(text.rfind("\n", 0, found.start()) + 1, found.start() - LONGEST_LABEL)
            opens = text[line : found.start()]
            for closing, label in scan.opened[:1] + scan.opened[1:][-_OPEN:]:
                named = f"{json.dumps(label)}: " if label and opens[-1:] == "{" else ""
                opens += named + _BRACKETS[closing]
            return opens, scan.part
    return None
