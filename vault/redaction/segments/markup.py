"""HTML and XML: text nodes and attribute values are pieces; tags are never changed."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from urllib.parse import quote, unquote

from vault.redaction.segments.cells import CELLS, Cells
from vault.redaction.segments.labels import may_number_a_person, names_a_field
from vault.redaction.segments.pieces import Form, Piece, Taken, as_it_is, value

_WORD = re.compile(r"\w+")
_VOID = frozenset(_WORD.findall("area base br col embed hr img input link meta source track wbr"))
_PLAIN = _VOID | frozenset(
    _WORD.findall(
        """
        a abbr article aside b blockquote body button caption center cite code dd del details div dl dt em
        fieldset figcaption figure font footer form h1 h2 h3 h4 h5 h6 head header hr html i iframe ins kbd
        label legend li main mark nav ol optgroup option p pre q s samp script section select small span
        strike strong style sub summary sup svg table tbody td textarea tfoot th thead tr u ul var video
        audio
        """
    )
)
_SHARED = frozenset({"address", "time", "title"})  # with documents of XML
_KNOWN = _PLAIN | _SHARED
_PARTS = frozenset({"first", "last", "given", "family", "middle"})  # of a name
_CODE = frozenset({"code", "kbd", "samp", "var"})
_BARE = frozenset(
    _WORD.findall(
        """
        allowfullscreen async autofocus autoplay checked controls defer disabled hidden loop multiple muted
        novalidate open readonly required selected
        """
    )
)
_DATA = frozenset(
    _WORD.findall("value title alt content placeholder label summary name datetime cite srcdoc")
)
_TOLD = frozenset(
    _WORD.findall(
        """
        attendee body by buyer called callee caller comment comments description message msg note notes owner
        said text who
        """
    )
)
_RECORD = re.compile(r"data-(?:(?:row|item|product|post|order|record|node|entry|index|list|card|page)-)?id\Z")
"""The number of a part of the page."""

_LINKS = frozenset(_WORD.findall("href src action formaction poster"))
_FAR = re.compile(
    r"\s*+(?:(?:https?|ftps?|sftp|wss?):)?//|(?!data:|javascript:)[a-z][a-z0-9+.-]{1,20}:\S", re.IGNORECASE
)
"""Begins an address with a host or a scheme."""

_NAMES_VALUE = re.compile(r"[?&;#][^=?&;#]*+=")

_LOADS = re.compile(
    r"""\brel\s*+=\s*+["']?[\w -]*\b(?:stylesheet|icon|manifest|(?:module)?pre\w+)\b""",
    re.IGNORECASE,
)
_HOLDS_JSON = re.compile(r"""\btype\s*+=\s*+["']?application/(?:[\w.-]{1,40}\+)?json\b""", re.IGNORECASE)
_HEADER = re.compile(
    r"(?:\?|&amp;|&)([a-z-]{1,20})=((?:(?!(?:&amp;|&)[a-z-]{1,20}=).)*+)", re.IGNORECASE | re.DOTALL
)
"""A header of the message that a link to an address of mail begins."""

_DRAWN = frozenset(
    _WORD.findall("class classname style d transform viewbox points fill stroke font xmlns rel")
)
_SCHEMA = re.compile(r"xmlns:|(?:\w{1,20}:)?(?:nonamespace)?schemalocation\Z|targetnamespace\Z")
"""Attributes that name a schema."""

_SAYS = re.compile(r"(?<![^\W\d_])[^\W\d_]{2,}+[ ,.]{1,2}[^\W\d_]{2,}|\+\d[\d ()/-]{6,}")
"""Two words, or a telephone number with its country."""

_DIALS = re.compile(r"\btel:|['\"]\+\d[\d ()/-]{6,}['\"]")
"""A script that calls somebody."""

_NAMING = re.compile(r"""\b(?:name|property|itemprop)\s*+=\s*+["']?([\w.:-]{1,60})""")
_START = re.compile(r"<(?=[A-Za-z/!?])")
_NAME = re.compile(r"</?([A-Za-z][\w:.-]*+)")
_ATTRIBUTE = re.compile(
    r"""\s*+([A-Za-z_:@*#][\w:.@*#-]*+)(?:\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s"'=<>`][^\s"'<>`]*+)))?+"""
)
_UNQUOTED = 4
_TAG_END = re.compile(r"\s*+/?>")
_OPENER = re.compile(r"<([A-Za-z][\w:.-]*+)")
_CLOSER = re.compile(r"</([A-Za-z][\w:.-]*+)\s*+>")
_OTHER = {
    "<!--": "-->",
    "<![CDATA[": "]]>",
    "<!DOCTYPE": ">",
    "<!doctype": ">",
    "<?xml": "?>",
    "<?php": "?>",
}
_NEAR = 32  # open elements among which a closing tag looks for its own
_SHORT = 100
_NEAR_BY = 300  # characters around a value within which its tag may name it
_DASHES = re.compile(r"-(?=-)")


def _text_node(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _in_attribute(text: str) -> str:
    return html.escape(text, quote=True)


def _bare_attribute(text: str) -> str:
    return '"' + _in_attribute(text) + '"'


def _in_mail(text: str) -> str:
    return _in_attribute(quote(text, safe="<>@:/,;!*()'"))  # a placeholder is known by its brackets


def _in_comment(text: str) -> str:
    said = _DASHES.sub("- ", text)
    return f" {said} " if said[:1] in {">", "-"} or said[-1:] == "-" else said


def _in_cdata(text: str) -> str:
    return text.replace("]]>", "]]]]><![CDATA[>")


def _in_script(text: str) -> str:
    return text.replace("</", "<\\/")


def _link_form(said: str) -> Form:
    """Tell how an address is searched: a path on the page's own host says nothing without a question."""
    if _FAR.match(said):
        return Form.LINK
    return Form.PROSE if _NAMES_VALUE.search(said) else Form.CODE


def _label(around: str, length: int) -> str:
    """Give what an element calls the text in it, where it is one of a document's own."""
    return "" if around in _PLAIN or length > _SHORT else around.rpartition(":")[2]


def is_markup(text: str, start: int, end: int) -> bool:
    """Tell whether a stretch is a document or a fragment of HTML or XML from its first sign to its last."""
    stripped = text[start:end].strip()
    if not stripped.endswith(">") or not _START.match(stripped):
        return False
    if stripped.startswith(("<?xml", "<!DOCTYPE", "<!doctype")):
        return True
    name = _NAME.match(stripped)
    return ("</" in stripped or "/>" in stripped) and (
        name is None or name[1].lower() in _KNOWN or f"</{name[1]}" in stripped or stripped.endswith("/>")
    )


class _Reader:
    """Reads tags one after the other and never goes back: what is no tag is passed over for good."""

    def __init__(self, text: str, start: int, end: int, *, whole: bool) -> None:
        self._text, self._start, self._end, self._whole = text, start, end, whole
        self._closed = {found[1].lower() for found in _CLOSER.finditer(text, start, end)}
        self._names = {found[1].lower() for found in _OPENER.finditer(text, start, end)}
        self._is_page = "html" in self._names or self._names <= _KNOWN
        self._open: list[str] = []
        self._cells = Cells()
        self._turns: tuple[str, str, bool] | None = None  # the tag that ends the text before it
        self._missing: set[str] = set()

    def read(self) -> Iterator[Taken]:
        """Give each tag, and each text that stands inside an element."""
        at = last = self._start
        while found := _START.search(self._text, at, self._end):
            start = found.start()
            around = self._open[-1] if self._open else ""
            at, pieces = self._tag(start)
            if pieces is None:
                continue
            if start > last and (self._whole or around):
                yield Taken(last, start, self._said(last, start, around))
            if self._turns:
                self._cells.turn(*self._turns)
                self._turns = None
            yield Taken(start, at, pieces)
            last = at
        if self._whole and last < self._end:
            yield Taken(last, self._end, self._said(last, self._end, ""))

    def _said(self, start: int, end: int, around: str, *, is_json: bool = False) -> list[Piece]:
        raw = self._text[start:end]
        first = start + len(raw) - len(raw.lstrip())
        last = max(first, start + len(raw.rstrip()))
        if around in {"script", "style"}:
            form = Form.PROSE if is_json else Form.CODE
            return value(first, last, self._text[first:last], "", _in_script, form)
        form = Form.CODE if around in _CODE else Form.PROSE
        said = html.unescape(self._text[first:last])
        label = _label(around, last - first) or (self._cells.named(said) if last - first <= _SHORT else "")
        return value(first, last, said, label, _text_node, form)

    def _tag(self, start: int) -> tuple[int, list[Piece] | None]:  # noqa: C901 (a tag, read once)
        """Give where the tag ends and its pieces; None for them where it is no tag after all."""
        if self._text[start + 1] in "!?":
            for opening, closing in _OTHER.items():
                if self._text.startswith(opening, start):
                    return self._other(start, opening, closing)
        name = _NAME.match(self._text, start, self._end)
        if not name:
            return start + 1, None
        lower = name[1].lower()
        closes = self._text[start + 1] == "/"
        pieces: list[Piece] = []
        at = name.end()
        while not (end := _TAG_END.match(self._text, at, self._end)):
            found = _ATTRIBUTE.match(self._text, at, self._end)
            bare = found is not None and found.lastindex == 1
            if not found or (bare and not self._is_bare(found[1])):
                return at, None
            if not bare:
                pieces += self._attribute(found, name)
            at = found.end()
        alone = "/" in end[0]
        if not (self._whole or alone or lower in _KNOWN or lower in self._closed):
            return end.end(), None
        if lower in CELLS:
            self._turns = lower, self._text[name.end() : end.start()], not closes
        if closes:
            self._close(lower)
        elif not alone and lower not in _VOID and lower in self._closed:
            self._open.append(lower)
            if lower in {"script", "style"}:
                is_json = _HOLDS_JSON.search(self._text, name.end(), end.start()) is not None
                return self._until_closed(lower, end.end(), pieces, is_json=is_json)
        return end.end(), pieces

    def _is_bare(self, name: str) -> bool:
        """Tell an attribute without a value from what else stands between < and >: somebody's address."""
        return "@" not in name and (self._whole or name.lower() in _BARE)

    def _attribute(self, found: re.Match[str], tag: re.Match[str]) -> list[Piece]:
        name, element = found[1].lower(), tag[1].lower()
        is_page = element in _KNOWN and (self._is_page or element not in _SHARED)
        group = found.lastindex or 1
        said = html.unescape(found[group])
        label = name
        if name in {"value", "content"}:
            naming = self._beside(_NAMING, found, tag)
            label = naming[1] if naming else name
        elif name in _PARTS and not is_page:
            label = f"{name} name"
        holds = not (name in _DRAWN or _SCHEMA.match(name)) and (
            name in _DATA
            or (name.startswith("data-") and not (_RECORD.match(name) and said.isdigit()))
            or said[:7].lower().startswith(("mailto:", "tel:"))
            or (name[:2] == "on" and _DIALS.search(said) is not None)
            or may_number_a_person(name.rpartition(":")[2])
            or (not is_page and (name in _TOLD or names_a_field(label)))
            or (not is_page and _SAYS.search(said) is not None)
        )
        write = _bare_attribute if group == _UNQUOTED else _in_attribute
        form = Form.PROSE if holds else Form.CODE
        if name in _LINKS and not holds:
            is_part = element == "script" or (element == "link" and self._beside(_LOADS, found, tag))
            form = Form.CODE if is_part else _link_form(said)
            label = "" if form is Form.LINK else label
        if group != _UNQUOTED and "?" in found[group] and said[:7].lower() == "mailto:":
            return self._mail(found.start(group), found.end(group), label)
        return value(found.start(group), found.end(group), said, label, write, form)

    def _mail(self, start: int, end: int, label: str) -> list[Piece]:
        """Read a link to an address of mail, and what it says in the message."""
        last = self._text.index("?", start, end)
        pieces = value(start, last, html.unescape(self._text[start:last]), label, _in_attribute)
        for one in _HEADER.finditer(self._text, last, end):
            pieces += value(*one.span(2), unquote(html.unescape(one[2])), one[1], _in_mail)
        return pieces

    def _beside(
        self, pattern: re.Pattern[str], found: re.Match[str], tag: re.Match[str]
    ) -> re.Match[str] | None:
        """Look for a pattern in the tag of an attribute, near by."""
        end = self._text.find(">", found.end(), found.end() + _NEAR_BY)
        first = max(tag.start(), found.start() - _NEAR_BY)
        return pattern.search(self._text, first, max(end, found.start() + 1))

    def _close(self, name: str) -> None:
        near = self._open[-_NEAR:]
        if name in near:
            while self._open.pop() != name:
                pass

    def _until_closed(
        self, name: str, at: int, pieces: list[Piece], *, is_json: bool
    ) -> tuple[int, list[Piece]]:
        """Take a script with its tag: a < in it is no tag."""
        closer = re.compile(rf"</{name}\s*+>", re.IGNORECASE).search(self._text, at, self._end)
        last = closer.start() if closer else self._end
        return last, [*pieces, *self._said(at, last, name, is_json=is_json)]

    def _other(self, start: int, opening: str, closing: str) -> tuple[int, list[Piece] | None]:
        """Read a comment, a CDATA section, a declaration or a processing instruction."""
        first = start + len(opening)
        last = -1 if opening in self._missing else self._text.find(closing, first, self._end)
        if last < 0:
            self._missing.add(opening)  # nor will any later one find its end
            return first, None
        said = self._text[first:last]
        if closing in {">", "?>"}:
            return last + len(closing), value(first, last, said, "", as_it_is, Form.CODE)
        if opening == "<!--":
            return last + len(closing), value(first, last, said, "", _in_comment)
        label = _label(self._open[-1], len(said)) if self._open else ""
        return last + len(closing), value(first, last, said, label, _in_cdata)


def markup(text: str, start: int, end: int, *, whole: bool = False) -> Iterator[Taken]:
    """Find tags and the texts of elements; where the whole stretch is markup, every text in it."""
    return _Reader(text, start, end, whole=whole).read()
