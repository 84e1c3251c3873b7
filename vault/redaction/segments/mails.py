"""Parts of mails that are written in base64 or as quoted-printable: what they say is one piece."""

from __future__ import annotations

import binascii
import codecs
import quopri
import re
from collections.abc import Iterator
from contextlib import suppress
from functools import partial

from vault.redaction.segments.pieces import Taken, Writer, value

_ENCODING = re.compile(
    r"^Content-Transfer-Encoding:[ \t]*+(base64|quoted-printable)[ \t]*+\r?\n", re.MULTILINE | re.IGNORECASE
)
_FIELDS = re.compile(r"(?:[A-Za-z][\w-]{0,60}+:[^\n]{0,2000}+\n|[ \t]++[^\s][^\n]{0,2000}+\n){0,20}+\r?\n")
_FIELD = re.compile(r"[A-Za-z][\w-]{0,60}+:|[ \t]++\S")
_TYPE = re.compile(r"^Content-Type:[ \t]*+([\w.+-]++/[\w.+-]++)", re.MULTILINE | re.IGNORECASE)
_CHARSET = re.compile(r"\bcharset=[\"']?([\w.:-]{1,40}+)", re.IGNORECASE)
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]++={0,2}+[ \t]*+(?:\r?\n|\Z))++")
_FORM_FIELD = re.compile(
    r"^Content-Disposition:[ \t]*+form-data;(?![^\n]{0,300}filename)"
    r"[^\n]{0,99}?\bname=\"?([^\"\n;]{1,60})\"?[^\n]{0,99}\n",
    re.MULTILINE | re.IGNORECASE,
)
_BRACKETS = re.compile(r"[\[\]]++")
_NEXT_PART = re.compile(r"^(?:--\S|Content-Transfer-Encoding:)", re.MULTILINE | re.IGNORECASE)
_ESCAPE = re.compile(r"=(?:[0-9A-Fa-f]{2}|[ \t]*+\r?\n)")
_TEXTS = re.compile(r"text/|message/|application/(?:json|xml|[\w.-]++\+(?:json|xml))\b", re.IGNORECASE)
_OF_NAMES = ("idna", "punycode")  # of hosts; a text takes them the square of the time
_MOST_FIELDS = 20
_MADE = r"<(?=[^<>@\s]{20}|(?:[^<>@\s\d]{0,60}\d){3})[^<>@\s]{1,200}@[^<>@\s]{1,200}>"
_IDS = re.compile(
    rf"^(?:Message-ID|In-Reply-To|References|Content-ID):(?:\s{{1,3}}{_MADE}){{1,50}}+[ \t]*+\r?$",
    re.MULTILINE | re.IGNORECASE,
)
"""What a machine made, and no person is written to by."""

_SPACE = re.compile(r"\s++")


def may_hold_mail(text: str, start: int, end: int) -> bool:
    """Tell cheaply whether to look."""
    return text.find("ncoding:", start, end) >= 0


def encoded_parts(text: str, start: int, end: int) -> Iterator[Taken]:
    """Find the bodies of parts that are encoded. One that is no text is a blob, and has no pieces."""
    if not may_hold_mail(text, start, end):
        return
    at = start
    while found := _ENCODING.search(text, at, end):
        at = found.end()
        if not (rest := _FIELDS.match(text, at, end)):
            continue
        head = text[_head_begins(text, found.start(), start) : rest.end()]
        if found[1].lower() == "base64":
            part = _base64(text, rest.end(), end, head)
        else:
            part = _quoted_printable(text, rest.end(), end, head)
        if part is not None:
            at = part.end
            yield part


def mail_ids(text: str, start: int, end: int) -> Iterator[Taken]:
    """Find what mails are known by: it looks like an address."""
    for found in _IDS.finditer(text, start, end):
        yield Taken(found.start(), found.end(), [])


def form_fields(text: str, start: int, end: int) -> Iterator[Taken]:
    """Find the fields of a form that is sent in parts: each is named in its head."""
    if text.find("form-data", start, end) < 0:
        return
    at = start
    while found := _FORM_FIELD.search(text, at, end):
        at = found.end()
        if not (rest := _FIELDS.match(text, at, end)):
            continue
        following = _NEXT_PART.search(text, rest.end(), end)
        if not following and not text.startswith("--", end):  # what parts them may be taken already
            return
        at = following.start() if following else end
        if raw := text[rest.end() : at].rstrip():
            label = _BRACKETS.sub(" ", found[1]).strip()
            stop = rest.end() + len(raw)
            yield Taken(rest.end(), stop, value(rest.end(), stop, raw, label, _as_said))


def _as_said(text: str) -> str:
    """Write a text as it is, which may hold JSON."""
    return text


def attachments(text: str) -> list[tuple[int, int]]:
    """Name the bodies that are no texts, and those that say nothing."""
    return [(one.start, one.end) for one in encoded_parts(text, 0, len(text)) if not one.pieces]


def _head_begins(text: str, at: int, start: int) -> int:
    for _ in range(_MOST_FIELDS):
        before = text.rfind("\n", start, max(at - 1, start)) + 1 or start
        if at <= start or not _FIELD.match(text, before, at):
            break
        at = before
    return at


def _base64(text: str, start: int, end: int, head: str) -> Taken | None:
    found = _BASE64.match(text, start, end)
    if not found:
        return None
    raw = found[0].rstrip()
    stop = start + len(raw)
    kind = _TYPE.search(head)
    if kind and not _TEXTS.match(kind[1]):
        return Taken(start, stop, [])
    signs = _SPACE.sub("", raw)
    try:
        data = binascii.a2b_base64(signs[: len(signs) - len(signs) % 4])
        said, charset = _decoded(data, head)
    except ValueError:
        return None
    write = partial(_as_base64, charset, raw.split("\n", 1)[0], "\r\n" in raw)
    return Taken(start, stop, value(start, stop, said, "", write))


def _as_base64(charset: str, first: str, is_crlf: bool, text: str) -> str:  # noqa: FBT001
    signs = binascii.b2a_base64(_bytes(text, charset), newline=False).decode()
    width = max(len(first.rstrip()), 4)
    return ("\r\n" if is_crlf else "\n").join(signs[at : at + width] for at in range(0, len(signs), width))


def _quoted_printable(text: str, start: int, end: int, head: str) -> Taken | None:
    following = _NEXT_PART.search(text, start, end)
    raw = text[start : following.start() if following else end].rstrip()
    if not _ESCAPE.search(raw):
        return None
    try:
        said, charset = _decoded(quopri.decodestring(raw.encode("ascii")), head)
    except ValueError:
        return None
    stop = start + len(raw)
    write: Writer = partial(_as_quoted_printable, charset)
    return Taken(start, stop, value(start, stop, said, "", write))


def _as_quoted_printable(charset: str, text: str) -> str:
    return quopri.encodestring(_bytes(text, charset)).decode("ascii")


def _decoded(data: bytes, head: str) -> tuple[str, str]:
    """Read what a part says in the charset that its head names, or in another, where it is not in that."""
    found = _CHARSET.search(head)
    charsets = [found[1], "utf-8", "latin-1"] if found else ["utf-8"]
    for charset in charsets:
        with suppress(LookupError, UnicodeError):
            if codecs.lookup(charset).name not in _OF_NAMES:
                return data.decode(charset), charset
    raise ValueError


def _bytes(text: str, charset: str) -> bytes:
    """Encode a text; a sign that the charset lacks can only come from what was put in a value's place."""
    return text.encode(charset, "replace")
