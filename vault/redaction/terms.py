"""The user's own lists: terms that are always redacted, and terms that never are.

A term is matched in whole words, whatever its case and Unicode form, and a space in it stands for any white
space. A term written /like this/ is a regular expression, matched as it is written. Where both lists speak,
deny wins.

Texts are cut into words, and one Aho-Corasick automaton reads words instead of characters: one look-up for
each word, however many terms there are. Scripts that put no space between words are read sign by sign.
"""

from __future__ import annotations

import bisect
import functools
import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Self

from vault.errors import ConfigError
from vault.redaction.bounded import PatternError, compile_bounded
from vault.redaction.findings import Finding, Ground

ENTITY: Final = "DENIED"

_entity_name: Final = re.compile(r"[A-Z][A-Z0-9_]{0,63}")

# Signs that need no space to begin a word: Thai, Lao, Burmese, Khmer, kana, Han, and Hangul, whose
# particles cling to a name. A run of katakana is a word.
_SIGNS: Final = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005\u3041-\u309f\u3400-\u4dbf\u4e00-\u9fff"
    r"\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
)
_KATAKANA: Final = r"\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
# Not seen by a reader, so not seen here: a name with a zero-width space in it is still the name.
_UNSEEN: Final = (
    r"\u00ad\u034f\u061c\u115f\u1160\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    r"\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff"
)
_ALIKE: Final = (("\u2019", "'"), ("\u2018", "'"), ("\u02bc", "'"), ("\u2010", "-"), ("\u2011", "-"))
_JOINING: Final = r"\u1161-\u1175\u11a8-\u11c2\uff9e-\uff9f\uffa0-\uffdc"  # these compose, but are no marks

_ASCII_WORDS: Final = re.compile(r"[a-z0-9]+|\s+|.", re.DOTALL)
_unseen: Final = re.compile(f"[{_UNSEEN}]")


@functools.cache
def _marks() -> str:
    """Combining marks, as the inside of a character class: `re` has no name for them."""
    marks = [code for code in range(0x300, 0x1F000) if unicodedata.category(chr(code))[0] == "M"]
    runs = itertools.groupby(enumerate(marks), key=lambda pair: pair[1] - pair[0])
    spans = ([code for _, code in run] for _, run in runs)
    return "".join(f"\\U{span[0]:08x}-\\U{span[-1]:08x}" for span in spans)


@functools.cache
def _words() -> re.Pattern[str]:
    """What cuts a folded text into words, runs of white space and single other characters."""
    letter = rf"[^\W_{_SIGNS}{_KATAKANA}]"
    marks = _marks()
    return re.compile(
        rf"{letter}+(?:[{marks}]+{letter}*)*|\s+|[{_SIGNS}][{marks}]*|[{_KATAKANA}]+|.", re.DOTALL
    )


@functools.cache
def _clusters() -> re.Pattern[str]:
    """What cuts a text into pieces that can be folded one by one."""
    clinging = f"[{_marks()}{_UNSEEN}{_JOINING}]"
    return re.compile(rf"[\x00-\x7f]+(?!{clinging})|.{clinging}*", re.DOTALL)


def _fold_cluster(cluster: str) -> str:
    seen = _unseen.sub("", cluster)
    if not seen:
        return ""
    folded = unicodedata.normalize("NFKC", seen)
    if not seen[0].isalnum() and re.search(r"\w|\s", folded) and not seen[0].isspace():
        return seen  # a trade mark sign is not the letters TM, glued to the name before it
    return unicodedata.normalize("NFKC", folded.casefold()).replace("i\u0307", "i")


def _fold(text: str) -> tuple[str, list[int] | None]:
    """The text as it is compared; and where each character of that came from, if not from its own place."""
    if text.isascii():
        return text.lower(), None
    for sign, plain in _ALIKE:
        text = text.replace(sign, plain)
    folded = text.casefold()
    if (
        len(folded) == len(text)
        and unicodedata.is_normalized("NFKC", text)
        and unicodedata.is_normalized("NFKC", folded)
        and _unseen.search(text) is None
    ):
        return folded, None
    pieces: list[str] = []
    places: list[int] = []
    for match in _clusters().finditer(text):
        cluster, start = match.group(), match.start()
        if cluster.isascii():
            pieces.append(cluster.lower())
            places.extend(range(start, match.end()))
        else:
            piece = _fold_cluster(cluster)
            pieces.append(piece)
            places.extend([start] * len(piece))
    places.append(len(text))
    return "".join(pieces), places


def _cut(folded: str) -> list[str]:
    """The words of a folded text, with all that stands between them: joined, they are the text."""
    return (_ASCII_WORDS if folded.isascii() else _words()).findall(folded)


def _key(term: str) -> tuple[str, ...]:
    words = _cut(_fold(term)[0].strip())
    return tuple(" " if word.isspace() else word for word in words)


class _Node:
    """What has been read of one or more terms, and where to go on when the next word is another."""

    __slots__ = ("allowed", "denied", "entity", "fail", "next", "speaks")

    def __init__(self) -> None:
        self.next: dict[str, _Node] = _NOTHING
        self.fail: _Node | None = None
        self.denied = 0  # words of the longest denied term that ends here; shorter ones lie inside of it
        self.entity = ""
        self.allowed = 0
        self.speaks = False

    def child(self, word: str) -> _Node:
        if self.next is _NOTHING:
            self.next = {}
        if (child := self.next.get(word)) is None:
            child = self.next[word] = _Node()
        return child


_NOTHING: Final[dict[str, _Node]] = {}


def _link(root: _Node) -> None:
    """Give each node its longest proper suffix, breadth first, and what ends there."""
    layer = list(root.next.values())
    for node in layer:
        node.fail = root
        node.speaks = bool(node.denied or node.allowed)
    while layer:
        below: list[_Node] = []
        for node in layer:
            for word, child in node.next.items():
                back = node.fail
                while back is not None and word not in back.next:
                    back = back.fail
                fail = root if back is None else back.next[word]
                child.fail = fail
                if not child.denied:
                    child.denied, child.entity = fail.denied, fail.entity
                child.allowed = child.allowed or fail.allowed
                child.speaks = bool(child.denied or child.allowed)
                below.append(child)
        layer = below


class Terms:
    """Allow and deny lists, compiled. What is in them is not shown: it may be personal."""

    __slots__ = ("_allow_patterns", "_alone", "_deny_patterns", "_firsts", "_root", "words")

    def __init__(self) -> None:
        self._root = _Node()
        self._firsts: frozenset[str] = frozenset()
        self._alone: frozenset[tuple[str, ...]] = frozenset()
        self._allow_patterns: tuple[re.Pattern[str], ...] = ()
        self._deny_patterns: tuple[tuple[re.Pattern[str], str], ...] = ()
        self.words = 0  # of the longest denied term: a stream has to hold as many back

    @classmethod
    def of(cls, allow: Iterable[str] = (), deny: Mapping[str, Iterable[str]] | Iterable[str] = ()) -> Self:
        """Compile both lists; `deny` may map entities to terms. A term of several entities has the first.

        Raises ConfigError for a term that is empty and for a pattern that is invalid, matches nothing at all
        or could take more than linear time.
        """
        terms = cls()
        by_entity = deny if isinstance(deny, Mapping) else {ENTITY: deny}
        denied: list[tuple[re.Pattern[str], str]] = []
        for number, (entity, entries) in enumerate(by_entity.items(), start=1):
            if not isinstance(entity, str) or _entity_name.fullmatch(entity) is None:
                raise ConfigError(
                    f"deny: the name of entity {number} is no entity's name",
                    hint="capital letters, digits and _ make an entity's name, as in EMPLOYEE_ID",
                )
            place = f"deny, {entity}" if isinstance(deny, Mapping) else "deny"
            for entry in _entries(place, entries):
                if isinstance(entry, re.Pattern):
                    denied.append((entry, entity))
                    continue
                terms.words = max(terms.words, sum(word != " " for word in entry))
                node = terms._leaf(entry)
                if not node.denied:
                    node.denied, node.entity = len(entry), entity
        allowed: list[re.Pattern[str]] = []
        alone: set[tuple[str, ...]] = set()
        for entry in _entries("allow", allow):
            if isinstance(entry, re.Pattern):
                allowed.append(entry)
            else:
                alone.add(entry)
                terms._leaf(entry).allowed = len(entry)
        terms._firsts = frozenset(terms._root.next)
        terms._alone = frozenset(alone)
        terms._allow_patterns = tuple(allowed)
        terms._deny_patterns = tuple(denied)
        _link(terms._root)
        return terms

    def denied(self, text: str) -> list[Finding]:
        """All that the deny list names in the text: sorted, and disjoint; what overlaps is one finding."""
        if not (self._firsts or self._deny_patterns):
            return []
        return self._scan(text)[0]

    def kept(self, text: str, findings: Sequence[Finding]) -> list[Finding]:
        """The findings that are not allowed, in their order, by one reading of the text."""
        if not findings or not (self._alone or self._allow_patterns):
            return list(findings)
        denied, allowed = self._scan(text)
        allowed.sort()
        starts = [start for start, _ in allowed]
        reaches = list(itertools.accumulate((end for _, end in allowed), max))
        denied_ends = [finding.end for finding in denied]

        def stays(finding: Finding) -> bool:
            if finding.ground is Ground.DENIED:
                return False
            after = bisect.bisect_right(denied_ends, finding.start)
            if after < len(denied) and denied[after].start < finding.end:
                return False
            before = bisect.bisect_right(starts, finding.start) - 1
            if before >= 0 and reaches[before] >= finding.end:
                return True
            value = text[finding.start : finding.end]
            return _key(value) in self._alone or any(p.fullmatch(value) for p in self._allow_patterns)

        return [finding for finding in findings if not stays(finding)]

    def _leaf(self, key: tuple[str, ...]) -> _Node:
        node = self._root
        for word in key:
            node = node.child(word)
        return node

    def _scan(self, text: str) -> tuple[list[Finding], list[tuple[int, int]]]:
        """What is denied, and where allowed terms stand."""
        denied = [(*m.span(), entity) for p, entity in self._deny_patterns for m in p.finditer(text)]
        allowed = [m.span() for p in self._allow_patterns for m in p.finditer(text)]
        if self._firsts:
            folded, places = _fold(text)
            words = _cut(folded)
            if not self._firsts.isdisjoint(words):
                starts = list(itertools.accumulate(map(len, words), initial=0))
                for node, last in self._ends(words):
                    if node.denied:
                        span = _span(places, starts[last + 1 - node.denied], starts[last + 1])
                        denied.append((*span, node.entity))
                    if node.allowed:
                        allowed.append(_span(places, starts[last + 1 - node.allowed], starts[last + 1]))
        return _merged(denied), allowed

    def _ends(self, words: list[str]) -> Iterator[tuple[_Node, int]]:
        """Where terms end: the node and the place of the last word."""
        root = self._root
        firsts = root.next
        node = root
        for place, read in enumerate(words):
            if node is root:
                if (step := firsts.get(read)) is None:
                    continue
            else:
                word = " " if read.isspace() else read
                step = node.next.get(word)
                while step is None and node.fail is not None:
                    node = node.fail
                    step = node.next.get(word)
            node = root if step is None else step
            if node.speaks:
                yield node, place


def _span(places: list[int] | None, start: int, end: int) -> tuple[int, int]:
    """A span of the folded text, in the original: never a part of a cluster."""
    if places is None:
        return start, end
    last = places[end - 1]
    while places[end] == last:
        end += 1
    return places[start], places[end]


def _merged(spans: list[tuple[int, int, str]]) -> list[Finding]:
    """Disjoint findings that cover all spans; each has the entity of its longest part."""
    spans.sort(key=lambda span: (span[0], -span[1]))
    found: list[Finding] = []
    longest = 0
    for start, end, entity in spans:
        if found and start < found[-1].end:
            before = found[-1]
            if end - start <= longest:
                entity = before.entity  # noqa: PLW2901  the longer part names the whole
            longest = max(longest, end - start)
            found[-1] = Finding(entity, before.start, max(end, before.end), 1.0, "terms", Ground.DENIED)
        else:
            longest = end - start
            found.append(Finding(entity, start, end, 1.0, "terms", Ground.DENIED))
    return found


def _entries(place: str, terms: Iterable[str]) -> Iterator[tuple[str, ...] | re.Pattern[str]]:
    """Each term as words to find, or as a pattern. An error names its place: the term may be personal."""
    if isinstance(terms, str):
        raise ConfigError(f"{place}: a list of terms is needed, this is one string")
    for number, term in enumerate(terms, start=1):
        yield entry_of(f"{place}, term {number}", term)


def entry_of(where: str, term: str) -> tuple[str, ...] | re.Pattern[str]:
    """Read one term; raise ConfigError for what can't be looked for."""
    if not isinstance(term, str):
        raise ConfigError(f"{where}: a term is a string")
    if term.startswith("/") and term.endswith("/") and len(term) > 1:
        return _pattern(where, term[1:-1])
    if key := _key(term):
        return key
    raise ConfigError(f"{where}: the term is empty")


def _pattern(where: str, source: str) -> re.Pattern[str]:
    try:
        return compile_bounded(source)
    except PatternError as error:
        reason = str(error)
    raise ConfigError(
        f"{where}: the pattern is refused: {reason}",
        hint=r"give repeats bounds, as in \w{1,20}, and part them by a character that they can't take",
    )
