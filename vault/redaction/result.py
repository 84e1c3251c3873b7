"""A text that was redacted outside of any transcript."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from msgspec import Struct

from vault.redaction.findings import Finding
from vault.redaction.memory import Memory
from vault.redaction.segments.bodies import in_body
from vault.redaction.segments.literals import literals
from vault.redaction.segments.mails import encoded_parts
from vault.redaction.writings import unified

_NUMBERED: Final = re.compile(r"<([A-Z][A-Z0-9_]*)_\d+>")
_BRACKETED: Final = re.compile(r"<[^<>]{1,80}>")  # what most placeholders look like
_IN_HTML: Final = re.compile(r"&((?:amp;){0,3})lt;([^<>&]{1,80})&\1gt;")  # and in HTML, in HTML of HTML
_IN_QUOTES: Final = re.compile(  # in JSON, in HTML, in a cell, in a string
    r"(&quot;|\"\"|\\\\\"|(?<![\"\\\\])\"|(?<!['\\\\])')(<[^<>]{1,80}>|&lt;[^<>&]{1,80}&gt;)\1(?!['\"])"
)
_SCRIPT: Final = re.compile(
    r"<script\b[^<>]{0,300}?\bjson\b[^<>]{0,300}>((?:[^<]++|<(?!/script))*+)", re.IGNORECASE
)
_STRING: Final = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"')
_IN_CELL: Final = re.compile(r'(?:^|[,;\t|])"[^"]*+(?:""[^"]*+)*+\Z')
_IN_SETTING: Final = re.compile(
    r"""^[ \t]*+(?:-[ \t]++|export[ \t]++)?(?:[\w.-]++|"[^"\n]{1,60}"|'[^'\n]{1,60}')[ \t]*+[:=][ \t]*+"""
    r"""(?:(")[^"\\]*+(?:\\.[^"\\]*+)*+|'[^']*+(?:''[^']*+)*+)\Z"""
)
_ESCAPED: Final = re.compile(r'(?:[^"\\\x00-\x1f]|\\[\\"/bfnrtux$`])*+')  # `$ also in a shell's
_ESCAPED_SINGLY: Final = re.compile(r"(?:[^'\\]|''|\\.)*+")
_BODY: Final = r"[\w.\[\]%-]{1,60}+=[^&\s'\"]*+"
_IN_BODY: Final = re.compile(rf"(?:^|[ =]['\"])(?:{_BODY}&)*+{_BODY}\Z")
_NEXT_FIELD: Final = re.compile(r"[^&\s'\"]{0,2000}+&[\w.\[\]%-]{1,60}+=")
_ENCODED: Final = re.compile(r"%[\dA-Fa-f]{2}|&[\w.-]{1,60}+=")  # or more than one field
_KEY: Final = re.compile(r'"\s*+:')
_ARGUMENT: Final = re.compile(r"(?: --?[\w-]{1,20}[ =]|\becho )'\Z")
_BACKSLASH: Final = "\ufdd0"  # one of the text's own, while values that may hold others are put back
_OPTION: Final = 24  # characters of an option of a command, and more
_LONG_LINE: Final = 2_000


class RedactedText(Struct, frozen=True):
    """`text` is safe to pass on; `findings` say where in the given text what was found, and by whom."""

    text: str
    findings: tuple[Finding, ...]
    _values: Mapping[str, str]

    def __repr__(self) -> str:
        """Show no values: a repr ends up in logs (P1)."""
        return f"RedactedText(text={self.text!r}, findings={self.findings!r})"

    def restore(self, reply: str) -> str:
        """Put the values back where their placeholders stand, in a model's reply for one."""
        return put_back(reply, self._values)


def tell(values: dict[str, str], more: Mapping[str, str]) -> None:
    """Add what stands behind some placeholders; what stands for two values is put back for neither."""
    for mark, value in more.items():
        known = values.setdefault(mark, value)
        if known == value:
            continue
        numbered = _NUMBERED.fullmatch(mark)
        entity = numbered[1] if numbered else ""
        if unified(entity, known) != unified(entity, value):
            values[mark] = ""


def leave_marks(memory: Memory, text: str) -> None:
    """Leave the numbers of the placeholders that a text came with to it, as HTML writes them too."""
    memory.leave(text)
    if "&" in text:
        memory.leave(_IN_HTML.sub(r"<\2>", text))


def put_back(text: str, values: Mapping[str, str]) -> str:
    """Put values back where their placeholders stand; nothing of a value is taken for a placeholder.

    In HTML they are escaped, and JSON stays valid, also in the strings of JSON, in scripts and among words.
    """
    told = {mark: value for mark, value in values.items() if mark and value}
    texts = _Texts(filter(_is_bare, told))
    tree = _tree(text, texts)
    return tree.written(_restored(texts, told))


class _Texts(list[str]):
    """Texts without parts; `bare` are the strings of JSON in whose place something without quotes stood."""

    def __init__(self, bare: Iterable[str]) -> None:
        super().__init__()
        self.bare = frozenset(bare)


@dataclass(frozen=True, slots=True)
class _Tree:
    """A text, or one in parts, as JSON with its strings. Those without parts stand in a list, at `index`."""

    text: str
    index: int = 0
    parts: list[_Part] = field(default_factory=list)

    def written(self, texts: list[str]) -> str:
        if not self.parts:
            return texts[self.index]
        pieces, at = [], 0
        for start, end, tree, write in self.parts:
            if (now := tree.written(texts)) != tree.text:
                pieces += [self.text[at:start], write(now)]
                at = end
        return "".join([*pieces, self.text[at:]])


_Part = tuple[int, int, _Tree, Callable[[str], str]]  # how a part is written comes last


def _tree(text: str, texts: _Texts) -> _Tree:
    # How deep strings can be in strings grows with the logarithm of the length: each depth doubles escapes.
    if _is_json(text):
        return _strings(text, texts, _as_string, _tree)
    if mails := list(_mails(text, texts)):
        return _among(text, texts, mails, _tree)
    return _among(
        text, texts, _scripts(text, texts) if _SCRIPT.search(text) else _objects(text, texts), _leaf
    )


def _among(text: str, texts: _Texts, found: Iterable[_Part], read: Callable[[str, _Texts], _Tree]) -> _Tree:
    """Put what was found beside what stands between it."""
    parts: list[_Part] = []
    at = 0
    for one in found:
        parts += [(at, one[0], read(text[at : one[0]], texts), str), one]
        at = one[1]
    if not parts:
        return _leaf(text, texts)
    return _Tree(text, parts=[*parts, (at, len(text), read(text[at:], texts), str)])


def _strings(
    text: str, texts: _Texts, write: Callable[[str], str], read: Callable[[str, _Texts], _Tree]
) -> _Tree:
    parts: list[_Part] = []
    for one in _STRING.finditer(text):
        if html.unescape(one[0]) in texts.bare:
            parts.append((*one.span(), _leaf(one[0], texts), str))
        else:
            parts.append((*one.span(), read(json.loads(one[0]), texts), write))
    return _Tree(text, parts=parts) if parts else _leaf(text, texts)


def _as_string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _found(said: str, texts: _Texts) -> _Tree:
    """Read a string where code may stand; its own backslashes are told from those of values."""
    tree = _tree(said, texts)
    if tree.parts:
        return tree
    texts[tree.index] = said.replace("\\", _BACKSLASH)
    return _Tree(texts[tree.index], tree.index)


def _as_found(text: str) -> str:
    """Write a string where code may stand: what was found in code is written as it has to be already."""
    parts = text.split(_BACKSLASH)
    return '"' + "\\\\".join(one if _is_escaped(one) else _as_string(one)[1:-1] for one in parts) + '"'


def _is_escaped(text: str) -> bool:
    return "\\" in text and _ESCAPED.fullmatch(text) is not None


def _mails(text: str, texts: _Texts) -> Iterator[_Part]:
    """Find what parts of mails say that are encoded."""
    for part in encoded_parts(text, 0, len(text)):
        for one in part.pieces:
            yield one.start, one.end, _tree(one.text, texts), one.write


def _scripts(text: str, texts: _Texts) -> Iterator[_Part]:
    """Find JSON in the scripts of HTML."""
    for one in _SCRIPT.finditer(text):
        if _is_json(one[1]):
            yield *one.span(1), _tree(one[1], texts), _in_script


def _objects(text: str, texts: _Texts) -> Iterator[_Part]:
    """Find JSON with keys among other words: in lines of a log, between fences."""
    is_taken = _BACKSLASH in text or "\\ufdd0" in text.lower()
    read, write_string = (_tree, _as_string) if is_taken else (_found, _as_found)
    for one in literals(text, 0, len(text)) if _KEY.search(text) else ():
        said = text[one.start : one.end]
        if _KEY.search(said) and _is_json(said):
            is_argument = _ARGUMENT.search(text[max(0, one.start - _OPTION) : one.start]) is not None
            write = _in_argument if is_argument else str
            yield one.start, one.end, _strings(said, texts, write_string, read), write


def _leaf(text: str, texts: _Texts) -> _Tree:
    texts.append(text)
    return _Tree(text, len(texts) - 1)


def _in_argument(text: str) -> str:
    return text.replace("'", "'\\''")


def _in_script(text: str) -> str:
    return text.replace("</", "<\\/")


def _is_json(text: str) -> bool:
    if text.lstrip()[:1] not in {"{", "[", '"'}:
        return False
    try:
        json.loads(text, parse_int=str)
    except (ValueError, RecursionError):  # what is nested too deep is text as any other
        return False
    return True


def _restored(texts: list[str], told: Mapping[str, str]) -> list[str]:
    """Restore texts together: however many there are, each mark is looked for once."""
    whole = "\0".join(texts)
    found = [
        (at, length, _as_within(whole, at, at - length, value)) for at, length, value in _marks(whole, told)
    ]
    found = sorted([*found, *_bare(whole, told)])
    restored, begin, index = [], 0, 0
    for text in texts:
        pieces, at, end = [], begin, begin + len(text)
        while index < len(found) and found[index][0] < end:
            start, length, value = found[index]
            index += 1
            if at <= start and start - length <= end:
                pieces += [whole[at:start], value]
                at = start - length
        restored.append("".join([*pieces, whole[at:end]]))
        begin = end + 1
    return restored


_Mark = tuple[int, int, str]  # where it stands, how long it is, less than nothing, and its value


def _marks(whole: str, told: Mapping[str, str]) -> Iterator[_Mark]:
    for one in _BRACKETED.finditer(whole):
        if one[0] in told:
            yield one.start(), -len(one[0]), told[one[0]]
    for one in _IN_HTML.finditer(whole):
        if value := told.get(f"<{one[2]}>"):
            for _ in range(1 + len(one[1]) // len("amp;")):
                value = html.escape(value)
            yield one.start(), -len(one[0]), value
    for mark in told:
        if not _BRACKETED.fullmatch(mark) and not _is_bare(mark):
            yield from ((at, -len(mark), told[mark]) for at in _places(whole, mark))


def _bare(whole: str, told: Mapping[str, str]) -> Iterator[_Mark]:
    """Find the marks with quotes in whose place something without them stood."""
    for one in _IN_QUOTES.finditer(whole):
        sign = "'" if one[1] == "'" else '"'
        if value := told.get(f"{sign}{html.unescape(one[2])}{sign}"):
            yield one.start(), -len(one[0]), value


def _is_bare(mark: str) -> bool:
    return mark[:2] in {'"<', "'<"} and mark[-2:] == f">{mark[0]}"


def _as_within(text: str, at: int, end: int, value: str) -> str:
    """Write a value for where it is put back: into a form as it is sent, or into quotes.

    What was found in code is written so already, and so is what was found in an address of the web.
    """
    if (is_plain := '"' not in value and "'" not in value and "\\" not in value) and value.isalnum():
        return value
    line = text[max(text.rfind("\n", 0, at) + 1, text.rfind("\0", 0, at) + 1, at - _LONG_LINE) : at]
    if "=" in line and _IN_BODY.search(line) and ("&" in line or _NEXT_FIELD.match(text, end)):
        return value if _ENCODED.search(value) else in_body(value)
    return value if is_plain else _as_quoted(line, value)


def _as_quoted(line: str, value: str) -> str:
    """Write a value for the quotes that a line has opened: of a cell of CSV, of a setting."""
    if '"' in value and _IN_CELL.search(line):
        return value if '"' not in value.replace('""', "") else value.replace('"', '""')
    setting = _IN_SETTING.search(line)
    if setting is None:
        return value
    if setting[1]:
        return value if _ESCAPED.fullmatch(value) else value.replace("\\", "\\\\").replace('"', '\\"')
    return value if _ESCAPED_SINGLY.fullmatch(value) else value.replace("'", "''")


def _places(text: str, mark: str) -> Iterator[int]:
    """Find where a mark stands as a whole: an invented name is not the beginning of a longer word."""
    at = text.find(mark)
    while at >= 0:
        end = at + len(mark)
        is_cut = mark[0].isalnum() and at and text[at - 1].isalnum()
        if not is_cut and not (mark[-1].isalnum() and text[end : end + 1].isalnum()):
            yield at
        at = text.find(mark, at + 1)
